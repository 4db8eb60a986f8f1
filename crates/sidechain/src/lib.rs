//! Coins and assets on Elements.
//!
//! [`consensus`] decides what is true: headers, signatures, filters, proofs, pegs and whole blocks. [`wallet`] decides what is ours
//! and what to do with it, [`audit`] what the federation owes and holds. All are pure: chain facts, time and randomness come in as arguments.

pub mod audit;
pub mod consensus;
pub mod wallet;
