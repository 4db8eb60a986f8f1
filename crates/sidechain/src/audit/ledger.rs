//! The facts of both chains, by height, and what follows from them.

use super::facts::{BitcoinFacts, Kept, Paid, SidechainFacts, Spend};
use crate::consensus::federation::Fedpeg;
use bitcoin::{Block, OutPoint, ScriptBuf};
use causeway_vocab::Height;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Everything that was read. Its size goes with the number of pegs, not with the length of the chains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    pub(super) sidechain: BTreeMap<Height, SidechainFacts>,
    pub(super) bitcoin: BTreeMap<Height, BitcoinFacts>,
    /// Heights at which epochs start.
    epochs: BTreeSet<Height>,
    /// Scripts of all coins that the federation ever held, by output.
    coins: HashMap<OutPoint, ScriptBuf>,
    spent: HashSet<OutPoint>,
    own: BTreeSet<ScriptBuf>,
}

/// The forms in which a peg script can be paid without a tweak.
pub(super) fn untweaked(fedpeg: &Fedpeg) -> [ScriptBuf; 3] {
    let p2wsh = fedpeg.script.to_p2wsh();
    [p2wsh.to_p2sh(), p2wsh, fedpeg.program.clone()]
}

impl Ledger {
    /// Adds the facts of a sidechain block, in the place of those that were known of its height.
    pub fn put_sidechain(&mut self, height: Height, facts: SidechainFacts) {
        if self.sidechain.get(&height) == Some(&facts) {
            return;
        }
        let known = self.sidechain.insert(height, facts);
        self.replaced(known.is_some());
        if known.is_none() {
            let facts = &self.sidechain[&height];
            for claim in facts.claims.iter().filter(|claim| claim.epoch.is_some()) {
                self.coins.insert(claim.deposit, claim.script.clone());
            }
            if let Some(fedpeg) = &facts.fedpeg {
                self.epochs.insert(height);
                self.own.extend(untweaked(fedpeg));
            }
        }
    }

    /// Adds the facts of a Bitcoin block, in the place of those that were known of its height.
    pub fn put_bitcoin(&mut self, height: Height, facts: BitcoinFacts) {
        if self.bitcoin.get(&height) == Some(&facts) {
            return;
        }
        let known = self.bitcoin.insert(height, facts);
        self.replaced(known.is_some());
        if known.is_none() {
            let facts = &self.bitcoin[&height];
            self.coins.extend(facts.kept.iter().map(|kept| (kept.outpoint, kept.script.clone())));
            self.spent.extend(facts.spends.iter().flat_map(|spend| &spend.inputs));
        }
    }

    /// Forgets the sidechain above a height, or all of it.
    pub fn roll_back_sidechain(&mut self, height: Option<Height>) {
        let gone = self.sidechain.split_off(&height.map_or(0, |height| height.saturating_add(1)));
        self.replaced(!gone.is_empty());
    }

    /// Forgets Bitcoin above a height, or all of it.
    pub fn roll_back_bitcoin(&mut self, height: Option<Height>) {
        let gone = self.bitcoin.split_off(&height.map_or(0, |height| height.saturating_add(1)));
        self.replaced(!gone.is_empty());
    }

    /// Builds what follows from the facts anew if some are gone.
    fn replaced(&mut self, gone: bool) {
        if gone {
            let (sidechain, bitcoin) = (std::mem::take(&mut self.sidechain), std::mem::take(&mut self.bitcoin));
            *self = Ledger::default();
            sidechain.into_iter().for_each(|(height, facts)| self.put_sidechain(height, facts));
            bitcoin.into_iter().for_each(|(height, facts)| self.put_bitcoin(height, facts));
        }
    }

    /// The peg scripts of the epochs that began before a block, newest first, at most `most`: what
    /// [`read_sidechain`](super::read_sidechain) needs.
    pub fn fedpegs_before(&self, height: Height, most: u32) -> Vec<Fedpeg> {
        let starts = self.epochs.range(..height).rev().take(most as usize);
        starts.filter_map(|start| self.sidechain.get(start)?.fedpeg.clone()).collect()
    }

    /// Reads a Bitcoin block. Read it again when the ledger has learnt of more claims since: [`Ledger::put_bitcoin`] replaces.
    pub fn read_bitcoin(&self, block: &Block) -> BitcoinFacts {
        let mut facts = BitcoinFacts { time: block.header.time, ..BitcoinFacts::default() };
        let mut here: HashSet<OutPoint> = HashSet::new();
        for tx in &block.txdata {
            let ours = |outpoint: &OutPoint| self.coins.contains_key(outpoint) || here.contains(outpoint);
            let inputs: Vec<OutPoint> = tx.input.iter().map(|input| input.previous_output).filter(ours).collect();
            let spends = !inputs.is_empty();
            let pays = tx.output.iter().any(|output| self.own.contains(&output.script_pubkey));
            if !spends && !pays {
                continue;
            }
            let txid = tx.compute_txid();
            if spends {
                let out = tx.output.iter().fold(0, |sum: u64, output| sum.saturating_add(output.value.to_sat()));
                facts.spends.push(Spend { txid, inputs, out });
            }
            for (vout, output) in (0..).zip(&tx.output) {
                let outpoint = OutPoint { txid, vout };
                let (sat, script) = (output.value.to_sat(), output.script_pubkey.clone());
                if self.own.contains(&script) {
                    here.insert(outpoint);
                    facts.kept.push(Kept { outpoint, sat, script });
                } else if spends && sat > 0 {
                    facts.paid.push(Paid { txid, destination: script, sat });
                }
            }
        }
        facts
    }

    /// Every Bitcoin script that says something about the reserve from now on: of unspent coins, and all untweaked ones.
    pub fn scripts(&self) -> BTreeSet<ScriptBuf> {
        let unspent = self.coins.iter().filter(|(outpoint, _)| !self.spent.contains(outpoint));
        unspent.map(|(_, script)| script.clone()).chain(self.own.iter().cloned()).collect()
    }

    /// Scripts that matter since a sidechain block, each with what tells from where Bitcoin must be searched for it: the Bitcoin block of a deposit,
    /// or the time from which on a peg script is in force.
    pub fn scripts_of(&self, height: Height) -> Vec<(Vec<ScriptBuf>, Since)> {
        let Some(facts) = self.sidechain.get(&height) else { return Vec::new() };
        let claims = facts.claims.iter().filter(|claim| claim.epoch.is_some());
        let deposits = claims.map(|claim| (vec![claim.script.clone()], Since::Block(claim.block)));
        let peg = facts.fedpeg.iter().map(|fedpeg| (untweaked(fedpeg).to_vec(), Since::Time(facts.time)));
        deposits.chain(peg).collect()
    }

    /// The Bitcoin blocks that hold the deposits.
    pub fn deposit_blocks(&self) -> impl Iterator<Item = &bitcoin::BlockHash> {
        let claims = self.sidechain.values().flat_map(|facts| &facts.claims);
        claims.filter(|claim| claim.epoch.is_some()).map(|claim| &claim.block)
    }
}

/// From where on Bitcoin is searched for a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// This block and later ones.
    Block(bitcoin::BlockHash),
    /// Blocks made after this, Unix seconds.
    Time(u32),
}
