//! The sidechain's full node: validated blocks, coins and waiting transactions.
//!
//! The functionaries of a process share one: each of them still asks for its own verdict on every proposal before it signs.

mod blocks;
mod coins;
mod evidence;
mod keep;
mod mempool;
mod parent;
mod template;

use crate::bitcoind::Rpc;
use crate::error::SandboxError;
use blocks::{BlockFile, Place};
use causeway_sidechain::consensus::block::{self, BlockFault};
use causeway_sidechain::consensus::filter::{Filter, FilterHeader};
use causeway_sidechain::consensus::header::HeaderState;
use causeway_sidechain::consensus::transaction::{self, TxFault};
use causeway_vocab::{Height, SidechainParams, Tip};
use coins::CoinSet;
use elements::{Block, BlockHash, Transaction, Txid, Wtxid};
use evidence::Evidence;
use keep::Keep;
use mempool::{MAX_TX_WEIGHT, Mempool, Waiting};
use parent::ParentView;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::{broadcast, watch};

/// Why a block is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Rejected {
    /// It breaks a rule.
    #[error(transparent)]
    Block(#[from] BlockFault),
    /// Bitcoin or the disk does not answer, so nothing is known about it.
    #[error(transparent)]
    World(#[from] SandboxError),
}

/// Why a transaction is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TxRejected {
    /// It breaks a rule.
    #[error(transparent)]
    Fault(#[from] TxFault),
    /// It waits already.
    #[error("known already")]
    Known,
    /// It is too heavy to be relayed.
    #[error("heavier than relay allows")]
    Heavy,
    /// The mempool is full.
    #[error("the mempool is full")]
    Full,
    /// Bitcoin does not answer.
    #[error(transparent)]
    World(#[from] SandboxError),
}

/// One block of the chain.
struct Entry {
    hash: BlockHash,
    place: Place,
    header_len: u32,
    filter: Vec<u8>,
    filter_header: FilterHeader,
}

struct State {
    file: BlockFile,
    headers: HeaderState,
    entries: Vec<Entry>,
    heights: HashMap<BlockHash, Height>,
    coins: CoinSet,
    mempool: Mempool,
    /// The mempool on disk, and what was in it when the process started.
    keep: Keep,
    kept: Vec<Transaction>,
}

/// The node. Share it with [`Arc`].
pub(crate) struct Node {
    params: Arc<SidechainParams>,
    rpc: Rpc,
    state: RwLock<State>,
    tip: watch::Sender<Tip<BlockHash>>,
    relayed: broadcast::Sender<(Txid, Wtxid)>,
    evidence: Evidence,
}

/// Whether the verdict on a transaction may be another one in a later block, with the same coins: locks, and claims of deposits.
fn depends_on_height(tx: &Transaction) -> bool {
    let locked = tx.lock_time != elements::LockTime::ZERO;
    locked || tx.input.iter().any(|input| input.is_pegin || input.sequence.to_consensus_u32() >> 31 == 0)
}

/// The clock, Unix seconds.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Node {
    /// Opens the chain kept in `dir`, or starts it at genesis.
    pub(crate) fn open(dir: &Path, params: Arc<SidechainParams>, rpc: Rpc) -> Result<Node, SandboxError> {
        std::fs::create_dir_all(dir).map_err(SandboxError::io("creating the sidechain's directory"))?;
        let path = dir.join("blocks.dat");
        let damaged = |why: String| SandboxError::Damaged { path: path.clone(), why };
        let genesis = params.genesis().expect("BUG: we made the genesis block");
        let mut headers = HeaderState::genesis(&params).expect("BUG: the settings were checked");
        let mut entries: Vec<Entry> = Vec::new();
        let mut heights = HashMap::new();
        let mut coins = CoinSet::default();
        let mut file = BlockFile::open(&path, |place, bytes| {
            let block: Block = elements::encode::deserialize(bytes).map_err(|e| damaged(e.to_string()))?;
            let median_time_past = headers.median_time_past();
            if entries.is_empty() {
                if block != genesis {
                    return Err(damaged("another genesis block".into()));
                }
            } else {
                // Signatures were checked before the block was written.
                headers = headers.next_unsigned(&params, &block.header, u64::MAX / 2).map_err(|e| damaged(e.to_string()))?;
            }
            let changes = coins.changes(&block, median_time_past);
            let entry = Entry::new(&block, place, &coins, entries.last()).map_err(damaged)?;
            heights.insert(entry.hash, entries.len() as Height);
            entries.push(entry);
            coins.apply(changes);
            Ok(())
        })?;
        if entries.is_empty() {
            let place = file.append(&elements::encode::serialize(&genesis))?;
            let changes = coins.changes(&genesis, 0);
            let entry = Entry::new(&genesis, place, &coins, None).map_err(damaged)?;
            heights.insert(entry.hash, 0);
            entries.push(entry);
            coins.apply(changes);
        }
        let tip = watch::Sender::new(headers.tip());
        let (keep, kept) = Keep::open(&dir.join("mempool.dat"))?;
        let state = RwLock::new(State { file, headers, entries, heights, coins, mempool: Mempool::default(), keep, kept });
        Ok(Node {
            params,
            rpc,
            state,
            tip,
            relayed: broadcast::Sender::new(1024),
            evidence: Evidence::open(&dir.join("evidence"))?,
        })
    }

    /// Parameters of the chain.
    pub(crate) fn params(&self) -> &Arc<SidechainParams> {
        &self.params
    }

    /// Bitcoin's node.
    pub(crate) fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// The best block.
    pub(crate) fn tip(&self) -> Tip<BlockHash> {
        *self.tip.borrow()
    }

    /// Wakes up whenever the tip changes.
    pub(crate) fn watch_tip(&self) -> watch::Receiver<Tip<BlockHash>> {
        self.tip.subscribe()
    }

    /// Hears of every transaction that enters the mempool.
    pub(crate) fn watch_transactions(&self) -> broadcast::Receiver<(Txid, Wtxid)> {
        self.relayed.subscribe()
    }

    /// Who signed two blocks of one height.
    pub(crate) fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// What the rules need to know of the chain up to the tip.
    pub(crate) fn headers(&self) -> HeaderState {
        self.read().headers.clone()
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The verdict on a block that nobody has signed yet.
    pub(crate) async fn check_proposal(self: &Arc<Self>, proposal: Block) -> Result<(), Rejected> {
        let parent = ParentView::of(&self.rpc, &proposal.txdata).await?;
        let node = Arc::clone(self);
        heavy(move || {
            let (headers, coins) = node.before(&proposal);
            block::validate_proposal(&node.params, &headers, &proposal, now(), &coins, &parent)?;
            Ok(())
        })
        .await
    }

    /// Validates a signed block and makes it the tip; on disk when this returns. `false` when it is the tip or below it already.
    pub(crate) async fn connect(self: &Arc<Self>, signed: Block) -> Result<bool, Rejected> {
        let parent = ParentView::of(&self.rpc, &signed.txdata).await?;
        let node = Arc::clone(self);
        heavy(move || {
            let hash = signed.block_hash();
            if node.height_of(&hash).is_some() {
                return Ok(false);
            }
            let (headers, coins) = node.before(&signed);
            block::validate(&node.params, &headers, &signed, now(), &coins, &parent)?;
            let next = headers.next_unsigned(&node.params, &signed.header, now()).map_err(BlockFault::from)?;
            let mut state = node.write();
            // Another functionary may have been faster.
            if state.headers.tip() != headers.tip() {
                return Ok(false);
            }
            let median_time_past = state.headers.median_time_past();
            let changes = state.coins.changes(&signed, median_time_past);
            let place = state.file.append(&elements::encode::serialize(&signed))?;
            let entry = Entry::new(&signed, place, &state.coins, state.entries.last())
                .map_err(|why| SandboxError::Damaged { path: "blocks.dat".into(), why })?;
            let height = state.entries.len() as Height;
            state.heights.insert(hash, height);
            state.entries.push(entry);
            state.coins.apply(changes);
            state.headers = next;
            let included: HashSet<Txid> = signed.txdata.iter().map(Transaction::txid).collect();
            let State { coins, mempool, headers, keep, .. } = &mut *state;
            let waited = mempool.len();
            mempool.refresh(coins, height + 1, headers.median_time_past(), &included);
            if mempool.len() != waited {
                keep.reset(mempool.iter().map(|waiting| &waiting.tx))?;
            }
            node.tip.send_replace(headers.tip());
            Ok(true)
        })
        .await
    }

    /// What a block on the tip is judged by. Copied, because proofs take long and the lock must not be held for them.
    fn before(&self, block: &Block) -> (HeaderState, CoinSet) {
        let state = self.read();
        (state.headers.clone(), CoinSet::gather(&state.coins, &block.txdata))
    }

    /// Takes a transaction into the mempool and tells everybody who watches.
    pub(crate) async fn accept(self: &Arc<Self>, tx: Transaction) -> Result<Txid, TxRejected> {
        let txid = tx.txid();
        let weight = tx.weight();
        if weight > MAX_TX_WEIGHT {
            return Err(TxRejected::Heavy);
        }
        let parent = ParentView::of(&self.rpc, [&tx]).await?;
        let node = Arc::clone(self);
        heavy(move || {
            loop {
                let (headers, coins) = {
                    let state = node.read();
                    if state.mempool.contains(&txid) {
                        return Err(TxRejected::Known);
                    }
                    if !state.mempool.has_room(weight) {
                        return Err(TxRejected::Full);
                    }
                    (state.headers.clone(), CoinSet::gather(&state.mempool.view(&state.coins), [&tx]))
                };
                let accepted = transaction::validate(&node.params, &headers, &tx, &coins, &parent)?;
                transaction::check_policy(&node.params, &tx, &accepted)?;
                let mut state = node.write();
                let State { headers: now, coins: all, mempool, keep, .. } = &mut *state;
                // A block or a competing transaction may have come meanwhile; then the verdict may be on something that is gone. Where it does
                // not depend on the height it stands as long as the coins do: checking a large transaction takes longer than a block.
                let moved = now.tip() != headers.tip() && depends_on_height(&tx);
                if moved || CoinSet::gather(&mempool.view(all), [&tx]) != coins {
                    continue;
                }
                let wtxid = tx.wtxid();
                let fee = accepted.fees.get(&node.params.policy_asset).copied().unwrap_or(0);
                keep.add(&tx)?;
                let waiting = Waiting { txid, weight: accepted.weight, sigop_cost: accepted.sigop_cost, fee, tx };
                mempool.insert(waiting, headers.tip().height + 1, headers.median_time_past());
                let _ = node.relayed.send((txid, wtxid));
                return Ok(txid);
            }
        })
        .await
    }

    /// Drops a transaction that turned out to be invalid, with everything that spends it.
    fn evict(&self, txid: Txid) {
        let mut state = self.write();
        let State { headers, coins, mempool, .. } = &mut *state;
        mempool.refresh(coins, headers.tip().height + 1, headers.median_time_past(), &HashSet::from([txid]));
    }

    /// How many transactions wait.
    pub(crate) fn waiting(&self) -> usize {
        self.read().mempool.len()
    }

    /// Every waiting transaction by its two ids.
    pub(crate) fn waiting_ids(&self) -> Vec<(Txid, Wtxid)> {
        self.read().mempool.iter().map(|waiting| (waiting.txid, waiting.tx.wtxid())).collect()
    }

    /// A waiting transaction, encoded.
    pub(crate) fn waiting_by_txid(&self, txid: &Txid) -> Option<Vec<u8>> {
        self.read().mempool.by_txid(txid).map(|waiting| elements::encode::serialize(&waiting.tx))
    }

    /// A waiting transaction, encoded.
    pub(crate) fn waiting_by_wtxid(&self, wtxid: &Wtxid) -> Option<Vec<u8>> {
        self.read().mempool.by_wtxid(wtxid).map(|waiting| elements::encode::serialize(&waiting.tx))
    }

    /// Height of a block of the chain.
    pub(crate) fn height_of(&self, hash: &BlockHash) -> Option<Height> {
        self.read().heights.get(hash).copied()
    }

    /// The block, encoded with its witnesses.
    pub(crate) fn block(&self, height: Height) -> Result<Option<Vec<u8>>, SandboxError> {
        let state = self.read();
        state.entries.get(height as usize).map(|entry| state.file.read(entry.place, None)).transpose()
    }

    /// Encoded headers from `first` on, at most `most`.
    pub(crate) fn header_bytes(&self, first: Height, most: usize) -> Result<Vec<Vec<u8>>, SandboxError> {
        let state = self.read();
        let entries = state.entries.iter().skip(first as usize).take(most);
        entries.map(|entry| state.file.read(entry.place, Some(entry.header_len))).collect()
    }

    /// Hash, filter and filter header of the blocks from `first` to `last`, both included.
    pub(crate) fn filters(&self, first: Height, last: Height) -> Vec<(BlockHash, Vec<u8>, FilterHeader)> {
        let state = self.read();
        let count = (last as usize + 1).saturating_sub(first as usize);
        let entries = state.entries.iter().skip(first as usize).take(count);
        entries.map(|entry| (entry.hash, entry.filter.clone(), entry.filter_header)).collect()
    }
}

impl Entry {
    fn new(block: &Block, place: Place, coins: &CoinSet, previous: Option<&Entry>) -> Result<Entry, String> {
        use bitcoin::hashes::Hash as _;
        use causeway_sidechain::consensus::coin::Coins as _;
        let filter = Filter::of_block(block, |outpoint| {
            let inside = || {
                let tx = block.txdata.iter().find(|tx| tx.txid() == outpoint.txid)?;
                Some(tx.output.get(outpoint.vout as usize)?.script_pubkey.clone())
            };
            coins.coin(outpoint).map(|coin| coin.output.script_pubkey).or_else(inside)
        })
        .map_err(|outpoint| format!("a block spends {outpoint}, which is not there"))?;
        let before = previous.map_or_else(FilterHeader::all_zeros, |entry| entry.filter_header);
        Ok(Entry {
            hash: block.block_hash(),
            place,
            header_len: elements::encode::serialize(&block.header).len() as u32,
            filter_header: filter.header(&before),
            filter: filter.0,
        })
    }
}

/// Runs proofs and disk writes where they do not hold up the sockets.
pub(crate) async fn heavy<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => std::future::pending().await,
    }
}
