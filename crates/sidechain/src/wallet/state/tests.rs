//! The wallet against a chain made by real nodes (tests/fixtures/elements/wallet.json).

use super::*;
use crate::wallet::build::{Action, Drain, Recipient};
use crate::wallet::descriptor::CtDescriptor;
use crate::wallet::testing::{World, block_of, chain_params, fixture, wallet_batches, wallet_chain};
use causeway_vocab::{ChainBatch, SidechainBatch};
use elements::Transaction;
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
        for (batch, block) in wallet_batches().iter().zip(fixture["blocks"].as_array().expect("blocks")) {
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
        let batches = wallet_batches();
        for batch in &batches {
            one_by_one.apply(batch, &[], 0);
        }
        let last = batches.last().expect("blocks");
        let all = ChainBatch { blocks: batches.iter().flat_map(|b| b.blocks.clone()).collect(), ..last.clone() };
        wallet.apply(&all, &[], 0);
        assert_eq!(wallet, one_by_one, "{name}");
    }
}

/// A payment of everything to ourselves, then twice more, each from the other's change.
fn chain_of_payments(world: &mut World, length: usize) -> Vec<Transaction> {
    let mut made = Vec::new();
    for _ in 0..length {
        let address = world.wallet.reveal_next(Chain::External).1.confidential_address();
        let recipients = vec![Recipient { address, asset: world.policy(), amount: 0 }];
        let intent = world.intent(Action::Send { recipients, drain: Drain::To(0) });
        let (plan, draft, tx) = world.make(&intent).expect("enough");
        world.wallet.absorb(&plan.changes);
        world.wallet.register_unconfirmed(&tx, &draft.outputs, 1);
        made.push(tx);
    }
    made
}

fn unconfirmed(world: &World, txs: Vec<Transaction>) -> SidechainBatch {
    let tip = world.wallet.tip().expect("a tip");
    ChainBatch { rollback_to: None, blocks: vec![], unconfirmed: txs, tip, scanned_to: tip.height }
}

#[test]
fn change_of_our_own_transactions_can_be_spent_before_it_confirms() {
    let mut world = World::new("w1", 31);
    let txs = chain_of_payments(&mut world, 3);
    assert_eq!(txs[1].input.len(), 1);
    let policy = world.policy();
    let balance = world.wallet.balances()[&policy];
    assert_eq!((balance.confirmed, balance.pending, balance.coins), (0, balance.own_pending, 1));
    assert!(balance.pending > 4_000_000_000);
}

#[test]
fn what_strangers_pay_cannot_be_spent_before_it_confirms() {
    let mut world = World::empty("w1", 32);
    let batches = wallet_batches();
    let tx = batches[2].blocks[0].1.txdata.iter().find(|tx| world.wallet.concerns(tx)).expect("a payment").clone();
    world.wallet.apply(&ChainBatch { unconfirmed: vec![tx.clone()], ..batches[0].clone() }, &[], 5);
    let balance = world.wallet.balances()[&world.policy()];
    assert_eq!((balance.confirmed, balance.pending, balance.own_pending), (0, 50_000_000, 0));
    assert!(world.wallet.coins().all(|coin| !coin.spendable));
    world.wallet.apply(&batches[2], &[], 6);
    assert_eq!(world.wallet.balances()[&world.policy()].confirmed, 50_000_000);
    assert!(world.wallet.coins().all(|coin| coin.spendable && coin.height == Some(75)));
}

#[test]
fn of_two_waiting_spends_the_first_stays_and_a_block_decides() {
    let mut world = World::new("w1", 33);
    let mut rival = World::new("w1", 34);
    let ours = chain_of_payments(&mut world, 2);
    let theirs = chain_of_payments(&mut rival, 1).remove(0);
    let batch = unconfirmed(&world, vec![theirs.clone()]);
    let applied = world.wallet.apply(&batch, &[], 5);
    let refused = Problem::DoubleSpend { refused: theirs.txid(), kept: ours[0].txid() };
    assert_eq!((applied.problems, applied.changes.positions.is_empty()), (vec![refused], true));

    let batch = world.next_block(vec![theirs.clone()]);
    let applied = world.wallet.apply(&batch, &[], 6);
    assert_eq!(applied.problems, [Problem::Conflicted { gone: ours[0].txid(), by: theirs.txid() }]);
    assert!(ours.iter().all(|tx| world.wallet.history_entry(&tx.txid()).is_none()), "the child is gone, too");
    let balance = world.wallet.balances()[&world.policy()];
    assert_eq!((balance.pending, balance.coins), (0, 1));

    // The chain changes its mind.
    let fork = wallet_chain().tip;
    let mut batch = ChainBatch { rollback_to: Some(fork), ..world.next_block(vec![]) };
    let block = block_of(fork.height + 1, 1, vec![ours[0].clone(), ours[1].clone()]);
    let tip = Tip { height: block.header.height, hash: block.block_hash(), time: block.header.time };
    batch.blocks = vec![(tip, block)];
    batch.tip = tip;
    let applied = world.wallet.apply(&batch, &[], 7);
    let undone = [Problem::Unconfirmed(theirs.txid()), Problem::Conflicted { gone: theirs.txid(), by: ours[0].txid() }];
    assert_eq!(applied.problems, undone);
    assert_eq!(world.wallet.history_entry(&ours[1].txid()).expect("back").height, Some(fork.height + 1));
    assert_eq!(world.wallet.tip(), Some(tip));
}

#[test]
fn a_forgotten_transaction_frees_its_coins_until_a_block_holds_it() {
    let mut world = World::new("w1", 35);
    let before = world.wallet.balances();
    let txs = chain_of_payments(&mut world, 2);
    world.wallet.forget_unconfirmed(&txs[0].txid());
    assert_eq!(world.wallet.balances(), before);
    world.mine(txs[0].clone());
    assert_eq!(world.wallet.balances()[&world.policy()].coins, 1);
    assert!(world.wallet.forget_unconfirmed(&txs[0].txid()).changes.is_empty(), "blocks are not forgotten");
}

#[test]
fn using_an_address_moves_the_lookahead() {
    let mut world = World::empty("w1", 36);
    assert_eq!(world.wallet.scripts_to_watch().count(), 40);
    let (path, _, applied) = world.wallet.reveal_next(Chain::External);
    assert_eq!((path.index, applied.new_scripts.len()), (0, 1));
    let mut new = 0;
    for batch in wallet_batches() {
        new += world.wallet.apply(&batch, &[], 0).new_scripts.len();
    }
    // Last used 25 and 7: 26 and 8 are handed out, and each chain is watched 20 further.
    assert_eq!((world.wallet.revealed(Chain::External), world.wallet.revealed(Chain::Internal)), (26, 8));
    assert_eq!((world.wallet.scripts_to_watch().count(), new), (46 + 28, 74 - 41));
    let wider = world.wallet.set_gap_limit(50);
    assert_eq!((wider.new_scripts.len(), world.wallet.scripts_to_watch().count()), (60, 134));
    let narrower = world.wallet.set_gap_limit(20);
    assert_eq!((narrower.new_scripts.len(), world.wallet.scripts_to_watch().count()), (0, 74));
}

#[test]
fn pages_of_the_history_follow_each_other() {
    let world = World::new("w1", 37);
    let all: Vec<_> = world.wallet.history(None).collect();
    let mut paged = Vec::new();
    while let Some(entry) = world.wallet.history(paged.last().map(|entry: &HistoryEntry| entry.cursor)).next() {
        paged.push(entry);
    }
    assert_eq!(paged, all);
    assert!(all.windows(2).all(|pair| pair[0].cursor > pair[1].cursor) && all.len() > 10);
}
