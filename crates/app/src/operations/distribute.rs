//! A distribution: one asset to many recipients, in one transaction after the other.
//!
//! Ordered -> Distributed -> Final. Each transaction is planned, signed and written down with the journal entry that says which rows it
//! pays, all in one step; whatever happens after that, the very same bytes are sent again. The next one is made once a block holds the
//! last, so that it never depends on more than peers relay. Every transaction but the last pays a full batch, so the number of those that
//! were signed says which rows come next: no row is ever paid twice.

use super::machine::{At, Effect, Finished, Heights, Input, Operation, Passed, Timeline, final_depth};
use causeway_contract::{DraftKind, StepName};
use causeway_journal::{Machine, Next, Progress, Stage, Unit};
use causeway_vocab::{Code, NetworkId, Refusal};
use elements::OutPoint;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// Recipients of one transaction: with change of two assets and some dozen coins this stays below what peers relay.
pub(crate) const BATCH: usize = 75;

/// The list that the user agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) asset: elements::AssetId,
    pub(crate) rows: Vec<Row>,
    /// Satoshi per 1000 virtual bytes.
    pub(crate) fee_rate: u64,
    /// Satoshi that the fees of all transactions never pass.
    pub(crate) most_fee: u64,
    /// Whether explicit addresses are acceptable.
    pub(crate) allow_explicit: bool,
    pub(crate) time: u32,
}

/// One recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Line of the list.
    pub(crate) row: u32,
    pub(crate) address: String,
    pub(crate) amount: u64,
    pub(crate) label: String,
}

impl Order {
    pub(crate) fn batches(&self) -> usize {
        self.rows.len().div_ceil(BATCH)
    }

    /// The rows of one transaction.
    pub(crate) fn batch(&self, index: usize) -> Range<usize> {
        let end = self.rows.len();
        (index * BATCH).min(end)..((index + 1) * BATCH).min(end)
    }

    pub(crate) fn total(&self) -> u64 {
        self.rows.iter().map(|row| row.amount).fold(0, u64::saturating_add)
    }
}

/// A signed transaction of it.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) tx: Arc<Finished>,
    spends: Vec<OutPoint>,
    pub(crate) fee: u64,
    sent: bool,
    pub(crate) confirmed: Option<At>,
}

/// Where it stands.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) order: Arc<Order>,
    pub(crate) paid: Vec<Batch>,
    /// The next transaction was asked for.
    asked: bool,
    pub(crate) held: bool,
    stopped: bool,
    distributed: Option<At>,
    finished: Option<u32>,
    failed: Option<Refusal>,
}

/// See the module.
pub(crate) struct Distribute;

impl State {
    /// The batch that is to be signed now, if one is.
    pub(crate) fn due(&self) -> Option<usize> {
        let settled = self.paid.iter().all(|batch| batch.confirmed.is_some());
        let wanted = !self.held && !self.stopped && self.failed.is_none() && self.finished.is_none();
        (settled && wanted && self.paid.len() < self.order.batches()).then_some(self.paid.len())
    }

    /// Fees so far, satoshi.
    pub(crate) fn fees(&self) -> u64 {
        self.paid.iter().map(|batch| batch.fee).fold(0, u64::saturating_add)
    }

    pub(crate) fn rows_paid(&self) -> usize {
        self.paid.len().checked_sub(1).map_or(0, |last| self.order.batch(last).end)
    }

    /// Transactions that peers hold and no block does.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Finished> {
        self.paid.iter().filter(|batch| batch.sent && batch.confirmed.is_none()).map(|batch| &*batch.tx)
    }

    /// Nothing more is to be signed.
    fn complete(&self) -> bool {
        self.stopped || self.paid.len() == self.order.batches()
    }

    /// Asks for the next transaction, once.
    fn ask(&mut self, effects: &mut Vec<Effect>) {
        if !self.asked && self.due().is_some() {
            self.asked = true;
            effects.push(Effect::Pay);
        }
    }
}

impl Machine for Distribute {
    const KIND: &'static str = "distribute";
    type Order = Order;
    type State = State;
    type Input = Input;
    type Effect = Effect;

    fn start(order: &Order) -> Result<Next<Self>, Refusal> {
        if order.rows.is_empty() {
            return Err(Code::NoRecipients.into());
        }
        let mut state = State {
            order: Arc::new(order.clone()),
            paid: Vec::new(),
            asked: false,
            held: false,
            stopped: false,
            distributed: None,
            finished: None,
            failed: None,
        };
        let mut effects = Vec::new();
        state.ask(&mut effects);
        Ok((state, effects))
    }

    fn step(state: &State, input: &Input) -> Result<Next<Self>, Refusal> {
        let mut next = state.clone();
        let mut effects = Vec::new();
        match input {
            Input::Paid { tx, spends, fee } => {
                // Whoever signs asks what is due in the same breath; anything else would pay rows again.
                if state.due().is_none() {
                    return Err(Refusal::new(Code::NotFound).with("what", "batch"));
                }
                next.asked = false;
                let (tx, spends) = (Arc::new(tx.clone()), spends.clone());
                next.paid.push(Batch { tx: Arc::clone(&tx), spends, fee: *fee, sent: false, confirmed: None });
                effects.push(Effect::Send((*tx).clone()));
            }
            Input::Sent { txid, .. } => next.paid.iter_mut().filter(|batch| batch.tx.txid == *txid).for_each(|b| b.sent = true),
            Input::InBlock { txid, at } => {
                for batch in next.paid.iter_mut().filter(|batch| batch.tx.txid == *txid) {
                    batch.sent = true;
                    batch.confirmed = Some(*at);
                }
                let settled = next.paid.iter().all(|batch| batch.confirmed.is_some());
                next.distributed = if next.complete() && settled { Some(*at) } else { None };
                next.ask(&mut effects);
            }
            Input::Undone { network: NetworkId::Sidechain, above } => {
                for batch in next.paid.iter_mut().filter(|batch| batch.confirmed.is_some_and(|at| at.height > *above)) {
                    batch.confirmed = None;
                    effects.push(Effect::Send((*batch.tx).clone()));
                    next.distributed = None;
                }
            }
            Input::Final { time } => next.finished = Some(*time),
            Input::Held => next.held = true,
            Input::Resumed => {
                next.held = false;
                next.ask(&mut effects);
            }
            Input::Conflicted { .. } => {
                let lost = state.paid.iter().find(|batch| batch.confirmed.is_none());
                next.failed = lost.map(|batch| Refusal::new(Code::NotAccepted).with("txid", &batch.tx.txid));
            }
            _ => {}
        }
        Ok((next, effects))
    }

    /// The rows that are not signed yet are left out; what is signed goes on to its end.
    fn stop(state: &State) -> Result<Next<Self>, Refusal> {
        let mut next = state.clone();
        next.stopped = true;
        let unsent = state.paid.iter().filter(|batch| batch.confirmed.is_none());
        let effects = unsent.map(|batch| Effect::Send((*batch.tx).clone())).collect();
        Ok((next, effects))
    }

    fn past_no_return(state: &State) -> bool {
        state.paid.len() == state.order.batches()
    }

    fn stage(state: &State) -> Stage {
        match state {
            State { failed: Some(refusal), .. } => Stage::Failed(refusal.clone()),
            State { stopped: true, paid, .. } if paid.is_empty() => Stage::Stopped,
            State { stopped: true, finished: Some(_), .. } => Stage::Stopped,
            State { finished: Some(_), .. } => Stage::Done,
            _ if state.paid.iter().any(|batch| !batch.sent) || (state.asked && state.due().is_some()) => Stage::Working,
            _ => Stage::Waiting,
        }
    }

    fn progress(state: &State) -> Progress {
        let confirmed = state.paid.iter().filter(|batch| batch.confirmed.is_some()).count();
        Progress { done: confirmed as u32, of: state.order.batches() as u32, unit: Unit::Steps, eta: None }
    }
}

impl Operation for Distribute {
    fn on_bitcoin(_: &State, _: &bitcoin::Transaction, _: bitcoin::BlockHash, _: At, _: &[bitcoin::ScriptBuf]) -> Option<Input> {
        None
    }

    fn on_sidechain(state: &State, tx: &elements::Transaction, at: At) -> Option<Input> {
        let open = || state.paid.iter().filter(|batch| batch.confirmed != Some(at));
        open().next()?;
        let txid = tx.txid().to_string();
        if open().any(|batch| batch.tx.txid == txid) {
            return Some(Input::InBlock { txid, at });
        }
        let lost = |batch: &Batch| tx.input.iter().any(|input| !input.is_pegin && batch.spends.contains(&input.previous_output));
        open().any(|batch| batch.confirmed.is_none() && lost(batch)).then_some(Input::Conflicted { time: at.time })
    }

    fn on_heights(state: &State, heights: Heights, now: u32) -> Option<Input> {
        if !state.complete() || state.finished.is_some() {
            return None;
        }
        let deep = |batch: &Batch| {
            batch.confirmed.is_some_and(|at| heights.depth(NetworkId::Sidechain, at.height) >= final_depth(NetworkId::Sidechain))
        };
        (!state.paid.is_empty() && state.paid.iter().all(deep)).then_some(Input::Final { time: now })
    }

    fn timeline(state: &State, heights: Heights) -> Timeline {
        let network = NetworkId::Sidechain;
        let progress = Distribute::progress(state);
        let last = state.paid.iter().filter_map(|batch| batch.confirmed).max_by_key(|at| at.height);
        let depth = state.distributed.and(last).map(|at| heights.depth(network, at.height).min(final_depth(network)));
        let of = final_depth(network);
        let passed = |at: At| Passed { time: at.time, height: Some(at.height) };
        let (done, of, counts) = match depth {
            Some(depth) => (depth, of, Some(network)),
            None => (progress.done, progress.of, None),
        };
        Timeline {
            kind: Some(DraftKind::Distribute),
            steps: vec![
                (StepName::Signed, Some(Passed { time: state.order.time, height: None })),
                (StepName::Distributed, state.distributed.map(passed)),
                (StepName::Final, state.finished.map(|time| Passed { time, height: None })),
            ],
            no_return: None,
            done,
            of,
            counts,
            left: vec![(network, (progress.of - progress.done) + final_depth(network) - depth.unwrap_or(0))],
            amount: Some((state.order.asset.to_string(), state.order.total())),
            sidechain_txid: state.paid.last().map(|batch| batch.tx.txid.clone()),
            held: state.held,
            can_hold: !state.complete(),
            why: state.held.then(|| Refusal::new(Code::PegPaused).with("why", "held")),
            ..Timeline::default()
        }
    }

    fn in_block(state: &State, txid: &str) -> bool {
        state.paid.iter().any(|batch| batch.tx.txid == txid && batch.confirmed.is_some())
    }

    fn transactions(state: &State) -> Vec<(NetworkId, String, &'static str)> {
        // The others were linked when they were the last.
        state.paid.last().map(|batch| (NetworkId::Sidechain, batch.tx.txid.clone(), "distribution")).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_journal::{Entry, Event, Log};
    use proptest::prelude::*;

    fn order(rows: usize) -> Order {
        let row = |index: usize| Row { row: index as u32 + 1, address: format!("a{index}"), amount: 1, label: String::new() };
        Order {
            asset: elements::AssetId::from_byte_array([7; 32]),
            rows: (0..rows).map(row).collect(),
            fee_rate: 100,
            most_fee: 1_000,
            allow_explicit: false,
            time: 1,
        }
    }

    fn finished(index: usize) -> Finished {
        Finished { network: NetworkId::Sidechain, txid: format!("tx{index}"), raw: String::new() }
    }

    /// A log with its journal.
    struct Desk {
        log: Log<Distribute>,
        journal: Vec<Entry<Order, Input>>,
    }

    impl Desk {
        fn new(rows: usize) -> Desk {
            let first = Log::<Distribute>::start(order(rows)).expect("starts");
            Desk { journal: vec![first.entry.clone()], log: Log::begin(first) }
        }

        /// Whether the input was accepted.
        fn feed(&mut self, input: Input) -> bool {
            let answers = self.log.outstanding().iter().find(|issued| match (&issued.effect, &input) {
                (Effect::Pay, Input::Paid { .. }) => true,
                (Effect::Send(tx), Input::Sent { txid, .. }) => tx.txid == *txid,
                _ => false,
            });
            let answers = answers.map(|issued| issued.id);
            self.event(Event::Input { input, answers })
        }

        fn event(&mut self, event: Event<Order, Input>) -> bool {
            let Ok(step) = self.log.propose(event) else { return false };
            self.journal.push(step.entry.clone());
            self.log.commit(step);
            true
        }

        /// A signed batch with the next number.
        fn pay(&mut self) -> bool {
            let tx = finished(self.log.state().paid.len());
            self.feed(Input::Paid { tx, spends: Vec::new(), fee: 10 })
        }

        fn mined(&mut self, txid: &str, height: u32) -> bool {
            self.feed(Input::InBlock { txid: txid.into(), at: At { height, time: height } })
        }
    }

    #[test]
    fn the_next_batch_is_asked_for_once_a_block_holds_the_last() {
        let mut desk = Desk::new(BATCH + 1);
        let asked: Vec<_> = desk.log.outstanding().iter().map(|issued| issued.effect.clone()).collect();
        assert_eq!(asked, [Effect::Pay]);
        assert!(desk.pay());
        assert!(!desk.pay(), "the first is in no block");
        assert!(desk.feed(Input::Sent { txid: "tx0".into(), time: 2 }));
        assert!(desk.mined("tx0", 5));
        assert!(desk.pay());
        assert!(!desk.log.can_stop(), "everything is signed");
        assert!(desk.mined("tx1", 6));
        assert_eq!(Distribute::on_heights(desk.log.state(), Heights { bitcoin: 0, sidechain: 6 }, 9), None);
        let done = Distribute::on_heights(desk.log.state(), Heights { bitcoin: 0, sidechain: 7 }, 9).expect("deep");
        assert!(desk.feed(done));
        assert_eq!(desk.log.stage(), Stage::Done);
    }

    #[test]
    fn a_stop_leaves_out_what_is_not_signed_and_finishes_what_is() {
        let mut desk = Desk::new(3 * BATCH);
        assert!(desk.pay());
        assert!(desk.event(Event::Stop));
        assert_eq!(desk.log.stage(), Stage::Working, "it is still to be sent");
        assert!(desk.mined("tx0", 5));
        assert_eq!(desk.log.state().due(), None);
        assert!(desk.feed(Input::Final { time: 9 }));
        assert_eq!((desk.log.stage(), desk.log.state().rows_paid()), (Stage::Stopped, BATCH));
    }

    #[test]
    fn a_spend_of_the_same_coins_by_somebody_else_ends_it() {
        let mut desk = Desk::new(2 * BATCH);
        let coin = OutPoint::new(elements::Txid::from_byte_array([3; 32]), 1);
        let other = elements::Transaction {
            version: 2,
            lock_time: elements::LockTime::ZERO,
            input: vec![elements::TxIn { previous_output: coin, ..elements::TxIn::default() }],
            output: Vec::new(),
        };
        assert!(desk.feed(Input::Paid { tx: finished(0), spends: vec![coin], fee: 10 }));
        let lost = Distribute::on_sidechain(desk.log.state(), &other, At { height: 5, time: 3 }).expect("it concerns us");
        assert!(desk.feed(lost));
        assert_eq!(desk.log.stage(), Stage::Failed(Refusal::new(Code::NotAccepted).with("txid", "tx0")));
    }

    proptest! {
        /// Whatever happens in whatever order, each row is in at most one signed transaction, the batches follow each other, and the journal
        /// alone gives the same.
        #[test]
        fn no_row_is_paid_twice_whatever_happens(rows in 1usize..400, script in prop::collection::vec(0u8..8, 0..60)) {
            let mut desk = Desk::new(rows);
            for (height, what) in (2..).zip(script) {
                let last = desk.log.state().paid.last().map(|batch| batch.tx.txid.clone()).unwrap_or_default();
                match what {
                    0..=2 => desk.pay(),
                    3 => desk.feed(Input::Sent { txid: last, time: height }),
                    4 => desk.mined(&last, height),
                    5 => desk.feed(Input::Undone { network: NetworkId::Sidechain, above: height - 2 }),
                    6 => desk.feed(Input::Held),
                    _ => desk.feed(Input::Resumed),
                };
            }
            let state = desk.log.state();
            let paid: Vec<usize> = (0..state.paid.len()).flat_map(|index| state.order.batch(index)).collect();
            prop_assert_eq!(paid, (0..state.rows_paid()).collect::<Vec<_>>());
            prop_assert!(state.rows_paid() <= rows);
            let again = Log::<Distribute>::replay(desk.journal).expect("replays");
            let txids = |state: &State| state.paid.iter().map(|batch| batch.tx.txid.clone()).collect::<Vec<_>>();
            prop_assert_eq!(txids(again.state()), txids(state));
            prop_assert_eq!((again.stage(), again.state().due()), (desk.log.stage(), state.due()));
            prop_assert_eq!(again.outstanding().len(), desk.log.outstanding().len());
        }
    }
}
