//! Schnorr adaptor signatures: signatures of covenant members that only a finality provider's secret key completes.
//!
//! Encoding: parity of the nonce point (02 even, 03 odd), its x coordinate, the scalar; 65 bytes. Other libraries' adaptor schemes are
//! different ones.

use crate::eots::EotsKey;
use crate::scalar::{add, challenge, multiply, subtract};
use bitcoin::XOnlyPublicKey;
use bitcoin::hashes::{Hash as _, HashEngine as _, sha256t_hash_newtype};
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use secp256k1::schnorr::Signature;
use secp256k1::{Keypair, Message, Parity, PublicKey, SECP256K1, SecretKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

sha256t_hash_newtype! {
    pub(crate) struct AuxTag = hash_str("SchnorrAdaptor/aux");
    /// Hides the key in the nonce's derivation.
    #[hash_newtype(forward)]
    pub(crate) struct AuxHash(_);

    pub(crate) struct NonceTag = hash_str("SchnorrAdaptor/nonce");
    /// The nonce.
    #[hash_newtype(forward)]
    pub(crate) struct NonceHash(_);
}

/// A signature encrypted to a point. Any bytes with a good first one; only verification tells more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AdaptorSignature {
    nonce: [u8; 33],
    scalar: [u8; 32],
}

/// The bytes are no adaptor signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no adaptor signature")]
pub struct BadAdaptor;

impl AdaptorSignature {
    /// Reads 65 bytes, or the older 66: `02`, x coordinate, scalar, and a last byte 0 or 1 for the parity.
    pub fn from_slice(bytes: &[u8]) -> Result<AdaptorSignature, BadAdaptor> {
        let (parity, body) = match bytes {
            [parity @ (2 | 3), body @ ..] if body.len() == 64 => (*parity, body),
            [2, body @ .., odd @ (0 | 1)] if body.len() == 64 => (2 + odd, body),
            _ => return Err(BadAdaptor),
        };
        let mut nonce = [parity; 33];
        nonce[1..].copy_from_slice(&body[..32]);
        let scalar = body[32..].try_into().map_err(|_| BadAdaptor)?;
        Ok(AdaptorSignature { nonce, scalar })
    }

    /// The 65 bytes.
    pub fn serialize(&self) -> [u8; 65] {
        let mut bytes = [0; 65];
        bytes[..33].copy_from_slice(&self.nonce);
        bytes[33..].copy_from_slice(&self.scalar);
        bytes
    }

    fn is_odd(&self) -> bool {
        self.nonce[0] == 3
    }

    fn nonce_x(&self) -> [u8; 32] {
        self.nonce[1..].try_into().expect("BUG: 33 bytes less one")
    }

    fn scalar(&self) -> Option<SecretKey> {
        SecretKey::from_slice(&self.scalar).ok()
    }

    /// Signs a digest so that only the discrete logarithm of `encryption` completes it. `aux` are 32 fresh random bytes.
    pub fn sign(pair: &Keypair, encryption: &PublicKey, digest: &[u8; 32], aux: &[u8; 32]) -> AdaptorSignature {
        let (key, parity) = pair.x_only_public_key();
        let secret = if parity == Parity::Odd { pair.secret_key().negate() } else { pair.secret_key() };
        let mut hidden = Zeroizing::new(secret.secret_bytes());
        hidden.iter_mut().zip(AuxHash::hash(aux).to_byte_array()).for_each(|(byte, mask)| *byte ^= mask);
        let mut engine = NonceHash::engine();
        engine.input(&*hidden);
        engine.input(&encryption.serialize());
        engine.input(&key.serialize());
        engine.input(digest);
        let nonce = Zeroizing::new(NonceHash::from_engine(engine).to_byte_array());
        let nonce = SecretKey::from_slice(&*nonce).expect("BUG: a digest hit zero or passed n");
        let point = nonce.public_key(SECP256K1).combine(encryption).expect("BUG: a fresh nonce cancels the encryption key");
        let encoded = point.serialize();
        let nonce = if encoded[0] == 3 { nonce.negate() } else { nonce };
        let x = encoded[1..].try_into().expect("BUG: 33 bytes less one");
        let scalar = challenge(&x, &key, digest).and_then(|e| multiply(secret, &e)).and_then(|ed| add(ed, nonce));
        let scalar = scalar.expect("BUG: a digest hit one of three numbers in 2^256").secret_bytes();
        AdaptorSignature { nonce: encoded, scalar }
    }

    /// Whether completing this with the discrete logarithm of `encryption` gives a signature of `digest` by `key`.
    pub fn verify(&self, key: &XOnlyPublicKey, encryption: &PublicKey, digest: &[u8; 32]) -> bool {
        self.matches(key, encryption, digest).unwrap_or(false)
    }

    /// With R = sG - eP: R0 - R = T for an even R0, R0 + R = T for an odd one; rearranged so that one sum of points is enough.
    fn matches(&self, key: &XOnlyPublicKey, encryption: &PublicKey, digest: &[u8; 32]) -> Option<bool> {
        let sum = PublicKey::from_slice(&self.nonce).ok()?;
        let e = challenge(&self.nonce_x(), key, digest)?;
        let signed = self.scalar()?.public_key(SECP256K1);
        let challenged = PublicKey::from_x_only_public_key(*key, Parity::Even).mul_tweak(SECP256K1, &e).ok()?;
        let (sum, encryption) =
            if self.is_odd() { (sum.negate(SECP256K1), *encryption) } else { (sum, encryption.negate(SECP256K1)) };
        // A nonce that is the encryption key itself leaves a signature without nonce: the key could be read from it.
        sum.combine(&encryption).ok()?;
        Some(PublicKey::combine_keys(&[&challenged, &sum, &encryption]).ok()? == signed)
    }

    /// Completes the signature with the discrete logarithm of the encryption key. The result verifies if this did.
    pub fn decrypt(&self, secret: &SecretKey) -> Result<Signature, BadAdaptor> {
        let scalar = self.scalar().ok_or(BadAdaptor)?;
        let scalar = if self.is_odd() { subtract(scalar, *secret) } else { add(scalar, *secret) }.ok_or(BadAdaptor)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&self.nonce[1..]);
        bytes[32..].copy_from_slice(&scalar.secret_bytes());
        Signature::from_slice(&bytes).map_err(|_| BadAdaptor)
    }

    /// Completes the signature with a finality provider's key, to which it was encrypted.
    pub fn decrypt_with(&self, provider: &EotsKey) -> Result<Signature, BadAdaptor> {
        self.decrypt(&provider.pair().secret_key())
    }

    /// The discrete logarithm of the encryption key, from the completed signature.
    pub fn extract(&self, completed: &Signature) -> Result<SecretKey, BadAdaptor> {
        let bytes = completed.serialize();
        if bytes[..32] != self.nonce[1..] {
            return Err(BadAdaptor);
        }
        let (before, after) = (self.scalar().ok_or(BadAdaptor)?, SecretKey::from_slice(&bytes[32..]).map_err(|_| BadAdaptor)?);
        if self.is_odd() { subtract(before, after) } else { subtract(after, before) }.ok_or(BadAdaptor)
    }
}

/// The point to which signatures for a finality provider are encrypted: its key with even y.
pub fn encryption_key(provider: &XOnlyPublicKey) -> PublicKey {
    PublicKey::from_x_only_public_key(*provider, Parity::Even)
}

/// Whether a completed signature is one.
pub fn is_signature(key: &XOnlyPublicKey, signature: &Signature, digest: &[u8; 32]) -> bool {
    SECP256K1.verify_schnorr(signature, &Message::from_digest(*digest), key).is_ok()
}

impl fmt::Display for AdaptorSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.serialize().as_hex())
    }
}

impl TryFrom<String> for AdaptorSignature {
    type Error = BadAdaptor;

    fn try_from(text: String) -> Result<AdaptorSignature, BadAdaptor> {
        AdaptorSignature::from_slice(&Vec::from_hex(&text).map_err(|_| BadAdaptor)?)
    }
}

impl From<AdaptorSignature> for String {
    fn from(signature: AdaptorSignature) -> String {
        signature.to_string()
    }
}

#[cfg(test)]
mod tests;
