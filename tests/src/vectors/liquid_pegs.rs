//! Peg-ins, peg-outs and authorisation keys from public material.

use super::hex::{bytes, bytes_list, cases, decoded, list, number, parsed, script, text};
use super::issuance::every_expected_has;
use super::{Case, Checks, Kind, Siblings, has_keys, hex, is_list_of};
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use causeway_sidechain::consensus::federation::Fedpeg;
use causeway_sidechain::consensus::header;
use causeway_sidechain::consensus::pak::{self, PakList};
use causeway_sidechain::consensus::pegin::{Peg, PeginFault, PeginWitness};
use causeway_sidechain::consensus::pegout::{Pegout, pays_to};
use causeway_sidechain::consensus::signature::Multisig;
use causeway_sidechain::consensus::tweak;
use elements::secp256k1_zkp::SecretKey;
use elements::{AssetId, Script, Transaction, TxIn, TxOut};
use serde_json::{Value, json};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "pegin_addresses",
        stems: &["pegin_addresses"],
        fits: |d| is_list_of(d, &["fedpegscript", "claim_script", "contract", "address"]),
        run: run_addresses,
    },
    Kind {
        name: "pegin_witness",
        stems: &["pegin_witness"],
        fits: |d| has_keys(d, &["context"]) && is_list_of(&d["cases"], &["witness", "outpoint", "valid"]),
        run: run_witness,
    },
    Kind {
        name: "pegin_transactions",
        stems: &["pegin_transactions"],
        fits: |d| is_list_of(d, &["transaction", "expected"]) && every_expected_has(d, "pegin_inputs"),
        run: run_pegin_transactions,
    },
    Kind {
        name: "pegout_pak",
        stems: &["pegout_pak"],
        fits: |d| is_list_of(d, &["pak", "script", "genesis", "valid"]),
        run: run_pak,
    },
    Kind {
        name: "pegout_transactions",
        stems: &["pegout_transactions"],
        fits: |d| {
            is_list_of(d, &["transaction", "expected"])
                && every_expected_has(d, "outputs")
                && d.as_array().into_iter().flatten().all(|case| is_list_of(&case["expected"]["outputs"], &["is_pegout"]))
        },
        run: run_pegout_transactions,
    },
    Kind {
        name: "pak_lists",
        stems: &["pak_lists_mainnet"],
        fits: |d| d.as_object().is_some_and(|o| o.values().any(|list| is_list_of(list, &["offline", "online"]))),
        run: run_pak_lists,
    },
    Kind {
        name: "elip202",
        stems: &["elip202_pegin_subsidy"],
        fits: |d| {
            is_list_of(d, &["threshold_signatures", "fedpegscript_size", "pegin_inputs", "parent_feerate_sat_vb", "subsidy"])
        },
        run: run_subsidy,
    },
];

/// A peg script with the kind of program that these files name.
fn fedpeg(script: Vec<u8>, kind: &str) -> Result<Fedpeg, String> {
    let script = bitcoin::ScriptBuf::from_bytes(script);
    let program = match kind {
        "P2WSH" => script.to_p2wsh(),
        "P2SH-P2WSH" => script.to_p2wsh().to_p2sh(),
        other => return Err(format!("kind {other:?} of peg program")),
    };
    Ok(Fedpeg { epoch_start: 0, program, script })
}

fn run_addresses(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let claim_script = script(case, "claim_script")?;
        let fedpeg = fedpeg(bytes(case, "fedpegscript")?, text(case, "kind")?)?;
        let network = match case.get("bitcoin_network").and_then(Value::as_str) {
            Some("mainnet") | None => bitcoin::Network::Bitcoin,
            Some(network) => network.parse().map_err(|e| format!("bitcoin_network: {e}"))?,
        };
        let made = tweak::tweak_federation_script(&fedpeg.script, &claim_script).and_then(|contract| {
            let address = bitcoin::Address::from_script(&tweak::deposit_script(&fedpeg, &claim_script)?, network);
            Ok(json!({ "contract": contract.to_hex_string(), "address": address.ok().map(|a| a.to_string()) }))
        });
        let want = json!({ "contract": case["contract"], "address": case["address"] });
        checks.accepted(id, made, &want, &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_witness(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    let context = &document["context"];
    let fedpeg = fedpeg(bytes(context, "fedpegscript")?, text(context, "fedpeg_program_kind")?)?;
    let peg = Peg { asset: parsed(context, "asset")?, parent_genesis: parsed(context, "parent_genesis")?, depth: 1 };
    checks.each(list(document, "cases")?, |id, case, checks| {
        let deposit: bitcoin::OutPoint = parsed(case, "outpoint")?;
        let items = bytes_list(case, "witness")?;
        let verdict = PeginWitness::parse(&items).and_then(|witness| {
            let found = witness.verify(&peg, &deposit, std::slice::from_ref(&fedpeg))?;
            Ok(json!({
                "mainchain_txid": deposit.txid.to_string(),
                "block_hash": found.block.to_string(),
                "block_tx_count": found.transactions,
                "tx_position": found.position,
            }))
        });
        if case["valid"] == json!(true) {
            checks.accepted(id, verdict, &case["expected"], &[]);
        } else {
            checks.refused(id, verdict, &case["why"]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn run_pegin_transactions(document: &Value, siblings: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let tx: Transaction = decoded(case, "transaction")?;
        let expected = &case["expected"];
        let wanted = list(expected, "pegin_inputs")?;
        let pegins: Vec<&TxIn> = tx.input.iter().filter(|input| input.is_pegin).collect();
        let got = json!({
            "txid": tx.txid().to_string(),
            "weight": tx.weight(),
            "outputs": tx.output.iter().map(describe_output).collect::<Vec<_>>(),
        });
        checks.equal(id, got, expected, &["pegin_inputs"]);
        checks.equal(format!("{id} inputs"), json!(pegins.len()), &json!(wanted.len()), &[]);
        for (input, wanted) in pegins.into_iter().zip(wanted) {
            let fedpeg = federation(wanted, siblings)?;
            let verdict = describe_pegin(input, fedpeg.as_ref());
            checks.accepted(format!("{id} peg-in"), verdict, wanted, &["federation"]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn describe_output(output: &TxOut) -> Value {
    json!({
        "value": output.value.explicit(),
        "asset": output.asset.explicit().map(|asset| asset.to_string()),
        "script": output.script_pubkey.as_bytes().to_lower_hex_string(),
        "is_fee": output.is_fee(),
    })
}

/// Everything about a peg-in input, verified; with an unknown federation all but that it pays the federation.
fn describe_pegin(input: &TxIn, fedpeg: Option<&Fedpeg>) -> Result<Value, PeginFault> {
    let deposit = input.pegin_prevout().ok_or(PeginFault::ItemCount(0))?;
    let witness = PeginWitness::of_library(input.pegin_data().ok_or(PeginFault::ItemCount(0))?)?;
    let peg = Peg { asset: witness.asset, parent_genesis: witness.parent_genesis, depth: 1 };
    match (witness.verify(&peg, &deposit, fedpeg.map_or(&[], std::slice::from_ref)), fedpeg) {
        (Ok(_), _) | (Err(PeginFault::NotToFederation), None) => {}
        (Err(fault), _) => return Err(fault),
    }
    let (mut matched, mut positions) = (Vec::new(), Vec::new());
    witness.proof.extract_matches(&mut matched, &mut positions).map_err(|_| PeginFault::MerkleProof)?;
    let output = &witness.parent_tx.output[deposit.vout as usize];
    let contract = fedpeg.map(|fedpeg| tweak::tweak_federation_script(&fedpeg.script, &witness.claim_script)).transpose()?;
    Ok(json!({
        "outpoint": deposit.to_string(),
        "value": witness.value,
        "asset": witness.asset.to_string(),
        "parent_genesis": witness.parent_genesis.to_string(),
        "claim_script": witness.claim_script.as_bytes().to_lower_hex_string(),
        "mainchain_tx": bitcoin::consensus::encode::serialize_hex(&witness.parent_tx),
        "mainchain_output_script": output.script_pubkey.to_hex_string(),
        "block_hash": witness.proof.header.block_hash().to_string(),
        "block_tx_count": witness.proof.txn.num_transactions(),
        "tx_position": positions.first(),
        "contract": contract.map(|contract| contract.to_hex_string()),
    }))
}

/// The federation that a case names: by script, or by the file or header beside it that holds the script.
fn federation(case: &Value, siblings: &Siblings) -> Result<Option<Fedpeg>, String> {
    let Some(named) = case.get("federation").and_then(Value::as_str) else { return Ok(None) };
    let (which, kind) = named.rsplit_once(", ").ok_or_else(|| format!("federation {named:?}"))?;
    let script = if let Ok(script) = Vec::from_hex(which) {
        script
    } else if let Some((field, file)) = which.split_once(" of ") {
        if let Some(height) = file.rsplit_once(' ').and_then(|(_, height)| height.parse::<u32>().ok()) {
            script_in_force_at(height, siblings)?
        } else {
            bytes(&siblings.load(file)?, field)?
        }
    } else {
        return Err(format!("federation {named:?}"));
    };
    fedpeg(script, kind).map(Some)
}

/// The peg script that the full parameters of a header in `headers.json` carry.
fn script_in_force_at(height: u32, siblings: &Siblings) -> Result<Vec<u8>, String> {
    let file = siblings.load("headers.json")?;
    for case in file.as_array().into_iter().flatten().filter(|case| case["valid"] == json!(true)) {
        let header = header::decode(&bytes(case, "header")?).map_err(|e| e.to_string())?;
        if let (true, Some(full)) = (header.height == height, header.dynafed_current().and_then(|current| current.full())) {
            return Ok(full.fedpegscript.clone());
        }
    }
    Err(format!("headers.json holds no full parameters of height {height}"))
}

fn pak_list(entries: &[Value]) -> Result<PakList, String> {
    let pair = |entry: &Value| Ok((parsed(entry, "offline")?, parsed(entry, "online")?));
    entries.iter().map(pair).collect::<Result<Vec<_>, String>>().map(PakList::from_pairs)
}

fn run_pak(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let list = pak_list(list(case, "pak")?)?;
        let genesis: bitcoin::BlockHash = parsed(case, "genesis")?;
        let pegout = Pegout::parse(&script(case, "script")?).filter(|pegout| pegout.parent_genesis == genesis);
        let verdict = pegout.as_ref().ok_or("no peg-out to this parent".to_owned());
        let verdict = verdict.and_then(|pegout| pegout.check_pak(&list).map(|()| pegout).map_err(|e| e.to_string()));
        if case["valid"] != json!(true) {
            checks.refused(id, verdict, &case["why"]);
            return Ok(());
        }
        let got = verdict.map(|pegout| {
            json!({
                "script": pegout.to_script().as_bytes().to_lower_hex_string(),
                "script_pubkey": pegout.destination.to_hex_string(),
                "sub_pubkey": pegout.extra[0].to_lower_hex_string(),
                "proof": pegout.extra[1].to_lower_hex_string(),
            })
        });
        let notes: Vec<&str> = case.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let notes: Vec<&str> =
            notes.into_iter().filter(|key| !["script", "script_pubkey", "sub_pubkey", "proof"].contains(key)).collect();
        checks.accepted(id, got, case, &notes);
        check_transaction(id, case, checks)?;
        make_anew(id, case, &list, checks)?;
        Ok(())
    });
    Ok(checks.done())
}

fn check_transaction(id: &str, case: &Value, checks: &mut Checks) -> Result<(), String> {
    if case.get("transaction").is_some() {
        let tx: Transaction = decoded(case, "transaction")?;
        let wanted = script(case, "script")?;
        let holds = tx.output.iter().any(|output| output.script_pubkey == wanted);
        let got = json!({ "txid": holds.then(|| tx.txid().to_string()) });
        checks.equal(format!("{id} transaction"), got, &json!({ "txid": case["txid"] }), &[]);
    }
    Ok(())
}

/// Derives the key and makes the proof from the private keys in the file: other bytes, the same meaning.
fn make_anew(id: &str, case: &Value, list: &PakList, checks: &mut Checks) -> Result<(), String> {
    let xpub: bitcoin::bip32::Xpub = parsed(case, "offline_xpub")?;
    let index = usize::try_from(number(case, "index")?).map_err(|e| e.to_string())?;
    let online: SecretKey = parsed(case, "online_private_key")?;
    let derived = pak::whitelist(&xpub, &hex::path(case, "path")?).ok_or("the path cannot be derived")?;
    let offline = list.entries().nth(index).map(|(offline, _)| offline.to_string());
    let got = json!({
        "sub_pubkey": derived.whitelisted.to_string(),
        "tweak_sum": derived.summed.display_secret().to_string(),
    });
    let want = json!({ "sub_pubkey": case["sub_pubkey"], "tweak_sum": case["tweak_sum"] });
    checks.equal(format!("{id} derivation"), got, &want, &[]);
    checks.equal(format!("{id} offline key"), json!(pak::offline_key(&xpub).to_string()), &json!(offline), &[]);
    let proof = list.prove(index, &derived.whitelisted, &online, &derived.summed);
    let ours = proof.is_some_and(|proof| list.verify(&derived.whitelisted, &proof));
    checks.equal(format!("{id} made anew"), json!(ours), &json!(true), &[]);
    Ok(())
}

fn run_pegout_transactions(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let tx: Transaction = decoded(case, "transaction")?;
        let outputs: Vec<Value> = tx.output.iter().enumerate().map(|(i, output)| describe_pegout(i, output)).collect();
        let got = json!({ "txid": tx.txid().to_string(), "outputs": outputs });
        checks.equal(id, got, &case["expected"], &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn describe_pegout(index: usize, output: &TxOut) -> Value {
    let asset: Option<AssetId> = output.asset.explicit();
    let mut got = json!({
        "index": index,
        "value": output.value.explicit(),
        "asset": asset.map(|asset| asset.to_string()),
        "is_fee": output.is_fee(),
        "is_pegout": false,
    });
    let seen = Pegout::parse(&output.script_pubkey).and_then(|p| Pegout::of_output(output, &p.parent_genesis, asset?));
    if let Some((pegout, _)) = seen {
        let key = pegout.extra.first().and_then(|key| <&[u8; 33]>::try_from(key.as_slice()).ok());
        got["is_pegout"] = json!(true);
        got["genesis"] = json!(pegout.parent_genesis.to_string());
        got["script_pubkey"] = json!(pegout.destination.to_hex_string());
        got["extra"] = pegout.extra.iter().map(|push| push.to_lower_hex_string()).collect();
        got["sub_key_matches_destination"] = json!(key.map(|key| pays_to(&pegout.destination, key)));
        got["proof_keys"] = json!(pegout.extra.get(1).and_then(|proof| proof.first()));
    }
    got
}

fn run_pak_lists(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    for (field, value) in document.as_object().into_iter().flatten() {
        if let Some(entries) = value.as_array() {
            let space: Vec<Vec<u8>> = entries
                .iter()
                .map(|entry| Ok([bytes(entry, "offline")?, bytes(entry, "online")?].concat()))
                .collect::<Result<_, String>>()?;
            let list = PakList::from_extension_space(&space);
            let got: Vec<Value> = list
                .entries()
                .map(|(offline, online)| json!({ "offline": offline.to_string(), "online": online.to_string() }))
                .collect();
            checks.equal(field, json!(got), value, &[]);
            checks.equal(format!("{field} written"), json!(list.to_extension_space() == space), &json!(true), &[]);
        } else if field.starts_with("signblockscript") {
            let script = bytes(document, field)?;
            let again = Multisig::parse(&script).map(|multisig| multisig.to_script().as_bytes().to_lower_hex_string());
            checks.equal(field, json!(again), value, &[]);
        } else if field.starts_with("fedpegscript") {
            let script = bitcoin::ScriptBuf::from_bytes(bytes(document, field)?);
            let tweaked = tweak::tweak_federation_script(&script, &Script::new());
            checks.accepted(field, tweaked.map(|tweaked| json!(tweaked.len())), &json!(script.len()), &[]);
        } else {
            return Err(format!("field {field:?} is not understood"));
        }
    }
    Ok(checks.done())
}

fn run_subsidy(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let small = |field: &str| u32::try_from(number(case, field)?).map_err(|e| format!("{field}: {e}"));
        let size = usize::try_from(number(case, "fedpegscript_size")?).map_err(|e| e.to_string())?;
        let rate =
            causeway_vocab::Atoms::from_decimal(text(case, "parent_feerate_sat_vb")?, 3).ok_or("a rate finer than 1 sat/kvB")?;
        let subsidy = tweak::subsidy(small("pegin_inputs")?, small("threshold_signatures")?, size, rate.0);
        checks.equal(id, json!(subsidy), &case["subsidy"], &[]);
        Ok(())
    });
    Ok(checks.done())
}
