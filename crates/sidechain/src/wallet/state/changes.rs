//! What must survive a restart.

use crate::wallet::descriptor::KeyPath;
use causeway_vocab::{Height, Opening, Tip};
use elements::{BlockHash, Transaction, Txid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Changes of a wallet. [`Changes::merge`] is associative and idempotent, and later changes win.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Changes {
    /// Transactions that concern this wallet.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub transactions: BTreeMap<Txid, StoredTx>,
    /// Where they stand.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub positions: BTreeMap<Txid, Position>,
    /// How many addresses have been handed out: external, internal. Never shrinks.
    pub revealed: [u32; 2],
    /// Unused addresses watched past those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap_limit: Option<u32>,
    /// Best block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tip: Option<Tip<BlockHash>>,
    /// Matched up to here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scanned_to: Option<Height>,
}

/// A transaction as this wallet keeps it: without its witness, which is nine tenths of it. Sizes are those of the whole transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredTx {
    /// The transaction without witness; consensus-encoded hex when written.
    #[serde(with = "hex_tx")]
    pub stripped: Transaction,
    /// Weight units.
    pub weight: u32,
    /// Weight units after the discount for confidential data (ELIP-200).
    pub discount_weight: u32,
    /// Outputs to our scripts, by index.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub owned: BTreeMap<u32, Owned>,
    /// Openings of outputs to others, by index, known when we built the transaction.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paid: BTreeMap<u32, Opening>,
    /// Hidden amounts that we issued, by input: asset, then tokens.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub issued: BTreeMap<u32, [Option<u64>; 2]>,
    /// Satoshi claimed by peg-ins, by input.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pegins: BTreeMap<u32, u64>,
}

/// An output to one of our scripts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Owned {
    /// Where the script is derived.
    pub path: KeyPath,
    /// What it holds; `None` when it was blinded to a stranger's key.
    pub opening: Option<Opening>,
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// In a block.
    Mined {
        /// Its height.
        height: Height,
        /// Its hash.
        hash: BlockHash,
        /// Its time, Unix seconds.
        time: u32,
        /// Position of the transaction in it.
        index: u32,
    },
    /// In no block.
    Pending {
        /// When it was first seen, Unix seconds.
        seen: u32,
    },
    /// Can no longer confirm, or was forgotten.
    Gone,
}

impl Changes {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        *self == Changes::default()
    }

    /// Adds later changes.
    pub fn merge(&mut self, later: Changes) {
        for (txid, tx) in later.transactions {
            match self.transactions.entry(txid) {
                Entry::Vacant(place) => drop(place.insert(tx)),
                Entry::Occupied(mut known) => known.get_mut().merge(tx),
            }
        }
        self.positions.extend(later.positions);
        for (ours, theirs) in self.revealed.iter_mut().zip(later.revealed) {
            *ours = theirs.max(*ours);
        }
        self.gap_limit = later.gap_limit.or(self.gap_limit);
        self.tip = later.tip.or(self.tip);
        self.scanned_to = later.scanned_to.or(self.scanned_to);
    }
}

impl StoredTx {
    /// Adds what was learnt later about the same transaction.
    pub(super) fn merge(&mut self, later: StoredTx) {
        self.owned.extend(later.owned);
        self.paid.extend(later.paid);
        self.issued.extend(later.issued);
        self.pegins.extend(later.pegins);
    }
}

mod hex_tx {
    use super::*;
    use bitcoin::hex::{DisplayHex as _, FromHex as _};
    use serde::{Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(tx: &Transaction, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&elements::encode::serialize(tx).as_hex())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Transaction, D::Error> {
        let bytes = Vec::<u8>::from_hex(&String::deserialize(deserializer)?).map_err(D::Error::custom)?;
        elements::encode::deserialize(&bytes).map_err(D::Error::custom)
    }
}
