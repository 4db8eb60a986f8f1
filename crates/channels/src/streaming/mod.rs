//! Streaming channels: money flows one way, unit by unit, and two transactions reach the chain.
//!
//! The payer locks a coin to both keys. Each payment is the payer's signature under a transaction that gives the payee a little more
//! and the payer the rest; only the payee can complete it, and completes the newest, which is also its best. Should the payee vanish,
//! the payer takes the whole coin back after a block height that is part of the coin's script, so no signature of the payee is needed
//! before the money is locked.
//!
//! ```text
//! payer                                   payee
//!   Open(proposal)             ->                      on disk first: the proposal
//!                              <-  Accept(acceptance)  on disk first: the terms
//!   [funding transaction]      ->  the chain           on disk first: the terms
//!   Funded(outpoint)           ->                      on disk first: the outpoint
//!                              <-  Ready               after `depth` confirmations
//!   Pay(total, signature)      ->                      on disk first: the new total
//!                              <-  Paid(total)         on disk first: the total and its signature
//!   Close(total, fee, sig.)    ->                      on disk first: that no further payment follows
//!                              <-  Closed(signature)   on disk first: both signatures
//! ```
//!
//! **Safety.** The payee takes nothing for paid that it cannot settle, and settles `margin` blocks before the refund opens. The payer
//! loses at most the total it signed. **Both ways out** need nobody: the payee's [settlement](Payee::settlement), the payer's
//! [refund](Payer::refund). Totals only grow: after signing a total the payer can never be paid back inside the channel.

mod message;
mod payee;
mod payer;
mod tariff;
mod terms;
mod transaction;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

pub use message::Message;
pub use payee::{Payee, PayeeEffect, PayeePhase, PayeeStep, Policy, Receipt};
pub use payer::{Payer, PayerEffect, PayerPhase, PayerStep};
pub use tariff::Tariff;
pub use terms::{Acceptance, ChannelId, Proposal, Terms};
pub use transaction::{SETTLEMENT_VSIZE, Settlement};

use crate::wire::WireFault;
use causeway_vocab::{Atoms, Code, Refusal};

/// Why a message or a chain fact from outside was refused. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The bytes are no message.
    #[error("unreadable: {0}")]
    Unreadable(#[from] WireFault),
    /// A message of another channel.
    #[error("another channel")]
    Channel,
    /// A message that has no place in this phase.
    #[error("out of turn")]
    OutOfTurn,
    /// A term that this side does not take.
    #[error("unacceptable {0}")]
    Term(&'static str),
    /// The total is below one that was already paid: an old state.
    #[error("an old state: {got} after {newest}")]
    OldState {
        /// The total in the message.
        got: Atoms,
        /// The newest total.
        newest: Atoms,
    },
    /// The total is more than the channel holds.
    #[error("overdrawn: {got} of {most}")]
    Overdrawn {
        /// The total in the message.
        got: Atoms,
        /// The most that can be paid.
        most: Atoms,
    },
    /// The total is so small that no transaction can carry it.
    #[error("below {least}")]
    Dust {
        /// The least total.
        least: Atoms,
    },
    /// The signature does not belong to the transaction and the key.
    #[error("bad signature")]
    Signature,
    /// The coin is not the one that was agreed.
    #[error("the funding is not as agreed")]
    Funding,
    /// Too close to the refund to take more.
    #[error("too late")]
    TooLate,
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Refusal {
        let why = match wrong {
            Wrong::Unreadable(_) => "unreadable",
            Wrong::Channel => "another-channel",
            Wrong::OutOfTurn => "out-of-turn",
            Wrong::Term(_) => "unacceptable-term",
            Wrong::OldState { .. } => "old-state",
            Wrong::Overdrawn { .. } => "overdrawn",
            Wrong::Dust { .. } => "dust",
            Wrong::Signature => "bad-signature",
            Wrong::Funding => "bad-funding",
            Wrong::TooLate => "too-late",
        };
        Refusal::new(Code::BadPeer).with("why", why)
    }
}
