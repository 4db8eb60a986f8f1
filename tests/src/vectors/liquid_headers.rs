//! Headers and dynafed parameters from public material.

use super::elements_chain::describe_params;
use super::hex::{bytes, cases, number, script};
use super::{Case, Checks, Kind, Siblings, hex, is_list_of};
use bitcoin::hex::DisplayHex as _;
use causeway_sidechain::consensus::header;
use causeway_sidechain::consensus::signature::{Signers, verify_signatures};
use elements::dynafed::{FullParams, Params};
use elements::{BlockExtData, BlockHash, BlockHeader, TxMerkleNode};
use serde_json::{Value, json};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "headers", stems: &["headers"], fits: |d| is_list_of(d, &["header", "valid", "expected"]), run: run_headers },
    Kind {
        name: "dynafed_roots",
        stems: &["dynafed_roots"],
        fits: |d| is_list_of(d, &["current", "proposed", "params_root"]),
        run: run_roots,
    },
];

/// The witness limit of a legacy header is a chain parameter that these files do not give.
const NO_LIMIT: u32 = u32::MAX;

fn run_headers(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let verdict = header::decode(&bytes(case, "header")?).map_err(|e| e.to_string()).and_then(|header| describe(&header));
        if case["valid"] == json!(true) {
            checks.accepted(id, verdict, &case["expected"], &[]);
        } else {
            checks.refused(id, verdict, &case["why"]);
        }
        Ok(())
    });
    Ok(checks.done())
}

/// What the header says, with who signed it. `Err` when the signatures do not hold.
fn describe(header: &BlockHeader) -> Result<Value, String> {
    let mut got = json!({
        "hash": header.block_hash().to_string(),
        "version": header.version,
        "dynafed": header.is_dynafed(),
        "previousblockhash": header.prev_blockhash.to_string(),
        "merkleroot": header.merkle_root.to_string(),
        "time": header.time,
        "height": header.height,
    });
    let (challenge, limit) = match &header.ext {
        BlockExtData::Proof { challenge, solution } => {
            got["challenge"] = json!(challenge.as_bytes().to_lower_hex_string());
            got["solution"] = json!(solution.as_bytes().to_lower_hex_string());
            (challenge.clone(), NO_LIMIT)
        }
        BlockExtData::Dynafed { current, proposed, signblock_witness } => {
            got["current"] = describe_params(current);
            got["proposed"] = describe_params(proposed);
            got["params_root"] = json!(header.calculate_dynafed_params_root().map(|root| root.to_string()));
            got["signblock_witness"] = signblock_witness.iter().map(|item| item.to_lower_hex_string()).collect();
            got["witness_size"] = json!(elements::encode::serialize(signblock_witness).len());
            let signing = current.signblockscript().zip(current.signblock_witness_limit());
            let (script, limit) = signing.ok_or("null current parameters")?;
            (script.clone(), limit)
        }
    };
    // Nobody signs a genesis block.
    if header.height > 0 {
        let signers = verify_signatures(header, &challenge, limit).map_err(|e| e.to_string())?;
        got["proof"] = describe_signers(&signers, header.is_dynafed());
    }
    Ok(got)
}

fn describe_signers(signers: &Signers, dynafed: bool) -> Value {
    match signers.multisig.k {
        0 => json!({ "kind": "op_true" }),
        k => json!({
            "kind": "multisig",
            "k": k,
            "n": signers.multisig.n(),
            "signer_indices": signers.members,
            "sighash_byte": dynafed,
        }),
    }
}

fn run_roots(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let current = check_params(&format!("{id} current"), &case["current"], checks)?;
        let proposed = check_params(&format!("{id} proposed"), &case["proposed"], checks)?;
        let header = BlockHeader {
            version: 0x2000_0000,
            prev_blockhash: BlockHash::from_byte_array([0; 32]),
            merkle_root: TxMerkleNode::from_byte_array([0; 32]),
            time: 0,
            height: 0,
            ext: BlockExtData::Dynafed { current, proposed, signblock_witness: Vec::new() },
        };
        let root = header.calculate_dynafed_params_root().map(|root| root.to_string());
        checks.equal(format!("{id} root"), json!(root), &case["params_root"], &[]);
        let bytes = elements::encode::serialize(&header);
        checks.equal(
            format!("{id} in a header"),
            json!(header::decode(&bytes).is_ok_and(|again| again == header)),
            &json!(true),
            &[],
        );
        Ok(())
    });
    Ok(checks.done())
}

/// Builds parameters from their fields and compares everything that follows from them.
fn check_params(id: &str, fields: &Value, checks: &mut Checks) -> Result<Params, String> {
    let params = match fields["type"].as_str() {
        Some("null") => Params::Null,
        Some("compact") => Params::Compact {
            signblockscript: script(fields, "signblockscript")?,
            signblock_witness_limit: limit(fields)?,
            elided_root: hex::parsed(fields, "elided_root")?,
        },
        Some("full") => Params::Full(FullParams {
            signblockscript: script(fields, "signblockscript")?,
            signblock_witness_limit: limit(fields)?,
            fedpeg_program: bytes(fields, "fedpeg_program")?.into(),
            fedpegscript: bytes(fields, "fedpegscript")?,
            extension_space: hex::bytes_list(fields, "extension_space")?,
        }),
        _ => return Err(format!("{id}: no type of parameters")),
    };
    let mut got = describe_params(&params);
    got["serialized"] = json!(elements::encode::serialize(&params).to_lower_hex_string());
    let compact = params.clone().into_compact().map(|compact| elements::encode::serialize(&compact).to_lower_hex_string());
    got["compact_serialized"] = json!(compact);
    checks.equal(id, got, fields, &[]);
    Ok(params)
}

fn limit(fields: &Value) -> Result<u32, String> {
    u32::try_from(number(fields, "signblock_witness_limit")?).map_err(|e| e.to_string())
}
