//! The coin guard: no Bitcoin coin that holds or may hold assets is spent as bitcoin.
//!
//! A coin's colours follow from its ancestors. Most transactions speak no asset protocol, and their coins are plain without a look at any
//! ancestor; for the others [`trace`] fetches what is missing from verified blocks. What is not known is never taken for plain.

mod meaning;
mod show;
mod trace;

#[cfg(test)]
mod tests;

pub(crate) use meaning::{Meaning, Units, asset_text, read_asset};
pub(crate) use trace::work;

use crate::memory::{Core, Wallet};
use bitcoin::consensus::encode::deserialize;
use bitcoin::{OutPoint, Psbt, Transaction, Txid};
use causeway_colored::guard::{self, Marks};
use causeway_colored::{Ancestry, Asset, Doubt, Holding, Source, Standing, Verdict};
use causeway_contract::{AmountView, AssetLabel, Atoms};
use causeway_store::{AncestorRow, Reader, Write};
use causeway_vocab::{Height, Refusal};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Where the coins are kept that a ledger server binds units to.
const REPORTED: &str = "ledger-reported";

/// What is known of the past of coins.
#[derive(Default)]
pub(crate) struct Guard {
    ancestors: HashMap<Txid, Arc<Transaction>>,
    /// Down to which height, inclusive, blocks were searched for the ancestors of a transaction.
    traces: HashMap<Txid, Height>,
    /// Coins that a ledger server binds units to.
    reported: HashSet<OutPoint>,
    /// Standings that nothing more to come can change, but a server's report.
    settled: RefCell<HashMap<OutPoint, Standing>>,
    /// Transactions that spend coins with units of a ledger bound to them, as far as is known.
    inherits: RefCell<HashMap<Txid, bool>>,
}

impl Guard {
    pub(crate) fn read(reader: &Reader<'_>) -> Result<Guard, Refusal> {
        let mut guard = Guard::default();
        for row in reader.ancestors()? {
            // A damaged row is fetched again.
            let Ok(tx) = deserialize::<Transaction>(&row.raw) else { continue };
            guard.ancestors.insert(tx.compute_txid(), Arc::new(tx));
        }
        let reported = reader.meta(REPORTED)?.unwrap_or_default();
        guard.reported = reported.split(' ').filter_map(|text| text.parse().ok()).collect();
        guard.traces = reader.traces()?.into_iter().filter_map(|(txid, height)| Some((txid.parse().ok()?, height))).collect();
        Ok(guard)
    }

    /// Keeps an ancestor that was found in a verified block.
    fn learn(&mut self, write: &mut Write<'_>, height: Height, tx: Transaction) -> Result<(), Refusal> {
        let txid = tx.compute_txid();
        write.put_ancestor(&AncestorRow { txid: txid.to_string(), height, raw: bitcoin::consensus::serialize(&tx) })?;
        self.ancestors.insert(txid, Arc::new(tx));
        Ok(())
    }

    /// Has standings worked out anew: more is known than before.
    pub(crate) fn refresh(&self) {
        self.settled.borrow_mut().clear();
        self.inherits.borrow_mut().clear();
    }

    /// After a reorganisation ancestors may lie in blocks that were searched before. Colours stay: they follow from ids alone.
    pub(crate) fn undone(&mut self, write: &mut Write<'_>) -> Result<(), Refusal> {
        self.traces.clear();
        write.forget_traces()
    }

    /// Takes over what a server says of coins. Its silence unsays nothing, so it is kept for ever.
    pub(crate) fn report(&mut self, write: &mut Write<'_>, coins: &[OutPoint]) -> Result<(), Refusal> {
        self.reported.extend(coins);
        let all: Vec<String> = self.reported.iter().map(ToString::to_string).collect();
        write.set_meta(REPORTED, &all.join(" "))?;
        self.refresh();
        Ok(())
    }
}

/// Transactions by id: what a draft brings along, kept ancestors, and what the wallets know. Every one hashes to its id.
pub(crate) struct Past<'c> {
    core: &'c Core,
    brought: HashMap<Txid, Arc<Transaction>>,
}

impl Source for Past<'_> {
    fn transaction(&self, txid: &Txid) -> Option<Arc<Transaction>> {
        let kept = self.brought.get(txid).or_else(|| self.core.guard.ancestors.get(txid)).cloned();
        kept.or_else(|| self.core.wallets.values().find_map(|wallet| wallet.bitcoin.shared_transaction(*txid)))
    }
}

impl Core {
    /// The past as this profile knows it.
    pub(crate) fn past(&self) -> Past<'_> {
        Past { core: self, brought: HashMap::new() }
    }

    /// What each unspent Bitcoin coin of a wallet may be spent as, in the order of its coins.
    pub(crate) fn standings(&self, wallet: &Wallet) -> Vec<(OutPoint, Standing)> {
        let mut ancestry = Ancestry::new(self.past());
        wallet.bitcoin.coins().iter().map(|coin| (coin.outpoint, self.standing(&mut ancestry, coin.outpoint))).collect()
    }

    /// What one coin may be spent as.
    pub(crate) fn standing(&self, ancestry: &mut Ancestry<Past<'_>>, coin: OutPoint) -> Standing {
        if let Some(settled) = self.guard.settled.borrow().get(&coin).filter(|_| !self.guard.reported.contains(&coin)) {
            return settled.clone();
        }
        let Some(tx) = ancestry.source().transaction(&coin.txid) else {
            return Standing::Unknown(guard::Reason::Doubt(Doubt::MissingAncestor(coin.txid)));
        };
        let marks = self.marks(ancestry.source(), &coin);
        let vout = usize::try_from(coin.vout).unwrap_or(usize::MAX);
        let standing = guard::classify(ancestry.verdict(coin), &tx, vout, marks);
        let passes = matches!(&standing, Standing::Unknown(guard::Reason::Doubt(doubt)) if doubt.is_temporary());
        if !passes && !marks.reported {
            self.guard.settled.borrow_mut().insert(coin, standing.clone());
        }
        standing
    }

    /// The unspent Bitcoin coins of a wallet that must not be spent as bitcoin.
    pub(crate) fn guarded(&self, wallet: &Wallet) -> BTreeSet<OutPoint> {
        let standings = self.standings(wallet);
        standings.into_iter().filter(|(_, standing)| !standing.is_spendable()).map(|(coin, _)| coin).collect()
    }

    /// Refuses chosen coins that must not be spent as bitcoin, with the reason.
    pub(crate) fn not_guarded(&self, coins: &[OutPoint]) -> Result<(), Refusal> {
        let own: BTreeSet<OutPoint> = self.selected()?.bitcoin.coins().iter().map(|coin| coin.outpoint).collect();
        let mut ancestry = Ancestry::new(self.past());
        // That a coin is not ours is for the plan to say.
        let chosen = coins.iter().filter(|coin| own.contains(coin));
        chosen.map(|coin| self.standing(&mut ancestry, *coin).refusal(*coin)).try_for_each(|refusal| refusal.map_or(Ok(()), Err))
    }

    /// Whether units of a ledger may be bound to a coin, and nothing else keeps it from being spent.
    pub(crate) fn is_bound(&self, ancestry: &mut Ancestry<Past<'_>>, coin: OutPoint) -> bool {
        matches!(self.standing(ancestry, coin), Standing::Unknown(guard::Reason::Attached | guard::Reason::Reported))
    }

    fn marks(&self, past: &Past<'_>, coin: &OutPoint) -> Marks {
        Marks { reported: self.guard.reported.contains(coin), inherits: self.inherits(past, coin.txid), frozen: false }
    }

    /// Whether a transaction spends a coin with units of a ledger bound to it, as far back as transactions are known.
    fn inherits(&self, past: &Past<'_>, txid: Txid) -> bool {
        let mut known = self.guard.inherits.borrow_mut();
        let mut stack = vec![txid];
        while let Some(&txid) = stack.last() {
            if known.contains_key(&txid) {
                stack.pop();
                continue;
            }
            let Some(tx) = past.transaction(&txid) else {
                // Nobody's that we know of: what it spends is not known either.
                known.insert(txid, false);
                continue;
            };
            let parents = || tx.input.iter().map(|input| input.previous_output);
            let open: Vec<Txid> = parents().map(|coin| coin.txid).filter(|parent| !known.contains_key(parent)).collect();
            if !open.is_empty() {
                stack.extend(open);
                continue;
            }
            let bound = parents().any(|coin| {
                let vout = usize::try_from(coin.vout).unwrap_or(usize::MAX);
                let inherits = known.get(&coin.txid).copied().unwrap_or(false);
                self.guard.reported.contains(&coin)
                    || past.transaction(&coin.txid).is_some_and(|parent| guard::receives_attached(&parent, vout, inherits))
            });
            known.insert(txid, bound);
        }
        known.get(&txid).copied().unwrap_or(false)
    }

    /// Runs the colouring engine on an unsigned transaction: it must do with assets what is meant, no more and no less.
    ///
    /// Every Bitcoin transaction goes through here before it is kept and again before it is signed. Refused with `HoldsAssets`,
    /// `ColourUnknown` (`outpoint`), `WrongColouring` (`why`).
    pub(crate) fn check_colours(&self, psbt: &Psbt, meaning: &Meaning) -> Result<(), Refusal> {
        let tx = &psbt.unsigned_tx;
        let intent = meaning.intent(tx, self.realm.bitcoin.network.into())?;
        // Each is found by its own hash, so a draft cannot bring a false past along.
        let brought = psbt.inputs.iter().filter_map(|input| input.non_witness_utxo.as_ref());
        let brought = brought.map(|tx| (tx.compute_txid(), Arc::new(tx.clone()))).collect();
        let mut ancestry = Ancestry::new(Past { core: self, brought });
        let past = self.past();
        guard::check(&mut ancestry, tx, &intent, |coin| self.marks(&past, coin))
    }

    /// The output by which a transaction of ours gives bitcoin back, among those that hold nothing else; the largest.
    pub(crate) fn bitcoin_change(&self, tx: &Transaction) -> Option<usize> {
        let wallet = self.selected().ok()?;
        let verdicts = Ancestry::new(self.past()).verdicts_of(tx);
        let plain = verdicts
            .iter()
            .zip(&tx.output)
            .enumerate()
            .filter(|(_, (verdict, output))| **verdict == Verdict::Plain && wallet.bitcoin.is_mine(&output.script_pubkey));
        plain.max_by_key(|(_, (_, output))| output.value).map(|(vout, _)| vout)
    }

    /// What a transaction of ours does with assets, to be asked of one that replaces it.
    pub(crate) fn meaning_of(&self, tx: &Transaction) -> Result<Meaning, Refusal> {
        Meaning::of(&mut Ancestry::new(self.past()), tx, self.realm.bitcoin.network.into())
    }
}

impl Core {
    /// How an asset of coloured coins is named: by its identifier, because nothing on the chain vouches for other names.
    pub(crate) fn coloured_label(&self, asset: Asset) -> AssetLabel {
        let id = asset_text(asset, self.realm.bitcoin.network.into());
        let precision = match asset {
            Asset::Colu(id) => id.divisibility,
            Asset::OpenAssets(_) | Asset::Epobc(_) => 0,
        };
        let ticker = id.trim_start_matches("epobc:").chars().take(8).collect();
        AssetLabel { ticker, name: String::new(), precision, named: false, id }
    }

    /// What a coin holds besides bitcoin, as far as that is certain.
    pub(crate) fn holdings(&self, standing: &Standing) -> Vec<AmountView> {
        let Standing::Guarded(holdings) = standing else { return Vec::new() };
        let view = |held: &Holding| AmountView { asset: self.coloured_label(held.asset), amount: Atoms(held.quantity) };
        holdings.iter().map(view).collect()
    }
}
