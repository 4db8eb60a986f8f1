//! The task behind a Bitcoin client.

use super::node::Node;
use super::{BitcoinEvent, Command, Shared};
use crate::blocks::Blocks;
use crate::event::{NetworkState, Phase, Steady};
use crate::outbox::Outbox;
use crate::relay::{PROBE_PERIOD, Relay};
use crate::scan::Scan;
use crate::unix_time;
use crate::wire::{Message, Misconduct, Peer, Pool, PoolEvent};
use bip157::chain::{BlockHeaderChanges, IndexedHeader};
use bip157::{IndexedFilter, Warning};
use bitcoin::p2p::message_blockdata::Inventory;
use bitcoin::{Block, BlockHash, Network, ScriptBuf, Transaction};
use causeway_vocab::{BitcoinParams, Code, Fault, Height, NetworkId, Refusal, Tip};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

/// How far below the scanned height a node starts: reorganisations up to here need no second try.
const MARGIN: Height = 144;
/// Pause before a node that ended is started again; doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE_ON_LOOPBACK: Duration = Duration::from_secs(2);
/// Blocks waiting for the reader before fetching waits.
const MOST_WAITING: usize = 128;
/// Events of the node taken in before anything is told.
const MOST_AT_ONCE: usize = 4_096;
/// A header may be so far ahead of the clock, seconds.
const MOST_AHEAD: u64 = 2 * 3_600;
/// Mainnet without a block for so long, seconds: more likely that blocks are withheld.
const STALE: u64 = 6 * 3_600;

pub(super) struct Actor {
    params: BitcoinParams,
    pool: Pool,
    shared: Arc<Shared>,
    outbox: Outbox<BlockHash, Block, Transaction>,
    relay: Relay,
    watched: HashSet<ScriptBuf>,
    scan: Scan<BlockHash, Block, Transaction>,
    blocks: Blocks<BlockHash>,
    asks: HashMap<BlockHash, Vec<oneshot::Sender<(Height, Block)>>>,
    /// The last block that each peer announced and that is not in our chain yet.
    announced: HashMap<Peer, BlockHash>,
    node: Option<Node>,
    restart_at: Instant,
    pause: Duration,
    margin: Height,
    /// A sync failed since the last filter that fitted.
    stumbled: bool,
    /// The node has told everything since it started.
    caught_up: bool,
    offline_since: Option<u64>,
    had_peers: bool,
    steady: Steady,
}

impl Actor {
    pub(super) fn new(
        params: BitcoinParams,
        pool: Pool,
        shared: Arc<Shared>,
        watch: Vec<ScriptBuf>,
        scanned_to: Height,
    ) -> Actor {
        Actor {
            params,
            pool,
            shared,
            outbox: Outbox::new(),
            relay: Relay::new(),
            watched: watch.into_iter().collect(),
            scan: Scan::new(scanned_to),
            blocks: Blocks::new(),
            asks: HashMap::new(),
            announced: HashMap::new(),
            node: None,
            restart_at: Instant::now(),
            pause: FIRST_PAUSE,
            margin: MARGIN,
            stumbled: false,
            caught_up: false,
            offline_since: None,
            had_peers: false,
            steady: Steady::default(),
        }
    }

    /// Runs until shut down, until every handle is gone, or until nobody reads the events.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>, events: mpsc::Sender<BitcoinEvent>) {
        let mut probe = Instant::now();
        loop {
            self.advance();
            let busy = self.relay.is_busy();
            let late = self.blocks.deadline();
            let restart = self.node.is_none() && self.is_reachable();
            tokio::select! {
                event = self.pool.next() => {
                    self.pool_event(event);
                    for _ in 0..256 {
                        match self.pool.ready().await {
                            Some(event) => self.pool_event(event),
                            None => break,
                        }
                    }
                }
                said = listen(&mut self.node) => match said {
                    NodeSays::Event(event) => {
                        self.node_event(event);
                        for _ in 0..MOST_AT_ONCE {
                            match self.node.as_mut().and_then(|node| node.events.try_recv().ok()) {
                                Some(event) => self.node_event(event),
                                None => break,
                            }
                        }
                    }
                    NodeSays::Warning(warning) => self.warning(warning),
                    NodeSays::Ended => self.stop_node(),
                },
                command = commands.recv() => match command {
                    Some(Command::Shutdown(done)) => {
                        if let Some(mut node) = self.node.take() {
                            // Its connections close when its task ends.
                            let _ = node.requester.shutdown();
                            let _ = (&mut node.task).await;
                        }
                        drop(self);
                        let _ = done.send(());
                        return;
                    }
                    Some(command) => self.command(command),
                    None => return,
                },
                permit = events.reserve(), if !self.outbox.is_empty() => match permit {
                    Ok(permit) => {
                        if let Some(event) = self.outbox.pop() {
                            permit.send(event);
                        }
                    }
                    Err(_) => return,
                },
                () = sleep_until(self.restart_at), if restart => self.start_node(),
                () = sleep_until(late.unwrap_or_else(Instant::now)), if late.is_some() => {
                    for peer in self.blocks.late() {
                        self.punish(peer, Misconduct::Slow);
                    }
                }
                () = sleep_until(probe), if busy => {
                    probe = Instant::now() + PROBE_PERIOD;
                    self.relay.tick(&self.pool);
                }
            }
        }
    }

    fn tip(&self) -> Tip<BlockHash> {
        self.shared.index().tip()
    }

    fn fault(&mut self, refusal: Refusal) {
        self.outbox.fault(Fault { network: NetworkId::Bitcoin, refusal });
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Watch(scripts) => {
                let before = self.watched.len();
                self.watched.extend(scripts);
                if self.watched.len() > before && self.scan.filtered_to() > self.scan.scanned_to() {
                    // Not told yet, so it can be matched again with the new scripts.
                    self.rewind(self.scan.scanned_to());
                }
            }
            Command::Rescan(scripts, from) => {
                self.watched.extend(scripts);
                let base = self.shared.index().base().height;
                self.rewind(from.saturating_sub(1).max(base));
            }
            Command::Broadcast(tx, reply) => {
                self.relay.broadcast(&self.pool, tx.compute_txid(), bitcoin::consensus::serialize(&tx), reply);
            }
            Command::Block(hash, reply) => {
                self.asks.retain(|_, replies| {
                    replies.retain(|reply| !reply.is_closed());
                    !replies.is_empty()
                });
                self.asks.entry(hash).or_default().push(reply);
                self.blocks.want(hash);
            }
            Command::Shutdown(_) => unreachable!("BUG: handled by the loop"),
        }
    }

    fn rewind(&mut self, height: Height) {
        let unwanted = self.scan.rewind(height);
        self.forget(&unwanted);
        self.resend_filters();
    }

    fn forget(&mut self, unwanted: &[BlockHash]) {
        for hash in unwanted {
            if !self.asks.contains_key(hash) {
                self.blocks.forget(hash);
            }
        }
    }

    // -- the node that follows headers and filters

    /// Whether starting a node makes sense: with given peers, only once one of them answers.
    fn is_reachable(&self) -> bool {
        self.params.peers.is_empty() || self.pool.peers().next().is_some()
    }

    fn start_node(&mut self) {
        let start = {
            let index = self.shared.index();
            self.scan.filtered_to().min(index.tip().height).saturating_sub(self.margin).max(index.base().height)
        };
        self.caught_up = false;
        self.node = Some(Node::start(&self.params, &self.shared.index(), start));
    }

    fn stop_node(&mut self) {
        self.node = None;
        self.caught_up = false;
        self.restart_at = Instant::now() + self.pause;
        let loopback = !self.params.peers.is_empty() && self.params.peers.iter().all(|peer| peer.ip().is_loopback());
        self.pause = (self.pause * 2).min(if loopback { LONGEST_PAUSE_ON_LOOPBACK } else { LONGEST_PAUSE });
    }

    /// Makes the node tell filters again that it has told already.
    fn resend_filters(&mut self) {
        let Some(node) = &self.node else { return };
        let from = self.scan.filtered_to();
        if from < node.start {
            // It does not know those headers: another one is started that does.
            self.node = None;
            self.restart_at = Instant::now();
        } else if self.caught_up && node.requester.rescan_from(from).is_err() {
            self.stop_node();
        }
        // A node that has not caught up ignores such a request; it is made when it has.
    }

    fn node_event(&mut self, event: bip157::Event) {
        match event {
            bip157::Event::ChainUpdate(BlockHeaderChanges::Connected(header)) => self.connected(header),
            bip157::Event::ChainUpdate(BlockHeaderChanges::Reorganized { accepted, .. }) => self.reorganised(&accepted),
            bip157::Event::ChainUpdate(BlockHeaderChanges::ForkAdded(_)) => {}
            bip157::Event::IndexedFilter(filter) => self.filter(&filter),
            bip157::Event::FiltersSynced(_) => {
                self.caught_up = true;
                self.pause = FIRST_PAUSE;
                self.margin = MARGIN;
                let tip = self.tip();
                if self.scan.filtered_to() < tip.height {
                    self.resend_filters();
                }
                if self.is_stale(tip) {
                    self.fault(Refusal::new(Code::NotSynced).with("why", "stale-tip"));
                }
            }
        }
    }

    fn is_stale(&self, tip: Tip<BlockHash>) -> bool {
        self.params.network == Network::Bitcoin && u64::from(tip.time).saturating_add(STALE) < unix_time()
    }

    fn connected(&mut self, IndexedHeader { height, header }: IndexedHeader) {
        let hash = header.block_hash();
        if self.shared.index().at(height).is_some_and(|at| at.hash == hash) {
            return;
        }
        if u64::from(header.time) > unix_time().saturating_add(MOST_AHEAD) {
            self.fault(Refusal::new(Code::BadHeader).with("height", height).with("rule", "time-too-new"));
        }
        let pushed = self.shared.index_mut().push(header);
        if pushed {
            let headers = self.shared.index().raw_from(height);
            self.outbox.headers(headers);
        } else {
            // Too easy, or a node that lost track of us.
            self.fault(Refusal::new(Code::BadHeader).with("height", height).with("rule", "work-floor"));
            self.stop_node();
        }
    }

    fn reorganised(&mut self, accepted: &[IndexedHeader]) {
        let Some(first) = accepted.iter().map(|header| header.height).min() else { return };
        let fork = self.shared.index_mut().roll_back(first.saturating_sub(1));
        let Some(fork) = fork.filter(|fork| fork.height + 1 == first) else { return self.stop_node() };
        let unwanted = self.scan.roll_back(fork);
        self.forget(&unwanted);
        let mut accepted = accepted.to_vec();
        accepted.sort();
        for IndexedHeader { height, header } in accepted {
            if !self.shared.index_mut().push(header) {
                self.fault(Refusal::new(Code::BadHeader).with("height", height).with("rule", "work-floor"));
                self.stop_node();
                break;
            }
        }
        let headers = self.shared.index().raw_from(first);
        self.outbox.headers(headers);
    }

    fn filter(&mut self, filter: &IndexedFilter) {
        let height = filter.height();
        // Filters below come again after a restart; filters above belong to a scan that was rewound.
        if height != self.scan.filtered_to() + 1 {
            return;
        }
        let at = self.shared.index().at(height);
        let Some(at) = at.filter(|at| at.hash == filter.block_hash()) else { return };
        let wanted = !self.watched.is_empty() && filter.contains_any(self.watched.iter());
        self.scan.filtered(at, wanted);
        self.stumbled = false;
        if wanted {
            self.blocks.want(at.hash);
        }
    }

    fn warning(&mut self, warning: Warning) {
        if let Warning::UnexpectedSyncError { warning } = warning {
            if warning.contains("header syncing") {
                // Perhaps the branch leaves below where the node starts: the next one starts lower.
                self.margin = self.margin.saturating_mul(16);
            }
            // A branch that changes while it is asked for makes an honest peer stumble, once.
            if !std::mem::replace(&mut self.stumbled, true) {
                return;
            }
            // The node does not say which of its peers it was.
            let peers: Vec<String> = self.params.peers.iter().map(ToString::to_string).collect();
            self.fault(Refusal::new(Code::BadPeer).with("peer", peers.join(", ")).with("why", "sync"));
        }
    }

    // -- our own connections: blocks and transactions

    fn pool_event(&mut self, event: PoolEvent) {
        match event {
            PoolEvent::Up(peer) => {
                self.had_peers = true;
                self.relay.up(&self.pool, peer);
                if self.node.is_none() {
                    self.restart_at = Instant::now();
                }
            }
            PoolEvent::Down(peer) => self.gone(peer),
            PoolEvent::Misconduct(address, misconduct) => {
                self.fault(Refusal::new(Code::BadPeer).with("peer", address).with("why", misconduct.word()));
            }
            PoolEvent::Message(peer, message) => self.message(peer, message),
        }
    }

    fn gone(&mut self, peer: Peer) {
        self.announced.remove(&peer);
        self.relay.down(peer);
        self.blocks.down(peer);
    }

    fn punish(&mut self, peer: Peer, misconduct: Misconduct) {
        let address = self.pool.address(peer);
        self.fault(Refusal::new(Code::BadPeer).with("peer", address).with("why", misconduct.word()));
        self.pool.close(peer);
        self.gone(peer);
    }

    fn message(&mut self, peer: Peer, message: Message) {
        match message {
            Message::Block(payload) => self.block(peer, &payload),
            Message::Inv(list) => {
                let block = |entry: &Inventory| match entry {
                    Inventory::Block(hash) | Inventory::WitnessBlock(hash) | Inventory::CompactBlock(hash) => Some(*hash),
                    _ => None,
                };
                if let Some(last) = list.iter().filter_map(block).next_back() {
                    self.announced.insert(peer, last);
                    self.look_up_announced();
                }
                self.relay.inventory(&self.pool, peer, &list);
            }
            Message::Tx(raw) => match self.relay.transaction::<Transaction>(peer, &raw, &self.watched) {
                Ok(Some(tx)) => self.scan.seen(tx),
                Ok(None) => {}
                Err(()) => self.punish(peer, Misconduct::Garbage),
            },
            Message::GetData(list) => self.relay.get_data(&self.pool, peer, &list),
            Message::NotFound(list) => {
                self.relay.not_found(peer, &list);
                let missing = list.iter().any(|entry| match entry {
                    Inventory::WitnessBlock(hash) => self.blocks.is_asked(peer, hash),
                    _ => false,
                });
                if missing {
                    self.punish(peer, Misconduct::Unsuitable);
                }
            }
            Message::FeeFilter(rate) => self.relay.fee_filter(peer, rate),
            // On these connections we ask for nothing of the kind.
            Message::Headers(_) | Message::CFHeaders(_) | Message::CFilter(_) => self.punish(peer, Misconduct::Unsolicited),
            _ => {}
        }
    }

    fn block(&mut self, peer: Peer, payload: &[u8]) {
        let Ok(block) = bitcoin::consensus::deserialize::<Block>(payload) else {
            return self.punish(peer, Misconduct::Garbage);
        };
        let hash = block.block_hash();
        if !self.blocks.is_asked(peer, &hash) {
            return self.punish(peer, Misconduct::Unsolicited);
        }
        let Some(height) = self.shared.index().height_of(&hash) else {
            // Reorganised away since it was asked for.
            self.blocks.received(peer, &hash);
            self.asks.remove(&hash);
            return;
        };
        if !block.check_merkle_root() || !block.check_witness_commitment() {
            return self.punish(peer, Misconduct::BadBlock);
        }
        self.blocks.received(peer, &hash);
        for tx in &block.txdata {
            self.relay.accepted(tx.compute_txid());
        }
        for reply in self.asks.remove(&hash).into_iter().flatten() {
            let _ = reply.send((height, block.clone()));
        }
        self.scan.fetched(height, hash, block);
    }

    /// An announcement names no height: our own chain does, as soon as it has the block.
    fn look_up_announced(&mut self) {
        self.announced.retain(|peer, hash| {
            let height = self.shared.index().height_of(hash);
            if let Some(height) = height {
                self.pool.shown(*peer, height);
            }
            height.is_none()
        });
    }

    // -- progress

    /// Starts whatever can be started and tells whatever can be told.
    fn advance(&mut self) {
        self.look_up_announced();
        if self.outbox.blocks() < MOST_WAITING {
            let peers: Vec<Peer> = self.pool.peers().map(|(peer, _)| peer).collect();
            for (peer, hashes) in self.blocks.assign(&peers) {
                self.pool.send(peer, Message::GetData(hashes.into_iter().map(Inventory::WitnessBlock).collect()));
            }
        }
        let tip = self.tip();
        if let Some(batch) = self.scan.tell(tip) {
            self.outbox.batch(batch);
        }
        let state = self.state();
        self.shared.set_state(state, self.relay.fee_floor());
        self.outbox.state(state);
    }

    fn state(&mut self) -> NetworkState {
        let connected = self.pool.peers().count();
        let tip = self.tip();
        if connected > 0 {
            self.offline_since = None;
        } else if self.offline_since.is_none() {
            self.offline_since = Some(unix_time());
        }
        let phase = if connected == 0 {
            if self.had_peers { Phase::Offline } else { Phase::Connecting }
        } else if self.scan.filtered_to() < tip.height {
            Phase::Filters
        } else if !self.caught_up || self.is_stale(tip) {
            Phase::Headers
        } else if self.scan.scanned_to() < tip.height {
            Phase::Blocks
        } else {
            Phase::Synced
        };
        NetworkState {
            phase: self.steady.phase(phase, tip.height.saturating_sub(self.scan.scanned_to())),
            peers: u32::try_from(connected).unwrap_or(u32::MAX),
            claimed: self.pool.peers().map(|(_, greeting)| greeting.claimed).max().unwrap_or(0).max(tip.height),
            headers: tip.height,
            scanned_to: self.scan.scanned_to(),
            offline_since: self.offline_since,
        }
    }
}

/// What a node has to say.
enum NodeSays {
    Event(bip157::Event),
    Warning(Warning),
    Ended,
}

/// The next word of a running node. Waits for ever when there is none.
async fn listen(node: &mut Option<Node>) -> NodeSays {
    let Some(node) = node else { return std::future::pending().await };
    tokio::select! {
        event = node.events.recv() => event.map_or(NodeSays::Ended, NodeSays::Event),
        Some(warning) = node.warnings.recv() => NodeSays::Warning(warning),
    }
}
