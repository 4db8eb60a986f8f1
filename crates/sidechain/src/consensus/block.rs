//! Full validation of a block, as the federation's own node needs it.

use super::coin::{CoinChanges, Coins};
use super::header::{HeaderFault, HeaderState};
use super::merkle::MerkleFault;
use super::pegin::ParentChain;
use super::transaction::TxFault;
use causeway_vocab::SidechainParams;
use elements::{Block, Txid};

/// Blocks before a coinbase output can be spent.
pub const COINBASE_MATURITY: u32 = 100;
/// Most weight units of a block.
pub const MAX_BLOCK_WEIGHT: usize = 4_000_000;
/// Most signature operations of a block, legacy ones counting four.
pub const MAX_BLOCK_SIGOPS_COST: u32 = 80_000;

/// Why a block is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockFault {
    /// Its header.
    #[error(transparent)]
    Header(#[from] HeaderFault),
    /// Its transactions are not those of its header.
    #[error(transparent)]
    Merkle(#[from] MerkleFault),
    /// The first transaction is not a coinbase of the right form.
    #[error("coinbase: {0}")]
    Coinbase(&'static str),
    /// The coinbase takes more than the fees.
    #[error("the coinbase takes more than the fees")]
    CoinbaseAmount,
    /// Fees above the supply.
    #[error("fees above the supply")]
    FeeRange,
    /// A transaction.
    #[error("transaction {txid}: {fault}")]
    Transaction {
        /// Which.
        txid: Txid,
        /// Why.
        fault: TxFault,
    },
    /// A transaction that would overwrite unspent outputs of an equal one.
    #[error("transaction {0} exists already")]
    Overwrites(Txid),
    /// Heavier than a block may be.
    #[error("{0} weight units")]
    Weight(usize),
    /// Too many signature operations.
    #[error("{0} signature operations")]
    Sigops(u32),
}

/// Checks a signed block on top of `state`. The caller then advances the header chain with its header and applies the changes.
///
/// `now` is the clock in Unix seconds.
pub fn validate(
    params: &SidechainParams,
    state: &HeaderState,
    block: &Block,
    now: u64,
    coins: &(impl Coins + ?Sized),
    parent: &(impl ParentChain + ?Sized),
) -> Result<CoinChanges, BlockFault> {
    let _ = (params, state, block, now, coins, parent);
    todo!()
}

/// Checks a proposed block: everything that [`validate`] checks but the signatures, which cannot be there yet.
pub fn validate_proposal(
    params: &SidechainParams,
    state: &HeaderState,
    block: &Block,
    now: u64,
    coins: &(impl Coins + ?Sized),
    parent: &(impl ParentChain + ?Sized),
) -> Result<CoinChanges, BlockFault> {
    let _ = (params, state, block, now, coins, parent);
    todo!()
}

/// The coins that the genesis block makes (`-con_connect_genesis_outputs=1`); nothing in it is checked, it is checked by its hash.
pub fn genesis_coins(genesis: &Block) -> CoinChanges {
    let _ = genesis;
    todo!()
}
