//! Colu's Coloured Coins: payments that move units from inputs to outputs, what is left goes to the last output.
//!
//! Source: the Coloured Coins protocol specification and, where it is silent, the behaviour of its official encoders
//! (`cc-transaction` 1.2.1 and `cc-get-assets-outputs` 1.2.1).

pub mod asset_id;
pub mod coloring;
pub mod message;
pub mod multisig;
pub mod payment;
pub mod plan;
pub mod sffc;

pub use asset_id::{AssetId, Policy};
pub use coloring::{Coloring, Piece, color};
pub use message::{Carried, Issuance, Kind, Message};
pub use payment::{Payment, Target};
pub use plan::{Coin, Delivery};

pub(crate) use coloring::Rule;

/// Largest amount of the protocol: its encoders count in doubles.
pub const MOST: u64 = (1 << 53) - 1;

/// Why a payload is not of this protocol, or a message cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageFault {
    /// Another protocol's.
    #[error("another tag")]
    Tag,
    /// Neither version 1 nor 2.
    #[error("another version")]
    Version,
    /// No such operation.
    #[error("no such operation")]
    Operation,
    /// Ends too early.
    #[error("truncated")]
    Truncated,
    /// An amount above 2^53 - 1.
    #[error("an amount above 2^53 - 1")]
    AmountTooLarge,
    /// More than seven decimal places.
    #[error("more than seven decimal places")]
    Divisibility,
    /// An output index that the encoding has no room for, or that means burning.
    #[error("no such output")]
    Output,
    /// Payments whose inputs do not start at 0 and rise by one at most.
    #[error("payments skip an input")]
    InputGap,
    /// Burning outside a burn.
    #[error("burning outside a burn")]
    Burn,
    /// Longer than 80 bytes.
    #[error("longer than 80 bytes")]
    TooLong,
}
