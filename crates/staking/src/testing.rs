//! Keys and terms for tests.

use crate::params::Covenant;
use crate::script::Terms;
use crate::spend::Spend;
use crate::stake::{Rules, Stake};
use bitcoin::{Amount, ScriptBuf, XOnlyPublicKey};
use proptest::prelude::ProptestConfig;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use secp256k1::schnorr::Signature;
use secp256k1::{Keypair, SECP256K1};
use std::collections::BTreeMap;

/// So many cases, unless `PROPTEST_CASES` asks for another number.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    match ProptestConfig::default() {
        asked if std::env::var_os("PROPTEST_CASES").is_some() => asked,
        default => ProptestConfig { cases, ..default },
    }
}

/// `count` key pairs that depend on nothing but the seed.
pub(crate) fn pairs(seed: u64, count: usize) -> Vec<Keypair> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..count).map(|_| Keypair::new(SECP256K1, &mut rng)).collect()
}

pub(crate) fn keys(seed: u64, count: usize) -> Vec<XOnlyPublicKey> {
    pairs(seed, count).iter().map(|pair| pair.x_only_public_key().0).collect()
}

/// Terms whose keys are, in order: staker, providers, committee of [`keys`] of the same seed.
pub(crate) fn terms(seed: u64, providers: usize, members: usize, quorum: u32) -> Terms {
    let keys = keys(seed, 1 + providers + members);
    Terms {
        staker: keys[0],
        providers: keys[1..=providers].to_vec(),
        covenant: Covenant { keys: keys[1 + providers..].to_vec(), quorum },
        staking_time: 64_000,
        unbonding_time: 301,
    }
}

/// A stake of 100,000 sat with one provider, made of [`terms`].
pub(crate) fn stake(seed: u64, members: usize, quorum: u32) -> Stake {
    let rules = Rules {
        unbonding_fee: Amount::from_sat(2_000),
        slashing_script: ScriptBuf::from_hex("6a07626162796c6f6e").expect("hex"),
        slashing_rate: "0.05".parse().expect("a rate"),
        slashing_fee: Amount::from_sat(6_000),
    };
    Stake::new(terms(seed, 1, members, quorum), Amount::from_sat(100_000), rules).expect("a stake")
}

pub(crate) fn sign(spend: &Spend, pair: &Keypair) -> Signature {
    SECP256K1.sign_schnorr_no_aux_rand(&spend.message(), pair)
}

pub(crate) fn covenant_signatures(spend: &Spend, pairs: &[Keypair]) -> BTreeMap<XOnlyPublicKey, Signature> {
    pairs.iter().map(|pair| (pair.x_only_public_key().0, sign(spend, pair))).collect()
}
