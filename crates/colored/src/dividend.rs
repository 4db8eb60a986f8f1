//! Paying holders in proportion, in whole numbers, with the rounding said.

use bitcoin::ScriptBuf;
use causeway_vocab::{Code, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Somebody who holds units.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Holder {
    /// Who.
    pub script: ScriptBuf,
    /// How many units.
    pub quantity: u64,
}

/// What becomes of fractions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rounding {
    /// Everybody's share is rounded down; what is left stays with the payer.
    Down,
    /// Rounded down, then one more unit each for the largest fractions until everything is paid; between equal fractions the smaller
    /// script goes first.
    LargestRemainder,
}

/// What one holder gets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Share {
    /// Who.
    pub script: ScriptBuf,
    /// How much, at least one.
    pub amount: u64,
}

/// A dividend, worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dividend {
    /// Who gets what, sorted by script.
    pub shares: Vec<Share>,
    /// Sum of the shares.
    pub paid: u64,
    /// What stays with the payer.
    pub left: u64,
    /// Holders whose share is nothing, or less than the least.
    pub too_small: usize,
}

/// Splits `total` among holders in proportion to their units. A script that is listed twice counts once, with the sum.
///
/// Shares below `least` (dust, for bitcoin) are not paid and stay with the payer; nobody else's share grows by that.
pub fn pro_rata(holders: &[Holder], total: u64, rounding: Rounding, least: u64) -> Result<Dividend, Refusal> {
    let (held, sum) = by_script(holders)?;
    if total == 0 {
        return Err(Refusal::new(Code::BadAmount).with("precision", 0));
    }
    let (total, sum) = (u128::from(total), u128::from(sum));
    // Both factors are below 2^64, so the product fits.
    let mut shares: Vec<(ScriptBuf, u128, u128)> = held
        .into_iter()
        .map(|(script, quantity)| {
            let product = total * u128::from(quantity);
            (script, product / sum, product % sum)
        })
        .collect();
    if rounding == Rounding::LargestRemainder {
        let paid: u128 = shares.iter().map(|(_, amount, _)| amount).sum();
        // Fewer than one unit per holder is left over.
        let left = usize::try_from(total - paid).unwrap_or(0);
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by(|a, b| shares[*b].2.cmp(&shares[*a].2).then(a.cmp(b)));
        for index in order.into_iter().take(left) {
            shares[index].1 += 1;
        }
    }
    finish(shares.into_iter().map(|(script, amount, _)| (script, amount)), total, least)
}

/// Pays every holder `per_unit` for each unit held. What is left is nothing, unless shares are too small.
pub fn per_unit(holders: &[Holder], per_unit: u64, least: u64) -> Result<Dividend, Refusal> {
    let (held, sum) = by_script(holders)?;
    if per_unit == 0 {
        return Err(Refusal::new(Code::BadAmount).with("precision", 0));
    }
    let total = u128::from(sum) * u128::from(per_unit);
    let shares = held.into_iter().map(|(script, quantity)| (script, u128::from(quantity) * u128::from(per_unit)));
    finish(shares, total, least)
}

fn by_script(holders: &[Holder]) -> Result<(BTreeMap<ScriptBuf, u64>, u64), Refusal> {
    let (mut held, mut sum) = (BTreeMap::new(), 0u64);
    for holder in holders.iter().filter(|holder| holder.quantity > 0) {
        sum = sum.checked_add(holder.quantity).ok_or_else(above)?;
        // Below the sum, so it fits.
        *held.entry(holder.script.clone()).or_insert(0u64) += holder.quantity;
    }
    if held.is_empty() { Err(Code::NoRecipients.into()) } else { Ok((held, sum)) }
}

fn finish(shares: impl Iterator<Item = (ScriptBuf, u128)>, total: u128, least: u64) -> Result<Dividend, Refusal> {
    let least = u128::from(least.max(1));
    let (mut paid, mut too_small, mut kept) = (0u128, 0, Vec::new());
    for (script, amount) in shares {
        if amount < least {
            too_small += 1;
            continue;
        }
        paid += amount;
        kept.push(Share { script, amount: u64::try_from(amount).map_err(|_| above())? });
    }
    if kept.is_empty() {
        return Err(Refusal::new(Code::Dust).with("least", least));
    }
    let left = u64::try_from(total - paid).map_err(|_| above())?;
    Ok(Dividend { shares: kept, paid: u64::try_from(paid).map_err(|_| above())?, left, too_small })
}

fn above() -> Refusal {
    Refusal::new(Code::AboveSupply).with("most", u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holder(n: u8, quantity: u64) -> Holder {
        Holder { script: ScriptBuf::from_bytes(vec![n]), quantity }
    }

    fn amounts(dividend: &Dividend) -> Vec<(u8, u64)> {
        dividend.shares.iter().map(|share| (share.script.as_bytes()[0], share.amount)).collect()
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nobody_is_off_by_more_than_one(
            held in prop::collection::vec((any::<u8>(), prop_oneof![0u64..1_000, 0..u64::MAX / 40]), 1..40),
            total in prop_oneof![1u64..10_000, 1..=u64::MAX],
            down in any::<bool>(),
        ) {
            let holders: Vec<Holder> = held.iter().map(|(n, quantity)| holder(*n, *quantity)).collect();
            let rounding = if down { Rounding::Down } else { Rounding::LargestRemainder };
            let Ok(dividend) = pro_rata(&holders, total, rounding, 0) else {
                // Too little for anybody, or nobody holds any.
                return Ok(());
            };
            let paid: u128 = dividend.shares.iter().map(|share| u128::from(share.amount)).sum();
            prop_assert_eq!(paid, u128::from(dividend.paid));
            prop_assert_eq!(u128::from(dividend.paid) + u128::from(dividend.left), u128::from(total));
            prop_assert!(down || dividend.left == 0);
            let sum: u128 = held.iter().map(|(_, quantity)| u128::from(*quantity)).sum();
            for share in &dividend.shares {
                let units: u128 = held.iter().filter(|(n, _)| *n == share.script.as_bytes()[0]).map(|(_, q)| u128::from(*q)).sum();
                let floor = u128::from(total) * units / sum;
                let amount = u128::from(share.amount);
                prop_assert!(amount == floor || !down && amount == floor + 1);
            }
            prop_assert!(dividend.shares.windows(2).all(|pair| pair[0].script < pair[1].script));
        }

        #[test]
        fn per_unit_pays_each_unit_the_same(held in prop::collection::vec((any::<u8>(), 0u64..1_000_000), 1..20), each in 1u64..1_000) {
            let holders: Vec<Holder> = held.iter().map(|(n, quantity)| holder(*n, *quantity)).collect();
            if let Ok(dividend) = per_unit(&holders, each, 0) {
                prop_assert_eq!(dividend.paid, held.iter().map(|(_, quantity)| quantity * each).sum::<u64>());
                prop_assert_eq!(dividend.left, 0);
            }
        }
    }

    #[test]
    fn fractions_go_where_the_rounding_says() {
        let holders = [holder(3, 1), holder(1, 1), holder(2, 1)];
        let down = pro_rata(&holders, 11, Rounding::Down, 0).expect("good");
        assert_eq!((amounts(&down), down.left), (vec![(1, 3), (2, 3), (3, 3)], 2));
        let largest = pro_rata(&holders, 11, Rounding::LargestRemainder, 0).expect("good");
        assert_eq!((amounts(&largest), largest.left), (vec![(1, 4), (2, 4), (3, 3)], 0));
    }

    #[test]
    fn shares_below_the_least_stay_with_the_payer() {
        let dividend = pro_rata(&[holder(1, 1), holder(2, 999)], 100_000, Rounding::Down, 294).expect("good");
        assert_eq!((amounts(&dividend), dividend.left, dividend.too_small), (vec![(2, 99_900)], 100, 1));
    }

    #[test]
    fn the_same_script_twice_counts_once() {
        let dividend = pro_rata(&[holder(1, 1), holder(1, 2), holder(2, 3)], 10, Rounding::Down, 0).expect("good");
        assert_eq!(amounts(&dividend), [(1, 5), (2, 5)]);
    }

    #[test]
    fn impossible_dividends_are_refused() {
        let code = |holders: &[Holder], total| pro_rata(holders, total, Rounding::Down, 0).map_err(|refusal| refusal.code);
        assert_eq!(code(&[], 5), Err(Code::NoRecipients));
        assert_eq!(code(&[holder(1, 0)], 5), Err(Code::NoRecipients));
        assert_eq!(code(&[holder(1, 1)], 0), Err(Code::BadAmount));
        assert_eq!(code(&[holder(1, u64::MAX), holder(2, 1)], 5), Err(Code::AboveSupply));
        assert_eq!(code(&[holder(1, 1), holder(2, 1)], 1), Err(Code::Dust));
        assert_eq!(per_unit(&[holder(1, u64::MAX)], 2, 0).map_err(|refusal| refusal.code), Err(Code::AboveSupply));
    }
}
