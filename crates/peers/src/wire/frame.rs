//! Frames: magic, name, length, checksum, payload.

use super::message::{Message, limit};
use bitcoin::hashes::{Hash as _, sha256d};
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

const HEADER: usize = 24;
/// How long a frame may take once its first byte has come, apart from its size.
const FRAME_DEADLINE: Duration = Duration::from_secs(10);
/// The slowest line that is still served, bytes per second.
const SLOWEST: u64 = 16 * 1024;

/// Why no message could be read.
#[derive(Debug, Error)]
pub(crate) enum FrameFault {
    /// The stream ended or broke.
    #[error("closed: {0}")]
    Closed(#[from] std::io::Error),
    /// The first four bytes are of another network, or of no network.
    #[error("magic")]
    Magic,
    /// More bytes announced than a message of that name can have.
    #[error("oversized")]
    Oversized,
    /// Checksum, name or payload is damaged.
    #[error("garbage")]
    Garbage,
    /// The frame did not arrive in time.
    #[error("slow")]
    Slow,
}

/// Reads one message. Waits for its first byte as long as it takes; from then on the frame has a deadline.
///
/// Not safe to cancel between two calls: a cancelled read loses its place in the stream.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin), magic: [u8; 4]) -> Result<Message, FrameFault> {
    let mut header = [0; HEADER];
    stream.read_exact(&mut header[..1]).await?;
    timeout(FRAME_DEADLINE, stream.read_exact(&mut header[1..])).await.map_err(|_| FrameFault::Slow)??;
    if header[..4] != magic {
        return Err(FrameFault::Magic);
    }
    let command = command(&header[4..16]).ok_or(FrameFault::Garbage)?;
    let length = u32::from_le_bytes([header[16], header[17], header[18], header[19]]) as usize;
    if length > limit(command) {
        return Err(FrameFault::Oversized);
    }
    // Grows with what arrives: an announced length alone costs us no memory.
    let mut payload = Vec::with_capacity(length.min(65_536));
    let deadline = FRAME_DEADLINE + Duration::from_secs(length as u64 / SLOWEST);
    timeout(deadline, stream.take(length as u64).read_to_end(&mut payload)).await.map_err(|_| FrameFault::Slow)??;
    if payload.len() < length {
        return Err(FrameFault::Closed(std::io::ErrorKind::UnexpectedEof.into()));
    }
    if header[20..24] != checksum(&payload) {
        return Err(FrameFault::Garbage);
    }
    Message::decode(command, payload).map_err(|_| FrameFault::Garbage)
}

/// The frame of a message.
pub(crate) fn write(message: &Message, magic: [u8; 4]) -> Vec<u8> {
    let (command, payload) = message.encode();
    let mut frame = Vec::with_capacity(HEADER + payload.len());
    frame.extend(magic);
    frame.extend(command.bytes().chain(std::iter::repeat(0)).take(12));
    frame.extend(u32::try_from(payload.len()).expect("BUG: our messages are small").to_le_bytes());
    frame.extend(checksum(&payload));
    frame.extend(payload);
    frame
}

fn checksum(payload: &[u8]) -> [u8; 4] {
    let hash = sha256d::Hash::hash(payload).to_byte_array();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// The name in a frame header: printable ASCII, then only zeros.
fn command(field: &[u8]) -> Option<&str> {
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    let (name, padding) = field.split_at(end);
    if !name.iter().all(u8::is_ascii_graphic) || padding.iter().any(|b| *b != 0) {
        return None;
    }
    std::str::from_utf8(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt as _;
    use tokio::time::Instant;

    const MAGIC: [u8; 4] = [0x53, 0x19, 0xf2, 0x0e];

    async fn read_bytes(bytes: &[u8]) -> Result<Message, FrameFault> {
        let mut stream = bytes;
        read(&mut stream, MAGIC).await
    }

    #[tokio::test]
    async fn damaged_frames_are_refused_by_kind() {
        let good = write(&Message::Ping(9), MAGIC);
        assert_eq!(read_bytes(&good).await.expect("a good frame"), Message::Ping(9));

        let spoil = |at: usize, byte: u8| {
            let mut frame = good.clone();
            frame[at] = byte;
            frame
        };
        assert!(matches!(read_bytes(&spoil(0, 0)).await, Err(FrameFault::Magic)));
        assert!(matches!(read_bytes(&spoil(4, 0xff)).await, Err(FrameFault::Garbage)), "name");
        assert!(matches!(read_bytes(&spoil(15, b'x')).await, Err(FrameFault::Garbage)), "padding");
        assert!(matches!(read_bytes(&spoil(16, 65)).await, Err(FrameFault::Oversized)), "length");
        assert!(matches!(read_bytes(&spoil(20, good[20] ^ 1)).await, Err(FrameFault::Garbage)), "checksum");
        for cut in 0..good.len() {
            assert!(matches!(read_bytes(&good[..cut]).await, Err(FrameFault::Closed(_))), "cut at {cut}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_dripping_peer_is_cut_off() {
        let (mut ours, mut theirs) = tokio::io::duplex(1 << 20);
        let frame = write(&Message::Block(vec![1; 200_000]), MAGIC);
        let drip = tokio::spawn(async move {
            for byte in frame {
                tokio::time::sleep(Duration::from_millis(500)).await;
                if theirs.write_all(&[byte]).await.is_err() {
                    return;
                }
            }
        });
        let start = Instant::now();
        assert!(matches!(read(&mut ours, MAGIC).await, Err(FrameFault::Slow)));
        assert!(start.elapsed() < Duration::from_secs(60));
        drip.abort();
    }
}
