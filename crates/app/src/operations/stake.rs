//! A stake: bitcoin locked under a committee's covenant, from registration until the coins are back.
//!
//! Signed -> Registered -> Cosigned -> Broadcast -> Confirmed -> Activated -> Withdrawn -> Final.
//!
//! The staking transaction is signed with everything else that the user agreed to at once, and goes out only when the committee's signatures over
//! the way out were verified under our own hashes and are in this journal. Until then the stake can be given up: its coins are reserved and
//! nothing of it is on Bitcoin. From then on leaving takes nothing but this journal and the keys.

use super::machine::{At, Effect, Finished, Heights, Input, Operation, Passed, Timeline, final_depth};
use bitcoin::{Amount, BlockHash, OutPoint, XOnlyPublicKey};
use causeway_contract::{DraftKind, StepName};
use causeway_journal::{Machine, Next, Progress, Stage, Unit};
use causeway_staking::delegation::{CovenantSignatures, Registration, Verified};
use causeway_staking::fund::Locked;
use causeway_staking::lifecycle::{Seen, Sightings, State as Standing, Step, step_after_unbonding, step_of};
use causeway_staking::params::Params;
use causeway_staking::stake::Stake;
use causeway_vocab::{Code, NetworkId, Refusal};
use serde::{Deserialize, Serialize};

/// What the user agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// Which of the wallet's staker keys.
    pub(crate) index: u32,
    pub(crate) staker: XOnlyPublicKey,
    pub(crate) provider: XOnlyPublicKey,
    /// What the provider called itself.
    pub(crate) moniker: String,
    /// Satoshi.
    pub(crate) value: u64,
    pub(crate) blocks: u16,
    pub(crate) params_version: u32,
    /// They apply for the stake's life.
    pub(crate) params: Params,
    /// Blocks on top of the stake's own before it counts.
    pub(crate) depth: u32,
    pub(crate) registration: Registration,
    /// Proof that the staker's key belongs to the account, hex.
    pub(crate) possession: String,
    /// The staking transaction, signed.
    pub(crate) staking: Finished,
    pub(crate) time: u32,
}

impl Order {
    /// The stake. What the order says was checked when it was made.
    pub(crate) fn stake(&self) -> Result<Stake, Refusal> {
        Ok(Stake::plan(&self.params, self.staker, self.provider, Amount::from_sat(self.value), self.blocks)?)
    }

    /// Where the stake is, or will be.
    pub(crate) fn outpoint(&self, stake: &Stake) -> Option<OutPoint> {
        stake.find_in(&self.registration.staking)
    }
}

/// A spend of an output of the stake, in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spent {
    pub(crate) step: Step,
    pub(crate) tx: Finished,
    pub(crate) at: At,
}

/// Where it stands.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) order: Order,
    pub(crate) stake: Stake,
    outpoint: OutPoint,
    pub(crate) registered: Option<u32>,
    pub(crate) covenant: Option<(CovenantSignatures, u32)>,
    sent: Vec<String>,
    pub(crate) staked: Option<(At, BlockHash)>,
    deep: bool,
    pub(crate) activated: Option<u32>,
    pub(crate) spent: Vec<Spent>,
    leaving: Option<Finished>,
    withdrawing: Option<Finished>,
    finished: Option<u32>,
    stopped: bool,
    failed: Option<Refusal>,
}

/// See the module.
pub(crate) struct Staking;

impl Machine for Staking {
    const KIND: &'static str = "stake";
    type Order = Order;
    type State = State;
    type Input = Input;
    type Effect = Effect;

    fn start(order: &Order) -> Result<Next<Self>, Refusal> {
        let stake = order.stake()?;
        let outpoint = order.outpoint(&stake).ok_or(Code::BadDelegation)?;
        let state = State {
            order: order.clone(),
            stake,
            outpoint,
            registered: None,
            covenant: None,
            sent: Vec::new(),
            staked: None,
            deep: false,
            activated: None,
            spent: Vec::new(),
            leaving: None,
            withdrawing: None,
            finished: None,
            stopped: false,
            failed: None,
        };
        Ok((state, vec![Effect::Register]))
    }

    fn step(state: &State, input: &Input) -> Result<Next<Self>, Refusal> {
        let mut next = state.clone();
        let mut effects = Vec::new();
        match input {
            Input::Registered { time } if state.registered.is_none() => {
                next.registered = Some(*time);
                effects.push(Effect::Cosign);
            }
            Input::Cosigned { covenant, time } if state.covenant.is_none() => {
                next.covenant = Some(((**covenant).clone(), *time));
                effects.push(Effect::Send(state.order.staking.clone()));
            }
            Input::Sent { txid, .. } if !state.sent.contains(txid) => next.sent.push(txid.clone()),
            Input::Staked { at, block } => next.staked = Some((*at, *block)),
            Input::Deep { .. } if !state.deep => {
                next.deep = true;
                effects.push(Effect::Prove);
            }
            Input::Activated { time } => next.activated = state.activated.or(Some(*time)),
            Input::Spent(spent) => next.spent.push(spent.clone()),
            Input::Leaving { tx } => {
                next.leaving = Some(tx.clone());
                effects.push(Effect::Send(tx.clone()));
            }
            Input::Withdrawing { tx } => {
                next.withdrawing = Some(tx.clone());
                effects.push(Effect::Send(tx.clone()));
            }
            Input::Undone { network: NetworkId::Bitcoin, above } => {
                if state.staked.is_some_and(|(at, _)| at.height > *above) {
                    (next.staked, next.deep, next.activated) = (None, false, None);
                    effects.push(Effect::Send(state.order.staking.clone()));
                }
                let (kept, undone) = state.spent.iter().cloned().partition(|spent| spent.at.height <= *above);
                next.spent = kept;
                let undone: Vec<Spent> = undone;
                let own = [&state.leaving, &state.withdrawing].into_iter().flatten();
                let again = own.filter(|own| undone.iter().any(|spent| spent.tx.txid == own.txid));
                effects.extend(again.cloned().map(Effect::Send));
            }
            Input::Conflicted { .. } if state.staked.is_none() => {
                next.failed = Some(Refusal::new(Code::NotAccepted).with("txid", &state.order.staking.txid));
            }
            Input::Final { time } => next.finished = Some(*time),
            _ => {}
        }
        Ok((next, effects))
    }

    fn stop(state: &State) -> Result<Next<Self>, Refusal> {
        Ok((State { stopped: true, ..state.clone() }, Vec::new()))
    }

    fn past_no_return(state: &State) -> bool {
        state.covenant.is_some()
    }

    fn stage(state: &State) -> Stage {
        match state {
            State { failed: Some(refusal), .. } => Stage::Failed(refusal.clone()),
            State { stopped: true, .. } => Stage::Stopped,
            State { finished: Some(_), .. } => Stage::Done,
            State { covenant: None, .. } => Stage::Working,
            _ => Stage::Waiting,
        }
    }

    fn progress(state: &State) -> Progress {
        let passed = [
            state.registered.is_some(),
            state.covenant.is_some(),
            state.staked.is_some(),
            state.activated.is_some(),
            state.withdrawn().is_some(),
        ];
        Progress { done: 1 + passed.iter().filter(|p| **p).count() as u32, of: 6, unit: Unit::Steps, eta: None }
    }
}

impl State {
    /// The delegation with the committee's signatures, verified again: the way out.
    pub(crate) fn verified(&self) -> Option<Verified> {
        let (covenant, _) = self.covenant.as_ref()?;
        Verified::check(self.stake.clone(), self.order.registration.clone(), covenant.clone()).ok()
    }

    /// Transactions that peers hold and no block does.
    pub(crate) fn waiting(&self) -> Vec<Finished> {
        let staking = Some(&self.order.staking).filter(|_| self.staked.is_none());
        let later = [&self.leaving, &self.withdrawing].into_iter().flatten();
        let later = later.filter(|tx| !self.spent.iter().any(|spent| spent.tx.txid == tx.txid));
        staking.into_iter().chain(later).filter(|tx| self.sent.contains(&tx.txid)).cloned().collect()
    }

    /// Coins that are held for the staking transaction, which is not on Bitcoin yet.
    pub(crate) fn held(&self) -> impl Iterator<Item = OutPoint> + '_ {
        let held = self.covenant.is_none().then_some(&self.order.registration.staking);
        held.into_iter().flat_map(|tx| tx.input.iter().map(|input| input.previous_output))
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.stopped || self.failed.is_some()
    }

    fn withdrawn(&self) -> Option<&Spent> {
        self.spent.last().filter(|spent| spent.step == Step::Withdrawal)
    }

    fn seen(at: Option<At>) -> Seen {
        at.map_or(Seen::Unconfirmed, |at| Seen::Block(at.height))
    }

    /// Everything that was seen of it, for the stake's own account of its life.
    pub(crate) fn sightings(&self) -> Sightings {
        let mut steps: Vec<(Step, Seen)> = self.spent.iter().map(|spent| (spent.step, State::seen(Some(spent.at)))).collect();
        let pending =
            |tx: &Option<Finished>| tx.as_ref().is_some_and(|tx| !self.spent.iter().any(|spent| spent.tx.txid == tx.txid));
        // Our own transaction stands in for what no block tells yet.
        match steps.last() {
            None if pending(&self.leaving) => steps.push((Step::Unbonding, Seen::Unconfirmed)),
            Some((Step::Withdrawal | Step::Extension, _)) => {}
            _ if pending(&self.withdrawing) => steps.push((Step::Withdrawal, Seen::Unconfirmed)),
            _ => {}
        }
        let sent = self.sent.contains(&self.order.staking.txid);
        Sightings {
            registered: self.registered.is_some(),
            verified: self.covenant.is_some(),
            activated: self.activated.is_some(),
            staking: self.staked.map(|(at, _)| Seen::Block(at.height)).or(sent.then_some(Seen::Unconfirmed)),
            steps,
        }
    }

    /// Where it stands at a Bitcoin height.
    pub(crate) fn standing(&self, tip: u32) -> Standing {
        self.sightings().state(&self.stake, self.order.depth, tip)
    }

    /// An output of the stake that opens to the staker alone, and its value.
    pub(crate) fn output(&self, locked: Locked) -> Option<(OutPoint, Amount)> {
        let of = |step: Step, vout: u32| {
            let tx = self.spent.iter().find(|spent| spent.step == step)?.tx.read_bitcoin()?;
            let value = tx.output.get(usize::try_from(vout).ok()?)?.value;
            Some((OutPoint { txid: tx.compute_txid(), vout }, value))
        };
        match locked {
            Locked::Staking => Some((self.outpoint, self.stake.value())),
            Locked::Unbonding => of(Step::Unbonding, 0),
            Locked::Refund => of(Step::Slashing, 1),
        }
    }

    /// What a transaction in a block does to the newest output of the stake.
    fn step_in(&self, tx: &bitcoin::Transaction) -> Option<Step> {
        match self.spent.last().map(|spent| spent.step) {
            None => step_of(&self.stake, self.outpoint, tx),
            Some(Step::Unbonding) => step_after_unbonding(&self.stake, self.output(Locked::Unbonding)?.0, tx),
            Some(Step::Slashing) => {
                let refund = self.output(Locked::Refund)?.0;
                tx.input.iter().any(|input| input.previous_output == refund).then_some(Step::Withdrawal)
            }
            Some(Step::Withdrawal | Step::Extension) => None,
        }
    }
}

impl Operation for Staking {
    fn on_bitcoin(state: &State, tx: &bitcoin::Transaction, block: BlockHash, at: At, _: &[bitcoin::ScriptBuf]) -> Option<Input> {
        if state.staked.is_none() {
            return match state.order.staking.on_bitcoin(tx, at)? {
                Input::InBlock { .. } => Some(Input::Staked { at, block }),
                other => Some(other),
            };
        }
        let step = state.step_in(tx)?;
        Some(Input::Spent(Spent { step, tx: Finished::bitcoin(tx), at }))
    }

    fn on_sidechain(_: &State, _: &elements::Transaction, _: At) -> Option<Input> {
        None
    }

    fn on_heights(state: &State, heights: Heights, now: u32) -> Option<Input> {
        if let Some(withdrawn) = state.withdrawn() {
            let deep = heights.depth(NetworkId::Bitcoin, withdrawn.at.height) >= final_depth(NetworkId::Bitcoin);
            return (deep && state.finished.is_none()).then_some(Input::Final { time: now });
        }
        let (at, _) = state.staked?;
        // The control plane counts blocks on top, so one less than confirmations.
        let deep = heights.depth(NetworkId::Bitcoin, at.height) > state.order.depth;
        (deep && !state.deep && state.spent.is_empty()).then_some(Input::Deep { time: now })
    }

    fn timeline(state: &State, heights: Heights) -> Timeline {
        let of = state.order.depth;
        let done = state.staked.map_or(0, |(at, _)| heights.bitcoin.saturating_sub(at.height).min(of));
        let passed = |time: u32| Passed { time, height: None };
        let in_block = |at: At| Passed { time: at.time, height: Some(at.height) };
        let staked = state.staked.map(|(at, _)| in_block(at));
        let counting = state.staked.is_some() && state.activated.is_none() && state.spent.is_empty();
        Timeline {
            kind: Some(DraftKind::Stake),
            steps: vec![
                (StepName::Signed, Some(passed(state.order.time))),
                (StepName::Registered, state.registered.map(passed)),
                (StepName::Cosigned, state.covenant.as_ref().map(|(_, time)| passed(*time))),
                (StepName::Confirmed, staked),
                (StepName::Activated, state.activated.map(passed)),
                (StepName::Withdrawn, state.withdrawn().map(|spent| in_block(spent.at))),
                (StepName::Final, state.finished.map(passed)),
            ],
            no_return: Some(2),
            done: if counting { done } else { 0 },
            of: if counting { of } else { 0 },
            counts: counting.then_some(NetworkId::Bitcoin),
            amount: Some(("btc".to_owned(), state.order.value)),
            bitcoin_txid: Some(state.order.staking.txid.clone()),
            ..Timeline::default()
        }
    }

    fn in_block(state: &State, txid: &str) -> bool {
        let staked = state.staked.is_some() && state.order.staking.txid == txid;
        staked || state.spent.iter().any(|spent| spent.tx.txid == txid)
    }

    fn scripts(state: &State) -> Vec<bitcoin::ScriptBuf> {
        let trees = state.stake.trees();
        [&trees.staking, &trees.unbonding, &trees.refund].map(causeway_staking::Tree::script_pubkey).to_vec()
    }

    fn transactions(state: &State) -> Vec<(NetworkId, String, &'static str)> {
        // Before the committee has signed there is no such transaction on Bitcoin.
        let staking = state.covenant.iter().map(|_| (state.order.staking.txid.clone(), "stake"));
        let spent = state.spent.iter().map(|spent| (spent.tx.txid.clone(), "unstake"));
        staking.chain(spent).map(|(txid, role)| (NetworkId::Bitcoin, txid, role)).collect()
    }
}
