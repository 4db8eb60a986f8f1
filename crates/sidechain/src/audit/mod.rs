//! The audit of the peg: what the sidechain says that the federation owes, against what it holds on Bitcoin.
//!
//! | number | from |
//! |---|---|
//! | pegged in | claims in sidechain blocks, each verified with its Bitcoin proof |
//! | pegged out, burned | explicit outputs of sidechain blocks; fees that no coinbase collected are burned as well |
//! | reserve | deposits that were claimed, and outputs to the untweaked peg scripts, as long as no Bitcoin block spends them |
//!
//! A deposit lies at a script that only its claim discloses, so it counts from its claim on, and then from its Bitcoin block on. What no block can
//! show: amounts burned in blinded outputs, bitcoin that nobody has claimed, and money made by false proofs, which adds to no
//! number here.
//!
//! Facts of both chains come in any order; [`Ledger`] is the same for the same facts.

mod facts;
mod ledger;
mod summary;
#[cfg(test)]
mod tests;

pub use facts::{BitcoinFacts, Claim, Kept, Paid, Requested, SidechainFacts, Spend, read_sidechain};
pub use ledger::{Ledger, Since};
pub use summary::{Point, Summary, Unexplained};
