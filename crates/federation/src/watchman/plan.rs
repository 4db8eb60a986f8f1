//! Batches: one Bitcoin transaction that pays many peg-outs, and nothing in it left to choice.

use crate::message::Signature;
use serde::{Deserialize, Serialize};

/// Most inputs, and most peg-outs, of a batch: keeps the transaction below what Bitcoin nodes relay.
pub const MAX_BATCH: usize = 200;

/// What a batch pays and spends. The transaction follows from it and from what every watchman knows: see [`fee_share`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchPlan {
    /// Fee rate, sat/vB.
    pub fee_rate: u64,
    /// Coins spent, ascending.
    pub inputs: Vec<bitcoin::OutPoint>,
    /// Peg-outs paid, ascending by sidechain outpoint.
    pub pegouts: Vec<elements::OutPoint>,
}

/// A member's signatures for a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchShare {
    /// The unsigned transaction's id. Whoever does not know the batch yet can rebuild it from this.
    pub plan: BatchPlan,
    /// One signature per input, with the tweaked key; `None` where the member has no key of that script.
    pub signatures: Vec<Option<Signature>>,
}

/// What a batch would have to spend and pay besides, for a member to sign it: it signed other batches for some of its peg-outs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchVeto {
    /// The batch, as it was proposed.
    pub plan: BatchPlan,
    /// Coins it must spend.
    pub inputs: Vec<bitcoin::OutPoint>,
    /// Peg-outs it must pay.
    pub pegouts: Vec<elements::OutPoint>,
}

/// What each of `count` peg-outs of a batch pays of the fee, satoshi: `ceil(fee_rate × vsize / count)`.
///
/// # How a payment is linked to its peg-out
///
/// A batch is a Bitcoin transaction whose inputs are all coins of the federation, without OP_RETURN. Its outputs are, in this order: one
/// for each peg-out, ascending by the sidechain outpoint (transaction id in serialized byte order, then index); then at most one
/// output of change, to the federation's own untweaked script. The output of a peg-out pays its destination
/// `sat - fee_share(fee_rate, vsize, count)`, where `count` is the number of peg-outs of the batch. The share is the same for all of them.
/// `vsize` is the size that the transaction has at most, all signatures counted with 73 bytes; [`is_payment`] computes it from
/// the confirmed transaction. The fee rate is a whole number within the federation's bounds.
pub fn fee_share(fee_rate: u64, vsize: u64, count: u64) -> u64 {
    fee_rate.saturating_mul(vsize).div_ceil(count.max(1))
}

/// Whether output `vout` of a confirmed transaction may be the payment of a peg-out of `sat` to `destination`: the rule of
/// [`fee_share`], for some whole fee rate within the bounds. Gives the fee share, satoshi.
///
/// `change` is the untweaked peg output script, for telling change from a payment. Needs the witness of the transaction.
pub fn is_payment(
    tx: &bitcoin::Transaction,
    vout: u32,
    destination: &bitcoin::Script,
    sat: u64,
    change: &bitcoin::Script,
    fee_rates: std::ops::RangeInclusive<u64>,
) -> Option<u64> {
    let _ = (tx, vout, destination, sat, change, fee_rates);
    todo!()
}
