//! The Bitcoin light client: headers and BIP157 filters through `bip157`, blocks and transactions over our own connections.
//!
//! | what | how it is known |
//! |---|---|
//! | the header chain | linkage, each header's own work, most work wins, mainnet's difficulty adjustment once a whole period is known, and a floor of difficulty |
//! | a block | header in that chain, transactions under its merkle root, witnesses under the coinbase's commitment |
//! | that no block of ours was left out | filters whose headers `required_peers` peers agree on; with one peer, its word |
//! | an unconfirmed transaction | nothing; it is *pending* |
//!
//! Not known: the median-time rule, the difficulty rules of test networks, and the filter header at the start of a run. A header more than two
//! hours ahead of the clock is reported; a mainnet tip older than six hours never counts as synced.

mod actor;
mod fees;
mod index;
mod node;

use crate::event::{Event, NetworkState, PeerInfo, ResumePoint};
use crate::relay::Outcome;
use crate::wire::Pool;
use crate::wire::pool::{PeerBook, tcp};
use crate::wire::session::Demands;
use actor::Actor;
use bitcoin::p2p::{Magic, ServiceFlags};
use bitcoin::{Block, BlockHash, FeeRate, Network, ScriptBuf, Transaction, block::Header};
use causeway_vocab::{BitcoinBatch, BitcoinParams, Code, Fault, Height, NetworkId, Refusal, Tip};
use index::Index;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

pub use fees::FeeRates;

/// Events that may wait for the reader; what comes later is merged.
const EVENTS: usize = 8;
/// The longest that a question to the client takes.
const ASK_DEADLINE: Duration = Duration::from_secs(60);
/// Peers found through DNS that we connect to for blocks and transactions.
const FOUND_PEERS: usize = 4;

/// An event of the Bitcoin client.
pub type BitcoinEvent = Event<BitcoinBatch>;

/// What a Bitcoin client needs to start.
#[derive(Debug, Clone)]
pub struct BitcoinConfig {
    /// The chain and its peers.
    pub params: BitcoinParams,
    /// A block that is taken for true: headers are fetched strictly after it. `None`: the genesis block.
    pub checkpoint: Option<Tip<BlockHash>>,
    /// Where the last run left off.
    pub resume: ResumePoint,
    /// Scripts to match from `resume.scanned_to` on.
    pub watch: Vec<ScriptBuf>,
}

enum Command {
    Watch(Vec<ScriptBuf>),
    Rescan(Vec<ScriptBuf>, Height),
    Broadcast(Transaction, oneshot::Sender<Outcome>),
    Block(BlockHash, oneshot::Sender<(Height, Block)>),
    Shutdown(oneshot::Sender<()>),
}

/// What the task and its handles both see.
struct Shared {
    network: Network,
    index: RwLock<Index>,
    /// The state, and the relay floor of the peers in atoms per 1,000 virtual bytes.
    state: RwLock<(NetworkState, Option<u64>)>,
    /// Fee rates and the tip they were computed at.
    fees: Mutex<Option<(BlockHash, FeeRates)>>,
    peers: PeerBook,
}

impl Shared {
    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> (NetworkState, Option<u64>) {
        *self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_state(&self, state: NetworkState, fee_floor: Option<u64>) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = (state, fee_floor);
    }
}

/// A handle on the running Bitcoin client. Dropping the last one stops it.
#[derive(Clone)]
pub struct BitcoinClient {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
}

impl std::fmt::Debug for BitcoinClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BitcoinClient").field("state", &self.state()).finish_non_exhaustive()
    }
}

fn fault(refusal: Refusal) -> Fault {
    Fault { network: NetworkId::Bitcoin, refusal }
}

/// Peers to fetch blocks from, where the realm names none.
async fn find_peers(network: Network) -> Vec<SocketAddr> {
    let (seeds, port): (&[&str], u16) = match network {
        Network::Bitcoin => (&["x49.seed.bitcoin.sipa.be", "x49.dnsseed.bitcoin.dashjr-list-of-p2p-nodes.us"], 8333),
        Network::Signet => (&["seed.signet.bitcoin.sprovoost.nl"], 38333),
        Network::Testnet4 => (&["x49.seed.testnet4.bitcoin.sprovoost.nl"], 48333),
        _ => (&[], 0),
    };
    let mut found = vec![];
    for seed in seeds {
        found.extend(bip157::lookup_host(*seed).await.into_iter().map(|ip| SocketAddr::new(ip, port)));
        if found.len() >= FOUND_PEERS {
            break;
        }
    }
    found.truncate(FOUND_PEERS);
    found
}

impl BitcoinClient {
    /// Starts the client on `runtime` (multi-threaded) and returns at once.
    pub fn start(config: BitcoinConfig, runtime: &Handle) -> (BitcoinClient, mpsc::Receiver<BitcoinEvent>) {
        let BitcoinConfig { params, checkpoint, resume, watch } = config;
        let genesis = bitcoin::constants::genesis_block(params.network).header;
        let base = checkpoint.unwrap_or(Tip { height: 0, hash: genesis.block_hash(), time: genesis.time });
        let index = Index::resume(params.network, base, &resume);
        let scanned_to = resume.scanned_to.clamp(base.height, index.tip().height);
        let shared = Arc::new(Shared {
            network: params.network,
            state: RwLock::new((NetworkState::new(index.tip().height, scanned_to), None)),
            index: RwLock::new(index),
            fees: Mutex::new(None),
            peers: PeerBook::default(),
        });
        let (commands, inbox) = mpsc::unbounded_channel();
        let (events, reader) = mpsc::channel(EVENTS);
        let client = BitcoinClient { shared: Arc::clone(&shared), commands };
        runtime.spawn(async move {
            let magic = Magic::from(params.network).to_bytes();
            let demands = Demands { magic, services: ServiceFlags::NETWORK | ServiceFlags::WITNESS };
            let peers = if params.peers.is_empty() { find_peers(params.network).await } else { params.peers.clone() };
            let pool = Pool::start(&peers, demands, &tcp(), shared.peers.clone());
            Actor::new(params, pool, shared, watch, scanned_to).run(inbox, events).await;
        });
        (client, reader)
    }

    /// Also watches these scripts, from the first block on that has not been told yet. Watching a script twice changes nothing.
    pub fn watch(&self, scripts: impl IntoIterator<Item = ScriptBuf>) {
        self.send(Command::Watch(scripts.into_iter().collect()));
    }

    /// Also watches these scripts, and matches everything from height `from` on again, for all watched scripts.
    ///
    /// Matching blocks are told again, `scanned_to` steps back to `from - 1` and climbs again. Nothing below the checkpoint is matched.
    pub fn rescan(&self, scripts: impl IntoIterator<Item = ScriptBuf>, from: Height) {
        self.send(Command::Rescan(scripts.into_iter().collect(), from));
    }

    fn send(&self, command: Command) {
        // A stopped client has nothing to do.
        let _ = self.commands.send(command);
    }

    /// Offers a transaction to the peers until one of them holds it.
    ///
    /// Fails with [`Code::NotAccepted`] when none took it, and with [`Code::NoPeers`] when none was reachable, both within a minute. May be
    /// repeated.
    pub async fn broadcast(&self, tx: Transaction) -> Result<(), Fault> {
        let txid = tx.compute_txid();
        let (reply, outcome) = oneshot::channel();
        self.send(Command::Broadcast(tx, reply));
        match timeout(ASK_DEADLINE, outcome).await {
            Ok(Ok(Outcome::Accepted)) => Ok(()),
            Ok(Ok(Outcome::NotAccepted)) => Err(fault(Refusal::new(Code::NotAccepted).with("txid", txid))),
            _ => Err(fault(Code::NoPeers.into())),
        }
    }

    /// Fetches a block of the verified header chain, with its height. Merkle root and witness commitment are checked.
    ///
    /// Fails with [`Code::NotFound`] when the block is not of that chain, and with [`Code::NoPeers`] when nobody gave it within a minute.
    pub async fn block(&self, hash: BlockHash) -> Result<(Height, Block), Fault> {
        if self.height_of(&hash).is_none() {
            return Err(fault(Refusal::new(Code::NotFound).with("what", "block")));
        }
        let (reply, block) = oneshot::channel();
        self.send(Command::Block(hash, reply));
        match timeout(ASK_DEADLINE, block).await {
            Ok(Ok(found)) => Ok(found),
            _ => Err(fault(Code::NoPeers.into())),
        }
    }

    /// The verified header at a height of the best chain; none at or below the checkpoint.
    pub fn header(&self, height: Height) -> Option<Header> {
        self.shared.index().header(height).copied()
    }

    /// The block at a height of the best chain; none below the checkpoint.
    pub fn at(&self, height: Height) -> Option<Tip<BlockHash>> {
        self.shared.index().at(height)
    }

    /// The height of a block of the best chain.
    pub fn height_of(&self, hash: &BlockHash) -> Option<Height> {
        self.shared.index().height_of(hash)
    }

    /// The best verified block.
    pub fn tip(&self) -> Tip<BlockHash> {
        self.shared.index().tip()
    }

    /// How the network is doing right now.
    pub fn state(&self) -> NetworkState {
        self.shared.state().0
    }

    /// The configured peers, or those that were found, connected or not, as far as they are dialled.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.shared.peers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fee rates from the last blocks and the peers' relay floors; see [`FeeRates`]. Fetches up to six blocks once per tip.
    pub async fn fee_rates(&self) -> FeeRates {
        let tip = self.tip();
        let floor = fees::floor(self.shared.state().1);
        let known = *self.shared.fees.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, rates)) = known.filter(|(at, _)| *at == tip.hash) {
            return rates;
        }
        let mut paid: Vec<FeeRate> = vec![];
        for height in (tip.height.saturating_sub(fees::BLOCKS - 1)..=tip.height).rev() {
            let Some(at) = self.at(height).filter(|at| at.height > 0) else { break };
            let Ok((height, block)) = self.block(at.hash).await else { break };
            paid.extend(fees::average(self.shared.network, height, &block));
        }
        let rates = FeeRates::from_blocks(floor, paid);
        *self.shared.fees.lock().unwrap_or_else(PoisonError::into_inner) = Some((tip.hash, rates));
        rates
    }

    /// Stops the client and waits until its connections are closed. Doing it twice changes nothing.
    pub async fn shutdown(&self) {
        let (done, stopped) = oneshot::channel();
        self.send(Command::Shutdown(done));
        let _ = stopped.await;
    }
}
