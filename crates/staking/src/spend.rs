//! Signing and finishing spends of a stake's outputs.

use crate::params::Covenant;
use crate::script::{Leaf, Tree};
use bitcoin::sighash::{Prevouts, SighashCache, TapSighash, TapSighashType};
use bitcoin::taproot::{ControlBlock, LeafVersion, TapLeafHash};
use bitcoin::{OutPoint, Psbt, ScriptBuf, Transaction, TxOut, Weight, Witness, XOnlyPublicKey};
use secp256k1::hashes::Hash as _;
use secp256k1::schnorr::Signature;
use secp256k1::{Message, SECP256K1};
use std::collections::BTreeMap;

/// A spend of one leaf, ready to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    transaction: Transaction,
    input: usize,
    prevouts: Vec<TxOut>,
    script: ScriptBuf,
    control: ControlBlock,
}

/// Why a spend cannot be made or finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSpend {
    /// The output has no such leaf.
    #[error("the output has no such path")]
    NoLeaf,
    /// Number or scripts of the spent outputs do not fit the transaction.
    #[error("the spent outputs do not fit the transaction")]
    Prevouts,
    /// Fewer covenant signatures than the quorum.
    #[error("{have} covenant signatures of {need}")]
    Quorum {
        /// Signatures by members.
        have: usize,
        /// The quorum.
        need: u32,
    },
    /// A signature by nobody of the committee or of the finality providers.
    #[error("a signature by a stranger")]
    Stranger,
}

impl Spend {
    /// Input `input` of a transaction spends a leaf of `tree`. `prevouts` are the spent outputs of all inputs, in order.
    pub fn new(transaction: Transaction, input: usize, prevouts: Vec<TxOut>, tree: &Tree, leaf: Leaf) -> Result<Spend, BadSpend> {
        let script = tree.leaf(leaf).ok_or(BadSpend::NoLeaf)?.to_owned();
        let control = tree.control_block(leaf).ok_or(BadSpend::NoLeaf)?;
        let fits = prevouts.len() == transaction.input.len();
        if !fits || prevouts.get(input).is_none_or(|output| output.script_pubkey != tree.script_pubkey()) {
            return Err(BadSpend::Prevouts);
        }
        Ok(Spend { transaction, input, prevouts, script, control })
    }

    /// The transaction without this input's witness.
    pub fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// What every signature of this input signs (BIP341 with BIP342's extension, SIGHASH_DEFAULT).
    pub fn sighash(&self) -> TapSighash {
        let leaf = TapLeafHash::from_script(&self.script, LeafVersion::TapScript);
        SighashCache::new(&self.transaction)
            .taproot_script_spend_signature_hash(self.input, &Prevouts::All(&self.prevouts), leaf, TapSighashType::Default)
            .expect("BUG: input and spent outputs were checked when the spend was made")
    }

    /// The sighash as libsecp256k1 takes it.
    pub fn message(&self) -> Message {
        Message::from_digest(self.sighash().to_byte_array())
    }

    /// Whether a signature is that of a key over this spend.
    pub fn is_signed_by(&self, key: &XOnlyPublicKey, signature: &Signature) -> bool {
        SECP256K1.verify_schnorr(signature, &self.message(), key).is_ok()
    }

    /// The spend as a PSBT for the staker's key: witness outputs, leaf script and internal key.
    pub fn to_psbt(&self) -> Psbt {
        let mut psbt = Psbt::from_unsigned_tx(self.transaction.clone()).expect("BUG: nothing here is signed");
        for (input, output) in psbt.inputs.iter_mut().zip(&self.prevouts) {
            input.witness_utxo = Some(output.clone());
        }
        let input = &mut psbt.inputs[self.input];
        input.tap_internal_key = Some(crate::script::internal_key());
        input.tap_scripts.insert(self.control.clone(), (self.script.clone(), LeafVersion::TapScript));
        psbt
    }

    /// Weight of the transaction when the stack has items of these lengths.
    pub(crate) fn finished_weight(&self, stack: impl IntoIterator<Item = usize>) -> Weight {
        self.finish(stack.into_iter().map(|length| vec![0; length])).weight()
    }

    /// The transaction with this input's witness: `stack` below script and control block.
    fn finish(&self, stack: impl IntoIterator<Item = Vec<u8>>) -> Transaction {
        let mut witness = Witness::new();
        stack.into_iter().for_each(|item| witness.push(item));
        witness.push(&self.script);
        witness.push(self.control.serialize());
        let mut transaction = self.transaction.clone();
        transaction.input[self.input].witness = witness;
        transaction
    }

    /// A timelocked output taken back by the staker.
    pub fn with_staker(&self, staker: &Signature) -> Transaction {
        self.finish([staker.serialize().to_vec()])
    }

    /// Unbonding or extension: the committee's signatures and the staker's.
    ///
    /// Takes exactly the quorum; more would fail just as fewer. Signatures are not verified here.
    pub fn with_covenant(
        &self,
        covenant: &Covenant,
        signatures: &BTreeMap<XOnlyPublicKey, Signature>,
        staker: &Signature,
    ) -> Result<Transaction, BadSpend> {
        let mut stack = slots(&covenant.keys, covenant.quorum, signatures)?;
        stack.push(staker.serialize().to_vec());
        Ok(self.finish(stack))
    }

    /// Slashing: the committee's decrypted signatures, one finality provider's, and the staker's.
    pub fn with_slashing(
        &self,
        covenant: &Covenant,
        signatures: &BTreeMap<XOnlyPublicKey, Signature>,
        providers: &[XOnlyPublicKey],
        provider: (XOnlyPublicKey, Signature),
        staker: &Signature,
    ) -> Result<Transaction, BadSpend> {
        let mut stack = slots(&covenant.keys, covenant.quorum, signatures)?;
        stack.extend(slots(providers, 1, &BTreeMap::from([provider]))?);
        stack.push(staker.serialize().to_vec());
        Ok(self.finish(stack))
    }
}

/// One slot per key in the reverse of the script's order, `quorum` of them filled, from the top of the stack down.
fn slots(
    keys: &[XOnlyPublicKey],
    quorum: u32,
    signatures: &BTreeMap<XOnlyPublicKey, Signature>,
) -> Result<Vec<Vec<u8>>, BadSpend> {
    if signatures.keys().any(|key| !keys.contains(key)) {
        return Err(BadSpend::Stranger);
    }
    let need = usize::try_from(quorum).unwrap_or(usize::MAX);
    if signatures.len() < need {
        return Err(BadSpend::Quorum { have: signatures.len(), need: quorum });
    }
    let mut sorted = keys.to_vec();
    sorted.sort_unstable_by_key(XOnlyPublicKey::serialize);
    let mut left = need;
    let fill = |key: &XOnlyPublicKey| match signatures.get(key) {
        Some(signature) if left > 0 => {
            left -= 1;
            signature.serialize().to_vec()
        }
        _ => Vec::new(),
    };
    Ok(sorted.iter().rev().map(fill).collect())
}

/// What an input did to an output of a stake, told by its witness.
///
/// `None` when the input does not spend this outpoint, or by no path of the tree.
pub fn leaf_spent(transaction: &Transaction, outpoint: OutPoint, tree: &Tree) -> Option<Leaf> {
    let input = transaction.input.iter().find(|input| input.previous_output == outpoint)?;
    tree.leaf_of(input.witness.taproot_leaf_script()?.script)
}
