//! The sidechain loop without a network: every kind of transaction is planned, blinded, checked, signed, and valid.

use bitcoin::hex::FromHex as _;
use causeway_keys::{Policy, Seed, SigningKeys, Summary, account_descriptors, check, sign};
use causeway_sidechain::wallet::build::{Action, Drain, Intent, Recipient};
use causeway_sidechain::wallet::{CtDescriptor, SidechainWallet};
use causeway_vocab::{AssetId, Atoms, BitcoinParams, Draft, Realm, SidechainBatch, Signed, Tip};
use elements::secp256k1_zkp::SECP256K1;
use elements::{ContractHash, Transaction, TxOut};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::Value;
use std::collections::BTreeSet;

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).expect("fixture is JSON")
}

fn realm() -> Realm {
    let mut params = fixture(include_str!("../fixtures/elements/chain.json"))["network"].take();
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

struct Desk {
    realm: Realm,
    seed: Seed,
    wallet: SidechainWallet,
    rng: StdRng,
}

impl Desk {
    /// The first wallet of wallet.json with everything that a real chain paid it.
    fn new() -> Desk {
        let file = fixture(include_str!("../fixtures/elements/wallet.json"));
        let seed = <[u8; 64]>::from_hex(file["wallets"][0]["bip39_seed"].as_str().expect("hex")).expect("64 bytes");
        let (realm, seed) = (realm(), Seed::from_bytes(seed));
        let accounts = account_descriptors(&seed, &realm).expect("a good seed");
        let account = CtDescriptor::parse(&accounts.sidechain_descriptor()).and_then(|read| read.account(&realm.sidechain));
        let mut wallet = SidechainWallet::new(account.expect("our own descriptor"), &realm.sidechain);
        let blocks: Vec<_> = file["blocks"].as_array().expect("a list").iter().map(block).collect();
        let tip = blocks.last().expect("blocks").0;
        let batch = SidechainBatch { rollback_to: None, blocks, unconfirmed: vec![], tip, scanned_to: tip.height };
        wallet.apply(&batch, &[], 0);
        Desk { realm, seed, wallet, rng: StdRng::seed_from_u64(4) }
    }

    /// Plans, blinds, checks, signs; then lets consensus' own rules about amounts decide.
    fn make(&mut self, action: Action) -> (Summary, Transaction) {
        let (coins, exclude) = (BTreeSet::new(), BTreeSet::new());
        let intent =
            Intent { action, fee_rate: 100, discount: true, coins, include: BTreeSet::new(), exclude, allow_explicit: true };
        let plan = self.wallet.plan(&intent, &mut self.rng).expect("a plan");
        let draft = plan.blind(&mut self.rng, |jobs| jobs.into_iter().map(|job| job.run()).collect());
        let spent: Vec<TxOut> = draft.pset.inputs().iter().filter_map(|input| input.witness_utxo.clone()).collect();
        let accounts = account_descriptors(&self.seed, &self.realm).expect("a good seed");
        let found = check(Draft::Sidechain(Box::new(draft)), &accounts, &self.realm, &Policy::default());
        let found = found.unwrap_or_else(|refusal| panic!("{refusal}"));
        let summary = found.summary().clone();
        let keys = SigningKeys::new(&self.seed, &self.realm).expect("a good seed");
        let Ok(Signed::Sidechain(tx)) = sign(found, &keys, &mut self.rng) else { panic!("signed") };
        assert_eq!(tx.verify_tx_amt_proofs(SECP256K1, &spent), Ok(()));
        assert_eq!(summary.fee.0, tx.fee_in(self.realm.sidechain.policy_asset));
        assert!(summary.fee_share.vsize.abs_diff(tx.discount_vsize() as u64) <= 1 + tx.input.len() as u64);
        assert!(summary.unverified.is_empty() && summary.all_inputs_ours);
        (summary, tx)
    }
}

fn block(told: &Value) -> (Tip<elements::BlockHash>, elements::Block) {
    let raw = Vec::from_hex(told["block"].as_str().expect("hex")).expect("bytes");
    let block: elements::Block = elements::encode::deserialize(&raw).expect("a block");
    let height = u32::try_from(told["height"].as_u64().expect("a number")).expect("a height");
    (Tip { height, hash: block.block_hash(), time: block.header.time }, block)
}

#[test]
fn a_payment_in_two_assets_says_what_leaves_and_what_comes_back() {
    let mut desk = Desk::new();
    let file = fixture(include_str!("../fixtures/elements/wallet.json"));
    let gold: elements::AssetId = file["assets"]["GOLD"].as_str().expect("hex").parse().expect("an asset");
    let policy = desk.realm.sidechain.policy_asset;
    let address = file["wallets"][1]["addresses"][0]["confidential_address"].as_str().expect("text");
    let address = elements::Address::parse_with_params(address, desk.realm.sidechain.address_params()).expect("an address");
    let pay = |asset, amount| Recipient { address: address.clone(), asset, amount };
    let recipients = vec![pay(policy, 10_000), pay(gold, 3)];
    let (summary, _) = desk.make(Action::Send { recipients, drain: Drain::No });
    let mut leaves: Vec<_> = summary.leaves.iter().map(|line| (line.asset, line.amount)).collect();
    leaves.sort();
    let mut wanted = [(policy, 10_000), (gold, 3)].map(|(asset, sum)| (Some(AssetId::Elements(asset)), Some(Atoms(sum))));
    wanted.sort();
    assert_eq!(leaves, wanted);
    assert!(summary.leaves.iter().all(|line| line.blinded && line.address == Some(address.to_string())));
    assert!(!summary.comes_back.is_empty());
}

#[test]
fn issuing_reissuing_and_burning_are_named_hidden_or_not() {
    for blinded in [false, true] {
        let mut desk = Desk::new();
        let contract = ContractHash::from_byte_array([4; 32]);
        let (summary, tx) = desk.make(Action::Issue { amount: 1_000, tokens: 1, contract, blinded });
        let issued = summary.issues[0].clone();
        assert_eq!((issued.amount, issued.tokens, issued.reissuance, issued.blinded), (Atoms(1_000), Atoms(1), false, blinded));
        assert_eq!(summary.sums[&issued.asset].comes_back, Atoms(1_000));
        let AssetId::Elements(asset) = issued.asset else { panic!("of the sidechain") };

        desk.wallet.apply(&mined(&desk, tx), &[], 0);
        let (summary, tx) = desk.make(Action::Reissue { asset, amount: 50, entropy: None });
        assert_eq!((summary.issues[0].amount, summary.issues[0].reissuance), (Atoms(50), true));
        assert_eq!((summary.issues[0].asset, summary.issues[0].token), (issued.asset, issued.token));

        desk.wallet.apply(&mined(&desk, tx), &[], 0);
        let (summary, _) = desk.make(Action::Burn { asset, amount: 1_001 });
        assert_eq!((summary.burns[0].asset, summary.burns[0].amount), (issued.asset, Atoms(1_001)));
        assert_eq!(summary.sums[&issued.asset].comes_back, Atoms(49));
    }
}

fn mined(desk: &Desk, tx: Transaction) -> SidechainBatch {
    let file = fixture(include_str!("../fixtures/elements/wallet.json"));
    let (_, mut block) = block(file["blocks"].as_array().expect("a list").last().expect("blocks"));
    block.txdata = vec![tx];
    let height = desk.wallet.tip().expect("a tip").height + 1;
    block.header.height = height;
    let tip = Tip { height, hash: block.block_hash(), time: block.header.time };
    SidechainBatch { rollback_to: None, blocks: vec![(tip, block)], unconfirmed: vec![], tip, scanned_to: height }
}

#[test]
fn a_peg_out_names_the_bitcoin_address_that_is_asked_for() {
    let mut desk = Desk::new();
    let destination = bitcoin::ScriptBuf::new_p2wpkh(&bitcoin::hashes::Hash::all_zeros());
    let wanted = bitcoin::Address::from_script(&destination, bitcoin::Network::Regtest).expect("an address").to_string();
    let (summary, _) = desk.make(Action::PegOut { amount: 200_000, drain: false, destination, authorisation: None });
    assert_eq!((summary.peg_outs[0].amount, summary.peg_outs[0].address.as_ref()), (Atoms(200_000), Some(&wanted)));
    assert!(summary.leaves.is_empty());
}
