//! Issuances, contracts and asset ids, of a real elementsd and from public material.

use super::hex::{bytes, cases, decoded, list, number, parsed, text};
use super::{Case, Checks, Kind, Siblings, has_keys, is_list_of};
use bitcoin::hex::DisplayHex as _;
use causeway_sidechain::consensus::contract::Contract;
use causeway_sidechain::consensus::issuance::{self, IssuanceIds};
use causeway_sidechain::consensus::{proofs, transaction};
use elements::confidential::Value as Amount;
use elements::secp256k1_zkp::{Generator, PedersenCommitment, SECP256K1, SecretKey, Tweak};
use elements::{AssetId, BlockHash, ContractHash, OutPoint, Transaction, TxIn, TxOut};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::str::FromStr as _;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "issuance",
        stems: &["issuance"],
        fits: |d| has_keys(d, &["policy_asset"]) && is_list_of(&d["items"], &["tx", "issuances", "outputs"]),
        run: run_issuance,
    },
    Kind {
        name: "issuance_ids",
        stems: &["issuance_ids"],
        fits: |d| is_list_of(d, &["prevout", "contract_hash", "confidential", "expected"]),
        run: run_ids,
    },
    Kind {
        name: "issuance_transactions",
        stems: &["issuance_transactions"],
        fits: |d| is_list_of(d, &["transaction", "expected"]) && every_expected_has(d, "issuances"),
        run: run_transactions,
    },
    Kind { name: "contracts", stems: &["contracts"], fits: |d| is_list_of(d, &["contract", "valid"]), run: run_contracts },
    Kind {
        name: "pegged_assets",
        stems: &["pegged_assets"],
        fits: |d| is_list_of(d, &["network", "fedpegscript", "signblockscript", "parent_genesis", "asset"]),
        run: run_pegged,
    },
    Kind { name: "elip144", stems: &["elip144_ids"], fits: |d| has_keys(d, &["chain_ids", "asset_ids"]), run: run_elip144 },
    Kind {
        name: "discount_vsize",
        stems: &["discount_vsize"],
        fits: |d| is_list_of(d, &["transaction", "expected"]) && every_expected_has(d, "discount_vsize"),
        run: run_discount,
    },
];

pub(super) fn every_expected_has(document: &Value, key: &str) -> bool {
    document.as_array().into_iter().flatten().all(|case| case["expected"].get(key).is_some())
}

fn run_issuance(document: &Value, siblings: &Siblings) -> Result<Vec<Case>, String> {
    let policy_asset: AssetId = parsed(document, "policy_asset")?;
    let items = list(document, "items")?;
    let outputs = known_outputs(items, siblings)?;
    let mut checks = Checks::new();
    checks.each(items, |id, item, checks| {
        let tx: Transaction = decoded(item, "tx")?;
        checks.equal(format!("{id} txid"), json!(tx.txid().to_string()), &item["txid"], &[]);
        let spent: Option<Vec<TxOut>> = tx.input.iter().map(|input| outputs.get(&input.previous_output).cloned()).collect();
        if let Some(spent) = spent {
            let verdict = proofs::verify(&tx, &spent, policy_asset);
            let fee = tx.fee_in(policy_asset);
            checks.accepted(format!("{id} proofs"), verdict.map(|fees| json!(fees.get(&policy_asset))), &json!(fee), &[]);
        }
        for case in list(item, "issuances")? {
            let vin = usize::try_from(number(case, "vin")?).map_err(|e| e.to_string())?;
            let input = tx.input.get(vin).ok_or("vin outside the transaction")?;
            check_input(&format!("{id} input {vin}"), input, case, checks)?;
        }
        for case in list(item, "outputs")?.iter().chain(item.get("burn")) {
            check_output(id, &tx, case, checks)?;
        }
        if item.get("contract_json").is_some() {
            let contract = Contract::parse(text(item, "contract_json")?).map_err(|e| e.to_string())?;
            let got = json!({
                "contract_json": contract.canonical(),
                "contract_sha256": contract.hash().to_byte_array().to_lower_hex_string(),
                "rpc_contract_hash_argument": contract.hash().to_string(),
            });
            for field in ["contract_json", "contract_sha256", "rpc_contract_hash_argument"] {
                checks.equal(format!("{id} {field}"), got[field].clone(), &item[field], &[]);
            }
        }
        Ok(())
    });
    Ok(checks.done())
}

/// Outputs of the transactions in this file and in the wallet's blocks beside it.
fn known_outputs(items: &[Value], siblings: &Siblings) -> Result<BTreeMap<OutPoint, TxOut>, String> {
    let mut txs: Vec<Transaction> = items.iter().map(|item| decoded(item, "tx")).collect::<Result<_, _>>()?;
    if let Ok(wallet) = siblings.load("wallet.json") {
        for case in list(&wallet, "blocks")? {
            txs.extend(decoded::<elements::Block>(case, "block")?.txdata);
        }
    }
    let mut outputs = BTreeMap::new();
    for tx in txs {
        let txid = tx.txid();
        outputs.extend((0..).zip(tx.output).map(|(vout, output)| (OutPoint::new(txid, vout), output)));
    }
    Ok(outputs)
}

fn check_input(id: &str, input: &TxIn, case: &Value, checks: &mut Checks) -> Result<(), String> {
    let Some(ids) = issuance::ids_of(input) else {
        checks.fail(id, "issues nothing", case["asset"].clone());
        return Ok(());
    };
    let fields = &input.asset_issuance;
    let token = |confidential| AssetId::reissuance_token_from_entropy(ids.entropy, confidential).to_string();
    let mut got = json!({
        "prevout": { "txid": input.previous_output.txid.to_string(), "vout": input.previous_output.vout },
        "is_reissuance": ids.is_reissuance,
        "asset_blinding_nonce_raw": fields.asset_blinding_nonce.as_byte_array().to_lower_hex_string(),
        "asset_entropy_field_raw": fields.asset_entropy.to_byte_array().to_lower_hex_string(),
        "entropy": ids.entropy.to_string(),
        "entropy_raw": ids.entropy.to_byte_array().to_lower_hex_string(),
        "asset": ids.asset.to_string(),
        // A reissuance does not say which of the two its token is.
        "token": (!ids.is_reissuance).then(|| ids.token.to_string()),
        "token_if_unblinded_issuance": token(false),
        "token_if_blinded_issuance": token(true),
        "blinded": fields.amount.is_confidential(),
    });
    if !ids.is_reissuance {
        let contract = fields.asset_entropy.into_contract_hash();
        got["contract_hash_raw"] = json!(contract.to_byte_array().to_lower_hex_string());
        got["contract_hash_rpc"] = json!(contract.to_string());
    }
    checks.equal(id, got, case, &["vin", "rpc", "blinding_key", "asset_amount", "token_amount"]);
    for (field, value, asset) in [("asset_amount", fields.amount, ids.asset), ("token_amount", fields.inflation_keys, ids.token)]
    {
        match case.get(field) {
            Some(wanted) if !wanted.is_null() => check_amount(&format!("{id} {field}"), value, asset, wanted, checks)?,
            _ => checks.equal(format!("{id} {field}"), json!(value.is_null()), &json!(true), &[]),
        }
    }
    Ok(())
}

/// The amount field must be the value that the file says, or a commitment to it.
fn check_amount(id: &str, value: Amount, asset: AssetId, wanted: &Value, checks: &mut Checks) -> Result<(), String> {
    let amount = number(wanted, "value")?;
    let expected = match wanted.get("value_blinder_raw") {
        None => Amount::Explicit(amount),
        Some(_) => {
            let blinder: [u8; 32] = bytes(wanted, "value_blinder_raw")?.try_into().map_err(|_| "32 bytes")?;
            let blinder = Tweak::from_inner(blinder).map_err(|e| e.to_string())?;
            let generator = Generator::new_unblinded(SECP256K1, asset.into_tag());
            Amount::Confidential(PedersenCommitment::new(SECP256K1, amount, blinder, generator))
        }
    };
    checks.equal(id, json!(value.to_string()), &json!(expected.to_string()), &[]);
    Ok(())
}

/// An output of the issuing wallet: explicit, or unblinded with the key that the file gives.
fn check_output(id: &str, tx: &Transaction, case: &Value, checks: &mut Checks) -> Result<(), String> {
    let vout = usize::try_from(number(case, "vout")?).map_err(|e| e.to_string())?;
    let output = tx.output.get(vout).ok_or("vout outside the transaction")?;
    let mut got = json!({ "vout": vout, "script_pubkey": output.script_pubkey.as_bytes().to_lower_hex_string() });
    if case.get("blinding_private_key").is_some() {
        let key: SecretKey = parsed(case, "blinding_private_key")?;
        match output.unblind(SECP256K1, key) {
            Err(e) => {
                checks.fail(format!("{id} output {vout}"), e, case["value"].clone());
                return Ok(());
            }
            Ok(secrets) => {
                got["value"] = json!(secrets.value);
                got["asset"] = json!(secrets.asset.to_string());
                got["asset_blinder"] = json!(secrets.asset_bf.to_string());
                got["value_blinder"] = json!(secrets.value_bf.to_string());
            }
        }
    } else {
        got["value"] = json!(output.value.explicit());
        got["asset"] = json!(output.asset.explicit().map(|asset| asset.to_string()));
    }
    got["explicit"] = json!(output.value.is_explicit());
    checks.equal(format!("{id} output {vout}"), got, case, &["blinding_private_key"]);
    Ok(())
}

fn run_ids(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let prevout = OutPoint::from_str(text(case, "prevout")?).map_err(|e| e.to_string())?;
        let contract: ContractHash = parsed(case, "contract_hash")?;
        let ids = |confidential| issuance::ids(prevout, contract, confidential);
        let IssuanceIds { entropy, asset, token, .. } = ids(case["confidential"] == json!(true));
        let got = json!({
            "entropy": entropy.to_string(),
            "asset": asset.to_string(),
            "token": token.to_string(),
            "token_if_not_confidential": ids(false).token.to_string(),
            "token_if_confidential": ids(true).token.to_string(),
        });
        checks.equal(id, got, &case["expected"], &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_transactions(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let tx: Transaction = decoded(case, "transaction")?;
        let issuances: Vec<Value> = tx.input.iter().enumerate().filter_map(|(i, input)| describe_issuance(i, input)).collect();
        let got = json!({
            "txid": tx.txid().to_string(),
            "weight": tx.weight(),
            "discount_weight": tx.discount_weight(),
            "issuances": issuances,
        });
        checks.equal(id, got, &case["expected"], &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn describe_issuance(index: usize, input: &TxIn) -> Option<Value> {
    let ids = issuance::ids_of(input)?;
    let fields = &input.asset_issuance;
    let mut got = json!({
        "input": index,
        "kind": if ids.is_reissuance { "reissuance" } else { "issuance" },
        "asset": ids.asset.to_string(),
        "entropy": ids.entropy.to_string(),
        "token": ids.token.to_string(),
        "amount_confidential": fields.amount.is_confidential(),
        "amount": fields.amount.explicit(),
        "tokens": fields.inflation_keys.explicit(),
        "tokens_confidential": fields.inflation_keys.is_confidential(),
        "asset_blinding_nonce": fields.asset_blinding_nonce.as_byte_array().to_lower_hex_string(),
    });
    if !ids.is_reissuance {
        got["contract_hash"] = json!(fields.asset_entropy.into_contract_hash().to_string());
    }
    Some(got)
}

fn run_contracts(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let text = text(case, "contract")?;
        let strict = case.get("applies_to").and_then(Value::as_str).is_some_and(|whom| whom.contains("strict"));
        let contract = if strict { Contract::parse_canonical(text) } else { Contract::parse(text) };
        let contract = contract.and_then(|contract| contract.validate().map(|()| contract));
        if case["valid"] == json!(true) {
            let got = contract.map(|c| json!({ "canonical": c.canonical(), "contract_hash": c.hash().to_string() }));
            let want = json!({ "canonical": case["canonical"], "contract_hash": case["contract_hash"] });
            checks.accepted(id, got, &want, &[]);
        } else {
            checks.refused(id, contract, &case["why"]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn run_pegged(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |_, case, checks| {
        let network = text(case, "network")?;
        let (fedpeg, signblock) = (bytes(case, "fedpegscript")?, bytes(case, "signblockscript")?);
        let asset = issuance::pegged_asset(network, &fedpeg, &signblock, &parsed(case, "parent_genesis")?);
        checks.equal(network, json!(asset.to_string()), &case["asset"], &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_elip144(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    let chains = document["chain_ids"].as_object().ok_or("chain_ids is no object")?;
    for (network, want) in chains {
        let Some(genesis) = genesis_of(network) else { continue };
        checks.equal(network, json!(issuance::chain_identifier(&genesis)), want, &[]);
    }
    for case in list(document, "asset_ids")? {
        let network = text(case, "network")?;
        let genesis = genesis_of(network).ok_or_else(|| format!("{network}: genesis unknown"))?;
        let asset: AssetId = parsed(case, "asset")?;
        checks.equal(asset, json!(issuance::asset_identifier(&genesis, &asset)), &case["id"], &[]);
    }
    Ok(checks.done())
}

/// The genesis block of a public network; test chains are made anew by everybody.
fn genesis_of(network: &str) -> Option<BlockHash> {
    let hash = match network {
        "liquid" | "liquidv1" => "1466275836220db2944ca059a3a10ef6fd2ea684b0688d2c379296888a206003",
        "liquidtestnet" => "a771da8e52ee6ad581ed1e9a99825e5b3b7992225534eaa2ae23244fe26ab1c1",
        _ => return None,
    };
    hash.parse().ok()
}

fn run_discount(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let tx: Transaction = decoded(case, "transaction")?;
        let got = json!({
            "txid": tx.txid().to_string(),
            "weight": tx.weight(),
            "vsize": tx.vsize(),
            "discount_weight": tx.discount_weight(),
            "discount_vsize": transaction::discount_vsize(&tx),
        });
        checks.equal(id, got, &case["expected"], &[]);
        Ok(())
    });
    Ok(checks.done())
}
