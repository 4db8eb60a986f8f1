//! Where a chain is followed from, when not from its genesis block.
//!
//! A pinned first header of an epoch, and sources that have single headers, lead by [`Skip`] to a later epoch: one header for each epoch, and all
//! of an epoch in which the federation changed. P2P peers then have every header, filter and block above the anchor; what is below is
//! never asked for. See docs/adr/0006.

use crate::source::{self, Agreement, HeaderSource};
use crate::unix_time;
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use causeway_sidechain::consensus::header::{self, HeaderState};
use causeway_sidechain::consensus::pinned::Pinned;
use causeway_sidechain::consensus::skip::{EpochRoot, Skip};
use causeway_vocab::{Code, Fault, Height, NetworkId, Refusal, SidechainParams};
use elements::BlockHeader;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The first block of an epoch that is known to be of the chain by other means than the headers before it. Nothing below it can be followed, searched
/// or undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    header: BlockHeader,
    state: HeaderState,
}

#[derive(Serialize, Deserialize)]
struct Text {
    header: String,
    state: HeaderState,
}

impl Anchor {
    /// The last epoch that a skip has reached.
    pub fn of(skip: &Skip) -> Anchor {
        Anchor { header: skip.last().clone(), state: skip.state() }
    }

    /// A pinned first header of an epoch itself. `None` when it is no such header.
    pub fn pinned(params: &Arc<SidechainParams>, root: BlockHeader) -> Option<Anchor> {
        let root = EpochRoot::pinned(params, root)?;
        let height = root.header().height;
        Some(Anchor::of(&Skip::new(Arc::clone(params), root, height)))
    }

    /// Its height.
    pub fn height(&self) -> Height {
        self.header.height
    }

    /// Its time, Unix seconds.
    pub fn time(&self) -> u32 {
        self.header.time
    }

    /// Its header.
    pub fn into_header(self) -> BlockHeader {
        self.header
    }

    pub(super) fn into_parts(self) -> (BlockHeader, HeaderState) {
        (self.header, self.state)
    }

    /// For the disk.
    pub fn to_text(&self) -> String {
        let header = elements::encode::serialize(&self.header).to_lower_hex_string();
        serde_json::to_string(&Text { header, state: self.state.clone() }).expect("BUG: an anchor is JSON")
    }

    /// What [`Anchor::to_text`] wrote; `None` when it is something else.
    pub fn from_text(text: &str) -> Option<Anchor> {
        let Text { header, state } = serde_json::from_str(text).ok()?;
        let header = header::decode(&Vec::from_hex(&header).ok()?).ok()?;
        (state.tip().hash == header.block_hash()).then_some(Anchor { header, state })
    }
}

/// From where a client follows its chain.
#[derive(Debug, Clone)]
pub enum Start {
    /// The genesis block.
    Genesis,
    /// A block that is known already.
    At(Box<Anchor>),
    /// A pinned first header of an epoch, or a later epoch to which these sources lead. Told as [`Event::Anchor`](crate::Event::Anchor).
    Pinned {
        /// The header.
        root: Box<BlockHeader>,
        /// Addresses, as [`source::open`] takes them. Without any the chain is followed from the root itself.
        sources: Vec<String>,
    },
}

fn fault(refusal: Refusal) -> Fault {
    Fault { network: NetworkId::Sidechain, refusal }
}

/// Skips from `root` as far as the sources lead, but never into the last `margin` blocks, which a rollback may undo. Gives the anchor and what was
/// wrong with sources.
///
/// Where two sources name different signed headers for the epoch that was reached, the anchor stays at the root: one of them is on a branch that
/// people left, and walking tells which.
pub(crate) async fn skip(
    params: &Arc<SidechainParams>,
    pinned: &Pinned,
    root: Anchor,
    sources: &[Box<dyn HeaderSource>],
    margin: Height,
) -> (Anchor, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut highest = 0;
    for source in sources {
        match source.tip().await {
            Ok(tip) => highest = highest.max(tip),
            Err(why) => faults.push(fault(Refusal::new(Code::BadPeer).with("peer", source.name()).with("why", why.word()))),
        }
    }
    let target = highest.saturating_sub(margin);
    let Some(start) = EpochRoot::pinned(params, root.header.clone()) else { return (root, faults) };
    let mut skip = Skip::new(Arc::clone(params), start, target);
    match source::follow(&mut skip, sources, unix_time()).await {
        Ok(more) => faults.extend(more),
        // What was taken until then holds.
        Err(more) => faults.push(more),
    }
    let reached = skip.last();
    if reached.height == root.height() || pinned.forbids(reached.height, &reached.block_hash()).is_some() {
        return (root, faults);
    }
    let (agreement, more) = source::compare(&skip, sources, reached.height).await;
    faults.extend(more);
    if let Agreement::Branches(named) = agreement {
        let names: Vec<String> = named.into_iter().map(|(name, _)| name).collect();
        let refusal = Refusal::new(Code::BadHeader).with("height", reached.height).with("rule", "two-branches");
        faults.push(fault(refusal.with("peer", names.join(", "))));
        return (root, faults);
    }
    (Anchor::of(&skip), faults)
}
