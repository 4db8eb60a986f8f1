//! A confidential transaction of two inputs and three hidden outputs, from the intent to the signatures; and the check in between, by which
//! the keys open every output that claims to be ours.

use super::lab::{self, Owner};
use super::{Figure, Raw, cores, millis, said, timed};
use causeway_app::cores::blind;
use causeway_keys::{Policy, check, sign};
use causeway_sidechain::wallet::build::{Drain, Recipient};
use causeway_sidechain::wallet::descriptor::{Chain, KeyPath};
use causeway_sidechain::wallet::{Action, Intent};
use causeway_vocab::{Draft, Opening, Realm, Signed};
use elements::{Transaction, TxOut};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use secp256k1_zkp::{SECP256K1, SecretKey};
use std::collections::BTreeSet;
use std::time::Duration;

const ROUNDS: usize = 40;

pub(super) fn measure() -> Result<Vec<Figure>, String> {
    let rng = &mut StdRng::seed_from_u64(2);
    let realm = lab::realm(lab::closed_door()?)?;
    let mut owner = Owner::new(&realm, rng)?;
    let stranger = Owner::new(&realm, rng)?;
    let coins = vec![owner.paid(0, 60_000_000, rng), owner.paid(1, 50_000_000, rng)];
    owner.wallet.apply(&lab::batch(vec![vec![lab::gift(coins, 0)]]), &[], 0);
    let (mut ours, mut making, mut opening) = (Times::LONGEST, Raw::LONGEST, Duration::MAX);
    for _ in 0..ROUNDS {
        let (tx, openings, times) = build(&realm, &owner, &stranger, rng)?;
        let hidden = tx.output.iter().filter(|output| output.value.is_confidential()).count();
        let signed = tx.input.iter().filter(|input| !input.witness.script_witness.is_empty()).count();
        if (signed, hidden) != (2, 3) {
            return Err(format!("{signed} signed inputs and {hidden} hidden outputs were made"));
        }
        ours = ours.least(times);
        let (secret, outputs) = (SecretKey::new(rng), &tx.output);
        let signing = Raw::of(|| {
            for (output, opened) in outputs.iter().zip(&openings).filter(|(output, _)| output.value.is_confidential()) {
                lab::range_proof(opened, &output.script_pubkey, secret);
            }
        });
        let checking = timed(|| change_opened(&owner, outputs));
        if checking.0 != 1 {
            return Err(format!("{} outputs came back", checking.0));
        }
        making = making.least(signing);
        opening = opening.min(checking.1);
    }
    let limit = millis(making.together) / cores() as f64;
    let what = making.what("three raw range proof signings");
    let name = "a 2-in 3-out confidential transaction planned, blinded and signed";
    let making = Figure::new(name, "ms", millis(ours.making), limit, what, 1.5);
    let what = "one raw unblinding of the change";
    let name = "the same transaction checked by the keys before they sign";
    Ok(vec![making, Figure::new(name, "ms", millis(ours.checking), millis(opening), what, 1.5)])
}

/// How long the parts took.
#[derive(Clone, Copy)]
struct Times {
    making: Duration,
    checking: Duration,
}

impl Times {
    const LONGEST: Times = Times { making: Duration::MAX, checking: Duration::MAX };

    fn least(self, other: Times) -> Times {
        Times { making: self.making.min(other.making), checking: self.checking.min(other.checking) }
    }
}

/// How many outputs the library opens with the keys of their owner.
fn change_opened(owner: &Owner, outputs: &[TxOut]) -> usize {
    let opens = |output: &&TxOut| {
        let path = KeyPath { chain: Chain::Internal, index: 0 };
        let ours = owner.wallet.path_of(&output.script_pubkey) == Some(path);
        ours && output.unblind(SECP256K1, owner.wallet.account().private_blinding_key(path, &output.script_pubkey)).is_ok()
    };
    outputs.iter().filter(opens).count()
}

/// Two payments and change out of both coins.
/// A signed payment to a stranger.
pub(super) fn signed(realm: &Realm, owner: &Owner, stranger: &Owner, rng: &mut StdRng) -> Result<Transaction, String> {
    build(realm, owner, stranger, rng).map(|(tx, ..)| tx)
}

fn build(realm: &Realm, owner: &Owner, stranger: &Owner, rng: &mut StdRng) -> Result<(Transaction, Vec<Opening>, Times), String> {
    let pay = |index, amount| {
        let derived = stranger.wallet.account().derive(Owner::path(index)).expect("BUG: an index far below the last");
        Recipient { address: derived.confidential_address(), asset: realm.sidechain.policy_asset, amount }
    };
    let intent = Intent {
        action: Action::Send { recipients: vec![pay(0, 55_000_000), pay(1, 30_000_000)], drain: Drain::No },
        fee_rate: 100,
        discount: true,
        coins: BTreeSet::new(),
        include: BTreeSet::new(),
        exclude: BTreeSet::new(),
        allow_explicit: false,
    };
    let (draft, blinding) = timed(|| owner.wallet.plan(&intent, rng).map(|plan| blind(&plan, rng)));
    let draft = draft.map_err(said)?;
    let openings = draft.outputs.iter().map(|opening| opening.ok_or("an output is not open")).collect::<Result<_, _>>()?;
    let draft = Draft::Sidechain(Box::new(draft));
    let (checked, checking) = timed(|| check(draft, &owner.accounts, realm, &Policy::default()));
    let checked = checked.map_err(said)?;
    let (signed, signing) = timed(|| sign(checked, &owner.keys, rng));
    match signed.map_err(said)? {
        Signed::Sidechain(tx) => Ok((tx, openings, Times { making: blinding + signing, checking })),
        Signed::Bitcoin(_) => Err("a Bitcoin transaction was signed".into()),
    }
}
