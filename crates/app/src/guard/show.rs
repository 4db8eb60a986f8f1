//! What a transaction does with assets, as people see it.

use super::{Meaning, Past};
use crate::memory::Core;
use bitcoin::{Psbt, Transaction};
use causeway_bitcoin_wallet::Plan;
use causeway_colored::{Ancestry, Asset, Holding, Verdict};
use causeway_contract::{AmountView, Atoms, DraftView, FlowRole, Review, ReviewOutput};
use causeway_vocab::{AssetId, Refusal};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Sums of assets, in the order of their identifiers.
type Sums = BTreeMap<Asset, u64>;

impl Core {
    fn amounts(&self, sums: Sums) -> impl Iterator<Item = AmountView> + '_ {
        let positive = sums.into_iter().filter(|(_, quantity)| *quantity > 0);
        positive.map(|(asset, quantity)| AmountView { asset: self.coloured_label(asset), amount: Atoms(quantity) })
    }

    /// Says in a plan's view what leaves and what comes back: of the bitcoin and of the units.
    pub(crate) fn show_meaning(&self, view: &mut DraftView, plan: &Plan, meaning: &Meaning) -> Result<(), Refusal> {
        let tx = &plan.psbt.unsigned_tx;
        let wallet = self.selected()?;
        let intent = meaning.intent(tx, self.realm.bitcoin.network.into())?;
        let (mut out, mut back) = (0u64, 0u64);
        for output in &tx.output {
            let side = if wallet.bitcoin.is_mine(&output.script_pubkey) { &mut back } else { &mut out };
            *side = side.saturating_add(output.value.to_sat());
        }
        let (mut leaves, mut comes_back) = (Sums::new(), Sums::new());
        for (script, holdings) in &intent.units {
            let side = if wallet.bitcoin.is_mine(script) { &mut comes_back } else { &mut leaves };
            holdings.iter().for_each(|holding| add(side, holding));
        }
        for (asset, quantity) in intent.burned {
            add(&mut leaves, &Holding { asset, quantity });
        }
        let bitcoin = |sat| {
            let amount = AmountView { asset: self.names.label(AssetId::Bitcoin), amount: Atoms(sat) };
            (sat > 0).then_some(amount)
        };
        view.leaves = self.amounts(leaves).chain(bitcoin(out)).collect();
        view.comes_back = self.amounts(comes_back).chain(bitcoin(back)).collect();
        Ok(())
    }

    /// Adds to a review what the colouring engine says of the transaction: units on its outputs, what they come from, what is created and what
    /// is destroyed. Nothing is taken from the plan.
    pub(crate) fn show_colours(&self, review: &mut Review, psbt: &Psbt, ours: &BTreeSet<u32>) {
        let tx: &Transaction = &psbt.unsigned_tx;
        let brought = psbt.inputs.iter().filter_map(|input| input.non_witness_utxo.as_ref());
        let brought = brought.map(|tx| (tx.compute_txid(), Arc::new(tx.clone()))).collect();
        let mut ancestry = Ancestry::new(Past { core: self, brought });
        let (mut before, mut after) = (Sums::new(), Sums::new());
        for input in &tx.input {
            if let Verdict::Coloured(holdings) = ancestry.verdict(input.previous_output) {
                holdings.iter().for_each(|holding| add(&mut before, holding));
            }
        }
        for ((vout, output), verdict) in (0..).zip(&tx.output).zip(ancestry.verdicts_of(tx)) {
            let Verdict::Coloured(holdings) = verdict else { continue };
            let address = bitcoin::Address::from_script(&output.script_pubkey, self.realm.bitcoin.network);
            let address = address.map_or_else(|_| output.script_pubkey.to_hex_string(), |address| address.to_string());
            for holding in &holdings {
                add(&mut after, holding);
                let line = ReviewOutput {
                    address: address.clone(),
                    asset: self.coloured_label(holding.asset),
                    amount: Atoms(holding.quantity),
                    label: String::new(),
                    role: if ours.contains(&vout) { FlowRole::Change } else { FlowRole::Foreign },
                    blinded: false,
                    false_claim: false,
                };
                if ours.contains(&vout) { review.comes_back.push(line) } else { review.leaves.push(line) }
            }
        }
        let assets: BTreeSet<Asset> = before.keys().chain(after.keys()).copied().collect();
        let (mut created, mut destroyed) = (Sums::new(), Sums::new());
        for asset in assets {
            let of = |sums: &Sums| sums.get(&asset).copied().unwrap_or(0);
            created.insert(asset, of(&after).saturating_sub(of(&before)));
            destroyed.insert(asset, of(&before).saturating_sub(of(&after)));
        }
        review.spends.extend(self.amounts(before));
        review.creates.extend(self.amounts(created));
        review.destroys.extend(self.amounts(destroyed));
    }
}

fn add(sums: &mut Sums, holding: &Holding) {
    let sum = sums.entry(holding.asset).or_default();
    *sum = sum.saturating_add(holding.quantity);
}
