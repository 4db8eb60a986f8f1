//! The Bitcoin loop without a network: watch, plan, check, sign, see the change come back.

use bitcoin::hashes::Hash as _;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, TxIn, TxOut, Txid, WPubkeyHash, transaction};
use causeway_bitcoin_wallet::{BitcoinWallet, Descriptors, FeeRate, Intent, LOOKAHEAD, Recipient};
use causeway_keys::{Accounts, Policy, Secret, SigningKeys, Words, account_descriptors, check, sign};
use causeway_vocab::{Atoms, BitcoinBatch, BitcoinParams, Draft, Realm, Signed, Tip};
use rand::SeedableRng as _;

fn realm() -> Realm {
    let text = include_str!("../fixtures/elements/chain.json");
    let chain: serde_json::Value = serde_json::from_str(text).expect("fixture is JSON");
    let mut params = chain["network"].clone();
    let fields = params.as_object_mut().expect("an object");
    for extra in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.remove(extra);
    }
    let peers = vec!["127.0.0.1:18444".parse().expect("an address")];
    Realm {
        name: "lab".into(),
        valueless: true,
        bitcoin: BitcoinParams { network: bitcoin::Network::Regtest, peers, required_peers: 1 },
        sidechain: serde_json::from_value(params).expect("the fields of chain.json"),
        testbed: None,
        staking: None,
    }
}

fn funded(descriptors: &[String; 2]) -> BitcoinWallet {
    let network = bitcoin::Network::Regtest;
    let descriptors = Descriptors::parse(&descriptors.join("\n"), network).expect("our own descriptors");
    let (mut wallet, _) = BitcoinWallet::create(&descriptors, network, None, LOOKAHEAD).expect("a wallet");
    let gift = |vout, sat, script_pubkey| Transaction {
        version: transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: vec![TxIn { previous_output: OutPoint { txid: Txid::from_byte_array([7; 32]), vout }, ..TxIn::default() }],
        output: vec![TxOut { value: Amount::from_sat(sat), script_pubkey }],
    };
    let genesis = bitcoin::constants::genesis_block(network);
    let mut block = genesis.clone();
    block.header.prev_blockhash = genesis.block_hash();
    block.txdata = [60_000, 50_000].map(|sat| gift(sat as u32, sat, wallet.next_address().0.script)).to_vec();
    let tip = Tip { height: 1, hash: block.block_hash(), time: block.header.time };
    let batch = BitcoinBatch { rollback_to: None, blocks: vec![(tip, block)], unconfirmed: vec![], tip, scanned_to: 1 };
    wallet.apply(&batch, 1).expect("a batch");
    wallet
}

fn reviewed_and_signed(psbt: bitcoin::Psbt, accounts: &Accounts, keys: &SigningKeys) -> (Transaction, causeway_keys::Summary) {
    let realm = realm();
    let shown = check(Draft::Bitcoin(psbt.clone()), accounts, &realm, &Policy::default()).expect("our own plan is honest");
    let (summary, hash) = (shown.summary().clone(), shown.summary_hash());
    let again = check(Draft::Bitcoin(psbt), accounts, &realm, &Policy::default()).expect("still honest");
    again.matches(&hash).expect("what was reviewed");
    let Ok(Signed::Bitcoin(tx)) = sign(again, keys, &mut rand::rngs::StdRng::seed_from_u64(1)) else { panic!("signed") };
    (tx, summary)
}

#[test]
fn a_payment_is_planned_checked_signed_and_its_change_comes_back() {
    let words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    let words = Words::restore(&Secret::new(words.into())).expect("a sentence");
    let seed = words.seed(&Secret::new(String::new()));
    let accounts = account_descriptors(&seed, &realm()).expect("a good seed");
    let keys = SigningKeys::new(&seed, &realm()).expect("a good seed");
    for descriptors in [accounts.segwit_descriptors(), accounts.taproot_descriptors()] {
        let mut wallet = funded(&descriptors);
        let stranger = ScriptBuf::new_p2wpkh(&WPubkeyHash::all_zeros());
        let intent = Intent {
            recipients: vec![Recipient { script: stranger, amount: Atoms(80_000) }],
            drain_to: None,
            rate: FeeRate(2_000),
            coins: vec![],
            exclude: Default::default(),
        };
        let mut rng = rand::rngs::StdRng::seed_from_u64(2);
        let plan = wallet.plan(&intent, &mut rng).expect("a plan");
        let (tx, summary) = reviewed_and_signed(plan.psbt.clone(), &accounts, &keys);
        assert_eq!(summary.fee, plan.fee);
        assert_eq!(summary.leaves.iter().map(|line| line.amount).collect::<Vec<_>>(), [Some(Atoms(80_000))]);
        assert_eq!(summary.comes_back.len(), 1);
        assert!(plan.vsize >= tx.vsize() as u64 && plan.vsize <= tx.vsize() as u64 + 2, "{} {}", plan.vsize, tx.vsize());
        assert!(plan.fee >= FeeRate(2_000).fee(tx.vsize() as u64));
        wallet.insert_own(&tx, 5).expect("something to persist");
        let change = plan.change.expect("change").1;
        assert_eq!(wallet.balance().own_pending, change);

        // Bumped: the same payment, a higher fee, checked and signed the same way.
        let bump = wallet.plan_bump(tx.compute_txid(), FeeRate(9_000), &Default::default(), &mut rng).expect("a plan");
        let (bumped, summary) = reviewed_and_signed(bump.psbt.clone(), &accounts, &keys);
        assert_eq!((summary.comes_back.len(), summary.fee), (1, bump.fee));
        wallet.insert_own(&bumped, 5).expect("something to persist");
        assert_eq!(wallet.history(0, 1)[0].txid, bumped.compute_txid());
        assert_eq!(wallet.balance().own_pending.0 + bump.fee.0 + 80_000, 110_000);

        // A child pays for it.
        let child = wallet.plan_child(bumped.compute_txid(), FeeRate(30_000), &Default::default(), &mut rng).expect("a plan");
        let (_, summary) = reviewed_and_signed(child.psbt, &accounts, &keys);
        assert!(summary.leaves.is_empty());
    }
}
