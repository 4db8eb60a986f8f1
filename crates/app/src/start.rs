//! From where the sidechain is followed: its genesis block, or a pinned epoch and the later one to which sources lead from there. See
//! docs/adr/0006.

use crate::memory::{Core, stale};
use crate::profile::Profile;
use causeway_contract::Tag;
use causeway_peers::{Anchor, Start};
use causeway_sidechain::consensus::pinned::Pinned;
use causeway_store::{Store, Write};
use causeway_vocab::{NetworkId, Realm, Refusal};
use elements::BlockHeader;
use std::sync::Arc;

/// The fact that keeps on disk from where the chain is followed.
const ANCHOR: &str = "sidechain-anchor";
/// Its value for the genesis block.
const GENESIS: &str = "genesis";

/// Where the client of a profile starts. Pinned data moves only a profile that has nothing yet: no header that it would lose, no wallet that may be
/// older.
pub(crate) fn start(store: &Store, core: &Core, realm: &Realm, pinned: &Pinned) -> Result<Start, Refusal> {
    let (kept, followed) = store.read(|reader| Ok((reader.meta(ANCHOR)?, reader.header(NetworkId::Sidechain, 1)?.is_some())))?;
    if let Some(text) = kept {
        return Ok(Anchor::from_text(&text).map_or(Start::Genesis, |anchor| Start::At(Box::new(anchor))));
    }
    let root = pinned.root.clone().filter(|_| !followed && core.wallets.is_empty());
    let Some((root, anchor)) = root.and_then(|root| {
        let anchor = Anchor::pinned(&Arc::new(realm.sidechain.clone()), root.clone())?;
        Some((root, anchor))
    }) else {
        return Ok(Start::Genesis);
    };
    let sources = realm.sidechain.sources.clone();
    if sources.is_empty() {
        store.commit(|write| write_anchor(write, Some(&anchor)))?;
        return Ok(Start::At(Box::new(anchor)));
    }
    Ok(Start::Pinned { root: Box::new(root), sources })
}

/// The block from which the chain is followed; `None` for the genesis block.
pub(crate) fn root(store: &Store) -> Result<Option<BlockHeader>, Refusal> {
    let text = store.read(|reader| reader.meta(ANCHOR))?;
    Ok(text.and_then(|text| Anchor::from_text(&text)).map(Anchor::into_header))
}

/// Writes down where the chain starts. What was kept of it is of no use any more.
fn write_anchor(write: &mut Write<'_>, anchor: Option<&Anchor>) -> Result<(), Refusal> {
    write.set_meta(ANCHOR, &anchor.map_or_else(|| GENESIS.to_owned(), Anchor::to_text))?;
    write.put_headers(NetworkId::Sidechain, 0, &[])?;
    write.set_scanned_to(NetworkId::Sidechain, anchor.map_or(0, Anchor::height))?;
    stale(write, &[Tag::Networks]);
    Ok(())
}

impl Profile {
    /// The client has found where to start.
    pub(crate) fn anchored(&self, anchor: Option<&Anchor>) -> Result<(), Refusal> {
        self.change(|core, write| {
            // What is undone now is told again: no rollback that anybody need hear of.
            core.sidechain.state = None;
            write_anchor(write, anchor)
        })
    }

    /// Has the sidechain followed from before `since`, Unix seconds, if it is not: from the pinned epoch where that is early enough, or from its genesis
    /// block. Call before a wallet is added that may have been paid then, or before what happened since then is counted. Tells whether the chain
    /// starts over.
    pub(crate) fn reach_back(&self, since: u32) -> Result<bool, Refusal> {
        let base = self.clients.sidechain.base();
        if base.height == 0 || base.time <= since {
            return Ok(false);
        }
        let root = self.pinned.root.clone().filter(|root| root.time <= since && root.height < base.height);
        let anchor = root.and_then(|root| Anchor::pinned(&Arc::new(self.realm.sidechain.clone()), root));
        self.change(|_, write| write_anchor(write, anchor.as_ref()))?;
        self.clients.sidechain.start_over(anchor);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_sidechain::consensus::header::decode;
    use causeway_store::Binding;
    use serde_json::Value;

    fn chain() -> Value {
        let text = include_str!("../../../tests/fixtures/elements/chain.json");
        serde_json::from_str(text).expect("fixture is JSON")
    }

    fn realm(sources: &[&str]) -> Arc<Realm> {
        let mut params = chain()["network"].clone();
        let fields = params.as_object_mut().expect("an object");
        for extra in
            ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
        {
            fields.remove(extra);
        }
        fields.insert("sources".into(), serde_json::json!(sources));
        Arc::new(Realm {
            name: "lab".into(),
            valueless: true,
            bitcoin: causeway_vocab::BitcoinParams { network: bitcoin::Network::Regtest, peers: Vec::new(), required_peers: 1 },
            sidechain: serde_json::from_value(params).expect("the fields of chain.json"),
            testbed: None,
            staking: None,
        })
    }

    fn pinned() -> Pinned {
        let mut pinned = Pinned::default();
        let header = chain()["headers"][80]["header"].clone();
        let bytes: Vec<u8> = bitcoin::hex::FromHex::from_hex(header.as_str().expect("hex")).expect("hex");
        pinned.root = decode(&bytes).ok();
        pinned
    }

    fn at(start: &Start) -> Option<u32> {
        match start {
            Start::Genesis => None,
            Start::At(anchor) => Some(anchor.height()),
            Start::Pinned { .. } => Some(0),
        }
    }

    #[test]
    fn pinned_data_moves_a_profile_that_has_nothing_and_no_other_one() {
        let realm = realm(&[]);
        let first = |pinned: &Pinned, prepare: &dyn Fn(&Store)| {
            let dir = tempfile::tempdir().expect("a folder");
            let store = Store::open(dir.path(), &Binding::of(&realm)).expect("a store");
            prepare(&store);
            let core = Core::load(&store, &realm).expect("a core");
            let once = at(&start(&store, &core, &realm, pinned).expect("a start"));
            // The second time it is what the first time was.
            assert_eq!(at(&start(&store, &core, &realm, pinned).expect("a start")), once);
            once
        };
        assert_eq!(first(&Pinned::default(), &|_| {}), None);
        assert_eq!(first(&pinned(), &|_| {}), Some(80));
        let followed = |store: &Store| {
            store.commit(|write| write.put_headers(NetworkId::Sidechain, 1, &[vec![1]])).expect("written");
        };
        assert_eq!(first(&pinned(), &followed), None);
        let chosen = |store: &Store| {
            store.commit(|write| write_anchor(write, None)).expect("written");
        };
        assert_eq!(first(&pinned(), &chosen), None);
        let damaged = |store: &Store| {
            store.commit(|write| write.set_meta(ANCHOR, "{}")).expect("written");
        };
        assert_eq!(first(&pinned(), &damaged), None, "the whole chain is never wrong");
    }

    #[test]
    fn sources_are_asked_for_a_later_epoch_only_where_there_are_some() {
        let realm = realm(&["tcp://127.0.0.1:1"]);
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path(), &Binding::of(&realm)).expect("a store");
        let core = Core::load(&store, &realm).expect("a core");
        let Start::Pinned { root, sources } = start(&store, &core, &realm, &pinned()).expect("a start") else {
            panic!("a skip");
        };
        assert_eq!((root.height, sources.len()), (80, 1));
    }
}
