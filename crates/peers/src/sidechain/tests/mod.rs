//! The client against a peer that serves what a real elementsd served, and against peers that lie.

mod fake;

use super::*;
use crate::event::Phase;
use fake::{Chain as FakeChain, Node, Quirk, bytes, fixture, in_memory, params};
use std::collections::BTreeMap;
use std::net::SocketAddr;

const TIP: usize = 135;

fn address(n: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7_000 + u16::from(n)))
}

/// Every script of the fixture wallets that the chain pays.
fn scripts() -> Vec<Script> {
    let wallet = fixture("wallet.json");
    let blocks = wallet["blocks"].as_array().expect("blocks").iter();
    let outputs = blocks
        .flat_map(|b| b["txs"].as_array().expect("transactions"))
        .flat_map(|tx| tx["outputs"].as_array().expect("outputs"))
        .filter(|output| output.get("wallet").is_some_and(|wallet| wallet.is_string()));
    outputs.map(|output| bytes(&output["script_pubkey"]).into()).collect()
}

/// Heights of the blocks that pay a script of the fixture wallets or spend from one. Block 79 pays one under a stranger's blinding key.
fn expected() -> Vec<Height> {
    let wallet = fixture("wallet.json");
    let touches = |tx: &serde_json::Value| {
        let outputs = tx["outputs"].as_array().expect("outputs").iter();
        let spends = tx["spends"].as_array().is_some_and(|spends| !spends.is_empty());
        spends || outputs.clone().any(|output| output.get("wallet").is_some_and(|wallet| wallet.is_string()))
    };
    let blocks = wallet["blocks"].as_array().expect("blocks").iter();
    blocks
        .filter(|b| b["txs"].as_array().expect("transactions").iter().any(touches))
        .map(|b| u32::try_from(b["height"].as_u64().expect("a height")).expect("small"))
        .collect()
}

/// Everything a client has told.
#[derive(Default)]
struct Told {
    headers: BTreeMap<Height, Vec<u8>>,
    blocks: BTreeMap<Height, Block>,
    unconfirmed: Vec<Transaction>,
    rollbacks: Vec<Height>,
    faults: Vec<Refusal>,
    phases: Vec<Phase>,
    scanned_to: Height,
}

struct World {
    client: SidechainClient,
    events: mpsc::Receiver<SidechainEvent>,
    told: Told,
}

impl World {
    fn start(nodes: Vec<Node>, resume: ResumePoint, watch: Vec<Script>) -> World {
        let nodes: Vec<(SocketAddr, Node)> = (0..).map(address).zip(nodes).collect();
        let config = SidechainConfig { params: params(nodes.iter().map(|(a, _)| *a).collect()), resume, watch };
        let (client, events) =
            SidechainClient::start_over(config, &Handle::current(), &in_memory(nodes)).expect("parameters that hold together");
        World { client, events, told: Told::default() }
    }

    /// Reads events until `done`. Time is stopped in these tests, so the limit costs nothing.
    async fn until(&mut self, what: &str, done: impl Fn(&Told) -> bool) {
        let reading = async {
            while !done(&self.told) {
                let event = self.events.recv().await.expect("the client runs");
                self.told.take(event);
            }
        };
        let ended = timeout(Duration::from_secs(3_600), reading).await;
        let last = |n: usize| n.saturating_sub(8);
        let (phases, faults) = (&self.told.phases, &self.told.faults);
        assert!(
            ended.is_ok(),
            "waited for {what}: phases {:?}, faults {:?}",
            &phases[last(phases.len())..],
            &faults[last(faults.len())..]
        );
    }

    async fn synced(&mut self, height: usize) {
        let height = u32::try_from(height).expect("small");
        self.until("sync", |told| told.scanned_to == height && told.phases.last() == Some(&Phase::Synced)).await;
    }

    fn has_fault(&self, code: Code, why: &str) -> bool {
        self.told.has_fault(code, why)
    }
}

impl Told {
    fn take(&mut self, event: SidechainEvent) {
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
                    self.blocks.insert(at.height, block);
                }
                self.unconfirmed.extend(batch.unconfirmed);
                self.scanned_to = batch.scanned_to;
            }
            Event::State(state) => self.phases.push(state.phase),
            Event::Fault(fault) => self.faults.push(fault.refusal),
        }
    }

    fn has_fault(&self, code: Code, why: &str) -> bool {
        self.faults.iter().any(|f| f.code == code && (f.args.get("why").or(f.args.get("rule")).is_some_and(|w| w == why)))
    }
}

fn fresh() -> ResumePoint {
    ResumePoint::default()
}

#[tokio::test(start_paused = true)]
async fn it_syncs_a_real_chain_and_fetches_exactly_the_blocks_of_the_wallets() {
    let node = Node::new(FakeChain::real(TIP), Quirk::Honest);
    let mut world = World::start(vec![node.clone()], fresh(), scripts());
    world.synced(TIP).await;
    assert_eq!(world.told.blocks.keys().copied().collect::<Vec<_>>(), expected());
    assert_eq!(world.told.headers.len(), TIP);
    assert_eq!(world.client.tip().hash, node.chain.lock().expect("a lock").hashes[TIP]);
    assert_eq!(node.served.lock().expect("a lock").len(), expected().len(), "each block is fetched once");
    assert_eq!(world.told.faults, vec![]);
}
