//! Decreasing time locks: money flows both ways, and the newest state is the one that may be published first.
//!
//! State `i` is a transaction that both signed and no block takes before height `start - i * step`. Whoever is awake when the newest
//! opens publishes it before any older one can be. The number of payments is limited, and so is the time that one may sleep.

use super::{Actor, Explain, home, key, no_choice, output, paid, public};
use crate::taproot;
use bitcoin::opcodes::all::{OP_CHECKSIG, OP_CHECKSIGVERIFY};
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxOut, Txid, absolute, script};
use causeway_vocab::{Atoms, Code, Height, Refusal};
use serde::{Deserialize, Serialize};

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// One pays the other: both sign a state with an earlier lock.
    Pay(Actor, Atoms),
    /// Publish a state by number. Before its lock no block takes it: try.
    Publish(u32),
}

/// The lab. Its value is what both sides and the chain know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decreasing {
    seed: [u8; 32],
    capacity: Atoms,
    fee: Atoms,
    start: Height,
    step: u32,
    height: Height,
    coin: Option<OutPoint>,
    /// Alice's part in each state.
    states: Vec<Atoms>,
    settled: Option<u32>,
}

impl Decreasing {
    /// A channel in which Alice has everything. `start` is the lock of the first state, which she would need if Bob vanished.
    ///
    /// Refused with `BadRequest` when there is no room for a payment.
    pub fn new(seed: [u8; 32], capacity: Atoms, fee: Atoms, height: Height, start: Height, step: u32) -> Result<Self, Refusal> {
        let bad = |field| Err(Refusal::new(Code::BadRequest).with("field", field));
        let room = u64::from(height) + 2 * u64::from(step);
        if step == 0 || u64::from(start) <= room || start >= absolute::LOCK_TIME_THRESHOLD {
            return bad("start");
        }
        match capacity.checked_sub(fee) {
            Some(all) if all.0 >= 2_000 && capacity.0 <= Amount::MAX_MONEY.to_sat() => {
                Ok(Decreasing { seed, capacity, fee, start, step, height, coin: None, states: vec![all], settled: None })
            }
            _ => bad("capacity"),
        }
    }

    fn leaf(&self) -> ScriptBuf {
        let [alice, bob] = [Actor::Alice, Actor::Bob].map(|actor| public(&key(&self.seed, actor, "channel", 0)));
        script::Builder::new()
            .push_x_only_key(&alice)
            .push_opcode(OP_CHECKSIGVERIFY)
            .push_x_only_key(&bob)
            .push_opcode(OP_CHECKSIG)
            .into_script()
    }

    /// The coin that Alice makes once both have signed state 0.
    pub fn funding(&self) -> TxOut {
        let script_pubkey = taproot::script_pubkey(&taproot::one_leaf(self.leaf()));
        TxOut { value: Amount::from_sat(self.capacity.0), script_pubkey }
    }

    /// The coin stands in a block.
    #[must_use]
    pub fn funded(&self, coin: OutPoint) -> Self {
        Decreasing { coin: Some(coin), ..self.clone() }
    }

    /// The chain has a new tip.
    #[must_use]
    pub fn at_height(&self, height: Height) -> Self {
        Decreasing { height, ..self.clone() }
    }

    /// A block holds a transaction.
    #[must_use]
    pub fn confirmed(&self, txid: Txid) -> Self {
        let which = (0..).zip(&self.states).map(|(number, _)| number).find(|number| self.is(*number, txid));
        Decreasing { settled: which.or(self.settled), ..self.clone() }
    }

    fn is(&self, number: u32, txid: Txid) -> bool {
        self.transaction(number).is_some_and(|tx| tx.compute_txid() == txid)
    }

    /// The height from which on a state may be published: in blocks above it.
    pub fn lock(&self, number: u32) -> Height {
        self.start.saturating_sub(number.saturating_mul(self.step))
    }

    /// Number of the newest state.
    pub fn newest(&self) -> u32 {
        u32::try_from(self.states.len() - 1).expect("BUG: payments are limited by blocks")
    }

    /// What Alice and Bob have in a state.
    pub fn balances(&self, number: u32) -> Option<(Atoms, Atoms)> {
        let alice = *self.states.get(number as usize)?;
        Some((alice, Atoms(self.capacity.0 - self.fee.0 - alice.0)))
    }

    /// A state as both signed it.
    pub fn transaction(&self, number: u32) -> Option<Transaction> {
        let ((alice, bob), coin) = (self.balances(number)?, self.coin?);
        let outputs = [(alice, Actor::Alice), (bob, Actor::Bob)];
        let outputs = outputs.into_iter().filter_map(|(part, actor)| output(part, home(&self.seed, actor))).collect();
        let lock_time = absolute::LockTime::from_height(self.lock(number)).expect("BUG: checked at the start");
        let mut tx = taproot::spend(coin, Sequence::ENABLE_LOCKTIME_NO_RBF, lock_time, outputs);
        let message = taproot::leaf_message(&tx, &self.funding(), &self.leaf());
        let [alice, bob] = [Actor::Alice, Actor::Bob].map(|actor| taproot::sign(&message, &key(&self.seed, actor, "channel", 0)));
        tx.input[0].witness = taproot::leaf_witness(&taproot::one_leaf(self.leaf()), &self.leaf(), [&bob[..], &alice[..]]);
        Some(tx)
    }

    /// Payments that are still possible.
    pub fn payments_left(&self) -> u32 {
        self.lock(self.newest()).saturating_sub(self.height + 1) / self.step
    }

    /// What the present scene means.
    pub fn explain(&self) -> Explain {
        let newest = self.newest();
        match (self.coin, self.settled) {
            (None, _) => Explain::Unfunded,
            (_, Some(settled)) if settled == newest => Explain::DecreasingSettled,
            (_, Some(_)) => Explain::DecreasingCheated,
            _ if newest > 0 && self.height >= self.lock(newest - 1) => Explain::DecreasingOldOpens,
            _ if self.height >= self.lock(newest) => Explain::DecreasingNewestOpens,
            _ if self.payments_left() == 0 => Explain::DecreasingUsedUp,
            _ => Explain::DecreasingOpen,
        }
    }

    /// Does something.
    ///
    /// Refused with `NotFound` (`choice`) for what cannot be done now, `Expired` (`channel`) for a payment after the last lock was used, and
    /// with `InsufficientFunds` or `BadAmount`.
    pub fn choose(&self, choice: Choice) -> Result<(Self, Vec<Transaction>), Refusal> {
        if self.coin.is_none() || self.settled.is_some() {
            return Err(no_choice());
        }
        match choice {
            Choice::Pay(Actor::Carol, _) => Err(no_choice()),
            Choice::Pay(..) if self.payments_left() == 0 => Err(Refusal::new(Code::Expired).with("what", "channel")),
            Choice::Pay(from, amount) => {
                let (alice, bob) = self.balances(self.newest()).ok_or_else(no_choice)?;
                let mut next = self.clone();
                next.states.push(paid(alice, bob, from, amount)?);
                Ok((next, vec![]))
            }
            Choice::Publish(number) => Ok((self.clone(), vec![self.transaction(number).ok_or_else(no_choice)?])),
        }
    }
}
