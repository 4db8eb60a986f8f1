//! A rollback that reaches below what counted as final.

use crate::world::{Desk, open, refused, story, story_alone, world};
use causeway_contract::*;
use causeway_tests::bench::{lab, node};
use causeway_vocab::Realm;
use elements::{Address, Script, Transaction};

async fn rollbacks(desk: &Desk) -> Vec<RollbackView> {
    desk.app.rollbacks(Empty {}).await.expect("an answer")
}

#[test]
fn a_deep_rollback_tells_which_payments_are_not_where_they_were_until_it_has_been_seen() {
    story_alone(async {
        let control = &world().await.control;
        let desk = Desk::with(300_000, 0).await;
        assert_eq!(rollbacks(&desk).await, []);
        let before = desk.history(NetworkId::Bitcoin).await.remove(0);
        control.mine(NetworkId::Bitcoin, 8).await.expect("blocks");
        desk.until(async |desk| desk.history(NetworkId::Bitcoin).await[0].confirmations >= 9).await;

        control.reorg(9).await.expect("other blocks");
        let fates = async |desk: &Desk| -> Vec<_> {
            rollbacks(desk).await.iter().flat_map(|view| view.changed.iter().map(|row| row.now)).collect()
        };
        desk.until(async |desk| fates(desk).await == [RollbackFate::Waiting]).await;
        let view = rollbacks(&desk).await.remove(0);
        assert_eq!((view.network, view.unchanged), (NetworkId::Bitcoin, 0));
        assert!(view.depth >= 9 && Some(view.fork_height) < before.height, "{view:?}");
        let row = &view.changed[0];
        assert_eq!((&row.before.txid, row.before.height, row.height), (&before.txid, before.height, None));

        control.mine(NetworkId::Bitcoin, 1).await.expect("a block");
        desk.until(async |desk| fates(desk).await == [RollbackFate::Moved]).await;
        let desk = desk.restart().await;
        let row = rollbacks(&desk).await.remove(0).changed.remove(0);
        assert!(row.height > row.before.height, "{row:?}");
        desk.app.rollback_dismiss(NetworkRef { network: NetworkId::Bitcoin }).await.expect("seen");
        assert_eq!(rollbacks(&desk).await, []);
        desk.close().await;
    });
}

/// Where the two histories part, and how long they are.
const FORK: u32 = 45;
const FIRST: u32 = 350;
const SECOND: u32 = 400;

/// A node with a chain that the federation of the fixtures signed, of so many blocks, with these transactions in them.
async fn history(realm: &Realm, length: u32, paid: &[(u32, &Transaction)]) -> std::net::SocketAddr {
    let mut chain = node::Federation::new(realm).expect("a federation");
    for height in 1..=length {
        let here = paid.iter().filter(|(at, _)| *at == height).map(|(_, tx)| (*tx).clone()).collect();
        chain.block(here).expect("a signed block");
    }
    let blocks = std::mem::take(&mut chain.blocks);
    node::serve(chain.served(blocks), realm.sidechain.network_magic).await.expect("a node")
}

#[test]
fn hundreds_of_sidechain_blocks_that_are_signed_again_rewind_the_wallet_and_stop_it() {
    story(async {
        let mut realm = lab::realm(lab::closed_door().expect("a port")).expect("a realm");
        let policy = realm.sidechain.policy_asset;
        let dir = tempfile::tempdir().expect("a folder");
        let app = open(dir.path(), realm.clone()).await.expect("opens");
        let wallet = app.wallet_quick_start(WalletQuickStart { name: "Desk".into() }).await.expect("a wallet").id;
        let ask = ReceiveRequest {
            network: NetworkId::Sidechain,
            amount: None,
            asset: None,
            explicit: true,
            label: String::new(),
            again: false,
        };
        let own: Address = app.receive(ask).await.expect("an address").address.parse().expect("an address");
        app.close().await;

        let pays = |sat, to: &Script, salt| lab::gift(vec![lab::explicit(policy, sat, to.clone())], salt);
        let own = own.script_pubkey();
        let (early, lost, moved) = (pays(5_000, &own, 1), pays(70_000, &own, 2), pays(30_000, &own, 3));
        // Nobody's: it makes the second history another one.
        let other = pays(1, &Script::from(vec![0x51]), 4);
        realm.sidechain.peers = vec![history(&realm, FIRST, &[(20, &early), (50, &lost), (60, &moved)]).await];
        let desk = Desk { app: open(dir.path(), realm.clone()).await.expect("opens"), dir, wallet };
        desk.until(async |desk| desk.balance(NetworkId::Sidechain).await == 105_000).await;
        desk.until(async |desk| scanned(desk).await == Some(FIRST)).await;
        assert_eq!(rollbacks(&desk).await, []);
        let dir = desk.shut().await;

        realm.sidechain.peers = vec![history(&realm, SECOND, &[(20, &early), (FORK + 1, &other), (300, &moved)]).await];
        let desk = Desk { app: open(dir.path(), realm.clone()).await.expect("opens"), dir, wallet };
        desk.until(async |desk| scanned(desk).await == Some(SECOND)).await;
        desk.until(async |desk| desk.balance(NetworkId::Sidechain).await == 35_000).await;
        let told = |desk: &Desk| {
            let app = std::sync::Arc::clone(&desk.app);
            async move {
                let view = app.rollbacks(Empty {}).await.expect("an answer").remove(0);
                let fates: Vec<_> = view.changed.iter().map(|row| (row.before.height, row.now, row.height)).collect();
                assert_eq!((view.network, view.fork_height, view.depth), (NetworkId::Sidechain, FORK, FIRST - FORK));
                fates
            }
        };
        let fates = [(Some(60), RollbackFate::Moved, Some(300)), (Some(50), RollbackFate::Gone, None)];
        assert_eq!(told(&desk).await, fates);
        // What the federation signed first was final: whoever pays by the second history may be paid by neither.
        let view = desk.app.networks(Empty {}).await.expect("networks").remove(1);
        assert_eq!((view.network, view.phase), (NetworkId::Sidechain, Phase::Halted));
        let why = view.fault.expect("a reason");
        assert_eq!((why.code, why.args["rule"].as_str()), (Code::SignedTwice, "two-histories"));
        let evidence = std::fs::read_to_string(desk.dir.path().join(&why.args["evidence"])).expect("a file");
        assert!(desk.app.proof_verify(TextIn { text: evidence }).await.expect("a verdict").ok);
        assert_eq!(refused(desk.app.peg_in_address(Empty {}).await), Code::Halted);

        // All of it is still so after a restart, until it has been seen.
        let dir = desk.shut().await;
        let desk = Desk { app: open(dir.path(), realm).await.expect("opens"), dir, wallet };
        assert_eq!(told(&desk).await, fates);
        desk.app.rollback_dismiss(NetworkRef { network: NetworkId::Sidechain }).await.expect("seen");
        assert_eq!(rollbacks(&desk).await, []);
        assert_eq!(desk.balance(NetworkId::Sidechain).await, 35_000);
        desk.close().await;
    });
}

/// How far the sidechain was searched.
async fn scanned(desk: &Desk) -> Option<u32> {
    let networks = desk.app.networks(Empty {}).await.expect("networks");
    networks.into_iter().find(|network| network.network == NetworkId::Sidechain)?.scanned_to
}
