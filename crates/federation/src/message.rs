//! What functionaries say to each other.
//!
//! Every message is an [`Envelope`]: signed by its sender under a tag that names the chain and the kind of the message, so that none can
//! pass for another one, for a block signature, or for one of another chain. Encoding and decoding ([`Envelope::decode`]) are total and
//! bounded by [`MAX_MESSAGE`].

use crate::evidence::{DoubleSign, Evidence, Statement, StatementKind};
use crate::functionary::{Federation, FunctionaryKeys, Member, MemberId};
use crate::watchman::{BatchPlan, BatchShare, BatchVeto};
use crate::wire::Writer;
use bitcoin::hashes::{Hash as _, HashEngine as _, sha256};
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use bitcoin::secp256k1::{Message, PublicKey, SECP256K1, SecretKey, ecdsa};
use causeway_vocab::Height;
use elements::{Block, BlockHash};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest encoded message, bytes: a block of four million weight units and what it is wrapped in.
pub const MAX_MESSAGE: usize = 4_300_000;

/// Round of one height, from 0.
pub type Round = u32;

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

/// Votes of at least X members for one block in one round. Height, hash and kind follow from where it stands.
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
    /// "The proposal is valid and nothing holds me to another block."
    Prevote(Vote),
    /// "X of us prevoted for it, and I am held to it." With the prevotes.
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
    /// Proof for everybody that a member signed two blocks of one height.
    DoubleSign(Box<DoubleSign>),
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

    /// What the message commits its sender to, where it does. Its signature is then over this alone, so that it serves in
    /// certificates and as evidence without the rest of the message.
    pub fn statement(&self) -> Option<Statement> {
        let (kind, vote) = match self {
            Body::Proposal(proposal) => {
                let height = proposal.block.header.height;
                (StatementKind::Proposal, Vote { height, round: proposal.round, hash: proposal.block.block_hash() })
            }
            Body::Prevote(vote) => (StatementKind::Prevote, *vote),
            Body::Precommit(vote, _) => (StatementKind::Precommit, *vote),
            Body::Share(share) => (StatementKind::Share, Vote { height: share.height, round: 0, hash: share.hash }),
            _ => return None,
        };
        Some(Statement { kind, vote })
    }

    fn digest(&self, chain: &BlockHash, from: MemberId) -> Message {
        match self.statement() {
            Some(statement) => statement.digest(chain, from),
            None => {
                let mut writer = Writer::default();
                self.write(&mut writer);
                tagged(b"causeway/federation/message", chain, from, &writer.0)
            }
        }
    }
}

/// What is signed: hash of the tag twice (as BIP340 tags its hashes), chain, sender, content.
pub(crate) fn tagged(tag: &[u8], chain: &BlockHash, from: MemberId, content: &[u8]) -> Message {
    let tag = sha256::Hash::hash(tag);
    let mut engine = sha256::Hash::engine();
    engine.input(tag.as_byte_array());
    engine.input(tag.as_byte_array());
    engine.input(&chain.to_byte_array());
    engine.input(&[from]);
    engine.input(content);
    Message::from_digest(sha256::Hash::from_engine(engine).to_byte_array())
}

/// A message with its sender and signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Who says it.
    pub from: MemberId,
    /// What it says.
    pub body: Body,
    /// With the sender's message key.
    pub signature: Signature,
}

impl Envelope {
    /// Signs a message. `chain` is the genesis hash of the sidechain.
    pub fn sign(chain: BlockHash, from: MemberId, keys: &FunctionaryKeys, body: Body) -> Envelope {
        let signature = Signature::make(&body.digest(&chain, from), &keys.message);
        Envelope { from, body, signature }
    }

    /// Whether the sender is a member and signed this.
    pub fn is_genuine(&self, chain: &BlockHash, federation: &Federation) -> bool {
        federation.member(self.from).is_some_and(|member| self.is_by(chain, member))
    }

    /// Whether this member signed this.
    pub(crate) fn is_by(&self, chain: &BlockHash, member: &Member) -> bool {
        self.signature.verify(&self.body.digest(chain, self.from), &member.message)
    }
}

impl Certificate {
    /// Whether at least X different members voted so.
    pub fn verify(
        &self,
        kind: StatementKind,
        height: Height,
        hash: BlockHash,
        chain: &BlockHash,
        federation: &Federation,
    ) -> bool {
        let ascending = self.votes.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let statement = Statement { kind, vote: Vote { height, round: self.round, hash } };
        ascending
            && self.votes.len() >= usize::from(federation.precommit_threshold())
            && self.votes.iter().all(|(member, signature)| {
                let key = federation.member(*member).map(|member| member.message);
                key.is_some_and(|key| signature.verify(&statement.digest(chain, *member), &key))
            })
    }
}

/// A compact ECDSA signature, low S.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(pub [u8; 64]);

impl Signature {
    pub(crate) fn make(message: &Message, key: &SecretKey) -> Signature {
        Signature(SECP256K1.sign_ecdsa(message, key).serialize_compact())
    }

    /// The signature in the form that scripts take. `None` when the numbers are out of range.
    pub(crate) fn ecdsa(&self) -> Option<ecdsa::Signature> {
        ecdsa::Signature::from_compact(&self.0).ok()
    }

    /// A signature with a high S does not verify.
    pub(crate) fn verify(&self, message: &Message, key: &PublicKey) -> bool {
        self.ecdsa().is_some_and(|signature| SECP256K1.verify_ecdsa(message, &signature, key).is_ok())
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
