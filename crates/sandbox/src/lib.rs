//! A private world on loopback that speaks the real wire formats.
//!
//! One process holds a real bitcoind (regtest), a federation of functionaries that sign a sidechain pegged to it, watchmen that pay
//! peg-outs, Elements' P2P protocol for clients, and a control service ([`control`]) that hands out test coins. Everything lives in
//! one directory: a process that is killed at any moment and served again continues the same two chains.

pub mod bitcoind;
pub mod control;
pub mod error;
mod functionaries;
pub mod genesis;
pub mod http;
mod ledger;
pub mod lifecycle;
mod miner;
mod node;
pub mod options;
mod p2p;
pub mod place;
pub mod plane;
mod registry;
mod running;
mod world;

pub use control::{Control, Status};
pub use error::SandboxError;
pub use lifecycle::{Params, down, ensure_up, params, serve};
pub use options::{ChainOptions, Options};
