//! The validators' aggregate signature over a checkpoint: BLS12-381, signatures in G1, keys in G2.

use crate::checkpoint::Checkpoint;
use blst::BLST_ERROR;
use blst::min_sig::{PublicKey, Signature};

const DOMAIN: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

/// A validator of an epoch, in the order of the epoch's set. The set itself must come from a verified header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validator {
    /// Compressed point of G2.
    pub key: [u8; 96],
    /// Voting power.
    pub power: u64,
}

/// Why a checkpoint is not signed by the validators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// Two thirds of the power or less signed.
    #[error("{signed} of {total} voting power signed")]
    Power {
        /// Power of those that signed.
        signed: u128,
        /// Power of the set.
        total: u128,
    },
    /// A validator's key is no point of the group.
    #[error("the key of validator {0} is no point")]
    Key(usize),
    /// The signature does not verify.
    #[error("the aggregate signature does not verify")]
    Signature,
}

/// Whether more than two thirds of the voting power signed the checkpoint.
///
/// Bits past the end of the set count for nobody, as on the control plane. Keys must have been registered with a proof of possession, which the control plane checks when a validator is made.
pub fn verify(checkpoint: &Checkpoint, validators: &[Validator]) -> Result<(), NotSigned> {
    let total = validators.iter().map(|validator| u128::from(validator.power)).sum();
    let mut signed = 0;
    let mut signers = Vec::new();
    for (index, validator) in checkpoint.signers().filter_map(|index| Some((index, validators.get(index)?))) {
        signed += u128::from(validator.power);
        signers.push((index, validator));
    }
    if signed * 3 <= total * 2 {
        return Err(NotSigned::Power { signed, total });
    }
    let key =
        |(index, validator): (usize, &Validator)| PublicKey::key_validate(&validator.key).map_err(|_| NotSigned::Key(index));
    let keys = signers.into_iter().map(key).collect::<Result<Vec<_>, _>>()?;
    let signature = Signature::sig_validate(&checkpoint.signature, true).map_err(|_| NotSigned::Signature)?;
    match signature.fast_aggregate_verify(true, &checkpoint.message(), DOMAIN, &keys.iter().collect::<Vec<_>>()) {
        BLST_ERROR::BLST_SUCCESS => Ok(()),
        _ => Err(NotSigned::Signature),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blst::min_sig::{AggregateSignature, SecretKey};
    use proptest::prelude::*;

    fn secret(seed: u8, index: usize) -> SecretKey {
        let mut material = [seed; 32];
        material[0] = u8::try_from(index).expect("small");
        SecretKey::key_gen(&material, b"").expect("a key")
    }

    /// A set with these powers, and a checkpoint that the members named by `signing` signed.
    fn world(seed: u8, powers: &[u64], signing: &[bool]) -> (Checkpoint, Vec<Validator>) {
        let secrets: Vec<SecretKey> = (0..powers.len()).map(|index| secret(seed, index)).collect();
        let validators =
            secrets.iter().zip(powers).map(|(secret, power)| Validator { key: secret.sk_to_pk().compress(), power: *power });
        let mut checkpoint =
            Checkpoint { epoch: 9, block_hash: [seed; 32], bitmap: [0; 13], submitter: [0; 20], signature: [0; 48] };
        let mut signatures = Vec::new();
        for (index, secret) in secrets.iter().enumerate().filter(|(index, _)| signing[*index]) {
            checkpoint.bitmap[index / 8] |= 1 << (index % 8);
            signatures.push(secret.sign(&checkpoint.message(), DOMAIN, &[]));
        }
        if !signatures.is_empty() {
            let all: Vec<&Signature> = signatures.iter().collect();
            checkpoint.signature = AggregateSignature::aggregate(&all, true).expect("points").to_signature().compress();
        }
        (checkpoint, validators.collect())
    }

    proptest! {
        #![proptest_config(crate::testing::cases(16))]

        #[test]
        fn more_than_two_thirds_of_the_power_must_sign(seed in any::<u8>(), set in prop::collection::vec((1u64..100, any::<bool>()), 1..12)) {
            let (powers, signing): (Vec<u64>, Vec<bool>) = set.into_iter().unzip();
            let (checkpoint, validators) = world(seed, &powers, &signing);
            let signed: u64 = powers.iter().zip(&signing).filter(|(_, signs)| **signs).map(|(power, _)| power).sum();
            let enough = signed * 3 > powers.iter().sum::<u64>() * 2;
            prop_assert_eq!(verify(&checkpoint, &validators).is_ok(), enough);
            let another = Checkpoint { epoch: 10, ..checkpoint };
            prop_assert!(verify(&another, &validators).is_err());
        }
    }

    #[test]
    fn what_is_wrong_with_a_checkpoint_is_named() {
        let (good, validators) = world(1, &[10, 10, 10, 10], &[true, true, true, false]);
        assert_eq!(verify(&good, &validators), Ok(()));
        let mut claimed = good;
        claimed.bitmap[0] |= 8;
        assert_eq!(verify(&claimed, &validators), Err(NotSigned::Signature));
        let mut beyond = good;
        beyond.bitmap[12] |= 128;
        assert_eq!(verify(&beyond, &validators), Ok(()));
        let mut fewer = good;
        fewer.bitmap[0] = 3;
        assert_eq!(verify(&fewer, &validators), Err(NotSigned::Power { signed: 20, total: 40 }));
        let mut spoilt = validators.clone();
        spoilt[1].key = [0; 96];
        assert_eq!(verify(&good, &spoilt), Err(NotSigned::Key(1)));
        assert_eq!(verify(&Checkpoint { signature: [0; 48], ..good }, &validators), Err(NotSigned::Signature));
        assert!(verify(&good, &[]).is_err());
    }
}
