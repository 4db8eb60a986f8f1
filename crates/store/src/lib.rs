//! The only crate that knows SQL: the profile's one database, its migrations and its outbox.
//!
//! # Laws
//! - One process holds a profile at a time, and one writer writes.
//! - [`Store::commit`] is one transaction: wallet changes, journal entries and the outbox row become durable together or not at all.
//! - `synchronous=FULL` in write-ahead mode: what `commit` returned for survives a power cut.
//! - A profile is bound for life to the genesis blocks of its realm.
//! - Nothing secret is stored here: recovery words live in the vault files beside the database.

mod ancestors;
mod assets;
mod audit;
mod chain;
mod desk;
mod drafts;
mod error;
mod labels;
mod open;
mod operations;
#[cfg(test)]
mod tests;
mod wallets;
mod write;

pub use ancestors::AncestorRow;
pub use assets::ContractRow;
pub use desk::{HolderRow, RedeemedRow, RedemptionRow};
pub use drafts::DraftRow;
pub use labels::LabelRow;
pub use open::{Binding, Store, sqlite_version};
pub use operations::{EntryRow, LinkRow, OperationRow};
pub use wallets::{NewWallet, WalletRow};
pub use write::{Committed, Reader, Write};

/// The name of a network in the tables.
fn network_name(network: causeway_vocab::NetworkId) -> &'static str {
    match network {
        causeway_vocab::NetworkId::Bitcoin => "bitcoin",
        causeway_vocab::NetworkId::Sidechain => "sidechain",
    }
}
