//! Asset ids: the hash of the script that issues.

use bitcoin::hashes::{Hash as _, hash160};
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use bitcoin::{NetworkKind, Script, base58};
use serde::{Deserialize, Serialize};

/// Version bytes of the text form.
const MAIN: u8 = 23;
const TEST: u8 = 115;

/// RIPEMD160(SHA256(scriptPubKey)) of the output that the issuing transaction's first input spends. On the wire, 40 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(pub [u8; 20]);

/// The text is no asset id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAssetId {
    /// Not base58, or a wrong checksum or length.
    #[error("damaged")]
    Damaged,
    /// Of something else, such as an address.
    #[error("another version byte")]
    Version,
    /// Of the other network.
    #[error("of another network")]
    Network,
}

impl AssetId {
    /// The asset that coins locked by `script` issue. Works for every script, segwit included.
    pub fn issued_by(script: &Script) -> AssetId {
        AssetId(hash160::Hash::hash(script.as_bytes()).to_byte_array())
    }

    /// The id as people exchange it: `A…` on the main network, `o…` elsewhere.
    pub fn text(&self, network: NetworkKind) -> String {
        let version = if network.is_mainnet() { MAIN } else { TEST };
        let mut body = [version; 21];
        body[1..].copy_from_slice(&self.0);
        base58::encode_check(&body)
    }

    /// Reads the text form of `network`.
    pub fn parse(text: &str, network: NetworkKind) -> Result<AssetId, NotAnAssetId> {
        let body = base58::decode_check(text).map_err(|_| NotAnAssetId::Damaged)?;
        let (version, hash) = body.split_first().ok_or(NotAnAssetId::Damaged)?;
        let hash = hash.try_into().map_err(|_| NotAnAssetId::Damaged)?;
        match (*version, network) {
            (MAIN, NetworkKind::Main) | (TEST, NetworkKind::Test) => Ok(AssetId(hash)),
            (MAIN | TEST, _) => Err(NotAnAssetId::Network),
            _ => Err(NotAnAssetId::Version),
        }
    }
}

impl std::fmt::Display for AssetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}", self.0.as_hex())
    }
}

impl Serialize for AssetId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AssetId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        <[u8; 20]>::from_hex(&text).map(AssetId).map_err(serde::de::Error::custom)
    }
}
