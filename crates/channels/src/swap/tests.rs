//! The locks under a judge, the machine step by step, and every wrong message.

use super::*;
use crate::judge::{Coin as JudgedCoin, judge, judge_sidechain, key};
use bitcoin::ScriptBuf;
use bitcoin::hashes::Hash as _;
use causeway_vocab::Atoms;
use elements::confidential::{Asset, Value};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use secp256k1_zkp::{SECP256K1, SecretKey};

pub(super) const INITIATOR: u8 = 1;
pub(super) const RESPONDER: u8 = 2;
pub(super) const PREIMAGE: Preimage = Preimage([0x42; 32]);
pub(super) const SAFETY: Safety = Safety {
    bitcoin: Pace { fastest: 300, slowest: 600, depth: 2, window: 2 },
    sidechain: Pace { fastest: 60, slowest: 90, depth: 2, window: 5 },
};
pub(super) const TIPS: Tips = Tips { bitcoin: 1_000, sidechain: 5_000 };

pub(super) fn offer(gives: Chain) -> Offer {
    let expiries = SAFETY.expiries(gives, &TIPS, 600).expect("far from the end");
    Offer {
        place: Place {
            network: bitcoin::Network::Regtest,
            genesis: elements::BlockHash::from_byte_array([9; 32]),
            asset: elements::AssetId::from_byte_array([8; 32]),
        },
        gives,
        bitcoin: Leg { amount: Atoms(100_000), expiry: expiries.bitcoin },
        sidechain: Leg { amount: Atoms(99_000), expiry: expiries.sidechain },
        hash: PREIMAGE.hash(),
        key: key(INITIATOR).x_only_public_key().0,
        blinding: SecretKey::from_slice(&[3; 32]).expect("a key"),
    }
}

pub(super) fn acceptance() -> Acceptance {
    Acceptance { key: key(RESPONDER).x_only_public_key().0 }
}

fn terms(gives: Chain) -> Terms {
    Terms::new(offer(gives), acceptance()).expect("fair")
}

pub(super) fn bitcoin_home() -> ScriptBuf {
    let key = bitcoin::key::TweakedPublicKey::dangerous_assume_tweaked(key(7).x_only_public_key().0);
    ScriptBuf::new_p2tr_tweaked(key)
}

pub(super) fn sidechain_home(blinded: bool) -> Destination {
    let blinding = blinded.then(|| SecretKey::from_slice(&[5; 32]).expect("a key").public_key(SECP256K1));
    Destination { script: elements::Script::new_v0_wpkh(&elements::WPubkeyHash::from_byte_array([6; 20])), blinding }
}

fn explicit(lock: &SidechainLock) -> elements::TxOut {
    elements::TxOut {
        asset: Asset::Explicit(lock.asset),
        value: Value::Explicit(lock.leg.amount.0),
        nonce: elements::confidential::Nonce::Null,
        script_pubkey: lock.script_pubkey(),
        witness: elements::TxOutWitness::default(),
    }
}

#[test]
fn the_bitcoin_lock_opens_to_the_preimage_and_after_the_expiry_and_to_nothing_else() {
    let lock = terms(Chain::Bitcoin).bitcoin_lock();
    let expiry = lock.leg.expiry;
    let coin = bitcoin::OutPoint { txid: bitcoin::Txid::from_byte_array([7; 32]), vout: 0 };
    let judged = |tx: &bitcoin::Transaction, height| judge(tx, &[JudgedCoin { output: lock.output(), height: 10 }], height);
    let claim = lock.claim(coin, &PREIMAGE, bitcoin_home(), Atoms(400), &key(RESPONDER)).expect("enough");
    assert_eq!(judged(&claim, 11), Ok(()));
    assert_eq!(claim.vsize() as u64, BITCOIN_CLAIM_VSIZE);
    assert_eq!(lock.opened_by(coin, &claim), Some(Spend::Claimed(PREIMAGE)));
    assert_eq!(lock.claim(coin, &PREIMAGE, bitcoin_home(), Atoms(400), &key(RESPONDER)), Ok(claim.clone()), "the same bytes");
    let refund = lock.refund(coin, bitcoin_home(), Atoms(400), &key(INITIATOR)).expect("enough");
    assert_eq!(judged(&refund, expiry), Err("not final".into()));
    assert_eq!(judged(&refund, expiry + 1), Ok(()));
    assert!((BITCOIN_REFUND_VSIZE - 1..=BITCOIN_REFUND_VSIZE).contains(&(refund.vsize() as u64)), "{}", refund.vsize());
    assert_eq!(lock.opened_by(coin, &refund), Some(Spend::Refunded));
    assert_eq!(lock.opened_by(bitcoin::OutPoint { vout: 1, ..coin }, &refund), None);

    // Another preimage, another key, an earlier lock time, another amount.
    let mut items = claim.input[0].witness.to_vec();
    items[1][0] ^= 1;
    let mut forged = claim.clone();
    forged.input[0].witness = items.into();
    assert!(judged(&forged, 11).is_err());
    let other = BitcoinLock { claimer: key(4).x_only_public_key().0, ..lock.clone() };
    let stolen = other.claim(coin, &PREIMAGE, bitcoin_home(), Atoms(400), &key(4)).expect("enough");
    assert!(judged(&stolen, 11).is_err());
    let mut early = refund.clone();
    early.lock_time = bitcoin::absolute::LockTime::from_height(expiry - 1).expect("a height");
    assert!(judged(&early, expiry + 1).is_err());
    let mut final_ = refund;
    final_.input[0].sequence = bitcoin::Sequence::MAX;
    assert!(judged(&final_, expiry + 1).is_err());
    let code = |fee| lock.claim(coin, &PREIMAGE, bitcoin_home(), Atoms(fee), &key(RESPONDER)).expect_err("too much").code;
    assert_eq!([code(99_671), code(100_001), code(u64::MAX)], [Code::Dust, Code::InsufficientFee, Code::InsufficientFee]);
}

#[test]
fn the_sidechain_lock_opens_alike_blinded_or_not() {
    let mut rng = StdRng::seed_from_u64(7);
    let terms = terms(Chain::Sidechain);
    let lock = terms.sidechain_lock();
    let (expiry, genesis) = (lock.leg.expiry, lock.genesis);
    let amount = lock.leg.amount.0;
    let funds = elements::TxOutSecrets::new(
        lock.asset,
        elements::confidential::AssetBlindingFactor::new(&mut rng),
        amount,
        elements::confidential::ValueBlindingFactor::new(&mut rng),
    );
    let (script, receiver) = (lock.script_pubkey(), lock.blinding_pubkey());
    let (blinded, ..) =
        elements::TxOut::new_last_confidential(&mut rng, SECP256K1, amount, lock.asset, script, receiver, &[funds], &[])
            .expect("a blinded output");
    let coin = elements::OutPoint { txid: elements::Txid::from_byte_array([7; 32]), vout: 0 };
    for output in [explicit(&lock), blinded] {
        let judged = |tx: &elements::Transaction, height| judge_sidechain(tx, &[(output.clone(), 10)], height, genesis);
        let opening = lock.open(&output).expect("the lock");
        assert_eq!((opening.asset, opening.value), (lock.asset, amount));
        let mut homes = vec![sidechain_home(true)];
        if output.value.is_explicit() {
            homes.push(sidechain_home(false));
        } else {
            let open = lock.refund((coin, &output), &sidechain_home(false), Atoms(50), &key(INITIATOR), &mut rng);
            assert_eq!(open.expect_err("cannot balance").code, Code::ExplicitAddress);
        }
        for home in homes {
            let claim = lock.claim((coin, &output), &PREIMAGE, &home, Atoms(50), &key(RESPONDER), &mut rng).expect("enough");
            assert_eq!(judged(&claim, 11), Ok(()));
            assert_eq!(lock.opened_by(coin, &claim), Some(Spend::Claimed(PREIMAGE)));
            assert_eq!(claim.output[0].value.is_confidential(), home.blinding.is_some());
            let refund = lock.refund((coin, &output), &home, Atoms(50), &key(INITIATOR), &mut rng).expect("enough");
            assert_eq!(judged(&refund, expiry), Err("not final".into()));
            assert_eq!(judged(&refund, expiry + 1), Ok(()));
            assert_eq!(lock.opened_by(coin, &refund), Some(Spend::Refunded));
            assert!(
                judge_sidechain(&claim, &[(output.clone(), 10)], 11, elements::BlockHash::from_byte_array([1; 32])).is_err(),
                "another chain"
            );
            let mut forged = claim;
            let mut items = forged.input[0].witness.script_witness.to_vec();
            items[1][0] ^= 1;
            forged.input[0].witness.script_witness = items.into();
            assert!(judged(&forged, 11).is_err());
        }
    }
    let short = elements::TxOut { value: Value::Explicit(amount - 1), ..explicit(&lock) };
    let foreign = elements::TxOut { asset: Asset::Explicit(elements::AssetId::from_byte_array([1; 32])), ..explicit(&lock) };
    for wrong in [short, foreign] {
        assert_eq!(lock.open(&wrong), None);
        let refused = lock.claim((coin, &wrong), &PREIMAGE, &sidechain_home(false), Atoms(50), &key(RESPONDER), &mut rng);
        assert_eq!(refused.expect_err("not the lock").code, Code::CoinUnavailable);
    }
}

#[test]
fn expiries_are_the_earliest_that_both_sides_take() {
    for safety in [SAFETY, Safety::MAINNET] {
        for gives in [Chain::Bitcoin, Chain::Sidechain] {
            let expiries = safety.expiries(gives, &TIPS, 0).expect("far from the end");
            let with = |bitcoin, sidechain| {
                let offer = offer(gives);
                Offer {
                    bitcoin: Leg { expiry: bitcoin, ..offer.bitcoin },
                    sidechain: Leg { expiry: sidechain, ..offer.sidechain },
                    ..offer
                }
            };
            let both = |offer: &Offer| safety.initiator_may_lock(offer, &TIPS) && safety.responder_may_lock(offer, &TIPS);
            assert!(both(&with(expiries.bitcoin, expiries.sidechain)));
            assert!(!both(&with(expiries.bitcoin - 1, expiries.sidechain)));
            assert!(!both(&with(expiries.bitcoin, expiries.sidechain - 1)));
        }
    }
    // By hand, mainnet, the initiator gives bitcoin. Second lock: 21 * 1200 s + 122 * 120 s = 39,840 s = 664 blocks of a minute.
    // First lock: (664 + 60) * 120 s + 18 * 1200 s = 108,480 s = 362 blocks of five minutes.
    let expiries = Safety::MAINNET.expiries(Chain::Bitcoin, &TIPS, 0).expect("far from the end");
    assert_eq!(expiries, Tips { bitcoin: 1_362, sidechain: 5_664 });
    assert_eq!(SAFETY.expiries(Chain::Bitcoin, &Tips { bitcoin: u32::MAX, sidechain: 0 }, 0), None);
}

fn initiator(gives: Chain) -> Swap {
    let (swap, effects) = Swap::offer(offer(gives), SAFETY, TIPS).expect("safe").saved();
    assert_eq!(effects, [Effect::Send(Message::Offer(offer(gives).into()))]);
    assert_eq!(swap.outlook(), Outlook::Answer);
    swap
}

fn coin(chain: Chain) -> Coin {
    match chain {
        Chain::Bitcoin => Coin::Bitcoin(bitcoin::OutPoint { txid: bitcoin::Txid::from_byte_array([7; 32]), vout: 0 }),
        Chain::Sidechain => Coin::Sidechain(elements::OutPoint { txid: elements::Txid::from_byte_array([7; 32]), vout: 0 }),
    }
}

fn go(swap: Swap, inputs: &[Input]) -> (Swap, Vec<Effect>) {
    inputs.iter().fold((swap, vec![]), |(swap, _), input| swap.step(input).expect("in turn").saved())
}

#[test]
fn both_sides_walk_through_a_swap_in_both_directions() {
    for gives in [Chain::Bitcoin, Chain::Sidechain] {
        let takes = gives.other();
        let place = offer(gives).place;
        let (responder, effects) = Swap::accept(offer(gives), acceptance(), &place, SAFETY, TIPS).expect("safe").saved();
        let [Effect::Send(accept), Effect::Watch] = &effects[..] else { panic!("{effects:?}") };
        let (one, effects) = initiator(gives).receive(accept).expect("in turn").saved();
        assert_eq!(effects, [Effect::Watch, Effect::Lock(gives)]);
        assert_eq!(one.outlook(), Outlook::OurLock(gives));
        let (one, effects) = go(one, &[Input::Locked(coin(gives))]);
        assert_eq!(effects, [Effect::Send(Message::Locked(offer(gives).id(), coin(gives)))]);
        assert_eq!(one.outlook(), Outlook::TheirLock(takes, offer(gives).leg(gives).expiry));

        let first = TIPS.of(gives) + 1;
        assert_eq!(responder.outlook(), Outlook::TheirLock(gives, offer(gives).leg(takes).expiry));
        let (two, effects) = go(responder, &[Input::Tip(gives, first), Input::Found(coin(gives), first)]);
        assert!(effects.is_empty(), "not deep enough");
        let (two, effects) = go(two, &[Input::Tip(gives, first + 1)]);
        assert_eq!(effects, [Effect::Lock(takes)]);
        let (two, _) = go(two, &[Input::Locked(coin(takes))]);
        assert_eq!(two.outlook(), Outlook::TheirClaim(takes, offer(gives).leg(takes).expiry));

        let second = TIPS.of(takes) + 1;
        let (one, effects) = go(one, &[Input::Found(coin(takes), second), Input::Tip(takes, second + 1)]);
        assert_eq!(effects, [Effect::Claim(takes)]);
        let one = go(one, &[Input::ClaimSigned]).0;
        let shown = Spend::Claimed(PREIMAGE);
        let (one, _) = go(one, &[Input::Opened(coin(takes), shown, second + 2), Input::Tip(takes, second + 3)]);
        assert_eq!(one.outlook(), Outlook::Over(Outcome::Swapped));
        let (two, effects) = go(two, &[Input::Found(coin(takes), second), Input::Opened(coin(takes), shown, second + 2)]);
        assert_eq!((effects, two.preimage()), (vec![Effect::Claim(gives)], Some(PREIMAGE)));
        let (two, _) = go(two, &[Input::Opened(coin(gives), shown, first + 5), Input::Tip(gives, first + 6)]);
        assert_eq!(two.outlook(), Outlook::Over(Outcome::Swapped));
    }
}

#[test]
fn the_preimage_is_not_shown_when_the_claim_might_come_too_late() {
    let gives = Chain::Bitcoin;
    let accept = Message::Accept(offer(gives).id(), acceptance());
    let (one, _) = initiator(gives).receive(&accept).expect("in turn").saved();
    let (one, _) = go(one, &[Input::Locked(coin(gives)), Input::Found(coin(gives), 1_001)]);
    let last = offer(gives).sidechain.expiry - SAFETY.sidechain.window;
    let (late, effects) =
        go(one.clone(), &[Input::Tip(Chain::Sidechain, last + 1), Input::Found(coin(Chain::Sidechain), last - 5)]);
    assert_eq!((effects, late.outlook()), (vec![], Outlook::Expiry(gives, offer(gives).bitcoin.expiry)));
    let (_, effects) = go(one, &[Input::Tip(Chain::Sidechain, last), Input::Found(coin(Chain::Sidechain), last - 5)]);
    assert_eq!(effects, [Effect::Claim(Chain::Sidechain)]);
    let (late, effects) = go(late, &[Input::Tip(gives, offer(gives).bitcoin.expiry)]);
    assert_eq!(effects, [Effect::Refund(gives)]);
    let back = Input::Opened(coin(gives), Spend::Refunded, offer(gives).bitcoin.expiry + 1);
    let (late, _) = go(late, &[back, Input::Tip(gives, offer(gives).bitcoin.expiry + 2)]);
    assert_eq!(late.outcome(), Some(Outcome::Refunded));
}

#[test]
fn a_claim_that_slept_before_it_was_signed_is_not_signed_any_more() {
    let gives = Chain::Bitcoin;
    let accept = Message::Accept(offer(gives).id(), acceptance());
    let (one, _) = initiator(gives).receive(&accept).expect("in turn").saved();
    let (one, _) = go(one, &[Input::Locked(coin(gives)), Input::Found(coin(gives), 1_001)]);
    assert_eq!(one.step(&Input::ClaimSigned), Err(Wrong::OutOfTurn));
    let last = offer(gives).sidechain.expiry - SAFETY.sidechain.window;
    let (one, effects) = go(one, &[Input::Found(coin(Chain::Sidechain), 5_001), Input::Tip(Chain::Sidechain, last)]);
    assert_eq!(effects, [Effect::Claim(Chain::Sidechain)]);
    // Signed in time it must be seen through; not signed it must not be shown.
    let signed = go(one.clone(), &[Input::ClaimSigned, Input::Tip(Chain::Sidechain, last + 1)]).0;
    assert!(signed.resume().contains(&Effect::Claim(Chain::Sidechain)));
    let late = go(one, &[Input::Tip(Chain::Sidechain, last + 1)]).0;
    assert!(!late.resume().contains(&Effect::Claim(Chain::Sidechain)));
    assert_eq!(late.step(&Input::ClaimSigned), Err(Wrong::OutOfTurn));
    assert_eq!(late.outlook(), Outlook::Expiry(gives, offer(gives).bitcoin.expiry));
}

#[test]
fn a_responders_lock_that_no_block_took_in_time_is_withdrawn() {
    let gives = Chain::Bitcoin;
    let (two, _) = Swap::accept(offer(gives), acceptance(), &offer(gives).place, SAFETY, TIPS).expect("safe").saved();
    let (two, _) = go(two, &[Input::Found(coin(gives), 1_001), Input::Tip(gives, 1_002)]);
    let (two, _) = go(two, &[Input::Locked(coin(Chain::Sidechain))]);
    let near = offer(gives).bitcoin.expiry - 3;
    let (two, effects) = go(two, &[Input::Tip(gives, near)]);
    assert_eq!(effects, [Effect::Withdraw(Chain::Sidechain)]);
    assert!(two.resume().contains(&Effect::Withdraw(Chain::Sidechain)));
    let (void, _) = go(two.clone(), &[Input::LockVoid]);
    assert_eq!(void.outcome(), Some(Outcome::Abandoned));
    // It confirmed all the same: its own refund is waited for.
    let (two, _) = go(two, &[Input::Found(coin(Chain::Sidechain), 5_003)]);
    assert_eq!(two.step(&Input::LockVoid), Err(Wrong::OutOfTurn));
    let (two, effects) = go(two, &[Input::Tip(Chain::Sidechain, offer(gives).sidechain.expiry)]);
    assert_eq!((effects, two.outlook()), (vec![Effect::Refund(Chain::Sidechain)], Outlook::OurRefund(Chain::Sidechain)));
}

#[test]
fn a_lock_that_has_become_unsafe_is_not_made() {
    let gives = Chain::Bitcoin;
    let (two, _) = Swap::accept(offer(gives), acceptance(), &offer(gives).place, SAFETY, TIPS).expect("safe").saved();
    // The first lock is deep only when its expiry is too near.
    let near = offer(gives).bitcoin.expiry - 3;
    let (two, effects) = go(two, &[Input::Found(coin(gives), near - 5), Input::Tip(gives, near)]);
    assert_eq!((effects, two.outcome()), (vec![], Some(Outcome::Abandoned)));

    // Ordered in time, signed too late: the signature must be thrown away.
    let (two, _) = Swap::accept(offer(gives), acceptance(), &offer(gives).place, SAFETY, TIPS).expect("safe").saved();
    let (two, effects) = go(two, &[Input::Found(coin(gives), 1_001), Input::Tip(gives, 1_002)]);
    assert_eq!(effects, [Effect::Lock(Chain::Sidechain)]);
    let (two, _) = go(two, &[Input::RolledBack(gives, 1_000)]);
    assert_eq!(two.step(&Input::Locked(coin(Chain::Sidechain))), Err(Wrong::Timing), "the first lock was undone");
    let (two, _) = go(two, &[Input::Tip(gives, near)]);
    assert_eq!(two.outcome(), Some(Outcome::Abandoned));
    assert!(two.step(&Input::Locked(coin(Chain::Sidechain))).is_err());
}

#[test]
fn an_outcome_undone_by_a_reorganisation_is_pursued_again() {
    let gives = Chain::Bitcoin;
    let accept = Message::Accept(offer(gives).id(), acceptance());
    let (one, _) = initiator(gives).receive(&accept).expect("in turn").saved();
    let (one, _) = go(one, &[Input::Locked(coin(gives)), Input::Found(coin(gives), 1_001)]);
    let (one, _) = go(one, &[Input::Found(coin(Chain::Sidechain), 5_001), Input::Tip(Chain::Sidechain, 5_002)]);
    let (one, _) = go(one, &[Input::ClaimSigned, Input::Opened(coin(Chain::Sidechain), Spend::Claimed(PREIMAGE), 5_003)]);
    assert!(!one.resume().contains(&Effect::Claim(Chain::Sidechain)));
    let (one, _) = go(one, &[Input::RolledBack(Chain::Sidechain, 5_002)]);
    assert!(one.resume().contains(&Effect::Claim(Chain::Sidechain)));
    assert_eq!(one.outlook(), Outlook::OurClaim(Chain::Sidechain, offer(gives).sidechain.expiry));
}

#[test]
fn giving_up_is_possible_until_the_lock_is_signed() {
    let gives = Chain::Sidechain;
    let (given_up, _) = go(initiator(gives), &[Input::Abandon]);
    assert_eq!(given_up.outcome(), Some(Outcome::Abandoned));
    let accept = Message::Accept(offer(gives).id(), acceptance());
    assert_eq!(given_up.receive(&accept), Err(Wrong::OutOfTurn));
    let (one, _) = initiator(gives).receive(&accept).expect("in turn").saved();
    let (one, _) = go(one, &[Input::Locked(coin(gives))]);
    assert_eq!(one.step(&Input::Abandon), Err(Wrong::OutOfTurn));
    let (void, _) = go(one.clone(), &[Input::LockVoid]);
    assert_eq!(void.outcome(), Some(Outcome::Abandoned));
    let (one, _) = go(one, &[Input::Found(coin(gives), 5_001)]);
    assert_eq!(one.step(&Input::LockVoid), Err(Wrong::OutOfTurn));
}

#[test]
fn every_wrong_message_and_offer_is_refused_by_its_name() {
    let gives = Chain::Bitcoin;
    let (good, place) = (offer(gives), offer(gives).place);
    let (id, other) = (good.id(), SwapId([1; 32]));
    let accept = Message::Accept(id, acceptance());
    let one = initiator(gives);
    let two = Swap::accept(good.clone(), acceptance(), &place, SAFETY, TIPS).expect("safe").saved().0;
    for (swap, message, wrong) in [
        (&one, Message::Accept(other, acceptance()), Wrong::Swap),
        (&one, Message::Accept(id, Acceptance { key: good.key }), Wrong::Term("key")),
        (&one, Message::Offer(good.clone().into()), Wrong::OutOfTurn),
        (&one, Message::Locked(other, coin(gives)), Wrong::Swap),
        (&one, Message::Locked(id, coin(gives)), Wrong::Term("chain")),
        (&two, accept.clone(), Wrong::OutOfTurn),
        (&two, Message::Offer(Offer { hash: Preimage([1; 32]).hash(), ..good.clone() }.into()), Wrong::OutOfTurn),
    ] {
        assert_eq!(swap.receive(&message), Err(wrong), "{message:?}");
    }
    let agreed = one.receive(&accept).expect("in turn").saved().0;
    let changed = Message::Accept(id, Acceptance { key: key(4).x_only_public_key().0 });
    assert_eq!(agreed.receive(&changed), Err(Wrong::OutOfTurn));
    for (offer, wrong) in [
        (Offer { place: Place { network: bitcoin::Network::Signet, ..place }, ..good.clone() }, Wrong::Term("place")),
        (Offer { bitcoin: Leg { amount: Atoms(999), ..good.bitcoin }, ..good.clone() }, Wrong::Term("amount")),
        (Offer { sidechain: Leg { amount: Atoms(u64::MAX), ..good.sidechain }, ..good.clone() }, Wrong::Term("amount")),
        (Offer { bitcoin: Leg { expiry: 500_000_000, ..good.bitcoin }, ..good.clone() }, Wrong::Term("expiry")),
        (Offer { key: acceptance().key, ..good.clone() }, Wrong::Term("key")),
        (Offer { bitcoin: Leg { expiry: good.sidechain.expiry / 50, ..good.bitcoin }, ..good.clone() }, Wrong::Timing),
        (Offer { gives: Chain::Sidechain, ..good.clone() }, Wrong::Timing),
    ] {
        assert_eq!(Swap::accept(offer, acceptance(), &place, SAFETY, TIPS).expect_err("refused"), wrong);
    }
    assert_eq!(Swap::offer(Offer { gives: Chain::Sidechain, ..good }, SAFETY, TIPS).expect_err("refused"), Wrong::Timing);
}

#[test]
fn messages_read_back_as_they_were_written_and_nothing_else_reads() {
    let id = offer(Chain::Bitcoin).id();
    let messages = [
        (Message::Offer(offer(Chain::Sidechain).into()), 2 + 4 + 32 + 32 + 1 + 24 + 96),
        (Message::Accept(id, acceptance()), 2 + 64),
        (Message::Locked(id, coin(Chain::Bitcoin)), 2 + 32 + 1 + 36),
        (Message::Locked(id, coin(Chain::Sidechain)), 2 + 32 + 1 + 36),
    ];
    for (message, length) in messages {
        let bytes = message.encode();
        assert_eq!(bytes.len(), length);
        assert_eq!(Message::decode(&bytes), Ok(message));
        for cut in 0..bytes.len() {
            assert!(Message::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        assert_eq!(Message::decode(&[&bytes[..], &[0]].concat()), Err(WireFault::Malformed));
    }
}
