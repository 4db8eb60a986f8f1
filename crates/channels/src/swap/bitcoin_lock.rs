//! The lock on Bitcoin.

use crate::swap::{Leg, Preimage, Spend};
use crate::taproot;
use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::key::Keypair;
use bitcoin::opcodes::all::{OP_CHECKSIG, OP_CHECKSIGVERIFY, OP_CLTV, OP_EQUALVERIFY, OP_SHA256, OP_SIZE};
use bitcoin::taproot::TaprootSpendInfo;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxOut, XOnlyPublicKey, absolute, script};
use causeway_vocab::{Atoms, Code, Refusal};

/// A hash-time-locked output of Bitcoin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BitcoinLock {
    /// Takes it with the preimage.
    pub claimer: XOnlyPublicKey,
    /// Takes it back after the expiry.
    pub refunder: XOnlyPublicKey,
    /// Of the preimage.
    pub hash: sha256::Hash,
    /// Amount and expiry.
    pub leg: Leg,
}

impl BitcoinLock {
    fn claim_leaf(&self) -> ScriptBuf {
        script::Builder::new()
            .push_opcode(OP_SIZE)
            .push_int(32)
            .push_opcode(OP_EQUALVERIFY)
            .push_opcode(OP_SHA256)
            .push_slice(self.hash.to_byte_array())
            .push_opcode(OP_EQUALVERIFY)
            .push_x_only_key(&self.claimer)
            .push_opcode(OP_CHECKSIG)
            .into_script()
    }

    fn refund_leaf(&self) -> ScriptBuf {
        script::Builder::new()
            .push_x_only_key(&self.refunder)
            .push_opcode(OP_CHECKSIGVERIFY)
            .push_int(self.leg.expiry.into())
            .push_opcode(OP_CLTV)
            .into_script()
    }

    fn tree(&self) -> TaprootSpendInfo {
        taproot::two_leaves(self.claim_leaf(), self.refund_leaf())
    }

    /// The output that locks the coin.
    pub fn output(&self) -> TxOut {
        TxOut { value: Amount::from_sat(self.leg.amount.0), script_pubkey: taproot::script_pubkey(&self.tree()) }
    }

    /// Finds the lock among the outputs of a transaction: right script, right amount.
    pub fn find(&self, tx: &Transaction) -> Option<OutPoint> {
        let wanted = self.output();
        let vout = tx.output.iter().position(|output| *output == wanted)?;
        Some(OutPoint { txid: tx.compute_txid(), vout: u32::try_from(vout).ok()? })
    }

    /// How a transaction of the chain opened the lock; `None` when it does not spend it.
    pub fn opened_by(&self, coin: OutPoint, tx: &Transaction) -> Option<Spend> {
        let input = tx.input.iter().find(|input| input.previous_output == coin)?;
        let shown = input.witness.iter().filter_map(|item| item.try_into().ok().map(Preimage));
        Some(shown.into_iter().find(|shown| shown.hash() == self.hash).map_or(Spend::Refunded, Spend::Claimed))
    }

    /// The signed claim. The same bytes for the same arguments.
    ///
    /// Refused with `Dust` or `InsufficientFee` when the fee leaves too little.
    ///
    /// # Panics
    /// When the preimage or the key is not that of the lock.
    pub fn claim(
        &self,
        coin: OutPoint,
        preimage: &Preimage,
        to: ScriptBuf,
        fee: Atoms,
        key: &Keypair,
    ) -> Result<Transaction, Refusal> {
        assert_eq!(preimage.hash(), self.hash, "BUG: another swap's preimage");
        assert_eq!(key.x_only_public_key().0, self.claimer, "BUG: another swap's key");
        let mut tx = self.spend(coin, absolute::LockTime::ZERO, to, fee)?;
        let leaf = self.claim_leaf();
        let signature = taproot::sign(&taproot::leaf_message(&tx, &self.output(), &leaf), key);
        tx.input[0].witness = taproot::leaf_witness(&self.tree(), &leaf, [&signature[..], &preimage.0[..]]);
        Ok(tx)
    }

    /// The signed refund, final in blocks above the expiry. The same bytes for the same arguments; refused as the claim is.
    ///
    /// # Panics
    /// When the key is not that of the lock.
    pub fn refund(&self, coin: OutPoint, to: ScriptBuf, fee: Atoms, key: &Keypair) -> Result<Transaction, Refusal> {
        assert_eq!(key.x_only_public_key().0, self.refunder, "BUG: another swap's key");
        let lock_time = absolute::LockTime::from_height(self.leg.expiry).expect("BUG: checked with the offer");
        let mut tx = self.spend(coin, lock_time, to, fee)?;
        let leaf = self.refund_leaf();
        let signature = taproot::sign(&taproot::leaf_message(&tx, &self.output(), &leaf), key);
        tx.input[0].witness = taproot::leaf_witness(&self.tree(), &leaf, [&signature[..]]);
        Ok(tx)
    }

    fn spend(&self, coin: OutPoint, lock_time: absolute::LockTime, to: ScriptBuf, fee: Atoms) -> Result<Transaction, Refusal> {
        let short = || Refusal::new(Code::InsufficientFee).with("needed", fee).with("available", self.leg.amount);
        let value = Amount::from_sat(self.leg.amount.checked_sub(fee).ok_or_else(short)?.0);
        let least = to.minimal_non_dust();
        if value < least {
            return Err(Refusal::new(Code::Dust).with("least", least.to_sat()));
        }
        let outputs = vec![TxOut { value, script_pubkey: to }];
        Ok(taproot::spend(coin, Sequence::ENABLE_RBF_NO_LOCKTIME, lock_time, outputs))
    }
}
