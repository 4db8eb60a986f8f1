//! Arithmetic modulo the group order, done by libsecp256k1.
//!
//! A [`SecretKey`] is a number between 1 and n - 1; its tweak operations are the library's constant-time additions and multiplications.

use bitcoin::XOnlyPublicKey;
use bitcoin::hashes::{Hash as _, HashEngine as _, sha256t_hash_newtype};
use secp256k1::{Scalar, SecretKey};

sha256t_hash_newtype! {
    pub(crate) struct ChallengeTag = hash_str("BIP0340/challenge");
    /// BIP340's challenge.
    #[hash_newtype(forward)]
    pub(crate) struct ChallengeHash(_);
}

/// BIP340's challenge `e` over a nonce's x coordinate, a key and a 32-byte message.
///
/// `None` in the one case of 2^128 in which the digest is no number below n; nothing valid is ever signed then.
pub(crate) fn challenge(nonce: &[u8; 32], key: &XOnlyPublicKey, message: &[u8; 32]) -> Option<Scalar> {
    let mut engine = ChallengeHash::engine();
    engine.input(nonce);
    engine.input(&key.serialize());
    engine.input(message);
    Scalar::from_be_bytes(ChallengeHash::from_engine(engine).to_byte_array()).ok()
}

/// `a + b`; `None` when that is zero.
pub(crate) fn add(a: SecretKey, b: SecretKey) -> Option<SecretKey> {
    a.add_tweak(&Scalar::from(b)).ok()
}

/// `a - b`; `None` when that is zero.
pub(crate) fn subtract(a: SecretKey, b: SecretKey) -> Option<SecretKey> {
    add(a, b.negate())
}

/// `a * b`.
pub(crate) fn multiply(a: SecretKey, b: &Scalar) -> Option<SecretKey> {
    a.mul_tweak(b).ok()
}

/// `1 / a` by Fermat: `a` to the power n - 2. The exponent is public, so the sequence of operations never depends on `a`.
pub(crate) fn invert(a: SecretKey) -> SecretKey {
    let mut exponent = secp256k1::constants::CURVE_ORDER;
    exponent[31] -= 2;
    let times = |x: SecretKey, y: SecretKey| x.mul_tweak(&Scalar::from(y)).expect("BUG: n is prime, no product of units is zero");
    let bits = exponent.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
    // The leading bit of n - 2 is set: start from a.
    bits.skip(1).fold(a, |power, bit| {
        let square = times(power, power);
        if bit { times(square, a) } else { square }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secp256k1::constants::ONE;

    proptest! {
        #![proptest_config(crate::testing::cases(32))]

        #[test]
        fn a_number_times_its_inverse_is_one(bytes in any::<[u8; 32]>()) {
            let Ok(number) = SecretKey::from_slice(&bytes) else { return Ok(()) };
            let product = multiply(number, &Scalar::from(invert(number))).expect("units");
            prop_assert_eq!(product.secret_bytes(), ONE);
        }
    }

    #[test]
    fn sums_that_vanish_are_refused() {
        let one = SecretKey::from_slice(&ONE).expect("one");
        assert!(subtract(one, one).is_none());
        assert!(add(one, one.negate()).is_none());
    }
}
