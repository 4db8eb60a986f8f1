//! Whether a fee is sane, and how its share is told.

use super::{FeeShare, Policy, Summary};
use crate::check::Sums;
use causeway_vocab::{AssetId, Code, Refusal};
use std::collections::BTreeMap;

/// The fee's share of what moves in its asset: of what leaves, or when nothing does, of what comes back.
pub(super) fn share(sums: &BTreeMap<AssetId, Sums>, asset: AssetId, fee: u64, vsize: u64) -> FeeShare {
    let moved = sums.get(&asset).map_or(0, |sums| {
        let leaves = [sums.leaves, sums.burned, sums.pegged_out].iter().fold(0u64, |sum, atoms| sum.saturating_add(atoms.0));
        if leaves > 0 { leaves } else { sums.comes_back.0 }
    });
    let permille = |moved| u64::try_from(u128::from(fee) * 1000 / u128::from(moved)).unwrap_or(u64::MAX);
    FeeShare {
        permille: (moved > 0).then(|| permille(moved)),
        per_kvb: u64::try_from(u128::from(fee) * 1000 / u128::from(vsize.max(1))).unwrap_or(u64::MAX),
        vsize,
    }
}

/// Refuses a fee that is a slip of the finger or worse with `FeeTooHigh`.
pub(super) fn check(summary: &Summary, policy: &Policy) -> Result<(), Refusal> {
    let high = match summary.fee_share.permille {
        Some(permille) => permille > policy.fee_permille,
        // Only other assets move: nothing to compare with, so only small fees pass.
        None => true,
    };
    if !high || policy.accept_high_fee || summary.fee.0 <= policy.small_fee {
        return Ok(());
    }
    let percent = summary.fee_share.permille.map_or_else(|| "100".to_owned(), |permille| (permille / 10).to_string());
    Err(Refusal::new(Code::FeeTooHigh).with("percent", percent).with("limit", policy.fee_permille / 10))
}
