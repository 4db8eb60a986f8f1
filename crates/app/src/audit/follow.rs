//! Reading both chains: the sidechain block by block, then Bitcoin by filters for the scripts that its claims disclose.

use super::marks;
use super::{Held, Settled};
use crate::follow::bitcoin_params;
use crate::memory::stale;
use crate::profile::Profile;
use causeway_contract::{PegAuditWish, Tag};
use causeway_peers::{BitcoinClient, BitcoinConfig, BitcoinEvent, Event, Phase, ResumePoint};
use causeway_sidechain::audit::{Since, read_sidechain};
use causeway_store::Write;
use causeway_vocab::{BitcoinBatch, Code, Height, NetworkId, Refusal};
use elements::Block;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// Sidechain blocks that are fetched, and written down, together.
const TOGETHER: Height = 32;
/// After trouble with peers or the disk it is tried again.
const PAUSE: Duration = Duration::from_secs(15);
/// Peers may date a block so much later than it was made, seconds.
const DATES_AHEAD: u32 = 2 * 60 * 60;

/// Runs for ever; rests while nobody wants the audit.
pub(crate) async fn follow(profile: Arc<Profile>) {
    loop {
        if profile.audit.held().wish != PegAuditWish::On {
            profile.audit.wake.notified().await;
            continue;
        }
        if let Err(refusal) = profile.audit().await
            && profile.note_trouble(refusal)
        {
            let _ = tokio::time::timeout(PAUSE, profile.audit.wake.notified()).await;
        }
    }
}

/// The Bitcoin client of the audit, with what it was told to look for.
struct Search {
    client: BitcoinClient,
    events: Receiver<BitcoinEvent>,
    watched: BTreeSet<bitcoin::ScriptBuf>,
}

async fn stop(search: &mut Option<Search>) {
    if let Some(search) = search.take() {
        search.client.shutdown().await;
    }
}

impl Profile {
    /// Reads until the audit is not wanted any more.
    async fn audit(&self) -> Result<(), Refusal> {
        let mut search: Option<Search> = None;
        loop {
            // Asked for before looking, so that no wake is missed.
            let woken = self.wake.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            if self.audit.held().wish != PegAuditWish::On {
                break;
            }
            if self.load_audit()? {
                stop(&mut search).await;
            }
            self.leave_undone_blocks(search.is_some())?;
            if self.read_some_blocks(&mut search).await? {
                continue;
            }
            if search.is_none() && self.clients.bitcoin.state().phase == Phase::Synced {
                search = Some(self.start_search()?);
            }
            let Some(running) = &mut search else {
                // Where a deposit lies is known when all headers are.
                tokio::select! {
                    () = &mut woken => {}
                    () = self.audit.wake.notified() => {}
                }
                continue;
            };
            self.settle(&running.client);
            tokio::select! {
                event = running.events.recv() => match event {
                    Some(Event::Batch(batch)) => self.audit_batch(&running.client, &batch)?,
                    Some(Event::State(state)) => self.note_search(state),
                    Some(_) => {}
                    None => return Err(Code::NoPeers.into()),
                },
                () = &mut woken => {}
                () = self.audit.wake.notified() => {}
            }
        }
        stop(&mut search).await;
        Ok(())
    }

    /// Shows why it does not go on. `false` when nobody wants it to.
    fn note_trouble(&self, refusal: Refusal) -> bool {
        let mut held = self.audit.held();
        let wanted = held.wish == PegAuditWish::On;
        if wanted {
            tracing::warn!(code = ?refusal.code, "the audit does not go on");
            held.trouble = Some(refusal);
        }
        drop(held);
        self.tell(wanted.then_some(Tag::Audit));
        wanted
    }

    /// Reads from disk what is not in memory, or may not be what the disk has. Tells whether it did.
    fn load_audit(&self) -> Result<bool, Refusal> {
        tokio::task::block_in_place(|| {
            let mut held = self.audit.held();
            let stale = !held.loaded;
            if stale {
                let wish = held.wish;
                *held = self.store.read(|reader| Held::load(reader, wish))?;
            }
            Ok(stale)
        })
    }

    /// Changes memory and disk together; if the disk fails, the memory is read again.
    fn change_audit<T>(&self, work: impl FnOnce(&mut Held, &mut Write<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        tokio::task::block_in_place(|| {
            let mut held = self.audit.held();
            if held.wish != PegAuditWish::On || !held.loaded {
                // Stopped meanwhile: what was under way is of no use.
                return Err(Code::NotFound.into());
            }
            let outcome = self.store.commit(|write| {
                stale(write, &[Tag::Audit]);
                work(&mut held, write)
            });
            held.loaded = outcome.is_ok();
            if outcome.is_ok() {
                held.trouble = None;
            }
            drop(held);
            self.tell(outcome.is_ok().then_some(Tag::Audit));
            outcome.map(|committed| committed.value)
        })
    }

    /// Forgets what was read of blocks that are no longer of their chain. While a client searches Bitcoin, it tells by itself.
    fn leave_undone_blocks(&self, searching: bool) -> Result<(), Refusal> {
        let (mut sidechain, mut bitcoin) = {
            let held = self.audit.held();
            (held.sidechain.clone(), held.bitcoin.clone())
        };
        let (mine, theirs) = (&self.clients.sidechain, &self.clients.bitcoin);
        let left = sidechain.keep(|height, hash| mine.at(height).is_some_and(|tip| tip.hash == hash));
        let left_bitcoin = !searching && bitcoin.keep(|height, hash| theirs.at(height).is_none_or(|tip| tip.hash == hash));
        if !left && !left_bitcoin {
            return Ok(());
        }
        self.change_audit(|held, write| {
            if left {
                let fork = sidechain.last().map(|mark| mark.0);
                write.roll_back_audit(NetworkId::Sidechain, fork)?;
                marks::write(write, NetworkId::Sidechain, &sidechain)?;
                held.ledger.roll_back_sidechain(fork);
                held.sidechain = sidechain;
            }
            if left_bitcoin {
                let fork = bitcoin.last().map(|mark| mark.0);
                write.roll_back_audit(NetworkId::Bitcoin, fork)?;
                marks::write(write, NetworkId::Bitcoin, &bitcoin)?;
                held.ledger.roll_back_bitcoin(fork);
                held.bitcoin = bitcoin;
            }
            held.settled = None;
            Ok(())
        })
    }

    /// Reads the next sidechain blocks. `false` at the tip.
    async fn read_some_blocks(&self, search: &mut Option<Search>) -> Result<bool, Refusal> {
        let client = &self.clients.sidechain;
        if client.base().height > 0 {
            // It is about to start over from its genesis block.
            return Ok(false);
        }
        let tip = client.tip();
        let next = self.audit.held().sidechain.last().map_or(0, |(height, _)| height + 1);
        if next > tip.height {
            return Ok(false);
        }
        let last = tip.height.min(next.saturating_add(TOGETHER - 1));
        let mut asked = Vec::new();
        for height in next.max(1)..=last {
            let hash = client.at(height).ok_or_else(|| Refusal::new(Code::NotOffered).with("what", "blocks"))?.hash;
            let client = client.clone();
            asked.push(tokio::spawn(async move { client.block(hash).await }));
        }
        let mut blocks: Vec<Block> = if next == 0 { self.realm.sidechain.genesis().into_iter().collect() } else { Vec::new() };
        for answer in asked {
            let (_, block) = answer.await.map_err(|_| Refusal::new(Code::Bug))?.map_err(|fault| fault.refusal)?;
            blocks.push(block);
        }
        if self.note_blocks(&blocks, tip.height, search.as_mut())? {
            stop(search).await;
        }
        Ok(true)
    }

    /// Writes down what blocks say. `true` when Bitcoin must be searched again from further back than the search has come.
    fn note_blocks(&self, blocks: &[Block], tip: Height, mut search: Option<&mut Search>) -> Result<bool, Refusal> {
        let params = &self.realm.sidechain;
        let now = self.started.elapsed().as_millis() as u64;
        let (fresh, again) = self.change_audit(|held, write| {
            let mut from: Option<Height> = None;
            let mut fresh = Vec::new();
            for block in blocks {
                let height = block.header.height;
                let before = held.ledger.fedpegs_before(height, params.total_valid_epochs);
                let facts = read_sidechain(params, block, &before);
                if facts.is_empty() {
                    continue;
                }
                let text = serde_json::to_string(&facts).expect("BUG: facts are JSON");
                write.put_audit_facts(NetworkId::Sidechain, height, &text)?;
                held.ledger.put_sidechain(height, facts);
                let watched = |script: &bitcoin::ScriptBuf| search.as_ref().is_some_and(|search| search.watched.contains(script));
                for (scripts, since) in held.ledger.scripts_of(height) {
                    if !scripts.iter().all(watched) {
                        let first = self.first_block(since, search.as_deref());
                        from = from.into_iter().chain(first).min();
                        fresh.extend(scripts);
                    }
                }
            }
            if let Some(block) = blocks.last() {
                held.sidechain.push(block.header.height, block.block_hash());
            }
            marks::write(write, NetworkId::Sidechain, &held.sidechain)?;
            // Noted with what makes it necessary: a kill in between must not leave blocks unsearched.
            let again = from.filter(|from| held.bitcoin.last().is_some_and(|(height, _)| height >= *from));
            if let Some(from) = again {
                held.bitcoin.cut(from.saturating_sub(1));
                marks::write(write, NetworkId::Bitcoin, &held.bitcoin)?;
            }
            let done = held.sidechain.last().map_or(0, |(height, _)| height);
            held.effort.left(now, done, tip);
            Ok((fresh, again.is_some()))
        })?;
        if let Some(search) = search.as_mut().filter(|_| !again) {
            search.watched.extend(fresh.iter().cloned());
            search.client.watch(fresh);
        }
        Ok(again)
    }

    /// The Bitcoin block from which on a script may appear; none where that block is still to come.
    fn first_block(&self, since: Since, search: Option<&Search>) -> Option<Height> {
        let chain = search.map_or(&self.clients.bitcoin, |search| &search.client);
        match since {
            Since::Block(hash) => chain.height_of(&hash),
            Since::Time(time) => {
                let (mut low, mut high) = (1, chain.tip().height);
                while low < high {
                    let middle = low + (high - low) / 2;
                    let early = chain.at(middle).is_none_or(|at| at.time.saturating_add(DATES_AHEAD) < time);
                    (low, high) = if early { (middle + 1, high) } else { (low, middle) };
                }
                Some(low)
            }
        }
    }

    /// Starts a client for all scripts of the ledger, where the last one left off or at the first deposit.
    fn start_search(&self) -> Result<Search, Refusal> {
        let (watched, scanned_to) = {
            let held = self.audit.held();
            let first = held.ledger.deposit_blocks().filter_map(|hash| self.clients.bitcoin.height_of(hash)).min();
            let before_first = first.map_or(self.clients.bitcoin.tip().height, |first| first.saturating_sub(1));
            let reached = held.bitcoin.last().map_or(before_first, |(height, _)| height);
            (held.ledger.scripts(), reached)
        };
        let (first, headers) = tokio::task::block_in_place(|| self.store.read(|reader| reader.headers(NetworkId::Bitcoin)))?;
        let config = BitcoinConfig {
            params: bitcoin_params(&self.core()),
            checkpoint: None,
            resume: ResumePoint { first, headers, scanned_to },
            watch: watched.iter().cloned().collect(),
        };
        let (client, events) = BitcoinClient::start(config, &tokio::runtime::Handle::current());
        Ok(Search { client, events, watched })
    }

    fn audit_batch(&self, client: &BitcoinClient, batch: &BitcoinBatch) -> Result<(), Refusal> {
        let network = NetworkId::Bitcoin;
        let reached = client.at(batch.scanned_to).map(|at| at.hash);
        self.change_audit(|held, write| {
            if let Some(fork) = batch.rollback_to {
                write.roll_back_audit(network, Some(fork.height))?;
                held.ledger.roll_back_bitcoin(Some(fork.height));
                held.bitcoin.cut(fork.height);
                held.settled = None;
            }
            for (tip, block) in &batch.blocks {
                let facts = held.ledger.read_bitcoin(block);
                if !facts.is_empty() {
                    let text = serde_json::to_string(&facts).expect("BUG: facts are JSON");
                    write.put_audit_facts(network, tip.height, &text)?;
                    held.ledger.put_bitcoin(tip.height, facts);
                }
            }
            match reached {
                Some(hash) => held.bitcoin.push(batch.scanned_to, hash),
                // Undone since; the next batch says so.
                None => held.bitcoin.cut(batch.scanned_to),
            }
            marks::write(write, network, &held.bitcoin)
        })
    }

    fn note_search(&self, state: causeway_peers::NetworkState) {
        let now = self.started.elapsed().as_millis() as u64;
        let mut held = self.audit.held();
        held.bitcoin_state = Some(state);
        held.effort.left(now, state.scanned_to, state.headers);
        drop(held);
        self.tell([Tag::Audit]);
    }

    /// Adds everything up when both chains have been read to their tips.
    fn settle(&self, client: &BitcoinClient) {
        let state = client.state();
        let mut held = self.audit.held();
        let (Some((sidechain, _)), Some((bitcoin, _))) = (held.sidechain.last(), held.bitcoin.last()) else { return };
        let synced = state.phase == Phase::Synced && state.scanned_to == state.headers && bitcoin == state.scanned_to;
        let same = |s: &Settled| s.sidechain == sidechain && s.bitcoin == bitcoin;
        let waiting = self.clients.sidechain.state().phase != Phase::Synced || sidechain != self.clients.sidechain.tip().height;
        if !synced || waiting || held.settled.as_ref().is_some_and(same) {
            return;
        }
        let place = |hash: &bitcoin::BlockHash| {
            let height = client.height_of(hash)?;
            client.at(height).map(|at| (height, at.time))
        };
        let summary = held.ledger.summary(place);
        held.settled = Some(Settled { sidechain, bitcoin, summary });
        drop(held);
        self.tell([Tag::Audit]);
    }
}
