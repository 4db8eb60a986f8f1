//! A complete delegation, and a year's quarter of a finality provider's nonces, against the library's own operations.

use super::{Figure, Raw, cores, millis, timed};
use bitcoin::hashes::Hash as _;
use bitcoin::{Amount, FeeRate, OutPoint, ScriptBuf, Txid, Weight};
use causeway_app::cores::on_every_core;
use causeway_staking::adaptor::{AdaptorSignature, encryption_key};
use causeway_staking::delegation::{CovenantSignatures, Registration, Verified};
use causeway_staking::fund::{self, Coin, Fee, Locked};
use causeway_staking::randomness::{CommitmentTree, public_randomness};
use causeway_staking::{Covenant, EotsKey, PublicRandomness, Rules, Spend, Stake, Terms};
use rand::rngs::StdRng;
use rand::{RngCore as _, SeedableRng as _};
use secp256k1_zkp::schnorr::Signature;
use secp256k1_zkp::{Keypair, Message, PublicKey, SECP256K1, Scalar, SecretKey};
use std::hint::black_box;
use std::time::Duration;

const MEMBERS: usize = 9;
const NONCES: u64 = 100_000;
/// Nonces that one core takes at a time.
const PART: u64 = 1_000;
const ROUNDS: usize = 20;

pub(super) fn measure() -> Result<Vec<Figure>, String> {
    Ok(vec![delegation()?, nonces()?])
}

/// Everybody's keys.
struct Parties {
    staker: Keypair,
    provider: Keypair,
    committee: Vec<Keypair>,
}

fn delegation() -> Result<Figure, String> {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut pair = || Keypair::new(SECP256K1, rng);
    let parties = Parties { staker: pair(), provider: pair(), committee: (0..MEMBERS).map(|_| pair()).collect() };
    let (stake, registration, covenant) = signed(&parties)?;
    let sample = raw_sample(&parties, &stake);
    let (mut ours, mut raw) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        raw = raw.min(timed(|| raw_operations(&sample)).1);
        let (verified, took) = timed(|| {
            let stake = build(&parties)?;
            let verified = Verified::check(stake, registration.clone(), covenant.clone()).map_err(super::said)?;
            let (outpoint, value) = (verified.outpoint(), verified.stake().value());
            let rate = FeeRate::from_sat_per_vb(10).ok_or("a rate")?;
            let withdrawal = verified.stake().withdrawal(Locked::Staking, outpoint, value, change(&parties), rate);
            Ok::<_, String>((verified, withdrawal.map_err(super::said)?))
        });
        black_box(verified?);
        ours = ours.min(took);
    }
    let what = format!(
        "{} BIP340 verifications and {} adaptor ones (two point multiplications each), done raw",
        MEMBERS + 2,
        2 * MEMBERS
    );
    Ok(Figure::new("a complete delegation built and verified", "ms", millis(ours), millis(raw), what, 3.0))
}

fn terms(parties: &Parties) -> Terms {
    let x = |pair: &Keypair| pair.x_only_public_key().0;
    Terms {
        staker: x(&parties.staker),
        providers: vec![x(&parties.provider)],
        covenant: Covenant { keys: parties.committee.iter().map(x).collect(), quorum: 6 },
        staking_time: 64_000,
        unbonding_time: 301,
    }
}

fn build(parties: &Parties) -> Result<Stake, String> {
    let rules = Rules {
        unbonding_fee: Amount::from_sat(9_600),
        slashing_script: ScriptBuf::new_op_return(b"babylon"),
        slashing_rate: "0.001".parse().map_err(super::said)?,
        slashing_fee: Amount::from_sat(150_000),
    };
    Stake::new(terms(parties), Amount::from_sat(500_000), rules).map_err(super::said)
}

fn change(parties: &Parties) -> ScriptBuf {
    ScriptBuf::new_p2tr(SECP256K1, parties.staker.x_only_public_key().0, None)
}

/// A delegation with every signature.
fn signed(parties: &Parties) -> Result<(Stake, Registration, CovenantSignatures), String> {
    let stake = build(parties)?;
    let outpoint = OutPoint { txid: Txid::all_zeros(), vout: 0 };
    let output = bitcoin::TxOut { value: Amount::from_sat(1_000_000), script_pubkey: change(parties) };
    let coin = Coin { outpoint, output, witness: Weight::from_wu(66) };
    let funded = fund::stake(&stake, &[coin], change(parties), Fee::Exact(Amount::from_sat(1_000))).map_err(super::said)?;
    let outpoint = stake.find_in(&funded.transaction).ok_or("the stake is not there")?;
    let unbonding = stake.unbonding_spend(outpoint);
    let later = stake.unbonding_slashing_spend(unbonding.transaction().compute_txid());
    let slashing = stake.slashing_spend(outpoint);
    let sign = |spend: &Spend, pair: &Keypair| SECP256K1.sign_schnorr_no_aux_rand(&spend.message(), pair);
    let point = encryption_key(&parties.provider.x_only_public_key().0);
    let adaptors = |spend: &Spend| {
        let one = |pair: &Keypair| {
            (pair.x_only_public_key().0, vec![AdaptorSignature::sign(pair, &point, spend.message().as_ref(), &[3; 32])])
        };
        parties.committee.iter().map(one).collect()
    };
    let covenant = CovenantSignatures {
        unbonding: parties.committee.iter().map(|pair| (pair.x_only_public_key().0, sign(&unbonding, pair))).collect(),
        slashing: adaptors(&slashing),
        unbonding_slashing: adaptors(&later),
    };
    let registration =
        Registration::new(&stake, funded.transaction, sign(&slashing, &parties.staker), sign(&later, &parties.staker));
    Ok((stake, registration.ok_or("the stake is not there")?, covenant))
}

/// One signature of each sort, for the library alone.
struct Sample {
    digest: Message,
    signature: Signature,
    key: Keypair,
    scalar: SecretKey,
    tweak: Scalar,
}

fn raw_sample(parties: &Parties, stake: &Stake) -> Sample {
    let digest = stake.unbonding_spend(OutPoint::null()).message();
    let key = parties.committee[0];
    let signature = SECP256K1.sign_schnorr_no_aux_rand(&digest, &key);
    let scalar = key.secret_key();
    Sample { digest, signature, key, scalar, tweak: Scalar::from(parties.staker.secret_key()) }
}

/// What the curve itself costs: as many verifications as there are signatures, and for an adaptor signature its sG and eP.
fn raw_operations(sample: &Sample) {
    let key = sample.key.x_only_public_key().0;
    for _ in 0..MEMBERS + 2 {
        let verified = SECP256K1.verify_schnorr(&sample.signature, &sample.digest, &key);
        assert!(black_box(verified).is_ok(), "BUG: the sample verifies");
    }
    let point = sample.key.public_key();
    for _ in 0..2 * MEMBERS {
        black_box(PublicKey::from_secret_key(SECP256K1, black_box(&sample.scalar)));
        let multiplied = black_box(point).mul_tweak(SECP256K1, &sample.tweak);
        assert!(black_box(multiplied).is_ok(), "BUG: the sample multiplies");
    }
}

fn nonces() -> Result<Figure, String> {
    let rng = &mut StdRng::seed_from_u64(2);
    let key = EotsKey::generate(rng);
    let scalars: Vec<SecretKey> = (0..2_000).map(|_| SecretKey::new(rng)).collect();
    let (mut ours, mut raw) = (Duration::MAX, Raw::LONGEST);
    let first = u64::from(rng.next_u32());
    for _ in 0..3 {
        raw = raw.least(Raw::of(|| {
            for scalar in &scalars {
                black_box(PublicKey::from_secret_key(SECP256K1, black_box(scalar)));
            }
        }));
        let (root, took) = timed(|| {
            let parts = (0..NONCES / PART).map(|part| first + part * PART).collect();
            let mut done = on_every_core(parts, |start| (start, public_randomness(&key, "bbn-1", start, PART as usize)));
            done.sort_unstable_by_key(|(start, _)| *start);
            let values: Vec<PublicRandomness> = done.into_iter().flat_map(|(_, values)| values).collect();
            let tree = CommitmentTree::new(&values)?;
            // Every proof is made once, as it will be when its height is voted on.
            let depth: usize = (0..values.len()).filter_map(|index| tree.proof(index)).map(|proof| proof.aunts.len()).sum();
            black_box(depth);
            Some(tree.root())
        });
        root.ok_or("no tree")?;
        ours = ours.min(took);
    }
    let limit = millis(raw.together) * NONCES as f64 / scalars.len() as f64 / cores() as f64;
    let what = raw.what(&format!("{NONCES} x one raw point multiplication"));
    Ok(Figure::new("100,000 nonces committed: keys, tree, proofs", "ms", millis(ours), limit, what, 1.3))
}
