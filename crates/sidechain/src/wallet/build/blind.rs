//! Blinding: from a plan to a draft that the keys can check.

use super::plan::{Plan, PlannedInput, Purpose, Source};
use crate::wallet::unblind::{commitments, explicit};
use causeway_vocab::{Opening, SidechainDraft};
use elements::confidential::{Asset, AssetBlindingFactor, Nonce, Value, ValueBlindingFactor};
use elements::pset::{self, PartiallySignedTransaction as Pset};
use elements::{
    AssetBlindingNonce, AssetEntropy, AssetIssuance, LockTime, RangeProof, RangeProofMessage, Script, Sequence, SurjectionProof,
    Transaction, TxIn, TxInWitness, TxOut, TxOutWitness,
};
use elements_miniscript::descriptor::{DefiniteDescriptorKey, Descriptor};
use elements_miniscript::psbt::{PsbtInputExt as _, PsbtOutputExt as _};
use rand::rngs::StdRng;
use rand::{CryptoRng, RngCore, SeedableRng as _};
use secp256k1_zkp::{Generator, PedersenCommitment, PublicKey, SECP256K1, SecretKey, Tag, Tweak};
use std::collections::HashMap;
use std::sync::Arc;

/// What surjection proofs may point at: every input, and behind it what it issues.
type Domain = Arc<[(Generator, Tag, Tweak)]>;

/// Which hidden amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Output(usize),
    Issued(usize),
    Tokens(usize),
}

/// A part of blinding that needs no other part: up to some milliseconds of work. `Send`.
pub struct BlindingJob(Work);

enum Work {
    /// Proving that the amount is one.
    Range {
        place: Place,
        opening: Opening,
        /// Lower bound that the proof tells: 0 only for outputs that hold nothing.
        least: u64,
        /// The script, which the proof commits to; empty for issuances.
        script: Script,
        knowledge: Knowledge,
    },
    /// Proving where the asset of an output comes from.
    Surjection { vout: usize, opening: Opening, domain: Domain, seed: [u8; 32] },
    /// Deriving the keys of a script of ours, for signers to know.
    Keys { side: Side, descriptor: Box<Descriptor<DefiniteDescriptorKey>> },
}

/// What lets somebody open an amount.
enum Knowledge {
    /// The key of an issuance.
    Secret(SecretKey),
    /// A one-time key and the receiver's blinding key, which agree on a secret.
    Agreed(SecretKey, PublicKey),
}

/// Input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Side {
    Input(usize),
    Output(usize),
}

/// What a [`BlindingJob`] made.
pub struct BlindingPart(Made);

enum Made {
    Range(Place, Box<Hidden>),
    Surjection(usize, SurjectionProof),
    Input(usize, Box<pset::Input>),
    Output(usize, Box<pset::Output>),
}

/// A hidden amount: what is committed to, how its receiver finds the secret, and the proof of its range.
struct Hidden {
    asset: Generator,
    value: PedersenCommitment,
    nonce: Nonce,
    proof: RangeProof,
}

impl BlindingJob {
    /// Does the work.
    pub fn run(self) -> BlindingPart {
        BlindingPart(match self.0 {
            Work::Range { place, opening, least, script, knowledge } => {
                let (nonce, secret) = match knowledge {
                    Knowledge::Secret(secret) => (Nonce::Null, secret),
                    Knowledge::Agreed(ephemeral, key) => Nonce::with_ephemeral_sk(SECP256K1, ephemeral, &key),
                };
                let Opening { asset, asset_bf, value, value_bf } = opening;
                let (generator, commitment) = commitments(&opening);
                let message = RangeProofMessage::new(asset, asset_bf).to_byte_array();
                let range = RangeProof::new(
                    SECP256K1,
                    least,
                    commitment,
                    value,
                    value_bf.into_inner(),
                    &message,
                    script.as_bytes(),
                    secret,
                    TxOut::RANGEPROOF_EXP_SHIFT,
                    TxOut::RANGEPROOF_MIN_PRIV_BITS,
                    generator,
                );
                let proof = range.expect("BUG: the amount was just committed to");
                Made::Range(place, Box::new(Hidden { asset: generator, value: commitment, nonce, proof }))
            }
            Work::Surjection { vout, opening: Opening { asset, asset_bf, .. }, domain, seed } => {
                let mut rng = StdRng::from_seed(seed);
                // The library tries a hundred random choices of three inputs; among hundreds of inputs that may still miss the only right one.
                let proof = (0..100).find_map(|_| SurjectionProof::new(SECP256K1, &mut rng, asset, asset_bf, &domain).ok());
                Made::Surjection(vout, proof.expect("BUG: a plan spends or issues every asset that it pays"))
            }
            Work::Keys { side, descriptor } => {
                let known = "BUG: hardened steps are refused when a descriptor is read";
                match side {
                    Side::Input(vin) => {
                        let mut input = Box::new(pset::Input::default());
                        input.update_with_descriptor_unchecked(&descriptor).expect(known);
                        Made::Input(vin, input)
                    }
                    Side::Output(vout) => {
                        let mut output = Box::new(pset::Output::default());
                        output.update_with_descriptor_unchecked(&descriptor).expect(known);
                        Made::Output(vout, output)
                    }
                }
            }
        })
    }
}

/// The parts by what they are of.
#[derive(Default)]
struct Parts {
    ranges: HashMap<Place, Box<Hidden>>,
    surjections: HashMap<usize, SurjectionProof>,
    inputs: HashMap<usize, Box<pset::Input>>,
    outputs: HashMap<usize, Box<pset::Output>>,
}

impl Parts {
    fn sorted(made: Vec<BlindingPart>) -> Parts {
        let mut parts = Parts::default();
        for BlindingPart(made) in made {
            match made {
                Made::Range(place, hidden) => drop(parts.ranges.insert(place, hidden)),
                Made::Surjection(vout, proof) => drop(parts.surjections.insert(vout, proof)),
                Made::Input(vin, input) => drop(parts.inputs.insert(vin, input)),
                Made::Output(vout, output) => drop(parts.outputs.insert(vout, output)),
            }
        }
        parts
    }

    fn count(&self) -> usize {
        self.ranges.len() + self.surjections.len() + self.inputs.len() + self.outputs.len()
    }
}

impl Plan {
    /// Chooses blinding factors, has the proofs made and assembles the draft.
    ///
    /// `run` runs the jobs, all of them, in any order and on any thread: `|jobs| jobs.into_iter().map(BlindingJob::run).collect()`.
    ///
    /// # Panics
    /// When `run` loses a job.
    pub fn blind(
        &self,
        rng: &mut (impl RngCore + CryptoRng),
        run: impl FnOnce(Vec<BlindingJob>) -> Vec<BlindingPart>,
    ) -> SidechainDraft {
        let mut jobs = Vec::new();
        let mut incoming = Vec::new();
        let mut domain = Vec::new();
        for (vin, input) in self.inputs.iter().enumerate() {
            domain.push(target(&input.opening));
            if input.signed.is_none() {
                incoming.push(input.opening);
            }
            self.issue(vin, input, rng, &mut jobs, &mut incoming, &mut domain);
        }
        // Of an offer that is taken only the difference of both sides' blinding is known: it comes in as an amount of nothing.
        incoming.extend(self.taken.as_ref().map(|offer| Opening {
            value_bf: ValueBlindingFactor::from_slice(offer.scalar().as_ref()).expect("BUG: a scalar is in range"),
            ..explicit(offer.gives.asset, 0)
        }));
        let mut outputs = self.openings(&incoming, rng);
        if let Some(offer) = &self.taken {
            outputs[0].asset_bf = offer.gets.asset_bf;
        }
        let domain: Domain = domain.into();
        let mut small = Vec::new();
        for (vout, (output, opening)) in self.outputs.iter().zip(&outputs).enumerate() {
            if output.made.is_none() && output.blinding_key.is_none() {
                continue;
            }
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            small.push(Work::Surjection { vout, opening: *opening, domain: Arc::clone(&domain), seed });
            let Some(key) = output.blinding_key.filter(|_| output.made.is_none()) else { continue };
            jobs.push(Work::Range {
                place: Place::Output(vout),
                opening: *opening,
                least: if output.purpose == Purpose::Balance { 0 } else { TxOut::RANGEPROOF_MIN_VALUE },
                script: output.script.clone(),
                knowledge: Knowledge::Agreed(SecretKey::new(rng), key),
            });
        }
        let inputs = self.input_descriptors.iter().enumerate().map(|(vin, descriptor)| (Side::Input(vin), descriptor));
        let ours = self.output_descriptors.iter().enumerate().map(|(vout, descriptor)| (Side::Output(vout), descriptor));
        let keys = |(side, descriptor): (_, &Option<_>)| {
            descriptor.clone().map(|descriptor| Work::Keys { side, descriptor: Box::new(descriptor) })
        };
        // The small ones last: they fill what the large ones leave of each core.
        jobs.extend(small);
        jobs.extend(inputs.chain(ours).filter_map(keys));
        let wanted = jobs.len();
        let mut parts = Parts::sorted(run(jobs.into_iter().map(BlindingJob).collect()));
        assert_eq!(parts.count(), wanted, "BUG: every job must be run once");

        let inputs = self.inputs.iter().enumerate().map(|(vin, input)| finish_input(vin, input, &mut parts)).collect();
        let outputs_made = self.outputs.iter().enumerate().map(|(vout, output)| {
            let script_pubkey = output.script.clone();
            if let Some(made) = &output.made {
                let surjection_proof = parts.surjections.remove(&vout).unwrap_or(SurjectionProof::EMPTY);
                let rangeproof = made.witness.rangeproof.clone();
                return TxOut { witness: TxOutWitness { surjection_proof, rangeproof }, ..made.clone() };
            }
            match parts.ranges.remove(&Place::Output(vout)).map(|hidden| *hidden) {
                None => TxOut {
                    asset: Asset::Explicit(output.asset),
                    value: Value::Explicit(output.amount),
                    nonce: Nonce::Null,
                    script_pubkey,
                    witness: TxOutWitness::empty(),
                },
                Some(Hidden { asset, value, nonce, proof: rangeproof }) => {
                    let surjection_proof = parts.surjections.remove(&vout).unwrap_or(SurjectionProof::EMPTY);
                    TxOut {
                        asset: Asset::Confidential(asset),
                        value: Value::Confidential(value),
                        nonce,
                        script_pubkey,
                        witness: TxOutWitness { surjection_proof, rangeproof },
                    }
                }
            }
        });
        let output = outputs_made.collect();
        let tx = Transaction { version: 2, lock_time: LockTime::ZERO, input: inputs, output };
        SidechainDraft {
            pset: self.pset(tx, parts),
            inputs: self.inputs.iter().map(|input| input.opening).collect(),
            outputs: outputs.into_iter().map(Some).collect(),
        }
    }

    /// Adds what an input issues to the incoming amounts and the domain, and the jobs that hide it.
    fn issue(
        &self,
        vin: usize,
        input: &PlannedInput,
        rng: &mut (impl RngCore + CryptoRng),
        jobs: &mut Vec<Work>,
        incoming: &mut Vec<Opening>,
        domain: &mut Vec<(Generator, Tag, Tweak)>,
    ) {
        let Some(issuance) = &input.issuance else { return };
        for (place, asset, value) in
            [(Place::Issued(vin), issuance.asset, issuance.amount), (Place::Tokens(vin), issuance.token, issuance.tokens)]
        {
            if value == 0 {
                continue;
            }
            let mut opening = explicit(asset, value);
            if let Some(secret) = self.issuance_keys[vin] {
                opening.value_bf = ValueBlindingFactor::new(rng);
                let (least, script) = (TxOut::RANGEPROOF_MIN_VALUE, Script::new());
                jobs.push(Work::Range { place, opening, least, script, knowledge: Knowledge::Secret(secret) });
            }
            incoming.push(opening);
            domain.push(target(&opening));
        }
    }

    /// Openings of the outputs: random factors, and a last value factor that makes both sides balance.
    fn openings(&self, incoming: &[Opening], rng: &mut (impl RngCore + CryptoRng)) -> Vec<Opening> {
        let mut openings: Vec<Opening> = self.outputs.iter().map(|output| explicit(output.asset, output.amount)).collect();
        let mut last = None;
        for (vout, output) in self.outputs.iter().enumerate() {
            if output.blinding_key.is_some() {
                openings[vout].asset_bf = AssetBlindingFactor::new(rng);
                openings[vout].value_bf = ValueBlindingFactor::new(rng);
                last = Some(vout);
            }
        }
        if let Some(last) = last {
            let terms = |o: &Opening| (o.value, o.asset_bf, o.value_bf);
            let before: Vec<_> = incoming.iter().map(terms).collect();
            let others = openings.iter().enumerate().filter(|(vout, _)| *vout != last);
            let after: Vec<_> = others.map(|(_, opening)| terms(opening)).collect();
            let Opening { value, asset_bf, .. } = openings[last];
            openings[last].value_bf = ValueBlindingFactor::last(SECP256K1, value, asset_bf, &before, &after);
        }
        openings
    }

    /// The unsigned transaction with what signers need: spent outputs, key origins, and keys that outputs are blinded to.
    fn pset(&self, tx: Transaction, mut parts: Parts) -> Pset {
        let mut pset = Pset::from_tx(tx);
        for (vin, (input, planned)) in pset.inputs_mut().iter_mut().zip(&self.inputs).enumerate() {
            input.final_script_sig = None;
            input.final_script_witness = None;
            input.witness_utxo = Some(planned.output.clone());
            if let Some(known) = parts.inputs.remove(&vin) {
                (input.bip32_derivation, input.tap_key_origins) = (known.bip32_derivation, known.tap_key_origins);
                (input.redeem_script, input.witness_script) = (known.redeem_script, known.witness_script);
                (input.tap_internal_key, input.tap_merkle_root) = (known.tap_internal_key, known.tap_merkle_root);
                input.tap_scripts = known.tap_scripts;
            }
        }
        for (vout, (output, planned)) in pset.outputs_mut().iter_mut().zip(&self.outputs).enumerate() {
            output.blinding_key = planned.blinding_key.map(bitcoin::PublicKey::new);
            // Names an input of whoever blinds; all are ours.
            output.blinder_index = planned.blinding_key.map(|_| 0);
            if let Some(known) = parts.outputs.remove(&vout) {
                (output.bip32_derivation, output.tap_key_origins) = (known.bip32_derivation, known.tap_key_origins);
                (output.redeem_script, output.witness_script) = (known.redeem_script, known.witness_script);
                (output.tap_internal_key, output.tap_tree) = (known.tap_internal_key, known.tap_tree);
            }
        }
        if let Some(offer) = &self.taken {
            // What its maker proves takes the place of the openings that he keeps.
            let (input, signed) = (&mut pset.inputs_mut()[0], offer.input());
            input.final_script_witness = Some(signed.witness.script_witness.clone());
            input.final_script_sig = Some(signed.script_sig.clone()).filter(|script| !script.is_empty());
            (input.amount, input.asset) = (Some(offer.gives.value), Some(offer.gives.asset));
            input.blind_value_proof = Some(offer.gives.proof.clone());
            input.set_abf(offer.gives.asset_bf);
            let output = &mut pset.outputs_mut()[0];
            (output.amount, output.asset) = (Some(offer.gets.value), Some(offer.gets.asset));
            output.blind_value_proof = Some(offer.gets.proof.clone());
            output.set_abf(offer.gets.asset_bf);
        }
        pset
    }
}

fn finish_input(vin: usize, planned: &PlannedInput, parts: &mut Parts) -> TxIn {
    if let Some(signed) = &planned.signed {
        return signed.clone();
    }
    let mut input = TxIn {
        previous_output: planned.prevout,
        is_pegin: planned.pegin.is_some(),
        script_sig: Script::new(),
        // Final but for the lock time, as elementsd's wallet does; Elements replaces nothing by default.
        sequence: Sequence::ENABLE_LOCKTIME_NO_RBF,
        asset_issuance: AssetIssuance::null(),
        witness: TxInWitness::empty(),
    };
    if let Some(witness) = &planned.pegin {
        input.witness.pegin_witness = witness.clone();
    }
    if let Some(issuance) = &planned.issuance {
        let mut amount = |place, amount| match (amount, parts.ranges.remove(&place)) {
            (0, _) => (Value::Null, RangeProof::EMPTY),
            (_, Some(hidden)) => (Value::Confidential(hidden.value), hidden.proof),
            (explicit, None) => (Value::Explicit(explicit), RangeProof::EMPTY),
        };
        let (issued, amount_rangeproof) = amount(Place::Issued(vin), issuance.amount);
        let (tokens, inflation_keys_rangeproof) = amount(Place::Tokens(vin), issuance.tokens);
        let (nonce, entropy) = match issuance.source {
            Source::New(contract) => (AssetBlindingNonce::default(), AssetEntropy::from_byte_array(contract.to_byte_array())),
            // Tells the token's asset factor, which proves that it is the token.
            Source::More(entropy) => (AssetBlindingNonce::from_byte_array(bytes(planned.opening.asset_bf)), entropy),
        };
        input.asset_issuance =
            AssetIssuance { asset_blinding_nonce: nonce, asset_entropy: entropy, amount: issued, inflation_keys: tokens };
        input.witness.amount_rangeproof = amount_rangeproof;
        input.witness.inflation_keys_rangeproof = inflation_keys_rangeproof;
    }
    input
}

fn bytes(factor: AssetBlindingFactor) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(factor.into_inner().as_ref());
    bytes
}

fn target(opening: &Opening) -> (Generator, Tag, Tweak) {
    let (tag, factor) = (opening.asset.into_tag(), opening.asset_bf.into_inner());
    (Generator::new_blinded(SECP256K1, tag, factor), tag, factor)
}
