//! Fixtures for the tests of this crate.

use causeway_vocab::Realm;
use serde_json::Value;
use std::sync::OnceLock;

/// The realm of the Elements fixtures.
pub(crate) fn realm() -> Realm {
    static READ: OnceLock<Realm> = OnceLock::new();
    READ.get_or_init(read_realm).clone()
}

fn read_realm() -> Realm {
    let chain: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/elements/chain.json")).expect("fixture is JSON");
    let mut params = chain["network"].clone();
    let fields = params.as_object_mut().expect("an object");
    for extra in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.remove(extra);
    }
    Realm {
        name: "lab".into(),
        valueless: true,
        bitcoin: causeway_vocab::BitcoinParams {
            network: bitcoin::Network::Regtest,
            peers: vec!["127.0.0.1:18444".parse().expect("an address")],
            required_peers: 1,
        },
        sidechain: serde_json::from_value(params).expect("the fields of chain.json"),
        testbed: None,
        staking: None,
    }
}

/// The wallets of wallet.json by name.
pub(crate) fn fixture_wallets() -> &'static [(String, Value)] {
    static READ: OnceLock<Vec<(String, Value)>> = OnceLock::new();
    READ.get_or_init(read_wallets)
}

fn read_wallets() -> Vec<(String, Value)> {
    let file: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/elements/wallet.json")).expect("fixture is JSON");
    let wallets = file["wallets"].as_array().expect("a list");
    wallets.iter().map(|wallet| (wallet["name"].as_str().expect("a name").to_owned(), wallet.clone())).collect()
}

use crate::derive::{Account, Accounts, account_descriptors};
use crate::secret::Seed;
use crate::sign::SigningKeys;
use bitcoin::bip32::{ChildNumber, DerivationPath};
use bitcoin::hex::FromHex as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// Random numbers that are the same in every run.
pub(crate) fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// The first wallet of wallet.json.
pub(crate) fn seed() -> Seed {
    let hex = fixture_wallets()[0].1["bip39_seed"].as_str().expect("hex").to_owned();
    Seed::from_bytes(<[u8; 64]>::from_hex(&hex).expect("64 bytes"))
}

pub(crate) fn accounts() -> Accounts {
    static DERIVED: OnceLock<Accounts> = OnceLock::new();
    DERIVED.get_or_init(|| account_descriptors(&seed(), &realm()).expect("a good seed")).clone()
}

pub(crate) fn signing_keys() -> SigningKeys {
    SigningKeys::new(&seed(), &realm()).expect("a good seed")
}

/// The full path of an address.
pub(crate) fn path(account: Account, chain: u32, index: u32) -> DerivationPath {
    let child = |index| ChildNumber::from_normal_idx(index).expect("below 2^31");
    account.path(bitcoin::NetworkKind::Test).extend([child(chain), child(index)])
}
