//! What waits to be told: everything ready is merged, so a slow reader costs nothing but freshness.

use crate::Anchor;
use crate::event::{Event, Headers, Misrule, NetworkState};
use causeway_vocab::{ChainBatch, Fault, Height, Tip};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Faults kept while the reader is away; older ones are dropped.
const MOST_FAULTS: usize = 16;
/// The same fault is not told again within this time.
const FAULT_PERIOD: Duration = Duration::from_secs(10);

/// Events not yet sent, at most one of each kind but faults.
pub(crate) struct Outbox<H, B, T> {
    anchor: Option<Option<Box<Anchor>>>,
    headers: Option<Headers>,
    batch: Option<ChainBatch<H, B, T>>,
    faults: VecDeque<Fault>,
    told_faults: VecDeque<(Fault, Instant)>,
    misrule: Option<Misrule>,
    state: Option<NetworkState>,
    told_state: Option<NetworkState>,
}

impl<H: Copy, B, T> Outbox<H, B, T> {
    pub(crate) fn new() -> Self {
        Outbox {
            anchor: None,
            headers: None,
            batch: None,
            faults: VecDeque::new(),
            told_faults: VecDeque::new(),
            misrule: None,
            state: None,
            told_state: None,
        }
    }

    /// Everything that is known of the chain starts here; what waited is of no use.
    pub(crate) fn anchor(&mut self, anchor: Option<Anchor>) {
        (self.headers, self.batch) = (None, None);
        self.anchor = Some(anchor.map(Box::new));
    }

    /// Adds headers that replace everything from their first height on.
    pub(crate) fn headers(&mut self, more: Headers) {
        match &mut self.headers {
            Some(Headers { first, raw }) if more.first > *first => {
                raw.truncate((more.first - *first) as usize);
                raw.extend(more.raw);
            }
            slot => *slot = Some(more),
        }
    }

    pub(crate) fn batch(&mut self, more: ChainBatch<H, B, T>) {
        self.batch = Some(match self.batch.take() {
            Some(earlier) => merge(earlier, more),
            None => more,
        });
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        self.told_faults.retain(|(_, when)| when.elapsed() < FAULT_PERIOD);
        if self.told_faults.iter().any(|(told, _)| *told == fault) {
            return;
        }
        if self.faults.len() == MOST_FAULTS {
            self.faults.pop_front();
        }
        if self.told_faults.len() == MOST_FAULTS {
            self.told_faults.pop_front();
        }
        self.told_faults.push_back((fault.clone(), Instant::now()));
        self.faults.push_back(fault);
    }

    /// One is enough to stop: of several that wait the first is told.
    pub(crate) fn misrule(&mut self, misrule: Misrule) {
        self.misrule.get_or_insert(misrule);
    }

    pub(crate) fn state(&mut self, state: NetworkState) {
        self.state = (self.told_state != Some(state)).then_some(state);
    }

    /// Blocks in the batch that nobody has taken yet.
    pub(crate) fn blocks(&self) -> usize {
        self.batch.as_ref().map_or(0, |batch| batch.blocks.len())
    }

    /// Headers that nobody has taken yet.
    pub(crate) fn waiting_headers(&self) -> usize {
        self.headers.as_ref().map_or(0, |headers| headers.raw.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        let nothing = self.anchor.is_none() && self.headers.is_none() && self.batch.is_none() && self.misrule.is_none();
        nothing && self.faults.is_empty() && self.state.is_none()
    }

    /// Takes the next event, in the order in which they must be written down.
    ///
    /// The reader may be killed between any two of them. So it never keeps the headers of a branch while its wallet still stands on the
    /// branch before, and its wallet never stands on blocks whose headers it has not kept: a rollback comes first, then headers, then
    /// what rests on them.
    pub(crate) fn pop(&mut self) -> Option<Event<ChainBatch<H, B, T>>> {
        if let Some(anchor) = self.anchor.take() {
            return Some(Event::Anchor(anchor));
        }
        if let (Some(_), Some(batch)) = (&self.headers, &mut self.batch)
            && let Some(fork) = batch.rollback_to.take()
        {
            let scanned_to = batch.scanned_to.min(fork.height);
            return Some(Event::Batch(ChainBatch {
                rollback_to: Some(fork),
                blocks: vec![],
                unconfirmed: vec![],
                tip: fork,
                scanned_to,
            }));
        }
        if let Some(headers) = self.headers.take() {
            return Some(Event::Headers(headers));
        }
        if let Some(batch) = self.batch.take() {
            return Some(Event::Batch(batch));
        }
        // What leads to it has been told by now.
        if let Some(misrule) = self.misrule.take() {
            return Some(Event::Misrule(misrule));
        }
        if let Some(fault) = self.faults.pop_front() {
            return Some(Event::Fault(fault));
        }
        self.told_state = self.state.or(self.told_state);
        self.state.take().map(Event::State)
    }
}

/// One batch that does what two would, one after the other.
fn merge<H: Copy, B, T>(mut earlier: ChainBatch<H, B, T>, later: ChainBatch<H, B, T>) -> ChainBatch<H, B, T> {
    if let Some(fork) = later.rollback_to {
        earlier.blocks.retain(|(at, _)| at.height <= fork.height);
    }
    let rollback_to = match (earlier.rollback_to, later.rollback_to) {
        (Some(a), Some(b)) => Some(if a.height <= b.height { a } else { b }),
        (a, b) => a.or(b),
    };
    // A rescan steps back without a rollback: then the same block may come twice, and its later copy counts.
    let mut blocks = earlier.blocks;
    if let Some(first) = later.blocks.first().map(|(at, _)| at.height) {
        let heights: Vec<Height> = later.blocks.iter().map(|(at, _)| at.height).collect();
        blocks.retain(|(at, _)| at.height < first || heights.binary_search(&at.height).is_err());
        blocks.extend(later.blocks);
        blocks.sort_by_key(|(at, _): &(Tip<H>, B)| at.height);
    }
    let mut unconfirmed = earlier.unconfirmed;
    unconfirmed.extend(later.unconfirmed);
    ChainBatch { rollback_to, blocks, unconfirmed, tip: later.tip, scanned_to: later.scanned_to }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Batch = ChainBatch<u64, u64, u64>;

    fn tip(height: Height) -> Tip<u64> {
        Tip { height, hash: u64::from(height), time: height }
    }

    /// What a wallet would hold: blocks by height, then tip and scanned height.
    fn apply(wallet: &mut BTreeMap<Height, u64>, batch: &Batch) -> (Tip<u64>, Height) {
        if let Some(fork) = batch.rollback_to {
            wallet.retain(|height, _| *height <= fork.height);
        }
        assert!(batch.blocks.is_sorted_by_key(|(at, _)| at.height), "blocks ascend");
        for (at, block) in &batch.blocks {
            wallet.insert(at.height, *block);
        }
        (batch.tip, batch.scanned_to)
    }

    prop_compose! {
        fn batches()(raw in prop::collection::vec((prop::option::of(0u32..12), prop::collection::btree_map(0u32..12, 0u64..99, 0..5), 0u32..12), 1..6))
            -> Vec<Batch> {
            raw.into_iter().map(|(fork, blocks, top)| ChainBatch {
                rollback_to: fork.map(tip),
                // A batch never holds blocks below its own rollback.
                blocks: blocks.into_iter().filter(|(h, _)| fork.is_none_or(|f| *h > f)).map(|(h, b)| (tip(h), b)).collect(),
                unconfirmed: vec![],
                tip: tip(top),
                scanned_to: top,
            }).collect()
        }
    }

    proptest! {
        #[test]
        fn a_merged_batch_does_what_its_parts_would(batches in batches()) {
            let (mut step, mut once) = (BTreeMap::from([(3, 7), (9, 7)]), BTreeMap::from([(3, 7), (9, 7)]));
            let mut outbox = Outbox::new();
            let mut end = None;
            for batch in batches {
                end = Some(apply(&mut step, &batch));
                outbox.batch(batch);
            }
            let Some(Event::Batch(merged)) = outbox.pop() else { panic!("a batch") };
            prop_assert_eq!(Some(apply(&mut once, &merged)), end);
            prop_assert_eq!(once, step);
        }

        #[test]
        fn merged_headers_are_what_the_parts_leave(parts in prop::collection::vec((1u32..10, 1usize..6), 1..6)) {
            let mut outbox = Outbox::<u64, u64, u64>::new();
            let mut kept: BTreeMap<Height, Vec<u8>> = BTreeMap::new();
            let (mut next, mut tag) = (1, 0u8);
            for (first, count) in parts {
                // Runs never leave a gap behind what is known.
                let first = first.min(next);
                let raw: Vec<Vec<u8>> = (0..count).map(|_| { tag += 1; vec![tag] }).collect();
                kept.split_off(&first);
                kept.extend((first..).zip(raw.iter().cloned()));
                next = first + u32::try_from(count).expect("small");
                outbox.headers(Headers { first, raw });
            }
            let Some(Event::Headers(merged)) = outbox.pop() else { panic!("headers") };
            let told: BTreeMap<Height, Vec<u8>> = (merged.first..).zip(merged.raw).collect();
            prop_assert_eq!(told.clone(), kept.split_off(&told.keys().next().copied().expect("not empty")));
        }
    }

    #[test]
    fn a_rollback_comes_before_the_headers_and_blocks_of_the_new_branch() {
        let mut outbox = Outbox::<u64, u64, u64>::new();
        outbox.headers(Headers { first: 4, raw: vec![vec![4], vec![5]] });
        let batch =
            Batch { rollback_to: Some(tip(3)), blocks: vec![(tip(4), 40)], unconfirmed: vec![], tip: tip(5), scanned_to: 5 };
        outbox.batch(batch.clone());
        let undone = Batch { blocks: vec![], tip: tip(3), scanned_to: 3, ..batch.clone() };
        assert_eq!(outbox.pop(), Some(Event::Batch(undone)));
        assert_eq!(outbox.pop(), Some(Event::Headers(Headers { first: 4, raw: vec![vec![4], vec![5]] })));
        assert_eq!(outbox.pop(), Some(Event::Batch(Batch { rollback_to: None, ..batch })));
        assert!(outbox.is_empty());
    }

    #[test]
    fn the_same_state_is_told_once() {
        let mut outbox = Outbox::<u64, u64, u64>::new();
        let state = NetworkState::new(5, 5);
        outbox.state(state);
        assert_eq!(outbox.pop(), Some(Event::State(state)));
        outbox.state(state);
        assert!(outbox.is_empty());
        outbox.state(NetworkState { peers: 1, ..state });
        outbox.state(state);
        assert!(outbox.is_empty(), "back to what was told");
    }
}
