//! The protocol step by step, and every wrong message.

use super::*;
use crate::judge::{Coin, judge, key};
use bitcoin::hashes::Hash as _;
use bitcoin::{OutPoint, ScriptBuf, Transaction, Txid, WPubkeyHash};
use causeway_vocab::Height;

const PAYER: u8 = 1;
const PAYEE: u8 = 2;

pub(super) fn proposal() -> Proposal {
    Proposal {
        network: bitcoin::Network::Regtest,
        payer: key(PAYER).x_only_public_key().0,
        capacity: Atoms(100_000),
        expiry: 300,
        fee: Atoms(500),
        payer_script: ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([0xaa; 20])),
    }
}

pub(super) fn acceptance() -> Acceptance {
    Acceptance {
        payee: key(PAYEE).x_only_public_key().0,
        payee_script: ScriptBuf::new_p2tr_tweaked(bitcoin::key::TweakedPublicKey::dangerous_assume_tweaked(
            key(9).x_only_public_key().0,
        )),
        depth: 3,
        margin: 20,
    }
}

pub(super) fn policy() -> Policy {
    Policy { network: bitcoin::Network::Regtest, least_capacity: Atoms(10_000), least_fee: Atoms(300), least_service: 50 }
}

pub(super) fn coin() -> OutPoint {
    OutPoint { txid: Txid::from_byte_array([7; 32]), vout: 1 }
}

pub(super) fn funded_at(terms: &Terms, height: Height) -> Coin {
    Coin { output: terms.funding(), height }
}

/// A channel in which payments flow, at height 105.
fn open() -> (Payer, Payee) {
    let (payer, _) = Payer::propose(proposal(), 100).expect("a fair proposal").saved();
    let (payee, effects) = Payee::answer(proposal(), acceptance(), &policy(), 100).expect("acceptable").saved();
    let [PayeeEffect::Send(accept)] = &effects[..] else { panic!("{effects:?}") };
    let (payer, effects) = payer.receive(accept).expect("fair").saved();
    assert_eq!(effects, [PayerEffect::Fund(payee.terms().funding())]);
    let (payer, effects) = payer.funded(coin()).expect("agreed").saved();
    let [PayerEffect::Send(funded)] = &effects[..] else { panic!("{effects:?}") };
    let (payee, effects) = payee.receive(funded, &key(PAYEE)).expect("in turn").saved();
    assert_eq!(effects, [PayeeEffect::Watch(coin(), payee.terms().funding())]);
    let (payee, _) = payee.funding_seen(coin(), &payee.terms().funding(), 103).expect("as agreed").saved();
    assert_eq!(payee.phase(), PayeePhase::Waiting);
    let (payee, effects) = payee.at_height(105).saved();
    let Some(PayeeEffect::Send(ready)) = effects.last() else { panic!("{effects:?}") };
    let (payer, _) = payer.at_height(105).saved();
    let (payer, _) = payer.receive(ready).expect("in turn").saved();
    (payer, payee)
}

fn pay(payer: Payer, payee: Payee, amount: u64) -> (Payer, Payee) {
    let (payer, effects) = payer.pay(Atoms(amount), &key(PAYER)).expect("payable").saved();
    let [PayerEffect::Send(message)] = &effects[..] else { panic!("{effects:?}") };
    let (payee, effects) = payee.receive(message, &key(PAYEE)).expect("a good payment").saved();
    let [PayeeEffect::Send(paid)] = &effects[..] else { panic!("{effects:?}") };
    (payer.receive(paid).expect("in turn").saved().0, payee)
}

fn paid_by(tx: &Transaction, script: &ScriptBuf) -> u64 {
    tx.output.iter().filter(|o| o.script_pubkey == *script).map(|o| o.value.to_sat()).sum()
}

#[test]
fn the_payee_settles_alone_what_was_paid_last() {
    let (payer, payee) = open();
    let (payer, payee) = pay(payer, payee, 330);
    let old = payee.settlement(&key(PAYEE)).expect("something was paid");
    let (payer, payee) = pay(payer, payee, 25_000);
    assert_eq!((payer.total(), payer.acknowledged(), payer.left()), (Atoms(25_330), Atoms(25_330), Atoms(74_170)));
    let (payee, effects) = payee.settle().saved();
    assert_eq!(effects.last(), Some(&PayeeEffect::Settle));
    let tx = payee.settlement(&key(PAYEE)).expect("something was paid");
    assert_eq!(judge(&tx, &[funded_at(payee.terms(), 103)], 106), Ok(()));
    assert_eq!(judge(&old, &[funded_at(payee.terms(), 103)], 106), Ok(()), "only the payee could want this one");
    assert_eq!(paid_by(&tx, &acceptance().payee_script), 25_330);
    assert_eq!(paid_by(&tx, &proposal().payer_script), 74_170);
    assert_eq!(tx.vsize() as u64 + 12, SETTLEMENT_VSIZE, "the payer's script is 12 bytes shorter than the longest");
    let payer = payer.spent_in(&tx, 107).saved().0;
    assert_eq!(payer.spent(), Some((Settlement::Paid(Atoms(25_330)), 107)));
    assert!(payer.at_height(400).saved().1.is_empty(), "nothing is left to take back");
}

#[test]
fn both_settle_with_a_fee_of_the_moment() {
    let (payer, payee) = open();
    let (payer, payee) = pay(payer, payee, 40_000);
    let (payer, effects) = payer.close(Atoms(3_000), &key(PAYER)).expect("payable").saved();
    let [PayerEffect::Send(close)] = &effects[..] else { panic!("{effects:?}") };
    let (payee, effects) = payee.receive(close, &key(PAYEE)).expect("the newest total").saved();
    let [PayeeEffect::Send(closed), PayeeEffect::Broadcast(tx)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(judge(tx, &[funded_at(payee.terms(), 103)], 106), Ok(()));
    assert_eq!((paid_by(tx, &acceptance().payee_script), paid_by(tx, &proposal().payer_script)), (40_000, 57_000));
    let (payer, effects) = payer.receive(closed).expect("in turn").saved();
    assert_eq!(effects, [PayerEffect::Broadcast(tx.clone())]);
    assert_eq!(payer.pay(Atoms(1), &key(PAYER)).expect_err("closed").code, Code::NotReady);
    assert_eq!(payer.close(Atoms(3_100), &key(PAYER)).expect_err("a bump pays its own relay").code, Code::FeeTooLow);
    let forged = Message::Closed { channel: payee.terms().id(), signature: taproot_signature() };
    assert_eq!(payer.receive(&forged), Err(Wrong::Signature));
}

#[test]
fn an_unused_channel_is_given_back_at_once_when_both_agree() {
    let (payer, payee) = open();
    let (_, effects) = payer.close(Atoms(1_000), &key(PAYER)).expect("payable").saved();
    let [PayerEffect::Send(close)] = &effects[..] else { panic!("{effects:?}") };
    let (payee, effects) = payee.receive(close, &key(PAYEE)).expect("nothing was paid").saved();
    let Some(PayeeEffect::Broadcast(tx)) = effects.last() else { panic!("{effects:?}") };
    assert_eq!(judge(tx, &[funded_at(payee.terms(), 103)], 106), Ok(()));
    assert_eq!((tx.output.len(), paid_by(tx, &proposal().payer_script)), (1, 99_000));
    assert_eq!(payee.spent_in(tx, 107).saved().0.spent(), Some((Settlement::Paid(Atoms(0)), 107)));
}

#[test]
fn a_payer_whose_payee_vanished_takes_everything_back_after_the_expiry_and_not_before() {
    let (payer, payee) = open();
    let (payer, _) = pay(payer, payee.clone(), 40_000);
    assert_eq!(payer.refund(Atoms(200), &key(PAYER)).expect_err("too early").code, Code::NotReady);
    let (payer, effects) = payer.at_height(300).saved();
    assert_eq!((payer.phase(), effects), (PayerPhase::Refunding, vec![PayerEffect::Refund]));
    let tx = payer.refund(Atoms(200), &key(PAYER)).expect("the expiry has passed");
    assert_eq!(judge(&tx, &[funded_at(payee.terms(), 103)], 300), Err("not final".into()));
    assert_eq!(judge(&tx, &[funded_at(payee.terms(), 103)], 301), Ok(()));
    assert_eq!(paid_by(&tx, &proposal().payer_script), 99_800);
    assert!(tx.vsize() as u64 <= transaction::REFUND_VSIZE, "{}", tx.vsize());
    assert_eq!(payer.spent_in(&tx, 301).saved().0.spent(), Some((Settlement::Refunded, 301)));
    assert_eq!(payee.spent_in(&tx, 301).saved().0.spent(), Some((Settlement::Refunded, 301)));
}

#[test]
fn a_channel_that_is_over_before_it_is_funded_is_not_funded() {
    let (payer, _) = Payer::propose(proposal(), 100).expect("fair").saved();
    let (payer, _) = payer.receive(&Message::Accept(acceptance())).expect("fair").saved();
    assert!(matches!(payer.at_height(279).saved().0.resume()[..], [PayerEffect::Fund(_)]));
    let late = payer.at_height(280).saved().0;
    assert_eq!((late.resume(), late.funded(coin()).expect_err("over").code), (vec![], Code::Expired));
}

#[test]
fn the_payee_settles_by_itself_before_the_refund_opens() {
    let (payer, payee) = open();
    let (_, payee) = pay(payer, payee, 40_000);
    assert!(payee.at_height(279).saved().1.is_empty());
    let (payee, effects) = payee.at_height(280).saved();
    assert_eq!((payee.phase(), effects.last()), (PayeePhase::Settling, Some(&PayeeEffect::Settle)));
}

#[test]
fn a_stuck_cheap_settlement_gives_way_to_the_commitment_at_the_deadline() {
    let (payer, payee) = open();
    let (payer, payee) = pay(payer, payee, 40_000);
    let (_, effects) = payer.close(Atoms(204), &key(PAYER)).expect("payable").saved();
    let [PayerEffect::Send(close)] = &effects[..] else { panic!("{effects:?}") };
    let (payee, _) = payee.receive(close, &key(PAYEE)).expect("the newest total").saved();
    assert!(matches!(payee.resume()[..], [PayeeEffect::Watch(..), PayeeEffect::Broadcast(_)]));
    let (payee, effects) = payee.at_height(280).saved();
    assert_eq!(effects.last(), Some(&PayeeEffect::Settle));
    assert_eq!(payee.resume().last(), Some(&PayeeEffect::Settle));
}

#[test]
fn a_coin_undone_by_a_reorganisation_stops_the_service_until_it_is_back() {
    let (payer, payee) = open();
    let (payer, payee) = pay(payer, payee, 40_000);
    let (payee, _) = payee.rolled_back(102).saved();
    assert_eq!((payee.phase(), payee.total()), (PayeePhase::Waiting, Atoms(40_000)));
    let (_, effects) = payer.pay(Atoms(10), &key(PAYER)).expect("the payer may not know").saved();
    let [PayerEffect::Send(message)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(payee.receive(message, &key(PAYEE)), Err(Wrong::OutOfTurn));
    let other = Message::Funded(payee.terms().id(), OutPoint { vout: 2, ..coin() });
    assert_eq!(payee.receive(&other, &key(PAYEE)), Err(Wrong::OutOfTurn), "the receipt holds for the first coin only");
    let (payee, _) = payee.funding_seen(coin(), &payee.terms().funding(), 104).expect("as agreed").saved();
    let (payee, _) = payee.at_height(106).saved();
    assert_eq!(payee.receive(message, &key(PAYEE)).expect("served again").state().total(), Atoms(40_010));
}

#[test]
fn a_settlement_undone_by_a_reorganisation_is_made_again() {
    let (payer, payee) = open();
    let (_, payee) = pay(payer, payee, 40_000);
    let tx = payee.settlement(&key(PAYEE)).expect("something was paid");
    let (payee, _) = payee.settle().saved().0.spent_in(&tx, 107).saved();
    assert_eq!(payee.resume(), [PayeeEffect::Watch(coin(), payee.terms().funding())]);
    let (payee, effects) = payee.rolled_back(106).saved();
    assert_eq!(effects.last(), Some(&PayeeEffect::Settle));
    assert_eq!(payee.settlement(&key(PAYEE)), Some(tx));
}

fn taproot_signature() -> bitcoin::secp256k1::schnorr::Signature {
    crate::taproot::sign(&bitcoin::secp256k1::Message::from_digest([3; 32]), &key(PAYER))
}

#[test]
fn every_wrong_message_is_refused_by_its_name_and_changes_nothing() {
    let (payer, payee) = open();
    let (payer, payee) = pay(payer, payee, 40_000);
    let channel = payee.terms().id();
    let signature = taproot_signature();
    let total = Atoms(50_000);
    let other = ChannelId([1; 32]);
    let (_, effects) = payer.pay(Atoms(10_000), &key(PAYER)).expect("payable").saved();
    let [PayerEffect::Send(Message::Pay { signature: good, .. })] = effects[..] else { panic!("{effects:?}") };
    for (message, wrong) in [
        (Message::Pay { channel: other, total, signature: good }, Wrong::Channel),
        (Message::Pay { channel, total, signature }, Wrong::Signature),
        (Message::Pay { channel, total: Atoms(50_001), signature: good }, Wrong::Signature),
        (
            Message::Pay { channel, total: Atoms(39_999), signature },
            Wrong::OldState { got: Atoms(39_999), newest: Atoms(40_000) },
        ),
        (Message::Pay { channel, total: Atoms(99_501), signature }, Wrong::Overdrawn { got: Atoms(99_501), most: Atoms(99_500) }),
        (
            Message::Pay { channel, total: Atoms(u64::MAX), signature },
            Wrong::Overdrawn { got: Atoms(u64::MAX), most: Atoms(99_500) },
        ),
        (Message::Pay { channel, total: Atoms(329), signature }, Wrong::Dust { least: Atoms(330) }),
        (
            Message::Close { channel, total: Atoms(39_999), fee: Atoms(500), signature },
            Wrong::OldState { got: Atoms(39_999), newest: Atoms(40_000) },
        ),
        (
            Message::Close { channel, total, fee: Atoms(500), signature: good },
            Wrong::Overdrawn { got: total, most: Atoms(40_000) },
        ),
        (Message::Close { channel, total: Atoms(40_000), fee: Atoms(203), signature }, Wrong::Term("fee")),
        (Message::Close { channel, total: Atoms(40_000), fee: Atoms(60_001), signature }, Wrong::Term("fee")),
        (Message::Close { channel, total: Atoms(40_000), fee: Atoms(500), signature }, Wrong::Signature),
        (Message::Funded(channel, OutPoint { vout: 2, ..coin() }), Wrong::OutOfTurn),
        (Message::Ready(channel), Wrong::OutOfTurn),
        (Message::Open(Proposal { expiry: 301, ..proposal() }), Wrong::OutOfTurn),
    ] {
        assert_eq!(payee.receive(&message, &key(PAYEE)), Err(wrong), "{message:?}");
    }
    let late = payee.at_height(280).saved().0;
    assert_eq!(late.receive(&Message::Pay { channel, total, signature: good }, &key(PAYEE)), Err(Wrong::OutOfTurn));
    let unpaid = open().1.at_height(280).saved().0;
    assert_eq!(unpaid.receive(&Message::Pay { channel, total, signature: good }, &key(PAYEE)), Err(Wrong::TooLate));
    for (message, wrong) in [
        (Message::Ready(other), Wrong::Channel),
        (Message::Paid { channel, total: Atoms(40_001) }, Wrong::Overdrawn { got: Atoms(40_001), most: Atoms(40_000) }),
        (Message::Closed { channel, signature }, Wrong::OutOfTurn),
        (Message::Accept(Acceptance { margin: 21, ..acceptance() }), Wrong::OutOfTurn),
        (Message::Pay { channel, total, signature }, Wrong::OutOfTurn),
    ] {
        assert_eq!(payer.receive(&message), Err(wrong), "{message:?}");
    }
}

#[test]
fn terms_that_could_trap_either_side_are_refused() {
    let refused = |proposal, acceptance| Payee::answer(proposal, acceptance, &policy(), 100).expect_err("refused");
    let foreign = ScriptBuf::from(vec![0x51]);
    for (proposal, acceptance, term) in [
        (Proposal { network: bitcoin::Network::Signet, ..proposal() }, acceptance(), "network"),
        (Proposal { capacity: Atoms(9_999), ..proposal() }, acceptance(), "capacity"),
        (Proposal { capacity: Atoms(u64::MAX), ..proposal() }, acceptance(), "capacity"),
        (Proposal { fee: Atoms(299), ..proposal() }, acceptance(), "fee"),
        (Proposal { fee: Atoms(99_900), ..proposal() }, acceptance(), "capacity"),
        (Proposal { fee: Atoms(u64::MAX), ..proposal() }, acceptance(), "fee"),
        (Proposal { expiry: 172, ..proposal() }, acceptance(), "expiry"),
        (Proposal { expiry: 500_000_000, ..proposal() }, acceptance(), "expiry"),
        (Proposal { payer_script: foreign.clone(), ..proposal() }, acceptance(), "script"),
        (proposal(), Acceptance { payee_script: foreign, ..acceptance() }, "script"),
        (proposal(), Acceptance { payee: proposal().payer, ..acceptance() }, "key"),
        (proposal(), Acceptance { margin: u32::MAX, ..acceptance() }, "expiry"),
    ] {
        assert_eq!(refused(proposal, acceptance), Wrong::Term(term));
    }
    assert!(Payee::answer(Proposal { expiry: 173, ..proposal() }, acceptance(), &policy(), 100).is_ok());
    let wrong_coin = |output: bitcoin::TxOut| {
        let (payee, _) = Payee::answer(proposal(), acceptance(), &policy(), 100).expect("acceptable").saved();
        let (payee, _) = payee.receive(&Message::Funded(payee.terms().id(), coin()), &key(PAYEE)).expect("in turn").saved();
        payee.funding_seen(coin(), &output, 103).map(drop)
    };
    let right = Terms { proposal: proposal(), acceptance: acceptance() }.funding();
    assert_eq!(wrong_coin(right.clone()), Ok(()));
    assert_eq!(wrong_coin(bitcoin::TxOut { value: right.value - bitcoin::Amount::ONE_SAT, ..right }), Err(Wrong::Funding));
}

#[test]
fn requests_that_cannot_be_are_refused() {
    let (payer, payee) = open();
    let code = |amount| payer.pay(Atoms(amount), &key(PAYER)).expect_err("refused").code;
    assert_eq!(
        [code(0), code(329), code(99_501), code(u64::MAX)],
        [Code::BadAmount, Code::Dust, Code::InsufficientFunds, Code::InsufficientFunds]
    );
    assert_eq!(payer.at_height(280).saved().0.pay(Atoms(330), &key(PAYER)).expect_err("late").code, Code::Expired);
    let (payer, payee) = pay(payer, payee, 99_500);
    assert_eq!(payer.pay(Atoms(1), &key(PAYER)).expect_err("empty").code, Code::InsufficientFunds);
    assert_eq!(payee.settlement(&key(PAYEE)).expect("paid").output.len(), 1);
    assert_eq!(payer.close(Atoms(501), &key(PAYER)).expect_err("nothing left for it").code, Code::InsufficientFee);
    let old = Proposal { expiry: 100, ..proposal() };
    assert_eq!(Payer::propose(old, 100).expect_err("over before it began").code, Code::BadRequest);
}

#[test]
fn messages_read_back_as_they_were_written_and_nothing_else_reads() {
    let channel = ChannelId([5; 32]);
    let signature = taproot_signature();
    let total = Atoms(0x0102_0304_0506_0708);
    let messages = [
        (Message::Open(proposal()), 2 + 4 + 32 + 8 + 4 + 8 + 23),
        (Message::Accept(acceptance()), 2 + 32 + 35 + 4 + 4),
        (Message::Funded(channel, coin()), 2 + 32 + 36),
        (Message::Ready(channel), 2 + 32),
        (Message::Pay { channel, total, signature }, 2 + 32 + 8 + 64),
        (Message::Paid { channel, total }, 2 + 32 + 8),
        (Message::Close { channel, total, fee: Atoms(9), signature }, 2 + 32 + 8 + 8 + 64),
        (Message::Closed { channel, signature }, 2 + 32 + 64),
    ];
    for (message, length) in messages {
        let bytes = message.encode();
        assert_eq!(bytes.len(), length);
        assert_eq!(Message::decode(&bytes), Ok(message));
        for cut in 0..bytes.len() {
            assert!(Message::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        assert_eq!(Message::decode(&[&bytes[..], &[0]].concat()), Err(WireFault::Malformed));
        assert_eq!(Message::decode(&[&[2], &bytes[1..]].concat()), Err(WireFault::Malformed));
    }
    assert_eq!(Message::decode(&[1; 1025]), Err(WireFault::TooLong));
    assert_eq!(Message::decode(&[1, 8]), Err(WireFault::Malformed));
    let bytes = Message::Paid { channel, total }.encode();
    assert_eq!(bytes[34..], [8, 7, 6, 5, 4, 3, 2, 1], "little endian");
}
