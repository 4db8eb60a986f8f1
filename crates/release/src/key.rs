//! Keys: BIP340 pairs, the secret in a file of its own.

use crate::{Outcome, files};
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use bitcoin::secp256k1::{Keypair, SECP256K1, SecretKey, XOnlyPublicKey};
use rand::{CryptoRng, RngCore};
use serde::Deserialize;
use std::path::Path;

/// What every secret says it is.
const FORMAT: &str = "causeway-signing-key-1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    format: String,
    public: XOnlyPublicKey,
    secret: String,
}

/// Makes a pair and writes it to a new file that only its owner can read. Gives the public half.
pub(crate) fn make(path: &Path, rng: &mut (impl RngCore + CryptoRng)) -> Outcome<XOnlyPublicKey> {
    let pair = Keypair::new(SECP256K1, rng);
    let public = pair.x_only_public_key().0;
    let secret = pair.secret_bytes().to_lower_hex_string();
    let text = serde_json::json!({ "format": FORMAT, "public": public, "secret": secret });
    files::create(path, &format!("{text:#}\n"), 0o600)?;
    Ok(public)
}

/// Reads a pair.
pub(crate) fn read(path: &Path) -> Outcome<Keypair> {
    let none = || format!("{}: no signing key", path.display());
    let file: Secret = serde_json::from_str(&files::read(path)?).map_err(|_| none())?;
    let secret = Vec::from_hex(&file.secret).ok().and_then(|bytes| SecretKey::from_slice(&bytes).ok()).ok_or_else(none)?;
    let pair = Keypair::from_secret_key(SECP256K1, &secret);
    if file.format != FORMAT || pair.x_only_public_key().0 != file.public {
        return Err(none());
    }
    Ok(pair)
}

/// Fresh bytes for a signature.
pub(crate) fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::rngs::OsRng.fill_bytes(&mut bytes);
    bytes
}

/// Reads `K:KEY,KEY,…`.
pub(crate) fn threshold(text: &str) -> Outcome<(u8, Vec<XOnlyPublicKey>)> {
    let bad = || format!("{text:?} is not a number of signatures, a colon and public keys with commas between them");
    let (threshold, keys) = text.split_once(':').ok_or_else(bad)?;
    let keys = keys.split(',').map(|key| key.trim().parse()).collect::<Result<Vec<XOnlyPublicKey>, _>>().map_err(|_| bad())?;
    Ok((threshold.parse().map_err(|_| bad())?, keys))
}
