//! The online key of peg-out authorisations (PAK).
//!
//! A chain that asks for an authorisation lists pairs of keys. The offline key of this wallet's pair is that of its BIP84 account, so that
//! every receiving address of the account can be paid; the online key lies at `1776h/0h/0h` (`1776h/1h/0h` on test networks). It spends
//! nothing: with it peg-outs to the account's own addresses are authorised, and to no others.

use crate::derive::Accounts;
use crate::sign::SigningKeys;
use bitcoin::NetworkKind;
use bitcoin::bip32::{ChildNumber, DerivationPath, Xpub};
use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey};
use causeway_vocab::{Code, Refusal};

/// Where the online key lies.
pub fn pak_online_path(network: NetworkKind) -> DerivationPath {
    let coin = u32::from(network == NetworkKind::Test);
    let hardened = |index| ChildNumber::from_hardened_idx(index).expect("BUG: below 2^31");
    DerivationPath::from([1776, coin, 0].map(hardened).to_vec())
}

impl SigningKeys {
    /// Lends the online key, and wipes it afterwards. Refused with `BadWords` for a seed that BIP32 forbids.
    pub fn with_pak_online_key<T>(&self, work: impl FnOnce(&SecretKey) -> T) -> Result<T, Refusal> {
        let mut key = self.at(&pak_online_path(self.network())).map_err(|_| Refusal::new(Code::BadWords))?;
        let done = work(&key);
        key.non_secure_erase();
        Ok(done)
    }

    /// The public half, which the list carries.
    pub fn pak_online_key(&self) -> Result<PublicKey, Refusal> {
        self.with_pak_online_key(|key| key.public_key(&Secp256k1::signing_only()))
    }
}

impl Accounts {
    /// The extended key whose addresses peg-outs are authorised to: receiving address `i` is derived by `0/i`.
    pub fn pak_offline(&self) -> &Xpub {
        &self.segwit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Seed;
    use crate::testing::realm;

    #[test]
    fn the_online_key_is_of_its_own_path_and_no_account_key() {
        let seed = Seed::from_bytes([7; 64]);
        let (keys, accounts) = (SigningKeys::new(&seed, &realm()), crate::account_descriptors(&seed, &realm()));
        let (keys, accounts) = (keys.expect("a good seed"), accounts.expect("a good seed"));
        let online = keys.pak_online_key().expect("derives");
        assert_eq!(pak_online_path(NetworkKind::Test).to_string(), "1776'/1'/0'");
        assert_eq!(pak_online_path(NetworkKind::Main).to_string(), "1776'/0'/0'");
        assert_eq!(keys.with_pak_online_key(|key| key.public_key(&Secp256k1::new())).expect("derives"), online);
        let others = [&accounts.segwit, &accounts.taproot, &accounts.sidechain].map(|xpub| xpub.public_key);
        assert!(!others.contains(&online));
        assert_eq!(accounts.pak_offline().public_key, accounts.segwit.public_key);
    }
}
