//! Federation signatures on a block: k of n, under strict encoding rules.

use causeway_vocab::SidechainParams;
use elements::hashes::sha256;
use elements::{BlockExtData, BlockHeader, Script};
use secp256k1_zkp::{Message, PublicKey, SECP256K1, ecdsa};

/// Most keys of one CHECKMULTISIG.
const MAX_KEYS: u8 = 20;
/// The script that anyone satisfies with nothing.
const OP_TRUE: [u8; 1] = [0x51];

/// A bare `k <key>… n CHECKMULTISIG` script with compressed keys, or OP_TRUE, which is 0 of 0: test chains without a federation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multisig {
    /// Signatures needed.
    pub k: u8,
    /// The keys, in script order, which is also the order of signatures.
    pub keys: Vec<PublicKey>,
}

/// Why the signatures of a header do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// The challenge is neither a bare k-of-n nor a version 0 witness script hash. elementsd would run any script, and let any
    /// unknown witness version pass; we refuse.
    #[error("the signing script is of a form this client cannot check")]
    UnsupportedChallenge,
    /// The witness is larger than the signing parameters allow.
    #[error("witness of {size} bytes, limit {limit}")]
    TooLarge {
        /// Serialized size, bytes.
        size: usize,
        /// The limit in force.
        limit: u32,
    },
    /// No witness at all.
    #[error("no signatures")]
    Missing,
    /// The last witness item does not hash to the program in force.
    #[error("witness script of another federation")]
    ForeignScript,
    /// Not exactly the dummy, k signatures and the script.
    #[error("{got} witness items, {want} needed")]
    WrongItemCount {
        /// Items found.
        got: usize,
        /// Items needed.
        want: usize,
    },
    /// The item that CHECKMULTISIG ignores is not empty.
    #[error("the multisig dummy is not empty")]
    DummyNotNull,
    /// A legacy solution that is not a list of minimal pushes.
    #[error("the solution is not a list of minimal pushes")]
    NotPushOnly,
    /// The signature is not strict DER, not low S, or lacks the byte 01.
    #[error("signature {index} is badly encoded")]
    BadEncoding {
        /// Position among the signatures, from 0.
        index: usize,
    },
    /// The signature belongs to none of the keys that are left, in key order.
    #[error("signature {index} is by no member, repeated, or out of order")]
    BadSignature {
        /// Position among the signatures, from 0.
        index: usize,
    },
}

impl Multisig {
    /// Parses the script; `None` when it is anything else, has a key that is no curve point, or more than 20 keys.
    pub fn parse(script: &[u8]) -> Option<Multisig> {
        if script == OP_TRUE {
            return Some(Multisig { k: 0, keys: Vec::new() });
        }
        let (k, mut rest) = read_count(script)?;
        let mut keys = Vec::new();
        while let [33, tail @ ..] = rest {
            let (key, tail) = tail.split_at_checked(33)?;
            keys.push(PublicKey::from_slice(key).ok()?);
            rest = tail;
        }
        let (n, rest) = read_count(rest)?;
        let shape = rest == [elements::opcodes::all::OP_CHECKMULTISIG.into_u8()];
        (shape && usize::from(n) == keys.len() && 1 <= k && k <= n && n <= MAX_KEYS).then_some(Multisig { k, keys })
    }

    /// How many keys there are.
    pub fn n(&self) -> u8 {
        self.keys.len() as u8
    }

    /// The script that [`Multisig::parse`] reads.
    pub fn to_script(&self) -> Script {
        if self.k == 0 {
            return Script::from(OP_TRUE.to_vec());
        }
        let mut builder = elements::script::Builder::new().push_int(self.k.into());
        for key in &self.keys {
            builder = builder.push_slice(&key.serialize());
        }
        builder.push_int(self.n().into()).push_opcode(elements::opcodes::all::OP_CHECKMULTISIG).into_script()
    }

    /// Checks exactly k DER signatures over `digest`, in key order.
    fn verify(&self, digest: [u8; 32], signatures: &[&[u8]]) -> Result<Vec<u8>, SignatureFault> {
        let message = Message::from_digest(digest);
        let mut keys = self.keys.iter().enumerate();
        let mut signers = Vec::new();
        for (index, bytes) in signatures.iter().enumerate() {
            let signature = strict_low_s(bytes).ok_or(SignatureFault::BadEncoding { index })?;
            let (member, _) = keys
                .find(|(_, key)| SECP256K1.verify_ecdsa(&message, &signature, key).is_ok())
                .ok_or(SignatureFault::BadSignature { index })?;
            signers.push(member as u8);
        }
        Ok(signers)
    }
}

/// Reads `OP_1..OP_16`, or the one-byte push that 17 to 20 need.
fn read_count(script: &[u8]) -> Option<(u8, &[u8])> {
    match script {
        [op @ 0x51..=0x60, rest @ ..] => Some((op - 0x50, rest)),
        [1, n @ 17..=MAX_KEYS, rest @ ..] => Some((*n, rest)),
        _ => None,
    }
}

fn strict_low_s(der: &[u8]) -> Option<ecdsa::Signature> {
    let signature = ecdsa::Signature::from_der(der).ok()?;
    let mut low = signature;
    low.normalize_s();
    // Writing it again catches every superfluous byte.
    (low == signature && signature.serialize_der().as_ref() == der).then_some(signature)
}

/// Which members signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signers {
    /// The script that was satisfied.
    pub multisig: Multisig,
    /// Positions of the keys that signed, ascending.
    pub members: Vec<u8>,
}

/// Verifies the signatures of a header against `challenge`: a bare k-of-n script for a header without dynafed parameters, a P2WSH
/// script otherwise. `limit` bounds the solution or serialized witness, bytes.
///
/// Needs no other header, so headers can be checked in parallel before they are linked. Source: block_proof.cpp and
/// script/generic.hpp of Elements: the message is the block hash itself; dynafed signatures end in 01, legacy ones in nothing.
pub fn verify_signatures(header: &BlockHeader, challenge: &Script, limit: u32) -> Result<Signers, SignatureFault> {
    let digest = header.block_hash().to_byte_array();
    match &header.ext {
        BlockExtData::Proof { solution, .. } => {
            check_size(solution.len(), limit)?;
            let multisig = Multisig::parse(challenge.as_bytes()).ok_or(SignatureFault::UnsupportedChallenge)?;
            let pushes = pushes(solution)?;
            let signatures = split_stack(&multisig, pushes.iter().map(Vec::as_slice).collect())?;
            let members = multisig.verify(digest, &signatures)?;
            Ok(Signers { multisig, members })
        }
        BlockExtData::Dynafed { signblock_witness, .. } => {
            check_size(elements::encode::serialize(signblock_witness).len(), limit)?;
            if !challenge.is_v0_p2wsh() {
                return Err(SignatureFault::UnsupportedChallenge);
            }
            let (script, stack) = signblock_witness.split_last().ok_or(SignatureFault::Missing)?;
            if sha256::Hash::hash(script).as_byte_array()[..] != challenge.as_bytes()[2..] {
                return Err(SignatureFault::ForeignScript);
            }
            let multisig = Multisig::parse(script).ok_or(SignatureFault::UnsupportedChallenge)?;
            let stack = split_stack(&multisig, stack.iter().map(Vec::as_slice).collect())?;
            let mut signatures = Vec::new();
            for (index, item) in stack.into_iter().enumerate() {
                // 01 is SIGHASH_ALL; the hash does not commit to it, so nothing else may stand there.
                signatures.push(item.strip_suffix(&[1]).ok_or(SignatureFault::BadEncoding { index })?);
            }
            let members = multisig.verify(digest, &signatures)?;
            Ok(Signers { multisig, members })
        }
    }
}

/// Verifies the signatures of a header under the signing script that the header itself claims to be current, or that of `params`
/// before dynafed. That the claim is right is for [`super::header::HeaderState::next_unsigned`] to say.
pub fn verify_own_signatures(header: &BlockHeader, params: &SidechainParams) -> Result<Signers, SignatureFault> {
    match header.dynafed_current() {
        None => verify_signatures(header, &params.signblockscript, params.genesis_max_block_witness),
        Some(current) => match (current.signblockscript(), current.signblock_witness_limit()) {
            (Some(script), Some(limit)) => verify_signatures(header, script, limit),
            _ => Err(SignatureFault::UnsupportedChallenge),
        },
    }
}

fn check_size(size: usize, limit: u32) -> Result<(), SignatureFault> {
    if size > limit as usize { Err(SignatureFault::TooLarge { size, limit }) } else { Ok(()) }
}

/// Takes the dummy off and leaves exactly k signatures.
fn split_stack<'a>(multisig: &Multisig, stack: Vec<&'a [u8]>) -> Result<Vec<&'a [u8]>, SignatureFault> {
    if multisig.k == 0 && stack.is_empty() {
        return Ok(stack);
    }
    let want = usize::from(multisig.k) + usize::from(multisig.k > 0);
    match stack.split_first() {
        None => Err(SignatureFault::Missing),
        Some(_) if stack.len() != want => Err(SignatureFault::WrongItemCount { got: stack.len(), want }),
        Some(([], signatures)) => Ok(signatures.to_vec()),
        Some(_) => Err(SignatureFault::DummyNotNull),
    }
}

fn pushes(script: &Script) -> Result<Vec<Vec<u8>>, SignatureFault> {
    script
        .instructions_minimal()
        .map(|instruction| match instruction {
            Ok(elements::script::Instruction::PushBytes(bytes)) => Ok(bytes.to_vec()),
            _ => Err(SignatureFault::NotPushOnly),
        })
        .collect()
}
