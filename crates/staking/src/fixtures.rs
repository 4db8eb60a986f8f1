//! Fixture files for tests.

use bitcoin::hex::FromHex as _;
use serde_json::Value;

pub(crate) fn load(name: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/babylon/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect("the fixture is there")).expect("the fixture is JSON")
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    Vec::from_hex(value.as_str().expect("text")).expect("hex")
}
