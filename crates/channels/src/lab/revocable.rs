//! Asymmetric revocable commitments: each side holds its own form of every state, and gives the old one up by handing over a key.
//!
//! A commitment that Alice publishes pays Bob at once and herself only after a delay; during the delay Bob can take her part, too, if
//! he has the revocation key of that state. She hands it over with the next payment. So the newest state is safe to publish, every
//! older one costs its owner everything, and the victim must look at the chain once in every delay.

use super::{Actor, Explain, home, key, no_choice, output, paid, public};
use crate::taproot;
use bitcoin::opcodes::all::{OP_CHECKSIG, OP_CHECKSIGVERIFY, OP_CSV};
use bitcoin::taproot::TaprootSpendInfo;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxOut, Txid, absolute, script};
use causeway_vocab::{Atoms, Code, Height, Refusal};
use serde::{Deserialize, Serialize};

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// One pays the other: both sign a new state and give up the one before.
    Pay(Actor, Atoms),
    /// An actor publishes its form of a state. The newest is honest; an older one is a cheat.
    Publish(Actor, u32),
    /// The owner of the published state takes the delayed part. Too early no block takes it: try.
    Sweep,
    /// The other takes the delayed part with the revocation key of a state that was given up.
    Punish,
}

/// What became of the delayed part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum End {
    Swept,
    Punished,
}

/// The lab. Its value is what both sides and the chain know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocable {
    seed: [u8; 32],
    capacity: Atoms,
    fee: Atoms,
    delay: u16,
    height: Height,
    coin: Option<OutPoint>,
    /// Alice's part in each state.
    states: Vec<Atoms>,
    /// Whose form of which state stands in which block.
    published: Option<(Actor, u32, Height)>,
    end: Option<End>,
}

impl Revocable {
    /// A channel in which Alice has everything. `delay` are the blocks that an owner must wait, and the other may sleep.
    ///
    /// Refused with `BadRequest` for a delay of zero or a capacity without room for a payment.
    pub fn new(seed: [u8; 32], capacity: Atoms, fee: Atoms, height: Height, delay: u16) -> Result<Self, Refusal> {
        let bad = |field| Err(Refusal::new(Code::BadRequest).with("field", field));
        if delay == 0 {
            return bad("delay");
        }
        match capacity.checked_sub(fee) {
            Some(all) if all.0 >= 2_000 && all > fee && capacity.0 <= Amount::MAX_MONEY.to_sat() => {
                let (states, coin, published, end) = (vec![all], None, None, None);
                Ok(Revocable { seed, capacity, fee, delay, height, coin, states, published, end })
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

    /// `<revocation key> CHECKSIGVERIFY <other> CHECKSIG`: needs what the owner hands over and what only the other has.
    fn revoked_leaf(&self, owner: Actor, number: u32) -> ScriptBuf {
        script::Builder::new()
            .push_x_only_key(&public(&key(&self.seed, owner, "revocation", number)))
            .push_opcode(OP_CHECKSIGVERIFY)
            .push_x_only_key(&public(&key(&self.seed, owner.peer(), "penalty", 0)))
            .push_opcode(OP_CHECKSIG)
            .into_script()
    }

    /// `<owner> CHECKSIGVERIFY <delay> CHECKSEQUENCEVERIFY`
    fn delayed_leaf(&self, owner: Actor) -> ScriptBuf {
        script::Builder::new()
            .push_x_only_key(&public(&key(&self.seed, owner, "delayed", 0)))
            .push_opcode(OP_CHECKSIGVERIFY)
            .push_int(self.delay.into())
            .push_opcode(OP_CSV)
            .into_script()
    }

    fn own_part(&self, owner: Actor, number: u32) -> TaprootSpendInfo {
        taproot::two_leaves(self.revoked_leaf(owner, number), self.delayed_leaf(owner))
    }

    /// The coin that Alice makes once both have signed state 0.
    pub fn funding(&self) -> TxOut {
        let script_pubkey = taproot::script_pubkey(&taproot::one_leaf(self.leaf()));
        TxOut { value: Amount::from_sat(self.capacity.0), script_pubkey }
    }

    /// The coin stands in a block.
    #[must_use]
    pub fn funded(&self, coin: OutPoint) -> Self {
        Revocable { coin: Some(coin), ..self.clone() }
    }

    /// The chain has a new tip.
    #[must_use]
    pub fn at_height(&self, height: Height) -> Self {
        Revocable { height, ..self.clone() }
    }

    /// A block holds a transaction.
    #[must_use]
    pub fn confirmed(&self, txid: Txid, height: Height) -> Self {
        let mut next = self.clone();
        let is = |tx: Option<Transaction>| tx.is_some_and(|tx| tx.compute_txid() == txid);
        for owner in [Actor::Alice, Actor::Bob] {
            if let Some(number) = (0..=self.newest()).find(|number| is(self.commitment(owner, *number))) {
                next.published = Some((owner, number, height));
            }
        }
        if is(self.sweep()) {
            next.end = Some(End::Swept);
        }
        if is(self.penalty()) {
            next.end = Some(End::Punished);
        }
        next
    }

    /// Number of the newest state.
    pub fn newest(&self) -> u32 {
        u32::try_from(self.states.len() - 1).expect("BUG: payments are few")
    }

    /// What Alice and Bob have in a state.
    pub fn balances(&self, number: u32) -> Option<(Atoms, Atoms)> {
        let alice = *self.states.get(number as usize)?;
        Some((alice, Atoms(self.capacity.0 - self.fee.0 - alice.0)))
    }

    fn part(&self, actor: Actor, number: u32) -> Option<Atoms> {
        self.balances(number).map(|(alice, bob)| if actor == Actor::Alice { alice } else { bob })
    }

    /// An actor's form of a state, as both signed it. Its own part, if there is one, is output 0.
    pub fn commitment(&self, owner: Actor, number: u32) -> Option<Transaction> {
        let (own, other, coin) = (self.part(owner, number)?, self.part(owner.peer(), number)?, self.coin?);
        let own = output(own, taproot::script_pubkey(&self.own_part(owner, number)));
        let outputs = own.into_iter().chain(output(other, home(&self.seed, owner.peer()))).collect();
        let mut tx = taproot::spend(coin, Sequence::ENABLE_RBF_NO_LOCKTIME, absolute::LockTime::ZERO, outputs);
        let message = taproot::leaf_message(&tx, &self.funding(), &self.leaf());
        let [alice, bob] = [Actor::Alice, Actor::Bob].map(|actor| taproot::sign(&message, &key(&self.seed, actor, "channel", 0)));
        tx.input[0].witness = taproot::leaf_witness(&taproot::one_leaf(self.leaf()), &self.leaf(), [&bob[..], &alice[..]]);
        Some(tx)
    }

    /// A spend of the published state's delayed part, unsigned.
    fn take(&self, sequence: Sequence, to: Actor) -> Option<(Transaction, TxOut)> {
        let (owner, number, _) = self.published?;
        let commitment = self.commitment(owner, number)?;
        let script = taproot::script_pubkey(&self.own_part(owner, number));
        let spent = commitment.output.first().filter(|output| output.script_pubkey == script)?.clone();
        let rest = output(Atoms(spent.value.to_sat().checked_sub(self.fee.0)?), home(&self.seed, to))?;
        let coin = OutPoint { txid: commitment.compute_txid(), vout: 0 };
        Some((taproot::spend(coin, sequence, absolute::LockTime::ZERO, vec![rest]), spent))
    }

    fn sweep(&self) -> Option<Transaction> {
        let (owner, number, _) = self.published?;
        let (mut tx, spent) = self.take(Sequence::from_height(self.delay), owner)?;
        let leaf = self.delayed_leaf(owner);
        let signature = taproot::sign(&taproot::leaf_message(&tx, &spent, &leaf), &key(&self.seed, owner, "delayed", 0));
        tx.input[0].witness = taproot::leaf_witness(&self.own_part(owner, number), &leaf, [&signature[..]]);
        Some(tx)
    }

    /// Only with the key of a state that was given up: the newest one's is still its owner's secret.
    fn penalty(&self) -> Option<Transaction> {
        let (owner, number, _) = self.published.filter(|(_, number, _)| *number < self.newest())?;
        let (mut tx, spent) = self.take(Sequence::ENABLE_RBF_NO_LOCKTIME, owner.peer())?;
        let leaf = self.revoked_leaf(owner, number);
        let message = taproot::leaf_message(&tx, &spent, &leaf);
        let revocation = taproot::sign(&message, &key(&self.seed, owner, "revocation", number));
        let other = taproot::sign(&message, &key(&self.seed, owner.peer(), "penalty", 0));
        tx.input[0].witness = taproot::leaf_witness(&self.own_part(owner, number), &leaf, [&other[..], &revocation[..]]);
        Some(tx)
    }

    /// The height at which the delayed part may be swept: in the next block.
    pub fn delay_over(&self) -> Option<Height> {
        self.published.map(|(.., height)| height.saturating_add(u32::from(self.delay) - 1))
    }

    /// What the present scene means.
    pub fn explain(&self) -> Explain {
        let Some((_, number, _)) = self.published else {
            return if self.coin.is_some() { Explain::RevocableOpen } else { Explain::Unfunded };
        };
        let cheat = number < self.newest();
        match self.end {
            Some(End::Punished) => Explain::RevocablePunished,
            Some(End::Swept) if cheat => Explain::RevocableGotAway,
            Some(End::Swept) => Explain::RevocableSettled,
            None if self.sweep().is_none() => Explain::RevocableSettled,
            None if !cheat => Explain::RevocableClosing,
            None if self.delay_over().is_some_and(|over| self.height >= over) => Explain::RevocableTooLate,
            None => Explain::RevocableCheating,
        }
    }

    /// Does something.
    ///
    /// Refused with `NotFound` (`choice`) for what cannot be done now, and with `InsufficientFunds` or `BadAmount`.
    pub fn choose(&self, choice: Choice) -> Result<(Self, Vec<Transaction>), Refusal> {
        if self.coin.is_none() || self.end.is_some() {
            return Err(no_choice());
        }
        let publish = |tx: Option<Transaction>| Ok((self.clone(), vec![tx.ok_or_else(no_choice)?]));
        match (choice, self.published) {
            (Choice::Pay(Actor::Carol, _) | Choice::Publish(Actor::Carol, _), _) => Err(no_choice()),
            (Choice::Pay(from, amount), None) => {
                let (alice, bob) = self.balances(self.newest()).ok_or_else(no_choice)?;
                let mut next = self.clone();
                next.states.push(paid(alice, bob, from, amount)?);
                Ok((next, vec![]))
            }
            (Choice::Publish(owner, number), None) => publish(self.commitment(owner, number)),
            (Choice::Sweep, Some(_)) => publish(self.sweep()),
            (Choice::Punish, Some(_)) => publish(self.penalty()),
            _ => Err(no_choice()),
        }
    }
}
