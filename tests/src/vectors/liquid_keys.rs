//! Addresses, descriptors and blinding keys from public material.

use super::hex::{bytes, cases, number, script, text};
use super::{Case, Checks, Kind, Siblings, is_list_of};
use bitcoin::hashes::Hash as _;
use bitcoin::hex::DisplayHex as _;
use causeway_sidechain::wallet::blinders::device_blinders;
use causeway_sidechain::wallet::descriptor::CtDescriptor;
use causeway_sidechain::wallet::{Confidentiality, parse_address};
use causeway_vocab::SidechainParams;
use elements::blech32::decode::CheckedHrpstring;
use elements::blech32::{Blech32, Blech32m};
use elements::secp256k1_zkp::SECP256K1;
use elements::{Address, AddressParams};
use elements_miniscript::slip77::MasterBlindingKey;
use serde_json::{Value, json};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "addresses", stems: &["addresses"], fits: |d| is_list_of(d, &["address", "valid"]), run: run_addresses },
    Kind {
        name: "blech32_strings",
        stems: &["blech32_strings"],
        fits: |d| is_list_of(d, &["kind", "string", "valid"]),
        run: run_blech32,
    },
    Kind {
        name: "slip77",
        stems: &["slip77"],
        fits: |d| is_list_of(d, &["seed", "network", "master_blinding_key", "outputs"]),
        run: run_slip77,
    },
    Kind { name: "ct_descriptors", stems: &["ct_descriptors"], fits: are_ct_descriptors, run: run_descriptors },
    Kind { name: "elip151", stems: &["elip151"], fits: |d| is_list_of(d, &["ordinary_descriptor", "valid"]), run: run_elip151 },
    Kind {
        name: "elip152_dwid",
        stems: &["elip152_dwid"],
        fits: |d| is_list_of(d, &["descriptor", "network", "dwid"]),
        run: run_dwid,
    },
    Kind {
        name: "deterministic_blinders",
        stems: &["deterministic_blinders"],
        fits: |d| is_list_of(d, &["master_blinding_key", "hash_prevouts", "outputs"]),
        run: run_device_blinders,
    },
];

fn are_ct_descriptors(document: &Value) -> bool {
    let is_ct = |case: &Value| case["descriptor"].as_str().is_some_and(|text| text.starts_with("ct("));
    is_list_of(document, &["descriptor", "valid"]) && cases(document).iter().any(is_ct)
}

const NETWORKS: [(&str, &AddressParams); 3] = [
    ("liquid", &AddressParams::LIQUID),
    ("liquidtestnet", &AddressParams::LIQUID_TESTNET),
    ("elementsregtest", &AddressParams::ELEMENTS),
];

fn prefixes(case: &Value) -> Result<&'static AddressParams, String> {
    let name = text(case, "network")?;
    let known = NETWORKS.into_iter().find(|(known, _)| *known == name);
    known.map(|(_, params)| params).ok_or_else(|| format!("unknown network {name}"))
}

/// A chain with these prefixes and nothing else of note.
pub(super) fn chain(name: &str, prefixes: &AddressParams, policy_asset: &str) -> Result<SidechainParams, String> {
    let zero = "00".repeat(32);
    let params = json!({
        "chain_name": name,
        "network_magic": "00000000",
        "genesis_block": "",
        "genesis_hash": zero,
        "policy_asset": policy_asset,
        "parent_genesis_hash": zero,
        "signblockscript": "51",
        "genesis_max_block_witness": 0,
        "fedpegscript": "51",
        "epoch_length": 10,
        "vote_threshold": 8,
        "total_valid_epochs": 2,
        "pegin_confirmation_depth": 8,
        "dynafed_active_from_height": 0,
        "address": {
            "bech32_hrp": prefixes.bech_hrp.to_string(),
            "blech32_hrp": prefixes.blech_hrp.to_string(),
            "p2pkh_prefix": prefixes.p2pkh_prefix,
            "p2sh_prefix": prefixes.p2sh_prefix,
            "blinded_prefix": prefixes.blinded_prefix,
        },
    });
    serde_json::from_value(params).map_err(|e| e.to_string())
}

fn run_addresses(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let address = text(case, "address")?;
        let read = |name: &str, prefixes| {
            let chain = chain(name, prefixes, &"00".repeat(32))?;
            parse_address(address, &chain, Confidentiality::Optional).map_err(|e| e.to_string())
        };
        if case["valid"] == false {
            for (name, prefixes) in NETWORKS {
                checks.refused(format!("{id} on {name}"), read(name, prefixes), &case["why"]);
            }
            return Ok(());
        }
        let own = prefixes(case)?;
        for (name, prefixes) in NETWORKS {
            if prefixes != own {
                checks.refused(format!("{id} on {name}"), read(name, prefixes), &json!("another network"));
                continue;
            }
            let got = read(name, prefixes).map(|read| {
                // Segwit addresses may be written in capitals; ours are not.
                let same = [address.to_owned(), address.to_ascii_lowercase()].contains(&read.to_string());
                json!({
                    "address": if same { address.to_owned() } else { read.to_string() },
                    "network": name,
                    "script_pubkey": read.script_pubkey().as_bytes().to_lower_hex_string(),
                    "blinding_pubkey": read.blinding_pubkey.map(|key| key.to_string()),
                    "unconfidential": read.to_unconfidential().to_string(),
                })
            });
            checks.accepted(id, got, case, &["name", "valid", "origin"]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn run_blech32(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let string = text(case, "string")?;
        let decoded = match text(case, "kind")? {
            "blech32" => CheckedHrpstring::new::<Blech32>(string),
            "blech32m" => CheckedHrpstring::new::<Blech32m>(string),
            other => return Err(format!("unknown kind {other}")),
        };
        if case["valid"] == false {
            checks.refused(id, decoded, &Value::Null);
            return Ok(());
        }
        let data = string.rsplit_once('1').map_or("", |(_, data)| data).to_ascii_lowercase();
        let data = &data[..data.len().saturating_sub(12)];
        let digit = |c| bitcoin::bech32::Fe32::from_char(c).map(bitcoin::bech32::Fe32::to_u8).map_err(|e| e.to_string());
        let data: Vec<u8> = data.chars().map(digit).collect::<Result<_, String>>()?;
        let got = decoded.map(|decoded| json!({ "hrp": decoded.hrp().to_lowercase(), "data5": data }));
        checks.accepted(id, got, &json!({ "hrp": case["hrp"], "data5": case["data5"] }), &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_slip77(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let master = MasterBlindingKey::from_seed(&bytes(case, "seed")?);
        checks.equal(id, json!(master.to_string()), &case["master_blinding_key"], &[]);
        // Which script descriptor stands behind the key does not matter: scripts come from the file.
        let any = "elwpkh(03774eec7a3d550d18e9f89414152025b3b0ad6a342b19481f702d843cff06dfc4)";
        let key = text(case, "master_blinding_key")?;
        let descriptor = CtDescriptor::parse(&format!("ct(slip77({key}),{any})")).map_err(|e| e.to_string())?;
        let prefixes = prefixes(case)?;
        for (index, output) in super::hex::list(case, "outputs")?.iter().enumerate() {
            let script = script(output, "script_pubkey")?;
            let private = descriptor.private_blinding_key(&script, 0).ok_or("no private key")?;
            let public = private.public_key(SECP256K1);
            let address = Address::from_script(&script, None, prefixes).ok_or("no address")?;
            let got = json!({
                "script_pubkey": output["script_pubkey"],
                "blinding_private_key": private.secret_bytes().to_lower_hex_string(),
                "blinding_pubkey": public.to_string(),
                "unconfidential": address.to_string(),
                "confidential": address.to_confidential(public).to_string(),
            });
            checks.equal(format!("{id} output {index}"), got, output, &[]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn run_descriptors(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let parsed = CtDescriptor::parse(text(case, "descriptor")?);
        if case["valid"] == false {
            checks.refused(id, parsed.map(|d| d.to_string()), &case["why"]);
            return Ok(());
        }
        let parsed = parsed.map_err(|e| e.to_string())?;
        if text(case, "descriptor")?.starts_with("ct(elip151,") {
            let key = text(case, "elip151_view_key")?;
            checks.equal(format!("{id} key"), json!(parsed.to_string().get(3..67)), &json!(key), &[]);
        } else {
            checks.equal(format!("{id} text"), json!(parsed.to_string()), &case["descriptor"], &[]);
        }
        for address in super::hex::list(case, "addresses")? {
            let index = u32::try_from(address["index"].as_u64().unwrap_or(0)).map_err(|e| e.to_string())?;
            let chain = address["chain"].as_u64().unwrap_or(0);
            let path = parsed.paths().into_iter().nth(chain as usize).ok_or("no such path")?;
            let derived = path.derive(index, prefixes(case)?).ok_or("not derivable")?;
            let private =
                path.private_blinding_key(&derived.script, index).filter(|_| !address["blinding_private_key"].is_null());
            let got = json!({
                "script_pubkey": derived.script.as_bytes().to_lower_hex_string(),
                "blinding_pubkey": derived.blinding_key.to_string(),
                "blinding_private_key": private.map(|key| key.secret_bytes().to_lower_hex_string()),
                "unconfidential": derived.explicit_address().to_string(),
                "confidential": derived.confidential_address().to_string(),
            });
            checks.equal(format!("{id} {chain}/{index}"), got, address, &["index", "chain"]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn run_elip151(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let made = CtDescriptor::with_deterministic_view_key(text(case, "ordinary_descriptor")?);
        if case["valid"] == false {
            checks.refused(format!("{id} by script"), made.map(|d| d.to_string()), &Value::Null);
            let read = CtDescriptor::parse(text(case, "ct_descriptor")?);
            checks.refused(format!("{id} by text"), read.map(|d| d.to_string()), &Value::Null);
            return Ok(());
        }
        let made = made.map_err(|e| e.to_string())?;
        for form in ["ct_descriptor", "ct_descriptor_short"] {
            let read = CtDescriptor::parse(text(case, form)?).map(|d| json!(d.to_string()));
            checks.accepted(format!("{id} {form}"), read, &json!(made.to_string()), &[]);
        }
        checks.equal(format!("{id} key"), json!(made.to_string().get(3..67)), &case["view_key"], &[]);
        let first = made.derive(0, &AddressParams::LIQUID).ok_or("not derivable")?;
        checks.equal(format!("{id} address"), json!(first.confidential_address().to_string()), &case["first_address"], &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_dwid(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let read = CtDescriptor::parse(text(case, "descriptor")?).map_err(|e| e.to_string())?;
        checks.equal(id, json!(read.dwid(prefixes(case)?)), &case["dwid"], &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_device_blinders(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let array = |field: &str| <[u8; 32]>::try_from(bytes(case, field)?).map_err(|_| format!("{field} is not 32 bytes"));
        if case.get("transaction").is_some() {
            let tx: elements::Transaction = super::hex::decoded(case, "transaction")?;
            let mut engine = Vec::new();
            for input in &tx.input {
                engine.extend(input.previous_output.txid.to_byte_array());
                engine.extend(input.previous_output.vout.to_le_bytes());
            }
            let hash = bitcoin::hashes::sha256d::Hash::hash(&engine);
            checks.equal(format!("{id} inputs"), json!(hash.to_byte_array().to_lower_hex_string()), &case["hash_prevouts"], &[]);
        }
        for output in super::hex::list(case, "outputs")? {
            let index = u32::try_from(number(output, "index")?).map_err(|e| e.to_string())?;
            let (abf, vbf) =
                device_blinders(&array("master_blinding_key")?, &array("hash_prevouts")?, index).ok_or("no factor")?;
            let hex = |factor: elements::secp256k1_zkp::Tweak| factor.as_ref().to_lower_hex_string();
            let got = json!({ "index": index, "abf": hex(abf.into_inner()), "vbf": hex(vbf.into_inner()) });
            checks.equal(format!("{id} output {index}"), got, output, &[]);
        }
        Ok(())
    });
    Ok(checks.done())
}
