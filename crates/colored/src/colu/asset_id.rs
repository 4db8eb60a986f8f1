//! Asset ids: what issued the asset, how pieces merge, and how many decimals it has.

use bitcoin::hashes::{Hash as _, hash160};
use bitcoin::{OutPoint, Script, base58};
use serde::{Deserialize, Serialize};

/// How pieces of one asset behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Pieces merge.
    Aggregatable,
    /// Pieces of one issuance stay apart from those of another.
    Hybrid,
    /// Pieces never merge.
    Dispersed,
}

impl Policy {
    /// Every policy, in the order of their numbers on the wire.
    pub const ALL: [Policy; 3] = [Policy::Aggregatable, Policy::Hybrid, Policy::Dispersed];
}

/// Lead bytes of the text form: unlocked and locked, by policy.
const LEADS: [[[u8; 2]; 2]; 3] = [[[0x2e, 0x37], [0x20, 0xce]], [[0x2e, 0x6b], [0x21, 0x02]], [[0x2e, 0x4e], [0x20, 0xe4]]];

/// The identity of an asset. The same on every network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId {
    /// No more can ever be issued.
    pub locked: bool,
    /// How pieces merge.
    pub policy: Policy,
    /// HASH160 of the first input's outpoint as text (locked) or of the script it spends (unlocked).
    pub hash: [u8; 20],
    /// Decimal places, 0 to 7.
    pub divisibility: u8,
}

/// The text is no asset id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an asset id")]
pub struct NotAnAssetId;

impl AssetId {
    /// The asset that can be issued only once, by spending `first_input`.
    pub fn locked(first_input: OutPoint, policy: Policy, divisibility: u8) -> AssetId {
        let hash = hash160::Hash::hash(first_input.to_string().as_bytes()).to_byte_array();
        AssetId { locked: true, policy, hash, divisibility }
    }

    /// The asset that every spender of `script` can issue more of, with this policy and divisibility.
    pub fn unlocked(script: &Script, policy: Policy, divisibility: u8) -> AssetId {
        AssetId { locked: false, policy, hash: hash160::Hash::hash(script.as_bytes()).to_byte_array(), divisibility }
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Result<AssetId, NotAnAssetId> {
        let body = base58::decode_check(text).map_err(|_| NotAnAssetId)?;
        let body: [u8; 24] = body.try_into().map_err(|_| NotAnAssetId)?;
        let [a, b, hash @ .., high, divisibility] = body;
        let forms =
            Policy::ALL.iter().zip(LEADS).flat_map(|(policy, leads)| [(policy, false, leads[0]), (policy, true, leads[1])]);
        let (policy, locked, _) = forms.into_iter().find(|(_, _, lead)| *lead == [a, b]).ok_or(NotAnAssetId)?;
        if high != 0 || divisibility > 7 {
            return Err(NotAnAssetId);
        }
        Ok(AssetId { locked, policy: *policy, hash, divisibility })
    }
}

impl std::fmt::Display for AssetId {
    /// `La…`, `Lh…`, `Ld…` locked; `Ua…`, `Uh…`, `Ud…` unlocked.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut body = [0; 24];
        body[..2].copy_from_slice(&LEADS[self.policy as usize][usize::from(self.locked)]);
        body[2..22].copy_from_slice(&self.hash);
        body[23] = self.divisibility;
        f.write_str(&base58::encode_check(&body))
    }
}

impl Serialize for AssetId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AssetId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        AssetId::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
