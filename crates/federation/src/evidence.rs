//! Proofs that somebody said two things that exclude each other.

use crate::message::Envelope;

/// Two signed messages of one member of which an honest one sends at most one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The one seen first.
    pub first: Envelope,
    /// The one that excludes it.
    pub second: Envelope,
}
