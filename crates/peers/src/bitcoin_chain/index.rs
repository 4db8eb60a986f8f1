//! The verified Bitcoin header chain, by height and by hash.

use crate::event::{Headers, ResumePoint};
use bitcoin::block::Header;
use bitcoin::{BlockHash, CompactTarget, Network, Target};
use causeway_vocab::{Height, Tip};
use std::collections::HashMap;

/// From this height on no mainnet block is easier than this (a quarter of the difficulty of January 2025). A peer that eclipses us
/// from a checkpoint can then not make up a cheap chain.
const MAINNET_FLOOR: (Height, u32) = (800_000, 0x170a_4170);

/// The best chain of headers, from the block it starts after.
pub(super) struct Index {
    network: Network,
    base: Tip<BlockHash>,
    headers: Vec<Header>,
    heights: HashMap<BlockHash, Height>,
}

impl Index {
    /// Starts after `base` and takes over as much of the resume point as is linked and has its work.
    pub(super) fn resume(network: Network, base: Tip<BlockHash>, resume: &ResumePoint) -> Index {
        let mut index = Index { network, base, headers: vec![], heights: HashMap::from([(base.hash, base.height)]) };
        if resume.first == base.height + 1 {
            for raw in &resume.headers {
                let Ok(header) = bitcoin::consensus::deserialize::<Header>(raw) else { break };
                if header.validate_pow(header.target()).is_err() || !index.push(header) {
                    break;
                }
            }
        }
        index
    }

    pub(super) fn base(&self) -> Tip<BlockHash> {
        self.base
    }

    pub(super) fn tip(&self) -> Tip<BlockHash> {
        let top = self.base.height + u32::try_from(self.headers.len()).expect("BUG: heights are 32 bits");
        self.at(top).expect("BUG: the tip is kept")
    }

    pub(super) fn at(&self, height: Height) -> Option<Tip<BlockHash>> {
        if height == self.base.height {
            return Some(self.base);
        }
        let header = self.header(height)?;
        Some(Tip { height, hash: header.block_hash(), time: header.time })
    }

    pub(super) fn header(&self, height: Height) -> Option<&Header> {
        self.headers.get(height.checked_sub(self.base.height + 1)? as usize)
    }

    pub(super) fn height_of(&self, hash: &BlockHash) -> Option<Height> {
        self.heights.get(hash).copied()
    }

    /// Appends a header whose work has been checked. `false`, and nothing changes, when it does not follow the tip or is too easy.
    pub(super) fn push(&mut self, header: Header) -> bool {
        let tip = self.tip();
        let height = tip.height + 1;
        if header.prev_blockhash != tip.hash || self.is_too_easy(height, &header) {
            return false;
        }
        self.heights.insert(header.block_hash(), height);
        self.headers.push(header);
        true
    }

    fn is_too_easy(&self, height: Height, header: &Header) -> bool {
        let (from, floor) = MAINNET_FLOOR;
        self.network == Network::Bitcoin
            && height >= from
            && header.target() > Target::from_compact(CompactTarget::from_consensus(floor))
    }

    /// Undoes everything above `height`. Gives the new tip; `None`, and nothing changes, below the base.
    pub(super) fn roll_back(&mut self, height: Height) -> Option<Tip<BlockHash>> {
        let keep = height.checked_sub(self.base.height)? as usize;
        for header in self.headers.drain(keep.min(self.headers.len())..) {
            self.heights.remove(&header.block_hash());
        }
        Some(self.tip())
    }

    /// The headers from a height on, as they are kept.
    pub(super) fn raw_from(&self, first: Height) -> Headers {
        let raw = (first..=self.tip().height).filter_map(|height| self.header(height)).map(bitcoin::consensus::serialize);
        Headers { first, raw: raw.collect() }
    }
}
