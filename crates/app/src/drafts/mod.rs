//! Drafts: planned, reviewed, signed.

mod body;
mod exchange;
mod plan;
mod review;
mod sign;

pub(crate) use plan::{domain_proof, per_kvb, small};

use crate::memory::Core;
use crate::profile::now;
use causeway_keys::{Checked, Policy};
use causeway_store::{DraftRow, Reader};
use causeway_vocab::{Code, Draft, Refusal};

/// Fees up to this many satoshi are never too high: small payments have large shares.
const SMALL_FEE: u64 = 10_000;

/// Has the keys recompute what a draft does.
pub(crate) fn check(core: &Core, wallet: u32, draft: Draft) -> Result<Checked, Refusal> {
    let accounts = core.wallet(wallet)?.accounts.as_ref().ok_or(Code::WatchOnly)?;
    let policy =
        Policy { fee_permille: u64::from(core.settings.fee_limit_percent) * 10, small_fee: SMALL_FEE, ..Policy::default() };
    causeway_keys::check(draft, accounts, &core.realm, &policy)
}

/// A draft that is still good.
fn load(reader: &Reader<'_>, id: u32) -> Result<(DraftRow, body::Body), Refusal> {
    let row = reader.draft(id)?.filter(|row| row.expires >= now()).ok_or(Code::DraftExpired)?;
    let body = serde_json::from_str(&row.body).map_err(|_| Refusal::new(Code::BadDraft))?;
    Ok((row, body))
}
