//! Who signed two blocks of one height: what is needed to prove it to strangers.
//!
//! A share names its block by the hash alone; only the header says of which height it is. Both may come late and in any order, so they are
//! kept for a few heights.

use crate::evidence::DoubleSign;
use crate::message::Signature;
use bitcoin::secp256k1::PublicKey;
use causeway_vocab::Height;
use elements::{BlockHash, BlockHeader};
use std::collections::{BTreeMap, BTreeSet};

/// Heights that are remembered.
pub(super) const KEPT: Height = 4;
/// Most headers kept of one height.
const MAX_HEADERS: usize = 64;
/// Most proofs that are remembered as told.
const MAX_TOLD: usize = 256;

#[derive(Default)]
pub(super) struct Doubles {
    heights: BTreeMap<Height, Shares>,
    told: BTreeSet<(Height, PublicKey)>,
}

#[derive(Default)]
struct Shares {
    /// At most two blocks of each key: more prove nothing more.
    by_key: BTreeMap<PublicKey, BTreeMap<BlockHash, Signature>>,
    headers: BTreeMap<BlockHash, BlockHeader>,
}

impl Doubles {
    /// Forgets heights that are long done; `working_on` is the present one.
    pub(super) fn advance(&mut self, working_on: Height) {
        self.heights.retain(|height, _| height.saturating_add(KEPT) > working_on);
    }

    /// Notes a block signature that was found to hold.
    pub(super) fn share(&mut self, height: Height, key: PublicKey, hash: BlockHash, signature: Signature) {
        let signed = self.heights.entry(height).or_default().by_key.entry(key).or_default();
        if signed.len() < 2 {
            signed.insert(hash, signature);
        }
    }

    /// Notes what a hash stands for.
    pub(super) fn header(&mut self, header: &BlockHeader) {
        let Shares { by_key, headers } = self.heights.entry(header.height).or_default();
        let hash = header.block_hash();
        // Nobody can crowd out what somebody signed.
        if headers.len() < MAX_HEADERS || by_key.values().any(|signed| signed.contains_key(&hash)) {
            headers.entry(hash).or_insert_with(|| header.clone());
        }
    }

    /// Blocks of doubly signed heights whose headers are not known.
    pub(super) fn missing(&self) -> impl Iterator<Item = (Height, BlockHash)> + '_ {
        self.heights.iter().flat_map(|(height, shares)| {
            let doubles = shares.by_key.values().filter(|signed| signed.len() > 1);
            let unknown = doubles.flat_map(BTreeMap::keys).filter(|hash| !shares.headers.contains_key(*hash));
            unknown.map(|hash| (*height, *hash))
        })
    }

    /// Proofs that have become complete, each once.
    pub(super) fn proven(&mut self) -> Vec<DoubleSign> {
        let mut proven = Vec::new();
        for (height, shares) in &self.heights {
            for (key, signed) in shares.by_key.iter().filter(|(_, signed)| signed.len() > 1) {
                let side = |(hash, signature): (&BlockHash, &Signature)| Some((shares.headers.get(hash)?.clone(), *signature));
                let mut sides = signed.iter().map(side);
                if let (Some(Some(first)), Some(Some(second))) = (sides.next(), sides.next())
                    && !self.told.contains(&(*height, *key))
                {
                    proven.push(DoubleSign::new(*key, first, second));
                }
            }
        }
        proven.retain(|proof| self.is_news(proof));
        proven
    }

    /// Whether this is told for the first time. From now on it is not.
    pub(super) fn is_news(&mut self, proof: &DoubleSign) -> bool {
        if self.told.len() >= MAX_TOLD {
            self.told.pop_first();
        }
        self.told.insert((proof.height(), proof.key))
    }
}
