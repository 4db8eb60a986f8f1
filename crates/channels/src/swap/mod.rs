//! Atomic swap between Bitcoin and the sidechain's pegged asset, peer to peer.
//!
//! Both sides lock their coins so that whoever shows the preimage of one hash may take them, and whoever locked them may take them back
//! after a height. The initiator knows the preimage; to take the responder's coin it must publish it, and so hands the responder the key
//! to its own. The initiator's lock lasts longer: [`Safety`] says how much, in time, for the two chains do not keep the same pace.
//!
//! ```text
//! initiator                                  responder
//!   Offer                       ->                        on disk first: the offer
//!                               <-  Accept                on disk first: the terms
//!   [lock on the first chain]                             on disk first: the signed lock
//!   Locked(coin)                ->
//!                                   [lock on the second]  only after the first is deep, and if time is left
//!                               <-  Locked(coin)
//!   [claim on the second: shows the preimage]             only if it will confirm before the responder's refund opens
//!                                   [claim on the first]
//! ```
//!
//! `Locked` is a courtesy: chain facts alone move the machine. Whoever finds the other gone waits for the height of its own refund; nothing
//! that the other side does or leaves undone takes money from a side that is awake and whose transactions confirm within its window.
//!
//! **Form.** Taproot on both chains, internal key without known logarithm (so no key path: the well-kept MuSig2 library wants a newer
//! secp256k1 than the rest of this program, and a cooperative spend would save 44 vB and hide the script), two leaves: claim
//! `SIZE 32 EQUALVERIFY SHA256 <hash> EQUALVERIFY <claimer> CHECKSIG`, refund `<refunder> CHECKSIGVERIFY <expiry> CHECKLOCKTIMEVERIFY`. On the
//! sidechain the leaf version is 0xc4 and the output is blinded to a key that both sides know; an explicit one is taken too.

mod bitcoin_lock;
mod machine;
mod message;
mod sidechain_lock;
mod terms;
mod timing;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

pub use bitcoin_lock::BitcoinLock;
pub use machine::{Effect, Input, Outcome, Outlook, Role, Swap, SwapStep};
pub use message::Message;
pub use sidechain_lock::{Destination, SidechainLock};
pub use terms::{Acceptance, Chain, Coin, Leg, Offer, Place, SwapId, Terms};
pub use timing::{Pace, Safety, Tips};

use crate::wire::WireFault;
use bitcoin::hashes::{Hash as _, sha256};
use causeway_vocab::{Code, Refusal};
use serde::{Deserialize, Serialize};

/// Virtual size of a claim of a [`BitcoinLock`] to a 34-byte script, vB.
pub const BITCOIN_CLAIM_VSIZE: u64 = 155;
/// Virtual size of a refund of a [`BitcoinLock`] to a 34-byte script, vB, at most.
pub const BITCOIN_REFUND_VSIZE: u64 = 139;

/// What opens a lock: 32 bytes, random, never used twice. Public once its owner has claimed.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preimage(#[serde(with = "crate::wire::hex32")] pub [u8; 32]);

impl Preimage {
    /// The hash in the scripts.
    pub fn hash(&self) -> sha256::Hash {
        sha256::Hash::hash(&self.0)
    }
}

impl std::fmt::Debug for Preimage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Preimage(..)")
    }
}

/// How a lock was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spend {
    /// With the preimage.
    Claimed(Preimage),
    /// By whoever locked it, after the expiry.
    Refunded,
}

/// Why something from outside was refused. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The bytes are no message.
    #[error("unreadable: {0}")]
    Unreadable(#[from] WireFault),
    /// A message of another swap.
    #[error("another swap")]
    Swap,
    /// A message or an input that has no place in this state.
    #[error("out of turn")]
    OutOfTurn,
    /// A term that this side does not take.
    #[error("unacceptable {0}")]
    Term(&'static str),
    /// The time locks leave too little time.
    #[error("the time locks are not safe")]
    Timing,
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Refusal {
        let why = match wrong {
            Wrong::Unreadable(_) => "unreadable",
            Wrong::Swap => "another-swap",
            Wrong::OutOfTurn => "out-of-turn",
            Wrong::Term(_) => "unacceptable-term",
            Wrong::Timing => "unsafe-time-locks",
        };
        Refusal::new(Code::BadPeer).with("why", why)
    }
}
