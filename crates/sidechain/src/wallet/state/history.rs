//! The history, newest first, from an index that is kept and not recomputed.

use crate::wallet::descriptor::KeyPath;
use causeway_vocab::Height;
use elements::{AssetId, BlockHash, OutPoint, Script, Txid};
use std::collections::BTreeMap;

/// A place in the history; a page starts behind one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// Height, the largest number for unconfirmed ones.
    pub height: Height,
    /// Position in the block, or the time when an unconfirmed one was seen.
    pub index: u32,
    /// Which transaction.
    pub txid: Txid,
}

/// What a transaction is for this wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Pays us.
    Receive,
    /// We pay others.
    Send,
    /// We pay ourselves.
    Own,
    /// Makes a new asset.
    Issue,
    /// Makes more of an asset.
    Reissue,
    /// Destroys an amount.
    Burn,
    /// Claims a deposit on Bitcoin.
    PegIn,
    /// Leaves for Bitcoin.
    PegOut,
}

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Its place; a next page starts behind it.
    pub cursor: Cursor,
    /// Transaction id.
    pub txid: Txid,
    /// What it is.
    pub kind: Kind,
    /// Gain (or loss) of this wallet by asset, atoms, fee included. Assets that come out even are absent.
    pub net: BTreeMap<AssetId, i128>,
    /// Fee in the policy asset, whoever paid it.
    pub fee: u64,
    /// Whether we paid the fee: some input is ours.
    pub ours: bool,
    /// Block height, `None` while unconfirmed.
    pub height: Option<Height>,
    /// Its block.
    pub block: Option<BlockHash>,
    /// Block time, or when it was first seen; Unix seconds.
    pub time: u32,
}

/// What an end of a transaction is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ours, on the external chain.
    Ours,
    /// Ours, on the internal chain.
    Change,
    /// Somebody else's.
    Foreign,
    /// The fee.
    Fee,
    /// Destroyed.
    Burn,
    /// Newly issued.
    Issue,
    /// From or to Bitcoin.
    Peg,
}

/// What a transaction moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Its line.
    pub entry: HistoryEntry,
    /// Inputs in order, each issuance behind its input.
    pub inputs: Vec<FlowInput>,
    /// Outputs in order.
    pub outputs: Vec<FlowOutput>,
    /// Weight units.
    pub weight: u32,
    /// Virtual bytes.
    pub vsize: u32,
    /// Virtual bytes after the discount for confidential data.
    pub discount_vsize: u32,
}

/// One input, or what an input issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowInput {
    /// The output it spends; for a peg-in the Bitcoin outpoint.
    pub prevout: OutPoint,
    /// `Ours`, `Change`, `Foreign`, `Issue` or `Peg`.
    pub role: Role,
    /// Where its script is derived, when ours.
    pub path: Option<KeyPath>,
    /// Asset, when known to us.
    pub asset: Option<AssetId>,
    /// Amount, when known to us.
    pub amount: Option<u64>,
    /// Whether asset or amount is hidden from others; `None` when the spent output is unknown.
    pub blinded: Option<bool>,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowOutput {
    /// Its script; empty for the fee.
    pub script: Script,
    /// What it is to us.
    pub role: Role,
    /// Where its script is derived, when ours.
    pub path: Option<KeyPath>,
    /// Asset, when known to us.
    pub asset: Option<AssetId>,
    /// Amount, when known to us.
    pub amount: Option<u64>,
    /// Whether asset or amount is hidden from others.
    pub blinded: bool,
    /// The transaction that spends it, when known.
    pub spent_by: Option<Txid>,
}
