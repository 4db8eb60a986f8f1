//! Offers to swap: a coin for an amount of something else, signed by its owner, to be completed by whoever takes it. The file is that of
//! LiquiDEX, version 1.
//!
//! An offer is a transaction of one input and one output whose signature covers just these two. Whoever takes it adds what balances it: the
//! amount that is asked for, an output for what the coin holds, change and fee. The owner tells asset blinding factors and amounts with
//! proofs, and one number by which both sides' value blinding factors balance, but not the factors themselves.

use super::descriptor::{Chain, KeyPath};
use super::state::{Changes, Coin, SidechainWallet};
use super::unblind::commitments;
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use causeway_vocab::{Code, Opening, Refusal, SidechainDraft};
use elements::confidential::{Asset, AssetBlindingFactor, Nonce, Value, ValueBlindingFactor};
use elements::pset::PartiallySignedTransaction as Pset;
use elements::{
    AssetId, EcdsaSighashType, LockTime, OutPoint, RangeProof, RangeProofMessage, Sequence, SurjectionProof, Transaction, TxIn,
    TxOut, TxOutWitness,
};
use elements_miniscript::psbt::{PsbtInputExt as _, PsbtOutputExt as _};
use rand::{CryptoRng, RngCore};
use secp256k1_zkp::{Generator, PedersenCommitment, SECP256K1, Tweak, ZERO_TWEAK, verify_commitments_sum_to_equal};
use serde::{Deserialize, Serialize};

/// Longest offer that is read, bytes: one range proof in hex is nine tenths of it.
pub const MAX_OFFER: usize = 64 * 1024;

/// One side of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The asset.
    pub asset: AssetId,
    /// Its asset blinding factor.
    pub asset_bf: AssetBlindingFactor,
    /// Atoms.
    pub value: u64,
    /// Proof that the commitment holds just this value.
    pub proof: RangeProof,
}

/// An offer. What it says is a claim until [`Offer::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    tx: Transaction,
    /// What its maker gives: the whole coin.
    pub gives: Side,
    /// What its maker gets.
    pub gets: Side,
    /// Blinding of the coin, less that of the output.
    scalar: Tweak,
}

/// Why an offer is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferFault {
    /// Not the format, or another version.
    #[error("no offer")]
    Malformed,
    /// Not one input and one output with a signature for just these.
    #[error("the signature covers something else")]
    Shape,
    /// The transaction of the coin is another one, or has no such output.
    #[error("the coin is another one")]
    Coin,
    /// The coin does not hold what the offer says.
    #[error("the coin holds something else")]
    Gives,
    /// The output does not hold what the offer says.
    #[error("the output holds something else")]
    Gets,
    /// No transaction could balance it.
    #[error("the blinding does not balance")]
    Blinding,
}

impl From<OfferFault> for Refusal {
    fn from(fault: OfferFault) -> Refusal {
        let why = match fault {
            OfferFault::Malformed => return Code::BadDraft.into(),
            OfferFault::Shape => "signature",
            OfferFault::Coin => "previous-output",
            OfferFault::Gives => "input-amount",
            OfferFault::Gets => "output-amount",
            OfferFault::Blinding => "blinding",
        };
        Refusal::new(Code::DraftLies).with("why", why)
    }
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    tx: String,
    inputs: Vec<FileSide>,
    outputs: Vec<FileSide>,
    scalars: Vec<Tweak>,
}

#[derive(Serialize, Deserialize)]
struct FileSide {
    asset: AssetId,
    asset_blinder: AssetBlindingFactor,
    satoshi: u64,
    /// Hex.
    blind_value_proof: String,
}

impl FileSide {
    fn of(side: &Side) -> FileSide {
        let Side { asset, asset_bf, value, proof } = side;
        let blind_value_proof = proof.to_vec().to_lower_hex_string();
        FileSide { asset: *asset, asset_blinder: *asset_bf, satoshi: *value, blind_value_proof }
    }

    fn read(self) -> Option<Side> {
        let proof = RangeProof::from_slice(&Vec::<u8>::from_hex(&self.blind_value_proof).ok()?).ok()?;
        Some(Side { asset: self.asset, asset_bf: self.asset_blinder, value: self.satoshi, proof })
    }
}

impl Side {
    fn generator(&self) -> Generator {
        Generator::new_blinded(SECP256K1, self.asset.into_tag(), self.asset_bf.into_inner())
    }

    /// Whether an output's commitments hold just this.
    fn is_of(&self, output: &TxOut) -> bool {
        let (Asset::Confidential(asset), Value::Confidential(value)) = (output.asset, output.value) else { return false };
        self.value > 0 && asset == self.generator() && self.proof.blind_value_proof_verify(SECP256K1, self.value, asset, value)
    }
}

impl Offer {
    /// Reads an offer. Only its shape is checked. Bounded and total.
    pub fn parse(text: &str) -> Result<Offer, OfferFault> {
        if text.len() > MAX_OFFER {
            return Err(OfferFault::Malformed);
        }
        let file: File = serde_json::from_str(text).map_err(|_| OfferFault::Malformed)?;
        let bytes = Vec::<u8>::from_hex(&file.tx).map_err(|_| OfferFault::Malformed)?;
        let tx: Transaction = elements::encode::deserialize(&bytes).map_err(|_| OfferFault::Malformed)?;
        let one = |sides: Vec<FileSide>| <[FileSide; 1]>::try_from(sides).ok().and_then(|[side]| side.read());
        let (gives, gets) = one(file.inputs).zip(one(file.outputs)).ok_or(OfferFault::Malformed)?;
        let [scalar] = file.scalars[..] else { return Err(OfferFault::Malformed) };
        if file.version != 1 {
            return Err(OfferFault::Malformed);
        }
        let offer = Offer { tx, gives, gets, scalar };
        if offer.is_well_formed() { Ok(offer) } else { Err(OfferFault::Shape) }
    }

    /// Writes the offer as its file.
    pub fn to_text(&self) -> String {
        let file = File {
            version: 1,
            tx: elements::encode::serialize(&self.tx).to_lower_hex_string(),
            inputs: vec![FileSide::of(&self.gives)],
            outputs: vec![FileSide::of(&self.gets)],
            scalars: vec![self.scalar],
        };
        serde_json::to_string(&file).expect("BUG: an offer has no value that JSON lacks")
    }

    fn is_well_formed(&self) -> bool {
        let ([input], [output]) = (&self.tx.input[..], &self.tx.output[..]) else { return false };
        let signature = input.witness.script_witness.iter().next();
        let single = EcdsaSighashType::SinglePlusAnyoneCanPay.as_u32();
        self.tx.lock_time == LockTime::ZERO
            && self.tx.version == 2
            && !input.is_pegin
            && !input.has_issuance()
            && input.witness.pegin_witness.is_empty()
            && signature.and_then(|signature| signature.last()).is_some_and(|kind| u32::from(*kind) == single)
            && matches!(output.nonce, Nonce::Confidential(_))
            && !output.witness.rangeproof.is_empty()
            && !output.script_pubkey.is_empty()
    }

    /// The coin that is offered.
    pub fn coin(&self) -> OutPoint {
        self.tx.input[0].previous_output
    }

    /// The input with its signature, as its maker made it.
    pub(crate) fn input(&self) -> &TxIn {
        &self.tx.input[0]
    }

    /// The output to its maker, without a surjection proof.
    pub(crate) fn output(&self) -> &TxOut {
        &self.tx.output[0]
    }

    /// What [`Plan`](super::Plan)s add to the blinding of the taker's side.
    pub(crate) fn scalar(&self) -> Tweak {
        self.scalar
    }

    /// Whether the output to its maker holds what the offer says. Needs nothing but the offer; [`Offer::check`] covers it.
    pub fn pays_as_said(&self) -> bool {
        self.gets.is_of(self.output())
    }

    /// Whether the offer is true of the transaction that made the coin: assets and amounts are what it says, and it can be balanced. Gives the
    /// coin's output, without proofs. Whether the coin is still unspent, only the chain tells; whether the signature holds is checked with the finished
    /// transaction.
    pub fn check(&self, made_by: &Transaction) -> Result<TxOut, OfferFault> {
        let coin = self.coin();
        let output = usize::try_from(coin.vout).ok().and_then(|vout| made_by.output.get(vout));
        let output = output.filter(|_| made_by.txid() == coin.txid).ok_or(OfferFault::Coin)?;
        if !self.gives.is_of(output) {
            return Err(OfferFault::Gives);
        }
        if !self.pays_as_said() {
            return Err(OfferFault::Gets);
        }
        // coin + gets = output + gives + scalar, all blinding aside: then what is left to balance is the scalar alone.
        let plain = |side: &Side| {
            let generator = Generator::new_unblinded(SECP256K1, side.asset.into_tag());
            PedersenCommitment::new_unblinded(SECP256K1, side.value, generator)
        };
        let (Some(given), Some(got)) = (output.value.commitment(), self.output().value.commitment()) else {
            return Err(OfferFault::Blinding);
        };
        let mut right = vec![got, plain(&self.gives)];
        if self.scalar != ZERO_TWEAK {
            let any = Generator::new_unblinded(SECP256K1, self.gives.asset.into_tag());
            right.push(PedersenCommitment::new(SECP256K1, 0, self.scalar, any));
        }
        if !verify_commitments_sum_to_equal(SECP256K1, &[given, plain(&self.gets)], &right) {
            return Err(OfferFault::Blinding);
        }
        Ok(TxOut { witness: TxOutWitness::empty(), ..output.clone() })
    }
}

/// An offer that waits for its owner's signature.
pub struct Draft {
    /// To be checked and signed by the keys.
    pub draft: SidechainDraft,
    /// To be absorbed and written when it is used: its address is now handed out.
    pub changes: Changes,
}

/// Drafts an offer of a whole coin for an amount of another asset, to be paid to a fresh address of the wallet.
///
/// Refused with `CoinUnavailable` when the coin cannot be spent or its amount is not hidden, and with `BadAmount` when nothing, or the same asset, is
/// asked for.
pub fn draft(
    wallet: &SidechainWallet,
    coin: &Coin,
    asset: AssetId,
    value: u64,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Draft, Refusal> {
    if !coin.spendable || coin.height.is_none() || !coin.output.asset.is_confidential() || !coin.output.value.is_confidential() {
        return Err(Refusal::new(Code::CoinUnavailable).with("outpoint", coin.outpoint));
    }
    if value == 0 || value > crate::consensus::MAX_MONEY || asset == coin.opening.asset {
        return Err(Refusal::new(Code::BadAmount).with("precision", 8));
    }
    let account = wallet.account();
    let chain = account.chain(Chain::External);
    let path = KeyPath { chain, index: wallet.revealed(chain) };
    let to = account.derive(path).ok_or(Code::CoinUnavailable)?;
    let definite = |path| account.definite(path).ok_or(Code::CoinUnavailable);
    let (at, from) = (definite(path)?, definite(coin.path)?);
    let opening = Opening { asset, asset_bf: AssetBlindingFactor::new(rng), value, value_bf: ValueBlindingFactor::new(rng) };
    let (generator, commitment) = commitments(&opening);
    let (nonce, secret) = Nonce::new_confidential(rng, SECP256K1, &to.blinding_key);
    let rangeproof = RangeProof::new(
        SECP256K1,
        TxOut::RANGEPROOF_MIN_VALUE,
        commitment,
        value,
        opening.value_bf.into_inner(),
        &RangeProofMessage::new(asset, opening.asset_bf).to_byte_array(),
        to.script.as_bytes(),
        secret,
        TxOut::RANGEPROOF_EXP_SHIFT,
        TxOut::RANGEPROOF_MIN_PRIV_BITS,
        generator,
    );
    let output = TxOut {
        asset: Asset::Confidential(generator),
        value: Value::Confidential(commitment),
        nonce,
        script_pubkey: to.script.clone(),
        witness: TxOutWitness {
            surjection_proof: SurjectionProof::EMPTY,
            rangeproof: rangeproof.expect("BUG: the amount was just committed to"),
        },
    };
    let input = TxIn { previous_output: coin.outpoint, sequence: Sequence::ENABLE_LOCKTIME_NO_RBF, ..TxIn::default() };
    let tx = Transaction { version: 2, lock_time: LockTime::ZERO, input: vec![input], output: vec![output] };
    let mut pset = Pset::from_tx(tx);
    let known = "BUG: hardened steps are refused when a descriptor is read";
    let spent = &mut pset.inputs_mut()[0];
    spent.final_script_sig = None;
    spent.final_script_witness = None;
    spent.witness_utxo = Some(coin.output.clone());
    spent.sighash_type = Some(EcdsaSighashType::SinglePlusAnyoneCanPay.into());
    spent.update_with_descriptor_unchecked(&from).expect(known);
    let made = &mut pset.outputs_mut()[0];
    // No blinding key: it would ask for a surjection proof, which only whoever takes the offer can make.
    made.update_with_descriptor_unchecked(&at).expect(known);
    let mut revealed = Chain::BOTH.map(|chain| wallet.revealed(chain));
    for (of, next) in Chain::BOTH.iter().zip(&mut revealed) {
        if *of == chain {
            *next += 1;
        }
    }
    let draft = SidechainDraft { pset, inputs: vec![coin.opening], outputs: vec![Some(opening)] };
    Ok(Draft { draft, changes: Changes { revealed, ..Changes::default() } })
}

/// The offer that a signed draft of [`draft`] makes. `None` when it is not one, or not signed.
pub fn finish(draft: &SidechainDraft, rng: &mut (impl RngCore + CryptoRng)) -> Option<Offer> {
    let tx = draft.pset.extract_tx().ok()?;
    let ([given], [Some(got)]) = (&draft.inputs[..], &draft.outputs[..]) else { return None };
    let terms = |opening: &Opening| (opening.value, opening.asset_bf, opening.value_bf);
    let mut side = |opening: &Opening| {
        let (generator, commitment) = commitments(opening);
        let proof = RangeProof::blind_value_proof(rng, SECP256K1, opening.value, commitment, generator, opening.value_bf).ok()?;
        Some(Side { asset: opening.asset, asset_bf: opening.asset_bf, value: opening.value, proof })
    };
    let (gives, gets) = (side(given)?, side(got)?);
    // The factor that an amount without asset blinding would need to balance the two is the difference of their blinding.
    let scalar = ValueBlindingFactor::last(SECP256K1, 1, AssetBlindingFactor::zero(), &[terms(given)], &[terms(got)]);
    let offer = Offer { tx, gives, gets, scalar: scalar.into_inner() };
    offer.is_well_formed().then_some(offer)
}

#[cfg(test)]
mod tests;
