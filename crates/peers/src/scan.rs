//! How far matching and fetching have come, and what can be told of it.

use causeway_vocab::{ChainBatch, Height, Tip};
use std::collections::BTreeMap;

/// While there is more to come, blocks are told in batches of this many.
const BATCH: usize = 64;
/// And without blocks, every so many heights.
const STRIDE: u32 = 1_000;

/// The scan of a chain. Heights go through it upwards: matched against a filter, fetched if they matched, told.
pub(crate) struct Scan<H, B, T> {
    filtered_to: Height,
    scanned_to: Height,
    /// Matching blocks above `scanned_to`; `None` until fetched.
    matched: BTreeMap<Height, (Tip<H>, Option<B>)>,
    rollback: Option<Tip<H>>,
    unconfirmed: Vec<T>,
}

impl<H: Copy + PartialEq, B, T> Scan<H, B, T> {
    pub(crate) fn new(scanned_to: Height) -> Self {
        Scan { filtered_to: scanned_to, scanned_to, matched: BTreeMap::new(), rollback: None, unconfirmed: vec![] }
    }

    /// Everything at or below has been matched.
    pub(crate) fn filtered_to(&self) -> Height {
        self.filtered_to
    }

    /// Everything at or below has been told.
    pub(crate) fn scanned_to(&self) -> Height {
        self.scanned_to
    }

    /// Blocks fetched or to be fetched, and not told.
    pub(crate) fn len(&self) -> usize {
        self.matched.len()
    }

    /// The next height has been matched. `wanted`: its block must be fetched.
    pub(crate) fn filtered(&mut self, at: Tip<H>, wanted: bool) {
        debug_assert_eq!(at.height, self.filtered_to + 1);
        self.filtered_to = at.height;
        if wanted {
            self.matched.insert(at.height, (at, None));
        }
    }

    /// A block has been fetched. Ignored unless it is wanted.
    pub(crate) fn fetched(&mut self, height: Height, hash: H, block: B) {
        if let Some((_, slot)) = self.matched.get_mut(&height).filter(|(at, _)| at.hash == hash) {
            *slot = Some(block);
        }
    }

    /// Blocks that are wanted and not fetched.
    pub(crate) fn missing(&self) -> impl Iterator<Item = Tip<H>> + '_ {
        self.matched.values().filter(|(_, block)| block.is_none()).map(|(at, _)| *at)
    }

    /// An unconfirmed transaction was seen.
    pub(crate) fn seen(&mut self, tx: T) {
        self.unconfirmed.push(tx);
    }

    /// Everything above `height` will be matched again. Gives back what is no longer wanted.
    pub(crate) fn rewind(&mut self, height: Height) -> Vec<H> {
        self.filtered_to = self.filtered_to.min(height);
        self.scanned_to = self.scanned_to.min(height);
        self.matched.split_off(&(height + 1)).into_values().map(|(at, _)| at.hash).collect()
    }

    /// Everything above `fork` was undone. Gives back what is no longer wanted.
    pub(crate) fn roll_back(&mut self, fork: Tip<H>) -> Vec<H> {
        // The reader may know the undone tip even where nothing above the fork was scanned.
        self.rollback = Some(self.rollback.filter(|earlier| earlier.height <= fork.height).unwrap_or(fork));
        self.rewind(fork.height)
    }

    /// Takes what can be told now; `tip` is the best block.
    pub(crate) fn tell(&mut self, tip: Tip<H>) -> Option<ChainBatch<H, B, T>> {
        let complete = self.missing().next().map_or(self.filtered_to, |at| at.height - 1);
        let ready = self.matched.range(..=complete).count();
        let due = complete == tip.height || ready >= BATCH || complete >= self.scanned_to.saturating_add(STRIDE);
        let progress = complete > self.scanned_to && due;
        if !progress && self.rollback.is_none() && self.unconfirmed.is_empty() {
            return None;
        }
        let rest = self.matched.split_off(&(complete + 1));
        let blocks = std::mem::replace(&mut self.matched, rest);
        self.scanned_to = self.scanned_to.max(complete);
        Some(ChainBatch {
            rollback_to: self.rollback.take(),
            blocks: blocks.into_values().filter_map(|(at, block)| Some((at, block?))).collect(),
            unconfirmed: std::mem::take(&mut self.unconfirmed),
            tip,
            scanned_to: self.scanned_to,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(height: Height) -> Tip<u32> {
        Tip { height, hash: height, time: height }
    }

    fn heights(batch: &ChainBatch<u32, &str, ()>) -> Vec<Height> {
        batch.blocks.iter().map(|(at, _)| at.height).collect()
    }

    #[test]
    fn nothing_is_told_beyond_a_block_that_is_missing() {
        let mut scan = Scan::<u32, &str, ()>::new(0);
        for height in 1..=5 {
            scan.filtered(at(height), height % 2 == 0);
        }
        scan.fetched(4, 4, "four");
        assert_eq!(scan.tell(at(5)), None, "two is missing");
        scan.fetched(2, 2, "two");
        let batch = scan.tell(at(5)).expect("a batch");
        assert_eq!((heights(&batch), batch.scanned_to, batch.rollback_to), (vec![2, 4], 5, None));
        assert_eq!(scan.tell(at(5)), None, "told once");
    }

    #[test]
    fn a_rollback_is_told_at_once_and_forgets_what_it_undid() {
        let mut scan = Scan::<u32, &str, ()>::new(0);
        for height in 1..=5 {
            scan.filtered(at(height), height > 2);
        }
        assert_eq!(scan.roll_back(at(3)), vec![4, 5]);
        scan.fetched(4, 4, "undone");
        let batch = scan.tell(at(6)).expect("a batch");
        assert_eq!((heights(&batch), batch.scanned_to, batch.rollback_to), (vec![], 2, Some(at(3))));
        scan.fetched(3, 3, "three");
        for height in 4..=6 {
            scan.filtered(at(height), false);
        }
        assert_eq!(scan.tell(at(6)).map(|batch| (heights(&batch), batch.scanned_to)), Some((vec![3], 6)));
    }
}
