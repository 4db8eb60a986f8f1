//! The audit of the peg on a federation of its own: exactly right while it is honest, and a shortfall when it is not.

use crate::world::{Desk, open, serve_chain, story};
use causeway_contract::*;
use causeway_sandbox::control::{Fund, SwitchAction};
use causeway_sandbox::{ChainOptions, Control};

const DEPOSIT: u64 = 5_000_000;
const BURNED: u64 = 250_000;
const REDEEMED: u64 = 1_000_000;
/// Bitcoin blocks until the emergency quorum can take a coin.
const DELAY: u16 = 400;

async fn wish(desk: &Desk, wish: PegAuditWish) -> PegAudit {
    desk.app.peg_audit_set(PegAuditSet { wish, whole_chain: false }).await.expect("an answer")
}

async fn audit(desk: &Desk) -> PegAudit {
    desk.app.peg_audit(Empty {}).await.expect("an answer")
}

/// Waits for books of which `is` says yes.
async fn books(desk: &Desk, state: PegAuditState, is: impl Fn(&PegBooks) -> bool) -> PegBooks {
    desk.until(async |desk| {
        let now = audit(desk).await;
        now.state == state && now.books.as_ref().is_some_and(&is)
    })
    .await;
    audit(desk).await.books.expect("books")
}

#[test]
fn the_audit_is_exactly_right_and_a_federation_that_takes_the_coins_is_short() {
    story(async {
        // Long enough that the watchmen do not move coins for being old: a sweep has a fee.
        let chain = ChainOptions { functionaries: 3, threshold: 2, emergency_delay: DELAY, ..ChainOptions::default() };
        let realm = serve_chain("audit", chain).await;
        let control = Control::at(realm.testbed.as_ref().expect("a testbed").control).expect("its control");
        let policy = realm.sidechain.policy_asset.to_string();
        let desk = Desk::on(realm.clone()).await;
        let off = audit(&desk).await;
        assert_eq!((off.state, off.books), (PegAuditState::Off, None));

        // Some was moved before anybody asked for the audit, and the rest while it runs.
        let order = desk.app.peg_in_address(Empty {}).await.expect("an address");
        let fund = Fund { address: order.address.clone(), sat: DEPOSIT, mine: 11 };
        control.fund(&fund).await.expect("paid");
        desk.finish(order.operation).await;
        wish(&desk, PegAuditWish::On).await;
        let begun = books(&desk, PegAuditState::Complete, |books| books.pegged_in.0 > 0).await;
        assert_eq!((begun.pegged_in.0, begun.reserve.0, begun.circulating.0), (DEPOSIT, DEPOSIT, DEPOSIT));
        assert_eq!((begun.coverage, begun.created.0, begun.missing.0), (Some(10_000), 0, 0));

        let burn = BurnPlan { asset: policy, amount: Atoms(BURNED), label: String::new(), fee_rate: None };
        let burn = desk.sign(&desk.app.burn_plan(burn).await.expect("a burn")).await;
        desk.finish(burn.operation).await;
        let plan = PegOutPlan { amount: Atoms(REDEEMED), drain: false, destination: None, fee_rate: None };
        let redeem = desk.sign(&desk.app.peg_out_plan(plan).await.expect("a peg-out")).await;
        desk.finish(redeem.operation).await;
        let right = |books: &PegBooks| books.pegged_out.0 > 0 && books.burned.0 > 0 && books.unpaid.0 == 0;
        let after = books(&desk, PegAuditState::Complete, right).await;
        assert_eq!((after.pegged_in.0, after.pegged_out.0, after.burned.0), (DEPOSIT, REDEEMED, BURNED));
        assert_eq!(after.circulating.0, DEPOSIT - REDEEMED - BURNED);
        assert_eq!((after.owed, after.reserve.0, after.at_old_scripts.0), (after.circulating, DEPOSIT - REDEEMED, 0));
        assert_eq!((after.unexplained.0, after.bad_claims, after.unplaced.0), (0, 0, 0));
        assert_eq!((after.fees.0, after.missing.0), (0, 0));
        assert_eq!(u64::from(after.coverage.expect("a ratio")), after.reserve.0 * 10_000 / after.owed.0);
        let last = after.points.last().expect("a curve");
        assert_eq!((last.circulating, last.reserve), (after.circulating, after.reserve));

        // What was read is on disk; rest and restart lose nothing.
        assert_eq!(wish(&desk, PegAuditWish::Paused).await.state, PegAuditState::Paused);
        let dir = desk.shut().await;
        let desk = Desk { app: open(dir.path(), realm).await.expect("opens again"), dir, wallet: 1 };
        let paused = audit(&desk).await;
        assert!(paused.state == PegAuditState::Paused && paused.sidechain.done >= after.sidechain_height, "{paused:?}");
        wish(&desk, PegAuditWish::On).await;
        let again = books(&desk, PegAuditState::Complete, |_| true).await;
        assert_eq!((again.owed, again.reserve, &again.points[..]), (after.owed, after.reserve, &after.points[..]));

        // The emergency quorum takes everything: Bitcoin allows it, and nobody asked for it.
        for gone in 0..3 {
            // They would move the coins before these are old enough.
            control.functionary(gone, SwitchAction::Stop).await.expect("stopped");
        }
        control.mine(NetworkId::Bitcoin, u32::from(DELAY) + 1).await.expect("blocks");
        let thief = bitcoin::Address::p2wsh(&bitcoin::ScriptBuf::new(), bitcoin::Network::Regtest).to_string();
        let txid = control.withdraw(&thief).await.expect("taken");
        control.mine(NetworkId::Bitcoin, 1).await.expect("a block");
        let short = books(&desk, PegAuditState::Shortfall, |_| true).await;
        assert_eq!((short.reserve.0, short.missing, short.coverage), (0, short.owed, Some(0)));
        assert_eq!(short.unexplained_by.len(), 1);
        assert_eq!((short.unexplained_by[0].txid.clone(), short.unexplained_by[0].amount), (txid.to_string(), short.unexplained));
        assert!(short.unexplained.0 > after.reserve.0 - 10_000, "all but the fee: {}", short.unexplained.0);

        let off = wish(&desk, PegAuditWish::Off).await;
        assert_eq!((off.state, off.books, off.sidechain.done), (PegAuditState::Off, None, 0));
        desk.close().await;
    });
}
