//! Extractable one-time signatures: BIP340 with a nonce that was committed to beforehand.
//!
//! One nonce signs one message. Two messages under one nonce give the secret key to everybody; see [`crate::protection`].

use crate::scalar::{add, challenge, invert, multiply, subtract};
use bitcoin::XOnlyPublicKey;
use bitcoin::hashes::{Hash as _, HashEngine as _, Hmac, HmacEngine, sha256};
use bitcoin::hex::{DisplayHex as _, FromHex};
use rand::{CryptoRng, RngCore};
use secp256k1::schnorr::Signature;
use secp256k1::{Keypair, Message, Parity, SECP256K1, Scalar, SecretKey};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// A finality provider's secret key.
pub struct EotsKey {
    /// As it was given; nonces are derived from it.
    given: SecretKey,
    /// The same key up to sign, with an even public point.
    even: Keypair,
    odd: bool,
}

impl Drop for EotsKey {
    fn drop(&mut self) {
        self.given.non_secure_erase();
        self.even.non_secure_erase();
    }
}

/// The bytes are no secret key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no secret key")]
pub struct BadKey;

impl EotsKey {
    /// A fresh key.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> EotsKey {
        EotsKey::new(SecretKey::new(rng))
    }

    /// A key from its 32 bytes, big-endian.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<EotsKey, BadKey> {
        SecretKey::from_slice(bytes).map(EotsKey::new).map_err(|_| BadKey)
    }

    fn new(given: SecretKey) -> EotsKey {
        let pair = Keypair::from_secret_key(SECP256K1, &given);
        let odd = pair.x_only_public_key().1 == Parity::Odd;
        let even = if odd { Keypair::from_secret_key(SECP256K1, &given.negate()) } else { pair };
        EotsKey { given, even, odd }
    }

    /// The public key.
    pub fn public(&self) -> XOnlyPublicKey {
        self.even.x_only_public_key().0
    }

    /// The secret as it was given: for the vault.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.given.secret_bytes())
    }

    /// The secret whose public point is even, the only one that the x-only key tells of.
    pub fn to_even_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.even.secret_bytes())
    }

    /// Whether the public point of the secret as it was given is odd.
    pub fn is_odd(&self) -> bool {
        self.odd
    }

    /// The key pair with an even public point: for ordinary BIP340 signatures and for opening adaptor signatures.
    pub fn pair(&self) -> &Keypair {
        &self.even
    }

    /// The nonce for a height of a chain: HMAC-SHA256 under the secret of `height (8, big-endian) || chain id || attempt (8)`, first
    /// attempt that is a number between 1 and n - 1. The same on every machine that holds the key.
    pub fn nonce(&self, chain_id: &str, height: u64) -> SecretNonce {
        let secret = self.to_bytes();
        (0u64..)
            .find_map(|attempt| {
                let mut engine = HmacEngine::<sha256::Hash>::new(&*secret);
                engine.input(&height.to_be_bytes());
                engine.input(chain_id.as_bytes());
                engine.input(&attempt.to_be_bytes());
                let bytes = Zeroizing::new(Hmac::from_engine(engine).to_byte_array());
                SecretNonce::from_bytes(&bytes).ok()
            })
            .expect("BUG: almost every digest is a nonce")
    }

    /// Signs the SHA256 of a message with a committed nonce. Only [`crate::protection`] may decide that it is signed.
    ///
    /// The signature is verified before it is returned, so that a fault of the machine leaks nothing.
    pub fn sign(&self, nonce: &SecretNonce, message: &[u8]) -> EotsSignature {
        let randomness = nonce.public();
        let digest = sha256::Hash::hash(message).to_byte_array();
        let signature = challenge(&randomness.0, &self.public(), &digest)
            .and_then(|e| multiply(self.even.secret_key(), &e))
            .and_then(|ed| add(ed, nonce.0))
            .map(|s| EotsSignature(s.secret_bytes()))
            .expect("BUG: a digest hit one of three numbers in 2^256");
        assert!(signature.verify(&self.public(), &randomness, message), "BUG: a signature that does not verify");
        signature
    }
}

/// A nonce that may sign one message; kept so that its point is even.
pub struct SecretNonce(SecretKey, PublicRandomness);

impl Drop for SecretNonce {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

impl SecretNonce {
    /// A fresh nonce.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> SecretNonce {
        SecretNonce::new(SecretKey::new(rng))
    }

    /// A nonce from 32 bytes, big-endian.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<SecretNonce, BadKey> {
        SecretKey::from_slice(bytes).map(SecretNonce::new).map_err(|_| BadKey)
    }

    fn new(secret: SecretKey) -> SecretNonce {
        let (point, parity) = secret.x_only_public_key(SECP256K1);
        SecretNonce(if parity == Parity::Odd { secret.negate() } else { secret }, PublicRandomness(point.serialize()))
    }

    /// What is committed to.
    pub fn public(&self) -> PublicRandomness {
        self.1
    }
}

macro_rules! hex_bytes {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.as_hex())
            }
        }

        impl TryFrom<String> for $name {
            type Error = bitcoin::hex::HexToArrayError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                FromHex::from_hex(&text).map($name)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    };
}

/// The x coordinate of a nonce's point. Any 32 bytes; only verification tells whether they are on the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicRandomness(pub [u8; 32]);
hex_bytes!(PublicRandomness);

/// The scalar of a BIP340 signature whose nonce is known from elsewhere. Any 32 bytes; only verification tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EotsSignature(pub [u8; 32]);
hex_bytes!(EotsSignature);

/// Why no key can be extracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotExtracted {
    /// Both signatures are of the same message, or equal.
    #[error("both signatures are of one message")]
    SameMessage,
    /// The two are not signatures by this key with this nonce.
    #[error("no signatures by this key with this nonce")]
    NotSignatures,
}

impl EotsSignature {
    /// Whether `randomness || signature` is a BIP340 signature of the message's SHA256.
    pub fn verify(&self, key: &XOnlyPublicKey, randomness: &PublicRandomness, message: &[u8]) -> bool {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&randomness.0);
        bytes[32..].copy_from_slice(&self.0);
        let digest = Message::from_digest(sha256::Hash::hash(message).to_byte_array());
        Signature::from_slice(&bytes).is_ok_and(|signature| SECP256K1.verify_schnorr(&signature, &digest, key).is_ok())
    }
}

/// The secret key behind two signatures of different messages with one nonce.
pub fn extract(
    key: &XOnlyPublicKey,
    randomness: &PublicRandomness,
    first: (&[u8], &EotsSignature),
    second: (&[u8], &EotsSignature),
) -> Result<EotsKey, NotExtracted> {
    let of = |(message, signature): (&[u8], &EotsSignature)| {
        let e = challenge(&randomness.0, key, &sha256::Hash::hash(message).to_byte_array())?;
        let e = SecretKey::from_slice(&e.to_be_bytes()).ok()?;
        Some((e, SecretKey::from_slice(&signature.0).ok()?))
    };
    let (e1, s1) = of(first).ok_or(NotExtracted::NotSignatures)?;
    let (e2, s2) = of(second).ok_or(NotExtracted::NotSignatures)?;
    let challenges = subtract(e1, e2).ok_or(NotExtracted::SameMessage)?;
    let signatures = subtract(s1, s2).ok_or(NotExtracted::SameMessage)?;
    let secret = multiply(signatures, &Scalar::from(invert(challenges))).ok_or(NotExtracted::NotSignatures)?;
    let found = EotsKey::new(secret);
    if found.public() == *key && !found.odd { Ok(found) } else { Err(NotExtracted::NotSignatures) }
}

#[cfg(test)]
mod tests;
