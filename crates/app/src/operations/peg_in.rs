//! Bitcoin to the sidechain.
//!
//! From this wallet: Signed -> Broadcast -> Funded -> Depth -> Claimed -> Spendable.
//! From elsewhere: AwaitingPayment -> Funded -> Depth -> Claimed -> Spendable.
//!
//! A deposit cannot be taken back, so signing its payment is the point of no return. The claim is built from blocks that this app has
//! verified, with the keys; while they are locked it waits. The same deposit can be claimed once only: the claim's bytes are in the
//! journal before they are sent, and every later try sends the same bytes.

use super::machine::{At, Deposit, Effect, Finished, Heights, Input, Operation, Passed, Timeline};
use causeway_contract::{DraftKind, StepName};
use causeway_journal::{Machine, Next, Progress, Stage, Unit};
use causeway_vocab::{Code, Height, NetworkId, Refusal};
use serde::{Deserialize, Serialize};

/// Where to, and what pays for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The funding transaction; `None` when somebody else pays.
    pub(crate) funding: Option<Finished>,
    /// Sidechain script that may claim the deposit; one of ours.
    pub(crate) claim_script: elements::Script,
    /// Bitcoin script to be paid: the federation's, tweaked with the claim script.
    pub(crate) deposit_script: bitcoin::ScriptBuf,
    pub(crate) address: String,
    /// Satoshi, when known beforehand.
    pub(crate) amount: Option<u64>,
    /// Last sidechain height at which a claim is certain to be accepted.
    pub(crate) valid_until: Height,
    /// Confirmations that the federation asks for.
    pub(crate) depth: u32,
    pub(crate) time: u32,
}

/// Where it stands.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) order: Order,
    sent: Option<u32>,
    pub(crate) deposit: Option<Deposit>,
    pub(crate) deep: Option<u32>,
    pub(crate) held: bool,
    /// The claim was asked for and has not come.
    asked: bool,
    pub(crate) claim: Option<(Finished, u64, u32)>,
    claim_sent: Option<u32>,
    spendable: Option<At>,
    finished: Option<u32>,
    stopped: bool,
    failed: Option<Refusal>,
}

/// See the module.
pub(crate) struct PegIn;

impl Machine for PegIn {
    const KIND: &'static str = "peg-in";
    type Order = Order;
    type State = State;
    type Input = Input;
    type Effect = Effect;

    fn start(order: &Order) -> Result<Next<Self>, Refusal> {
        let state = State {
            order: order.clone(),
            sent: None,
            deposit: None,
            deep: None,
            held: false,
            asked: false,
            claim: None,
            claim_sent: None,
            spendable: None,
            finished: None,
            stopped: false,
            failed: None,
        };
        Ok((state, order.funding.iter().cloned().map(Effect::Send).collect()))
    }

    fn step(state: &State, input: &Input) -> Result<Next<Self>, Refusal> {
        let mut next = state.clone();
        let mut effects = Vec::new();
        let is_claim = |txid: &String| state.claim.as_ref().is_some_and(|(claim, ..)| claim.txid == *txid);
        match input {
            Input::Sent { txid, time } if is_claim(txid) => next.claim_sent = next.claim_sent.or(Some(*time)),
            Input::Sent { time, .. } => next.sent = next.sent.or(Some(*time)),
            // One operation claims one deposit: the first that a block holds.
            Input::Deposited(deposit) if state.deposit.is_none() && state.claim.is_none() => next.deposit = Some(deposit.clone()),
            // The same deposit in another block, after a reorganisation.
            Input::Deposited(deposit) if state.deposit.as_ref().is_some_and(|d| d.outpoint == deposit.outpoint) => {
                next.deposit = Some(deposit.clone());
            }
            Input::Undone { network: NetworkId::Bitcoin, above }
                if state.deposit.as_ref().is_some_and(|deposit| deposit.at.height > *above) && state.spendable.is_none() =>
            {
                // A claim names the block of its deposit, so it died with that block.
                next.claim = None;
                next.deposit = None;
                next.deep = None;
                effects.extend(state.order.funding.iter().cloned().map(Effect::Send));
            }
            Input::Undone { network: NetworkId::Sidechain, above } => {
                if let (Some(at), Some((claim, ..))) = (state.spendable, &state.claim)
                    && at.height > *above
                {
                    next.spendable = None;
                    effects.push(Effect::Send(claim.clone()));
                }
            }
            Input::Deep { time } if state.deep.is_none() => {
                next.deep = Some(*time);
                if !state.held && !state.asked {
                    next.asked = true;
                    effects.push(Effect::Claim);
                }
            }
            Input::Held if state.claim.is_none() => next.held = true,
            Input::Resumed if state.held => {
                next.held = false;
                if state.deep.is_some() && state.claim.is_none() && !state.asked {
                    next.asked = true;
                    effects.push(Effect::Claim);
                }
            }
            Input::Claimed { claim, arrives, time } if state.claim.is_none() => {
                next.claim = Some((claim.clone(), *arrives, *time));
                next.asked = false;
                effects.push(Effect::Send(claim.clone()));
            }
            Input::InBlock { txid, at } if is_claim(txid) => next.spendable = Some(*at),
            Input::Final { time } => next.finished = Some(*time),
            Input::Expired { .. } if state.claim.is_none() => next.failed = Some(Code::PegInExpired.into()),
            Input::Conflicted { .. } => {
                let txid =
                    state.claim.as_ref().map(|(claim, ..)| claim).or(state.order.funding.as_ref()).map(|tx| tx.txid.clone());
                next.failed = Some(Refusal::new(Code::NotAccepted).with("txid", txid.unwrap_or_default()));
            }
            _ => {}
        }
        Ok((next, effects))
    }

    fn stop(state: &State) -> Result<Next<Self>, Refusal> {
        Ok((State { stopped: true, ..state.clone() }, Vec::new()))
    }

    fn past_no_return(state: &State) -> bool {
        state.order.funding.is_some() || state.deposit.is_some() || state.claim.is_some()
    }

    fn stage(state: &State) -> Stage {
        match state {
            State { failed: Some(refusal), .. } => Stage::Failed(refusal.clone()),
            State { stopped: true, .. } => Stage::Stopped,
            State { finished: Some(_), .. } => Stage::Done,
            State { deep: Some(_), claim: None, held: false, .. } => Stage::Working,
            _ => Stage::Waiting,
        }
    }

    fn progress(state: &State) -> Progress {
        let passed = [state.deposit.is_some(), state.deep.is_some(), state.claim.is_some(), state.spendable.is_some()];
        Progress { done: passed.iter().filter(|p| **p).count() as u32, of: 4, unit: Unit::Steps, eta: None }
    }
}

impl State {
    /// The transaction that peers hold and no block does.
    pub(crate) fn waiting(&self) -> Option<&Finished> {
        match &self.claim {
            Some((claim, ..)) => (self.claim_sent.is_some() && self.spendable.is_none()).then_some(claim),
            None => self.order.funding.as_ref().filter(|_| self.sent.is_some() && self.deposit.is_none()),
        }
    }

    fn hash_of_deposit(&self) -> Option<bitcoin::OutPoint> {
        self.deposit.as_ref().map(|deposit| deposit.outpoint)
    }

    /// Blocks until the federation script may be refused, if that is less than the claim needs.
    fn will_expire(&self, heights: Heights) -> bool {
        self.claim.is_none() && heights.sidechain >= self.order.valid_until
    }
}

impl Operation for PegIn {
    fn on_bitcoin(
        state: &State,
        tx: &bitcoin::Transaction,
        block: bitcoin::BlockHash,
        at: At,
        _: &[bitcoin::ScriptBuf],
    ) -> Option<Input> {
        let txid = tx.compute_txid();
        if let Some(known) = state.hash_of_deposit() {
            let moved = known.txid == txid && state.deposit.as_ref().is_some_and(|deposit| deposit.block != block);
            let value = tx.output.get(known.vout as usize)?.value.to_sat();
            return (moved && state.claim.is_none()).then_some(Input::Deposited(Deposit { outpoint: known, value, block, at }));
        }
        let pays = |output: &bitcoin::TxOut| output.script_pubkey == state.order.deposit_script;
        if let Some(vout) = tx.output.iter().position(pays) {
            let value = tx.output[vout].value.to_sat();
            let outpoint = bitcoin::OutPoint::new(txid, u32::try_from(vout).ok()?);
            return Some(Input::Deposited(Deposit { outpoint, value, block, at }));
        }
        state.order.funding.as_ref()?.on_bitcoin(tx, at)
    }

    fn on_sidechain(state: &State, tx: &elements::Transaction, at: At) -> Option<Input> {
        let (claim, ..) = state.claim.as_ref()?;
        let txid = tx.txid().to_string();
        (txid == claim.txid && state.spendable != Some(at)).then_some(Input::InBlock { txid, at })
    }

    fn on_heights(state: &State, heights: Heights, now: u32) -> Option<Input> {
        if let Some(at) = state.spendable {
            let deep = heights.depth(NetworkId::Sidechain, at.height) >= super::machine::final_depth(NetworkId::Sidechain);
            return deep.then_some(Input::Final { time: now });
        }
        if let Some(deposit) = &state.deposit
            && state.deep.is_none()
        {
            let deep = heights.depth(NetworkId::Bitcoin, deposit.at.height) >= state.order.depth;
            return deep.then_some(Input::Deep { time: now });
        }
        // An unpaid address ends with its script; a paid one is tried for as long as the chain takes it.
        (state.order.funding.is_none() && state.deposit.is_none() && state.will_expire(heights))
            .then_some(Input::Expired { time: now })
    }

    fn timeline(state: &State, heights: Heights) -> Timeline {
        let passed = |time: u32| Passed { time, height: None };
        let funded = state.deposit.as_ref().map(|deposit| Passed { time: deposit.at.time, height: Some(deposit.at.height) });
        let mut steps = match &state.order.funding {
            Some(_) => vec![
                (StepName::Signed, Some(passed(state.order.time))),
                (StepName::Broadcast, state.sent.map(passed).or(funded.map(|f| passed(f.time)))),
            ],
            None => vec![(StepName::AwaitingPayment, funded)],
        };
        steps.extend([
            (StepName::Funded, funded),
            (StepName::Depth, state.deep.map(passed)),
            (StepName::Claimed, state.claim.as_ref().map(|(_, _, time)| passed(*time))),
            // In a block, and that block deep enough.
            (
                StepName::Spendable,
                state.finished.and(state.spendable).map(|at| Passed { time: at.time, height: Some(at.height) }),
            ),
        ]);
        let depth = state.deposit.as_ref().map_or(0, |d| heights.depth(NetworkId::Bitcoin, d.at.height).min(state.order.depth));
        let of = super::machine::final_depth(NetworkId::Sidechain);
        let (done, of, counts) = if state.claim.is_some() {
            let done = state.spendable.map_or(0, |at| heights.depth(NetworkId::Sidechain, at.height).min(of));
            (done, of, NetworkId::Sidechain)
        } else if state.deep.is_some() {
            (0, of, NetworkId::Sidechain)
        } else {
            (depth, state.order.depth, NetworkId::Bitcoin)
        };
        let bitcoin_left = if state.deep.is_some() { 0 } else { state.order.depth - depth };
        let claim_left =
            if counts == NetworkId::Sidechain { of - done } else { super::machine::final_depth(NetworkId::Sidechain) };
        let funding_txid = state.order.funding.as_ref().map(|tx| tx.txid.clone());
        Timeline {
            kind: Some(DraftKind::PegIn),
            no_return: Some(if state.order.funding.is_some() { 0 } else { 1 }),
            steps,
            done,
            of,
            counts: Some(counts),
            left: vec![(NetworkId::Bitcoin, bitcoin_left), (NetworkId::Sidechain, claim_left)],
            amount: state.deposit.as_ref().map(|d| d.value).or(state.order.amount).map(|value| ("btc".into(), value)),
            valid_until: Some(state.order.valid_until),
            address: state.order.address.clone(),
            payable: state.order.funding.is_none() && state.deposit.is_none(),
            bitcoin_txid: state.deposit.as_ref().map(|d| d.outpoint.txid.to_string()).or(funding_txid),
            sidechain_txid: state.claim.as_ref().map(|(claim, ..)| claim.txid.clone()),
            arrives: state.claim.as_ref().map(|(_, arrives, _)| *arrives),
            held: state.held,
            can_hold: state.claim.is_none(),
            why: state.will_expire(heights).then(|| Code::PegInExpired.into()),
        }
    }

    fn in_block(state: &State, txid: &str) -> bool {
        let claim = state.claim.as_ref().is_some_and(|(claim, ..)| claim.txid == txid);
        if claim { state.spendable.is_some() } else { state.deposit.is_some() }
    }

    fn scripts(state: &State) -> Vec<bitcoin::ScriptBuf> {
        vec![state.order.deposit_script.clone()]
    }

    fn transactions(state: &State) -> Vec<(NetworkId, String, &'static str)> {
        let funding = state.order.funding.as_ref().map(|tx| tx.txid.clone());
        let deposit = state.deposit.as_ref().map(|d| d.outpoint.txid.to_string()).or(funding);
        let claim = state.claim.as_ref().map(|(claim, ..)| claim.txid.clone());
        let deposit = deposit.map(|txid| (NetworkId::Bitcoin, txid, "deposit"));
        deposit.into_iter().chain(claim.map(|txid| (NetworkId::Sidechain, txid, "claim"))).collect()
    }
}
