//! A chain that asks for an authorisation of every peg-out (PAK).

use crate::world::{Desk, refused, serve_chain, story};
use causeway_contract::*;
use causeway_sandbox::control::Fund;
use causeway_sandbox::{ChainOptions, Control};

fn peg_out(destination: Option<String>) -> PegOutPlan {
    PegOutPlan { amount: Atoms(200_000), drain: false, destination, fee_rate: None }
}

#[test]
fn only_a_listed_wallet_pegs_out_where_an_authorisation_is_asked_for() {
    story(async {
        let chain = ChainOptions { functionaries: 3, threshold: 2, epoch_length: 60, pak: true, ..ChainOptions::default() };
        let realm = serve_chain("authorised", chain).await;
        let control = Control::at(realm.testbed.as_ref().expect("a testbed").control).expect("its control");
        let desk = Desk::on(realm).await;
        let address = desk.address(NetworkId::Bitcoin).await;
        control.fund(&Fund { address, sat: 1_000_000, mine: 1 }).await.expect("test coins");
        desk.until(async |desk| !desk.coins(NetworkId::Bitcoin).await.is_empty()).await;
        let plan = PegInPlan { amount: Atoms(500_000), drain: false, fee_rate: None, coins: None };
        let peg_in = desk.sign(&desk.app.peg_in_plan(plan).await.expect("a peg-in")).await;
        control.mine(NetworkId::Bitcoin, 10).await.expect("blocks");
        desk.finish(peg_in.operation).await;

        // Nobody listed this wallet yet.
        let bridge = async || desk.app.bridge(Empty {}).await.expect("a bridge");
        assert!(bridge().await.pak);
        assert_eq!(bridge().await.peg_out_paused.map(|refusal| refusal.code), Some(Code::PegPaused));
        assert_eq!(refused(desk.app.peg_out_plan(peg_out(None)).await), Code::PegPaused);
        let keys = desk.app.peg_out_keys(Empty {}).await.expect("a pair of keys");
        assert!(keys.needed && !keys.listed);

        control.enlist(&keys.entry).await.expect("the functionaries agree");
        control.mine(NetworkId::Sidechain, 120).await.expect("votes and the next epoch");
        desk.until(async |desk| desk.app.peg_out_keys(Empty {}).await.expect("keys").listed).await;
        assert_eq!(bridge().await.peg_out_paused, None);
        // The proof is for own addresses, and none is made while the vault is shut.
        let stranger = "bcrt1q6rhpng9evdsfnn833a4f4vej0asu6dk5srld6x".to_owned();
        assert_eq!(refused(desk.app.peg_out_plan(peg_out(Some(stranger))).await), Code::PegOutDestination);
        desk.app.lock(Empty {}).await.expect("locked");
        assert_eq!(refused(desk.app.peg_out_plan(peg_out(None)).await), Code::Locked);
        assert_eq!(refused(desk.app.peg_out_keys(Empty {}).await), Code::Locked);
        desk.app.unlock(WalletUnlock { wallet: desk.wallet, password: String::new() }).await.expect("unlocked");

        let own = desk.address(NetworkId::Bitcoin).await;
        for destination in [None, Some(own.clone())] {
            let wanted = destination.clone();
            let draft = desk.app.peg_out_plan(peg_out(destination)).await.expect("a peg-out");
            let done = desk.finish(desk.sign(&draft).await.operation).await;
            assert!(wanted.is_none_or(|wanted| wanted == done.address));
            let arrived = done.arrives.expect("an amount").0;
            assert!((190_000..200_000).contains(&arrived), "what was burned less the fee, not {arrived}");
            let addresses = desk.app.addresses(NetworkRef { network: NetworkId::Bitcoin }).await.expect("addresses");
            assert!(addresses.iter().any(|known| known.address == done.address));
        }
        desk.close().await;
    });
}
