//! What must survive a restart.

use crate::wallet::descriptor::KeyPath;
use causeway_vocab::{Height, Opening, Tip};
use elements::{BlockHash, Txid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoredTx {
    /// Consensus encoding without witness, hex.
    pub stripped: String,
    /// Weight units.
    pub weight: u32,
    /// Weight units after the discount for confidential data (ELIP-200).
    pub discount_weight: u32,
    /// Outputs to our scripts, by index.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub owned: BTreeMap<u32, Owned>,
    /// Openings of outputs to others, by index, known when we built the transaction.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub paid: BTreeMap<u32, Opening>,
    /// Hidden amounts that we issued, by input: asset, then tokens.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub issued: BTreeMap<u32, [Option<u64>; 2]>,
    /// Satoshi claimed by peg-ins, by input.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
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
        let _ = later;
        todo!()
    }
}
