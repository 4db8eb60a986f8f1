//! Bytes that must not leak: no `Debug`, no `Clone`, no `Serialize`, wiped when dropped.

use crate::words::Words;
use zeroize::Zeroize;

/// Text that the user typed and nobody may keep: a password or a passphrase.
pub struct Secret(String);

impl Secret {
    /// Takes ownership of the text, which is wiped when this is dropped.
    pub fn new(text: String) -> Secret {
        Secret(text)
    }

    /// The text, to be passed on at once and never stored.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A second copy, wiped on its own. Named so that nobody clones by accident.
    pub fn duplicate(&self) -> Secret {
        Secret(self.0.clone())
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A BIP39 seed: 64 bytes from words and passphrase, the root of every key.
pub struct Seed(pub(crate) [u8; 64]);

impl Seed {
    /// A seed from its bytes, which the caller wipes.
    pub fn from_bytes(bytes: [u8; 64]) -> Seed {
        Seed(bytes)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// What brings a wallet back: the words and the passphrase (empty if none).
pub struct Recovery {
    /// The BIP39 words.
    pub words: Words,
    /// The BIP39 passphrase; part of the seed, not the vault's password.
    pub passphrase: Secret,
}

impl Recovery {
    /// The seed of these words with this passphrase. Slow on purpose: 2048 rounds of PBKDF2.
    pub fn seed(&self) -> Seed {
        self.words.seed(&self.passphrase)
    }
}
