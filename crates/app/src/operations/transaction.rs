//! One transaction on one chain: send, bump, issue, reissue, burn.
//!
//! Signed -> Broadcast -> Confirmed -> Final. Signing is the point of no return: the bytes are on disk and will be sent until a block holds
//! them or another spend of their coins.

use super::machine::{At, Effect, Finished, Heights, Input, Operation, Passed, Timeline, final_depth};
use causeway_contract::{DraftKind, StepName};
use causeway_journal::{Machine, Next, Progress, Stage, Unit};
use causeway_vocab::{Code, NetworkId, Refusal};
use serde::{Deserialize, Serialize};

/// The signed transaction and what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) kind: DraftKind,
    pub(crate) tx: Finished,
    pub(crate) time: u32,
    /// Asset and atoms that it moves.
    pub(crate) amount: Option<(String, u64)>,
    pub(crate) address: String,
}

/// Where it stands.
#[derive(Debug, Clone)]
pub(crate) struct State {
    order: Order,
    sent: Option<u32>,
    confirmed: Option<At>,
    finished: Option<u32>,
    replaced: bool,
    failed: Option<Refusal>,
}

/// See the module.
pub(crate) struct Transaction;

impl Machine for Transaction {
    const KIND: &'static str = "transaction";
    type Order = Order;
    type State = State;
    type Input = Input;
    type Effect = Effect;

    fn start(order: &Order) -> Result<Next<Self>, Refusal> {
        let state = State { order: order.clone(), sent: None, confirmed: None, finished: None, replaced: false, failed: None };
        Ok((state, vec![Effect::Send(order.tx.clone())]))
    }

    fn step(state: &State, input: &Input) -> Result<Next<Self>, Refusal> {
        let mut next = state.clone();
        let mut effects = Vec::new();
        match input {
            Input::Sent { txid, time } if *txid == state.order.tx.txid => next.sent = next.sent.or(Some(*time)),
            Input::InBlock { txid, at } if *txid == state.order.tx.txid => next.confirmed = Some(*at),
            Input::Undone { network, above }
                if *network == state.order.tx.network && state.confirmed.is_some_and(|at| at.height > *above) =>
            {
                next.confirmed = None;
                effects.push(Effect::Send(state.order.tx.clone()));
            }
            Input::Final { time } => next.finished = Some(*time),
            // A block that holds the old one after all says so by itself, in the history.
            Input::Replaced { .. } if state.confirmed.is_none() => next.replaced = true,
            Input::Conflicted { .. } => next.failed = Some(Refusal::new(Code::NotAccepted).with("txid", &state.order.tx.txid)),
            _ => {}
        }
        Ok((next, effects))
    }

    fn stop(_: &State) -> Result<Next<Self>, Refusal> {
        Err(Code::PointOfNoReturn.into())
    }

    fn past_no_return(_: &State) -> bool {
        true
    }

    fn stage(state: &State) -> Stage {
        match state {
            State { failed: Some(refusal), .. } => Stage::Failed(refusal.clone()),
            State { replaced: true, .. } => Stage::Stopped,
            State { finished: Some(_), .. } => Stage::Done,
            State { sent: None, confirmed: None, .. } => Stage::Working,
            _ => Stage::Waiting,
        }
    }

    fn progress(state: &State) -> Progress {
        let done = [state.sent.is_some(), state.confirmed.is_some(), state.finished.is_some()].iter().filter(|d| **d).count();
        Progress { done: 1 + done as u32, of: 4, unit: Unit::Steps, eta: None }
    }
}

impl State {
    /// Id of its transaction.
    pub(crate) fn txid(&self) -> &str {
        &self.order.tx.txid
    }

    /// The transaction, if peers hold it and no block does.
    pub(crate) fn waiting(&self) -> Option<&Finished> {
        (self.sent.is_some() && self.confirmed.is_none()).then_some(&self.order.tx)
    }
}

impl Operation for Transaction {
    fn on_bitcoin(
        state: &State,
        tx: &bitcoin::Transaction,
        _: bitcoin::BlockHash,
        at: At,
        _: &[bitcoin::ScriptBuf],
    ) -> Option<Input> {
        if state.order.tx.network != NetworkId::Bitcoin || state.confirmed == Some(at) {
            return None;
        }
        state.order.tx.on_bitcoin(tx, at)
    }

    fn on_sidechain(state: &State, tx: &elements::Transaction, at: At) -> Option<Input> {
        if state.order.tx.network != NetworkId::Sidechain || state.confirmed == Some(at) {
            return None;
        }
        state.order.tx.on_sidechain(tx, at)
    }

    fn on_heights(state: &State, heights: Heights, now: u32) -> Option<Input> {
        let network = state.order.tx.network;
        let at = state.confirmed?;
        (heights.depth(network, at.height) >= final_depth(network)).then_some(Input::Final { time: now })
    }

    fn timeline(state: &State, heights: Heights) -> Timeline {
        let network = state.order.tx.network;
        let of = final_depth(network);
        let done = state.confirmed.map_or(0, |at| heights.depth(network, at.height).min(of));
        let passed = |time: u32| Passed { time, height: None };
        let confirmed = state.confirmed.map(|at| Passed { time: at.time, height: Some(at.height) });
        // A block that holds it proves that it was sent, whether or not a peer said so.
        let sent = state.sent.map(passed).or(confirmed.map(|at| passed(at.time)));
        let txid = Some(state.order.tx.txid.clone());
        Timeline {
            kind: Some(state.order.kind),
            steps: vec![
                (StepName::Signed, Some(passed(state.order.time))),
                (StepName::Broadcast, sent),
                (StepName::Confirmed, confirmed),
                (StepName::Final, state.finished.map(passed)),
            ],
            no_return: Some(0),
            done,
            of,
            counts: Some(network),
            left: vec![(network, of - done)],
            amount: state.order.amount.clone(),
            address: state.order.address.clone(),
            bitcoin_txid: txid.clone().filter(|_| network == NetworkId::Bitcoin),
            sidechain_txid: txid.filter(|_| network == NetworkId::Sidechain),
            ..Timeline::default()
        }
    }

    fn in_block(state: &State, _: &str) -> bool {
        state.confirmed.is_some()
    }

    fn transactions(state: &State) -> Vec<(NetworkId, String, &'static str)> {
        vec![(state.order.tx.network, state.order.tx.txid.clone(), "transaction")]
    }
}
