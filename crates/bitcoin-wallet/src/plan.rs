//! Intent to plan: which coins, which change, what fee.

use bdk_wallet::ChangeSet;
use bitcoin::{OutPoint, Psbt, ScriptBuf, Txid};
use causeway_vocab::Atoms;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The lowest fee rate that peers relay: 0.1 sat/vB, the default of Bitcoin Core since 29.1.
pub const FLOOR: FeeRate = FeeRate(100);
/// The highest fee rate that a plan accepts: 10,000 sat/vB. Above is a slip of the finger.
pub const CEILING: FeeRate = FeeRate(10_000_000);
/// More than can ever exist, satoshi.
pub const MAX_MONEY: u64 = 21_000_000 * 100_000_000;

/// A fee rate in satoshi per 1000 virtual bytes, so that rates below 1 sat/vB are whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FeeRate(pub u64);

/// One payment of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Where to.
    pub script: ScriptBuf,
    /// How much, satoshi.
    pub amount: Atoms,
}

/// What the user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Payments, in any order.
    pub recipients: Vec<Recipient>,
    /// Sends everything that is left of the chosen coins here and makes no change.
    pub drain_to: Option<ScriptBuf>,
    /// Fee rate of the finished transaction.
    pub rate: FeeRate,
    /// Coin control: exactly these coins are spent. Empty: chosen by the wallet.
    pub coins: Vec<OutPoint>,
    /// Frozen coins and coins held by other drafts: never spent.
    pub exclude: BTreeSet<OutPoint>,
}

/// An unsigned transaction with what it costs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// BIP174 PSBT; every input carries its whole previous transaction.
    pub psbt: Psbt,
    /// Fee, satoshi.
    pub fee: Atoms,
    /// Virtual bytes of the finished transaction, with signatures of the largest size.
    pub vsize: u64,
    /// Change output, absent when there is none.
    pub change: Option<(u32, Atoms)>,
    /// What the plan replaces.
    pub replaces: Option<Replaced>,
    /// Changes to persist with the plan (the change address is now revealed).
    pub changes: Option<ChangeSet>,
}

/// The transaction that a bumped one replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// Its id.
    pub txid: Txid,
    /// Its fee, satoshi.
    pub fee: Atoms,
    /// Its rate.
    pub rate: FeeRate,
}
