//! Messages of Elements' P2P protocol: Bitcoin's, with Elements' headers, blocks and transactions in them.

use bitcoin::consensus::{Decodable, Encodable};
use bitcoin::hashes::{Hash as _, sha256d};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longest payload that a peer may send, bytes (`MAX_PROTOCOL_MESSAGE_LENGTH` of Elements).
const MAX_PAYLOAD: u32 = 4_000_000;
const HEADER: usize = 24;

/// A message as it came: a name and a payload whose checksum held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) command: String,
    pub(super) payload: Vec<u8>,
}

/// Frames a message.
pub(super) fn frame(magic: [u8; 4], command: &str, payload: &[u8]) -> Vec<u8> {
    let mut name = [0; 12];
    name[..command.len()].copy_from_slice(command.as_bytes());
    let len = u32::try_from(payload.len()).expect("BUG: nothing we send is that long");
    let mut out = Vec::with_capacity(HEADER + payload.len());
    out.extend(magic);
    out.extend(name);
    out.extend(len.to_le_bytes());
    out.extend(&sha256d::Hash::hash(payload)[..4]);
    out.extend(payload);
    out
}

/// Reads one message. `Err` when the stream ends, or holds another magic, an overlong message or a wrong checksum.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin), magic: [u8; 4]) -> io::Result<Message> {
    let bad = |why| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut header = [0; HEADER];
    stream.read_exact(&mut header).await?;
    if header[..4] != magic {
        return Err(bad("another magic"));
    }
    let name = header[4..16].split(|byte| *byte == 0).next().unwrap_or_default();
    let command = std::str::from_utf8(name).map_err(|_| bad("no command"))?.to_owned();
    let len = u32::from_le_bytes([header[16], header[17], header[18], header[19]]);
    if len > MAX_PAYLOAD {
        return Err(bad("overlong message"));
    }
    // Grows with what arrives, so that a header alone cannot claim the memory.
    let mut payload = Vec::new();
    stream.take(len.into()).read_to_end(&mut payload).await?;
    if payload.len() != len as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if sha256d::Hash::hash(&payload)[..4] != header[20..] {
        return Err(bad("wrong checksum"));
    }
    Ok(Message { command, payload })
}

/// Reads a payload whole; `None` when it is malformed or has bytes left over.
pub(super) fn decode<T: Decodable>(payload: &[u8]) -> Option<T> {
    bitcoin::consensus::deserialize(payload).ok()
}

/// Appends a value in Bitcoin's encoding.
pub(super) fn put(out: &mut Vec<u8>, value: &impl Encodable) {
    value.consensus_encode(out).expect("BUG: a Vec takes every byte");
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: [u8; 4] = [0x53, 0x19, 0xf2, 0x0e];

    async fn read_all(bytes: &[u8]) -> io::Result<Message> {
        read(&mut &bytes[..], MAGIC).await
    }

    #[tokio::test]
    async fn a_framed_message_reads_back_and_a_spoilt_one_does_not() {
        let framed = frame(MAGIC, "ping", &[1, 2, 3]);
        let message = read_all(&framed).await.expect("a message");
        assert_eq!(message, Message { command: "ping".into(), payload: vec![1, 2, 3] });
        // Every byte of the frame but those of the name is checked against something.
        for at in (0..4).chain(16..framed.len()) {
            let mut spoilt = framed.clone();
            spoilt[at] ^= 1;
            assert!(read_all(&spoilt).await.is_err(), "byte {at}");
        }
        for cut in 0..framed.len() {
            assert!(read_all(&framed[..cut]).await.is_err(), "cut at {cut}");
        }
    }

    #[tokio::test]
    async fn an_overlong_message_is_refused_by_its_header() {
        let mut framed = frame(MAGIC, "tx", &[]);
        framed[16..20].copy_from_slice(&(MAX_PAYLOAD + 1).to_le_bytes());
        assert_eq!(read_all(&framed).await.expect_err("overlong").kind(), io::ErrorKind::InvalidData);
    }
}
