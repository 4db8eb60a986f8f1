//! `Checked -> Signed`, and nothing else signs.

use crate::check::{Checked, OwnInput, bitcoin_prevouts, sidechain_prevout};
use crate::derive::{Account, account_key, master};
use crate::secret::Seed;
use bitcoin::bip32::{self, DerivationPath, Xpriv};
use bitcoin::hashes::Hash as _;
use bitcoin::key::{Keypair, TapTweak as _, TweakedPublicKey};
use bitcoin::secp256k1::{All, Message, Secp256k1, SecretKey, schnorr};
use bitcoin::sighash::{EcdsaSighashType, Prevouts, SighashCache, TapSighashType};
use bitcoin::{NetworkKind, Psbt, Transaction, Witness, ecdsa, taproot};
use causeway_vocab::{Code, Draft, Realm, Refusal, SidechainDraft, Signed};
use rand::{CryptoRng, RngCore};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The private master key of one wallet. Made from an opened vault, wiped when dropped.
pub struct SigningKeys {
    master: Xpriv,
}

impl SigningKeys {
    /// The keys of `seed` for the chains of `realm`. Refused with `BadWords` for a seed that BIP32 forbids.
    pub fn new(seed: &Seed, realm: &Realm) -> Result<SigningKeys, Refusal> {
        master(seed, NetworkKind::from(realm.bitcoin.network)).map(|master| SigningKeys { master })
    }

    pub(crate) fn network(&self) -> NetworkKind {
        self.master.network
    }

    /// The private key at a full path. The caller wipes it.
    pub(crate) fn at(&self, path: &DerivationPath) -> Result<SecretKey, bip32::Error> {
        let mut derived = self.master.derive_priv(&Secp256k1::signing_only(), path)?;
        let key = derived.private_key;
        derived.private_key.non_secure_erase();
        Ok(key)
    }

    fn accounts<'k>(&'k self, secp: &'k Secp256k1<All>) -> AccountKeys<'k> {
        AccountKeys { master: &self.master, secp, made: BTreeMap::new() }
    }
}

impl Drop for SigningKeys {
    fn drop(&mut self) {
        self.master.private_key.non_secure_erase();
    }
}

/// The account keys that one signing needs, each derived once.
struct AccountKeys<'k> {
    master: &'k Xpriv,
    secp: &'k Secp256k1<All>,
    made: BTreeMap<Account, Xpriv>,
}

impl AccountKeys<'_> {
    fn key(&mut self, own: &OwnInput) -> Result<Erased, Refusal> {
        let (of, path) = own.key.as_ref().ok_or(Code::WatchOnly)?;
        let account = match self.made.entry(*of) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(place) => place.insert(account_key(self.master, *of, self.secp)?),
        };
        // The path was checked to begin with the account's; deriving from the account keeps that true here too.
        let skipped = of.path(self.master.network).len();
        let tail: &[bitcoin::bip32::ChildNumber] = path.as_ref();
        let derived = account.derive_priv(self.secp, &&tail[skipped..]);
        let mut derived = derived.map_err(|_| Refusal::new(Code::BadWords))?;
        let key = Erased(derived.private_key);
        derived.private_key.non_secure_erase();
        Ok(key)
    }
}

impl Drop for AccountKeys<'_> {
    fn drop(&mut self) {
        self.made.values_mut().for_each(|account| account.private_key.non_secure_erase());
    }
}

/// A private key that is overwritten when dropped.
struct Erased(SecretKey);

impl Drop for Erased {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

/// Signs every input of this wallet, verifies each of its own signatures, and finishes the transaction.
///
/// ECDSA nonces are deterministic (RFC 6979, low R); `rng` is the auxiliary randomness of Schnorr signatures (BIP340). Refused with
/// `NothingToSign` (`input`) when an input of somebody else is not signed yet; see [`sign_partly`]. Refused with `BadWords` when the keys are of another
/// wallet.
pub fn sign(checked: Checked, keys: &SigningKeys, rng: &mut (impl RngCore + CryptoRng)) -> Result<Signed, Refusal> {
    match sign_partly(checked, keys, rng)? {
        Draft::Bitcoin(psbt) => finish_bitcoin(psbt).map(Signed::Bitcoin),
        Draft::Sidechain(draft) => finish_sidechain(&draft).map(Signed::Sidechain),
    }
}

/// Adds this wallet's signatures to a draft that others sign too. Its inputs come back finalized.
pub fn sign_partly(checked: Checked, keys: &SigningKeys, rng: &mut (impl RngCore + CryptoRng)) -> Result<Draft, Refusal> {
    let Checked { draft, own, .. } = checked;
    match draft {
        Draft::Bitcoin(psbt) => sign_bitcoin(psbt, &own, keys, rng).map(Draft::Bitcoin),
        Draft::Sidechain(draft) => sign_sidechain(draft, &own, keys).map(Draft::Sidechain),
    }
}

fn wrong_keys() -> Refusal {
    Code::BadWords.into()
}

fn sign_bitcoin(
    mut psbt: Psbt,
    own: &[OwnInput],
    keys: &SigningKeys,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Psbt, Refusal> {
    let secp = Secp256k1::new();
    let prevouts = bitcoin_prevouts(&psbt)?;
    let unsigned = psbt.unsigned_tx.clone();
    let mut cache = SighashCache::new(&unsigned);
    let mut accounts = keys.accounts(&secp);
    for own in own {
        let key = accounts.key(own)?;
        let (input, prevout) = (&mut psbt.inputs[own.vin], &prevouts[own.vin]);
        let bad = |_| Refusal::new(Code::BadDraft).with("input", own.vin);
        let witness = if prevout.script_pubkey.is_p2tr() {
            let kind = match input.sighash_type {
                None => TapSighashType::Default,
                Some(kind) => kind.taproot_hash_ty().map_err(|_| Refusal::new(Code::BadDraft).with("input", own.vin))?,
            };
            let hash = cache.taproot_key_spend_signature_hash(own.vin, &Prevouts::All(&prevouts), kind);
            let message = Message::from_digest(hash.map_err(|_| Refusal::new(Code::BadDraft))?.to_byte_array());
            let mut aux = [0; 32];
            rng.fill_bytes(&mut aux);
            let (signature, output_key) = key_spend(&secp, &key.0, &message, &aux);
            let script = bitcoin::ScriptBuf::new_p2tr_tweaked(output_key);
            if script != prevout.script_pubkey
                || secp.verify_schnorr(&signature, &message, &output_key.to_x_only_public_key()).is_err()
            {
                return Err(wrong_keys());
            }
            Witness::p2tr_key_spend(&taproot::Signature { signature, sighash_type: kind })
        } else {
            let kind = EcdsaSighashType::All;
            let hash = cache.p2wpkh_signature_hash(own.vin, &prevout.script_pubkey, prevout.value, kind).map_err(bad)?;
            let message = Message::from_digest(hash.to_byte_array());
            let signature = secp.sign_ecdsa_low_r(&message, &key.0);
            let public = key.0.public_key(&secp);
            let script = bitcoin::ScriptBuf::new_p2wpkh(&bitcoin::CompressedPublicKey(public).wpubkey_hash());
            if script != prevout.script_pubkey || secp.verify_ecdsa(&message, &signature, &public).is_err() {
                return Err(wrong_keys());
            }
            Witness::p2wpkh(&ecdsa::Signature { signature, sighash_type: kind }, &public)
        };
        input.final_script_witness = Some(witness);
        input.partial_sigs.clear();
        input.tap_key_sig = None;
    }
    Ok(psbt)
}

/// BIP86: the key alone, tweaked with no script tree. Returns the signature and the key that it is of.
fn key_spend(
    secp: &Secp256k1<All>,
    key: &SecretKey,
    message: &Message,
    aux: &[u8; 32],
) -> (schnorr::Signature, TweakedPublicKey) {
    let pair = Keypair::from_secret_key(secp, key).tap_tweak(secp, None);
    let signature = secp.sign_schnorr_with_aux_rand(message, &pair.to_keypair(), aux);
    (signature, TweakedPublicKey::from_keypair(pair))
}

fn finish_bitcoin(psbt: Psbt) -> Result<Transaction, Refusal> {
    let mut tx = psbt.unsigned_tx;
    for (vin, (txin, input)) in tx.input.iter_mut().zip(psbt.inputs).enumerate() {
        if input.final_script_witness.is_none() && input.final_script_sig.is_none() {
            return Err(Refusal::new(Code::NothingToSign).with("input", vin));
        }
        txin.witness = input.final_script_witness.unwrap_or_default();
        txin.script_sig = input.final_script_sig.unwrap_or_default();
    }
    Ok(tx)
}

fn sign_sidechain(mut draft: Box<SidechainDraft>, own: &[OwnInput], keys: &SigningKeys) -> Result<Box<SidechainDraft>, Refusal> {
    let secp = Secp256k1::new();
    let tx = draft.pset.extract_tx().map_err(|_| Refusal::new(Code::BadDraft))?;
    let mut cache = elements::sighash::SighashCache::new(&tx);
    let mut accounts = keys.accounts(&secp);
    for own in own {
        let key = accounts.key(own)?;
        let public = key.0.public_key(&secp);
        let spent = sidechain_prevout(&draft.pset.inputs()[own.vin]).ok_or_else(|| Refusal::new(Code::BadDraft))?;
        let hash = bitcoin::CompressedPublicKey(public).wpubkey_hash();
        if spent.script_pubkey.as_bytes() != bitcoin::ScriptBuf::new_p2wpkh(&hash).as_bytes() {
            return Err(wrong_keys());
        }
        let kind = match own.offer {
            true => elements::EcdsaSighashType::SinglePlusAnyoneCanPay,
            false => elements::EcdsaSighashType::All,
        };
        let message = sidechain_message(&mut cache, own.vin, &hash, spent.value, kind);
        let signature = secp.sign_ecdsa_low_r(&message, &key.0);
        if secp.verify_ecdsa(&message, &signature, &public).is_err() {
            return Err(wrong_keys());
        }
        let mut typed = signature.serialize_der().to_vec();
        typed.push(kind.as_u32() as u8);
        let input = &mut draft.pset.inputs_mut()[own.vin];
        input.final_script_witness = Some(elements::Witness::from_slice(&[typed, public.serialize().to_vec()]));
        input.partial_sigs.clear();
    }
    Ok(draft)
}

/// What a signature over a witness key hash signs: BIP143 with Elements' value field; for a peg-in, the claimed value.
fn sidechain_message(
    cache: &mut elements::sighash::SighashCache<&elements::Transaction>,
    vin: usize,
    hash: &bitcoin::WPubkeyHash,
    value: elements::confidential::Value,
    kind: elements::EcdsaSighashType,
) -> Message {
    // The script code of a witness key hash is that of the same hash as P2PKH.
    let script_code = elements::Script::from(bitcoin::ScriptBuf::new_p2pkh(&hash.to_raw_hash().into()).into_bytes());
    let digest = cache.segwitv0_sighash(vin, &script_code, value, kind);
    Message::from_digest(digest.to_byte_array())
}

fn finish_sidechain(draft: &SidechainDraft) -> Result<elements::Transaction, Refusal> {
    for (vin, input) in draft.pset.inputs().iter().enumerate() {
        if input.final_script_witness.is_none() && input.final_script_sig.is_none() {
            return Err(Refusal::new(Code::NothingToSign).with("input", vin));
        }
    }
    draft.pset.extract_tx().map_err(|_| Code::BadDraft.into())
}

#[cfg(test)]
mod tests;
