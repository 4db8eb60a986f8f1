//! Transactions that wait for a block.

use super::coins::{self, CoinSet};
use causeway_sidechain::consensus::coin::{Coin, Coins};
use elements::{OutPoint, Transaction, Txid, Wtxid};
use std::collections::{HashMap, HashSet};

/// Most weight units of all waiting transactions.
const MAX_WEIGHT: usize = 40_000_000;
/// Most weight units of one (`MAX_STANDARD_TX_WEIGHT` of Elements).
pub(super) const MAX_TX_WEIGHT: usize = 400_000;

/// A transaction that was valid when it came.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) tx: Transaction,
    pub(crate) txid: Txid,
    pub(crate) weight: usize,
    pub(crate) sigop_cost: u32,
    /// In the policy asset, satoshi.
    pub(crate) fee: u64,
}

/// Waiting transactions in the order in which they came, so that parents come before children.
#[derive(Debug, Default)]
pub(crate) struct Mempool {
    order: Vec<Waiting>,
    by_id: HashMap<Txid, Wtxid>,
    made: HashMap<OutPoint, Coin>,
    spent: HashSet<OutPoint>,
    claimed: HashSet<bitcoin::OutPoint>,
    weight: usize,
}

impl Mempool {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.order.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn contains(&self, txid: &Txid) -> bool {
        self.by_id.contains_key(txid)
    }

    pub(crate) fn has_room(&self, weight: usize) -> bool {
        self.weight + weight <= MAX_WEIGHT
    }

    pub(crate) fn by_txid(&self, txid: &Txid) -> Option<&Waiting> {
        self.order.iter().find(|waiting| waiting.txid == *txid)
    }

    pub(crate) fn by_wtxid(&self, wtxid: &Wtxid) -> Option<&Waiting> {
        let (txid, _) = self.by_id.iter().find(|(_, known)| *known == wtxid)?;
        self.by_txid(txid)
    }

    /// The coins that a further transaction may spend.
    pub(crate) fn view<'a>(&'a self, coins: &'a CoinSet) -> View<'a> {
        View { coins, mempool: self }
    }

    /// Adds a transaction that is valid on top of [`Mempool::view`].
    pub(crate) fn insert(&mut self, waiting: Waiting, next_height: u32, median_time_past: u32) {
        for input in &waiting.tx.input {
            if input.is_pegin {
                self.claimed.insert(coins::deposit_of(&input.previous_output));
            } else {
                self.spent.insert(input.previous_output);
            }
        }
        self.made.extend(coins::outputs(&waiting.tx, next_height, median_time_past));
        self.by_id.insert(waiting.txid, waiting.tx.wtxid());
        self.weight += waiting.weight;
        self.order.push(waiting);
    }

    /// Drops `gone` and everything that the new coin set does not allow any more. Scripts and proofs are not looked at again: nothing
    /// that happens can make them fail.
    pub(crate) fn refresh(&mut self, coins: &CoinSet, next_height: u32, median_time_past: u32, gone: &HashSet<Txid>) {
        let before = std::mem::take(self);
        for waiting in before.order {
            let view = self.view(coins);
            let available = waiting.tx.input.iter().all(|input| match input.is_pegin {
                true => !view.is_claimed(&coins::deposit_of(&input.previous_output)),
                false => view.coin(&input.previous_output).is_some(),
            });
            if available && !gone.contains(&waiting.txid) {
                self.insert(waiting, next_height, median_time_past);
            }
        }
    }
}

/// [`Coins`] as they would be if every waiting transaction were in a block.
pub(crate) struct View<'a> {
    coins: &'a CoinSet,
    mempool: &'a Mempool,
}

impl Coins for View<'_> {
    fn coin(&self, outpoint: &OutPoint) -> Option<Coin> {
        if self.mempool.spent.contains(outpoint) {
            return None;
        }
        self.mempool.made.get(outpoint).cloned().or_else(|| self.coins.coin(outpoint))
    }

    fn is_claimed(&self, deposit: &bitcoin::OutPoint) -> bool {
        self.mempool.claimed.contains(deposit) || self.coins.is_claimed(deposit)
    }
}
