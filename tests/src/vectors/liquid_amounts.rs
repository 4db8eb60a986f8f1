//! Hidden amounts and PSET records from public material.

use super::hex::{bytes, bytes_list, cases, list, number, parsed, script, text};
use super::{Case, Checks, Kind, Siblings, is_list_of};
use bitcoin::hex::DisplayHex as _;
use causeway_sidechain::wallet::unblind;
use causeway_vocab::Opening;
use elements::confidential::{Asset, AssetBlindingFactor, Nonce, Value as Amount, ValueBlindingFactor};
use elements::pset::elip100::{AssetMetadata, TokenMetadata};
use elements::pset::raw::ProprietaryKey;
use elements::pset::{Input, Output, PartiallySignedTransaction as Pset};
use elements::secp256k1_zkp::{Generator, PublicKey, SECP256K1, SecretKey};
use elements::{AssetId, OutPoint, RangeProof, SurjectionProof, TxOut, TxOutWitness};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "unblind",
        stems: &["unblind"],
        fits: |d| is_list_of(d, &["nonce_pubkey", "blinding_private_key", "rangeproof", "expected"]),
        run: run_unblind,
    },
    Kind {
        name: "commitments",
        stems: &["commitments"],
        fits: |d| is_list_of(d, &["asset", "inputs", "values", "asset_blinders_raw", "value_blinders_raw"]),
        run: run_commitments,
    },
    Kind {
        name: "elip100_pset",
        stems: &["elip100_pset"],
        fits: |d| is_list_of(d, &["asset", "token", "contract", "metadata_key", "token_key"]),
        run: run_elip100,
    },
    Kind { name: "elip102_pset", stems: &["elip102_pset"], fits: |d| is_list_of(d, &["abf", "key", "value"]), run: run_elip102 },
];

fn run_unblind(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let bad = |e: &dyn std::fmt::Display| e.to_string();
        let nonce = PublicKey::from_slice(&bytes(case, "nonce_pubkey")?).map_err(|e| bad(&e))?;
        let key = SecretKey::from_slice(&bytes(case, "blinding_private_key")?).map_err(|e| bad(&e))?;
        let output = TxOut {
            asset: Asset::from_commitment(&bytes(case, "asset_commitment")?).map_err(|e| bad(&e))?,
            value: Amount::from_commitment(&bytes(case, "value_commitment")?).map_err(|e| bad(&e))?,
            nonce: Nonce::Confidential(nonce),
            script_pubkey: script(case, "script_pubkey")?,
            witness: TxOutWitness {
                surjection_proof: SurjectionProof::EMPTY,
                rangeproof: RangeProof::from_slice(&bytes(case, "rangeproof")?).map_err(|e| bad(&e))?,
            },
        };
        let secret = output.nonce.shared_secret(&key).ok_or("no nonce")?;
        let secret = secret.secret_bytes().to_lower_hex_string();
        checks.equal(format!("{id} nonce"), json!(secret), &case["shared_nonce"], &[]);
        let opened = unblind::open(&output, key).ok_or("does not open");
        let got = opened.map(|opening| {
            let (asset_bf, value_bf) = (opening.asset_bf.into_inner(), opening.value_bf.into_inner());
            json!({
                "value": opening.value,
                "asset": opening.asset.to_string(),
                "asset_blinder": opening.asset_bf.to_string(),
                "value_blinder": opening.value_bf.to_string(),
                "asset_blinder_raw": asset_bf.as_ref().to_lower_hex_string(),
                "value_blinder_raw": value_bf.as_ref().to_lower_hex_string(),
            })
        });
        checks.accepted(id, got, &case["expected"], &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_commitments(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let asset: AssetId = parsed(case, "asset")?;
        let values: Vec<u64> =
            list(case, "values")?.iter().map(|value| number(&json!({ "value": value }), "value")).collect::<Result<_, _>>()?;
        let factor = |e: elements::secp256k1_zkp::Error| e.to_string();
        let abfs: Vec<_> = bytes_list(case, "asset_blinders_raw")?
            .iter()
            .map(|bytes| AssetBlindingFactor::from_slice(bytes).map_err(factor))
            .collect::<Result<_, _>>()?;
        let mut vbfs: Vec<_> = bytes_list(case, "value_blinders_raw")?
            .iter()
            .map(|bytes| ValueBlindingFactor::from_slice(bytes).map_err(factor))
            .collect::<Result<_, _>>()?;
        let inputs = number(case, "inputs")? as usize;
        if values.len() != abfs.len() || vbfs.len() + 1 != values.len() || inputs >= values.len() {
            return Err("lists of different lengths".to_owned());
        }
        let last = values.len() - 1;
        let terms: Vec<_> = values.iter().zip(&abfs).zip(&vbfs).map(|((value, abf), vbf)| (*value, *abf, *vbf)).collect();
        let balanced = ValueBlindingFactor::last(SECP256K1, values[last], abfs[last], &terms[..inputs], &terms[inputs..]);
        vbfs.push(balanced);
        let made: Vec<_> = (0..values.len())
            .map(|i| unblind::commitments(&Opening { asset, asset_bf: abfs[i], value: values[i], value_bf: vbfs[i] }))
            .collect();
        let hex = |bytes: &[u8]| bytes.to_lower_hex_string();
        let got = json!({
            "generator": hex(&Generator::new_unblinded(SECP256K1, asset.into_tag()).serialize()),
            "last_value_blinder_raw": hex(balanced.into_inner().as_ref()),
            "asset_commitments": made.iter().map(|(generator, _)| hex(&generator.serialize())).collect::<Vec<_>>(),
            "value_commitments": made.iter().map(|(_, commitment)| hex(&commitment.serialize())).collect::<Vec<_>>(),
        });
        for field in ["generator", "last_value_blinder_raw", "asset_commitments", "value_commitments"] {
            checks.equal(format!("{id} {field}"), got[field].clone(), &case[field], &[]);
        }
        Ok(())
    });
    Ok(checks.done())
}

/// Key and value of every record, hex.
fn records(records: &BTreeMap<ProprietaryKey, Vec<u8>>) -> Vec<(String, String)> {
    let record = |(key, value): (&ProprietaryKey, &Vec<u8>)| {
        let raw = key.to_key();
        ([vec![raw.type_value], raw.key].concat().to_lower_hex_string(), value.to_lower_hex_string())
    };
    records.iter().map(record).collect()
}

fn run_elip100(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let (asset, token): (AssetId, AssetId) = (parsed(case, "asset")?, parsed(case, "token")?);
        let prevout: OutPoint = parsed(case, "prevout")?;
        let blinded = case["issuance_blinded"].as_bool().ok_or("issuance_blinded is no truth value")?;
        let mut pset = Pset::new_v2();
        pset.add_asset_metadata(asset, &AssetMetadata::new(text(case, "contract")?.to_owned(), prevout));
        pset.add_token_metadata(token, &TokenMetadata::new(asset, blinded));
        // Through the whole encoding, so that what is read back is what was written.
        let again: Pset = elements::encode::deserialize(&elements::encode::serialize(&pset)).map_err(|e| e.to_string())?;
        let written = records(&again.global.proprietary);
        let got = json!({
            "metadata_key": written.first().map(|(key, _)| key),
            "metadata_value": written.first().map(|(_, value)| value),
            "token_key": written.get(1).map(|(key, _)| key),
            "token_value": written.get(1).map(|(_, value)| value),
        });
        let metadata = again.get_asset_metadata(asset).ok_or("lost")?.map_err(|e| e.to_string())?;
        let tokens = again.get_token_metadata(token).ok_or("lost")?.map_err(|e| e.to_string())?;
        checks.equal(format!("{id} read back"), json!(metadata.contract()), &case["contract"], &[]);
        checks.equal(format!("{id} blinded"), json!(tokens.issuance_blinded()), &case["issuance_blinded"], &[]);
        for field in ["metadata_key", "metadata_value", "token_key", "token_value"] {
            checks.equal(format!("{id} {field}"), got[field].clone(), &case[field], &[]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn run_elip102(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let factor = AssetBlindingFactor::from_slice(&bytes(case, "abf")?).map_err(|e| e.to_string())?;
        let (mut input, mut output) = (Input::default(), Output::default());
        input.set_abf(factor);
        output.set_abf(factor);
        for (side, kept) in [("input", &input.proprietary), ("output", &output.proprietary)] {
            let written = records(kept);
            let (key, value) = written.first().ok_or("nothing written")?;
            checks.equal(format!("{id} {side}"), json!({ "key": key, "value": value }), case, &["name", "abf", "origin"]);
        }
        Ok(())
    });
    Ok(checks.done())
}
