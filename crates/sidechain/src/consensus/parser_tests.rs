//! Laws of everything that reads bytes of strangers: it never panics, and what it accepts it writes back.

use super::contract::{Contract, ContractFault};
use super::filter::{BadFilter, Filter};
use super::merkle::{self, MerkleFault};
use super::pak::PakList;
use super::pegin::PeginWitness;
use super::pegout::Pegout;
use super::script::sigop_cost;
use super::signature::Multisig;
use super::tweak::{subsidy, tweak_federation_script};
use super::{fixtures, issuance};
use elements::{BlockHash, Script, Transaction, TxMerkleNode, TxOut};
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_multisig_reads_back(script in vec(any::<u8>(), 0..120)) {
        if let Some(multisig) = Multisig::parse(&script) {
            prop_assert_eq!(multisig.to_script().into_bytes(), script);
        }
    }

    #[test]
    fn a_pegout_reads_back(genesis in any::<[u8; 32]>(), destination in vec(any::<u8>(), 1..80), extra in vec(vec(any::<u8>(), 1..300), 0..4)) {
        use bitcoin::hashes::Hash as _;
        let pegout = Pegout { parent_genesis: bitcoin::BlockHash::from_byte_array(genesis), destination: destination.into(), extra };
        prop_assert_eq!(Pegout::parse(&pegout.to_script()), Some(pegout));
    }

    #[test]
    fn any_script_is_read_as_pegout_or_not(script in vec(any::<u8>(), 0..200)) {
        let pegout = Pegout::parse(&Script::from(script));
        if let Some(pegout) = pegout {
            prop_assert!(pegout.check_pak(&PakList::default()).is_err());
        }
    }

    #[test]
    fn any_items_are_read_as_pegin_or_not(items in vec(vec(any::<u8>(), 0..200), 0..8)) {
        if let Ok(witness) = PeginWitness::parse(&items) {
            prop_assert_eq!(witness.to_items().to_vec(), items);
        }
    }

    #[test]
    fn any_bytes_are_read_as_a_filter_or_not(filter in vec(any::<u8>(), 0..300), script in vec(any::<u8>(), 0..40), key in any::<[u8; 32]>()) {
        let _ = Filter(filter).matches_any(&BlockHash::from_byte_array(key), [&Script::from(script)]);
    }

    #[test]
    fn any_extension_space_makes_a_list(entries in vec(vec(any::<u8>(), 64..68), 0..4)) {
        let list = PakList::from_extension_space(&entries);
        prop_assert!(list.is_reject() || list.to_extension_space() == entries);
    }

    #[test]
    fn any_text_is_read_as_a_contract_or_not(text in ".{0,200}") {
        if let Ok(contract) = Contract::parse(&text) {
            prop_assert_eq!(Contract::parse(contract.canonical()), Ok(contract));
        }
    }

    #[test]
    fn any_script_is_tweaked_or_refused(script in vec(any::<u8>(), 0..120), claim in vec(any::<u8>(), 0..40)) {
        let _ = tweak_federation_script(bitcoin::Script::from_bytes(&script), &Script::from(claim));
    }

    #[test]
    fn any_transaction_has_a_number_of_signature_operations(script in vec(any::<u8>(), 0..200)) {
        let mut tx = some_tx();
        tx.input[0].script_sig = Script::from(script.clone());
        tx.output[0].script_pubkey = Script::from(script);
        prop_assert!(sigop_cost(&tx, &[TxOut::default()]) <= 4 * 2 * 200 * 20);
    }

    #[test]
    fn a_branch_proves_its_own_transaction_only(leaves in 1usize..9, at in 0u32..9, other in 0u32..9) {
        let mut block = fixtures::wallet_blocks()[0].clone();
        block.txdata = (0..leaves).map(|n| {
            let mut tx = some_tx();
            tx.version = n as u32;
            tx
        }).collect();
        block.header.merkle_root = merkle::block_root(&block).expect("a root");
        prop_assert_eq!(merkle::branch(&block, leaves as u32), None);
        let at = at % leaves as u32;
        let branch = merkle::branch(&block, at).expect("a branch");
        let tx = &block.txdata[at as usize];
        prop_assert_eq!(merkle::check_branch(&block.header, tx, at, &branch), Ok(tx.txid()));
        if other != at {
            let elsewhere = merkle::check_branch(&block.header, tx, other, &branch);
            prop_assert!(elsewhere.is_err(), "{} proved at {}", at, other);
        }
    }
}

fn some_tx() -> Transaction {
    fixtures::wallet_blocks()[0].txdata[0].clone()
}

#[test]
fn a_filter_that_claims_more_than_it_holds_is_refused() {
    let key = BlockHash::from_byte_array([7; 32]);
    let script = Script::from(vec![0x51]);
    for bytes in [vec![], vec![0xff; 9], vec![0xfe, 0xff, 0xff, 0xff, 0xff, 1, 2, 3], vec![2, 0xff]] {
        assert_eq!(Filter(bytes).matches_any(&key, [&script]), Err(BadFilter));
    }
    assert_eq!(Filter(vec![0]).matches_any(&key, [&script]), Ok(false));
}

#[test]
fn a_transaction_the_size_of_an_inner_node_proves_nothing() {
    let mut block = fixtures::wallet_blocks()[0].clone();
    let mut tx = some_tx();
    tx.input.truncate(1);
    tx.input[0].script_sig = Script::new();
    tx.output.truncate(1);
    tx.output[0] = TxOut { script_pubkey: Script::new(), ..TxOut::default() };
    let size = |tx: &Transaction| (tx.weight() - tx.size()) / 3;
    let missing = 64usize.checked_sub(size(&tx)).expect("small enough");
    tx.output[0].script_pubkey = Script::from(vec![0x51; missing]);
    assert_eq!(size(&tx), 64);
    block.header.merkle_root = TxMerkleNode::from_byte_array(tx.txid().to_byte_array());
    assert_eq!(merkle::check_branch(&block.header, &tx, 0, &[]), Err(MerkleFault::InnerNode));
}

#[test]
fn a_repeated_transaction_is_refused() {
    let mut block = fixtures::wallet_blocks()[0].clone();
    let pair: Vec<Transaction> = (0..3)
        .map(|n| {
            let mut tx = some_tx();
            tx.version = n;
            tx
        })
        .collect();
    block.txdata = pair;
    let root = merkle::block_root(&block).expect("three transactions");
    block.txdata.push(block.txdata[2].clone());
    assert_eq!(merkle::block_root(&block), Err(MerkleFault::Mutated), "the same root as {root}");
    // The padding of the odd level is no transaction either.
    block.txdata.pop();
    block.header.merkle_root = root;
    let branch = merkle::branch(&block, 2).expect("a branch");
    assert_eq!(merkle::check_branch(&block.header, &block.txdata[2], 2, &branch), Ok(block.txdata[2].txid()));
    assert_eq!(merkle::check_branch(&block.header, &block.txdata[2], 3, &branch), Err(MerkleFault::Mutated));
}

#[test]
fn a_contract_is_held_to_the_rules_of_registries() {
    let issuer = "0337cceec0beea0232ebe14cba0197a9fbd45fcf2ec946749de920e71434c2b904".parse().expect("a key");
    let usdt = Contract::new("tether.to", &issuer, "Tether USD", 8, "USDt");
    assert_eq!(usdt.hash().to_string(), "3c7f0a53c2ff5b99590620d7f6604a7a3a7bfbaaa6aa61f7bfc7833ca03cde82");
    assert_eq!(usdt.validate(), Ok(()));
    assert_eq!(Contract::parse_canonical(usdt.canonical()), Ok(usdt));
    for (domain, name, precision, ticker, fault) in [
        ("tether", "T", 8, "USDt", ContractFault::Domain),
        ("Tether.to", "T", 8, "USDt", ContractFault::Domain),
        ("-a.to", "T", 8, "USDt", ContractFault::Domain),
        ("a..to", "T", 8, "USDt", ContractFault::Domain),
        ("1.1.1.1", "T", 8, "USDt", ContractFault::Domain),
        ("a.to", "", 8, "USDt", ContractFault::Name),
        ("a.to", "T", 9, "USDt", ContractFault::Precision),
        ("a.to", "T", 8, "US", ContractFault::Ticker),
        ("a.to", "T", 8, "US D", ContractFault::Ticker),
    ] {
        assert_eq!(Contract::new(domain, &issuer, name, precision, ticker).validate(), Err(fault), "{domain} {name} {ticker}");
    }
}

#[test]
fn a_subsidy_covers_whole_inputs_at_one_satoshi_per_vbyte_or_more() {
    assert_eq!(subsidy(1, 11, 626, 0), Some(396));
    assert_eq!(subsidy(2, 11, 513, 7001), Some(5153));
    assert_eq!(subsidy(u32::MAX, u32::MAX, usize::MAX, u64::MAX), None);
}

#[test]
fn an_input_that_issues_nothing_has_no_ids() {
    assert_eq!(issuance::ids_of(&some_tx().input[0]), None);
}
