//! Whether the hidden amounts of what pays us hold: every range proof, every surjection proof, the balance.
//!
//! The check needs the outputs that a transaction spends. Those of our own transactions and of the same batch are at hand, peg-ins carry
//! theirs, and others are looked for in the blocks before. What cannot be found is not passed, and shown so.

use crate::memory::Verdict;
use crate::profile::Profile;
use crate::proof_queue::Judged;
use causeway_sidechain::consensus::pegin::PeginWitness;
use causeway_sidechain::consensus::proofs;
use causeway_vocab::SidechainBatch;
use elements::{Block, BlockHash, OutPoint, Transaction, TxOut, Txid};
use std::collections::{BTreeSet, HashMap};

/// Blocks before a transaction's own that are searched for what it spends, at once and later in the background.
const NEAR: u32 = 50;
pub(crate) const FAR: u32 = 2_000;
/// Transactions of one batch that are checked before it is shown; a long rescan leaves the rest to the queue.
const AT_ONCE: usize = 20;

impl Profile {
    /// Checks the confirmed transactions of a batch that pay us.
    pub(crate) async fn verify_batch(&self, batch: &SidechainBatch, ours: &BTreeSet<Txid>) -> Vec<Judged> {
        let mut known = Known::default();
        batch.blocks.iter().for_each(|(_, block)| known.note(block));
        let mut verdicts = Vec::new();
        for (tip, block) in &batch.blocks {
            for tx in block.txdata.iter().filter(|tx| !tx.is_coinbase()) {
                let txid = tx.txid();
                // The id of a transaction does not commit to its proofs: in another block it may come with others.
                let key = proofs::key(tx);
                if !ours.contains(&txid) || self.core().proof_keys.get(&txid) == Some(&key) {
                    continue;
                }
                self.proof_queue.forget(&txid);
                let reach = if verdicts.len() < AT_ONCE { NEAR } else { 0 };
                let spent = self.spent_by(tx, tip.height, &mut known, reach).await;
                let check = self.check_of(tx, spent);
                // Somebody waits to see it.
                let verdict = tokio::task::spawn_blocking(check).await.unwrap_or(Verdict::Unknown);
                verdicts.push(Judged { txid, verdict, height: tip.height, key });
            }
        }
        verdicts
    }

    /// What a transaction of the block at `height` spends, looked for in at most `reach` blocks before. `None` when some of it is not found.
    pub(crate) async fn spent_by(&self, tx: &Transaction, height: u32, known: &mut Known, reach: u32) -> Option<Vec<TxOut>> {
        for input in &tx.input {
            if let Some(data) = input.pegin_data()
                && let Ok(witness) = PeginWitness::of_library(data)
            {
                known.outputs.insert(input.previous_output, witness.claimed_output());
            }
        }
        let missing = |known: &Known| -> BTreeSet<Txid> {
            let spent = tx.input.iter().map(|input| input.previous_output);
            spent.filter(|outpoint| !known.outputs.contains_key(outpoint)).map(|outpoint| outpoint.txid).collect()
        };
        for txid in missing(known) {
            let block = {
                let core = self.core();
                core.wallets.values().find_map(|wallet| wallet.sidechain.history_entry(&txid)?.block)
            };
            if let Some(hash) = block
                && let Ok((_, block)) = self.clients.sidechain.block(hash).await
            {
                known.note(&block);
            }
        }
        let mut below = height;
        while !missing(known).is_empty() && below > 0 && height - below < reach {
            below -= 1;
            let Some(tip) = self.clients.sidechain.at(below) else { break };
            match self.clients.sidechain.block(tip.hash).await {
                Ok((_, block)) => known.note(&block),
                Err(_) => break,
            }
        }
        tx.input.iter().map(|input| known.outputs.get(&input.previous_output).cloned()).collect()
    }

    /// The check of a transaction that spends this, to be done where it holds up nobody.
    pub(crate) fn check_of(&self, tx: &Transaction, spent: Option<Vec<TxOut>>) -> impl FnOnce() -> Verdict + Send + 'static {
        let (tx, policy) = (spent.is_some().then(|| tx.clone()), self.realm.sidechain.policy_asset);
        move || {
            let (Some(tx), Some(spent)) = (tx, spent) else { return Verdict::Unknown };
            match proofs::verify(&tx, &spent, policy) {
                Ok(_) => Verdict::Passed,
                Err(fault) => {
                    tracing::error!(%fault, "the proofs of a signed transaction do not hold");
                    Verdict::Failed
                }
            }
        }
    }
}

/// Outputs that have been come across, and the blocks of their transactions.
#[derive(Default)]
pub(crate) struct Known {
    outputs: HashMap<OutPoint, TxOut>,
    places: HashMap<Txid, BlockHash>,
}

impl Known {
    /// Notes everything that a block pays.
    pub(crate) fn note(&mut self, block: &Block) {
        let hash = block.block_hash();
        for tx in &block.txdata {
            let txid = tx.txid();
            self.places.insert(txid, hash);
            for (vout, output) in (0..).zip(&tx.output) {
                // Proofs weigh most of an output and are not needed to spend it.
                let bare = TxOut {
                    asset: output.asset,
                    value: output.value,
                    nonce: output.nonce,
                    script_pubkey: output.script_pubkey.clone(),
                    witness: elements::TxOutWitness::default(),
                };
                self.outputs.insert(OutPoint::new(txid, vout), bare);
            }
        }
    }

    /// The block of a transaction.
    pub(crate) fn place(&self, txid: &Txid) -> Option<BlockHash> {
        self.places.get(txid).copied()
    }
}
