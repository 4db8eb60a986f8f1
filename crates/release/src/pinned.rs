//! Pinned data: signed, judged.

use crate::{Outcome, files, key};
use bitcoin::hex::DisplayHex as _;
use bitcoin::secp256k1::{Keypair, Message, SECP256K1};
use causeway_sidechain::consensus::pinned::{PinSigners, Pinned, digest};
use elements::BlockHash;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The part of the data that says of which chain it is.
#[derive(Deserialize)]
struct Chain {
    genesis: BlockHash,
}

/// Writes the list of signers.
pub(crate) fn signers(text: &str, out: &Path) -> Outcome<String> {
    let (threshold, keys) = key::threshold(text)?;
    let threshold = usize::from(threshold);
    let distinct: std::collections::BTreeSet<_> = keys.iter().map(|key| key.serialize()).collect();
    if threshold > keys.len() || threshold * 2 <= keys.len() || distinct.len() != keys.len() {
        return Err("a majority of different keys must sign".into());
    }
    let list = serde_json::json!({ "threshold": threshold, "keys": keys });
    files::replace(out, &format!("{list:#}\n"))?;
    Ok(format!("{}\n", out.display()))
}

fn signatures(data: &Path) -> PathBuf {
    data.with_extension("sig")
}

/// Signs data that a wallet can read. Signing again replaces the signature.
pub(crate) fn sign(path: &Path, key: &Keypair, aux: &[u8; 32]) -> Outcome<String> {
    let data = files::read(path)?;
    let public = key.x_only_public_key().0;
    let signature = SECP256K1.sign_schnorr_with_aux_rand(&Message::from_digest(digest(data.as_bytes())), key, aux);
    let line = format!("{public} {}", signature.serialize().to_lower_hex_string());
    let alone = serde_json::from_value(serde_json::json!({ "threshold": 1, "keys": [public] })).map_err(|e| e.to_string())?;
    judge(&data, &line, &alone)?;
    let place = signatures(path);
    let others = if place.exists() { files::read(&place)? } else { String::new() };
    let other = |text: &&str| !text.trim().is_empty() && !text.starts_with(&public.to_string());
    let lines: Vec<&str> = others.lines().filter(other).chain([line.as_str()]).collect();
    files::replace(&place, &format!("{}\n", lines.join("\n")))?;
    Ok(format!("{} signatures in {}\n", lines.len(), place.display()))
}

/// Judges data by these signers.
pub(crate) fn verify(path: &Path, signers: &Path) -> Outcome<String> {
    let signers: PinSigners = serde_json::from_str(&files::read(signers)?).map_err(|e| format!("{}: {e}", signers.display()))?;
    let pinned = judge(&files::read(path)?, &files::read(&signatures(path))?, &signers)?;
    Ok(format!("serial {}, signed by those who answer for it\n", pinned.serial))
}

fn judge(data: &str, signatures: &str, signers: &PinSigners) -> Outcome<Pinned> {
    let chain: Chain = serde_json::from_str(data).map_err(|e| format!("pinned data: {e}"))?;
    Pinned::read(data.as_bytes(), signatures, signers, &chain.genesis).map_err(|fault| format!("pinned data: {fault}"))
}
