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

    /// Where this pair stands in the list.
    pub fn position(&self, offline: &PublicKey, online: &PublicKey) -> Option<usize> {
        self.entries().position(|pair| pair == (offline, online))
    }

    /// The key derived from the offline extended key along `path`, and the proof that the owner of the pair allows peg-outs to it.
    ///
    /// `None` when the pair is not on the list, or the path cannot be derived.
    pub fn authorise(&self, offline: &Xpub, path: &[ChildNumber], online: &SecretKey) -> Option<(PublicKey, Vec<u8>)> {
        let index = self.position(&offline_key(offline), &online.public_key(SECP256K1))?;
        let Whitelisting { whitelisted, mut summed } = whitelist(offline, path)?;
        let proof = self.prove(index, &whitelisted, online, &summed);
        summed.non_secure_erase();
        Some((whitelisted, proof?))
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

/// The entry of the extension space with which a wallet is listed: offline key of its extended key, then its online key.
pub fn entry(offline: &Xpub, online: &PublicKey) -> [u8; 66] {
    let mut entry = [0; 66];
    entry[..33].copy_from_slice(&offline_key(offline).serialize());
    entry[33..].copy_from_slice(&online.serialize());
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consensus::pegout::{Pegout, PegoutFault};
    use bitcoin::bip32::Xpriv;
    use bitcoin::hashes::Hash as _;

    fn wallet(number: u8) -> (Xpub, SecretKey) {
        let master = Xpriv::new_master(bitcoin::Network::Regtest, &[number; 32]).expect("a seed");
        (Xpub::from_priv(SECP256K1, &master), SecretKey::from_slice(&[number; 32]).expect("a key"))
    }

    fn list(wallets: &[(Xpub, SecretKey)]) -> PakList {
        let entry = |(offline, online): &(Xpub, SecretKey)| entry(offline, &online.public_key(SECP256K1));
        PakList::from_extension_space(&wallets.iter().map(entry).collect::<Vec<_>>())
    }

    #[test]
    fn a_listed_wallet_authorises_its_own_addresses_and_nothing_else() {
        let wallets = [wallet(1), wallet(2), wallet(3)];
        let list = list(&wallets);
        let path = [ChildNumber::Normal { index: 0 }, ChildNumber::Normal { index: 7 }];
        for (offline, online) in &wallets {
            let (key, proof) = list.authorise(offline, &path, online).expect("on the list");
            assert_eq!(key, offline.derive_pub(SECP256K1, &path).expect("derives").public_key);
            let own = bitcoin::ScriptBuf::new_p2wpkh(&bitcoin::CompressedPublicKey(key).wpubkey_hash());
            let genesis = bitcoin::BlockHash::all_zeros();
            let pegout = |to: &bitcoin::ScriptBuf, proof: &[u8]| Pegout::authorised(genesis, to.clone(), &key, proof.to_vec());
            assert_eq!(pegout(&own, &proof).check_pak(&list), Ok(()));
            // Another form of the same key is as good; taproot and strangers' addresses are not.
            assert_eq!(pegout(&own.to_p2sh(), &proof).check_pak(&list), Ok(()));
            let taproot = bitcoin::ScriptBuf::new_p2tr(SECP256K1, key.into(), None);
            assert_eq!(pegout(&taproot, &proof).check_pak(&list), Err(PegoutFault::Destination));
            let mut spoilt = proof.clone();
            spoilt[40] ^= 1;
            assert_eq!(pegout(&own, &spoilt).check_pak(&list), Err(PegoutFault::Proof));
            assert_eq!(pegout(&own, &proof).check_pak(&PakList::default()), Err(PegoutFault::Frozen));
        }
        let (offline, online) = &wallets[0];
        assert_eq!(list.authorise(offline, &path, &wallets[1].1), None, "keys of two entries make no pair");
        assert_eq!(self::list(&wallets[1..]).authorise(offline, &path, online), None, "not on the list");
        assert_eq!(list.authorise(offline, &[ChildNumber::Hardened { index: 0 }], online), None);
        assert_eq!(list.authorise(offline, &[], online), None);
        let (_, proof) = list.authorise(offline, &path, online).expect("on the list");
        let stranger = Pegout {
            parent_genesis: bitcoin::BlockHash::all_zeros(),
            destination: bitcoin::ScriptBuf::new(),
            extra: vec![proof],
        };
        assert_eq!(stranger.check_pak(&list), Err(PegoutFault::Malformed));
    }
}
