//! Which asset a coin holds, across protocols.

use crate::{colu, epobc, open_assets};
use bitcoin::NetworkKind;
use serde::{Deserialize, Serialize};

/// A protocol of coloured coins. A transaction speaks at most one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Open Assets 1.0.
    OpenAssets,
    /// Colu's Coloured Coins.
    Colu,
    /// EPOBC.
    Epobc,
    /// Counterparty.
    Counterparty,
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Protocol::OpenAssets => "open-assets",
            Protocol::Colu => "colu",
            Protocol::Epobc => "epobc",
            Protocol::Counterparty => "counterparty",
        })
    }
}

/// An asset whose coins this crate can colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asset {
    /// Of Open Assets.
    OpenAssets(open_assets::AssetId),
    /// Of Colu's Coloured Coins.
    Colu(colu::AssetId),
    /// Of EPOBC.
    Epobc(epobc::ColourId),
}

impl Asset {
    /// The protocol it lives on.
    pub fn protocol(&self) -> Protocol {
        match self {
            Asset::OpenAssets(_) => Protocol::OpenAssets,
            Asset::Colu(_) => Protocol::Colu,
            Asset::Epobc(_) => Protocol::Epobc,
        }
    }

    /// The identifier as people exchange it.
    pub fn text(&self, network: NetworkKind) -> String {
        match self {
            Asset::OpenAssets(id) => id.text(network),
            Asset::Colu(id) => id.to_string(),
            Asset::Epobc(id) => id.to_string(),
        }
    }
}

/// Units of an asset on a coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holding {
    /// Which asset.
    pub asset: Asset,
    /// How many of its smallest units; never zero.
    pub quantity: u64,
}
