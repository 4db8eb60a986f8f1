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

#[cfg(test)]
mod tests {
    use crate::{KeyringKey, OpenVault, Recovery, Secret, Seed, SigningKeys, Words};

    /// Does not compile when a type implements one of the traits: the method would be ambiguous.
    macro_rules! never {
        ($type:ty => $($bound:path),+) => {
            const _: fn() = || {
                trait Ambiguous<A> {
                    fn probe() {}
                }
                impl<T: ?Sized> Ambiguous<()> for T {}
                $({
                    struct Implements;
                    impl<T: ?Sized + $bound> Ambiguous<Implements> for T {}
                })+
                let _ = <$type as Ambiguous<_>>::probe;
            };
        };
    }

    never!(Secret => std::fmt::Debug, std::fmt::Display, Clone, serde::Serialize);
    never!(Seed => std::fmt::Debug, std::fmt::Display, Clone, serde::Serialize);
    never!(Words => std::fmt::Debug, std::fmt::Display, Clone, serde::Serialize);
    never!(Recovery => std::fmt::Debug, std::fmt::Display, Clone, serde::Serialize);
    never!(KeyringKey => std::fmt::Debug, std::fmt::Display, Clone, serde::Serialize);
    never!(OpenVault => std::fmt::Debug, std::fmt::Display, Clone, serde::Serialize);
    never!(SigningKeys => std::fmt::Debug, std::fmt::Display, Clone, serde::Serialize);
}
