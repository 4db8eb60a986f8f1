//! The P2P service of the sidechain, as elementsd gives it to its peers.

mod codec;
mod session;

use crate::node::Node;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Most peers at once.
const MAX_PEERS: usize = 64;

/// Serves peers until the future is dropped, which ends every connection.
pub(crate) async fn serve(listener: TcpListener, node: Arc<Node>) {
    let room = Arc::new(Semaphore::new(MAX_PEERS));
    let mut sessions = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    // Beyond the limit a connection is closed at once, as elementsd does when it has no slot.
                    let Ok(slot) = Arc::clone(&room).try_acquire_owned() else { continue };
                    let node = Arc::clone(&node);
                    sessions.spawn(async move {
                        let end = session::run(stream, peer, node).await;
                        tracing::debug!(%peer, ?end, "peer left");
                        drop(slot);
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely; more may come free.
                    tracing::warn!(%error, "cannot accept a peer");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            },
            Some(_) = sessions.join_next() => {}
        }
    }
}
