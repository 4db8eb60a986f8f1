//! Staking bitcoin: through every state with the real bitcoind as the judge of every script, and out again whatever the control plane does.

use crate::world::{Desk, refused, story, story_alone, world};
use causeway_contract::*;
use causeway_sandbox::plane::{Committee, Switches};

const STAKE: u64 = 100_000;

/// What the control plane shows. On a busy machine an answer may come too late; then it is asked for again.
async fn shown(desk: &Desk) -> StakingView {
    loop {
        let view = desk.app.staking(Empty {}).await.expect("an answer");
        match view.trouble.as_ref().map(|refusal| refusal.code) {
            None => return view,
            Some(Code::NoPeers) => {}
            Some(other) => panic!("{other:?}"),
        }
    }
}

/// Asks again as long as an answer of the control plane comes too late.
async fn answered<T>(ask: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
    loop {
        match ask().await {
            Err(refusal) if refusal.code == Code::NoPeers => {}
            outcome => return outcome,
        }
    }
}

/// The key of a finality provider by its name.
async fn provider(desk: &Desk, moniker: &str) -> String {
    let view = shown(desk).await;
    view.providers.into_iter().find(|provider| provider.moniker == moniker).expect("a provider of that name").key
}

async fn plan(desk: &Desk, moniker: &str, blocks: u32) -> Result<DraftView, Failure> {
    let provider = provider(desk, moniker).await;
    let plan = StakePlan { provider, amount: Atoms(STAKE), blocks, fee_rate: None, coins: None };
    answered(async || desk.app.stake_plan(plan.clone()).await).await
}

async fn stake(desk: &Desk, moniker: &str, blocks: u32) -> u32 {
    let draft = plan(desk, moniker, blocks).await.expect("a stake");
    sign(desk, &draft).await
}

/// Reviews and signs a stake.
async fn sign(desk: &Desk, draft: &DraftView) -> u32 {
    let hash = desk.review(draft).await.expect("a review").summary_hash;
    let sign = DraftSign { draft: draft.draft, summary_hash: hash };
    answered(async || desk.app.draft_sign(sign.clone()).await).await.expect("signed").operation
}

async fn view(desk: &Desk, operation: u32) -> StakeView {
    let stakes = desk.app.stakes(Empty {}).await.expect("stakes");
    stakes.into_iter().find(|stake| stake.operation == operation).expect("the stake")
}

/// Waits until a stake is in a state.
async fn reaches(desk: &Desk, operation: u32, state: StakeState) {
    desk.until(async |desk| view(desk, operation).await.state == state).await;
}

/// The same where no clock mines: one block after the other.
async fn mined_until(desk: &Desk, operation: u32, state: StakeState) {
    let control = &world().await.control;
    desk.until(async |desk| {
        let reached = view(desk, operation).await.state == state;
        if !reached {
            control.mine(NetworkId::Bitcoin, 1).await.expect("a block");
        }
        reached
    })
    .await;
}

async fn unbond(desk: &Desk, operation: u32) {
    let draft = desk.app.stake_unbond_plan(OperationRef { operation }).await.expect("a way out");
    assert_eq!(desk.sign(&draft).await.operation, operation);
}

/// Takes the coins back and gives how many arrive.
async fn withdraw(desk: &Desk, operation: u32) -> u64 {
    let draft = desk.app.stake_withdraw_plan(StakeWithdraw { operation, fee_rate: None }).await.expect("unlocked coins");
    let back: u64 = draft.comes_back.iter().map(|amount| amount.amount.0).sum();
    assert_eq!(desk.sign(&draft).await.operation, operation);
    back
}

#[test]
fn a_stake_counts_earns_is_left_early_and_comes_back() {
    story(async {
        let desk = Desk::with(300_000, 0).await;
        let staking = shown(&desk).await;
        let terms = staking.terms.expect("proved parameters");
        assert!(staking.height.is_some() && staking.account.expect("an account").balance.0 > 0);
        let draft = plan(&desk, "Alder", 1_000).await.expect("a stake");
        let review = desk.review(&draft).await.expect("a review");
        assert_eq!(review.leaves.iter().map(|output| output.amount.0).collect::<Vec<_>>(), [STAKE]);
        let operation = sign(&desk, &draft).await;
        assert_eq!(refused(desk.app.stake_withdraw_plan(StakeWithdraw { operation, fee_rate: None }).await), Code::NotReady);
        reaches(&desk, operation, StakeState::Active).await;
        let package = desk.app.stake_exit(OperationRef { operation }).await.expect("a way out").text;
        let package: causeway_staking::ExitPackage = serde_json::from_str(&package).expect("a package");
        assert!(package.open().is_ok(), "whoever holds the package and the key can leave");
        desk.until(async |desk| {
            desk.app.staking(Empty {}).await.expect("an answer").account.is_some_and(|account| account.rewards.0 > 0)
        })
        .await;

        let desk = desk.restart().await;
        // Nothing is forgotten.
        reaches(&desk, operation, StakeState::Active).await;
        let txid = view(&desk, operation).await.txid;
        let bump = BumpPlan { txid, fee_rate: 50_000, child: false };
        assert_eq!(refused(desk.app.bump_plan(bump).await), Code::NotReplaceable);
        let before = desk.balance(NetworkId::Bitcoin).await;
        unbond(&desk, operation).await;
        assert_eq!(refused(desk.app.stake_unbond_plan(OperationRef { operation }).await), Code::NotReady);
        reaches(&desk, operation, StakeState::Withdrawable).await;
        let desk = desk.restart().await;
        let back = withdraw(&desk, operation).await;
        assert!(back < STAKE - terms.unbonding_fee.0);
        reaches(&desk, operation, StakeState::Withdrawn).await;
        desk.until(async |desk| desk.balance(NetworkId::Bitcoin).await == before + back).await;
        desk.finish(operation).await;
        desk.close().await;
    });
}

#[test]
fn a_stake_whose_term_ends_is_taken_back_without_the_committee() {
    story(async {
        let desk = Desk::with(300_000, 0).await;
        let operation = stake(&desk, "Alder", 10).await;
        reaches(&desk, operation, StakeState::Withdrawable).await;
        let before = desk.balance(NetworkId::Bitcoin).await;
        let back = withdraw(&desk, operation).await;
        desk.until(async |desk| desk.balance(NetworkId::Bitcoin).await == before + back).await;
        assert_eq!(view(&desk, operation).await.state, StakeState::Withdrawn);
        desk.close().await;
    });
}

#[test]
fn a_provider_that_votes_twice_is_slashed_with_its_stakes_and_the_rest_comes_back() {
    story(async {
        let desk = Desk::with(500_000, 0).await;
        let terms = shown(&desk).await.terms.expect("parameters");
        let active = stake(&desk, "Cedar", 1_000).await;
        reaches(&desk, active, StakeState::Active).await;
        let leaving = stake(&desk, "Cedar", 1_000).await;
        reaches(&desk, leaving, StakeState::Active).await;
        unbond(&desk, leaving).await;
        desk.until(async |desk| view(desk, leaving).await.unlocks.is_some()).await;
        let before = desk.balance(NetworkId::Bitcoin).await;

        world().await.control.equivocate(2).await.expect("slashed");
        // One is slashed where it stands. The other one may have been unlocked before the slashing was in a block.
        reaches(&desk, active, StakeState::Withdrawable).await;
        let milestones = view(&desk, active).await.milestones;
        assert!(milestones.iter().any(|point| point.event == StakeEvent::Slashed && point.reached), "{milestones:?}");
        let back = withdraw(&desk, active).await;
        let slashed = STAKE * u64::from(terms.slashing_share) / 10_000 + terms.slashing_fee.0;
        assert!(back < STAKE - slashed && back > STAKE - slashed - 2_000, "{back}");
        desk.until(async |desk| desk.balance(NetworkId::Bitcoin).await == before + back).await;
        assert_eq!(refused(plan(&desk, "Cedar", 1_000).await), Code::StakeProvider);
        desk.close().await;
    });
}

#[test]
fn leaving_takes_nobody_when_the_control_plane_is_off() {
    story_alone(async {
        let control = &world().await.control;
        let desk = Desk::with(300_000, 0).await;
        let operation = stake(&desk, "Birch", 1_000).await;
        mined_until(&desk, operation, StakeState::Active).await;
        control.plane(Switches { off: true, forked: false }).await.expect("off");
        let staking = desk.app.staking(Empty {}).await.expect("an answer");
        assert_eq!(staking.trouble.map(|refusal| refusal.code), Some(Code::NoPeers));
        let desk = desk.restart().await;
        unbond(&desk, operation).await;
        mined_until(&desk, operation, StakeState::Withdrawable).await;
        let before = desk.balance(NetworkId::Bitcoin).await;
        let back = withdraw(&desk, operation).await;
        mined_until(&desk, operation, StakeState::Withdrawn).await;
        desk.until(async |desk| desk.balance(NetworkId::Bitcoin).await == before + back).await;
        control.plane(Switches::default()).await.expect("on");
        desk.close().await;
    });
}

#[test]
fn nothing_is_sent_before_the_quorum_is_verified_and_what_changed_meanwhile_is_refused() {
    story_alone(async {
        let control = &world().await.control;
        let desk = Desk::with(300_000, 0).await;
        let wrong = async |amount: u64, blocks: u32| {
            let provider = provider(&desk, "Birch").await;
            let plan = StakePlan { provider, amount: Atoms(amount), blocks, fee_rate: None, coins: None };
            refused(answered(async || desk.app.stake_plan(plan.clone()).await).await)
        };
        assert_eq!(wrong(1_000, 1_000).await, Code::StakeAmount);
        assert_eq!(wrong(STAKE, 9).await, Code::StakeTerm);
        assert_eq!(wrong(STAKE, 70_000).await, Code::StakeTerm);
        control.jail(1, true).await.expect("jailed");
        assert_eq!(wrong(STAKE, 1_000).await, Code::StakeProvider);
        control.jail(1, false).await.expect("out");

        // Parameters that change between planning and signing.
        let draft = plan(&desk, "Birch", 1_000).await.expect("a stake");
        let review = desk.review(&draft).await.expect("a review");
        control.staking_params(1_200).await.expect("new parameters");
        control.mine(NetworkId::Bitcoin, 1).await.expect("a block");
        let sign = DraftSign { draft: draft.draft, summary_hash: review.summary_hash };
        assert_eq!(refused(answered(async || desk.app.draft_sign(sign.clone()).await).await), Code::StakeParams);
        desk.discard(&draft).await;

        // A fork of the control plane.
        control.plane(Switches { off: false, forked: true }).await.expect("forked");
        let fork = async || desk.app.staking(Empty {}).await.map(|view| view.trouble.map_or(Ok(()), Err))?;
        assert_eq!(refused(answered(fork).await), Code::ControlPlaneForked);
        control.plane(Switches::default()).await.expect("healed");

        // Too few sign; then enough of them, but falsely.
        for (how, why) in [
            (Committee { signing: 2, lying: false }, Code::CovenantMissing),
            (Committee { signing: 5, lying: true }, Code::BadDelegation),
        ] {
            control.committee(how).await.expect("told");
            let operation = stake(&desk, "Birch", 1_000).await;
            desk.until(async |desk| view(desk, operation).await.why.is_some_and(|refusal| refusal.code == why)).await;
            let held = desk.coins(NetworkId::Bitcoin).await;
            assert!(held.iter().all(|coin| coin.reserved), "the coins wait: {held:?}");
            assert_eq!(desk.history(NetworkId::Bitcoin).await.len(), 1, "nothing was sent");
            assert_eq!(refused(desk.app.stake_exit(OperationRef { operation }).await), Code::CovenantMissing);
            let act = OperationAct { operation, action: OperationAction::Stop };
            assert_eq!(desk.app.operation_act(act).await.expect("given up").status, OperationStatus::Stopped);
            assert_eq!(view(&desk, operation).await.state, StakeState::Ended);
            let free = desk.coins(NetworkId::Bitcoin).await;
            assert!(free.iter().all(|coin| !coin.reserved), "the coins are free again: {free:?}");
        }
        control.committee(Committee::default()).await.expect("told");
        desk.close().await;
    });
}

#[test]
fn frozen_and_reserved_coins_fund_no_stake() {
    story(async {
        let desk = Desk::with(300_000, 0).await;
        let coin = desk.coins(NetworkId::Bitcoin).await.remove(0).outpoint;
        let freeze = |frozen| CoinFreeze { network: NetworkId::Bitcoin, outpoint: coin.clone(), frozen };
        desk.app.coin_freeze(freeze(true)).await.expect("frozen");
        assert_eq!(refused(plan(&desk, "Birch", 1_000).await), Code::InsufficientFunds);
        desk.app.coin_freeze(freeze(false)).await.expect("free");
        let draft = plan(&desk, "Birch", 1_000).await.expect("a stake");
        assert_eq!(refused(plan(&desk, "Birch", 1_000).await), Code::InsufficientFunds);
        desk.discard(&draft).await;
        desk.close().await;
    });
}
