//! Our coins and assets: descriptors, unblinding, coin selection, blinding and building.
//!
//! Facts come in, changes go out. [`SidechainWallet`] learns from verified [batches](causeway_vocab::SidechainBatch):
//!
//! ```text
//! candidates(batch) -> Candidate::open (Send, one thread each) -> apply(batch, opened, now) -> Applied { changes, .. }
//! plan(intent, rng) -> Plan -> Plan::blind(rng, run)           -> SidechainDraft          -> the keys check and sign
//! ```
//!
//! Everything that must survive a restart is in [`Changes`]: write them, then show. A wallet loaded from all its changes merged in order
//! equals the one that made them. Chain facts are taken as verified: the client that made the batch has checked them.

pub mod address;
pub mod blinders;
pub mod build;
pub mod descriptor;
#[cfg(test)]
mod laws;
pub mod pset;
pub mod state;
pub mod swap;
#[cfg(test)]
pub(crate) mod testing;
pub mod unblind;
pub mod uri;

pub use address::{Confidentiality, parse_address};
pub use build::{Action, Intent, Plan};
pub use descriptor::{Account, Chain, CtDescriptor, KeyPath};
pub use state::{Applied, Balance, Changes, Coin, HistoryEntry, Problem, SidechainWallet};
pub use unblind::{Candidate, Opened};
pub use uri::PaymentUri;
