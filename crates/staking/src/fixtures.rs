//! Fixture files for tests.

use crate::params::Covenant;
use crate::script::Terms;
use crate::stake::{Rules, Stake};
use bitcoin::hex::FromHex as _;
use bitcoin::{Amount, ScriptBuf, Transaction, XOnlyPublicKey};
use secp256k1::schnorr::Signature;
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) fn load(name: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/babylon/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).expect("the fixture is there")).expect("the fixture is JSON")
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    Vec::from_hex(value.as_str().expect("text")).expect("hex")
}

/// An x-only key; of 33 bytes the last 32 count.
pub(crate) fn key(value: &Value) -> XOnlyPublicKey {
    let bytes = bytes(value);
    XOnlyPublicKey::from_slice(&bytes[bytes.len() - 32..]).expect("a key")
}

pub(crate) fn keys(value: &Value) -> Vec<XOnlyPublicKey> {
    value.as_array().expect("keys").iter().map(key).collect()
}

pub(crate) fn number<T: TryFrom<u64>>(value: &Value) -> T {
    T::try_from(value.as_u64().expect("a number")).ok().expect("in range")
}

pub(crate) fn sat(value: &Value) -> Amount {
    Amount::from_sat(number(value))
}

pub(crate) fn signature(value: &Value) -> Signature {
    Signature::from_slice(&bytes(value)).expect("64 bytes")
}

pub(crate) fn transaction(value: &Value) -> Transaction {
    bitcoin::consensus::deserialize(&bytes(value)).expect("a transaction")
}

/// The terms of a case of the official script vectors.
pub(crate) fn terms_of_parameters(given: &Value) -> Terms {
    Terms {
        staker: key(&given["staker_public_key"]),
        providers: keys(&given["finality_provider_public_keys"]),
        covenant: Covenant { keys: keys(&given["covenant_public_keys"]), quorum: number(&given["covenant_quorum"]) },
        staking_time: number(&given["staking_time"]),
        unbonding_time: number(&given["unbonding_time"]),
    }
}

/// A recorded delegation.
pub(crate) struct Recorded {
    pub(crate) case: Value,
    pub(crate) stake: Stake,
    pub(crate) staking: Transaction,
}

/// The recorded delegations with the least slashing fee that their parameters allow.
pub(crate) fn delegations() -> Vec<Recorded> {
    delegations_with(|case| sat(&case["min_slashing_tx_fee_sat"]))
}

/// The recorded delegations with the slashing fee that their transactions pay, some more than they must.
pub(crate) fn delegations_as_built() -> Vec<Recorded> {
    delegations_with(|case| match &case["expected"]["slashing_tx"]["fee"] {
        Value::Null => sat(&case["min_slashing_tx_fee_sat"]),
        fee => sat(fee),
    })
}

fn delegations_with(slashing_fee: fn(&Value) -> Amount) -> Vec<Recorded> {
    let read = |case: &Value| {
        let terms = Terms {
            staker: key(&case["staker_pk"]),
            providers: keys(&case["finality_provider_pks"]),
            covenant: Covenant { keys: keys(&case["covenant_pks"]), quorum: number(&case["covenant_quorum"]) },
            staking_time: number(&case["staking_time"]),
            unbonding_time: number(&case["unbonding_time"]),
        };
        let rules = Rules {
            unbonding_fee: sat(&case["unbonding_fee_sat"]),
            slashing_script: ScriptBuf::from_bytes(bytes(&case["slashing_pk_script"])),
            slashing_rate: case["slashing_rate"].as_str().expect("text").parse().expect("a rate"),
            slashing_fee: slashing_fee(case),
        };
        let stake = Stake::new(terms, sat(&case["staking_value"]), rules).expect("a stake");
        Recorded { stake, staking: transaction(&case["expected"]["staking_tx"]["hex"]), case: case.clone() }
    };
    load("delegations.json").as_array().expect("cases").iter().map(read).collect()
}

/// The committee's signatures over the unbonding of a recorded delegation.
pub(crate) fn covenant_unbonding(case: &Value) -> BTreeMap<XOnlyPublicKey, Signature> {
    let signed = case["signatures"]["covenant_unbonding"].as_array().expect("signatures");
    signed.iter().map(|entry| (key(&entry["covenant_pk"]), signature(&entry["sig"]))).collect()
}
