//! An open profile: its lock, its disk, its clients.

use crate::audit::Audit;
use crate::background::{self, Background};
use crate::memory::Core;
use crate::operations::Effect;
use crate::proof_queue::ProofQueue;
use causeway_contract::{Notice, Progress, Tag};
use causeway_journal::Issued;
use causeway_peers::{BitcoinClient, SidechainClient};
use causeway_sidechain::consensus::pinned::Pinned;
use causeway_store::{Binding, Store, Write};
use causeway_vocab::{Code, Realm, Refusal};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, broadcast};

/// How a profile is opened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// How long opening a vault takes at least, milliseconds; realms without value use the floor instead.
    pub vault_millis: u64,
    /// How often idle keys are locked, old drafts discarded and the like.
    pub housekeeping: Duration,
    /// By which clock people are idle and wrong passwords are waited out.
    pub clock: Clock,
    /// Whose signatures count for updates of this program.
    pub release_keys: causeway_federation::release::ReleaseKeys,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            vault_millis: 500,
            housekeeping: Duration::from_secs(15),
            clock: Clock::default(),
            release_keys: crate::updates::shipped_keys(),
        }
    }
}

/// The system's clock, which can be put forward and back. Clones go together.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// Puts it forward by so many seconds.
    pub fn advance(&self, seconds: u32) {
        self.ahead.fetch_add(seconds.into(), Ordering::Relaxed);
    }

    /// Puts it back by so many seconds.
    pub fn set_back(&self, seconds: u32) {
        self.ahead.fetch_sub(seconds.into(), Ordering::Relaxed);
    }

    /// Unix seconds.
    pub fn now(&self) -> u32 {
        let time = i64::from(now()).saturating_add(self.ahead.load(Ordering::Relaxed));
        u32::try_from(time).unwrap_or(if time < 0 { 0 } else { u32::MAX })
    }
}

/// The clock, Unix seconds.
pub(crate) fn now() -> u32 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// The two light clients of a running profile.
pub(crate) struct Clients {
    pub(crate) bitcoin: BitcoinClient,
    pub(crate) sidechain: SidechainClient,
}

/// Scripts that the clients already look for.
#[derive(Default)]
pub(crate) struct Watched {
    pub(crate) bitcoin: HashSet<bitcoin::ScriptBuf>,
    pub(crate) sidechain: HashSet<elements::Script>,
}

/// Everything an open profile holds.
pub(crate) struct Profile {
    pub(crate) realm: Arc<Realm>,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) clients: Clients,
    pub(crate) notices: broadcast::Sender<Notice>,
    pub(crate) progress: broadcast::Sender<Progress>,
    pub(crate) watched: Mutex<Watched>,
    /// Woken when something changed that stuck work may have waited for: a tip, an unlock, a peer.
    pub(crate) wake: Notify,
    /// When it was opened; what is measured is measured from here.
    pub(crate) started: Instant,
    pub(crate) touched: AtomicU32,
    pub(crate) closed: AtomicBool,
    pub(crate) me: std::sync::Weak<Profile>,
    pub(crate) pinned: Arc<Pinned>,
    pub(crate) background: Background,
    pub(crate) proof_queue: ProofQueue,
    pub(crate) audit: Audit,
    /// Woken when ancestors of coins may be missing.
    pub(crate) trace_wake: Notify,
    core: Mutex<Core>,
    seq: AtomicU32,
    tasks: Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

impl Profile {
    pub(crate) async fn open(dir: &Path, realm: Realm, options: Options) -> Result<Arc<Profile>, Refusal> {
        let realm = Arc::new(realm);
        let (binding, path, bound) = (Binding::of(&realm), dir.to_owned(), Arc::clone(&realm));
        let opened = tokio::task::spawn_blocking(move || {
            let store = Store::open(&path, &binding)?;
            let pins = crate::pins::load(&path, &bound.sidechain.genesis_hash);
            let mut core = Core::load(&store, &bound)?;
            core.lift_halt(&store, &pins.pinned)?;
            core.sidechain.fault = pins.refused;
            core.compact(&store)?;
            store.commit(|write| write.expire_drafts(now()))?;
            let audit = Audit::resume(&store)?;
            Ok::<_, Refusal>((store, core, pins.pinned, audit))
        });
        let (store, core, pinned, audit) = opened.await.map_err(|_| Refusal::new(Code::Bug))??;
        let background = Background::start().map_err(|_| Refusal::new(Code::Bug))?;
        let (clients, watched, bitcoin_events, sidechain_events) = crate::follow::start(&store, &core, &realm, &pinned)?;
        let profile = Arc::new_cyclic(|me| Profile {
            realm,
            dir: dir.to_owned(),
            touched: AtomicU32::new(options.clock.now()),
            options,
            store,
            clients,
            started: Instant::now(),
            notices: broadcast::channel(256).0,
            progress: broadcast::channel(256).0,
            watched: Mutex::new(watched),
            wake: Notify::new(),
            closed: AtomicBool::new(false),
            me: me.clone(),
            pinned,
            background,
            proof_queue: ProofQueue::default(),
            audit,
            trace_wake: Notify::new(),
            core: Mutex::new(core),
            seq: AtomicU32::new(0),
            tasks: Mutex::new(Vec::new()),
        });
        profile.keep(tokio::spawn(crate::follow::bitcoin(Arc::clone(&profile), bitcoin_events)));
        profile.keep(tokio::spawn(crate::follow::sidechain(Arc::clone(&profile), sidechain_events)));
        profile.keep(tokio::spawn(crate::follow::housekeeping(Arc::clone(&profile))));
        for _ in 0..background::threads() {
            profile.keep(tokio::spawn(crate::proof_queue::work(Arc::clone(&profile))));
        }
        profile.keep(tokio::spawn(crate::guard::work(Arc::clone(&profile))));
        profile.keep(tokio::spawn(crate::witness::watch(Arc::clone(&profile))));
        profile.keep(tokio::spawn(crate::audit::follow(Arc::clone(&profile))));
        profile.resume_operations();
        Ok(profile)
    }

    /// Stops everything. Nothing is lost: what is under way goes on at the next start.
    pub(crate) async fn close(&self) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        self.core().keys.clear();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in &tasks {
            task.abort();
        }
        for task in tasks {
            // Aborted or finished: either way it is over.
            let _ = task.await;
        }
        tokio::join!(self.clients.bitcoin.shutdown(), self.clients.sidechain.shutdown());
        self.store.close();
    }

    /// Keeps a task until the profile is closed.
    pub(crate) fn keep(&self, task: tokio::task::JoinHandle<()>) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    /// A strong handle on itself, for tasks.
    pub(crate) fn me(&self) -> Arc<Profile> {
        self.me.upgrade().expect("BUG: a method runs on a living profile")
    }

    /// The memory. Hold it briefly and never across an await.
    ///
    /// If a panic interrupted a change, the memory may be ahead of the disk and is read again.
    pub(crate) fn core(&self) -> MutexGuard<'_, Core> {
        match self.core.lock() {
            Ok(core) => core,
            Err(poisoned) => {
                let mut core = poisoned.into_inner();
                if self.reload(&mut core).is_ok() {
                    self.core.clear_poison();
                }
                core
            }
        }
    }

    fn reload(&self, core: &mut Core) -> Result<(), Refusal> {
        let mut fresh = Core::load(&self.store, &self.realm)?;
        fresh.keys = std::mem::take(&mut core.keys);
        fresh.locked = core.locked;
        fresh.operations.take_over(&mut core.operations);
        fresh.bitcoin = std::mem::take(&mut core.bitcoin);
        fresh.sidechain = std::mem::take(&mut core.sidechain);
        *core = fresh;
        Ok(())
    }

    /// Changes memory and disk together: one lock, one transaction, then the notice and the effects. On a refusal nothing has happened.
    pub(crate) fn change<T>(&self, work: impl FnOnce(&mut Core, &mut Write<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        tokio::task::block_in_place(|| {
            let mut core = self.core();
            core.dirty = false;
            let outcome = self.store.commit(|write| work(&mut core, write));
            let effects = core.operations.take_effects();
            match outcome {
                Ok(committed) => {
                    drop(core);
                    self.tell(committed.tags.iter().filter_map(|name| tag(name)));
                    self.carry_out(effects);
                    Ok(committed.value)
                }
                Err(refusal) => {
                    if core.dirty {
                        self.reload(&mut core)?;
                    }
                    Err(refusal)
                }
            }
        })
    }

    /// Reads memory and disk as of one moment.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Core, &causeway_store::Reader<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        tokio::task::block_in_place(|| {
            let core = self.core();
            self.store.read(|reader| work(&core, reader))
        })
    }

    fn carry_out(&self, effects: Vec<(u32, Issued<Effect>)>) {
        for (operation, issued) in effects {
            self.start_effect(operation, issued);
        }
    }

    /// Tells the faces what went stale. Call after the commit.
    pub(crate) fn tell(&self, tags: impl IntoIterator<Item = Tag>) {
        let tags: Vec<Tag> = tags.into_iter().collect();
        if !tags.is_empty() {
            let seq = self.seq.fetch_add(1, Ordering::Relaxed) + 1;
            // No listener is no error.
            let _ = self.notices.send(Notice { seq, tags });
        }
    }

    /// Notes that a person is using the app; auto-lock counts from here. Faces ask some questions by themselves, which do not count.
    pub(crate) fn touch(&self, stales: &[Tag]) {
        if !stales.is_empty() {
            self.touched.store(self.options.clock.now(), Ordering::Relaxed);
        }
    }
}

fn tag(name: &str) -> Option<Tag> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}
