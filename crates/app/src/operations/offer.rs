//! An offer to swap: signed and handed out, until a block spends its coin.
//!
//! Signed -> Taken -> Final. Once it is signed whoever has it can take it; what ends it is another spend of its coin, which only the owner can
//! make.

use super::machine::{At, Effect, Heights, Input, Operation, Passed, Timeline, final_depth};
use causeway_contract::{DraftKind, StepName};
use causeway_journal::{Machine, Next, Progress, Stage, Unit};
use causeway_vocab::{NetworkId, Refusal};
use elements::OutPoint;
use serde::{Deserialize, Serialize};

/// The signed offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) coin: OutPoint,
    /// Asset and atoms.
    pub(crate) gives: (elements::AssetId, u64),
    pub(crate) gets: (elements::AssetId, u64),
    /// Where what is asked for is to be paid.
    pub(crate) script: elements::Script,
    pub(crate) text: String,
    pub(crate) time: u32,
}

/// Where it stands.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) order: Order,
    taken: Option<(String, At)>,
    finished: Option<u32>,
    cancelled: bool,
}

/// See the module.
pub(crate) struct Offer;

impl Machine for Offer {
    const KIND: &'static str = "offer";
    type Order = Order;
    type State = State;
    type Input = Input;
    type Effect = Effect;

    fn start(order: &Order) -> Result<Next<Self>, Refusal> {
        Ok((State { order: order.clone(), taken: None, finished: None, cancelled: false }, Vec::new()))
    }

    fn step(state: &State, input: &Input) -> Result<Next<Self>, Refusal> {
        let mut next = state.clone();
        match input {
            Input::InBlock { txid, at } => next.taken = Some((txid.clone(), *at)),
            Input::Undone { network: NetworkId::Sidechain, above }
                if state.taken.as_ref().is_some_and(|(_, at)| at.height > *above) =>
            {
                next.taken = None;
            }
            Input::Conflicted { .. } => next.cancelled = true,
            Input::Final { time } => next.finished = Some(*time),
            _ => {}
        }
        Ok((next, Vec::new()))
    }

    fn stop(_: &State) -> Result<Next<Self>, Refusal> {
        Err(causeway_vocab::Code::PointOfNoReturn.into())
    }

    fn past_no_return(_: &State) -> bool {
        true
    }

    fn stage(state: &State) -> Stage {
        match state {
            State { cancelled: true, .. } => Stage::Stopped,
            State { finished: Some(_), .. } => Stage::Done,
            _ => Stage::Waiting,
        }
    }

    fn progress(state: &State) -> Progress {
        let done = 1 + u32::from(state.taken.is_some()) + u32::from(state.finished.is_some());
        Progress { done, of: 3, unit: Unit::Steps, eta: None }
    }
}

impl Operation for Offer {
    fn on_bitcoin(_: &State, _: &bitcoin::Transaction, _: bitcoin::BlockHash, _: At, _: &[bitcoin::ScriptBuf]) -> Option<Input> {
        None
    }

    fn on_sidechain(state: &State, tx: &elements::Transaction, at: At) -> Option<Input> {
        let place = tx.input.iter().position(|input| !input.is_pegin && input.previous_output == state.order.coin)?;
        // The signature binds its own output; a spend without it is our own.
        let paid = tx.output.get(place).is_some_and(|output| output.script_pubkey == state.order.script);
        let txid = tx.txid().to_string();
        match paid {
            true if state.taken == Some((txid.clone(), at)) => None,
            true => Some(Input::InBlock { txid, at }),
            false => Some(Input::Conflicted { time: at.time }),
        }
    }

    fn on_heights(state: &State, heights: Heights, now: u32) -> Option<Input> {
        let (_, at) = state.taken.as_ref()?;
        let deep = heights.depth(NetworkId::Sidechain, at.height) >= final_depth(NetworkId::Sidechain);
        (deep && state.finished.is_none()).then_some(Input::Final { time: now })
    }

    fn timeline(state: &State, heights: Heights) -> Timeline {
        let network = NetworkId::Sidechain;
        let of = final_depth(network);
        let taken = state.taken.as_ref();
        let done = taken.map_or(0, |(_, at)| heights.depth(network, at.height).min(of));
        Timeline {
            kind: Some(DraftKind::Offer),
            steps: vec![
                (StepName::Signed, Some(Passed { time: state.order.time, height: None })),
                (StepName::Taken, taken.map(|(_, at)| Passed { time: at.time, height: Some(at.height) })),
                (StepName::Final, state.finished.map(|time| Passed { time, height: None })),
            ],
            no_return: Some(0),
            done,
            of,
            counts: taken.map(|_| network),
            amount: Some((state.order.gives.0.to_string(), state.order.gives.1)),
            sidechain_txid: taken.map(|(txid, _)| txid.clone()),
            ..Timeline::default()
        }
    }

    fn in_block(state: &State, txid: &str) -> bool {
        state.taken.as_ref().is_some_and(|(taken, _)| taken == txid)
    }

    fn transactions(state: &State) -> Vec<(NetworkId, String, &'static str)> {
        state.taken.iter().map(|(txid, _)| (NetworkId::Sidechain, txid.clone(), "swap")).collect()
    }
}
