//! The unspent outputs of the sidechain, in memory.

use causeway_sidechain::consensus::coin::{Coin, CoinChanges, Coins};
use causeway_sidechain::consensus::pegin::PeginWitness;
use causeway_sidechain::consensus::proofs::is_unspendable;
use elements::{Block, OutPoint, Transaction, TxOutWitness};
use std::collections::HashMap;

/// The coin set after the tip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CoinSet {
    coins: HashMap<OutPoint, Coin>,
    claimed: HashMap<bitcoin::OutPoint, u64>,
}

impl CoinSet {
    /// The part of `view` that matters to these transactions: what they spend and claim, and what they would overwrite. Small enough to be
    /// taken along where the view itself would have to stay locked.
    pub(crate) fn gather<'t>(view: &impl Coins, txs: impl IntoIterator<Item = &'t Transaction>) -> CoinSet {
        let mut part = CoinSet::default();
        for tx in txs {
            let txid = tx.txid();
            let made = (0..tx.output.len()).map(|vout| OutPoint::new(txid, vout as u32));
            let spent = tx.input.iter().filter(|input| !input.is_pegin).map(|input| input.previous_output);
            part.coins.extend(made.chain(spent).filter_map(|outpoint| Some((outpoint, view.coin(&outpoint)?))));
            part.claimed.extend(claims(tx).into_iter().filter(|(deposit, _)| view.is_claimed(deposit)));
        }
        part
    }

    /// What a block that is known to be valid does to this set. `median_time_past` is that of its parent.
    pub(crate) fn changes(&self, block: &Block, median_time_past: u32) -> CoinChanges {
        let mut changes = CoinChanges::default();
        for tx in &block.txdata {
            for (outpoint, coin) in inputs(tx, |outpoint| changes.created.get(outpoint).cloned().or_else(|| self.coin(outpoint)))
            {
                if changes.created.remove(&outpoint).is_none() {
                    changes.spent.insert(outpoint, coin);
                }
            }
            changes.claimed.extend(claims(tx));
            changes.created.extend(outputs(tx, block.header.height, median_time_past));
        }
        changes
    }

    /// Goes on to the state after the block whose changes these are.
    pub(crate) fn apply(&mut self, changes: CoinChanges) {
        for outpoint in changes.spent.keys() {
            self.coins.remove(outpoint);
        }
        self.coins.extend(changes.created);
        self.claimed.extend(changes.claimed);
    }
}

impl Coins for CoinSet {
    fn coin(&self, outpoint: &OutPoint) -> Option<Coin> {
        self.coins.get(outpoint).cloned()
    }

    fn is_claimed(&self, deposit: &bitcoin::OutPoint) -> bool {
        self.claimed.contains_key(deposit)
    }
}

/// The coins that a transaction spends, as far as `known` knows them.
pub(super) fn inputs(tx: &Transaction, known: impl Fn(&OutPoint) -> Option<Coin>) -> Vec<(OutPoint, Coin)> {
    if tx.is_coinbase() {
        return Vec::new();
    }
    let spent = tx.input.iter().filter(|input| !input.is_pegin);
    spent.filter_map(|input| Some((input.previous_output, known(&input.previous_output)?))).collect()
}

/// The deposits that a transaction claims, with their values in satoshi.
pub(super) fn claims(tx: &Transaction) -> Vec<(bitcoin::OutPoint, u64)> {
    let pegins = tx.input.iter().filter(|input| input.is_pegin);
    pegins.map(|input| (deposit_of(&input.previous_output), pegin_value(input))).collect()
}

/// The outpoint of a peg-in input is one of the parent chain.
pub(super) fn deposit_of(outpoint: &OutPoint) -> bitcoin::OutPoint {
    use bitcoin::hashes::Hash as _;
    bitcoin::OutPoint::new(bitcoin::Txid::from_byte_array(outpoint.txid.to_byte_array()), outpoint.vout)
}

fn pegin_value(input: &elements::TxIn) -> u64 {
    let witness = input.witness.pegin_witness.data().and_then(|data| PeginWitness::of_library(data).ok());
    witness.map_or(0, |witness| witness.value)
}

/// The coins that a transaction makes.
pub(super) fn outputs(tx: &Transaction, height: u32, median_time_past: u32) -> Vec<(OutPoint, Coin)> {
    let txid = tx.txid();
    let coinbase = tx.is_coinbase();
    let spendable = tx.output.iter().enumerate().filter(|(_, output)| !is_unspendable(&output.script_pubkey));
    let coin = |(vout, output): (usize, &elements::TxOut)| {
        // Proofs are of no use to whoever spends the output.
        let output = elements::TxOut { witness: TxOutWitness::default(), ..output.clone() };
        (OutPoint::new(txid, vout as u32), Coin { output, height, median_time_past, coinbase })
    };
    spendable.map(coin).collect()
}
