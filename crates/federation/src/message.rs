//! What functionaries say to each other.
//!
//! Every message is an [`Envelope`]: signed by its sender under a tag that names the chain and the kind of the message, so that none can
//! pass for another one, for a block signature, or for one of another chain. Encoding and decoding are total and bounded by
//! [`MAX_MESSAGE`].

use crate::evidence::Evidence;
use crate::functionary::{Federation, FunctionaryKeys, MemberId};
use crate::watchman::{BatchPlan, BatchShare, BatchVeto};
use crate::wire::{Reader, WireFault, Writer};
use bitcoin::hashes::{Hash as _, HashEngine as _, sha256};
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use bitcoin::secp256k1::{Message, SECP256K1, ecdsa};
use causeway_vocab::Height;
use elements::{Block, BlockHash};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest encoded message, bytes: a block of four million weight units and what it is wrapped in.
pub const MAX_MESSAGE: usize = 4_300_000;

/// Round of one height, from 0.
pub type Round = u32;

/// A compact ECDSA signature, low S.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(pub [u8; 64]);

/// A vote of some member for a block in a round: what prevotes and precommits say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    /// Height of the block.
    pub height: Height,
    /// The round in which it was proposed.
    pub round: Round,
    /// The block.
    pub hash: BlockHash,
}

/// Which of the two votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VoteKind {
    /// "The proposal is valid and nothing holds me to another block."
    Prevote,
    /// "X of us prevoted for it; I am held to it."
    Precommit,
}

/// Votes of at least X members for one block in one round. Height and hash follow from where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The round of all the votes.
    pub round: Round,
    /// Members, ascending, with the signature of their vote's envelope.
    pub votes: Vec<(MemberId, Signature)>,
}

/// A block put to the vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The round it is for. Its height stands in the block.
    pub round: Round,
    /// The block, unsigned.
    pub block: Box<Block>,
    /// Prevotes of an earlier round, when the proposer is held to this block.
    pub polka: Option<Certificate>,
}

/// A member's share of the signatures of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockShare {
    /// Height of the block.
    pub height: Height,
    /// The block.
    pub hash: BlockHash,
    /// Over the block hash, with the member's block key.
    pub share: Signature,
    /// The precommits by which the member knew that all will sign this block.
    pub precommits: Certificate,
}

/// The content of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A block put to the vote.
    Proposal(Proposal),
    /// A first vote.
    Prevote(Vote),
    /// A second vote, with the X prevotes that allow it.
    Precommit(Vote, Certificate),
    /// A share of a block's signatures.
    Share(BlockShare),
    /// Where the sender stands. Said again and again, so that those who missed something can be helped.
    Status {
        /// The height it works on.
        height: Height,
        /// Its round.
        round: Round,
    },
    /// Asks for a block that others voted for.
    Want {
        /// Height of the block.
        height: Height,
        /// The block.
        hash: BlockHash,
    },
    /// Answers [`Body::Want`]: an unsigned block.
    Candidate(Box<Block>),
    /// A complete block, for somebody who is one behind.
    Finished(Box<Block>),
    /// Proof that a member said two things that exclude each other.
    Evidence(Box<Evidence>),
    /// Peg-outs to be paid together.
    Batch(BatchPlan),
    /// A member's signatures for a batch.
    BatchShare(BatchShare),
    /// Why a member cannot sign a batch as it is.
    BatchVeto(BatchVeto),
}

impl Body {
    /// Whether the message is for the [`crate::Watchman`]; all others are for the [`crate::Blocksigner`].
    pub fn is_for_watchman(&self) -> bool {
        matches!(self, Body::Batch(_) | Body::BatchShare(_) | Body::BatchVeto(_))
    }
}

/// A message with its sender and signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Who says it.
    pub from: MemberId,
    /// What it says.
    pub body: Body,
    /// With the sender's message key, over [`Body::digest`].
    pub signature: Signature,
}

impl Envelope {
    /// Signs a message.
    pub fn sign(chain: BlockHash, from: MemberId, keys: &FunctionaryKeys, body: Body) -> Envelope {
        let _ = (chain, from, keys, body);
        todo!()
    }

    /// The bytes that [`Envelope::decode`] reads. Put them in frames of at most [`MAX_MESSAGE`].
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    /// Reads a message; total. Says nothing about its signature: the machines check that.
    pub fn decode(bytes: &[u8]) -> Result<Envelope, WireFault> {
        let _ = bytes;
        todo!()
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.as_hex())
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.as_hex())
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        <[u8; 64]>::from_hex(&text).map(Signature).map_err(serde::de::Error::custom)
    }
}
