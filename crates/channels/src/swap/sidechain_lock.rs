//! The lock on the sidechain.

use crate::swap::{Leg, Preimage, Spend};
use crate::taproot::NUMS;
use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::key::Keypair;
use causeway_vocab::{Atoms, Code, Opening, Refusal};
use elements::confidential::{Asset, AssetBlindingFactor, Nonce, Value, ValueBlindingFactor};
use elements::opcodes::all::{OP_CHECKSIG, OP_CHECKSIGVERIFY, OP_CLTV, OP_EQUALVERIFY, OP_SHA256, OP_SIZE};
use elements::sighash::{Prevouts, SighashCache};
use elements::taproot::{LeafVersion, TapLeafHash, TaprootBuilder, TaprootSpendInfo};
use elements::{
    AssetId, BlockHash, LockTime, OutPoint, SchnorrSighashType, Script, Sequence, Transaction, TxIn, TxOut, TxOutSecrets,
    TxOutWitness, script,
};
use rand::{CryptoRng, RngCore};
use secp256k1_zkp::{Message, PublicKey, SECP256K1, SecretKey, XOnlyPublicKey};

/// A hash-time-locked output of the sidechain.
#[derive(Clone, PartialEq, Eq)]
pub struct SidechainLock {
    /// Takes it with the preimage.
    pub claimer: XOnlyPublicKey,
    /// Takes it back after the expiry.
    pub refunder: XOnlyPublicKey,
    /// Of the preimage.
    pub hash: sha256::Hash,
    /// Amount and expiry.
    pub leg: Leg,
    /// What is locked; also pays the fees.
    pub asset: AssetId,
    /// Goes into signatures.
    pub genesis: BlockHash,
    /// Opens the amount; known to both.
    pub blinding: SecretKey,
}

/// Where a spend of a lock pays to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The script.
    pub script: Script,
    /// The receiver's blinding key; `None` leaves the amount open for all to see, which only an explicit lock allows.
    pub blinding: Option<PublicKey>,
}

impl SidechainLock {
    fn claim_leaf(&self) -> Script {
        script::Builder::new()
            .push_opcode(OP_SIZE)
            .push_int(32)
            .push_opcode(OP_EQUALVERIFY)
            .push_opcode(OP_SHA256)
            .push_slice(self.hash.as_byte_array())
            .push_opcode(OP_EQUALVERIFY)
            .push_slice(&self.claimer.serialize())
            .push_opcode(OP_CHECKSIG)
            .into_script()
    }

    fn refund_leaf(&self) -> Script {
        script::Builder::new()
            .push_slice(&self.refunder.serialize())
            .push_opcode(OP_CHECKSIGVERIFY)
            .push_int(self.leg.expiry.into())
            .push_opcode(OP_CLTV)
            .into_script()
    }

    fn tree(&self) -> TaprootSpendInfo {
        let internal = XOnlyPublicKey::from_slice(&NUMS).expect("BUG: the point of BIP341 is a point");
        let tree = TaprootBuilder::new().add_leaf(1, self.claim_leaf()).and_then(|tree| tree.add_leaf(1, self.refund_leaf()));
        tree.expect("BUG: two leaves of depth 1 make a tree").finalize(SECP256K1, internal).expect("BUG: the tree is complete")
    }

    /// The script that locks the coin.
    pub fn script_pubkey(&self) -> Script {
        Script::new_v1_p2tr_tweaked(self.tree().output_key())
    }

    /// The blinding key of the lock, for an address that any wallet can pay to.
    pub fn blinding_pubkey(&self) -> PublicKey {
        self.blinding.public_key(SECP256K1)
    }

    /// What an output of the lock's script opens to, blinded to the shared key or explicit. `None` for another script, asset or amount.
    ///
    /// Believes the chain that the commitments are those of the range proof.
    pub fn open(&self, output: &TxOut) -> Option<Opening> {
        if output.script_pubkey != self.script_pubkey() {
            return None;
        }
        let opening = match (output.asset, output.value) {
            (Asset::Explicit(asset), Value::Explicit(value)) => {
                Opening { asset, asset_bf: AssetBlindingFactor::zero(), value, value_bf: ValueBlindingFactor::zero() }
            }
            _ => {
                let secrets = output.unblind(SECP256K1, self.blinding).ok()?;
                Opening { asset: secrets.asset, asset_bf: secrets.asset_bf, value: secrets.value, value_bf: secrets.value_bf }
            }
        };
        (opening.asset == self.asset && opening.value == self.leg.amount.0).then_some(opening)
    }

    /// Finds the lock among the outputs of a transaction: right script, asset and amount.
    pub fn find(&self, tx: &Transaction) -> Option<OutPoint> {
        let vout = tx.output.iter().position(|output| self.open(output).is_some())?;
        Some(OutPoint { txid: tx.txid(), vout: u32::try_from(vout).ok()? })
    }

    /// How a transaction of the chain opened the lock; `None` when it does not spend it.
    pub fn opened_by(&self, coin: OutPoint, tx: &Transaction) -> Option<Spend> {
        let input = tx.input.iter().find(|input| input.previous_output == coin)?;
        let shown = input.witness.script_witness.iter().filter_map(|item| item.try_into().ok().map(Preimage));
        Some(shown.into_iter().find(|shown| shown.hash() == self.hash).map_or(Spend::Refunded, Spend::Claimed))
    }

    /// The signed claim of an output that [opens](SidechainLock::open).
    ///
    /// Blinding is random: save the transaction before it is broadcast and never build a second one without need. Refused with
    /// `InsufficientFee` when the fee leaves nothing, with `CoinUnavailable` when the output is not the lock and with `ExplicitAddress` when a
    /// blinded lock is to be paid to a destination without blinding key.
    ///
    /// # Panics
    /// When the preimage or the key is not that of the lock.
    pub fn claim(
        &self,
        coin: (OutPoint, &TxOut),
        preimage: &Preimage,
        to: &Destination,
        fee: Atoms,
        key: &Keypair,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Transaction, Refusal> {
        assert_eq!(preimage.hash(), self.hash, "BUG: another swap's preimage");
        assert_eq!(key.x_only_public_key().0, self.claimer, "BUG: another swap's key");
        self.spend(coin, LockTime::ZERO, to, fee, (self.claim_leaf(), Some(preimage)), key, rng)
    }

    /// The signed refund, final in blocks above the expiry. Random and refused as the claim is.
    ///
    /// # Panics
    /// When the key is not that of the lock.
    pub fn refund(
        &self,
        coin: (OutPoint, &TxOut),
        to: &Destination,
        fee: Atoms,
        key: &Keypair,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Transaction, Refusal> {
        assert_eq!(key.x_only_public_key().0, self.refunder, "BUG: another swap's key");
        let lock_time = LockTime::from_height(self.leg.expiry).expect("BUG: checked with the offer");
        self.spend(coin, lock_time, to, fee, (self.refund_leaf(), None), key, rng)
    }

    #[allow(clippy::too_many_arguments)]
    fn spend(
        &self,
        (coin, spent): (OutPoint, &TxOut),
        lock_time: LockTime,
        to: &Destination,
        fee: Atoms,
        (leaf, preimage): (Script, Option<&Preimage>),
        key: &Keypair,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Transaction, Refusal> {
        let opening = self.open(spent).ok_or_else(|| Refusal::new(Code::CoinUnavailable).with("outpoint", coin))?;
        let short = || Refusal::new(Code::InsufficientFee).with("needed", fee).with("available", self.leg.amount);
        let value = self.leg.amount.checked_sub(fee).filter(|rest| rest.0 > 0 && fee.0 > 0).ok_or_else(short)?;
        let plain = |value, script_pubkey| TxOut {
            asset: Asset::Explicit(self.asset),
            value: Value::Explicit(value),
            nonce: Nonce::Null,
            script_pubkey,
            witness: TxOutWitness::default(),
        };
        let received = match to.blinding {
            // Openings must balance: what comes in blinded cannot all go out open.
            None if opening.value_bf != ValueBlindingFactor::zero() => return Err(Code::ExplicitAddress.into()),
            None => plain(value.0, to.script.clone()),
            Some(receiver) => {
                let input = TxOutSecrets::new(opening.asset, opening.asset_bf, opening.value, opening.value_bf);
                let fee = TxOutSecrets::new(self.asset, AssetBlindingFactor::zero(), fee.0, ValueBlindingFactor::zero());
                let script = to.script.clone();
                TxOut::new_last_confidential(rng, SECP256K1, value.0, self.asset, script, receiver, &[input], &[&fee])
                    .expect("BUG: an opened coin can be blinded again")
                    .0
            }
        };
        let input = TxIn { previous_output: coin, sequence: Sequence::ENABLE_RBF_NO_LOCKTIME, ..TxIn::default() };
        let mut tx =
            Transaction { version: 2, lock_time, input: vec![input], output: vec![received, plain(fee.0, Script::new())] };
        let hash = TapLeafHash::from_script(&leaf, LeafVersion::TAPSCRIPT);
        let hash = SighashCache::new(&tx)
            .taproot_script_spend_signature_hash(0, &Prevouts::All(&[spent]), hash, SchnorrSighashType::Default, self.genesis)
            .expect("BUG: the transaction has one input and its coin is given");
        let message = Message::from_digest(hash.to_byte_array());
        let signature = crate::taproot::sign(&message, key);
        let control = self.tree().control_block(&(leaf.clone(), LeafVersion::TAPSCRIPT)).expect("BUG: the leaf is in the tree");
        let mut witness = vec![signature.as_ref().to_vec()];
        witness.extend(preimage.map(|preimage| preimage.0.to_vec()));
        witness.extend([leaf.into_bytes(), control.serialize()]);
        tx.input[0].witness.script_witness = witness.into();
        Ok(tx)
    }
}
