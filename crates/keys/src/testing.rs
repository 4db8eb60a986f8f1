//! Fixtures for the tests of this crate.

use causeway_vocab::Realm;
use serde_json::Value;

/// The realm of the Elements fixtures.
pub(crate) fn realm() -> Realm {
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
    }
}

/// The wallets of wallet.json by name.
pub(crate) fn fixture_wallets() -> Vec<(String, Value)> {
    let file: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/elements/wallet.json")).expect("fixture is JSON");
    let wallets = file["wallets"].as_array().expect("a list");
    wallets.iter().map(|wallet| (wallet["name"].as_str().expect("a name").to_owned(), wallet.clone())).collect()
}
