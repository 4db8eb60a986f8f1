//! BIP157/158 block filters for Elements blocks: the same Golomb-coded sets, keyed with the Elements block hash.

use bitcoin::bip158::{BlockFilterReader, BlockFilterWriter};
use bitcoin::hashes::Hash as _;
use elements::{Block, BlockHash, OutPoint, Script};

pub use bitcoin::bip158::FilterHash;
pub use bitcoin::bip158::FilterHeader;

/// A filter could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed filter")]
pub struct BadFilter;

/// A basic filter: raw bytes as they cross the wire in a `cfilter` message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(pub Vec<u8>);

impl Filter {
    /// The filter of a block. `spent` gives the script of every output the block spends; peg-in inputs are not asked for.
    ///
    /// `Err` names the outpoint that `spent` did not know. Elements: every output script that is not empty and does not start with
    /// OP_RETURN, and every spent script that is not empty.
    pub fn of_block(block: &Block, mut spent: impl FnMut(&OutPoint) -> Option<Script>) -> Result<Filter, OutPoint> {
        let _ = (&mut spent, block);
        todo!()
    }

    /// Whether any of `scripts` may be paid or spent by the block; false positives at a rate of 1 in 784,931 per script.
    pub fn matches_any<'a>(&self, block: &BlockHash, scripts: impl IntoIterator<Item = &'a Script>) -> Result<bool, BadFilter> {
        let _ = (block, scripts.into_iter().count());
        todo!()
    }

    /// Double SHA256 of the bytes.
    pub fn hash(&self) -> FilterHash {
        FilterHash::hash(&self.0)
    }

    /// The filter header that commits to this filter and, through `previous`, to all before it. The one before genesis is all zeros.
    pub fn header(&self, previous: &FilterHeader) -> FilterHeader {
        chain(self.hash(), previous)
    }
}

/// The next filter header from a filter hash, as a `cfheaders` message carries it.
pub fn chain(filter: FilterHash, previous: &FilterHeader) -> FilterHeader {
    filter.filter_header(previous)
}
