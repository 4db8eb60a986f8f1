//! What a functionary must not forget.

use crate::message::{Certificate, Round};
use bitcoin::secp256k1::PublicKey;
use causeway_vocab::Height;
use elements::{Block, BlockHash};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that binds a functionary at the height it works on.
///
/// A functionary that lost it must not sign again under the same keys until the chain has passed every height it may have signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningState {
    /// Counts the states, so that the runtime can say which one is on disk.
    pub revision: u64,
    /// The height all the rest is about.
    pub height: Height,
    /// The latest round this member took part in.
    pub round: Round,
    /// Proposed in this round.
    pub proposed: Option<(Round, BlockHash)>,
    /// The latest prevote.
    pub prevoted: Option<(Round, BlockHash)>,
    /// The latest precommit.
    pub precommitted: Option<(Round, BlockHash)>,
    /// The block it is held to.
    pub lock: Option<Lock>,
    /// The block it signed. For ever: no other of this height will be signed.
    pub signed: Option<Signed>,
    /// Block keys that are proven to have signed a height twice, and whether the operator has looked at it. Outlives the height.
    #[serde(default)]
    pub convicted: BTreeMap<PublicKey, bool>,
}

impl SigningState {
    /// Bound to nothing at this height.
    pub(super) fn new(height: Height, revision: u64) -> SigningState {
        SigningState {
            revision,
            height,
            round: 0,
            proposed: None,
            prevoted: None,
            precommitted: None,
            lock: None,
            signed: None,
            convicted: BTreeMap::new(),
        }
    }
}

impl Lock {
    pub(super) fn hash(&self) -> BlockHash {
        self.block.block_hash()
    }
}

/// A signature that may have gone out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The block.
    pub hash: BlockHash,
    /// The precommits that allowed it.
    pub precommits: Certificate,
}

/// A block that X members prevoted for, which holds whoever saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The block, kept because the others may have lost it.
    #[serde(with = "crate::wire::consensus_hex")]
    pub block: Block,
    /// The prevotes.
    pub polka: Certificate,
}
