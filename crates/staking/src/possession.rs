//! Proofs that a Bitcoin key and an account of the control plane belong together.

use crate::message::Bip322Signature;
use bitcoin::absolute::LockTime;
use bitcoin::address::{Address, NetworkUnchecked};
use bitcoin::bech32;
use bitcoin::consensus::Decodable as _;
use bitcoin::hashes::{Hash as _, HashEngine as _, sha256, sha256t_hash_newtype};
use bitcoin::opcodes::OP_0;
use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::script::{Builder, Script, ScriptBuf};
use bitcoin::sighash::{EcdsaSighashType, Prevouts, SighashCache, TapSighashType};
use bitcoin::sign_message::{MessageSignature, signed_msg_hash};
use bitcoin::transaction::Version;
use bitcoin::{Amount, CompressedPublicKey, OutPoint, Sequence, Transaction, TxIn, TxOut, Witness, XOnlyPublicKey};
use prost::Message as _;
use secp256k1::schnorr::Signature;
use secp256k1::{Keypair, Message, SECP256K1, ecdsa};

sha256t_hash_newtype! {
    pub(crate) struct Bip322Tag = hash_str("BIP0322-signed-message");
    /// What a BIP322 signature commits to.
    #[hash_newtype(forward)]
    pub(crate) struct Bip322Hash(_);
}

/// An account of the control plane: bech32 of 20 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    text: String,
    bytes: [u8; 20],
}

/// How a proof is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// BIP340 over SHA256 of the account's 20 bytes.
    Bip340,
    /// BIP322 (simple) over the account's text, by the key's P2WPKH or BIP86 address.
    Bip322,
    /// Bitcoin's signed message over the account's text.
    Ecdsa,
}

/// Why nothing is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotProved {
    /// No account of that network.
    #[error("no account")]
    Account,
    /// The proof cannot be read, or is of a form that the control plane refuses.
    #[error("the proof has a wrong form")]
    Form,
    /// The address is not one of the key.
    #[error("the address is not one of the key")]
    Address,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
}

impl Account {
    /// Reads an account with this prefix, such as `bbn`.
    pub fn parse(text: &str, prefix: &str) -> Result<Account, NotProved> {
        let (hrp, bytes) = bech32::decode(text).map_err(|_| NotProved::Account)?;
        let bytes = <[u8; 20]>::try_from(bytes).map_err(|_| NotProved::Account)?;
        let canonical = bech32::encode::<bech32::Bech32>(hrp, &bytes).map_err(|_| NotProved::Account)?;
        if hrp.as_str() == prefix && canonical == text { Ok(Account { text: canonical, bytes }) } else { Err(NotProved::Account) }
    }

    /// The account of a compressed public key: RIPEMD160 of its SHA256.
    pub fn of_key(key: &secp256k1::PublicKey, prefix: &str) -> Result<Account, NotProved> {
        let bytes = bitcoin::hashes::hash160::Hash::hash(&key.serialize()).to_byte_array();
        let hrp = bech32::Hrp::parse(prefix).map_err(|_| NotProved::Account)?;
        let text = bech32::encode::<bech32::Bech32>(hrp, &bytes).map_err(|_| NotProved::Account)?;
        Ok(Account { text, bytes })
    }

    /// The account as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its 20 bytes.
    pub fn bytes(&self) -> &[u8; 20] {
        &self.bytes
    }

    /// What the staker's key signs to prove possession in the simplest form.
    pub fn bip340_digest(&self) -> [u8; 32] {
        sha256::Hash::hash(&self.bytes).to_byte_array()
    }

    /// The simplest proof, by whoever holds the key. `aux` are 32 fresh random bytes.
    pub fn prove(&self, pair: &Keypair, aux: &[u8; 32]) -> Signature {
        SECP256K1.sign_schnorr_with_aux_rand(&Message::from_digest(self.bip340_digest()), pair, aux)
    }

    /// Checks a proof of any kind, as strictly as the control plane.
    pub fn verify(&self, key: &XOnlyPublicKey, kind: Kind, proof: &[u8]) -> Result<(), NotProved> {
        match kind {
            Kind::Bip340 => {
                let signature = Signature::from_slice(proof).map_err(|_| NotProved::Form)?;
                let digest = Message::from_digest(self.bip340_digest());
                SECP256K1.verify_schnorr(&signature, &digest, key).map_err(|_| NotProved::Signature)
            }
            Kind::Bip322 => self.verify_bip322(key, proof),
            Kind::Ecdsa => {
                let signature = MessageSignature::from_slice(proof).map_err(|_| NotProved::Form)?;
                let mut low = signature.signature.to_standard();
                low.normalize_s();
                if !signature.compressed || low != signature.signature.to_standard() {
                    return Err(NotProved::Form);
                }
                let signer =
                    signature.recover_pubkey(SECP256K1, signed_msg_hash(&self.text)).map_err(|_| NotProved::Signature)?;
                if signer.inner.x_only_public_key().0 == *key { Ok(()) } else { Err(NotProved::Signature) }
            }
        }
    }

    fn verify_bip322(&self, key: &XOnlyPublicKey, proof: &[u8]) -> Result<(), NotProved> {
        let proof = Bip322Signature::decode(proof).map_err(|_| NotProved::Form)?;
        let address: Address<NetworkUnchecked> = proof.address.parse().map_err(|_| NotProved::Address)?;
        let script = address.assume_checked().script_pubkey();
        let witness = read_witness(&proof.sig).ok_or(NotProved::Form)?;
        if script.is_p2tr() && script != ScriptBuf::new_p2tr(SECP256K1, *key, None) {
            return Err(NotProved::Address);
        }
        if script.is_p2wpkh() {
            let signer = witness.nth(1).and_then(|bytes| CompressedPublicKey::from_slice(bytes).ok()).ok_or(NotProved::Form)?;
            if signer.0.x_only_public_key().0 != *key {
                return Err(NotProved::Address);
            }
        }
        verify_bip322(&script, self.text.as_bytes(), &witness)
    }
}

fn read_witness(mut bytes: &[u8]) -> Option<Witness> {
    let witness = Witness::consensus_decode(&mut bytes).ok()?;
    bytes.is_empty().then_some(witness)
}

/// Checks a simple BIP322 signature by a P2WPKH address or the key path of a P2TR one, with the whole transaction signed.
pub fn verify_bip322(script: &Script, message: &[u8], witness: &Witness) -> Result<(), NotProved> {
    let (_, to_sign) = bip322_transactions(script, message);
    let items: Vec<&[u8]> = witness.iter().collect();
    match items[..] {
        [signature, key] if script.is_p2wpkh() => {
            let key = CompressedPublicKey::from_slice(key).map_err(|_| NotProved::Form)?;
            if *script != ScriptBuf::new_p2wpkh(&key.wpubkey_hash()) {
                return Err(NotProved::Address);
            }
            let [der @ .., flag] = signature else { return Err(NotProved::Form) };
            if u32::from(*flag) != EcdsaSighashType::All.to_u32() {
                return Err(NotProved::Form);
            }
            let signature = ecdsa::Signature::from_der(der).map_err(|_| NotProved::Form)?;
            let digest = SighashCache::new(&to_sign).p2wpkh_signature_hash(0, script, Amount::ZERO, EcdsaSighashType::All);
            let digest = Message::from_digest(digest.map_err(|_| NotProved::Form)?.to_byte_array());
            SECP256K1.verify_ecdsa(&digest, &signature, &key.0).map_err(|_| NotProved::Signature)
        }
        [signature] if script.is_p2tr() => {
            let key = XOnlyPublicKey::from_slice(&script.as_bytes()[2..]).map_err(|_| NotProved::Address)?;
            let (signature, kind) = match signature {
                [signature @ .., 1] if signature.len() == 64 => (signature, TapSighashType::All),
                signature if signature.len() == 64 => (signature, TapSighashType::Default),
                _ => return Err(NotProved::Form),
            };
            let signature = Signature::from_slice(signature).map_err(|_| NotProved::Form)?;
            let spent = [TxOut { value: Amount::ZERO, script_pubkey: script.to_owned() }];
            let digest = SighashCache::new(&to_sign).taproot_key_spend_signature_hash(0, &Prevouts::All(&spent), kind);
            let digest = Message::from_digest(digest.map_err(|_| NotProved::Form)?.to_byte_array());
            SECP256K1.verify_schnorr(&signature, &digest, &key).map_err(|_| NotProved::Signature)
        }
        _ => Err(NotProved::Form),
    }
}

/// The hash of a message that BIP322 commits to.
pub fn bip322_hash(message: &[u8]) -> [u8; 32] {
    let mut engine = Bip322Hash::engine();
    engine.input(message);
    Bip322Hash::from_engine(engine).to_byte_array()
}

/// BIP322's two virtual transactions: the one whose output is spent, and the one that is signed.
pub fn bip322_transactions(script: &Script, message: &[u8]) -> (Transaction, Transaction) {
    let input =
        |previous_output, script_sig| TxIn { previous_output, script_sig, sequence: Sequence::ZERO, witness: Witness::new() };
    let transaction = |input: TxIn, script_pubkey| Transaction {
        version: Version(0),
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![TxOut { value: Amount::ZERO, script_pubkey }],
    };
    let commitment = Builder::new().push_opcode(OP_0).push_slice(bip322_hash(message)).into_script();
    let to_spend = transaction(input(OutPoint::null(), commitment), script.to_owned());
    let spent = OutPoint { txid: to_spend.compute_txid(), vout: 0 };
    let to_sign = transaction(input(spent, ScriptBuf::new()), Builder::new().push_opcode(OP_RETURN).into_script());
    (to_spend, to_sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{bytes, key, load};
    use bitcoin::base64::Engine as _;
    use bitcoin::base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;

    fn kind(number: &serde_json::Value) -> Kind {
        match number.as_u64() {
            Some(0) => Kind::Bip340,
            Some(1) => Kind::Bip322,
            Some(2) => Kind::Ecdsa,
            other => panic!("no kind {other:?}"),
        }
    }

    #[test]
    fn proofs_are_accepted_and_refused_as_recorded() {
        for case in load("pop.json")["cases"].as_array().expect("cases") {
            let account = Account::parse(case["staker_addr"].as_str().expect("text"), "bbn");
            let verified = account
                .and_then(|account| account.verify(&key(&case["btc_pk"]), kind(&case["btc_sig_type"]), &bytes(&case["btc_sig"])));
            assert_eq!(verified.is_ok(), case["valid"], "{}: {verified:?}", case["name"]);
        }
    }

    #[test]
    fn bip322_transactions_and_signatures_are_those_of_the_vectors() {
        for case in load("pop.json")["bip322_hashing"].as_array().expect("cases") {
            let message = case["message"].as_str().map_or_else(|| bytes(&case["message_hex"]), |text| text.as_bytes().to_vec());
            let address: Address<NetworkUnchecked> = case["address"].as_str().expect("text").parse().expect("an address");
            let script = address.assume_checked().script_pubkey();
            if let Some(hash) = case.get("message_hash") {
                assert_eq!(bip322_hash(&message).to_vec(), bytes(hash));
                let (to_spend, to_sign) = bip322_transactions(&script, &message);
                assert_eq!(to_spend.compute_txid().to_string(), case["to_spend_txid"].as_str().expect("text"));
                assert_eq!(to_sign.compute_txid().to_string(), case["to_sign_txid"].as_str().expect("text"));
            }
            if let Some(signature) = case["signature_base64"].as_str() {
                let witness = read_witness(&BASE64_STANDARD.decode(signature).expect("base64")).expect("a witness");
                assert_eq!(verify_bip322(&script, &message, &witness), Ok(()));
                assert_eq!(verify_bip322(&script, b"another", &witness), Err(NotProved::Signature));
            }
        }
    }

    proptest! {
        #![proptest_config(crate::testing::cases(32))]

        #[test]
        fn a_proof_of_ours_is_accepted_for_its_account_only(seed in any::<u64>(), aux in any::<[u8; 32]>()) {
            let [pair, other]: [Keypair; 2] = crate::testing::pairs(seed, 2).try_into().expect("two");
            let account = Account::of_key(&pair.public_key(), "bbn").expect("an account");
            prop_assert_eq!(Account::parse(account.as_str(), "bbn"), Ok(account.clone()));
            prop_assert_eq!(Account::parse(account.as_str(), "cosmos"), Err(NotProved::Account));
            let (key, proof) = (pair.x_only_public_key().0, account.prove(&pair, &aux).serialize());
            prop_assert_eq!(account.verify(&key, Kind::Bip340, &proof), Ok(()));
            let another = Account::of_key(&other.public_key(), "bbn").expect("an account");
            prop_assert_eq!(another.verify(&key, Kind::Bip340, &proof), Err(NotProved::Signature));
        }

        #[test]
        fn any_proof_is_read_without_harm(proof in any::<Vec<u8>>(), seed in any::<u64>()) {
            let pair = &crate::testing::pairs(seed, 1)[0];
            let account = Account::of_key(&pair.public_key(), "bbn").expect("an account");
            for kind in [Kind::Bip340, Kind::Bip322, Kind::Ecdsa] {
                prop_assert!(account.verify(&pair.x_only_public_key().0, kind, &proof).is_err());
            }
        }
    }
}
