//! Channels, swaps and the lab before the real judge: a bitcoind on regtest takes what the machines say it takes, and nothing else.

use bitcoin::hex::DisplayHex as _;
use bitcoin::key::Keypair;
use bitcoin::{
    Address, Amount, Network, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness, absolute, transaction,
};
use causeway_channels::lab::{Actor, Explain, decreasing, htlc, revocable};
use causeway_channels::streaming::{self, Acceptance, Payee, PayeeEffect, Payer, PayerEffect, Policy, Proposal};
use causeway_channels::swap::{self, Chain, Leg, Offer, Place, Preimage, Safety, Spend, Terms, Tips};
use causeway_vocab::{Atoms, Height};
use secp256k1_zkp::{SECP256K1, SecretKey};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A bitcoind of its own, ended when dropped.
struct Node {
    child: Child,
    url: String,
    cookie: PathBuf,
    http: reqwest::Client,
    coins: Vec<OutPoint>,
    _dir: tempfile::TempDir,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Value of the coins that the test pays from.
const COIN: Amount = Amount::from_sat(5_000_000_000);

/// The script that anybody can spend, behind a witness program so that relays take it.
fn open_script() -> ScriptBuf {
    ScriptBuf::from(vec![bitcoin::opcodes::OP_TRUE.to_u8()])
}

impl Node {
    async fn start() -> Node {
        let exe = causeway_sandbox::bitcoind::find(None).expect("a bitcoind");
        let dir = tempfile::tempdir().expect("a directory");
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a port").port();
        let child = Command::new(exe)
            .arg(format!("-datadir={}", dir.path().display()))
            .arg(format!("-rpcport={port}"))
            .args([
                "-regtest",
                "-server=1",
                "-listen=0",
                "-connect=0",
                "-dnsseed=0",
                "-rpcbind=127.0.0.1",
                "-rpcallowip=127.0.0.1",
            ])
            .args(["-printtoconsole=0", "-dbcache=16"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("bitcoind starts");
        let http = causeway_sandbox::http::client(Duration::from_secs(60)).expect("a client");
        let cookie = dir.path().join("regtest/.cookie");
        let mut node = Node { child, url: format!("http://127.0.0.1:{port}/"), cookie, http, coins: vec![], _dir: dir };
        let deadline = Instant::now() + Duration::from_secs(60);
        while node.call("getblockcount", json!([])).await.is_err() {
            assert!(Instant::now() < deadline, "bitcoind does not answer");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        node.mine(112).await;
        for height in 1..=12 {
            let hash = node.call("getblockhash", json!([height])).await.expect("a block");
            let block = node.call("getblock", json!([hash, 1])).await.expect("a block");
            node.coins.push(OutPoint { txid: block["tx"][0].as_str().expect("a txid").parse().expect("a txid"), vout: 0 });
        }
        node
    }

    async fn call(&self, method: &str, params: Value) -> Result<Value, String> {
        let cookie = std::fs::read_to_string(&self.cookie).map_err(|e| e.to_string())?;
        let (user, password) = cookie.trim().split_once(':').ok_or("a cookie")?;
        let body = json!({ "jsonrpc": "1.0", "id": 0, "method": method, "params": params });
        let request = self.http.post(&self.url).basic_auth(user, Some(password)).json(&body);
        let reply: Value = request.send().await.map_err(|e| e.to_string())?.json().await.map_err(|e| e.to_string())?;
        match &reply["error"] {
            Value::Null => Ok(reply["result"].clone()),
            error => Err(error["message"].as_str().unwrap_or("an error").to_owned()),
        }
    }

    async fn height(&self) -> Height {
        self.call("getblockcount", json!([])).await.expect("a height").as_u64().expect("a number") as Height
    }

    async fn mine(&self, blocks: u32) -> Height {
        let address = Address::p2wsh(&open_script(), Network::Regtest);
        self.call("generatetoaddress", json!([blocks, address.to_string()])).await.expect("blocks");
        self.height().await
    }

    async fn mine_to(&self, height: Height) {
        let now = self.height().await;
        assert!(now <= height, "already at {now}");
        self.mine(height - now).await;
    }

    async fn publish(&self, tx: &Transaction) -> Result<(), String> {
        let hex = bitcoin::consensus::serialize(tx).to_lower_hex_string();
        self.call("sendrawtransaction", json!([hex, 0])).await.map(drop)
    }

    /// Publishes, mines a block and looks whether it holds the transaction.
    async fn confirm(&self, tx: &Transaction) -> Height {
        self.publish(tx).await.expect("the node takes it");
        let height = self.mine(1).await;
        let hash = self.call("getblockhash", json!([height])).await.expect("a block");
        let block = self.call("getblock", json!([hash, 1])).await.expect("a block");
        let txid = tx.compute_txid().to_string();
        assert!(block["tx"].as_array().expect("a list").iter().any(|found| *found == txid), "not in the block");
        height
    }

    /// Pays to an output and returns its outpoint with the height of its block.
    async fn pay(&mut self, output: TxOut) -> (OutPoint, Height) {
        let coin = self.coins.pop().expect("a coin is left");
        let rest = TxOut { value: COIN - output.value - Amount::from_sat(1_000), script_pubkey: open_script().to_p2wsh() };
        let mut witness = Witness::new();
        witness.push(open_script());
        let input = TxIn { previous_output: coin, sequence: Sequence::ENABLE_RBF_NO_LOCKTIME, witness, ..Default::default() };
        let tx = Transaction {
            version: transaction::Version::TWO,
            lock_time: absolute::LockTime::ZERO,
            input: vec![input],
            output: vec![output, rest],
        };
        let height = self.confirm(&tx).await;
        (OutPoint { txid: tx.compute_txid(), vout: 0 }, height)
    }
}

fn key(number: u8) -> Keypair {
    Keypair::from_seckey_slice(SECP256K1, &[number; 32]).expect("a key")
}

fn home(number: u8) -> ScriptBuf {
    ScriptBuf::new_p2tr(SECP256K1, key(number).x_only_public_key().0, None)
}

/// An open streaming channel on the node.
async fn stream(node: &mut Node, expiry_in: u32) -> (Payer, Payee) {
    let height = node.height().await;
    let proposal = Proposal {
        network: Network::Regtest,
        payer: key(1).x_only_public_key().0,
        capacity: Atoms(1_000_000),
        expiry: height + expiry_in,
        fee: Atoms(400),
        payer_script: home(11),
    };
    let acceptance = Acceptance { payee: key(2).x_only_public_key().0, payee_script: home(12), depth: 2, margin: 5 };
    let policy = Policy { network: Network::Regtest, least_capacity: Atoms(1_000), least_fee: Atoms(204), least_service: 5 };
    let (payer, _) = Payer::propose(proposal.clone(), height).expect("fair").saved();
    let (payee, _) = Payee::answer(proposal, acceptance.clone(), &policy, height).expect("acceptable").saved();
    let (payer, effects) = payer.receive(&streaming::Message::Accept(acceptance)).expect("fair").saved();
    let [PayerEffect::Fund(output)] = &effects[..] else { panic!("{effects:?}") };
    let (coin, found) = node.pay(output.clone()).await;
    let (payer, effects) = payer.funded(coin).expect("agreed").saved();
    let [PayerEffect::Send(funded)] = &effects[..] else { panic!("{effects:?}") };
    let payee = payee.receive(funded, &key(2)).expect("in turn").saved().0;
    let payee = payee.funding_seen(coin, output, found).expect("as agreed").saved().0;
    let tip = node.mine(1).await;
    let (payee, effects) = payee.at_height(tip).saved();
    let Some(PayeeEffect::Send(ready)) = effects.last() else { panic!("{effects:?}") };
    (payer.at_height(tip).saved().0.receive(ready).expect("in turn").saved().0, payee)
}

fn paid(payer: Payer, payee: Payee, amount: u64) -> (Payer, Payee) {
    let (payer, effects) = payer.pay(Atoms(amount), &key(1)).expect("payable").saved();
    let [PayerEffect::Send(message)] = &effects[..] else { panic!("{effects:?}") };
    (payer, payee.receive(message, &key(2)).expect("a good payment").saved().0)
}

#[tokio::test]
async fn a_stream_settles_the_newest_total_and_an_abandoned_one_comes_back() {
    let mut node = Node::start().await;
    let (payer, payee) = stream(&mut node, 60).await;
    let (payer, payee) = paid(payer, payee, 1_000);
    let older = payee.settlement(&key(2)).expect("paid");
    let (payer, payee) = paid(payer, payee, 250_000);
    let newest = payee.settlement(&key(2)).expect("paid");
    node.confirm(&newest).await;
    assert_eq!(newest.output[0].value, Amount::from_sat(251_000));
    assert!(node.publish(&older).await.is_err(), "the coin is spent");
    let seen = payer.spent_in(&newest, node.height().await).saved().0;
    assert_eq!(seen.spent().map(|(how, _)| how), Some(streaming::Settlement::Paid(Atoms(251_000))));

    // Closed by both, with a fee of the moment.
    let (payer, payee) = stream(&mut node, 60).await;
    let (payer, payee) = paid(payer, payee, 5_000);
    let (payer, effects) = payer.close(Atoms(2_000), &key(1)).expect("payable").saved();
    let [PayerEffect::Send(close)] = &effects[..] else { panic!("{effects:?}") };
    let (_, effects) = payee.receive(close, &key(2)).expect("the newest total").saved();
    let [PayeeEffect::Send(closed), _] = &effects[..] else { panic!("{effects:?}") };
    let (_, effects) = payer.receive(closed).expect("in turn").saved();
    let [PayerEffect::Broadcast(tx)] = &effects[..] else { panic!("{effects:?}") };
    node.confirm(tx).await;

    // The payee is gone: refused before the expiry, taken after it.
    let (payer, payee) = stream(&mut node, 30).await;
    let (payer, _) = paid(payer, payee, 5_000);
    let expiry = payer.terms().expect("agreed").proposal.expiry;
    node.mine_to(expiry - 1).await;
    let refund = payer.at_height(expiry).saved().0.refund(Atoms(200), &key(1)).expect("expired");
    let refused = node.publish(&refund).await.expect_err("one block early");
    assert!(refused.contains("non-final"), "{refused}");
    node.mine(1).await;
    node.confirm(&refund).await;
}

#[tokio::test]
async fn a_swap_lock_opens_to_the_preimage_or_after_the_expiry() {
    let mut node = Node::start().await;
    let preimage = Preimage([7; 32]);
    let height = node.height().await;
    let tips = Tips { bitcoin: height, sidechain: 100 };
    let pace = swap::Pace { fastest: 60, slowest: 60, depth: 1, window: 1 };
    let expiries = Safety { bitcoin: pace, sidechain: pace }.expiries(Chain::Bitcoin, &tips, 600).expect("near");
    let terms = |bitcoin: Height| {
        let offer = Offer {
            place: Place {
                network: Network::Regtest,
                genesis: elements::BlockHash::from_byte_array([1; 32]),
                asset: elements::AssetId::from_byte_array([2; 32]),
            },
            gives: Chain::Bitcoin,
            bitcoin: Leg { amount: Atoms(500_000), expiry: bitcoin },
            sidechain: Leg { amount: Atoms(499_000), expiry: expiries.sidechain },
            hash: preimage.hash(),
            key: key(1).x_only_public_key().0,
            blinding: SecretKey::from_slice(&[3; 32]).expect("a key"),
        };
        Terms::new(offer, swap::Acceptance { key: key(2).x_only_public_key().0 }).expect("fair")
    };
    let lock = terms(expiries.bitcoin).bitcoin_lock();
    let (coin, _) = node.pay(lock.output()).await;
    let claim = lock.claim(coin, &preimage, home(12), Atoms(300), &key(2)).expect("enough");
    let mut forged = claim.clone();
    let mut items = forged.input[0].witness.to_vec();
    items[1] = vec![8; 32];
    forged.input[0].witness = items.into();
    assert!(node.publish(&forged).await.is_err());
    node.confirm(&claim).await;
    assert_eq!(lock.opened_by(coin, &claim), Some(Spend::Claimed(preimage)));

    let lock = terms(expiries.bitcoin + 1).bitcoin_lock();
    let (coin, _) = node.pay(lock.output()).await;
    let refund = lock.refund(coin, home(11), Atoms(300), &key(1)).expect("enough");
    node.mine_to(lock.leg.expiry - 1).await;
    let refused = node.publish(&refund).await.expect_err("one block early");
    assert!(refused.contains("non-final"), "{refused}");
    node.mine(1).await;
    node.confirm(&refund).await;
}

#[tokio::test]
async fn the_lab_cheats_and_is_punished_on_the_real_chain() {
    let mut node = Node::start().await;
    let seed = [9; 32];
    let start = node.height().await;

    // Revocable commitments: a state that was given up is published, and the other takes everything.
    let lab = revocable::Revocable::new(seed, Atoms(1_000_000), Atoms(500), start, 6).expect("room");
    let (coin, _) = node.pay(lab.funding()).await;
    let lab = lab.funded(coin).choose(revocable::Choice::Pay(Actor::Alice, Atoms(600_000))).expect("payable").0;
    let (lab, cheat) = lab.choose(revocable::Choice::Publish(Actor::Alice, 0)).expect("signed");
    let height = node.confirm(&cheat[0]).await;
    let lab = lab.at_height(height).confirmed(cheat[0].compute_txid(), height);
    assert_eq!(lab.explain(), Explain::RevocableCheating);
    let sweep = lab.choose(revocable::Choice::Sweep).expect("her part").1.remove(0);
    let refused = node.publish(&sweep).await.expect_err("she must wait");
    assert!(refused.contains("non-BIP68-final"), "{refused}");
    let penalty = lab.choose(revocable::Choice::Punish).expect("given up").1.remove(0);
    let height = node.confirm(&penalty).await;
    assert_eq!(penalty.output[0].value, Amount::from_sat(999_000));
    assert_eq!(lab.confirmed(penalty.compute_txid(), height).explain(), Explain::RevocablePunished);

    // The honest end: the newest state, and the wait.
    let lab = revocable::Revocable::new(seed, Atoms(1_000_001), Atoms(500), start, 6).expect("room");
    let (coin, _) = node.pay(lab.funding()).await;
    let lab = lab.funded(coin).choose(revocable::Choice::Pay(Actor::Alice, Atoms(600_000))).expect("payable").0;
    let newest = lab.choose(revocable::Choice::Publish(Actor::Bob, 1)).expect("signed").1.remove(0);
    let height = node.confirm(&newest).await;
    let lab = lab.confirmed(newest.compute_txid(), height);
    let sweep = lab.choose(revocable::Choice::Sweep).expect("his part").1.remove(0);
    node.mine_to(lab.delay_over().expect("published") - 1).await;
    assert!(node.publish(&sweep).await.is_err(), "one block early");
    node.mine(1).await;
    node.confirm(&sweep).await;

    // Decreasing time locks: the newest opens first.
    let start = node.height().await;
    let lab = decreasing::Decreasing::new(seed, Atoms(1_000_000), Atoms(500), start, start + 40, 10).expect("room");
    let (coin, _) = node.pay(lab.funding()).await;
    let lab = lab.funded(coin).choose(decreasing::Choice::Pay(Actor::Alice, Atoms(1_000))).expect("payable").0;
    node.mine_to(lab.lock(1)).await;
    let old = lab.transaction(0).expect("signed");
    assert!(node.publish(&old).await.expect_err("still locked").contains("non-final"));
    let newest = lab.transaction(1).expect("signed");
    node.confirm(&newest).await;
    node.mine_to(lab.lock(0) + 1).await;
    assert!(node.publish(&old).await.is_err(), "the coin is spent");
    assert_eq!(lab.confirmed(newest.compute_txid()).explain(), Explain::DecreasingSettled);

    // Hash time locks: another preimage is refused, the right one goes round.
    let start = node.height().await;
    let leg = |amount, expiry| Leg { amount: Atoms(amount), expiry };
    let lab = htlc::Htlc::new(seed, leg(101_000, start + 40), leg(100_000, start + 20), Atoms(400), start).expect("in order");
    let [incoming, outgoing] = lab.funding();
    let (incoming, outgoing) = (node.pay(incoming).await.0, node.pay(outgoing).await.0);
    let lab = lab.funded([incoming, outgoing]);
    let (lab, forged) = lab.choose(htlc::Choice::Forge).expect("possible");
    assert!(node.publish(&forged[0]).await.is_err());
    let (lab, claim) = lab.choose(htlc::Choice::Claim).expect("possible");
    node.confirm(&claim[0]).await;
    let (lab, passed) = lab.confirmed(&claim[0]).choose(htlc::Choice::PassOn).expect("shown");
    node.confirm(&passed[0]).await;
    assert_eq!(lab.confirmed(&passed[0]).explain(), Explain::HtlcPaid);
}
