//! Carrying effects out: the same question is asked again until there is an answer, and the answer is written down.

mod stake;

use super::{Effect, Finished, Input, Running, in_block};
use crate::memory::{Core, stale};
use crate::profile::{Profile, now};
use causeway_contract::Tag;
use causeway_journal::{EffectId, Issued};
use causeway_sidechain::consensus::pegin::{Peg, PeginWitness};
use causeway_sidechain::wallet::build::PegInClaim;
use causeway_sidechain::wallet::{Action, Intent};
use causeway_vocab::{Code, NetworkId, Refusal};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// First and longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(120));

/// What a try came to.
enum Outcome {
    /// Written down; the effect is over.
    Answered,
    /// Nobody waits for it any more.
    Obsolete,
    /// Not now, and why.
    Later(Refusal),
    /// Not now, and nothing is wrong.
    Rest,
}

impl Profile {
    /// Takes up whatever the last process left under way.
    pub(crate) fn resume_operations(&self) {
        let outstanding = self.core().operations.outstanding();
        for (operation, issued) in outstanding {
            self.start_effect(operation, issued);
        }
    }

    /// Carries an effect out in a task of its own, unless one does so already.
    pub(crate) fn start_effect(&self, operation: u32, issued: Issued<Effect>) {
        let key = (operation, issued.id);
        if !self.core().operations.running.insert(key) {
            return;
        }
        let profile = self.me();
        self.keep(tokio::spawn(async move {
            let mut pause = PAUSES.0;
            loop {
                // Ask to be woken before looking, so that no wake is missed.
                let woken = profile.wake.notified();
                let outcome = match &issued.effect {
                    Effect::Send(tx) => profile.send(operation, issued.id, tx).await,
                    Effect::Claim => profile.claim(operation, issued.id).await,
                    Effect::Pay => profile.pay(operation, issued.id).await,
                    Effect::Register => profile.register_stake(operation, issued.id).await,
                    Effect::Cosign => profile.cosign_stake(operation, issued.id).await,
                    Effect::Prove => profile.prove_stake(operation, issued.id).await,
                };
                match outcome {
                    Outcome::Answered | Outcome::Obsolete => break,
                    Outcome::Later(refusal) => profile.trouble(operation, refusal),
                    Outcome::Rest => {}
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSES.1),
                    () = woken => {}
                }
            }
            profile.core().operations.running.remove(&key);
        }));
    }

    /// Shows why an operation does not move on.
    fn trouble(&self, operation: u32, refusal: Refusal) {
        let changed = self.core().operations.troubles.insert(operation, refusal.clone()) != Some(refusal);
        if changed {
            self.tell([Tag::Operations]);
        }
    }

    fn answer(&self, operation: u32, effect: EffectId, input: Input) -> Outcome {
        match self.change(|core, write| core.feed(write, operation, input, Some(effect))) {
            Ok(()) => Outcome::Answered,
            Err(refusal) if refusal.code == Code::NotFound => Outcome::Obsolete,
            Err(refusal) => Outcome::Later(refusal),
        }
    }

    async fn send(&self, operation: u32, effect: EffectId, tx: &Finished) -> Outcome {
        let (wanted, mined) = {
            let core = self.core();
            let open = core.operations.open.get(&operation);
            let wanted = core.operations.outstanding().iter().any(|(id, issued)| (*id, issued.id) == (operation, effect));
            (wanted, open.is_some_and(|open| on!(&open.log, log => in_block(log, &tx.txid))))
        };
        if !wanted {
            return Outcome::Obsolete;
        }
        if !mined && let Err(refusal) = self.broadcast(tx).await {
            return Outcome::Later(refusal);
        }
        self.answer(operation, effect, Input::Sent { txid: tx.txid.clone(), time: now() })
    }

    /// Offers a finished transaction to the peers of its network.
    pub(crate) async fn broadcast(&self, tx: &Finished) -> Result<(), Refusal> {
        let damaged = || Refusal::new(Code::DiskFailed).with("why", "a transaction in the journal cannot be read");
        let outcome = match tx.network {
            NetworkId::Bitcoin => self.clients.bitcoin.broadcast(tx.read_bitcoin().ok_or_else(damaged)?).await,
            NetworkId::Sidechain => self.clients.sidechain.broadcast(tx.read_sidechain().ok_or_else(damaged)?).await,
        };
        outcome.map_err(|fault| fault.refusal)
    }

    /// Sends again what peers hold but no block does: they may have forgotten it.
    pub(crate) async fn rebroadcast(&self) {
        let waiting = self.core().operations.waiting();
        for tx in waiting {
            if let Err(refusal) = self.broadcast(&tx).await {
                tracing::debug!(code = ?refusal.code, "a transaction was not taken again");
            }
        }
    }

    async fn claim(&self, operation: u32, effect: EffectId) -> Outcome {
        let wallet = self.core().operations.open.get(&operation).map(|open| open.row.wallet);
        if let Some(wallet) = wallet
            && let Err(refusal) = self.unlock_if_open(wallet).await
        {
            return Outcome::Later(refusal);
        }
        let (wallet, deposit, script) = {
            let core = self.core();
            let Some(open) = core.operations.open.get(&operation) else { return Outcome::Obsolete };
            let Running::PegIn(log) = &open.log else { return Outcome::Obsolete };
            let state = log.state();
            if state.claim.is_some() {
                return Outcome::Obsolete;
            }
            let (Some(deposit), Some(_), false) = (&state.deposit, state.deep, state.held) else {
                return Outcome::Later(Refusal::new(Code::PegPaused).with("why", "held"));
            };
            if !core.keys.contains_key(&open.row.wallet) {
                let watch_only = core.wallet(open.row.wallet).is_ok_and(|wallet| wallet.accounts.is_none());
                return Outcome::Later(if watch_only { Code::WatchOnly.into() } else { Code::Locked.into() });
            }
            (open.row.wallet, deposit.clone(), state.order.claim_script.clone())
        };
        let block = match self.clients.bitcoin.block(deposit.block).await {
            Ok((_, block)) => block,
            Err(fault) => return Outcome::Later(fault.refusal),
        };
        let params = &self.realm.sidechain;
        let peg = Peg::from(params);
        let fedpegs = self.clients.sidechain.with_chain(|chain| chain.state().fedpegs_for_next_block(params));
        let Some(witness) = PeginWitness::build(&peg, &block, &deposit.outpoint.txid, deposit.outpoint.vout, &script) else {
            return Outcome::Later(Refusal::new(Code::BadPeer).with("peer", "bitcoin"));
        };
        if witness.verify(&peg, &deposit.outpoint, &fedpegs).is_err() {
            return Outcome::Later(Code::PegInExpired.into());
        }
        let claim = PegInClaim { deposit: deposit.outpoint, witness };
        let outcome = self.change(|core, write| {
            let (tx, fee) = build_claim(core, write, wallet, claim)?;
            let arrives = deposit.value.saturating_sub(fee);
            let input = Input::Claimed { claim: Finished::sidechain(&tx), arrives, time: now() };
            stale(write, &[Tag::History, Tag::Coins, Tag::Balances]);
            core.feed(write, operation, input, Some(effect))
        });
        match outcome {
            Ok(()) => Outcome::Answered,
            Err(refusal) if refusal.code == Code::NotFound => Outcome::Obsolete,
            Err(refusal) => Outcome::Later(refusal),
        }
    }
}

impl Profile {
    /// Signs the next transaction of a distribution, if one is due.
    async fn pay(&self, operation: u32, effect: EffectId) -> Outcome {
        let wallet = self.core().operations.open.get(&operation).map(|open| open.row.wallet);
        let Some(wallet) = wallet else { return Outcome::Obsolete };
        if let Err(refusal) = self.unlock_if_open(wallet).await {
            return Outcome::Later(refusal);
        }
        let outcome = self.change(|core, write| {
            core.not_halted(NetworkId::Sidechain)?;
            let Some(Running::Distribute(log)) = core.operations.open.get(&operation).map(|open| &open.log) else {
                return Err(Refusal::new(Code::NotFound).with("what", "operation"));
            };
            let state = log.state();
            let Some(index) = state.due() else { return Ok(false) };
            let (order, fees) = (Arc::clone(&state.order), state.fees());
            let (tx, fee) = crate::distribution::pay(core, write, wallet, &order, index, fees)?;
            let spends = tx.input.iter().map(|input| input.previous_output).collect();
            let input = Input::Paid { tx: Finished::sidechain(&tx), spends, fee };
            stale(write, &[Tag::History, Tag::Coins, Tag::Balances]);
            core.feed(write, operation, input, Some(effect)).map(|()| true)
        });
        match outcome {
            Ok(true) => {
                self.watch_new();
                Outcome::Answered
            }
            Ok(false) => Outcome::Rest,
            Err(refusal) if refusal.code == Code::NotFound => Outcome::Obsolete,
            Err(refusal) => Outcome::Later(refusal),
        }
    }
}

/// Plans, blinds, checks and signs a claim, and notes it in the wallet. Gives its fee, satoshi.
fn build_claim(
    core: &mut Core,
    write: &mut causeway_store::Write<'_>,
    wallet: u32,
    claim: PegInClaim,
) -> Result<(elements::Transaction, u64), Refusal> {
    let intent = Intent {
        action: Action::ClaimPegIn(Box::new(claim)),
        fee_rate: crate::fees::SIDECHAIN_NORMAL,
        discount: true,
        coins: BTreeSet::new(),
        include: BTreeSet::new(),
        exclude: BTreeSet::new(),
        allow_explicit: false,
    };
    let plan = core.wallet(wallet)?.sidechain.plan(&intent, &mut rand::thread_rng())?;
    let fee = plan.fee;
    let tx = crate::drafts::sign_unattended(core, write, wallet, &plan, |_| true)?;
    Ok((tx, fee))
}
