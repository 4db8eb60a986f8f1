//! Writes the seeds that no fixture holds: formats of our own. `cargo run -p causeway-tests --example fuzz_seeds`.
#![allow(clippy::print_stdout)]

use bitcoin::hex::FromHex as _;
use bitcoin::secp256k1::SecretKey;
use causeway_app::faults;
use causeway_app::proofs;
use causeway_federation::functionary::FunctionaryKeys;
use causeway_federation::message::{Body, Vote};
use causeway_federation::{Envelope, Evidence};
use causeway_vocab::{BitcoinParams, Realm, SidechainParams};
use elements::encode::{deserialize, serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> Value {
    let text = std::fs::read_to_string(root().join("fixtures/elements").join(name)).expect("a fixture");
    serde_json::from_str(&text).expect("JSON")
}

fn bytes(value: &Value) -> Vec<u8> {
    Vec::from_hex(value.as_str().expect("text")).expect("hex")
}

fn put(target: &str, name: &str, seed: impl AsRef<[u8]>) {
    let dir = root().join("../fuzz/seeds").join(target);
    std::fs::create_dir_all(&dir).expect("a directory");
    std::fs::write(dir.join(name), seed).expect("written");
    println!("{target}/{name}");
}

fn params() -> SidechainParams {
    let mut network = fixture("chain.json")["network"].clone();
    let fields = network.as_object_mut().expect("an object");
    for extra in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.remove(extra);
    }
    serde_json::from_value(network).expect("parameters")
}

fn main() {
    let params = params();
    let wallet = fixture("wallet.json");
    let mut blocks: Vec<elements::Block> =
        wallet["blocks"].as_array().expect("blocks").iter().map(|b| deserialize(&bytes(&b["block"])).expect("a block")).collect();
    blocks.sort_by_key(|block| block.size());
    let block = &blocks[0];
    messages(&params, block);
    files(&params, block);
    psets(&blocks);
    let realm = Realm {
        name: "lab".into(),
        valueless: true,
        bitcoin: BitcoinParams {
            network: bitcoin::Network::Regtest,
            peers: vec!["127.0.0.1:18444".parse().expect("an address")],
            required_peers: 1,
        },
        sidechain: params,
        testbed: None,
        staking: None,
    };
    put("realm-file", "lab", realm.to_toml());
}

fn messages(params: &SidechainParams, block: &elements::Block) {
    let key = |n| SecretKey::from_slice(&[n; 32]).expect("a key");
    let keys = FunctionaryKeys { message: key(1), block: key(2), fedpeg: key(3) };
    let hash = block.block_hash();
    let vote = |round| Vote { height: 7, round, hash };
    let mut other = vote(1);
    other.hash = params.genesis_hash;
    let bodies = [
        ("prevote", Body::Prevote(vote(1))),
        ("status", Body::Status { height: 9, round: 2 }),
        ("want", Body::Want { height: 9, hash }),
        ("candidate", Body::Candidate(Box::new(block.clone()))),
        ("finished", Body::Finished(Box::new(block.clone()))),
        ("other-prevote", Body::Prevote(other)),
    ];
    let mut said = Vec::new();
    for (name, body) in bodies {
        let envelope = Envelope::sign(params.genesis_hash, 2, &keys, body);
        put("functionary-message", name, envelope.encode());
        if let Some(statement) = envelope.body.statement() {
            said.push((statement, envelope.signature));
        }
    }
    let evidence = Evidence { member: 2, first: said[0], second: said[1] };
    put("functionary-evidence", "two-prevotes", evidence.to_bytes());
    let envelope = Envelope::sign(params.genesis_hash, 2, &keys, Body::Evidence(Box::new(evidence)));
    put("functionary-message", "evidence", envelope.encode());
    let channel = [[1, 2].as_slice(), &[7; 32], &[9; 36]].concat();
    put("streaming-message", "funded", &channel);
    put("streaming-message", "ready", [[1, 3].as_slice(), &[7; 32]].concat());
    put("streaming-message", "paid", [[1, 5].as_slice(), &[7; 32], &[1, 0, 0, 0, 0, 0, 0, 0]].concat());
    let payer = keys.message.x_only_public_key(bitcoin::secp256k1::SECP256K1).0.serialize();
    let open = [
        [1, 0].as_slice(),
        &[0xfa, 0xbf, 0xb5, 0xda],
        &payer,
        &100_000u64.to_le_bytes(),
        &500u32.to_le_bytes(),
        &300u64.to_le_bytes(),
        &[22, 0, 20],
        &[5; 20],
    ];
    put("streaming-message", "open", open.concat());
}

fn files(params: &SidechainParams, block: &elements::Block) {
    let chain = fixture("chain.json");
    let headers: Vec<Vec<u8>> = chain["headers"].as_array().expect("headers")[1..8].iter().map(|h| bytes(&h["header"])).collect();
    put("fault-file", "header", faults::write_header(params, faults::Lead::whole(&[]), &headers));
    let tx = &block.txdata[0];
    put("fault-file", "block", faults::write_block(params, faults::Lead::whole(&headers), block, tx.txid(), &[]));
    let branch = causeway_sidechain::consensus::merkle::branch(block, 0).expect("a branch");
    let evidence = proofs::Evidence {
        params,
        tx,
        outputs: BTreeMap::new(),
        issuances: BTreeMap::new(),
        block: Some((&block.header, 0, branch)),
        parents: Vec::new(),
        contract: Some(r#"{"name":"Gold","ticker":"GOLD","precision":2,"version":0}"#),
        headers: Vec::new(),
    };
    put("proof-file", "coinbase", proofs::write(&evidence));
}

fn psets(blocks: &[elements::Block]) {
    use elements::pset::PartiallySignedTransaction as Pset;
    let mut txs: Vec<&elements::Transaction> =
        blocks.iter().flat_map(|block| &block.txdata).filter(|tx| !tx.is_coinbase()).collect();
    txs.sort_by_key(|tx| tx.size());
    for (n, tx) in txs.iter().take(3).enumerate() {
        let pset = Pset::from_tx((*tx).clone());
        put("pset", &format!("{n}"), serialize(&pset));
        put("pset", &format!("{n}-base64"), pset.to_string());
    }
}
