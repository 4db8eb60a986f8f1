//! Whatever is lost, doubled, delayed or crashed: the payee settles the newest total it took, the payer loses no more than it signed.

use super::tests::{acceptance, coin, funded_at, policy, proposal};
use super::*;
use crate::Step;
use crate::judge::{judge, key};
use bitcoin::{ScriptBuf, Transaction};
use causeway_vocab::Height;
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

#[derive(Debug, Clone)]
enum Act {
    Pay(u64),
    Deliver {
        to_payee: bool,
        which: usize,
        keep: bool,
    },
    Lose {
        to_payee: bool,
        which: usize,
    },
    /// So many blocks at once, fewer than the payee's margin.
    Mine(u8),
    Close(u64),
    Settle,
    /// Stop before the effects of the next step of this side, then start again from the disk.
    Crash {
        payee: bool,
    },
    Restart {
        payee: bool,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let side = any::<bool>();
    prop_oneof![
        6 => (1..60_000u64).prop_map(Act::Pay),
        12 => (side, any::<usize>(), prop::bool::weighted(0.2)).prop_map(|(to_payee, which, keep)| Act::Deliver { to_payee, which, keep }),
        2 => (side, any::<usize>()).prop_map(|(to_payee, which)| Act::Lose { to_payee, which }),
        3 => (1..13u8).prop_map(Act::Mine),
        1 => (204..5_000u64).prop_map(Act::Close),
        1 => Just(Act::Settle),
        2 => side.prop_map(|payee| Act::Crash { payee }),
        2 => side.prop_map(|payee| Act::Restart { payee }),
    ]
}

struct World {
    payer: Payer,
    payee: Payee,
    to_payee: Vec<Message>,
    to_payer: Vec<Message>,
    height: Height,
    funded: Option<Height>,
    mempool: Vec<Transaction>,
    spent: Option<Transaction>,
    crash: [bool; 2],
}

fn disk<T: Serialize + DeserializeOwned>(state: &T) -> T {
    serde_json::from_str(&serde_json::to_string(state).expect("serialisable")).expect("reads back")
}

impl World {
    fn payer(&mut self, step: Result<Step<Payer, PayerEffect>, Wrong>) {
        let Ok(step) = step else { return };
        let effects;
        (self.payer, effects) = step.saved();
        if std::mem::take(&mut self.crash[0]) {
            self.payer = disk(&self.payer);
            let again = self.payer.resume();
            return self.carry_out_payer(again);
        }
        self.carry_out_payer(effects);
    }

    fn carry_out_payer(&mut self, effects: Vec<PayerEffect>) {
        for effect in effects {
            match effect {
                PayerEffect::Send(message) => self.to_payee.push(message),
                PayerEffect::Fund(_) => {
                    if let Ok(step) = self.payer.funded(coin()) {
                        self.funded.get_or_insert(self.height + 1);
                        self.payer(Ok(step));
                    }
                }
                PayerEffect::Broadcast(tx) => self.mempool.push(tx),
                PayerEffect::Refund => self.mempool.push(self.payer.refund(Atoms(400), &key(1)).expect("expired")),
            }
        }
    }

    fn payee(&mut self, step: Result<Step<Payee, PayeeEffect>, Wrong>) {
        let Ok(step) = step else { return };
        let effects;
        (self.payee, effects) = step.saved();
        if std::mem::take(&mut self.crash[1]) {
            self.payee = disk(&self.payee);
            let again = self.payee.resume();
            return self.carry_out_payee(again);
        }
        self.carry_out_payee(effects);
    }

    fn carry_out_payee(&mut self, effects: Vec<PayeeEffect>) {
        for effect in effects {
            match effect {
                PayeeEffect::Send(message) => self.to_payer.push(message),
                PayeeEffect::Watch(..) => {}
                PayeeEffect::Broadcast(tx) => self.mempool.push(tx),
                PayeeEffect::Settle => self.mempool.push(self.payee.settlement(&key(2)).expect("something was paid")),
            }
        }
    }

    /// So many blocks, the last of them with the first transaction that the judge takes, whoever sent it.
    fn mine(&mut self, blocks: u8) {
        self.height += u32::from(blocks);
        let height = self.height;
        if let (Some(at), None) = (self.funded.filter(|at| *at < height), &self.spent) {
            let coin = funded_at(self.payee.terms(), at);
            self.spent = self.mempool.iter().find(|tx| judge(tx, std::slice::from_ref(&coin), height).is_ok()).cloned();
            if let Some(tx) = self.spent.clone() {
                let step = self.payer.spent_in(&tx, height);
                self.payer(Ok(step));
                let step = self.payee.spent_in(&tx, height);
                self.payee(Ok(step));
            }
        }
        let step = self.payer.at_height(height);
        self.payer(Ok(step));
        let step = self.payee.at_height(height);
        self.payee(Ok(step));
        if let (Some(at), Some(coin), PayeePhase::Waiting) =
            (self.funded.filter(|at| *at <= height), self.payee.coin(), self.payee.phase())
        {
            let step = self.payee.funding_seen(coin, &self.payee.terms().funding(), at);
            self.payee(step);
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Pay(amount) => {
                if let Ok(step) = self.payer.pay(Atoms(amount), &key(1)) {
                    self.payer(Ok(step));
                }
            }
            Act::Deliver { to_payee: true, which, keep } if !self.to_payee.is_empty() => {
                let which = which % self.to_payee.len();
                let message = if keep { self.to_payee[which].clone() } else { self.to_payee.remove(which) };
                let step = self.payee.receive(&Message::decode(&message.encode()).expect("our own"), &key(2));
                self.payee(step);
            }
            Act::Deliver { to_payee: false, which, keep } if !self.to_payer.is_empty() => {
                let which = which % self.to_payer.len();
                let message = if keep { self.to_payer[which].clone() } else { self.to_payer.remove(which) };
                let step = self.payer.receive(&Message::decode(&message.encode()).expect("our own"));
                self.payer(step);
            }
            Act::Lose { to_payee, which } => {
                let queue = if to_payee { &mut self.to_payee } else { &mut self.to_payer };
                if !queue.is_empty() {
                    queue.remove(which % queue.len());
                }
            }
            Act::Mine(blocks) => self.mine(blocks),
            Act::Close(fee) => {
                if let Ok(step) = self.payer.close(Atoms(fee), &key(1)) {
                    self.payer(Ok(step));
                }
            }
            Act::Settle => {
                let step = self.payee.settle();
                self.payee(Ok(step));
            }
            Act::Crash { payee } => self.crash[usize::from(payee)] = true,
            Act::Restart { payee: false } => {
                self.payer = disk(&self.payer);
                let effects = self.payer.resume();
                self.carry_out_payer(effects);
            }
            Act::Restart { payee: true } => {
                self.payee = disk(&self.payee);
                let effects = self.payee.resume();
                self.carry_out_payee(effects);
            }
            Act::Deliver { .. } => {}
        }
    }
}

fn received(tx: &Transaction, script: &ScriptBuf) -> u64 {
    tx.output.iter().filter(|o| o.script_pubkey == *script).map(|o| o.value.to_sat()).sum()
}

proptest! {
    #[test]
    fn the_newest_state_that_both_signed_is_settled_whatever_happens(
        opened in prop::bool::weighted(0.7),
        acts in prop::collection::vec(act(), 0..100),
    ) {
        let (payer, opening) = Payer::propose(proposal(), 100).expect("fair").saved();
        let (payee, accepting) = Payee::answer(proposal(), acceptance(), &policy(), 100).expect("acceptable").saved();
        let mut world = World {
            payer, payee, to_payee: vec![], to_payer: vec![], height: 100, funded: None, mempool: vec![], spent: None, crash: [false; 2],
        };
        world.carry_out_payer(opening);
        world.carry_out_payee(accepting);
        if opened {
            for _ in 0..3 {
                for to_payee in [false, true] {
                    world.act(Act::Deliver { to_payee, which: 1, keep: false });
                    world.act(Act::Deliver { to_payee, which: 0, keep: false });
                }
                world.mine(3);
            }
            world.act(Act::Deliver { to_payee: false, which: 0, keep: false });
            prop_assert_eq!((world.payer.phase(), world.payee.phase()), (PayerPhase::Open, PayeePhase::Serving));
        }
        for act in acts {
            let (signed, held) = (world.payer.total(), world.payee.total());
            world.act(act);
            prop_assert!(world.payer.total() >= signed && world.payee.total() >= held, "totals only grow");
            prop_assert!(world.payer.total() >= world.payee.total() && world.payee.total() >= world.payer.acknowledged());
        }
        world.crash = [false; 2];
        while world.height < 310 {
            world.mine(5);
        }
        let (signed, held) = (world.payer.total(), world.payee.total());
        let Some(tx) = world.spent else {
            prop_assert!(world.funded.is_none(), "the coin is never stranded");
            return Ok(());
        };
        prop_assert_eq!(received(&tx, &acceptance().payee_script), held.0);
        let fees = 100_000 - tx.output.iter().map(|o| o.value.to_sat()).sum::<u64>();
        prop_assert!(received(&tx, &proposal().payer_script) + fees >= 100_000 - signed.0);
        prop_assert!(fees < 5_000 + 330, "{}", fees);
        let how = if tx.lock_time == bitcoin::absolute::LockTime::ZERO { Settlement::Paid(held) } else { Settlement::Refunded };
        prop_assert_eq!(world.payer.spent().map(|(how, _)| how), Some(how));
        prop_assert_eq!(world.payee.spent().filter(|_| world.payee.coin().is_some()).map_or(how, |(how, _)| how), how);
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0..9u8) {
        let _ = Message::decode(&bytes);
        if let Ok(message) = Message::decode(&[&[1, kind], &bytes[..]].concat()) {
            prop_assert_eq!(Message::decode(&message.encode()), Ok(message));
        }
    }
}
