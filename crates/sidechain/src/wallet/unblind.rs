//! Opening what was paid to us.

use super::descriptor::KeyPath;
use causeway_vocab::Opening;
use elements::confidential::{Asset, AssetBlindingFactor, Value, ValueBlindingFactor};
use elements::{AssetId, OutPoint, RangeProof, RangeProofMessage, Script, TxIn, TxOut};
use secp256k1_zkp::{Generator, PedersenCommitment, SECP256K1, SecretKey};

/// Something that our keys may open: an output that pays one of our scripts, or an amount that we issued.
///
/// Independent of the wallet and `Send`, so that a caller can open many at once; each costs one rewind of a range proof, or nothing
/// when it is explicit.
#[derive(Debug, Clone)]
pub struct Candidate {
    place: Place,
    found: Found,
}

#[derive(Debug, Clone)]
enum Found {
    /// Everybody can read it.
    Explicit(Opening),
    /// Nobody can: a hidden asset without a range proof that tells it.
    Unreadable,
    Hidden(Box<Hidden>),
}

#[derive(Debug, Clone)]
struct Hidden {
    /// Our private blinding key; the shared secret itself when there is no nonce.
    key: SecretKey,
    nonce: elements::confidential::Nonce,
    asset: Asset,
    value: PedersenCommitment,
    proof: RangeProof,
    script: Script,
}

/// Which amount of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// An output, and where its script is derived.
    Output(OutPoint, KeyPath),
    /// The asset amount issued by the input that spends this outpoint.
    Issued(OutPoint),
    /// The reissuance tokens issued by that input.
    Tokens(OutPoint),
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Which.
    pub place: Place,
    /// What it holds; `None` when it was blinded to a stranger's key. Checked against both commitments.
    pub opening: Option<Opening>,
}

impl Candidate {
    /// An output that pays the script at `path`; `key` derives its private blinding key and is asked only when something is hidden.
    pub(crate) fn output(outpoint: OutPoint, path: KeyPath, output: &TxOut, key: impl FnOnce() -> SecretKey) -> Candidate {
        let place = Place::Output(outpoint, path);
        let found = match (output.asset, output.value) {
            (Asset::Explicit(asset), Value::Explicit(value)) => Found::Explicit(explicit(asset, value)),
            (asset @ (Asset::Explicit(_) | Asset::Confidential(_)), Value::Confidential(value)) => {
                Found::Hidden(Box::new(Hidden {
                    key: key(),
                    nonce: output.nonce,
                    asset,
                    value,
                    proof: output.witness.rangeproof.clone(),
                    script: output.script_pubkey.clone(),
                }))
            }
            _ => Found::Unreadable,
        };
        Candidate { place, found }
    }

    /// The hidden amounts that an input issues; explicit ones are read from the transaction and are no candidates.
    pub(crate) fn issuance(input: &TxIn, key: impl Fn() -> SecretKey) -> impl Iterator<Item = Candidate> {
        let (asset, token) = input.issuance_ids();
        let issuance = &input.asset_issuance;
        let prevout = input.previous_output;
        let amounts = [
            (Place::Issued(prevout), asset, issuance.amount, &input.witness.amount_rangeproof),
            (Place::Tokens(prevout), token, issuance.inflation_keys, &input.witness.inflation_keys_rangeproof),
        ];
        amounts.into_iter().filter_map(move |(place, asset, value, proof)| {
            let hidden = Hidden {
                key: key(),
                nonce: elements::confidential::Nonce::Null,
                asset: Asset::Explicit(asset),
                value: value.commitment()?,
                proof: proof.clone(),
                script: Script::new(),
            };
            Some(Candidate { place, found: Found::Hidden(Box::new(hidden)) })
        })
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Opens it. Pure.
    pub fn open(self) -> Opened {
        let opening = match self.found {
            Found::Explicit(opening) => Some(opening),
            Found::Unreadable => None,
            Found::Hidden(hidden) => hidden.open(),
        };
        Opened { place: self.place, opening }
    }
}

impl Hidden {
    /// Rewinds the range proof, which proves the value's commitment, and checks the asset that its message names against the asset's
    /// commitment: a payer could otherwise make a worthless asset look like another one.
    fn open(&self) -> Option<Opening> {
        let secret = if self.nonce.is_null() { self.key } else { self.nonce.shared_secret(&self.key)? };
        let generator: Generator = self.asset.into_asset_gen(SECP256K1)?;
        let (opened, _) = self.proof.as_ref()?.rewind(SECP256K1, self.value, secret, self.script.as_bytes(), generator).ok()?;
        let message: [u8; 64] = opened.message.get(..64)?.try_into().ok()?;
        let message = RangeProofMessage::from_byte_array(SECP256K1, message, &self.asset).ok()?;
        let value_bf = ValueBlindingFactor::from_slice(opened.blinding_factor.as_ref()).ok()?;
        Some(Opening { asset: *message.asset_id(), asset_bf: *message.blinding_factor(), value: opened.value, value_bf })
    }
}

/// The opening of an explicit output: both factors are zero.
pub(crate) fn explicit(asset: AssetId, value: u64) -> Opening {
    Opening { asset, asset_bf: AssetBlindingFactor::zero(), value, value_bf: ValueBlindingFactor::zero() }
}

/// What a private blinding key reads in an output; `None` when it was blinded to another key. Explicit outputs open to anybody.
pub fn open(output: &TxOut, key: SecretKey) -> Option<Opening> {
    let anywhere = KeyPath { chain: super::Chain::External, index: 0 };
    Candidate::output(OutPoint::null(), anywhere, output, || key).open().opening
}

/// The commitments to an opening: of its asset, and of its value.
///
/// # Panics
/// When value and value factor are both zero: the point at infinity is no commitment.
pub fn commitments(opening: &Opening) -> (Generator, PedersenCommitment) {
    let generator = Generator::new_blinded(SECP256K1, opening.asset.into_tag(), opening.asset_bf.into_inner());
    (generator, PedersenCommitment::new(SECP256K1, opening.value, opening.value_bf.into_inner(), generator))
}

/// Whether an opening is that of an output: both commitments are computed again.
pub fn opens(opening: &Opening, output: &TxOut) -> bool {
    let generator = Generator::new_blinded(SECP256K1, opening.asset.into_tag(), opening.asset_bf.into_inner());
    let asset_holds = match output.asset {
        Asset::Null => false,
        Asset::Explicit(asset) => asset == opening.asset && opening.asset_bf == AssetBlindingFactor::zero(),
        Asset::Confidential(claimed) => claimed == generator,
    };
    let value_holds = match output.value {
        Value::Null => false,
        Value::Explicit(value) => value == opening.value && opening.value_bf == ValueBlindingFactor::zero(),
        // The point at infinity is no commitment, and nothing to compute one from.
        Value::Confidential(_) if opening.value == 0 && opening.value_bf == ValueBlindingFactor::zero() => false,
        Value::Confidential(claimed) => claimed == commitments(opening).1,
    };
    asset_holds && value_holds
}

#[cfg(test)]
mod tests;
