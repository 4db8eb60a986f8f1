//! Every plan of the sidechain wallet passes the keys' check and the chain's own verification.

use bitcoin::hex::FromHex as _;
use causeway_keys::{Policy, Seed, SigningKeys, account_descriptors, check, sign};
use causeway_sidechain::consensus::pegin::PeginWitness;
use causeway_sidechain::consensus::proofs;
use causeway_sidechain::wallet::SidechainWallet;
use causeway_sidechain::wallet::build::{Action, BlindingJob, Drain, Intent, PegInClaim, Recipient};
use causeway_sidechain::wallet::descriptor::{Chain, CtDescriptor, KeyPath};
use causeway_vocab::{ChainBatch, Draft, Realm, Signed, Tip};
use elements::{Block, ContractHash, Transaction};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn fixture(name: &str) -> Value {
    let path = format!("{}/fixtures/elements/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(&path).expect(&path)).expect("fixture is JSON")
}

fn hex(value: &Value) -> Vec<u8> {
    Vec::from_hex(value.as_str().expect("text")).expect("hex")
}

fn realm() -> Realm {
    let mut network = fixture("chain.json")["network"].take();
    let fields = network.as_object_mut().expect("an object");
    for extra in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.remove(extra);
    }
    let realm = json!({
        "name": "lab",
        "valueless": true,
        "bitcoin": { "network": "regtest", "peers": ["127.0.0.1:18444"], "required_peers": 1 },
        "sidechain": network,
    });
    serde_json::from_value(realm).expect("a realm")
}

#[test]
fn the_keys_sign_what_the_wallet_plans() {
    let (realm, fixture, pegins) = (realm(), fixture("wallet.json"), fixture("pegin.json"));
    let described = &fixture["wallets"][0];
    let seed = || Seed::from_bytes(hex(&described["bip39_seed"]).try_into().expect("64 bytes"));
    let accounts = account_descriptors(&seed(), &realm).expect("accounts");
    let keys = SigningKeys::new(&seed(), &realm).expect("keys");
    let descriptor = CtDescriptor::parse(&accounts.sidechain_descriptor()).expect("valid");
    assert_eq!(Ok(&descriptor), CtDescriptor::parse(described["descriptor"].as_str().expect("text")).as_ref());
    let account = descriptor.account(&realm.sidechain).expect("on this chain");
    let mut wallet = SidechainWallet::new(account.clone(), &realm.sidechain);
    for case in fixture["blocks"].as_array().expect("blocks") {
        let block: Block = elements::encode::deserialize(&hex(&case["block"])).expect("a block");
        let tip = Tip { height: block.header.height, hash: block.block_hash(), time: block.header.time };
        let blocks = vec![(tip, block)];
        wallet.apply(&ChainBatch { rollback_to: None, blocks, unconfirmed: vec![], tip, scanned_to: tip.height }, &[], 0);
    }
    let policy = realm.sidechain.policy_asset;
    let theirs = CtDescriptor::parse(fixture["wallets"][1]["descriptor"].as_str().expect("text")).expect("valid");
    let theirs = theirs.derive(7, realm.sidechain.address_params()).expect("derives");
    let claimed: Transaction = elements::encode::deserialize(&hex(&pegins["valid"][0]["claim_tx"])).expect("a transaction");
    let mut witness = PeginWitness::of_library(claimed.input[0].pegin_data().expect("a peg-in")).expect("six items");
    witness.claim_script = account.derive(KeyPath { chain: Chain::External, index: 3 }).expect("derives").script;
    let deposit = bitcoin::OutPoint::new(witness.parent_tx.compute_txid(), 0);
    let contract = ContractHash::from_byte_array([5; 32]);
    let pay = |address, amount| Recipient { address, asset: policy, amount };
    let destination = bitcoin::ScriptBuf::from_bytes([vec![0, 20], vec![3; 20]].concat());
    let mut issued = Vec::new();
    let mut actions: Vec<Action> = vec![
        Action::ClaimPegIn(Box::new(PegInClaim { deposit, witness })),
        Action::Send { recipients: vec![pay(theirs.confidential_address(), 70_000)], drain: Drain::No },
        Action::Issue { amount: 1_000, tokens: 1, contract, blinded: true },
        Action::Issue { amount: 2_000, tokens: 2, contract, blinded: false },
        Action::PegOut { amount: 200_000, drain: false, destination, authorisation: None },
        Action::Send { recipients: vec![pay(theirs.explicit_address(), 0)], drain: Drain::To(0) },
    ];
    actions.reverse();
    let mut rng = StdRng::seed_from_u64(8);
    let mut made = 0;
    while let Some(action) = actions.pop() {
        let none = BTreeSet::new();
        let intent = Intent {
            action,
            fee_rate: 100,
            discount: true,
            coins: none.clone(),
            include: none.clone(),
            exclude: none,
            allow_explicit: true,
        };
        let plan = wallet.plan(&intent, &mut rng).expect("enough");
        let draft = plan.blind(&mut rng, |jobs| jobs.into_iter().map(BlindingJob::run).collect());
        let spent: Vec<_> = draft.pset.inputs().iter().map(|input| input.witness_utxo.clone().expect("there")).collect();
        let outputs = draft.outputs.clone();
        let high = Policy { accept_high_fee: true, ..Policy::default() };
        let checked = check(Draft::Sidechain(Box::new(draft)), &accounts, &realm, &high).expect("nothing but the truth");
        assert_eq!(checked.summary().fee.0, plan.fee);
        let Signed::Sidechain(tx) = sign(checked, &keys, &mut rng).expect("ours") else { panic!("of the sidechain") };
        proofs::verify(&tx, &spent, policy).expect("holds");
        wallet.absorb(&plan.changes);
        wallet.register_unconfirmed(&tx, &outputs, 1);
        made += 1;
        if let Some(issuance) = plan.inputs.iter().find_map(|input| input.issuance.clone()).filter(|i| i.tokens > 0) {
            issued.push(issuance.asset);
            actions.push(Action::Burn { asset: issuance.asset, amount: 10 });
            actions.push(Action::Reissue { asset: issuance.asset, amount: 50, entropy: None });
        }
    }
    assert_eq!(made, 10);
    let balances = wallet.balances();
    assert_eq!(issued.iter().map(|asset| balances[asset].own_pending).collect::<Vec<_>>(), [1_040, 2_040]);
}
