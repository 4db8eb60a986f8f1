//! From the seed to accounts: the standard paths, so that every coin can be recovered without us (docs/recover.md).

use crate::secret::Seed;
use bitcoin::bip32::{Fingerprint, Xpub};
use causeway_vocab::{Realm, Refusal};
use serde::{Deserialize, Serialize};

/// The public side of a wallet's accounts. Spends nothing, sees everything.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// Fingerprint of the master key.
    pub fingerprint: Fingerprint,
    /// Bitcoin, BIP84 account 0: `84h/0h/0h`, or `84h/1h/0h` on test networks.
    pub segwit: Xpub,
    /// Bitcoin, BIP86 account 0: `86h/0h/0h`, or `86h/1h/0h` on test networks.
    pub taproot: Xpub,
    /// Sidechain, `84h/1776h/0h`, or `84h/1h/0h` on test networks.
    pub sidechain: Xpub,
    /// SLIP77 master blinding key: opens every confidential output that pays this wallet, spends none.
    #[serde(with = "hex_key")]
    pub blinding_key: [u8; 32],
}

/// Derives the accounts of `seed` for the chains of `realm`.
pub fn account_descriptors(seed: &Seed, realm: &Realm) -> Result<Accounts, Refusal> {
    let _ = (seed, realm);
    todo!()
}

impl Accounts {
    /// BIP84 descriptors with checksums, external and internal.
    pub fn segwit_descriptors(&self) -> [String; 2] {
        todo!()
    }

    /// BIP86 descriptors with checksums, external and internal.
    pub fn taproot_descriptors(&self) -> [String; 2] {
        todo!()
    }

    /// The ELIP150 descriptor `ct(slip77(..),elwpkh([..]xpub/<0;1>/*))` with checksum.
    pub fn sidechain_descriptor(&self) -> String {
        todo!()
    }
}

mod hex_key {
    use bitcoin::hex::{DisplayHex as _, FromHex as _};
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(key: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&key.as_hex())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        <[u8; 32]>::from_hex(&text).map_err(|_| serde::de::Error::custom("not 64 hex digits"))
    }
}
