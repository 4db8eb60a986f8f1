//! That a key of the control plane's state has a value, or has none, under the app hash of a verified header (ICS23).
//!
//! A proof has two steps: from the key to the root of its store, and from the store's name to the app hash. The app hash that covers the
//! state after block h stands in the header of block h + 1.

use bitcoin::hashes::{Hash as _, ripemd160, sha256, sha512};
use ics23::commitment_proof::Proof as Step;
use ics23::{CommitmentProof, ExistenceProof, HostFunctionsProvider};
use ics23_prost::Message as _;

/// No honest proof is longer, in bytes.
const LONGEST: usize = 1 << 16;

/// One step as a node answers it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ProofOp {
    /// `ics23:iavl`, then `ics23:simple`.
    #[prost(string, tag = "1")]
    pub r#type: String,
    /// The key, then the store's name.
    #[prost(bytes = "vec", tag = "2")]
    pub key: Vec<u8>,
    /// The encoded proof.
    #[prost(bytes = "vec", tag = "3")]
    pub data: Vec<u8>,
}

/// A proof as a node answers it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ProofOps {
    /// The steps, from the key up.
    #[prost(message, repeated, tag = "1")]
    pub ops: Vec<ProofOp>,
}

/// The proof does not show what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store proof does not hold")]
pub struct NotProved;

impl ProofOps {
    /// Whether `key` of `store` has this value under this app hash.
    pub fn verify_value(&self, app_hash: &[u8], store: &str, key: &[u8], value: &[u8]) -> Result<(), NotProved> {
        let [first, second] = self.steps()?;
        let Some(Step::Exist(exists)) = &first.proof else { return Err(NotProved) };
        let root = root_of(exists)?;
        let good = ics23::verify_membership::<Sha256Only>(&first, &ics23::iavl_spec(), &root, key, value);
        if good { reaches(&second, app_hash, store, &root) } else { Err(NotProved) }
    }

    /// Whether `key` of `store` has no value under this app hash.
    pub fn verify_absence(&self, app_hash: &[u8], store: &str, key: &[u8]) -> Result<(), NotProved> {
        let [first, second] = self.steps()?;
        let Some(Step::Nonexist(none)) = &first.proof else { return Err(NotProved) };
        let root = root_of(none.left.as_ref().or(none.right.as_ref()).ok_or(NotProved)?)?;
        let good = ics23::verify_non_membership::<Sha256Only>(&first, &ics23::iavl_spec(), &root, key);
        if good { reaches(&second, app_hash, store, &root) } else { Err(NotProved) }
    }

    fn steps(&self) -> Result<[CommitmentProof; 2], NotProved> {
        let [first, second] = &self.ops[..] else { return Err(NotProved) };
        let read = |op: &ProofOp| {
            let decoded = (op.data.len() <= LONGEST).then(|| CommitmentProof::decode(&op.data[..]));
            decoded.and_then(Result::ok).ok_or(NotProved)
        };
        Ok([read(first)?, read(second)?])
    }
}

fn root_of(proof: &ExistenceProof) -> Result<Vec<u8>, NotProved> {
    ics23::calculate_existence_root::<Sha256Only>(proof).map_err(|_| NotProved)
}

/// Whether a store has this root under the app hash.
fn reaches(proof: &CommitmentProof, app_hash: &[u8], store: &str, root: &[u8]) -> Result<(), NotProved> {
    let app_hash = app_hash.to_vec();
    let good = ics23::verify_membership::<Sha256Only>(proof, &ics23::tendermint_spec(), &app_hash, store.as_bytes(), root);
    if good { Ok(()) } else { Err(NotProved) }
}

/// Hashes for the library. Both kinds of trees here use SHA256; for what neither uses the answer is zeros, under which nothing is proved,
/// since both trees' rules refuse any other hash.
struct Sha256Only;

impl HostFunctionsProvider for Sha256Only {
    fn sha2_256(message: &[u8]) -> [u8; 32] {
        sha256::Hash::hash(message).to_byte_array()
    }

    fn sha2_512(message: &[u8]) -> [u8; 64] {
        sha512::Hash::hash(message).to_byte_array()
    }

    fn sha2_512_truncated(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }

    fn keccak_256(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }

    fn ripemd160(message: &[u8]) -> [u8; 20] {
        ripemd160::Hash::hash(message).to_byte_array()
    }

    fn blake2b_512(_: &[u8]) -> [u8; 64] {
        [0; 64]
    }

    fn blake2s_256(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }

    fn blake3(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }
}
