//! Unspent outputs and what they sum to.

use super::{Known, Owned, SidechainWallet};
use crate::wallet::descriptor::KeyPath;
use causeway_vocab::{Height, Opening};
use elements::{AssetId, OutPoint, TxOut};
use std::collections::BTreeMap;

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

/// Blocks on top of a coinbase before its outputs can be spent (consensus.h of Elements).
const COINBASE_MATURITY: Height = 100;

impl SidechainWallet {
    /// Unspent outputs, in order of outpoint. Those that cannot be unblinded are in [`SidechainWallet::cannot_unblind`].
    pub fn coins(&self) -> impl Iterator<Item = Coin> + '_ {
        self.unspent.iter().filter_map(|outpoint| self.coin(outpoint))
    }

    /// One unspent output. `None` when it is spent, not ours, or cannot be unblinded.
    pub fn coin(&self, outpoint: &OutPoint) -> Option<Coin> {
        if !self.unspent.contains(outpoint) {
            return None;
        }
        let known = self.txs.get(&outpoint.txid)?;
        let owned = known.tx.owned.get(&outpoint.vout)?;
        let output = known.tx.stripped.output.get(outpoint.vout as usize)?;
        let height = known.height();
        let matures_at = height.filter(|_| known.tx.stripped.is_coinbase()).map(|height| height + COINBASE_MATURITY);
        let next = self.tip.map_or(0, |tip| tip.height + 1);
        Some(Coin {
            outpoint: *outpoint,
            output: output.clone(),
            opening: owned.opening?,
            path: owned.path,
            height,
            matures_at,
            spendable: matures_at.is_none_or(|first| first <= next) && (height.is_some() || self.is_made_here(known)),
            blinded: !(output.asset.is_explicit() && output.value.is_explicit()),
        })
    }

    /// Unspent outputs to our scripts that were blinded to a stranger's key.
    pub fn cannot_unblind(&self) -> impl Iterator<Item = OutPoint> + '_ {
        let unopened = |outpoint: &&OutPoint| self.owned(outpoint).is_some_and(|owned| owned.opening.is_none());
        self.unspent.iter().filter(unopened).copied()
    }

    /// What it holds, by asset; assets with nothing left are absent.
    pub fn balances(&self) -> BTreeMap<AssetId, Balance> {
        let mut balances = BTreeMap::<AssetId, Balance>::new();
        for outpoint in &self.unspent {
            let Some(Owned { opening: Some(opening), .. }) = self.owned(outpoint) else { continue };
            let known = &self.txs[&outpoint.txid];
            let balance = balances.entry(opening.asset).or_default();
            let add = |sum: &mut u64| *sum = sum.saturating_add(opening.value);
            if known.is_mined() {
                add(&mut balance.confirmed);
            } else {
                add(&mut balance.pending);
                if self.is_made_here(known) {
                    add(&mut balance.own_pending);
                }
            }
            balance.coins += 1;
        }
        balances
    }

    /// Whether a transaction spends nothing but coins and deposits of ours, so that nobody else can take it back.
    fn is_made_here(&self, known: &Known) -> bool {
        known.tx.stripped.input.iter().all(|input| input.is_pegin || self.owned(&input.previous_output).is_some())
    }
}
