//! The sidechain light client: Elements headers, BIP157 filters and blocks over our own P2P connections.
//!
//! | what | how it is known |
//! |---|---|
//! | the header chain | every header: linkage, time, dynafed parameters and transitions, k-of-n signatures |
//! | which branch is best | the longest of which every header holds; undoing more than two blocks is reported as a fault as well |
//! | a block | header in that chain, transactions under its merkle root, witnesses under the coinbase's commitment |
//! | that no block of ours was left out | filters to which the peers agree; see `filters` for what that is worth |
//! | an unconfirmed transaction | nothing; it is *pending* |
//!
//! Proofs inside blocks (ranges, surjections, sums) are for the wallet to check.

mod actor;
mod anchor;
mod chain;
#[cfg(test)]
pub(crate) mod fake;
mod filters;
#[cfg(test)]
mod tests;

use crate::event::{Event, NetworkState, PeerInfo, ResumePoint};
use crate::relay::Outcome;
use crate::source;
use crate::unix_time;
use crate::wire::Pool;
use crate::wire::pool::{Dialler, PeerBook, tcp};
use crate::wire::session::Demands;
use actor::Actor;
pub use anchor::{Anchor, Start};
use bitcoin::p2p::ServiceFlags;
use causeway_sidechain::consensus::header::HeaderChain;
use causeway_sidechain::consensus::pinned::Pinned;
use causeway_vocab::{Code, Fault, Height, NetworkId, Refusal, SidechainBatch, SidechainParams, Tip};
use chain::Chain;
use elements::{Block, BlockHash, BlockHeader, Script, Transaction};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// The number of headers in a `headers` message.
pub(crate) fn read_headers(payload: &[u8]) -> Result<usize, ()> {
    chain::read(payload).map(|headers| headers.len()).map_err(drop)
}

/// How many headers carry the signatures of the federation they name.
pub(crate) fn verified_headers(headers: Vec<BlockHeader>, params: &SidechainParams) -> usize {
    let received = headers.into_iter().map(|header| chain::Received { header, raw: Vec::new() }).collect();
    chain::verify(received, params).iter().filter(|(_, signers)| signers.is_ok()).count()
}

/// Events that may wait for the reader; what comes later is merged.
const EVENTS: usize = 8;
/// The longest that a question to the client takes.
const ASK_DEADLINE: Duration = Duration::from_secs(60);

/// An event of the sidechain client.
pub type SidechainEvent = Event<SidechainBatch>;

/// What a sidechain client needs to start.
#[derive(Debug, Clone)]
pub struct SidechainConfig {
    /// The chain and its peers.
    pub params: SidechainParams,
    /// Where the last run left off.
    pub resume: ResumePoint,
    /// Scripts to match from `resume.scanned_to` on.
    pub watch: Vec<Script>,
    /// Where shipped data says that the chain passes, and where not. Kept headers that it forbids are undone at the start.
    pub pinned: Arc<Pinned>,
    /// From where the chain is followed.
    pub start: Start,
}

enum Command {
    /// Headers from elsewhere, and whether they are taken.
    Offer(Vec<BlockHeader>, oneshot::Sender<Result<(), &'static str>>),
    StartOver(Option<Box<Anchor>>),
    Watch(Vec<Script>),
    Rescan(Vec<Script>, Height),
    Broadcast(Transaction, oneshot::Sender<Outcome>),
    Block(BlockHash, oneshot::Sender<(Height, Block)>),
    Shutdown(oneshot::Sender<()>),
}

/// What the task and its handles both see.
struct Shared {
    chain: RwLock<Chain>,
    state: RwLock<NetworkState>,
    peers: PeerBook,
}

impl Shared {
    fn chain(&self) -> RwLockReadGuard<'_, Chain> {
        self.chain.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn chain_mut(&self) -> RwLockWriteGuard<'_, Chain> {
        self.chain.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_state(&self, state: NetworkState) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// A handle on the running sidechain client. Dropping the last one stops it.
#[derive(Clone)]
pub struct SidechainClient {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
}

impl std::fmt::Debug for SidechainClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SidechainClient").field("state", &self.state()).finish_non_exhaustive()
    }
}

fn fault(refusal: Refusal) -> Fault {
    Fault { network: NetworkId::Sidechain, refusal }
}

impl SidechainClient {
    /// Starts the client on `runtime` and returns at once. At most eight of the peers are connected.
    ///
    /// Refused when the parameters do not hold together, as [`Realm::from_toml`](causeway_vocab::Realm::from_toml) would.
    pub fn start(
        config: SidechainConfig,
        runtime: &Handle,
    ) -> Result<(SidechainClient, mpsc::Receiver<SidechainEvent>), Refusal> {
        SidechainClient::start_with(config, runtime, &tcp())
    }

    fn start_with(
        config: SidechainConfig,
        runtime: &Handle,
        dialler: &Dialler,
    ) -> Result<(SidechainClient, mpsc::Receiver<SidechainEvent>), Refusal> {
        let SidechainConfig { params, resume, watch, pinned, start } = config;
        let params = Arc::new(params);
        let refused = || Refusal::new(Code::BadRealm).with("field", "sidechain.genesis_block");
        let (anchor, sources) = match start {
            Start::Genesis => (None, Vec::new()),
            Start::At(anchor) => (Some(*anchor), Vec::new()),
            Start::Pinned { root, sources } => (Some(Anchor::pinned(&params, *root).ok_or_else(refused)?), sources),
        };
        let skip_from = anchor.clone().filter(|_| !sources.is_empty());
        let chain = Chain::resume(Arc::clone(&params), pinned, anchor, &resume, unix_time()).ok_or_else(refused)?;
        let scanned_to = resume.scanned_to.clamp(chain.base().height, chain.tip().height);
        let state = NetworkState::new(chain.tip().height, scanned_to);
        // Blocks were told that are no longer of the chain.
        let undone = (resume.scanned_to > chain.tip().height).then(|| chain.tip());
        let shared = Arc::new(Shared { chain: RwLock::new(chain), state: RwLock::new(state), peers: PeerBook::default() });
        let (commands, inbox) = mpsc::unbounded_channel();
        let (events, reader) = mpsc::channel(EVENTS);
        let _entered = runtime.enter();
        let demands = Demands {
            magic: params.network_magic,
            services: ServiceFlags::NETWORK | ServiceFlags::WITNESS | ServiceFlags::COMPACT_FILTERS,
        };
        let pool = Pool::start(&params.peers, demands, dialler, shared.peers.clone());
        let client = SidechainClient { shared: Arc::clone(&shared), commands };
        runtime.spawn(async move {
            let mut actor = Actor::new(params, pool, shared, watch, scanned_to, undone);
            if let Some(root) = skip_from {
                let trust = source::Trust::public();
                let sources: Vec<_> = sources.iter().filter_map(|address| source::open(address, &trust).ok()).collect();
                actor.skip(root, &sources).await;
            }
            actor.run(inbox, events).await;
        });
        Ok((client, reader))
    }

    /// Also watches these scripts, from the first block on that has not been told yet. Watching a script twice changes nothing.
    pub fn watch(&self, scripts: impl IntoIterator<Item = Script>) {
        self.send(Command::Watch(scripts.into_iter().collect()));
    }

    /// Also watches these scripts, and matches everything from height `from` on again, for all watched scripts.
    ///
    /// Matching blocks are told again, `scanned_to` steps back to `from - 1` and climbs again.
    pub fn rescan(&self, scripts: impl IntoIterator<Item = Script>, from: Height) {
        self.send(Command::Rescan(scripts.into_iter().collect(), from));
    }

    fn send(&self, command: Command) {
        // A stopped client has nothing to do.
        let _ = self.commands.send(command);
    }

    /// Offers consecutive headers that did not come from a peer. They are verified like all others, and a longer branch is followed.
    ///
    /// Fails with the word for what is wrong with them; those before the bad one count.
    pub async fn offer(&self, headers: Vec<BlockHeader>) -> Result<(), &'static str> {
        let (reply, outcome) = oneshot::channel();
        self.send(Command::Offer(headers, reply));
        match timeout(ASK_DEADLINE, outcome).await {
            Ok(Ok(outcome)) => outcome,
            _ => Err("slow"),
        }
    }

    /// Forgets the chain and follows it anew from the anchor, or from the genesis block. Everything above is undone and told again.
    pub fn start_over(&self, anchor: Option<Anchor>) {
        self.send(Command::StartOver(anchor.map(Box::new)));
    }

    /// The block below which nothing is known: the genesis block, or the anchor from which the chain is followed.
    pub fn base(&self) -> Tip<BlockHash> {
        self.shared.chain().base()
    }

    /// Offers a transaction to the peers until one of them holds it.
    ///
    /// Fails with [`Code::NotAccepted`] when none took it, and with [`Code::NoPeers`] when none was reachable, both within a minute. May be
    /// repeated.
    pub async fn broadcast(&self, tx: Transaction) -> Result<(), Fault> {
        let txid = tx.txid();
        let (reply, outcome) = oneshot::channel();
        self.send(Command::Broadcast(tx, reply));
        match timeout(ASK_DEADLINE, outcome).await {
            Ok(Ok(Outcome::Accepted)) => Ok(()),
            Ok(Ok(Outcome::NotAccepted)) => Err(fault(Refusal::new(Code::NotAccepted).with("txid", txid))),
            _ => Err(fault(Code::NoPeers.into())),
        }
    }

    /// Fetches a block of the verified header chain, with its height. Header and merkle root are checked.
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

    /// Reads the verified header chain: what is in force at its tip, and the last 2,016 states. Be quick: the client waits.
    pub fn with_chain<R>(&self, read: impl FnOnce(&HeaderChain) -> R) -> R {
        read(self.shared.chain().headers())
    }

    /// The verified header at a height of the best chain, if it is one of the last 2,016. Older ones come with their [`block`](Self::block).
    pub fn header(&self, height: Height) -> Option<BlockHeader> {
        self.shared.chain().header(height).cloned()
    }

    /// The block at a height of the best chain.
    pub fn at(&self, height: Height) -> Option<Tip<BlockHash>> {
        self.shared.chain().at(height)
    }

    /// The height of a block of the best chain.
    pub fn height_of(&self, hash: &BlockHash) -> Option<Height> {
        self.shared.chain().height_of(hash)
    }

    /// The best verified block.
    pub fn tip(&self) -> Tip<BlockHash> {
        self.shared.chain().tip()
    }

    /// How the network is doing right now.
    pub fn state(&self) -> NetworkState {
        *self.shared.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The configured peers, connected or not, as far as they are dialled.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.shared.peers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops the client and waits until its connections are closed. Doing it twice changes nothing.
    pub async fn shutdown(&self) {
        let (done, stopped) = oneshot::channel();
        self.send(Command::Shutdown(done));
        let _ = stopped.await;
    }
}
