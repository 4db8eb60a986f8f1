//! Fee rates to choose from, satoshi per 1000 virtual bytes.

use crate::profile::Profile;
use causeway_contract::{Failure, FeeChoice, FeeName, NetworkRef};
use causeway_vocab::NetworkId;

/// The relay floor: blocks are nowhere near full, so the least is enough.
pub(crate) const SIDECHAIN_NORMAL: u64 = 100;

/// sat/kvB of a rate that the library counts per 1000 weight units.
fn per_kvb(rate: bitcoin::FeeRate) -> u32 {
    u32::try_from(rate.to_sat_per_kwu().saturating_mul(4)).unwrap_or(u32::MAX)
}

impl Profile {
    pub(crate) async fn fee_choices(&self, request: NetworkRef) -> Result<Vec<FeeChoice>, Failure> {
        let [slow, normal, urgent] = match request.network {
            NetworkId::Bitcoin => {
                let rates = self.clients.bitcoin.fee_rates().await;
                [(per_kvb(rates.slow), 144), (per_kvb(rates.normal), 6), (per_kvb(rates.fast), 1)]
            }
            NetworkId::Sidechain => [(100, 2), (100, 1), (200, 1)],
        };
        let choice = |name, (rate, blocks)| FeeChoice { name, rate, blocks };
        Ok(vec![choice(FeeName::Slow, slow), choice(FeeName::Normal, normal), choice(FeeName::Urgent, urgent)])
    }

    /// The rate that is used when the user chose none.
    pub(crate) async fn rate_or_normal(&self, network: NetworkId, chosen: Option<u32>) -> u64 {
        match (chosen, network) {
            (Some(rate), _) => u64::from(rate),
            (None, NetworkId::Sidechain) => SIDECHAIN_NORMAL,
            (None, NetworkId::Bitcoin) => u64::from(per_kvb(self.clients.bitcoin.fee_rates().await.normal)),
        }
    }
}
