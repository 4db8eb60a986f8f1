//! Proposing, checking, signing and completing batches.

use super::plan::{self, BatchPlan, BatchShare, BatchVeto, MAX_BATCH, PlanFault};
use super::state::{Batch, Coin, Pegout};
use super::{Effect, PegFault, Watchman};
use crate::functionary::MemberId;
use crate::message::{Body, Envelope, Signature};
use crate::tweak;
use bitcoin::{OutPoint, Transaction, Txid, Witness};
use std::collections::{BTreeMap, BTreeSet};

impl Watchman {
    pub(super) fn tick(&mut self, now: u64, fee_rate: u64, effects: &mut Vec<Effect>) {
        let bounds = &self.config.policy.fee_rate;
        self.fee_rate = fee_rate.clamp(*bounds.start(), *bounds.end());
        self.now = self.now.max(now);
        self.report_spends(effects);
        let turn = self.now / self.config.policy.turn.max(1);
        let Some(present) = self.present() else { return };
        let Some(seat) = present.members().iter().position(|member| *member == self.keys.member()) else { return };
        if turn == self.turn || turn % u64::from(present.n()) != seat as u64 {
            return;
        }
        self.turn = turn;
        if self.halted {
            return;
        }
        if let Some(plan) = self.propose(effects) {
            self.say(Body::Batch(plan.clone()), effects);
            self.consider(plan, effects);
        }
        if let Some(plan) = self.propose_sweep() {
            self.say(Body::Batch(plan.clone()), effects);
            self.consider(plan, effects);
        }
    }

    fn say(&self, body: Body, effects: &mut Vec<Effect>) {
        let Some(me) = self.me else { return };
        if self.roster.len() > 1 {
            effects.push(Effect::Broadcast(Box::new(Envelope::sign(self.config.genesis, me, &self.keys, body))));
        }
    }

    /// The payment under way, the latest if it was bumped: signed here, unconfirmed, and still possible.
    fn under_way(&self) -> Option<&Batch> {
        let alive = |outpoint: &OutPoint| self.state.coins.get(outpoint).is_some_and(|coin| self.is_spendable(coin));
        self.state
            .batches
            .values()
            .filter(|batch| !batch.is_sweep() && batch.confirmed.is_none() && batch.plan.inputs.iter().all(alive))
            .max_by_key(|batch| batch.plan.fee_rate)
    }

    fn propose(&mut self, effects: &mut Vec<Effect>) -> Option<BatchPlan> {
        if !self.state.unexplained.is_empty() {
            return None;
        }
        let change = self.change_script()?.to_owned();
        let payable: BTreeMap<_, _> = self.state.pegouts.iter().filter(|(_, pegout)| self.is_payable(pegout)).collect();
        let (mut inputs, mut pegouts, mut fee_rate) = match self.under_way() {
            Some(batch) => {
                let plan = &batch.plan;
                let waited = self.bitcoin_height().saturating_sub(batch.signed_at) >= self.config.policy.bump_after;
                // Only what can be granted: otherwise the fee would rise with every turn.
                let more = self.wished_inputs.iter().any(|input| !plan.inputs.contains(input) && self.can_spend(input))
                    || self.wished_pegouts.iter().any(|pegout| !plan.pegouts.contains(pegout) && payable.contains_key(pegout));
                // Members that know of the new federation do not sign for change to the old one.
                if !waited && !more && plan.change == change {
                    return Some(plan.clone());
                }
                let raised = plan.fee_rate.saturating_add(plan.fee_rate / 4).saturating_add(1).max(self.fee_rate);
                let rate = raised.min(*self.config.policy.fee_rate.end());
                (BTreeSet::from_iter(plan.inputs.clone()), BTreeSet::from_iter(plan.pegouts.clone()), rate)
            }
            None => {
                // An anchor that is spent and not final yet binds its peg-outs to wait.
                let free = |pegout: &Pegout| pegout.anchor.is_none_or(|anchor| self.can_spend(&anchor));
                let next = payable.iter().filter(|(_, pegout)| free(pegout)).take(self.config.policy.batch_size);
                (BTreeSet::new(), next.map(|(outpoint, _)| **outpoint).collect(), self.fee_rate)
            }
        };
        inputs.extend(self.wished_inputs.iter().filter(|outpoint| self.can_spend(outpoint)));
        pegouts.extend(self.wished_pegouts.iter().filter(|outpoint| payable.contains_key(outpoint)));
        let plan = self.complete_plan(inputs, pegouts, fee_rate.max(1), change, effects);
        fee_rate = plan.as_ref().map_or(fee_rate, |plan| plan.fee_rate);
        plan.filter(|_| self.config.policy.fee_rate.contains(&fee_rate))
    }

    pub(super) fn can_spend(&self, outpoint: &OutPoint) -> bool {
        self.state.coins.get(outpoint).is_some_and(|coin| self.is_spendable(coin))
    }

    /// Adds what the anchors ask for and coins until there is enough; leaves out peg-outs that the fee would eat.
    fn complete_plan(
        &mut self,
        mut inputs: BTreeSet<OutPoint>,
        mut pegouts: BTreeSet<elements::OutPoint>,
        fee_rate: u64,
        change: bitcoin::ScriptBuf,
        effects: &mut Vec<Effect>,
    ) -> Option<BatchPlan> {
        loop {
            let (more_inputs, more_pegouts) = self.missing(&inputs, &pegouts);
            if more_inputs.is_empty() && more_pegouts.is_empty() {
                break;
            }
            inputs.extend(more_inputs);
            pegouts.extend(more_pegouts);
        }
        // Coins that the present members cannot sign for alone come last, others of older scripts first. Among equals the oldest come first, so
        // that change is not spent over and over.
        let mut coins: Vec<_> = self.state.coins.iter().filter(|(_, coin)| self.is_spendable(coin)).collect();
        let present = self.state.peg.as_ref().map(|peg| &peg.fedpegscript);
        coins.sort_by_key(|(outpoint, coin)| {
            (!self.is_signable(coin), Some(&coin.fedpegscript) == present, coin.confirmed, **outpoint)
        });
        let moving = self.in_sweep();
        let spare = coins.into_iter().map(|(outpoint, _)| *outpoint);
        let mut spare = spare.filter(|outpoint| !self.is_anchor(outpoint) && !moving.contains(outpoint));
        loop {
            let plan = BatchPlan {
                fee_rate,
                inputs: inputs.iter().copied().collect(),
                pegouts: pegouts.iter().copied().collect(),
                change: change.clone(),
            };
            match self.build(&plan) {
                Ok(_) => return Some(plan),
                Err(PlanFault::Short | PlanFault::Malformed) if !pegouts.is_empty() && inputs.len() < MAX_BATCH => {
                    let Some(coin) = spare.find(|outpoint| !inputs.contains(outpoint)) else {
                        drop(spare);
                        self.check_solvency(effects);
                        return None;
                    };
                    inputs.insert(coin);
                }
                Err(PlanFault::Dust) => {
                    let smallest = pegouts.iter().copied().min_by_key(|outpoint| self.state.pegouts[outpoint].sat)?;
                    // One that is bound already cannot be left out.
                    if self.state.pegouts[&smallest].anchor.is_some() {
                        return None;
                    }
                    pegouts.remove(&smallest);
                }
                Err(_) => return None,
            }
        }
    }

    pub(super) fn is_anchor(&self, coin: &OutPoint) -> bool {
        self.state.pegouts.values().any(|pegout| pegout.anchor == Some(*coin) && pegout.paid.is_none())
    }

    fn check_solvency(&mut self, effects: &mut Vec<Effect>) {
        let sum = |amounts: &mut dyn Iterator<Item = u64>| amounts.fold(0_u64, u64::saturating_add);
        let owed = sum(&mut self.state.pegouts.values().filter(|pegout| self.is_payable(pegout)).map(|pegout| pegout.sat));
        let held = sum(&mut self.state.coins.values().filter(|coin| coin.spent.is_none()).map(|coin| coin.sat));
        if owed > held && !self.insolvent {
            effects.push(Effect::Alarm(PegFault::Insolvent { owed, held }));
        }
        self.insolvent = owed > held;
    }

    pub(super) fn build(&self, plan: &BatchPlan) -> Result<Transaction, PlanFault> {
        plan::build(plan, &self.state.coins, &self.state.pegouts, self.config.policy.dust)
    }

    /// What this member's bindings ask a batch to spend and pay besides.
    fn missing(
        &self,
        inputs: &BTreeSet<OutPoint>,
        pegouts: &BTreeSet<elements::OutPoint>,
    ) -> (BTreeSet<OutPoint>, BTreeSet<elements::OutPoint>) {
        let anchors = pegouts.iter().filter_map(|outpoint| self.state.pegouts.get(outpoint)?.anchor);
        let bound = self.state.pegouts.iter().filter(|(outpoint, pegout)| {
            pegout.paid.is_none() && !pegouts.contains(outpoint) && pegout.anchor.is_some_and(|anchor| inputs.contains(&anchor))
        });
        (anchors.filter(|anchor| !inputs.contains(anchor)).collect(), bound.map(|(outpoint, _)| *outpoint).collect())
    }

    pub(super) fn receive(&mut self, envelope: Envelope, effects: &mut Vec<Effect>) {
        if Some(envelope.from) == self.me || !envelope.body.is_for_watchman() {
            return;
        }
        let sender = self.roster.get(usize::from(envelope.from));
        if !sender.is_some_and(|sender| envelope.is_by(&self.config.genesis, sender)) {
            return;
        }
        match envelope.body {
            Body::Batch(plan) => self.consider(plan, effects),
            Body::BatchShare(share) => self.take_share(envelope.from, share, effects),
            Body::BatchVeto(veto) => {
                let coins = veto.inputs.into_iter().filter(|outpoint| self.can_spend(outpoint));
                let coins: Vec<_> = coins.collect();
                self.wished_inputs.extend(coins);
                let pegouts = veto.pegouts.into_iter().filter(|outpoint| self.state.pegouts.contains_key(outpoint));
                self.wished_pegouts.extend(pegouts);
            }
            _ => {}
        }
    }

    /// Signs a batch if everything about it is right here.
    fn consider(&mut self, plan: BatchPlan, effects: &mut Vec<Effect>) {
        let Ok(tx) = self.build(&plan) else { return };
        let txid = tx.compute_txid();
        if self.state.batches.contains_key(&txid) {
            // Asked for again: somebody lacks our signatures.
            if !self.due.iter().any(|(_, due)| *due == txid) {
                self.due.push_back((self.state.revision, txid));
            }
            return;
        }
        let inputs: BTreeSet<_> = plan.inputs.iter().copied().collect();
        let pegouts: BTreeSet<_> = plan.pegouts.iter().copied().collect();
        let payable = pegouts.iter().all(|outpoint| self.state.pegouts.get(outpoint).is_some_and(|p| self.is_payable(p)));
        let spendable = inputs.iter().all(|outpoint| self.can_spend(outpoint));
        if self.change_script() != Some(&*plan.change) {
            return;
        }
        if self.me.is_none() || !self.state.unexplained.is_empty() || !payable || !spendable || !self.is_fair(&plan) {
            return;
        }
        let held_up = || {
            let moving = self.in_sweep();
            inputs.iter().any(|coin| moving.contains(coin) && !self.is_anchor(coin))
        };
        if self.halted || if pegouts.is_empty() { !self.may_sweep(&plan) } else { held_up() } {
            return;
        }
        let (need_inputs, need_pegouts) = self.missing(&inputs, &pegouts);
        if !need_inputs.is_empty() || !need_pegouts.is_empty() {
            // Peg-outs bound to what the anchors bring in are named at once.
            let veto = BatchVeto {
                plan,
                inputs: need_inputs.into_iter().take(MAX_BATCH).collect(),
                pegouts: need_pegouts.into_iter().take(MAX_BATCH).collect(),
            };
            self.say(Body::BatchVeto(veto), effects);
            return;
        }
        let anchor = plan.inputs[0];
        for outpoint in &plan.pegouts {
            if let Some(pegout) = self.state.pegouts.get_mut(outpoint) {
                pegout.anchor.get_or_insert(anchor);
            }
        }
        let batch = Batch { plan, signed_at: self.bitcoin_height(), confirmed: None, shares: BTreeMap::new() };
        self.state.batches.insert(txid, batch);
        self.dirty = true;
        self.due.push_back((self.state.revision + 1, txid));
    }

    /// The fee rate is within bounds and not far above what this member would pay, or has paid for the same coins.
    fn is_fair(&self, plan: &BatchPlan) -> bool {
        let replaced = self.state.batches.values().filter(|batch| batch.plan.inputs.iter().any(|i| plan.inputs.contains(i)));
        let known = replaced.map(|batch| batch.plan.fee_rate).max().unwrap_or(0).max(self.fee_rate);
        self.config.policy.fee_rate.contains(&plan.fee_rate) && plan.fee_rate <= known.saturating_mul(2).saturating_add(1)
    }

    /// Signs and sends what is bound on disk.
    pub(super) fn release(&mut self, effects: &mut Vec<Effect>) {
        while !self.halted && self.due.front().is_some_and(|(revision, _)| *revision <= self.on_disk) {
            let (Some((_, txid)), Some(me)) = (self.due.pop_front(), self.me) else { return };
            let Some(batch) = self.state.batches.get(&txid) else { continue };
            let plan = batch.plan.clone();
            let Ok(tx) = self.build(&plan) else { continue };
            let sign = |(index, outpoint): (usize, &OutPoint)| self.sign_input(&tx, index, self.state.coins.get(outpoint)?);
            let signatures: Vec<_> = plan.inputs.iter().enumerate().map(sign).collect();
            if let Some(batch) = self.state.batches.get_mut(&txid) {
                batch.shares.insert(me, signatures.clone());
            }
            self.say(Body::BatchShare(BatchShare { plan, signatures }), effects);
            self.complete(txid, effects);
        }
    }

    fn sign_input(&self, tx: &Transaction, index: usize, coin: &Coin) -> Option<Signature> {
        self.place_in(coin, &self.keys.member().fedpeg)?;
        let message = plan::sighash(tx, index, coin)?;
        Some(match &coin.claim_script {
            None => Signature::make(&message, &self.keys.fedpeg),
            Some(claim) => {
                let mut key = tweak::tweak_secret(&self.keys.fedpeg, claim.as_bytes())?;
                let signature = Signature::make(&message, &key);
                key.non_secure_erase();
                signature
            }
        })
    }

    fn take_share(&mut self, from: MemberId, share: BatchShare, effects: &mut Vec<Effect>) {
        let Ok(tx) = self.build(&share.plan) else { return };
        let txid = tx.compute_txid();
        if !self.state.batches.contains_key(&txid) {
            self.consider(share.plan.clone(), effects);
        }
        let Some(fedpeg) = self.roster.get(usize::from(from)).map(|member| member.fedpeg) else { return };
        if share.signatures.len() != share.plan.inputs.len() {
            return;
        }
        let genuine = share.plan.inputs.iter().zip(&share.signatures).enumerate().all(|(index, (outpoint, signature))| {
            let Some(signature) = signature else { return true };
            let check = || {
                let coin = self.state.coins.get(outpoint)?;
                let key = coin.peg_script()?.keys[self.place_in(coin, &fedpeg)?];
                Some(signature.verify(&plan::sighash(&tx, index, coin)?, &key))
            };
            check() == Some(true)
        });
        if let Some(batch) = self.state.batches.get_mut(&txid).filter(|_| genuine) {
            batch.shares.insert(from, share.signatures);
            self.complete(txid, effects);
        }
    }

    /// Announces a batch that has its signatures and no block yet.
    fn complete(&self, txid: Txid, effects: &mut Vec<Effect>) {
        if let Some(batch) = self.state.batches.get(&txid).filter(|batch| batch.confirmed.is_none())
            && let Some(tx) = self.finalize(batch)
        {
            effects.push(Effect::BroadcastBitcoin(Box::new(tx)));
        }
    }

    pub(super) fn announce(&self, effects: &mut Vec<Effect>) {
        let mut waiting: Vec<_> = self.state.batches.iter().filter(|(_, batch)| batch.confirmed.is_none()).collect();
        // A later batch may spend the change of an earlier one.
        waiting.sort_by_key(|(_, batch)| (batch.signed_at, batch.plan.fee_rate));
        for (txid, _) in waiting {
            self.complete(*txid, effects);
        }
    }

    /// The transaction with its witnesses: empty dummy, k signatures (DER, then 01) in key order, script.
    pub(super) fn finalize(&self, batch: &Batch) -> Option<Transaction> {
        let mut tx = self.build(&batch.plan).ok()?;
        for (index, outpoint) in batch.plan.inputs.iter().enumerate() {
            let coin = self.state.coins.get(outpoint)?;
            let script = coin.peg_script()?;
            let mut by_place: BTreeMap<usize, Signature> = BTreeMap::new();
            for (member, signatures) in &batch.shares {
                if let Some(Some(signature)) = signatures.get(index) {
                    let fedpeg = self.roster.get(usize::from(*member))?.fedpeg;
                    by_place.insert(self.place_in(coin, &fedpeg)?, *signature);
                }
            }
            let mut witness = Witness::new();
            witness.push([]);
            for signature in by_place.values().take(script.k.into()) {
                let mut item = signature.ecdsa()?.serialize_der().to_vec();
                item.push(1);
                witness.push(item);
            }
            witness.push(script.to_script());
            if witness.len() != usize::from(script.k) + 2 {
                return None;
            }
            tx.input[index].witness = witness;
        }
        Some(tx)
    }
}
