//! How long is long enough, when two chains keep different time.
//!
//! Let the first lock be the initiator's and the second the responder's; `left` are the blocks until each expiry.
//!
//! - **For the responder** ([`Safety::responder_may_lock`]): the initiator can show the preimage as late as the responder's refund
//!   is not final, `left2 + window2` blocks of the second chain from now, at its slowest. Then the responder's claim must
//!   confirm, `window1` blocks of the first chain at its slowest, before the first expiry, `left1` blocks at its fastest:
//!   `left1 * fastest1 >= (left2 + window2) * slowest2 + window1 * slowest1`. If the rule holds once, it holds for as long as both chains
//!   stay within their paces, for then its left side shrinks no faster than its right.
//! - **For the initiator** ([`Safety::initiator_may_claim`]): the claim must confirm before the second expiry: `left2 >= window2`.

use crate::swap::{Chain, Offer};
use causeway_vocab::Height;
use serde::{Deserialize, Serialize};

/// What one side believes of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Seconds per block, on average over the length of a lock, when blocks come fast.
    pub fastest: u32,
    /// The same when they come slowly.
    pub slowest: u32,
    /// Confirmations after which a lock is believed.
    pub depth: u32,
    /// Blocks within which a transaction of ours is sure to confirm, its fee raised if need be.
    pub window: u32,
}

/// What one side believes of both chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Safety {
    /// Of Bitcoin.
    pub bitcoin: Pace,
    /// Of the sidechain.
    pub sidechain: Pace,
}

/// Heights of both chains at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tips {
    /// Of Bitcoin.
    pub bitcoin: Height,
    /// Of the sidechain.
    pub sidechain: Height,
}

impl Tips {
    /// Of a chain.
    pub fn of(&self, chain: Chain) -> Height {
        match chain {
            Chain::Bitcoin => self.bitcoin,
            Chain::Sidechain => self.sidechain,
        }
    }

    pub(crate) fn set(&mut self, chain: Chain, height: Height) {
        match chain {
            Chain::Bitcoin => self.bitcoin = height,
            Chain::Sidechain => self.sidechain = height,
        }
    }
}

impl Safety {
    /// Mainnet: Bitcoin between 5 and 20 minutes per block over half a day, 3 confirmations, 18 blocks to confirm; Liquid between 1 and
    /// 2 minutes, 2 confirmations, 60 blocks.
    pub const MAINNET: Safety = Safety {
        bitcoin: Pace { fastest: 300, slowest: 1_200, depth: 3, window: 18 },
        sidechain: Pace { fastest: 60, slowest: 120, depth: 2, window: 60 },
    };

    /// Of a chain.
    pub fn of(&self, chain: Chain) -> Pace {
        match chain {
            Chain::Bitcoin => self.bitcoin,
            Chain::Sidechain => self.sidechain,
        }
    }

    fn sides(&self, offer: &Offer) -> ((Chain, Pace), (Chain, Pace)) {
        let (first, second) = (offer.gives, offer.gives.other());
        ((first, self.of(first)), (second, self.of(second)))
    }

    /// Whether the responder, locking now, is sure to get its money back or the other's.
    pub fn responder_may_lock(&self, offer: &Offer, tips: &Tips) -> bool {
        let ((first, one), (second, two)) = self.sides(offer);
        let left = |chain| u64::from(offer.leg(chain).expiry.saturating_sub(tips.of(chain)));
        let reach =
            (left(second) + u64::from(two.window)) * u64::from(two.slowest) + u64::from(one.window) * u64::from(one.slowest);
        left(second) >= u64::from(two.window) && left(first) * u64::from(one.fastest) >= reach
    }

    /// Whether a claim of the initiator, sent now, is sure to confirm before the responder's refund opens.
    pub fn initiator_may_claim(&self, offer: &Offer, tips: &Tips) -> bool {
        let (_, (second, two)) = self.sides(offer);
        u64::from(offer.leg(second).expiry) >= u64::from(tips.of(second)) + u64::from(two.window)
    }

    /// Whether the initiator, locking now, has time to see both locks confirmed and to claim. If not, it only waits for its refund.
    pub fn initiator_may_lock(&self, offer: &Offer, tips: &Tips) -> bool {
        let ((_, one), (second, two)) = self.sides(offer);
        let left = u64::from(offer.leg(second).expiry.saturating_sub(tips.of(second)));
        left * u64::from(two.fastest) >= Self::opening(one, two) && self.responder_may_lock(offer, tips)
    }

    /// Seconds from the first lock to the last moment of a claim on the second chain.
    fn opening(one: Pace, two: Pace) -> u64 {
        u64::from(one.window + one.depth) * u64::from(one.slowest)
            + u64::from(2 * two.window + two.depth) * u64::from(two.slowest)
    }

    /// The earliest expiries that both sides take, if both believe this and act within `patience` seconds.
    pub fn expiries(&self, gives: Chain, tips: &Tips, patience: u32) -> Option<Tips> {
        let (first, second) = (gives, gives.other());
        let (one, two) = (self.of(first), self.of(second));
        let blocks = |seconds: u64, pace: Pace| u32::try_from(seconds.div_ceil(u64::from(pace.fastest))).ok();
        let left2 = blocks(Self::opening(one, two) + u64::from(patience), two)?;
        let reach =
            (u64::from(left2) + u64::from(two.window)) * u64::from(two.slowest) + u64::from(one.window) * u64::from(one.slowest);
        let left1 = blocks(reach + u64::from(patience), one)?;
        let mut expiries = *tips;
        expiries.set(first, tips.of(first).checked_add(left1)?);
        expiries.set(second, tips.of(second).checked_add(left2)?);
        Some(expiries)
    }
}
