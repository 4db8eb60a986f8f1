//! Fee rates from what recent blocks collected. A light client sees no mempool and no previous outputs, so a block gives one number: its
//! average.

use bitcoin::{Amount, Block, FeeRate, Network, Weight};
use causeway_vocab::Height;

/// Recent blocks looked at.
pub(super) const BLOCKS: u32 = 6;
/// No estimate below this: the relay floor of most nodes.
const LEAST: FeeRate = FeeRate::BROADCAST_MIN;
/// No estimate above this: 500 atoms per virtual byte. A block can be stuffed to raise its average.
const MOST: FeeRate = FeeRate::from_sat_per_kwu(125_000);

/// Fee rates for three kinds of hurry, each at least the peers' relay floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeRates {
    /// The least that peers relay.
    pub floor: FeeRate,
    /// The cheapest of the last six blocks: within a day or so.
    pub slow: FeeRate,
    /// The median of them: within an hour or so.
    pub normal: FeeRate,
    /// The dearest of them: in one of the next blocks.
    pub fast: FeeRate,
}

impl FeeRates {
    /// Rates from the averages of recent blocks; blocks without transactions say nothing.
    pub(super) fn from_blocks(floor: FeeRate, mut paid: Vec<FeeRate>) -> FeeRates {
        paid.sort_unstable();
        let clamp = |rate: Option<&FeeRate>| rate.copied().unwrap_or(floor).clamp(floor, MOST.max(floor));
        FeeRates { floor, slow: clamp(paid.first()), normal: clamp(paid.get(paid.len() / 2)), fast: clamp(paid.last()) }
    }
}

/// The floor to use when peers relay from `rate` atoms per 1,000 virtual bytes on.
pub(super) fn floor(rate: Option<u64>) -> FeeRate {
    // 1,000 virtual bytes are 4,000 weight units; rounded up, so that the floor is never missed.
    FeeRate::from_sat_per_kwu(rate.unwrap_or(0).div_ceil(4)).clamp(LEAST, MOST)
}

/// What the transactions of a block paid on average; `None` when it holds none but the coinbase.
pub(super) fn average(network: Network, height: Height, block: &Block) -> Option<FeeRate> {
    let interval = if network == Network::Regtest { 150 } else { bitcoin::constants::SUBSIDY_HALVING_INTERVAL };
    let subsidy = Amount::from_int_btc(50).to_sat().checked_shr(height / interval).unwrap_or(0);
    let (coinbase, rest) = block.txdata.split_first()?;
    let collected = coinbase.output.iter().try_fold(0u64, |sum, output| sum.checked_add(output.value.to_sat()))?;
    let weight: Weight = rest.iter().map(bitcoin::Transaction::weight).sum();
    // A miner may claim less than it could.
    let fees = collected.saturating_sub(subsidy);
    fees.checked_mul(1_000)?.checked_div(weight.to_wu()).map(FeeRate::from_sat_per_kwu)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(sat_per_vb: u64) -> FeeRate {
        FeeRate::from_sat_per_vb(sat_per_vb).expect("small")
    }

    #[test]
    fn rates_lie_between_the_floor_and_sanity() {
        let quiet = FeeRates::from_blocks(rate(1), vec![]);
        assert_eq!((quiet.slow, quiet.normal, quiet.fast), (rate(1), rate(1), rate(1)));
        let busy = FeeRates::from_blocks(rate(3), vec![rate(20), rate(1), rate(9_000), rate(7)]);
        assert_eq!((busy.slow, busy.normal, busy.fast), (rate(3), rate(20), rate(500)));
    }

    #[test]
    fn the_floor_is_what_peers_demand_but_never_below_the_common_one() {
        assert_eq!(floor(None), rate(1));
        assert_eq!(floor(Some(100)), rate(1));
        assert_eq!(floor(Some(5_000)), rate(5));
        assert_eq!(floor(Some(u64::MAX)), rate(500));
    }
}
