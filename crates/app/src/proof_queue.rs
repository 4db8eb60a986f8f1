//! Proofs that wait to be checked, so that a wallet with very many coins stays usable meanwhile.
//!
//! The queue is bounded: what finds no room stays *unknown* on disk and is taken up when there is. Workers take one transaction at a time, the newest
//! blocks first, and have it checked in the [background](crate::background); their verdicts are written down together.

use crate::amounts::{FAR, Known};
use crate::memory::Verdict;
use crate::profile::Profile;
use causeway_sidechain::consensus::proofs;
use elements::{Block, BlockHash, Txid};
use std::cmp::Reverse;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Transactions that wait at most; each takes about a hundred bytes.
const MOST: usize = 4_096;
/// Verdicts that are written in one go, and how long the first of them may wait for the others.
const TOGETHER: usize = 64;
const LONGEST: Duration = Duration::from_secs(2);
/// How often an idle worker looks by itself.
const IDLE: Duration = Duration::from_secs(15);

/// A transaction to be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) txid: Txid,
    pub(crate) block: BlockHash,
    /// Generations of ancestors to check as well.
    pub(crate) ancestors: u32,
}

/// A verdict with what it rests on.
pub(crate) struct Judged {
    pub(crate) txid: Txid,
    pub(crate) verdict: Verdict,
    pub(crate) height: u32,
    /// [`proofs::key`] of the transaction as it was checked.
    pub(crate) key: [u8; 32],
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// Everything that was taken in during this run: nothing is checked twice.
    seen: HashSet<Txid>,
}

impl Waiting {
    /// Takes a job in. `false` when there is no room for it; one that is known needs none.
    fn offer(&mut self, job: Job) -> bool {
        if self.seen.contains(&job.txid) {
            return true;
        }
        if self.jobs.len() >= MOST {
            return false;
        }
        self.seen.insert(job.txid);
        self.jobs.push_back(job);
        true
    }
}

/// The queue of a profile.
#[derive(Default)]
pub(crate) struct ProofQueue {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

impl ProofQueue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that there may be something to do.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Forgets a transaction, so that it can be checked again: its block was undone.
    pub(crate) fn forget(&self, txid: &Txid) {
        self.waiting().seen.remove(txid);
    }
}

/// A block with what it pays, kept for the next transaction of the same block.
struct Opened {
    hash: BlockHash,
    height: u32,
    block: Block,
    known: Known,
}

/// One worker; runs until the profile is closed.
pub(crate) async fn work(profile: Arc<Profile>) {
    let mut judged: Vec<Judged> = Vec::new();
    let mut opened: Option<Opened> = None;
    let mut since = Instant::now();
    loop {
        let job = profile.next_job();
        if judged.len() >= TOGETHER || !judged.is_empty() && (job.is_none() || since.elapsed() > LONGEST) {
            profile.write_verdicts(std::mem::take(&mut judged)).await;
        }
        let Some(job) = job else {
            opened = None;
            let _ = tokio::time::timeout(IDLE, profile.proof_queue.wake.notified()).await;
            continue;
        };
        if judged.is_empty() {
            since = Instant::now();
        }
        judged.extend(profile.judge(&job, &mut opened).await);
    }
}

impl Profile {
    /// The next transaction to check; the queue is filled up from what is unknown when it runs dry.
    fn next_job(&self) -> Option<Job> {
        if let Some(job) = self.proof_queue.waiting().jobs.pop_front() {
            return Some(job);
        }
        let mut unknown: Vec<(u32, Job)> = {
            let core = self.core();
            let ancestors = core.settings.proof_depth;
            let waiting = self.proof_queue.waiting();
            let unknown =
                core.proofs.iter().filter(|(txid, verdict)| **verdict == Verdict::Unknown && !waiting.seen.contains(*txid));
            let place = |txid: &Txid| {
                let entry = core.wallets.values().find_map(|wallet| wallet.sidechain.history_entry(txid))?;
                Some((entry.height?, entry.block?))
            };
            let job = |txid: &Txid| place(txid).map(|(height, block)| (height, Job { txid: *txid, block, ancestors }));
            unknown.filter_map(|(txid, _)| job(txid)).take(MOST).collect()
        };
        unknown.sort_by_key(|(height, job)| (Reverse(*height), job.block));
        let mut waiting = self.proof_queue.waiting();
        for (_, job) in unknown {
            if !waiting.offer(job) {
                break;
            }
        }
        waiting.jobs.pop_front()
    }

    /// Checks one transaction, and queues those it spends from when ancestors are wanted. `None` when its block cannot be had now.
    async fn judge(&self, job: &Job, opened: &mut Option<Opened>) -> Option<Judged> {
        if opened.as_ref().is_none_or(|opened| opened.hash != job.block) {
            let Ok((height, block)) = self.clients.sidechain.block(job.block).await else {
                self.proof_queue.forget(&job.txid);
                // Nobody serves it: no use in trying at once.
                tokio::time::sleep(Duration::from_secs(1)).await;
                return None;
            };
            let mut known = Known::default();
            known.note(&block);
            *opened = Some(Opened { hash: job.block, height, block, known });
        }
        let Opened { height, block, known, .. } = opened.as_mut()?;
        let tx = block.txdata.iter().find(|tx| tx.txid() == job.txid)?;
        let spent = self.spent_by(tx, *height, known, FAR).await;
        let verdict = self.background.run(self.check_of(tx, spent)).await.unwrap_or(Verdict::Unknown);
        if let Some(ancestors) = job.ancestors.checked_sub(1) {
            let parents: HashSet<Txid> = tx.input.iter().map(|input| input.previous_output.txid).collect();
            let checked = |txid: &Txid| self.core().proofs.get(txid) == Some(&Verdict::Passed);
            for txid in parents.into_iter().filter(|txid| !checked(txid)) {
                if let Some(block) = known.place(&txid) {
                    self.proof_queue.waiting().offer(Job { txid, block, ancestors });
                }
            }
        }
        Some(Judged { txid: job.txid, verdict, height: *height, key: proofs::key(tx) })
    }

    async fn write_verdicts(&self, judged: Vec<Judged>) {
        let noted = self.change(|core, write| {
            for one in &judged {
                match one.verdict {
                    // What was not found within reach will not be found by asking again in this run.
                    Verdict::Unknown => drop(core.proofs.remove(&one.txid)),
                    verdict => core.note_verdict(write, one.txid, verdict, one.height, one.key)?,
                }
            }
            Ok(())
        });
        if let Err(refusal) = noted {
            tracing::warn!(code = ?refusal.code, "verdicts could not be written");
        }
        for one in judged.iter().filter(|one| one.verdict == Verdict::Failed) {
            self.evidence_of(one.txid, one.height).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(n: u32) -> Job {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&n.to_le_bytes());
        Job { txid: Txid::from_byte_array(id), block: BlockHash::from_byte_array([0; 32]), ancestors: 0 }
    }

    #[test]
    fn fifty_thousand_transactions_pass_through_a_small_queue_each_once() {
        let mut waiting = Waiting::default();
        let all: Vec<Job> = (0..50_000).map(job).collect();
        let mut done = Vec::new();
        let mut rounds = 0;
        while done.len() < all.len() {
            // As a worker does: fill up from what is known to be unchecked, until there is no room.
            let unseen: Vec<Job> = all.iter().filter(|job| !waiting.seen.contains(&job.txid)).take(MOST).copied().collect();
            assert!(unseen.iter().all(|job| waiting.offer(*job)));
            assert!(waiting.jobs.len() <= MOST, "the queue is bounded");
            done.extend(std::iter::from_fn(|| waiting.jobs.pop_front()));
            rounds += 1;
        }
        assert_eq!((done, rounds), (all, 13));
    }

    #[test]
    fn a_full_queue_refuses_and_a_known_transaction_is_not_queued_again() {
        let mut waiting = Waiting::default();
        assert!((0..).take(MOST).all(|n| waiting.offer(job(n))));
        assert!(!waiting.offer(job(u32::MAX)), "no room");
        assert!(waiting.offer(job(0)), "known");
        assert_eq!(waiting.jobs.len(), MOST);
        let first = waiting.jobs.pop_front().expect("a job");
        assert!(waiting.offer(job(u32::MAX)));
        assert!(waiting.offer(first), "in progress: not queued twice");
        assert_eq!(waiting.jobs.back(), Some(&job(u32::MAX)));
    }
}
