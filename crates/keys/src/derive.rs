//! From the seed to accounts: the standard paths, so that every coin can be recovered without us (docs/recover.md).

use crate::secret::Seed;
use bitcoin::bip32::{ChildNumber, DerivationPath, Fingerprint, Xpriv, Xpub};
use bitcoin::hex::DisplayHex as _;
use bitcoin::secp256k1::{All, Secp256k1};
use bitcoin::{NetworkKind, ScriptBuf};
use causeway_vocab::{Code, Realm, Refusal};
use elements_miniscript::descriptor::checksum::desc_checksum;
use elements_miniscript::slip77::MasterBlindingKey;
use serde::{Deserialize, Serialize};

/// The three accounts of a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Account {
    /// Bitcoin, BIP84.
    Segwit,
    /// Bitcoin, BIP86.
    Taproot,
    /// Sidechain, BIP84 with the coin type of Liquid (SLIP44 1776).
    Sidechain,
}

impl Account {
    /// The hardened path of account 0: purpose, coin type (1 on test networks), account.
    pub fn path(self, network: NetworkKind) -> DerivationPath {
        let purpose = match self {
            Account::Segwit | Account::Sidechain => 84,
            Account::Taproot => 86,
        };
        let coin = match (network, self) {
            (NetworkKind::Test, _) => 1,
            (NetworkKind::Main, Account::Segwit | Account::Taproot) => 0,
            (NetworkKind::Main, Account::Sidechain) => 1776,
        };
        let hardened = |index| ChildNumber::from_hardened_idx(index).expect("BUG: below 2^31");
        DerivationPath::from(vec![hardened(purpose), hardened(coin), hardened(0)])
    }
}

/// The public side of a wallet's accounts. Spends nothing, sees everything: keep it out of logs.
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

/// Derives the accounts of `seed` for the chains of `realm`. Refused with `BadWords` for the one seed in 2^127 that BIP32 forbids.
pub fn account_descriptors(seed: &Seed, realm: &Realm) -> Result<Accounts, Refusal> {
    let secp = Secp256k1::new();
    let network = NetworkKind::from(realm.bitcoin.network);
    let mut master = master(seed, network)?;
    let fingerprint = master.fingerprint(&secp);
    let public = |account: Account| {
        account_key(&master, account, &secp).map(|mut key| {
            let public = Xpub::from_priv(&secp, &key);
            key.private_key.non_secure_erase();
            public
        })
    };
    let keys = [public(Account::Segwit), public(Account::Taproot), public(Account::Sidechain)];
    master.private_key.non_secure_erase();
    let [segwit, taproot, sidechain] = keys;
    let mut blinding_key = [0; 32];
    blinding_key.copy_from_slice(MasterBlindingKey::from_seed(&seed.0).as_bytes());
    Ok(Accounts { fingerprint, segwit: segwit?, taproot: taproot?, sidechain: sidechain?, blinding_key })
}

pub(crate) fn master(seed: &Seed, network: NetworkKind) -> Result<Xpriv, Refusal> {
    Xpriv::new_master(network, &seed.0).map_err(|_| Code::BadWords.into())
}

pub(crate) fn account_key(master: &Xpriv, account: Account, secp: &Secp256k1<All>) -> Result<Xpriv, Refusal> {
    master.derive_priv(secp, &account.path(master.network)).map_err(|_| Code::BadWords.into())
}

impl Accounts {
    /// BIP84 descriptors with checksums, external and internal.
    pub fn segwit_descriptors(&self) -> [String; 2] {
        [0, 1].map(|chain| checksummed(format!("wpkh({}/{chain}/*)", self.key_expression(Account::Segwit))))
    }

    /// BIP86 descriptors with checksums, external and internal.
    pub fn taproot_descriptors(&self) -> [String; 2] {
        [0, 1].map(|chain| checksummed(format!("tr({}/{chain}/*)", self.key_expression(Account::Taproot))))
    }

    /// The ELIP150 descriptor `ct(slip77(..),elwpkh([..]xpub/<0;1>/*))` with checksum.
    pub fn sidechain_descriptor(&self) -> String {
        let key = self.key_expression(Account::Sidechain);
        checksummed(format!("ct(slip77({}),elwpkh({key}/<0;1>/*))", self.blinding_key.as_hex()))
    }

    /// The key of an account.
    pub fn xpub(&self, account: Account) -> &Xpub {
        match account {
            Account::Segwit => &self.segwit,
            Account::Taproot => &self.taproot,
            Account::Sidechain => &self.sidechain,
        }
    }

    /// `[fingerprint/path]xpub`.
    fn key_expression(&self, account: Account) -> String {
        let xpub = self.xpub(account);
        format!("[{}/{}]{xpub}", self.fingerprint, account.path(xpub.network))
    }

    /// The key at a full path from the master, if the path is one of this wallet's: account, then chain 0 or 1, then an index.
    pub(crate) fn key_at(&self, path: &DerivationPath, account: Account) -> Option<bitcoin::secp256k1::PublicKey> {
        let xpub = self.xpub(account);
        let base = account.path(xpub.network);
        let path: &[ChildNumber] = path.as_ref();
        let tail = path.strip_prefix(base.as_ref())?;
        let [ChildNumber::Normal { index: 0 | 1 }, ChildNumber::Normal { .. }] = tail else { return None };
        xpub.derive_pub(&Secp256k1::verification_only(), &tail).ok().map(|key| key.public_key)
    }

    /// The Bitcoin script at a full path.
    pub(crate) fn bitcoin_script_at(&self, path: &DerivationPath, account: Account) -> Option<ScriptBuf> {
        let key = self.key_at(path, account)?;
        match account {
            Account::Segwit => Some(ScriptBuf::new_p2wpkh(&bitcoin::CompressedPublicKey(key).wpubkey_hash())),
            Account::Taproot => Some(ScriptBuf::new_p2tr(&Secp256k1::verification_only(), key.into(), None)),
            Account::Sidechain => None,
        }
    }

    /// The sidechain script at a full path.
    pub(crate) fn sidechain_script_at(&self, path: &DerivationPath) -> Option<elements::Script> {
        let key = self.key_at(path, Account::Sidechain)?;
        Some(elements::Script::from(ScriptBuf::new_p2wpkh(&bitcoin::CompressedPublicKey(key).wpubkey_hash()).into_bytes()))
    }

    /// The SLIP77 blinding key of a sidechain script.
    pub(crate) fn blinding_key_of(&self, script: &elements::Script) -> elements::secp256k1_zkp::SecretKey {
        MasterBlindingKey::from(self.blinding_key).blinding_private_key(script)
    }
}

fn checksummed(descriptor: String) -> String {
    let checksum = desc_checksum(&descriptor).expect("BUG: descriptors have no odd characters");
    format!("{descriptor}#{checksum}")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::testing::{fixture_wallets, realm};
    use crate::words::Words;
    use bitcoin::hex::FromHex as _;
    use std::str::FromStr as _;

    fn abandon(network: bitcoin::Network) -> Accounts {
        let text = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
        let words = Words::restore(&Secret::new(text.into())).expect("a sentence");
        let mut realm = realm();
        realm.bitcoin.network = network;
        account_descriptors(&words.seed(&Secret::new(String::new())), &realm).expect("a good seed")
    }

    #[test]
    fn the_bips_own_test_vectors_come_out() {
        let accounts = abandon(bitcoin::Network::Bitcoin);
        let path = |text: &str| DerivationPath::from_str(text).expect("a path");
        let address = |path: &str, account| {
            let script = accounts.bitcoin_script_at(&DerivationPath::from_str(path).expect("a path"), account).expect("ours");
            bitcoin::Address::from_script(&script, bitcoin::Network::Bitcoin).expect("an address").to_string()
        };
        // BIP84 and BIP86, "Test vectors".
        assert_eq!(address("84h/0h/0h/0/0", Account::Segwit), "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu");
        assert_eq!(address("84h/0h/0h/1/0", Account::Segwit), "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el");
        assert_eq!(address("86h/0h/0h/0/0", Account::Taproot), "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr");
        assert_eq!(address("86h/0h/0h/1/0", Account::Taproot), "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7");
        for foreign in
            ["84h/0h/0h/2/0", "84h/0h/1h/0/0", "84h/0h/0h/0", "84h/0h/0h/0/0h", "84h/0h/0h/0/0/0", "86h/0h/0h/0/0", "m"]
        {
            assert_eq!(accounts.bitcoin_script_at(&path(foreign), Account::Segwit), None, "{foreign}");
        }
    }

    #[test]
    fn the_sidechain_account_is_the_one_that_other_wallets_derive() {
        for (name, wallet) in fixture_wallets() {
            let seed = <[u8; 64]>::from_hex(wallet["bip39_seed"].as_str().expect("hex")).expect("64 bytes");
            let accounts = account_descriptors(&Seed::from_bytes(seed), &realm()).expect("a good seed");
            assert_eq!(accounts.sidechain_descriptor(), wallet["descriptor"].as_str().expect("text"), "{name}");
            assert_eq!(accounts.fingerprint.to_string(), wallet["fingerprint"].as_str().expect("text"));
            for address in wallet["addresses"].as_array().expect("a list") {
                let path =
                    DerivationPath::from_str(&format!("84h/1h/0h/{}/{}", address["chain"], address["index"])).expect("a path");
                let script = accounts.sidechain_script_at(&path).expect("ours");
                assert_eq!(script.as_bytes().to_lower_hex_string(), address["script_pubkey"].as_str().expect("hex"));
                let key = accounts.blinding_key_of(&script).secret_bytes().to_lower_hex_string();
                assert_eq!(key, address["blinding_private_key"].as_str().expect("hex"));
            }
        }
    }

    #[test]
    fn slip77_master_keys_are_those_of_the_public_vectors() {
        let text = include_str!("../../../tests/fixtures/liquid-public/slip77.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(text).expect("fixture is JSON");
        let mut seen = 0;
        for case in &cases {
            let Ok(seed) = <[u8; 64]>::from_hex(case["seed"].as_str().expect("hex")) else { continue };
            let accounts = account_descriptors(&Seed::from_bytes(seed), &realm()).expect("a good seed");
            assert_eq!(accounts.blinding_key.to_lower_hex_string(), case["master_blinding_key"].as_str().expect("hex"));
            for output in case["outputs"].as_array().expect("a list") {
                let script = Vec::from_hex(output["script_pubkey"].as_str().expect("hex")).expect("bytes");
                let key = accounts.blinding_key_of(&elements::Script::from(script)).secret_bytes().to_lower_hex_string();
                assert_eq!(key, output["blinding_private_key"].as_str().expect("hex"));
            }
            seen += 1;
        }
        assert!(seen >= 2, "{seen} cases with 64-byte seeds");
    }

    #[test]
    fn checksums_are_those_of_bip380() {
        let text = include_str!("../../../tests/fixtures/bips/bip380_checksums.json");
        let file: serde_json::Value = serde_json::from_str(text).expect("fixture is JSON");
        let cases = file["computed"].as_array().expect("a list");
        assert!(!cases.is_empty());
        for case in cases {
            let (descriptor, checksum) = (case["descriptor"].as_str().expect("text"), case["checksum"].as_str().expect("text"));
            assert_eq!(checksummed(descriptor.to_owned()), format!("{descriptor}#{checksum}"));
        }
    }

    #[test]
    fn mainnet_and_test_networks_use_their_own_coin_types() {
        let main = abandon(bitcoin::Network::Bitcoin);
        assert!(main.segwit_descriptors()[0].starts_with("wpkh([73c5da0a/84'/0'/0']xpub"));
        assert!(main.taproot_descriptors()[1].starts_with("tr([73c5da0a/86'/0'/0']xpub"));
        assert!(main.sidechain_descriptor().contains("elwpkh([73c5da0a/84'/1776'/0']xpub"));
        let test = abandon(bitcoin::Network::Signet);
        assert!(test.segwit_descriptors()[0].starts_with("wpkh([73c5da0a/84'/1'/0']tpub"));
        assert!(test.sidechain_descriptor().contains("elwpkh([73c5da0a/84'/1'/0']tpub"));
    }
}
