//! Services: composes the wallets, the keys, the peers and the store, and answers the contract.
//!
//! [`App`] is what a host holds: one method per command of the contract, plus [`App::call`] for hosts that speak JSON.
//!
//! # How it works
//! - An open profile has one memory (`memory::Core`) behind one lock. Whoever changes it does so together with one store
//!   transaction, and speaks of it only afterwards: *on disk before on screen*. If the transaction fails, the memory is thrown away
//!   and read again from disk.
//! - One task per network reads its client's events. Slow work on a batch (unblinding, proofs) happens before the lock is taken.
//! - Long work is a journalled operation; whatever was under way when the process died goes on at the next start.

#![allow(clippy::unused_async, reason = "every command of the contract is async for its callers, also those that answer at once")]

mod amounts;
mod assets;
mod audit;
mod background;
mod balance_history;
mod bridge;
mod call;
mod coloured;
pub mod cores;
mod distribution;
mod drafts;
mod evidence;
pub mod faults;
mod fees;
mod follow;
mod guard;
mod halt;
mod history;
mod holders;
mod labels;
mod ledger;
mod lineage;
mod memory;
mod money;
mod names;
mod networks;
mod operations;
mod pak;
mod payments;
mod pins;
mod profile;
mod proof_queue;
pub mod proofs;
mod qr;
mod recognise;
mod redemption;
mod registry;
mod report;
mod rollback;
mod settings;
mod staking;
mod start;
mod swaps;
pub mod updates;
mod vault;
mod wallets;
mod witness;

pub use call::App;
pub use causeway_federation::release;
pub use profile::{Clock, Options};
