use super::*;
use crate::eots::EotsKey;
use crate::exit::{BadPackage, ExitPackage};
use crate::fixtures::{Recorded, bytes, covenant_unbonding, delegations, key, signature, transaction};
use crate::spend::leaf_spent;
use crate::testing::{covenant_signatures, pairs, sign, stake};
use proptest::prelude::*;
use secp256k1::Keypair;
use serde_json::Value;

fn adaptors(list: &Value) -> Adaptors {
    let read = |value: &Value| AdaptorSignature::from_slice(&bytes(value)).expect("an adaptor signature");
    let entry = |entry: &Value| {
        (key(&entry["covenant_pk"]), entry["adaptor_sigs"].as_array().expect("a list").iter().map(read).collect())
    };
    list.as_array().expect("signatures").iter().map(entry).collect()
}

fn recorded(case: &Value) -> Option<(Registration, CovenantSignatures)> {
    let (signed, built) = (&case["signatures"], &case["expected"]);
    let registration = Registration {
        staking: transaction(&built["staking_tx"]["hex"]),
        unbonding: transaction(&built["unbonding_tx"]["hex"]),
        slashing: transaction(&built.get("slashing_tx")?["hex"]),
        unbonding_slashing: transaction(&built["unbonding_slashing_tx"]["hex"]),
        staker_slashing: signature(&signed["staker_slashing"]),
        staker_unbonding_slashing: signature(&signed["staker_unbonding_slashing"]),
    };
    signed.get("covenant_unbonding")?;
    let covenant = CovenantSignatures {
        unbonding: covenant_unbonding(case),
        slashing: adaptors(&signed["covenant_slashing_adaptor"]),
        unbonding_slashing: adaptors(&signed["covenant_unbonding_slashing_adaptor"]),
    };
    Some((registration, covenant))
}

#[test]
fn recorded_delegations_verify_and_open_a_way_out() {
    let mut seen = 0;
    for Recorded { case, stake, .. } in delegations() {
        let Some((registration, covenant)) = recorded(&case) else { continue };
        let verified = Verified::check(stake, registration, covenant).unwrap_or_else(|e| panic!("{}: {e}", case["name"]));
        seen += 1;
        let package = ExitPackage::of(&verified, 6);
        let text = serde_json::to_string(&package).expect("JSON");
        let again: ExitPackage = serde_json::from_str(&text).expect("readable");
        assert_eq!(again.open(), Ok(verified.clone()));
        if let Some(staker) = case["signatures"].get("staker_unbonding") {
            let left = verified.leave(&signature(staker)).expect("left");
            assert_eq!(leaf_spent(&left, verified.outpoint(), &verified.stake().trees().staking), Some(Leaf::Unbonding));
        }
    }
    assert_eq!(seen, 6);
}

/// A delegation of our own with everybody's keys: staker, provider, committee.
pub(crate) struct World {
    pub(crate) pairs: Vec<Keypair>,
    pub(crate) stake: Stake,
    pub(crate) registration: Registration,
    pub(crate) covenant: CovenantSignatures,
}

impl World {
    pub(crate) fn new(seed: u64, members: usize, quorum: u32) -> World {
        let (pairs, stake) = (pairs(seed, 2 + members), stake(seed, members, quorum));
        let staking = crate::stake::spend(OutPoint::null(), Sequence::MAX, vec![stake.staking_output()]);
        let outpoint = stake.find_in(&staking).expect("there");
        let unbonding = stake.unbonding_spend(outpoint);
        let (slashing, later) =
            (stake.slashing_spend(outpoint), stake.unbonding_slashing_spend(unbonding.transaction().compute_txid()));
        let provider = encryption_key(&stake.terms().providers[0]);
        let committee = &pairs[2..];
        let adaptors = |spend: &Spend| -> Adaptors {
            let sign = |pair: &Keypair| AdaptorSignature::sign(pair, &provider, spend.message().as_ref(), &[7; 32]);
            committee.iter().map(|pair| (pair.x_only_public_key().0, vec![sign(pair)])).collect()
        };
        let covenant = CovenantSignatures {
            unbonding: covenant_signatures(&unbonding, committee),
            slashing: adaptors(&slashing),
            unbonding_slashing: adaptors(&later),
        };
        let registration =
            Registration::new(&stake, staking, sign(&slashing, &pairs[0]), sign(&later, &pairs[0])).expect("there");
        World { pairs, stake, registration, covenant }
    }

    fn check(&self) -> Result<Verified, BadDelegation> {
        Verified::check(self.stake.clone(), self.registration.clone(), self.covenant.clone())
    }
}

proptest! {
    #![proptest_config(crate::testing::cases(16))]

    #[test]
    fn a_provider_who_lost_its_key_is_slashed_and_the_staker_can_leave(seed in any::<u64>(), members in 1usize..6, quorum in 1u32..6) {
        let world = World::new(seed, members, quorum.min(u32::try_from(members).expect("small")));
        let verified = world.check().expect("verified");
        let provider = EotsKey::from_bytes(&world.pairs[1].secret_bytes()).expect("a key");
        for (unbonding, tree) in [(false, &verified.stake().trees().staking), (true, &verified.stake().trees().unbonding)] {
            let slashed = verified.slash(&provider, unbonding).expect("finished");
            let witness: Vec<Vec<u8>> = slashed.input[0].witness.to_vec();
            prop_assert_eq!(witness.len(), members + 4);
            prop_assert_eq!(leaf_spent(&slashed, slashed.input[0].previous_output, tree), Some(Leaf::Slashing));
        }
        let stranger = EotsKey::from_bytes(&world.pairs[0].secret_bytes()).expect("a key");
        prop_assert_eq!(verified.slash(&stranger, false), Err(BadSpend::Stranger));
        prop_assert!(verified.leave(&sign(verified.unbonding(), &world.pairs[0])).is_ok());
        prop_assert_eq!(verified.leave(&sign(verified.unbonding(), &world.pairs[1])), Err(BadDelegation::Staker(Part::Unbonding)));
    }

    #[test]
    fn fewer_than_the_quorum_are_refused(seed in any::<u64>(), missing in 2usize..5, part in 0usize..3) {
        let mut world = World::new(seed, 4, 3);
        for _ in 0..missing {
            match part {
                0 => drop(world.covenant.unbonding.pop_last()),
                1 => drop(world.covenant.slashing.pop_first()),
                _ => drop(world.covenant.unbonding_slashing.pop_last()),
            }
        }
        let part = [Part::Unbonding, Part::Slashing, Part::UnbondingSlashing][part];
        prop_assert_eq!(world.check().err(), Some(BadDelegation::Quorum { part, have: 4 - missing, need: 3 }));
    }
}

#[test]
fn each_wrong_part_of_a_delegation_is_refused_by_its_name() {
    let refused = |change: &dyn Fn(&mut World)| {
        let mut world = World::new(1, 3, 2);
        change(&mut world);
        world.check().expect_err("refused")
    };
    let wrong = BadDelegation::Transaction;
    assert_eq!(refused(&|w| w.registration.staking.output.clear()), wrong(Part::Staking));
    assert_eq!(refused(&|w| w.registration.staking.output.push(w.stake.staking_output())), wrong(Part::Staking));
    assert_eq!(refused(&|w| w.registration.unbonding.output[0].value += Amount::ONE_SAT), wrong(Part::Unbonding));
    assert_eq!(refused(&|w| w.registration.unbonding.input[0].sequence = Sequence::ZERO), wrong(Part::Unbonding));
    assert_eq!(refused(&|w| w.registration.slashing.output[0].value -= Amount::ONE_SAT), wrong(Part::Slashing));
    assert_eq!(refused(&|w| w.registration.slashing.output[1].value += Amount::ONE_SAT), wrong(Part::Slashing));
    assert_eq!(refused(&|w| w.registration.slashing.output[1].value = Amount::MAX), wrong(Part::Slashing));
    assert_eq!(refused(&|w| w.registration.slashing.lock_time = LockTime::from_consensus(1)), wrong(Part::Slashing));
    assert_eq!(refused(&|w| w.registration.slashing.version.0 = 3), wrong(Part::Slashing));
    assert_eq!(refused(&|w| w.registration.unbonding_slashing.output.truncate(1)), wrong(Part::UnbondingSlashing));
    assert_eq!(refused(&|w| w.registration.unbonding_slashing = w.registration.slashing.clone()), wrong(Part::UnbondingSlashing));
    // Version 1 is allowed, but then the signatures are of something else.
    assert_eq!(refused(&|w| w.registration.slashing.version.0 = 1), BadDelegation::Staker(Part::Slashing));
    assert_eq!(
        refused(&|w| w.registration.staker_unbonding_slashing = w.registration.staker_slashing),
        BadDelegation::Staker(Part::UnbondingSlashing)
    );
    let member = World::new(1, 3, 2).stake.terms().covenant.sorted()[0];
    let stranger = crate::testing::keys(99, 1)[0];
    let covenant = |part, member| BadDelegation::Covenant { part, member };
    let strange = |part, member| BadDelegation::Stranger { part, member };
    let any = World::new(1, 3, 2).registration.staker_slashing;
    assert_eq!(refused(&|w| w.covenant.unbonding.extend([(member, any)])), covenant(Part::Unbonding, member));
    assert_eq!(refused(&|w| w.covenant.unbonding.extend([(stranger, any)])), strange(Part::Unbonding, stranger));
    assert_eq!(refused(&|w| drop(w.covenant.slashing.insert(member, vec![]))), strange(Part::Slashing, member));
    assert_eq!(
        refused(&|w| w.covenant.slashing = w.covenant.unbonding_slashing.clone()),
        covenant(Part::Slashing, first(&World::new(1, 3, 2)))
    );
    assert_eq!(
        refused(&|w| w.covenant.unbonding_slashing = w.covenant.slashing.clone()),
        covenant(Part::UnbondingSlashing, first(&World::new(1, 3, 2)))
    );
}

fn first(world: &World) -> XOnlyPublicKey {
    *world.covenant.slashing.keys().next().expect("a member")
}

#[test]
fn a_damaged_package_opens_no_way_out() {
    let verified = World::new(2, 3, 2).check().expect("verified");
    let good = serde_json::to_value(ExitPackage::of(&verified, 0)).expect("JSON");
    let opened = |change: fn(&mut Value)| {
        let mut package = good.clone();
        change(&mut package);
        serde_json::from_value::<ExitPackage>(package).expect("readable").open()
    };
    assert!(opened(|_| ()).is_ok());
    assert_eq!(opened(|p| p["format"] = 2.into()), Err(BadPackage::Format(2)));
    assert!(matches!(opened(|p| p["value"] = 1.into()), Err(BadPackage::Stake(_))));
    assert!(matches!(opened(|p| p["terms"]["unbonding_time"] = 302.into()), Err(BadPackage::Delegation(_))));
    assert!(matches!(opened(|p| p["covenant"]["unbonding"] = serde_json::json!({})), Err(BadPackage::Delegation(_))));
}
