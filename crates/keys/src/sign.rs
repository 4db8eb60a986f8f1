//! `Checked -> Signed`, and nothing else signs.

use crate::check::Checked;
use crate::secret::Seed;
use causeway_vocab::{Draft, Realm, Refusal, Signed};
use rand::{CryptoRng, RngCore};

/// Private account keys of one wallet. Made from an opened vault, wiped when dropped.
pub struct SigningKeys {
    master: bitcoin::bip32::Xpriv,
}

impl SigningKeys {
    /// The keys of `seed` for the chains of `realm`.
    pub fn new(seed: &Seed, realm: &Realm) -> Result<SigningKeys, Refusal> {
        let _ = (seed, realm);
        todo!()
    }
}

impl Drop for SigningKeys {
    fn drop(&mut self) {
        self.master.private_key.non_secure_erase();
    }
}

/// Signs every input of this wallet, finishes the transaction and verifies each of its own signatures.
///
/// Refused with `NothingToSign` when an input stays unsigned; use [`sign_partly`] for shared transactions.
pub fn sign(checked: Checked, keys: &SigningKeys, rng: &mut (impl RngCore + CryptoRng)) -> Result<Signed, Refusal> {
    let _ = (checked, keys, rng);
    todo!()
}

/// Adds this wallet's signatures to a draft that others sign too.
pub fn sign_partly(checked: Checked, keys: &SigningKeys, rng: &mut (impl RngCore + CryptoRng)) -> Result<Draft, Refusal> {
    let _ = (checked, keys, rng);
    todo!()
}
