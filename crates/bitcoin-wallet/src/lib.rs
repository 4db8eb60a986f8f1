//! Coins on Bitcoin: facts in, changes out; intent to plan.
//!
//! [`BitcoinWallet`] holds one wallet's public side. It learns from verified [batches](causeway_vocab::BitcoinBatch), answers questions, and turns an
//! [`Intent`] into a [`Plan`]: an unsigned PSBT that only the `keys` crate can check and sign. It has no keys.
//!
//! Everything that must survive a restart comes out as [`ChangeSet`]s: serde values that are merged in order. The law is *on disk
//! before on screen*: write the change set, then show the address or the balance. If writing fails, drop the wallet and load it
//! again, because its memory is ahead of the disk.

pub mod address;
mod arranged;
pub mod book;
pub mod coins;
pub mod descriptors;
pub mod history;
pub mod plan;
pub mod psbt;
#[cfg(test)]
mod testing;
pub mod uri;
mod view;
mod wallet;

pub use address::parse_address;
pub use arranged::Arrangement;
pub use bdk_wallet::chain::Merge;
pub use bdk_wallet::{ChangeSet, KeychainKind};
pub use book::AddressEntry;
pub use coins::{Balance, Coin};
pub use descriptors::Descriptors;
pub use history::{Flow, FlowInput, FlowOutput, HistoryEntry};
pub use plan::{FeeRate, Intent, Plan, Recipient, Replaced};
pub use uri::PaymentUri;
pub use wallet::{Applied, BitcoinWallet, LOOKAHEAD};
