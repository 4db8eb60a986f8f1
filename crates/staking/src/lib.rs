//! Bitcoin staking in Babylon's way: coins locked under a committee's covenant, finality providers with extractable one-time
//! signatures, and a control plane that writes its checkpoints on Bitcoin.
//!
//! Pure: no socket, file, clock or thread. Everything is verified under our own hashes; nothing that the control plane says is believed
//! where it can be checked.

pub mod params;
pub mod rate;
pub mod script;

pub use params::{Covenant, Params, ParamsHistory};
pub use rate::Rate;
pub use script::{Leaf, Terms, Tree, Trees};

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod testing;
