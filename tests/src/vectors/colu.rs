//! Colu's Coloured Coins: amounts, payments, whole messages, asset ids and colouring.

use super::hex::{bytes, cases, list, number, parsed, text};
use super::{Case, Checks, Kind, Siblings, has_keys, is_list_of};
use bitcoin::hex::DisplayHex as _;
use bitcoin::{OutPoint, ScriptBuf};
use causeway_colored::colu::message::{Carried, Leftover};
use causeway_colored::colu::{
    AssetId, Issuance, Kind as Operation, MOST, Message, MessageFault, Payment, Piece, Policy, Target, color, payment, sffc,
};
use causeway_colored::payload;
use serde_json::{Map, Value, json};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "colu_sffc", stems: &["sffc"], fits: are_amounts, run: run_sffc },
    Kind { name: "colu_payments", stems: &["payments"], fits: are_payments, run: run_payments },
    Kind {
        name: "colu_messages",
        stems: &["issuance", "transfer", "burn"],
        fits: |d| is_list_of(d, &["type", "payments", "rules_allowed"]),
        run: run_messages,
    },
    Kind {
        name: "colu_strictness",
        stems: &["strictness"],
        fits: |d| is_list_of(d, &["payload", "strict", "strict_result"]),
        run: run_strictness,
    },
    Kind {
        name: "colu_asset_ids",
        stems: &["asset_ids"],
        fits: |d| is_list_of(d, &["lock_status", "aggregation_policy", "divisibility", "first_input", "asset_id"]),
        run: run_ids,
    },
    Kind {
        name: "colu_coloring",
        stems: &["coloring"],
        fits: |d| is_list_of(d, &["inputs", "payments", "output_count", "overflow", "outputs"]),
        run: run_coloring,
    },
    Kind {
        name: "colu_input_gaps",
        stems: &["input_gaps"],
        fits: |d| has_keys(d, &["library_output", "one_correct_way"]),
        run: run_gaps,
    },
];

fn are_amounts(document: &Value) -> bool {
    let known = ["encode", "decode", "encode_error", "truncated"];
    let is = |case: &Value| {
        case["kind"].as_str().is_some_and(|kind| known.contains(&kind))
            && case.get("payment").is_none()
            && case.get("skip").is_none()
    };
    !cases(document).is_empty() && cases(document).iter().all(is)
}

fn are_payments(document: &Value) -> bool {
    let is = |case: &Value| match case["kind"].as_str() {
        Some("payment" | "burn_payment") => case.get("hex").is_some(),
        Some("error") => case.get("payment").is_some(),
        _ => false,
    };
    !cases(document).is_empty() && cases(document).iter().all(is)
}

fn run_sffc(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let written = |amount: u64| {
            let mut out = Vec::new();
            sffc::write(amount, &mut out).map(|()| json!(out.to_lower_hex_string()))
        };
        match text(case, "kind")? {
            "encode" => {
                checks.accepted(format!("{id} written"), written(number(case, "amount")?), &case["hex"], &[]);
                checks.accepted(format!("{id} read"), sffc::read_exact(&bytes(case, "hex")?).map(shown), &case["amount"], &[]);
            }
            "encode_error" => match number(case, "amount") {
                Ok(amount) => checks.refused(id, written(amount), &case["error"]),
                // Below zero: no amount at all.
                Err(why) => checks.refused(id, Err::<(), _>(why), &case["error"]),
            },
            "decode" => {
                let amount = sffc::read_exact(&bytes(case, "hex")?).map_err(|e| e.to_string())?;
                let want = case.get("exact_value").unwrap_or(&case["decoded"]);
                checks.equal(id, shown(amount), want, &[]);
                let small = u64::try_from(amount).ok().filter(|amount| *amount <= MOST);
                checks.equal(format!("{id} above the limit"), json!(small.is_none()), &case["above_limit"], &[]);
                let again = small.and_then(|amount| written(amount).ok());
                let canonical = again.is_some_and(|again| again == case["hex"]);
                checks.equal(format!("{id} canonical"), json!(canonical), &case["canonical"], &[]);
            }
            "truncated" => checks.refused(id, sffc::read_exact(&bytes(case, "hex")?), &case["strict"]),
            other => return Err(format!("no such kind: {other}")),
        }
        Ok(())
    });
    Ok(checks.done())
}

fn shown(amount: u128) -> Value {
    json!(amount.to_string())
}

fn run_payments(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        if case["kind"] == "error" {
            let burns = text(case, "error")?.contains("burn");
            let written = payment_of(&case["payment"]).and_then(|payment| {
                let mut out = Vec::new();
                payment.write(false, burns, &mut out).map_err(|e| e.to_string())
            });
            checks.refused(id, written, &case["error"]);
            return Ok(());
        }
        let burns = case["kind"] == "burn_payment";
        let skip = case["skip"].as_bool().ok_or("no skip")?;
        let payment = payment_of(case)?;
        let mut out = Vec::new();
        let written = payment.write(skip, burns, &mut out).map(|()| json!(out.to_lower_hex_string()));
        checks.accepted(format!("{id} written"), written, &case["hex"], &[]);
        let read = Payment::read_exact(&bytes(case, "hex")?, burns);
        checks.accepted(format!("{id} read"), read.map(|read| json!(read == (payment, skip))), &json!(true), &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn payment_of(value: &Value) -> Result<Payment, String> {
    let flag = |field: &str| value.get(field).and_then(Value::as_bool).unwrap_or(false);
    let index = || number(value, "output");
    let target = match (flag("burn"), flag("range")) {
        (true, _) => Target::Burn,
        (_, true) => Target::Range(u16::try_from(index()?).map_err(|e| e.to_string())?),
        _ => Target::Output(u8::try_from(index()?).map_err(|e| e.to_string())?),
    };
    let input = usize::try_from(number(value, "input").unwrap_or(0)).map_err(|e| e.to_string())?;
    Ok(Payment { input, target, percent: flag("percent"), amount: number(value, "amount")? })
}

fn payments_of(value: &Value) -> Result<Vec<Payment>, String> {
    list(value, "payments")?.iter().map(payment_of).collect()
}

fn payment_json(payment: &Payment) -> Value {
    let mut shown = json!({ "input": payment.input, "percent": payment.percent, "amount": payment.amount.to_string() });
    match payment.target {
        Target::Output(output) => shown["output"] = json!(output),
        Target::Range(last) => shown["output"] = json!(last),
        Target::Burn => shown["burn"] = json!(true),
    }
    if payment.target != Target::Burn {
        shown["range"] = json!(matches!(payment.target, Target::Range(_)));
    }
    shown
}

fn policy_of(value: &Value) -> Result<Policy, String> {
    serde_json::from_value(value["aggregation_policy"].clone()).map_err(|e| e.to_string())
}

fn issuance_of(value: &Value) -> Result<Issuance, String> {
    Ok(Issuance {
        amount: number(value, "amount")?,
        divisibility: u8::try_from(number(value, "divisibility")?).map_err(|e| e.to_string())?,
        locked: value["lock_status"].as_bool().ok_or("no lock_status")?,
        policy: Some(policy_of(value)?),
    })
}

fn array<const N: usize>(value: &Value, field: &str) -> Result<Option<[u8; N]>, String> {
    let read = |bytes: Vec<u8>| <[u8; N]>::try_from(bytes).map_err(|_| format!("{field} is not {N} bytes"));
    value.get(field).map(|_| bytes(value, field).and_then(read)).transpose()
}

fn message_json(message: &Message, version: u8) -> Value {
    let mut shown = Map::new();
    let mut set = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    set("opcode", json!(message.operation()));
    set("version", json!(version));
    set("payments", message.payments.iter().map(payment_json).collect());
    match message.kind {
        Operation::Issuance(issuance) => {
            set("type", json!("issuance"));
            set("amount", json!(issuance.amount.to_string()));
            set("divisibility", json!(issuance.divisibility));
            set("lock_status", json!(issuance.locked));
            set("aggregation_policy", json!(issuance.policy));
        }
        Operation::Transfer => drop(set("type", json!("transfer"))),
        Operation::Burn => drop(set("type", json!("burn"))),
    }
    let elsewhere =
        |names: &[&str]| names.iter().zip(1..).map(|(name, index)| json!({ "index": index, "hashType": name })).collect();
    set(
        "multisig",
        match message.carried {
            Carried::TorrentHere(_) => elsewhere(&["sha2"]),
            Carried::BothElsewhere => elsewhere(&["sha2", "torrentHash"]),
            _ => json!([]),
        },
    );
    match message.carried {
        Carried::Torrent(torrent) | Carried::TorrentWithoutRules(torrent) | Carried::TorrentHere(torrent) => {
            set("torrent_hash", json!(torrent.to_lower_hex_string()));
        }
        Carried::Both(torrent, sha2) => {
            set("torrent_hash", json!(torrent.to_lower_hex_string()));
            set("sha2", json!(sha2.to_lower_hex_string()));
        }
        _ => {}
    }
    let issues = matches!(message.kind, Operation::Issuance(_));
    match message.carried {
        Carried::Nothing if issues => drop(set("no_rules", json!(true))),
        Carried::NothingButRules => drop(set("no_rules", json!(false))),
        Carried::Torrent(_) if !issues => drop(set("no_rules", json!(false))),
        Carried::TorrentWithoutRules(_) => drop(set("no_rules", json!(true))),
        _ => {}
    }
    Value::Object(shown)
}

fn run_messages(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let issuance = if case["type"] == "issuance" { Some(issuance_of(case)) } else { None };
        let composed = issuance.transpose().and_then(|issuance| {
            let rules = case["rules_allowed"].as_bool().ok_or("no rules_allowed")?;
            Message::compose(issuance, payments_of(case)?, array(case, "torrent_hash")?, array(case, "sha2")?, rules)
                .map_err(|e| e.to_string())
        });
        if case.get("error").is_some() {
            checks.refused(id, composed, &case["error"]);
            return Ok(());
        }
        let (message, leftover) = composed?;
        checks.accepted(
            format!("{id} written"),
            message.write().map(|payload| json!(payload.to_lower_hex_string())),
            &case["payload"],
            &[],
        );
        checks.accepted(
            format!("{id} script"),
            message.script().map(|script| json!(script.to_hex_string())),
            &case["script"],
            &[],
        );
        let hash = |leftover: &Leftover| match leftover {
            Leftover::Torrent(hash) => json!(hash.to_lower_hex_string()),
            Leftover::Sha2(hash) => json!(hash.to_lower_hex_string()),
        };
        checks.equal(format!("{id} leftover"), leftover.iter().map(hash).collect(), &case["leftover"], &[]);
        let payload = bytes(case, "payload")?;
        let version = payload.get(2).copied().unwrap_or_default();
        let read = Message::read(&payload);
        checks.accepted(format!("{id} read"), read.map(|message| message_json(&message, version)), &case["decoded"], &[]);
        let script = ScriptBuf::from_bytes(bytes(case, "script")?);
        let carried = payload::of(&script) == Some(payload::Payload::Single(&payload));
        checks.equal(format!("{id} carried"), json!(carried), &json!(true), &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_strictness(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let payload = bytes(case, "payload")?;
        let read = Message::read(&payload);
        match text(case, "strict_result")? {
            "refuse" => checks.refused(id, read, &case["strict_result"]),
            "decodes" => {
                let version = payload.get(2).copied().unwrap_or_default();
                checks.accepted(id, read.map(|message| message_json(&message, version)), &case["strict"], &[]);
            }
            other => return Err(format!("no such result: {other}")),
        }
        Ok(())
    });
    Ok(checks.done())
}

fn outpoint(value: &Value) -> Result<OutPoint, String> {
    let vout = u32::try_from(number(value, "vout")?).map_err(|e| e.to_string())?;
    Ok(OutPoint { txid: parsed(value, "txid")?, vout })
}

fn asset_id(case: &Value, first_input: &Value) -> Result<AssetId, String> {
    let divisibility = u8::try_from(number(case, "divisibility")?).map_err(|e| e.to_string())?;
    let policy = policy_of(case)?;
    match case["lock_status"].as_bool() {
        Some(true) => Ok(AssetId::locked(outpoint(first_input)?, policy, divisibility)),
        Some(false) => {
            let script = ScriptBuf::from_bytes(bytes(first_input, "previous_output_script")?);
            Ok(AssetId::unlocked(&script, policy, divisibility))
        }
        None => Err("no lock_status".to_owned()),
    }
}

fn run_ids(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let asset = asset_id(case, &case["first_input"])?;
        checks.equal(id, json!(asset.to_string()), &case["asset_id"], &[]);
        let read = AssetId::parse(text(case, "asset_id")?).map(|read| json!(read == asset));
        checks.accepted(format!("{id} read"), read, &json!(true), &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_coloring(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let mut names: Vec<String> = Vec::new();
        let mut intern = |name: &str| {
            names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            })
        };
        let mut piece = |value: &Value| {
            let policy = serde_json::from_value(value["policy"].clone()).map_err(|e| e.to_string())?;
            Ok::<_, String>(Piece { asset: intern(text(value, "asset")?), policy, amount: number(value, "amount")? })
        };
        let mut inputs = Vec::new();
        for input in list(case, "inputs")? {
            let pieces = input.as_array().ok_or("no pieces")?;
            inputs.push(pieces.iter().map(&mut piece).collect::<Result<Vec<_>, _>>()?);
        }
        let issued = match case.get("issuance") {
            None => None,
            Some(issuance) => {
                let asset = intern(&asset_id(issuance, &case["first_input"])?.to_string());
                Some(Piece { asset, policy: policy_of(issuance)?, amount: number(issuance, "amount")? })
            }
        };
        let output_count = usize::try_from(number(case, "output_count")?).map_err(|e| e.to_string())?;
        // The fixture gives a burn the output index that its lead byte would hold.
        let payments = payments_of(case)?;
        let inputs: Vec<&[Piece<usize>]> = inputs.iter().map(Vec::as_slice).collect();
        let coloring = color(issued, &inputs, &payments, output_count);
        checks.equal(format!("{id} overflow"), json!(coloring.overflow), &case["overflow"], &[]);
        let shown = |piece: &Piece<usize>| json!({ "asset": names[piece.asset], "amount": piece.amount, "policy": piece.policy });
        let outputs = coloring.outputs.iter().map(|pieces| pieces.iter().map(shown).collect::<Value>()).collect();
        checks.equal(id, outputs, &case["outputs"], &[]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_gaps(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    let inputs = |payments: &[Payment]| payments.iter().map(|payment| json!(payment.input)).collect::<Value>();
    checks.each(list(document, "library_output")?, |id, case, checks| {
        let wanted = payments_of(case)?;
        checks.equal(format!("{id} wanted"), inputs(&wanted), &case["inputs_wanted"], &[]);
        let plain = Message { kind: Operation::Transfer, carried: Carried::Nothing, payments: wanted.clone(), old: false };
        let written = plain.write();
        let gap = written == Err(MessageFault::InputGap);
        checks.equal(format!("{id} is not written with a gap"), json!(gap), &json!(true), &[]);
        let library = Message::read(&bytes(case, "library_payload")?).map_err(|e| e.to_string())?;
        checks.equal(format!("{id} what the library said"), message_json(&library, 2), &case["decoded"], &[]);
        checks.equal(format!("{id} what it meant"), inputs(&library.payments), &case["inputs_encoded"], &[]);
        let filled = Message { payments: payment::without_gaps(&wanted), ..plain };
        let read = filled.write().and_then(|payload| Message::read(&payload)).map_err(|e| e.to_string())?;
        let moving: Vec<Payment> = read.payments.into_iter().filter(|payment| payment.amount > 0).collect();
        checks.equal(format!("{id} written without gaps"), json!(moving == wanted), &json!(true), &[]);
        Ok(())
    });
    checks.each(list(document, "one_correct_way")?, |id, case, checks| {
        let message = Message::read(&bytes(case, "a_correct_payload")?).map_err(|e| e.to_string())?;
        checks.equal(format!("{id} correct payload"), message_json(&message, 2), &case["decoded"], &[]);
        let moving: Vec<Payment> = message.payments.into_iter().filter(|payment| payment.amount > 0).collect();
        checks.equal(format!("{id} correct inputs"), inputs(&moving), &case["inputs_wanted"], &[]);
        Ok(())
    });
    Ok(checks.done())
}
