//! Confidential verification of a transaction: nothing hidden may create value.
//!
//! The library's own check skips the range proofs of issuances; this one does not, and keeps no cache: a cache keyed without lengths
//! let an invalid range proof into a signed block of a real network in 2026.

use super::MAX_MONEY;
use super::issuance;
use elements::confidential::{Asset, RangeProof, Value};
use elements::hashes::{HashEngine as _, sha256};
use elements::{AssetId, AssetIssuance, Script, Transaction, TxIn, TxOut};
use secp256k1_zkp::{Generator, PedersenCommitment, SECP256K1, Tweak, verify_commitments_sum_to_equal};
use std::collections::BTreeMap;

/// Scripts longer than this cannot be run, so their outputs are unspendable.
const MAX_SCRIPT_SIZE: usize = 10_000;

/// Where a proof stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Input with this index.
    Input(usize),
    /// The asset amount issued by the input with this index.
    Issuance(usize),
    /// The reissuance tokens issued by the input with this index.
    Tokens(usize),
    /// Output with this index.
    Output(usize),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Input(i) => write!(f, "input {i}"),
            Place::Issuance(i) => write!(f, "issuance of input {i}"),
            Place::Tokens(i) => write!(f, "reissuance tokens of input {i}"),
            Place::Output(i) => write!(f, "output {i}"),
        }
    }
}

/// Why a transaction is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// `spent` must hold one output per input.
    #[error("{got} spent outputs for {want} inputs")]
    SpentCount {
        /// Outputs given.
        got: usize,
        /// Inputs there are.
        want: usize,
    },
    /// A null asset or value where there must be one.
    #[error("{0}: null asset or value")]
    Null(Place),
    /// An explicit amount, or a sum of them, above [`super::MAX_MONEY`].
    #[error("{0}: amount out of range")]
    OutOfRange(Place),
    /// Explicit zero in an output that could be spent, or in an issuance.
    #[error("{0}: zero amount")]
    Zero(Place),
    /// A proof for an explicit value or asset.
    #[error("{0}: a proof that proves nothing")]
    NeedlessProof(Place),
    /// No range proof for a confidential value.
    #[error("{0}: range proof missing")]
    MissingRangeProof(Place),
    /// The range proof does not hold.
    #[error("{0}: range proof invalid")]
    RangeProof(Place),
    /// No surjection proof for a confidential asset.
    #[error("{0}: surjection proof missing")]
    MissingSurjectionProof(Place),
    /// The surjection proof does not hold.
    #[error("{0}: surjection proof invalid")]
    SurjectionProof(Place),
    /// The spent coin is not the reissuance token that the reissuance needs.
    #[error("{0}: not the reissuance token")]
    NotTheToken(Place),
    /// A reissuance that also makes tokens.
    #[error("{0}: a reissuance cannot make tokens")]
    TokensInReissuance(Place),
    /// An issuance in a transaction without any witness.
    #[error("{0}: an issuance needs a witness")]
    IssuanceWithoutWitness(Place),
    /// Inputs and outputs do not balance.
    #[error("inputs and outputs do not balance")]
    Unbalanced,
    /// A fee output of zero, or fees above the supply.
    #[error("{0}: fee out of range")]
    Fee(Place),
}

/// Under what a verdict on a transaction may be remembered: a hash of everything that [`verify`] looks at.
///
/// The id does not do: it does not commit to proofs. Neither do the proofs' bytes one behind the other: cut elsewhere they are other proofs.
/// Here the whole transaction is hashed as it is serialized, where a length stands before every proof, behind its own length; what
/// it spends follows from the outpoints in it.
pub fn key(tx: &Transaction) -> [u8; 32] {
    let bytes = elements::encode::serialize(tx);
    let mut engine = sha256::Hash::engine();
    engine.input(b"causeway/proofs");
    engine.input(&(bytes.len() as u64).to_le_bytes());
    engine.input(&bytes);
    sha256::Hash::from_engine(engine).to_byte_array()
}

/// Verifies range proofs, surjection proofs, issuance proofs and the balance of a transaction that is not a coinbase.
///
/// `spent[i]` is the output that input `i` spends; for a peg-in what [`super::pegin::PeginWitness::claimed_output`] gives. Returns the
/// fees by asset. Source: VerifyAmounts and HasValidFee in confidential_validation.cpp of Elements. Costs about 3 ms per confidential
/// output.
pub fn verify(tx: &Transaction, spent: &[TxOut], policy_asset: AssetId) -> Result<BTreeMap<AssetId, u64>, ProofFault> {
    if spent.len() != tx.input.len() {
        return Err(ProofFault::SpentCount { got: spent.len(), want: tx.input.len() });
    }
    let fees = fees(tx)?;
    // Inputs and issuances in order: what surjection proofs may point at.
    let mut domain = Vec::new();
    let mut commitments_in = Vec::new();
    for (index, (input, coin)) in tx.input.iter().zip(spent).enumerate() {
        let generator = generator(&coin.asset, Place::Input(index))?;
        domain.push(generator);
        commitments_in.push(commitment(&coin.value, generator, Place::Input(index))?);
        if !input.asset_issuance.is_null() {
            if !tx.has_witness() {
                return Err(ProofFault::IssuanceWithoutWitness(Place::Input(index)));
            }
            for (generator, commitment) in issued(index, input, coin, policy_asset)? {
                domain.push(generator);
                commitments_in.push(commitment);
            }
        }
    }
    let mut commitments_out = Vec::new();
    let mut explicit_total = 0u64;
    for (index, output) in tx.output.iter().enumerate() {
        let place = Place::Output(index);
        let generator = generator(&output.asset, place)?;
        if let Value::Explicit(value) = output.value {
            explicit_total = explicit_total.saturating_add(value);
            if explicit_total > MAX_MONEY {
                return Err(ProofFault::OutOfRange(place));
            }
            if value == 0 && is_unspendable(&output.script_pubkey) {
                continue;
            }
        }
        commitments_out.push(commitment(&output.value, generator, place)?);
    }
    if !verify_commitments_sum_to_equal(SECP256K1, &commitments_in, &commitments_out) {
        return Err(ProofFault::Unbalanced);
    }
    for (index, output) in tx.output.iter().enumerate() {
        let place = Place::Output(index);
        let generator = generator(&output.asset, place)?;
        check_range(&output.value, &output.witness.rangeproof, generator, &output.script_pubkey, place)?;
        check_surjection(output, generator, &domain, place)?;
    }
    Ok(fees)
}

/// Whether nothing can ever spend an output with this script: OP_RETURN, too long to run, or empty as a fee's.
pub fn is_unspendable(script: &Script) -> bool {
    script.is_op_return() || script.len() > MAX_SCRIPT_SIZE || script.is_empty()
}

/// Fees by asset; none may be zero.
fn fees(tx: &Transaction) -> Result<BTreeMap<AssetId, u64>, ProofFault> {
    let mut fees = BTreeMap::new();
    for (index, output) in tx.output.iter().enumerate() {
        let (true, Value::Explicit(value), Asset::Explicit(asset)) =
            (output.script_pubkey.is_empty(), output.value, output.asset)
        else {
            continue;
        };
        let total: &mut u64 = fees.entry(asset).or_default();
        *total = total.saturating_add(value);
        if value == 0 || *total > MAX_MONEY {
            return Err(ProofFault::Fee(Place::Output(index)));
        }
    }
    Ok(fees)
}

/// Generators and commitments of what an input issues: the asset first, then the reissuance tokens.
fn issued(
    index: usize,
    input: &TxIn,
    coin: &TxOut,
    policy_asset: AssetId,
) -> Result<Vec<(Generator, PedersenCommitment)>, ProofFault> {
    let AssetIssuance { asset_blinding_nonce, amount, inflation_keys, .. } = &input.asset_issuance;
    let Some(ids) = issuance::ids_of(input) else { return Ok(Vec::new()) };
    if ids.is_reissuance {
        let not_the_token = ProofFault::NotTheToken(Place::Input(index));
        let blinder = Tweak::from_inner(asset_blinding_nonce.to_byte_array()).map_err(|_| not_the_token)?;
        let token = Generator::new_blinded(SECP256K1, ids.token.into_tag(), blinder);
        if coin.asset != Asset::Confidential(token) {
            return Err(not_the_token);
        }
        if !inflation_keys.is_null() {
            return Err(ProofFault::TokensInReissuance(Place::Tokens(index)));
        }
    }
    let proofs = (&input.witness.amount_rangeproof, &input.witness.inflation_keys_rangeproof);
    let mut made = Vec::new();
    for (value, proof, asset, place) in
        [(amount, proofs.0, ids.asset, Place::Issuance(index)), (inflation_keys, proofs.1, ids.token, Place::Tokens(index))]
    {
        if value.is_null() {
            continue;
        }
        if let Value::Explicit(amount) = *value {
            // Other assets than the pegged one may exceed the supply of bitcoin; the wire type is signed, though (ELIP-203).
            let most = if asset == policy_asset { MAX_MONEY } else { i64::MAX as u64 };
            if amount > most {
                return Err(ProofFault::OutOfRange(place));
            }
        }
        let generator = Generator::new_unblinded(SECP256K1, asset.into_tag());
        check_range(value, proof, generator, &Script::new(), place)?;
        made.push((generator, unbounded_commitment(value, generator, place)?));
    }
    Ok(made)
}

fn generator(asset: &Asset, place: Place) -> Result<Generator, ProofFault> {
    asset.into_asset_gen(SECP256K1).ok_or(ProofFault::Null(place))
}

/// The value's commitment; explicit values must be in the range of money.
fn commitment(value: &Value, generator: Generator, place: Place) -> Result<PedersenCommitment, ProofFault> {
    if value.explicit().is_some_and(|value| value > MAX_MONEY) {
        return Err(ProofFault::OutOfRange(place));
    }
    unbounded_commitment(value, generator, place)
}

fn unbounded_commitment(value: &Value, generator: Generator, place: Place) -> Result<PedersenCommitment, ProofFault> {
    match *value {
        Value::Null => Err(ProofFault::Null(place)),
        Value::Explicit(0) => Err(ProofFault::Zero(place)),
        Value::Explicit(value) => Ok(PedersenCommitment::new_unblinded(SECP256K1, value, generator)),
        Value::Confidential(commitment) => Ok(commitment),
    }
}

fn check_range(value: &Value, proof: &RangeProof, generator: Generator, script: &Script, place: Place) -> Result<(), ProofFault> {
    match (value, proof.as_ref()) {
        (Value::Null, _) => Err(ProofFault::Null(place)),
        (Value::Explicit(_), None) => Ok(()),
        (Value::Explicit(_), Some(_)) => Err(ProofFault::NeedlessProof(place)),
        (Value::Confidential(_), None) => Err(ProofFault::MissingRangeProof(place)),
        (Value::Confidential(commitment), Some(proof)) => proof
            .verify(SECP256K1, *commitment, script.as_bytes(), generator)
            .map(|_| ())
            .map_err(|_| ProofFault::RangeProof(place)),
    }
}

fn check_surjection(output: &TxOut, generator: Generator, domain: &[Generator], place: Place) -> Result<(), ProofFault> {
    match (&output.asset, output.witness.surjection_proof.as_ref()) {
        (Asset::Null, _) => Err(ProofFault::Null(place)),
        (Asset::Explicit(_), None) => Ok(()),
        (Asset::Explicit(_), Some(_)) => Err(ProofFault::NeedlessProof(place)),
        (Asset::Confidential(_), None) => Err(ProofFault::MissingSurjectionProof(place)),
        (Asset::Confidential(_), Some(proof)) => {
            if proof.verify(SECP256K1, generator, domain) {
                Ok(())
            } else {
                Err(ProofFault::SurjectionProof(place))
            }
        }
    }
}

#[cfg(test)]
#[path = "proofs_tests.rs"]
mod tests;
