//! Which asset an amount counts.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// An asset, named so that no two networks can be confused.
///
/// On the wire: `btc`, or the 64 hex digits of an Elements asset id as RPCs print it (bytes reversed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssetId {
    /// Bitcoin on the Bitcoin chain; one atom is one satoshi.
    Bitcoin,
    /// An asset of the sidechain, the pegged policy asset included.
    Elements(elements::AssetId),
}

/// The text names no asset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("neither \"btc\" nor 64 hex digits")]
pub struct NotAnAsset;

impl std::fmt::Display for AssetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AssetId::Bitcoin => f.write_str("btc"),
            AssetId::Elements(id) => id.fmt(f),
        }
    }
}

impl FromStr for AssetId {
    type Err = NotAnAsset;
    fn from_str(text: &str) -> Result<Self, NotAnAsset> {
        match text {
            "btc" => Ok(AssetId::Bitcoin),
            hex => elements::AssetId::from_str(hex).map(AssetId::Elements).map_err(|_| NotAnAsset),
        }
    }
}

impl Serialize for AssetId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AssetId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
