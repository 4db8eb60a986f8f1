//! Where a stake stands: a function of what was seen, so that a reorganisation only takes sightings away.

use crate::fund::Locked;
use crate::script::Leaf;
use crate::spend::leaf_spent;
use crate::stake::Stake;
use bitcoin::{OutPoint, Transaction};
use causeway_vocab::Height;
use serde::{Deserialize, Serialize};

/// Where a transaction was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// In no block yet.
    Unconfirmed,
    /// In the block of this height.
    Block(Height),
}

/// What spent an output of a stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The registered unbonding transaction.
    Unbonding,
    /// Committee and staker moved the stake elsewhere: an extension.
    Extension,
    /// Slashing; the staker keeps a refund.
    Slashing,
    /// The staker took a timelocked output back.
    Withdrawal,
}

/// Everything that is known about one stake.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sightings {
    /// The control plane shows the registration.
    pub registered: bool,
    /// We verified the committee's quorum ([`crate::delegation::Verified`]).
    pub verified: bool,
    /// The control plane counts the stake.
    pub activated: bool,
    /// The staking transaction.
    pub staking: Option<Seen>,
    /// What followed it, each spending an output of the one before. At most three.
    pub steps: Vec<(Step, Seen)>,
}

/// Where a stake stands. Heights are Bitcoin's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// Nobody was told.
    Planned,
    /// The control plane knows; the committee has still to sign.
    Registered,
    /// The quorum is verified: the staking transaction may be broadcast.
    Verified,
    /// Broadcast, and not yet deep enough to count.
    Confirming {
        /// Blocks on top of its own.
        depth: u32,
        /// Blocks that the control plane asks for.
        needed: u32,
    },
    /// Deep enough; somebody has to bring the inclusion proof.
    Unproved,
    /// It counts and earns.
    Active {
        /// First height at which it no longer does.
        until: Height,
    },
    /// It earns no more, and the lock still runs.
    Expired {
        /// First height whose block may hold the withdrawal.
        withdrawable: Height,
    },
    /// Leaving early; the lock runs from the block that holds the unbonding transaction.
    Unbonding {
        /// First height whose block may hold the withdrawal; none while unconfirmed.
        withdrawable: Option<Height>,
    },
    /// A finality provider voted twice. The refund is locked.
    Slashed {
        /// First height whose block may hold the withdrawal; none while unconfirmed.
        withdrawable: Option<Height>,
    },
    /// The next block may hold the withdrawal.
    Withdrawable {
        /// Of which output.
        #[serde(rename = "from")]
        locked: Locked,
    },
    /// The withdrawal is broadcast.
    Withdrawing,
    /// Taken back.
    Withdrawn {
        /// Only what slashing left.
        slashed: bool,
    },
    /// Another stake follows this one.
    Extended,
}

/// What a transaction does to the staking output, told by its witness and outputs. `None` when it does not spend it.
pub fn step_of(stake: &Stake, outpoint: OutPoint, transaction: &Transaction) -> Option<Step> {
    Some(match leaf_spent(transaction, outpoint, &stake.trees().staking)? {
        Leaf::Timelock => Step::Withdrawal,
        Leaf::Slashing => Step::Slashing,
        Leaf::Unbonding if transaction.compute_txid() == stake.unbonding(outpoint).compute_txid() => Step::Unbonding,
        Leaf::Unbonding => Step::Extension,
    })
}

/// What a transaction does to the output of the registered unbonding transaction.
pub fn step_after_unbonding(stake: &Stake, outpoint: OutPoint, transaction: &Transaction) -> Option<Step> {
    match leaf_spent(transaction, outpoint, &stake.trees().unbonding)? {
        Leaf::Timelock => Some(Step::Withdrawal),
        Leaf::Slashing => Some(Step::Slashing),
        Leaf::Unbonding => None,
    }
}

impl Sightings {
    /// Takes back what was seen in blocks above `height`: it may be seen again.
    pub fn rollback(&mut self, height: Height) {
        let lower = |seen: &mut Seen| {
            if matches!(seen, Seen::Block(at) if *at > height) {
                *seen = Seen::Unconfirmed;
            }
        };
        self.staking.iter_mut().for_each(lower);
        self.steps.iter_mut().for_each(|(_, seen)| lower(seen));
    }

    /// Where the stake stands when Bitcoin's tip is at `tip`. `needed` is the depth at which the control plane counts a stake.
    pub fn state(&self, stake: &Stake, needed: u32, tip: Height) -> State {
        let wait = u32::from(stake.terms().unbonding_time);
        let unlocks = |seen| match seen {
            Seen::Block(height) => Some(height.saturating_add(wait)),
            Seen::Unconfirmed => None,
        };
        let is_ripe = |height: Option<Height>| height.is_some_and(|height| tip.saturating_add(1) >= height);
        let slashed = self.steps.iter().any(|(step, _)| *step == Step::Slashing);
        match self.steps.last() {
            Some((Step::Withdrawal, Seen::Block(_))) => State::Withdrawn { slashed },
            Some((Step::Withdrawal, Seen::Unconfirmed)) => State::Withdrawing,
            Some((Step::Extension, _)) => State::Extended,
            Some((Step::Slashing, seen)) if is_ripe(unlocks(*seen)) => State::Withdrawable { locked: Locked::Refund },
            Some((Step::Slashing, seen)) => State::Slashed { withdrawable: unlocks(*seen) },
            Some((Step::Unbonding, seen)) if is_ripe(unlocks(*seen)) => State::Withdrawable { locked: Locked::Unbonding },
            Some((Step::Unbonding, seen)) => State::Unbonding { withdrawable: unlocks(*seen) },
            None => self.untouched(stake, needed, tip),
        }
    }

    /// While nothing spends the stake.
    fn untouched(&self, stake: &Stake, needed: u32, tip: Height) -> State {
        let start = match self.staking {
            Some(Seen::Block(height)) => height,
            Some(Seen::Unconfirmed) => return State::Confirming { depth: 0, needed },
            None if self.verified => return State::Verified,
            None if self.registered => return State::Registered,
            None => return State::Planned,
        };
        let terms = stake.terms();
        let end = start.saturating_add(u32::from(terms.staking_time));
        // The control plane stops counting a stake one unbonding time before its lock ends.
        let until = end.saturating_sub(u32::from(terms.unbonding_time));
        let depth = tip.saturating_sub(start);
        if tip.saturating_add(1) >= end {
            State::Withdrawable { locked: Locked::Staking }
        } else if tip >= until {
            State::Expired { withdrawable: end }
        } else if depth < needed {
            State::Confirming { depth, needed }
        } else if self.activated {
            State::Active { until }
        } else {
            State::Unproved
        }
    }

    /// The stake's life in order, with the heights that are known or follow from those that are.
    pub fn timeline(&self, stake: &Stake, needed: u32, tip: Height) -> Vec<Milestone> {
        let terms = stake.terms();
        let after = |height: Option<Height>, blocks: u32| height.map(|height| height.saturating_add(blocks));
        let start = self.staking.and_then(Seen::height);
        let end = after(start, u32::from(terms.staking_time));
        let mut line = vec![
            Milestone { event: Event::Registered, height: None, reached: self.registered },
            Milestone { event: Event::Verified, height: None, reached: self.verified },
            Milestone { event: Event::Staked, height: start, reached: start.is_some() },
        ];
        if self.steps.is_empty() {
            let counts = self.activated && start.is_some();
            let until = end.map(|end| end.saturating_sub(u32::from(terms.unbonding_time)));
            line.push(Milestone { event: Event::Activated, height: after(start, needed), reached: counts });
            line.push(Milestone { event: Event::Expired, height: until, reached: until.is_some_and(|until| tip >= until) });
        }
        let mut unlock = end;
        for (step, seen) in &self.steps {
            let event = match step {
                Step::Unbonding => Event::Unbonded,
                Step::Extension => Event::Extended,
                Step::Slashing => Event::Slashed,
                Step::Withdrawal => Event::Withdrawn,
            };
            line.push(Milestone { event, height: seen.height(), reached: seen.height().is_some() });
            unlock = after(seen.height(), u32::from(terms.unbonding_time));
        }
        if !matches!(self.steps.last(), Some((Step::Withdrawal | Step::Extension, _))) {
            let reached = unlock.is_some_and(|unlock| tip.saturating_add(1) >= unlock);
            line.push(Milestone { event: Event::Withdrawable, height: unlock, reached });
            line.push(Milestone { event: Event::Withdrawn, height: None, reached: false });
        }
        line
    }
}

impl Seen {
    /// The height of the block, if there is one.
    pub fn height(self) -> Option<Height> {
        match self {
            Seen::Block(height) => Some(height),
            Seen::Unconfirmed => None,
        }
    }
}

/// A point in a stake's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Milestone {
    /// Which.
    pub event: Event,
    /// Bitcoin height at which it was reached or will be; none when nothing determines it.
    pub height: Option<Height>,
    /// It was reached.
    pub reached: bool,
}

/// What a milestone marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The control plane knows.
    Registered,
    /// The quorum is verified.
    Verified,
    /// The staking transaction is in a block.
    Staked,
    /// It counts.
    Activated,
    /// It counts no more.
    Expired,
    /// The unbonding transaction is in a block.
    Unbonded,
    /// Another stake follows.
    Extended,
    /// A slashing transaction is in a block.
    Slashed,
    /// The staker may take it back.
    Withdrawable,
    /// The staker took it back.
    Withdrawn,
}

#[cfg(test)]
mod tests;
