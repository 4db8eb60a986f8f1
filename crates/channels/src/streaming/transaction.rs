//! The funding output and the transactions that spend it.

use crate::streaming::Terms;
use crate::taproot;
use bitcoin::key::Keypair;
use bitcoin::opcodes::all::{OP_CHECKSIG, OP_CHECKSIGVERIFY, OP_CLTV};
use bitcoin::secp256k1::{Message, schnorr::Signature};
use bitcoin::taproot::TaprootSpendInfo;
use bitcoin::{Amount, OutPoint, Script, ScriptBuf, Sequence, Transaction, TxOut, absolute, script};
use causeway_vocab::Atoms;
use serde::{Deserialize, Serialize};

/// Upper bound of a settlement's virtual size with two 34-byte outputs, vB.
pub const SETTLEMENT_VSIZE: u64 = 204;
/// 1 sat/vB for a settlement: what relays ask at least.
pub(crate) const FLOOR_FEE: Atoms = Atoms(SETTLEMENT_VSIZE);
/// Upper bound of a refund's virtual size, vB.
pub(crate) const REFUND_VSIZE: u64 = 139;

/// The least value of an output to `script` that relays take.
pub(crate) fn dust(script: &Script) -> Atoms {
    Atoms(script.minimal_non_dust().to_sat())
}

/// How the funding was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settlement {
    /// By a transaction that both signed; the payee's part.
    Paid(Atoms),
    /// By the payer's refund.
    Refunded,
}

fn output(value: Atoms, script: &Script) -> TxOut {
    TxOut { value: Amount::from_sat(value.0), script_pubkey: script.to_owned() }
}

impl Terms {
    /// `<payer> CHECKSIGVERIFY <payee> CHECKSIG`
    fn both(&self) -> ScriptBuf {
        script::Builder::new()
            .push_x_only_key(&self.proposal.payer)
            .push_opcode(OP_CHECKSIGVERIFY)
            .push_x_only_key(&self.acceptance.payee)
            .push_opcode(OP_CHECKSIG)
            .into_script()
    }

    /// `<payer> CHECKSIGVERIFY <expiry> CHECKLOCKTIMEVERIFY`
    fn alone(&self) -> ScriptBuf {
        script::Builder::new()
            .push_x_only_key(&self.proposal.payer)
            .push_opcode(OP_CHECKSIGVERIFY)
            .push_int(self.proposal.expiry.into())
            .push_opcode(OP_CLTV)
            .into_script()
    }

    fn tree(&self) -> TaprootSpendInfo {
        taproot::two_leaves(self.both(), self.alone())
    }

    /// The coin that the payer makes: taproot without key path, one leaf for both keys, one for the payer after the expiry.
    pub fn funding(&self) -> TxOut {
        output(self.proposal.capacity, &taproot::script_pubkey(&self.tree()))
    }

    /// The transaction that pays the payee `total`, unsigned. The payer's part is left out when it is dust and goes to the fee; a total of
    /// zero, which only a cooperative end can have, has no output.
    pub(crate) fn settlement(&self, coin: OutPoint, total: Atoms, fee: Atoms) -> Transaction {
        let rest = Atoms(self.proposal.capacity.0.saturating_sub(total.0).saturating_sub(fee.0));
        let mut outputs = vec![];
        if total > Atoms::ZERO {
            outputs.push(output(total, &self.acceptance.payee_script));
        }
        if rest >= dust(&self.proposal.payer_script) {
            outputs.push(output(rest, &self.proposal.payer_script));
        }
        taproot::spend(coin, Sequence::ENABLE_RBF_NO_LOCKTIME, absolute::LockTime::ZERO, outputs)
    }

    /// What both sign for `tx`.
    pub(crate) fn settlement_message(&self, tx: &Transaction) -> Message {
        taproot::leaf_message(tx, &self.funding(), &self.both())
    }

    /// Completes a settlement.
    pub(crate) fn complete(&self, mut tx: Transaction, payer: &Signature, payee: &Signature) -> Transaction {
        tx.input[0].witness = taproot::leaf_witness(&self.tree(), &self.both(), [&payee[..], &payer[..]]);
        tx
    }

    /// The signed transaction that takes the coin back, final in blocks above the expiry. `None` when the fee leaves dust.
    pub(crate) fn refund(&self, coin: OutPoint, fee: Atoms, key: &Keypair) -> Option<Transaction> {
        let rest = self.proposal.capacity.checked_sub(fee).filter(|rest| *rest >= dust(&self.proposal.payer_script))?;
        let lock_time = absolute::LockTime::from_height(self.proposal.expiry).expect("BUG: checked with the proposal");
        let outputs = vec![output(rest, &self.proposal.payer_script)];
        let mut tx = taproot::spend(coin, Sequence::ENABLE_RBF_NO_LOCKTIME, lock_time, outputs);
        let signature = taproot::sign(&taproot::leaf_message(&tx, &self.funding(), &self.alone()), key);
        tx.input[0].witness = taproot::leaf_witness(&self.tree(), &self.alone(), [&signature[..]]);
        Some(tx)
    }

    /// How a transaction of the chain spent the coin; `None` when it does not spend it.
    pub(crate) fn spent_by(&self, coin: OutPoint, tx: &Transaction) -> Option<Settlement> {
        let input = tx.input.iter().find(|input| input.previous_output == coin)?;
        if input.witness.iter().any(|item| item == self.alone().as_bytes()) {
            return Some(Settlement::Refunded);
        }
        let paid = tx.output.iter().find(|o| o.script_pubkey == self.acceptance.payee_script);
        Some(Settlement::Paid(Atoms(paid.map_or(0, |o| o.value.to_sat()))))
    }
}
