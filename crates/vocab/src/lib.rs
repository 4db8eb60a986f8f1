//! Shared words: what every other crate means by realm, network, asset, amount, tip, batch, draft and code.
//!
//! Imports nothing of ours. Holds data and total functions on it, no I/O.

pub mod amount;
pub mod asset;
pub mod chain;
pub mod code;
pub mod draft;
pub mod known;
pub mod network;
pub mod realm;

pub use amount::Atoms;
pub use asset::AssetId;
pub use chain::{BitcoinBatch, ChainBatch, Height, SidechainBatch, Tip};
pub use code::{Code, Fault, Refusal};
pub use draft::{Draft, Opening, SidechainDraft, Signed};
pub use known::Known;
pub use network::{Capability, NetworkId};
pub use realm::{BitcoinParams, Realm, SidechainParams, StakingParams, default_extension_space};
