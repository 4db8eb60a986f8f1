//! Proofs that somebody said two things that exclude each other.

use crate::functionary::{Federation, MemberId};
use crate::message::{Signature, Vote, tagged};
use crate::wire::Writer;
use bitcoin::secp256k1::Message;
use elements::BlockHash;

/// How a member commits itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatementKind {
    /// Proposes the block in this round.
    Proposal,
    /// Prevotes for it in this round.
    Prevote,
    /// Precommits to it in this round.
    Precommit,
    /// Signs it; the round is 0, because only one block of a height is ever signed.
    Share,
}

/// What a member commits itself to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statement {
    /// How.
    pub kind: StatementKind,
    /// To which block, when.
    pub vote: Vote,
}

impl Statement {
    pub(crate) fn digest(&self, chain: &BlockHash, from: MemberId) -> Message {
        let tag: &[u8] = match self.kind {
            StatementKind::Proposal => b"causeway/federation/proposal",
            StatementKind::Prevote => b"causeway/federation/prevote",
            StatementKind::Precommit => b"causeway/federation/precommit",
            StatementKind::Share => b"causeway/federation/share",
        };
        let mut writer = Writer::default();
        writer.u32(self.vote.height);
        writer.u32(self.vote.round);
        writer.bytes(&self.vote.hash.to_byte_array());
        tagged(tag, chain, from, &writer.0)
    }

    /// An honest member says at most one of the two.
    pub fn excludes(&self, other: &Statement) -> bool {
        let slot = |statement: &Statement| (statement.kind, statement.vote.height, statement.vote.round);
        slot(self) == slot(other) && self.vote.hash != other.vote.hash
    }
}

/// Two signed statements of one member of which an honest one makes at most one. Anybody who knows the federation can check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Who.
    pub member: MemberId,
    /// The one seen first.
    pub first: (Statement, Signature),
    /// The one that excludes it.
    pub second: (Statement, Signature),
}

impl Evidence {
    /// Whether it proves what it says.
    pub fn verify(&self, chain: &BlockHash, federation: &Federation) -> bool {
        let Some(member) = federation.member(self.member) else { return false };
        self.first.0.excludes(&self.second.0)
            && [&self.first, &self.second].into_iter().all(|(statement, signature)| {
                // A share says nothing about its round; one that names another round was never signed by this code.
                (statement.kind != StatementKind::Share || statement.vote.round == 0)
                    && signature.verify(&statement.digest(chain, self.member), &member.message)
            })
    }
}
