//! From chain facts to changes: which transactions concern us, and which of them can still be true.

use super::{Applied, Changes, Known, Owned, Position, Problem, SidechainWallet, StoredTx};
use crate::wallet::unblind::{Candidate, Opened, Place, opens};
use causeway_vocab::{Opening, SidechainBatch};
use elements::{OutPoint, Transaction, TxInWitness, TxOutWitness, Txid};
use std::collections::{BTreeMap, HashMap};

/// What was opened ahead of time.
type Openings = HashMap<Place, Option<Opening>>;

impl SidechainWallet {
    /// What there is to open in a batch. The results go to [`SidechainWallet::apply`], which opens by itself what is missing.
    pub fn candidates(&self, batch: &SidechainBatch) -> Vec<Candidate> {
        let blocks = batch.blocks.iter().flat_map(|(_, block)| &block.txdata);
        let mut found = Vec::new();
        for tx in blocks.chain(&batch.unconfirmed) {
            if self.concerns(tx) {
                let txid = tx.txid();
                found.extend(self.to_open(txid, tx));
            }
        }
        found
    }

    /// Learns a batch. `now`: Unix seconds, the time at which its unconfirmed transactions are said to be seen.
    ///
    /// Applying a batch twice changes nothing. Transactions without interest for this wallet are skipped.
    pub fn apply(&mut self, batch: &SidechainBatch, opened: &[Opened], now: u32) -> Applied {
        let opened: Openings = opened.iter().map(|opened| (opened.place, opened.opening)).collect();
        let before = self.keychain.lengths();
        let mut applied = Applied::default();
        if let Some(to) = batch.rollback_to {
            self.roll_back(to, &mut applied);
        }
        // A transaction may bring addresses into use that others of the batch pay, so that its first pass can miss those.
        loop {
            let known = self.keychain.lengths();
            for (tip, block) in &batch.blocks {
                for (index, tx) in block.txdata.iter().enumerate() {
                    let position = Position::Mined { height: tip.height, hash: tip.hash, time: tip.time, index: index as u32 };
                    self.learn(tx, position, &opened, &mut applied);
                }
            }
            for tx in &batch.unconfirmed {
                self.learn(tx, Position::Pending { seen: now }, &opened, &mut applied);
            }
            if self.keychain.lengths() == known {
                break;
            }
        }
        self.record(Changes { tip: Some(batch.tip), scanned_to: Some(batch.scanned_to), ..Changes::default() }, &mut applied);
        applied.new_scripts = self.keychain.since(before);
        applied
    }

    /// Learns a transaction of our own that is about to be broadcast, so that its change can be spent at once. `outputs` are the draft's
    /// openings: what was paid to others can be shown and proven later. Openings that contradict the transaction are ignored.
    pub fn register_unconfirmed(&mut self, tx: &Transaction, outputs: &[Option<Opening>], now: u32) -> Applied {
        let before = self.keychain.lengths();
        let mut applied = Applied::default();
        self.learn(tx, Position::Pending { seen: now }, &Openings::new(), &mut applied);
        if let Some(known) = self.txs.get(&tx.txid()) {
            let mut stored = StoredTx { paid: known.tx.paid.clone(), ..strip(tx) };
            for (vout, (output, opening)) in tx.output.iter().zip(outputs).enumerate() {
                let vout = vout as u32;
                if let Some(opening) = opening
                    && !output.is_fee()
                    && !known.tx.owned.contains_key(&vout)
                    && opens(opening, output)
                {
                    stored.paid.insert(vout, *opening);
                }
            }
            if stored.paid != known.tx.paid {
                self.record(Changes { transactions: [(tx.txid(), stored)].into(), ..Changes::default() }, &mut applied);
            }
        }
        applied.new_scripts = self.keychain.since(before);
        applied
    }

    /// Forgets an unconfirmed transaction and what depends on it, after its peers refused it. A block that holds it brings it back.
    pub fn forget_unconfirmed(&mut self, txid: &Txid) -> Applied {
        let mut applied = Applied::default();
        if self.txs.get(txid).is_some_and(|known| known.is_live() && !known.is_mined()) {
            self.abandon(*txid, &mut applied);
        }
        applied
    }

    /// Whether a transaction pays one of our scripts, spends one of our outputs, or is known.
    pub(super) fn concerns(&self, tx: &Transaction) -> bool {
        tx.output.iter().any(|output| self.keychain.path_of(&output.script_pubkey).is_some())
            || tx.input.iter().any(|input| !input.is_pegin && self.owned(&input.previous_output).is_some())
    }

    /// What this wallet can disclose of a transaction to third parties: openings of outputs it owns or paid, by index, and of the amounts it
    /// issued, by input.
    pub fn disclose(&self, tx: &Transaction) -> (BTreeMap<u32, Opening>, BTreeMap<u32, Opening>) {
        let txid = tx.txid();
        let outputs =
            (0..).zip(&tx.output).filter_map(|(vout, _)| Some((vout, self.known_output(&OutPoint::new(txid, vout))?.1?)));
        let mine =
            |input: &elements::TxIn| input.has_issuance() && !input.is_pegin && self.owned(&input.previous_output).is_some();
        let issued = (0..).zip(&tx.input).filter(|(_, input)| mine(input)).filter_map(|(vin, input)| {
            let key = || self.account().issuance_blinding_key(&input.previous_output);
            let mut opened = Candidate::issuance(input, key).map(Candidate::open);
            Some((vin, opened.find(|opened| matches!(opened.place, Place::Issued(_)))?.opening?))
        });
        (outputs.collect(), issued.collect())
    }

    fn to_open<'a>(&'a self, txid: Txid, tx: &'a Transaction) -> impl Iterator<Item = Candidate> + 'a {
        let known = self.txs.get(&txid);
        let outputs = tx.output.iter().enumerate().filter_map(move |(vout, output)| {
            let vout = vout as u32;
            let path = self.keychain.path_of(&output.script_pubkey)?;
            if known.is_some_and(|known| known.tx.owned.contains_key(&vout)) {
                return None;
            }
            let key = || self.account().private_blinding_key(path, &output.script_pubkey);
            Some(Candidate::output(OutPoint::new(txid, vout), path, output, key))
        });
        let ours = move |vin: usize| known.is_some_and(|known| known.tx.issued.contains_key(&(vin as u32)));
        let issuances = tx.input.iter().enumerate().filter(move |(vin, input)| {
            input.has_issuance() && !input.is_pegin && !ours(*vin) && self.owned(&input.previous_output).is_some()
        });
        let issuances = issuances
            .flat_map(|(_, input)| Candidate::issuance(input, || self.account().issuance_blinding_key(&input.previous_output)));
        outputs.chain(issuances)
    }

    fn roll_back(&mut self, to: causeway_vocab::Tip<elements::BlockHash>, applied: &mut Applied) {
        let mut undone = Changes { tip: Some(to), ..Changes::default() };
        undone.scanned_to = self.scanned_to.map(|scanned| scanned.min(to.height));
        for (txid, known) in &self.txs {
            if let Some(Position::Mined { height, time, .. }) = known.position
                && height > to.height
            {
                let coinbase = known.tx.stripped.is_coinbase();
                let position = if coinbase { Position::Gone } else { Position::Pending { seen: time } };
                undone.positions.insert(*txid, position);
                applied.problems.push(Problem::Unconfirmed(*txid));
            }
        }
        let coinbases: Vec<Txid> =
            undone.positions.iter().filter(|(_, position)| **position == Position::Gone).map(|(txid, _)| *txid).collect();
        self.record(undone, applied);
        for txid in coinbases {
            self.abandon(txid, applied);
        }
    }

    /// Learns one transaction at a position; nothing happens when it does not concern us.
    fn learn(&mut self, tx: &Transaction, position: Position, opened: &Openings, applied: &mut Applied) {
        if !self.concerns(tx) {
            return;
        }
        let txid = tx.txid();
        let mined = matches!(position, Position::Mined { .. });
        let standing = self.txs.get(&txid).and_then(|known| known.position);
        // What is in a block is no longer waiting, and what waits keeps the time at which it was first seen.
        let stays =
            standing == Some(position) || !mined && matches!(standing, Some(Position::Mined { .. } | Position::Pending { .. }));
        if !stays && !self.make_room(txid, tx, mined, applied) {
            return;
        }
        let mut changes = Changes::default();
        if !stays {
            changes.positions.insert(txid, position);
        }
        if let Some(stored) = self.open_tx(txid, tx, opened, applied) {
            for owned in stored.owned.values() {
                let revealed = self.keychain.revealing(owned.path).unwrap_or_default();
                for (ours, theirs) in changes.revealed.iter_mut().zip(revealed) {
                    *ours = theirs.max(*ours);
                }
            }
            changes.transactions.insert(txid, stored);
        }
        self.record(changes, applied);
    }

    /// Settles who may spend the inputs. A block drives out whatever waits; among those that wait the first one stays.
    fn make_room(&mut self, txid: Txid, tx: &Transaction, mined: bool, applied: &mut Applied) -> bool {
        let orphaned = tx
            .input
            .iter()
            .any(|input| self.txs.get(&input.previous_output.txid).is_some_and(|parent| parent.position == Some(Position::Gone)));
        if !mined && orphaned {
            return false;
        }
        let rivals: Vec<Txid> =
            tx.input.iter().filter_map(|input| self.spender(&input.previous_output)).filter(|rival| *rival != txid).collect();
        for rival in rivals {
            if !mined {
                applied.problems.push(Problem::DoubleSpend { refused: txid, kept: rival });
                return false;
            }
            if self.txs.get(&rival).is_some_and(Known::is_live) {
                applied.problems.push(Problem::Conflicted { gone: rival, by: txid });
                self.abandon(rival, applied);
            }
        }
        true
    }

    /// Marks a transaction and all that spend its outputs as gone.
    fn abandon(&mut self, txid: Txid, applied: &mut Applied) {
        let mut changes = Changes::default();
        let mut open = vec![txid];
        while let Some(txid) = open.pop() {
            let Some(known) = self.txs.get(&txid) else { continue };
            changes.positions.insert(txid, Position::Gone);
            let outputs = 0..known.tx.stripped.output.len() as u32;
            let children = outputs.filter_map(|vout| self.spender(&OutPoint::new(txid, vout)));
            open.extend(children.filter(|child| !changes.positions.contains_key(child)));
        }
        self.record(changes, applied);
    }

    /// What is new about a transaction, or `None`.
    fn open_tx(&self, txid: Txid, tx: &Transaction, opened: &Openings, applied: &mut Applied) -> Option<StoredTx> {
        let known = self.txs.get(&txid);
        let mut stored = strip(tx);
        for candidate in self.to_open(txid, tx) {
            let place = candidate.place();
            let opening = match opened.get(&place) {
                Some(opening) => *opening,
                None => candidate.open().opening,
            };
            match place {
                Place::Output(outpoint, path) => {
                    if opening.is_none() {
                        applied.problems.push(Problem::CannotUnblind(outpoint));
                    }
                    stored.owned.insert(outpoint.vout, Owned { path, opening });
                }
                Place::Issued(prevout) | Place::Tokens(prevout) => {
                    let vin = tx.input.iter().position(|input| input.previous_output == prevout);
                    let vin = vin.expect("BUG: the candidate comes from this transaction") as u32;
                    let which = usize::from(matches!(place, Place::Tokens(_)));
                    stored.issued.entry(vin).or_default()[which] = opening.map(|opening| opening.value);
                }
            }
        }
        let news = !stored.owned.is_empty() || !stored.issued.is_empty();
        (known.is_none() || news).then_some(stored)
    }

    fn record(&mut self, changes: Changes, applied: &mut Applied) {
        self.absorb(&changes);
        applied.changes.merge(changes);
    }
}

/// The transaction without its witness, and what only the witness told.
fn strip(tx: &Transaction) -> StoredTx {
    let mut stripped = tx.clone();
    let mut pegins = std::collections::BTreeMap::new();
    for (vin, input) in stripped.input.iter_mut().enumerate() {
        if let Some(data) = input.pegin_data() {
            pegins.insert(vin as u32, data.value);
        }
        input.witness = TxInWitness::empty();
    }
    for output in &mut stripped.output {
        output.witness = TxOutWitness::empty();
    }
    StoredTx {
        stripped,
        weight: tx.weight() as u32,
        discount_weight: tx.discount_weight() as u32,
        owned: Default::default(),
        paid: Default::default(),
        issued: Default::default(),
        pegins,
    }
}
