//! Where single headers and the place of transactions in blocks come from: three kinds of source behind one trait.
//!
//! | source | how it is asked |
//! |---|---|
//! | [`SidechainClient`](crate::SidechainClient) | its own verified chain, and blocks of its P2P peers |
//! | [`Electrum`] | JSON lines over TCP or TLS |
//! | [`Esplora`] | HTTP, plain or TLS |
//!
//! A source is believed nothing: heights and hashes that do not fit are a lie, and everything else is for
//! [`Skip`](causeway_sidechain::consensus::skip::Skip) and [`merkle`](causeway_sidechain::consensus::merkle) to check, as
//! [`follow`], [`extend`], [`payment`] and [`compare`] do. Every answer has a deadline and a cap on its bytes, compressed or not.

mod client;
mod electrum;
mod esplora;
mod follow;
#[cfg(test)]
mod tests;
mod tls;

pub use electrum::{Electrum, read_headers as read_electrum_headers, read_merkle as read_electrum_merkle};
pub use esplora::{Esplora, read_proof as read_esplora_proof};
pub use follow::{Agreement, Payment, compare, extend, follow, payment};
pub use tls::Trust;

use causeway_vocab::{Code, Height, Refusal};
use elements::{BlockHeader, Transaction, TxMerkleNode, Txid};
use std::pin::Pin;
use std::time::Duration;

/// The longest that one question takes, connecting included.
const DEADLINE: Duration = Duration::from_secs(30);
/// The most bytes of one answer, after decompression: a block with its hex twice as long, or 2,000 large headers.
const MOST_BYTES: usize = if cfg!(test) { 1_000_000 } else { 16_000_000 };
/// Headers that one question asks for.
const MOST_HEADERS: u32 = 2_000;

/// What a source answers, some time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, SourceFault>> + Send + 'a>>;

/// Why a source gave nothing usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SourceFault {
    /// No connection, or it broke.
    #[error("unreachable")]
    Unreachable,
    /// Not within the deadline.
    #[error("slow")]
    Slow,
    /// More bytes than any honest answer has.
    #[error("oversized")]
    Oversized,
    /// Not the protocol, or not what was asked for.
    #[error("garbage")]
    Garbage,
    /// It has no such thing, or says so.
    #[error("not found")]
    NotFound,
    /// The answer contradicts itself or the question.
    #[error("a lie")]
    Lie,
}

impl SourceFault {
    /// The word for it in the arguments of a fault.
    pub fn word(self) -> &'static str {
        match self {
            SourceFault::Unreachable => "unreachable",
            SourceFault::Slow => "slow",
            SourceFault::Oversized => "oversized",
            SourceFault::Garbage => "garbage",
            SourceFault::NotFound => "not-found",
            SourceFault::Lie => "lie",
        }
    }
}

/// A transaction as a source says it stands in a block. Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    /// The transaction; its id is the one asked for.
    pub tx: Transaction,
    /// Its position in the block.
    pub position: u32,
    /// Sibling hashes from the leaf upwards.
    pub branch: Vec<TxMerkleNode>,
}

/// A source of headers of one sidechain.
pub trait HeaderSource: Send + Sync {
    /// What to call it in a fault: its address.
    fn name(&self) -> String;

    /// The height of its best block, as it says.
    fn tip(&self) -> Answer<'_, Height>;

    /// The headers from `first` on, at least one and at most `most`, each of the height it stands for. Asking above its tip is
    /// [`SourceFault::NotFound`].
    fn headers(&self, first: Height, most: u32) -> Answer<'_, Vec<BlockHeader>>;

    /// A transaction of the block at a height, with its merkle branch.
    fn inclusion(&self, txid: Txid, height: Height) -> Answer<'_, Inclusion>;
}

/// Opens the source that an address names: `tcp://host:port` and `ssl://host:port` for Electrum, `http://…` and `https://…` for Esplora.
///
/// Refused with [`Code::BadRealm`] when it is none of these. Nothing is connected before the first question.
pub fn open(address: &str, trust: &Trust) -> Result<Box<dyn HeaderSource>, Refusal> {
    let bad = || Refusal::new(Code::BadRealm).with("field", "sidechain.sources");
    match address.split_once("://").ok_or_else(bad)? {
        ("tcp", host) => Ok(Box::new(Electrum::plain(host).ok_or_else(bad)?)),
        ("ssl", host) => Ok(Box::new(Electrum::tls(host, trust).ok_or_else(bad)?)),
        ("http" | "https", _) => Ok(Box::new(Esplora::new(address, trust).ok_or_else(bad)?)),
        _ => Err(bad()),
    }
}

/// Checks that headers are what was asked for: consecutive heights from `first` on, each building on the one before.
fn in_order(headers: &[BlockHeader], first: Height, most: u32) -> Result<(), SourceFault> {
    let count = u32::try_from(headers.len()).map_err(|_| SourceFault::Oversized)?;
    if count == 0 {
        return Err(SourceFault::NotFound);
    }
    let heights = headers.iter().map(|header| header.height).eq(first..first.saturating_add(count));
    let linked = headers.windows(2).all(|pair| pair[1].prev_blockhash == pair[0].block_hash());
    if count <= most && heights && linked { Ok(()) } else { Err(SourceFault::Lie) }
}
