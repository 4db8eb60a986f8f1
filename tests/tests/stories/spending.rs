//! Choosing coins, keeping coins, and hurrying payments along.

use crate::world::{Desk, refused, story, story_alone, world};
use causeway_contract::*;

const BOTH: [NetworkId; 2] = [NetworkId::Bitcoin, NetworkId::Sidechain];

/// A wallet with 300,000 and 500,000 satoshi on each chain, in one coin each.
async fn two_coins() -> Desk {
    let desk = Desk::with(300_000, 300_000).await;
    let more = Desk::with(0, 600_000).await;
    desk.fund(500_000).await;
    more.send(NetworkId::Sidechain, desk.address(NetworkId::Sidechain).await, 500_000).await;
    desk.until(async |desk| desk.balance(NetworkId::Sidechain).await == 800_000).await;
    more.close().await;
    desk
}

#[test]
fn a_frozen_coin_stays_and_a_chosen_one_goes() {
    story(async {
        let desk = two_coins().await;
        for network in BOTH {
            let to = desk.address(network).await;
            let coins = desk.coins(network).await;
            let coin = |sat| coins.iter().find(|coin| coin.amount.0 == sat).expect("a coin").outpoint.clone();
            let (small, large) = (coin(300_000), coin(500_000));
            let freeze = |frozen| CoinFreeze { network, outpoint: large.clone(), frozen };
            desk.app.coin_freeze(freeze(true)).await.expect("frozen");
            assert_eq!(refused(desk.app.send_plan(Desk::payment(network, &to, 400_000)).await), Code::InsufficientFunds);
            let choose = |coins: &[&String]| Some(coins.iter().map(|coin| (*coin).clone()).collect());
            let chosen = SendPlan { coins: choose(&[&large]), ..Desk::payment(network, &to, 400_000) };
            assert_eq!(refused(desk.app.send_plan(chosen).await), Code::CoinUnavailable, "frozen means frozen");
            let drain = SendPlan { drain: Some(0), ..Desk::payment(network, &to, 0) };
            let draft = desk.app.send_plan(drain.clone()).await.expect("drains the rest");
            let review = desk.review(&draft).await.expect("a review");
            assert_eq!((draft.coins, review.spends[0].amount), (1, Atoms(300_000)), "{network:?}");
            desk.discard(&draft).await;

            desk.app.coin_freeze(freeze(false)).await.expect("thawed");
            for (pick, sat) in [(&small, 300_000), (&large, 500_000)] {
                let chosen = SendPlan { coins: choose(&[pick]), ..Desk::payment(network, &to, 100_000) };
                let draft = desk.app.send_plan(chosen).await.expect("a plan");
                let review = desk.review(&draft).await.expect("a review");
                assert_eq!((review.coins, review.spends[0].amount), (1, Atoms(sat)), "{network:?}");
                let held = desk.coins(network).await.into_iter().find(|coin| coin.outpoint == *pick).expect("still there");
                assert!(held.reserved, "a draft holds its coins");
                desk.discard(&draft).await;
            }
        }
        desk.close().await;
    });
}

#[test]
fn a_drain_leaves_nothing_behind_on_either_chain() {
    story(async {
        let (desk, other) = tokio::join!(two_coins(), Desk::new());
        for network in BOTH {
            let to = other.address(network).await;
            let drain = SendPlan { drain: Some(0), ..Desk::payment(network, to, 0) };
            let draft = desk.app.send_plan(drain).await.expect("a plan");
            assert_eq!(draft.coins, 2);
            desk.sign(&draft).await;
            let arrives = 800_000 - draft.fee.0;
            other.until(async |other| other.balance(network).await == arrives).await;
            desk.until(async |desk| desk.spendable(network).await == 0 && desk.coins(network).await.is_empty()).await;
        }
        desk.close().await;
        other.close().await;
    });
}

#[test]
fn amounts_are_sent_in_the_open_only_when_the_user_says_so() {
    story(async {
        let (desk, other) = tokio::join!(Desk::with(0, 300_000), Desk::new());
        let to = other.receive(NetworkId::Sidechain, true).await;
        let plan = Desk::payment(NetworkId::Sidechain, to, 100_000);
        assert_eq!(refused(desk.app.send_plan(plan.clone()).await), Code::ExplicitAddress);
        let draft = desk.app.send_plan(SendPlan { allow_explicit: true, ..plan }).await.expect("allowed");
        let review = desk.review(&draft).await.expect("a review");
        assert!(
            review.leaves.iter().all(|output| !output.blinded) && review.others_see != OthersSee::FeeAndScripts,
            "{review:?}"
        );
        desk.sign(&draft).await;
        other.until(async |other| other.balance(NetworkId::Sidechain).await == 100_000).await;
        assert!(other.coins(NetworkId::Sidechain).await.iter().all(|coin| !coin.blinded));
        desk.close().await;
        other.close().await;
    });
}

#[test]
fn a_stuck_payment_is_replaced_or_carried_by_its_child() {
    story_alone(async {
        let control = &world().await.control;
        let (desk, other) = (Desk::with(1_000_000, 0).await, Desk::new().await);
        for child in [false, true] {
            let before = desk.balance(NetworkId::Bitcoin).await;
            let to = other.address(NetworkId::Bitcoin).await;
            let plan = SendPlan { fee_rate: Some(1_000), ..Desk::payment(NetworkId::Bitcoin, to, 100_000) };
            let draft = desk.app.send_plan(plan).await.expect("a slow payment");
            let slow = desk.sign(&draft).await;
            desk.until(async |desk| {
                let steps = desk.operation(slow.operation).await.steps;
                steps.iter().any(|step| step.step == StepName::Broadcast && step.state == StepState::Done)
            })
            .await;
            let txid = slow.bitcoin_txid.expect("a transaction");
            let bump = |fee_rate| BumpPlan { txid: txid.clone(), fee_rate, child };
            assert_eq!(refused(desk.app.bump_plan(bump(1_000)).await), Code::FeeTooLow);
            let faster = desk.app.bump_plan(bump(20_000)).await.expect("a faster one");
            assert_eq!(faster.replaces_fee, (!child).then_some(draft.fee));
            let bumped = desk.sign(&faster).await;
            desk.until(async |desk| {
                let steps = desk.operation(bumped.operation).await.steps;
                steps.iter().any(|step| step.step == StepName::Broadcast && step.state == StepState::Done)
            })
            .await;
            control.mine(NetworkId::Bitcoin, 1).await.expect("a block");
            let fees = if child { draft.fee.0 + faster.fee.0 } else { faster.fee.0 };
            desk.until(async |desk| desk.balance(NetworkId::Bitcoin).await == before - 100_000 - fees).await;
            let rows = desk.history(NetworkId::Bitcoin).await;
            assert!(rows.iter().all(|row| row.height.is_some()), "nothing is left stuck: {rows:#?}");
            assert_eq!(rows.iter().any(|row| row.txid == txid), child, "a replaced payment is gone, a carried one is not");
            assert_eq!(refused(desk.app.bump_plan(bump(50_000)).await), Code::NotReplaceable);
        }
        other.until(async |other| other.balance(NetworkId::Bitcoin).await == 200_000).await;
        desk.close().await;
        other.close().await;
    });
}
