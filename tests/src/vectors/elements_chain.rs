//! Header chains of a real elementsd: what it accepted, what it refused, and the filters it served.

use super::hex::{list, number, parsed, text};
use super::{Case, Checks, Kind, Siblings, has_keys, hex, is_list_of};
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use causeway_sidechain::consensus::filter::{self, Filter, FilterHash, FilterHeader};
use causeway_sidechain::consensus::header::{self, HeaderChain, HeaderFault, HeaderState};
use causeway_vocab::SidechainParams;
use elements::dynafed::Params;
use elements::{BlockHash, BlockHeader, OutPoint, Script};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::Arc;

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "chain", stems: &["chain"], fits: |d| has_keys(d, &["network", "headers", "transitions"]), run: run_chain },
    Kind {
        name: "bad_headers",
        stems: &["bad_headers"],
        fits: |d| has_keys(d, &["rejected", "accepted_oddities"]),
        run: run_bad_headers,
    },
    Kind {
        name: "filters",
        stems: &["filters"],
        fits: |d| has_keys(d, &["filter_type"]) && is_list_of(&d["filters"], &["hash", "filter", "filter_header"]),
        run: run_filters,
    },
];

/// A clock that is ahead of every fixture.
const LATE: u64 = u32::MAX as u64;

/// Chain parameters from a fixture's `network`, leaving out what is no parameter of a client.
pub(crate) fn params(network: &Value) -> Result<Arc<SidechainParams>, String> {
    const FIELDS: &[&str] = &[
        "chain_name",
        "network_magic",
        "genesis_block",
        "genesis_hash",
        "policy_asset",
        "parent_genesis_hash",
        "signblockscript",
        "genesis_max_block_witness",
        "fedpegscript",
        "epoch_length",
        "vote_threshold",
        "total_valid_epochs",
        "pegin_confirmation_depth",
        "dynafed_active_from_height",
        "enforce_pak",
        "first_extension_space",
        "address",
    ];
    let mut fields: Map<String, Value> = network.as_object().ok_or("network is no object")?.clone();
    fields.retain(|key, _| FIELDS.contains(&key.as_str()));
    // What a client must know and the file says only in the arguments of the node.
    let arguments: Vec<&str> = network
        .get("elementsd_consensus_args")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    fields.entry("enforce_pak").or_insert(json!(arguments.contains(&"-enforce_pak=1")));
    let pak: Vec<&str> = arguments.iter().filter_map(|argument| argument.strip_prefix("-pak=")).collect();
    if !pak.is_empty() {
        fields.entry("first_extension_space").or_insert(json!(pak));
    }
    serde_json::from_value(Value::Object(fields)).map(Arc::new).map_err(|e| format!("network: {e}"))
}

/// Follows `headers` from genesis on and checks what the file expects of each.
pub(super) fn follow(network: &Value, headers: &[Value], checks: &mut Checks) -> Result<HeaderChain, String> {
    let params = params(network)?;
    let mut chain = HeaderChain::new(Arc::clone(&params)).ok_or("the genesis block is not that of genesis_hash")?;
    for case in headers {
        let height = number(case, "height")?;
        let header = read_header(case)?;
        let id = format!("header {height}");
        let hash = header.block_hash().to_string();
        checks.equal(format!("{id} hash"), json!(hash), &case["hash"], &[]);
        if height == 0 {
            checks.equal(format!("{id} is genesis"), json!(chain.tip().hash.to_string()), &case["hash"], &[]);
        } else if let Err(fault) = chain.accept(&header, LATE) {
            checks.fail(&id, fault, case["expected"].clone());
            return Ok(chain);
        }
        if let Some(expected) = case.get("expected") {
            checks.equal(&id, describe(&header, &chain), expected, &["n_tx"]);
        }
        resume(&chain, checks, &id)?;
    }
    Ok(chain)
}

/// A state that was persisted must be the state that was.
fn resume(chain: &HeaderChain, checks: &mut Checks, id: &str) -> Result<(), String> {
    let text = serde_json::to_string(chain.state()).map_err(|e| e.to_string())?;
    let again: HeaderState = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    if again != *chain.state() {
        checks.fail(format!("{id} persisted"), text, json!("the same state"));
    }
    Ok(())
}

fn read_header(case: &Value) -> Result<BlockHeader, String> {
    header::decode(&hex::bytes(case, "header")?).map_err(|e| e.to_string())
}

fn describe(header: &BlockHeader, chain: &HeaderChain) -> Value {
    let mut got = json!({
        "version": header.version,
        "previousblockhash": (header.height > 0).then(|| header.prev_blockhash.to_string()),
        "merkleroot": header.merkle_root.to_string(),
        "time": header.time,
        "height": header.height,
        "mediantime": chain.state().median_time_past(),
    });
    if let (Some(current), Some(proposed)) = (header.dynafed_current(), header.dynafed_proposed()) {
        got["current"] = describe_params(current);
        got["proposed"] = describe_params(proposed);
    }
    got
}

/// Dynafed parameters in the words of these files.
pub(super) fn describe_params(params: &Params) -> Value {
    let kind = if params.is_null() {
        "null"
    } else if params.is_full() {
        "full"
    } else {
        "compact"
    };
    let extra_root = match params.clone().into_compact() {
        Some(Params::Compact { elided_root, .. }) => Some(elided_root.to_string()),
        _ => None,
    };
    let mut got =
        json!({ "type": kind, "root": params.calculate_root().to_string(), "extra_root": extra_root, "elided_root": extra_root });
    if let (Some(script), Some(limit)) = (params.signblockscript(), params.signblock_witness_limit()) {
        got["signblockscript"] = json!(script.as_bytes().to_lower_hex_string());
        got["max_block_witness"] = json!(limit);
        got["signblock_witness_limit"] = json!(limit);
    }
    if let Params::Full(full) = params {
        got["fedpeg_program"] = json!(full.fedpeg_program.to_hex_string());
        got["fedpegscript"] = json!(full.fedpegscript.to_lower_hex_string());
        got["extension_space"] = full.extension_space.iter().map(|entry| entry.to_lower_hex_string()).collect();
    }
    got
}

fn run_chain(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    let network = &document["network"];
    let headers = list(document, "headers")?;
    let chain = follow(network, headers, &mut checks)?;
    let params = chain.params();
    let tip = json!({ "tip_height": chain.tip().height, "tip_hash": chain.tip().hash.to_string() });
    for field in ["tip_height", "tip_hash"] {
        if let Some(want) = document.get(field) {
            checks.equal(field, tip[field].clone(), want, &[]);
        }
    }
    let state_before = |height: u64| u32::try_from(height.checked_sub(1)?).ok().and_then(|height| chain.state_at(height));
    for transition in list(document, "transitions")? {
        let height = number(transition, "height")?;
        let before = state_before(height).ok_or("transition outside the chain")?;
        let root = |full: &elements::dynafed::FullParams| full.calculate_root().to_string();
        let got = json!({
            "height": height,
            "old_root": root(before.current_params()),
            "new_root": root(&before.next_full_params(params)),
        });
        checks.equal(format!("transition at {height}"), got, transition, &["changed"]);
    }
    for point in document.get("rpc_at_heights").and_then(Value::as_array).unwrap_or(&Vec::new()) {
        let height = number(point, "tip_height")?;
        let state = u32::try_from(height).ok().and_then(|height| chain.state_at(height)).ok_or("RPC point outside the chain")?;
        let next = state.next_full_params(params);
        let fedpegs = state.fedpegs_for_next_block(params);
        let got = json!({
            "tip_height": height,
            "tip_hash": state.tip().hash.to_string(),
            "current_params_root": next.calculate_root().to_string(),
            "current_signblock_hex": next.signblockscript.as_bytes().to_lower_hex_string(),
            "max_block_witness": next.signblock_witness_limit,
            "extension_space": next.extension_space.iter().map(|e| e.to_lower_hex_string()).collect::<Vec<_>>(),
            "epoch_length": params.epoch_length,
            "epoch_age": state.tip().height % params.epoch_length,
            "current_fedpegscripts": fedpegs.iter().map(|f| f.script.to_hex_string()).collect::<Vec<_>>(),
            "current_fedpeg_programs": fedpegs.iter().map(|f| f.program.to_hex_string()).collect::<Vec<_>>(),
        });
        checks.equal(format!("after {height}"), got, point, &["label"]);
    }
    check_federations(network, &chain, &mut checks)?;
    Ok(checks.done())
}

/// The signers of every block must be one of the sets that the file lists.
fn check_federations(network: &Value, chain: &HeaderChain, checks: &mut Checks) -> Result<(), String> {
    let Some(sets) = network.get("signers").and_then(Value::as_object) else { return Ok(()) };
    for (name, set) in sets {
        let script = hex::bytes(set, "witness_script")?;
        let multisig = causeway_sidechain::consensus::signature::Multisig::parse(&script).ok_or("signers are no multisig")?;
        let got = json!({
            "k": multisig.k,
            "n": multisig.n(),
            "pubkeys": multisig.keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "p2wsh_script_pubkey": Script::from(script).to_v0_p2wsh().as_bytes().to_lower_hex_string(),
        });
        let notes = ["name", "private_keys", "private_keys_wif", "witness_script", "max_block_witness"];
        checks.equal(format!("set {name}"), got, set, &notes);
    }
    let known = |k: u8, n: u8| sets.values().any(|set| set["k"] == json!(k) && set["n"] == json!(n));
    for height in 1..=chain.tip().height {
        let signers = chain.state_at(height).and_then(HeaderState::signers);
        if !signers.is_some_and(|(k, n)| known(k, n)) {
            checks.fail(format!("signers of {height}"), format!("{signers:?}"), json!("one of the sets"));
        }
    }
    Ok(())
}

fn run_bad_headers(document: &Value, siblings: &Siblings) -> Result<Vec<Case>, String> {
    let chain_file = siblings.load("chain.json")?;
    if chain_file["network"]["genesis_hash"] != document["genesis_hash"] {
        return Err("chain.json beside it is of another chain".to_owned());
    }
    let chain = follow(&chain_file["network"], list(&chain_file, "headers")?, &mut Checks::new())?;
    let mut checks = Checks::new();
    checks.each(list(document, "rejected")?, |id, case, checks| {
        checks.refused(id, judge(&chain, case)?.map(|_| ()), &case["why_invalid"]);
        Ok(())
    });
    checks.each(list(document, "accepted_oddities")?, |id, case, checks| {
        let verdict = judge(&chain, case)?;
        // elementsd does not compare the elided root of compact parameters. We do, and refuse exactly that.
        match verdict {
            Err(Judged::Refused(HeaderFault::WrongElided)) => {
                checks.refused(id, verdict.map(|_| ()), &json!("elided root, which elementsd does not compare"));
            }
            verdict => checks.accepted(id, verdict.map(|hash| json!(hash)), &case["hash"], &[]),
        }
        Ok(())
    });
    Ok(checks.done())
}

/// Why a header of a file was not accepted.
#[derive(Debug)]
enum Judged {
    Malformed(String),
    Refused(HeaderFault),
}

impl std::fmt::Display for Judged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Judged::Malformed(why) => f.write_str(why),
            Judged::Refused(fault) => fault.fmt(f),
        }
    }
}

/// Judges a header on top of the parent it names; where the chain lacks the parent, on top of the height before.
fn judge(chain: &HeaderChain, case: &Value) -> Result<Result<String, Judged>, String> {
    let bytes = hex::bytes(case, "header")?;
    let parent: BlockHash = parsed(case, "parent_hash")?;
    let height = u32::try_from(number(case, "height")?).map_err(|e| e.to_string())?;
    let states = (0..=chain.tip().height).filter_map(|h| chain.state_at(h));
    let state = states.clone().find(|state| state.tip().hash == parent);
    let state = state.or_else(|| chain.state_at(height.checked_sub(1)?)).ok_or("height outside the chain")?;
    let now = match case.get("node_time") {
        Some(_) => number(case, "node_time")?,
        None => LATE,
    };
    let header = match header::decode(&bytes) {
        Ok(header) => header,
        Err(fault) => return Ok(Err(Judged::Malformed(fault.to_string()))),
    };
    let hash = header.block_hash().to_string();
    if let Some(want) = case.get("hash").filter(|want| **want != json!(hash)) {
        return Err(format!("hash {hash}, the file says {want}"));
    }
    Ok(state.next(chain.params(), &header, now).map(|_| hash).map_err(Judged::Refused))
}

fn run_filters(document: &Value, siblings: &Siblings) -> Result<Vec<Case>, String> {
    let blocks = blocks_beside(siblings)?;
    let mut outputs: BTreeMap<OutPoint, Script> = BTreeMap::new();
    let mut checks = Checks::new();
    let mut previous = FilterHeader::from_str(&"0".repeat(64)).map_err(|e| e.to_string())?;
    for case in list(document, "filters")? {
        let height = number(case, "height")?;
        let filter = Filter(hex::bytes(case, "filter")?);
        let hash: BlockHash = parsed(case, "hash")?;
        let chained = filter.header(&previous);
        checks.equal(format!("filter header {height}"), json!(chained.to_string()), &case["filter_header"], &[]);
        let filter_hash: FilterHash = filter.hash();
        if filter::chain(filter_hash, &previous) != chained {
            checks.fail(format!("chain {height}"), "another header", case["filter_header"].clone());
        }
        previous = parsed(case, "filter_header")?;
        // Every element decodes: a script that is not there makes the reader go through all of them.
        let stranger = Script::from(Vec::<u8>::from_hex("6a").map_err(|e| e.to_string())?);
        match filter.matches_any(&hash, [&stranger]) {
            Ok(_) => {}
            Err(e) => checks.fail(format!("filter {height}"), e, json!("readable")),
        }
        let Some(block) = blocks.get(&hash) else { continue };
        for tx in &block.txdata {
            let txid = tx.txid();
            for (vout, output) in (0..).zip(&tx.output) {
                outputs.insert(OutPoint::new(txid, vout), output.script_pubkey.clone());
            }
        }
        check_matches(&filter, block, &outputs, &mut checks, height);
        match Filter::of_block(block, |outpoint| outputs.get(outpoint).cloned()) {
            Ok(made) => checks.equal(format!("filter {height}"), json!(made.0.to_lower_hex_string()), &case["filter"], &[]),
            // The file beside it does not hold the block that made this output.
            Err(_) => continue,
        }
    }
    Ok(checks.done())
}

/// Every script that the block pays must match.
fn check_matches(
    filter: &Filter,
    block: &elements::Block,
    outputs: &BTreeMap<OutPoint, Script>,
    checks: &mut Checks,
    height: u64,
) {
    let paid = block.txdata.iter().flat_map(|tx| &tx.output).map(|output| &output.script_pubkey);
    let spent = block.txdata.iter().flat_map(|tx| &tx.input).filter_map(|input| outputs.get(&input.previous_output));
    for script in paid.chain(spent).filter(|script| !script.is_empty() && !script.is_op_return()) {
        let got = filter.matches_any(&block.block_hash(), [script]);
        if got != Ok(true) {
            checks.fail(format!("filter {height} on {script:x}"), format!("{got:?}"), json!(true));
        }
    }
}

/// Whole blocks that other files of the folder carry, by hash: the genesis block, the wallet's blocks.
fn blocks_beside(siblings: &Siblings) -> Result<BTreeMap<BlockHash, elements::Block>, String> {
    let mut blocks = BTreeMap::new();
    let chain = siblings.load("chain.json")?;
    let genesis: elements::Block = hex::decoded(&chain["network"], "genesis_block")?;
    blocks.insert(genesis.block_hash(), genesis);
    if let Ok(wallet) = siblings.load("wallet.json") {
        for case in list(&wallet, "blocks")? {
            let block: elements::Block = hex::decoded(case, "block")?;
            blocks.insert(block.block_hash(), block);
        }
    }
    Ok(blocks)
}

/// The chain that a fixture's sibling `chain.json` describes, for kinds that are judged on top of it.
pub(super) fn chain_beside(siblings: &Siblings, document: &Value) -> Result<HeaderChain, String> {
    let file = siblings.load("chain.json")?;
    if text(&file["network"], "genesis_hash")? != text(document, "genesis_hash")? {
        return Err("chain.json beside it is of another chain".to_owned());
    }
    follow(&file["network"], list(&file, "headers")?, &mut Checks::new())
}
