//! Unspent outputs and what they sum to.

use crate::BitcoinWallet;
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

/// Blocks after which a coinbase output can be spent (Bitcoin consensus).
pub const COINBASE_MATURITY: Height = 100;

impl BitcoinWallet {
    /// Every unspent output, largest first.
    pub fn coins(&self) -> Vec<Coin> {
        let next = self.tip().0 + 1;
        let coin = |unspent: &crate::view::Unspent| {
            let matures_at = unspent.height.filter(|_| unspent.coinbase).map(|height| height + COINBASE_MATURITY);
            Coin {
                outpoint: unspent.outpoint,
                amount: unspent.amount,
                script: unspent.script.clone(),
                keychain: unspent.keychain,
                index: unspent.index,
                height: unspent.height,
                matures_at,
                spendable: matures_at.is_none_or(|height| height <= next) && (unspent.height.is_some() || unspent.own),
            }
        };
        self.view.unspent.iter().map(coin).collect()
    }

    /// Sums of the coins.
    pub fn balance(&self) -> Balance {
        let mut balance = Balance::default();
        for coin in self.coins() {
            let sum = match (coin.height, coin.spendable) {
                (Some(_), true) => &mut balance.confirmed,
                (Some(_), false) => &mut balance.immature,
                (None, true) => &mut balance.own_pending,
                (None, false) => &mut balance.incoming_pending,
            };
            sum.0 = sum.0.saturating_add(coin.amount.0);
        }
        balance
    }
}
