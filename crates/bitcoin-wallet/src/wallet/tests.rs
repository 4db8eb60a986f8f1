use super::*;
use crate::coins::COINBASE_MATURITY;
use crate::testing::{Chain, gift, spend, stranger, wallet, wallet_of};
use crate::{Balance, HistoryEntry};
use bitcoin::{OutPoint, Sequence};
use causeway_vocab::Atoms;
use proptest::prelude::*;

/// One actor owns a wallet, but on whichever thread it runs.
const _: fn() = || {
    fn travels<T: Send + Sync>() {}
    travels::<BitcoinWallet>();
};

fn merged(parts: impl IntoIterator<Item = ChangeSet>) -> ChangeSet {
    parts.into_iter().fold(ChangeSet::default(), |mut whole, part| {
        whole.merge(part);
        whole
    })
}

fn outpoint(tx: &Transaction, vout: u32) -> OutPoint {
    OutPoint { txid: tx.compute_txid(), vout }
}

#[test]
fn a_payment_is_pending_then_confirmed_and_its_spend_is_own_change() {
    let mut wallet = wallet();
    let mut chain = Chain::new();
    let (address, _) = wallet.next_address();
    let paid = gift(&address.script, 50_000, 1);
    let applied = wallet.apply(&chain.batch(1, None, vec![paid.clone()]), 1_000).expect("a batch");
    assert_eq!(applied.touched, BTreeSet::from([paid.compute_txid()]));
    assert_eq!(wallet.balance(), Balance { incoming_pending: Atoms(50_000), ..Balance::default() });
    assert!(!wallet.coins()[0].spendable);

    chain.mine(vec![paid.clone()], 0);
    wallet.apply(&chain.batch(1, None, vec![]), 1_001).expect("a batch");
    assert_eq!(wallet.balance(), Balance { confirmed: Atoms(50_000), ..Balance::default() });
    assert!(wallet.addresses()[0].used);

    let change = wallet.inner.peek_address(KeychainKind::Internal, 0).script_pubkey();
    let own = spend(&[outpoint(&paid, 0)], &[(stranger(), 20_000), (change, 29_000)]);
    assert!(wallet.insert_own(&own, 1_002).is_some());
    assert_eq!(wallet.balance(), Balance { own_pending: Atoms(29_000), ..Balance::default() });
    let line = &wallet.history(0, 1)[0];
    assert_eq!((line.sent, line.received, line.fee), (Atoms(50_000), Atoms(29_000), Some(Atoms(1_000))));
    let flow = wallet.flow(own.compute_txid()).expect("known");
    assert!(flow.replaceable && flow.inputs[0].ours.is_some() && flow.outputs[0].ours.is_none());
    assert_eq!(wallet.flow(paid.compute_txid()).expect("known").outputs[0].spent_by, Some(own.compute_txid()));

    wallet.evict(own.compute_txid(), 1_003);
    assert_eq!(wallet.balance(), Balance { confirmed: Atoms(50_000), ..Balance::default() });
    wallet.insert_own(&own, 1_003);
    assert_eq!(wallet.balance().own_pending, Atoms(29_000));
}

#[test]
fn a_coinbase_output_is_immature_until_it_can_enter_the_next_block() {
    let mut wallet = wallet();
    let mut chain = Chain::new();
    let (address, _) = wallet.next_address();
    let mut coinbase = spend(&[OutPoint::null()], &[(address.script, 5_000_000_000)]);
    coinbase.input[0].sequence = Sequence::MAX;
    chain.mine(vec![coinbase], 0);
    (0..COINBASE_MATURITY - 2).for_each(|_| chain.mine(vec![], 0));
    wallet.apply(&chain.batch(1, None, vec![]), 1).expect("a batch");
    assert_eq!((chain.height(), wallet.balance().immature), (99, Atoms(5_000_000_000)));
    assert_eq!(wallet.coins()[0].matures_at, Some(101));
    chain.mine(vec![], 0);
    wallet.apply(&chain.batch(100, None, vec![]), 1).expect("a batch");
    assert_eq!(wallet.balance().confirmed, Atoms(5_000_000_000));

    // The block is gone, and with it the money: nobody can mine it again.
    let mut other = Chain::new();
    other.mine(vec![], 9);
    wallet.apply(&other.batch(1, Some(0), vec![]), 2).expect("a batch");
    assert_eq!(wallet.balance(), Balance::default());
}

#[test]
fn a_birthday_is_where_the_chain_begins() {
    let mut chain = Chain::new();
    (0..5).for_each(|_| chain.mine(vec![], 0));
    let descriptors = Descriptors { external: wallet().inner.public_descriptor(KeychainKind::External).clone(), internal: None };
    let (mut born, _) =
        BitcoinWallet::create(&descriptors, Network::Regtest, Some(chain.tip_at(5)), LOOKAHEAD).expect("a wallet");
    assert_eq!(born.tip(), (5, chain.tip_at(5).hash));
    let (address, _) = born.next_address();
    chain.mine(vec![gift(&address.script, 9, 1)], 0);
    born.apply(&chain.batch(6, None, vec![]), 1).expect("a batch");
    assert_eq!(born.balance().confirmed, Atoms(9));
    // An older block turns up when the user asks for a deeper scan.
    chain.blocks.truncate(3);
    chain.mine(vec![gift(&address.script, 7, 2)], 0);
    let deeper = BitcoinBatch { tip: Tip { height: 3, ..chain.tip_at(3) }, ..chain.batch(1, None, vec![]) };
    born.apply(&deeper, 1).expect("a batch");
    assert_eq!(born.balance().confirmed, Atoms(16));
}

#[test]
fn a_payment_near_the_end_of_the_lookahead_asks_for_more_scripts() {
    let mut wallet = wallet();
    let mut chain = Chain::new();
    let far = wallet.inner.peek_address(KeychainKind::External, LOOKAHEAD - 1).script_pubkey();
    let beyond = wallet.inner.peek_address(KeychainKind::External, LOOKAHEAD + 3).script_pubkey();
    assert!(wallet.scripts_to_watch().contains(&far) && !wallet.scripts_to_watch().contains(&beyond));
    assert_eq!(wallet.scripts_to_watch().len(), 2 * LOOKAHEAD as usize);
    chain.mine(vec![gift(&far, 1_000, 1)], 0);
    let applied = wallet.apply(&chain.batch(1, None, vec![]), 1).expect("a batch");
    assert!(applied.scripts_grew && wallet.scripts_to_watch().contains(&beyond));
    // Nobody is shown an address below the one that was used.
    assert_eq!(wallet.next_address().0.index, LOOKAHEAD);
}

#[test]
fn a_batch_that_contradicts_itself_is_refused_and_changes_nothing() {
    let mut wallet = wallet();
    let mut chain = Chain::new();
    let (address, _) = wallet.next_address();
    chain.mine(vec![gift(&address.script, 1_000, 1)], 0);
    chain.mine(vec![gift(&address.script, 1_000, 2)], 0);
    let good = chain.batch(1, None, vec![]);
    let mut renamed = good.clone();
    renamed.blocks[0].0.hash = chain.tip_at(2).hash;
    let mut descending = good.clone();
    descending.blocks.reverse();
    let mut above = good.clone();
    above.tip = chain.tip_at(1);
    let mut uprooted = good.clone();
    uprooted.rollback_to = Some(Tip { height: 0, ..chain.tip_at(1) });
    let mut split = good.clone();
    split.tip.hash = chain.tip_at(1).hash;
    for (name, bad) in
        [("renamed", renamed), ("descending", descending), ("above", above), ("uprooted", uprooted), ("split", split)]
    {
        assert_eq!(wallet.apply(&bad, 1).expect_err(name).code, Code::BadPeer, "{name}");
        assert_eq!(wallet.balance(), Balance::default(), "{name}");
    }
    wallet.apply(&good, 1).expect("the good one");
    assert_eq!(wallet.balance().confirmed, Atoms(2_000));
}

#[test]
fn what_we_replaced_does_not_come_back_because_a_peer_repeats_it() {
    let mut wallet = wallet();
    let mut chain = Chain::new();
    let (address, _) = wallet.next_address();
    let paid = gift(&address.script, 50_000, 1);
    chain.mine(vec![paid.clone()], 0);
    wallet.apply(&chain.batch(1, None, vec![]), 1).expect("a batch");
    let cheap = spend(&[outpoint(&paid, 0)], &[(stranger(), 49_000)]);
    let dear = spend(&[outpoint(&paid, 0)], &[(stranger(), 40_000)]);
    wallet.insert_own(&cheap, 500);
    wallet.insert_own(&dear, 500);
    assert_eq!(wallet.history(0, 1)[0].txid, dear.compute_txid());
    wallet.apply(&chain.batch(2, None, vec![cheap.clone()]), 900).expect("a batch");
    assert_eq!(wallet.history(0, 1)[0].txid, dear.compute_txid());
    // Until a miner decides otherwise.
    chain.mine(vec![cheap.clone()], 0);
    wallet.apply(&chain.batch(2, None, vec![]), 901).expect("a batch");
    assert_eq!(wallet.history(0, 9).len(), 2);
    assert_eq!(wallet.history(0, 1)[0].txid, cheap.compute_txid());
}

#[test]
fn a_reorganisation_of_only_the_tip_moves_its_payments() {
    let mut wallet = wallet();
    let (entry, _) = wallet.next_address();
    let mut chain = Chain::new();
    chain.mine(vec![gift(&entry.script, 1_000, 1)], 0);
    wallet.apply(&chain.batch(1, None, vec![]), 1).expect("a batch");
    assert_eq!(wallet.balance().confirmed, Atoms(1_000));
    let mut other = Chain::new();
    other.mine(vec![], 1);
    wallet.apply(&other.batch(1, Some(0), vec![]), 2).expect("a batch");
    assert_eq!(wallet.balance().confirmed, Atoms(0));
}

#[test]
fn a_wallet_of_another_network_is_refused() {
    let changes = wallet().snapshot();
    let refused = BitcoinWallet::load(changes, Network::Signet, LOOKAHEAD).err().expect("a refusal");
    assert_eq!(refused.code, Code::WrongNetwork);
    let empty = BitcoinWallet::load(ChangeSet::default(), Network::Regtest, LOOKAHEAD).err().expect("a refusal");
    assert_eq!(empty.code, Code::BadDescriptor);
}

#[test]
fn a_wallet_without_a_change_keychain_never_gives_change_to_a_shown_address() {
    let mut wallet = wallet_of("wpkh(KEY/0/*)");
    let mut chain = Chain::new();
    let (first, _) = wallet.next_address();
    let (shown, _) = wallet.next_address();
    chain.mine(vec![gift(&first.script, 90_000, 1)], 0);
    wallet.apply(&chain.batch(1, None, vec![]), 1).expect("a batch");
    let intent = crate::Intent {
        recipients: vec![crate::Recipient { script: stranger(), amount: Atoms(10_000) }],
        drain_to: None,
        rate: crate::FeeRate(1_000),
        coins: vec![],
        exclude: BTreeSet::new(),
    };
    let plan = wallet.plan(&intent, &mut crate::testing::rng(1)).expect("a plan");
    let (vout, _) = plan.change.expect("change");
    let change = &plan.psbt.unsigned_tx.output[vout as usize].script_pubkey;
    assert!(change != &shown.script && change != &first.script);
    assert_ne!(&wallet.next_address().0.script, change);
}

/// What a user sees.
fn face(wallet: &BitcoinWallet) -> (Balance, Vec<HistoryEntry>, (Height, BlockHash)) {
    let mut history = wallet.history(0, usize::MAX);
    // When an unconfirmed transaction was seen depends on the way there.
    history.iter_mut().filter(|line| line.height.is_none()).for_each(|line| line.time = 0);
    history.sort_by_key(|line| line.txid);
    (wallet.balance(), history, wallet.tip())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_reorganised_wallet_is_a_fresh_wallet(
        first in prop::collection::vec(prop::option::of(1_000u64..9_000), 1..8),
        second in prop::collection::vec(prop::option::of(1_000u64..9_000), 1..8),
        fork in 0usize..8,
        twice in any::<bool>(),
    ) {
        let mut wallet = wallet();
        let mut parts = vec![wallet.snapshot()];
        let scripts: Vec<_> = (0..8).map(|_| { let (entry, part) = wallet.next_address(); parts.push(part); entry.script }).collect();
        let mut old = Chain::new();
        for (n, sat) in first.iter().enumerate() {
            old.mine(sat.iter().map(|sat| gift(&scripts[n], *sat, n as u32)).collect(), 0);
        }
        parts.extend(wallet.apply(&old.batch(1, None, vec![]), 1).expect("a batch").changes);
        let fork = fork.min(old.height());
        let mut new = Chain { blocks: old.blocks[..=fork].to_vec() };
        for (n, sat) in second.iter().enumerate() {
            // The same payments, elsewhere, and others.
            new.mine(sat.iter().map(|sat| gift(&scripts[n], *sat, n as u32 + 100)).collect(), 1);
        }
        // Payments that fell out of the chain are pending again; the fresh wallet hears of them from peers.
        let dropped: Vec<_> = old.blocks[fork + 1..].iter().flat_map(|block| block.txdata.clone()).collect();
        let batch = new.batch(fork + 1, Some(fork), dropped.clone());
        parts.extend(wallet.apply(&batch, 2).expect("a batch").changes);
        if twice {
            prop_assert!(wallet.apply(&batch, 2).expect("a batch").changes.is_none());
        }
        let mut fresh = crate::testing::wallet();
        (0..8).for_each(|_| drop(fresh.next_address()));
        fresh.apply(&new.batch(1, None, dropped), 2).expect("a batch");
        prop_assert_eq!(face(&wallet), face(&fresh));
        let stored: ChangeSet = merged(parts.iter().map(|part| {
            serde_json::from_str(&serde_json::to_string(part).expect("serializes")).expect("reads back")
        }));
        let loaded = BitcoinWallet::load(stored, Network::Regtest, LOOKAHEAD).expect("loads");
        prop_assert_eq!(face(&loaded), face(&wallet));
        prop_assert_eq!(loaded.scripts_to_watch(), wallet.scripts_to_watch());
    }

    #[test]
    fn no_address_is_handed_out_twice_even_across_restarts(restart in prop::collection::vec(any::<bool>(), 1..12)) {
        let mut wallet = wallet();
        let mut changes = wallet.snapshot();
        let mut seen = BTreeSet::new();
        for restart in restart {
            let (entry, part) = wallet.next_address();
            changes.merge(part);
            prop_assert!(seen.insert(entry.script));
            if restart {
                wallet = BitcoinWallet::load(changes.clone(), Network::Regtest, LOOKAHEAD).expect("loads");
            }
        }
        prop_assert_eq!(wallet.addresses().len(), seen.len());
    }
}
