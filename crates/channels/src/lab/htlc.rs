//! Hash time locks: Alice pays Bob through Carol, whom neither needs to trust.
//!
//! Alice locks a coin for whoever shows the preimage of Bob's hash, Carol locks one in turn that expires earlier. When Bob takes
//! Carol's, everybody sees the preimage, and Carol takes Alice's. The blocks between the two expiries are Carol's time to do so.

use super::{Actor, Explain, home, key, no_choice, public};
use crate::swap::{BITCOIN_CLAIM_VSIZE, BitcoinLock, Leg, Preimage, Spend};
use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::{OutPoint, Transaction, TxOut};
use causeway_vocab::{Atoms, Code, Height, Refusal};
use serde::{Deserialize, Serialize};

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Bob takes Carol's coin and so shows the preimage.
    Claim,
    /// Somebody tries another preimage on Carol's coin: no block takes it.
    Forge,
    /// Carol takes Alice's coin with the preimage that Bob has shown.
    PassOn,
    /// Carol takes her coin back. Before its expiry no block takes that: try.
    RefundOut,
    /// Alice takes her coin back. Before its expiry no block takes that: try.
    RefundIn,
}

/// The lab. Its value is what all three and the chain know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Htlc {
    seed: [u8; 32],
    fee: Atoms,
    incoming: Leg,
    outgoing: Leg,
    height: Height,
    coins: Option<[OutPoint; 2]>,
    forged: bool,
    opened: [Option<Spend>; 2],
}

impl Htlc {
    /// Alice's lock and Carol's. Refused with `BadRequest` when Carol would earn nothing or have no time, or a coin could not pay its fee.
    pub fn new(seed: [u8; 32], incoming: Leg, outgoing: Leg, fee: Atoms, height: Height) -> Result<Self, Refusal> {
        let bad = |field| Err(Refusal::new(Code::BadRequest).with("field", field));
        let most = bitcoin::Amount::MAX_MONEY.to_sat();
        if incoming.amount < outgoing.amount || incoming.amount.0 > most || outgoing.amount.0 < fee.0.saturating_add(1_000) {
            return bad("amount");
        }
        if fee.0 < BITCOIN_CLAIM_VSIZE {
            return bad("fee");
        }
        let in_order = height < outgoing.expiry && outgoing.expiry < incoming.expiry;
        if !in_order || incoming.expiry >= bitcoin::absolute::LOCK_TIME_THRESHOLD {
            return bad("expiry");
        }
        Ok(Htlc { seed, fee, incoming, outgoing, height, coins: None, forged: false, opened: [None; 2] })
    }

    fn preimage(&self) -> Preimage {
        Preimage(sha256::Hash::hash(&key(&self.seed, Actor::Bob, "preimage", 0).secret_bytes()).to_byte_array())
    }

    fn lock(&self, from: Actor, to: Actor, leg: Leg) -> BitcoinLock {
        let of = |actor| public(&key(&self.seed, actor, "lock", 0));
        BitcoinLock { claimer: of(to), refunder: of(from), hash: self.preimage().hash(), leg }
    }

    fn locks(&self) -> [BitcoinLock; 2] {
        [self.lock(Actor::Alice, Actor::Carol, self.incoming), self.lock(Actor::Carol, Actor::Bob, self.outgoing)]
    }

    /// The coins that Alice and Carol make.
    pub fn funding(&self) -> [TxOut; 2] {
        self.locks().map(|lock| lock.output())
    }

    /// Both coins stand in blocks.
    #[must_use]
    pub fn funded(&self, coins: [OutPoint; 2]) -> Self {
        Htlc { coins: Some(coins), ..self.clone() }
    }

    /// The chain has a new tip.
    #[must_use]
    pub fn at_height(&self, height: Height) -> Self {
        Htlc { height, ..self.clone() }
    }

    /// A block holds a transaction.
    #[must_use]
    pub fn confirmed(&self, tx: &Transaction) -> Self {
        let mut next = self.clone();
        for (which, (lock, coin)) in self.locks().iter().zip(self.coins.into_iter().flatten()).enumerate() {
            next.opened[which] = lock.opened_by(coin, tx).or(self.opened[which]);
        }
        next
    }

    /// What the present scene means.
    pub fn explain(&self) -> Explain {
        let claimed = |spend: Option<Spend>| spend.map(|spend| matches!(spend, Spend::Claimed(_)));
        match (self.coins, claimed(self.opened[0]), claimed(self.opened[1])) {
            (None, ..) => Explain::Unfunded,
            (_, Some(true), Some(true)) => Explain::HtlcPaid,
            (_, Some(false), Some(true)) => Explain::HtlcCarolLost,
            (_, Some(false), Some(false)) => Explain::HtlcReturned,
            (_, None, Some(true)) if self.height >= self.incoming.expiry => Explain::HtlcInExpired,
            (_, None, Some(true)) => Explain::HtlcShown,
            (_, _, None) if self.height >= self.outgoing.expiry => Explain::HtlcOutExpired,
            _ if self.forged => Explain::HtlcForged,
            _ => Explain::HtlcLocked,
        }
    }

    /// Does something. Refused with `NotFound` (`choice`) for what cannot be done now.
    pub fn choose(&self, choice: Choice) -> Result<(Self, Vec<Transaction>), Refusal> {
        let [from_alice, from_carol] = self.coins.ok_or_else(no_choice)?;
        let [incoming, outgoing] = self.locks();
        let lock_key = |actor| key(&self.seed, actor, "lock", 0);
        let to = |actor| home(&self.seed, actor);
        let mut next = self.clone();
        let (which, tx) = match choice {
            Choice::Claim => (1, outgoing.claim(from_carol, &self.preimage(), to(Actor::Bob), self.fee, &lock_key(Actor::Bob))?),
            Choice::Forge => {
                next.forged = true;
                let mut tx = outgoing.claim(from_carol, &self.preimage(), to(Actor::Bob), self.fee, &lock_key(Actor::Bob))?;
                let mut items = tx.input[0].witness.to_vec();
                items[1] = vec![0; 32];
                tx.input[0].witness = items.into();
                (1, tx)
            }
            Choice::PassOn => {
                let Some(Spend::Claimed(shown)) = self.opened[1] else { return Err(no_choice()) };
                (0, incoming.claim(from_alice, &shown, to(Actor::Carol), self.fee, &lock_key(Actor::Carol))?)
            }
            Choice::RefundOut => (1, outgoing.refund(from_carol, to(Actor::Carol), self.fee, &lock_key(Actor::Carol))?),
            Choice::RefundIn => (0, incoming.refund(from_alice, to(Actor::Alice), self.fee, &lock_key(Actor::Alice))?),
        };
        if self.opened[which].is_some() {
            return Err(no_choice());
        }
        Ok((next, vec![tx]))
    }
}
