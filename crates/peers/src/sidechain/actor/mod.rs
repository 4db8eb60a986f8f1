//! The task behind a sidechain client.

mod matching;

use super::anchor::{self, Anchor};
use super::chain::{self, Chain, Change, HeadersFault, Outcome, Received};
use super::filters::{Job, Step};
use super::{Command, Shared, SidechainEvent};
use crate::blocks::Blocks;
use crate::event::{Against, Headers, Misrule, NetworkState, Phase, ResumePoint, Steady};
use crate::outbox::Outbox;
use crate::relay::{PROBE_PERIOD, Relay};
use crate::scan::Scan;
use crate::source::HeaderSource;
use crate::unix_time;
use crate::wire::{Message, Misconduct, Peer, Pool, PoolEvent};
use bitcoin::bip158::FilterHeader;
use bitcoin::hashes::Hash as _;
use bitcoin::p2p::message_blockdata::{GetHeadersMessage, Inventory};
use causeway_federation::DoubleSign;
use causeway_sidechain::consensus::{header, merkle, signature};
use causeway_vocab::{ChainBatch, Code, Fault, Height, NetworkId, Refusal, SidechainParams, Tip};
use elements::{Block, BlockHash, Script, Transaction};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

/// A peer must answer `getheaders` within this time.
const HEADERS_DEADLINE: Duration = Duration::from_secs(20);
/// And after this time another peer is asked as well.
const HEADERS_PATIENCE: Duration = Duration::from_secs(3);
/// Peers whose filter headers are compared, if so many are configured.
const QUORUM: usize = 3;
/// How long the first peer that is ready waits for others to compare with.
const WITNESS_GRACE: Duration = Duration::from_secs(3);
/// Announcements of headers and the like that nobody asked for, per peer and minute.
const MOST_UNASKED: u32 = 300;
/// Matching blocks under way or waiting for the reader before filters wait too.
const MOST_MATCHED: usize = 512;
/// Blocks waiting for the reader before fetching waits.
const MOST_WAITING: usize = 128;
/// Headers waiting for the reader before asking for more waits.
const MOST_HEADERS: usize = 20_000;
/// Undoing more blocks than these is reported as a fault, besides the rollback itself: an honest federation does not do that.
const DEEPEST_QUIET: u32 = 2;
/// Scripts beyond these are not watched.
const MOST_SCRIPTS: usize = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeaderSync {
    /// Waits for its turn: during the first sync one peer at a time is asked.
    Idle,
    /// Since when.
    Asked(Instant),
    Done,
}

/// What became of headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Took {
    Nothing,
    /// They are of a branch that is not the best.
    Branch,
    /// The best chain ends in them.
    Best,
}

struct PeerState {
    sync: HeaderSync,
    /// Whether it has answered a `getheaders`, so that its chain is known to start where ours does.
    same_chain: bool,
    /// Height of the best block that its answers to the running question share with our chain.
    common: Height,
    /// Whether it was asked if its filter headers end in ours.
    compared: bool,
    unasked: u32,
    unasked_since: Instant,
}

pub(super) struct Actor {
    params: Arc<SidechainParams>,
    pool: Pool,
    shared: Arc<Shared>,
    outbox: Outbox<BlockHash, Block, Transaction>,
    relay: Relay,
    peers: BTreeMap<Peer, PeerState>,
    watched: HashSet<Script>,
    scan: Scan<BlockHash, Block, Transaction>,
    blocks: Blocks<BlockHash>,
    job: Option<Job>,
    /// Until when filters wait for more peers, from the moment on at which the first was ready.
    grace: Option<Instant>,
    /// Filter header at the end of the last stretch.
    filter_tip: Option<(Height, FilterHeader)>,
    /// Where this run began to match, if it has not been matched twice.
    first_match: Option<Height>,
    /// Peers that came late, the block up to which they were asked to agree, and the filter header there.
    comparing: BTreeMap<Peer, (bitcoin::BlockHash, FilterHeader)>,
    asks: HashMap<BlockHash, Vec<oneshot::Sender<(Height, Block)>>>,
    /// The header signed against the rules that was told last.
    misrule: Option<BlockHash>,
    /// Proofs of double signatures about heights to come.
    accused: BTreeMap<Peer, DoubleSign>,
    /// The one that was told.
    convicted: Option<(Height, bitcoin::secp256k1::PublicKey)>,
    offline_since: Option<u64>,
    had_peers: bool,
    steady: Steady,
}

impl Actor {
    pub(super) fn new(
        params: Arc<SidechainParams>,
        pool: Pool,
        shared: Arc<Shared>,
        watch: Vec<Script>,
        scanned_to: Height,
        undone: Option<Tip<BlockHash>>,
    ) -> Actor {
        let mut outbox = Outbox::new();
        if let Some(fork) = undone {
            outbox.batch(ChainBatch {
                rollback_to: Some(fork),
                blocks: Vec::new(),
                unconfirmed: Vec::new(),
                tip: fork,
                scanned_to,
            });
        }
        Actor {
            params,
            pool,
            shared,
            outbox,
            relay: Relay::new(),
            peers: BTreeMap::new(),
            watched: watch.into_iter().take(MOST_SCRIPTS).collect(),
            scan: Scan::new(scanned_to),
            blocks: Blocks::new(),
            job: None,
            grace: None,
            filter_tip: None,
            first_match: Some(scanned_to),
            comparing: BTreeMap::new(),
            asks: HashMap::new(),
            misrule: None,
            accused: BTreeMap::new(),
            convicted: None,
            offline_since: None,
            had_peers: false,
            steady: Steady::default(),
        }
    }

    /// Runs until shut down, until every handle is gone, or until nobody reads the events.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>, events: mpsc::Sender<SidechainEvent>) {
        let mut probe = Instant::now();
        loop {
            self.advance();
            let busy = self.relay.is_busy();
            let wake = self.next_deadline();
            tokio::select! {
                event = self.pool.next() => {
                    self.pool_event(event).await;
                    // Whatever else has come is taken in before anything is told.
                    for _ in 0..256 {
                        match self.pool.ready().await {
                            Some(event) => self.pool_event(event).await,
                            None => break,
                        }
                    }
                }
                command = commands.recv() => match command {
                    Some(Command::Shutdown(done)) => {
                        drop(self);
                        let _ = done.send(());
                        return;
                    }
                    Some(command) => self.command(command).await,
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
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => self.late(),
                () = sleep_until(probe), if busy => {
                    probe = Instant::now() + PROBE_PERIOD;
                    self.relay.tick(&self.pool);
                }
            }
        }
    }

    fn tip(&self) -> Tip<BlockHash> {
        self.shared.chain().tip()
    }

    fn fault(&mut self, refusal: Refusal) {
        self.outbox.fault(Fault { network: NetworkId::Sidechain, refusal });
    }

    async fn command(&mut self, command: Command) {
        match command {
            Command::Watch(scripts) => {
                let before = self.watched.len();
                self.watched.extend(scripts.into_iter().take(MOST_SCRIPTS.saturating_sub(before)));
                if self.watched.len() > before && self.scan.filtered_to() > self.scan.scanned_to() {
                    // Not told yet, so it can be matched again with the new scripts.
                    self.rewind(self.scan.scanned_to());
                }
            }
            Command::Rescan(scripts, from) => {
                let room = MOST_SCRIPTS.saturating_sub(self.watched.len());
                self.watched.extend(scripts.into_iter().take(room));
                self.rewind(from.saturating_sub(1));
            }
            Command::Offer(headers, reply) => {
                let received = headers.into_iter().map(|header| Received { raw: elements::encode::serialize(&header), header });
                let outcome = match self.take(received.collect()).await {
                    Some((_, None)) => Ok(()),
                    Some((_, Some(fault))) => Err(self.tell_offered(fault)),
                    None => Err("slow"),
                };
                // Whoever offered them may have gone.
                let _ = reply.send(outcome);
            }
            Command::StartOver(anchor) => self.start_over(anchor.map(|anchor| *anchor)),
            Command::Broadcast(tx, reply) => {
                let id = bitcoin::Txid::from_byte_array(elements::hashes::Hash::to_byte_array(tx.txid()));
                self.relay.broadcast(&self.pool, id, elements::encode::serialize(&tx), reply);
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

    /// Skips to a later epoch than the root before anything else is done.
    pub(super) async fn skip(&mut self, root: Anchor, sources: &[Box<dyn HeaderSource>]) {
        let pinned = Arc::clone(self.shared.chain().pinned());
        let (anchor, faults) = anchor::skip(&self.params, &pinned, root, sources, header::MAX_ROLLBACK as Height).await;
        for fault in faults {
            self.outbox.fault(fault);
        }
        self.start_over(Some(anchor));
    }

    fn start_over(&mut self, anchor: Option<Anchor>) {
        let pinned = Arc::clone(self.shared.chain().pinned());
        let fresh = Chain::resume(Arc::clone(&self.params), pinned, anchor.clone(), &ResumePoint::default(), unix_time());
        let Some(fresh) = fresh else { return };
        let base = fresh.base();
        *self.shared.chain_mut() = fresh;
        let known: Vec<BlockHash> = self.scan.rewind(0);
        self.forget(&known);
        self.scan = Scan::new(base.height);
        (self.job, self.filter_tip, self.first_match) = (None, None, Some(base.height));
        self.comparing.clear();
        for state in self.peers.values_mut() {
            (state.sync, state.same_chain, state.common, state.compared) = (HeaderSync::Idle, false, 0, false);
        }
        self.outbox.anchor(anchor);
        self.outbox.batch(ChainBatch {
            rollback_to: Some(base),
            blocks: Vec::new(),
            unconfirmed: Vec::new(),
            tip: base,
            scanned_to: base.height,
        });
        self.outbox.headers(Headers { first: base.height + 1, raw: Vec::new() });
    }

    /// Everything above `height` will be matched again, as far as it is known.
    fn rewind(&mut self, height: Height) {
        let height = height.max(self.shared.chain().base().height);
        self.first_match = self.first_match.map(|first| first.min(height));
        self.job = None;
        let unwanted = self.scan.rewind(height);
        self.forget(&unwanted);
    }

    fn forget(&mut self, unwanted: &[BlockHash]) {
        for hash in unwanted {
            if !self.asks.contains_key(hash) {
                self.blocks.forget(hash);
            }
        }
    }

    // -- peers

    async fn pool_event(&mut self, event: PoolEvent) {
        match event {
            PoolEvent::Up(peer) => {
                self.had_peers = true;
                let state = PeerState {
                    sync: HeaderSync::Idle,
                    same_chain: false,
                    common: 0,
                    compared: false,
                    unasked: 0,
                    unasked_since: Instant::now(),
                };
                self.peers.insert(peer, state);
                self.relay.up(&self.pool, peer);
            }
            PoolEvent::Down(peer) => self.gone(peer),
            PoolEvent::Misconduct(address, misconduct) => {
                self.fault(Refusal::new(Code::BadPeer).with("peer", address).with("why", misconduct.word()));
            }
            PoolEvent::Message(peer, message) => self.message(peer, message).await,
        }
    }

    /// Forgets a peer and gives its work to others.
    fn gone(&mut self, peer: Peer) {
        self.peers.remove(&peer);
        self.comparing.remove(&peer);
        self.relay.down(peer);
        self.blocks.down(peer);
        if let Some(job) = &mut self.job {
            match job.down(peer) {
                None => self.job = None,
                Some(step) => self.step(step),
            }
        }
    }

    /// Closes a peer's session for cause.
    fn punish(&mut self, peer: Peer, misconduct: Misconduct) {
        let address = self.pool.address(peer);
        let code = if misconduct == Misconduct::WrongGenesis { Code::WrongGenesis } else { Code::BadPeer };
        self.fault(Refusal::new(code).with("peer", address).with("why", misconduct.word()));
        self.pool.close(peer);
        self.gone(peer);
    }

    /// Counts something that nobody asked for; an honest node sends little of it.
    fn unasked(&mut self, peer: Peer) {
        let Some(state) = self.peers.get_mut(&peer) else { return };
        if state.unasked_since.elapsed() > Duration::from_secs(60) {
            (state.unasked, state.unasked_since) = (0, Instant::now());
        }
        state.unasked += 1;
        if state.unasked > MOST_UNASKED {
            self.punish(peer, Misconduct::Flood);
        }
    }

    async fn message(&mut self, peer: Peer, message: Message) {
        match message {
            Message::Headers(payload) => self.headers(peer, &payload).await,
            Message::Inv(list) => self.inventory(peer, &list),
            Message::DoubleSign(payload) => self.double_sign(peer, &payload),
            Message::CFHeaders(message) => match self.job.as_mut().map(|job| job.headers(peer, &message)) {
                Some(Step::Foreign) | None => self.compared(peer, &message),
                Some(step) => self.step(step),
            },
            Message::CFilter(message) => self.filter(peer, message),
            Message::Block(payload) => self.block(peer, &payload),
            Message::Tx(raw) => match self.relay.transaction::<Transaction>(peer, &raw, &self.watched) {
                Ok(Some(tx)) => self.scan.seen(tx),
                Ok(None) => {}
                Err(()) => self.punish(peer, Misconduct::Garbage),
            },
            Message::GetData(list) => self.relay.get_data(&self.pool, peer, &list),
            Message::NotFound(list) => {
                self.relay.not_found(peer, &list);
                let missing = list.iter().any(|entry| match entry {
                    Inventory::WitnessBlock(hash) => self.blocks.is_asked(peer, &from_wire(hash)),
                    _ => false,
                });
                if missing {
                    // It announced the header of a block that it does not serve.
                    self.punish(peer, Misconduct::Unsuitable);
                }
            }
            Message::FeeFilter(rate) => self.relay.fee_filter(peer, rate),
            _ => {}
        }
    }

    fn inventory(&mut self, peer: Peer, list: &[Inventory]) {
        let mut news = false;
        for entry in list {
            let (Inventory::Block(hash) | Inventory::WitnessBlock(hash) | Inventory::CompactBlock(hash)) = entry else {
                continue;
            };
            let height = self.shared.chain().height_of(&from_wire(hash));
            match height {
                Some(height) => self.pool.shown(peer, height),
                // Its headers, asked for below, show the height.
                None => news = true,
            }
        }
        if news && self.peers.get(&peer).is_some_and(|state| state.sync == HeaderSync::Done) {
            self.ask_for_headers(peer, false);
        }
        self.relay.inventory(&self.pool, peer, list);
    }

    // -- headers

    fn ask_for_headers(&mut self, peer: Peer, branch: bool) {
        if let Some(state) = self.peers.get_mut(&peer) {
            state.common = 0;
        }
        let locator = self.shared.chain().locator(branch);
        self.ask_behind(peer, &locator);
    }

    fn ask_behind(&mut self, peer: Peer, locator: &[BlockHash]) {
        let Some(state) = self.peers.get_mut(&peer) else { return };
        state.sync = HeaderSync::Asked(Instant::now());
        let locator_hashes = locator.iter().map(to_wire).collect();
        let message = GetHeadersMessage { version: 70016, locator_hashes, stop_hash: bitcoin::BlockHash::all_zeros() };
        self.pool.send(peer, Message::GetHeaders(message));
    }

    /// Verifies headers and takes those that hold. `None` only when the runtime is being shut down.
    async fn take(&mut self, received: Vec<Received>) -> Option<(Took, Option<HeadersFault>)> {
        let params = Arc::clone(&self.params);
        let verified = if received.len() < 8 {
            chain::verify(received, &params)
        } else {
            tokio::task::spawn_blocking(move || chain::verify(received, &params)).await.ok()?
        };
        let (change, fault): Outcome = self.shared.chain_mut().add(verified, unix_time());
        let took = match change {
            Change::Nothing => Took::Nothing,
            Change::Branch => Took::Branch,
            Change::Extended(_) | Change::Switched { .. } => Took::Best,
        };
        self.changed(change);
        let broken = self.shared.chain_mut().take_broken();
        if let Some(misrule) = broken {
            self.outbox.misrule(misrule);
        }
        self.convict();
        Some((took, fault))
    }

    /// Tells what offered headers reveal of the federation, and gives the word for what is wrong with them.
    fn tell_offered(&mut self, fault: HeadersFault) -> &'static str {
        match fault {
            HeadersFault::Garbage => "garbage",
            HeadersFault::Unconnected | HeadersFault::TooDeep(_) | HeadersFault::Bad(..) => "bad-header",
            HeadersFault::Forbidden(_, why) => why.word(),
            HeadersFault::Misrule(misrule) => {
                self.tell_misrule(misrule);
                "bad-header"
            }
        }
    }

    fn tell_misrule(&mut self, misrule: Misrule) {
        if self.misrule.replace(misrule.hash) != Some(misrule.hash) {
            self.outbox.misrule(misrule);
        }
    }

    async fn headers(&mut self, peer: Peer, payload: &[u8]) {
        let Some(state) = self.peers.get(&peer) else { return };
        let (asked, same_chain, common) = (matches!(state.sync, HeaderSync::Asked(_)), state.same_chain, state.common);
        let mut received = match chain::read(payload) {
            Ok(received) => received,
            Err(_) => return self.punish(peer, Misconduct::Garbage),
        };
        // Checking signatures costs more than anything else here: never twice for the same header.
        let known = {
            let chain = self.shared.chain();
            received.iter().take_while(|r| chain.height_of(&r.header.block_hash()).is_some()).count()
        };
        if asked && known > 0 && known == received.len() {
            // The branches part further up than this message reaches; a locator names few blocks that deep. Go on behind its last header,
            // as long as that leads upwards.
            let last = received[known - 1].header.block_hash();
            let height = self.shared.chain().height_of(&last).unwrap_or(0);
            if height < self.tip().height && height > common {
                if let Some(state) = self.peers.get_mut(&peer) {
                    state.common = height;
                    state.same_chain = true;
                }
                return self.ask_behind(peer, &[last]);
            }
        }
        let last = received.last().map(|r| r.header.block_hash());
        received.drain(..known);
        if !asked && received.is_empty() {
            self.unasked(peer);
        }
        let Some((change, fault)) = self.take(received).await else { return };
        let (news, branch) = (change != Took::Nothing, change == Took::Branch);
        match fault {
            None => {}
            Some(HeadersFault::Unconnected) if asked && !same_chain => return self.punish(peer, Misconduct::WrongGenesis),
            // An announcement from further ahead than we are.
            Some(HeadersFault::Unconnected) if !asked => return self.ask_for_headers(peer, false),
            Some(HeadersFault::Unconnected | HeadersFault::TooDeep(_)) => return self.punish(peer, Misconduct::BadHeader),
            Some(HeadersFault::Garbage) => return self.punish(peer, Misconduct::Garbage),
            Some(HeadersFault::Bad(height, fault)) => {
                self.fault(Refusal::new(Code::BadHeader).with("height", height).with("rule", chain::rule(&fault)));
                return self.punish(peer, Misconduct::BadHeader);
            }
            Some(HeadersFault::Forbidden(height, why)) => {
                self.fault(Refusal::new(Code::BadHeader).with("height", height).with("rule", why.word()));
                return self.punish(peer, Misconduct::BadHeader);
            }
            // The peer only passed it on. But it follows that chain, so there is nothing more to be had from it.
            Some(HeadersFault::Misrule(misrule)) => {
                self.tell_misrule(misrule);
                self.pool.close(peer);
                return self.gone(peer);
            }
        }
        let shown = last.and_then(|hash| self.shared.chain().height_of(&hash));
        if let Some(height) = shown {
            self.pool.shown(peer, height);
        }
        let Some(state) = self.peers.get_mut(&peer) else { return };
        state.same_chain = true;
        if asked && news {
            // Until there is nothing new: a node may send fewer than it has.
            self.ask_for_headers(peer, branch);
        } else if asked && state.sync != HeaderSync::Done {
            state.sync = HeaderSync::Done;
            // From now on new blocks may be announced by their headers.
            self.pool.send(peer, Message::SendHeaders);
        }
    }

    /// Keeps a proof until the chain is as far as what it is about, one of each peer. One that convicts nobody is a lie of the peer.
    fn double_sign(&mut self, peer: Peer, payload: &[u8]) {
        let Ok(proof) = DoubleSign::from_bytes(payload) else { return self.punish(peer, Misconduct::Garbage) };
        if self.shared.chain().convicts(&proof) == Some(false) {
            return self.punish(peer, Misconduct::Garbage);
        }
        self.accused.insert(peer, proof);
        self.convict();
    }

    fn convict(&mut self) {
        let verdict = |proof: &DoubleSign| self.shared.chain().convicts(proof);
        let Some((peer, true)) = self.accused.iter().find_map(|(peer, proof)| Some((*peer, verdict(proof)?))) else { return };
        let Some(proof) = self.accused.remove(&peer) else { return };
        if self.convicted.replace((proof.height(), proof.key)) != Some((proof.height(), proof.key)) {
            self.outbox.misrule(Misrule {
                fork: proof.height(),
                headers: Vec::new(),
                hash: proof.first.0.block_hash(),
                rule: "double-signed",
                against: Against::DoubleSign(Box::new(proof)),
            });
        }
    }

    fn changed(&mut self, change: Change) {
        match change {
            Change::Nothing | Change::Branch => {}
            Change::Extended(headers) => self.outbox.headers(headers),
            Change::Switched { fork, depth, headers } => {
                if depth > DEEPEST_QUIET {
                    self.fault(
                        Refusal::new(Code::BadHeader)
                            .with("height", fork.height + 1)
                            .with("rule", "deep-reorganisation")
                            .with("depth", depth),
                    );
                }
                self.outbox.headers(headers);
                self.job = None;
                let unwanted = self.scan.roll_back(fork);
                self.forget(&unwanted);
                self.filter_tip = self.filter_tip.filter(|(height, _)| *height <= fork.height);
            }
        }
    }

    // -- blocks

    fn block(&mut self, peer: Peer, payload: &[u8]) {
        // The header decides first, so that a block nobody asked for costs no more than its header.
        let Ok((found, _)) = header::decode_prefix(payload) else { return self.punish(peer, Misconduct::Garbage) };
        let hash = found.block_hash();
        if !self.blocks.is_asked(peer, &hash) {
            return self.unasked(peer);
        }
        let Ok(mut block) = elements::encode::deserialize::<Block>(payload) else {
            return self.punish(peer, Misconduct::Garbage);
        };
        let place = self.shared.chain().height_of(&hash);
        let Some(height) = place else {
            // Reorganised away since it was asked for.
            self.blocks.received(peer, &hash);
            self.asks.remove(&hash);
            return;
        };
        let body = merkle::check_block(&block).and_then(|()| merkle::check_witness_commitment(&block));
        // The signatures are no part of the hash: keep those that we verified, or verify those that came.
        let ours = self.shared.chain().header(height).cloned();
        let signed = match ours {
            Some(ours) => {
                block.header = ours;
                true
            }
            None => height == 0 || signature::verify_own_signatures(&block.header, &self.params).is_ok(),
        };
        if body.is_err() || !signed {
            return self.punish(peer, Misconduct::BadBlock);
        }
        self.blocks.received(peer, &hash);
        for tx in &block.txdata {
            self.relay.accepted(bitcoin::Txid::from_byte_array(elements::hashes::Hash::to_byte_array(tx.txid())));
        }
        for reply in self.asks.remove(&hash).into_iter().flatten() {
            let _ = reply.send((height, block.clone()));
        }
        self.scan.fetched(height, hash, block);
    }

    // -- progress

    fn ready_peers(&self) -> Vec<Peer> {
        self.peers.iter().filter(|(_, state)| state.same_chain).map(|(peer, _)| *peer).collect()
    }

    /// Starts whatever can be started and tells whatever can be told.
    fn advance(&mut self) {
        let now = Instant::now();
        let asking = |state: &PeerState| matches!(state.sync, HeaderSync::Asked(since) if now < since + HEADERS_PATIENCE);
        if !self.peers.values().any(asking) && self.outbox.waiting_headers() < MOST_HEADERS {
            let idle = self.peers.iter().find(|(_, state)| state.sync == HeaderSync::Idle).map(|(peer, _)| *peer);
            if let Some(peer) = idle {
                self.ask_for_headers(peer, false);
            }
        }
        if self.job.is_none() && self.scan.filtered_to() < self.tip().height && self.scan.len() < MOST_MATCHED {
            self.start_job();
        }
        if self.outbox.blocks() < MOST_WAITING {
            for (peer, hashes) in self.blocks.assign(&self.ready_peers()) {
                let list = hashes.iter().map(|hash| Inventory::WitnessBlock(to_wire(hash))).collect();
                self.pool.send(peer, Message::GetData(list));
            }
        }
        self.compare();
        let tip = self.tip();
        if let Some(batch) = self.scan.tell(tip) {
            self.outbox.batch(batch);
        }
        let state = self.state();
        self.shared.set_state(state);
        self.outbox.state(state);
    }

    fn state(&mut self) -> NetworkState {
        let connected = self.pool.peers().count();
        let tip = self.tip().height;
        if connected > 0 {
            self.offline_since = None;
        } else if self.offline_since.is_none() {
            self.offline_since = Some(unix_time());
        }
        let phase = if connected == 0 {
            if self.had_peers { Phase::Offline } else { Phase::Connecting }
        } else if !self.peers.values().any(|state| state.sync == HeaderSync::Done) {
            Phase::Headers
        } else if self.scan.filtered_to() < tip {
            Phase::Filters
        } else if self.scan.scanned_to() < tip {
            Phase::Blocks
        } else {
            Phase::Synced
        };
        NetworkState {
            phase: self.steady.phase(phase, tip.saturating_sub(self.scan.scanned_to())),
            peers: u32::try_from(connected).unwrap_or(u32::MAX),
            claimed: self.pool.peers().map(|(_, greeting)| greeting.claimed).max().unwrap_or(0).max(tip),
            headers: tip,
            scanned_to: self.scan.scanned_to(),
            offline_since: self.offline_since,
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let waiting = self.peers.values().any(|state| state.sync == HeaderSync::Idle);
        let now = Instant::now();
        let headers = self.peers.values().filter_map(|state| match state.sync {
            HeaderSync::Asked(since) if waiting && now < since + HEADERS_PATIENCE => Some(since + HEADERS_PATIENCE),
            HeaderSync::Asked(since) => Some(since + HEADERS_DEADLINE),
            _ => None,
        });
        let grace = self.grace.filter(|at| *at > now);
        headers.chain(self.job.as_ref().map(Job::wake)).chain(self.blocks.deadline()).chain(grace).min()
    }

    fn late(&mut self) {
        let now = Instant::now();
        let mut late: Vec<Peer> = self.blocks.late();
        late.extend(
            self.peers
                .iter()
                .filter(|(_, s)| matches!(s.sync, HeaderSync::Asked(since) if since + HEADERS_DEADLINE <= now))
                .map(|(p, _)| *p),
        );
        if let Some(job) = &mut self.job {
            let (again, silent) = job.late();
            for (peer, message) in again {
                self.pool.send(peer, message);
            }
            late.extend(silent);
        }
        late.sort_unstable();
        late.dedup();
        for peer in late {
            self.punish(peer, Misconduct::Slow);
        }
    }
}

pub(in crate::sidechain) fn to_wire(hash: &BlockHash) -> bitcoin::BlockHash {
    bitcoin::BlockHash::from_byte_array(elements::hashes::Hash::to_byte_array(*hash))
}

fn from_wire(hash: &bitcoin::BlockHash) -> BlockHash {
    elements::hashes::Hash::from_byte_array(hash.to_byte_array())
}
