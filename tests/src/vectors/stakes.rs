//! Stakes: parameters, scripts, delegations.

use super::hex::{bytes, bytes_list, cases, list, number, text};
use super::{Case, Checks, Kind, Siblings, has_keys, is_list_of};
use bitcoin::consensus::{deserialize, serialize};
use bitcoin::hashes::Hash as _;
use bitcoin::hex::DisplayHex as _;
use bitcoin::{Amount, OutPoint, Script, ScriptBuf, Transaction, Txid, XOnlyPublicKey};
use causeway_staking::adaptor::{AdaptorSignature, encryption_key};
use causeway_staking::answer::DelegationAnswer;
use causeway_staking::delegation::{CovenantSignatures, Registration, Verified};
use causeway_staking::fund::{self, Coin, Fee};
use causeway_staking::identifiable::Announcement;
use causeway_staking::script::hash_bytes;
use causeway_staking::{Covenant, Leaf, Params, ParamsHistory, Rate, Rules, Spend, Stake, Terms, Tree, Trees};
use secp256k1_zkp::schnorr::Signature;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "staking_params",
        stems: &["params.mainnet", "params.testnet"],
        fits: |d| is_list_of(d, &["version", "params"]),
        run: run_params,
    },
    Kind {
        name: "staking_params_selection",
        stems: &["params_selection"],
        fits: |d| is_list_of(d, &["network", "btc_height", "version"]),
        run: run_selection,
    },
    Kind {
        name: "staking_scripts",
        stems: &["staking_scripts"],
        fits: |d| is_list_of(d, &["parameters", "expected"]),
        run: run_scripts,
    },
    Kind {
        name: "delegations",
        stems: &["delegations"],
        fits: |d| is_list_of(d, &["staker_pk", "covenant_pks", "expected", "signatures"]),
        run: run_delegations,
    },
    Kind {
        name: "delegation_answer",
        stems: &["btc_delegation.testnet.5d277e1b.rpc"],
        fits: |d| has_keys(&d["btc_delegation"], &["staking_tx_hex", "covenant_sigs", "undelegation_response"]),
        run: run_answer,
    },
];

fn run_params(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.accepted("history", history(document).map(|_| json!("ascending")), &json!("ascending"), &[]);
    for entry in cases(document) {
        let read = serde_json::from_value::<Params>(entry["params"].clone());
        let written = read.and_then(|params| serde_json::to_value(&params));
        checks.accepted(format!("version {}", entry["version"]), written, &entry["params"], &[]);
    }
    Ok(checks.done())
}

fn history(document: &Value) -> Result<ParamsHistory, String> {
    let version = |entry: &Value| {
        let version = u32::try_from(number(entry, "version")?).map_err(|e| e.to_string())?;
        Ok((version, serde_json::from_value(entry["params"].clone()).map_err(|e| e.to_string())?))
    };
    ParamsHistory::new(cases(document).iter().map(version).collect::<Result<_, String>>()?).map_err(|e| e.to_string())
}

fn run_selection(document: &Value, siblings: &Siblings) -> Result<Vec<Case>, String> {
    let mut known: BTreeMap<String, ParamsHistory> = BTreeMap::new();
    let mut checks = Checks::new();
    for case in cases(document) {
        let network = text(case, "network")?;
        if !known.contains_key(network) {
            known.insert(network.to_owned(), history(&siblings.load(&format!("params.{network}.json"))?)?);
        }
        let height = u32::try_from(number(case, "btc_height")?).map_err(|e| e.to_string())?;
        let version = known[network].at_height(height).map(|(version, _)| version);
        checks.equal(format!("{network} {height}"), json!(version), &case["version"], &[]);
    }
    Ok(checks.done())
}

fn run_scripts(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let given = &case["parameters"];
        let terms = Terms {
            staker: key(&bytes(given, "staker_public_key")?)?,
            providers: keys(given, "finality_provider_public_keys")?,
            covenant: Covenant { keys: keys(given, "covenant_public_keys")?, quorum: small(given, "covenant_quorum")? },
            staking_time: small(given, "staking_time")?,
            unbonding_time: small(given, "unbonding_time")?,
        };
        let rules = Rules {
            unbonding_fee: sat(given, "unbonding_fee")?,
            slashing_script: ScriptBuf::new_op_return([0]),
            slashing_rate: "0".parse().map_err(said)?,
            slashing_fee: Amount::ONE_SAT,
        };
        let stake = Stake::new(terms, sat(given, "staking_value")?, rules).map_err(said)?;
        let trees = stake.trees();
        let txid: Txid = super::hex::parsed(given, "staking_tx_hash")?;
        let unbonding = stake.unbonding(OutPoint { txid, vout: small(given, "staking_output_index")? });
        let got = json!({
            "staking_output_pkscript_hex": hex(&trees.staking.script_pubkey()),
            "staking_output_value": stake.staking_output().value.to_sat(),
            "staking_transaction_timelock_script_hex": leaf(&trees.staking, Leaf::Timelock),
            "staking_transaction_unbonding_script_hex": leaf(&trees.staking, Leaf::Unbonding),
            "staking_transaction_slashing_script_hex": leaf(&trees.staking, Leaf::Slashing),
            "unbonding_transaction_hex": serialize(&unbonding).to_lower_hex_string(),
            "unbonding_transaction_time_lock_script_hex": leaf(&trees.unbonding, Leaf::Timelock),
            "unbonding_transaction_slashing_script_hex": leaf(&trees.unbonding, Leaf::Slashing),
        });
        checks.equal(id, got, &case["expected"], &["op_return_script_hex", "taproot_address_staking_output"]);
        if let Some(wanted) = case["expected"]["op_return_script_hex"].as_str().filter(|text| !text.is_empty()) {
            let tag = <[u8; 4]>::try_from(bytes(given, "tag")?).map_err(|_| "a tag that is not 4 bytes")?;
            let announcement = Announcement::of(tag, stake.terms()).map(|said| said.script());
            checks.equal(format!("{id} announcement"), json!(announcement.as_deref().map(hex)), &json!(wanted), &[]);
            let read = announcement.as_deref().and_then(Announcement::read).is_some();
            checks.equal(format!("{id} announcement reads"), json!(read), &json!(true), &[]);
        }
        if let Some(derived) = case.get("derived") {
            checks.equal(format!("{id} outputs"), described(trees), derived, &[]);
        }
        Ok(())
    });
    Ok(checks.done())
}

/// Scripts, hashes and control blocks in the words of the fixtures.
fn described(trees: &Trees) -> Value {
    let named = [
        ("timelock", &trees.staking, Leaf::Timelock),
        ("unbonding", &trees.staking, Leaf::Unbonding),
        ("slashing", &trees.staking, Leaf::Slashing),
        ("unbonding_timelock", &trees.unbonding, Leaf::Timelock),
    ];
    let scripts: Map<String, Value> = named.iter().map(|(name, tree, which)| ((*name).to_owned(), leaf(tree, *which))).collect();
    let hash = |tree: &Tree, which| tree.leaf_hash(which).map(|hash| hash_bytes(hash).to_lower_hex_string());
    let hashes: Map<String, Value> =
        named.iter().map(|(name, tree, which)| ((*name).to_owned(), json!(hash(tree, *which)))).collect();
    let output = |tree: &Tree, timelock: &str| {
        let block = |which| tree.control_block(which).map(|block| block.serialize().to_lower_hex_string());
        let blocks = [(timelock, Leaf::Timelock), ("unbonding", Leaf::Unbonding), ("slashing", Leaf::Slashing)];
        let blocks: Map<String, Value> =
            blocks.iter().filter_map(|(name, which)| Some(((*name).to_owned(), json!(block(*which)?)))).collect();
        json!({
            "merkle_root": hash_bytes(tree.merkle_root()).to_lower_hex_string(),
            "script_pubkey": hex(&tree.script_pubkey()),
            "control_blocks": blocks,
        })
    };
    json!({
        "scripts": scripts,
        "leaf_hashes": hashes,
        "staking_output": output(&trees.staking, "timelock"),
        "unbonding_output": output(&trees.unbonding, "unbonding_timelock"),
        "slashing_change_output": output(&trees.refund, "unbonding_timelock"),
    })
}

fn run_delegations(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let stake = recorded(case, sat(case, "min_slashing_tx_fee_sat")?)?;
        let staking: Transaction = super::hex::bitcoin_decoded(&case["expected"]["staking_tx"], "hex")?;
        let outpoint = stake.find_in(&staking).ok_or("the staking output is not there exactly once")?;
        checks.equal(format!("{id} outputs"), described(stake.trees()), &outputs_of(&case["expected"]), &[]);
        let place = json!({ "txid": outpoint.txid.to_string(), "output_index": outpoint.vout });
        checks.equal(format!("{id} staking_tx"), place, &case["expected"]["staking_tx"], &["hex"]);
        let spends = spends(case, &stake, outpoint)?;
        for (name, spend) in &spends {
            let Some(want) = case["expected"].get(*name) else { continue };
            checks.equal(format!("{id} {name}"), told(spend), want, &["fee", "slashed_value", "change_value"]);
            if want.get("fee").is_some() {
                let outputs = &spend.transaction().output;
                let [slashed, change] = outputs.as_slice() else { return Err("no slashing".to_owned()) };
                let before = if *name == "slashing_tx" { stake.value() } else { stake.unbonding_output().value };
                let got = json!({
                    "slashed_value": slashed.value.to_sat(),
                    "change_value": change.value.to_sat(),
                    "fee": (before - slashed.value - change.value).to_sat(),
                });
                checks.equal(format!("{id} {name} amounts"), got, want, &["hex", "txid", "sighash"]);
            }
        }
        check_signatures(id, case, &stake, &spends, checks)?;
        check_whole(id, case, stake.clone(), checks)?;
        check_funding(id, case, &stake, &staking, checks)?;
        check_requests(id, case, &spends, checks)?;
        check_finished(id, case, &stake, &spends, checks)
    });
    Ok(checks.done())
}

fn outputs_of(expected: &Value) -> Value {
    let names = ["scripts", "leaf_hashes", "staking_output", "unbonding_output", "slashing_change_output"];
    names.iter().filter_map(|name| Some(((*name).to_owned(), expected.get(*name)?.clone()))).collect::<Map<_, _>>().into()
}

fn recorded(case: &Value, slashing_fee: Amount) -> Result<Stake, String> {
    let terms = Terms {
        staker: key(&bytes(case, "staker_pk")?)?,
        providers: keys(case, "finality_provider_pks")?,
        covenant: Covenant { keys: keys(case, "covenant_pks")?, quorum: small(case, "covenant_quorum")? },
        staking_time: small(case, "staking_time")?,
        unbonding_time: small(case, "unbonding_time")?,
    };
    let rules = Rules {
        unbonding_fee: sat(case, "unbonding_fee_sat")?,
        slashing_script: ScriptBuf::from_bytes(bytes(case, "slashing_pk_script")?),
        slashing_rate: text(case, "slashing_rate")?.parse().map_err(said)?,
        slashing_fee,
    };
    Stake::new(terms, sat(case, "staking_value")?, rules).map_err(said)
}

type Spends = [(&'static str, Spend); 3];

/// The spends that committee and staker sign, built by us. A recorded slashing transaction may have the older of the two versions and pay
/// more than the least fee; ours take both from the record.
fn spends(case: &Value, stake: &Stake, outpoint: OutPoint) -> Result<Spends, String> {
    let fee = |name: &str| sat(&case["expected"][name], "fee").unwrap_or(stake.rules().slashing_fee);
    let unbonding = stake.unbonding_spend(outpoint);
    let later = recorded(case, fee("unbonding_slashing_tx"))?.unbonding_slashing(unbonding.transaction().compute_txid());
    let slashing = recorded(case, fee("slashing_tx"))?.slashing(outpoint);
    let versioned = |name: &str, mut transaction: Transaction| {
        if let Ok([1, 0, 0, 0, ..]) = bytes(&case["expected"][name], "hex").as_deref() {
            transaction.version.0 = 1;
        }
        transaction
    };
    let trees = stake.trees();
    let (slashing, later) = (versioned("slashing_tx", slashing), versioned("unbonding_slashing_tx", later));
    Ok([
        ("unbonding_tx", unbonding),
        ("slashing_tx", Spend::new(slashing, 0, vec![stake.staking_output()], &trees.staking, Leaf::Slashing).map_err(said)?),
        (
            "unbonding_slashing_tx",
            Spend::new(later, 0, vec![stake.unbonding_output()], &trees.unbonding, Leaf::Slashing).map_err(said)?,
        ),
    ])
}

fn told(spend: &Spend) -> Value {
    json!({
        "hex": serialize(spend.transaction()).to_lower_hex_string(),
        "txid": spend.transaction().compute_txid().to_string(),
        "sighash": spend.sighash().to_byte_array().to_lower_hex_string(),
    })
}

/// Every signature by itself. One whose name begins with `INVALID_` must not verify.
fn check_signatures(id: &str, case: &Value, stake: &Stake, spends: &Spends, checks: &mut Checks) -> Result<(), String> {
    let [(_, unbonding), (_, slashing), (_, later)] = spends;
    for (name, value) in case["signatures"].as_object().into_iter().flatten() {
        let (plain, valid) = name.strip_prefix("INVALID_").map_or((name.as_str(), true), |plain| (plain, false));
        let (spend, by) = match plain {
            "staker_unbonding" => (unbonding, "staker"),
            "staker_slashing" => (slashing, "staker"),
            "staker_unbonding_slashing" => (later, "staker"),
            "covenant_unbonding" => (unbonding, "covenant"),
            "covenant_slashing_adaptor" => (slashing, "adaptor"),
            "covenant_unbonding_slashing_adaptor" => (later, "adaptor"),
            _ => return Err(format!("signatures of no known kind: {name}")),
        };
        if by == "staker" {
            let signature = value.as_str().ok_or("no text")?.parse::<Signature>();
            let verified = signature.is_ok_and(|signature| spend.is_signed_by(&stake.terms().staker, &signature));
            checks.equal(format!("{id} {name}"), json!(verified), &json!(valid), &[]);
            continue;
        }
        for entry in list(&case["signatures"], name)? {
            let member = key(&bytes(entry, "covenant_pk")?)?;
            let verified = if by == "covenant" {
                text(entry, "sig")?.parse().is_ok_and(|signature| spend.is_signed_by(&member, &signature))
            } else {
                let adaptors = read_adaptors(entry)?;
                let digest = spend.sighash().to_byte_array();
                let pairs = adaptors.iter().zip(&stake.terms().providers);
                adaptors.len() == stake.terms().providers.len()
                    && pairs.into_iter().all(|(adaptor, provider)| adaptor.verify(&member, &encryption_key(provider), &digest))
            };
            let verified = verified && stake.terms().covenant.keys.contains(&member);
            checks.equal(format!("{id} {name} {member}"), json!(verified), &json!(valid), &[]);
        }
    }
    let Some(stored) = case.get("adaptor_sigs_as_stored") else { return Ok(()) };
    let plain: Vec<String> = list(&case["signatures"], "covenant_slashing_adaptor")?
        .iter()
        .map(|entry| Ok(read_adaptors(entry)?.iter().map(ToString::to_string).collect::<Vec<_>>()))
        .collect::<Result<Vec<_>, String>>()?
        .concat();
    let old = bytes_list(case, "adaptor_sigs_as_stored")?;
    let read: Vec<_> = old.iter().map(|bytes| AdaptorSignature::from_slice(bytes).map(|read| read.to_string())).collect();
    let known = read.iter().all(|read| read.as_ref().is_ok_and(|read| plain.contains(read))) && read.len() == plain.len();
    checks.equal(
        format!("{id} older encoding"),
        json!({ "signatures": read.len(), "known": known }),
        &json!({ "signatures": stored.as_array().map(Vec::len), "known": true }),
        &[],
    );
    Ok(())
}

fn read_adaptors(entry: &Value) -> Result<Vec<AdaptorSignature>, String> {
    bytes_list(entry, "adaptor_sigs")?.iter().map(|bytes| AdaptorSignature::from_slice(bytes).map_err(said)).collect()
}

/// The delegation as a whole, where the file has all of it; `Verified` if no signature is called invalid.
fn check_whole(id: &str, case: &Value, stake: Stake, checks: &mut Checks) -> Result<(), String> {
    let (signed, built) = (&case["signatures"], &case["expected"]);
    let complete =
        has_keys(signed, &["staker_slashing", "staker_unbonding_slashing", "covenant_unbonding", "covenant_slashing_adaptor"]);
    if !complete || !has_keys(built, &["slashing_tx", "unbonding_slashing_tx"]) {
        return Ok(());
    }
    let adaptors = |name: &str| {
        list(signed, name)?
            .iter()
            .map(|entry| Ok((key(&bytes(entry, "covenant_pk")?)?, read_adaptors(entry)?)))
            .collect::<Result<_, String>>()
    };
    let unbonding = list(signed, "covenant_unbonding")?
        .iter()
        .map(|entry| Ok((key(&bytes(entry, "covenant_pk")?)?, text(entry, "sig")?.parse().map_err(said)?)));
    let covenant = CovenantSignatures {
        unbonding: unbonding.collect::<Result<_, String>>()?,
        slashing: adaptors("covenant_slashing_adaptor")?,
        unbonding_slashing: adaptors("covenant_unbonding_slashing_adaptor")?,
    };
    let transaction = |name: &str| super::hex::bitcoin_decoded(&built[name], "hex");
    let registration = Registration {
        staking: transaction("staking_tx")?,
        unbonding: transaction("unbonding_tx")?,
        slashing: transaction("slashing_tx")?,
        unbonding_slashing: transaction("unbonding_slashing_tx")?,
        staker_slashing: text(signed, "staker_slashing")?.parse().map_err(said)?,
        staker_unbonding_slashing: text(signed, "staker_unbonding_slashing")?.parse().map_err(said)?,
    };
    let verified = Verified::check(stake, registration, covenant).map(|_| json!("verified"));
    checks.accepted(format!("{id} whole"), verified, &json!("verified"), &[]);
    Ok(())
}

/// The staking transaction built from the coins that the file names.
fn check_funding(id: &str, case: &Value, stake: &Stake, staking: &Transaction, checks: &mut Checks) -> Result<(), String> {
    let Some(funding) = case.get("funding") else { return Ok(()) };
    let coin = |utxo: &Value| {
        let outpoint = OutPoint { txid: super::hex::parsed(utxo, "txid")?, vout: small(utxo, "vout")? };
        let output =
            bitcoin::TxOut { value: sat(utxo, "value")?, script_pubkey: ScriptBuf::from_bytes(bytes(utxo, "scriptPubKey")?) };
        Ok(Coin { outpoint, output, witness: bitcoin::Weight::ZERO })
    };
    let coins = list(funding, "utxos")?.iter().map(coin).collect::<Result<Vec<_>, String>>()?;
    let change = staking.output.last().map(|output| output.script_pubkey.clone()).unwrap_or_default();
    let fee = Fee::Exact(sat(funding, "staking_tx_fee_estimated_by_library")?);
    let built = fund::stake(stake, &coins, change, fee).map(|funded| json!(serialize(&funded.transaction).to_lower_hex_string()));
    checks.accepted(format!("{id} staking_tx built"), built, &case["expected"]["staking_tx"]["hex"], &[]);
    Ok(())
}

/// What the staker is asked to sign.
fn check_requests(id: &str, case: &Value, spends: &Spends, checks: &mut Checks) -> Result<(), String> {
    let [(_, unbonding), (_, slashing), (_, later)] = spends;
    let wanted = [
        (unbonding, case.get("unbonding_psbt_unsigned")),
        (slashing, case.pointer("/psbts/slashingPsbt")),
        (later, case.pointer("/psbts/unbondingSlashingPsbt")),
    ];
    for (spend, wanted) in wanted.into_iter().filter_map(|(spend, wanted)| Some((spend, wanted?))) {
        let txid = spend.transaction().compute_txid();
        checks.equal(format!("{id} request {txid}"), json!(spend.to_psbt().serialize().to_lower_hex_string()), wanted, &[]);
    }
    Ok(())
}

/// The finished unbonding transaction.
fn check_finished(id: &str, case: &Value, stake: &Stake, spends: &Spends, checks: &mut Checks) -> Result<(), String> {
    let Some(wanted) = case.get("unbonding_tx_with_witness") else { return Ok(()) };
    let signed = &case["signatures"];
    let staker: Signature = text(signed, "staker_unbonding")?.parse().map_err(said)?;
    let members = list(signed, "covenant_unbonding")?
        .iter()
        .map(|entry| Ok((key(&bytes(entry, "covenant_pk")?)?, text(entry, "sig")?.parse().map_err(said)?)));
    let members: BTreeMap<XOnlyPublicKey, Signature> = members.collect::<Result<_, String>>()?;
    let finished = spends[0].1.with_covenant(&stake.terms().covenant, &members, &staker).map(|finished| {
        let witness: Vec<String> = finished.input[0].witness.iter().map(|item| item.to_lower_hex_string()).collect();
        let filled = witness[..stake.terms().covenant.keys.len()].iter().filter(|item| !item.is_empty()).count();
        json!({
            "hex": serialize(&finished).to_lower_hex_string(),
            "txid": finished.compute_txid().to_string(),
            "wtxid": finished.compute_wtxid().to_string(),
            "witness": witness,
            "nonempty_covenant_signatures": filled,
        })
    });
    checks.accepted(format!("{id} finished"), finished, wanted, &[]);
    Ok(())
}

/// A node's answer carries no parameters: committee, fees and rate are read from its own transactions, the quorum from its script, and the
/// whole must then fit together and verify.
fn run_answer(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let told = &document["btc_delegation"];
    let later = &told["undelegation_response"];
    let answer: DelegationAnswer = serde_json::from_value(document.clone()).map_err(said)?;
    let transaction = |object: &Value, field: &str| deserialize::<Transaction>(&bytes(object, field)?).map_err(said);
    let (slashing, unbonding) = (transaction(told, "slashing_tx_hex")?, transaction(later, "unbonding_tx_hex")?);
    let value = sat(told, "total_sat")?;
    let out = |transaction: &Transaction, index: usize| transaction.output.get(index).cloned().ok_or("an output is missing");
    let (slashed, rest, unbonded) = (out(&slashing, 0)?, out(&slashing, 1)?, out(&unbonding, 0)?);
    let keys = list(told, "covenant_sigs")?.iter().map(|entry| key(&bytes(entry, "cov_pk")?)).collect::<Result<Vec<_>, _>>()?;
    let rates = (0..=10_000).filter_map(|n: u32| format!("{}.{:04}", n / 10_000, n % 10_000).parse::<Rate>().ok());
    let sum = |total: Amount, parts: &[Amount]| {
        parts.iter().try_fold(total, |left, part| left.checked_sub(*part)).ok_or("outputs past the input")
    };
    let rules = Rules {
        unbonding_fee: sum(value, &[unbonded.value])?,
        slashing_script: slashed.script_pubkey.clone(),
        slashing_rate: rates.into_iter().find(|rate| rate.of(value.to_sat()) == slashed.value.to_sat()).ok_or("no rate fits")?,
        slashing_fee: sum(value, &[slashed.value, rest.value])?,
    };
    let staking = transaction(told, "staking_tx_hex")?;
    let at_quorum = |quorum: u32| {
        let terms = Terms {
            staker: key(&bytes(told, "btc_pk")?)?,
            providers: list(told, "fp_btc_pk_list")?
                .iter()
                .map(|key| key.as_str().unwrap_or_default().parse().map_err(said))
                .collect::<Result<_, String>>()?,
            covenant: Covenant { keys: keys.clone(), quorum },
            staking_time: small(told, "staking_time")?,
            unbonding_time: small(told, "unbonding_time")?,
        };
        Stake::new(terms, value, rules.clone()).map_err(said)
    };
    let quorums = 1..=u32::try_from(keys.len()).map_err(said)?;
    let stakes = quorums.map(at_quorum).collect::<Result<Vec<_>, String>>()?;
    let stake = stakes.into_iter().find(|stake| stake.find_in(&staking).is_some()).ok_or("no quorum makes the staking output")?;
    let params = parameters_of(&stake);
    let (stake, registration, covenant) = answer.read(&params).map_err(said)?;
    let outpoint = stake.find_in(&staking).ok_or("the staking output is not there exactly once")?;
    let end = number(told, "start_height")? + u64::from(stake.terms().staking_time);
    let got = json!({
        "staking_output_idx": outpoint.vout,
        "end_height": end,
        "total_sat": stake.value().to_sat(),
        "slashing_tx_hex": serialize(&stake.slashing(outpoint)).to_lower_hex_string(),
        "undelegation_response": {
            "unbonding_tx_hex": serialize(&stake.unbonding(outpoint)).to_lower_hex_string(),
            "slashing_tx_hex": serialize(&stake.unbonding_slashing(unbonding.compute_txid())).to_lower_hex_string(),
        },
    });
    let names = ["staking_output_idx", "end_height", "total_sat", "slashing_tx_hex"];
    let mut want: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), told[*name].clone())).collect();
    let names = ["unbonding_tx_hex", "slashing_tx_hex"];
    want.insert(
        "undelegation_response".into(),
        names.iter().map(|name| ((*name).to_owned(), later[*name].clone())).collect::<Map<_, _>>().into(),
    );
    let mut checks = Checks::new();
    checks.equal("transactions", got, &want.into(), &[]);
    let verified = Verified::check(stake, registration, covenant).map(|_| json!("verified"));
    checks.accepted("signatures", verified, &json!("verified"), &[]);
    Ok(checks.done())
}

fn parameters_of(stake: &Stake) -> Params {
    let (terms, rules) = (stake.terms(), stake.rules());
    Params {
        covenant: terms.covenant.clone(),
        value: (stake.value(), stake.value()),
        term: (terms.staking_time, terms.staking_time),
        slashing_script: rules.slashing_script.clone(),
        slashing_fee: rules.slashing_fee,
        slashing_rate: rules.slashing_rate,
        unbonding_time: terms.unbonding_time,
        unbonding_fee: rules.unbonding_fee,
        min_commission: rules.slashing_rate,
        registration_gas: 0,
        allow_list_until: 0,
        activation_height: 0,
    }
}

pub(super) fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// An x-only key; of 33 bytes the last 32 count.
pub(super) fn key(bytes: &[u8]) -> Result<XOnlyPublicKey, String> {
    XOnlyPublicKey::from_slice(if bytes.len() == 33 { &bytes[1..] } else { bytes }).map_err(said)
}

fn keys(object: &Value, field: &str) -> Result<Vec<XOnlyPublicKey>, String> {
    bytes_list(object, field)?.iter().map(|bytes| key(bytes)).collect()
}

pub(super) fn small<T: TryFrom<u64, Error: std::fmt::Display>>(object: &Value, field: &str) -> Result<T, String> {
    T::try_from(number(object, field)?).map_err(|e| format!("{field}: {e}"))
}

fn sat(object: &Value, field: &str) -> Result<Amount, String> {
    number(object, field).map(Amount::from_sat)
}

fn hex(script: &Script) -> String {
    script.as_bytes().to_lower_hex_string()
}

fn leaf(tree: &Tree, leaf: Leaf) -> Value {
    json!(tree.leaf(leaf).map(hex))
}
