//! Confidential mathematics on every core.

use causeway_sidechain::wallet::build::BlindingJob;
use causeway_sidechain::wallet::{Candidate, Opened, Plan};
use causeway_vocab::SidechainDraft;
use rand::{CryptoRng, RngCore};
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};

/// Does `work` on every item, each core taking the next item as soon as it is free. The answers come in no particular order.
///
/// Blocks until all is done.
pub fn on_every_core<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let others = cores.min(items.len()).saturating_sub(1);
    let queue = Mutex::new(items.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let drain = || std::iter::from_fn(next).map(&work).collect::<Vec<R>>();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..others).map(|_| scope.spawn(drain)).collect();
        let mut done = drain();
        for thread in threads {
            done.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    })
}

/// Opens everything that batches offer; each candidate keeps the mark it came with.
pub fn open<M: Send>(candidates: Vec<(M, Candidate)>) -> Vec<(M, Opened)> {
    on_every_core(candidates, |(mark, candidate)| (mark, candidate.open()))
}

/// Blinds a plan and makes its proofs.
pub fn blind(plan: &Plan, rng: &mut (impl RngCore + CryptoRng)) -> SidechainDraft {
    plan.blind(rng, |jobs| on_every_core(jobs, BlindingJob::run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once_whatever_their_number() {
        for count in [0, 1, 2, 3, 1_000] {
            let mut done = on_every_core((0..count).collect(), |item: u32| item * 2);
            done.sort_unstable();
            assert_eq!(done, (0..count).map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
