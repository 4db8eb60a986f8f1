//! Up to which block a chain was read: the last blocks one by one, earlier ones ever sparser, so that after any reorganisation one is left from
//! which reading goes on.

use causeway_store::{Reader, Write};
use causeway_vocab::{Height, NetworkId, Refusal};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Marks that are kept one by one.
const LAST: usize = 64;

/// Blocks that were read with all before them, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Marks<H>(Vec<(Height, H)>);

impl<H> Default for Marks<H> {
    fn default() -> Self {
        Marks(Vec::new())
    }
}

impl<H: Copy + PartialEq> Marks<H> {
    /// The last block that was read.
    pub(super) fn last(&self) -> Option<(Height, H)> {
        self.0.last().copied()
    }

    /// Reading has come to this block. Whatever stood at or above it is forgotten.
    pub(super) fn push(&mut self, height: Height, hash: H) {
        self.0.retain(|(known, _)| *known < height);
        self.0.push((height, hash));
        let singly = self.0.len().saturating_sub(LAST);
        let mut last = None;
        let mut at = 0;
        self.0.retain(|(known, _)| {
            // Of each stretch one stays. Stretches are aligned and grow by doubling, so what stays once stays when two become one.
            let stretch = ((height - known) / 8).next_power_of_two();
            let place = (stretch, known / stretch);
            at += 1;
            at > singly || last.replace(place) != Some(place)
        });
    }

    /// Everything above a height has to be read again.
    pub(super) fn cut(&mut self, height: Height) {
        self.0.retain(|(known, _)| *known <= height);
    }

    /// Drops the marks that are not of the chain. `true` if there were any.
    pub(super) fn keep(&mut self, is_of_chain: impl Fn(Height, H) -> bool) -> bool {
        let before = self.0.len();
        while self.0.last().is_some_and(|(height, hash)| !is_of_chain(*height, *hash)) {
            self.0.pop();
        }
        self.0.len() < before
    }
}

pub(super) fn read<H: DeserializeOwned>(reader: &Reader<'_>, network: NetworkId) -> Result<Marks<H>, Refusal> {
    match reader.audit_marks(network)? {
        None => Ok(Marks(Vec::new())),
        Some(text) => serde_json::from_str(&text).map_err(super::damaged),
    }
}

pub(super) fn write<H: Serialize>(write: &mut Write<'_>, network: NetworkId, marks: &Marks<H>) -> Result<(), Refusal> {
    write.set_audit_marks(network, &serde_json::to_string(marks).expect("BUG: marks are JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_marks_reach_far_back_and_every_rollback_loses_little() {
        let mut marks = Marks::default();
        (0..100_000u32).for_each(|height| marks.push(height, height));
        assert!(marks.0.len() < 200, "{}", marks.0.len());
        for depth in [1, 10, 63, 100, 1_000, 20_000, 90_000] {
            let mut marks = marks.clone();
            let fork = 99_999 - depth;
            assert!(marks.keep(|height, _| height <= fork));
            let (height, _) = marks.last().expect("a mark is left");
            assert!(height <= fork && fork - height <= depth, "a rollback of {depth} reads {} blocks again", fork - height);
        }
        assert!(!marks.keep(|_, _| true));
        marks.push(500, 7);
        assert_eq!(marks.last(), Some((500, 7)));
        marks.cut(499);
        assert!(marks.last().is_some_and(|(height, _)| height < 500));
        assert!(marks.keep(|_, _| false) && marks.last().is_none());
    }
}
