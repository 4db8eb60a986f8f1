//! Unspent outputs and what they sum to.

use bdk_wallet::KeychainKind;
use bitcoin::{OutPoint, ScriptBuf};
use causeway_vocab::{Atoms, Height};

/// An unspent output of this wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    /// Where it is.
    pub outpoint: OutPoint,
    /// Satoshi.
    pub amount: Atoms,
    /// Its script.
    pub script: ScriptBuf,
    /// Receiving or change keychain.
    pub keychain: KeychainKind,
    /// Derivation index.
    pub index: u32,
    /// Block that holds it; `None` while unconfirmed.
    pub height: Option<Height>,
    /// Height at which a coinbase output becomes spendable; `None` for ordinary ones.
    pub matures_at: Option<Height>,
    /// Whether it can be spent in the next block: mature, and if unconfirmed, made by this wallet's own transaction.
    pub spendable: bool,
}

/// Sums of coins, satoshi.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// In blocks and mature.
    pub confirmed: Atoms,
    /// Unconfirmed change of own transactions.
    pub own_pending: Atoms,
    /// Unconfirmed, from others: may never confirm.
    pub incoming_pending: Atoms,
    /// Coinbase outputs that are too young.
    pub immature: Atoms,
}
