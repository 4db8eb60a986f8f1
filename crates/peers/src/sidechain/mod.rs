//! The sidechain light client: Elements headers, BIP157 filters and blocks over our own P2P connections.

use crate::event::{Event, NetworkState, ResumePoint};
use causeway_vocab::{Fault, Height, Refusal, SidechainBatch, SidechainParams, Tip};
use elements::{Block, BlockHash, BlockHeader, Script, Transaction};
use tokio::{runtime::Handle, sync::mpsc};

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
}

/// A handle on the running sidechain client. Dropping the last one stops it.
#[derive(Debug, Clone)]
pub struct SidechainClient {}

impl SidechainClient {
    /// Starts the client on `runtime` and returns at once.
    ///
    /// Refused when the parameters do not hold together, as [`Realm::from_toml`](causeway_vocab::Realm::from_toml) would.
    pub fn start(
        config: SidechainConfig,
        runtime: &Handle,
    ) -> Result<(SidechainClient, mpsc::Receiver<SidechainEvent>), Refusal> {
        let _ = (config, runtime);
        todo!()
    }

    /// Also watches these scripts, from the next unscanned block on. Watching a script twice changes nothing.
    pub fn watch(&self, scripts: impl IntoIterator<Item = Script>) {
        let _: Vec<_> = scripts.into_iter().collect();
        todo!()
    }

    /// Also watches these scripts, and matches everything from height `from` on again, for all watched scripts.
    ///
    /// Matching blocks are told again, `scanned_to` steps back to `from - 1` and climbs again.
    pub fn rescan(&self, scripts: impl IntoIterator<Item = Script>, from: Height) {
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

    /// Fetches a block of the verified header chain, with its height. Header and merkle root are checked.
    #[allow(clippy::unused_async)]
    pub async fn block(&self, hash: BlockHash) -> Result<(Height, Block), Fault> {
        let _ = hash;
        todo!()
    }

    /// The verified header at a height of the best chain.
    pub fn header(&self, height: Height) -> Option<BlockHeader> {
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

    /// Stops the client and waits until its connections are closed.
    #[allow(clippy::unused_async)]
    pub async fn shutdown(&self) {
        todo!()
    }
}
