//! The Bitcoin client against a real bitcoind.

mod daemon;

use bitcoin::hashes::Hash as _;
use bitcoin::{Block, BlockHash, Network, ScriptBuf, Transaction, WPubkeyHash};
use causeway_peers::{BitcoinClient, BitcoinConfig, BitcoinEvent, Event, Phase, ResumePoint};
use causeway_vocab::{BitcoinParams, Height, Refusal};
use daemon::Daemon;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
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
    batches: u32,
}

struct World {
    client: BitcoinClient,
    events: mpsc::Receiver<BitcoinEvent>,
    told: Told,
}

impl World {
    fn start(daemon: &Daemon, resume: ResumePoint, watch: Vec<ScriptBuf>) -> World {
        let params = BitcoinParams { network: Network::Regtest, peers: vec![daemon.p2p], required_peers: 1 };
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
                self.batches += 1;
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
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_blocks_with_a_hundred_of_ours_are_synced_within_the_limit() {
    let daemon = Daemon::start(&[]);
    let mut expected = vec![];
    for round in 1..=100 {
        daemon.mine(19, &script(0));
        daemon.mine(1, &script(1));
        expected.push(round * 20);
    }
    let start = Instant::now();
    let mut world = World::start(&daemon, ResumePoint::default(), vec![script(1)]);
    world.synced(&daemon).await;
    // From the start on, which comes before the first connection.
    let took = start.elapsed();
    println!("2,000 blocks, 100 of ours: {took:?} after the start, {} batches", world.told.batches);
    assert_eq!(world.heights(), expected);
    assert_eq!(world.told.faults, vec![]);
    assert!(took < Duration::from_millis(1_500), "took {took:?}");

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
