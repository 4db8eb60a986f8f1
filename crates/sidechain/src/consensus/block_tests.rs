//! Blocks of a running elementsd through full validation, and the same blocks spoilt.

use super::*;
use crate::consensus::fixtures::{self, Fixture};
use crate::consensus::header::HeaderChain;
use crate::consensus::proofs::{self, Place, ProofFault};
use crate::consensus::transaction::Accepted;
use elements::BlockHeader;
use std::collections::BTreeSet;

/// The coins of the blocks seen so far. Blocks before the first one of the fixture are unknown, except for genesis.
#[derive(Default, Clone)]
struct Seen {
    coins: BTreeMap<OutPoint, Coin>,
    claimed: BTreeSet<bitcoin::OutPoint>,
}

impl Coins for Seen {
    fn coin(&self, outpoint: &OutPoint) -> Option<Coin> {
        self.coins.get(outpoint).cloned()
    }

    fn is_claimed(&self, deposit: &bitcoin::OutPoint) -> bool {
        self.claimed.contains(deposit)
    }
}

struct NoParent;

impl ParentChain for NoParent {
    fn confirmations(&self, _: &bitcoin::BlockHash, _: u32) -> Option<u32> {
        None
    }
}

/// Every block of the wallet fixture with the chain before it and the coins then known.
fn blocks() -> (Fixture, Vec<(Block, Seen)>) {
    let fixture = fixtures::chain();
    let mut seen = Seen::default();
    let genesis = fixture.params.genesis().expect("a genesis block");
    seen.coins.extend(genesis_coins(&genesis).created);
    let mut blocks = Vec::new();
    for block in fixtures::wallet_blocks() {
        let next = NextBlock::after(&fixture.params, state_before(&fixture.chain, block));
        blocks.push((block.clone(), seen.clone()));
        for tx in &block.txdata {
            for input in &tx.input {
                seen.coins.remove(&input.previous_output);
            }
            seen.coins.extend(transaction::created(tx, &next));
        }
    }
    (fixture, blocks)
}

fn state_before<'c>(chain: &'c HeaderChain, block: &Block) -> &'c HeaderState {
    chain.state_at(block.header.height - 1).expect("a state before the block")
}

/// The block, when everything it spends is known.
fn complete(block: &Block, seen: &Seen) -> bool {
    let mut made = BTreeSet::new();
    block.txdata.iter().filter(|tx| !tx.is_coinbase()).all(|tx| {
        let known = |outpoint: &OutPoint| made.contains(&outpoint.txid) || seen.coins.contains_key(outpoint);
        let all = tx.input.iter().all(|input| known(&input.previous_output));
        made.insert(tx.txid());
        all
    })
}

fn check(fixture: &Fixture, block: &Block, seen: &Seen) -> Result<CoinChanges, BlockFault> {
    validate(&fixture.params, state_before(&fixture.chain, block), block, u64::from(block.header.time), seen, &NoParent)
}

#[test]
fn blocks_of_a_running_chain_are_valid() {
    let (fixture, blocks) = blocks();
    let mut checked = 0;
    for (block, seen) in blocks.iter().filter(|(block, seen)| complete(block, seen)) {
        let changes = check(&fixture, block, seen).unwrap_or_else(|e| panic!("block {}: {e}", block.header.height));
        assert!(block.txdata[1..].is_empty() == changes.spent.is_empty(), "block {}", block.header.height);
        checked += block.txdata.len() - 1;
    }
    assert!(checked >= 10, "only {checked} transactions were checked");
}

/// A block with a confidential transaction of known coins, with the coins.
fn confidential(blocks: &[(Block, Seen)]) -> &(Block, Seen) {
    let has_proof = |tx: &Transaction| tx.output.iter().any(|output| !output.witness.rangeproof.is_empty());
    let fits = |(block, seen): &&(Block, Seen)| complete(block, seen) && block.txdata[1..].iter().any(has_proof);
    blocks.iter().find(fits).expect("a confidential block")
}

#[test]
fn a_spoilt_block_is_refused_for_what_was_spoilt() {
    type Spoil = fn(&mut Block);
    type Expect = fn(&BlockFault) -> bool;
    let (fixture, blocks) = blocks();
    let (block, seen) = confidential(&blocks);
    assert!(check(&fixture, block, seen).is_ok());
    let cases: [(&str, Spoil, Expect); 6] = [
        ("signature", |b| clear_signatures(&mut b.header), |f| matches!(f, BlockFault::Header(HeaderFault::Signature(_)))),
        ("missing transaction", |b| drop(b.txdata.pop()), |f| *f == BlockFault::Merkle(MerkleFault::WrongRoot)),
        ("doubled transaction", |b| b.txdata.push(b.txdata[1].clone()), |f| matches!(f, BlockFault::Merkle(_))),
        (
            "witness",
            |b| b.txdata[1].input[0].witness.script_witness.push([1]),
            |f| *f == BlockFault::Merkle(MerkleFault::WitnessMismatch),
        ),
        ("no transactions", |b| b.txdata.clear(), |f| *f == BlockFault::Merkle(MerkleFault::Empty)),
        ("height", |b| b.header.height += 1, |f| matches!(f, BlockFault::Header(HeaderFault::Height { .. }))),
    ];
    for (name, spoil, expect) in cases {
        let mut spoilt = block.clone();
        spoil(&mut spoilt);
        let state = state_before(&fixture.chain, block);
        let fault = validate(&fixture.params, state, &spoilt, u64::from(block.header.time), seen, &NoParent).expect_err(name);
        assert!(expect(&fault), "{name}: {fault}");
    }
}

#[test]
fn signatures_weigh_as_witness() {
    for block in fixtures::wallet_blocks() {
        let mut unsigned = block.clone();
        clear_signatures(&mut unsigned.header);
        let signatures = elements::encode::serialize(block).len() - elements::encode::serialize(&unsigned).len();
        assert_eq!(weight(block), weight(&unsigned) + signatures);
    }
}

/// A block whose roots are made to fit again, as a dishonest proposer would.
fn proposal(fixture: &Fixture, block: &Block, seen: &Seen) -> Result<CoinChanges, BlockFault> {
    let mut block = block.clone();
    let commitment = merkle::witness_commitment_script(&block).expect("a commitment");
    let coinbase = &mut block.txdata[0];
    let output = coinbase.output.iter_mut().rfind(|o| o.script_pubkey.as_bytes().starts_with(&[0x6a, 0x24])).expect("committed");
    output.script_pubkey = commitment;
    block.header.merkle_root = merkle::block_root(&block).expect("a root");
    validate_proposal(
        &fixture.params,
        state_before(&fixture.chain, &block),
        &block,
        u64::from(block.header.time),
        seen,
        &NoParent,
    )
}

#[test]
fn a_dishonest_proposal_is_refused_for_what_it_does() {
    type Spoil = fn(&mut Block);
    type Expect = fn(&BlockFault) -> bool;
    let (fixture, blocks) = blocks();
    let (block, seen) = confidential(&blocks);
    assert!(proposal(&fixture, block, seen).is_ok());
    let cases: [(&str, Spoil, Expect); 7] = [
        ("greedy coinbase", |b| coinbase_value(b, 1_000_000), |f| *f == BlockFault::CoinbaseAmount),
        (
            "coinbase of another height",
            |b| b.txdata[0].input[0].script_sig = height_script(7),
            |f| matches!(f, BlockFault::Coinbase(_)),
        ),
        (
            "double spend",
            |b| b.txdata[1].input[0].previous_output.vout += 7,
            |f| is_tx(f, |f| matches!(f, TxFault::MissingCoin(_))),
        ),
        (
            "exchanged range proofs",
            |b| swap_range_proofs(&mut b.txdata[1]),
            |f| is_tx(f, |f| matches!(f, TxFault::Proof(ProofFault::RangeProof(Place::Output(_))))),
        ),
        (
            "exchanged surjection proofs",
            |b| swap_surjection_proofs(&mut b.txdata[1]),
            |f| is_tx(f, |f| matches!(f, TxFault::Proof(ProofFault::SurjectionProof(Place::Output(_))))),
        ),
        (
            "signature of an input",
            |b| b.txdata[1].input[0].witness.script_witness = elements::Witness::from_slice::<&[u8]>(&[]),
            |f| is_tx(f, |f| matches!(f, TxFault::Script(_))),
        ),
        (
            "lock time",
            |b| {
                b.txdata[1].lock_time = elements::LockTime::from_consensus(499_999_999);
                b.txdata[1].input[0].sequence = elements::Sequence::ENABLE_LOCKTIME_NO_RBF;
            },
            |f| is_tx(f, |f| *f == TxFault::NotFinal),
        ),
    ];
    for (name, spoil, expect) in cases {
        let mut spoilt = block.clone();
        spoil(&mut spoilt);
        let fault = proposal(&fixture, &spoilt, seen).expect_err(name);
        assert!(expect(&fault), "{name}: {fault}");
    }
}

fn is_tx(fault: &BlockFault, expect: fn(&TxFault) -> bool) -> bool {
    matches!(fault, BlockFault::Transaction { fault, .. } if expect(fault))
}

fn clear_signatures(header: &mut BlockHeader) {
    header.clear_witness();
}

fn coinbase_value(block: &mut Block, extra: u64) {
    let output = block.txdata[0].output.iter_mut().find(|output| output.value.explicit().is_some_and(|v| v > 0));
    match output {
        Some(output) => output.value = Value::Explicit(output.value.explicit().unwrap_or(0) + extra),
        None => {
            let output = &mut block.txdata[0].output[0];
            output.value = Value::Explicit(extra);
        }
    }
}

/// Positions of two confidential outputs.
fn two_confidential(tx: &Transaction) -> (usize, usize) {
    let mut found = tx.output.iter().enumerate().filter(|(_, output)| output.value.is_confidential()).map(|(i, _)| i);
    (found.next().expect("one"), found.next().expect("two"))
}

fn first_confidential(tx: &mut Transaction) -> &mut elements::TxOut {
    let at = two_confidential(tx).0;
    &mut tx.output[at]
}

fn swap_range_proofs(tx: &mut Transaction) {
    let (a, b) = two_confidential(tx);
    let taken = tx.output[a].witness.rangeproof.clone();
    tx.output[a].witness.rangeproof = std::mem::replace(&mut tx.output[b].witness.rangeproof, taken);
}

fn swap_surjection_proofs(tx: &mut Transaction) {
    let (a, b) = two_confidential(tx);
    let taken = tx.output[a].witness.surjection_proof.clone();
    tx.output[a].witness.surjection_proof = std::mem::replace(&mut tx.output[b].witness.surjection_proof, taken);
}

/// The first confidential transaction with known coins, and what it spends.
fn confidential_tx() -> (Transaction, Vec<elements::TxOut>, Accepted, Fixture) {
    let (fixture, blocks) = blocks();
    let (block, seen) = confidential(&blocks);
    let tx = block.txdata[1].clone();
    let state = state_before(&fixture.chain, block);
    let accepted = transaction::validate(&fixture.params, state, &tx, seen, &NoParent).expect("valid");
    let spent = tx.input.iter().map(|input| seen.coins[&input.previous_output].output.clone()).collect();
    (tx, spent, accepted, fixture)
}

#[test]
fn spoilt_confidential_mathematics_is_refused_for_what_was_spoilt() {
    use elements::confidential::{RangeProof, SurjectionProof};
    type Spoil = fn(&mut Transaction, &mut Vec<elements::TxOut>);
    type Expect = fn(&ProofFault) -> bool;
    let (tx, spent, accepted, fixture) = confidential_tx();
    let asset = fixture.params.policy_asset;
    assert_eq!(proofs::verify(&tx, &spent, asset), Ok(accepted.fees.clone()));
    let cases: [(&str, Spoil, Expect); 8] = [
        ("no spent outputs", |_, s| s.clear(), |f| matches!(f, ProofFault::SpentCount { .. })),
        (
            "no range proof",
            |t, _| first_confidential(t).witness.rangeproof = RangeProof::EMPTY,
            |f| matches!(f, ProofFault::MissingRangeProof(_)),
        ),
        (
            "no surjection proof",
            |t, _| first_confidential(t).witness.surjection_proof = SurjectionProof::EMPTY,
            |f| matches!(f, ProofFault::MissingSurjectionProof(_)),
        ),
        ("larger fee", |t, _| grow_fee(t), |f| *f == ProofFault::Unbalanced),
        ("fee of nothing", |t, _| set_fee(t, 0), |f| matches!(f, ProofFault::Fee(_))),
        ("fee above the supply", |t, _| set_fee(t, MAX_MONEY + 1), |f| matches!(f, ProofFault::Fee(_))),
        (
            "another script",
            |t, _| first_confidential(t).script_pubkey = elements::Script::from(vec![0x51]),
            |f| matches!(f, ProofFault::RangeProof(_)),
        ),
        ("null value", |t, _| t.output[0].value = Value::Null, |f| matches!(f, ProofFault::Null(_))),
    ];
    for (name, spoil, expect) in cases {
        let (mut tx, mut spent) = (tx.clone(), spent.clone());
        spoil(&mut tx, &mut spent);
        let fault = proofs::verify(&tx, &spent, asset).expect_err(name);
        assert!(expect(&fault), "{name}: {fault}");
    }
}

fn fee_output(tx: &mut Transaction) -> &mut elements::TxOut {
    tx.output.iter_mut().find(|output| output.is_fee()).expect("a fee")
}

fn grow_fee(tx: &mut Transaction) {
    let output = fee_output(tx);
    output.value = Value::Explicit(output.value.explicit().unwrap_or(0) + 1);
}

fn set_fee(tx: &mut Transaction, fee: u64) {
    fee_output(tx).value = Value::Explicit(fee);
}

#[test]
fn the_relay_floor_and_dust_are_policy() {
    let (mut tx, _, mut accepted, fixture) = confidential_tx();
    assert_eq!(transaction::check_policy(&fixture.params, &tx, &accepted), Ok(()));
    let least = transaction::fee_at_rate(transaction::discount_vsize(&tx), transaction::MIN_RELAY_FEE_RATE);
    tx.output.push(elements::TxOut {
        asset: Asset::Explicit(fixture.params.policy_asset),
        value: Value::Explicit(1),
        script_pubkey: elements::Script::from([vec![0, 20], vec![7; 20]].concat()),
        ..Default::default()
    });
    let index = tx.output.len() - 1;
    assert_eq!(transaction::check_policy(&fixture.params, &tx, &accepted), Err(TxFault::Dust(index)));
    tx.output.pop();
    accepted.fees.insert(fixture.params.policy_asset, least - 1);
    assert_eq!(transaction::check_policy(&fixture.params, &tx, &accepted), Err(TxFault::FeeTooLow { fee: least - 1, least }));
}
