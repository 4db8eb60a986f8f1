//! What every participant must agree on: header, proof, peg and block rules of Elements.
//!
//! A light client needs [`header`], [`filter`], [`merkle`] and [`proofs`]; a full node adds [`block`]. Nothing here performs I/O: the
//! coins a block spends and the depth of a Bitcoin block come in through [`block::Coins`] and [`pegin::ParentChain`].
//!
//! Where these rules are stricter than elementsd's the item says so; a stricter rule can pause us on a chain that elementsd follows, but
//! never makes us follow a chain that it refuses.

pub mod block;
pub mod coin;
pub mod contract;
pub mod federation;
pub mod filter;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod header;
pub mod issuance;
pub mod merkle;
pub mod misrule;
pub mod pak;
#[cfg(test)]
mod parser_tests;
pub mod pegin;
pub mod pegout;
pub mod pinned;
pub mod proofs;
pub mod script;
pub mod signature;
pub mod skip;
pub mod transaction;
pub mod tweak;

/// Most satoshi that can exist, and the most any explicit output may hold.
pub const MAX_MONEY: u64 = 21_000_000 * 100_000_000;
