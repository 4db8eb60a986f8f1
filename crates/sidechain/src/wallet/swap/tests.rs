use super::*;
use crate::consensus::proofs;
use crate::wallet::build::{Action, Take};
use crate::wallet::testing::{World, fixture, vectors};
use secp256k1_zkp::Message;
use std::collections::BTreeMap;
use std::str::FromStr as _;

fn gold() -> AssetId {
    AssetId::from_str(fixture("wallet.json")["assets"]["GOLD"].as_str().expect("an id")).expect("an id")
}

/// A confirmed hidden coin of an asset.
fn coin(world: &World, asset: AssetId) -> Coin {
    let fits = |coin: &Coin| coin.opening.asset == asset && coin.height.is_some() && coin.blinded && coin.spendable;
    world.wallet.coins().find(fits).expect("a coin")
}

/// Offers a coin for `value` of `asset`, signed as the keys would.
fn offered(world: &mut World, coin: &Coin, asset: AssetId, value: u64) -> Offer {
    let Draft { mut draft, .. } = draft(&world.wallet, coin, asset, value, &mut world.rng).expect("an offer");
    let tx = world.sign_as(&draft.pset, EcdsaSighashType::SinglePlusAnyoneCanPay);
    draft.pset.inputs_mut()[0].final_script_witness = Some(tx.input[0].witness.script_witness.clone());
    finish(&draft, &mut world.rng).expect("signed")
}

/// The transaction that made a coin, as far as an offer looks at it.
fn made_by(offer: &mut Offer, coin: &Coin) -> Transaction {
    let filler = TxOut { script_pubkey: elements::Script::from(vec![0x6a]), ..TxOut::default() };
    let mut output = vec![filler; coin.outpoint.vout as usize];
    output.push(coin.output.clone());
    let tx = Transaction { version: 2, lock_time: LockTime::ZERO, input: vec![TxIn::default()], output };
    // The fixture's wallet keeps no whole transactions; another id makes no difference to what is checked.
    offer.tx.input[0].previous_output.txid = tx.txid();
    tx
}

#[test]
fn published_proposals_are_read_and_changed_ones_refused() {
    for case in vectors("liquidex.json") {
        let text = case["proposal"].to_string();
        let read = Offer::parse(&text).ok().filter(Offer::pays_as_said);
        assert_eq!(read.is_some(), case["valid"] == true, "{}", case["why"]);
        let Some(offer) = read else { continue };
        for (side, name) in [(&offer.gives, "gives"), (&offer.gets, "gets")] {
            assert_eq!(side.asset.to_string(), case[name]["asset"].as_str().expect("an id"));
            assert_eq!(Some(side.value), case[name]["value"].as_u64());
        }
        assert_eq!(Offer::parse(&offer.to_text()).expect("reads back"), offer);
        let again: serde_json::Value = serde_json::from_str(&offer.to_text()).expect("JSON");
        assert_eq!(again, case["proposal"], "the same file");
    }
}

#[test]
fn an_offer_is_true_of_its_coin_and_of_no_other() {
    let mut world = World::new("w1", 11);
    let (policy, coin) = (world.policy(), coin(&world, gold()));
    let mut offer = offered(&mut world, &coin, policy, 1_000);
    assert_eq!(Offer::parse(&offer.to_text()).expect("reads back"), offer);
    let tx = made_by(&mut offer, &coin);
    assert_eq!(offer.check(&tx).map(|output| output.value), Ok(coin.output.value));
    let lie = |change: fn(&mut Offer)| {
        let mut lie = offer.clone();
        change(&mut lie);
        lie.check(&tx).expect_err("a lie")
    };
    assert_eq!(lie(|offer| offer.gives.value += 1), OfferFault::Gives);
    assert_eq!(lie(|offer| offer.gives.asset = offer.gets.asset), OfferFault::Gives);
    assert_eq!(lie(|offer| offer.gets.value += 1), OfferFault::Gets);
    assert_eq!(lie(|offer| offer.gets.asset = offer.gives.asset), OfferFault::Gets);
    assert_eq!(lie(|offer| offer.gives.proof = offer.gets.proof.clone()), OfferFault::Gives);
    assert_eq!(lie(|offer| offer.scalar = ZERO_TWEAK), OfferFault::Blinding);
    assert_eq!(lie(|offer| offer.tx.input[0].previous_output.vout += 1), OfferFault::Coin);
    let other = Transaction { version: 1, ..tx.clone() };
    assert_eq!(offer.check(&other), Err(OfferFault::Coin));
}

#[test]
fn a_taken_offer_balances_and_all_its_proofs_hold() {
    let (mut maker, mut taker) = (World::new("w1", 21), World::new("w2", 22));
    let (policy, coin) = (maker.policy(), coin(&maker, gold()));
    let offer = offered(&mut maker, &coin, policy, 1_000);
    let take = Take { offer: offer.clone(), coin: coin.output.clone() };
    let plan = taker.wallet.plan(&taker.intent(Action::Take(Box::new(take))), &mut taker.rng).expect("a plan");
    let draft = taker.blind(&plan);
    // What the maker signed is at its place: one input and the output of the same place.
    let tx = draft.pset.extract_tx().expect("a whole transaction");
    assert_eq!((tx.input[0].previous_output, &tx.input[0].witness), (coin.outpoint, &offer.tx.input[0].witness));
    let made = |output: &TxOut| (output.asset, output.value, output.nonce, output.script_pubkey.clone());
    assert_eq!(made(&tx.output[0]), made(&offer.tx.output[0]));
    let signature = tx.input[0].witness.script_witness.iter().next().expect("a signature").to_vec();
    let key = bitcoin::PublicKey::from_slice(tx.input[0].witness.script_witness.iter().nth(1).expect("a key")).expect("a key");
    let script_code = elements::Script::new_p2pkh(&key.pubkey_hash());
    let kind = EcdsaSighashType::SinglePlusAnyoneCanPay;
    let hash = elements::sighash::SighashCache::new(&tx).segwitv0_sighash(0, &script_code, coin.output.value, kind);
    let signature = secp256k1_zkp::ecdsa::Signature::from_der(&signature[..signature.len() - 1]).expect("a signature");
    SECP256K1.verify_ecdsa(&Message::from_digest(hash.to_byte_array()), &signature, &key.inner).expect("it still holds");

    let spent: Vec<_> = draft.pset.inputs().iter().map(|i| i.witness_utxo.clone().expect("the spent output")).collect();
    let fees = proofs::verify(&tx, &spent, policy).expect("a valid transaction");
    assert_eq!(fees, BTreeMap::from([(policy, plan.fee)]).into_iter().collect());
    // Nobody takes his own.
    let take = Take { offer, coin: coin.output.clone() };
    let refused = maker.wallet.plan(&maker.intent(Action::Take(Box::new(take))), &mut maker.rng).expect_err("his own");
    assert_eq!(refused.code, Code::CoinUnavailable);
}

#[test]
fn what_cannot_be_offered_is_refused() {
    let mut world = World::new("w1", 31);
    let (policy, coin) = (world.policy(), coin(&world, gold()));
    let mut refused =
        |coin: &Coin, asset, value| draft(&world.wallet, coin, asset, value, &mut world.rng).err().map(|refusal| refusal.code);
    assert_eq!(refused(&coin, policy, 0), Some(Code::BadAmount));
    assert_eq!(refused(&coin, gold(), 5), Some(Code::BadAmount), "the same asset");
    let mut open = coin.clone();
    open.output.value = Value::Explicit(open.opening.value);
    assert_eq!(refused(&open, policy, 5), Some(Code::CoinUnavailable));
    let pending = Coin { height: None, ..coin };
    assert_eq!(refused(&pending, policy, 5), Some(Code::CoinUnavailable));
}
