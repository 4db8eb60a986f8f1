//! P2P messages and how large each may be.

use bitcoin::consensus::{Decodable, deserialize, serialize};
use bitcoin::p2p::message_blockdata::{GetHeadersMessage, Inventory};
use bitcoin::p2p::message_filter::{CFHeaders, CFilter, GetCFHeaders, GetCFilters};
use bitcoin::p2p::message_network::VersionMessage;

/// A message. Headers, blocks and transactions stay bytes: they differ between chains, and this layer does not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    Version(VersionMessage),
    Verack,
    Ping(u64),
    Pong(u64),
    SendHeaders,
    GetHeaders(GetHeadersMessage),
    Headers(Vec<u8>),
    Inv(Vec<Inventory>),
    GetData(Vec<Inventory>),
    NotFound(Vec<Inventory>),
    Block(Vec<u8>),
    Tx(Vec<u8>),
    GetCFHeaders(GetCFHeaders),
    CFHeaders(CFHeaders),
    GetCFilters(GetCFilters),
    CFilter(CFilter),
    /// The peer's relay floor, atoms per 1,000 virtual bytes.
    FeeFilter(u64),
    /// Proof that somebody signed two blocks of one height. Ours alone: other nodes pass over what they do not know.
    DoubleSign(Vec<u8>),
    /// Anything we have no use for.
    Other,
}

/// The most bytes that a message of this name may carry. A node that sends more is not a node.
pub(super) fn limit(command: &str) -> usize {
    match command {
        // 2,000 headers of a full dynafed entry with a large federation.
        "headers" => 16_000_000,
        // Blocks weigh at most 4,000,000; the header's witness comes on top.
        "block" => 4_500_000,
        "tx" => 1_000_000,
        // 50,000 entries of 36 bytes and their count.
        "inv" | "getdata" | "notfound" => 1_800_003,
        "cfilter" => 1_000_000,
        "doublesign" => causeway_federation::MAX_DOUBLE_SIGN,
        // 2,000 hashes and what stands before them.
        "cfheaders" => 64_100,
        "version" => 1_024,
        "verack" | "ping" | "pong" | "sendheaders" | "feefilter" | "wtxidrelay" | "sendaddrv2" => 64,
        _ => 65_536,
    }
}

/// A payload that its message type does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

fn read<T: Decodable>(payload: &[u8]) -> Result<T, Malformed> {
    deserialize(payload).map_err(|_| Malformed)
}

impl Message {
    /// Reads a payload. Total: unknown names become [`Message::Other`].
    pub(crate) fn decode(command: &str, payload: Vec<u8>) -> Result<Message, Malformed> {
        Ok(match command {
            "version" => {
                // Fields may follow that this version does not know, and very old peers leave out the last byte.
                let (version, _) = bitcoin::consensus::deserialize_partial(&payload).map_err(|_| Malformed)?;
                Message::Version(version)
            }
            "verack" => Message::Verack,
            "ping" => Message::Ping(read(&payload)?),
            "pong" => Message::Pong(read(&payload)?),
            "sendheaders" => Message::SendHeaders,
            "getheaders" => Message::GetHeaders(read(&payload)?),
            "headers" => Message::Headers(payload),
            "inv" => Message::Inv(read(&payload)?),
            "getdata" => Message::GetData(read(&payload)?),
            "notfound" => Message::NotFound(read(&payload)?),
            "block" => Message::Block(payload),
            "tx" => Message::Tx(payload),
            "getcfheaders" => Message::GetCFHeaders(read(&payload)?),
            "cfheaders" => Message::CFHeaders(read(&payload)?),
            "getcfilters" => Message::GetCFilters(read(&payload)?),
            "cfilter" => Message::CFilter(read(&payload)?),
            "feefilter" => Message::FeeFilter(read(&payload)?),
            "doublesign" => Message::DoubleSign(payload),
            _ => Message::Other,
        })
    }

    /// Its name and payload on the wire.
    pub(crate) fn encode(&self) -> (&'static str, Vec<u8>) {
        match self {
            Message::Version(m) => ("version", serialize(m)),
            Message::Verack => ("verack", vec![]),
            Message::Ping(nonce) => ("ping", serialize(nonce)),
            Message::Pong(nonce) => ("pong", serialize(nonce)),
            Message::SendHeaders => ("sendheaders", vec![]),
            Message::GetHeaders(m) => ("getheaders", serialize(m)),
            Message::Headers(raw) => ("headers", raw.clone()),
            Message::Inv(list) => ("inv", serialize(list)),
            Message::GetData(list) => ("getdata", serialize(list)),
            Message::NotFound(list) => ("notfound", serialize(list)),
            Message::Block(raw) => ("block", raw.clone()),
            Message::Tx(raw) => ("tx", raw.clone()),
            Message::GetCFHeaders(m) => ("getcfheaders", serialize(m)),
            Message::CFHeaders(m) => ("cfheaders", serialize(m)),
            Message::GetCFilters(m) => ("getcfilters", serialize(m)),
            Message::CFilter(m) => ("cfilter", serialize(m)),
            Message::FeeFilter(rate) => ("feefilter", serialize(rate)),
            Message::DoubleSign(raw) => ("doublesign", raw.clone()),
            Message::Other => ("alert", vec![]),
        }
    }

    /// Whether a peer sends this only when asked, and may then send very many. Whether it *was* asked is for the asker to judge.
    pub(super) fn is_answer(&self) -> bool {
        matches!(self, Message::Headers(_) | Message::Block(_) | Message::CFHeaders(_) | Message::CFilter(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash as _;
    use proptest::prelude::*;

    #[test]
    fn messages_read_back_as_they_were_written() {
        let stop_hash = bitcoin::BlockHash::from_byte_array([7; 32]);
        let list = vec![Inventory::WitnessBlock(stop_hash), Inventory::Unknown { inv_type: 77, hash: [1; 32] }];
        for message in [
            Message::Verack,
            Message::Ping(5),
            Message::Pong(6),
            Message::SendHeaders,
            Message::GetHeaders(GetHeadersMessage { version: 70016, locator_hashes: vec![stop_hash], stop_hash }),
            Message::Headers(vec![0]),
            Message::Inv(list.clone()),
            Message::GetData(list.clone()),
            Message::NotFound(list),
            Message::Block(vec![1, 2]),
            Message::Tx(vec![3]),
            Message::DoubleSign(vec![4]),
            Message::GetCFHeaders(GetCFHeaders { filter_type: 0, start_height: 1, stop_hash }),
            Message::GetCFilters(GetCFilters { filter_type: 0, start_height: 1, stop_hash }),
            Message::CFilter(CFilter { filter_type: 0, block_hash: stop_hash, filter: vec![9; 300] }),
            Message::FeeFilter(100),
        ] {
            let (command, payload) = message.encode();
            assert!(payload.len() <= limit(command));
            assert_eq!(Message::decode(command, payload), Ok(message));
        }
    }

    proptest! {
        #[test]
        fn any_payload_under_any_name_is_read_or_refused(name in 0usize..18, payload: Vec<u8>) {
            let names = [
                "version", "verack", "ping", "pong", "sendheaders", "getheaders", "headers", "inv", "getdata", "notfound", "block",
                "tx", "getcfheaders", "cfheaders", "getcfilters", "cfilter", "feefilter", "sendcmpct",
            ];
            if let Ok(message) = Message::decode(names[name], payload) {
                // Whatever was understood can be said again without loss.
                let (command, again) = message.encode();
                prop_assert_eq!(Message::decode(command, again), Ok(message));
            }
        }
    }
}
