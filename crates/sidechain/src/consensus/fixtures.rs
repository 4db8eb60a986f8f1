//! Fixture chains for tests.

use super::header::{self, HeaderChain};
use bitcoin::hex::FromHex as _;
use causeway_vocab::SidechainParams;
use elements::Block;
use serde_json::Value;
use std::sync::{Arc, LazyLock};

/// A clock ahead of every fixture.
pub(crate) const LATE: u64 = u32::MAX as u64;

#[derive(Clone)]
pub(crate) struct Fixture {
    pub(crate) params: Arc<SidechainParams>,
    pub(crate) chain: HeaderChain,
}

pub(crate) fn load(name: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect("the fixture is there")).expect("the fixture is JSON")
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    Vec::from_hex(value.as_str().expect("text")).expect("hex")
}

/// The chain of a real elementsd with every header accepted.
pub(crate) fn chain() -> Fixture {
    static CHAIN: LazyLock<Fixture> = LazyLock::new(follow);
    CHAIN.clone()
}

/// The wallet's blocks, ascending.
pub(crate) fn wallet_blocks() -> &'static [Block] {
    static BLOCKS: LazyLock<Vec<Block>> = LazyLock::new(|| {
        let file = load("elements/wallet.json");
        let blocks = file["blocks"].as_array().expect("blocks");
        blocks.iter().map(|case| elements::encode::deserialize(&bytes(&case["block"])).expect("a block")).collect()
    });
    &BLOCKS
}

fn follow() -> Fixture {
    let file = load("elements/chain.json");
    let mut network = file["network"].clone();
    let fields = network.as_object_mut().expect("an object");
    for remark in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.remove(remark);
    }
    let params: Arc<SidechainParams> = Arc::new(serde_json::from_value(network).expect("parameters"));
    let mut chain = HeaderChain::new(Arc::clone(&params)).expect("genesis");
    for case in &file["headers"].as_array().expect("headers")[1..] {
        let header = header::decode(&bytes(&case["header"])).expect("a header");
        chain.accept(&header, LATE).expect("accepted");
    }
    Fixture { params, chain }
}
