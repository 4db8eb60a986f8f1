//! A real bitcoind on regtest: finding it, running it, and calling it.

mod process;
mod rpc;

pub use process::find;
pub(crate) use process::{Bitcoind, free_port};
pub(crate) use rpc::Rpc;
