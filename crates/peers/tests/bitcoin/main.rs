//! The Bitcoin client against a real bitcoind.

mod daemon;

use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::{Block, BlockHash, Network, ScriptBuf, Transaction, WPubkeyHash};
use causeway_peers::{BitcoinClient, BitcoinConfig, BitcoinEvent, Event, Phase, ResumePoint};
use causeway_vocab::{BitcoinParams, Code, Height, Refusal};
use daemon::Daemon;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;

fn script(n: u8) -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([n; 20]))
}

#[derive(Default)]
struct Told {
    headers: BTreeMap<Height, Vec<u8>>,
    blocks: BTreeMap<Height, (BlockHash, Block)>,
    unconfirmed: Vec<Transaction>,
    rollbacks: Vec<Height>,
    faults: Vec<Refusal>,
    phase: Option<Phase>,
    scanned_to: Height,
    tip: Option<BlockHash>,
}

struct World {
    client: BitcoinClient,
    events: mpsc::Receiver<BitcoinEvent>,
    told: Told,
}

impl World {
    fn start(daemon: &Daemon, resume: ResumePoint, watch: Vec<ScriptBuf>) -> World {
        World::with_peers(vec![daemon.p2p], 1, resume, watch)
    }

    fn with_peers(peers: Vec<SocketAddr>, required_peers: u8, resume: ResumePoint, watch: Vec<ScriptBuf>) -> World {
        let params = BitcoinParams { network: Network::Regtest, peers, required_peers };
        let config = BitcoinConfig { params, checkpoint: None, resume, watch };
        let (client, events) = BitcoinClient::start(config, &Handle::current());
        World { client, events, told: Told::default() }
    }

    async fn until(&mut self, what: &str, done: impl Fn(&Told) -> bool) {
        let reading = async {
            while !done(&self.told) {
                self.told.take(self.events.recv().await.expect("the client runs"));
            }
        };
        let ended = timeout(Duration::from_secs(60), reading).await;
        let told = &self.told;
        let last = told.faults.len().saturating_sub(5);
        assert!(
            ended.is_ok(),
            "waited for {what}: phase {:?}, scanned to {}, rollbacks {:?}, faults {:?}",
            told.phase,
            told.scanned_to,
            told.rollbacks,
            &told.faults[last..]
        );
    }

    /// Waits until the client stands where the daemon stands.
    async fn synced(&mut self, daemon: &Daemon) {
        let best: BlockHash = daemon.rpc("getbestblockhash", json!([])).as_str().expect("a hash").parse().expect("a hash");
        let height = daemon.height();
        self.until("sync", |told| {
            told.phase == Some(Phase::Synced) && told.scanned_to == height && told.tip.is_none_or(|tip| tip == best)
        })
        .await;
        assert_eq!(self.client.tip().hash, best);
    }

    /// What a caller that kept everything would resume from.
    fn resume_point(&self) -> ResumePoint {
        ResumePoint { first: 1, headers: self.told.headers.values().cloned().collect(), scanned_to: self.told.scanned_to }
    }

    fn heights(&self) -> Vec<Height> {
        self.told.blocks.keys().copied().collect()
    }
}

impl Told {
    fn take(&mut self, event: BitcoinEvent) {
        match event {
            Event::Headers(headers) => {
                self.headers.split_off(&headers.first);
                self.headers.extend((headers.first..).zip(headers.raw));
            }
            Event::Batch(batch) => {
                if let Some(fork) = batch.rollback_to {
                    self.rollbacks.push(fork.height);
                    self.blocks.split_off(&(fork.height + 1));
                }
                for (at, block) in batch.blocks {
                    assert_eq!(at.hash, block.block_hash());
                    self.blocks.insert(at.height, (at.hash, block));
                }
                self.unconfirmed.extend(batch.unconfirmed);
                self.scanned_to = batch.scanned_to;
                self.tip = Some(batch.tip.hash);
            }
            Event::State(state) => self.phase = Some(state.phase),
            Event::Fault(fault) => self.faults.push(fault.refusal),
            Event::Misrule(_) | Event::Anchor(_) => unreachable!("nobody signs Bitcoin headers"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_blocks_with_a_hundred_of_ours_are_synced() {
    let daemon = Daemon::start(&[]);
    let mut expected = vec![];
    for round in 1..=100 {
        daemon.mine(19, &script(0));
        daemon.mine(1, &script(1));
        expected.push(round * 20);
    }
    let mut world = World::start(&daemon, ResumePoint::default(), vec![script(1)]);
    world.synced(&daemon).await;
    assert_eq!(world.heights(), expected);
    assert_eq!(world.told.faults, vec![]);

    // A resumed client knows all this without asking.
    let resume = world.resume_point();
    world.client.shutdown().await;
    let mut again = World::start(&daemon, resume, vec![script(1)]);
    assert_eq!(again.client.tip().height, 2_000);
    daemon.mine(1, &script(1));
    again.synced(&daemon).await;
    assert_eq!(again.heights(), vec![2_001], "only what is new");
    assert_eq!(again.told.headers.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reorganisation_of_any_usual_depth_rolls_back_to_the_fork() {
    let daemon = Daemon::start(&[]);
    daemon.mine(20, &script(0));
    let mut world = World::start(&daemon, ResumePoint::default(), vec![script(1)]);
    world.synced(&daemon).await;
    for depth in 1..=6u32 {
        daemon.mine(depth, &script(1));
        world.synced(&daemon).await;
        let top = daemon.height();
        let fork = top - depth;
        assert_eq!(world.heights().last(), Some(&top), "received at depth {depth}");

        let first = daemon.rpc("getblockhash", json!([fork + 1]));
        daemon.rpc("invalidateblock", json!([first]));
        daemon.mine(depth + 1, &script(2));
        world.synced(&daemon).await;
        assert_eq!(world.told.rollbacks.last(), Some(&fork), "depth {depth}");
        assert!(world.heights().iter().all(|height| *height <= fork), "undone at depth {depth}");
        let kept: Vec<Height> = world.told.headers.keys().copied().collect();
        assert_eq!(kept, (1..=top + 1).collect::<Vec<_>>(), "headers stay consecutive");
    }
    assert_eq!(world.told.faults, vec![]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reorganisation_during_sleep_is_found_however_deep() {
    let daemon = Daemon::start(&[]);
    daemon.mine(300, &script(1));
    let mut world = World::start(&daemon, ResumePoint::default(), vec![script(1)]);
    world.synced(&daemon).await;
    let resume = world.resume_point();
    world.client.shutdown().await;

    // Deeper than the margin that a node starts with.
    let first = daemon.rpc("getblockhash", json!([101]));
    daemon.rpc("invalidateblock", json!([first]));
    daemon.mine(202, &script(2));
    let mut again = World::start(&daemon, resume, vec![script(1), script(2)]);
    again.synced(&daemon).await;
    assert_eq!(again.told.rollbacks, vec![100]);
    assert_eq!(again.heights(), (101..=302).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_dies_and_returns_is_taken_up_again() {
    let mut daemon = Daemon::start(&[]);
    daemon.mine(10, &script(1));
    let mut world = World::start(&daemon, ResumePoint::default(), vec![script(1)]);
    world.synced(&daemon).await;

    daemon.stop();
    world.until("the loss", |told| told.phase == Some(Phase::Offline)).await;
    assert!(world.client.state().offline_since.is_some());
    let block = world.client.tip().hash;
    let client = world.client.clone();
    let ask = tokio::spawn(async move { client.block(block).await });
    daemon.run();
    let (height, _) = ask.await.expect("a task").expect("the block, once somebody is back");
    assert_eq!(height, 10);
    daemon.mine(1, &script(1));
    world.synced(&daemon).await;
    assert_eq!(world.heights(), (1..=11).collect::<Vec<_>>());

    // A crash loses what it had not written; what is mined then is another chain.
    daemon.kill();
    daemon.run();
    daemon.mine(20, &script(1));
    world.synced(&daemon).await;
    assert_eq!(world.heights(), (1..=daemon.height()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_peer_claims_follows_the_blocks_that_it_announces() {
    let daemon = Daemon::start(&[]);
    daemon.mine(10, &script(1));
    let mut world = World::start(&daemon, ResumePoint::default(), vec![script(2)]);
    world.synced(&daemon).await;
    daemon.mine(3, &script(1));
    world.synced(&daemon).await;
    // The announcement comes over the connection that this block comes over, and before it.
    world.client.block(world.client.tip().hash).await.expect("the newest block");
    let heights: Vec<_> = world.client.peers().iter().map(|peer| peer.height).collect();
    assert_eq!(heights, [Some(13)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_watched_later_are_found_by_a_rescan_from_their_birthday() {
    let daemon = Daemon::start(&[]);
    for n in 1..=4 {
        daemon.mine(10, &script(n));
    }
    let mut world = World::start(&daemon, ResumePoint::default(), vec![script(4)]);
    world.synced(&daemon).await;
    assert_eq!(world.heights(), (31..=40).collect::<Vec<_>>());

    world.client.watch([script(1)]);
    daemon.mine(1, &script(1));
    world.synced(&daemon).await;
    assert_eq!(world.heights().first(), Some(&31), "the past is not searched");
    assert_eq!(world.heights().last(), Some(&41), "what comes is found");

    world.client.rescan([script(2)], 15);
    world.until("the rescan", |told| told.scanned_to == 41 && told.blocks.contains_key(&15)).await;
    assert_eq!(world.heights().first(), Some(&15), "nothing before the birthday");
    world.client.rescan([], 0);
    world.until("the rescan", |told| told.scanned_to == 41 && told.blocks.contains_key(&1)).await;
    assert!(world.told.rollbacks.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_payment_is_accepted_and_theirs_is_seen_before_it_confirms() {
    let daemon = Daemon::start(&[]);
    let secp = Secp256k1::new();
    let key = SecretKey::from_slice(&[7; 32]).expect("a key");
    let public = bitcoin::CompressedPublicKey(key.public_key(&secp));
    let ours = ScriptBuf::new_p2wpkh(&public.wpubkey_hash());
    daemon.mine(2, &ours);
    daemon.mine(100, &script(0));
    let mut payer = World::start(&daemon, ResumePoint::default(), vec![ours.clone()]);
    let mut payee = World::start(&daemon, ResumePoint::default(), vec![script(9)]);
    payer.synced(&daemon).await;
    payee.synced(&daemon).await;

    let coinbase = &payer.told.blocks[&1].1.txdata[0];
    let value = coinbase.output[0].value;
    let mut tx = Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: vec![bitcoin::TxIn { previous_output: bitcoin::OutPoint::new(coinbase.compute_txid(), 0), ..Default::default() }],
        output: vec![bitcoin::TxOut { value: value - bitcoin::Amount::from_sat(10_000), script_pubkey: script(9) }],
    };
    let sighash = SighashCache::new(&tx).p2wpkh_signature_hash(0, &ours, value, EcdsaSighashType::All).expect("a sighash");
    let signature = secp.sign_ecdsa(&Message::from_digest(sighash.to_byte_array()), &key);
    let signature = bitcoin::ecdsa::Signature { signature, sighash_type: EcdsaSighashType::All };
    tx.input[0].witness = bitcoin::Witness::p2wpkh(&signature, &key.public_key(&secp));
    payer.client.broadcast(tx.clone()).await.expect("a peer takes it");
    payer.client.broadcast(tx.clone()).await.expect("a second time too");
    payee.until("the payment", |told| !told.unconfirmed.is_empty()).await;
    assert_eq!(payee.told.unconfirmed, vec![tx.clone()]);

    daemon.mine(1, &script(0));
    payee.synced(&daemon).await;
    let block = &payee.told.blocks[&103].1;
    assert_eq!(block.txdata[1], tx, "with its witness");
    let rates = payee.client.fee_rates().await;
    assert!(rates.floor <= rates.slow && rates.slow <= rates.normal && rates.normal <= rates.fast);
    // 10,000 atoms for about 110 virtual bytes.
    assert!((85..=95).contains(&rates.fast.to_sat_per_vb_floor()), "{rates:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_peers_must_agree_where_two_are_required() {
    let first = Daemon::start(&[]);
    let mut second = Daemon::start(&[]);
    first.mine(30, &script(1));
    second.rpc("addnode", json!([first.p2p.to_string(), "onetry"]));
    while second.height() < 30 {
        tokio::task::yield_now().await;
    }
    let mut world = World::with_peers(vec![first.p2p, second.p2p], 2, ResumePoint::default(), vec![script(1)]);
    world.synced(&first).await;
    assert_eq!(world.heights(), (1..=30).collect::<Vec<_>>());

    second.kill();
    first.mine(1, &script(1));
    world.until("one peer alone", |told| !matches!(told.phase, Some(Phase::Synced | Phase::Blocks))).await;
    assert_eq!(world.heights().last(), Some(&30), "one peer is not believed");
    second.run();
    second.rpc("addnode", json!([first.p2p.to_string(), "onetry"]));
    world.synced(&first).await;
    assert_eq!(world.heights().last(), Some(&31));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_speaks_garbage_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let peer = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // The other side may close first.
            let _ = stream.write_all(&[0x5a; 4_096]);
        }
    });
    let mut world = World::with_peers(vec![peer], 1, ResumePoint::default(), vec![]);
    world.until("the fault", |told| !told.faults.is_empty()).await;
    let fault = &world.told.faults[0];
    assert_eq!((fault.code, &fault.args["peer"]), (Code::BadPeer, &peer.to_string()));
    assert_eq!(world.client.state().phase, Phase::Connecting);
    assert_eq!(world.client.tip().height, 0);
    timeout(Duration::from_secs(5), world.client.shutdown()).await.expect("it stops");
}
