//! PAK: the keys whose owners may peg out, and the ring signatures that prove ownership without saying whose.

use secp256k1_zkp::{PublicKey, SecretKey};

/// Peg-out authorisation keys in force. The empty list refuses every peg-out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PakList {
    offline: Vec<PublicKey>,
    online: Vec<PublicKey>,
}

impl PakList {
    /// Reads an extension space: entries of 66 bytes, offline key then online key. One bad entry, or more than 255, and the whole list is
    /// empty, which refuses every peg-out (primitives/pak.cpp of Elements).
    pub fn from_extension_space<E: AsRef<[u8]>>(entries: &[E]) -> PakList {
        let _ = entries;
        todo!()
    }

    /// Refuses every peg-out.
    pub fn is_reject(&self) -> bool {
        self.offline.is_empty()
    }

    /// Offline and online key of every entry, in list order.
    pub fn entries(&self) -> impl Iterator<Item = (&PublicKey, &PublicKey)> {
        self.offline.iter().zip(&self.online)
    }

    /// Whether `proof` shows that the owner of some entry derived `whitelisted` from its offline key.
    pub fn verify(&self, whitelisted: &PublicKey, proof: &[u8]) -> bool {
        let _ = (whitelisted, proof);
        todo!()
    }

    /// Proves the ownership of entry `index`: `online` is the private key of its online key, `summed` that of offline + whitelisted.
    ///
    /// `None` when the keys do not belong to that entry.
    pub fn prove(&self, index: usize, whitelisted: &PublicKey, online: &SecretKey, summed: &SecretKey) -> Option<Vec<u8>> {
        let _ = (index, whitelisted, online, summed, &self.online);
        todo!()
    }
}
