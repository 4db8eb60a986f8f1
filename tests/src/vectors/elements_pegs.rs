//! Peg-ins and peg-outs that a real elementsd accepted or refused.

use super::elements_chain::{chain_beside, follow};
use super::hex::{bytes, decoded, list, number, parsed, script, text};
use super::{Case, Checks, Kind, Siblings, has_keys, hex};
use bitcoin::hashes::Hash as _;
use bitcoin::hex::DisplayHex as _;
use causeway_sidechain::consensus::coin::{Coin, Coins};
use causeway_sidechain::consensus::federation::Fedpeg;
use causeway_sidechain::consensus::header::{HeaderChain, HeaderState};
use causeway_sidechain::consensus::pak::{self, PakList};
use causeway_sidechain::consensus::pegin::{Deposit, ParentChain, Peg, PeginWitness};
use causeway_sidechain::consensus::pegout::Pegout;
use causeway_sidechain::consensus::{merkle, transaction, tweak};
use elements::secp256k1_zkp::{PublicKey, SECP256K1, SecretKey};
use elements::sighash::SighashCache;
use elements::{AssetId, EcdsaSighashType, OutPoint, Script, Transaction, confidential};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "pegin",
        stems: &["pegin"],
        fits: |d| has_keys(d, &["valid", "invalid", "pegin_confirmation_depth"]),
        run: run_pegin,
    },
    Kind { name: "pegout", stems: &["pegout"], fits: |d| has_keys(d, &["without_pak", "pak"]), run: run_pegout },
];

/// The parent chain of a case: every block is there, with this many confirmations.
struct Confirmed(u32);

impl ParentChain for Confirmed {
    fn confirmations(&self, _: &bitcoin::BlockHash, _: u32) -> Option<u32> {
        Some(self.0)
    }
}

/// Deep enough for every rule.
const DEEP: u32 = 1_000_000;

/// Deposits claimed before some height; no coins.
struct Claimed(Vec<bitcoin::OutPoint>);

impl Coins for Claimed {
    fn coin(&self, _: &OutPoint) -> Option<Coin> {
        None
    }

    fn is_claimed(&self, deposit: &bitcoin::OutPoint) -> bool {
        self.0.contains(deposit)
    }
}

fn state_before(chain: &HeaderChain, height: u64) -> Result<&HeaderState, String> {
    let height = height.checked_sub(1).and_then(|h| u32::try_from(h).ok());
    height.and_then(|height| chain.state_at(height)).ok_or_else(|| "height outside the chain beside it".to_owned())
}

fn run_pegin(document: &Value, siblings: &Siblings) -> Result<Vec<Case>, String> {
    let chain = chain_beside(siblings, document)?;
    let peg = Peg::from(chain.params().as_ref());
    let mut checks = Checks::new();
    let depth = json!({
        "pegin_confirmation_depth": peg.depth,
        "policy_asset": peg.asset.to_string(),
        "parent_genesis_hash": peg.parent_genesis.to_string(),
    });
    for field in ["pegin_confirmation_depth", "policy_asset", "parent_genesis_hash"] {
        checks.equal(field, depth[field].clone(), &document[field], &[]);
    }
    let mut claims = BTreeMap::new();
    checks.each(list(document, "valid")?, |id, case, checks| {
        let deposit = bitcoin::OutPoint::new(parsed(case, "parent_txid")?, u32_of(case, "parent_vout")?);
        claims.insert(deposit, number(case, "claim_height")?);
        check_valid_pegin(id, case, &chain, checks)?;
        Ok(())
    });
    checks.each(list(document, "invalid")?, |id, case, checks| {
        checks.refused(id, refusal(case, &chain, &claims)?, &case["why_invalid"]);
        Ok(())
    });
    let valid = list(document, "valid")?;
    for (index, case) in document.get("maturity").and_then(Value::as_array).unwrap_or(&Vec::new()).iter().enumerate() {
        let Some(confirmations) = case.get("confirmations").and_then(Value::as_u64) else { continue };
        let witness = PeginWitness::parse(&items(&valid[0]["pegin_witness"])?).map_err(|e| e.to_string())?;
        let deposit = Deposit { block: witness.proof.header.block_hash(), transactions: 2, position: 1, value: witness.value };
        let got = deposit.check_depth(&peg, &Confirmed(u32::try_from(confirmations).unwrap_or(u32::MAX))).is_ok();
        checks.equal(format!("maturity {index}"), json!(got), &case["allowed"], &[]);
    }
    check_expiry(document, &chain, &mut checks)?;
    Ok(checks.done())
}

fn u32_of(object: &Value, field: &str) -> Result<u32, String> {
    u32::try_from(number(object, field)?).map_err(|e| format!("{field}: {e}"))
}

fn items(witness: &Value) -> Result<[Vec<u8>; 6], String> {
    let fields = ["value_le64", "asset_raw", "parent_genesis_raw", "claim_script", "parent_tx_no_witness", "txoutproof"];
    let items: Vec<Vec<u8>> = fields.into_iter().map(|field| bytes(witness, field)).collect::<Result<_, _>>()?;
    items.try_into().map_err(|_| "six items".to_owned())
}

fn check_valid_pegin(id: &str, case: &Value, chain: &HeaderChain, checks: &mut Checks) -> Result<(), String> {
    let peg = Peg::from(chain.params().as_ref());
    let claim_script = script(case, "claim_script")?;
    let deposit = bitcoin::OutPoint::new(parsed(case, "parent_txid")?, u32_of(case, "parent_vout")?);
    let state = state_before(chain, number(case, "claim_height")?)?;
    let fedpegs = state.fedpegs_for_next_block(chain.params());
    check_federation(id, case, &claim_script, &fedpegs, checks)?;

    let wanted = &case["pegin_witness"];
    let items = items(wanted)?;
    let witness = match PeginWitness::parse(&items) {
        Ok(witness) => witness,
        Err(fault) => {
            checks.fail(id, fault, wanted.clone());
            return Ok(());
        }
    };
    let again = witness.to_items();
    checks.equal(format!("{id} items"), hexes(&again), &hexes(&items), &[]);
    let checked = witness
        .verify(&peg, &deposit, &fedpegs)
        .map(|found| json!({ "sat": found.value, "parent_block_hash": found.block.to_string() }));
    let want = json!({ "sat": case["sat"], "parent_block_hash": case["parent_block_hash"] });
    checks.accepted(format!("{id} witness"), checked, &want, &[]);

    // The parent transaction may also come with its own witness.
    let mut unstripped = items.clone();
    unstripped[4] = bytes(case, "parent_tx")?;
    let unstripped = PeginWitness::parse(&unstripped).and_then(|witness| witness.verify(&peg, &deposit, &fedpegs));
    checks.accepted(format!("{id} with parent witness"), unstripped.map(|d| json!(d.value)), &case["sat"], &[]);

    let tx: Transaction = decoded(case, "claim_tx")?;
    let vin = usize::try_from(number(case, "claim_vin")?).map_err(|e| e.to_string())?;
    let input = tx.input.get(vin).ok_or("claim_vin outside the claim")?;
    let got = json!({
        "claim_txid": tx.txid().to_string(),
        "claim_sequence": input.sequence.to_consensus_u32(),
        "claim_script_sig": input.script_sig.as_bytes().to_lower_hex_string(),
        "claim_script_witness": hexes(&input.witness.script_witness.to_vec()),
        "claim_sighash": sighash(&tx, vin, &claim_script, witness.value)?,
        "claim_prevout": input.pegin_prevout().map(|p| json!({ "txid": p.txid.to_string(), "vout_plain": p.vout, "vout_serialized": u64::from(p.vout) | 1 << 30 })),
    });
    let fields = ["claim_txid", "claim_sequence", "claim_script_sig", "claim_script_witness", "claim_sighash", "claim_prevout"];
    for field in fields.into_iter().filter(|field| case.get(*field).is_some()) {
        checks.equal(format!("{id} {field}"), got[field].clone(), &case[field], &[]);
    }
    let in_tx = input.witness.pegin_witness.data().map(PeginWitness::of_library);
    if in_tx != Some(Ok(witness.clone())) || witness.to_library() != input.witness.pegin_witness {
        checks.fail(format!("{id} witness in the claim"), "another witness", wanted.clone());
    }
    let whole = transaction::validate(chain.params(), state, &tx, &Claimed(Vec::new()), &Confirmed(DEEP));
    checks.accepted(format!("{id} claim"), whole.map(|a| json!(a.changes.claimed.contains_key(&deposit))), &json!(true), &[]);
    let late = transaction::validate(chain.params(), state, &tx, &Claimed(vec![deposit]), &Confirmed(DEEP));
    checks.refused(format!("{id} claimed twice"), late, &json!("claimed before"));
    Ok(())
}

/// Script, tweaks and address of the deposit.
fn check_federation(
    id: &str,
    case: &Value,
    claim_script: &Script,
    fedpegs: &[Fedpeg],
    checks: &mut Checks,
) -> Result<(), String> {
    let federation = &case["federation"];
    let fedpegscript = bitcoin::ScriptBuf::from_bytes(bytes(federation, "fedpegscript")?);
    let tweaked = tweak::tweak_federation_script(&fedpegscript, claim_script).map(|s| json!(s.to_hex_string()));
    checks.accepted(format!("{id} tweaked script"), tweaked, &federation["tweaked_fedpegscript"], &[]);
    for key in federation.get("keys").and_then(Value::as_array).unwrap_or(&Vec::new()) {
        let raw: [u8; 33] = bytes(key, "pubkey")?.try_into().map_err(|_| "33 bytes")?;
        let got = tweak::tweak_of(&raw, claim_script).to_lower_hex_string();
        checks.equal(format!("{id} tweak"), json!(got), &key["tweak"], &[]);
    }
    let fedpeg = fedpegs.iter().find(|fedpeg| fedpeg.script == fedpegscript && is_kind(fedpeg, text(federation, "address_type")));
    let Some(fedpeg) = fedpeg else {
        checks.fail(format!("{id} federation"), "not in force", federation["fedpegscript"].clone());
        return Ok(());
    };
    let pay = tweak::deposit_script(fedpeg, claim_script).map_err(|e| e.to_string())?;
    let address = bitcoin::Address::from_script(&pay, bitcoin::Network::Regtest).map_err(|e| e.to_string())?;
    checks.equal(format!("{id} script"), json!(pay.to_hex_string()), &case["mainchain_script_pubkey"], &[]);
    checks.equal(format!("{id} address"), json!(address.to_string()), &case["mainchain_address"], &[]);
    Ok(())
}

fn is_kind(fedpeg: &Fedpeg, kind: Result<&str, String>) -> bool {
    match kind {
        Ok("p2sh-p2wsh") => fedpeg.program.is_p2sh(),
        Ok("p2wsh") => fedpeg.program.is_p2wsh(),
        _ => true,
    }
}

/// The digest that a P2WPKH claim signs; null for other claim scripts.
fn sighash(tx: &Transaction, vin: usize, claim_script: &Script, value: u64) -> Result<Value, String> {
    if !claim_script.is_v0_p2wpkh() {
        return Ok(Value::Null);
    }
    let hash: [u8; 20] = claim_script.as_bytes()[2..].try_into().map_err(|_| "20 bytes")?;
    let code = Script::new_p2pkh(&elements::PubkeyHash::from_byte_array(hash));
    let value = confidential::Value::Explicit(value);
    let digest = SighashCache::new(tx).segwitv0_sighash(vin, &code, value, EcdsaSighashType::All);
    Ok(json!(digest.to_byte_array().to_lower_hex_string()))
}

fn hexes(items: &[Vec<u8>]) -> Value {
    items.iter().map(|item| item.to_lower_hex_string()).collect()
}

/// What our validation says of a claim that elementsd refused.
fn refusal(case: &Value, chain: &HeaderChain, claims: &BTreeMap<bitcoin::OutPoint, u64>) -> Result<Result<(), String>, String> {
    let tx: Transaction = match decoded(case, "tx") {
        Ok(tx) => tx,
        Err(e) => return Ok(Err(e)),
    };
    let height = number(case, "height")?;
    let state = state_before(chain, height)?;
    let claimed = claims.iter().filter(|(_, at)| **at < height).map(|(deposit, _)| *deposit).collect();
    // The file says in words how deep the deposit was where that is the fault.
    let first_word = case["why_invalid"].as_str().and_then(|why| why.split_once(" confirmation"));
    let confirmations = first_word.and_then(|(count, _)| count.parse().ok()).unwrap_or(DEEP);
    let verdict = transaction::validate(chain.params(), state, &tx, &Claimed(claimed), &Confirmed(confirmations));
    // A refusal counts only if it is about the peg-in: the coins of other inputs are not in the file.
    Ok(match verdict {
        Ok(_) => Ok(()),
        Err(transaction::TxFault::MissingCoin(outpoint)) => return Err(format!("spends {outpoint}, which no file holds")),
        Err(fault) => Err(fault.to_string()),
    })
}

fn check_expiry(document: &Value, chain: &HeaderChain, checks: &mut Checks) -> Result<(), String> {
    let Some(timeline) = document.get("fedpeg_expiry_timeline").and_then(Value::as_array) else { return Ok(()) };
    let old = timeline.first().and_then(|first| first["current_fedpegscripts"].as_array()?.last()).cloned();
    for point in timeline {
        let field = if point.get("tip_height").is_some() { "tip_height" } else { "height" };
        let height = number(point, field)?;
        let state = state_before(chain, height + 1)?;
        let scripts: Vec<Value> =
            state.fedpegs_for_next_block(chain.params()).iter().map(|fedpeg| json!(fedpeg.script.to_hex_string())).collect();
        let allowed = old.as_ref().is_some_and(|old| scripts.contains(old));
        checks.equal(format!("scripts after {height}"), json!(scripts), &point["current_fedpegscripts"], &[]);
        if let Some(want) = point.get("old_fedpeg_claim_allowed_in_next_block") {
            checks.equal(format!("old script after {height}"), json!(allowed), want, &[]);
        }
    }
    Ok(())
}

fn run_pegout(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    let asset: AssetId = parsed(document, "policy_asset")?;
    checks.each(list(document, "without_pak")?, |id, case, checks| {
        let tx: Transaction = decoded(case, "tx")?;
        let vout = usize::try_from(number(case, "vout")?).map_err(|e| e.to_string())?;
        let output = tx.output.get(vout).ok_or("vout outside the transaction")?;
        let parent: bitcoin::BlockHash = parsed(case, "parent_genesis_hash")?;
        let Some((pegout, value)) = Pegout::of_output(output, &parent, asset) else {
            checks.fail(id, "no peg-out", case["script_pubkey"].clone());
            return Ok(());
        };
        let address = bitcoin::Address::from_script(&pegout.destination, bitcoin::Network::Regtest).ok();
        let got = json!({
            "txid": tx.txid().to_string(),
            "vout": vout,
            "asset": asset.to_string(),
            "value": value,
            "script_pubkey": pegout.to_script().as_bytes().to_lower_hex_string(),
            "parent_genesis_raw": pegout.parent_genesis.to_byte_array().to_lower_hex_string(),
            "parent_genesis_hash": pegout.parent_genesis.to_string(),
            "parent_script_pubkey": pegout.destination.to_hex_string(),
            "parent_address": address.map(|address| address.to_string()),
        });
        checks.equal(id, got, case, &["name", "note", "tx", "height", "block_hash", "rpc_script_pubkey"]);
        Ok(())
    });
    run_pak(&document["pak"], &mut checks)?;
    Ok(checks.done())
}

fn run_pak(document: &Value, checks: &mut Checks) -> Result<(), String> {
    let chain = follow(&document["network"], list(document, "headers")?, checks)?;
    let params = chain.params();
    let list_for = |height: u64| state_before(&chain, height).map(|state| state.pak_list_for_next_block(params));
    let members = list(document, "members")?;
    for (index, member) in members.iter().enumerate() {
        check_member(index, member, checks)?;
    }
    let initial: Vec<String> = causeway_sidechain::consensus::federation::initial_params(params)
        .extension_space
        .iter()
        .map(|entry| entry.to_lower_hex_string())
        .collect();
    checks.equal("initial extension space", json!(initial), &document["initial_extension_space"], &[]);
    for (key, want) in document.as_object().into_iter().flatten() {
        if let Some(tip) = key.strip_prefix("getpakinfo_tip_") {
            let height: u64 = tip.parse().map_err(|_| format!("{key} names no height"))?;
            checks.equal(key, json!({ "block_paklist": describe(&list_for(height + 1)?) }), want, &[]);
        }
    }
    for (field, empty) in [("pak_list_in_force_from_height", false), ("empty_list_in_force_from_height", true)] {
        let height = number(document, field)?;
        let is_it = |list: &PakList| list.is_reject() == empty && (empty || list.to_extension_space().len() == members.len());
        let got = is_it(&list_for(height)?) && !is_it(&list_for(height - 1)?);
        checks.equal(field, json!(got), &json!(true), &[]);
    }
    checks.each(list(document, "valid")?, |id, case, checks| {
        let height = number(case, "height")?;
        check_pak_pegout(id, case, members, &list_for(height)?, params.parent_genesis_hash, params.policy_asset, checks)?;
        Ok(())
    });
    checks.each(list(document, "invalid")?, |id, case, checks| {
        let list = list_for(number(case, "height")?)?;
        let tx: Transaction = decoded(case, "tx")?;
        let mut seen = tx.output.iter().filter_map(|o| Pegout::of_output(o, &params.parent_genesis_hash, params.policy_asset));
        let verdict = seen.try_for_each(|(pegout, _)| pegout.check_pak(&list));
        checks.refused(id, verdict, &case["why_invalid"]);
        Ok(())
    });
    let stranger = &document["not_a_pegout"];
    let tx: Transaction = decoded(stranger, "tx")?;
    let none = tx.output.iter().all(|o| Pegout::of_output(o, &params.parent_genesis_hash, params.policy_asset).is_none());
    let parsed = Pegout::parse(&script(stranger, "script_pubkey")?).is_some();
    checks.equal("not a peg-out to this parent", json!(none && parsed), &stranger["allowed"], &[]);
    Ok(())
}

fn describe(list: &PakList) -> Value {
    let (offline, online): (Vec<String>, Vec<String>) = list.entries().map(|(off, on)| (off.to_string(), on.to_string())).unzip();
    json!({ "online": online, "offline": offline, "reject": list.is_reject() })
}

fn check_member(index: usize, member: &Value, checks: &mut Checks) -> Result<(), String> {
    let xpub: bitcoin::bip32::Xpub = parsed(member, "offline_xpub")?;
    let online: SecretKey = parsed(member, "online_private_key")?;
    let offline = pak::offline_key(&xpub);
    let online = online.public_key(SECP256K1);
    let got = json!({
        "offline_xpub_pubkey": xpub.public_key.to_string(),
        "offline_pubkey": offline.to_string(),
        "online_pubkey": online.to_string(),
        "extension_entry": PakList::from_pairs(vec![(offline, online)]).to_extension_space()[0].to_lower_hex_string(),
    });
    let notes = ["offline_xprv", "offline_xpub", "offline_private_key", "online_private_key"];
    checks.equal(format!("member {index}"), got, member, &notes);
    Ok(())
}

fn check_pak_pegout(
    id: &str,
    case: &Value,
    members: &[Value],
    list: &PakList,
    parent: bitcoin::BlockHash,
    asset: AssetId,
    checks: &mut Checks,
) -> Result<(), String> {
    let tx: Transaction = decoded(case, "tx")?;
    let block: elements::Block = decoded(case, "block")?;
    let wanted = script(case, "script_pubkey")?;
    let output = tx.output.iter().find(|output| output.script_pubkey == wanted).ok_or("the transaction has no such output")?;
    let verdict = Pegout::of_output(output, &parent, asset).ok_or("no peg-out".to_owned());
    let verdict = verdict.and_then(|(pegout, value)| pegout.check_pak(list).map(|()| json!(value)).map_err(|e| e.to_string()));
    checks.accepted(id, verdict, &case["value"], &[]);
    let position = block.txdata.iter().position(|other| other.txid() == tx.txid());
    let in_block = position.is_some() && merkle::check_block(&block).is_ok() && merkle::check_witness_commitment(&block).is_ok();
    checks.equal(format!("{id} block"), json!(in_block.then(|| block.block_hash().to_string())), &case["block_hash"], &[]);

    // Made anew: other bytes, the same meaning.
    let member = &members[usize::try_from(number(case, "member_index")?).map_err(|e| e.to_string())?];
    let xpub: bitcoin::bip32::Xpub = parsed(member, "offline_xpub")?;
    let whitelisting = pak::whitelist(&xpub, &hex::path(case, "path")?).ok_or("the path cannot be derived")?;
    let got = json!({
        "sub_pubkey": whitelisting.whitelisted.to_string(),
        "summed_key": whitelisting.summed.display_secret().to_string(),
    });
    for field in ["sub_pubkey", "summed_key"] {
        checks.equal(format!("{id} {field}"), got[field].clone(), &case[field], &[]);
    }
    let offline = pak::offline_key(&xpub);
    let index = list.entries().position(|(key, _)| *key == offline).ok_or("the member is not in the list")?;
    let online: SecretKey = parsed(member, "online_private_key")?;
    let proof = list.prove(index, &whitelisting.whitelisted, &online, &whitelisting.summed);
    let destination = bitcoin::ScriptBuf::from_bytes(bytes(case, "parent_script_pubkey")?);
    let made = proof.map(|proof| Pegout::authorised(parent, destination, &whitelisting.whitelisted, proof));
    let ours =
        made.map(|made| Pegout::parse(&made.to_script()).is_some_and(|again| again == made && again.check_pak(list).is_ok()));
    checks.equal(format!("{id} made anew"), json!(ours), &json!(true), &[]);
    let stranger: PublicKey = *list.entries().next().ok_or("an empty list")?.1;
    let misused = list.prove(index, &stranger, &online, &whitelisting.summed);
    checks.equal(format!("{id} for a stranger"), json!(misused.is_some()), &json!(false), &[]);
    Ok(())
}
