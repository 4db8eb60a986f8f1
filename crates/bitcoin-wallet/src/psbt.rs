//! PSBTs that leave the app and come back.

use bdk_wallet::miniscript::psbt::PsbtExt as _;
use bitcoin::hex::FromHex as _;
use bitcoin::secp256k1::Secp256k1;
use bitcoin::sighash::{EcdsaSighashType, TapSighashType};
use bitcoin::{Psbt, Transaction, Witness, ecdsa, psbt, taproot};
use causeway_vocab::{Code, Refusal};
use std::collections::BTreeMap;

/// Largest PSBT that is read, bytes.
pub const MAX_PSBT: usize = 4_000_000;

/// Reads a PSBT: binary, base64 or hex. Refused with `BadDraft`.
pub fn import(bytes: &[u8]) -> Result<Psbt, Refusal> {
    let bad = || Refusal::new(Code::BadDraft);
    if bytes.len() > MAX_PSBT {
        return Err(bad());
    }
    if bytes.starts_with(b"psbt\xff") {
        return Psbt::deserialize(bytes).map_err(|_| bad());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| bad())?.trim();
    match Vec::<u8>::from_hex(text) {
        Ok(raw) => Psbt::deserialize(&raw).map_err(|_| bad()),
        Err(_) => text.parse().map_err(|_| bad()),
    }
}

/// The base64 form.
pub fn export(psbt: &Psbt) -> String {
    psbt.to_string()
}

/// Takes the signatures out of `returned` into a copy of `sent`.
///
/// A signer may leave fields out; whatever it returns besides signatures must equal what was sent, and signatures must be of
/// keys that the draft named and commit to everything (`ALL` or `DEFAULT`). Otherwise refused with `DraftLies` (`why`, and
/// `input` or `output`). The signatures are verified by [`finish`].
pub fn merge(sent: &Psbt, returned: &Psbt) -> Result<Psbt, Refusal> {
    let lies = |why: &str| Refusal::new(Code::DraftLies).with("why", why);
    if sent.unsigned_tx != returned.unsigned_tx {
        return Err(lies("transaction"));
    }
    let foreign_globals = returned.xpub.iter().any(|(key, value)| sent.xpub.get(key) != Some(value))
        || !within(&returned.proprietary, &sent.proprietary)
        || !within(&returned.unknown, &sent.unknown)
        || returned.version != sent.version;
    if foreign_globals {
        return Err(lies("globals"));
    }
    let mut merged = sent.clone();
    for (index, (into, from)) in merged.inputs.iter_mut().zip(&returned.inputs).enumerate() {
        merge_input(into, from).map_err(|why| lies(why).with("input", index))?;
    }
    for (index, (sent, from)) in sent.outputs.iter().zip(&returned.outputs).enumerate() {
        if !output_within(from, sent) {
            return Err(lies("output").with("output", index));
        }
    }
    Ok(merged)
}

/// Builds the finished transaction and verifies every script and signature of it. Refused with `BadDraft` when one is missing or wrong.
pub fn finish(psbt: Psbt) -> Result<Transaction, Refusal> {
    let secp = Secp256k1::verification_only();
    psbt.finalize(&secp).ok().and_then(|done| done.extract(&secp).ok()).ok_or_else(|| Code::BadDraft.into())
}

fn within<K: Ord, V: PartialEq>(part: &BTreeMap<K, V>, whole: &BTreeMap<K, V>) -> bool {
    part.iter().all(|(key, value)| whole.get(key) == Some(value))
}

fn absent_or_same<T: PartialEq>(part: &Option<T>, whole: &Option<T>) -> bool {
    part.is_none() || part == whole
}

fn output_within(from: &psbt::Output, sent: &psbt::Output) -> bool {
    absent_or_same(&from.redeem_script, &sent.redeem_script)
        && absent_or_same(&from.witness_script, &sent.witness_script)
        && absent_or_same(&from.tap_internal_key, &sent.tap_internal_key)
        && absent_or_same(&from.tap_tree, &sent.tap_tree)
        && within(&from.bip32_derivation, &sent.bip32_derivation)
        && within(&from.tap_key_origins, &sent.tap_key_origins)
        && within(&from.proprietary, &sent.proprietary)
        && within(&from.unknown, &sent.unknown)
}

fn input_within(from: &psbt::Input, sent: &psbt::Input) -> bool {
    absent_or_same(&from.non_witness_utxo, &sent.non_witness_utxo)
        && absent_or_same(&from.witness_utxo, &sent.witness_utxo)
        && absent_or_same(&from.sighash_type, &sent.sighash_type)
        && absent_or_same(&from.redeem_script, &sent.redeem_script)
        && absent_or_same(&from.witness_script, &sent.witness_script)
        && absent_or_same(&from.tap_internal_key, &sent.tap_internal_key)
        && absent_or_same(&from.tap_merkle_root, &sent.tap_merkle_root)
        && within(&from.bip32_derivation, &sent.bip32_derivation)
        && within(&from.tap_key_origins, &sent.tap_key_origins)
        && within(&from.tap_scripts, &sent.tap_scripts)
        && within(&from.ripemd160_preimages, &sent.ripemd160_preimages)
        && within(&from.sha256_preimages, &sent.sha256_preimages)
        && within(&from.hash160_preimages, &sent.hash160_preimages)
        && within(&from.hash256_preimages, &sent.hash256_preimages)
        && within(&from.proprietary, &sent.proprietary)
        && within(&from.unknown, &sent.unknown)
}

fn merge_input(into: &mut psbt::Input, from: &psbt::Input) -> Result<(), &'static str> {
    if !input_within(from, into) {
        return Err("input");
    }
    for (key, signature) in &from.partial_sigs {
        add_ecdsa(into, *key, *signature)?;
    }
    if let Some(signature) = from.tap_key_sig {
        add_key_spend(into, signature)?;
    }
    for (place, signature) in &from.tap_script_sigs {
        if !into.tap_key_origins.contains_key(&place.0) || !commits_to_all_taproot(signature) {
            return Err("signature");
        }
        if into.tap_script_sigs.insert(*place, *signature).is_some_and(|before| before != *signature) {
            return Err("signature");
        }
    }
    if from.final_script_sig.as_ref().is_some_and(|script| !script.is_empty()) && from.final_script_sig != into.final_script_sig {
        return Err("final");
    }
    match &from.final_script_witness {
        None => Ok(()),
        Some(witness) if into.final_script_witness.as_ref() == Some(witness) => Ok(()),
        Some(witness) => take_final(into, witness),
    }
}

/// Signers that finalize return a witness; its signature is taken out and put with the others.
fn take_final(into: &mut psbt::Input, witness: &Witness) -> Result<(), &'static str> {
    match witness.len() {
        2 => {
            let signature = ecdsa::Signature::from_slice(&witness[0]).map_err(|_| "final")?;
            let key = bitcoin::PublicKey::from_slice(&witness[1]).map_err(|_| "final")?;
            add_ecdsa(into, key, signature)
        }
        1 => add_key_spend(into, taproot::Signature::from_slice(&witness[0]).map_err(|_| "final")?),
        _ => Err("final"),
    }
}

fn add_ecdsa(into: &mut psbt::Input, key: bitcoin::PublicKey, signature: ecdsa::Signature) -> Result<(), &'static str> {
    let named = key.compressed && into.bip32_derivation.contains_key(&key.inner);
    if !named || signature.sighash_type != EcdsaSighashType::All {
        return Err("signature");
    }
    match into.partial_sigs.insert(key, signature) {
        Some(before) if before != signature => Err("signature"),
        _ => Ok(()),
    }
}

fn add_key_spend(into: &mut psbt::Input, signature: taproot::Signature) -> Result<(), &'static str> {
    if into.tap_internal_key.is_none() || !commits_to_all_taproot(&signature) {
        return Err("signature");
    }
    match into.tap_key_sig.replace(signature) {
        Some(before) if before != signature => Err("signature"),
        _ => Ok(()),
    }
}

fn commits_to_all_taproot(signature: &taproot::Signature) -> bool {
    matches!(signature.sighash_type, TapSighashType::Default | TapSighashType::All)
}

#[cfg(test)]
mod tests;
