//! The only crate that talks to strangers: one light client per network, both of the same shape.
//!
//! A client is a task that owns its connections and a handle ([`BitcoinClient`], [`SidechainClient`]) that may be cloned. It reports
//! through one bounded channel of [`Event`]s. Nothing is lost when the reader is slow: whatever becomes known meanwhile is merged into
//! the next batch, and the client stops fetching blocks until there is room.
//!
//! What a client says has been verified as the module of its network describes; what it cannot verify it does not say.

mod bitcoin_chain;
mod blocks;
pub mod bytes;
mod event;
mod http;
pub mod ledger;
mod outbox;
pub mod plane;
pub mod registry;
mod relay;
mod scan;
mod sidechain;
pub mod source;
pub mod testbed;
mod wire;

pub use bitcoin_chain::{BitcoinClient, BitcoinConfig, BitcoinEvent, FeeRates};
pub use event::{Against, Event, Headers, Misrule, NetworkState, PeerInfo, Phase, ResumePoint};
pub use sidechain::{Anchor, SidechainClient, SidechainConfig, SidechainEvent, Start};

/// The clock, Unix seconds.
fn unix_time() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |t| t.as_secs())
}
