//! Every path through the lab, the crooked ones too, under the judge.

use super::*;
use crate::judge::{Coin, judge};
use crate::swap::Leg;
use bitcoin::{OutPoint, Transaction, Txid};
use causeway_vocab::Height;

const SEED: [u8; 32] = [1; 32];

fn coin(number: u8) -> OutPoint {
    OutPoint { txid: Txid::from_byte_array([number; 32]), vout: 0 }
}

fn at(output: TxOut, height: Height) -> Coin {
    Coin { output, height }
}

fn got(tx: &Transaction, actor: Actor) -> u64 {
    tx.output.iter().filter(|o| o.script_pubkey == home(&SEED, actor)).map(|o| o.value.to_sat()).sum()
}

mod decreasing_locks {
    use super::*;
    use crate::lab::decreasing::{Choice, Decreasing};

    fn paid_twice() -> Decreasing {
        let lab = Decreasing::new(SEED, Atoms(100_000), Atoms(500), 100, 200, 20).expect("room");
        assert_eq!(lab.explain(), Explain::Unfunded);
        let lab = lab.funded(coin(7));
        let (lab, _) = lab.choose(Choice::Pay(Actor::Alice, Atoms(40_000))).expect("payable");
        let (lab, _) = lab.choose(Choice::Pay(Actor::Bob, Atoms(10_000))).expect("payable");
        assert_eq!((lab.balances(2), lab.lock(2), lab.payments_left()), (Some((Atoms(69_500), Atoms(30_000))), 160, 2));
        assert_eq!(lab.explain(), Explain::DecreasingOpen);
        lab
    }

    #[test]
    fn the_newest_state_comes_first() {
        let lab = paid_twice();
        let published = |number| lab.choose(Choice::Publish(number)).expect("signed").1.remove(0);
        let judged = |number, height| judge(&published(number), &[at(lab.funding(), 101)], height);
        assert_eq!(judged(2, 160), Err("not final".into()));
        assert_eq!(judged(2, 161), Ok(()));
        assert_eq!((judged(1, 180), judged(0, 200)), (Err("not final".into()), Err("not final".into())));
        assert_eq!(lab.at_height(160).explain(), Explain::DecreasingNewestOpens);
        let settled = lab.at_height(161).confirmed(published(2).compute_txid());
        assert_eq!(settled.explain(), Explain::DecreasingSettled);
        assert_eq!((got(&published(2), Actor::Alice), got(&published(2), Actor::Bob)), (69_500, 30_000));
        assert!(settled.choose(Choice::Publish(1)).is_err());
    }

    #[test]
    fn who_sleeps_until_an_old_state_opens_can_be_cheated() {
        let lab = paid_twice().at_height(180);
        assert_eq!(lab.explain(), Explain::DecreasingOldOpens);
        let old = lab.choose(Choice::Publish(1)).expect("signed").1.remove(0);
        assert_eq!(judge(&old, &[at(lab.funding(), 101)], 181), Ok(()));
        assert_eq!(lab.confirmed(old.compute_txid()).explain(), Explain::DecreasingCheated);
    }

    #[test]
    fn payments_run_out() {
        let mut lab = paid_twice();
        for _ in 0..2 {
            lab = lab.choose(Choice::Pay(Actor::Alice, Atoms(1_000))).expect("payable").0;
        }
        assert_eq!(lab.explain(), Explain::DecreasingUsedUp);
        assert_eq!(lab.choose(Choice::Pay(Actor::Alice, Atoms(1))).expect_err("used up").code, Code::Expired);
        let lab = paid_twice();
        assert_eq!(lab.choose(Choice::Pay(Actor::Bob, Atoms(30_001))).expect_err("too much").code, Code::InsufficientFunds);
        assert_eq!(lab.choose(Choice::Pay(Actor::Bob, Atoms(0))).expect_err("nothing").code, Code::BadAmount);
        assert!(Decreasing::new(SEED, Atoms(100_000), Atoms(500), 100, 140, 20).is_err());
        assert!(Decreasing::new(SEED, Atoms(100_000), Atoms(99_999), 100, 200, 20).is_err());
    }
}

mod revocable_commitments {
    use super::*;
    use crate::lab::revocable::{Choice, Revocable};

    fn paid_twice() -> Revocable {
        let lab = Revocable::new(SEED, Atoms(100_000), Atoms(500), 100, 10).expect("room").funded(coin(7));
        let (lab, _) = lab.choose(Choice::Pay(Actor::Alice, Atoms(40_000))).expect("payable");
        let (lab, _) = lab.choose(Choice::Pay(Actor::Bob, Atoms(10_000))).expect("payable");
        assert_eq!((lab.balances(2), lab.explain()), (Some((Atoms(69_500), Atoms(30_000))), Explain::RevocableOpen));
        lab
    }

    fn published(lab: &Revocable, actor: Actor, number: u32) -> (Revocable, Transaction) {
        let tx = lab.choose(Choice::Publish(actor, number)).expect("signed").1.remove(0);
        assert_eq!(judge(&tx, &[at(lab.funding(), 101)], 110), Ok(()));
        (lab.at_height(110).confirmed(tx.compute_txid(), 110), tx)
    }

    #[test]
    fn the_newest_state_pays_its_owner_after_the_delay_and_cannot_be_punished() {
        let (lab, tx) = published(&paid_twice(), Actor::Alice, 2);
        assert_eq!((lab.explain(), got(&tx, Actor::Bob)), (Explain::RevocableClosing, 30_000));
        assert!(lab.choose(Choice::Punish).is_err(), "its key was not given up");
        let sweep = lab.choose(Choice::Sweep).expect("her part").1.remove(0);
        let judged = |height| judge(&sweep, &[at(tx.output[0].clone(), 110)], height);
        assert_eq!((judged(119), judged(120)), (Err("not old enough".into()), Ok(())));
        assert_eq!(lab.delay_over(), Some(119));
        assert_eq!(got(&sweep, Actor::Alice), 69_000);
        assert_eq!(lab.confirmed(sweep.compute_txid(), 120).explain(), Explain::RevocableSettled);
    }

    #[test]
    fn a_cheat_loses_everything_to_whoever_is_awake() {
        for (cheat, number, taken) in [(Actor::Alice, 1, 59_000), (Actor::Alice, 0, 99_000), (Actor::Bob, 1, 39_500)] {
            let (lab, tx) = published(&paid_twice(), cheat, number);
            assert_eq!(lab.explain(), Explain::RevocableCheating);
            let penalty = lab.choose(Choice::Punish).expect("the key was given up").1.remove(0);
            assert_eq!(judge(&penalty, &[at(tx.output[0].clone(), 110)], 111), Ok(()));
            let victim = if cheat == Actor::Alice { Actor::Bob } else { Actor::Alice };
            assert_eq!(got(&penalty, victim), taken);
            let lab = lab.confirmed(penalty.compute_txid(), 111);
            assert_eq!(lab.explain(), Explain::RevocablePunished);
            assert!(lab.choose(Choice::Sweep).is_err());
        }
    }

    #[test]
    fn a_cheat_gets_away_with_it_when_the_victim_sleeps() {
        let (lab, tx) = published(&paid_twice(), Actor::Alice, 0);
        let lab = lab.at_height(119);
        assert_eq!(lab.explain(), Explain::RevocableTooLate);
        let sweep = lab.choose(Choice::Sweep).expect("his part").1.remove(0);
        assert_eq!(judge(&sweep, &[at(tx.output[0].clone(), 110)], 120), Ok(()));
        assert_eq!(lab.confirmed(sweep.compute_txid(), 120).explain(), Explain::RevocableGotAway);
    }

    #[test]
    fn the_owner_cannot_take_the_revoked_way_alone() {
        // The revocation key of the newest state is Alice's, but that way wants Bob's signature as well.
        let lab = paid_twice();
        let (ahead, _) = lab.choose(Choice::Pay(Actor::Alice, Atoms(1_000))).expect("payable");
        let (ahead, tx) = published(&ahead, Actor::Alice, 2);
        let mut forged = ahead.choose(Choice::Punish).expect("given up").1.remove(0);
        let mut items = forged.input[0].witness.to_vec();
        items[0] = items[1].clone();
        forged.input[0].witness = items.into();
        assert!(judge(&forged, &[at(tx.output[0].clone(), 110)], 111).is_err());
    }
}

mod hash_time_locks {
    use super::*;
    use crate::lab::htlc::{Choice, Htlc};

    fn locked() -> Htlc {
        let leg = |amount, expiry| Leg { amount: Atoms(amount), expiry };
        let lab = Htlc::new(SEED, leg(101_000, 160), leg(100_000, 140), Atoms(400), 100).expect("in order");
        let lab = lab.funded([coin(7), coin(8)]);
        assert_eq!(lab.explain(), Explain::HtlcLocked);
        lab
    }

    fn chosen(lab: &Htlc, choice: Choice, height: Height) -> (Htlc, Transaction, Result<(), String>) {
        let (lab, mut txs) = lab.choose(choice).expect("possible");
        let tx = txs.remove(0);
        let which = usize::from(tx.input[0].previous_output == coin(8));
        let judged = judge(&tx, &[at(lab.funding()[which].clone(), 101)], height);
        let lab = if judged.is_ok() { lab.at_height(height).confirmed(&tx) } else { lab };
        (lab, tx, judged)
    }

    #[test]
    fn bob_is_paid_by_carol_and_carol_by_alice() {
        let (lab, _, judged) = chosen(&locked(), Choice::Forge, 110);
        assert_eq!((judged.is_err(), lab.explain()), (true, Explain::HtlcForged));
        assert!(lab.choose(Choice::PassOn).is_err(), "nobody has shown the preimage");
        let (lab, claim, judged) = chosen(&lab, Choice::Claim, 111);
        assert_eq!((judged, lab.explain(), got(&claim, Actor::Bob)), (Ok(()), Explain::HtlcShown, 99_600));
        let (lab, passed, judged) = chosen(&lab, Choice::PassOn, 112);
        assert_eq!((judged, lab.explain(), got(&passed, Actor::Carol)), (Ok(()), Explain::HtlcPaid, 100_600));
    }

    #[test]
    fn everybody_gets_their_own_back_when_bob_is_silent() {
        let (lab, _, judged) = chosen(&locked(), Choice::RefundOut, 140);
        assert_eq!(judged, Err("not final".into()));
        assert_eq!(lab.at_height(140).explain(), Explain::HtlcOutExpired);
        let (lab, back, judged) = chosen(&lab, Choice::RefundOut, 141);
        assert_eq!((judged, got(&back, Actor::Carol)), (Ok(()), 99_600));
        let (lab, _, judged) = chosen(&lab, Choice::RefundIn, 160);
        assert_eq!(judged, Err("not final".into()));
        let (lab, back, judged) = chosen(&lab, Choice::RefundIn, 161);
        assert_eq!((judged, lab.explain(), got(&back, Actor::Alice)), (Ok(()), Explain::HtlcReturned, 100_600));
    }

    #[test]
    fn carol_who_sleeps_between_the_expiries_pays_twice() {
        let (lab, ..) = chosen(&locked(), Choice::Claim, 139);
        assert_eq!(lab.at_height(160).explain(), Explain::HtlcInExpired);
        let (lab, _, judged) = chosen(&lab, Choice::RefundIn, 161);
        assert_eq!((judged, lab.explain()), (Ok(()), Explain::HtlcCarolLost));
        assert!(lab.choose(Choice::PassOn).is_err());
    }

    #[test]
    fn locks_in_the_wrong_order_are_refused() {
        let leg = |amount, expiry| Leg { amount: Atoms(amount), expiry };
        for (incoming, outgoing, fee) in [
            (leg(101_000, 140), leg(100_000, 140), 400),
            (leg(101_000, 160), leg(100_000, 100), 400),
            (leg(99_999, 160), leg(100_000, 140), 400),
            (leg(101_000, 160), leg(1_399, 140), 400),
            (leg(101_000, 160), leg(100_000, 140), 154),
            (leg(101_000, 500_000_000), leg(100_000, 140), 400),
        ] {
            assert_eq!(Htlc::new(SEED, incoming, outgoing, Atoms(fee), 100).expect_err("refused").code, Code::BadRequest);
        }
    }
}

#[test]
fn every_explanation_is_met_in_some_test_and_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> =
        Explain::ALL.iter().map(|explain| serde_json::to_string(explain).expect("a name")).collect();
    assert_eq!(names.len(), Explain::ALL.len());
    let text = include_str!("tests.rs");
    for explain in Explain::ALL {
        assert!(text.contains(&format!("Explain::{explain:?}")), "{explain:?}");
    }
}
