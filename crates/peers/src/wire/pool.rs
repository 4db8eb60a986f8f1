//! Keeps a set of peers connected, and takes their messages in one place.

use super::message::Message;
use super::session::{self, Demands, End, Greeting, Misconduct, Stream};
use crate::event::PeerInfo;
use rand::Rng as _;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const DIAL_DEADLINE: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause between two tries; shorter where trying costs nobody anything.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE_ON_LOOPBACK: Duration = Duration::from_secs(2);
/// Addresses beyond these are not dialled.
const MOST_PEERS: usize = 8;
/// Messages waiting to be handled, over all peers, before reading stops.
const INBOX: usize = 64;
/// Messages waiting to be written to one peer, before it is given up.
const OUTBOX: usize = 1_024;

/// How a connection is made.
pub(crate) type Dialler = Arc<dyn Fn(SocketAddr) -> Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>> + Send + Sync>;

/// Plain TCP.
pub(crate) fn tcp() -> Dialler {
    Arc::new(|address| {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Stream)
        })
    })
}

/// A peer during one session. After a reconnection it is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Peer {
    slot: usize,
    session: u32,
}

/// What happened to the pool.
#[derive(Debug)]
pub(crate) enum PoolEvent {
    /// A peer completed the handshake.
    Up(Peer),
    /// It said something.
    Message(Peer, Message),
    /// It is gone.
    Down(Peer),
    /// The peer at this address misbehaved, before or after its handshake.
    Misconduct(SocketAddr, Misconduct),
}

enum Report {
    Up(Peer, Greeting, mpsc::Sender<Message>),
    Message(Peer, Message),
    Down(Peer),
    Misconduct(SocketAddr, Misconduct),
}

struct Connected {
    session: u32,
    outgoing: mpsc::Sender<Message>,
    greeting: Greeting,
}

/// The peers of a pool, for everybody to read while the pool works.
pub(crate) type PeerBook = Arc<Mutex<Vec<PeerInfo>>>;

/// Peers by address, each redialled for ever with growing, jittered pauses. Dropping the pool closes every connection.
pub(crate) struct Pool {
    addresses: Vec<SocketAddr>,
    reports: mpsc::Receiver<Report>,
    connected: BTreeMap<usize, Connected>,
    book: PeerBook,
    _keepers: JoinSet<()>,
}

impl Pool {
    /// Starts dialling and keeps `book` up to date. Must be called within a runtime.
    pub(crate) fn start(addresses: &[SocketAddr], demands: Demands, dialler: &Dialler, book: PeerBook) -> Pool {
        let (sender, reports) = mpsc::channel(INBOX);
        let mut keepers = JoinSet::new();
        let addresses: Vec<_> = addresses.iter().copied().take(MOST_PEERS).collect();
        for (slot, address) in addresses.iter().enumerate() {
            keepers.spawn(keep(slot, *address, demands, dialler.clone(), sender.clone()));
        }
        let unknown = |address: &SocketAddr| PeerInfo { address: *address, connected: false, agent: String::new(), height: None };
        *book.lock().unwrap_or_else(PoisonError::into_inner) = addresses.iter().map(unknown).collect();
        Pool { addresses, reports, connected: BTreeMap::new(), book, _keepers: keepers }
    }

    fn note(&self, slot: usize, change: impl FnOnce(&mut PeerInfo)) {
        if let Some(info) = self.book.lock().unwrap_or_else(PoisonError::into_inner).get_mut(slot) {
            change(info);
        }
    }

    /// The next event. Safe to cancel. Waits for ever when there are no addresses.
    pub(crate) async fn next(&mut self) -> PoolEvent {
        loop {
            let Some(report) = self.reports.recv().await else { return std::future::pending().await };
            if let Some(event) = self.take(report) {
                return event;
            }
        }
    }

    /// An event that is ready now.
    pub(crate) async fn ready(&mut self) -> Option<PoolEvent> {
        poll_fn(|context| {
            std::task::Poll::Ready(match self.reports.poll_recv(context) {
                std::task::Poll::Ready(Some(report)) => Some(report),
                _ => None,
            })
        })
        .await
        .and_then(|report| self.take(report))
    }

    fn take(&mut self, report: Report) -> Option<PoolEvent> {
        match report {
            Report::Up(peer, greeting, outgoing) => {
                self.note(peer.slot, |info| {
                    info.connected = true;
                    info.agent.clone_from(&greeting.agent);
                    info.height = Some(greeting.claimed);
                });
                self.connected.insert(peer.slot, Connected { session: peer.session, outgoing, greeting });
                Some(PoolEvent::Up(peer))
            }
            // What a peer said before we closed its session no longer counts.
            Report::Message(peer, message) => self.is_connected(peer).then_some(PoolEvent::Message(peer, message)),
            Report::Down(peer) if self.is_connected(peer) => {
                self.connected.remove(&peer.slot);
                self.note(peer.slot, |info| info.connected = false);
                Some(PoolEvent::Down(peer))
            }
            Report::Down(_) => None,
            Report::Misconduct(address, misconduct) => Some(PoolEvent::Misconduct(address, misconduct)),
        }
    }

    /// Whether this session still lives.
    pub(crate) fn is_connected(&self, peer: Peer) -> bool {
        self.connected.get(&peer.slot).is_some_and(|c| c.session == peer.session)
    }

    /// The peers with a completed handshake; what they claim follows what they have shown.
    pub(crate) fn peers(&self) -> impl Iterator<Item = (Peer, Greeting)> + '_ {
        self.connected.iter().map(|(slot, c)| (Peer { slot: *slot, session: c.session }, c.greeting.clone()))
    }

    /// A peer has shown that it has a block at this height: from then on it claims no less.
    pub(crate) fn shown(&mut self, peer: Peer, height: u32) {
        let Some(connected) = self.connected.get_mut(&peer.slot).filter(|c| c.session == peer.session) else { return };
        if connected.greeting.claimed < height {
            connected.greeting.claimed = height;
            self.note(peer.slot, |info| info.height = Some(height));
        }
    }

    /// The address of a peer.
    pub(crate) fn address(&self, peer: Peer) -> SocketAddr {
        self.addresses[peer.slot]
    }

    /// Queues a message. A peer that does not take what is queued for it is dropped; its [`PoolEvent::Down`] follows.
    pub(crate) fn send(&self, peer: Peer, message: Message) {
        if let Some(connected) = self.connected.get(&peer.slot).filter(|c| c.session == peer.session) {
            // A full queue fails here; the session's own write deadline then ends it.
            let _ = connected.outgoing.try_send(message);
        }
    }

    /// Closes a peer's session. It is dialled again later. No [`PoolEvent::Down`] follows.
    pub(crate) fn close(&mut self, peer: Peer) {
        if self.is_connected(peer) {
            self.connected.remove(&peer.slot);
            self.note(peer.slot, |info| info.connected = false);
        }
    }
}

/// Dials one address for ever.
async fn keep(slot: usize, address: SocketAddr, demands: Demands, dialler: Dialler, reports: mpsc::Sender<Report>) {
    let longest = if address.ip().is_loopback() { LONGEST_PAUSE_ON_LOOPBACK } else { LONGEST_PAUSE };
    let mut pause = FIRST_PAUSE;
    for session in 0u32.. {
        let peer = Peer { slot, session };
        if let Ok(Ok(mut stream)) = timeout(DIAL_DEADLINE, dialler(address)).await {
            let end = match session::handshake(&mut stream, &demands).await {
                Err(end) => end,
                Ok(greeting) => {
                    let (outgoing, queue) = mpsc::channel(OUTBOX);
                    if reports.send(Report::Up(peer, greeting, outgoing)).await.is_err() {
                        return;
                    }
                    let begun = tokio::time::Instant::now();
                    let end = session::run(stream, demands.magic, queue, |message| {
                        let reports = reports.clone();
                        async move { drop(reports.send(Report::Message(peer, message)).await) }
                    })
                    .await;
                    // A peer that held out was a good one.
                    if begun.elapsed() > longest {
                        pause = FIRST_PAUSE;
                    }
                    end
                }
            };
            if let End::Cause(misconduct) = end {
                drop(reports.send(Report::Misconduct(address, misconduct)).await);
            }
            if reports.send(Report::Down(peer)).await.is_err() {
                return;
            }
        }
        let jitter = rand::thread_rng().gen_range(750..1_250);
        sleep(pause * jitter / 1_000).await;
        pause = (pause * 2).min(longest);
    }
}
