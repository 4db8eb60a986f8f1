//! A thousand confidential outputs opened, against the library's own rewinding.

use super::lab::{self, Owner};
use super::{Figure, Raw, cores, millis, timed};
use causeway_app::cores::open;
use elements::{RangeProof, TxOut};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use secp256k1_zkp::SECP256K1;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const OUTPUTS: usize = 1_000;
/// Proofs that are made; opening one costs the same each time it is met.
const PROOFS: u32 = 100;
const ROUNDS: usize = 5;

pub(super) fn measure() -> Result<Figure, String> {
    let rng = &mut StdRng::seed_from_u64(1);
    let owner = Owner::new(&lab::realm(lab::closed_door()?)?, rng)?;
    let outputs: Vec<TxOut> = (0..PROOFS).map(|index| owner.paid(index, 100_000 + u64::from(index), rng)).collect();
    let transactions = (0..).take(OUTPUTS / outputs.len()).map(|salt| lab::gift(outputs.clone(), salt)).collect();
    let batch = lab::batch(vec![transactions]);
    let (mut ours, mut raw) = (Duration::MAX, Raw::LONGEST);
    for _ in 0..ROUNDS {
        raw = raw.least(rewind_all(&owner, &outputs)?);
        let mut wallet = owner.wallet.clone();
        let (_, took) = timed(|| {
            let candidates = wallet.candidates(&batch).into_iter().map(|candidate| ((), candidate)).collect();
            let opened: Vec<_> = open(candidates).into_iter().map(|((), opened)| opened).collect();
            wallet.apply(&batch, &opened, 0)
        });
        ours = ours.min(took);
        let sum: u64 = wallet.coins().map(|coin| coin.opening.value).sum();
        let expected = (0..u64::from(PROOFS)).map(|index| 100_000 + index).sum::<u64>() * (OUTPUTS as u64 / u64::from(PROOFS));
        if sum != expected {
            return Err(format!("the wallet opened {sum} atoms of {expected}"));
        }
    }
    let limit = millis(raw.together) * OUTPUTS as f64 / f64::from(PROOFS) / cores() as f64;
    let what = raw.what(&format!("{OUTPUTS} x one raw range proof rewind"));
    Ok(Figure::new("1,000 confidential outputs unblinded and learnt by the wallet", "ms", millis(ours), limit, what, 1.2))
}

/// How long the library takes to rewind each proof once.
fn rewind_all(owner: &Owner, outputs: &[TxOut]) -> Result<Raw, String> {
    let mut prepared = Vec::new();
    for (index, output) in (0..).zip(outputs) {
        let key = owner.wallet.account().private_blinding_key(Owner::path(index), &output.script_pubkey);
        let secret = output.nonce.shared_secret(&key).ok_or("the output has no nonce")?;
        let generator = output.asset.into_asset_gen(SECP256K1).ok_or("the output has no asset")?;
        let commitment = output.value.commitment().ok_or("the output has no commitment")?;
        let proof: &RangeProof = &output.witness.rangeproof;
        prepared.push((proof.as_ref().ok_or("the output has no proof")?, commitment, secret, generator, &output.script_pubkey));
    }
    let rewound = AtomicUsize::new(0);
    let took = Raw::of(|| {
        for (proof, commitment, secret, generator, script) in &prepared {
            let ok = proof.rewind(SECP256K1, *commitment, *secret, script.as_bytes(), *generator).is_ok();
            rewound.fetch_add(usize::from(ok), Ordering::Relaxed);
        }
    });
    let (rewound, expected) = (rewound.into_inner(), (1 + cores()) * outputs.len());
    if rewound == expected { Ok(took) } else { Err(format!("{rewound} of {expected} proofs rewound")) }
}
