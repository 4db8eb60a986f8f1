//! Proofs made from blocks of a real elementsd.

use causeway_app::proofs::{Evidence, verify, write};
use causeway_contract::ProofKind;
use causeway_sidechain::consensus::merkle;
use causeway_vocab::{Opening, SidechainParams};
use elements::confidential::{AssetBlindingFactor, ValueBlindingFactor};
use elements::encode::deserialize;
use elements::{Block, BlockHeader, Transaction};
use serde_json::Value;
use std::collections::BTreeMap;

fn fixture(name: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/elements/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("the fixture")).expect("JSON")
}

fn params() -> SidechainParams {
    serde_json::from_value(fixture("chain")["network"].clone()).unwrap_or_else(|_| {
        let mut network = fixture("chain")["network"].clone();
        let fields = network.as_object_mut().expect("an object");
        for extra in
            ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
        {
            fields.remove(extra);
        }
        serde_json::from_value(network).expect("the fields of chain.json")
    })
}

fn bytes(hex: &Value) -> Vec<u8> {
    bitcoin::hex::FromHex::from_hex(hex.as_str().expect("hex")).expect("hex")
}

fn blocks() -> Vec<(Value, Block)> {
    let wallet = fixture("wallet");
    let list = wallet["blocks"].as_array().expect("blocks");
    list.iter().map(|b| (b.clone(), deserialize(&bytes(&b["block"])).expect("a block"))).collect()
}

/// Every confidential output of the fixtures' wallets with its block, position and opening.
fn openings() -> Vec<(Block, u32, u32, Opening)> {
    let mut found = Vec::new();
    for (json, block) in blocks() {
        for (position, tx) in (0u32..).zip(json["txs"].as_array().expect("txs")) {
            for output in tx["outputs"].as_array().expect("outputs") {
                if output["unblinds"] != true || output["confidential"] != true {
                    continue;
                }
                let field = |name: &str| output[name].as_str().expect(name).to_owned();
                let opening = Opening {
                    asset: field("asset").parse().expect("an asset"),
                    asset_bf: field("asset_blinder").parse::<AssetBlindingFactor>().expect("a blinding factor"),
                    value: output["value"].as_u64().expect("a value"),
                    value_bf: field("value_blinder").parse::<ValueBlindingFactor>().expect("a blinding factor"),
                };
                found.push((
                    block.clone(),
                    position,
                    u32::try_from(output["vout"].as_u64().expect("vout")).expect("small"),
                    opening,
                ));
            }
        }
    }
    found
}

/// Headers of the fixture chain from height 1 on; its federation changes three times.
fn headers() -> Vec<BlockHeader> {
    let chain = fixture("chain");
    let list = chain["headers"].as_array().expect("headers");
    list.iter().skip(1).map(|h| deserialize(&bytes(&h["header"])).expect("a header")).collect()
}

#[test]
fn members_whom_nothing_introduces_prove_nothing() {
    let params = params();
    let (block, position, vout, opening) = openings().swap_remove(0);
    let text = write(&Evidence {
        params: &params,
        tx: &block.txdata[position as usize],
        outputs: BTreeMap::from([(vout, opening)]),
        issuances: BTreeMap::new(),
        block: Some((&block.header, position, merkle::branch(&block, position).expect("it is there"))),
        parents: Vec::new(),
        contract: None,
        headers: Vec::new(),
    });
    let verdict = verify(&text).expect("readable");
    let failed: Vec<_> = verdict.statements.iter().filter(|s| !s.ok).map(|s| s.kind).collect();
    assert_eq!((verdict.ok, failed), (false, vec![ProofKind::Signatures]));
}

#[test]
fn a_disclosed_payment_in_a_signed_block_is_proven() {
    let params = params();
    let all: Vec<Transaction> = blocks().into_iter().flat_map(|(_, block)| block.txdata).collect();
    let (openings, headers) = (openings(), headers());
    assert!(openings.len() > 10, "the fixtures hold confidential outputs");
    let mut with_amounts = 0;
    for (block, position, vout, opening) in &openings {
        let tx = &block.txdata[*position as usize];
        let branch = merkle::branch(block, *position).expect("the transaction is there");
        let evidence = Evidence {
            params: &params,
            tx,
            outputs: BTreeMap::from([(*vout, *opening)]),
            issuances: BTreeMap::new(),
            block: Some((&block.header, *position, branch)),
            parents: all.iter().filter(|parent| tx.input.iter().any(|i| i.previous_output.txid == parent.txid())).collect(),
            contract: None,
            headers: headers.iter().take(block.header.height as usize).collect(),
        };
        let text = write(&evidence);
        let verdict = verify(&text).expect("readable");
        assert!(verdict.ok, "{verdict:#?}");
        let kinds: Vec<_> = verdict.statements.iter().map(|s| s.kind).collect();
        for kind in [ProofKind::Transaction, ProofKind::Payment, ProofKind::Inclusion, ProofKind::Signatures] {
            assert!(kinds.contains(&kind), "{kind:?} is missing");
        }
        with_amounts += usize::from(kinds.contains(&ProofKind::Amounts));
    }
    assert!(with_amounts > 0, "some transactions spend only what the fixtures hold");
}

#[test]
fn a_proof_that_lies_in_any_field_is_caught() {
    let params = params();
    let (block, position, vout, opening) = openings().swap_remove(0);
    let headers = headers();
    let tx = &block.txdata[position as usize];
    let proof = |opening: Opening, header: &BlockHeader, position: u32| {
        let branch = merkle::branch(&block, 0).expect("a block has a first transaction");
        let branch = merkle::branch(&block, position).unwrap_or(branch);
        write(&Evidence {
            params: &params,
            tx,
            outputs: BTreeMap::from([(vout, opening)]),
            issuances: BTreeMap::new(),
            block: Some((header, position, branch)),
            parents: Vec::new(),
            contract: None,
            headers: headers.iter().take(header.height as usize).collect(),
        })
    };
    let ok = |text: &str| verify(text).is_ok_and(|v| v.ok);
    assert!(ok(&proof(opening, &block.header, position)), "the honest proof holds");
    assert!(!ok(&proof(Opening { value: opening.value + 1, ..opening }, &block.header, position)), "another amount");
    assert!(
        !ok(&proof(Opening { asset: elements::AssetId::from_byte_array([7; 32]), ..opening }, &block.header, position)),
        "another asset"
    );
    let mut header = block.header.clone();
    header.time += 1;
    assert!(!ok(&proof(opening, &header, position)), "a header nobody signed");
    assert!(!ok(&proof(opening, &block.header, 0)), "another position");
    let honest = proof(opening, &block.header, position);
    let genesis = params.genesis_hash.to_string();
    assert!(!ok(&honest.replace(&genesis, &genesis.replace('8', "9"))), "another genesis");
    assert!(verify("{}").is_err() && verify(&honest.replace("causeway-proof-1", "causeway-proof-2")).is_err(), "another format");
}
