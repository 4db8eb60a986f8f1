//! Counterparty: names, messages, carriers and whole transactions.

use super::hex::{bitcoin_decoded, bytes, cases, list, number, text};
use super::{Case, Checks, Kind, Siblings, has_keys, is_list_of};
use bitcoin::hex::DisplayHex as _;
use bitcoin::{Network, NetworkKind, PublicKey, Script, Transaction, Txid};
use causeway_colored::counterparty::message::{Description, Number};
use causeway_colored::counterparty::mpma::Memo;
use causeway_colored::counterparty::{AssetId, Carrier, Destination, Encoding, Message, asset, carrier, envelope};
use serde_json::{Map, Value, json};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "counterparty_asset_names",
        stems: &["asset_names"],
        fits: |d| has_keys(d, &["names", "subasset_compaction", "subasset_validity"]),
        run: run_names,
    },
    Kind {
        name: "counterparty_messages",
        stems: &["messages"],
        fits: |d| is_list_of(d, &["message", "type_id", "body_format", "fields"]),
        run: run_messages,
    },
    Kind {
        name: "counterparty_carriers",
        stems: &["carriers"],
        fits: |d| is_list_of(d, &["key", "message", "opreturn_script"]),
        run: run_carriers,
    },
    Kind {
        name: "counterparty_transactions",
        stems: &["transactions"],
        fits: |d| is_list_of(d, &["tx", "txid", "first_input_txid", "carriers"]),
        run: run_transactions,
    },
];

fn run_names(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(list(document, "names")?, |id, case, checks| {
        let by_name = case.get("name").map(|_| text(case, "name").map(AssetId::parse)).transpose()?;
        let by_number = case.get("id").map(|_| number(case, "id").map(AssetId::new)).transpose()?;
        let shown = |asset: AssetId| json!({ "name": asset.to_string(), "id": asset.number().to_string(), "valid": true });
        for (way, read) in [("name", by_name), ("number", by_number)] {
            match read {
                None => {}
                Some(read) if case["valid"] == false => checks.refused(format!("{id} by {way}"), read, &case["why"]),
                Some(read) => checks.accepted(format!("{id} by {way}"), read.map(shown), case, &["why"]),
            }
        }
        Ok(())
    });
    checks.each(list(document, "subasset_compaction")?, |id, case, checks| {
        let compacted = asset::compact(text(case, "longname")?).map(|bytes| json!(bytes.to_lower_hex_string()));
        checks.accepted(format!("{id} compacted"), compacted, &case["compacted"], &[]);
        let expanded = asset::expand(&bytes(case, "compacted")?).map(|name| json!(name));
        checks.accepted(format!("{id} expanded"), expanded, &case["longname"], &[]);
        Ok(())
    });
    checks.each(list(document, "subasset_validity")?, |id, case, checks| {
        let checked = asset::check_longname(text(case, "longname")?);
        checks.equal(format!("{id} {}", case["why"]), json!(checked.is_ok()), &case["valid"], &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_messages(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let message = bytes(case, "message")?;
        match Message::read(&message) {
            Ok(read) => {
                checks.equal(
                    format!("{id} read"),
                    shown(&read),
                    &without(case, &["message", "origins", "id", "compose_arguments"]),
                    &[],
                );
                let written = read.write().map(|bytes| json!(bytes.to_lower_hex_string()));
                checks.accepted(format!("{id} written"), written, &case["message"], &[]);
            }
            Err(fault) => checks.fail(id, format!("refused: {fault}"), case["fields"].clone()),
        }
        Ok(())
    });
    Ok(checks.done())
}

/// The case without remarks that its reader cannot know.
fn without(case: &Value, names: &[&str]) -> Value {
    let fields = case.as_object().cloned().unwrap_or_default();
    Value::Object(fields.into_iter().filter(|(name, _)| !names.contains(&name.as_str())).collect())
}

fn shown(message: &Message) -> Value {
    let (name, format) = match message {
        Message::Send { .. } => ("send", "struct"),
        Message::EnhancedSend { encoding, .. } => ("enhanced_send", format_of(*encoding)),
        Message::Mpma(_) => ("mpma", "bits"),
        Message::Sweep { encoding, .. } => ("sweep", format_of(*encoding)),
        Message::Order { .. } => ("order", "struct"),
        Message::Dispenser { .. } => ("dispenser", "struct"),
        Message::Dispense => ("dispense", "struct"),
        Message::Issuance { encoding, .. } => ("issuance_lr", format_of(*encoding)),
        Message::SubassetIssuance { encoding, .. } => ("subasset_lr", format_of(*encoding)),
        Message::Broadcast { .. } => ("broadcast", "cbor"),
        Message::Dividend { .. } => ("dividend", "struct"),
        Message::Cancel { .. } => ("cancel", "struct"),
        Message::Fairminter(_) => ("fairminter", "cbor"),
        Message::Fairmint { .. } => ("fairmint", "cbor"),
        Message::Attach { .. } => ("attach", "text"),
        Message::Detach { .. } => ("detach", "text"),
        Message::Destroy { .. } => ("destroy", "struct"),
        Message::PoolDeposit { .. } => ("pool_deposit", "struct"),
        Message::PoolWithdraw { .. } => ("pool_withdraw", "struct"),
    };
    json!({ "type_id": message.type_id(), "type": name, "body_format": format, "fields": fields(message) })
}

fn format_of(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Cbor => "cbor",
        Encoding::Packed(_) => "struct",
    }
}

fn asset_json(asset: &AssetId) -> Value {
    json!({ "id": asset.number().to_string(), "name": asset.to_string() })
}

fn data(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "hex": bytes.to_lower_hex_string(), "text": text }),
        Err(_) => json!({ "hex": bytes.to_lower_hex_string() }),
    }
}

fn address(destination: &Destination, form: Encoding) -> Value {
    let mut shown = Map::new();
    let mut set = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    let mut networks = vec![("mainnet", Network::Bitcoin), ("testnet", Network::Testnet)];
    let (kind, short, lead, payload) = match destination {
        Destination::PubkeyHash(hash) => ("p2pkh".to_owned(), vec![1], [0, 111], hash.as_slice()),
        Destination::ScriptHash(hash) => ("p2sh".to_owned(), vec![2], [5, 196], hash.as_slice()),
        Destination::Witness(program) => {
            networks.push(("regtest", Network::Regtest));
            let version = program.version().to_num();
            (format!("segwit v{version}"), vec![3, version], [0x80 | version; 2], program.program().as_bytes())
        }
    };
    let lead = match form {
        Encoding::Cbor => short,
        Encoding::Packed(network) => vec![lead[usize::from(network == NetworkKind::Test)]],
    };
    set("packed", json!([&lead, payload].concat().to_lower_hex_string()));
    set("form", json!(if form == Encoding::Cbor { "short" } else { "legacy" }));
    set("kind", json!(kind));
    let content = if matches!(destination, Destination::Witness(_)) { "program" } else { "hash" };
    set(content, json!(payload.to_lower_hex_string()));
    let text = |network| json!(destination.address(network).map(|address| address.to_string()));
    set("address", networks.into_iter().map(|(name, network)| (name.to_owned(), text(network))).collect::<Map<_, _>>().into());
    Value::Object(shown)
}

fn description(fields: &mut Map<String, Value>, description: &Description, encoding: Encoding) {
    fields.insert("description".to_owned(), description.text.as_deref().map_or(Value::Null, data));
    if encoding == Encoding::Cbor {
        fields.insert("mime_type".to_owned(), json!(description.mime));
    }
}

fn memo(memo: &Option<Memo>) -> Value {
    let Some(memo) = memo else { return Value::Null };
    let mut shown = json!({ "is_hex": memo.is_hex, "bytes": memo.bytes.to_lower_hex_string() });
    if let Ok(text) = std::str::from_utf8(&memo.bytes) {
        shown["text"] = json!(text);
    }
    shown
}

#[allow(clippy::float_arithmetic, reason = "a number that a feed publishes, shown as the file shows it")]
fn fields(message: &Message) -> Value {
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    let figure = |quantity: u64| json!(quantity.to_string());
    match message {
        Message::Send { asset, quantity } | Message::Fairmint { asset, quantity } => {
            set("asset", asset_json(asset));
            set("quantity", figure(*quantity));
        }
        Message::EnhancedSend { asset, quantity, destination, memo, encoding } => {
            set("asset", asset_json(asset));
            set("quantity", figure(*quantity));
            set("destination", address(destination, *encoding));
            set("memo", data(memo));
        }
        Message::Mpma(sends) => {
            let destination =
                |(destination, network): &(Destination, NetworkKind)| address(destination, Encoding::Packed(*network));
            set("destinations", sends.destinations.iter().map(destination).collect());
            set("memo_for_all", memo(&sends.memo));
            let list = |(asset, shares): &(AssetId, Vec<_>)| {
                let share = |share: &causeway_colored::counterparty::mpma::Share| json!({ "destination_index": share.to, "quantity": figure(share.quantity), "memo": memo(&share.memo) });
                json!({ "asset": asset_json(asset), "sends": shares.iter().map(share).collect::<Vec<_>>() })
            };
            set("lists", sends.lists.iter().map(list).collect());
            // Other padding is not read.
            set("canonical_padding", json!(true));
        }
        Message::Sweep { destination, flags, memo, encoding } => {
            set("destination", address(destination, *encoding));
            set("flags", json!(flags));
            set("memo", data(memo));
        }
        Message::Order { give, give_quantity, get, get_quantity, expiration, fee_required } => {
            set("give_asset", asset_json(give));
            set("give_quantity", figure(*give_quantity));
            set("get_asset", asset_json(get));
            set("get_quantity", figure(*get_quantity));
            set("expiration", json!(expiration));
            set("fee_required", figure(*fee_required));
        }
        Message::Dispenser { asset, give_quantity, escrow_quantity, satoshi_rate, status, tail } => {
            set("asset", asset_json(asset));
            set("give_quantity", figure(*give_quantity));
            set("escrow_quantity", figure(*escrow_quantity));
            set("satoshi_rate", figure(*satoshi_rate));
            set("status", json!(status));
            set("action_and_oracle", json!(tail.to_lower_hex_string()));
        }
        Message::Dispense => {}
        Message::Issuance { asset, quantity, flags, description: described, encoding } => {
            set("asset", asset_json(asset));
            set("quantity", figure(*quantity));
            set("divisible", json!(flags.divisible));
            set("lock", json!(flags.lock));
            set("reset", json!(flags.reset));
            description(&mut fields, described, *encoding);
        }
        Message::SubassetIssuance { asset, quantity, flags, longname, description: described, encoding } => {
            // The packed form has truth values, the other one numbers.
            let flag = |flag: bool| if *encoding == Encoding::Cbor { json!(u8::from(flag)) } else { json!(flag) };
            set("asset", asset_json(asset));
            set("quantity", figure(*quantity));
            set("divisible", flag(flags.divisible));
            set("lock", flag(flags.lock));
            set("reset", flag(flags.reset));
            set("longname", json!(longname));
            set("compacted_longname", json!(asset::compact(longname).map(|bytes| bytes.to_lower_hex_string()).ok()));
            description(&mut fields, described, *encoding);
        }
        Message::Broadcast { timestamp, value, fee_fraction, mime, text } => {
            set("timestamp", json!(timestamp));
            set("value_is_float_on_the_wire", json!(matches!(value, Number::Double(_))));
            set(
                "value",
                match value {
                    Number::Whole(value) => json!(value),
                    Number::Negative(value) => json!(-1 - i128::from(*value)),
                    Number::Double(bits) => json!(f64::from_bits(*bits)),
                },
            );
            set("fee_fraction_int", json!(fee_fraction));
            set("mime_type", json!(mime));
            set("text", data(text));
        }
        Message::Dividend { quantity_per_unit, asset, dividend_asset } => {
            set("quantity_per_unit", figure(*quantity_per_unit));
            set("asset", asset_json(asset));
            set("dividend_asset", asset_json(dividend_asset));
        }
        Message::Cancel { offer } => set("offer_hash", json!(offer.to_string())),
        Message::Fairminter(minter) => {
            set("asset", asset_json(&minter.asset));
            let parent = AssetId::new(minter.parent).ok().filter(|parent| parent.number() > 0);
            set("asset_parent", parent.as_ref().map_or(Value::Null, asset_json));
            let names = [
                "price",
                "quantity_by_price",
                "max_mint_per_tx",
                "max_mint_per_address",
                "hard_cap",
                "premint_quantity",
                "start_block",
                "end_block",
                "soft_cap",
                "soft_cap_deadline_block",
                "minted_asset_commission_int",
            ];
            names.iter().zip(minter.terms).for_each(|(name, term)| set(name, figure(term)));
            set("burn_payment", json!(minter.burn_payment));
            set("lock_description", json!(minter.lock_description));
            set("lock_quantity", json!(minter.lock_quantity));
            set("divisible", json!(minter.divisible));
            description(&mut fields, &minter.description, Encoding::Cbor);
        }
        Message::Attach { asset, quantity, vout } => {
            set("asset", json!(asset));
            set("quantity", figure(*quantity));
            set("destination_vout", json!(vout));
        }
        Message::Detach { destination } => set("destination", json!(destination)),
        Message::Destroy { asset, quantity, tag } => {
            set("asset", asset_json(asset));
            set("quantity", figure(*quantity));
            set("tag", data(tag));
        }
        Message::PoolDeposit { assets: [a, b], quantities: [of_a, of_b], least_shares, shares } => {
            set("asset_a", asset_json(a));
            set("asset_b", asset_json(b));
            set("quantity_a", figure(*of_a));
            set("quantity_b", figure(*of_b));
            set("min_lp_quantity", figure(*least_shares));
            let shares = AssetId::new(*shares).ok().filter(|asset| asset.number() > 0);
            set("lp_asset", shares.as_ref().map_or(Value::Null, asset_json));
        }
        Message::PoolWithdraw { assets: [a, b], quantity, least: [of_a, of_b] } => {
            set("asset_a", asset_json(a));
            set("asset_b", asset_json(b));
            set("quantity", figure(*quantity));
            set("min_quantity_a", figure(*of_a));
            set("min_quantity_b", figure(*of_b));
        }
    }
    Value::Object(fields)
}

fn run_carriers(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let key: [u8; 32] = bytes(case, "key")?.try_into().map_err(|_| "a key of 32 bytes")?;
        let message = bytes(case, "message")?;
        // Null: too long for one output of data.
        let script = carrier::op_return(&key, &message).ok().map(|script| script.to_hex_string());
        checks.equal(format!("{id} data"), json!(script), &case["opreturn_script"], &[]);
        if case.get("multisig_data_pubkeys").is_some() {
            let keys = carrier::data_keys(&key, &message).map_err(|e| e.to_string())?;
            let shown = keys.iter().map(|pair| pair.map(|key| key.to_lower_hex_string())).collect::<Vec<_>>();
            checks.equal(format!("{id} keys"), json!(shown), &case["multisig_data_pubkeys"], &[]);
        }
        if case.get("multisig_scripts").is_some() {
            let source: PublicKey = super::hex::parsed(case, "multisig_source_pubkey")?;
            let scripts = carrier::multisig(&key, &message, &source).map_err(|e| e.to_string())?;
            let shown = scripts.iter().map(|script| script.to_hex_string()).collect::<Vec<_>>();
            checks.equal(format!("{id} scripts"), json!(shown), &case["multisig_scripts"], &[]);
        }
        if case.get("example_unsigned_tx").is_some() {
            let tx: Transaction = bitcoin_decoded(case, "example_unsigned_tx")?;
            let found = carrier::find(&tx).map(|found| found.message.to_lower_hex_string());
            checks.equal(format!("{id} found"), json!(found), &case["message"], &[]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn run_transactions(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let tx: Transaction = bitcoin_decoded(case, "tx")?;
        checks.equal(format!("{id} txid"), json!(tx.compute_txid().to_string()), &case["txid"], &[]);
        let first: Txid = tx.input.first().ok_or("no inputs")?.previous_output.txid;
        checks.equal(format!("{id} first input"), json!(first.to_string()), &case["first_input_txid"], &[]);
        let found = carrier::find(&tx).ok_or("no message was found")?;
        let carriers: Vec<Value> = match found.carrier {
            Carrier::OpReturn => found.outputs.iter().map(|vout| json!({ "vout": vout, "encoding": "opreturn" })).collect(),
            Carrier::Multisig => {
                let carried = found.outputs.iter().zip(&found.sources);
                let carried = carried.map(|(vout, source)| {
                    json!({ "vout": vout, "encoding": "multisig", "source_pubkey": source.to_lower_hex_string() })
                });
                carried.collect()
            }
            Carrier::Taproot => {
                let leaf = tx.input.first().and_then(|input| input.witness.nth(1)).ok_or("no leaf")?;
                // Key and signature check behind the envelope.
                let tail = leaf.len().checked_sub(34).map(|at| leaf[at..].to_lower_hex_string());
                vec![json!({ "encoding": "taproot envelope", "input": 0, "tail": tail })]
            }
        };
        checks.equal(format!("{id} carriers"), Value::Array(carriers), &case["carriers"], &[]);
        if case.get("envelope_pushes").is_some() {
            let leaf = tx.input.first().and_then(|input| input.witness.nth(1)).ok_or("no leaf")?;
            let pushes = envelope::pushes(Script::from_bytes(leaf)).ok_or("no envelope")?;
            let pushes: Vec<_> = pushes.iter().map(|push| push.to_lower_hex_string()).collect();
            checks.equal(format!("{id} pushes"), json!(pushes), &case["envelope_pushes"], &[]);
        }
        if case.get("message").is_some() {
            checks.equal(format!("{id} message"), json!(found.message.to_lower_hex_string()), &case["message"], &[]);
        }
        match case.get("decoded") {
            None => {
                // An inscription: its message is put together from the parts, and must be one.
                checks.accepted(format!("{id} decoded"), Message::read(&found.message).map(|_| json!(true)), &json!(true), &[]);
            }
            Some(Value::Null) => {
                checks.refused(format!("{id} decoded"), Message::read(&found.message), &json!("no message of a known type"))
            }
            Some(decoded) => {
                let read = Message::read(&found.message).map(|message| shown(&message));
                checks.accepted(format!("{id} decoded"), read, decoded, &[]);
            }
        }
        Ok(())
    });
    Ok(checks.done())
}
