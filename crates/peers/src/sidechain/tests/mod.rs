//! The client against a peer that serves what a real elementsd served, and against peers that lie.

mod anchor;
mod headers;

use super::fake::{Chain as FakeChain, Node, Quirk, bytes, fixture, header, in_memory, params};
use super::*;
use crate::event::Phase;
use causeway_sidechain::consensus::pinned;
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
    anchors: Vec<Option<Height>>,
    faults: Vec<Refusal>,
    misrules: Vec<crate::Misrule>,
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
        World::start_pinned(nodes, resume, watch, Arc::default())
    }

    /// Follows the chain from somewhere else than its genesis block.
    fn start_at(nodes: Vec<Node>, start: Start) -> World {
        let nodes: Vec<(SocketAddr, Node)> = (0..).map(address).zip(nodes).collect();
        World::start_with(nodes, fresh(), scripts(), Arc::default(), start)
    }

    fn start_pinned(nodes: Vec<(SocketAddr, Node)>, resume: ResumePoint, watch: Vec<Script>, pinned: Arc<Pinned>) -> World {
        World::start_with(nodes, resume, watch, pinned, Start::Genesis)
    }

    fn start_with(
        nodes: Vec<(SocketAddr, Node)>,
        resume: ResumePoint,
        watch: Vec<Script>,
        pinned: Arc<Pinned>,
        start: Start,
    ) -> World {
        let config = SidechainConfig { params: params(nodes.iter().map(|(a, _)| *a).collect()), resume, watch, pinned, start };
        let (client, events) =
            SidechainClient::start_with(config, &Handle::current(), &in_memory(nodes)).expect("parameters that hold together");
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

    fn heights(&self) -> Vec<Height> {
        self.told.blocks.keys().copied().collect()
    }

    /// What a caller that kept everything would resume from.
    fn resume_point(&self) -> ResumePoint {
        ResumePoint { first: 1, headers: self.told.headers.values().cloned().collect(), scanned_to: self.told.scanned_to }
    }
}

impl Told {
    fn take(&mut self, event: SidechainEvent) {
        match event {
            Event::Anchor(anchor) => self.anchors.push(anchor.map(|anchor| anchor.height())),
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
            Event::Misrule(misrule) => self.misrules.push(misrule),
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

#[tokio::test(start_paused = true)]
async fn it_goes_on_where_it_left_off_and_hears_of_new_blocks() {
    let node = Node::new(FakeChain::real(80), Quirk::Honest);
    let mut world = World::start(vec![node.clone()], fresh(), scripts());
    world.synced(80).await;
    node.change(|chain| chain.tip = 85);
    world.synced(85).await;
    let resume = world.resume_point();
    world.client.shutdown().await;
    assert_eq!(world.events.recv().await, None, "a stopped client says nothing more");

    node.change(|chain| chain.tip = TIP);
    let mut again = World::start(vec![node], resume, scripts());
    assert_eq!(again.client.tip().height, 85, "before any peer was asked");
    again.synced(TIP).await;
    assert_eq!(again.told.headers.len(), TIP - 85);
    let all: Vec<Height> = world.heights().into_iter().chain(again.heights()).collect();
    assert_eq!(all, expected());
}

#[tokio::test(start_paused = true)]
async fn what_a_peer_claims_follows_the_blocks_that_it_announces() {
    let nodes = [Node::new(FakeChain::real(80), Quirk::Honest), Node::new(FakeChain::real(80), Quirk::Honest)];
    let mut world = World::start(nodes.to_vec(), fresh(), scripts());
    world.synced(80).await;
    let claimed = |world: &World| world.client.peers().iter().map(|peer| peer.height).collect::<Vec<_>>();
    nodes[0].change(|chain| chain.tip = 85);
    world.synced(85).await;
    assert_eq!((claimed(&world), world.client.state().claimed), (vec![Some(85), Some(80)], 85), "one of them knows of no more");
    nodes[1].change(|chain| chain.tip = TIP);
    world.synced(TIP).await;
    assert_eq!(claimed(&world), [Some(85), Some(u32::try_from(TIP).expect("small"))]);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_resume_point_costs_time_only() {
    let node = Node::new(FakeChain::real(TIP), Quirk::Honest);
    let raw: Vec<Vec<u8>> = node.chain.lock().expect("a lock").headers[1..].to_vec();
    let mut cut = raw.clone();
    cut[60].truncate(20);
    let mut unsigned = raw.clone();
    let last = unsigned.len() - 1;
    let end = unsigned[last].len() - 120;
    unsigned[last][end] ^= 1;
    let scanned_to = u32::try_from(TIP).expect("small");
    for (headers, holds) in [(cut, 60), (unsigned, 134), (vec![vec![]], 0)] {
        let mut world = World::start(vec![node.clone()], ResumePoint { first: 1, headers, scanned_to }, scripts());
        assert_eq!(world.client.tip().height, holds);
        world.synced(TIP).await;
        world.client.shutdown().await;
    }
    let mut whole = World::start(vec![node], ResumePoint { first: 1, headers: raw, scanned_to }, scripts());
    whole.until("sync", |told| told.phases.last() == Some(&Phase::Synced)).await;
    assert_eq!((whole.client.tip().height, whole.told.headers.len()), (scanned_to, 0));
}

/// Peers that are noticed, and the word for what they did.
const HOSTILE: [(Quirk, Code, &str); 14] = [
    (Quirk::Garbage, Code::BadPeer, "wrong-magic"),
    (Quirk::Oversized, Code::BadPeer, "oversized"),
    (Quirk::Drip, Code::BadPeer, "slow"),
    (Quirk::Magic, Code::BadPeer, "wrong-magic"),
    (Quirk::Silent, Code::BadPeer, "silent"),
    (Quirk::Mute, Code::BadPeer, "slow"),
    (Quirk::NoFilters, Code::BadPeer, "unsuitable"),
    (Quirk::BadHeader(50), Code::BadHeader, "signature"),
    (Quirk::WrongGenesis, Code::WrongGenesis, "wrong-genesis"),
    (Quirk::EndlessHeaders, Code::BadPeer, "flood"),
    (Quirk::WrongFilter(80), Code::BadPeer, "bad-filter"),
    (Quirk::WithheldBlock, Code::BadPeer, "unsuitable"),
    (Quirk::BadBlock, Code::BadPeer, "bad-block"),
    (Quirk::Flood, Code::BadPeer, "flood"),
];

#[tokio::test(start_paused = true)]
async fn a_hostile_peer_alone_is_named_and_gets_nothing_believed() {
    for (quirk, code, why) in HOSTILE {
        let node = Node::new(FakeChain::real(TIP), quirk);
        let mut world = World::start(vec![node.clone()], fresh(), scripts());
        world.until(&format!("{quirk:?}"), |told| told.has_fault(code, why)).await;
        // It is dialled again, but not at once and not for nothing.
        world.until("another fault", |told| told.faults.len() > 2).await;
        assert!(world.heights().iter().all(|height| expected().contains(height)), "{quirk:?}");
        match quirk {
            Quirk::BadHeader(at) => assert_eq!(world.client.tip().height, at - 1, "{quirk:?}"),
            Quirk::WrongFilter(at) => assert!(world.told.scanned_to < at),
            Quirk::WithheldBlock | Quirk::BadBlock => assert_eq!(world.told.scanned_to.min(75), world.told.scanned_to),
            Quirk::Flood | Quirk::EndlessHeaders => {}
            _ => assert_eq!(world.client.tip().height, 0, "{quirk:?}"),
        }
        world.client.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn beside_an_honest_peer_no_hostile_one_keeps_us_from_syncing() {
    let quirks = HOSTILE.map(|(quirk, _, _)| quirk);
    for quirk in quirks.into_iter().chain([Quirk::Truncated, Quirk::IgnoredBlock, Quirk::HidingFilter(80)]) {
        let hostile = Node::new(FakeChain::real(TIP), quirk);
        let honest = Node::new(FakeChain::real(TIP), Quirk::Honest);
        let mut world = World::start(vec![hostile, honest], fresh(), scripts());
        let height = u32::try_from(TIP).expect("small");
        world.until(&format!("{quirk:?}"), |told| told.scanned_to == height).await;
        assert_eq!(world.heights(), expected(), "{quirk:?}");
        world.client.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_hides_a_payment_is_caught_by_a_witness_only() {
    let liar = || Node::new(FakeChain::real(TIP), Quirk::HidingFilter(80));
    let mut alone = World::start(vec![liar()], fresh(), scripts());
    alone.synced(TIP).await;
    assert!(!alone.heights().contains(&80), "nothing in a block commits to its filter");
    let mut watched = World::start(vec![liar(), Node::new(FakeChain::real(TIP), Quirk::Honest)], fresh(), scripts());
    watched.synced(TIP).await;
    assert_eq!(watched.heights(), expected());
}

#[tokio::test(start_paused = true)]
async fn a_witness_that_comes_late_still_uncovers_a_hidden_payment() {
    let honest = Node::new(FakeChain::real(TIP), Quirk::Honest);
    // Long enough for everything to have been matched without it.
    *honest.refusals.lock().expect("a lock") = 12;
    let mut world = World::start(vec![Node::new(FakeChain::real(TIP), Quirk::HidingFilter(80)), honest], fresh(), scripts());
    world.synced(TIP).await;
    assert!(!world.heights().contains(&80));
    world.until("the hidden block", |told| told.blocks.contains_key(&80)).await;
    world.until("the rest", |told| told.scanned_to == 135).await;
    assert_eq!(world.heights(), expected());
    assert!(world.told.has_fault(Code::BadPeer, "bad-filter"));
}

#[tokio::test(start_paused = true)]
async fn a_longer_signed_branch_is_followed_and_a_deep_one_reported() {
    for (fork, reported) in [(134, false), (133, false), (90, true)] {
        let node = Node::new(FakeChain::real(TIP), Quirk::Honest);
        let mut world = World::start(vec![node.clone()], fresh(), scripts());
        world.synced(TIP).await;
        let length = TIP - fork + 1;
        node.change(|chain| chain.fork(fork, length));
        world.synced(fork + length).await;
        let fork = u32::try_from(fork).expect("small");
        assert_eq!(world.told.rollbacks, vec![fork]);
        assert_eq!(world.heights(), expected().into_iter().filter(|height| *height <= fork).collect::<Vec<_>>());
        assert_eq!(world.told.has_fault(Code::BadHeader, "deep-reorganisation"), reported);
        // Two histories, of which one was final, are the federation's doing.
        let broken = TIP - usize::try_from(fork).expect("small") >= 2;
        assert_eq!(world.told.misrules.len(), usize::from(broken), "fork at {fork}");
        if let Some(misrule) = world.told.misrules.first() {
            assert_eq!((misrule.fork, misrule.rule), (fork, "two-histories"));
            let crate::Against::Final(ours) = &misrule.against else { panic!("{misrule:?}") };
            let real = FakeChain::real(TIP);
            assert_eq!(*ours, real.headers[usize::try_from(fork).expect("small") + 1..=TIP].to_vec());
            assert!(misrule.headers.iter().all(|raw| !ours.contains(raw)));
        }
        let kept = world.told.headers.values().map(|raw| header(raw).block_hash()).collect::<Vec<_>>();
        assert_eq!(kept, node.chain.lock().expect("a lock").hashes[1..]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_of_hundreds_of_blocks_is_followed_and_told_once() {
    let node = Node::new(FakeChain::real(TIP), Quirk::Honest);
    node.change(|chain| chain.fork(134, 400));
    let mut world = World::start(vec![node.clone()], fresh(), scripts());
    world.synced(534).await;
    node.change(|chain| chain.fork(100, 500));
    // Headers of the branch come piece by piece, and the best chain changes when the branch is longer.
    world.synced(600).await;
    assert_eq!(world.told.rollbacks, vec![100]);
    let deep = world.told.faults.iter().find(|f| f.args.get("rule").is_some_and(|rule| rule == "deep-reorganisation"));
    assert_eq!(deep.expect("reported").args["depth"], "434");
    let kept = world.told.headers.values().map(|raw| header(raw).block_hash()).collect::<Vec<_>>();
    assert_eq!(kept, node.chain.lock().expect("a lock").hashes[1..]);
    assert_eq!(world.heights(), expected().into_iter().filter(|height| *height <= 100).collect::<Vec<_>>());
}

/// Pinned data with one checkpoint or one denied block.
fn pinned(list: &str, height: usize, hash: elements::BlockHash) -> Arc<Pinned> {
    use bitcoin::hex::DisplayHex as _;
    use bitcoin::secp256k1::{Keypair, Message, SECP256K1};
    let genesis = params(vec![]).genesis_hash;
    let data = format!(
        r#"{{"format":"causeway-pinned-1","genesis":"{genesis}","serial":1,"{list}":[{{"height":{height},"hash":"{hash}"}}]}}"#
    );
    let key = Keypair::from_seckey_slice(SECP256K1, &[1; 32]).expect("a key");
    let message = Message::from_digest(pinned::digest(data.as_bytes()));
    let signature = SECP256K1.sign_schnorr_no_aux_rand(&message, &key).serialize().to_lower_hex_string();
    let signer = key.x_only_public_key().0;
    let signers = pinned::PinSigners { threshold: 1, keys: vec![signer] };
    Arc::new(Pinned::read(data.as_bytes(), &format!("{signer} {signature}"), &signers, &genesis).expect("signed"))
}

#[tokio::test(start_paused = true)]
async fn a_branch_that_shipped_data_forbids_is_not_followed_however_well_it_is_signed() {
    let real = Node::new(FakeChain::real(TIP), Quirk::Honest);
    let longer = Node::new(FakeChain::real(TIP), Quirk::Honest);
    longer.change(|chain| chain.fork(120, 40));
    let (good, bad) = (real.chain.lock().expect("a lock").hashes[125], longer.chain.lock().expect("a lock").hashes[121]);
    for pins in [pinned("checkpoints", 125, good), pinned("denied", 121, bad)] {
        let nodes = vec![(address(0), longer.clone()), (address(1), real.clone())];
        let mut world = World::start_pinned(nodes, fresh(), scripts(), Arc::clone(&pins));
        world.until("the branch that stays", |told| told.scanned_to == 135).await;
        assert_eq!(world.heights(), expected());
        assert!(world.told.has_fault(Code::BadHeader, "checkpoint") || world.told.has_fault(Code::BadHeader, "denied"));
        world.client.shutdown().await;
        // A wallet that had followed the other branch before it was denied leaves it.
        let mut astray = World::start(vec![longer.clone()], fresh(), scripts());
        astray.synced(160).await;
        let resume = astray.resume_point();
        astray.client.shutdown().await;
        let mut back = World::start_pinned(vec![(address(1), real.clone())], resume, scripts(), pins);
        back.synced(TIP).await;
        let fork = back.told.rollbacks[0];
        assert!((120..125).contains(&fork), "undone to {fork}");
        assert_eq!(back.client.tip().hash, real.chain.lock().expect("a lock").hashes[TIP]);
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_branches_of_one_length_the_first_seen_stays() {
    let first = Node::new(FakeChain::real(TIP), Quirk::Honest);
    let mut world = World::start(vec![first.clone()], fresh(), scripts());
    world.synced(TIP).await;
    let tip = world.client.tip();
    first.change(|chain| chain.fork(TIP - 2, 2));
    // What is asked after the branch was looked at has seen it.
    assert!(world.client.block(tip.hash).await.is_err(), "the peer has left that branch");
    assert_eq!(world.client.tip(), tip);
    assert_eq!(world.told.rollbacks, Vec::<Height>::new());
    first.change(|chain| chain.fork(TIP - 2, 3));
    world.synced(TIP + 1).await;
    assert_eq!(world.told.rollbacks, vec![133]);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_still_indexes_is_asked_again() {
    let node = Node::new(FakeChain::real(TIP), Quirk::Indexing(4));
    let raw = node.chain.lock().expect("a lock").headers[1..TIP].to_vec();
    let resume = ResumePoint { first: 1, headers: raw, scanned_to: 134 };
    let mut world = World::start(vec![node], resume, scripts());
    world.synced(TIP).await;
    assert_eq!(world.told.faults, vec![]);
}

#[tokio::test(start_paused = true)]
async fn transactions_travel_both_ways() {
    let node = Node::new(FakeChain::real(TIP), Quirk::Honest);
    let block: Block = {
        let chain = node.chain.lock().expect("a lock");
        elements::encode::deserialize(&chain.blocks[&chain.hashes[77]]).expect("a block")
    };
    let tx = block.txdata[1].clone();
    let mut world = World::start(vec![node.clone()], fresh(), scripts());
    world.synced(TIP).await;
    assert_eq!(world.client.broadcast(tx.clone()).await, Ok(()));
    assert_eq!(node.chain.lock().expect("a lock").mempool.len(), 1);

    let mut payee = World::start(vec![node.clone()], fresh(), scripts());
    payee.synced(TIP).await;
    node.change(|_| {});
    payee.until("the payment", |told| !told.unconfirmed.is_empty()).await;
    assert_eq!(payee.told.unconfirmed, vec![tx.clone()]);

    let forgetful = Node::new(FakeChain::real(TIP), Quirk::Forgetful);
    let mut world = World::start(vec![forgetful], fresh(), scripts());
    world.synced(TIP).await;
    let fault = world.client.broadcast(tx.clone()).await.expect_err("nobody holds it");
    assert_eq!((fault.refusal.code, &fault.refusal.args["txid"]), (Code::NotAccepted, &tx.txid().to_string()));
    let lonely = World::start(vec![], fresh(), scripts());
    assert_eq!(lonely.client.broadcast(tx).await.expect_err("nobody is there").refusal.code, Code::NoPeers);
}

#[tokio::test(start_paused = true)]
async fn a_rescan_finds_the_past_of_scripts_from_their_birthday_on() {
    let node = Node::new(FakeChain::real(TIP), Quirk::Honest);
    let mut world = World::start(vec![node], fresh(), vec![]);
    world.synced(TIP).await;
    world.client.watch(scripts());
    assert_eq!(world.heights(), Vec::<Height>::new());
    world.client.rescan([], 80);
    world.until("the rescan", |told| told.scanned_to == 135 && !told.blocks.is_empty()).await;
    assert_eq!(world.heights(), expected().into_iter().filter(|height| *height >= 80).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_was_away_finds_everything_merged() {
    let node = Node::new(FakeChain::real(TIP), Quirk::Honest);
    let mut world = World::start(vec![node], fresh(), scripts());
    while world.client.state().phase != Phase::Synced {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut batches = 0;
    while world.told.phases.last() != Some(&Phase::Synced) {
        let event = world.events.recv().await.expect("the client runs");
        batches += u32::from(matches!(event, Event::Batch(_)));
        world.told.take(event);
    }
    assert_eq!(world.heights(), expected());
    assert!(batches <= 2, "{batches} batches");
}

#[tokio::test(start_paused = true)]
async fn it_is_a_source_like_the_others() {
    use crate::source::{Agreement, HeaderSource, SourceFault, compare, follow, payment};
    use causeway_sidechain::consensus::skip::{EpochRoot, Skip};
    let node = Node::new(FakeChain::real(TIP), Quirk::Honest);
    let block: Block = {
        let chain = node.chain.lock().expect("a lock");
        elements::encode::deserialize(&chain.blocks[&chain.hashes[77]]).expect("a block")
    };
    let mut world = World::start(vec![node.clone()], fresh(), vec![]);
    world.synced(TIP).await;
    let params = Arc::new(params(vec![]));
    let mut skip = Skip::new(Arc::clone(&params), EpochRoot::genesis(&params).expect("a root"), 135);
    let sources: Vec<Box<dyn HeaderSource>> = vec![Box::new(world.client.clone())];
    assert_eq!(follow(&mut skip, &sources, unix_time()).await, Ok(vec![]));
    let txid = block.txdata[1].txid();
    let found = payment(&skip, sources[0].as_ref(), txid, 77).await.expect("verified");
    assert_eq!((found.tx, found.header), (block.txdata[1].clone(), block.header));
    assert!(payment(&skip, sources[0].as_ref(), txid, 78).await.is_err(), "another block");
    assert_eq!(compare(&skip, &sources, 135).await.0, Agreement::Agreed(world.client.tip().hash, 1));
    assert_eq!(sources[0].headers(136, 1).await, Err(SourceFault::NotFound));
}

#[tokio::test]
async fn it_works_over_real_sockets() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let peer = listener.local_addr().expect("an address");
    let node = Node::new(FakeChain::real(TIP), Quirk::Honest);
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            tokio::spawn(node.clone().serve(Box::new(stream)));
        }
    });
    let config = SidechainConfig {
        params: params(vec![peer]),
        resume: fresh(),
        watch: scripts(),
        pinned: Arc::default(),
        start: Start::Genesis,
    };
    let (client, events) = SidechainClient::start(config, &Handle::current()).expect("parameters that hold together");
    let mut world = World { client, events, told: Told::default() };
    world.synced(TIP).await;
    assert_eq!(world.heights(), expected());
    world.client.shutdown().await;
    server.abort();
}
