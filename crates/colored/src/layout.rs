//! Inputs and outputs whose order carries meaning.

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};

/// The part of an unsigned transaction that an asset protocol dictates. Order is consensus: nobody may sort, shuffle or merge it.
///
/// The wallet pays the fee: uncoloured inputs go after `inputs`, and a bitcoin change output is inserted at `change_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Inputs, first to last.
    pub inputs: Vec<OutPoint>,
    /// Outputs, first to last.
    pub outputs: Vec<TxOut>,
    /// Index among `outputs` before which bitcoin change goes.
    pub change_at: usize,
    /// Sequence number of input 0.
    pub first_sequence: Sequence,
    /// Version of the transaction.
    pub version: Version,
}

impl Layout {
    /// Replaceable, of version 2, change last.
    pub(crate) fn new(inputs: Vec<OutPoint>, outputs: Vec<TxOut>) -> Layout {
        let change_at = outputs.len();
        Layout { inputs, outputs, change_at, first_sequence: Sequence::ENABLE_RBF_NO_LOCKTIME, version: Version::TWO }
    }

    /// The unsigned transaction with the wallet's uncoloured coins and bitcoin change put where they change no meaning.
    pub fn transaction(&self, fee_coins: &[OutPoint], change: Option<TxOut>) -> Transaction {
        let mut sequence = self.first_sequence;
        let input = |previous_output: &OutPoint| {
            let sequence = std::mem::replace(&mut sequence, Sequence::ENABLE_RBF_NO_LOCKTIME);
            TxIn { previous_output: *previous_output, script_sig: ScriptBuf::new(), sequence, witness: Witness::new() }
        };
        let mut output = self.outputs.clone();
        output.splice(self.change_at..self.change_at, change);
        Transaction {
            version: self.version,
            lock_time: LockTime::ZERO,
            input: self.inputs.iter().chain(fee_coins).map(input).collect(),
            output,
        }
    }
}

/// An output of the smallest value that nodes relay for its script.
pub(crate) fn dust(script: ScriptBuf) -> TxOut {
    TxOut { value: script.minimal_non_dust(), script_pubkey: script }
}

/// An output that carries data and no value.
pub(crate) fn data(script: ScriptBuf) -> TxOut {
    TxOut { value: Amount::ZERO, script_pubkey: script }
}
