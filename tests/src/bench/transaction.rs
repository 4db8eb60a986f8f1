//! A confidential transaction of two inputs and three hidden outputs, from the intent to the signatures.

use super::lab::{self, Owner};
use super::{Figure, cores, millis, said, timed};
use causeway_app::cores::blind;
use causeway_keys::{Policy, check, sign};
use causeway_sidechain::wallet::build::{Drain, Recipient};
use causeway_sidechain::wallet::{Action, Intent};
use causeway_vocab::{Draft, Realm, Signed};
use elements::Transaction;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use secp256k1_zkp::SecretKey;
use std::collections::BTreeSet;
use std::time::Duration;

const ROUNDS: usize = 40;

pub(super) fn measure() -> Result<Figure, String> {
    let rng = &mut StdRng::seed_from_u64(2);
    let realm = lab::realm(lab::closed_door()?)?;
    let mut owner = Owner::new(&realm, rng)?;
    let stranger = Owner::new(&realm, rng)?;
    let coins = vec![owner.paid(0, 60_000_000, rng), owner.paid(1, 50_000_000, rng)];
    owner.wallet.apply(&lab::batch(vec![vec![lab::gift(coins, 0)]]), &[], 0);
    let (mut ours, mut raw) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let (made, took) = timed(|| build(&realm, &owner, &stranger, rng));
        let (tx, openings) = made?;
        let hidden = tx.output.iter().filter(|output| output.value.is_confidential()).count();
        let signed = tx.input.iter().filter(|input| !input.witness.script_witness.is_empty()).count();
        if (signed, hidden) != (2, 3) {
            return Err(format!("{signed} signed inputs and {hidden} hidden outputs were made"));
        }
        ours = ours.min(took);
        let (secret, outputs) = (SecretKey::new(rng), &tx.output);
        let (_, took) = timed(|| {
            for (output, opening) in outputs.iter().zip(&openings).filter(|(output, _)| output.value.is_confidential()) {
                lab::range_proof(opening, &output.script_pubkey, secret);
            }
        });
        raw = raw.min(took);
    }
    let what = format!("three raw range proof signings / {} cores", cores());
    let limit = millis(raw) / cores() as f64;
    Ok(Figure::new(
        "a 2-in 3-out confidential transaction planned, blinded, checked and signed",
        "ms",
        millis(ours),
        limit,
        what,
        1.5,
    ))
}

/// Two payments and change out of both coins.
fn build(
    realm: &Realm,
    owner: &Owner,
    stranger: &Owner,
    rng: &mut StdRng,
) -> Result<(Transaction, Vec<causeway_vocab::Opening>), String> {
    let pay = |index, amount| {
        let derived = stranger.wallet.account().derive(Owner::path(index)).expect("BUG: an index far below the last");
        Recipient { address: derived.confidential_address(), asset: realm.sidechain.policy_asset, amount }
    };
    let intent = Intent {
        action: Action::Send { recipients: vec![pay(0, 55_000_000), pay(1, 30_000_000)], drain: Drain::No },
        fee_rate: 100,
        discount: true,
        coins: BTreeSet::new(),
        exclude: BTreeSet::new(),
        allow_explicit: false,
    };
    let plan = owner.wallet.plan(&intent, rng).map_err(said)?;
    let draft = blind(&plan, rng);
    let openings =
        draft.outputs.iter().copied().map(|opening| opening.ok_or("an output is not open")).collect::<Result<_, _>>()?;
    let checked = check(Draft::Sidechain(Box::new(draft)), &owner.accounts, realm, &Policy::default()).map_err(said)?;
    match sign(checked, &owner.keys, rng).map_err(said)? {
        Signed::Sidechain(tx) => Ok((tx, openings)),
        Signed::Bitcoin(_) => Err("a Bitcoin transaction was signed".into()),
    }
}
