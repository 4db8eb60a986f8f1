//! Whether a transaction may enter the next block.

use super::coin::{CoinChanges, Coins};
use super::header::HeaderState;
use super::pegin::{ParentChain, PeginFault};
use super::pegout::PegoutFault;
use super::proofs::ProofFault;
use super::script::ScriptFault;
use causeway_vocab::SidechainParams;
use elements::{AssetId, OutPoint, Transaction};
use std::collections::BTreeMap;

/// Least fee of a relayed transaction, satoshi per 1000 virtual bytes (policy.h of Elements).
pub const MIN_RELAY_FEE_RATE: u64 = 100;

/// Why a transaction is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TxFault {
    /// No inputs or no outputs.
    #[error("no inputs or no outputs")]
    Empty,
    /// Larger than a block.
    #[error("larger than a block")]
    Oversize,
    /// Explicit amounts above the supply.
    #[error("amounts above the supply")]
    OutOfRange,
    /// The same coin twice.
    #[error("the same coin twice")]
    DuplicateInput,
    /// A coinbase where there must be none, or none where there must be one.
    #[error("coinbase out of place")]
    Coinbase,
    /// A coin that does not exist or is spent.
    #[error("coin {0} is missing or spent")]
    MissingCoin(OutPoint),
    /// A coinbase coin that is not yet mature.
    #[error("coinbase coin spent after {0} blocks")]
    Immature(u32),
    /// The lock time or a relative lock (BIP68) has not passed.
    #[error("not final yet")]
    NotFinal,
    /// A peg-in.
    #[error("peg-in of input {index}: {fault}")]
    Pegin {
        /// Input.
        index: usize,
        /// Why.
        fault: PeginFault,
    },
    /// A peg-out.
    #[error("peg-out of output {index}: {fault}")]
    Pegout {
        /// Output.
        index: usize,
        /// Why.
        fault: PegoutFault,
    },
    /// Confidential mathematics.
    #[error(transparent)]
    Proof(#[from] ProofFault),
    /// Spending conditions.
    #[error(transparent)]
    Script(#[from] ScriptFault),
    /// Policy, not consensus: less fee than the relay floor. In satoshi.
    #[error("fee {fee} below {least}")]
    FeeTooLow {
        /// Paid in the policy asset.
        fee: u64,
        /// Needed.
        least: u64,
    },
    /// Policy, not consensus: an explicit policy-asset output that costs more to spend than it holds.
    #[error("output {0} is dust")]
    Dust(usize),
}

/// A transaction that may enter the next block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Fees by asset.
    pub fees: BTreeMap<AssetId, u64>,
    /// What it does to the coins.
    pub changes: CoinChanges,
    /// Weight units.
    pub weight: usize,
    /// Signature operations, as [`super::script::sigop_cost`] counts them.
    pub sigop_cost: u32,
}

/// Checks a transaction against consensus for the block after `state`.
pub fn validate(
    params: &SidechainParams,
    state: &HeaderState,
    tx: &Transaction,
    coins: &(impl Coins + ?Sized),
    parent: &(impl ParentChain + ?Sized),
) -> Result<Accepted, TxFault> {
    let _ = (params, state, tx, coins, parent);
    todo!()
}

/// Checks what a mempool asks for on top of consensus: relay fee (by discounted size) and no dust.
pub fn check_policy(params: &SidechainParams, tx: &Transaction, accepted: &Accepted) -> Result<(), TxFault> {
    let _ = (params, tx, accepted);
    todo!()
}

/// Virtual size with the discount for confidential data (ELIP-200), vbytes: what fee rates are measured in where it is accepted.
pub fn discount_vsize(tx: &Transaction) -> usize {
    tx.discount_vsize()
}
