//! Every script of a stake, judged by a real bitcoind.

use bitcoin::base64::Engine as _;
use bitcoin::base64::prelude::BASE64_STANDARD;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hashes::Hash as _;
use bitcoin::key::TapTweak as _;
use bitcoin::sighash::{Prevouts, SighashCache, TapSighashType};
use bitcoin::{Address, Amount, FeeRate, Network, OutPoint, ScriptBuf, Transaction, TxOut, Weight, Witness};
use causeway_staking::adaptor::{AdaptorSignature, encryption_key};
use causeway_staking::delegation::{CovenantSignatures, Registration, Verified};
use causeway_staking::fund::{self, Coin, Fee, Locked};
use causeway_staking::lifecycle::{Step, step_after_unbonding, step_of};
use causeway_staking::{Covenant, EotsKey, ExitPackage, Rules, Spend, Stake, Terms};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use secp256k1_zkp::schnorr::Signature;
use secp256k1_zkp::{Keypair, Message, SECP256K1};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Weight of the witness of a taproot key path.
const KEY_PATH: Weight = Weight::from_wu(66);
/// Locks of the stakes here, in blocks.
const TERM: u16 = 12;
const WAIT: u16 = 5;
/// Stakes made here, each from a coinbase of its own.
const STAKES: usize = 6;

struct Bitcoind {
    process: Child,
    dir: tempfile::TempDir,
    port: u16,
}

impl Drop for Bitcoind {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Bitcoind {
    fn start() -> Bitcoind {
        let exe = causeway_sandbox::bitcoind::find(None).expect("a bitcoind");
        let dir = tempfile::tempdir().expect("a directory");
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        let process = Command::new(exe)
            .args(["-regtest", "-server", "-listen=0", "-connect=0", "-dnsseed=0"])
            .arg(format!("-datadir={}", dir.path().display()))
            .arg(format!("-rpcport={port}"))
            .stdout(Stdio::null())
            .spawn()
            .expect("bitcoind starts");
        let node = Bitcoind { process, dir, port };
        for _ in 0..600 {
            if node.call("getblockcount", json!([])).is_ok() {
                return node;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("bitcoind does not answer");
    }

    fn call(&self, method: &str, params: Value) -> Result<Value, String> {
        let said = |e: std::io::Error| e.to_string();
        let cookie = std::fs::read_to_string(self.dir.path().join("regtest/.cookie")).map_err(said)?;
        let body = json!({ "jsonrpc": "1.0", "id": 0, "method": method, "params": params }).to_string();
        let head = format!(
            "POST / HTTP/1.0\r\nAuthorization: Basic {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            BASE64_STANDARD.encode(cookie),
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(said)?;
        stream.write_all(format!("{head}{body}").as_bytes()).map_err(said)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(said)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        let mut answer: Value = serde_json::from_str(body).map_err(|e| e.to_string())?;
        if answer["error"].is_null() { Ok(answer["result"].take()) } else { Err(answer["error"]["message"].to_string()) }
    }

    fn mine(&self, blocks: u16, address: &Address) {
        self.call("generatetoaddress", json!([blocks, address.to_string()])).expect("blocks");
    }

    /// Why the node would not take a transaction; `None` when it would. Slashing burns, which a node only sends when told to.
    fn objection(&self, transaction: &Transaction) -> Option<String> {
        let answer = self.call("testmempoolaccept", json!([[serialize_hex(transaction)], 0])).expect("a verdict");
        if answer[0]["allowed"] == true { None } else { Some(answer[0]["reject-reason"].as_str().expect("a reason").to_owned()) }
    }

    /// Sends a transaction and puts it in a block.
    fn confirm(&self, transaction: &Transaction, address: &Address) {
        self.call("sendrawtransaction", json!([serialize_hex(transaction), 0, 100])).expect("the node takes it");
        self.mine(1, address);
        let answer = self.call("gettxout", json!([transaction.compute_txid().to_string(), transaction.output.len() - 1]));
        assert_eq!(answer.expect("an output")["confirmations"], 1);
    }
}

/// Everybody's keys.
struct Parties {
    staker: Keypair,
    provider: EotsKey,
    committee: Vec<Keypair>,
}

impl Parties {
    fn new() -> Parties {
        let rng = &mut StdRng::seed_from_u64(5);
        let provider = EotsKey::generate(rng);
        Parties {
            staker: Keypair::new(SECP256K1, rng),
            provider,
            committee: (0..3).map(|_| Keypair::new(SECP256K1, rng)).collect(),
        }
    }

    fn address(&self) -> Address {
        Address::p2tr(SECP256K1, self.staker.x_only_public_key().0, None, Network::Regtest)
    }

    fn destination(&self) -> ScriptBuf {
        self.address().script_pubkey()
    }

    fn stake(&self) -> Stake {
        let x = |pair: &Keypair| pair.x_only_public_key().0;
        let terms = Terms {
            staker: x(&self.staker),
            providers: vec![self.provider.public()],
            covenant: Covenant { keys: self.committee.iter().map(x).collect(), quorum: 2 },
            staking_time: TERM,
            unbonding_time: WAIT,
        };
        let rules = Rules {
            unbonding_fee: Amount::from_sat(2_000),
            slashing_script: ScriptBuf::new_op_return(b"babylon"),
            slashing_rate: "0.1".parse().expect("a rate"),
            slashing_fee: Amount::from_sat(5_000),
        };
        Stake::new(terms, Amount::from_sat(1_000_000), rules).expect("a stake")
    }

    /// A delegation from a coin, with everybody's signatures; the staking transaction is signed.
    fn delegate(&self, coin: Coin) -> Verified {
        let stake = self.stake();
        let rate = Fee::Rate(FeeRate::from_sat_per_vb(3).expect("a rate"));
        let funded = fund::stake(&stake, std::slice::from_ref(&coin), self.destination(), rate).expect("funded");
        let staking = self.sign_coins(funded.transaction, 0, &[coin.output]);
        let outpoint = stake.find_in(&staking).expect("there");
        let unbonding = stake.unbonding_spend(outpoint);
        let (slashing, later) =
            (stake.slashing_spend(outpoint), stake.unbonding_slashing_spend(unbonding.transaction().compute_txid()));
        let point = encryption_key(&self.provider.public());
        let adaptors = |spend: &Spend| {
            let one = |pair: &Keypair| {
                let signature = AdaptorSignature::sign(pair, &point, spend.message().as_ref(), &[9; 32]);
                (pair.x_only_public_key().0, vec![signature])
            };
            self.committee.iter().map(one).collect()
        };
        let covenant = CovenantSignatures {
            unbonding: self.committee.iter().map(|pair| (pair.x_only_public_key().0, sign(&unbonding, pair))).collect(),
            slashing: adaptors(&slashing),
            unbonding_slashing: adaptors(&later),
        };
        let registration =
            Registration::new(&stake, staking, sign(&slashing, &self.staker), sign(&later, &self.staker)).expect("there");
        let verified = Verified::check(stake, registration, covenant).expect("verified");
        // Whatever follows is done with what a backup holds.
        let package = serde_json::to_string(&ExitPackage::of(&verified, 0)).expect("JSON");
        serde_json::from_str::<ExitPackage>(&package).expect("readable").open().expect("a way out")
    }

    /// Signs one key-path input of the staker's own coins.
    fn sign_coins(&self, mut transaction: Transaction, input: usize, prevouts: &[TxOut]) -> Transaction {
        let digest = SighashCache::new(&transaction)
            .taproot_key_spend_signature_hash(input, &Prevouts::All(prevouts), TapSighashType::Default)
            .expect("a digest");
        let pair = self.staker.tap_tweak(SECP256K1, None).to_keypair();
        let signature = SECP256K1.sign_schnorr_no_aux_rand(&Message::from_digest(digest.to_byte_array()), &pair);
        transaction.input[input].witness = Witness::from_slice(&[signature.serialize()]);
        transaction
    }

    fn withdrawal(&self, stake: &Stake, locked: Locked, outpoint: OutPoint, value: Amount) -> Transaction {
        let rate = FeeRate::from_sat_per_vb(2).expect("a rate");
        let spend = stake.withdrawal(locked, outpoint, value, self.destination(), rate).expect("a spend");
        spend.with_staker(&sign(&spend, &self.staker))
    }
}

fn sign(spend: &Spend, pair: &Keypair) -> Signature {
    SECP256K1.sign_schnorr_no_aux_rand(&spend.message(), pair)
}

fn output(transaction: &Transaction, vout: u32) -> (OutPoint, Amount) {
    (OutPoint { txid: transaction.compute_txid(), vout }, transaction.output[vout as usize].value)
}

/// The staker's coinbases, oldest first.
fn coinbases(node: &Bitcoind) -> Vec<Coin> {
    let mut coins = Vec::new();
    for height in 1..=STAKES + 1 {
        let hash = node.call("getblockhash", json!([height])).expect("a hash");
        let block = node.call("getblock", json!([hash, 0])).expect("a block");
        let bytes: Vec<u8> = bitcoin::hex::FromHex::from_hex(block.as_str().expect("hex")).expect("hex");
        let block: bitcoin::Block = bitcoin::consensus::deserialize(&bytes).expect("a block");
        let outpoint = OutPoint { txid: block.txdata[0].compute_txid(), vout: 0 };
        coins.push(Coin { outpoint, output: block.txdata[0].output[0].clone(), witness: KEY_PATH });
    }
    coins
}

#[test]
fn every_way_out_of_a_stake_is_taken_by_a_real_node_and_no_other() {
    let (node, parties) = (Bitcoind::start(), Parties::new());
    let address = parties.address();
    node.mine(u16::try_from(101 + STAKES).expect("small"), &address);
    let mut coins = coinbases(&node).into_iter();
    let mut next = || parties.delegate(coins.next().expect("a coin"));
    let [early, slashed, slashed_late, full, extended, refused] = std::array::from_fn::<Verified, STAKES, _>(|_| next());
    for stake in [&early, &slashed, &slashed_late, &full, &extended, &refused] {
        node.confirm(&stake.registration().staking, &address);
    }
    let locked = |reason: &Option<String>| reason.as_deref() == Some("non-BIP68-final");

    // Leaving early, and back after the wait.
    let leaving = early.leave(&sign(early.unbonding(), &parties.staker)).expect("finished");
    assert_eq!(step_of(early.stake(), early.outpoint(), &leaving), Some(Step::Unbonding));
    node.confirm(&leaving, &address);
    let (unbonded, value) = output(&leaving, 0);
    let back = parties.withdrawal(early.stake(), Locked::Unbonding, unbonded, value);
    assert_eq!(step_after_unbonding(early.stake(), unbonded, &back), Some(Step::Withdrawal));
    node.mine(WAIT - 2, &address);
    assert!(locked(&node.objection(&back)), "the wait is not over");
    node.mine(1, &address);
    node.confirm(&back, &address);

    // A provider that voted twice: slashed from the stake, and from the unbonding output; the rest comes back.
    let slashing = slashed.slash(&parties.provider, false).expect("finished");
    assert_eq!(step_of(slashed.stake(), slashed.outpoint(), &slashing), Some(Step::Slashing));
    node.confirm(&slashing, &address);
    node.confirm(&slashed_late.leave(&sign(slashed_late.unbonding(), &parties.staker)).expect("finished"), &address);
    let later = slashed_late.slash(&parties.provider, true).expect("finished");
    node.confirm(&later, &address);
    for (stake, slashing) in [(&slashed, &slashing), (&slashed_late, &later)] {
        let (rest, value) = output(slashing, 1);
        let back = parties.withdrawal(stake.stake(), Locked::Refund, rest, value);
        node.mine(WAIT - 1, &address);
        node.confirm(&back, &address);
    }

    // One signature more or fewer than the quorum, and another script's signature.
    let spend = refused.unbonding();
    let mut witness = refused.leave(&sign(spend, &parties.staker)).expect("finished").input[0].witness.to_vec();
    let empty = witness.iter().position(Vec::is_empty).expect("one member is left out");
    let place = refused.stake().terms().covenant.sorted().into_iter().rev().nth(empty).expect("a member");
    let mut with = |item: Vec<u8>, at: usize| {
        let before = std::mem::replace(&mut witness[at], item);
        let mut transaction = spend.transaction().clone();
        transaction.input[0].witness = Witness::from_slice(&witness);
        witness[at] = before;
        transaction
    };
    let more = with(refused.covenant().unbonding[&place].serialize().to_vec(), empty);
    let fewer = with(Vec::new(), usize::from(empty == 0));
    let other = with(refused.registration().staker_slashing.serialize().to_vec(), 3);
    for transaction in [more, fewer, other] {
        assert!(node.objection(&transaction).is_some_and(|reason| reason.contains("script-verify-flag")));
    }

    // Extension: the old stake and a coin become a new stake.
    let coin = coinbases(&node).pop().expect("a coin");
    let rate = Fee::Rate(FeeRate::from_sat_per_vb(3).expect("a rate"));
    let extension = fund::extend(extended.stake(), extended.outpoint(), parties.stake(), &coin, parties.destination(), rate)
        .expect("an extension");
    let committee = parties.committee.iter().map(|pair| (pair.x_only_public_key().0, sign(&extension.spend, pair))).collect();
    let staker = sign(&extension.spend, &parties.staker);
    let half = extension.spend.with_covenant(&extended.stake().terms().covenant, &committee, &staker).expect("finished");
    let whole = parties.sign_coins(half, 1, &[extended.stake().staking_output(), coin.output.clone()]);
    assert_eq!(step_of(extended.stake(), extended.outpoint(), &whole), Some(Step::Extension));
    node.confirm(&whole, &address);

    // Back after the whole term; the new stake's term has only begun.
    let back = |stake: &Stake, outpoint| parties.withdrawal(stake, Locked::Staking, outpoint, stake.value());
    let anew = extension.stake.find_in(&whole).expect("there");
    assert!(locked(&node.objection(&back(&extension.stake, anew))));
    node.confirm(&back(full.stake(), full.outpoint()), &address);
    node.mine(TERM - 3, &address);
    assert!(locked(&node.objection(&back(&extension.stake, anew))), "one block is missing");
    node.mine(1, &address);
    node.confirm(&back(&extension.stake, anew), &address);
}
