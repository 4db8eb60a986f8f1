//! Commitments to public randomness: an RFC 6962 tree over the nonces of consecutive heights (CometBFT's Merkle tree).

use crate::eots::{EotsKey, PublicRandomness};
use bitcoin::XOnlyPublicKey;
use bitcoin::hashes::{Hash as _, HashEngine as _, sha256};
use bitcoin::hex::{DisplayHex as _, FromHex};
use secp256k1::schnorr::Signature;
use secp256k1::{Message, SECP256K1};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The public randomness of `count` consecutive heights from `start`.
///
/// Heights are independent of each other: split a long range over the cores and join the parts in order.
pub fn public_randomness(key: &EotsKey, chain_id: &str, start: u64, count: usize) -> Vec<PublicRandomness> {
    (start..).take(count).map(|height| key.nonce(chain_id, height).public()).collect()
}

/// The tree over a list of public randomness. Holds two hashes per height and makes proofs on demand.
pub struct CommitmentTree {
    /// Hashes from the leaves up to the root. A last node without neighbour rises unchanged.
    levels: Vec<Vec<[u8; 32]>>,
}

impl CommitmentTree {
    /// The tree over values in order of their heights. `None` for none.
    pub fn new(values: &[PublicRandomness]) -> Option<CommitmentTree> {
        if values.is_empty() {
            return None;
        }
        let mut levels = vec![values.iter().map(|value| leaf(&value.0)).collect::<Vec<_>>()];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below.chunks(2).map(|pair| match pair {
                [left, right] => inner(left, right),
                rest => rest[0],
            });
            levels.push(above.collect());
        }
        Some(CommitmentTree { levels })
    }

    /// What is committed to on the control plane.
    pub fn root(&self) -> [u8; 32] {
        self.levels[self.levels.len() - 1][0]
    }

    /// The proof for the value at `index`; `None` past the end.
    pub fn proof(&self, index: usize) -> Option<Proof> {
        let total = self.levels[0].len();
        let leaf_hash = *self.levels[0].get(index)?;
        let aunt = |(depth, level): (usize, &Vec<[u8; 32]>)| level.get((index >> depth) ^ 1).copied();
        let aunts = self.levels.iter().enumerate().filter_map(aunt).map(Hash32).collect();
        Some(Proof { total: total as u64, index: index as u64, leaf_hash: Hash32(leaf_hash), aunts })
    }
}

/// That a value stands at an index of a tree (tendermint.crypto.Proof).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Leaves of the tree.
    pub total: u64,
    /// Which leaf.
    pub index: u64,
    /// Its hash.
    pub leaf_hash: Hash32,
    /// Neighbours on the way up.
    pub aunts: Vec<Hash32>,
}

impl Proof {
    /// Whether `value` stands at `index` of the tree with this root.
    pub fn verify(&self, root: &[u8; 32], value: &PublicRandomness) -> bool {
        let mut hash = leaf(&value.0);
        if self.leaf_hash.0 != hash || self.index >= self.total {
            return false;
        }
        let (mut index, mut width) = (self.index, self.total);
        let mut aunts = self.aunts.iter();
        while width > 1 {
            if index ^ 1 < width {
                let Some(Hash32(aunt)) = aunts.next() else { return false };
                hash = if index & 1 == 0 { inner(&hash, aunt) } else { inner(aunt, &hash) };
            }
            index >>= 1;
            width = width.div_ceil(2);
        }
        aunts.next().is_none() && hash == *root
    }
}

/// 32 bytes of a tree, in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hash32(pub [u8; 32]);

impl Serialize for Hash32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_lower_hex_string())
    }
}

impl<'de> Deserialize<'de> for Hash32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash32, D::Error> {
        let text = String::deserialize(deserializer)?;
        FromHex::from_hex(&text).map(Hash32).map_err(serde::de::Error::custom)
    }
}

fn leaf(value: &[u8]) -> [u8; 32] {
    let mut engine = sha256::Hash::engine();
    engine.input(&[0]);
    engine.input(value);
    sha256::Hash::from_engine(engine).to_byte_array()
}

fn inner(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut engine = sha256::Hash::engine();
    engine.input(&[1]);
    engine.input(left);
    engine.input(right);
    sha256::Hash::from_engine(engine).to_byte_array()
}

/// A commitment as it stands on the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// First height.
    pub start_height: u64,
    /// Number of heights.
    pub count: u64,
    /// Root of the tree.
    pub root: Hash32,
}

impl Commitment {
    /// The hash that the provider signs: SHA256 of start, count (8 bytes each, big-endian) and root.
    pub fn signed_hash(&self) -> [u8; 32] {
        let mut engine = sha256::Hash::engine();
        engine.input(&self.start_height.to_be_bytes());
        engine.input(&self.count.to_be_bytes());
        engine.input(&self.root.0);
        sha256::Hash::from_engine(engine).to_byte_array()
    }

    /// The provider's BIP340 signature, with 32 fresh random bytes.
    pub fn sign(&self, key: &EotsKey, aux: &[u8; 32]) -> Signature {
        SECP256K1.sign_schnorr_with_aux_rand(&Message::from_digest(self.signed_hash()), key.pair(), aux)
    }

    /// Whether the provider signed this.
    pub fn is_signed_by(&self, key: &XOnlyPublicKey, signature: &Signature) -> bool {
        SECP256K1.verify_schnorr(signature, &Message::from_digest(self.signed_hash()), key).is_ok()
    }

    /// Whether a proof shows that `value` was committed to for `height`.
    pub fn holds(&self, height: u64, value: &PublicRandomness, proof: &Proof) -> bool {
        let index = height.checked_sub(self.start_height);
        index == Some(proof.index) && proof.total == self.count && proof.verify(&self.root.0, value)
    }
}

#[cfg(test)]
mod tests;
