//! A profile whose sidechain is followed from an epoch: what comes later is seen, and for an older wallet the chain is followed anew.

use crate::world::{Desk, open, refused, serve_chain, story};
use causeway_contract::*;
use causeway_peers::Anchor;
use causeway_sandbox::control::Fund;
use causeway_sandbox::{ChainOptions, Control};
use causeway_sidechain::consensus::header;
use causeway_store::{Binding, Store};
use std::sync::Arc;

const EPOCH: u32 = 60;

/// Confirmed satoshi of the selected wallet on the sidechain.
async fn held(desk: &Desk) -> u64 {
    let balances = desk.app.overview(Empty {}).await.expect("an overview").balances;
    balances.iter().filter(|b| b.network == NetworkId::Sidechain).map(|b| b.confirmed.0).sum()
}

async fn height(desk: &Desk) -> u32 {
    let networks = desk.app.networks(Empty {}).await.expect("networks");
    networks.iter().filter(|n| n.network == NetworkId::Sidechain).find_map(|n| n.height).unwrap_or(0)
}

#[test]
fn a_profile_that_starts_at_an_epoch_sees_what_comes_and_goes_back_for_an_older_wallet() {
    story(async {
        let chain = ChainOptions { functionaries: 3, threshold: 2, epoch_length: EPOCH, ..ChainOptions::default() };
        let realm = serve_chain("anchored", chain).await;
        let control = Control::at(realm.testbed.as_ref().expect("a testbed").control).expect("its control");
        let old = Desk::on(realm.clone()).await;
        let order = old.app.peg_in_address(Empty {}).await.expect("an address");
        control.fund(&Fund { address: order.address.clone(), sat: 1_000_000, mine: 11 }).await.expect("paid");
        old.finish(order.operation).await;
        control.mine(NetworkId::Sidechain, EPOCH).await.expect("blocks");
        old.until(async |desk| height(desk).await > EPOCH).await;
        let had = held(&old).await;
        let words = old.app.wallet_words(WalletUnlock { wallet: 1, password: String::new() }).await.expect("words").words;
        let old_dir = old.shut().await;

        // As pinned data would have it: nothing is known but the first block of an epoch.
        let binding = Binding::of(&realm);
        let store = Store::open(old_dir.path(), &binding).expect("a store");
        let raw = store.read(|reader| reader.header(NetworkId::Sidechain, EPOCH)).expect("reads").expect("a header");
        store.close();
        let root = header::decode(&raw).expect("a header");
        let anchor = Anchor::pinned(&Arc::new(realm.sidechain.clone()), root).expect("an epoch starts there");
        let anchored = async || {
            let dir = tempfile::tempdir().expect("a folder");
            let store = Store::open(dir.path(), &binding).expect("a store");
            store.commit(|write| write.set_meta("sidechain-anchor", &anchor.to_text())).expect("written");
            store.close();
            let app = open(dir.path(), realm.clone()).await.expect("opens");
            let wallet = app.wallet_quick_start(WalletQuickStart { name: "Young".into() }).await.expect("a wallet").id;
            let desk = Desk { app, dir, wallet };
            desk.synced().await;
            assert!(height(&desk).await > EPOCH);
            desk
        };
        let young = anchored().await;
        let wallet = young.wallet;
        let count = PegAuditSet { wish: PegAuditWish::On, whole_chain: false };
        assert_eq!(
            refused(young.app.peg_audit_set(count.clone()).await),
            Code::NotOffered,
            "what was pegged before is not known"
        );

        // It can be, for the price of the whole chain.
        let counting = anchored().await;
        let whole = PegAuditSet { wish: PegAuditWish::On, whole_chain: true };
        counting.app.peg_audit_set(whole).await.expect("the chain is followed anew");
        counting
            .until(async |desk| {
                let audit = desk.app.peg_audit(Empty {}).await.expect("an answer");
                audit.state == PegAuditState::Complete && audit.books.is_some_and(|books| books.pegged_in == Atoms(1_000_000))
            })
            .await;
        counting.close().await;

        let old = Desk { app: open(old_dir.path(), realm.clone()).await.expect("opens"), dir: old_dir, wallet: 1 };
        old.synced().await;
        old.send(NetworkId::Sidechain, young.address(NetworkId::Sidechain).await, 100_000).await;
        young.until(async |desk| held(desk).await == 100_000).await;
        // Until a block holds the change, nothing of it is confirmed.
        old.until(async |desk| (1..had - 100_000).contains(&held(desk).await)).await;
        let left = held(&old).await;

        // The other wallet was paid before the epoch began.
        let create = WalletCreate {
            name: "Old".into(),
            words,
            passphrase: String::new(),
            password: String::new(),
            restore: true,
            birthday: None,
        };
        let restored = young.app.wallet_create(create).await.expect("restored").id;
        young.until(async |desk| held(desk).await == left).await;
        assert_eq!(young.app.rollbacks(Empty {}).await.expect("an answer"), [], "starting over is no rollback");
        young.app.wallet_select(WalletRef { wallet }).await.expect("selects");
        young.until(async |desk| held(desk).await == 100_000).await;

        // And stays so.
        let dir = young.shut().await;
        let young = Desk { app: open(dir.path(), realm).await.expect("opens"), dir, wallet };
        young.app.wallet_select(WalletRef { wallet: restored }).await.expect("selects");
        assert_eq!(held(&young).await, left);
        young.app.peg_audit_set(count).await.expect("the whole chain is there");
        young.close().await;
        old.close().await;
    });
}
