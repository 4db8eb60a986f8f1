//! Two chains that keep their own time, two sides of which one may vanish or cheat: whoever is awake never loses.

use super::tests::*;
use super::*;
use crate::judge::{Coin as JudgedCoin, judge, judge_sidechain, key};
use bitcoin::hashes::Hash as _;
use causeway_vocab::{Atoms, Height};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// How a side behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    /// As the machine says, with crashes.
    Honest,
    /// As the machine says, until so many effects are carried out.
    Vanishes(usize),
    /// Initiator: shows the preimage so many blocks before or after the responder's expiry.
    ClaimsLate(i32),
    /// Locks one satoshi too little.
    LocksShort,
    /// Never locks.
    NeverLocks,
}

/// How the blocks of a chain come.
#[derive(Debug, Clone, Copy)]
enum Tempo {
    Fast,
    Slow,
    Random,
}

#[derive(Debug, Clone)]
enum Tx {
    Bitcoin(bitcoin::Transaction),
    Sidechain(elements::Transaction),
}

struct Chainlet {
    chain: Chain,
    height: Height,
    next: u64,
    tempo: Tempo,
    pool: Vec<(Height, Tx)>,
    lock: Option<(Coin, Tx, Height)>,
    opened: Option<(Spend, Height)>,
}

struct Side {
    swap: Swap,
    manner: Manner,
    done: usize,
    /// Saved with the state: what was signed is never signed again.
    signed: [bool; 2],
}

struct World {
    rng: StdRng,
    now: u64,
    chains: [Chainlet; 2],
    sides: Vec<Side>,
    mail: Vec<(u64, usize, Message)>,
    terms: Terms,
}

fn index(chain: Chain) -> usize {
    usize::from(chain == Chain::Sidechain)
}

impl World {
    fn new(gives: Chain, manners: [Manner; 2], tempos: [Tempo; 2], seed: u64) -> World {
        let terms = Terms::new(offer(gives), acceptance()).expect("fair");
        let (one, opening) = Swap::offer(offer(gives), SAFETY, TIPS).expect("safe").saved();
        let (two, accepting) = Swap::accept(offer(gives), acceptance(), &offer(gives).place, SAFETY, TIPS).expect("safe").saved();
        let chainlet =
            |chain, tempo| Chainlet { chain, height: TIPS.of(chain), next: 1, tempo, pool: vec![], lock: None, opened: None };
        let side = |swap, manner| Side { swap, manner, done: 0, signed: [false; 2] };
        let mut world = World {
            rng: StdRng::seed_from_u64(seed),
            now: 0,
            chains: [chainlet(Chain::Bitcoin, tempos[0]), chainlet(Chain::Sidechain, tempos[1])],
            sides: vec![side(one, manners[0]), side(two, manners[1])],
            mail: vec![],
            terms,
        };
        world.carry_out(0, opening);
        world.carry_out(1, accepting);
        world
    }

    fn input(&mut self, who: usize, input: &Input) {
        let Ok(step) = self.sides[who].swap.step(input) else { return };
        self.save(who, step);
    }

    fn save(&mut self, who: usize, step: SwapStep) {
        let (swap, mut effects) = step.saved();
        self.sides[who].swap = swap;
        if self.rng.gen_ratio(1, 20) {
            // A crash after the state was saved and before anything was done.
            let text = serde_json::to_string(&self.sides[who].swap).expect("serialisable");
            self.sides[who].swap = serde_json::from_str(&text).expect("reads back");
            effects = self.sides[who].swap.resume();
        }
        self.carry_out(who, effects);
    }

    fn carry_out(&mut self, who: usize, effects: Vec<Effect>) {
        for effect in effects {
            self.sides[who].done += 1;
            let manner = self.sides[who].manner;
            if matches!(manner, Manner::Vanishes(after) if self.sides[who].done > after) {
                continue;
            }
            match effect {
                Effect::Send(message) => {
                    let at = self.now + self.rng.gen_range(0..100);
                    self.mail.push((at, 1 - who, message));
                }
                Effect::Watch => {}
                Effect::Lock(_) if manner == Manner::NeverLocks => {}
                Effect::Lock(chain) => self.lock(who, chain, u64::from(manner == Manner::LocksShort)),
                Effect::Claim(_) if matches!(manner, Manner::ClaimsLate(_)) => {}
                Effect::Withdraw(chain) => self.withdraw(who, chain),
                Effect::Claim(chain) => {
                    if let Ok(step) = self.sides[who].swap.step(&Input::ClaimSigned) {
                        self.open(who, chain, true);
                        self.save(who, step);
                    }
                }
                Effect::Refund(chain) => self.open(who, chain, false),
            }
        }
    }

    /// Blocks until a transaction confirms: anything within the window for the honest, at once for a cheat.
    fn delay(&mut self, who: usize, chain: Chain) -> u32 {
        if self.sides[who].manner == Manner::Honest { self.rng.gen_range(1..=SAFETY.of(chain).window) } else { 1 }
    }

    fn lock(&mut self, who: usize, chain: Chain, short: u64) {
        let tx = match chain {
            Chain::Bitcoin => {
                let mut output = self.terms.bitcoin_lock().output();
                output.value -= bitcoin::Amount::from_sat(short);
                let input = bitcoin::TxIn {
                    previous_output: bitcoin::OutPoint { txid: bitcoin::Txid::from_byte_array([who as u8; 32]), vout: 0 },
                    ..Default::default()
                };
                let lock_time = bitcoin::absolute::LockTime::ZERO;
                Tx::Bitcoin(bitcoin::Transaction {
                    version: bitcoin::transaction::Version::TWO,
                    lock_time,
                    input: vec![input],
                    output: vec![output],
                })
            }
            Chain::Sidechain => {
                let lock = self.terms.sidechain_lock();
                let output = elements::TxOut {
                    asset: elements::confidential::Asset::Explicit(lock.asset),
                    value: elements::confidential::Value::Explicit(lock.leg.amount.0 - short),
                    nonce: elements::confidential::Nonce::Null,
                    script_pubkey: lock.script_pubkey(),
                    witness: Default::default(),
                };
                let lock_time = elements::LockTime::ZERO;
                Tx::Sidechain(elements::Transaction { version: 2, lock_time, input: vec![], output: vec![output] })
            }
        };
        let coin = match &tx {
            Tx::Bitcoin(tx) => Coin::Bitcoin(bitcoin::OutPoint { txid: tx.compute_txid(), vout: 0 }),
            Tx::Sidechain(tx) => Coin::Sidechain(elements::OutPoint { txid: tx.txid(), vout: 0 }),
        };
        // Saved together; a refusal throws the transaction away.
        let Ok(step) = self.sides[who].swap.step(&Input::Locked(coin)) else { return };
        let due = self.chains[index(chain)].height + self.delay(who, chain);
        self.chains[index(chain)].pool.push((due, tx));
        self.save(who, step);
    }

    fn withdraw(&mut self, who: usize, chain: Chain) {
        let pool = &mut self.chains[index(chain)].pool;
        let before = pool.len();
        pool.retain(|(_, tx)| match tx {
            Tx::Bitcoin(tx) => self.terms.bitcoin_lock().find(tx).is_none(),
            Tx::Sidechain(tx) => self.terms.sidechain_lock().find(tx).is_none(),
        });
        if pool.len() < before {
            self.input(who, &Input::LockVoid);
        }
    }

    fn open(&mut self, who: usize, chain: Chain, claim: bool) {
        if std::mem::replace(&mut self.sides[who].signed[usize::from(claim)], true) {
            return;
        }
        let preimage = if who == 0 { Some(PREIMAGE) } else { self.sides[1].swap.preimage() };
        let signer = key([INITIATOR, RESPONDER][who]);
        let Some((coin, output, _)) = self.chains[index(chain)].lock.clone() else { return };
        let fee = Atoms(400);
        let tx = match (coin, output) {
            (Coin::Bitcoin(coin), _) => {
                let lock = self.terms.bitcoin_lock();
                let tx = if claim {
                    lock.claim(coin, &preimage.expect("shown"), bitcoin_home(), fee, &signer)
                } else {
                    lock.refund(coin, bitcoin_home(), fee, &signer)
                };
                Tx::Bitcoin(tx.expect("enough"))
            }
            (Coin::Sidechain(coin), Tx::Sidechain(funding)) => {
                let (lock, home) = (self.terms.sidechain_lock(), sidechain_home(false));
                let coin = (coin, &funding.output[0]);
                let tx = if claim {
                    lock.claim(coin, &preimage.expect("shown"), &home, fee, &signer, &mut self.rng)
                } else {
                    lock.refund(coin, &home, fee, &signer, &mut self.rng)
                };
                Tx::Sidechain(tx.expect("enough"))
            }
            _ => unreachable!("a coin lies on its chain"),
        };
        let due = self.chains[index(chain)].height + self.delay(who, chain);
        self.chains[index(chain)].pool.push((due, tx));
    }

    fn mine(&mut self, chain: Chain) {
        let (terms, pace) = (self.terms.clone(), SAFETY.of(chain));
        let at = &mut self.chains[index(chain)];
        at.height += 1;
        let (low, high) = match at.tempo {
            Tempo::Fast => (pace.fastest, pace.fastest),
            Tempo::Slow => (pace.slowest, pace.slowest),
            Tempo::Random => (pace.fastest, pace.slowest),
        };
        at.next = self.now + u64::from(self.rng.gen_range(low..=high));
        let height = at.height;
        let mut inputs = vec![Input::Tip(chain, height)];
        let (due, later): (Vec<_>, Vec<_>) = at.pool.drain(..).partition(|(due, _)| *due <= height);
        at.pool = later;
        for (due, tx) in due {
            let found = match &tx {
                Tx::Bitcoin(tx) => terms.bitcoin_lock().find(tx).map(Coin::Bitcoin),
                Tx::Sidechain(tx) => terms.sidechain_lock().find(tx).map(Coin::Sidechain),
            };
            if let Some(coin) = found {
                at.lock = Some((coin, tx, height));
                inputs.push(Input::Found(coin, height));
                continue;
            }
            let Some((coin, funding, since)) = at.lock.clone().filter(|_| at.opened.is_none()) else { continue };
            let (judged, how) = match (coin, &tx, &funding) {
                (Coin::Bitcoin(coin), Tx::Bitcoin(tx), _) => {
                    let lock = terms.bitcoin_lock();
                    let spent = JudgedCoin { output: lock.output(), height: since };
                    (judge(tx, &[spent], height), lock.opened_by(coin, tx))
                }
                (Coin::Sidechain(coin), Tx::Sidechain(tx), Tx::Sidechain(funding)) => {
                    let lock = terms.sidechain_lock();
                    let spent = (funding.output[0].clone(), since);
                    (judge_sidechain(tx, &[spent], height, lock.genesis), lock.opened_by(coin, tx))
                }
                _ => unreachable!("a transaction lies on its chain"),
            };
            match judged {
                Ok(()) => {
                    at.opened = how.map(|how| (how, height));
                    inputs.push(Input::Opened(coin, how.expect("it spends the lock"), height));
                }
                Err(why) if why == "not final" => at.pool.push((due, tx)),
                Err(why) => panic!("{why}"),
            }
        }
        for who in 0..2 {
            for input in &inputs {
                self.input(who, input);
            }
        }
        let second = self.terms.offer.gives.other();
        if let (Manner::ClaimsLate(by), true) = (self.sides[0].manner, chain == second) {
            let at = i64::from(self.terms.offer.leg(second).expiry) + i64::from(by);
            if i64::from(height) >= at && self.chains[index(second)].lock.is_some() {
                self.open(0, second, true);
            }
        }
    }

    fn run(&mut self) {
        let last = |chain: Chain, world: &World| world.terms.offer.leg(chain).expiry + 3 * SAFETY.of(chain).window;
        while [Chain::Bitcoin, Chain::Sidechain].iter().any(|chain| self.chains[index(*chain)].height < last(*chain, self)) {
            let block = self.chains.iter().map(|chain| (chain.next, chain.chain)).min_by_key(|(at, _)| *at).expect("two chains");
            let letter = self.mail.iter().enumerate().min_by_key(|(_, (at, ..))| *at).map(|(which, (at, ..))| (*at, which));
            match letter.filter(|(at, _)| *at <= block.0) {
                Some((at, which)) => {
                    self.now = at;
                    let (_, to, message) = self.mail.remove(which);
                    let message = Message::decode(&message.encode()).expect("our own");
                    if let Ok(step) = self.sides[to].swap.receive(&message) {
                        self.save(to, step);
                    }
                }
                None => {
                    self.now = block.0;
                    self.mine(block.1);
                }
            }
        }
    }

    /// Whether a side's own coin is gone without the other's being taken, by what the chains say.
    fn lost(&self, who: usize) -> bool {
        let gives = self.sides[who].swap.gives();
        let [own, other] = [gives, gives.other()].map(|chain| &self.chains[index(chain)]);
        let taken = |chain: &Chainlet| matches!(chain.opened, Some((Spend::Claimed(_), _)));
        let back = own.lock.is_none() || matches!(own.opened, Some((Spend::Refunded, _)));
        !back && !taken(other)
    }
}

fn manner() -> impl Strategy<Value = Manner> {
    prop_oneof![
        (0..9usize).prop_map(Manner::Vanishes),
        (-8..9i32).prop_map(Manner::ClaimsLate),
        Just(Manner::LocksShort),
        Just(Manner::NeverLocks),
    ]
}

fn tempo() -> impl Strategy<Value = Tempo> {
    prop_oneof![Just(Tempo::Fast), Just(Tempo::Slow), Just(Tempo::Random)]
}

fn chain() -> impl Strategy<Value = Chain> {
    prop_oneof![Just(Chain::Bitcoin), Just(Chain::Sidechain)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    #[test]
    fn whoever_is_awake_never_loses_whatever_the_other_does(
        gives in chain(), faulty in 0..2usize, manner in manner(), tempos in [tempo(), tempo()], seed in any::<u64>(),
    ) {
        let mut manners = [Manner::Honest; 2];
        manners[faulty] = manner;
        let mut world = World::new(gives, manners, tempos, seed);
        world.run();
        let honest = 1 - faulty;
        prop_assert!(!world.lost(honest));
        let outcome = world.sides[honest].swap.outcome();
        prop_assert!(outcome.is_some_and(|outcome| outcome != Outcome::Lost), "{:?}", outcome);
    }

    #[test]
    fn two_who_stay_awake_always_swap(gives in chain(), tempos in [tempo(), tempo()], seed in any::<u64>()) {
        let mut world = World::new(gives, [Manner::Honest; 2], tempos, seed);
        world.run();
        for side in &world.sides {
            prop_assert_eq!(side.swap.outcome(), Some(Outcome::Swapped));
        }
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0..4u8) {
        let _ = Message::decode(&bytes);
        if let Ok(message) = Message::decode(&[&[1, kind], &bytes[..]].concat()) {
            prop_assert_eq!(Message::decode(&message.encode()), Ok(message));
        }
    }
}

#[test]
fn the_simulation_can_tell_a_loss_from_a_gain() {
    // A responder who lets the initiator's late claim pass, because it vanished, does lose: the judge is not blind.
    let lost = (0..200).any(|seed| {
        let manners = [Manner::ClaimsLate(-8), Manner::Vanishes(4)];
        let mut world = World::new(Chain::Bitcoin, manners, [Tempo::Random; 2], seed);
        world.run();
        world.lost(1)
    });
    assert!(lost);
}
