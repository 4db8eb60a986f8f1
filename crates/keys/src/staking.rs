//! Keys of Bitcoin staking, on branches of their own: stakers on account 1 of BIP86, the control plane's account on coin type 118 (BIP44).
//!
//! Nothing here signs a digest that somebody else computed: what a signature is over is recomputed from what is signed.

use crate::sign::SigningKeys;
use bitcoin::bip32::{ChildNumber, DerivationPath};
use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::key::Keypair;
use bitcoin::opcodes::all::OP_CHECKSIGVERIFY;
use bitcoin::script::Builder;
use bitcoin::secp256k1::{Message, PublicKey, SECP256K1, SecretKey, XOnlyPublicKey, schnorr};
use bitcoin::sighash::{Prevouts, SighashCache, TapSighashType};
use bitcoin::taproot::{LeafVersion, TapLeafHash};
use bitcoin::{NetworkKind, Psbt, TxOut};
use causeway_vocab::{Code, Refusal};
use rand::{CryptoRng, RngCore};

fn path(steps: [(u32, bool); 5]) -> Result<DerivationPath, Refusal> {
    let child = |(index, hardened): (u32, bool)| match hardened {
        true => ChildNumber::from_hardened_idx(index),
        false => ChildNumber::from_normal_idx(index),
    };
    let steps: Result<Vec<_>, _> = steps.into_iter().map(child).collect();
    steps.map(DerivationPath::from).map_err(|_| Refusal::new(Code::BadRequest).with("field", "index"))
}

/// A key pair that is overwritten when dropped.
struct Erased(Keypair);

impl Drop for Erased {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

impl SigningKeys {
    fn pair(&self, path: &DerivationPath) -> Result<Erased, Refusal> {
        let mut key: SecretKey = self.at(path).map_err(|_| Refusal::new(Code::BadWords))?;
        let pair = Erased(Keypair::from_secret_key(SECP256K1, &key));
        key.non_secure_erase();
        Ok(pair)
    }

    /// `86h/0h/1h/0/index`, coin type 1 on test networks.
    fn staker_pair(&self, index: u32) -> Result<Erased, Refusal> {
        let coin = match self.network() {
            NetworkKind::Main => 0,
            NetworkKind::Test => 1,
        };
        self.pair(&path([(86, true), (coin, true), (1, true), (0, false), (index, false)])?)
    }

    /// `44h/118h/0h/0/0`.
    fn account_pair(&self) -> Result<Erased, Refusal> {
        self.pair(&path([(44, true), (118, true), (0, true), (0, false), (0, false)])?)
    }

    /// Public key of a staker.
    pub fn staker(&self, index: u32) -> Result<XOnlyPublicKey, Refusal> {
        Ok(self.staker_pair(index)?.0.x_only_public_key().0)
    }

    /// Public key of the account of the control plane.
    pub fn staking_account(&self) -> Result<PublicKey, Refusal> {
        Ok(self.account_pair()?.0.public_key())
    }

    /// Signs the one input of a PSBT by a leaf that asks for this staker first.
    ///
    /// The leaf must belong to the spent output and must begin with the staker's own key. Refused with `BadDraft` when it does not, or when there
    /// is any other input: an output of a stake is always spent alone.
    pub fn sign_staked(
        &self,
        index: u32,
        psbt: &Psbt,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<schnorr::Signature, Refusal> {
        let pair = self.staker_pair(index)?;
        let own = pair.0.x_only_public_key().0;
        let bad = || Refusal::new(Code::BadDraft);
        let ([input], [_]) = (&psbt.inputs[..], &psbt.unsigned_tx.input[..]) else { return Err(bad()) };
        let prevout: &TxOut = input.witness_utxo.as_ref().ok_or_else(bad)?;
        let mut leaves = input.tap_scripts.iter();
        let (Some((control, (script, LeafVersion::TapScript))), None) = (leaves.next(), leaves.next()) else { return Err(bad()) };
        let output_key = match prevout.script_pubkey.as_bytes() {
            [0x51, 0x20, key @ ..] => XOnlyPublicKey::from_slice(key).map_err(|_| bad())?,
            _ => return Err(bad()),
        };
        let begins = Builder::new().push_x_only_key(&own).push_opcode(OP_CHECKSIGVERIFY).into_script();
        if !control.verify_taproot_commitment(SECP256K1, output_key, script) || !script.as_bytes().starts_with(begins.as_bytes())
        {
            return Err(bad());
        }
        let leaf = TapLeafHash::from_script(script, LeafVersion::TapScript);
        let hash = SighashCache::new(&psbt.unsigned_tx)
            .taproot_script_spend_signature_hash(0, &Prevouts::All(&[prevout]), leaf, TapSighashType::Default)
            .map_err(|_| bad())?;
        let mut aux = [0; 32];
        rng.fill_bytes(&mut aux);
        Ok(SECP256K1.sign_schnorr_with_aux_rand(&Message::from_digest(hash.to_byte_array()), &pair.0, &aux))
    }

    /// Proves that a staker's key belongs to an account of the control plane: BIP340 over SHA256 of the account's 20 bytes. No transaction hashes
    /// to that without a preimage of SHA256d.
    pub fn prove_staker(
        &self,
        index: u32,
        account: &[u8; 20],
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<schnorr::Signature, Refusal> {
        let pair = self.staker_pair(index)?;
        let mut aux = [0; 32];
        rng.fill_bytes(&mut aux);
        let digest = Message::from_digest(sha256::Hash::hash(account).to_byte_array());
        Ok(SECP256K1.sign_schnorr_with_aux_rand(&digest, &pair.0, &aux))
    }

    /// Signs a transaction of the control plane, given as the document that is hashed: ECDSA, 64 bytes. The key guards nothing on Bitcoin.
    pub fn sign_document(&self, document: &[u8]) -> Result<[u8; 64], Refusal> {
        let pair = self.account_pair()?;
        let digest = Message::from_digest(sha256::Hash::hash(document).to_byte_array());
        let mut secret = pair.0.secret_key();
        let signature = SECP256K1.sign_ecdsa(&digest, &secret).serialize_compact();
        secret.non_secure_erase();
        Ok(signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use bitcoin::taproot::TaprootBuilder;
    use bitcoin::transaction::Version;
    use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, Witness, absolute::LockTime};
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    fn keys() -> SigningKeys {
        SigningKeys::new(&Seed::from_bytes([3; 64]), &crate::testing::realm()).expect("keys")
    }

    /// A PSBT that spends a leaf of an output whose only leaf is this script.
    fn spend(script: ScriptBuf) -> Psbt {
        let nobody = keys().staker(99).expect("a key");
        let info =
            TaprootBuilder::new().add_leaf(0, script.clone()).expect("a leaf").finalize(SECP256K1, nobody).expect("a tree");
        let output = TxOut { value: Amount::from_sat(50_000), script_pubkey: ScriptBuf::new_p2tr_tweaked(info.output_key()) };
        let input = TxIn {
            previous_output: OutPoint::null(),
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        };
        let to = vec![TxOut { value: Amount::from_sat(49_000), script_pubkey: ScriptBuf::new() }];
        let tx = Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input: vec![input], output: to };
        let mut psbt = Psbt::from_unsigned_tx(tx).expect("unsigned");
        let control = info.control_block(&(script.clone(), LeafVersion::TapScript)).expect("its leaf");
        psbt.inputs[0].witness_utxo = Some(output);
        psbt.inputs[0].tap_scripts.insert(control, (script, LeafVersion::TapScript));
        psbt
    }

    fn asks_for(key: XOnlyPublicKey) -> ScriptBuf {
        Builder::new().push_x_only_key(&key).push_opcode(OP_CHECKSIGVERIFY).push_int(1).into_script()
    }

    #[test]
    fn only_leaves_that_ask_for_the_staker_first_are_signed() {
        let (keys, rng) = (keys(), &mut StdRng::seed_from_u64(1));
        let own = keys.staker(4).expect("a key");
        let psbt = spend(asks_for(own));
        let signature = keys.sign_staked(4, &psbt, rng).expect("signed");
        let (script, _) = psbt.inputs[0].tap_scripts.values().next().expect("a leaf");
        let leaf = TapLeafHash::from_script(script, LeafVersion::TapScript);
        let prevouts = [psbt.inputs[0].witness_utxo.clone().expect("there")];
        let hash = SighashCache::new(&psbt.unsigned_tx)
            .taproot_script_spend_signature_hash(0, &Prevouts::All(&prevouts), leaf, TapSighashType::Default)
            .expect("a hash");
        assert!(SECP256K1.verify_schnorr(&signature, &Message::from_digest(hash.to_byte_array()), &own).is_ok());

        let refused =
            |index, psbt: &Psbt| keys.sign_staked(index, psbt, &mut StdRng::seed_from_u64(1)).expect_err("refused").code;
        assert_eq!(refused(5, &psbt), Code::BadDraft, "another staker's");
        let mut foreign = psbt.clone();
        // A script that the output does not commit to.
        let (control, _) = foreign.inputs[0].tap_scripts.pop_first().expect("a leaf");
        let other = Builder::new().push_x_only_key(&own).push_opcode(OP_CHECKSIGVERIFY).push_int(2).into_script();
        foreign.inputs[0].tap_scripts.insert(control, (other, LeafVersion::TapScript));
        assert_eq!(refused(4, &foreign), Code::BadDraft);
        let mut two = psbt.clone();
        two.unsigned_tx.input.push(two.unsigned_tx.input[0].clone());
        two.inputs.push(two.inputs[0].clone());
        assert_eq!(refused(4, &two), Code::BadDraft);
        assert_eq!(refused(4, &spend(ScriptBuf::from_bytes(vec![0x51]))), Code::BadDraft);
    }

    #[test]
    fn stakers_and_account_stand_on_branches_of_their_own() {
        let keys = keys();
        let at = |text: &str| {
            let path: DerivationPath = text.parse().expect("a path");
            keys.at(&path).expect("a key").public_key(SECP256K1)
        };
        assert_eq!(keys.staker(7).expect("a key"), at("86h/1h/1h/0/7").x_only_public_key().0);
        assert_eq!(keys.staking_account().expect("a key"), at("44h/118h/0h/0/0"));
        assert!(keys.staker(1 << 31).is_err());
        let account = [9; 20];
        let proof = keys.prove_staker(7, &account, &mut StdRng::seed_from_u64(2)).expect("signed");
        let digest = Message::from_digest(sha256::Hash::hash(&account).to_byte_array());
        assert!(SECP256K1.verify_schnorr(&proof, &digest, &keys.staker(7).expect("a key")).is_ok());
        let signature = bitcoin::secp256k1::ecdsa::Signature::from_compact(&keys.sign_document(b"document").expect("signed"));
        let digest = Message::from_digest(sha256::Hash::hash(b"document").to_byte_array());
        let key = keys.staking_account().expect("a key");
        assert!(SECP256K1.verify_ecdsa(&digest, &signature.expect("a signature"), &key).is_ok());
    }
}
