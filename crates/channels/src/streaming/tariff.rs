//! What a merchant asks: so much per so many units.

use causeway_vocab::Atoms;
use serde::{Deserialize, Serialize};

/// A price of a stream. Units are whatever the merchant counts: milliseconds of a film, kilobytes, requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    /// Price, satoshi.
    pub price: Atoms,
    /// For so many units; never zero.
    pub per: std::num::NonZeroU64,
}

impl Tariff {
    /// What is owed for `used` units: begun parts of a satoshi count whole. `None` past 2^64 - 1.
    pub fn owed(&self, used: u64) -> Option<Atoms> {
        let exact = u128::from(self.price.0) * u128::from(used);
        u64::try_from(exact.div_ceil(u128::from(self.per.get()))).ok().map(Atoms)
    }

    /// The units that are covered by a total: the merchant serves no further.
    pub fn covered(&self, total: Atoms) -> u64 {
        match self.price.0 {
            0 => u64::MAX,
            price => u64::try_from(u128::from(total.0) * u128::from(self.per.get()) / u128::from(price)).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ten_satoshi_per_second_owe_for_every_begun_tenth() {
        let tariff = Tariff { price: Atoms(10), per: 1000.try_into().expect("not zero") };
        for (milliseconds, owed) in [(0, 0), (1, 1), (100, 1), (101, 2), (1000, 10), (60_000, 600)] {
            assert_eq!(tariff.owed(milliseconds), Some(Atoms(owed)), "{milliseconds}");
        }
        assert_eq!(Tariff { price: Atoms(u64::MAX), per: 1.try_into().expect("not zero") }.owed(2), None);
    }

    proptest! {
        #[test]
        fn what_is_owed_covers_what_was_used_and_no_satoshi_less_does(price in 1..1_000_000u64, per in 1..1_000_000u64, used in 1..1u64 << 40) {
            let tariff = Tariff { price: Atoms(price), per: per.try_into().expect("not zero") };
            let owed = tariff.owed(used).expect("small");
            prop_assert!(tariff.covered(owed) >= used);
            prop_assert!(tariff.covered(Atoms(owed.0 - 1)) < used);
        }
    }
}
