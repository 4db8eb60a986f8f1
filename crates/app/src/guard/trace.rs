//! Fetching the ancestors of coins whose colours are not known yet.
//!
//! Blocks are searched downwards from the block of a coin: ancestors lie at or below their descendants, so one descent finds them all. Only
//! transactions that speak an asset protocol have ancestors that matter, so a descent ends at the issuances. It is bounded, and what it has
//! found and how far it came is on disk.

use crate::memory::{Core, stale};
use crate::profile::Profile;
use bitcoin::{Block, Transaction, Txid};
use causeway_colored::guard::{Reason, protocols};
use causeway_colored::{Ancestry, Source as _, Standing};
use causeway_contract::Tag;
use causeway_vocab::{Height, Refusal};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// Blocks below a coin that are searched. Older ancestors stay missing, and the coin stays frozen.
const REACH: Height = 10_000;
/// Ancestors of one coin at most.
const MOST: usize = 100_000;
/// Blocks that are asked for at once.
const AT_ONCE: Height = 16;
/// Blocks after which what was found is written down.
const STRIDE: Height = 64;
/// Pause after nobody gave a block, and between looks without a reason.
const PAUSE: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(60);

/// A transaction whose ancestors are missing.
struct Job {
    txid: Txid,
    /// Where its search begins, the first time.
    top: Height,
    /// The next height to be searched.
    next: Height,
    wanted: HashSet<Txid>,
    /// Found and not written down yet.
    found: HashMap<Txid, (Height, Transaction)>,
}

/// Searches until the profile is closed.
pub(crate) async fn work(profile: Arc<Profile>) {
    loop {
        let job = profile.core().next_trace(profile.clients.bitcoin.tip().height);
        let Some(job) = job else {
            let _ = tokio::time::timeout(IDLE, profile.trace_wake.notified()).await;
            continue;
        };
        if let Err(refusal) = profile.trace(job).await {
            tracing::debug!(code = ?refusal.code, "ancestors could not be fetched");
            let _ = tokio::time::timeout(PAUSE, profile.trace_wake.notified()).await;
        }
    }
}

impl Core {
    /// The next transaction to search for: one that made a coin of ours of unknown colour and whose search is not over.
    fn next_trace(&self, tip: Height) -> Option<Job> {
        let mut ancestry = Ancestry::new(self.past());
        let coins = self.wallets.values().flat_map(|wallet| wallet.bitcoin.coins());
        let mut seen = BTreeSet::new();
        for coin in coins {
            let Standing::Unknown(Reason::Doubt(doubt)) = self.standing(&mut ancestry, coin.outpoint) else { continue };
            let txid = coin.outpoint.txid;
            if !doubt.is_temporary() || !seen.insert(txid) {
                continue;
            }
            let top = coin.height.unwrap_or(tip).min(tip);
            let next = self.guard.traces.get(&txid).map_or(top, |height| height.saturating_sub(1).min(top));
            let wanted = self.missing(txid);
            if !wanted.is_empty() && next > 0 && top - next < REACH {
                return Some(Job { txid, top, next, wanted, found: HashMap::new() });
            }
        }
        None
    }

    /// Ancestors that matter for the colours of a transaction and are not at hand.
    fn missing(&self, txid: Txid) -> HashSet<Txid> {
        let past = self.past();
        let (mut missing, mut seen, mut stack) = (HashSet::new(), HashSet::from([txid]), vec![txid]);
        while let Some(txid) = stack.pop() {
            match past.transaction(&txid) {
                Some(tx) => stack.extend(relevant(&tx).filter(|parent| seen.insert(*parent))),
                None => {
                    missing.insert(txid);
                }
            }
        }
        missing
    }
}

/// Parents that matter for the colours of a transaction: all, if it speaks a protocol. Some more than needed, never fewer.
fn relevant(tx: &Transaction) -> impl Iterator<Item = Txid> + '_ {
    let speaks = !tx.is_coinbase() && !protocols(tx).is_empty();
    tx.input.iter().map(|input| input.previous_output.txid).filter(move |_| speaks)
}

impl Profile {
    /// Searches for one transaction until everything is found or the search is over.
    async fn trace(&self, mut job: Job) -> Result<(), Refusal> {
        let mut taken = 0;
        while !job.wanted.is_empty() && job.next > 0 && job.top - job.next < REACH {
            let low = job.next.saturating_sub(AT_ONCE - 1).max(1);
            let mut asked = Vec::new();
            for height in (low..=job.next).rev() {
                let client = self.clients.bitcoin.clone();
                asked.push(tokio::spawn(async move {
                    let tip = client.at(height).ok_or_else(|| Refusal::new(causeway_vocab::Code::NotSynced))?;
                    client.block(tip.hash).await.map_err(|fault| fault.refusal)
                }));
            }
            for block in asked {
                if job.wanted.is_empty() {
                    block.abort();
                    continue;
                }
                let (height, block) = block.await.map_err(|_| Refusal::new(causeway_vocab::Code::Bug))??;
                self.take_from(&mut job, height, block);
                job.next = height.saturating_sub(1);
            }
            if taken + job.found.len() > MOST {
                job.next = 0;
            }
            if job.wanted.is_empty() || job.next == 0 || (job.top - job.next).is_multiple_of(STRIDE) {
                taken += job.found.len();
                self.keep_found(&mut job)?;
            }
        }
        self.keep_found(&mut job)
    }

    /// Takes wanted transactions out of a block, the last first: parents stand before their children.
    fn take_from(&self, job: &mut Job, height: Height, block: Block) {
        for tx in block.txdata.into_iter().rev() {
            let txid = tx.compute_txid();
            if !job.wanted.remove(&txid) {
                continue;
            }
            let core = self.core();
            for parent in relevant(&tx) {
                job.wanted.extend(core.missing(parent).into_iter().filter(|missing| !job.found.contains_key(missing)));
            }
            job.found.insert(txid, (height, tx));
        }
    }

    /// Writes down what was found and how far the search came.
    fn keep_found(&self, job: &mut Job) -> Result<(), Refusal> {
        let found = std::mem::take(&mut job.found);
        self.change(|core, write| {
            core.dirty = true;
            for (height, tx) in found.into_values() {
                core.guard.learn(write, height, tx)?;
            }
            let height = job.next + 1;
            write.set_trace(&job.txid.to_string(), height)?;
            core.guard.traces.insert(job.txid, height);
            core.guard.refresh();
            stale(write, &[Tag::Coins, Tag::Balances, Tag::Assets]);
            Ok(())
        })
    }
}
