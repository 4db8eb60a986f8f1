//! Coins: outputs that a block or transaction may spend.

use causeway_vocab::Height;
use elements::{OutPoint, TxOut};
use std::collections::BTreeMap;

/// An unspent output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    /// The output.
    pub output: TxOut,
    /// Height of the block that made it.
    pub height: Height,
    /// Median time past of that block's parent, Unix seconds; BIP68 counts relative times from here.
    pub median_time_past: u32,
    /// Made by a coinbase, so spendable only after [`super::block::COINBASE_MATURITY`] blocks.
    pub coinbase: bool,
}

/// The state that blocks change: unspent outputs and claimed deposits.
pub trait Coins {
    /// The unspent output there, or `None` when it never was or is spent.
    fn coin(&self, outpoint: &OutPoint) -> Option<Coin>;

    /// Whether the deposit at this Bitcoin outpoint has been claimed by a peg-in of this chain.
    fn is_claimed(&self, deposit: &bitcoin::OutPoint) -> bool;
}

/// What a block or transaction does to [`Coins`]. Coins made and spent inside one block appear in neither list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CoinChanges {
    /// Coins that existed before and are gone now, with what they were, so that a block can be undone.
    pub spent: BTreeMap<OutPoint, Coin>,
    /// New coins.
    pub created: BTreeMap<OutPoint, Coin>,
    /// Deposits claimed by peg-ins, with their value in satoshi.
    pub claimed: BTreeMap<bitcoin::OutPoint, u64>,
}

/// [`Coins`] as they are after `changes` on top of `base`.
pub(crate) struct Overlay<'a, C: ?Sized> {
    pub(crate) base: &'a C,
    pub(crate) changes: &'a CoinChanges,
}

impl<C: Coins + ?Sized> Coins for Overlay<'_, C> {
    fn coin(&self, outpoint: &OutPoint) -> Option<Coin> {
        if let Some(coin) = self.changes.created.get(outpoint) {
            return Some(coin.clone());
        }
        if self.changes.spent.contains_key(outpoint) {
            return None;
        }
        self.base.coin(outpoint)
    }

    fn is_claimed(&self, deposit: &bitcoin::OutPoint) -> bool {
        self.changes.claimed.contains_key(deposit) || self.base.is_claimed(deposit)
    }
}
