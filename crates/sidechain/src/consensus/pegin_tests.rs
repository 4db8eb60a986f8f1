//! Claims built from parent blocks, and the same claims spoilt.

use super::*;
use bitcoin::block::{Header, Version};
use bitcoin::{Amount, CompactTarget, Transaction, TxMerkleNode, absolute, transaction};

/// The parent chain of a test: one block with a number of confirmations.
struct At(u32);

impl ParentChain for At {
    fn confirmations(&self, _: &bitcoin::BlockHash, transactions: u32) -> Option<u32> {
        (transactions == 3).then_some(self.0)
    }
}

fn peg() -> Peg {
    let parent_genesis = bitcoin::constants::genesis_block(Network::Regtest).block_hash();
    Peg { asset: AssetId::LIQUID_BTC, parent_genesis, depth: 10 }
}

fn fedpeg() -> Fedpeg {
    let keys = ["02cb23a598bd8146c62b4341f85da10fdd95bdd254dc1a8bd00bd49ad6aff8759b"].map(|key| key.parse().expect("a key"));
    let script = super::super::signature::Multisig { k: 1, keys: keys.to_vec() }.to_script();
    let script = bitcoin::ScriptBuf::from_bytes(script.to_bytes());
    Fedpeg { epoch_start: 0, program: script.to_p2wsh(), script }
}

fn claim_script() -> Script {
    Script::from([vec![0, 20], vec![7; 20]].concat())
}

fn pay(script: bitcoin::ScriptBuf, mark: u32) -> Transaction {
    let input = bitcoin::TxIn {
        sequence: bitcoin::Sequence(mark),
        witness: bitcoin::Witness::from_slice(&[[1u8; 70]]),
        ..bitcoin::TxIn::default()
    };
    let output = bitcoin::TxOut { value: Amount::from_sat(50_000), script_pubkey: script };
    Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![input],
        output: vec![output],
    }
}

/// A mined block of three transactions; the middle one is the deposit.
fn block(deposit: &Fedpeg) -> (bitcoin::Block, bitcoin::OutPoint) {
    let script = deposit_script(deposit, &claim_script()).expect("an address");
    let txdata = vec![pay(script.clone(), 1), pay(script.clone(), 2), pay(script, 3)];
    let txid = txdata[1].compute_txid();
    let header = Header {
        version: Version::TWO,
        prev_blockhash: bitcoin::BlockHash::all_zeros(),
        merkle_root: TxMerkleNode::all_zeros(),
        time: 1,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        nonce: 0,
    };
    let mut block = bitcoin::Block { header, txdata };
    block.header.merkle_root = block.compute_merkle_root().expect("transactions");
    while block.header.validate_pow(block.header.target()).is_err() {
        block.header.nonce += 1;
    }
    (block, bitcoin::OutPoint::new(txid, 0))
}

fn claim() -> (PeginWitness, bitcoin::OutPoint) {
    let (block, deposit) = block(&fedpeg());
    (PeginWitness::build(&peg(), &block, &deposit.txid, 0, &claim_script()).expect("in the block"), deposit)
}

#[test]
fn a_claim_built_from_a_block_is_valid_and_stripped() {
    let (witness, deposit) = claim();
    let checked = witness.verify(&peg(), &deposit, &[fedpeg()]).expect("valid");
    assert_eq!((checked.transactions, checked.position, checked.value), (3, 1, 50_000));
    assert_eq!(PeginWitness::parse(&witness.to_items()), Ok(witness.clone()));
    assert_eq!(witness.to_library().data().map(PeginWitness::of_library), Some(Ok(witness.clone())));
    assert!(witness.parent_tx.input[0].witness.is_empty());
    assert_eq!(witness.claimed_output().value, Value::Explicit(50_000));
}

#[test]
fn nothing_is_built_for_a_deposit_that_is_not_there() {
    let (block, deposit) = block(&fedpeg());
    assert_eq!(PeginWitness::build(&peg(), &block, &deposit.txid, 1, &claim_script()), None);
    let stranger = bitcoin::Txid::from_byte_array([3; 32]);
    assert_eq!(PeginWitness::build(&peg(), &block, &stranger, 0, &claim_script()), None);
}

#[test]
fn a_deposit_matures_with_its_chain_and_a_coinbase_later() {
    let (witness, deposit) = claim();
    let mut checked = witness.verify(&peg(), &deposit, &[fedpeg()]).expect("valid");
    assert_eq!(checked.check_depth(&peg(), &At(9)), Err(PeginFault::Immature { got: 9, need: 10 }));
    assert_eq!(checked.check_depth(&peg(), &At(10)), Ok(()));
    checked.transactions = 4;
    assert_eq!(checked.check_depth(&peg(), &At(10)), Err(PeginFault::Immature { got: 0, need: 10 }), "another block than known");
    checked.transactions = 3;
    checked.position = 0;
    assert_eq!(checked.check_depth(&peg(), &At(99)), Err(PeginFault::Immature { got: 99, need: 100 }));
    assert_eq!(checked.check_depth(&peg(), &At(100)), Ok(()));
}

#[test]
fn a_spoilt_claim_is_refused_for_what_was_spoilt() {
    type Spoil = fn(&mut PeginWitness, &mut bitcoin::OutPoint, &mut Vec<Fedpeg>);
    let cases: [(&str, Spoil, PeginFault); 12] = [
        ("parent", |w, _, _| w.parent_genesis = bitcoin::BlockHash::all_zeros(), PeginFault::ParentGenesis),
        ("asset", |w, _, _| w.asset = AssetId::LIQUIDTESTNET_BTC, PeginFault::Asset),
        (
            "another transaction",
            |w, _, _| w.parent_tx.lock_time = absolute::LockTime::from_consensus(7),
            PeginFault::WrongTransaction,
        ),
        ("no such output", |_, d, _| d.vout = 1, PeginFault::WrongTransaction),
        ("value", |w, _, _| w.value += 1, PeginFault::WrongValue),
        ("merkle root", |w, _, _| w.proof.header.merkle_root = TxMerkleNode::all_zeros(), PeginFault::MerkleProof),
        ("two matches", |w, _, _| w.proof = proof_of(|_| true), PeginFault::MerkleProof),
        ("no match", |w, _, _| w.proof = proof_of(|_| false), PeginFault::MerkleProof),
        ("proof of another", |w, _, _| w.proof = proof_of(is_last), PeginFault::WrongProof),
        ("work", |w, _, _| unmine(&mut w.proof.header), PeginFault::ProofOfWork),
        ("claim script", |w, _, _| w.claim_script = Script::from(vec![0x51]), PeginFault::NotToFederation),
        ("federation", |_, _, f| f.clear(), PeginFault::NotToFederation),
    ];
    for (what, spoil, fault) in cases {
        let (mut witness, mut deposit) = claim();
        let mut fedpegs = vec![fedpeg()];
        assert!(witness.verify(&peg(), &deposit, &fedpegs).is_ok());
        spoil(&mut witness, &mut deposit, &mut fedpegs);
        assert_eq!(witness.verify(&peg(), &deposit, &fedpegs), Err(fault), "{what}");
    }
}

fn proof_of(matches: impl Fn(&bitcoin::Txid) -> bool) -> bitcoin::MerkleBlock {
    bitcoin::MerkleBlock::from_block_with_predicate(&block(&fedpeg()).0, matches)
}

/// Whether this is the last transaction of the block.
fn is_last(txid: &bitcoin::Txid) -> bool {
    block(&fedpeg()).0.txdata[2].compute_txid() == *txid
}

/// Turns the nonce until the hash misses the target.
fn unmine(header: &mut Header) {
    while header.validate_pow(header.target()).is_ok() {
        header.nonce += 1;
    }
}

#[test]
fn easy_work_proves_nothing_on_the_main_chain() {
    let main = bitcoin::constants::genesis_block(Network::Bitcoin).block_hash();
    let (mut witness, deposit) = claim();
    witness.parent_genesis = main;
    let peg = Peg { parent_genesis: main, ..peg() };
    assert_eq!(witness.verify(&peg, &deposit, &[fedpeg()]), Err(PeginFault::ProofOfWork));
    let unknown = bitcoin::BlockHash::from_byte_array([6; 32]);
    witness.parent_genesis = unknown;
    assert_eq!(witness.verify(&Peg { parent_genesis: unknown, ..peg }, &deposit, &[fedpeg()]), Err(PeginFault::ProofOfWork));
}

#[test]
fn a_peg_program_of_an_unknown_version_lets_nothing_through() {
    let (witness, deposit) = claim();
    let mut future = fedpeg();
    future.program = bitcoin::ScriptBuf::from_bytes([vec![0x52, 32], vec![1; 32]].concat());
    assert_eq!(witness.verify(&peg(), &deposit, &[future.clone()]), Err(PeginFault::NotToFederation));
    assert_eq!(deposit_script(&future, &claim_script()), Err(PeginFault::BadFederationScript));
}
