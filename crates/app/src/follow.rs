//! One task per network: what a client tells becomes wallet changes, operation steps and a notice, in one transaction per event.

use crate::memory::{Core, Verdict, put_bitcoin, put_sidechain, stale};
use crate::profile::{Clients, Profile, Watched, now};
use causeway_contract::{Progress, Tag};
use causeway_peers::{
    BitcoinClient, BitcoinConfig, BitcoinEvent, Event, Headers, NetworkState, ResumePoint, SidechainClient, SidechainConfig,
    SidechainEvent,
};
use causeway_sidechain::consensus::pinned::Pinned;
use causeway_sidechain::wallet::{Candidate, Opened};
use causeway_store::Store;
use causeway_vocab::{BitcoinBatch, ChainBatch, Code, Fault, NetworkId, Realm, Refusal, SidechainBatch};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use tokio::sync::mpsc::Receiver;

/// Rounds of housekeeping between two rebroadcasts of what is in no block.
const REBROADCAST_ROUNDS: u32 = 20;
/// Everything a wallet's face shows of a chain.
const CHAIN_TAGS: [Tag; 6] = [Tag::Balances, Tag::Coins, Tag::History, Tag::Addresses, Tag::Assets, Tag::Networks];

type Started = (Clients, Watched, Receiver<BitcoinEvent>, Receiver<SidechainEvent>);

/// Starts both clients where the last run left off.
pub(crate) fn start(store: &Store, core: &Core, realm: &Arc<Realm>, pinned: &Arc<Pinned>) -> Result<Started, Refusal> {
    let watched = wanted(core);
    let runtime = tokio::runtime::Handle::current();
    let config = BitcoinConfig {
        params: bitcoin_params(core),
        checkpoint: None,
        resume: resume(store, NetworkId::Bitcoin)?,
        watch: watched.bitcoin.iter().cloned().collect(),
    };
    let (bitcoin, bitcoin_events) = BitcoinClient::start(config, &runtime);
    let mut params = realm.sidechain.clone();
    params.peers.extend(core.settings.sidechain_peers.iter().filter_map(|peer| peer.parse::<SocketAddr>().ok()));
    let config = SidechainConfig {
        params,
        resume: resume(store, NetworkId::Sidechain)?,
        watch: watched.sidechain.iter().cloned().collect(),
        pinned: Arc::clone(pinned),
        start: crate::start::start(store, core, realm, pinned)?,
    };
    let (sidechain, sidechain_events) = SidechainClient::start(config, &runtime)?;
    Ok((Clients { bitcoin, sidechain }, watched, bitcoin_events, sidechain_events))
}

/// The realm's Bitcoin with the peers that the user added.
pub(crate) fn bitcoin_params(core: &Core) -> causeway_vocab::BitcoinParams {
    let mut params = core.realm.bitcoin.clone();
    params.peers.extend(core.settings.bitcoin_peers.iter().filter_map(|peer| peer.parse::<SocketAddr>().ok()));
    params
}

fn resume(store: &Store, network: NetworkId) -> Result<ResumePoint, Refusal> {
    store.read(|reader| {
        let (first, headers) = reader.headers(network)?;
        Ok(ResumePoint { first, headers, scanned_to: reader.scanned_to(network)?.unwrap_or(0) })
    })
}

/// Every script that the wallets and the open operations wait for.
fn wanted(core: &Core) -> Watched {
    let mut watched = Watched::default();
    for wallet in core.wallets.values() {
        watched.bitcoin.extend(wallet.bitcoin.scripts_to_watch());
        watched.sidechain.extend(wallet.sidechain.scripts_to_watch().cloned());
    }
    watched.bitcoin.extend(core.operations.scripts());
    watched
}

/// Reads the Bitcoin client until it ends.
pub(crate) async fn bitcoin(profile: Arc<Profile>, mut events: Receiver<BitcoinEvent>) {
    while let Some(event) = events.recv().await {
        let outcome = match event {
            Event::Headers(headers) => profile.headers(NetworkId::Bitcoin, &headers),
            Event::Batch(batch) => profile.bitcoin_batch(&batch),
            Event::State(state) => profile.state(NetworkId::Bitcoin, state),
            Event::Fault(fault) => profile.fault(fault),
            Event::Misrule(_) => unreachable!("BUG: nobody signs Bitcoin headers"),
            Event::Anchor(_) => unreachable!("BUG: Bitcoin is followed from its genesis block"),
        };
        if let Err(refusal) = outcome {
            profile.chain_trouble(NetworkId::Bitcoin, refusal);
        }
    }
}

/// Reads the sidechain client until it ends.
pub(crate) async fn sidechain(profile: Arc<Profile>, mut events: Receiver<SidechainEvent>) {
    while let Some(event) = events.recv().await {
        let outcome = match event {
            Event::Headers(headers) => profile.headers(NetworkId::Sidechain, &headers),
            Event::Batch(batch) => profile.sidechain_batch(&batch).await,
            Event::State(state) => profile.state(NetworkId::Sidechain, state),
            Event::Fault(fault) => profile.fault(fault),
            Event::Misrule(misrule) => profile.misrule(&misrule),
            Event::Anchor(anchor) => profile.anchored(anchor.as_deref()),
        };
        if let Err(refusal) = outcome {
            profile.chain_trouble(NetworkId::Sidechain, refusal);
        }
    }
}

/// Locks idle keys, discards old drafts, sends again what is in no block.
pub(crate) async fn housekeeping(profile: Arc<Profile>) {
    let mut rounds = 0u32;
    loop {
        tokio::time::sleep(profile.options.housekeeping).await;
        profile.lock_when_idle();
        let expired = profile.change(|_, write| {
            if write.expire_drafts(now())? > 0 {
                stale(write, &[Tag::Drafts, Tag::Coins]);
            }
            Ok(())
        });
        if let Err(refusal) = expired {
            tracing::warn!(code = ?refusal.code, "drafts could not be discarded");
        }
        rounds += 1;
        if rounds.is_multiple_of(REBROADCAST_ROUNDS) {
            profile.rebroadcast().await;
        }
        profile.proof_queue.wake();
    }
}

impl Profile {
    fn headers(&self, network: NetworkId, headers: &Headers) -> Result<(), Refusal> {
        self.change(|core, write| {
            write.put_headers(network, headers.first, &headers.raw)?;
            for (height, raw) in (headers.first..).zip(&headers.raw).skip(headers.raw.len().saturating_sub(12)) {
                if let Some(time) = header_time(network, raw) {
                    core.chain_mut(network).note_block(height, time);
                }
            }
            Ok(())
        })
    }

    fn state(&self, network: NetworkId, state: NetworkState) -> Result<(), Refusal> {
        self.change(|core, write| {
            let before = core.chain(network).state;
            let chain = core.chain_mut(network);
            chain.state = Some(state);
            if state.phase == causeway_peers::Phase::Synced {
                chain.fault = None;
            }
            let moved = core.operations_hear_heights(write)?;
            // Confirmations are counted from the height.
            if moved || before.is_none_or(|b| (b.headers, b.scanned_to) != (state.headers, state.scanned_to)) {
                stale(write, &CHAIN_TAGS);
                if core.has_open_operations() {
                    stale(write, &[Tag::Operations]);
                }
            }
            stale(write, &[Tag::Networks]);
            Ok(())
        })?;
        let (done, of) = (state.scanned_to, state.claimed.max(state.headers));
        let eta = self.core().chain_mut(network).effort.left(self.started.elapsed().as_millis() as u64, done, of);
        let progress = Progress { network, done, of, eta };
        // Progress may be dropped.
        let _ = self.progress.send(progress);
        self.wake.notify_waiters();
        Ok(())
    }

    fn fault(&self, fault: Fault) -> Result<(), Refusal> {
        let mut refusal = fault.refusal;
        if refusal.args.get("rule").is_some_and(|rule| rule == "deep-reorganisation") {
            refusal = refusal.with("undone", self.core().chain(fault.network).undone);
        }
        self.chain_trouble(fault.network, refusal);
        Ok(())
    }

    /// Shows the trouble of a network.
    fn chain_trouble(&self, network: NetworkId, refusal: Refusal) {
        tracing::warn!(?network, code = ?refusal.code, "a network is in trouble");
        self.core().chain_mut(network).fault = Some(refusal);
        self.tell([Tag::Networks]);
    }

    fn bitcoin_batch(&self, batch: &BitcoinBatch) -> Result<(), Refusal> {
        let network = NetworkId::Bitcoin;
        let federation = self.federation_scripts();
        let (fresh, again) = self.change(|core, write| {
            core.dirty = true;
            let mut touched = batch.rollback_to.is_some();
            if let Some(fork) = batch.rollback_to {
                crate::rollback::note(core, write, network, fork.height)?;
                core.guard.undone(write)?;
            }
            for (id, wallet) in &mut core.wallets {
                let applied = wallet.bitcoin.apply(batch, u64::from(now()))?;
                put_bitcoin(write, *id, applied.changes.as_ref())?;
                touched |= !applied.touched.is_empty();
            }
            core.operations_hear_bitcoin(write, batch, &federation)?;
            let inputs = batch.blocks.iter().flat_map(|(_, block)| &block.txdata).flat_map(|tx| &tx.input);
            crate::drafts::end_spent(write, network, inputs.map(|input| input.previous_output))?;
            core.bitcoin.note_block(batch.tip.height, batch.tip.time);
            let fresh = if touched { self.new_bitcoin_scripts(core) } else { Vec::new() };
            finish_batch(write, network, batch, touched, fresh)
        })?;
        self.trace_wake.notify_one();
        match again {
            Some(first) => self.clients.bitcoin.rescan(fresh, first),
            None if !fresh.is_empty() => self.clients.bitcoin.watch(fresh),
            None => {}
        }
        Ok(())
    }

    async fn sidechain_batch(&self, batch: &SidechainBatch) -> Result<(), Refusal> {
        let network = NetworkId::Sidechain;
        let (candidates, ours) = {
            let core = self.core();
            let candidates = core.wallets.iter().map(|(id, wallet)| (*id, wallet.sidechain.candidates(batch)));
            (candidates.collect::<BTreeMap<_, _>>(), ours(&core, batch))
        };
        let opened = open(candidates).await;
        let verdicts = self.verify_batch(batch, &ours).await;
        let (fresh, again) = self.change(|core, write| {
            core.dirty = true;
            let mut touched = batch.rollback_to.is_some() || !batch.blocks.is_empty() && !ours.is_empty();
            if let Some(fork) = batch.rollback_to {
                crate::rollback::note(core, write, network, fork.height)?;
                let above = |wallet: &crate::memory::Wallet| {
                    let confirmed = wallet.sidechain.history(None).filter_map(|entry| entry.height);
                    confirmed.filter(|height| *height > fork.height).count()
                };
                core.sidechain.undone = core.wallets.values().map(above).sum();
            }
            for (id, wallet) in &mut core.wallets {
                let opened = opened.get(id).map_or(&[][..], Vec::as_slice);
                let applied = wallet.sidechain.apply(batch, opened, now());
                touched |= !applied.changes.transactions.is_empty() || !applied.changes.positions.is_empty();
                put_sidechain(write, *id, &applied.changes)?;
                for problem in &applied.problems {
                    tracing::warn!(wallet = id, ?problem, "something odd in a batch");
                }
            }
            for one in &verdicts {
                core.note_verdict(write, one.txid, one.verdict, one.height, one.key)?;
            }
            core.operations_hear_sidechain(write, batch)?;
            let inputs = batch.blocks.iter().flat_map(|(_, block)| &block.txdata).flat_map(|tx| &tx.input);
            crate::drafts::end_spent(write, network, inputs.map(|input| crate::money::outpoint_text(input.previous_output)))?;
            core.sidechain.note_block(batch.tip.height, batch.tip.time);
            let fresh = if touched { self.new_sidechain_scripts(core) } else { Vec::new() };
            finish_batch(write, network, batch, touched, fresh)
        })?;
        for one in verdicts.iter().filter(|one| one.verdict == Verdict::Failed) {
            self.evidence_of(one.txid, one.height).await;
        }
        if verdicts.iter().any(|one| one.verdict == Verdict::Unknown) {
            self.proof_queue.wake();
        }
        match again {
            Some(first) => self.clients.sidechain.rescan(fresh, first),
            None if !fresh.is_empty() => self.clients.sidechain.watch(fresh),
            None => {}
        }
        Ok(())
    }

    /// Scripts that nobody looks for yet; from now on they count as looked for.
    fn new_bitcoin_scripts(&self, core: &Core) -> Vec<bitcoin::ScriptBuf> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let all = core.wallets.values().flat_map(|wallet| wallet.bitcoin.scripts_to_watch()).chain(core.operations.scripts());
        all.filter(|script| watched.bitcoin.insert(script.clone())).collect()
    }

    fn new_sidechain_scripts(&self, core: &Core) -> Vec<elements::Script> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let all = core.wallets.values().flat_map(|wallet| wallet.sidechain.scripts_to_watch());
        all.filter(|script| watched.sidechain.insert((*script).clone())).cloned().collect()
    }

    /// Has the clients look for everything that came into use. Call before an address is shown.
    pub(crate) fn watch_new(&self) {
        let (bitcoin, sidechain) = {
            let core = self.core();
            (self.new_bitcoin_scripts(&core), self.new_sidechain_scripts(&core))
        };
        if !bitcoin.is_empty() {
            self.clients.bitcoin.watch(bitcoin);
        }
        if !sidechain.is_empty() {
            self.clients.sidechain.watch(sidechain);
        }
    }

    /// Searches both chains again from these heights on, for new scripts and old.
    pub(crate) fn rescan(&self, bitcoin_from: Option<u32>, sidechain_from: Option<u32>) -> Result<(), Refusal> {
        self.change(|_, write| {
            for (network, from) in [(NetworkId::Bitcoin, bitcoin_from), (NetworkId::Sidechain, sidechain_from)] {
                let Some(from) = from else { continue };
                let reached = write.scanned_to(network)?.unwrap_or(0);
                write.set_scanned_to(network, reached.min(from.saturating_sub(1)))?;
            }
            Ok(())
        })?;
        let (bitcoin, sidechain) = {
            let core = self.core();
            (self.new_bitcoin_scripts(&core), self.new_sidechain_scripts(&core))
        };
        if let Some(from) = bitcoin_from {
            self.clients.bitcoin.rescan(bitcoin, from);
        }
        if let Some(from) = sidechain_from {
            self.clients.sidechain.rescan(sidechain, from);
        }
        Ok(())
    }
}

impl Core {
    /// Keeps a verdict on the proofs of a transaction. A failed one halts the network: a signed block holds money from nowhere.
    pub(crate) fn note_verdict(
        &mut self,
        write: &mut causeway_store::Write<'_>,
        txid: elements::Txid,
        verdict: Verdict,
        height: u32,
        key: [u8; 32],
    ) -> Result<(), Refusal> {
        write.set_proof(&txid.to_string(), &verdict.write(&key), height)?;
        self.proofs.insert(txid, verdict);
        if verdict == Verdict::Passed {
            self.proof_keys.insert(txid, key);
        } else {
            self.proof_keys.remove(&txid);
        }
        if verdict == Verdict::Failed {
            let evidence = format!("evidence-{}.json", &txid.to_string()[..16]);
            self.halt(write, Refusal::new(Code::BadProof).with("txid", txid).with("evidence", evidence))?;
        }
        stale(write, &[Tag::Balances, Tag::Coins, Tag::History]);
        Ok(())
    }
}

/// Writes down how far a batch has searched. Gives the scripts to watch from now on and, where they may have been paid in blocks that the
/// batch has already passed, the height from which to search again.
fn finish_batch<H, B, T, S>(
    write: &mut causeway_store::Write<'_>,
    network: NetworkId,
    batch: &ChainBatch<H, B, T>,
    touched: bool,
    fresh: Vec<S>,
) -> Result<(Vec<S>, Option<u32>), Refusal> {
    let first = batch.blocks.first().map(|(tip, _)| tip.height).filter(|first| *first < batch.scanned_to);
    let again = first.filter(|_| !fresh.is_empty());
    write.set_scanned_to(network, again.map_or(batch.scanned_to, |first| first.saturating_sub(1)))?;
    if touched {
        stale(write, &CHAIN_TAGS);
    }
    Ok((fresh, again))
}

/// The transactions of a batch that pay a wallet of this profile, or that it made.
fn ours(core: &Core, batch: &SidechainBatch) -> BTreeSet<elements::Txid> {
    let concerns = |tx: &elements::Transaction, txid: &elements::Txid| {
        core.wallets.values().any(|wallet| {
            let pays = |output: &elements::TxOut| wallet.sidechain.path_of(&output.script_pubkey).is_some();
            tx.output.iter().any(pays) || wallet.sidechain.stored_tx(txid).is_some()
        })
    };
    let all = batch.blocks.iter().flat_map(|(_, block)| &block.txdata).map(|tx| (tx, tx.txid()));
    all.filter(|(tx, txid)| concerns(tx, txid)).map(|(_, txid)| txid).collect()
}

/// Opens everything without holding up the other tasks of this thread.
async fn open(candidates: BTreeMap<u32, Vec<Candidate>>) -> BTreeMap<u32, Vec<Opened>> {
    let jobs = candidates.into_iter().flat_map(|(id, list)| list.into_iter().map(move |candidate| (id, candidate))).collect();
    // After a panic `apply` finds nothing opened, and opens by itself.
    let done = tokio::task::spawn_blocking(move || crate::cores::open(jobs)).await.unwrap_or_default();
    let mut opened: BTreeMap<u32, Vec<Opened>> = BTreeMap::new();
    for (id, one) in done {
        opened.entry(id).or_default().push(one);
    }
    opened
}

fn header_time(network: NetworkId, raw: &[u8]) -> Option<u32> {
    match network {
        NetworkId::Bitcoin => bitcoin::consensus::deserialize::<bitcoin::block::Header>(raw).ok().map(|header| header.time),
        NetworkId::Sidechain => causeway_sidechain::consensus::header::decode(raw).ok().map(|header| header.time),
    }
}
