//! What the members have said at one height.

use crate::evidence::{Evidence, Statement, StatementKind};
use crate::functionary::MemberId;
use crate::message::{Certificate, Round, Signature};
use elements::BlockHash;
use std::collections::BTreeMap;

/// The first statement of each member in each slot.
#[derive(Default)]
pub(super) struct Votes {
    slots: BTreeMap<(StatementKind, Round), BTreeMap<MemberId, (Statement, Signature)>>,
}

impl Votes {
    /// Keeps a genuine statement. Gives the evidence when the member said something else before.
    pub(super) fn record(&mut self, member: MemberId, statement: Statement, signature: Signature) -> Option<Evidence> {
        let slot = self.slots.entry((statement.kind, statement.vote.round)).or_default();
        let first = *slot.entry(member).or_insert((statement, signature));
        first.0.excludes(&statement).then_some(Evidence { member, first, second: (statement, signature) })
    }

    /// A block for which `threshold` members voted so in this round, with the proof.
    pub(super) fn certificate(&self, kind: StatementKind, round: Round, threshold: u8) -> Option<(BlockHash, Certificate)> {
        let slot = self.slots.get(&(kind, round))?;
        let mut by_hash: BTreeMap<BlockHash, Vec<(MemberId, Signature)>> = BTreeMap::new();
        for (member, (statement, signature)) in slot {
            by_hash.entry(statement.vote.hash).or_default().push((*member, *signature));
        }
        let (hash, votes) = by_hash.into_iter().find(|(_, votes)| votes.len() >= usize::from(threshold))?;
        Some((hash, Certificate { round, votes }))
    }

    /// The rounds in which somebody voted so.
    pub(super) fn rounds(&self, kind: StatementKind) -> impl Iterator<Item = Round> + '_ {
        self.slots.keys().filter(move |slot| slot.0 == kind).map(|slot| slot.1)
    }

    /// Who voted so for what in this round.
    pub(super) fn votes(&self, kind: StatementKind, round: Round) -> impl Iterator<Item = (MemberId, BlockHash)> + '_ {
        let slot = self.slots.get(&(kind, round)).into_iter().flatten();
        slot.map(|(member, (statement, _))| (*member, statement.vote.hash))
    }

    /// Forgets old rounds. Shares stay.
    pub(super) fn forget_below(&mut self, round: Round) {
        self.slots.retain(|slot, _| slot.0 == StatementKind::Share || slot.1 >= round);
    }
}
