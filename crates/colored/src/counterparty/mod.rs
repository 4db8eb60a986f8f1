//! Counterparty messages: built and parsed here, never believed from a server.
//!
//! Balances live in a ledger of all messages since 2014, which a light client cannot replay; what a server says about them is *reported*.
//! What a transaction says, however, is in the transaction: [`verify_composed`] recomputes it.
//!
//! Source: the specifications of the Counterparty documentation and, where they are silent or wrong, the behaviour of
//! counterparty-core 11.2.

pub mod asset;
pub mod carrier;
mod cbor;
pub mod destination;
pub mod envelope;
pub mod message;
pub mod mpma;
pub mod plan;
mod rc4;
pub mod read;
pub mod verify;
pub mod write;

pub use asset::AssetId;
pub use carrier::Carrier;
pub use destination::Destination;
pub use message::{Encoding, Message};
pub use mpma::Mpma;
pub use verify::{Composed, ComposedFault, Intent, verify_composed};

/// Largest quantity of the ledger, 2^63 - 1.
pub const MOST: u64 = (1 << 63) - 1;

/// Why bytes are no message, or a message cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageFault {
    /// Ends too early.
    #[error("truncated")]
    Truncated,
    /// Bytes behind the end.
    #[error("trailing bytes")]
    TrailingBytes,
    /// A message type that this crate does not know.
    #[error("unknown type {0}")]
    UnknownType(u32),
    /// Not of the form of its type.
    #[error("malformed")]
    Malformed,
    /// No asset has that id or name.
    #[error("no such asset")]
    Asset,
    /// A quantity above 2^63 - 1.
    #[error("a quantity above 2^63 - 1")]
    Quantity,
    /// An address that the form cannot hold.
    #[error("an address of no known form")]
    Address,
    /// A memo, tag or name that is too long.
    #[error("too long")]
    TooLong,
}

#[cfg(test)]
mod tests;
