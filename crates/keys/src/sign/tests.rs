use super::*;
use crate::check::sidechain_prevout;
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use elements::pset::PartiallySignedTransaction as Pset;
use serde_json::Value;

#[test]
fn key_spends_are_those_of_bip341() {
    let file: Value = serde_json::from_str(include_str!("../../../../tests/fixtures/bips/bip341.json")).expect("fixture is JSON");
    let secp = Secp256k1::new();
    let mut seen = 0;
    for case in file["keyPathSpending"][0]["inputSpending"].as_array().expect("a list") {
        // Keys without a script tree are BIP86 keys; the vectors use no auxiliary randomness.
        if !case["given"]["merkleRoot"].is_null() {
            continue;
        }
        let bytes = |value: &Value| Vec::from_hex(value.as_str().expect("hex")).expect("bytes");
        let key = SecretKey::from_slice(&bytes(&case["given"]["internalPrivkey"])).expect("a key");
        let digest = <[u8; 32]>::try_from(bytes(&case["intermediary"]["sigHash"])).expect("32 bytes");
        let (signature, _) = key_spend(&secp, &key, &Message::from_digest(digest), &[0; 32]);
        let expected = bytes(&case["expected"]["witness"][0]);
        assert_eq!(signature.serialize().to_lower_hex_string(), expected[..64].to_lower_hex_string());
        seen += 1;
    }
    assert!(seen >= 1, "no vector is of a key without a tree");
}

#[test]
fn a_peg_in_claim_signs_what_elementsd_verified() {
    let file: Value =
        serde_json::from_str(include_str!("../../../../tests/fixtures/elements/pegin.json")).expect("fixture is JSON");
    let secp = Secp256k1::new();
    let cases = file["valid"].as_array().expect("a list");
    assert!(!cases.is_empty());
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let raw = Vec::from_hex(case["claim_tx"].as_str().expect("hex")).expect("bytes");
        let tx: elements::Transaction = elements::encode::deserialize(&raw).expect(name);
        let vin = usize::try_from(case["claim_vin"].as_u64().expect("a number")).expect("small");
        let pset = Pset::from_tx(tx);
        let extracted = pset.extract_tx().expect(name);
        let spent = sidechain_prevout(&pset.inputs()[vin]).expect(name);
        let key =
            SecretKey::from_slice(&Vec::from_hex(case["claim_private_key"].as_str().expect("hex")).expect("bytes")).expect(name);
        let hash = bitcoin::CompressedPublicKey(key.public_key(&secp)).wpubkey_hash();
        assert_eq!(spent.script_pubkey.as_bytes(), bitcoin::ScriptBuf::new_p2wpkh(&hash).as_bytes(), "{name}");
        let mut cache = elements::sighash::SighashCache::new(&extracted);
        let message = sidechain_message(&mut cache, vin, &hash, spent.value, elements::EcdsaSighashType::All);
        let digest = message.as_ref().to_lower_hex_string();
        assert_eq!(digest, case["claim_sighash"].as_str().expect("hex"), "{name}");
    }
}
