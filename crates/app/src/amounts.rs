//! Whether the hidden amounts of what pays us hold: every range proof, every surjection proof, the balance.
//!
//! The check needs the outputs that a transaction spends. Those of our own transactions and of the same batch are at hand, peg-ins carry
//! theirs, and others are looked for in the blocks before. What cannot be found is not passed, and shown so.

use crate::memory::Verdict;
use crate::profile::Profile;
use causeway_sidechain::consensus::pegin::PeginWitness;
use causeway_sidechain::consensus::proofs;
use causeway_vocab::SidechainBatch;
use elements::{OutPoint, Transaction, TxOut, Txid};
use std::collections::{BTreeSet, HashMap};

/// Blocks before a transaction's own that are searched for what it spends, at once and later in the background.
const NEAR: u32 = 50;
pub(crate) const FAR: u32 = 2_000;
/// Transactions of one batch that are checked before it is shown; a long rescan leaves the rest to the background.
const AT_ONCE: usize = 20;

impl Profile {
    /// Checks the confirmed transactions of a batch that pay us.
    pub(crate) async fn verify_batch(&self, batch: &SidechainBatch, ours: &BTreeSet<Txid>) -> Vec<(Txid, Verdict, u32)> {
        let mut known = HashMap::new();
        for (_, block) in &batch.blocks {
            for tx in &block.txdata {
                note_outputs(&mut known, tx);
            }
        }
        let mut verdicts = Vec::new();
        for (tip, block) in &batch.blocks {
            for tx in block.txdata.iter().filter(|tx| !tx.is_coinbase()) {
                let txid = tx.txid();
                if !ours.contains(&txid) || self.core().proofs.get(&txid) == Some(&Verdict::Passed) {
                    continue;
                }
                let reach = if verdicts.len() < AT_ONCE { NEAR } else { 0 };
                let verdict = self.verify_amounts(tx, tip.height, &mut known, reach).await;
                verdicts.push((txid, verdict, tip.height));
            }
        }
        verdicts
    }

    /// Tries again, with a longer reach, to check what could not be checked at once.
    pub(crate) async fn verify_unknown_proofs(&self) {
        let unknown: Vec<(Txid, elements::BlockHash)> = {
            let core = self.core();
            let unknown = core.proofs.iter().filter(|(_, verdict)| **verdict == Verdict::Unknown).map(|(txid, _)| *txid);
            let block = |txid: &Txid| core.wallets.values().find_map(|wallet| wallet.sidechain.history_entry(txid)?.block);
            unknown.filter_map(|txid| Some((txid, block(&txid)?))).take(AT_ONCE).collect()
        };
        for (txid, hash) in unknown {
            let Ok((height, block)) = self.clients.sidechain.block(hash).await else { return };
            let Some(tx) = block.txdata.iter().find(|tx| tx.txid() == txid) else { continue };
            let mut known = HashMap::new();
            block.txdata.iter().for_each(|tx| note_outputs(&mut known, tx));
            let verdict = self.verify_amounts(tx, height, &mut known, FAR).await;
            // What was not found within reach will not be found by asking again in this run.
            if verdict != Verdict::Unknown {
                let noted = self.change(|core, write| core.note_verdict(write, txid, verdict, height));
                if let Err(refusal) = noted {
                    tracing::warn!(code = ?refusal.code, "a verdict could not be written");
                }
                if verdict == Verdict::Failed {
                    self.evidence_of(txid, height).await;
                }
            } else {
                self.core().proofs.remove(&txid);
            }
        }
    }

    async fn verify_amounts(&self, tx: &Transaction, height: u32, known: &mut HashMap<OutPoint, TxOut>, reach: u32) -> Verdict {
        for input in &tx.input {
            if let Some(data) = input.pegin_data()
                && let Ok(witness) = PeginWitness::of_library(data)
            {
                known.insert(input.previous_output, witness.claimed_output());
            }
        }
        let missing = |known: &HashMap<OutPoint, TxOut>| -> BTreeSet<Txid> {
            let spent = tx.input.iter().map(|input| input.previous_output);
            spent.filter(|outpoint| !known.contains_key(outpoint)).map(|outpoint| outpoint.txid).collect()
        };
        for txid in missing(known) {
            let block = {
                let core = self.core();
                core.wallets.values().find_map(|wallet| wallet.sidechain.history_entry(&txid)?.block)
            };
            if let Some(hash) = block
                && let Ok((_, block)) = self.clients.sidechain.block(hash).await
            {
                block.txdata.iter().for_each(|tx| note_outputs(known, tx));
            }
        }
        let mut below = height;
        while !missing(known).is_empty() && below > 0 && height - below < reach {
            below -= 1;
            let Some(tip) = self.clients.sidechain.at(below) else { break };
            match self.clients.sidechain.block(tip.hash).await {
                Ok((_, block)) => block.txdata.iter().for_each(|tx| note_outputs(known, tx)),
                Err(_) => break,
            }
        }
        let spent: Option<Vec<TxOut>> = tx.input.iter().map(|input| known.get(&input.previous_output).cloned()).collect();
        let Some(spent) = spent else { return Verdict::Unknown };
        let (tx, policy) = (tx.clone(), self.realm.sidechain.policy_asset);
        let checked = tokio::task::spawn_blocking(move || proofs::verify(&tx, &spent, policy)).await;
        match checked {
            Ok(Ok(_)) => Verdict::Passed,
            Ok(Err(fault)) => {
                tracing::error!(%fault, "the proofs of a signed transaction do not hold");
                Verdict::Failed
            }
            Err(_) => Verdict::Unknown,
        }
    }
}

fn note_outputs(known: &mut HashMap<OutPoint, TxOut>, tx: &Transaction) {
    let txid = tx.txid();
    for (vout, output) in (0..).zip(&tx.output) {
        // Proofs weigh most of an output and are not needed to spend it.
        let output = TxOut { witness: elements::TxOutWitness::default(), ..output.clone() };
        known.insert(OutPoint::new(txid, vout), output);
    }
}
