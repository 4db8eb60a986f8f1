//! Following both chains: coins, claims, peg-outs and payments.

use super::plan;
use super::state::{Coin, Pegout, WaitingClaim};
use super::{Effect, PegFault, PeginClaim, PegoutRequest, Watchman};
use crate::tweak::PegScript;
use bitcoin::hashes::Hash as _;
use bitcoin::{OutPoint, Transaction, Txid};
use causeway_vocab::{Height, Tip};
use std::collections::BTreeMap;

/// Block hashes that are kept: longer than any claim may take.
const KEPT_BLOCKS: usize = 4000;
/// Progress alone is written down this often, blocks.
const PROGRESS: Height = 100;
/// Ticks without more than a block each, after which both chains count as followed.
const QUIET: u32 = 8;
/// A claim whose deposit is not deep enough here is reported after so many more Bitcoin blocks.
const PATIENCE: Height = 3;

impl Watchman {
    pub(super) fn bitcoin_height(&self) -> Height {
        self.state.bitcoin.keys().next_back().copied().unwrap_or(0)
    }

    fn sidechain_height(&self) -> Height {
        self.state.sidechain.keys().next_back().copied().unwrap_or(0)
    }

    pub(super) fn connect_bitcoin(&mut self, height: Height, block: &bitcoin::Block, effects: &mut Vec<Effect>) {
        if let Some((last, hash)) = self.state.bitcoin.last_key_value()
            && (last.checked_add(1) != Some(height) || *hash != block.header.prev_blockhash)
        {
            return;
        }
        self.state.bitcoin.insert(height, block.block_hash());
        while self.state.bitcoin.len() > KEPT_BLOCKS {
            self.state.bitcoin.pop_first();
        }
        self.dirty |= height.is_multiple_of(PROGRESS);
        for tx in &block.txdata {
            self.connect_transaction(height, tx);
        }
        self.settle(height);
        self.judge_waiting(effects);
        self.explain();
        self.announce(effects);
    }

    fn connect_transaction(&mut self, height: Height, tx: &Transaction) {
        let txid = tx.compute_txid();
        let inputs = tx.input.iter().map(|input| input.previous_output);
        let parents: Vec<OutPoint> = inputs.filter(|spent| self.state.coins.contains_key(spent)).collect();
        for input in &tx.input {
            if let Some(coin) = self.state.coins.get_mut(&input.previous_output) {
                coin.spent = Some((height, txid));
            } else if self.may_be_ours(input) {
                self.state.strays.insert(input.previous_output, (height, tx.clone()));
                self.dirty = true;
            }
        }
        for (vout, output) in (0..).zip(&tx.output) {
            let outpoint = OutPoint { txid, vout };
            if let Some(coin) = self.state.coins.get_mut(&outpoint) {
                coin.confirmed = Some(height);
                self.dirty = true;
            } else if let Some(mut coin) = self.own_coin(&output.script_pubkey) {
                coin.sat = output.value.to_sat();
                coin.confirmed = Some(height);
                coin.parents.clone_from(&parents);
                self.state.coins.insert(outpoint, coin);
                self.dirty = true;
            }
        }
        if parents.is_empty() {
            return;
        }
        self.dirty = true;
        self.wished_inputs.clear();
        self.wished_pegouts.clear();
        if let Some(batch) = self.state.batches.get_mut(&txid) {
            batch.confirmed = Some(height);
            let paid = batch.plan.pegouts.clone();
            self.mark_paid(&paid, height, txid);
        } else {
            self.state.unexplained.insert(txid, (height, tx.clone()));
            self.explain();
        }
    }

    /// Change, or a gift: an output to an untweaked peg script.
    fn own_coin(&self, script: &bitcoin::Script) -> Option<Coin> {
        let (_, fedpegscript, nested) = self.own_scripts.iter().find(|(own, ..)| own.as_script() == script)?;
        Some(Coin {
            sat: 0,
            fedpegscript: fedpegscript.clone(),
            claim_script: None,
            nested: *nested,
            confirmed: None,
            claimed: None,
            parents: Vec::new(),
            spent: None,
        })
    }

    fn mark_paid(&mut self, paid: &[elements::OutPoint], height: Height, txid: Txid) {
        for outpoint in paid {
            if let Some(pegout) = self.state.pegouts.get_mut(outpoint) {
                pegout.paid = Some((height, txid));
            }
        }
    }

    /// Finds the peg-outs that foreign spends pay: batches this member did not sign.
    fn explain(&mut self) {
        for (txid, (height, tx)) in self.state.unexplained.clone() {
            let paid = if self.is_sweep(&tx) { Some(Vec::new()) } else { self.paid_by(&tx) };
            if let Some(paid) = paid {
                self.mark_paid(&paid, height, txid);
                self.state.unexplained.remove(&txid);
                self.dirty = true;
            }
        }
    }

    /// Reports foreign spends that stay unexplained although both chains have been followed to their tips: whoever is still catching up, or
    /// was started from an old state, knows of payments before it knows of the peg-outs that they pay.
    pub(super) fn report_spends(&mut self, effects: &mut Vec<Effect>) {
        let seen = (self.bitcoin_height(), self.sidechain_height());
        let near = |before: Height, now: Height| now.abs_diff(before) <= 1;
        let quiet = near(self.seen.0, seen.0) && near(self.seen.1, seen.1);
        self.quiet = if quiet { self.quiet.saturating_add(1) } else { 0 };
        self.seen = seen;
        if self.quiet < QUIET {
            return;
        }
        for (txid, (_, tx)) in &self.state.unexplained {
            let spent = tx.input.iter().map(|input| input.previous_output).find(|spent| self.state.coins.contains_key(spent));
            if let Some(spent) = spent.filter(|_| self.reported.insert(*txid)) {
                effects.push(Effect::Alarm(PegFault::UnknownSpend(spent)));
            }
        }
    }

    /// The peg-outs of a transaction by the rule of [`plan::fee_share`]: ascending, each paid but for one and the same share.
    fn paid_by(&self, tx: &Transaction) -> Option<Vec<elements::OutPoint>> {
        let count = self.own_scripts.iter().map(|(own, ..)| plan::payments(tx, own)).min()?;
        let open = || self.state.pegouts.iter().filter(|(_, pegout)| pegout.paid.is_none());
        let first = tx.output[..count].first()?;
        let shares = open()
            .filter(|(_, pegout)| pegout.destination == first.script_pubkey)
            .filter_map(|(_, pegout)| pegout.sat.checked_sub(first.value.to_sat()));
        let matching = |share: u64| {
            let mut found: Vec<elements::OutPoint> = Vec::new();
            for output in &tx.output[..count] {
                let (outpoint, _) = open().find(|(outpoint, pegout)| {
                    found.last().is_none_or(|last| last < *outpoint)
                        && pegout.destination == output.script_pubkey
                        && pegout.sat.checked_sub(share) == Some(output.value.to_sat())
                })?;
                found.push(*outpoint);
            }
            Some(found)
        };
        shares.collect::<std::collections::BTreeSet<_>>().into_iter().find_map(matching)
    }

    pub(super) fn disconnect_bitcoin(&mut self, height: Height) {
        if self.state.bitcoin.last_key_value().is_none_or(|(last, _)| *last != height) {
            return;
        }
        self.state.bitcoin.remove(&height);
        let at = |mark: Option<(Height, Txid)>| mark.filter(|(then, _)| *then != height);
        for coin in self.state.coins.values_mut() {
            coin.confirmed = coin.confirmed.filter(|then| *then != height);
            coin.spent = at(coin.spent);
        }
        for pegout in self.state.pegouts.values_mut() {
            pegout.paid = at(pegout.paid);
        }
        for batch in self.state.batches.values_mut() {
            batch.confirmed = batch.confirmed.filter(|then| *then != height);
        }
        self.state.unexplained.retain(|_, (then, _)| *then != height);
        self.state.strays.retain(|_, (then, _)| *then != height);
        self.dirty = true;
    }

    /// Drops what cannot be undone any more.
    fn settle(&mut self, tip: Height) {
        let depth = self.config.policy.final_depth;
        let is_final = |height: Height| tip.saturating_sub(height).saturating_add(1) >= depth;
        let state = &mut self.state;
        // A coin that is spent for good binds nobody.
        let mut gone: BTreeMap<OutPoint, Txid> = state
            .coins
            .iter()
            .filter_map(|(outpoint, coin)| coin.spent.filter(|(height, _)| is_final(*height)).map(|(_, txid)| (*outpoint, txid)))
            .collect();
        // Nor does one that a reorganisation took away, and whose parents have gone elsewhere since.
        loop {
            let elsewhere = |outpoint: &OutPoint, coin: &Coin| {
                coin.parents.iter().any(|parent| gone.get(parent).is_some_and(|txid| *txid != outpoint.txid))
            };
            let never = state
                .coins
                .iter()
                .find(|(outpoint, coin)| coin.confirmed.is_none() && !gone.contains_key(*outpoint) && elsewhere(outpoint, coin));
            // What it is spent by is nothing at all.
            let Some(never) = never.map(|(outpoint, _)| *outpoint) else { break };
            gone.insert(never, Txid::all_zeros());
        }
        for pegout in state.pegouts.values_mut() {
            if pegout.paid.is_none() && pegout.anchor.is_some_and(|anchor| gone.contains_key(&anchor)) {
                pegout.anchor = None;
            }
        }
        let settled: Vec<_> = state
            .pegouts
            .iter()
            .filter(|(_, pegout)| pegout.paid.is_some_and(|(height, _)| is_final(height)))
            .map(|(outpoint, _)| *outpoint)
            .collect();
        for outpoint in settled {
            state.pegouts.remove(&outpoint);
            state.settled.insert(outpoint);
        }
        state.batches.retain(|_, batch| !batch.plan.inputs.iter().any(|input| gone.contains_key(input)));
        state.coins.retain(|outpoint, _| !gone.contains_key(outpoint));
    }

    /// Takes the next sidechain block; `false` when it is not the next.
    pub(super) fn connect_sidechain(
        &mut self,
        tip: Tip<elements::BlockHash>,
        pegins: Vec<PeginClaim>,
        pegouts: Vec<PegoutRequest>,
        effects: &mut Vec<Effect>,
    ) -> bool {
        if self.state.sidechain.last_key_value().is_some_and(|(last, _)| last.checked_add(1) != Some(tip.height)) {
            return false;
        }
        self.state.sidechain.insert(tip.height, tip.hash);
        while self.state.sidechain.len() > KEPT_BLOCKS {
            self.state.sidechain.pop_first();
        }
        self.dirty |= tip.height.is_multiple_of(PROGRESS) || !pegins.is_empty() || !pegouts.is_empty();
        for claim in pegins {
            if let Err(fault) = self.take_claim(tip.height, &claim) {
                effects.push(Effect::Alarm(fault));
            }
        }
        for request in pegouts {
            self.take_pegout(tip.height, request, effects);
        }
        self.judge_waiting(effects);
        self.explain();
        true
    }

    /// Checks all of a claim but the depth of the deposit, which is judged when the Bitcoin chain is as far here.
    fn take_claim(&mut self, height: Height, claim: &PeginClaim) -> Result<(), PegFault> {
        let deposit = claim.deposit;
        if self.state.claimed.contains(&deposit) {
            return Err(PegFault::ClaimedTwice(deposit));
        }
        let unproven = || PegFault::DepositUnproven(deposit);
        let (mut matched, mut positions) = (Vec::new(), Vec::new());
        claim.proof.extract_matches(&mut matched, &mut positions).map_err(|_| unproven())?;
        if claim.parent_tx.compute_txid() != deposit.txid || matched != [deposit.txid] {
            return Err(unproven());
        }
        let output = claim.parent_tx.output.get(deposit.vout as usize).ok_or_else(unproven)?;
        if output.value.to_sat() != claim.sat {
            return Err(PegFault::AmountMismatch(deposit));
        }
        let claim_script = bitcoin::ScriptBuf::from_bytes(claim.claim_script.to_bytes());
        let forms = self.config.federations.iter().flat_map(|federation| {
            [false, true].map(|nested| Coin {
                sat: claim.sat,
                fedpegscript: federation.fedpegscript(),
                claim_script: Some(claim_script.clone()),
                nested,
                confirmed: None,
                claimed: Some(height),
                parents: Vec::new(),
                spent: None,
            })
        });
        let mut paying = forms.filter(|coin| coin.script_pubkey().as_ref() == Some(&output.script_pubkey));
        let coin = paying.next().ok_or(PegFault::ForeignScript(deposit))?;
        self.state.claimed.insert(deposit);
        if let Some(known) = self.state.coins.get_mut(&deposit) {
            known.claimed = Some(height);
        } else {
            let since = self.bitcoin_height();
            let waiting = WaitingClaim { coin, block: claim.proof.header.block_hash(), since };
            self.state.waiting.insert(deposit, waiting);
        }
        Ok(())
    }

    fn judge_waiting(&mut self, effects: &mut Vec<Effect>) {
        if self.state.waiting.is_empty() {
            return;
        }
        let tip = self.bitcoin_height();
        let blocks: BTreeMap<_, _> = self.state.bitcoin.iter().map(|(height, hash)| (*hash, *height)).collect();
        for (deposit, waiting) in self.state.waiting.clone() {
            let depth = blocks.get(&waiting.block).map(|height| tip - height + 1);
            if let (Some(height), Some(true)) =
                (blocks.get(&waiting.block), depth.map(|depth| depth >= self.config.policy.pegin_depth))
            {
                let spent = self.spent_before(&deposit);
                self.state.coins.insert(deposit, Coin { confirmed: Some(*height), spent, ..waiting.coin });
            } else if tip >= waiting.since.saturating_add(PATIENCE) {
                effects.push(Effect::Alarm(match depth {
                    Some(depth) => PegFault::DepositShallow { deposit, depth },
                    None => PegFault::DepositUnproven(deposit),
                }));
            } else {
                continue;
            }
            self.state.waiting.remove(&deposit);
            self.dirty = true;
        }
    }

    fn take_pegout(&mut self, height: Height, request: PegoutRequest, effects: &mut Vec<Effect>) {
        let outpoint = request.outpoint;
        if self.state.settled.contains(&outpoint) {
            return;
        }
        if let Some(known) = self.state.pegouts.get_mut(&outpoint) {
            known.requested = Some(height);
            return;
        }
        let destination = request.destination;
        let relayed = destination.is_p2pkh()
            || destination.is_p2sh()
            || destination.is_p2wpkh()
            || destination.is_p2wsh()
            || destination.is_p2tr();
        let fault = if !request.authorised {
            Some(PegFault::Unauthorised(outpoint))
        } else if !relayed || self.own_coin(&destination).is_some() {
            Some(PegFault::NonStandard(outpoint))
        } else if request.sat < self.config.policy.dust {
            Some(PegFault::Dust(outpoint))
        } else {
            None
        };
        let refused = fault.is_some();
        effects.extend(fault.map(Effect::Alarm));
        let pegout = Pegout { destination, sat: request.sat, requested: Some(height), anchor: None, paid: None, refused };
        self.state.pegouts.insert(outpoint, pegout);
    }

    pub(super) fn disconnect_sidechain(&mut self, height: Height, effects: &mut Vec<Effect>) {
        if self.state.sidechain.last_key_value().is_none_or(|(last, _)| *last != height) {
            return;
        }
        self.state.sidechain.remove(&height);
        for (deposit, coin) in &mut self.state.coins {
            if coin.claimed == Some(height) {
                coin.claimed = None;
                self.state.claimed.remove(deposit);
            }
        }
        let undone = self.state.waiting.extract_if(.., |_, waiting| waiting.coin.claimed == Some(height));
        for (deposit, _) in undone {
            self.state.claimed.remove(&deposit);
        }
        self.state.pegouts.retain(|outpoint, pegout| {
            if pegout.requested != Some(height) {
                return true;
            }
            pegout.requested = None;
            if pegout.paid.is_some() {
                effects.push(Effect::Alarm(PegFault::PaidAndUndone(*outpoint)));
            }
            // What was signed stays known: the payment may still confirm.
            pegout.paid.is_some() || pegout.anchor.is_some()
        });
        self.dirty = true;
    }

    /// Deep enough, not paid, and allowed.
    pub(super) fn is_payable(&self, pegout: &Pegout) -> bool {
        let depth = |height: Height| self.sidechain_height().saturating_sub(height).saturating_add(1);
        let deep = pegout.requested.is_some_and(|height| depth(height) >= self.config.policy.pegout_depth);
        deep && !pegout.refused && pegout.paid.is_none()
    }

    /// Confirmed, ours and unspent. What came from strangers without a claim must be as deep as a claimed deposit.
    pub(super) fn is_spendable(&self, coin: &Coin) -> bool {
        let Some(height) = coin.confirmed else { return false };
        let deep = || self.bitcoin_height().saturating_sub(height).saturating_add(1) >= self.config.policy.pegin_depth;
        let ours = if coin.claim_script.is_some() { coin.claimed.is_some() } else { !coin.parents.is_empty() || deep() };
        coin.spent.is_none() && ours
    }

    /// Whether enough of the present members hold keys of a coin.
    pub(super) fn is_signable(&self, coin: &Coin) -> bool {
        let (Some(script), Some(present)) = (PegScript::parse(&coin.fedpegscript), self.present()) else { return false };
        let held = script.keys.iter().filter(|key| present.members().iter().any(|member| member.fedpeg == **key));
        held.count() >= usize::from(script.k)
    }

    /// Whether this member's key can sign for a coin, and at which place of its script.
    pub(super) fn place_in(&self, coin: &Coin, fedpeg: &bitcoin::secp256k1::PublicKey) -> Option<usize> {
        PegScript::parse(&coin.fedpegscript)?.keys.iter().position(|key| key == fedpeg)
    }
}
