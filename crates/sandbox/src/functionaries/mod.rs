//! The functionaries: each with its own keys, its own states on disk and its own socket.

mod clock;
mod link;
mod peg;
mod persist;
mod signer;

use crate::error::SandboxError;
use crate::node::Node;
use crate::world::{World, loopback};
use bitcoin::secp256k1::{SECP256K1, SecretKey};
use causeway_federation::blocksigner::{BlocksignerConfig, Timing};
use causeway_federation::watchman::{PegPolicy, WatchmanConfig};
use causeway_vocab::Tip;
use clock::Clock;
use elements::{BlockHash, Script};
use link::Links;
use peg::Peg;
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
}

impl Functionaries {
    pub(crate) fn new(node: Arc<Node>, interval: Duration, count: usize) -> Functionaries {
        Functionaries {
            node,
            clock: Arc::new(Clock::new()),
            interval,
            turn: Mutex::new(()),
            on: (0..count).map(|_| watch::Sender::new(true)).collect(),
            pending: (0..count).map(|_| watch::Sender::new(0)).collect(),
        }
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

    /// Which functionaries are switched on.
    pub(crate) fn switched_on(&self) -> Vec<bool> {
        self.on.iter().map(|switch| *switch.borrow()).collect()
    }

    /// Peg-outs that nobody has paid yet, as the best informed watchman counts them.
    pub(crate) fn pending_pegouts(&self) -> u32 {
        self.pending.iter().map(|pending| *pending.borrow()).max().unwrap_or(0)
    }

    /// Runs all of them until the future is dropped, or one cannot write its state.
    pub(crate) async fn run(&self, dir: &Path, world: &Arc<World>) -> Result<(), SandboxError> {
        let mut members = JoinSet::new();
        for index in 0..self.on.len() {
            let member = Functionary {
                index,
                node: Arc::clone(&self.node),
                clock: Arc::clone(&self.clock),
                interval: self.interval,
                world: Arc::clone(world),
                dir: dir.join("functionaries").join(index.to_string()),
                pending: self.pending[index].clone(),
            };
            members.spawn(member.run(self.on[index].subscribe()));
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
}

impl Functionary {
    /// Runs whenever it is switched on.
    async fn run(self, mut on: watch::Receiver<bool>) -> Result<(), SandboxError> {
        std::fs::create_dir_all(&self.dir).map_err(SandboxError::io("creating a functionary's directory"))?;
        loop {
            if on.wait_for(|on| *on).await.is_err() {
                return Ok(());
            }
            let Ok(listener) = TcpListener::bind(loopback(self.world.ports.functionaries[self.index])).await else {
                tokio::time::sleep(RETRY).await;
                continue;
            };
            self.take_part(listener, on.clone()).await?;
        }
    }

    /// Runs both machines until it is switched off.
    async fn take_part(&self, listener: TcpListener, off: watch::Receiver<bool>) -> Result<(), SandboxError> {
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
        let signer = Signer {
            index: self.index,
            node: Arc::clone(&self.node),
            clock: Arc::clone(&self.clock),
            links: Arc::clone(&links),
            inbox: for_signer,
            path: self.dir.join("signing.json"),
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
            off,
        };
        let keys = || self.world.functionaries[self.index].to_federation();
        tokio::try_join!(signer.run(self.signer_config(), keys()), peg.run(self.watchman_config(), keys()))?;
        Ok(())
    }

    fn signer_config(&self) -> BlocksignerConfig {
        BlocksignerConfig {
            genesis: self.node.params().genesis_hash,
            federations: vec![self.world.federation()],
            timing: Timing::of_interval(u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX)),
            wanted: None,
        }
    }

    fn watchman_config(&self) -> WatchmanConfig {
        WatchmanConfig {
            genesis: self.node.params().genesis_hash,
            federations: vec![self.world.federation()],
            nested: true,
            policy: PegPolicy { pegin_depth: self.world.chain.pegin_confirmation_depth, ..PegPolicy::default() },
        }
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
