//! Full validation of a block, as the federation's own node needs it.
//!
//! Left out, because no parameter of ours names them: a prescribed coinbase script (`-con_mandatorycoinbase`, used by Liquid itself) and
//! a block subsidy.

use super::MAX_MONEY;
use super::coin::{Coin, CoinChanges, Coins, Overlay};
use super::header::{HeaderFault, HeaderState};
use super::merkle::{self, MerkleFault};
use super::pegin::ParentChain;
use super::proofs::is_unspendable;
use super::script;
use super::transaction::{self, NextBlock, TxFault};
use causeway_vocab::SidechainParams;
use elements::confidential::{Asset, Value};
use elements::script::Builder;
use elements::{AssetId, Block, BlockExtData, OutPoint, Transaction, Txid};
use std::collections::BTreeMap;

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
    state.next(params, &block.header, now)?;
    check_transactions(params, state, block, coins, parent)
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
    state.next_unsigned(params, &block.header, now)?;
    check_transactions(params, state, block, coins, parent)
}

fn check_transactions(
    params: &SidechainParams,
    state: &HeaderState,
    block: &Block,
    coins: &(impl Coins + ?Sized),
    parent: &(impl ParentChain + ?Sized),
) -> Result<CoinChanges, BlockFault> {
    merkle::check_block(block)?;
    merkle::check_witness_commitment(block)?;
    let weight = weight(block);
    if weight > MAX_BLOCK_WEIGHT {
        return Err(BlockFault::Weight(weight));
    }
    let next = NextBlock::after(params, state);
    let (coinbase, rest) = block.txdata.split_first().ok_or(BlockFault::Coinbase("missing"))?;
    check_coinbase(coinbase, &next)?;
    let pegout = |fault| BlockFault::Transaction { txid: coinbase.txid(), fault };
    transaction::check_pegouts(coinbase, &next).map_err(pegout)?;
    let mut changes = CoinChanges::default();
    let mut fees = BTreeMap::new();
    let mut sigops = script::sigop_cost(coinbase, &[]);
    for tx in rest {
        let view = Overlay { base: coins, changes: &changes };
        let txid = tx.txid();
        let fault = |fault| BlockFault::Transaction { txid, fault };
        let accepted = transaction::validate_in(&next, tx, &view, parent).map_err(fault)?;
        check_new(&accepted.changes.created, txid, &view)?;
        add_fees(&mut fees, &accepted.fees)?;
        sigops = sigops.saturating_add(accepted.sigop_cost);
        if sigops > MAX_BLOCK_SIGOPS_COST {
            return Err(BlockFault::Sigops(sigops));
        }
        merge(&mut changes, accepted.changes);
    }
    check_coinbase_amounts(coinbase, fees)?;
    let made = transaction::created(coinbase, &next);
    check_new(&made, coinbase.txid(), &Overlay { base: coins, changes: &changes })?;
    changes.created.extend(made);
    Ok(changes)
}

/// Puts the changes of a later transaction on top of those of earlier ones.
fn merge(changes: &mut CoinChanges, later: CoinChanges) {
    for (outpoint, coin) in later.spent {
        if changes.created.remove(&outpoint).is_none() {
            changes.spent.insert(outpoint, coin);
        }
    }
    changes.created.extend(later.created);
    changes.claimed.extend(later.claimed);
}

/// No coin of the same name may be unspent (BIP30).
fn check_new(made: &BTreeMap<OutPoint, Coin>, txid: Txid, coins: &impl Coins) -> Result<(), BlockFault> {
    if made.keys().any(|outpoint| coins.coin(outpoint).is_some()) { Err(BlockFault::Overwrites(txid)) } else { Ok(()) }
}

fn add_fees(total: &mut BTreeMap<AssetId, u64>, more: &BTreeMap<AssetId, u64>) -> Result<(), BlockFault> {
    for (asset, fee) in more {
        let sum = total.entry(*asset).or_default();
        *sum = sum.saturating_add(*fee);
        if *sum > MAX_MONEY {
            return Err(BlockFault::FeeRange);
        }
    }
    Ok(())
}

/// Weight of a block in units of the limit: what is witness counts once, the signatures of the header included.
pub fn weight(block: &Block) -> usize {
    let signatures = match &block.header.ext {
        BlockExtData::Dynafed { signblock_witness, .. } => elements::encode::serialize(signblock_witness).len(),
        BlockExtData::Proof { .. } => 0,
    };
    // The library counts the whole header four times.
    block.weight() - 3 * signatures
}

/// The script that a coinbase's must start with: the height (BIP34).
pub fn height_script(height: u32) -> elements::Script {
    Builder::new().push_int(height.into()).into_script()
}

fn check_coinbase(tx: &Transaction, next: &NextBlock) -> Result<(), BlockFault> {
    let require = |ok, why| if ok { Ok(()) } else { Err(BlockFault::Coinbase(why)) };
    require(tx.is_coinbase(), "missing")?;
    let [input] = tx.input.as_slice() else { return Err(BlockFault::Coinbase("more than one input")) };
    require((2..=100).contains(&input.script_sig.len()), "script of 2 to 100 bytes")?;
    let height = height_script(next.height);
    require(input.script_sig.as_bytes().starts_with(height.as_bytes()), "another height")?;
    require(!input.is_pegin && !input.has_issuance(), "peg-in or issuance")?;
    let witness = &input.witness;
    let proofs = !witness.amount_rangeproof.is_empty() || !witness.inflation_keys_rangeproof.is_empty();
    require(!proofs && witness.pegin_witness.is_empty(), "witness data that nothing commits to")?;
    require(transaction::is_final(tx, next.height, next.median_time_past), "not final")?;
    require(!tx.output.is_empty(), "no outputs")?;
    for output in &tx.output {
        require(!output.is_fee(), "a fee output")?;
        require(output.witness.is_empty(), "output proofs")?;
    }
    Ok(())
}

/// The coinbase may take no more than the fees of each asset; what it leaves is burnt.
fn check_coinbase_amounts(tx: &Transaction, mut fees: BTreeMap<AssetId, u64>) -> Result<(), BlockFault> {
    for output in &tx.output {
        let (Asset::Explicit(asset), Value::Explicit(value)) = (output.asset, output.value) else {
            return Err(BlockFault::Coinbase("confidential output"));
        };
        if value == 0 {
            if !is_unspendable(&output.script_pubkey) {
                return Err(BlockFault::Coinbase("spendable output of nothing"));
            }
            continue;
        }
        let left = fees.get_mut(&asset).ok_or(BlockFault::CoinbaseAmount)?;
        *left = left.checked_sub(value).ok_or(BlockFault::CoinbaseAmount)?;
    }
    Ok(())
}

/// The coins that the genesis block makes (`-con_connect_genesis_outputs=1`); nothing in it is checked, it is checked by its hash.
pub fn genesis_coins(genesis: &Block) -> CoinChanges {
    let mut changes = CoinChanges::default();
    for tx in &genesis.txdata {
        let txid = tx.txid();
        for (vout, output) in (0..).zip(&tx.output).filter(|(_, output)| !is_unspendable(&output.script_pubkey)) {
            let coin = Coin {
                output: output.clone(),
                height: genesis.header.height,
                median_time_past: genesis.header.time,
                coinbase: tx.is_coinbase(),
            };
            changes.created.insert(OutPoint::new(txid, vout), coin);
        }
    }
    changes
}

#[cfg(test)]
#[path = "block_tests.rs"]
mod tests;
