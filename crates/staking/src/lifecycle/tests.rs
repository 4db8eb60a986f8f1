use super::*;
use crate::testing::{covenant_signatures, pairs, sign, stake as example};
use bitcoin::FeeRate;
use proptest::prelude::*;

const NEEDED: u32 = 30;
/// Term and unbonding time of the example.
const TERM: u32 = 64_000;
const WAIT: u32 = 301;

fn seen(staking: Option<Seen>, steps: &[(Step, Seen)]) -> Sightings {
    Sightings { registered: true, verified: true, activated: true, staking, steps: steps.to_vec() }
}

#[test]
fn a_stake_goes_through_its_states_as_blocks_pass() {
    let stake = example(1, 3, 2);
    let at = |sightings: &Sightings, tip| sightings.state(&stake, NEEDED, tip);
    assert_eq!(at(&Sightings::default(), 5), State::Planned);
    assert_eq!(at(&Sightings { registered: true, ..Sightings::default() }, 5), State::Registered);
    assert_eq!(at(&seen(None, &[]), 5), State::Verified);
    assert_eq!(at(&seen(Some(Seen::Unconfirmed), &[]), 5), State::Confirming { depth: 0, needed: NEEDED });
    let staked = seen(Some(Seen::Block(1_000)), &[]);
    let (end, until) = (1_000 + TERM, 1_000 + TERM - WAIT);
    assert_eq!(at(&staked, 1_029), State::Confirming { depth: 29, needed: NEEDED });
    assert_eq!(at(&Sightings { activated: false, ..staked.clone() }, 1_030), State::Unproved);
    assert_eq!(at(&staked, 1_030), State::Active { until });
    assert_eq!(at(&staked, until - 1), State::Active { until });
    assert_eq!(at(&staked, until), State::Expired { withdrawable: end });
    assert_eq!(at(&staked, end - 2), State::Expired { withdrawable: end });
    assert_eq!(at(&staked, end - 1), State::Withdrawable { locked: Locked::Staking });
    let steps =
        [(Step::Unbonding, Seen::Block(2_000)), (Step::Slashing, Seen::Block(2_100)), (Step::Withdrawal, Seen::Block(2_500))];
    let after = |count: usize, tip| at(&seen(Some(Seen::Block(1_000)), &steps[..count]), tip);
    assert_eq!(after(1, 2_000), State::Unbonding { withdrawable: Some(2_000 + WAIT) });
    assert_eq!(after(1, 2_000 + WAIT - 1), State::Withdrawable { locked: Locked::Unbonding });
    assert_eq!(after(2, 2_100 + WAIT - 2), State::Slashed { withdrawable: Some(2_100 + WAIT) });
    assert_eq!(after(2, 2_100 + WAIT - 1), State::Withdrawable { locked: Locked::Refund });
    assert_eq!(after(3, 2_500), State::Withdrawn { slashed: true });
    let extended = seen(Some(Seen::Block(1_000)), &[(Step::Extension, Seen::Unconfirmed)]);
    assert_eq!(at(&extended, 1_100), State::Extended);
    let leaving = seen(Some(Seen::Block(1_000)), &[(Step::Withdrawal, Seen::Unconfirmed)]);
    assert_eq!(at(&leaving, end), State::Withdrawing);
}

#[test]
fn a_reorganisation_takes_back_what_was_seen_above_it() {
    let stake = example(1, 3, 2);
    let mut sightings = seen(Some(Seen::Block(1_000)), &[(Step::Unbonding, Seen::Block(1_100))]);
    sightings.rollback(1_099);
    assert_eq!(sightings.state(&stake, NEEDED, 1_099), State::Unbonding { withdrawable: None });
    sightings.steps.clear();
    sightings.rollback(999);
    assert_eq!(sightings.state(&stake, NEEDED, 999), State::Confirming { depth: 0, needed: NEEDED });
}

#[test]
fn a_step_is_told_by_the_witness_of_its_transaction() {
    let stake = example(1, 3, 2);
    let outpoint = OutPoint { txid: stake.unbonding(OutPoint::null()).compute_txid(), vout: 0 };
    let (pairs, covenant) = (pairs(1, 5), &stake.terms().covenant);
    let spend = stake.unbonding_spend(outpoint);
    let signatures = covenant_signatures(&spend, &pairs[2..]);
    let unbonding = spend.with_covenant(covenant, &signatures, &sign(&spend, &pairs[0])).expect("finished");
    assert_eq!(step_of(&stake, outpoint, &unbonding), Some(Step::Unbonding));
    assert_eq!(step_of(&stake, OutPoint::null(), &unbonding), None);
    let mut elsewhere = unbonding.clone();
    elsewhere.output[0].value -= bitcoin::Amount::ONE_SAT;
    assert_eq!(step_of(&stake, outpoint, &elsewhere), Some(Step::Extension));
    let rate = FeeRate::from_sat_per_vb(2).expect("a rate");
    let destination = stake.trees().refund.script_pubkey();
    let unbonded = OutPoint { txid: unbonding.compute_txid(), vout: 0 };
    for (locked, place) in [(Locked::Staking, outpoint), (Locked::Unbonding, unbonded)] {
        let spend = stake.withdrawal(locked, place, stake.unbonding_output().value, destination.clone(), rate).expect("a spend");
        let finished = spend.with_staker(&sign(&spend, &pairs[0]));
        let step = if locked == Locked::Staking { step_of } else { step_after_unbonding };
        assert_eq!(step(&stake, place, &finished), Some(Step::Withdrawal));
    }
}

fn step() -> impl Strategy<Value = Seen> {
    prop_oneof![Just(Seen::Unconfirmed), (0u32..200_000).prop_map(Seen::Block)]
}

proptest! {
    #[test]
    fn time_never_locks_again_what_it_unlocked(
        staking in prop::option::of(step()), unbonding in prop::option::of(step()), slashing in prop::option::of(step()), tips in (0u32..300_000, 0u32..300_000),
    ) {
        let stake = example(1, 3, 2);
        let steps: Vec<_> = [(Step::Unbonding, unbonding), (Step::Slashing, slashing)].into_iter().filter_map(|(step, seen)| Some((step, seen?))).collect();
        let sightings = seen(staking, &steps);
        let (early, late) = (tips.0.min(tips.1), tips.0.max(tips.1));
        let before = sightings.state(&stake, NEEDED, early);
        if matches!(before, State::Withdrawable { .. }) {
            prop_assert_eq!(sightings.state(&stake, NEEDED, late), before);
        }
    }

    #[test]
    fn the_timeline_says_withdrawable_when_the_state_does(staking in step(), unbonding in prop::option::of(step()), tip in 0u32..300_000) {
        let stake = example(1, 3, 2);
        let steps: Vec<_> = unbonding.into_iter().map(|seen| (Step::Unbonding, seen)).collect();
        let sightings = seen(Some(staking), &steps);
        let line = sightings.timeline(&stake, NEEDED, tip);
        let reached = line.iter().any(|milestone| milestone.event == Event::Withdrawable && milestone.reached);
        prop_assert_eq!(reached, matches!(sightings.state(&stake, NEEDED, tip), State::Withdrawable { .. }));
        prop_assert_eq!(line.last().map(|milestone| milestone.event), Some(Event::Withdrawn));
    }
}
