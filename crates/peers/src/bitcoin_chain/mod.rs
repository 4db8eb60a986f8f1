//! The Bitcoin light client: BIP157 filters over `bip157`.

use crate::event::{Event, NetworkState, ResumePoint};
use bitcoin::{Block, BlockHash, FeeRate, ScriptBuf, Transaction, block::Header};
use causeway_vocab::{BitcoinBatch, BitcoinParams, Fault, Height, Tip};
use tokio::{runtime::Handle, sync::mpsc};

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

/// Fee rates for three kinds of hurry, each at least the peers' relay floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeRates {
    /// The least that peers relay.
    pub floor: FeeRate,
    /// Within a day or so.
    pub slow: FeeRate,
    /// Within an hour or so.
    pub normal: FeeRate,
    /// In one of the next blocks.
    pub fast: FeeRate,
}

/// A handle on the running Bitcoin client. Dropping the last one stops it.
#[derive(Debug, Clone)]
pub struct BitcoinClient {}

impl BitcoinClient {
    /// Starts the client on `runtime` (multi-threaded) and returns at once.
    pub fn start(config: BitcoinConfig, runtime: &Handle) -> (BitcoinClient, mpsc::Receiver<BitcoinEvent>) {
        let _ = (config, runtime);
        todo!()
    }

    /// Also watches these scripts, from the next unscanned block on. Watching a script twice changes nothing.
    pub fn watch(&self, scripts: impl IntoIterator<Item = ScriptBuf>) {
        let _: Vec<_> = scripts.into_iter().collect();
        todo!()
    }

    /// Also watches these scripts, and matches everything from height `from` on again, for all watched scripts.
    ///
    /// Matching blocks are told again, `scanned_to` steps back to `from - 1` and climbs again.
    pub fn rescan(&self, scripts: impl IntoIterator<Item = ScriptBuf>, from: Height) {
        let _: (Vec<_>, _) = (scripts.into_iter().collect(), from);
        todo!()
    }

    /// Offers a transaction to the peers until one of them holds it.
    ///
    /// Fails with [`Code::NotAccepted`](causeway_vocab::Code::NotAccepted) when none took it, and with
    /// [`Code::NoPeers`](causeway_vocab::Code::NoPeers) when none was reachable, both within a minute. May be repeated.
    #[allow(clippy::unused_async)]
    pub async fn broadcast(&self, tx: Transaction) -> Result<(), Fault> {
        let _ = tx;
        todo!()
    }

    /// Fetches a block of the verified header chain, with its height. Its merkle root is checked; it has no witnesses.
    #[allow(clippy::unused_async)]
    pub async fn block(&self, hash: BlockHash) -> Result<(Height, Block), Fault> {
        let _ = hash;
        todo!()
    }

    /// The verified header at a height of the best chain, if it is kept.
    pub fn header(&self, height: Height) -> Option<Header> {
        let _ = height;
        todo!()
    }

    /// The height of a block of the best chain.
    pub fn height_of(&self, hash: &BlockHash) -> Option<Height> {
        let _ = hash;
        todo!()
    }

    /// The best verified block.
    pub fn tip(&self) -> Tip<BlockHash> {
        todo!()
    }

    /// How the network is doing right now.
    pub fn state(&self) -> NetworkState {
        todo!()
    }

    /// Fee rates from recent blocks and the peers' relay floors. Without peers: the default floor.
    #[allow(clippy::unused_async)]
    pub async fn fee_rates(&self) -> FeeRates {
        todo!()
    }

    /// Stops the client and waits until its connections are closed.
    #[allow(clippy::unused_async)]
    pub async fn shutdown(&self) {
        todo!()
    }
}
