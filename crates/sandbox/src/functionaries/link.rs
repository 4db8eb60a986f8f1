//! Loopback sockets between functionaries: frames of a length and an encoded envelope.
//!
//! Each functionary keeps one connection to every other one and only sends on it; what it hears comes over the connections that the
//! others made to it. Nothing about a connection is believed: envelopes are signed.

use crate::world::loopback;
use causeway_federation::message::{Envelope, MAX_MESSAGE};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Envelopes that wait for a slow or absent member; further ones are dropped, and said again by the machines.
const QUEUE: usize = 256;
/// How long a member may take for one frame before the connection is given up.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// Pause between attempts to reach a member.
const RETRY: Duration = Duration::from_millis(200);
/// Most connections that a functionary takes at once.
const MAX_INBOUND: usize = 32;

/// The ways out to the other functionaries, by index; the own one is `None`.
pub(super) struct Links(Vec<Option<mpsc::Sender<Vec<u8>>>>);

impl Links {
    /// Starts keeping a connection to every other member, in tasks of `tasks`.
    pub(super) fn open(own: usize, ports: &[u16], tasks: &mut JoinSet<()>) -> Links {
        let link = |(index, port): (usize, &u16)| {
            (index != own).then(|| {
                let (send, queue) = mpsc::channel(QUEUE);
                tasks.spawn(keep(*port, queue));
                send
            })
        };
        Links(ports.iter().enumerate().map(link).collect())
    }

    /// Sends to every other member.
    pub(super) fn broadcast(&self, envelope: &Envelope) {
        let bytes = envelope.encode();
        for link in self.0.iter().flatten() {
            let _ = link.try_send(bytes.clone());
        }
    }

    /// Sends to one functionary.
    pub(super) fn send(&self, to: usize, envelope: &Envelope) {
        if let Some(Some(link)) = self.0.get(to) {
            let _ = link.try_send(envelope.encode());
        }
    }
}

/// Keeps a connection to a member and writes what is queued for it; a frame that fails is lost.
async fn keep(port: u16, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(first) = queue.recv().await {
        let Ok(mut stream) = TcpStream::connect(loopback(port)).await else {
            sleep(RETRY).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let mut next = Some(first);
        while let Some(bytes) = next {
            match timeout(WRITE_WITHIN, write(&mut stream, &bytes)).await {
                Ok(Ok(())) => next = queue.recv().await,
                _ => break,
            }
        }
    }
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let len = u32::try_from(bytes.len()).expect("BUG: messages are bounded");
    let mut frame = Vec::with_capacity(4 + bytes.len());
    frame.extend(len.to_be_bytes());
    frame.extend(bytes);
    stream.write_all(&frame).await
}

/// Takes connections and hands on every envelope that decodes.
pub(super) async fn listen(listener: TcpListener, inbox: mpsc::Sender<Envelope>) {
    let mut streams = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    sleep(RETRY).await;
                    continue;
                };
                if streams.len() < MAX_INBOUND {
                    streams.spawn(hear(BufReader::new(stream), inbox.clone()));
                }
            }
            Some(_) = streams.join_next() => {}
        }
    }
}

/// Reads envelopes until the stream ends or breaks the format.
async fn hear(mut stream: impl AsyncRead + Unpin, inbox: mpsc::Sender<Envelope>) {
    while let Ok(envelope) = read(&mut stream).await {
        if inbox.send(envelope).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Envelope> {
    let len = stream.read_u32().await? as usize;
    if len > MAX_MESSAGE {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::new();
    // Grows with what arrives, so that a length alone cannot claim the memory.
    stream.take(len as u64).read_to_end(&mut bytes).await?;
    if bytes.len() != len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Envelope::decode(&bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}
