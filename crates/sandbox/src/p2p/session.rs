//! One peer: handshake, then answers and announcements until it leaves.

use super::codec::{self, Message, decode, frame, put};
use crate::error::SandboxError;
use crate::node::Node;
use bitcoin::consensus::Encodable;
use bitcoin::hashes::Hash as _;
use bitcoin::p2p::message_blockdata::{GetHeadersMessage, Inventory};
use bitcoin::p2p::message_filter::{CFCheckpt, CFHeaders, CFilter, GetCFCheckpt, GetCFHeaders, GetCFilters};
use bitcoin::p2p::message_network::VersionMessage;
use bitcoin::p2p::{Address, ServiceFlags};
use causeway_sidechain::consensus::filter::{Filter, FilterHeader};
use causeway_vocab::Height;
use elements::BlockHash;
use std::collections::{HashSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// Protocol version of elementsd 28.
const PROTOCOL_VERSION: u32 = 70016;
/// Peers older than this do not know `headers` announcements the way we speak them.
const MIN_PEER_VERSION: u32 = 70013;
/// Lowest rate we relay at, satoshi per 1000 vbytes.
const FEE_FILTER: u64 = causeway_sidechain::consensus::transaction::MIN_RELAY_FEE_RATE;
/// Most headers in one `headers` message.
const MAX_HEADERS: usize = 2000;
/// Most hashes in a locator.
const MAX_LOCATOR: usize = 101;
/// Most entries of an inventory.
const MAX_INVENTORY: usize = 50_000;
/// Most filters for one `getcfilters`.
const MAX_FILTERS: u32 = 1000;
/// Most filter hashes in one `cfheaders`.
const MAX_FILTER_HEADERS: u32 = 2000;
/// Heights between the filter headers of `cfcheckpt`.
const CHECKPOINT_INTERVAL: u32 = 1000;
/// The basic filter, the only one there is.
const BASIC: u8 = 0;
/// How long the handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(60);
/// A peer that does not take our bytes for so long is dropped.
const WRITE_WITHIN: Duration = Duration::from_secs(60);
/// Silence after which we ask whether the peer is there.
const PING_EVERY: Duration = Duration::from_secs(120);
/// Silence after which it is not.
const SILENCE: Duration = Duration::from_secs(1200);
/// Ids of transactions that we remember to have told a peer or heard from it.
const MAX_KNOWN: usize = 5000;

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    /// The stream broke, ended or held garbage.
    #[error(transparent)]
    Stream(#[from] io::Error),
    /// The peer broke the protocol.
    #[error("{0}")]
    Misbehaved(&'static str),
    /// It was silent or slow for too long.
    #[error("too slow")]
    TooSlow,
    /// We cannot read our own chain.
    #[error(transparent)]
    World(#[from] SandboxError),
}

struct Session {
    node: Arc<Node>,
    magic: [u8; 4],
    out: OwnedWriteHalf,
    /// It wants `headers` instead of `inv` for new blocks.
    headers_first: bool,
    /// It wants transactions by their full hash.
    by_wtxid: bool,
    /// It wants no transactions.
    block_relay_only: bool,
    known: HashSet<[u8; 32]>,
    known_order: VecDeque<[u8; 32]>,
}

/// Talks to a peer until it leaves or misbehaves.
pub(super) async fn run(stream: TcpStream, peer: SocketAddr, node: Arc<Node>) -> Result<(), End> {
    stream.set_nodelay(true)?;
    let (read, out) = stream.into_split();
    let magic = node.params().network_magic;
    let (mut tips, mut transactions) = (node.watch_tip(), node.watch_transactions());
    let (accused, mut accusations) = node.evidence().watch();
    let mut inbox = inbox(read, magic);
    let mut session = Session {
        node,
        magic,
        out,
        headers_first: false,
        by_wtxid: false,
        block_relay_only: false,
        known: HashSet::new(),
        known_order: VecDeque::new(),
    };
    timeout(HANDSHAKE_WITHIN, session.handshake(peer, &mut inbox)).await.map_err(|_| End::TooSlow)??;
    tips.mark_unchanged();
    for proof in accused {
        session.send_raw("doublesign", &proof).await?;
    }
    let mut heard = Instant::now();
    let mut ping = tokio::time::interval(PING_EVERY);
    loop {
        tokio::select! {
            message = inbox.recv() => {
                heard = Instant::now();
                session.answer(message.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?).await?;
            }
            changed = tips.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                let tip = *tips.borrow_and_update();
                session.announce_block(tip.height, tip.hash).await?;
            }
            relayed = transactions.recv() => match relayed {
                Ok((txid, wtxid)) => session.announce_transactions(&[(txid, wtxid)]).await?,
                // Announcements are a courtesy; a peer that missed some can ask for the mempool.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            },
            proof = accusations.recv() => match proof {
                Ok(proof) => session.send_raw("doublesign", &proof).await?,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = ping.tick() => {
                if heard.elapsed() > SILENCE {
                    return Err(End::TooSlow);
                }
                session.send("ping", &rand::random::<u64>()).await?;
            }
        }
    }
}

/// Reads messages in a task of its own: a read that is cancelled half-way would lose the place in the stream.
fn inbox(read: OwnedReadHalf, magic: [u8; 4]) -> mpsc::Receiver<io::Result<Message>> {
    let (send, receive) = mpsc::channel(4);
    tokio::spawn(async move {
        let mut read = BufReader::new(read);
        loop {
            let message = tokio::select! {
                message = codec::read(&mut read, magic) => message,
                () = send.closed() => return,
            };
            let ended = message.is_err();
            if send.send(message).await.is_err() || ended {
                return;
            }
        }
    });
    receive
}

impl Session {
    async fn handshake(&mut self, peer: SocketAddr, inbox: &mut mpsc::Receiver<io::Result<Message>>) -> Result<(), End> {
        let mut next = async || inbox.recv().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()));
        let first = next().await?;
        if first.command != "version" {
            return Err(End::Misbehaved("no version first"));
        }
        let theirs: VersionMessage = decode_prefix(&first.payload).ok_or(End::Misbehaved("malformed version"))?;
        if theirs.version < MIN_PEER_VERSION {
            return Err(End::Misbehaved("protocol too old"));
        }
        self.block_relay_only = !theirs.relay;
        self.send("version", &self.version(peer)).await?;
        if theirs.version >= PROTOCOL_VERSION {
            self.send_raw("wtxidrelay", &[]).await?;
        }
        self.send_raw("verack", &[]).await?;
        loop {
            match next().await?.command.as_str() {
                "verack" => break,
                "wtxidrelay" => self.by_wtxid = true,
                "version" => return Err(End::Misbehaved("a second version")),
                _ => {}
            }
        }
        self.send("feefilter", &FEE_FILTER).await
    }

    fn version(&self, peer: SocketAddr) -> VersionMessage {
        let services =
            ServiceFlags::NETWORK | ServiceFlags::WITNESS | ServiceFlags::COMPACT_FILTERS | ServiceFlags::NETWORK_LIMITED;
        let now = crate::node::now();
        VersionMessage {
            version: PROTOCOL_VERSION,
            services,
            timestamp: i64::try_from(now).unwrap_or(i64::MAX),
            receiver: Address::new(&peer, ServiceFlags::NONE),
            sender: Address::new(&SocketAddr::from(([0, 0, 0, 0], 0)), services),
            nonce: rand::random(),
            user_agent: concat!("/Causeway Sandbox:", env!("CARGO_PKG_VERSION"), "/").into(),
            start_height: i32::try_from(self.node.tip().height).unwrap_or(i32::MAX),
            relay: true,
        }
    }

    async fn answer(&mut self, message: Message) -> Result<(), End> {
        let payload = message.payload.as_slice();
        let malformed = || End::Misbehaved("malformed message");
        match message.command.as_str() {
            "ping" => {
                // Before BIP31 a ping had no nonce and wanted no answer.
                if payload.len() == 8 { self.send_raw("pong", payload).await } else { Ok(()) }
            }
            "sendheaders" => {
                self.headers_first = true;
                Ok(())
            }
            "getheaders" => {
                let request: GetHeadersMessage = decode(payload).ok_or_else(malformed)?;
                if request.locator_hashes.len() > MAX_LOCATOR {
                    return Err(End::Misbehaved("overlong locator"));
                }
                let locator: Vec<BlockHash> = request.locator_hashes.iter().map(elements_hash).collect();
                self.send_headers(&locator, elements_hash(&request.stop_hash)).await
            }
            "getdata" => {
                let wanted: Vec<Inventory> = decode(payload).ok_or_else(malformed)?;
                if wanted.len() > MAX_INVENTORY {
                    return Err(End::Misbehaved("overlong inventory"));
                }
                self.send_data(&wanted).await
            }
            "inv" => {
                let offered: Vec<Inventory> = decode(payload).ok_or_else(malformed)?;
                if offered.len() > MAX_INVENTORY {
                    return Err(End::Misbehaved("overlong inventory"));
                }
                self.fetch(&offered).await
            }
            "tx" => {
                let tx: elements::Transaction = elements::encode::deserialize(payload).map_err(|_| malformed())?;
                self.remember(tx.txid().to_byte_array());
                self.remember(tx.wtxid().to_byte_array());
                // A refused transaction is met with silence, as everywhere since `reject` was abolished.
                if let Err(why) = self.node.accept(tx).await {
                    tracing::debug!(%why, "a transaction was not taken");
                }
                Ok(())
            }
            "mempool" => {
                let waiting = self.node.waiting_ids();
                self.announce_transactions(&waiting).await
            }
            "getcfilters" => {
                let request: GetCFilters = decode(payload).ok_or_else(malformed)?;
                let range = self.range(request.filter_type, request.start_height, &request.stop_hash, MAX_FILTERS)?;
                for (hash, filter, _) in self.node.filters(range.0, range.1) {
                    let block_hash = bitcoin_hash(&hash);
                    self.send("cfilter", &CFilter { filter_type: BASIC, block_hash, filter }).await?;
                }
                Ok(())
            }
            "getcfheaders" => {
                let request: GetCFHeaders = decode(payload).ok_or_else(malformed)?;
                let range = self.range(request.filter_type, request.start_height, &request.stop_hash, MAX_FILTER_HEADERS)?;
                let previous = range.0.checked_sub(1).and_then(|before| self.node.filters(before, before).pop());
                let previous_filter_header = previous.map_or_else(FilterHeader::all_zeros, |(_, _, header)| header);
                let filters = self.node.filters(range.0, range.1);
                let filter_hashes = filters.into_iter().map(|(_, filter, _)| Filter(filter).hash()).collect();
                let stop_hash = request.stop_hash;
                self.send("cfheaders", &CFHeaders { filter_type: BASIC, stop_hash, previous_filter_header, filter_hashes }).await
            }
            "getcfcheckpt" => {
                let request: GetCFCheckpt = decode(payload).ok_or_else(malformed)?;
                let (_, stop) = self.range(request.filter_type, 0, &request.stop_hash, u32::MAX)?;
                let heights = (1..=stop / CHECKPOINT_INTERVAL).map(|n| n * CHECKPOINT_INTERVAL);
                let filter_headers = heights.filter_map(|h| Some(self.node.filters(h, h).pop()?.2)).collect();
                let stop_hash = request.stop_hash;
                self.send("cfcheckpt", &CFCheckpt { filter_type: BASIC, stop_hash, filter_headers }).await
            }
            "version" => Err(End::Misbehaved("a second version")),
            // Addresses, fee filters, compact block offers, pongs and whatever is invented later.
            _ => Ok(()),
        }
    }

    /// Heights of a filter request. elementsd disconnects peers that ask for another type, an unknown block or too much.
    fn range(&self, kind: u8, start: Height, stop: &bitcoin::BlockHash, most: u32) -> Result<(Height, Height), End> {
        let stop = self.node.height_of(&elements_hash(stop)).ok_or(End::Misbehaved("filters up to an unknown block"))?;
        let fits = kind == BASIC && start <= stop && stop - start < most;
        if fits { Ok((start, stop)) } else { Err(End::Misbehaved("filters of another type or too many")) }
    }

    async fn send_headers(&mut self, locator: &[BlockHash], stop: BlockHash) -> Result<(), End> {
        let first = if locator.is_empty() {
            // Without a locator only the block of the stop hash is meant.
            match self.node.height_of(&stop) {
                Some(height) => height,
                None => return Ok(()),
            }
        } else {
            locator.iter().find_map(|hash| self.node.height_of(hash)).map_or(1, |common| common + 1)
        };
        let most = match self.node.height_of(&stop) {
            Some(stop) => (stop as usize + 1).saturating_sub(first as usize).min(MAX_HEADERS),
            None => MAX_HEADERS,
        };
        let headers = self.node.header_bytes(first, most)?;
        self.put_headers(&headers).await
    }

    async fn put_headers(&mut self, headers: &[Vec<u8>]) -> Result<(), End> {
        let mut payload = Vec::new();
        put(&mut payload, &bitcoin::VarInt(headers.len() as u64));
        for header in headers {
            payload.extend(header);
            // The number of transactions, always 0.
            payload.push(0);
        }
        self.send_raw("headers", &payload).await
    }

    async fn send_data(&mut self, wanted: &[Inventory]) -> Result<(), End> {
        let mut missing = Vec::new();
        for item in wanted {
            let found = match *item {
                Inventory::Block(hash) | Inventory::WitnessBlock(hash) | Inventory::CompactBlock(hash) => {
                    match self.node.height_of(&elements_hash(&hash)) {
                        Some(height) => self.node.block(height)?.map(|block| ("block", block)),
                        None => None,
                    }
                    .map(|(name, block)| (name, if matches!(item, Inventory::Block(_)) { without_witness(block) } else { block }))
                }
                Inventory::Transaction(txid) | Inventory::WitnessTransaction(txid) => {
                    self.node.waiting_by_txid(&elements::Txid::from_byte_array(txid.to_byte_array())).map(|tx| ("tx", tx))
                }
                Inventory::WTx(wtxid) => {
                    self.node.waiting_by_wtxid(&elements::Wtxid::from_byte_array(wtxid.to_byte_array())).map(|tx| ("tx", tx))
                }
                Inventory::Error | Inventory::Unknown { .. } => continue,
            };
            match found {
                Some((name, bytes)) => self.send_raw(name, &bytes).await?,
                None => missing.push(*item),
            }
        }
        if missing.is_empty() { Ok(()) } else { self.send("notfound", &missing).await }
    }

    /// Asks for offered transactions that are new. Blocks come from the functionaries only, so offers of those are ignored.
    async fn fetch(&mut self, offered: &[Inventory]) -> Result<(), End> {
        let mut wanted = Vec::new();
        for item in offered {
            let id = match item {
                Inventory::Transaction(txid) | Inventory::WitnessTransaction(txid) => txid.to_byte_array(),
                Inventory::WTx(wtxid) => wtxid.to_byte_array(),
                _ => continue,
            };
            self.remember(id);
            let waiting = self.node.waiting_by_txid(&elements::Txid::from_byte_array(id)).is_some()
                || self.node.waiting_by_wtxid(&elements::Wtxid::from_byte_array(id)).is_some();
            if !waiting {
                wanted.push(match *item {
                    Inventory::Transaction(txid) => Inventory::WitnessTransaction(txid),
                    other => other,
                });
            }
        }
        if wanted.is_empty() { Ok(()) } else { self.send("getdata", &wanted).await }
    }

    async fn announce_block(&mut self, height: Height, hash: BlockHash) -> Result<(), End> {
        if self.headers_first {
            let header = self.node.header_bytes(height, 1)?;
            return self.put_headers(&header).await;
        }
        self.send("inv", &vec![Inventory::Block(bitcoin_hash(&hash))]).await
    }

    async fn announce_transactions(&mut self, ids: &[(elements::Txid, elements::Wtxid)]) -> Result<(), End> {
        if self.block_relay_only {
            return Ok(());
        }
        let mut inventory = Vec::new();
        for (txid, wtxid) in ids {
            let (txid, wtxid) = (txid.to_byte_array(), wtxid.to_byte_array());
            if self.known.contains(&txid) || self.known.contains(&wtxid) {
                continue;
            }
            self.remember(txid);
            inventory.push(match self.by_wtxid {
                true => Inventory::WTx(bitcoin::Wtxid::from_byte_array(wtxid)),
                false => Inventory::Transaction(bitcoin::Txid::from_byte_array(txid)),
            });
        }
        for part in inventory.chunks(MAX_INVENTORY) {
            self.send("inv", &part.to_vec()).await?;
        }
        Ok(())
    }

    fn remember(&mut self, id: [u8; 32]) {
        if self.known.insert(id) {
            self.known_order.push_back(id);
        }
        if self.known_order.len() > MAX_KNOWN
            && let Some(oldest) = self.known_order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    async fn send(&mut self, command: &str, payload: &impl Encodable) -> Result<(), End> {
        let mut bytes = Vec::new();
        put(&mut bytes, payload);
        self.send_raw(command, &bytes).await
    }

    async fn send_raw(&mut self, command: &str, payload: &[u8]) -> Result<(), End> {
        let framed = frame(self.magic, command, payload);
        Ok(timeout(WRITE_WITHIN, self.out.write_all(&framed)).await.map_err(|_| End::TooSlow)??)
    }
}

/// Reads a value and leaves what follows it: `version` has grown at its end before and may again.
fn decode_prefix<T: bitcoin::consensus::Decodable>(payload: &[u8]) -> Option<T> {
    bitcoin::consensus::deserialize_partial(payload).ok().map(|(value, _)| value)
}

/// The block as peers get it that did not ask for witnesses.
fn without_witness(block: Vec<u8>) -> Vec<u8> {
    let Ok(mut decoded) = elements::encode::deserialize::<elements::Block>(&block) else { return block };
    for tx in &mut decoded.txdata {
        tx.input.iter_mut().for_each(|input| input.witness = elements::TxInWitness::default());
        tx.output.iter_mut().for_each(|output| output.witness = elements::TxOutWitness::default());
    }
    elements::encode::serialize(&decoded)
}

fn elements_hash(hash: &bitcoin::BlockHash) -> BlockHash {
    BlockHash::from_byte_array(hash.to_byte_array())
}

fn bitcoin_hash(hash: &BlockHash) -> bitcoin::BlockHash {
    bitcoin::BlockHash::from_byte_array(hash.to_byte_array())
}
