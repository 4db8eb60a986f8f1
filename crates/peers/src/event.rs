//! What a light client tells, and what it wants to be told when it starts again.

use causeway_vocab::{Fault, Height};
use serde::{Deserialize, Serialize};

/// Something a light client has to say. `B` is the batch type of its network.
///
/// Events arrive in the order in which they must be written down: headers, then the batch that rests on them, then the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<B> {
    /// Verified headers to keep for the next start. Losing some costs only time.
    Headers(Headers),
    /// Verified facts about watched scripts.
    Batch(B),
    /// How the network is doing. Sent when it changes, never more often than the reader reads.
    State(NetworkState),
    /// A peer or the network failed. The client goes on by itself.
    Fault(Fault),
}

/// A run of consecutive verified headers of the best chain.
///
/// Replaces every kept header at or above `first`: after a reorganisation the heights are told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// Height of the first of them.
    pub first: Height,
    /// Each as it crosses the wire (Bitcoin: 80 bytes; Elements: with its signature witness), ascending.
    pub raw: Vec<Vec<u8>>,
}

/// Where a client left off: put together by the caller from the [`Headers`] it kept and the `scanned_to` of the last batch it applied.
///
/// Everything in it is checked again. A damaged or foreign resume point costs time, never correctness: the client starts from as
/// much of it as holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumePoint {
    /// Height of the first of `headers`; the block below it is the genesis block or the configured checkpoint.
    pub first: Height,
    /// Raw consecutive headers.
    pub headers: Vec<Vec<u8>>,
    /// Every block at or below this height needs no scanning for the scripts watched at the start.
    pub scanned_to: Height,
}

/// How a network is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// No peer has completed a handshake yet.
    Connecting,
    /// Fetching and verifying headers.
    Headers,
    /// Fetching and matching filters.
    Filters,
    /// Fetching the blocks that matched.
    Blocks,
    /// Everything up to the tip is verified and matched.
    Synced,
    /// There were peers, and now there is none.
    Offline,
}

/// The state of a network as its client sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkState {
    /// What the client is busy with.
    pub phase: Phase,
    /// Peers with a completed handshake.
    pub peers: u32,
    /// The greatest height that a connected peer claims; at least `headers`.
    pub claimed: Height,
    /// Height of the best verified header.
    pub headers: Height,
    /// Every block at or below this height has been matched; `scanned_to..headers` is what is left to do.
    pub scanned_to: Height,
    /// Since when there is no peer, Unix seconds.
    pub offline_since: Option<u64>,
}

impl NetworkState {
    /// The state before anything was tried.
    pub(crate) fn new(headers: Height, scanned_to: Height) -> NetworkState {
        NetworkState { phase: Phase::Connecting, peers: 0, claimed: headers, headers, scanned_to, offline_since: None }
    }
}
