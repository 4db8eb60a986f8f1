//! What a light client tells a wallet: one coalesced batch of verified chain facts.

use serde::{Deserialize, Serialize};

/// A block height; the genesis block is 0.
pub type Height = u32;

/// A block named by height and hash, with its header time in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tip<H> {
    /// Height of the block.
    pub height: Height,
    /// Hash of the block.
    pub hash: H,
    /// Header time, Unix seconds.
    pub time: u32,
}

/// Everything that became known at once, in the order in which a wallet must apply it:
/// first `rollback_to`, then `blocks` ascending, then `tip`.
///
/// Blocks are those that matched a watched script, already verified by the client that made the batch (header chain, filter
/// header chain, merkle root); heights in between hold nothing for the wallet. Applying the same batch twice changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainBatch<H, B, T> {
    /// Present after a reorganisation: everything above this block is undone.
    pub rollback_to: Option<Tip<H>>,
    /// Matching blocks with their heights, ascending.
    pub blocks: Vec<(Tip<H>, B)>,
    /// Transactions seen but in no block. Never more than *pending*.
    pub unconfirmed: Vec<T>,
    /// The best block after this batch; scanning is complete up to `scanned_to`.
    pub tip: Tip<H>,
    /// Every block at or below this height has been matched against the watched scripts.
    pub scanned_to: Height,
}

/// A batch of the Bitcoin client.
pub type BitcoinBatch = ChainBatch<bitcoin::BlockHash, bitcoin::Block, bitcoin::Transaction>;
/// A batch of the sidechain client; blocks carry their full headers.
pub type SidechainBatch = ChainBatch<elements::BlockHash, elements::Block, elements::Transaction>;
