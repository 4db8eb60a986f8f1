//! What a confirm window shows.

use causeway_vocab::{AssetId, Atoms, NetworkId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its index.
    pub vout: u32,
    /// Address in the form of the realm, absent for scripts without one.
    pub address: Option<String>,
    /// Script, hex.
    pub script: String,
    /// Asset, absent when nobody opened the output.
    pub asset: Option<AssetId>,
    /// Amount, absent when nobody opened the output.
    pub amount: Option<Atoms>,
    /// Whether asset and amount are hidden from everybody but the two sides.
    pub blinded: bool,
    /// The output claimed to be ours and is not: shown with a warning.
    pub claimed_ours: bool,
}

/// An amount destroyed for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burn {
    /// Output index.
    pub vout: u32,
    /// What is destroyed.
    pub asset: AssetId,
    /// How much.
    pub amount: Atoms,
}

/// An issuance or reissuance in one input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Input index.
    pub vin: u32,
    /// The asset.
    pub asset: AssetId,
    /// Units made.
    pub amount: Atoms,
    /// The reissuance token's asset id.
    pub token: AssetId,
    /// Tokens made; none means that the supply is fixed, or that this is a reissuance.
    pub tokens: Atoms,
    /// Whether this makes more of an asset that exists.
    pub reissuance: bool,
    /// Hash of the contract, hex as RPCs show it; for a reissuance the entropy.
    pub contract: String,
    /// Whether the amounts are hidden from others.
    pub blinded: bool,
}

/// A peg-in claimed by one input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PegIn {
    /// Input index.
    pub vin: u32,
    /// The Bitcoin output that is claimed, `txid:vout`.
    pub deposit: String,
    /// Its amount.
    pub amount: Atoms,
}

/// A peg-out in one output: leaves the sidechain towards Bitcoin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PegOut {
    /// Output index.
    pub vout: u32,
    /// The Bitcoin address that the federation is asked to pay, absent for scripts without one.
    pub address: Option<String>,
    /// The Bitcoin script, hex.
    pub script: String,
    /// The amount before the federation's costs.
    pub amount: Atoms,
}

/// One asset's flow through the transaction. `spent + spent_by_others + issued == leaves + comes_back + burned + pegged_out + fee`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sums {
    /// Of this wallet's inputs, peg-ins included.
    pub spent: Atoms,
    /// Of inputs that are not this wallet's.
    pub spent_by_others: Atoms,
    /// Made by issuances.
    pub issued: Atoms,
    /// To others.
    pub leaves: Atoms,
    /// To this wallet.
    pub comes_back: Atoms,
    /// Destroyed.
    pub burned: Atoms,
    /// To Bitcoin.
    pub pegged_out: Atoms,
    /// Fee.
    pub fee: Atoms,
}

/// The fee against what it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeShare {
    /// Thousandths of what leaves this wallet in the fee's asset; `None` when nothing of it leaves.
    pub permille: Option<u64>,
    /// Rate in atoms per 1000 virtual bytes (discounted on the sidechain), from the finished size.
    pub per_kvb: u64,
    /// Virtual bytes of the finished transaction.
    pub vsize: u64,
}

/// What a transaction does, for this wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Which chain.
    pub network: NetworkId,
    /// Transaction id: signing does not change it.
    pub txid: String,
    /// Outputs to others, burns and peg-outs excepted.
    pub leaves: Vec<Line>,
    /// Outputs whose scripts this wallet derives.
    pub comes_back: Vec<Line>,
    /// The fee, in the policy asset or BTC.
    pub fee: Atoms,
    /// The asset of the fee.
    pub fee_asset: AssetId,
    /// The fee against what it moves.
    pub fee_share: FeeShare,
    /// Destroyed amounts.
    pub burns: Vec<Burn>,
    /// Issuances.
    pub issues: Vec<Issue>,
    /// Peg-ins.
    pub peg_ins: Vec<PegIn>,
    /// Peg-outs.
    pub peg_outs: Vec<PegOut>,
    /// Flow by asset.
    pub sums: BTreeMap<AssetId, Sums>,
    /// Outputs whose asset and amount anybody can read, by index.
    pub others_can_see: Vec<u32>,
    /// Outputs that nobody opened for us: asset and amount unknown. Empty unless the policy lets them through.
    pub unverified: Vec<u32>,
    /// Whether every input is this wallet's.
    pub all_inputs_ours: bool,
}
