//! Batches: one Bitcoin transaction that pays many peg-outs, and nothing in it left to choice.

use super::state::{Coin, Pegout};
use super::sweeps::FEE_PART;
use crate::message::Signature;
use crate::tweak::PegScript;
use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::Message;
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Where the change goes: the untweaked peg output script in force when it was proposed.
    #[serde(default)]
    pub change: ScriptBuf,
}

/// A member's signatures for a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchShare {
    /// The batch. Whoever does not know it yet can rebuild it from this.
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
/// `vsize` is the size that the transaction has at most, all signatures counted with 72 bytes; [`is_payment`] computes it from
/// the confirmed transaction. The fee rate is a whole number of sat/vB within the federation's bounds. Change is what the inputs hold beyond
/// the peg-outs; where that would be dust it is left to the fee, so the fee may exceed the shares by less than the dust limit.
///
/// A batch without peg-outs is a sweep: one output to the federation's own untweaked script, of what the inputs hold less `fee_rate × vsize`.
pub fn fee_share(fee_rate: u64, vsize: u64, count: u64) -> u64 {
    fee_rate.saturating_mul(vsize).div_ceil(count.max(1))
}

/// Whether output `vout` of a confirmed transaction may be the payment of a peg-out of `sat` to `destination`: the rule of
/// [`fee_share`], for some whole fee rate within the bounds. Gives the fee share, satoshi.
///
/// `change` is the untweaked peg output script, for telling change from a payment. Needs the witness of the transaction. A
/// transaction that pays two peg-outs of one amount to one destination pays them in the order of their outpoints.
pub fn is_payment(
    tx: &Transaction,
    vout: u32,
    destination: &Script,
    sat: u64,
    change: &Script,
    fee_rates: std::ops::RangeInclusive<u64>,
) -> Option<u64> {
    let count = payments(tx, change);
    let output =
        tx.output.get(vout as usize).filter(|output| (vout as usize) < count && *output.script_pubkey == *destination)?;
    let share = sat.checked_sub(output.value.to_sat())?;
    let inputs = tx.input.iter().map(|input| {
        let script = input.witness.last().map_or(0, <[u8]>::len);
        InputSize { script, k: input.witness.len().saturating_sub(2), nested: !input.script_sig.is_empty() }
    });
    let vsize = vsize(inputs, tx.output.iter().map(|output| output.script_pubkey.len()));
    // The greatest rate whose share is at most this one: shares of a rate are unique to it or shared with the next lower ones.
    let fee_rate = share.checked_mul(count as u64)? / vsize;
    (fee_rates.contains(&fee_rate) && fee_share(fee_rate, vsize, count as u64) == share).then_some(share)
}

/// How many outputs of a batch pay peg-outs: all but the change at the end.
pub(super) fn payments(tx: &Transaction, change: &Script) -> usize {
    let kept = tx.output.last().is_some_and(|output| *output.script_pubkey == *change);
    tx.output.len() - usize::from(kept)
}

struct InputSize {
    script: usize,
    k: usize,
    nested: bool,
}

fn prefix(length: usize) -> usize {
    match length {
        0..0xfd => 1,
        0xfd..0x1_0000 => 3,
        _ => 5,
    }
}

fn vsize(inputs: impl Iterator<Item = InputSize>, scripts: impl Iterator<Item = usize>) -> u64 {
    let (mut base, mut witness, mut count) = (8, 2, 0);
    for input in inputs {
        base += 36 + 4 + 1 + if input.nested { 35 } else { 0 };
        witness += 1 + 1 + input.k * 73 + prefix(input.script) + input.script;
        count += 1;
    }
    base += prefix(count);
    let mut outputs = 0;
    for script in scripts {
        base += 8 + prefix(script) + script;
        outputs += 1;
    }
    base += prefix(outputs);
    ((base * 4 + witness) as u64).div_ceil(4)
}

/// A batch that cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlanFault {
    /// Empty, too long, repeated, out of order, or it names something unknown.
    Malformed,
    /// The inputs hold less than the peg-outs.
    Short,
    /// A peg-out would be left with less than the dust limit, or a sweep would cost more than [`FEE_PART`] allows.
    Dust,
}

/// The transaction of a plan, unsigned.
pub(super) fn build(
    plan: &BatchPlan,
    coins: &BTreeMap<OutPoint, Coin>,
    pegouts: &BTreeMap<elements::OutPoint, Pegout>,
    dust: u64,
) -> Result<Transaction, PlanFault> {
    let sorted = plan.inputs.windows(2).all(|pair| pair[0] < pair[1]) && plan.pegouts.windows(2).all(|pair| pair[0] < pair[1]);
    let sizes = [plan.inputs.len(), plan.pegouts.len()];
    if !sorted || plan.inputs.is_empty() || sizes.iter().any(|size| *size > MAX_BATCH) {
        return Err(PlanFault::Malformed);
    }
    let inputs: Vec<&Coin> =
        plan.inputs.iter().map(|outpoint| coins.get(outpoint)).collect::<Option<_>>().ok_or(PlanFault::Malformed)?;
    let paid: Vec<&Pegout> =
        plan.pegouts.iter().map(|outpoint| pegouts.get(outpoint)).collect::<Option<_>>().ok_or(PlanFault::Malformed)?;
    let held = inputs.iter().try_fold(0_u64, |sum, coin| sum.checked_add(coin.sat)).ok_or(PlanFault::Malformed)?;
    let owed = paid.iter().try_fold(0_u64, |sum, pegout| sum.checked_add(pegout.sat)).ok_or(PlanFault::Malformed)?;
    let rest = held.checked_sub(owed).ok_or(PlanFault::Short)?;
    let scripts = paid.iter().map(|pegout| pegout.destination.len()).chain((rest >= dust).then_some(plan.change.len()));
    let mut sizes = Vec::with_capacity(inputs.len());
    for coin in &inputs {
        let k = PegScript::parse(&coin.fedpegscript).ok_or(PlanFault::Malformed)?.k;
        sizes.push(InputSize { script: coin.fedpegscript.len(), k: k.into(), nested: coin.nested });
    }
    let vsize = vsize(sizes.into_iter(), scripts);
    let fee = plan.fee_rate.saturating_mul(vsize);
    let rest = if paid.is_empty() {
        rest.checked_sub(fee).filter(|kept| *kept >= dust && fee <= held / FEE_PART).ok_or(PlanFault::Dust)?
    } else {
        rest
    };
    let share = fee_share(plan.fee_rate, vsize, paid.len() as u64);
    let mut output = Vec::with_capacity(paid.len() + 1);
    for pegout in &paid {
        let value = pegout.sat.checked_sub(share).filter(|value| *value >= dust).ok_or(PlanFault::Dust)?;
        output.push(TxOut { value: Amount::from_sat(value), script_pubkey: pegout.destination.clone() });
    }
    if rest >= dust {
        output.push(TxOut { value: Amount::from_sat(rest), script_pubkey: plan.change.clone() });
    }
    let mut input = Vec::with_capacity(inputs.len());
    for (outpoint, coin) in plan.inputs.iter().zip(&inputs) {
        let script_sig = coin.script_sig().ok_or(PlanFault::Malformed)?;
        let sequence = Sequence::ENABLE_RBF_NO_LOCKTIME;
        input.push(TxIn { previous_output: *outpoint, script_sig, sequence, witness: Witness::new() });
    }
    Ok(Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input, output })
}

impl Coin {
    /// The script that its spender must show: the peg script, tweaked. `None` when it cannot be.
    pub fn witness_script(&self) -> Option<ScriptBuf> {
        Some(self.peg_script()?.to_script())
    }

    pub(crate) fn peg_script(&self) -> Option<PegScript> {
        let script = PegScript::parse(&self.fedpegscript)?;
        match &self.claim_script {
            Some(claim) => script.tweaked(claim.as_bytes()),
            None => Some(script),
        }
    }

    /// The output script it pays.
    pub fn script_pubkey(&self) -> Option<ScriptBuf> {
        let p2wsh = self.witness_script()?.to_p2wsh();
        Some(if self.nested { p2wsh.to_p2sh() } else { p2wsh })
    }

    pub(crate) fn script_sig(&self) -> Option<ScriptBuf> {
        if !self.nested {
            return Some(ScriptBuf::new());
        }
        let program = self.witness_script()?.to_p2wsh();
        let push = bitcoin::script::PushBytesBuf::try_from(program.into_bytes()).ok()?;
        Some(bitcoin::script::Builder::new().push_slice(push).into_script())
    }
}

/// What the signatures of input `index` sign.
pub(crate) fn sighash(tx: &Transaction, index: usize, coin: &Coin) -> Option<Message> {
    let script = coin.witness_script()?;
    let sighash = SighashCache::new(tx).p2wsh_signature_hash(index, &script, Amount::from_sat(coin.sat), EcdsaSighashType::All);
    Some(Message::from_digest(sighash.ok()?.to_byte_array()))
}
