//! Sweeps: batches that pay nobody, and move coins to the present script.
//!
//! A coin is *due* when its script was voted out, so that it need not wait for a peg-out while those who can sign for it leave one by one; or
//! when it has lain still for so long that the emergency quorum could soon take it. A sweep binds nobody: whoever finds it right signs it, and
//! of several that spend the same coin whichever confirms is as good. Coins that peg-outs are bound to stay out of it.
//!
//! Nobody else is there to pay for a sweep, so its fee comes out of what it moves, at most [`FEE_PART`] of it. Whoever wants the federation to
//! hold all that it owes pays as much to its script.

use super::plan::BatchPlan;
use super::state::{Batch, Coin};
use super::{PegPolicy, Watchman};
use crate::tweak::PegScript;
use bitcoin::{OutPoint, Transaction, Txid};
use causeway_vocab::Height;
use std::collections::BTreeSet;

/// A sweep costs at most one part in so many of what it moves.
pub const FEE_PART: u64 = 100;
/// Most coins that one sweep moves.
const MOST: usize = 50;
/// Most sweeps of one coin that this member signs: each is as good as the other, and somebody may propose many.
const LIVE: usize = 16;

/// How old a coin is when it is due, as a part of the emergency delay. Those who sign are less strict than those who propose, because they do
/// not all see the same block at once.
pub(super) enum Due {
    ToPropose,
    ToSign,
}

impl Watchman {
    /// Whether a coin is to be moved: its script was voted out, or the emergency quorum could soon take it.
    pub(super) fn is_due(&self, coin: &Coin, due: Due) -> bool {
        let (Some(peg), Some(confirmed)) = (&self.state.peg, coin.confirmed) else { return false };
        if coin.fedpegscript != peg.fedpegscript {
            return true;
        }
        let Some(emergency) = PegScript::parse(&coin.fedpegscript).and_then(|script| script.emergency) else { return false };
        let (age, delay) = (u64::from(self.bitcoin_height().saturating_sub(confirmed)) + 1, u64::from(emergency.delay));
        match due {
            Due::ToPropose => age * 4 >= delay * 3,
            Due::ToSign => age * 2 >= delay,
        }
    }

    /// Sweeps to the present script that this member signed and that can still confirm.
    fn sweeps(&self) -> impl Iterator<Item = &Batch> {
        let alive = |batch: &&Batch| {
            batch.is_sweep()
                && batch.confirmed.is_none()
                && Some(&*batch.plan.change) == self.change_script()
                && batch.plan.inputs.iter().all(|outpoint| self.can_spend(outpoint))
        };
        self.state.batches.values().filter(alive)
    }

    fn waited(&self, batch: &Batch) -> Height {
        self.bitcoin_height().saturating_sub(batch.signed_at)
    }

    /// Coins that are on their way in a sweep: peg-outs that were bound to them would wait for nothing. A sweep that Bitcoin does not take, or
    /// that not enough members sign, holds its coins back only for a while.
    pub(super) fn in_sweep(&self) -> BTreeSet<OutPoint> {
        let PegPolicy { bump_after, .. } = self.config.policy;
        let holds = |batch: &&Batch| {
            let patience = if self.finalize(batch).is_some() { 8 } else { 2 };
            self.waited(batch) < bump_after.saturating_mul(patience)
        };
        self.sweeps().filter(holds).flat_map(|batch| batch.plan.inputs.iter().copied()).collect()
    }

    /// What this member would sweep now, or has begun to.
    pub(super) fn propose_sweep(&self) -> Option<BatchPlan> {
        if !self.state.unexplained.is_empty() {
            return None;
        }
        let waits = |batch: &Batch| self.waited(batch) >= self.config.policy.bump_after;
        let live: Vec<&Batch> = self.sweeps().collect();
        if let Some(young) = live.iter().filter(|batch| !waits(batch)).max_by_key(|batch| (batch.signed_at, batch.plan.fee_rate))
        {
            return Some(young.plan.clone());
        }
        self.new_sweep(&live).or_else(|| self.raised(&live)).or_else(|| {
            // Members that were away may be back.
            let at = usize::try_from(self.turn).unwrap_or(0).checked_rem(live.len())?;
            Some(live[at].plan.clone())
        })
    }

    /// Due coins of one script that are in no sweep yet, and large enough to pay for themselves.
    fn new_sweep(&self, live: &[&Batch]) -> Option<BatchPlan> {
        let change = self.change_script()?;
        let plan = |inputs| BatchPlan { fee_rate: self.fee_rate.max(1), inputs, pegouts: Vec::new(), change: change.to_owned() };
        let taken = self.taken(live);
        let free = self.state.coins.iter().filter(|(outpoint, coin)| {
            self.is_spendable(coin)
                && self.is_due(coin, Due::ToPropose)
                && !taken.contains(outpoint)
                && !self.is_anchor(outpoint)
                && self.build(&plan(vec![**outpoint])).is_ok()
        });
        let mut free: Vec<(&OutPoint, &Coin)> = free.collect();
        free.sort_by_key(|(outpoint, coin)| (!self.is_signable(coin), &coin.fedpegscript, coin.confirmed, **outpoint));
        let script = &free.first()?.1.fedpegscript;
        let alike = free.iter().filter(|(_, coin)| coin.fedpegscript == *script).take(MOST);
        let inputs: BTreeSet<OutPoint> = alike.map(|(outpoint, _)| **outpoint).collect();
        Some(plan(inputs.into_iter().collect()))
    }

    /// Coins of these sweeps, and of the payments under way.
    fn taken(&self, live: &[&Batch]) -> BTreeSet<OutPoint> {
        let payments = self.state.batches.values().filter(|batch| !batch.is_sweep() && batch.confirmed.is_none());
        live.iter().copied().chain(payments).flat_map(|batch| batch.plan.inputs.iter().copied()).collect()
    }

    /// A sweep that has its signatures and finds no block, at a higher fee.
    fn raised(&self, live: &[&Batch]) -> Option<BatchPlan> {
        let ready = live.iter().filter(|batch| self.finalize(batch).is_some());
        let dearest = ready.max_by_key(|batch| batch.plan.fee_rate)?;
        let rate = dearest.plan.fee_rate.saturating_add(dearest.plan.fee_rate / 4).saturating_add(1).max(self.fee_rate);
        let plan = BatchPlan { fee_rate: rate.min(*self.config.policy.fee_rate.end()), ..dearest.plan.clone() };
        (plan.fee_rate > dearest.plan.fee_rate && self.build(&plan).is_ok() && self.has_room(&plan)).then_some(plan)
    }

    fn has_room(&self, plan: &BatchPlan) -> bool {
        let sweeps = |coin: &OutPoint| self.sweeps().filter(|batch| batch.plan.inputs.contains(coin)).count();
        plan.inputs.iter().all(|coin| sweeps(coin) < LIVE)
    }

    /// Whether this member may sign a sweep: every coin is due, bound to nothing, and in no payment under way.
    pub(super) fn may_sweep(&self, plan: &BatchPlan) -> bool {
        let taken = self.taken(&[]);
        let due = |outpoint: &OutPoint| self.state.coins.get(outpoint).is_some_and(|coin| self.is_due(coin, Due::ToSign));
        plan.inputs.iter().all(|coin| due(coin) && !taken.contains(coin) && !self.is_anchor(coin)) && self.has_room(plan)
    }

    /// Whether a confirmed transaction does nothing but move coins of the federation to a script of its own, at a fee that a sweep may have.
    pub(super) fn is_sweep(&self, tx: &Transaction) -> bool {
        let [output] = &tx.output[..] else { return false };
        if !self.own_scripts.iter().any(|(own, ..)| *own == output.script_pubkey) {
            return false;
        }
        let sat = |outpoint: &OutPoint| self.state.coins.get(outpoint).map(|coin| coin.sat);
        let held = tx.input.iter().try_fold(0_u64, |sum, input| sum.checked_add(sat(&input.previous_output)?));
        let fee = held.and_then(|held| Some((held, held.checked_sub(output.value.to_sat())?)));
        fee.is_some_and(|(held, fee)| fee <= held / FEE_PART)
    }

    /// Looks up what an output that turns out to be a coin was spent by before anybody here knew that.
    pub(super) fn spent_before(&mut self, outpoint: &OutPoint) -> Option<(Height, Txid)> {
        let (height, tx) = self.state.strays.remove(outpoint)?;
        let txid = tx.compute_txid();
        // What it made are coins of a coin of ours, and not a gift.
        for vout in (0..).take(tx.output.len()) {
            if let Some(coin) = self.state.coins.get_mut(&OutPoint { txid, vout }) {
                coin.parents.push(*outpoint);
            }
        }
        if !self.state.batches.contains_key(&txid) {
            self.state.unexplained.insert(txid, (height, tx));
        }
        Some((height, txid))
    }

    /// Whether an input shows a script of the form of a federation's, so that it may spend a deposit whose claim is not known here yet.
    pub(super) fn may_be_ours(&self, input: &bitcoin::TxIn) -> bool {
        let shown = input.witness.last().and_then(|script| PegScript::parse(bitcoin::Script::from_bytes(script)));
        let alike = |script: &PegScript, own: &PegScript| {
            (script.k, script.keys.len()) == (own.k, own.keys.len())
                && script.emergency.as_ref().map(|path| path.delay) == own.emergency.as_ref().map(|path| path.delay)
        };
        shown.is_some_and(|script| self.config.federations.iter().any(|set| alike(&script, &set.peg_script())))
    }
}

impl Batch {
    /// Pays nobody.
    pub(super) fn is_sweep(&self) -> bool {
        self.plan.pegouts.is_empty()
    }
}
