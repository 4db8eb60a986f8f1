//! That an epoch of the control plane is sealed, and that its seal is on Bitcoin.

use crate::bls::{self, NotSigned, Validator};
use crate::checkpoint::Checkpoint;
use crate::message::RawCheckpoint;
use crate::store_proof::{NotProved, ProofOps};
use prost::Message;

/// An epoch as the control plane stores it.
#[derive(Clone, PartialEq, Message)]
pub struct Epoch {
    /// Its number.
    #[prost(uint64, tag = "1")]
    pub epoch_number: u64,
    /// Blocks per epoch.
    #[prost(uint64, tag = "2")]
    pub current_epoch_interval: u64,
    /// Height of its first block.
    #[prost(uint64, tag = "3")]
    pub first_block_height: u64,
    /// Time of its last block.
    #[prost(message, optional, tag = "4")]
    pub last_block_time: Option<Timestamp>,
    /// App hash of the header after the last block; cleared in what the state's proofs are of.
    #[prost(bytes = "vec", tag = "5")]
    pub sealer_app_hash: Vec<u8>,
    /// Hash of the last block: what validators sign.
    #[prost(bytes = "vec", tag = "6")]
    pub sealer_block_hash: Vec<u8>,
}

/// A time in protobuf.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Timestamp {
    /// Seconds since 1970.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Fraction.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// A validator with its BLS key as the control plane stores it.
#[derive(Clone, PartialEq, Message)]
pub struct ValidatorWithBlsKey {
    /// The validator's account.
    #[prost(string, tag = "1")]
    pub validator_address: String,
    /// Compressed point of G2.
    #[prost(bytes = "vec", tag = "2")]
    pub bls_pub_key: Vec<u8>,
    /// Voting power.
    #[prost(uint64, tag = "3")]
    pub voting_power: u64,
}

/// An epoch's validators in their order.
#[derive(Clone, PartialEq, Message)]
pub struct ValidatorSet {
    /// The validators.
    #[prost(message, repeated, tag = "1")]
    pub validators: Vec<ValidatorWithBlsKey>,
}

/// An epoch with everything that proves it under one app hash.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedEpoch {
    /// The epoch.
    pub epoch: Epoch,
    /// Its validators.
    pub validators: ValidatorSet,
    /// That the epoch is stored.
    pub epoch_proof: ProofOps,
    /// That its validators are.
    pub validators_proof: ProofOps,
}

/// Why an epoch is not known to be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSealed {
    /// The checkpoint is of another epoch or block.
    #[error("the checkpoint is of another epoch or block")]
    OtherEpoch,
    /// The epoch or its validators are not in the proved state.
    #[error(transparent)]
    Proof(#[from] NotProved),
    /// A validator's key has a wrong length.
    #[error("the key of validator {0} has a wrong length")]
    Key(usize),
    /// Too few signed, or the signature does not verify.
    #[error(transparent)]
    Signature(#[from] NotSigned),
}

impl SealedEpoch {
    /// Whether `checkpoint` seals this epoch. `app_hash` must be that of a verified header: the one after the epoch's last block, whose
    /// hash the validators signed.
    pub fn verify(&self, checkpoint: &Checkpoint, app_hash: &[u8]) -> Result<(), NotSealed> {
        if self.epoch.epoch_number != checkpoint.epoch || self.epoch.sealer_block_hash != checkpoint.block_hash {
            return Err(NotSealed::OtherEpoch);
        }
        let number = checkpoint.epoch.to_be_bytes();
        let stored = Epoch { sealer_app_hash: Vec::new(), ..self.epoch.clone() }.encode_to_vec();
        self.epoch_proof.verify_value(app_hash, "epoching", &[&[0x11][..], &number].concat(), &stored)?;
        let set = self.validators.encode_to_vec();
        self.validators_proof.verify_value(app_hash, "checkpointing", &[&[0x03][..], &number].concat(), &set)?;
        let read = |(index, validator): (usize, &ValidatorWithBlsKey)| {
            let key = validator.bls_pub_key[..].try_into().map_err(|_| NotSealed::Key(index))?;
            Ok(Validator { key, power: validator.voting_power })
        };
        let validators = self.validators.validators.iter().enumerate().map(read).collect::<Result<Vec<_>, NotSealed>>()?;
        Ok(bls::verify(checkpoint, &validators)?)
    }
}

/// The raw checkpoint says the same as the one on Bitcoin.
pub fn is_same(raw: &RawCheckpoint, checkpoint: &Checkpoint) -> bool {
    raw.epoch_num == checkpoint.epoch
        && raw.block_hash == checkpoint.block_hash
        && raw.bitmap == checkpoint.bitmap
        && raw.bls_multi_sig == checkpoint.signature
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{bytes, load, transaction};

    /// A record of everything about one epoch, as a node made it.
    #[derive(Clone, PartialEq, Message)]
    struct Record {
        #[prost(message, optional, tag = "3")]
        epoch: Option<Epoch>,
        #[prost(message, optional, tag = "4")]
        checkpoint: Option<RawCheckpoint>,
        #[prost(message, optional, tag = "6")]
        proof: Option<Proofs>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Proofs {
        #[prost(message, optional, tag = "2")]
        sealed: Option<Sealed>,
    }

    #[derive(Clone, PartialEq, Message)]
    struct Sealed {
        #[prost(message, repeated, tag = "1")]
        validators: Vec<ValidatorWithBlsKey>,
        #[prost(message, optional, tag = "2")]
        epoch: Option<ProofOps>,
        #[prost(message, optional, tag = "3")]
        set: Option<ProofOps>,
    }

    fn recorded() -> (SealedEpoch, Checkpoint, RawCheckpoint) {
        let file = load("btc_timestamp.json");
        let record = Record::decode(&bytes(&file["protobuf"])[..]).expect("a record");
        let sealed = record.proof.expect("proofs").sealed.expect("a seal");
        let epoch = SealedEpoch {
            epoch: record.epoch.expect("an epoch"),
            validators: ValidatorSet { validators: sealed.validators },
            epoch_proof: sealed.epoch.expect("a proof"),
            validators_proof: sealed.set.expect("a proof"),
        };
        let [first, second] = [0, 1].map(|index| transaction(&file["records"][index]["tx"]));
        let checkpoint = Checkpoint::read(&first, &second, [1, 2, 3, 4]).expect("a checkpoint");
        (epoch, checkpoint, record.checkpoint.expect("a checkpoint"))
    }

    #[test]
    fn a_recorded_epoch_is_sealed_by_its_checkpoint_on_bitcoin() {
        let (epoch, checkpoint, raw) = recorded();
        let app_hash = epoch.epoch.sealer_app_hash.clone();
        assert_eq!(epoch.verify(&checkpoint, &app_hash), Ok(()));
        assert!(is_same(&raw, &checkpoint));
        assert_eq!(epoch.verify(&checkpoint, &[0; 32]), Err(NotSealed::Proof(NotProved)));
        assert_eq!(epoch.verify(&Checkpoint { epoch: 3, ..checkpoint }, &app_hash), Err(NotSealed::OtherEpoch));
        let mut fewer = checkpoint;
        fewer.bitmap = [1; 13];
        assert!(matches!(epoch.verify(&fewer, &app_hash), Err(NotSealed::Signature(_))));
        let mut other = epoch.clone();
        other.validators.validators[0].voting_power += 1;
        assert_eq!(other.verify(&checkpoint, &app_hash), Err(NotSealed::Proof(NotProved)));
        let mut swapped = epoch.clone();
        std::mem::swap(&mut swapped.epoch_proof, &mut swapped.validators_proof);
        assert_eq!(swapped.verify(&checkpoint, &app_hash), Err(NotSealed::Proof(NotProved)));
    }

    #[test]
    fn a_store_proof_holds_for_its_key_value_and_store_only() {
        let (epoch, checkpoint, _) = recorded();
        let (app_hash, proof) = (&epoch.epoch.sealer_app_hash, &epoch.validators_proof);
        let (key, value) = ([&[3][..], &checkpoint.epoch.to_be_bytes()].concat(), epoch.validators.encode_to_vec());
        let proved = |store: &str, key: &[u8], value: &[u8]| proof.verify_value(app_hash, store, key, value).is_ok();
        assert!(proved("checkpointing", &key, &value));
        assert!(!proved("epoching", &key, &value));
        assert!(!proved("checkpointing", &key[1..], &value));
        assert!(!proved("checkpointing", &key, &value[1..]));
        assert!(proof.verify_absence(app_hash, "checkpointing", &key).is_err());
        for step in 0..2 {
            for at in (0..proof.ops[step].data.len()).step_by(7) {
                let mut spoilt = proof.clone();
                spoilt.ops[step].data[at] ^= 1;
                assert!(spoilt.verify_value(app_hash, "checkpointing", &key, &value).is_err(), "byte {at} of step {step}");
            }
        }
        assert!(ProofOps { ops: Vec::new() }.verify_value(app_hash, "checkpointing", &key, &value).is_err());
    }
}
