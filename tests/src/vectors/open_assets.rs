//! Open Assets: markers, identifiers and colours of real and made transactions.

use super::hex::{bitcoin_decoded, bytes, cases, list, number, text};
use super::{Case, Checks, Kind, Siblings, is_list_of};
use bitcoin::address::NetworkUnchecked;
use bitcoin::hex::DisplayHex as _;
use bitcoin::{Address, NetworkKind, ScriptBuf, Transaction, Txid};
use causeway_colored::Ancestry;
use causeway_colored::open_assets::{AssetId, Colour, Marker, address, color, leb128, marker};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "open_assets_leb128", stems: &["leb128"], fits: |d| is_list_of(d, &["value", "leb128"]), run: run_leb128 },
    Kind {
        name: "open_assets_markers",
        stems: &["markers"],
        fits: |d| is_list_of(d, &["script", "valid"]) && are_markers(d),
        run: run_markers,
    },
    Kind {
        name: "open_assets_ids",
        stems: &["asset_ids"],
        fits: |d| is_list_of(d, &["script_pubkey", "hash160", "asset_id_mainnet", "asset_id_testnet"]),
        run: run_ids,
    },
    Kind {
        name: "open_assets_addresses",
        stems: &["addresses"],
        fits: |d| is_list_of(d, &["oa_address", "valid"]),
        run: run_addresses,
    },
    Kind {
        name: "open_assets_coloring_units",
        stems: &["coloring_units"],
        fits: |d| is_list_of(d, &["inputs", "marker_position", "output_count", "quantities", "expected"]),
        run: run_units,
    },
    Kind {
        name: "open_assets_transactions",
        stems: &["real_transactions", "synthetic_transactions"],
        fits: |d| is_list_of(d, &["tested", "transactions", "outputs"]),
        run: run_transactions,
    },
];

fn are_markers(document: &Value) -> bool {
    cases(document).iter().any(|case| case.get("quantities").is_some() && case.get("metadata").is_some())
}

fn run_leb128(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let value = number(case, "value")?;
        let mut written = Vec::new();
        leb128::write(value, &mut written);
        checks.equal(format!("{id} written"), json!(written.to_lower_hex_string()), &case["leb128"], &[]);
        let read = leb128::read_exact(&bytes(case, "leb128")?).map(|value| json!(value));
        if value > leb128::MOST {
            checks.refused(format!("{id} read"), read, &json!("above 2^63 - 1"));
        } else {
            checks.accepted(format!("{id} read"), read, &case["value"], &[]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn run_markers(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let script = ScriptBuf::from_bytes(bytes(case, "script")?);
        let read = Marker::from_script(&script);
        if case["valid"] == false {
            if case.get("payload").is_some() {
                checks.refused(format!("{id} payload"), Marker::read(&bytes(case, "payload")?), &case["why"]);
            }
            checks.refused(id, read, &case["why"]);
            return Ok(());
        }
        if case["valid"] != true {
            return Err("neither valid nor invalid".to_owned());
        }
        let payload = bytes(case, "payload")?;
        checks.equal(format!("{id} payload"), json!(Marker::read(&payload) == read), &json!(true), &[]);
        let shown = |marker: &Marker| {
            json!({
                "quantities": marker.quantities.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "metadata": marker.metadata.to_lower_hex_string(),
            })
        };
        let want = json!({ "quantities": list(case, "quantities")?, "metadata": text(case, "metadata")? });
        checks.accepted(id, read.as_ref().map(shown), &want, &[]);
        if case.get("canonical").is_some() {
            let again = read.and_then(|marker| marker.write()).is_ok_and(|written| written == payload);
            checks.equal(format!("{id} canonical"), json!(again), &case["canonical"], &[]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn run_ids(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let asset = AssetId::issued_by(&ScriptBuf::from_bytes(bytes(case, "script_pubkey")?));
        let got = json!({
            "script_pubkey": case["script_pubkey"],
            "hash160": asset.to_string(),
            "asset_id_mainnet": asset.text(NetworkKind::Main),
            "asset_id_testnet": asset.text(NetworkKind::Test),
        });
        checks.equal(id, got, case, &["note"]);
        for (network, field) in [(NetworkKind::Main, "asset_id_mainnet"), (NetworkKind::Test, "asset_id_testnet")] {
            let read = AssetId::parse(text(case, field)?, network).map(|asset| json!(asset.to_string()));
            checks.accepted(format!("{id} {field}"), read, &case["hash160"], &[]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn run_addresses(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let read = address::read(text(case, "oa_address")?);
        if case["valid"] == false {
            checks.refused(id, read, &case["why"]);
            return Ok(());
        }
        let bare = |address: Address<NetworkUnchecked>| json!(address.assume_checked().to_string());
        checks.accepted(format!("{id} read"), read.map(bare), &case["address"], &[]);
        let plain = text(case, "address")?.parse::<Address<NetworkUnchecked>>().map_err(|e| e.to_string())?;
        let network = if plain.is_valid_for_network(bitcoin::Network::Bitcoin) { NetworkKind::Main } else { NetworkKind::Test };
        let written = address::write(&plain.assume_checked(), network).map(|text| json!(text));
        checks.accepted(format!("{id} written"), written, &case["oa_address"], &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_units(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let unit = |input: &Value| -> Result<Option<(String, u64)>, String> {
            input["asset"].as_str().map(|asset| Ok((asset.to_owned(), number(input, "quantity")?))).transpose()
        };
        let inputs = list(case, "inputs")?.iter().map(unit).collect::<Result<Vec<_>, _>>()?;
        let inputs: Vec<_> =
            inputs.iter().map(|unit| unit.as_ref().map(|(asset, quantity)| (asset.as_str(), *quantity))).collect();
        let whole = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok()).ok_or("no quantity");
        let quantities = list(case, "quantities")?.iter().map(whole).collect::<Result<Vec<_>, _>>()?;
        let place = |field| usize::try_from(number(case, field)?).map_err(|e| e.to_string());
        let marker = Marker { quantities, metadata: Vec::new() };
        let colours = color(&inputs, &marker, place("marker_position")?, place("output_count")?, "ISSUE");
        if case["expected"].is_null() {
            checks.refused(id, colours, &json!("invalid"));
        } else {
            let shown = |colour: &Option<(&str, u64)>| match colour {
                Some((asset, quantity)) => json!({ "asset": asset, "quantity": quantity }),
                None => json!({ "asset": null, "quantity": 0 }),
            };
            checks.accepted(id, colours.map(|colours| colours.iter().map(shown).collect()), &case["expected"], &[]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn run_transactions(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let given = case["transactions"].as_object().ok_or("no transactions")?;
        let mut transactions: HashMap<Txid, Arc<Transaction>> = HashMap::new();
        for txid in given.keys() {
            let tx: Transaction = bitcoin_decoded(&case["transactions"], txid)?;
            checks.equal(format!("{id} txid"), json!(tx.compute_txid().to_string()), &json!(txid), &[]);
            transactions.insert(tx.compute_txid(), Arc::new(tx));
        }
        let tested: Txid = super::hex::parsed(case, "tested")?;
        let tx = transactions.get(&tested).cloned().ok_or("the tested transaction is not among them")?;
        let mut ancestry = Ancestry::new(|txid: &Txid| transactions.get(txid).cloned());
        let (colours, doubt) = ancestry.open_assets_of(&tx);
        if case.get("transactions_needed").is_some() && doubt.is_some_and(|doubt| doubt.is_temporary()) {
            return Err(format!("needs more: {doubt:?}"));
        }
        let shown = |(vout, colour): (usize, &Colour)| {
            let network = |kind| colour.map(|(asset, _)| asset.text(kind));
            json!({
                "vout": vout,
                "asset_id_hash160": colour.map(|(asset, _)| asset.to_string()),
                "asset_id_mainnet": network(NetworkKind::Main),
                "asset_id_testnet": network(NetworkKind::Test),
                "quantity": colour.map_or(0, |(_, quantity)| quantity),
            })
        };
        checks.equal(id, colours.iter().enumerate().map(shown).collect(), &case["outputs"], &[]);
        if case.get("markers").is_some() {
            let markers = markers(&tx);
            checks.equal(format!("{id} markers"), markers, &case["markers"], &["metadata_text"]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn markers(tx: &Transaction) -> Value {
    let shown = |(vout, marker): (usize, marker::Marker)| json!({ "vout": vout, "quantities": marker.quantities, "metadata": marker.metadata.to_lower_hex_string() });
    causeway_colored::open_assets::coloring::markers(tx).map(shown).collect()
}
