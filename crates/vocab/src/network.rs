//! The closed list of networks, and what each can do.

use serde::{Deserialize, Serialize};

/// A network the app follows with its own light client. Closed on purpose: a new variant breaks every match that must learn it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkId {
    /// The Bitcoin chain of the realm.
    Bitcoin,
    /// The Elements chain pegged to it.
    Sidechain,
}

impl NetworkId {
    /// Every network, in the order in which faces show them.
    pub const ALL: [NetworkId; 2] = [NetworkId::Bitcoin, NetworkId::Sidechain];
}

/// Something a network lets its user do; faces draw what is listed and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Show an address and watch it.
    Receive,
    /// Spend coins.
    Send,
    /// Create, reissue and burn assets.
    Issue,
    /// Move value across the federation's bridge.
    Peg,
}
