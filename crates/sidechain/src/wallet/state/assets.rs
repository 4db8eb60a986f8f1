//! Assets whose issuance this wallet has seen.

use causeway_vocab::Height;
use elements::{AssetEntropy, AssetId, ContractHash, OutPoint, Txid};

/// An issued asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedAsset {
    /// Its id.
    pub asset: AssetId,
    /// Its reissuance token.
    pub token: AssetId,
    /// What reissuances name.
    pub entropy: AssetEntropy,
    /// Contract that the id commits to; all zero when none was given.
    pub contract_hash: ContractHash,
    /// The outpoint that the id commits to.
    pub prevout: OutPoint,
    /// The transaction that issued it.
    pub txid: Txid,
    /// Whether amounts are issued hidden. Reissuances must do the same.
    pub blinded: bool,
    /// Whether we issued it.
    pub ours: bool,
    /// Whether tokens were made, so that more can be issued by whoever holds one. `None` when their number is hidden from us.
    pub reissuable: Option<bool>,
    /// Whether we hold a token that can be used now.
    pub token_held: bool,
    /// What we saw of its supply, oldest first.
    pub steps: Vec<SupplyStep>,
}

/// A change of supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupplyStep {
    /// The transaction.
    pub txid: Txid,
    /// Its block; `None` while unconfirmed.
    pub height: Option<Height>,
    /// Block time, or when it was first seen; Unix seconds.
    pub time: u32,
    /// What happened.
    pub event: SupplyEvent,
    /// Atoms; `None` when hidden from us.
    pub amount: Option<u64>,
}

/// What happened to a supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SupplyEvent {
    /// First issuance.
    Issue,
    /// More was made.
    Reissue,
    /// Some was destroyed.
    Burn,
}
