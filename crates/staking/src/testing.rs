//! Keys and terms for tests.

use crate::params::Covenant;
use crate::script::Terms;
use bitcoin::XOnlyPublicKey;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use secp256k1::{Keypair, SECP256K1};

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
