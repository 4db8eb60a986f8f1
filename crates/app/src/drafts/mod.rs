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
use causeway_sidechain::wallet::Plan;
use causeway_sidechain::wallet::build::{Proof, ProofJob};
use causeway_store::{DraftRow, Reader};
use causeway_vocab::{Code, Draft, Refusal, SidechainDraft};

/// Fees up to this many satoshi are never too high: small payments have large shares.
const SMALL_FEE: u64 = 10_000;

/// Makes the proofs of a plan on as many threads as there are cores.
pub(crate) fn blind(plan: &Plan) -> SidechainDraft {
    plan.blind(&mut rand::thread_rng(), |jobs: Vec<ProofJob>| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = jobs.len().div_ceil(cores).max(1);
        let mut jobs = jobs;
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            while !jobs.is_empty() {
                let part = jobs.split_off(jobs.len().saturating_sub(share));
                threads.push(scope.spawn(move || part.into_iter().map(ProofJob::run).collect::<Vec<Proof>>()));
            }
            threads.into_iter().flat_map(|thread| thread.join().expect("BUG: proving panicked")).collect()
        })
    })
}

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
