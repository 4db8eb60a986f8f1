//! Issuances of a running elementsd, and the same ones spoilt: what the library's own check does not look at.

use super::*;
use crate::consensus::fixtures::{self, bytes};
use elements::confidential::AssetBlindingFactor;
use elements::{AssetBlindingNonce, OutPoint};

/// An issuance transaction by its name in the fixture, with the outputs that it spends.
fn issuance(name: &str) -> (Transaction, Vec<TxOut>, AssetId) {
    let file = fixtures::load("elements/issuance.json");
    let items = file["items"].as_array().expect("items");
    let decode =
        |item: &serde_json::Value| -> Transaction { elements::encode::deserialize(&bytes(&item["tx"])).expect("a transaction") };
    let of_blocks = fixtures::wallet_blocks().iter().flat_map(|block| block.txdata.clone());
    let mut outputs = BTreeMap::new();
    for tx in of_blocks.chain(items.iter().map(decode)) {
        let txid = tx.txid();
        outputs.extend((0..).zip(tx.output).map(|(vout, output)| (OutPoint::new(txid, vout), output)));
    }
    let tx = decode(items.iter().find(|item| item["name"] == name).expect("an item"));
    let spent = tx.input.iter().map(|input| outputs[&input.previous_output].clone()).collect();
    let policy = file["policy_asset"].as_str().expect("text").parse().expect("an asset");
    (tx, spent, policy)
}

fn issuing(tx: &mut Transaction) -> &mut TxIn {
    tx.input.iter_mut().find(|input| input.has_issuance()).expect("an issuance")
}

const NEW: &str = "blinded-with-contract";
const AGAIN: &str = "reissue-of-blinded";
const EXPLICIT: &str = "unblinded-no-contract";

#[test]
fn issuances_of_a_running_chain_are_valid() {
    for name in
        [NEW, AGAIN, EXPLICIT, "unblinded-no-token", "token-only", "reissue-of-unblinded", "reissue-of-token-only", "burn-asset"]
    {
        let (tx, spent, policy) = issuance(name);
        let fees = verify(&tx, &spent, policy).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(fees, BTreeMap::from([(policy, tx.fee_in(policy))]), "{name}");
    }
}

#[test]
fn a_spoilt_issuance_is_refused_for_what_was_spoilt() {
    type Spoil = fn(&mut Transaction);
    type Expect = fn(&ProofFault) -> bool;
    let cases: [(&str, &str, Spoil, Expect); 10] = [
        (
            "no amount proof",
            NEW,
            |t| issuing(t).witness.amount_rangeproof = RangeProof::EMPTY,
            |f| matches!(f, ProofFault::MissingRangeProof(Place::Issuance(_))),
        ),
        (
            "no token proof",
            NEW,
            |t| issuing(t).witness.inflation_keys_rangeproof = RangeProof::EMPTY,
            |f| matches!(f, ProofFault::MissingRangeProof(Place::Tokens(_))),
        ),
        (
            "proof of the tokens for the amount",
            NEW,
            |t| {
                let witness = &mut issuing(t).witness;
                witness.amount_rangeproof = witness.inflation_keys_rangeproof.clone();
            },
            |f| matches!(f, ProofFault::RangeProof(Place::Issuance(_))),
        ),
        (
            "another contract",
            NEW,
            |t| issuing(t).asset_issuance.asset_entropy = elements::AssetEntropy::from_byte_array([1; 32]),
            |f| matches!(f, ProofFault::RangeProof(Place::Issuance(_))),
        ),
        (
            "a proof for an explicit amount",
            EXPLICIT,
            |t| {
                let proof = t.output.iter().find(|o| o.value.is_confidential()).expect("one").witness.rangeproof.clone();
                issuing(t).witness.amount_rangeproof = proof;
            },
            |f| matches!(f, ProofFault::NeedlessProof(Place::Issuance(_))),
        ),
        ("one atom more", EXPLICIT, |t| add_to_issuance(t, 1), |f| *f == ProofFault::Unbalanced),
        (
            "more than the wire type holds",
            EXPLICIT,
            |t| issuing(t).asset_issuance.amount = Value::Explicit(u64::MAX),
            |f| matches!(f, ProofFault::OutOfRange(Place::Issuance(_))),
        ),
        (
            "an issuance of zero",
            EXPLICIT,
            |t| issuing(t).asset_issuance.amount = Value::Explicit(0),
            |f| matches!(f, ProofFault::Zero(Place::Issuance(_))),
        ),
        (
            "another token",
            AGAIN,
            |t| {
                let blinder = AssetBlindingFactor::from_byte_array([5; 32]).expect("a factor");
                issuing(t).asset_issuance.asset_blinding_nonce = AssetBlindingNonce::from_blinding_factor(blinder);
            },
            |f| matches!(f, ProofFault::NotTheToken(_)),
        ),
        (
            "tokens out of a reissuance",
            AGAIN,
            |t| issuing(t).asset_issuance.inflation_keys = Value::Explicit(1),
            |f| matches!(f, ProofFault::TokensInReissuance(_)),
        ),
    ];
    for (what, name, spoil, expect) in cases {
        let (mut tx, spent, policy) = issuance(name);
        spoil(&mut tx);
        let fault = verify(&tx, &spent, policy).expect_err(what);
        assert!(expect(&fault), "{what}: {fault}");
    }
}

fn add_to_issuance(tx: &mut Transaction, more: u64) {
    let amount = &mut issuing(tx).asset_issuance.amount;
    *amount = Value::Explicit(amount.explicit().expect("explicit") + more);
}

#[test]
fn a_reissuance_needs_its_token_to_be_confidential_and_spent() {
    let (tx, mut spent, policy) = issuance(AGAIN);
    let index = tx.input.iter().position(TxIn::has_issuance).expect("an issuance");
    let ids = issuance::ids_of(&tx.input[index]).expect("ids");
    spent[index].asset = Asset::Explicit(ids.token);
    assert_eq!(verify(&tx, &spent, policy), Err(ProofFault::NotTheToken(Place::Input(index))));
}

#[test]
fn explicit_outputs_may_not_exceed_the_supply_even_of_an_issued_asset() {
    let (mut tx, spent, policy) = issuance("burn-asset");
    let output = tx.output.iter_mut().position(|output| output.value.is_explicit() && !output.is_fee()).expect("explicit");
    tx.output[output].value = Value::Explicit(MAX_MONEY + 1);
    assert_eq!(verify(&tx, &spent, policy), Err(ProofFault::OutOfRange(Place::Output(output))));
    tx.output[output].value = Value::Explicit(MAX_MONEY);
    assert!(matches!(verify(&tx, &spent, policy), Err(ProofFault::OutOfRange(_))), "with the fee it is too much");
    tx.output[output].value = Value::Explicit(0);
    assert_eq!(verify(&tx, &spent, policy), Err(ProofFault::Unbalanced), "nothing may be burnt for free");
    tx.output[output].script_pubkey = Script::from(vec![0x51]);
    assert_eq!(verify(&tx, &spent, policy), Err(ProofFault::Zero(Place::Output(output))));
}

#[test]
fn the_same_bytes_cut_elsewhere_are_remembered_as_something_else() {
    let (tx, ..) = issuance(&first_issuance());
    let with = |items: &[&[u8]]| {
        let mut tx = tx.clone();
        tx.input[0].witness.script_witness = elements::Witness::from_slice(items);
        tx
    };
    let (one, other) = (with(&[b"ab", b"c"]), with(&[b"a", b"bc"]));
    assert_eq!(one.txid(), other.txid(), "the id sees no witness");
    assert_ne!(key(&one), key(&other));
    assert_ne!(key(&one), key(&with(&[b"abc"])));
    assert_eq!(key(&one), key(&one.clone()));
    // A proof that moves from one output to another changes the key, too.
    let mut moved = tx.clone();
    let last = moved.output.len() - 1;
    let witness = std::mem::take(&mut moved.output[0].witness);
    let swapped = std::mem::replace(&mut moved.output[last].witness, witness);
    moved.output[0].witness = swapped;
    assert!(key(&moved) != key(&tx) || moved == tx);
}

fn first_issuance() -> String {
    fixtures::load("elements/issuance.json")["items"][0]["name"].as_str().expect("a name").to_owned()
}
