//! The parsers and checks that bytes of P2P peers reach first, one call each, for fuzzing and measuring. Each is total.

use crate::sidechain::{read_headers, verified_headers};
use crate::wire::frame;
use crate::wire::message::Message;
use bitcoin::hashes::{Hash as _, sha256d};
use causeway_vocab::SidechainParams;
use elements::BlockHeader;

/// Names of the messages that [`message`] reads.
pub const MESSAGES: [&str; 18] = [
    "version",
    "verack",
    "ping",
    "pong",
    "sendheaders",
    "getheaders",
    "headers",
    "inv",
    "getdata",
    "notfound",
    "block",
    "tx",
    "getcfheaders",
    "cfheaders",
    "getcfilters",
    "cfilter",
    "feefilter",
    "sendcmpct",
];

/// Reads the payload of a message. What was understood can be said again and understood the same, or this panics.
pub fn message(name: &str, payload: &[u8]) -> bool {
    let Ok(read) = Message::decode(name, payload.to_vec()) else { return false };
    let (name, again) = read.encode();
    assert_eq!(Message::decode(name, again).as_ref(), Ok(&read), "BUG: a message says something else when it is said again");
    true
}

/// Reads one frame of the network with this magic from a stream that ends behind the bytes. `honest` puts the right checksum in first, without
/// which hardly any frame is read further.
pub async fn framed(mut bytes: Vec<u8>, magic: [u8; 4], honest: bool) -> bool {
    if honest && bytes.len() >= 24 {
        let digest = sha256d::Hash::hash(&bytes[24..]).to_byte_array();
        bytes[..4].copy_from_slice(&magic);
        bytes[20..24].copy_from_slice(&digest[..4]);
        let length = u32::try_from(bytes.len() - 24).unwrap_or(u32::MAX);
        bytes[16..20].copy_from_slice(&length.to_le_bytes());
    }
    frame::read(&mut &bytes[..], magic).await.is_ok()
}

/// How many of these headers carry the signatures of the federation they name; checked on every core, as those of a peer are.
pub fn verified(headers: Vec<BlockHeader>, params: &SidechainParams) -> usize {
    verified_headers(headers, params)
}

/// Reads a `headers` message of the sidechain and gives the number of headers in it.
pub fn headers(payload: &[u8]) -> Option<usize> {
    read_headers(payload).ok()
}
