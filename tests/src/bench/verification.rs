//! What a light client computes most: signatures of headers, and range proofs.

use super::lab::{self, Owner};
use super::{Figure, Raw, cores, millis, said, timed, transaction};
use causeway_sidechain::consensus::proofs;
use causeway_sidechain::consensus::signature::Multisig;
use elements::dynafed::{FullParams, Params};
use elements::{BlockExtData, BlockHash, BlockHeader, TxMerkleNode, TxOut};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use secp256k1_zkp::{Message, PublicKey, SECP256K1, SecretKey};
use std::time::Duration;

/// As many as Liquid has, and as many as sign.
const MEMBERS: u8 = 15;
const SIGNERS: u8 = 11;
const HEADERS: u32 = 400;
const PAYMENTS: usize = 20;
const ROUNDS: usize = 5;

pub(super) fn measure() -> Result<Vec<Figure>, String> {
    Ok(vec![headers()?, payments()?])
}

/// Headers with eleven signatures each, checked as they come from a peer, against as many bare signature checks.
fn headers() -> Result<Figure, String> {
    let keys: Vec<SecretKey> = (1..=MEMBERS).map(|n| SecretKey::from_slice(&[n; 32]).map_err(said)).collect::<Result<_, _>>()?;
    let public: Vec<PublicKey> = keys.iter().map(|key| key.public_key(SECP256K1)).collect();
    let script = Multisig { k: SIGNERS, keys: public.clone() }.to_script();
    let full = FullParams {
        signblockscript: script.to_v0_p2wsh(),
        signblock_witness_limit: 2_000,
        fedpeg_program: bitcoin::ScriptBuf::new(),
        fedpegscript: Vec::new(),
        extension_space: Vec::new(),
    };
    let made: Vec<BlockHeader> = (0..HEADERS).map(|height| header(height, &full, &keys, script.as_bytes())).collect();
    let digest = Message::from_digest(made[0].block_hash().to_byte_array());
    let signature = SECP256K1.sign_ecdsa(&digest, &keys[0]);
    let (mut ours, mut raw) = (Duration::MAX, Raw::LONGEST);
    for _ in 0..ROUNDS {
        raw = raw.least(Raw::of(|| {
            for _ in 0..HEADERS {
                assert!(SECP256K1.verify_ecdsa(&digest, &signature, &public[0]).is_ok());
            }
        }));
        let batch = made.clone();
        let params = lab::realm(lab::closed_door()?)?.sidechain;
        let (good, took) = timed(|| causeway_peers::bytes::verified(batch, &params));
        if good != made.len() {
            return Err(format!("{good} of {HEADERS} headers verified"));
        }
        ours = ours.min(took);
    }
    let limit = millis(raw.together) * f64::from(SIGNERS) / cores() as f64;
    let what = raw.what(&format!("{HEADERS} x {SIGNERS} raw ECDSA verifications"));
    Ok(Figure::new("400 headers of an 11-of-15 federation verified", "ms", millis(ours), limit, what, 1.25))
}

fn header(height: u32, full: &FullParams, keys: &[SecretKey], script: &[u8]) -> BlockHeader {
    let unsigned = |witness| BlockHeader {
        version: 0x2000_0000,
        prev_blockhash: BlockHash::from_byte_array([1; 32]),
        merkle_root: TxMerkleNode::from_byte_array([2; 32]),
        time: height,
        height,
        ext: BlockExtData::Dynafed { current: full.clone().into_compact(), proposed: Params::Null, signblock_witness: witness },
    };
    let digest = Message::from_digest(unsigned(Vec::new()).block_hash().to_byte_array());
    let sign = |key| [&SECP256K1.sign_ecdsa(&digest, key).serialize_der()[..], &[1]].concat();
    // The first eleven sign: then no signature is tried against the key of a member that has not.
    let signers = keys.iter().take(usize::from(SIGNERS)).map(sign);
    unsigned(std::iter::once(Vec::new()).chain(signers).chain([script.to_vec()]).collect())
}

/// A payment with three hidden outputs checked whole again and again, on every core, against its bare range proofs.
fn payments() -> Result<Figure, String> {
    let rng = &mut StdRng::seed_from_u64(3);
    let realm = lab::realm(lab::closed_door()?)?;
    let mut owner = Owner::new(&realm, rng)?;
    let stranger = Owner::new(&realm, rng)?;
    let coins = vec![owner.paid(0, 60_000_000, rng), owner.paid(1, 50_000_000, rng)];
    owner.wallet.apply(&lab::batch(vec![vec![lab::gift(coins.clone(), 0)]]), &[], 0);
    let tx = transaction::signed(&realm, &owner, &stranger, rng)?;
    let of = |vout: u32| usize::try_from(vout).ok().and_then(|index| coins.get(index)).cloned();
    let spent: Option<Vec<TxOut>> = tx.input.iter().map(|input| of(input.previous_output.vout)).collect();
    let spent = spent.ok_or("it spends something else")?;
    let policy = realm.sidechain.policy_asset;
    proofs::verify(&tx, &spent, policy).map_err(said)?;
    let mut prepared = Vec::new();
    for output in tx.output.iter().filter(|output| output.value.is_confidential()) {
        let generator = output.asset.into_asset_gen(SECP256K1).ok_or("the output has no asset")?;
        let commitment = output.value.commitment().ok_or("the output has no commitment")?;
        let proof = output.witness.rangeproof.as_ref().ok_or("the output has no proof")?;
        prepared.push((proof, commitment, output.script_pubkey.as_bytes(), generator));
    }
    let (mut ours, mut raw) = (Raw::LONGEST, Raw::LONGEST);
    for _ in 0..ROUNDS {
        raw = raw.least(Raw::of(|| {
            for (proof, commitment, script, generator) in std::iter::repeat_n(&prepared, PAYMENTS).flatten() {
                assert!(proof.verify(SECP256K1, *commitment, script, *generator).is_ok(), "a range proof does not hold");
            }
        }));
        ours = ours.least(Raw::of(|| {
            for _ in 0..PAYMENTS {
                assert!(proofs::verify(&tx, &spent, policy).is_ok(), "the proofs do not hold");
            }
        }));
    }
    let all = |raw: Raw| millis(raw.together) / cores() as f64;
    let what = raw.what(&format!("{PAYMENTS} x {} raw range proof verifications", prepared.len()));
    Ok(Figure::new("20 confidential payments with every proof verified", "ms", all(ours), all(raw), what, 1.0 / 0.9))
}
