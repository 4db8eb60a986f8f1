//! Fixtures for the tests of this crate.

use causeway_vocab::{SidechainParams, Tip};
use elements::{Block, BlockHash};
use serde_json::Value;

/// A file of tests/fixtures/elements.
pub(crate) fn fixture(name: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/elements/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(&path).expect(&path)).expect("fixture is JSON")
}

/// A file of tests/fixtures/liquid-public.
pub(crate) fn vectors(name: &str) -> Vec<Value> {
    let path = format!("{}/../../tests/fixtures/liquid-public/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(&path).expect(&path)).expect("fixture is JSON")
}

/// The chain of the Elements fixtures.
pub(crate) fn chain_params() -> SidechainParams {
    let mut params = fixture("chain.json")["network"].take();
    let fields = params.as_object_mut().expect("an object");
    for extra in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.remove(extra);
    }
    serde_json::from_value(params).expect("the fields of chain.json")
}

/// A block of wallet.json.
pub(crate) fn block(value: &Value) -> (Tip<BlockHash>, Block) {
    let bytes = hex(&value["block"]);
    let block: Block = elements::encode::deserialize(&bytes).expect("a block");
    (Tip { height: value["height"].as_u64().expect("height") as u32, hash: block.block_hash(), time: block.header.time }, block)
}

/// Bytes of a hex field.
pub(crate) fn hex(value: &Value) -> Vec<u8> {
    use bitcoin::hex::FromHex as _;
    Vec::from_hex(value.as_str().expect("text")).expect("hex")
}
