//! What a transaction that a server composed really does.
//!
//! Nothing of the answer is believed: the message is built again here and compared byte by byte, and every input and output must be one
//! that the intent explains.

use super::{Carrier, Message, MessageFault, carrier};
use bitcoin::absolute::LockTime;
use bitcoin::{Amount, OutPoint, PublicKey, Script, ScriptBuf, Transaction, TxOut};
use causeway_vocab::{Code, Refusal};
use std::collections::HashSet;

/// An unsigned transaction with what it spends.
#[derive(Debug, Clone, Copy)]
pub struct Composed<'a> {
    /// As the server gave it.
    pub tx: &'a Transaction,
    /// The outputs that its inputs spend, in order, from our own view of the chain; never from the server.
    pub spent: &'a [TxOut],
}

/// What the user wants.
#[derive(Debug, Clone, Copy)]
pub struct Intent<'a> {
    /// The message.
    pub message: &'a Message,
    /// Whose balance it uses: input 0 must spend an output of this script.
    pub source: &'a Script,
    /// Coins that may be spent. None of them may carry an asset.
    pub coins: &'a [OutPoint],
    /// Outputs before the data, in order: whom a plain send or dispense pays, or what an attachment binds to.
    pub pays: &'a [(ScriptBuf, Amount)],
    /// Scripts of ours that change may go to.
    pub change: &'a [ScriptBuf],
    /// The key of `source`, without which multisig carriers are refused.
    pub key: Option<&'a PublicKey>,
    /// Fee at most.
    pub most_fee: Amount,
}

/// What was found to be as intended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// How the message is carried.
    pub carrier: Carrier,
    /// Fee.
    pub fee: Amount,
    /// What returns to us, data outputs not counted.
    pub change: Amount,
}

/// Satoshis that one multisig data output may lock up.
const MOST_DATA: Amount = Amount::from_sat(2_000);

/// How a composed transaction differs from the intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComposedFault {
    /// The intent itself cannot be said.
    #[error("the message cannot be written: {0}")]
    Message(MessageFault),
    /// It has no inputs, or what they spend is not known.
    #[error("inputs are missing")]
    Inputs,
    /// Input 0 does not spend from the source, so the ledger would charge somebody else.
    #[error("input 0 is not of the source")]
    Source,
    /// An input that was not offered, or twice the same.
    #[error("input {0} was not offered")]
    ForeignInput(usize),
    /// It can be mined only later.
    #[error("locked until later")]
    LockTime,
    /// It carries no message that this input 0 deciphers.
    #[error("carries no message")]
    NoMessage,
    /// It carries another message.
    #[error("carries another message")]
    OtherMessage,
    /// Data in the witness of a key that is not ours, or next to other data.
    #[error("carries its message in a way that we do not sign")]
    Carrier,
    /// A multisig data output that somebody else can spend.
    #[error("output {0} can be spent by somebody else")]
    ForeignData(usize),
    /// A data output with more value than it needs.
    #[error("output {0} locks up too much")]
    DataValue(usize),
    /// An intended payment is missing, or not in its place, or of another amount.
    #[error("output {0} does not pay what was intended")]
    Payment(usize),
    /// An output that nothing explains.
    #[error("output {0} pays elsewhere")]
    ForeignOutput(usize),
    /// The outputs are worth more than the inputs, or amounts overflow.
    #[error("amounts do not add up")]
    Amounts,
    /// The fee is above the bound.
    #[error("fee of {0}")]
    Fee(Amount),
}

impl From<ComposedFault> for Refusal {
    fn from(fault: ComposedFault) -> Refusal {
        Refusal::new(Code::DraftLies).with("why", fault)
    }
}

/// Checks that a composed transaction does exactly what is intended and nothing else.
pub fn verify_composed(composed: &Composed<'_>, intent: &Intent<'_>) -> Result<Verified, ComposedFault> {
    let wanted = intent.message.write().map_err(ComposedFault::Message)?;
    let Composed { tx, spent } = *composed;
    inputs(composed, intent)?;
    if tx.lock_time != LockTime::ZERO {
        return Err(ComposedFault::LockTime);
    }
    let carried = carrier::find(tx).ok_or(ComposedFault::NoMessage)?;
    if carried.message != wanted || Message::read(&carried.message).as_ref() != Ok(intent.message) {
        return Err(ComposedFault::OtherMessage);
    }
    match carried.carrier {
        Carrier::Taproot => return Err(ComposedFault::Carrier),
        Carrier::OpReturn if carried.outputs.len() != 1 || !carried.sources.is_empty() => return Err(ComposedFault::Carrier),
        Carrier::Multisig if carried.sources.len() != carried.outputs.len() => return Err(ComposedFault::Carrier),
        Carrier::OpReturn | Carrier::Multisig => {}
    }
    let mut change = Amount::ZERO;
    for (vout, output) in tx.output.iter().enumerate() {
        let data = carried.outputs.iter().position(|carrying| *carrying == vout);
        if let Some((script, value)) = intent.pays.get(vout) {
            if data.is_some() || output.script_pubkey != *script || output.value != *value {
                return Err(ComposedFault::Payment(vout));
            }
        } else if let Some(index) = data {
            // The data follow the payments at once: the ledger stops reading at the first other output.
            if vout != intent.pays.len() + index {
                return Err(ComposedFault::Payment(vout));
            }
            data_output(vout, output, carried.sources.get(index).map(Vec::as_slice), intent)?;
        } else if intent.change.contains(&output.script_pubkey) {
            change = change.checked_add(output.value).ok_or(ComposedFault::Amounts)?;
        } else {
            return Err(ComposedFault::ForeignOutput(vout));
        }
    }
    if tx.output.len() < intent.pays.len() {
        return Err(ComposedFault::Payment(tx.output.len()));
    }
    let sum = |outputs: &[TxOut]| {
        let mut values = outputs.iter().map(|output| output.value);
        values.try_fold(Amount::ZERO, Amount::checked_add).ok_or(ComposedFault::Amounts)
    };
    let fee = sum(spent)?.checked_sub(sum(&tx.output)?).ok_or(ComposedFault::Amounts)?;
    if fee > intent.most_fee {
        return Err(ComposedFault::Fee(fee));
    }
    Ok(Verified { carrier: carried.carrier, fee, change })
}

fn inputs(composed: &Composed<'_>, intent: &Intent<'_>) -> Result<(), ComposedFault> {
    let Composed { tx, spent } = *composed;
    let first = spent.first().filter(|_| spent.len() == tx.input.len()).ok_or(ComposedFault::Inputs)?;
    if first.script_pubkey.as_script() != intent.source {
        return Err(ComposedFault::Source);
    }
    let mut seen = HashSet::new();
    for (index, input) in tx.input.iter().enumerate() {
        if !intent.coins.contains(&input.previous_output) || !seen.insert(input.previous_output) {
            return Err(ComposedFault::ForeignInput(index));
        }
    }
    Ok(())
}

fn data_output(vout: usize, output: &TxOut, source: Option<&[u8]>, intent: &Intent<'_>) -> Result<(), ComposedFault> {
    match source {
        None if output.value != Amount::ZERO => Err(ComposedFault::DataValue(vout)),
        None => Ok(()),
        Some(source) if intent.key.is_none_or(|key| key.to_bytes() != source) => Err(ComposedFault::ForeignData(vout)),
        Some(_) if output.value > MOST_DATA => Err(ComposedFault::DataValue(vout)),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
