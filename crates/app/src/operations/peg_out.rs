//! The sidechain to Bitcoin.
//!
//! Signed -> Broadcast -> Burned -> PaidOnBitcoin -> Final. The watchmen pay in batches, less each payment's share of the fee; a payment
//! is linked to its burn by the rule that all watchmen build batches by ([`is_payment`]).

use super::machine::{At, Effect, Finished, Heights, Input, Operation, Passed, Timeline, final_depth};
use causeway_contract::{DraftKind, StepName};
use causeway_federation::watchman::{PegPolicy, is_payment};
use causeway_journal::{Machine, Next, Progress, Stage, Unit};
use causeway_vocab::{Code, NetworkId, Refusal};
use serde::{Deserialize, Serialize};

/// The signed burn and who is to be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) tx: Finished,
    pub(crate) asset: String,
    /// Satoshi burned.
    pub(crate) amount: u64,
    pub(crate) destination: bitcoin::ScriptBuf,
    pub(crate) address: String,
    pub(crate) time: u32,
}

/// Where it stands.
#[derive(Debug, Clone)]
pub(crate) struct State {
    order: Order,
    sent: Option<u32>,
    burned: Option<At>,
    paid: Option<(bitcoin::OutPoint, u64, At)>,
    finished: Option<u32>,
    failed: Option<Refusal>,
}

/// See the module.
pub(crate) struct PegOut;

/// Confirmations of the payment after which the operation is over.
const PAYMENT_DEPTH: u32 = 1;

impl State {
    /// The output that paid it.
    pub(crate) fn paid_by(&self) -> Option<bitcoin::OutPoint> {
        self.paid.map(|(outpoint, ..)| outpoint)
    }
}

impl State {
    /// The burn, if peers hold it and no block does.
    pub(crate) fn waiting(&self) -> Option<&Finished> {
        (self.sent.is_some() && self.burned.is_none()).then_some(&self.order.tx)
    }
}

impl Machine for PegOut {
    const KIND: &'static str = "peg-out";
    type Order = Order;
    type State = State;
    type Input = Input;
    type Effect = Effect;

    fn start(order: &Order) -> Result<Next<Self>, Refusal> {
        let state = State { order: order.clone(), sent: None, burned: None, paid: None, finished: None, failed: None };
        Ok((state, vec![Effect::Send(order.tx.clone())]))
    }

    fn step(state: &State, input: &Input) -> Result<Next<Self>, Refusal> {
        let mut next = state.clone();
        let mut effects = Vec::new();
        match input {
            Input::Sent { txid, time } if *txid == state.order.tx.txid => next.sent = next.sent.or(Some(*time)),
            Input::InBlock { txid, at } if *txid == state.order.tx.txid => next.burned = Some(*at),
            Input::Undone { network: NetworkId::Sidechain, above } if state.burned.is_some_and(|at| at.height > *above) => {
                next.burned = None;
                effects.push(Effect::Send(state.order.tx.clone()));
            }
            Input::Undone { network: NetworkId::Bitcoin, above } if state.paid.is_some_and(|(_, _, at)| at.height > *above) => {
                next.paid = None;
            }
            Input::PaidOut { outpoint, value, at } => next.paid = Some((*outpoint, *value, *at)),
            Input::Final { time } => next.finished = Some(*time),
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
            State { finished: Some(_), .. } => Stage::Done,
            State { sent: None, burned: None, .. } => Stage::Working,
            _ => Stage::Waiting,
        }
    }

    fn progress(state: &State) -> Progress {
        let passed = [state.sent.is_some(), state.burned.is_some(), state.paid.is_some(), state.finished.is_some()];
        Progress { done: 1 + passed.iter().filter(|p| **p).count() as u32, of: 5, unit: Unit::Steps, eta: None }
    }
}

impl Operation for PegOut {
    fn on_bitcoin(
        state: &State,
        tx: &bitcoin::Transaction,
        _: bitcoin::BlockHash,
        at: At,
        federation: &[bitcoin::ScriptBuf],
    ) -> Option<Input> {
        // Nothing is paid out before the burn is in a block, so earlier payments to the same address are something else.
        let burned = state.burned?;
        if at.time < burned.time.saturating_sub(2 * 60 * 60) || state.paid.is_some_and(|(_, _, paid)| paid == at) {
            return None;
        }
        let Order { destination, amount, .. } = &state.order;
        let rates = PegPolicy::default().fee_rate;
        let pays = |vout: u32| {
            federation.iter().any(|change| is_payment(tx, vout, destination, *amount, change, rates.clone()).is_some())
        };
        let (vout, output) = (0..).zip(&tx.output).find(|(vout, _)| pays(*vout))?;
        let outpoint = bitcoin::OutPoint::new(tx.compute_txid(), vout);
        Some(Input::PaidOut { outpoint, value: output.value.to_sat(), at })
    }

    fn on_sidechain(state: &State, tx: &elements::Transaction, at: At) -> Option<Input> {
        if state.burned == Some(at) {
            return None;
        }
        state.order.tx.on_sidechain(tx, at)
    }

    fn on_heights(state: &State, heights: Heights, now: u32) -> Option<Input> {
        let (_, _, at) = state.paid?;
        (heights.depth(NetworkId::Bitcoin, at.height) >= PAYMENT_DEPTH).then_some(Input::Final { time: now })
    }

    fn timeline(state: &State, heights: Heights) -> Timeline {
        let passed = |time: u32| Passed { time, height: None };
        let burned = state.burned.map(|at| Passed { time: at.time, height: Some(at.height) });
        let deep = final_depth(NetworkId::Sidechain);
        let depth = state.burned.map_or(0, |at| heights.depth(NetworkId::Sidechain, at.height).min(deep));
        let payment = state.paid.map_or(0, |(_, _, at)| heights.depth(NetworkId::Bitcoin, at.height).min(PAYMENT_DEPTH));
        let (done, of, counts) =
            if depth < deep { (depth, deep, NetworkId::Sidechain) } else { (payment, PAYMENT_DEPTH, NetworkId::Bitcoin) };
        Timeline {
            kind: Some(DraftKind::PegOut),
            steps: vec![
                (StepName::Signed, Some(passed(state.order.time))),
                (StepName::Broadcast, state.sent.map(passed).or(burned.map(|b| passed(b.time)))),
                (StepName::Burned, burned),
                (StepName::PaidOnBitcoin, state.paid.map(|(_, _, at)| Passed { time: at.time, height: Some(at.height) })),
                (StepName::Final, state.finished.map(passed)),
            ],
            no_return: Some(0),
            done,
            of,
            counts: Some(counts),
            left: vec![(NetworkId::Sidechain, deep - depth), (NetworkId::Bitcoin, 1 + PAYMENT_DEPTH)],
            amount: Some((state.order.asset.clone(), state.order.amount)),
            address: state.order.address.clone(),
            bitcoin_txid: state.paid.map(|(outpoint, ..)| outpoint.txid.to_string()),
            sidechain_txid: Some(state.order.tx.txid.clone()),
            arrives: state.paid.map(|(_, value, _)| value),
            ..Timeline::default()
        }
    }

    fn in_block(state: &State, _: &str) -> bool {
        state.burned.is_some()
    }

    fn scripts(state: &State) -> Vec<bitcoin::ScriptBuf> {
        vec![state.order.destination.clone()]
    }

    fn transactions(state: &State) -> Vec<(NetworkId, String, &'static str)> {
        let burn = (NetworkId::Sidechain, state.order.tx.txid.clone(), "burn");
        let paid = state.paid.map(|(outpoint, ..)| (NetworkId::Bitcoin, outpoint.txid.to_string(), "payment"));
        std::iter::once(burn).chain(paid).collect()
    }
}
