//! The machines alone: every path through them, and replay after each step.

use super::machine::{Heights, Operation};
use super::{At, Effect, Finished, Input, PegIn, PegOut, Transaction, peg_in, peg_out, transaction};
use causeway_contract::{DraftKind, StepName};
use causeway_federation::watchman::is_payment;
use causeway_journal::{Entry, Event, Log, Resume, Stage};
use causeway_vocab::{Code, NetworkId};

fn script(tag: u8) -> bitcoin::ScriptBuf {
    bitcoin::ScriptBuf::from_bytes(vec![0x6a, 1, tag])
}

/// A transaction that spends coin `coin` and pays `outputs`.
fn pays(coin: u8, outputs: &[(u64, bitcoin::ScriptBuf)]) -> bitcoin::Transaction {
    let previous_output = bitcoin::OutPoint::new(bitcoin::hashes::Hash::from_byte_array([coin; 32]), 0);
    let output = |(sat, script): &(u64, bitcoin::ScriptBuf)| bitcoin::TxOut {
        value: bitcoin::Amount::from_sat(*sat),
        script_pubkey: script.clone(),
    };
    bitcoin::Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: vec![bitcoin::TxIn { previous_output, ..bitcoin::TxIn::default() }],
        output: outputs.iter().map(output).collect(),
    }
}

fn block(tag: u8) -> bitcoin::BlockHash {
    bitcoin::hashes::Hash::from_byte_array([tag; 32])
}

fn at(height: u32) -> At {
    At { height, time: height * 600 }
}

fn heights(bitcoin: u32, sidechain: u32) -> Heights {
    Heights { bitcoin, sidechain }
}

/// An operation with its journal; after every step the journal alone must give the same state.
struct Desk<M: Operation> {
    log: Log<M>,
    entries: Vec<Entry<M::Order, Input>>,
}

impl<M: Operation> Desk<M> {
    fn new(order: M::Order) -> Desk<M> {
        let first = Log::<M>::start(order).expect("starts");
        Desk { entries: vec![first.entry.clone()], log: Log::begin(first) }
    }

    fn event(&mut self, event: Event<M::Order, Input>) -> Vec<Effect> {
        let step = self.log.propose(event).expect("accepted");
        let effects = step.effects.iter().map(|issued| issued.effect.clone()).collect();
        let text = serde_json::to_string(&step.entry).expect("JSON");
        self.entries.push(serde_json::from_str(&text).expect("reads back"));
        self.log.commit(step);
        let replayed = Log::<M>::replay(self.entries.clone()).expect("replays");
        assert_eq!(replayed.stage(), self.log.stage());
        assert_eq!(replayed.outstanding(), self.log.outstanding());
        let now = heights(1_000, 1_000);
        assert_eq!(format!("{:?}", M::timeline(replayed.state(), now)), format!("{:?}", M::timeline(self.log.state(), now)));
        effects
    }

    fn feed(&mut self, input: Input) -> Vec<Effect> {
        self.event(Event::Input { input, answers: None })
    }

    /// Answers the oldest outstanding effect.
    fn answer(&mut self, input: Input) -> Vec<Effect> {
        let id = self.log.outstanding().first().expect("something is outstanding").id;
        self.event(Event::Input { input, answers: Some(id) })
    }

    fn bitcoin(&mut self, tx: &bitcoin::Transaction, in_block: u8, height: u32) -> Vec<Effect> {
        let input = M::on_bitcoin(self.log.state(), tx, block(in_block), at(height), &[script(9)]).expect("concerns it");
        self.feed(input)
    }

    fn grow(&mut self, now: Heights) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some(input) = M::on_heights(self.log.state(), now, 7).filter(|_| !self.log.stage().is_terminal()) {
            effects.extend(self.feed(input));
        }
        effects
    }

    fn passed(&self) -> Vec<StepName> {
        let line = M::timeline(self.log.state(), heights(1_000, 1_000));
        line.steps.iter().filter(|(_, passed)| passed.is_some()).map(|(step, _)| *step).collect()
    }
}

fn send(tx: &bitcoin::Transaction) -> transaction::Order {
    let tx = Finished::bitcoin(tx);
    transaction::Order { kind: DraftKind::Send, tx, time: 1, amount: Some(("btc".into(), 5)), address: String::new() }
}

fn deposit_order(funding: Option<&bitcoin::Transaction>) -> peg_in::Order {
    peg_in::Order {
        funding: funding.map(Finished::bitcoin),
        claim_script: elements::Script::from(vec![0x51]),
        deposit_script: script(1),
        address: "bc1".into(),
        amount: None,
        valid_until: 500,
        depth: 10,
        time: 1,
    }
}

fn claim() -> Input {
    let claim = Finished { network: NetworkId::Sidechain, txid: "cc".into(), raw: "00".into() };
    Input::Claimed { claim, arrives: 90, time: 5 }
}

#[test]
fn a_payment_is_final_after_six_blocks_and_starts_over_when_its_block_is_undone() {
    let tx = pays(1, &[(5, script(9))]);
    let mut desk = Desk::<Transaction>::new(send(&tx));
    assert_eq!(desk.log.stage(), Stage::Working);
    assert_eq!(desk.log.propose(Event::Stop).err().map(|r| r.code), Some(Code::PointOfNoReturn));
    desk.answer(Input::Sent { txid: tx.compute_txid().to_string(), time: 2 });
    desk.bitcoin(&tx, 1, 100);
    desk.grow(heights(104, 0));
    assert_eq!(desk.passed(), [StepName::Signed, StepName::Broadcast, StepName::Confirmed]);
    let again = desk.feed(Input::Undone { network: NetworkId::Bitcoin, above: 99 });
    assert_eq!(again, [Effect::Send(Finished::bitcoin(&tx))], "the same bytes are sent again");
    desk.bitcoin(&tx, 2, 101);
    desk.grow(heights(106, 0));
    assert_eq!(desk.log.stage(), Stage::Done);
}

#[test]
fn a_payment_whose_coins_another_block_spends_has_failed() {
    let mut desk = Desk::<Transaction>::new(send(&pays(1, &[(5, script(9))])));
    desk.bitcoin(&pays(1, &[(4, script(8))]), 1, 100);
    assert!(matches!(desk.log.stage(), Stage::Failed(refusal) if refusal.code == Code::NotAccepted));
}

#[test]
fn a_crash_before_the_answer_asks_the_same_question_again() {
    let tx = pays(1, &[(5, script(9))]);
    let desk = Desk::<Transaction>::new(send(&tx));
    let replayed = Log::<Transaction>::replay(desk.entries).expect("replays");
    let Resume::Recovered(effects) = replayed.resume() else { panic!("something is outstanding") };
    assert_eq!(effects[0].effect, Effect::Send(Finished::bitcoin(&tx)));
}

#[test]
fn a_deposit_is_claimed_once_it_is_deep_and_is_done_when_the_claim_is_spendable() {
    let funding = pays(1, &[(7, script(3)), (100, script(1))]);
    let mut desk = Desk::<PegIn>::new(deposit_order(Some(&funding)));
    desk.answer(Input::Sent { txid: funding.compute_txid().to_string(), time: 2 });
    desk.bitcoin(&funding, 1, 100);
    assert_eq!(desk.log.state().deposit.as_ref().map(|d| (d.outpoint.vout, d.value)), Some((1, 100)));
    assert_eq!(desk.grow(heights(108, 50)), [], "nine confirmations are not ten");
    assert_eq!(desk.grow(heights(109, 50)), [Effect::Claim]);
    assert_eq!(desk.log.stage(), Stage::Working);
    let sends = desk.answer(claim());
    assert!(matches!(&sends[..], [Effect::Send(tx)] if tx.txid == "cc"));
    assert_eq!(desk.answer(claim()), [], "a second claim of one deposit is not taken");
    desk.feed(Input::InBlock { txid: "cc".into(), at: at(60) });
    desk.grow(heights(120, 61));
    assert_eq!(desk.log.stage(), Stage::Done);
    assert!(desk.passed().contains(&StepName::Spendable));
}

#[test]
fn a_deposit_that_a_reorganisation_undoes_is_counted_and_claimed_anew() {
    let funding = pays(1, &[(100, script(1))]);
    let mut desk = Desk::<PegIn>::new(deposit_order(Some(&funding)));
    desk.answer(Input::Sent { txid: funding.compute_txid().to_string(), time: 2 });
    desk.bitcoin(&funding, 1, 100);
    desk.grow(heights(109, 50));
    desk.answer(claim());
    let again = desk.feed(Input::Undone { network: NetworkId::Bitcoin, above: 99 });
    assert_eq!(again, [Effect::Send(Finished::bitcoin(&funding))]);
    assert!(desk.log.state().claim.is_none(), "the claim names a block that is gone");
    desk.bitcoin(&funding, 2, 101);
    assert_eq!(desk.grow(heights(109, 50)), []);
    assert_eq!(desk.grow(heights(110, 50)), [Effect::Claim]);
}

#[test]
fn a_held_claim_waits_and_is_asked_for_once_when_resumed() {
    let funding = pays(1, &[(100, script(1))]);
    let mut desk = Desk::<PegIn>::new(deposit_order(Some(&funding)));
    desk.feed(Input::Held);
    desk.bitcoin(&funding, 1, 100);
    assert_eq!(desk.grow(heights(200, 50)), []);
    assert_eq!(desk.feed(Input::Resumed), [Effect::Claim]);
    desk.feed(Input::Held);
    assert_eq!(desk.feed(Input::Resumed), [], "it is still outstanding");
}

#[test]
fn an_unpaid_address_can_be_given_up_and_ends_with_its_script() {
    let mut desk = Desk::<PegIn>::new(deposit_order(None));
    assert_eq!(desk.log.stage(), Stage::Waiting);
    desk.event(Event::Stop);
    assert_eq!(desk.log.stage(), Stage::Stopped);
    let mut desk = Desk::<PegIn>::new(deposit_order(None));
    desk.grow(heights(1, 500));
    assert!(matches!(desk.log.stage(), Stage::Failed(refusal) if refusal.code == Code::PegInExpired));
    let mut desk = Desk::<PegIn>::new(deposit_order(None));
    desk.bitcoin(&pays(4, &[(100, script(1))]), 1, 100);
    desk.grow(heights(100, 500));
    assert_eq!(desk.log.stage(), Stage::Waiting, "a paid one is tried for as long as the chain takes it");
    assert_eq!(desk.log.propose(Event::Stop).err().map(|r| r.code), Some(Code::PointOfNoReturn));
}

#[test]
fn a_peg_out_is_linked_to_the_payment_that_the_watchmen_would_make() {
    let burn = Finished { network: NetworkId::Sidechain, txid: "bb".into(), raw: String::new() };
    let order =
        peg_out::Order { tx: burn, asset: "aa".into(), amount: 100_000, destination: script(5), address: String::new(), time: 1 };
    let mut desk = Desk::<PegOut>::new(order);
    // A batch of one with change, 3 sat/vB.
    let batch = |value: u64| pays(7, &[(value, script(5)), (40_000, script(9))]);
    let follows = |value: &u64| is_payment(&batch(*value), 0, &script(5), 100_000, &script(9), 3..=3).is_some();
    let value = (99_000..100_000).find(follows).expect("some value follows the rule");
    let payment = batch(value);
    let hears = |desk: &Desk<PegOut>, tx: &bitcoin::Transaction| {
        PegOut::on_bitcoin(desk.log.state(), tx, block(1), at(100), &[script(8), script(9)])
    };
    assert!(hears(&desk, &payment).is_none(), "nothing was burned yet");
    desk.answer(Input::Sent { txid: "bb".into(), time: 2 });
    desk.feed(Input::InBlock { txid: "bb".into(), at: at(99) });
    let strangers = [batch(100_001), batch(value + 1), batch(10), pays(7, &[(value, script(6)), (40_000, script(9))])];
    for other in strangers {
        assert!(hears(&desk, &other).is_none(), "{other:?}");
    }
    assert!(hears(&desk, &payment).is_some());
    desk.bitcoin(&payment, 1, 100);
    desk.feed(Input::Undone { network: NetworkId::Bitcoin, above: 99 });
    assert_eq!(desk.log.state().paid_by(), None);
    desk.bitcoin(&payment, 2, 101);
    desk.grow(heights(101, 200));
    assert_eq!(desk.log.stage(), Stage::Done);
}
