//! Whether a transaction may enter the next block.

use super::block::{COINBASE_MATURITY, MAX_BLOCK_WEIGHT};
use super::coin::{Coin, CoinChanges, Coins};
use super::federation::Fedpeg;
use super::header::HeaderState;
use super::pak::PakList;
use super::pegin::{ParentChain, Peg, PeginFault, PeginWitness};
use super::pegout::{Pegout, PegoutFault};
use super::proofs::{self, ProofFault, is_unspendable};
use super::script::{self, ScriptFault};
use causeway_vocab::{Height, SidechainParams};
use elements::confidential::{Asset, Value};
use elements::{AssetId, BlockHash, LockTime, OutPoint, Transaction, TxIn, TxOut};
use std::collections::{BTreeMap, BTreeSet};

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

/// What the rules of the block after a header state need to know of it. Make it once per block.
#[derive(Debug, Clone)]
pub struct NextBlock {
    pub(super) height: Height,
    pub(super) median_time_past: u32,
    peg: Peg,
    genesis: BlockHash,
    fedpegs: Vec<Fedpeg>,
    /// Keys that may peg out, where the chain asks for them.
    pak: Option<PakList>,
}

impl NextBlock {
    /// The block after that state.
    pub fn after(params: &SidechainParams, state: &HeaderState) -> NextBlock {
        let height = state.tip().height.saturating_add(1);
        let enforced = params.enforce_pak && height >= params.dynafed_active_from_height;
        NextBlock {
            height,
            median_time_past: state.median_time_past(),
            peg: Peg::from(params),
            genesis: params.genesis_hash,
            fedpegs: state.fedpegs_for_next_block(params),
            pak: enforced.then(|| state.pak_list_for_next_block(params)),
        }
    }

    /// Its height.
    pub fn height(&self) -> Height {
        self.height
    }
}

/// Checks a transaction against consensus for the block after `state`.
///
/// Coins of unconfirmed transactions must be given by `coins`, with the height and median time past that they would have in that block.
pub fn validate(
    params: &SidechainParams,
    state: &HeaderState,
    tx: &Transaction,
    coins: &(impl Coins + ?Sized),
    parent: &(impl ParentChain + ?Sized),
) -> Result<Accepted, TxFault> {
    validate_in(&NextBlock::after(params, state), tx, coins, parent)
}

/// The same for many transactions of one block.
pub fn validate_in(
    next: &NextBlock,
    tx: &Transaction,
    coins: &(impl Coins + ?Sized),
    parent: &(impl ParentChain + ?Sized),
) -> Result<Accepted, TxFault> {
    check_form(tx)?;
    if !is_final(tx, next.height, next.median_time_past) {
        return Err(TxFault::NotFinal);
    }
    check_pegouts(tx, next)?;
    let mut changes = CoinChanges::default();
    let mut spent = Vec::with_capacity(tx.input.len());
    for (index, input) in tx.input.iter().enumerate() {
        spent.push(if input.is_pegin {
            let pegin = |fault| TxFault::Pegin { index, fault };
            let (deposit, output, value) = claim(next, input, coins, parent).map_err(pegin)?;
            if changes.claimed.insert(deposit, value).is_some() {
                return Err(pegin(PeginFault::AlreadyClaimed));
            }
            output
        } else {
            let coin = spend(next, tx, input, coins)?;
            let output = coin.output.clone();
            changes.spent.insert(input.previous_output, coin);
            output
        });
    }
    let fees = proofs::verify(tx, &spent, next.peg.asset)?;
    script::verify(tx, &spent, next.genesis)?;
    changes.created = created(tx, next);
    Ok(Accepted { fees, changes, weight: tx.weight(), sigop_cost: script::sigop_cost(tx, &spent) })
}

/// The coins that a transaction makes: every output that could ever be spent.
pub(super) fn created(tx: &Transaction, next: &NextBlock) -> BTreeMap<OutPoint, Coin> {
    let txid = tx.txid();
    let coin = |output: &TxOut| Coin {
        output: output.clone(),
        height: next.height,
        median_time_past: next.median_time_past,
        coinbase: tx.is_coinbase(),
    };
    (0..)
        .zip(&tx.output)
        .filter(|(_, output)| !is_unspendable(&output.script_pubkey))
        .map(|(vout, output)| (OutPoint::new(txid, vout), coin(output)))
        .collect()
}

/// Rules that need nothing but the transaction.
fn check_form(tx: &Transaction) -> Result<(), TxFault> {
    if tx.input.is_empty() || tx.output.is_empty() {
        return Err(TxFault::Empty);
    }
    if tx.weight() > MAX_BLOCK_WEIGHT {
        return Err(TxFault::Oversize);
    }
    if tx.is_coinbase() || tx.input.iter().any(|input| input.previous_output.is_null()) {
        return Err(TxFault::Coinbase);
    }
    // elementsd compares outpoints without looking at the peg-in flag; so do we.
    let distinct: BTreeSet<OutPoint> = tx.input.iter().map(|input| input.previous_output).collect();
    if distinct.len() != tx.input.len() {
        return Err(TxFault::DuplicateInput);
    }
    Ok(())
}

/// Whether the lock time has passed or is disabled.
pub(super) fn is_final(tx: &Transaction, height: Height, median_time_past: u32) -> bool {
    let passed = match tx.lock_time {
        LockTime::Blocks(lock) => lock.to_consensus_u32() < height || tx.lock_time == LockTime::ZERO,
        LockTime::Seconds(lock) => lock.to_consensus_u32() < median_time_past,
    };
    passed || tx.input.iter().all(|input| input.sequence.is_final())
}

/// Checks the authorisation of every peg-out, where the chain asks for it.
pub(super) fn check_pegouts(tx: &Transaction, next: &NextBlock) -> Result<(), TxFault> {
    let Some(list) = &next.pak else { return Ok(()) };
    for (index, output) in tx.output.iter().enumerate() {
        // Also where the value is confidential, which makes no peg-out, but elementsd asks for a proof.
        let Some(pegout) = Pegout::parse(&output.script_pubkey) else { continue };
        if pegout.parent_genesis == next.peg.parent_genesis && output.asset == Asset::Explicit(next.peg.asset) {
            pegout.check_pak(list).map_err(|fault| TxFault::Pegout { index, fault })?;
        }
    }
    Ok(())
}

/// Checks a peg-in; gives the deposit, the output it stands for, and its value.
fn claim(
    next: &NextBlock,
    input: &TxIn,
    coins: &(impl Coins + ?Sized),
    parent: &(impl ParentChain + ?Sized),
) -> Result<(bitcoin::OutPoint, TxOut, u64), PeginFault> {
    let deposit = input.pegin_prevout().ok_or(PeginFault::ItemCount(0))?;
    let witness = PeginWitness::of_library(input.pegin_data().ok_or(PeginFault::ItemCount(0))?)?;
    let checked = witness.verify(&next.peg, &deposit, &next.fedpegs)?;
    if coins.is_claimed(&deposit) {
        return Err(PeginFault::AlreadyClaimed);
    }
    checked.check_depth(&next.peg, parent)?;
    Ok((deposit, witness.claimed_output(), witness.value))
}

/// Checks that a coin is there, mature, and past its relative lock (BIP68).
fn spend(next: &NextBlock, tx: &Transaction, input: &TxIn, coins: &(impl Coins + ?Sized)) -> Result<Coin, TxFault> {
    let coin = coins.coin(&input.previous_output).ok_or(TxFault::MissingCoin(input.previous_output))?;
    let depth = next.height.saturating_sub(coin.height);
    if coin.coinbase && depth < COINBASE_MATURITY {
        return Err(TxFault::Immature(depth));
    }
    let sequence = input.sequence;
    if tx.version >= 2 && sequence.is_relative_lock_time() {
        let lock = sequence.to_consensus_u32() & 0xffff;
        let passed = if sequence.is_time_locked() {
            u64::from(coin.median_time_past) + (u64::from(lock) << 9) <= u64::from(next.median_time_past)
        } else {
            u64::from(coin.height) + u64::from(lock) <= u64::from(next.height)
        };
        if !passed {
            return Err(TxFault::NotFinal);
        }
    }
    Ok(coin)
}

/// Checks what a mempool asks for on top of consensus: relay fee (by discounted size) and no dust.
pub fn check_policy(params: &SidechainParams, tx: &Transaction, accepted: &Accepted) -> Result<(), TxFault> {
    let fee = accepted.fees.get(&params.policy_asset).copied().unwrap_or(0);
    let least = fee_at_rate(discount_vsize(tx), MIN_RELAY_FEE_RATE);
    if fee < least {
        return Err(TxFault::FeeTooLow { fee, least });
    }
    for (index, output) in tx.output.iter().enumerate() {
        let (Asset::Explicit(asset), Value::Explicit(value)) = (output.asset, output.value) else { continue };
        if asset == params.policy_asset && !is_unspendable(&output.script_pubkey) && value < dust_limit(output) {
            return Err(TxFault::Dust(index));
        }
    }
    Ok(())
}

/// The least value of an explicit policy-asset output, satoshi: what it costs to make and spend it at the relay rate.
pub fn dust_limit(output: &TxOut) -> u64 {
    /// Outpoint, sequence, script length, and the discounted witness of a P2WPKH spend; or its legacy counterpart.
    const SPEND_WITNESS: usize = 32 + 4 + 1 + 107 / 4 + 4;
    const SPEND_LEGACY: usize = 32 + 4 + 1 + 107 + 4;
    let size = elements::encode::serialize(output).len();
    let spend = if output.script_pubkey.is_witness_program() { SPEND_WITNESS } else { SPEND_LEGACY };
    fee_at_rate(size + spend, MIN_RELAY_FEE_RATE)
}

/// The fee of `vsize` virtual bytes at `rate` satoshi per 1000 of them, rounded up.
pub fn fee_at_rate(vsize: usize, rate: u64) -> u64 {
    (vsize as u64).saturating_mul(rate).div_ceil(1000)
}

/// Virtual size with the discount for confidential data (ELIP-200), vbytes: what fee rates are measured in where it is accepted.
pub fn discount_vsize(tx: &Transaction) -> usize {
    tx.discount_vsize()
}
