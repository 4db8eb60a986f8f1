//! The functionaries: each with its own keys, its own states on disk and its own socket.

mod charter;
mod clock;
mod in_force;
mod link;
mod misbehave;
mod peg;
mod persist;
mod signer;

use crate::control::Propose;
use crate::error::SandboxError;
use crate::node::Node;
use crate::world::{World, loopback};
use bitcoin::secp256k1::{SECP256K1, SecretKey};
use causeway_federation::blocksigner::{BlocksignerConfig, Timing};
use causeway_federation::emergency::{MAX_COINS, Withdrawal, WithdrawalFault};
use causeway_federation::watchman::{PegPolicy, Watchman, WatchmanConfig, WatchmanState};
use causeway_federation::{Federation, dynafed};
use causeway_vocab::Tip;
use charter::Charter;
use clock::Clock;
use elements::dynafed::FullParams;
use elements::{BlockHash, Script};
use link::Links;
use peg::{FEE_RATE, Peg};
use signer::Signer;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Envelopes that wait for a machine.
const INBOX: usize = 256;
/// How long somebody who asks for blocks waits for the next one.
const BLOCK_WITHIN: Duration = Duration::from_secs(20);
/// The clock is put forward again when this long nothing came of it.
const SKIP_AGAIN: Duration = Duration::from_secs(5);
/// How long a port of our own may take to come free.
const RETRY: Duration = Duration::from_millis(200);

/// Steers the functionaries.
pub(crate) struct Functionaries {
    node: Arc<Node>,
    clock: Arc<Clock>,
    interval: Duration,
    turn: Mutex<()>,
    on: Vec<watch::Sender<bool>>,
    pending: Vec<watch::Sender<u32>>,
    world: Arc<World>,
    dir: PathBuf,
    charter: watch::Sender<Arc<Charter>>,
    acknowledged: watch::Sender<()>,
}

impl Functionaries {
    /// All functionaries of the world in `dir`; those who are in a federation are switched on.
    pub(crate) fn new(node: Arc<Node>, interval: Duration, dir: &Path, world: Arc<World>) -> Result<Functionaries, SandboxError> {
        let charter = Charter::load(dir, &world)?;
        let count = world.functionaries.len();
        let members: Vec<usize> =
            charter.federations.iter().flat_map(Federation::members).filter_map(|member| world.index_of(member)).collect();
        Ok(Functionaries {
            node,
            clock: Arc::new(Clock::new()),
            interval,
            turn: Mutex::new(()),
            on: (0..count).map(|index| watch::Sender::new(members.contains(&index))).collect(),
            pending: (0..count).map(|_| watch::Sender::new(0)).collect(),
            world,
            dir: dir.to_owned(),
            charter: watch::Sender::new(Arc::new(charter)),
            acknowledged: watch::Sender::new(()),
        })
    }

    /// Has everybody vote for another federation. Its members are switched on.
    pub(crate) async fn propose(&self, wanted: &Propose) -> Result<(), SandboxError> {
        let delay = wanted.emergency_delay.unwrap_or(self.world.chain.emergency_delay);
        let federation = self.world.set_of(&wanted.members, wanted.threshold, delay)?;
        self.aim(|target| (Some(federation.clone()), dynafed::params_of(&federation, target.extension_space))).await?;
        for index in &wanted.members {
            self.switch(*index, true);
        }
        Ok(())
    }

    /// Has everybody vote for one more entry of the peg-out authorisation list.
    pub(crate) async fn enlist(&self, entry: Vec<u8>) -> Result<(), SandboxError> {
        self.aim(|mut target| {
            if !target.extension_space.contains(&entry) {
                target.extension_space.push(entry);
            }
            (None, target)
        })
        .await
    }

    /// Agrees on other parameters, on disk before anybody votes for them.
    async fn aim(&self, change: impl FnOnce(FullParams) -> (Option<Federation>, FullParams)) -> Result<(), SandboxError> {
        let _turn = self.turn.lock().await;
        let current = self.node.headers().next_full_params(self.node.params());
        let charter = Arc::clone(&self.charter.borrow());
        let (federation, wanted) = change(charter.target(&current));
        let next = charter.aim(federation, wanted, &current)?;
        next.save(&self.dir)?;
        self.charter.send_replace(Arc::new(next));
        Ok(())
    }

    /// Withdraws all that the federation holds by the emergency path of its scripts, to this script. bitcoind refuses while a coin is too young.
    pub(crate) async fn withdraw(&self, to: bitcoin::ScriptBuf) -> Result<bitcoin::Txid, SandboxError> {
        let refused = |fault: WithdrawalFault| SandboxError::Refused(fault.to_string());
        // What a member wrote last may be older than the chains, most of all if it is switched off.
        let mut saved = None;
        for index in 0..self.on.len() {
            saved = saved.or(persist::load::<WatchmanState>(&self.path(index, "watchman.json"))?);
        }
        let config = watchman_config(&self.node, &self.world, &self.charter.borrow());
        let machine = Watchman::new(config, self.world.functionaries[0].to_federation(), saved);
        let known = peg::survey(&self.node, machine).await?;
        let held = known.coins.into_iter().filter(|(_, coin)| coin.spent.is_none() && coin.confirmed.is_some());
        let withdrawal = Withdrawal::new(held.take(MAX_COINS).collect(), to, FEE_RATE).map_err(refused)?;
        let shares: Vec<_> = self.world.emergency.iter().map(|key| withdrawal.sign(key)).collect();
        let tx = withdrawal.complete(&shares).map_err(refused)?;
        self.node.rpc().broadcast(&tx).await?;
        Ok(tx.compute_txid())
    }

    fn path(&self, index: usize, file: &str) -> PathBuf {
        self.dir.join("functionaries").join(index.to_string()).join(file)
    }

    /// Makes blocks now, by putting the clock forward, and returns when they are there.
    pub(crate) async fn make_blocks(&self, blocks: u32) -> Result<Tip<BlockHash>, SandboxError> {
        // One request at a time, or the clock would be put forward twice for one block.
        let _turn = self.turn.lock().await;
        // A clock that stands still must run meanwhile: rounds that fail are repeated by it.
        let _running = self.clock.run_meanwhile();
        let mut tips = self.node.watch_tip();
        let target = self.node.tip().height.saturating_add(blocks);
        let mut deadline = Instant::now() + BLOCK_WITHIN;
        loop {
            let tip = *tips.borrow_and_update();
            if tip.height >= target {
                return Ok(tip);
            }
            self.clock.skip(self.interval);
            // A functionary that was just starting may have missed it.
            match tokio::time::timeout(SKIP_AGAIN, tips.changed()).await {
                Ok(_) => deadline = Instant::now() + BLOCK_WITHIN,
                Err(_) if Instant::now() < deadline => {}
                Err(_) => {
                    return Err(SandboxError::Refused("the federation makes no blocks; do enough functionaries run?".into()));
                }
            }
        }
    }

    /// Stops or starts the clock that makes blocks.
    pub(crate) fn run_clock(&self, running: bool) {
        self.clock.pause(!running);
    }

    /// Stops or starts a functionary; `false` when there is none of that index.
    pub(crate) fn switch(&self, index: u8, on: bool) -> bool {
        self.on.get(usize::from(index)).is_some_and(|switch| {
            switch.send_replace(on);
            true
        })
    }

    /// Has the operators of all functionaries that are switched on look at what halts them, and let them go on.
    pub(crate) fn acknowledge(&self) {
        self.acknowledged.send_replace(());
    }

    /// Which functionaries are switched on.
    pub(crate) fn switched_on(&self) -> Vec<bool> {
        self.on.iter().map(|switch| *switch.borrow()).collect()
    }

    /// Peg-outs that nobody has paid yet, as the best informed watchman counts them.
    pub(crate) fn pending_pegouts(&self) -> u32 {
        self.pending.iter().map(|pending| *pending.borrow()).max().unwrap_or(0)
    }

    /// Runs all of them until the future is dropped, or one cannot write its state.
    pub(crate) async fn run(&self) -> Result<(), SandboxError> {
        let mut members = JoinSet::new();
        for index in 0..self.on.len() {
            let member = Functionary {
                index,
                node: Arc::clone(&self.node),
                clock: Arc::clone(&self.clock),
                interval: self.interval,
                world: Arc::clone(&self.world),
                dir: self.path(index, ""),
                pending: self.pending[index].clone(),
                acknowledged: self.acknowledged.subscribe(),
            };
            members.spawn(member.run(self.on[index].subscribe(), self.charter.subscribe()));
        }
        while let Some(ended) = members.join_next().await {
            ended.expect("BUG: a functionary panicked")?;
        }
        Ok(())
    }
}

/// One member.
struct Functionary {
    index: usize,
    node: Arc<Node>,
    clock: Arc<Clock>,
    interval: Duration,
    world: Arc<World>,
    dir: PathBuf,
    pending: watch::Sender<u32>,
    acknowledged: watch::Receiver<()>,
}

impl Functionary {
    /// Runs whenever it is switched on. A new charter makes it start again, as after a crash but between two inputs.
    async fn run(self, mut on: watch::Receiver<bool>, mut charters: watch::Receiver<Arc<Charter>>) -> Result<(), SandboxError> {
        std::fs::create_dir_all(&self.dir).map_err(SandboxError::io("creating a functionary's directory"))?;
        loop {
            if on.wait_for(|on| *on).await.is_err() {
                return Ok(());
            }
            let Ok(listener) = TcpListener::bind(loopback(self.world.ports.functionaries[self.index])).await else {
                tokio::time::sleep(RETRY).await;
                continue;
            };
            let charter = Arc::clone(&charters.borrow_and_update());
            let goes_on = watch::Sender::new(true);
            let ends = async {
                tokio::select! {
                    () = switched_off(&mut on) => {}
                    // An error means that the sandbox goes down, which ends this future too.
                    _ = charters.changed() => {}
                }
                goes_on.send_replace(false);
                Ok(())
            };
            tokio::try_join!(ends, self.take_part(&charter, listener, goes_on.subscribe()))?;
        }
    }

    /// Runs both machines until it is switched off.
    async fn take_part(&self, charter: &Charter, listener: TcpListener, off: watch::Receiver<bool>) -> Result<(), SandboxError> {
        let mut sockets = JoinSet::new();
        let links = Arc::new(Links::open(self.index, &self.world.ports.functionaries, &mut sockets));
        let (inbox, mut envelopes) = mpsc::channel(INBOX);
        sockets.spawn(link::listen(listener, inbox));
        let (to_signer, for_signer) = mpsc::channel(INBOX);
        let (to_peg, for_peg) = mpsc::channel(INBOX);
        sockets.spawn(async move {
            while let Some(envelope) = envelopes.recv().await {
                let machine = if envelope.body.is_for_watchman() { &to_peg } else { &to_signer };
                // A machine that cannot keep up loses messages, and hears them again.
                let _ = machine.try_send(envelope);
            }
        });
        let halted = watch::Sender::new(false);
        let signer = Signer {
            index: self.index,
            world: Arc::clone(&self.world),
            node: Arc::clone(&self.node),
            clock: Arc::clone(&self.clock),
            links: Arc::clone(&links),
            inbox: for_signer,
            path: self.dir.join("signing.json"),
            acknowledged: self.acknowledged.clone(),
            halted: halted.clone(),
            payout: payout(&self.world.functionaries[self.index].payout),
            off: off.clone(),
        };
        let peg = Peg {
            index: self.index,
            node: Arc::clone(&self.node),
            links,
            inbox: for_peg,
            path: self.dir.join("watchman.json"),
            pending: self.pending.clone(),
            halted: halted.subscribe(),
            off,
        };
        let keys = || self.world.functionaries[self.index].to_federation();
        tokio::try_join!(
            signer.run(self.signer_config(charter), keys()),
            peg.run(watchman_config(&self.node, &self.world, charter), keys())
        )?;
        Ok(())
    }

    fn signer_config(&self, charter: &Charter) -> BlocksignerConfig {
        BlocksignerConfig {
            genesis: self.node.params().genesis_hash,
            federations: charter.federations.clone(),
            timing: Timing::of_interval(u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX)),
            wanted: charter.wanted.clone(),
        }
    }
}

fn watchman_config(node: &Node, world: &World, charter: &Charter) -> WatchmanConfig {
    WatchmanConfig {
        genesis: node.params().genesis_hash,
        federations: charter.federations.clone(),
        policy: PegPolicy { pegin_depth: world.chain.pegin_confirmation_depth, ..PegPolicy::default() },
    }
}

/// Completes when the switch is off, or gone.
async fn switched_off(on: &mut watch::Receiver<bool>) {
    let _ = on.wait_for(|on| !on).await;
}

/// The script that belongs to a payout key.
fn payout(key: &SecretKey) -> Script {
    let key = bitcoin::CompressedPublicKey(key.public_key(SECP256K1));
    Script::from(bitcoin::ScriptBuf::new_p2wpkh(&key.wpubkey_hash()).into_bytes())
}
