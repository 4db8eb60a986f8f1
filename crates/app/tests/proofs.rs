//! Proofs made from blocks of a real elementsd.

use causeway_app::proofs::{Evidence, introduction, verify, write, write_payment};
use causeway_contract::ProofKind;
use causeway_sidechain::consensus::merkle;
use causeway_vocab::{Opening, SidechainParams};
use elements::confidential::{AssetBlindingFactor, ValueBlindingFactor};
use elements::encode::deserialize;
use elements::{Block, BlockHeader, Transaction};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

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

/// Headers of the fixture chain from the genesis block on; its federation changes three times.
fn headers() -> Vec<BlockHeader> {
    let chain = fixture("chain");
    let list = chain["headers"].as_array().expect("headers");
    list.iter().map(|h| deserialize(&bytes(&h["header"])).expect("a header")).collect()
}

/// What introduces the members that signed a block of the fixture chain.
fn introduced(params: &SidechainParams, all: &[BlockHeader], header: &BlockHeader) -> Vec<BlockHeader> {
    introduction(&Arc::new(params.clone()), header, |height| all.get(height as usize).cloned()).expect("a chain")
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
        let introduced = introduced(&params, &headers, &block.header);
        let evidence = Evidence {
            params: &params,
            tx,
            outputs: BTreeMap::from([(*vout, *opening)]),
            issuances: BTreeMap::new(),
            block: Some((&block.header, *position, branch)),
            parents: all.iter().filter(|parent| tx.input.iter().any(|i| i.previous_output.txid == parent.txid())).collect(),
            contract: None,
            headers: introduced.iter().collect(),
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
    let introduced = introduced(&params, &headers, &block.header);
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
            headers: introduced.iter().collect(),
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

#[test]
fn only_what_introduces_a_changed_federation_is_exported_and_all_of_it_is_needed() {
    let params = params();
    let all = headers();
    let mut changed = 0;
    for (block, position, vout, opening) in openings() {
        let introduced = introduced(&params, &all, &block.header);
        if introduced.is_empty() {
            continue;
        }
        changed += 1;
        assert!(introduced.len() <= block.header.height as usize, "no header twice");
        let proof = |headers: Vec<&BlockHeader>| {
            let text = write(&Evidence {
                params: &params,
                tx: &block.txdata[position as usize],
                outputs: BTreeMap::from([(vout, opening)]),
                issuances: BTreeMap::new(),
                block: Some((&block.header, position, merkle::branch(&block, position).expect("it is there"))),
                parents: Vec::new(),
                contract: None,
                headers,
            });
            verify(&text).expect("readable").ok
        };
        assert!(proof(introduced.iter().collect()));
        let last = introduced.len() - 1;
        for left_out in [0, last / 2, last] {
            let fewer = introduced.iter().enumerate().filter(|(place, _)| *place != left_out).map(|(_, header)| header);
            assert!(!proof(fewer.collect()), "without header {left_out} nothing introduces the members");
        }
        if changed == 3 {
            break;
        }
    }
    assert!(changed > 0, "the fixture's federation changed before its wallets were paid");
}

/// A block of nobody's on top of another, with the work that the private test network asks for.
fn mine(parent: bitcoin::BlockHash, txdata: Vec<bitcoin::Transaction>) -> bitcoin::Block {
    use bitcoin::{CompactTarget, TxMerkleNode, block, hashes::Hash as _};
    let root = bitcoin::merkle_tree::calculate_root(txdata.iter().map(|tx| tx.compute_txid().to_raw_hash()));
    let merkle_root = TxMerkleNode::from_raw_hash(root.unwrap_or_else(bitcoin::hashes::sha256d::Hash::all_zeros));
    let mut header = block::Header {
        version: block::Version::TWO,
        prev_blockhash: parent,
        merkle_root,
        time: 1_800_000_000,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce: 0,
    };
    while header.validate_pow(header.target()).is_err() {
        header.nonce += 1;
    }
    bitcoin::Block { header, txdata }
}

#[test]
fn a_bitcoin_payment_is_proven_by_its_block_and_the_work_above() {
    use bitcoin::hashes::Hash as _;
    let tx = |tag: u8| bitcoin::Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: vec![bitcoin::TxIn {
            previous_output: bitcoin::OutPoint::new(bitcoin::Txid::from_byte_array([tag; 32]), 0),
            ..bitcoin::TxIn::default()
        }],
        output: vec![bitcoin::TxOut {
            value: bitcoin::Amount::from_sat(50_000),
            script_pubkey: bitcoin::ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_byte_array([tag; 20])),
        }],
    };
    let paid = tx(2);
    let block = mine(bitcoin::BlockHash::all_zeros(), vec![tx(1), paid.clone(), tx(3)]);
    let next = mine(block.block_hash(), vec![tx(4)]);
    let last = mine(next.block_hash(), vec![tx(5)]);
    let place = |txid| bitcoin::MerkleBlock::from_block_with_predicate(&block, |id| *id == txid);
    let branch = place(paid.compute_txid());
    let network = bitcoin::Network::Regtest;
    let proof = |tx: &bitcoin::Transaction, outputs: &[u32], branch: &bitcoin::MerkleBlock, above: &[bitcoin::block::Header]| {
        verify(&write_payment(network, tx, outputs, branch, above)).expect("readable")
    };
    let above = [next.header, last.header];
    let verdict = proof(&paid, &[0], &branch, &above);
    let kinds: Vec<_> = verdict.statements.iter().map(|s| s.kind).collect();
    assert_eq!(kinds, [ProofKind::Transaction, ProofKind::Payment, ProofKind::Inclusion, ProofKind::Work]);
    assert!(verdict.ok, "{verdict:#?}");
    assert_eq!(verdict.statements[1].amount.as_ref().map(|amount| amount.amount.0), Some(50_000));
    assert!(verdict.statements[3].detail.starts_with("3 confirmations"), "{verdict:#?}");

    let failed = |verdict: causeway_contract::ProofVerdict| {
        assert!(!verdict.ok);
        verdict.statements.into_iter().filter(|s| !s.ok).map(|s| s.kind).collect::<Vec<_>>()
    };
    assert_eq!(failed(proof(&tx(9), &[0], &branch, &above)), [ProofKind::Inclusion], "another transaction");
    assert_eq!(failed(proof(&paid, &[1], &branch, &above)), [ProofKind::Payment], "an output that is not there");
    assert_eq!(failed(proof(&paid, &[0], &place(tx(3).compute_txid()), &above)), [ProofKind::Inclusion], "a branch to another");
    assert_eq!(failed(proof(&paid, &[0], &branch, &[last.header])), [ProofKind::Work], "a gap");
    let mut lazy = next.header;
    while lazy.validate_pow(lazy.target()).is_ok() {
        lazy.nonce += 1;
    }
    assert_eq!(failed(proof(&paid, &[0], &branch, &[lazy])), [ProofKind::Work], "a header without work");
}
