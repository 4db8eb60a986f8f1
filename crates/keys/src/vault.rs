//! The vault file: recovery words of a profile's wallets, sealed under a password.

use crate::secret::{Recovery, Secret};
use causeway_vocab::Refusal;
use rand::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Work that Argon2id does for one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// The least that a vault may ask for; a file that asks for less is refused. 64 MiB and 3 passes (RFC 9106, second choice, one lane).
    pub const FLOOR: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

    /// Finds a cost of at least `target_millis` on this machine by trying; `clock` tells milliseconds. Never below [`Cost::FLOOR`].
    ///
    /// Takes a few times the target. Profiles whose coins are worth nothing may use the floor instead.
    pub fn calibrate(target_millis: u64, clock: impl FnMut() -> u64) -> Cost {
        let _ = (target_millis, clock);
        todo!()
    }
}

/// The key that unlocks from the OS keyring: 32 bytes, convenience only; the password always works too.
pub struct KeyringKey(pub(crate) [u8; 32]);

/// An unlocked vault. Dropping it is locking.
pub struct OpenVault {
    wallets: BTreeMap<String, Recovery>,
}

impl OpenVault {
    /// A new vault without wallets. Slow: stretches the password once.
    pub fn create(password: &Secret, cost: Cost, rng: &mut (impl RngCore + CryptoRng)) -> OpenVault {
        let _ = (password, cost, rng);
        todo!()
    }

    /// Opens a vault file. Slow: stretches the password once.
    ///
    /// Refused with [`causeway_vocab::Code::WrongPassword`], or [`causeway_vocab::Code::BadVault`] when the file is damaged or asks for less work than the floor.
    pub fn open(file: &[u8], password: &Secret) -> Result<OpenVault, Refusal> {
        let _ = (file, password);
        todo!()
    }

    /// Opens a vault file with the key from the OS keyring.
    pub fn open_with_keyring(file: &[u8], key: &KeyringKey) -> Result<OpenVault, Refusal> {
        let _ = (file, key);
        todo!()
    }

    /// The file. Write it to a new name, sync, rename: the old vault stays whole until the new one is.
    pub fn seal(&self, rng: &mut (impl RngCore + CryptoRng)) -> Vec<u8> {
        let _ = rng;
        todo!()
    }

    /// Puts another password in the place of the old. Takes effect in the next [`OpenVault::seal`]. Slow.
    pub fn change_password(&mut self, password: &Secret, cost: Cost, rng: &mut (impl RngCore + CryptoRng)) {
        let _ = (password, cost, rng);
        todo!()
    }

    /// Makes a key for the OS keyring; the one made before ceases to work with the next [`OpenVault::seal`].
    pub fn enable_keyring(&mut self, rng: &mut (impl RngCore + CryptoRng)) -> KeyringKey {
        let _ = rng;
        todo!()
    }

    /// Takes the keyring slot out.
    pub fn disable_keyring(&mut self) {
        todo!()
    }

    /// Whether a keyring key opens this vault.
    pub fn has_keyring(&self) -> bool {
        todo!()
    }

    /// The wallets by id.
    pub fn wallets(&self) -> &BTreeMap<String, Recovery> {
        &self.wallets
    }

    /// Adds or replaces a wallet. `id` at most 64 bytes.
    pub fn insert(&mut self, id: &str, recovery: Recovery) {
        self.wallets.insert(id.to_owned(), recovery);
    }

    /// Takes a wallet out for good.
    pub fn remove(&mut self, id: &str) -> Option<Recovery> {
        self.wallets.remove(id)
    }
}
