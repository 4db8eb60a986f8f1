//! Peg-ins that do not go straight.

use crate::world::{Desk, refused, story, story_alone, world};
use causeway_contract::*;
use causeway_sandbox::control::Fund;

async fn act(desk: &Desk, operation: u32, action: OperationAction) -> Result<OperationView, Failure> {
    desk.app.operation_act(OperationAct { operation, action }).await
}

fn passed(view: &OperationView, name: StepName) -> bool {
    view.steps.iter().any(|step| step.step == name && step.state == StepState::Done)
}

#[test]
fn a_peg_in_paid_from_elsewhere_is_held_restarted_resumed_and_proven() {
    story(async {
        let control = &world().await.control;
        let desk = Desk::new().await;
        let order = desk.app.peg_in_address(Empty {}).await.expect("an address");
        assert_eq!(order.status, OperationStatus::Waiting);
        assert!(!order.address.is_empty() && !order.qr.is_empty());
        let id = order.operation;
        control.fund(&Fund { address: order.address.clone(), sat: 700_000, mine: 1 }).await.expect("paid");
        desk.until(async |desk| passed(&desk.operation(id).await, StepName::Funded)).await;
        assert_eq!(refused(act(&desk, id, OperationAction::Stop).await), Code::PointOfNoReturn);
        act(&desk, id, OperationAction::Hold).await.expect("held");
        control.mine(NetworkId::Bitcoin, 10).await.expect("blocks");
        desk.until(async |desk| passed(&desk.operation(id).await, StepName::Depth)).await;

        let desk = desk.restart().await;
        desk.synced().await;
        let held = desk.operation(id).await;
        assert!(held.can.contains(&OperationAction::Resume) && !passed(&held, StepName::Claimed), "{held:?}");
        act(&desk, id, OperationAction::Resume).await.expect("resumed");
        let done = desk.finish(id).await;
        let arrived = done.arrives.expect("an amount").0;
        assert_eq!(desk.balance(NetworkId::Sidechain).await, arrived);
        assert!((600_000..700_000).contains(&arrived), "the claim's fee is small: {arrived}");

        let txid = done.sidechain_txid.expect("a claim");
        let request = ProofExport { network: NetworkId::Sidechain, txid, outputs: None, link: false };
        let text = desk.app.proof_export(request).await.expect("a proof").text;
        let verdict = desk.app.proof_verify(TextIn { text }).await.expect("a verdict");
        let peg_in = verdict.statements.iter().find(|statement| statement.kind == ProofKind::PegIn).expect("a peg-in");
        assert!(verdict.ok && peg_in.ok, "{verdict:#?}");
        assert_eq!(peg_in.amount.as_ref().map(|amount| amount.amount), Some(Atoms(700_000)));
        desk.close().await;
    });
}

#[test]
fn every_payment_to_a_peg_in_address_is_claimed_once() {
    story(async {
        let control = &world().await.control;
        let desk = Desk::new().await;
        let order = desk.app.peg_in_address(Empty {}).await.expect("an address");
        let pay = async |sat| {
            let fund = Fund { address: order.address.clone(), sat, mine: 1 };
            control.fund(&fund).await.expect("paid");
        };
        let open = async |desk: &Desk| {
            let request = OperationsRequest { open: None, limit: 500 };
            let mut all = desk.app.operations(request).await.expect("operations");
            all.retain(|operation| operation.kind == DraftKind::PegIn);
            all
        };
        pay(700_000).await;
        pay(500_000).await;
        desk.until(async |desk| open(desk).await.len() == 2).await;
        control.mine(NetworkId::Bitcoin, 10).await.expect("blocks");
        for operation in open(&desk).await {
            desk.finish(operation.operation).await;
        }

        // The first operation is over and the app was closed; the address still leads here.
        let desk = desk.restart().await;
        pay(300_000).await;
        desk.until(async |desk| open(desk).await.len() == 3).await;
        control.mine(NetworkId::Bitcoin, 10).await.expect("blocks");
        let third = open(&desk).await[0].operation;
        desk.finish(third).await;
        let arrived: u64 = open(&desk).await.iter().map(|operation| operation.arrives.expect("an amount").0).sum();
        assert_eq!(desk.balance(NetworkId::Sidechain).await, arrived);
        assert!((1_400_000..1_500_000).contains(&arrived), "{arrived}");

        // What is searched again is not claimed again.
        desk.app.network_rescan(NetworkRescan { network: NetworkId::Bitcoin, from_height: 1 }).await.expect("a rescan");
        desk.synced().await;
        pay(200_000).await;
        desk.until(async |desk| open(desk).await.len() >= 4).await;
        assert_eq!(open(&desk).await.len(), 4);
        desk.close().await;
    });
}

#[test]
fn a_peg_that_is_refused_uses_up_no_address() {
    story(async {
        let desk = Desk::with(100_000, 300_000).await;
        let before = desk.state().await;
        for drain in [false, true] {
            let coins = drain.then(|| vec![format!("{}:0", "00".repeat(32))]);
            let plan = PegInPlan { amount: Atoms(500_000_000), drain, fee_rate: None, coins };
            refused(desk.app.peg_in_plan(plan).await);
        }
        let plan = PegOutPlan { amount: Atoms(500_000_000), drain: false, destination: None, fee_rate: None };
        assert_eq!(refused(desk.app.peg_out_plan(plan).await), Code::InsufficientFunds);
        assert_eq!(desk.state().await, before);

        let plan = PegOutPlan { amount: Atoms(150_000), drain: false, destination: None, fee_rate: None };
        let draft = desk.app.peg_out_plan(plan).await.expect("a plan");
        let to = desk.review(&draft).await.expect("a review").leaves[0].address.clone();
        let own = desk.app.addresses(NetworkRef { network: NetworkId::Bitcoin }).await.expect("addresses");
        assert!(own.iter().any(|address| address.address == to), "a new address of ours came into use");
        assert_ne!(desk.address(NetworkId::Bitcoin).await, to, "and is handed out to nobody else");
        desk.close().await;
    });
}

/// What the history of the balance says is between the chains now, satoshi.
async fn on_the_way(desk: &Desk) -> u64 {
    let history = desk.app.balance_history(BalanceHistoryRequest { since: None }).await.expect("a history");
    history.steps.last().map_or(0, |step| step.crossing.0)
}

#[test]
fn an_unpaid_peg_in_is_stopped_and_a_paid_one_is_not() {
    story(async {
        let desk = Desk::with(1_000_000, 0).await;
        let order = desk.app.peg_in_address(Empty {}).await.expect("an address");
        let stopped = act(&desk, order.operation, OperationAction::Stop).await.expect("stopped");
        assert_eq!(stopped.status, OperationStatus::Stopped);
        assert_eq!(refused(act(&desk, order.operation, OperationAction::Stop).await), Code::PointOfNoReturn);
        let plan = PegInPlan { amount: Atoms(500_000), drain: false, fee_rate: None, coins: None };
        let draft = desk.app.peg_in_plan(plan).await.expect("a plan");
        let operation = desk.sign(&draft).await;
        assert!(!operation.can.contains(&OperationAction::Stop));
        assert_eq!(refused(act(&desk, operation.operation, OperationAction::Stop).await), Code::PointOfNoReturn);

        desk.until(async |desk| on_the_way(desk).await == 500_000).await;

        // Killed or closed at any moment, it goes on.
        let desk = desk.restart().await;
        desk.finish(operation.operation).await;
        let arrived = desk.balance(NetworkId::Sidechain).await;
        assert!((400_000..500_000).contains(&arrived), "{arrived}");
        assert_eq!(on_the_way(&desk).await, 0, "all has arrived");
        desk.close().await;
    });
}

#[test]
fn a_peg_in_survives_a_reorganisation_of_its_deposit() {
    story_alone(async {
        let control = &world().await.control;
        let desk = Desk::with(1_000_000, 0).await;
        let plan = PegInPlan { amount: Atoms(500_000), drain: false, fee_rate: None, coins: None };
        let draft = desk.app.peg_in_plan(plan).await.expect("a plan");
        let operation = desk.sign(&draft).await;
        let id = operation.operation;
        desk.until(async |desk| passed(&desk.operation(id).await, StepName::Broadcast)).await;
        let txid = operation.bitcoin_txid.expect("a deposit");
        control.mine(NetworkId::Bitcoin, 3).await.expect("blocks");
        desk.until(async |desk| desk.operation(id).await.done == 3).await;
        let block = async |desk: &Desk| {
            let request = TransactionRef { network: NetworkId::Bitcoin, txid: txid.clone() };
            desk.app.transaction(request).await.expect("the deposit").block
        };
        let first = block(&desk).await.expect("in a block");
        control.reorg(3).await.expect("other blocks");
        desk.until(async |desk| block(desk).await.is_none_or(|now| now != first)).await;
        control.mine(NetworkId::Bitcoin, 12).await.expect("blocks");
        let done = desk.finish(id).await;
        let last = block(&desk).await.expect("in a block again");
        assert_ne!(last, first);
        assert_eq!(desk.balance(NetworkId::Sidechain).await, done.arrives.expect("an amount").0);
        assert_eq!(desk.balance(NetworkId::Bitcoin).await, 500_000 - draft.fee.0);
        desk.close().await;
    });
}
