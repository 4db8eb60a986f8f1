//! BIP157/158 block filters for Elements blocks: the same Golomb-coded sets, keyed with the Elements block hash.

use bitcoin::bip158::{GcsFilterReader, GcsFilterWriter};
use bitcoin::consensus::Decodable as _;
use bitcoin::hashes::Hash as _;
use elements::{Block, BlockHash, OutPoint, Script};

pub use bitcoin::bip158::FilterHash;
pub use bitcoin::bip158::FilterHeader;

/// Remainder bits and inverse false positive rate of the basic filter.
const P: u8 = 19;
const M: u64 = 784_931;
/// No block has room for outputs that would need a larger filter.
const MAX_FILTER_SIZE: usize = 4_000_000;

/// A filter could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed filter")]
pub struct BadFilter;

/// A basic filter: raw bytes as they cross the wire in a `cfilter` message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(pub Vec<u8>);

impl Filter {
    /// The filter of a block. `spent` gives the script of every output the block spends; coinbase, genesis and peg-in inputs are not asked for.
    ///
    /// `Err` names the outpoint that `spent` did not know. Elements: every output script that is not empty and does not start with
    /// OP_RETURN, and every spent script that is not empty.
    pub fn of_block(block: &Block, mut spent: impl FnMut(&OutPoint) -> Option<Script>) -> Result<Filter, OutPoint> {
        let hash = block.block_hash();
        let (k0, k1) = keys(&hash);
        let mut bytes = Vec::new();
        let mut writer = GcsFilterWriter::new(&mut bytes, k0, k1, M, P);
        for output in block.txdata.iter().flat_map(|tx| &tx.output) {
            if !output.script_pubkey.is_op_return() {
                writer.add_element(output.script_pubkey.as_bytes());
            }
        }
        // The inputs of the genesis block name nothing that existed.
        let spending = block.txdata.iter().filter(|tx| block.header.height > 0 && !tx.is_coinbase());
        for input in spending.flat_map(|tx| &tx.input).filter(|input| !input.is_pegin) {
            let script = spent(&input.previous_output).ok_or(input.previous_output)?;
            writer.add_element(script.as_bytes());
        }
        writer.finish().expect("BUG: writing to memory cannot fail");
        Ok(Filter(bytes))
    }

    /// Whether any of `scripts` may be paid or spent by the block; false positives at a rate of 1 in 784,931 per script.
    ///
    /// Total: a filter that claims more elements than it has bits for is refused.
    pub fn matches_any<'a>(&self, block: &BlockHash, scripts: impl IntoIterator<Item = &'a Script>) -> Result<bool, BadFilter> {
        let mut rest = &self.0[..];
        let count = bitcoin::VarInt::consensus_decode(&mut rest).map_err(|_| BadFilter)?.0;
        // Every element takes a quotient of at least one bit and a remainder of P bits. The bound also keeps the arithmetic of the
        // reader below from overflowing.
        let fits = count.checked_mul(u64::from(P) + 1).is_some_and(|bits| bits <= rest.len() as u64 * 8);
        if !fits || rest.len() > MAX_FILTER_SIZE {
            return Err(BadFilter);
        }
        let (k0, k1) = keys(block);
        let query = scripts.into_iter().map(Script::as_bytes);
        GcsFilterReader::new(k0, k1, M, P).match_any(&mut &self.0[..], query).map_err(|_| BadFilter)
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

fn keys(block: &BlockHash) -> (u64, u64) {
    let bytes = elements::hashes::Hash::to_byte_array(*block);
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("BUG: eight bytes"));
    (word(0), word(8))
}
