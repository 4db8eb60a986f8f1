//! Both sides of a swap as one machine: what each gives and takes differs, the rest does not.

use crate::Step;
use crate::swap::{Acceptance, Chain, Coin, Message, Offer, Place, Preimage, Safety, Spend, Terms, Tips, Wrong};
use causeway_vocab::Height;
use serde::{Deserialize, Serialize};

/// Which side this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Made the offer, knows the preimage, locks first.
    Initiator,
    /// Accepted it, locks second.
    Responder,
}

/// What happens to a swap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// The lock that an effect asked for is signed. Saved together with the signed transaction, before it is broadcast: when the machine
    /// refuses this input, the transaction must be thrown away.
    Locked(Coin),
    /// The transaction of the own lock was replaced by another one of the wallet and can never confirm.
    LockVoid,
    /// The claim that an effect asked for is signed. Saved together with the signed transaction, before it is broadcast: when the machine
    /// refuses this input, the transaction must be thrown away, for it shows the preimage.
    ClaimSigned,
    /// A chain has a new tip.
    Tip(Chain, Height),
    /// A lock, found by [`BitcoinLock::find`](crate::swap::BitcoinLock::find) or
    /// [`SidechainLock::find`](crate::swap::SidechainLock::find), stands in a block.
    Found(Coin, Height),
    /// A lock was opened in a block.
    Opened(Coin, Spend, Height),
    /// A reorganisation of a chain undid every block above a height.
    RolledBack(Chain, Height),
    /// The user gives up; possible until the own lock is signed.
    Abandon,
}

/// What a swap asks of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send it to the other side.
    Send(Message),
    /// Follow the locks' scripts on both chains.
    Watch,
    /// Pay to the lock of this chain and report with [`Input::Locked`].
    Lock(Chain),
    /// Replace the transaction of the own lock, which no block has taken in time, by a payment to oneself and report [`Input::LockVoid`]. A
    /// lock that comes too late would be claimed when no time is left to claim in turn. Should it confirm all the same, the swap goes on.
    Withdraw(Chain),
    /// Build the claim on this chain, report it with [`Input::ClaimSigned`], broadcast it, raise its fee until it confirms. The initiator
    /// brings the preimage; the responder finds it in [`Swap::preimage`].
    Claim(Chain),
    /// Build the refund on this chain, save it, broadcast it, raise its fee until it confirms.
    Refund(Chain),
}

/// How a swap ended. Only after as many confirmations as make a lock believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The other's coin is ours.
    Swapped,
    /// Our coin is back.
    Refunded,
    /// Nothing was locked.
    Abandoned,
    /// The other side has both coins: possible only when this side slept past a deadline.
    Lost,
}

/// What a swap waits for, and until when at the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outlook {
    /// The other side's answer. Nothing is at stake.
    Answer,
    /// The other side's lock on this chain; after the height, our coin is taken back.
    TheirLock(Chain, Height),
    /// Our own lock's signature.
    OurLock(Chain),
    /// The other side's claim of our lock on this chain; after the height, our coin is taken back.
    TheirClaim(Chain, Height),
    /// Our claim's confirmation on this chain, which must come before the height.
    OurClaim(Chain, Height),
    /// Our refund's confirmation on this chain.
    OurRefund(Chain),
    /// No time is left for a safe claim: our coin on this chain is taken back after the height.
    Expiry(Chain, Height),
    /// Over.
    Over(Outcome),
}

/// What is known of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Lock {
    coin: Option<Coin>,
    found: Option<Height>,
    opened: Option<(Spend, Height)>,
}

impl Lock {
    fn rolled_back(&mut self, height: Height) {
        self.found = self.found.filter(|at| *at <= height);
        self.opened = self.opened.filter(|(_, at)| *at <= height);
    }
}

/// What was decided. Only a claim is taken back, as long as it is not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Decided {
    abandon: bool,
    lock: bool,
    withdraw: bool,
    claim: bool,
    claim_signed: bool,
    refund: bool,
}

/// The state of a swap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    role: Role,
    offer: Offer,
    terms: Option<Terms>,
    safety: Safety,
    tips: Tips,
    own: Lock,
    other: Lock,
    decided: Decided,
    preimage: Option<Preimage>,
}

/// A step of a swap.
pub type SwapStep = Step<Swap, Effect>;

impl Swap {
    /// Makes an offer. Refused when its own terms leave this side too little time.
    pub fn offer(offer: Offer, safety: Safety, tips: Tips) -> Result<SwapStep, Wrong> {
        offer.check()?;
        if !safety.initiator_may_lock(&offer, &tips) {
            return Err(Wrong::Timing);
        }
        Ok(Swap::new(Role::Initiator, offer, None, safety, tips).stepped_with_resume())
    }

    /// Accepts an offer whose amounts the user wants; `place` is this side's realm. The caller refuses a hash that it has seen before: whoever
    /// was part of that swap knows the preimage.
    pub fn accept(offer: Offer, acceptance: Acceptance, place: &Place, safety: Safety, tips: Tips) -> Result<SwapStep, Wrong> {
        if offer.place != *place {
            return Err(Wrong::Term("place"));
        }
        let terms = Terms::new(offer, acceptance)?;
        if !safety.responder_may_lock(&terms.offer, &tips) {
            return Err(Wrong::Timing);
        }
        Ok(Swap::new(Role::Responder, terms.offer.clone(), Some(terms), safety, tips).stepped_with_resume())
    }

    fn new(role: Role, offer: Offer, terms: Option<Terms>, safety: Safety, tips: Tips) -> Swap {
        let (own, other, decided) = (Lock::default(), Lock::default(), Decided::default());
        Swap { role, offer, terms, safety, tips, own, other, decided, preimage: None }
    }

    /// Which side this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The terms, once both halves are known.
    pub fn terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
    }

    /// The chain on which this side gives.
    pub fn gives(&self) -> Chain {
        if self.role == Role::Initiator { self.offer.gives } else { self.offer.gives.other() }
    }

    /// The chain on which this side takes.
    pub fn takes(&self) -> Chain {
        self.gives().other()
    }

    /// The own lock, once it is signed.
    pub fn own_coin(&self) -> Option<Coin> {
        self.own.coin
    }

    /// The other's lock, once it stands in a block.
    pub fn other_coin(&self) -> Option<Coin> {
        self.other.coin
    }

    /// The preimage that the initiator has shown.
    pub fn preimage(&self) -> Option<Preimage> {
        self.preimage
    }

    fn deep(&self, chain: Chain, at: Height) -> bool {
        u64::from(self.tips.of(chain)) + 1 >= u64::from(at) + u64::from(self.safety.of(chain).depth)
    }

    /// How it ended, once that is certain.
    pub fn outcome(&self) -> Option<Outcome> {
        if self.decided.abandon && self.own.coin.is_none() {
            return Some(Outcome::Abandoned);
        }
        let opened = |lock: &Lock, chain| lock.opened.filter(|(_, at)| self.deep(chain, *at)).map(|(how, _)| how);
        match (opened(&self.own, self.gives()), opened(&self.other, self.takes())) {
            (_, Some(Spend::Claimed(_))) => Some(Outcome::Swapped),
            (Some(Spend::Refunded), _) => Some(Outcome::Refunded),
            (Some(Spend::Claimed(_)), Some(Spend::Refunded)) => Some(Outcome::Lost),
            _ => None,
        }
    }

    /// What happens next, and until when.
    pub fn outlook(&self) -> Outlook {
        let (gives, takes) = (self.gives(), self.takes());
        let expiry = |chain| self.offer.leg(chain).expiry;
        match (self.outcome(), self.role) {
            (Some(outcome), _) => Outlook::Over(outcome),
            (None, _) if self.terms.is_none() => Outlook::Answer,
            (None, _) if self.decided.claim => Outlook::OurClaim(takes, expiry(takes)),
            (None, _) if self.decided.refund => Outlook::OurRefund(gives),
            (None, Role::Responder) if !self.decided.lock => Outlook::TheirLock(takes, expiry(gives)),
            (None, _) if self.own.coin.is_none() => Outlook::OurLock(gives),
            (None, Role::Responder) => Outlook::TheirClaim(gives, expiry(gives)),
            (None, Role::Initiator) if !self.safety.initiator_may_claim(&self.offer, &self.tips) => {
                Outlook::Expiry(gives, expiry(gives))
            }
            (None, Role::Initiator) => Outlook::TheirLock(takes, expiry(gives)),
        }
    }

    /// What must be carried out again after a restart. A lock that is not yet signed is decided upon anew: see [`Input::Tip`].
    pub fn resume(&self) -> Vec<Effect> {
        let id = self.offer.id();
        let mut effects = vec![];
        if self.outcome().is_some() {
            return effects;
        }
        match (&self.terms, self.role) {
            (None, _) => return vec![Effect::Send(Message::Offer(self.offer.clone().into()))],
            (Some(terms), Role::Responder) if self.other.found.is_none() => {
                effects.push(Effect::Send(Message::Accept(id, terms.acceptance.clone())));
            }
            _ => {}
        }
        effects.push(Effect::Watch);
        if let (Some(coin), None) = (self.own.coin, self.own.opened) {
            effects.push(Effect::Send(Message::Locked(id, coin)));
        }
        if self.decided.lock && self.own.coin.is_none() && self.may_lock() {
            effects.push(Effect::Lock(self.gives()));
        }
        if self.withdraws() {
            effects.push(Effect::Withdraw(self.gives()));
        }
        if self.decided.claim && self.other.opened.is_none() && self.claim_in_time() {
            effects.push(Effect::Claim(self.takes()));
        }
        if self.decided.refund && self.own.opened.is_none() {
            effects.push(Effect::Refund(self.gives()));
        }
        effects
    }

    /// The other side said something.
    pub fn receive(&self, message: &Message) -> Result<SwapStep, Wrong> {
        let ours = |id| if id == self.offer.id() { Ok(()) } else { Err(Wrong::Swap) };
        match message {
            Message::Offer(again) if self.role == Role::Responder && **again == self.offer => {
                Ok(self.clone().stepped_with_resume())
            }
            Message::Accept(id, acceptance) if self.role == Role::Initiator => {
                ours(*id)?;
                match &self.terms {
                    Some(terms) if terms.acceptance == *acceptance => Ok(Step::new(self.clone(), vec![])),
                    None if !self.decided.abandon => {
                        let terms = Some(Terms::new(self.offer.clone(), acceptance.clone())?);
                        Ok(Swap { terms, ..self.clone() }.decide(vec![Effect::Watch]))
                    }
                    _ => Err(Wrong::OutOfTurn),
                }
            }
            // Said for the user's patience only: the chain decides.
            Message::Locked(id, coin) => {
                ours(*id)?;
                if coin.chain() == self.takes() { Ok(Step::new(self.clone(), vec![])) } else { Err(Wrong::Term("chain")) }
            }
            _ => Err(Wrong::OutOfTurn),
        }
    }

    /// Something happened.
    pub fn step(&self, input: &Input) -> Result<SwapStep, Wrong> {
        let mut next = self.clone();
        let mut effects = vec![];
        match *input {
            Input::Tip(chain, height) => next.tips.set(chain, height),
            // What others pay to the own script is none of ours; of two locks of the other side the first one counts.
            Input::Found(coin, height) if coin.chain() == self.gives() => {
                if self.own.coin == Some(coin) {
                    next.own.found = Some(height);
                }
            }
            Input::Found(coin, height) => {
                if *next.other.coin.get_or_insert(coin) == coin {
                    next.other.found = Some(height);
                }
            }
            Input::Opened(coin, how, height) => {
                let lock = if coin.chain() == self.gives() { &mut next.own } else { &mut next.other };
                if lock.coin == Some(coin) {
                    lock.opened = Some((how, height));
                }
            }
            Input::RolledBack(chain, height) => {
                next.tips.set(chain, self.tips.of(chain).min(height));
                if chain == self.gives() { &mut next.own } else { &mut next.other }.rolled_back(height);
                if chain == self.takes() && next.other.found.is_none() {
                    next.other.coin = None;
                }
            }
            Input::Locked(coin) => {
                if !self.decided.lock || coin.chain() != self.gives() || self.own.coin.is_some_and(|own| own != coin) {
                    return Err(Wrong::OutOfTurn);
                }
                if self.own.coin.is_none() && !self.may_lock() {
                    return Err(Wrong::Timing);
                }
                next.own.coin = Some(coin);
                effects.push(Effect::Send(Message::Locked(self.offer.id(), coin)));
            }
            Input::LockVoid if self.own.found.is_none() && self.own.opened.is_none() => {
                next.own.coin = None;
                next.decided.abandon = true;
            }
            Input::ClaimSigned if self.decided.claim => {
                if !self.claim_in_time() {
                    return Err(Wrong::Timing);
                }
                next.decided.claim_signed = true;
            }
            Input::Abandon if self.own.coin.is_none() => next.decided.abandon = true,
            Input::LockVoid | Input::Abandon | Input::ClaimSigned => return Err(Wrong::OutOfTurn),
        }
        Ok(next.decide(effects))
    }

    /// Whether locking now would be safe.
    fn may_lock(&self) -> bool {
        !self.decided.abandon
            && self.terms.is_some()
            && match self.role {
                Role::Initiator => self.safety.initiator_may_lock(&self.offer, &self.tips),
                Role::Responder => {
                    self.other.found.is_some_and(|at| self.deep(self.takes(), at))
                        && self.other.opened.is_none()
                        && self.safety.responder_may_lock(&self.offer, &self.tips)
                }
            }
    }

    fn decide(mut self, mut effects: Vec<Effect>) -> SwapStep {
        if let Some((Spend::Claimed(preimage), _)) = self.own.opened {
            self.preimage = Some(preimage);
        }
        let (gives, takes) = (self.gives(), self.takes());
        if !self.decided.lock && self.may_lock() {
            self.decided.lock = true;
            effects.push(Effect::Lock(gives));
        }
        let in_time = match self.role {
            Role::Initiator => self.safety.initiator_may_lock(&self.offer, &self.tips),
            Role::Responder => self.safety.responder_may_lock(&self.offer, &self.tips),
        };
        if self.own.coin.is_none() && !in_time {
            self.decided.abandon = true;
        }
        if !self.decided.withdraw && self.role == Role::Responder && self.own.coin.is_some() && !in_time {
            self.decided.withdraw = true;
            effects.extend(self.withdraws().then_some(Effect::Withdraw(gives)));
        }
        if !self.claim_in_time() {
            self.decided.claim = false;
        }
        if !self.decided.claim && self.may_claim() {
            self.decided.claim = true;
            effects.push(Effect::Claim(takes));
        }
        let expired = self.tips.of(gives) >= self.offer.leg(gives).expiry;
        // Whoever has the other's coin leaves its own to be claimed, however late.
        let paid = matches!(self.other.opened, Some((Spend::Claimed(_), _)));
        if !self.decided.refund && expired && !paid && self.own.found.is_some() && self.own.opened.is_none() {
            self.decided.refund = true;
            effects.push(Effect::Refund(gives));
        }
        Step::new(self, effects)
    }

    /// Whether the own lock must be kept from confirming.
    fn withdraws(&self) -> bool {
        self.decided.withdraw && self.own.coin.is_some() && self.own.found.is_none() && self.own.opened.is_none()
    }

    /// Whether a claim may be signed, or is signed and must be seen through. The responder's is never too late to be tried.
    fn claim_in_time(&self) -> bool {
        self.role == Role::Responder || self.decided.claim_signed || self.safety.initiator_may_claim(&self.offer, &self.tips)
    }

    fn may_claim(&self) -> bool {
        let there = self.other.found.filter(|_| self.other.opened.is_none());
        match self.role {
            Role::Initiator => {
                self.own.coin.is_some()
                    && there.is_some_and(|at| self.deep(self.takes(), at))
                    && self.safety.initiator_may_claim(&self.offer, &self.tips)
            }
            Role::Responder => self.preimage.is_some() && there.is_some(),
        }
    }

    fn stepped_with_resume(self) -> SwapStep {
        let effects = self.resume();
        Step::new(self, effects)
    }
}
