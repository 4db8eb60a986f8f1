//! Bitcoin staking in Babylon's way: coins locked under a committee's covenant, finality providers with extractable one-time
//! signatures, and a control plane that writes its checkpoints on Bitcoin.
//!
//! Pure: no socket, file, clock or thread. Everything is verified under our own hashes; nothing that the control plane says is believed
//! where it can be checked.

pub mod adaptor;
pub mod answer;
pub mod bls;
pub mod checkpoint;
pub mod delegation;
pub mod envelope;
pub mod eots;
pub mod epoch;
pub mod exit;
pub mod fund;
pub mod identifiable;
pub mod inclusion;
pub mod lifecycle;
pub mod light;
pub mod message;
pub mod params;
pub mod possession;
pub mod protection;
pub mod randomness;
pub mod rate;
mod refusal;
mod scalar;
pub mod script;
pub mod spend;
pub mod stake;
pub mod store_proof;
pub mod stored;

pub use adaptor::AdaptorSignature;
pub use delegation::{CovenantSignatures, Registration, Verified};
pub use eots::{EotsKey, EotsSignature, PublicRandomness, SecretNonce};
pub use exit::ExitPackage;
pub use params::{Covenant, Params, ParamsHistory};
pub use rate::Rate;
pub use script::{Leaf, Terms, Tree, Trees};
pub use spend::Spend;
pub use stake::{Rules, Stake};

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod testing;
