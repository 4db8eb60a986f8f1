//! One run of the BIP157 node of `bip157`, which ends whenever it runs out of peers.

use super::index::Index;
use bip157::chain::{ChainState, IndexedHeader};
use bip157::{Builder, Client, HashCheckpoint, Requester, TrustedPeer};
use bitcoin::Network;
use causeway_vocab::{BitcoinParams, Height};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How long a peer may take to answer. A bitcoind that is still indexing the filter of a new block does not answer at all; the sooner
/// it is asked again the better.
const RESPONSE: Duration = Duration::from_secs(10);
const RESPONSE_ON_LOOPBACK: Duration = Duration::from_secs(2);

/// A running node. Dropping it ends it.
pub(super) struct Node {
    pub(super) requester: Requester,
    pub(super) events: mpsc::UnboundedReceiver<bip157::Event>,
    pub(super) warnings: mpsc::Receiver<bip157::Warning>,
    pub(super) task: JoinHandle<()>,
    /// Filters are told for heights above this one.
    pub(super) start: Height,
}

impl Node {
    /// Starts a node that knows our headers from `start` on, and connects to the peers. Must be called within a runtime.
    ///
    /// The node keeps nothing between runs, and fetches the filters of every header above `start`.
    pub(super) fn start(params: &BitcoinParams, index: &Index, start: Height) -> Node {
        let loopback = !params.peers.is_empty() && params.peers.iter().all(|peer| peer.ip().is_loopback());
        let mut builder = Builder::new(params.network)
            .required_peers(params.required_peers)
            .chain_state(state(params.network, index, start))
            .response_timeout(if loopback { RESPONSE_ON_LOOPBACK } else { RESPONSE });
        if !params.peers.is_empty() {
            builder = builder
                .add_peers(params.peers.iter().map(|address| TrustedPeer::from_socket_addr(*address)))
                .whitelist_only()
                .maximum_connection_time(Duration::from_secs(365 * 24 * 3_600));
        }
        let (node, client) = builder.build();
        let Client { requester, info_rx: _, warn_rx, event_rx } = client;
        let task = tokio::spawn(async move {
            // It ends without peers; whoever waits for the task starts another one.
            let _ = node.run().await;
        });
        Node { requester, events: event_rx, warnings: warn_rx, task, start }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // The node closes its connections when it stops by itself.
        if self.requester.shutdown().is_err() {
            self.task.abort();
        }
    }
}

fn state(network: Network, index: &Index, start: Height) -> ChainState {
    let checkpoint = || ChainState::Checkpoint(HashCheckpoint::new(index.base().height, index.base().hash));
    let top = index.tip().height;
    let first = match index.header(start) {
        Some(header) => *header,
        None if start == 0 && top > 0 => bitcoin::constants::genesis_block(network).header,
        // Without headers of our own the node starts from genesis, where it knows the first target, or from the checkpoint. On
        // chains with minimum-difficulty blocks it must not know it.
        None if start == 0 && !network.params().allow_min_difficulty_blocks => return ChainState::Snapshot(vec![]),
        None => return checkpoint(),
    };
    let first = IndexedHeader { height: start, header: first };
    let rest = (start + 1..=top).filter_map(|height| Some(IndexedHeader { height, header: *index.header(height)? }));
    ChainState::Snapshot(std::iter::once(first).chain(rest).collect())
}
