//! Openings against published vectors and a real node.

use super::*;
use crate::wallet::testing::{fixture, hex, vectors};
use elements::confidential::Nonce;
use elements::{SurjectionProof, Transaction, TxOutWitness};
use std::str::FromStr as _;

fn vector_output(case: &serde_json::Value) -> (TxOut, SecretKey) {
    let nonce = secp256k1_zkp::PublicKey::from_slice(&hex(&case["nonce_pubkey"])).expect("a key");
    let output = TxOut {
        asset: Asset::from_commitment(&hex(&case["asset_commitment"])).expect("a commitment"),
        value: Value::from_commitment(&hex(&case["value_commitment"])).expect("a commitment"),
        nonce: Nonce::Confidential(nonce),
        script_pubkey: Script::from(hex(&case["script_pubkey"])),
        witness: TxOutWitness {
            surjection_proof: SurjectionProof::EMPTY,
            rangeproof: RangeProof::from_slice(&hex(&case["rangeproof"])).expect("a proof"),
        },
    };
    (output, SecretKey::from_slice(&hex(&case["blinding_private_key"])).expect("a key"))
}

#[test]
fn published_outputs_open_to_what_they_hold() {
    for case in vectors("unblind.json") {
        let (output, key) = vector_output(&case);
        assert_eq!(output.nonce.shared_secret(&key).expect("a nonce").secret_bytes(), hex(&case["shared_nonce"])[..]);
        let opening = open(&output, key).expect("opens");
        let expected = &case["expected"];
        let value = expected["value"].as_u64().or_else(|| expected["value"].as_str()?.parse().ok());
        assert_eq!(
            (Some(opening.value), opening.asset.to_string().as_str()),
            (value, expected["asset"].as_str().expect("an id"))
        );
        assert_eq!(opening.asset_bf.into_inner().as_ref(), &hex(&expected["asset_blinder_raw"])[..]);
        assert_eq!(opening.value_bf.into_inner().as_ref(), &hex(&expected["value_blinder_raw"])[..]);
        assert!(opens(&opening, &output));
    }
}

#[test]
fn an_output_opens_to_nobody_else_and_not_under_another_asset() {
    for case in vectors("unblind.json") {
        let (output, key) = vector_output(&case);
        assert_eq!(open(&output, SecretKey::from_slice(&[7; 32]).expect("a key")), None);
        let generator = Generator::new_unblinded(SECP256K1, AssetId::from_byte_array([9; 32]).into_tag());
        let other = TxOut { asset: Asset::Confidential(generator), ..output.clone() };
        assert_eq!(open(&other, key), None);
        let without = TxOut { witness: TxOutWitness::empty(), ..output };
        assert_eq!(open(&without, key), None);
    }
}

#[test]
fn an_opening_that_differs_in_anything_does_not_open() {
    for case in vectors("unblind.json") {
        let (output, key) = vector_output(&case);
        let right = open(&output, key).expect("opens");
        for wrong in [
            Opening { value: right.value.wrapping_add(1), ..right },
            Opening { asset: AssetId::from_byte_array([9; 32]), ..right },
            Opening { asset_bf: AssetBlindingFactor::zero(), ..right },
            Opening { value_bf: ValueBlindingFactor::zero(), ..right },
            Opening { value: 0, value_bf: ValueBlindingFactor::zero(), ..right },
        ] {
            assert!(!opens(&wrong, &output));
        }
    }
}

#[test]
fn commitments_and_the_last_factor_are_the_published_ones() {
    for case in vectors("commitments.json") {
        let asset = AssetId::from_str(case["asset"].as_str().expect("an id")).expect("an id");
        let list = |name: &str| case[name].as_array().expect(name).clone();
        let values: Vec<u64> =
            list("values").iter().map(|v| v.as_u64().or_else(|| v.as_str()?.parse().ok()).expect("atoms")).collect();
        let abfs: Vec<_> =
            list("asset_blinders_raw").iter().map(|f| AssetBlindingFactor::from_slice(&hex(f)).expect("a factor")).collect();
        let mut vbfs: Vec<_> =
            list("value_blinders_raw").iter().map(|f| ValueBlindingFactor::from_slice(&hex(f)).expect("a factor")).collect();
        let inputs = case["inputs"].as_u64().expect("a count") as usize;
        let terms: Vec<_> = values.iter().zip(&abfs).zip(&vbfs).map(|((v, a), b)| (*v, *a, *b)).collect();
        let last = values.len() - 1;
        let factor = ValueBlindingFactor::last(SECP256K1, values[last], abfs[last], &terms[..inputs], &terms[inputs..]);
        assert_eq!(factor.into_inner().as_ref(), &hex(&case["last_value_blinder_raw"])[..]);
        vbfs.push(factor);
        assert_eq!(Generator::new_unblinded(SECP256K1, asset.into_tag()).serialize()[..], hex(&case["generator"])[..]);
        for (index, value) in values.into_iter().enumerate() {
            let opening = Opening { asset, asset_bf: abfs[index], value, value_bf: vbfs[index] };
            let output = TxOut {
                asset: Asset::from_commitment(&hex(&case["asset_commitments"][index])).expect("a commitment"),
                value: Value::from_commitment(&hex(&case["value_commitments"][index])).expect("a commitment"),
                ..TxOut::default()
            };
            assert!(opens(&opening, &output), "{index}");
        }
    }
}

#[test]
fn hidden_issuances_of_elementsd_open_to_what_was_issued() {
    let mut hidden = 0;
    for item in fixture("issuance.json")["items"].as_array().expect("items") {
        let tx: Transaction = elements::encode::deserialize(&hex(&item["tx"])).expect("a transaction");
        let issuances = item["issuances"].as_array().expect("list").iter();
        for issuance in issuances.filter(|issuance| !issuance["blinding_key"].is_null()) {
            let key = SecretKey::from_slice(&hex(&issuance["blinding_key"])).expect("a key");
            let input = &tx.input[issuance["vin"].as_u64().expect("an index") as usize];
            for candidate in Candidate::issuance(input, || key) {
                let name = if matches!(candidate.place(), Place::Issued(_)) { "asset_amount" } else { "token_amount" };
                let opening = candidate.open().opening.expect("ours");
                assert_eq!(opening.value, issuance[name]["value"].as_u64().expect("atoms"), "{}", item["name"]);
                let factor = hex(&issuance[name]["value_blinder_raw"]);
                assert_eq!(opening.value_bf.into_inner().as_ref(), &factor[..]);
                hidden += 1;
            }
        }
    }
    assert!(hidden >= 4, "{hidden}");
}
