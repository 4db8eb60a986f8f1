//! PAK: the keys whose owners may peg out, and the ring signatures that prove ownership without saying whose.

use bitcoin::bip32::{ChildNumber, Xpub};
use secp256k1_zkp::{PublicKey, SECP256K1, SecretKey, WhitelistSignature};

/// Most entries a ring signature can cover.
pub const MAX_ENTRIES: usize = 255;

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
        if entries.len() > MAX_ENTRIES {
            return PakList::default();
        }
        let parse = |entry: &E| {
            let (offline, online) = entry.as_ref().split_at_checked(33)?;
            let compressed = |key: &[u8]| (key.len() == 33).then(|| PublicKey::from_slice(key).ok()).flatten();
            Some((compressed(offline)?, compressed(online)?))
        };
        match entries.iter().map(parse).collect::<Option<Vec<_>>>() {
            Some(pairs) => PakList::from_pairs(pairs),
            None => PakList::default(),
        }
    }

    /// A list of offline and online keys, in list order. More than 255 make the empty list.
    pub fn from_pairs(pairs: Vec<(PublicKey, PublicKey)>) -> PakList {
        let pairs = if pairs.len() > MAX_ENTRIES { Vec::new() } else { pairs };
        let (offline, online) = pairs.into_iter().unzip();
        PakList { offline, online }
    }

    /// The entries of the extension space that [`PakList::from_extension_space`] reads.
    pub fn to_extension_space(&self) -> Vec<Vec<u8>> {
        self.entries().map(|(offline, online)| [offline.serialize(), online.serialize()].concat()).collect()
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
        // The C parser reads the count from the first byte without looking, so an empty slice must not reach it.
        let size = 33 + 32 * self.offline.len();
        if self.is_reject() || proof.len() != size || usize::from(proof[0]) != self.offline.len() {
            return false;
        }
        WhitelistSignature::from_slice(proof)
            .is_ok_and(|proof| proof.verify(SECP256K1, &self.online, &self.offline, whitelisted).is_ok())
    }

    /// Proves the ownership of entry `index`: `online` is the private key of its online key, `summed` that of offline + whitelisted.
    ///
    /// `None` when the keys do not belong to that entry.
    pub fn prove(&self, index: usize, whitelisted: &PublicKey, online: &SecretKey, summed: &SecretKey) -> Option<Vec<u8>> {
        let offline = self.offline.get(index)?;
        if online.public_key(SECP256K1) != self.online[index]
            || summed.public_key(SECP256K1) != offline.combine(whitelisted).ok()?
        {
            return None;
        }
        let proof = WhitelistSignature::new(SECP256K1, &self.online, &self.offline, whitelisted, online, summed, index).ok()?;
        let bytes = proof.serialize();
        self.verify(whitelisted, &bytes).then_some(bytes)
    }
}

/// A key that the owner of an offline extended key may whitelist.
pub struct Whitelisting {
    /// The key that the peg-out is paid to.
    pub whitelisted: PublicKey,
    /// Private key of offline + whitelisted: the sum of the derivation tweaks, which needs no private key to compute. Together with the
    /// online key it authorises peg-outs to this one key; it spends nothing.
    pub summed: SecretKey,
}

/// Derives a key to whitelist from the offline extended key; the offline key of the list is [`offline_key`] of it.
///
/// `None` for a hardened step, an empty path, or a key that cannot be.
pub fn whitelist(offline: &Xpub, path: &[ChildNumber]) -> Option<Whitelisting> {
    let mut key = *offline;
    let mut summed: Option<SecretKey> = None;
    for step in path {
        let (tweak, _) = key.ckd_pub_tweak(*step).ok()?;
        summed = Some(match summed {
            None => tweak,
            Some(sum) => sum.add_tweak(&tweak.into()).ok()?,
        });
        key = key.ckd_pub(SECP256K1, *step).ok()?;
    }
    Some(Whitelisting { whitelisted: key.public_key, summed: summed? })
}

/// The offline key of the list that belongs to an extended key: its negated key, so that the sum with a derived one is the tweaks alone.
pub fn offline_key(offline: &Xpub) -> PublicKey {
    offline.public_key.negate(SECP256K1)
}
