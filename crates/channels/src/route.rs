//! What a payment over several channels costs, and when each of its locks expires: the arithmetic of BOLT 7.
//!
//! Everything is computed backwards: the receiver gets its amount; each forwarder takes its fee on what it passes on and wants its
//! own number of blocks between the lock that pays it and the lock that it pays.

use causeway_vocab::Height;
use serde::{Deserialize, Serialize};

/// Most channels in a route: what fits into an onion of BOLT 4.
pub const MAX_HOPS: usize = 20;

/// Most blocks that a payment may be locked for on its first channel (BOLT 4).
pub const MAX_DELAY: u32 = 2016;

/// What a forwarder asks for passing a payment on over a channel: the fields of its `channel_update`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardPolicy {
    /// Per payment, millisatoshi.
    pub base_msat: u32,
    /// Per million of what is passed on.
    pub proportional_millionths: u32,
    /// Blocks between the expiry of the lock that pays the forwarder and of the lock that it pays.
    pub cltv_delta: u16,
    /// Least that is passed on, millisatoshi.
    pub least_msat: u64,
    /// Most that is passed on, millisatoshi.
    pub most_msat: u64,
}

/// The lock on one channel of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HopLock {
    /// Its amount, millisatoshi.
    pub amount_msat: u64,
    /// Block height at which it expires.
    pub expiry: Height,
}

/// The locks of a payment from the sender's channel to the receiver's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteCost {
    /// One for each channel.
    pub locks: Vec<HopLock>,
    /// What the forwarders take together, millisatoshi.
    pub fee_msat: u64,
}

/// Why a payment cannot go this way. `hop` counts channels from the sender, beginning with 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RouteFault {
    /// More than [`MAX_HOPS`] channels.
    #[error("more than {MAX_HOPS} channels")]
    TooLong,
    /// Less than the forwarder passes on.
    #[error("channel {hop}: less than {least_msat} msat")]
    BelowLeast {
        /// Which channel.
        hop: usize,
        /// The forwarder's least.
        least_msat: u64,
    },
    /// More than the forwarder passes on.
    #[error("channel {hop}: more than {most_msat} msat")]
    AboveMost {
        /// Which channel.
        hop: usize,
        /// The forwarder's most.
        most_msat: u64,
    },
    /// The amount is zero or grows past every number.
    #[error("the amount cannot be")]
    Amount,
    /// The first lock would last longer than [`MAX_DELAY`] blocks.
    #[error("locked for {blocks} blocks")]
    Delay {
        /// How long.
        blocks: u64,
    },
}

impl ForwardPolicy {
    /// The fee for passing on `amount_msat`, rounded down as BOLT 7 does. `None` past 2^64 - 1.
    pub fn fee_msat(&self, amount_msat: u64) -> Option<u64> {
        let share = u128::from(amount_msat) * u128::from(self.proportional_millionths) / 1_000_000;
        u64::try_from(u128::from(self.base_msat) + share).ok()
    }

    /// The most that can be passed on out of `received_msat`: its inverse, for payments that use up what there is. `None` when the fee
    /// alone is more.
    pub fn passed_on_msat(&self, received_msat: u64) -> Option<u64> {
        let rest = u128::from(received_msat.checked_sub(self.base_msat.into())?);
        // The share is rounded down: x + floor(x * p / 10^6) <= rest, that is x * (10^6 + p) < (rest + 1) * 10^6.
        u64::try_from(((rest + 1) * 1_000_000 - 1) / (1_000_000 + u128::from(self.proportional_millionths))).ok()
    }
}

/// The locks of a payment of `amount_msat` to a receiver that wants `final_delta` blocks, sent at `height`.
///
/// `forwarders` holds the policy for each channel but the first, in order from the sender: a payment over n channels has n - 1. `shadow`
/// blocks are added at the end so that forwarders cannot tell where the route ends.
pub fn cost(
    amount_msat: u64,
    final_delta: u16,
    shadow: u16,
    height: Height,
    forwarders: &[ForwardPolicy],
) -> Result<RouteCost, RouteFault> {
    if forwarders.len() >= MAX_HOPS {
        return Err(RouteFault::TooLong);
    }
    if amount_msat == 0 {
        return Err(RouteFault::Amount);
    }
    let mut amount = amount_msat;
    let mut delay = u64::from(final_delta) + u64::from(shadow);
    let lock = |amount_msat, delay: u64| {
        let expiry = u32::try_from(u64::from(height) + delay).ok().filter(|_| delay <= MAX_DELAY.into());
        expiry.map(|expiry| HopLock { amount_msat, expiry }).ok_or(RouteFault::Delay { blocks: delay })
    };
    let mut locks = vec![lock(amount, delay)?];
    for (index, policy) in forwarders.iter().enumerate().rev() {
        let hop = index + 1;
        if amount < policy.least_msat {
            return Err(RouteFault::BelowLeast { hop, least_msat: policy.least_msat });
        }
        if amount > policy.most_msat {
            return Err(RouteFault::AboveMost { hop, most_msat: policy.most_msat });
        }
        let fee = policy.fee_msat(amount).ok_or(RouteFault::Amount)?;
        amount = amount.checked_add(fee).ok_or(RouteFault::Amount)?;
        delay += u64::from(policy.cltv_delta);
        locks.push(lock(amount, delay)?);
    }
    locks.reverse();
    Ok(RouteCost { locks, fee_msat: amount - amount_msat })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BTC: u64 = 100_000_000_000;

    fn policy(base_msat: u32, proportional_millionths: u32, cltv_delta: u16) -> ForwardPolicy {
        ForwardPolicy { base_msat, proportional_millionths, cltv_delta, least_msat: 0, most_msat: u64::MAX }
    }

    fn locks(route: &RouteCost) -> Vec<(u64, Height)> {
        route.locks.iter().map(|lock| (lock.amount_msat, lock.expiry)).collect()
    }

    #[test]
    fn the_paper_pays_one_bitcoin_over_four_channels_with_three_thousandths() {
        // Three forwarders, a thousandth of a bitcoin and a day (144 blocks) each; the receiver wants a day as well.
        let forwarder = policy(100_000_000, 0, 144);
        let route = cost(BTC, 144, 0, 800_000, &[forwarder; 3]).expect("payable");
        let day = |days: u32| 800_000 + 144 * days;
        assert_eq!(
            locks(&route),
            [(100_300_000_000, day(4)), (100_200_000_000, day(3)), (100_100_000_000, day(2)), (100_000_000_000, day(1))]
        );
        assert_eq!(route.fee_msat, 300_000_000);
        // The same thousandth as a share is taken on the fees of those behind, too.
        let share = cost(BTC, 144, 0, 800_000, &[policy(0, 1_000, 144); 3]).expect("payable");
        assert_eq!(share.locks[0].amount_msat, 100_300_300_100);
    }

    #[test]
    fn the_example_of_bolt_7_comes_out_to_the_millisatoshi() {
        // lightning/bolts a377265, 07-routing-gossip.md, "Routing Example": C wants 18 blocks, the shadow adds 42.
        let example = |forwarders: &[ForwardPolicy]| locks(&cost(4_999_999, 18, 42, 1_000, forwarders).expect("payable"));
        assert_eq!(example(&[]), [(4_999_999, 1_060)]);
        assert_eq!(example(&[policy(200, 2_000, 20)]), [(5_010_198, 1_080), (4_999_999, 1_060)]);
        assert_eq!(example(&[policy(400, 4_000, 40)]), [(5_020_398, 1_100), (4_999_999, 1_060)]);
    }

    #[test]
    fn a_way_that_cannot_be_gone_is_refused_by_its_name() {
        let narrow = ForwardPolicy { least_msat: 1_000, most_msat: 2_000, ..policy(1, 0, 40) };
        let dear = policy(u32::MAX, u32::MAX, 1);
        for (amount, delta, forwarders, fault) in [
            (0, 18, vec![], RouteFault::Amount),
            (999, 18, vec![narrow], RouteFault::BelowLeast { hop: 1, least_msat: 1_000 }),
            (2_001, 18, vec![narrow], RouteFault::AboveMost { hop: 1, most_msat: 2_000 }),
            (2_000, 18, vec![narrow, policy(0, 0, 0), narrow], RouteFault::AboveMost { hop: 1, most_msat: 2_000 }),
            (u64::MAX, 18, vec![dear], RouteFault::Amount),
            (1_500, 18, vec![narrow; 20], RouteFault::TooLong),
            (1, 2_017, vec![], RouteFault::Delay { blocks: 2_017 }),
            (1_500, 18, vec![policy(0, 0, 1_000); 2], RouteFault::Delay { blocks: 2_018 }),
        ] {
            assert_eq!(cost(amount, delta, 0, 0, &forwarders), Err(fault));
        }
        assert_eq!(cost(1, 18, 0, u32::MAX, &[]), Err(RouteFault::Delay { blocks: 18 }));
    }

    proptest! {
        #[test]
        fn every_forwarder_gets_exactly_its_fee_and_its_blocks(
            amount in 1..10 * BTC,
            forwarders in prop::collection::vec((0..5_000_000u32, 0..20_000u32, 0..100u16), 0..19),
        ) {
            let forwarders: Vec<_> = forwarders.into_iter().map(|(base, share, delta)| policy(base, share, delta)).collect();
            let route = cost(amount, 18, 0, 1, &forwarders).expect("payable");
            prop_assert_eq!(route.locks.len(), forwarders.len() + 1);
            prop_assert_eq!(route.locks.last().map(|lock| lock.amount_msat), Some(amount));
            let mut taken = 0;
            for (pair, policy) in route.locks.windows(2).zip(&forwarders) {
                let fee = pair[0].amount_msat - pair[1].amount_msat;
                prop_assert_eq!(Some(fee), policy.fee_msat(pair[1].amount_msat));
                prop_assert_eq!(pair[0].expiry - pair[1].expiry, u32::from(policy.cltv_delta));
                taken += fee;
            }
            prop_assert_eq!(taken, route.fee_msat);
        }

        #[test]
        fn what_is_passed_on_is_the_most_that_leaves_the_fee(base in 0..5_000_000u32, share in any::<u32>(), received in 0..10 * BTC) {
            let policy = policy(base, share, 0);
            let covers = |amount: u64| policy.fee_msat(amount).and_then(|fee| fee.checked_add(amount)).is_some_and(|all| all <= received);
            match policy.passed_on_msat(received) {
                None => prop_assert!(!covers(0)),
                Some(amount) => prop_assert!(covers(amount) && !covers(amount + 1), "{}", amount),
            }
        }
    }
}
