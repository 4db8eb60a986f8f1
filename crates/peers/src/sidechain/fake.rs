//! A peer that serves what a real elementsd served, and peers that do worse.

use crate::wire::Message;
use crate::wire::frame;
use crate::wire::pool::Dialler;
use crate::wire::session::Stream;
use bitcoin::bip158::{FilterHash, FilterHeader};
use bitcoin::hashes::Hash as _;
use bitcoin::hex::FromHex as _;
use bitcoin::p2p::message_blockdata::Inventory;
use bitcoin::p2p::message_filter::{CFHeaders, CFilter};
use bitcoin::p2p::message_network::VersionMessage;
use bitcoin::p2p::{Address, ServiceFlags};
use causeway_sidechain::consensus::filter::Filter;
use causeway_vocab::{Height, SidechainParams};
use elements::{Block, BlockHeader};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;

/// A fixture file, read once.
pub(crate) fn fixture(name: &'static str) -> &'static Value {
    static READ: Mutex<BTreeMap<&str, &Value>> = Mutex::new(BTreeMap::new());
    READ.lock().expect("a lock").entry(name).or_insert_with(|| {
        let path = format!("{}/../../tests/fixtures/elements/{name}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("a fixture");
        Box::leak(Box::new(serde_json::from_str(&text).expect("JSON")))
    })
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    Vec::from_hex(value.as_str().expect("a string")).expect("hex")
}

/// The parameters of the fixture chain, with these peers.
pub(crate) fn params(peers: Vec<SocketAddr>) -> SidechainParams {
    let mut network = fixture("chain.json")["network"].clone();
    let fields = network.as_object_mut().expect("an object");
    for extra in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.remove(extra);
    }
    SidechainParams { peers, ..serde_json::from_value(network).expect("parameters") }
}

/// Magic of the fixture chain.
const MAGIC: [u8; 4] = [0x53, 0x19, 0xf2, 0x0e];

/// How a peer deviates from an honest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quirk {
    Honest,
    /// Random bytes instead of a version.
    Garbage,
    /// Half a frame, then the end.
    Truncated,
    /// Announces more bytes than a message may have.
    Oversized,
    /// One byte now and then.
    Drip,
    /// Another network's magic.
    Magic,
    /// Takes the connection and says nothing.
    Silent,
    /// Completes the handshake and says nothing more.
    Mute,
    /// Serves no filters.
    NoFilters,
    /// Breaks the signature of the header at this height.
    BadHeader(Height),
    /// Answers `getheaders` with headers of another chain.
    WrongGenesis,
    /// Sends the same headers over and over.
    EndlessHeaders,
    /// Serves a filter that is not the one it committed to.
    WrongFilter(Height),
    /// Commits to an empty filter and serves it: hides a payment.
    HidingFilter(Height),
    /// Says it has not got the blocks.
    WithheldBlock,
    /// Says nothing when asked for blocks.
    IgnoredBlock,
    /// Drops a transaction from each block.
    BadBlock,
    /// Does not answer the first requests for the newest filters, as a node does that is still indexing.
    Indexing(u32),
    /// Takes transactions and forgets them.
    Forgetful,
    /// Pings as fast as it can.
    Flood,
}

#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) headers: Vec<Vec<u8>>,
    pub(crate) hashes: Vec<elements::BlockHash>,
    pub(crate) filters: Vec<Vec<u8>>,
    pub(crate) blocks: HashMap<elements::BlockHash, Vec<u8>>,
    /// How much of it the peer knows.
    pub(crate) tip: usize,
    pub(crate) mempool: HashMap<bitcoin::Txid, Vec<u8>>,
}

impl Chain {
    /// The fixture chain up to a height.
    pub(crate) fn real(tip: usize) -> Chain {
        static WHOLE: LazyLock<Chain> = LazyLock::new(Chain::read);
        Chain { tip, ..WHOLE.clone() }
    }

    fn read() -> Chain {
        let headers: Vec<Vec<u8>> =
            fixture("chain.json")["headers"].as_array().expect("headers").iter().map(|h| bytes(&h["header"])).collect();
        let filters =
            fixture("filters.json")["filters"].as_array().expect("filters").iter().map(|f| bytes(&f["filter"])).collect();
        let blocks = fixture("wallet.json")["blocks"]
            .as_array()
            .expect("blocks")
            .iter()
            .map(|b| {
                let raw = bytes(&b["block"]);
                let block: Block = elements::encode::deserialize(&raw).expect("a block");
                (block.block_hash(), raw)
            })
            .collect();
        let hashes = headers.iter().map(|h| header(h).block_hash()).collect();
        Chain { headers, hashes, filters, blocks, tip: 0, mempool: HashMap::new() }
    }

    /// The fixture chain below this header, and then the header.
    pub(crate) fn ending_in(bad: &[u8], height: usize) -> Chain {
        let mut chain = Chain::real(height);
        chain.headers.truncate(height);
        chain.hashes.truncate(height);
        chain.headers.push(bad.to_vec());
        chain.hashes.push(header(bad).block_hash());
        chain
    }

    /// Replaces everything above `fork` by signed blocks without transactions of interest.
    pub(crate) fn fork(&mut self, fork: usize, length: usize) {
        let sets = &fixture("chain.json")["network"]["signers"];
        let chain = causeway_sidechain::consensus::header::HeaderChain::new(Arc::new(params(vec![])));
        let mut chain = chain.expect("a chain");
        for raw in &self.headers[1..=fork] {
            chain.accept(&header(raw), u64::MAX / 2).expect("a real header");
        }
        self.headers.truncate(fork + 1);
        self.hashes.truncate(fork + 1);
        self.filters.truncate(fork + 1);
        for _ in 0..length {
            let tip = chain.tip();
            let current = chain.state().next_params(chain.params());
            let mut header = BlockHeader {
                version: 0x2000_0000,
                prev_blockhash: tip.hash,
                merkle_root: elements::hashes::Hash::from_byte_array([9; 32]),
                // Another time than the real block's makes another block.
                time: tip.time + 61,
                height: tip.height + 1,
                ext: elements::BlockExtData::Dynafed {
                    current: current.clone(),
                    proposed: elements::dynafed::Params::Null,
                    signblock_witness: vec![],
                },
            };
            let digest = elements::hashes::Hash::to_byte_array(header.block_hash());
            let set = ["signers-a", "signers-b"]
                .iter()
                .map(|name| &sets[name])
                .find(|set| Some(&bytes(&set["p2wsh_script_pubkey"])[..]) == current.signblockscript().map(|s| s.as_bytes()))
                .expect("a known set");
            let k = usize::try_from(set["k"].as_u64().expect("k")).expect("small");
            let mut witness = vec![vec![]];
            for key in set["private_keys"].as_array().expect("keys").iter().take(k) {
                let key = bitcoin::secp256k1::SecretKey::from_slice(&bytes(key)).expect("a key");
                let message = bitcoin::secp256k1::Message::from_digest(digest);
                let mut signature =
                    bitcoin::secp256k1::Secp256k1::signing_only().sign_ecdsa(&message, &key).serialize_der().to_vec();
                signature.push(1);
                witness.push(signature);
            }
            witness.push(bytes(&set["witness_script"]));
            if let elements::BlockExtData::Dynafed { signblock_witness, .. } = &mut header.ext {
                *signblock_witness = witness;
            }
            chain.accept(&header, u64::MAX / 2).expect("a properly signed header");
            self.hashes.push(header.block_hash());
            self.headers.push(elements::encode::serialize(&header));
            self.filters.push(vec![0]);
        }
        self.tip = fork + length;
    }

    fn filter_hashes(&self, quirk: Quirk) -> Vec<FilterHash> {
        let filter = |(height, filter): (usize, &Vec<u8>)| match quirk {
            Quirk::HidingFilter(at) if at as usize == height => Filter(vec![0]).hash(),
            _ => Filter(filter.clone()).hash(),
        };
        self.filters.iter().enumerate().map(filter).collect()
    }

    fn height_of(&self, hash: bitcoin::BlockHash) -> Option<usize> {
        self.hashes[..=self.tip].iter().position(|h| crate::sidechain::actor::to_wire(h) == hash)
    }
}

pub(crate) fn header(raw: &[u8]) -> BlockHeader {
    elements::encode::deserialize(raw).expect("a header")
}

/// A fake node: any number of connections to one chain.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) chain: Arc<Mutex<Chain>>,
    pub(crate) quirk: Quirk,
    /// Blocks that were asked for, in order.
    pub(crate) served: Arc<Mutex<Vec<elements::BlockHash>>>,
    /// Changes when there is news to announce.
    news: watch::Sender<u32>,
    indexing: Arc<Mutex<u32>>,
    /// Connections refused before the first is taken.
    pub(crate) refusals: Arc<Mutex<u32>>,
}

impl Node {
    pub(crate) fn new(chain: Chain, quirk: Quirk) -> Node {
        Node {
            chain: Arc::new(Mutex::new(chain)),
            quirk,
            served: Arc::default(),
            news: watch::Sender::new(0),
            indexing: Arc::new(Mutex::new(if let Quirk::Indexing(n) = quirk { n } else { 0 })),
            refusals: Arc::default(),
        }
    }

    /// Changes the chain and announces it.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Chain)) {
        change(&mut self.chain.lock().expect("a lock"));
        self.news.send_modify(|n| *n += 1);
    }

    pub(crate) async fn serve(self, mut stream: Stream) {
        // An end of the stream is the end of the session, whoever caused it.
        let _ = self.talk(&mut stream).await;
    }

    async fn talk(&self, stream: &mut Stream) -> Result<(), frame::FrameFault> {
        let magic = MAGIC;
        match self.quirk {
            Quirk::Garbage => {
                stream.write_all(&[0x5a; 4_096]).await?;
                return wait(stream).await;
            }
            Quirk::Silent => return wait(stream).await,
            Quirk::Magic => {
                stream.write_all(&frame::write(&Message::Verack, [1, 2, 3, 4])).await?;
                return wait(stream).await;
            }
            _ => {}
        }
        let services = match self.quirk {
            Quirk::NoFilters => ServiceFlags::from(0x0c09),
            _ => ServiceFlags::from(0x0c49),
        };
        let tip = self.chain.lock().expect("a lock").tip;
        say(stream, &version(services, tip)).await?;
        say(stream, &Message::Verack).await?;
        match self.quirk {
            Quirk::Truncated => {
                let frame = frame::write(&Message::Headers(vec![1; 100]), magic);
                stream.write_all(&frame[..60]).await?;
                return Ok(());
            }
            Quirk::Oversized => {
                let mut frame = frame::write(&Message::Headers(vec![]), magic);
                frame[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
                stream.write_all(&frame).await?;
                return wait(stream).await;
            }
            Quirk::Drip => {
                for byte in frame::write(&Message::Headers(vec![0; 10_000]), magic) {
                    stream.write_all(&[byte]).await?;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
            Quirk::Mute => return wait(stream).await,
            Quirk::Flood => {
                for nonce in 0..10_000 {
                    say(stream, &Message::Inv(vec![Inventory::Unknown { inv_type: nonce, hash: [0; 32] }])).await?;
                }
            }
            _ => {}
        }
        let mut news = self.news.subscribe();
        let (mut reader, mut writer) = tokio::io::split(stream);
        loop {
            let reading = frame::read(&mut reader, magic);
            tokio::pin!(reading);
            let message = loop {
                tokio::select! {
                    message = &mut reading => break message?,
                    _ = news.changed() => self.announce(&mut writer).await?,
                }
            };
            for answer in self.answer(message) {
                say(&mut writer, &answer).await?;
            }
        }
    }

    async fn announce(&self, stream: &mut (impl AsyncWrite + Unpin)) -> Result<(), frame::FrameFault> {
        let list = {
            let chain = self.chain.lock().expect("a lock");
            let tip = crate::sidechain::actor::to_wire(&chain.hashes[chain.tip]);
            std::iter::once(Inventory::Block(tip)).chain(chain.mempool.keys().map(|id| Inventory::Transaction(*id))).collect()
        };
        say(stream, &Message::Inv(list)).await
    }

    fn answer(&self, message: Message) -> Vec<Message> {
        let mut chain = self.chain.lock().expect("a lock");
        match message {
            Message::Ping(nonce) => vec![Message::Pong(nonce)],
            Message::GetHeaders(ask) => {
                let from = ask.locator_hashes.iter().find_map(|hash| chain.height_of(*hash)).unwrap_or(0) + 1;
                let mut list: Vec<Vec<u8>> = chain.headers[from..=chain.tip].to_vec();
                match self.quirk {
                    Quirk::WrongGenesis => {
                        let mut first = header(&chain.headers[1]);
                        first.prev_blockhash = elements::hashes::Hash::from_byte_array([3; 32]);
                        list = vec![elements::encode::serialize(&first)];
                    }
                    Quirk::BadHeader(at) if at as usize >= from => {
                        let bad = list[at as usize - from].len() - 3;
                        list[at as usize - from][bad] ^= 1;
                    }
                    Quirk::EndlessHeaders => {
                        let one = Message::Headers([&[1][..], &chain.headers[1], &[0]].concat());
                        return vec![one; 1_000];
                    }
                    _ => {}
                }
                // A node is free to send fewer than it has.
                list.truncate(50);
                let count = u8::try_from(list.len()).expect("few");
                let payload = list.iter().fold(vec![count], |mut all, raw| {
                    all.extend(raw);
                    all.push(0);
                    all
                });
                vec![Message::Headers(payload)]
            }
            Message::GetCFHeaders(ask) => {
                if counts_down(&self.indexing) {
                    return vec![];
                }
                let Some(stop) = chain.height_of(ask.stop_hash) else { return vec![] };
                let start = ask.start_height as usize;
                let hashes = chain.filter_hashes(self.quirk);
                let zeros = FilterHeader::from_byte_array([0; 32]);
                let previous_filter_header = hashes[..start].iter().fold(zeros, |previous, hash| hash.filter_header(&previous));
                vec![Message::CFHeaders(CFHeaders {
                    filter_type: 0,
                    stop_hash: ask.stop_hash,
                    previous_filter_header,
                    filter_hashes: hashes[start..=stop].to_vec(),
                })]
            }
            Message::GetCFilters(ask) => {
                let Some(stop) = chain.height_of(ask.stop_hash) else { return vec![] };
                (ask.start_height as usize..=stop)
                    .map(|height| {
                        let filter = match self.quirk {
                            Quirk::WrongFilter(at) | Quirk::HidingFilter(at) if at as usize == height => vec![0],
                            _ => chain.filters[height].clone(),
                        };
                        let block_hash = crate::sidechain::actor::to_wire(&chain.hashes[height]);
                        Message::CFilter(CFilter { filter_type: 0, block_hash, filter })
                    })
                    .collect()
            }
            Message::GetData(list) => list.into_iter().filter_map(|entry| self.give(&chain, entry)).collect(),
            Message::Tx(raw) => {
                let tx: elements::Transaction = elements::encode::deserialize(&raw).expect("a transaction");
                let id = bitcoin::Txid::from_byte_array(elements::hashes::Hash::to_byte_array(tx.txid()));
                if self.quirk != Quirk::Forgetful {
                    chain.mempool.insert(id, raw);
                }
                vec![]
            }
            Message::Inv(list) => vec![Message::GetData(list)],
            _ => vec![],
        }
    }

    fn give(&self, chain: &Chain, entry: Inventory) -> Option<Message> {
        match entry {
            Inventory::WitnessBlock(wire) => {
                let hash = chain.hashes[chain.height_of(wire)?];
                self.served.lock().expect("a lock").push(hash);
                match self.quirk {
                    Quirk::WithheldBlock => return Some(Message::NotFound(vec![entry])),
                    Quirk::IgnoredBlock => return None,
                    _ => {}
                }
                let mut raw = chain.blocks.get(&hash)?.clone();
                if self.quirk == Quirk::BadBlock {
                    let mut block: Block = elements::encode::deserialize(&raw).expect("a block");
                    block.txdata.pop();
                    raw = elements::encode::serialize(&block);
                }
                Some(Message::Block(raw))
            }
            Inventory::WitnessTransaction(id) => Some(match chain.mempool.get(&id) {
                Some(raw) => Message::Tx(raw.clone()),
                None => Message::NotFound(vec![entry]),
            }),
            _ => None,
        }
    }
}

/// Whether something is left of a count, which is one less afterwards.
fn counts_down(count: &Mutex<u32>) -> bool {
    let mut left = count.lock().expect("a lock");
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), message: &Message) -> Result<(), frame::FrameFault> {
    stream.write_all(&frame::write(message, MAGIC)).await?;
    Ok(stream.flush().await?)
}

/// Reads and ignores until the other side has had enough.
async fn wait(stream: &mut Stream) -> Result<(), frame::FrameFault> {
    let mut sink = [0; 1_024];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}

fn version(services: ServiceFlags, height: usize) -> Message {
    let nowhere = Address::new(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), services);
    Message::Version(VersionMessage {
        version: 70016,
        services,
        timestamp: 0,
        receiver: nowhere.clone(),
        sender: nowhere,
        nonce: 1,
        user_agent: "/Elements Core:28.99.0/".into(),
        start_height: i32::try_from(height).expect("small"),
        relay: true,
    })
}

/// Peers by address, connected in memory: time can be stopped, as nothing waits for a kernel.
pub(crate) fn in_memory(nodes: Vec<(SocketAddr, Node)>) -> Dialler {
    let nodes: HashMap<SocketAddr, Node> = nodes.into_iter().collect();
    Arc::new(move |address| {
        let node = nodes.get(&address).cloned();
        Box::pin(async move {
            let node = node.ok_or(std::io::ErrorKind::ConnectionRefused)?;
            if counts_down(&node.refusals) {
                return Err(std::io::ErrorKind::ConnectionRefused.into());
            }
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            tokio::spawn(node.serve(Box::new(theirs)));
            Ok(Box::new(ours) as Stream)
        })
    })
}
