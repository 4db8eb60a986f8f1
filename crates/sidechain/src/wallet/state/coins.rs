//! Unspent outputs and what they sum to.

use crate::wallet::descriptor::KeyPath;
use causeway_vocab::{Height, Opening};
use elements::{OutPoint, TxOut};

/// An unspent output of this wallet.
#[derive(Debug, Clone, PartialEq)]
pub struct Coin {
    /// Where it is.
    pub outpoint: OutPoint,
    /// The output as the chain has it, without proofs.
    pub output: TxOut,
    /// Asset, amount and blinding factors.
    pub opening: Opening,
    /// Where its script is derived.
    pub path: KeyPath,
    /// Block that holds it; `None` while unconfirmed.
    pub height: Option<Height>,
    /// Height of the first block that may spend it, when it is a coinbase output.
    pub matures_at: Option<Height>,
    /// Whether it can be spent in the next block: mature, and if unconfirmed, made by our own transaction.
    pub spendable: bool,
    /// Whether asset and amount are hidden from others.
    pub blinded: bool,
}

/// Sums of coins of one asset, atoms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// In blocks.
    pub confirmed: u64,
    /// In no block yet.
    pub pending: u64,
    /// Part of `pending` that is change of our own transactions.
    pub own_pending: u64,
    /// Unspent outputs counted.
    pub coins: u32,
}
