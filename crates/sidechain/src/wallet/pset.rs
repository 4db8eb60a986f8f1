//! PSETs that leave the app and come back.

use super::state::SidechainWallet;
use super::unblind::{Candidate, explicit, opens};
use crate::consensus::contract::Contract;
use crate::consensus::issuance;
use crate::consensus::pegin::PeginWitness;
use crate::consensus::script;
use bitcoin::hex::FromHex as _;
use causeway_vocab::{Code, Opening, Refusal, SidechainDraft};
use elements::confidential::{Asset, AssetBlindingFactor, Value, ValueBlindingFactor};
use elements::pset::elip100::{AssetMetadata, TokenMetadata};
use elements::pset::raw::ProprietaryKey;
use elements::pset::{Input, Output, PartiallySignedTransaction as Pset};
use elements::{
    AssetId, BlockHash, EcdsaSighashType, OutPoint, RangeProof, Script, SurjectionProof, Transaction, TxIn, TxOut, TxOutWitness,
    Witness,
};
use elements_miniscript::psbt::PsbtExt as _;
use rand::{CryptoRng, RngCore};
use secp256k1_zkp::{Generator, SECP256K1};
use std::collections::{BTreeMap, BTreeSet};

/// Largest PSET that is read, bytes. A hundred blinded outputs with their proofs take half a megabyte.
pub const MAX_PSET: usize = 4_000_000;

/// Record of a value blinding factor in inputs and outputs, next to the asset's that ELIP-102 defines.
const VALUE_FACTOR_PREFIX: &[u8] = b"causeway";
/// Prefix and subtype of ELIP-100's asset records.
const ASSET_RECORD: (&[u8], u8) = (b"pset_hww", 0);

/// Reads a PSET: binary, base64 or hex. Bounded and total. Refused with `BadDraft`.
pub fn read(bytes: &[u8]) -> Result<Pset, Refusal> {
    let bad = || Refusal::from(Code::BadDraft);
    if bytes.len() > 2 * MAX_PSET {
        return Err(bad());
    }
    let binary = if bytes.starts_with(b"pset\xff") {
        bytes.to_vec()
    } else {
        let text = std::str::from_utf8(bytes).map_err(|_| bad())?.trim();
        match Vec::from_hex(text) {
            Ok(binary) => binary,
            Err(_) => bitcoin::base64::Engine::decode(&bitcoin::base64::prelude::BASE64_STANDARD, text).map_err(|_| bad())?,
        }
    };
    if binary.len() > MAX_PSET {
        return Err(bad());
    }
    let pset: Pset = elements::encode::deserialize(&binary).map_err(|_| bad())?;
    pset.extract_tx().map_err(|_| bad())?;
    Ok(pset)
}

/// A draft as a PSET that carries its openings, so that whoever signs it can check what it does: the claimed amounts, proofs that the
/// commitments hold them, and the blinding factors (asset: ELIP-102). `Display` writes base64.
pub fn export(draft: &SidechainDraft, rng: &mut (impl RngCore + CryptoRng)) -> Pset {
    let mut pset = draft.pset.clone();
    for (input, opening) in pset.inputs_mut().iter_mut().zip(&draft.inputs) {
        input.amount = Some(opening.value);
        input.asset = Some(opening.asset);
        if let Some(utxo) = &input.witness_utxo {
            (input.blind_value_proof, input.blind_asset_proof) = claim_proofs(opening, utxo, rng);
        }
        input.set_abf(opening.asset_bf);
        input.proprietary.insert(value_factor_key(), opening.value_bf.into_inner().as_ref().to_vec());
    }
    for (output, opening) in pset.outputs_mut().iter_mut().zip(&draft.outputs) {
        let Some(opening) = opening else { continue };
        let made = output.to_txout();
        output.amount = Some(opening.value);
        output.asset = Some(opening.asset);
        (output.blind_value_proof, output.blind_asset_proof) = claim_proofs(opening, &made, rng);
        if output.amount_comm.is_some() || output.asset_comm.is_some() {
            output.set_abf(opening.asset_bf);
            output.proprietary.insert(value_factor_key(), opening.value_bf.into_inner().as_ref().to_vec());
        }
    }
    pset
}

/// Proofs that the commitments of an output hold what is claimed; none where they are explicit.
fn claim_proofs(
    opening: &Opening,
    output: &TxOut,
    rng: &mut (impl RngCore + CryptoRng),
) -> (Option<RangeProof>, Option<SurjectionProof>) {
    let Opening { asset, asset_bf, value, value_bf } = *opening;
    let generator = output.asset.into_asset_gen(SECP256K1);
    let of_value = match (output.value, generator) {
        (Value::Confidential(commitment), Some(generator)) => {
            RangeProof::blind_value_proof(rng, SECP256K1, value, commitment, generator, value_bf).ok()
        }
        _ => None,
    };
    let of_asset = match output.asset {
        Asset::Confidential(_) => SurjectionProof::blind_asset_proof(rng, SECP256K1, asset, asset_bf).ok(),
        _ => None,
    };
    (of_value, of_asset)
}

/// Opens a PSET that was made elsewhere: inputs from our coins or from the records it carries, outputs by our keys or from the records.
///
/// Refused with `BadDraft`; `NothingToSign` when it spends nothing of ours; `DraftLies` (`why`: `input-amount`, `input-asset`,
/// `output-amount`, `output-asset`, `previous-output`, and `input` or `output`) when a claim contradicts a commitment.
pub fn import(wallet: &SidechainWallet, bytes: &[u8]) -> Result<SidechainDraft, Refusal> {
    let mut pset = read(bytes)?;
    let tx = pset.extract_tx().map_err(|_| Code::BadDraft)?;
    let spent: BTreeSet<_> = tx.input.iter().map(|input| (input.is_pegin, input.previous_output)).collect();
    if tx.input.is_empty() || tx.output.is_empty() || spent.len() != tx.input.len() {
        return Err(Code::BadDraft.into());
    }
    let mut inputs = Vec::new();
    let mut ours = false;
    for (index, (input, spending)) in pset.inputs_mut().iter_mut().zip(&tx.input).enumerate() {
        let lies = |why: &str| Refusal::new(Code::DraftLies).with("why", why).with("input", index);
        let Spent { output, opening, is_ours } = spent_output(wallet, input, spending)?;
        if input.witness_utxo.as_ref().is_some_and(|claimed| without_proofs(claimed) != output) {
            return Err(lies("previous-output"));
        }
        let claim = Claim::of_input(input);
        let opening = claim.settle(opening, &output).map_err(|part| lies(&format!("input-{part}")))?;
        inputs.push(opening.ok_or(Code::BadDraft)?);
        input.witness_utxo = Some(output);
        ours |= is_ours;
    }
    if !ours {
        return Err(Code::NothingToSign.into());
    }
    let mut outputs = Vec::new();
    for (index, (output, made)) in pset.outputs().iter().zip(&tx.output).enumerate() {
        let claim = Claim::of_output(output);
        let opening = claim.settle(opened_by_us(wallet, &tx.txid(), index, made), made);
        let lies = |part| Refusal::new(Code::DraftLies).with("why", format!("output-{part}")).with("output", index);
        outputs.push(opening.map_err(lies)?);
    }
    Ok(SidechainDraft { pset, inputs, outputs })
}

/// What an input spends.
struct Spent {
    output: TxOut,
    opening: Option<Opening>,
    is_ours: bool,
}

fn spent_output(wallet: &SidechainWallet, input: &Input, spending: &TxIn) -> Result<Spent, Refusal> {
    if spending.is_pegin {
        let data = spending.pegin_data().ok_or(Code::BadDraft)?;
        let witness = PeginWitness::of_library(data).map_err(|_| Code::BadDraft)?;
        let is_ours = wallet.path_of(&witness.claim_script).is_some();
        let opening = explicit(witness.asset, witness.value);
        return Ok(Spent { output: witness.claimed_output(), opening: Some(opening), is_ours });
    }
    if let Some((output, opening)) = wallet.known_output(&spending.previous_output) {
        let is_ours = wallet.path_of(&output.script_pubkey).is_some();
        return Ok(Spent { output: output.clone(), opening, is_ours });
    }
    let output = without_proofs(input.witness_utxo.as_ref().ok_or(Code::BadDraft)?);
    Ok(Spent { output, opening: None, is_ours: false })
}

fn opened_by_us(wallet: &SidechainWallet, txid: &elements::Txid, index: usize, made: &TxOut) -> Option<Opening> {
    let path = wallet.path_of(&made.script_pubkey)?;
    let key = || wallet.account().private_blinding_key(path, &made.script_pubkey);
    Candidate::output(OutPoint::new(*txid, index as u32), path, made, key).open().opening
}

/// What a PSET says about an amount, to be believed only when it can be checked.
struct Claim<'a> {
    amount: Option<u64>,
    asset: Option<AssetId>,
    asset_bf: Option<AssetBlindingFactor>,
    value_bf: Option<ValueBlindingFactor>,
    value_proof: Option<&'a RangeProof>,
    asset_proof: Option<&'a SurjectionProof>,
}

impl<'a> Claim<'a> {
    fn of_input(input: &'a Input) -> Claim<'a> {
        Claim {
            amount: input.amount,
            asset: input.asset,
            asset_bf: input.get_abf().and_then(Result::ok),
            value_bf: value_factor(&input.proprietary),
            value_proof: input.blind_value_proof.as_ref(),
            asset_proof: input.blind_asset_proof.as_ref(),
        }
    }

    fn of_output(output: &'a Output) -> Claim<'a> {
        Claim {
            amount: output.amount,
            asset: output.asset,
            asset_bf: output.get_abf().and_then(Result::ok),
            value_bf: value_factor(&output.proprietary),
            value_proof: output.blind_value_proof.as_ref(),
            asset_proof: output.blind_asset_proof.as_ref(),
        }
    }

    /// The opening of an output, as far as it can be known: what we know ourselves, or what is claimed and holds. `Err` names the part
    /// that is a lie.
    fn settle(&self, known: Option<Opening>, output: &TxOut) -> Result<Option<Opening>, &'static str> {
        let readable = output.asset.explicit().zip(output.value.explicit()).map(|(asset, value)| explicit(asset, value));
        let opening = known.or(readable).or_else(|| {
            let asset_bf = if output.asset.is_explicit() { AssetBlindingFactor::zero() } else { self.asset_bf? };
            let value_bf = if output.value.is_explicit() { ValueBlindingFactor::zero() } else { self.value_bf? };
            Some(Opening { asset: self.asset?, asset_bf, value: self.amount?, value_bf })
        });
        match opening {
            Some(opening) => {
                if self.asset.is_some_and(|asset| asset != opening.asset) || !asset_opens(&opening, output) {
                    return Err("asset");
                }
                if self.amount.is_some_and(|amount| amount != opening.value) || !opens(&opening, output) {
                    return Err("amount");
                }
                Ok(Some(opening))
            }
            // Nobody told the factors; the proofs of what is claimed must hold all the same.
            None => {
                if self.proves_asset(output) == Some(false) {
                    return Err("asset");
                }
                if self.proves_amount(output) == Some(false) {
                    return Err("amount");
                }
                Ok(None)
            }
        }
    }

    fn proves_asset(&self, output: &TxOut) -> Option<bool> {
        let (claimed, commitment, proof) = (self.asset?, output.asset.commitment()?, self.asset_proof?);
        Some(proof.blind_asset_proof_verify(SECP256K1, claimed, commitment))
    }

    fn proves_amount(&self, output: &TxOut) -> Option<bool> {
        let (claimed, commitment, proof) = (self.amount?, output.value.commitment()?, self.value_proof?);
        let generator = output.asset.into_asset_gen(SECP256K1)?;
        Some(proof.blind_value_proof_verify(SECP256K1, claimed, generator, commitment))
    }
}

fn asset_opens(opening: &Opening, output: &TxOut) -> bool {
    let commitment = || Generator::new_blinded(SECP256K1, opening.asset.into_tag(), opening.asset_bf.into_inner());
    match output.asset {
        Asset::Null => false,
        Asset::Explicit(asset) => asset == opening.asset,
        Asset::Confidential(generator) => generator == commitment(),
    }
}

fn without_proofs(output: &TxOut) -> TxOut {
    TxOut { witness: TxOutWitness::empty(), ..output.clone() }
}

fn value_factor_key() -> ProprietaryKey {
    ProprietaryKey { prefix: VALUE_FACTOR_PREFIX.to_vec(), subtype: 0, key: Vec::new() }
}

fn value_factor(records: &BTreeMap<ProprietaryKey, Vec<u8>>) -> Option<ValueBlindingFactor> {
    ValueBlindingFactor::from_slice(records.get(&value_factor_key())?).ok()
}

/// Takes the signatures out of `returned`, a file, into a copy of `sent`.
///
/// A signer may leave records out or make them anew; whatever it returns besides signatures must make the same transaction, proofs
/// included, and what it claims must hold. Signatures must be of keys that the draft named and commit to everything (`ALL`). Otherwise
/// refused with `DraftLies` (`why`: those of [`import`], `transaction`, `signature`, `final`, and `input` or `output`), or as [`import`]
/// refuses. The signatures are verified by [`finish`].
pub fn merge(wallet: &SidechainWallet, sent: &SidechainDraft, returned: &[u8]) -> Result<SidechainDraft, Refusal> {
    let returned = import(wallet, returned)?.pset;
    let lies = |why: &str| Refusal::new(Code::DraftLies).with("why", why);
    if unsigned(&sent.pset)? != unsigned(&returned)? {
        return Err(lies("transaction"));
    }
    let mut merged = sent.clone();
    for (index, (into, from)) in merged.pset.inputs_mut().iter_mut().zip(returned.inputs()).enumerate() {
        take_signatures(into, from).map_err(|why| lies(why).with("input", index))?;
    }
    Ok(merged)
}

/// The transaction without what signers add.
fn unsigned(pset: &Pset) -> Result<Transaction, Refusal> {
    let mut tx = pset.extract_tx().map_err(|_| Code::BadDraft)?;
    for input in &mut tx.input {
        input.script_sig = Script::new();
        input.witness.script_witness = Witness::default();
    }
    Ok(tx)
}

fn take_signatures(into: &mut Input, from: &Input) -> Result<(), &'static str> {
    for (key, signature) in &from.partial_sigs {
        add_signature(into, *key, signature.clone())?;
    }
    if from.final_script_sig.as_ref().is_some_and(|script| !script.is_empty()) {
        return Err("final");
    }
    match &from.final_script_witness {
        None => Ok(()),
        Some(witness) if into.final_script_witness.as_ref() == Some(witness) => Ok(()),
        // Signers that finalize return a witness; its signature is taken out and put with the others.
        Some(witness) => {
            let [signature, key] = witness.iter().collect::<Vec<_>>()[..] else { return Err("final") };
            let key = bitcoin::PublicKey::from_slice(key).map_err(|_| "final")?;
            add_signature(into, key, signature.to_vec())
        }
    }
}

fn add_signature(into: &mut Input, key: bitcoin::PublicKey, signature: Vec<u8>) -> Result<(), &'static str> {
    let to_all = signature.last().is_some_and(|kind| u32::from(*kind) == EcdsaSighashType::All.as_u32());
    if !to_all || !into.bip32_derivation.contains_key(&key) {
        return Err("signature");
    }
    match into.partial_sigs.insert(key, signature.clone()) {
        Some(before) if before != signature => Err("signature"),
        _ => Ok(()),
    }
}

/// Builds the finished transaction and verifies every script and signature of it. Refused with `BadDraft` when one is missing or wrong.
pub fn finish(pset: &Pset, genesis: BlockHash) -> Result<Transaction, Refusal> {
    let mut pset = pset.clone();
    let spent: Option<Vec<TxOut>> = pset.inputs().iter().map(spent_by).collect();
    let spent = spent.ok_or(Code::BadDraft)?;
    for (index, output) in spent.iter().enumerate() {
        let input = &mut pset.inputs_mut()[index];
        if input.final_script_witness.is_some() {
            continue;
        }
        if output.script_pubkey.is_v0_p2wpkh() {
            let (key, signature) = input.partial_sigs.pop_first().ok_or(Code::BadDraft)?;
            input.final_script_witness = Some(Witness::from_slice(&[signature, key.to_bytes()]));
        } else {
            pset.finalize_inp_mut(SECP256K1, index, genesis).map_err(|_| Code::BadDraft)?;
        }
    }
    let tx = pset.extract_tx().map_err(|_| Code::BadDraft)?;
    script::verify(&tx, &spent, genesis).map_err(|_| Code::BadDraft)?;
    Ok(tx)
}

/// The output that an input spends; for a peg-in, the one that the claim stands for.
fn spent_by(input: &Input) -> Option<TxOut> {
    match &input.pegin_witness {
        Some(witness) if input.is_pegin() => Some(PeginWitness::of_library(witness.data()?).ok()?.claimed_output()),
        _ => input.witness_utxo.clone(),
    }
}

/// Tells signers what an asset is called: its contract, and which token is its own (ELIP-100).
pub fn describe_asset(pset: &mut Pset, contract: &Contract, prevout: OutPoint, blinded: bool) {
    let ids = issuance::ids(prevout, contract.hash(), blinded);
    pset.add_asset_metadata(ids.asset, &AssetMetadata::new(contract.canonical().to_owned(), prevout));
    pset.add_token_metadata(ids.token, &TokenMetadata::new(ids.asset, blinded));
}

/// Assets that a PSET describes (ELIP-100), with the outpoints that issued them. Only those whose contract is what their id commits to.
pub fn described_assets(pset: &Pset) -> BTreeMap<AssetId, (Contract, OutPoint)> {
    let (prefix, subtype) = ASSET_RECORD;
    let records = pset.global.proprietary.keys().filter(|key| key.prefix == prefix && key.subtype == subtype);
    let described = records.filter_map(|key| {
        let asset = AssetId::from_byte_array(<[u8; 32]>::try_from(key.key.as_slice()).ok()?);
        let metadata = pset.get_asset_metadata(asset)?.ok()?;
        let contract = Contract::parse_canonical(metadata.contract()).ok()?;
        let prevout = metadata.issuance_prevout();
        (issuance::ids(prevout, contract.hash(), false).asset == asset).then_some((asset, (contract, prevout)))
    });
    described.collect()
}

#[cfg(test)]
mod tests;
