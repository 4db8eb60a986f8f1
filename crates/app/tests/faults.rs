//! Evidence against a federation, and files that only claim to be.

use causeway_app::faults::Lead;
use causeway_app::{faults, proofs};
use causeway_contract::ProofKind;
use causeway_sidechain::consensus::merkle;
use causeway_vocab::SidechainParams;
use elements::encode::{deserialize, serialize};
use elements::secp256k1_zkp::{Message, SECP256K1, SecretKey};
use elements::{Block, BlockExtData, Transaction};
use serde_json::Value;

fn fixture(name: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/elements/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("the fixture")).expect("JSON")
}

fn bytes(hex: &Value) -> Vec<u8> {
    bitcoin::hex::FromHex::from_hex(hex.as_str().expect("hex")).expect("hex")
}

fn params() -> SidechainParams {
    let mut network = fixture("chain")["network"].clone();
    let fields = network.as_object_mut().expect("an object");
    for extra in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.remove(extra);
    }
    serde_json::from_value(network).expect("the fields of chain.json")
}

/// Raw headers from height 1 to this one.
fn headers(height: usize) -> Vec<Vec<u8>> {
    let chain = fixture("chain");
    chain["headers"].as_array().expect("headers")[1..=height].iter().map(|h| bytes(&h["header"])).collect()
}

fn bad(list: &str, name: &str) -> (usize, Vec<u8>) {
    let file = fixture("bad_headers");
    let case = file[list].as_array().expect("cases").iter().find(|case| case["name"] == name).expect("the case").clone();
    let raw = bytes(&case["header"]);
    let header: elements::BlockHeader = deserialize(&raw).expect("a header");
    (header.height as usize, raw)
}

/// Whether the file proves a fault, and what it says.
fn verdict(text: &str) -> (bool, String) {
    let verdict = proofs::verify(text).expect("a readable file");
    let [statement] = &verdict.statements[..] else { panic!("one statement") };
    assert_eq!((statement.kind, statement.ok), (ProofKind::Fault, verdict.ok));
    (verdict.ok, statement.detail.clone())
}

#[test]
fn a_header_signed_against_the_rules_convicts_the_federation() {
    let (height, raw) = bad("accepted_oddities", "elided-root-unchecked");
    let mut evidence = headers(height - 1);
    evidence.push(raw);
    let (ok, detail) = verdict(&faults::write_header(&params(), Lead::whole(&[]), &evidence));
    assert!(ok && detail.contains("other peg parameters than in force"), "{detail}");
}

#[test]
fn evidence_that_does_not_prove_what_it_says_is_refused() {
    let (height, raw) = bad("accepted_oddities", "elided-root-unchecked");
    let good = headers(height);
    let (forged_at, forged) = bad("rejected", "non-member-signature");
    let mut gap = headers(height - 2);
    gap.push(raw.clone());
    let mut alone = headers(forged_at - 1);
    alone.push(forged);
    let mut other = params();
    other.genesis_block.replace_range(80..82, "ff");
    for (what, params, headers) in [
        ("no header", params(), vec![]),
        ("breaks no rule", params(), good),
        ("did not sign", params(), gap),
        ("did not sign", params(), alone),
        ("cannot be read", params(), vec![vec![1, 2]]),
        ("genesis", other, vec![raw]),
    ] {
        let (ok, detail) = verdict(&faults::write_header(&params, Lead::whole(&[]), &headers));
        assert!(!ok && detail.contains(what), "{what}: {detail}");
    }
    for text in ["{}", r#"{"format":"causeway-fault-1"}"#, r#"{"format":"causeway-fault-1","header":{},"x":1}"#, "["] {
        assert!(proofs::verify(text).is_err(), "{text}");
    }
}

/// A block of the fixtures with a confidential payment at position 1: its height, itself, and everything it could spend from.
fn payment() -> (usize, Block, Vec<Transaction>) {
    let wallet = fixture("wallet");
    let cases = wallet["blocks"].as_array().expect("blocks");
    let read = |case: &Value| deserialize::<Block>(&bytes(&case["block"])).expect("a block");
    let all: Vec<Transaction> = cases.iter().flat_map(|case| read(case).txdata).collect();
    let known = |tx: &Transaction| tx.input.iter().all(|i| all.iter().any(|parent| parent.txid() == i.previous_output.txid));
    let confidential = |tx: &Transaction| tx.output.iter().take(2).all(|output| output.value.is_confidential());
    let (height, block) = cases
        .iter()
        .map(|case| (usize::try_from(case["height"].as_u64().expect("a height")).expect("small"), read(case)))
        .find(|(_, block)| block.txdata.get(1).is_some_and(|tx| confidential(tx) && known(tx)))
        .expect("a confidential payment");
    (height, block, all)
}

/// Signs a block as the federation of the fixtures would at its height.
fn sign(block: &mut Block) {
    let sets = &fixture("chain")["network"]["signers"];
    let digest = block.block_hash().to_byte_array();
    let BlockExtData::Dynafed { current, signblock_witness, .. } = &mut block.header.ext else { panic!("dynafed") };
    let script = current.signblockscript().expect("a script").as_bytes();
    let set = sets.as_object().expect("sets").values().find(|set| bytes(&set["p2wsh_script_pubkey"]) == script).expect("a set");
    let k = usize::try_from(set["k"].as_u64().expect("k")).expect("small");
    let message = Message::from_digest(digest);
    let sign = |key: &Value| {
        let key = SecretKey::from_slice(&bytes(key)).expect("a key");
        [&SECP256K1.sign_ecdsa(&message, &key).serialize_der()[..], &[1]].concat()
    };
    *signblock_witness = std::iter::once(Vec::new())
        .chain(set["private_keys"].as_array().expect("keys").iter().take(k).map(sign))
        .chain([bytes(&set["witness_script"])])
        .collect();
}

#[test]
fn a_signed_block_with_a_broken_range_proof_convicts_the_federation() {
    let (height, mut block, parents) = payment();
    let (first, second) = (block.txdata[1].output[0].witness.clone(), block.txdata[1].output[1].witness.clone());
    (block.txdata[1].output[0].witness, block.txdata[1].output[1].witness) = (second, first);
    let commitment = merkle::witness_commitment_script(&block).expect("a commitment");
    let output = block.txdata[0].output.iter_mut().rfind(|o| o.script_pubkey.len() == 38).expect("a commitment");
    output.script_pubkey = commitment;
    block.header.merkle_root = merkle::block_root(&block).expect("a root");
    sign(&mut block);
    let txid = block.txdata[1].txid();
    let mut headers = headers(height - 1);
    headers.push(serialize(&block.header));
    let (ok, detail) = verdict(&faults::write_block(&params(), Lead::whole(&headers), &block, txid, &parents));
    assert!(ok && detail.contains("output 0"), "{detail}");
    let (ok, detail) = verdict(&faults::write_block(&params(), Lead::whole(&headers), &block, txid, &[]));
    assert!(!ok && detail.contains("spends"), "{detail}");
}

#[test]
fn proofs_that_hold_or_were_changed_afterwards_convict_nobody() {
    let (height, block, parents) = payment();
    let txid = block.txdata[1].txid();
    let (ok, detail) = verdict(&faults::write_block(&params(), Lead::whole(&headers(height)), &block, txid, &parents));
    assert!(!ok && detail.contains("the proofs hold"), "{detail}");
    // A proof is no part of the transaction id, but the coinbase commits to it.
    let mut changed = block.clone();
    changed.txdata[1].output[0].witness = elements::TxOutWitness::default();
    assert_eq!(changed.block_hash(), block.block_hash());
    let (ok, detail) = verdict(&faults::write_block(&params(), Lead::whole(&headers(height)), &changed, txid, &parents));
    assert!(!ok && detail.contains("witness"), "{detail}");
    let (ok, detail) = verdict(&faults::write_block(&params(), Lead::whole(&headers(height - 1)), &block, txid, &parents));
    assert!(!ok && detail.contains("do not lead"), "{detail}");
}

/// A header of the fixtures, changed and signed again by the members in force at its height.
fn twin(raw: &[u8]) -> elements::BlockHeader {
    let header: elements::BlockHeader = deserialize(raw).expect("a header");
    let mut block = Block { header, txdata: Vec::new() };
    block.header.time += 1;
    sign(&mut block);
    block.header
}

#[test]
fn two_signed_histories_convict_the_federation_when_one_was_final() {
    let all = headers(25);
    let (common, ours) = all.split_at(22);
    let other = vec![serialize(&twin(&ours[0]))];
    let (ok, detail) = verdict(&faults::write_fork(&params(), Lead::whole(common), ours, &other));
    assert!(ok && detail.contains("3 of 5 signed two histories from height 23 on"), "{detail}");
    for (what, common, one, other) in [
        ("was final", common, &ours[..1], &other[..]),
        ("do not part there", common, ours, &ours[..1]),
        ("is empty", common, ours, &[]),
        ("height 23", &common[..21], ours, &other),
    ] {
        let (ok, detail) = verdict(&faults::write_fork(&params(), Lead::whole(common), one, other));
        assert!(!ok && detail.contains(what), "{what}: {detail}");
    }
    let mut forged = twin(&ours[0]);
    forged.time += 1;
    let (ok, detail) = verdict(&faults::write_fork(&params(), Lead::whole(common), ours, &[serialize(&forged)]));
    assert!(!ok && detail.contains("signature"), "{detail}");
}

#[test]
fn a_height_that_a_member_signed_twice_convicts_it() {
    let height = 23;
    let raw = headers(height).pop().expect("a header");
    let honest: elements::BlockHeader = deserialize(&raw).expect("a header");
    let BlockExtData::Dynafed { signblock_witness, .. } = &honest.ext else { panic!("dynafed") };
    let set =
        causeway_sidechain::consensus::signature::Multisig::parse(signblock_witness.last().expect("a script")).expect("a set");
    let sets = fixture("chain")["network"]["signers"].clone();
    let secret = |at: usize| {
        let script = bitcoin::hex::DisplayHex::to_lower_hex_string(&signblock_witness.last().expect("a script")[..]);
        let set = sets.as_object().expect("sets").values().find(|set| set["witness_script"] == script.as_str()).expect("a set");
        SecretKey::from_slice(&bytes(&set["private_keys"][at])).expect("a key")
    };
    let signed = |header: &elements::BlockHeader, key: &SecretKey| {
        let message = Message::from_digest(header.block_hash().to_byte_array());
        let signature = SECP256K1.sign_ecdsa(&message, key).serialize_compact();
        (header.clone(), causeway_federation::message::Signature(signature))
    };
    let other = twin(&raw);
    let proof = |key, by: &SecretKey| causeway_federation::DoubleSign::new(key, signed(&honest, by), signed(&other, by));
    let good = proof(set.keys[2], &secret(2));
    let (ok, detail) = verdict(&faults::write_double_sign(&params(), Lead::whole(&headers(height)), &good));
    assert!(ok && detail.contains("member 3 of 5") && detail.contains("at height 23"), "{detail}");
    let stranger = SecretKey::from_slice(&[0x77; 32]).expect("a key");
    for (what, headers, proof) in [
        ("another height", headers(height - 1), good.clone()),
        ("no member", headers(height), proof(stranger.public_key(SECP256K1), &stranger)),
        ("do not hold", headers(height), proof(set.keys[2], &stranger)),
    ] {
        let (ok, detail) = verdict(&faults::write_double_sign(&params(), Lead::whole(&headers), &proof));
        assert!(!ok && detail.contains(what), "{what}: {detail}");
    }
}

#[test]
fn evidence_carries_only_the_headers_that_are_needed_and_needs_them_all() {
    let (height, raw) = bad("accepted_oddities", "elided-root-unchecked");
    let before = headers(height - 1);
    let text = faults::write_header(&params(), Lead::whole(&before), std::slice::from_ref(&raw));
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let carried = file["header"]["headers"].as_array().expect("headers").len();
    assert!(carried < height, "{carried} headers for height {height}");
    assert!(verdict(&text).0);
    for left_out in [0, carried / 2, carried - 2] {
        let mut file = file.clone();
        file["header"]["headers"].as_array_mut().expect("headers").remove(left_out);
        let (ok, detail) = verdict(&file.to_string());
        assert!(!ok, "without header {left_out}: {detail}");
    }

    // A file may begin at a block that data pins, but not at one that its writer likes.
    let root: elements::BlockHeader = deserialize(&before[9]).expect("a header");
    assert_eq!(root.height, 10);
    let lead = Lead { root: Some(&root), headers: &before[10..] };
    let (ok, detail) = verdict(&faults::write_header(&params(), lead, &[raw]));
    assert!(!ok && detail.contains("pins"), "{detail}");
}
