//! The wallet against a chain made by real nodes (tests/fixtures/elements/wallet.json).

use super::*;
use crate::wallet::descriptor::CtDescriptor;
use crate::wallet::testing::{block, chain_params, fixture};
use causeway_vocab::{ChainBatch, SidechainBatch};
use serde_json::Value;
use std::str::FromStr as _;

fn wallets(fixture: &Value) -> Vec<(String, SidechainWallet)> {
    let params = chain_params();
    let described = fixture["wallets"].as_array().expect("wallets").iter();
    described
        .map(|wallet| {
            let account = CtDescriptor::parse(wallet["descriptor"].as_str().expect("text")).and_then(|d| d.account(&params));
            (wallet["name"].as_str().expect("text").to_owned(), SidechainWallet::new(account.expect("valid"), &params))
        })
        .collect()
}

/// One batch per block.
fn batches(fixture: &Value) -> Vec<SidechainBatch> {
    let blocks = fixture["blocks"].as_array().expect("blocks").iter().map(block);
    blocks
        .map(|(tip, block)| ChainBatch {
            rollback_to: None,
            blocks: vec![(tip, block)],
            unconfirmed: vec![],
            tip,
            scanned_to: tip.height,
        })
        .collect()
}

fn confirmed(wallet: &SidechainWallet) -> BTreeMap<String, u64> {
    wallet.balances().into_iter().map(|(asset, balance)| (asset.to_string(), balance.confirmed)).collect()
}

fn expected(balances: &Value) -> BTreeMap<String, u64> {
    let balances = balances.as_object().expect("an object").iter();
    balances.map(|(asset, value)| (asset.clone(), value.as_u64().expect("atoms"))).filter(|(_, atoms)| *atoms != 0).collect()
}

#[test]
fn balances_after_every_block_are_those_of_elementsd() {
    let fixture = fixture("wallet.json");
    for (name, mut wallet) in wallets(&fixture) {
        let mut log = Changes::default();
        for (batch, block) in batches(&fixture).iter().zip(fixture["blocks"].as_array().expect("blocks")) {
            let opened: Vec<_> = wallet.candidates(batch).into_iter().map(|candidate| candidate.open()).collect();
            let applied = wallet.apply(batch, &opened, 0);
            assert_eq!(confirmed(&wallet), expected(&block["balances"][&name]), "{name} after {}", block["height"]);
            let unopened = applied.problems.iter().filter(|p| matches!(p, Problem::CannotUnblind(_))).count();
            let outputs = block["txs"].as_array().expect("txs").iter().flat_map(|tx| tx["outputs"].as_array().expect("outputs"));
            let strangers = outputs.filter(|o| o["wallet"] == *name && o["unblinds"] == false).count();
            assert_eq!((applied.problems.len(), unopened), (strangers, strangers), "{name} after {}", block["height"]);
            log.merge(applied.changes);

            let again = wallet.apply(batch, &[], 7);
            assert_eq!((again.problems, again.new_scripts), (vec![], vec![]));
            assert!(again.changes.transactions.is_empty() && again.changes.positions.is_empty());
        }
        let coins: Vec<_> =
            wallet.coins().map(|c| (c.outpoint.to_string(), c.opening.asset.to_string(), c.opening.value)).collect();
        let mut wanted: Vec<_> = fixture["utxos_at_tip"]
            .as_array()
            .expect("coins")
            .iter()
            .filter(|c| c["wallet"] == *name)
            .map(|c| {
                (
                    OutPoint::new(
                        Txid::from_str(c["txid"].as_str().expect("txid")).expect("txid"),
                        c["vout"].as_u64().expect("vout") as u32,
                    ),
                    c["asset"].as_str().expect("asset").to_owned(),
                    c["value"].as_u64().expect("atoms"),
                )
            })
            .collect();
        wanted.sort();
        assert_eq!(coins, wanted.into_iter().map(|(o, a, v)| (o.to_string(), a, v)).collect::<Vec<_>>());
        for (chain, key) in [(Chain::External, "0"), (Chain::Internal, "1")] {
            assert_eq!(wallet.last_used(chain).map(u64::from), fixture["last_used_index"][&name][key].as_u64());
        }
        let net: BTreeMap<String, Value> = fixture["transactions"]
            .as_array()
            .expect("transactions")
            .iter()
            .filter(|tx| !tx["net"][&name].is_null())
            .map(|tx| (tx["txid"].as_str().expect("txid").to_owned(), tx["net"][&name].clone()))
            .collect();
        for entry in wallet.history(None) {
            let ours: BTreeMap<_, _> = entry.net.iter().map(|(asset, atoms)| (asset.to_string(), *atoms)).collect();
            let theirs = net.get(&entry.txid.to_string()).and_then(Value::as_object).into_iter().flatten();
            let theirs: BTreeMap<_, _> = theirs
                .map(|(asset, v)| (asset.clone(), i128::from(v.as_i64().expect("atoms"))))
                .filter(|(_, v)| *v != 0)
                .collect();
            assert_eq!(ours, theirs, "{}", entry.txid);
        }
        assert!(net.keys().all(|txid| wallet.history_entry(&Txid::from_str(txid).expect("txid")).is_some()));

        let written = serde_json::to_string(&log).expect("JSON");
        let read: Changes = serde_json::from_str(&written).expect("reads back");
        assert_eq!(read, log);
        assert_eq!(SidechainWallet::load(wallet.account().clone(), &chain_params(), &read), wallet);
    }
}

#[test]
fn one_batch_of_all_blocks_gives_what_many_give() {
    let fixture = fixture("wallet.json");
    for (name, mut wallet) in wallets(&fixture) {
        let mut one_by_one = wallet.clone();
        let batches = batches(&fixture);
        for batch in &batches {
            one_by_one.apply(batch, &[], 0);
        }
        let last = batches.last().expect("blocks");
        let all = ChainBatch { blocks: batches.iter().flat_map(|b| b.blocks.clone()).collect(), ..last.clone() };
        wallet.apply(&all, &[], 0);
        assert_eq!(wallet, one_by_one, "{name}");
    }
}
