//! A sandbox that is up.

use crate::bitcoind::{self, Bitcoind};
use crate::control::{self, Pause, Status};
use crate::error::SandboxError;
use crate::functionaries::Functionaries;
use crate::genesis::elementsd_args;
use crate::ledger;
use crate::lifecycle::{Params, realm_path};
use crate::miner::Miner;
use crate::node::Node;
use crate::options::Options;
use crate::plane::Plane;
use crate::world::{Lock, World, loopback, replace_file};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

/// How often other ports are tried when somebody else has taken ours.
const PORT_TRIES: usize = 5;

/// What the services of a sandbox share.
pub(crate) struct Running {
    node: Arc<Node>,
    miner: Miner,
    functionaries: Functionaries,
    params: Params,
    pause: watch::Sender<Pause>,
    down: Notify,
}

/// The sockets we listen on ourselves.
struct Listeners {
    sidechain: TcpListener,
    control: TcpListener,
}

impl Listeners {
    async fn bind(world: &World) -> std::io::Result<Listeners> {
        Ok(Listeners {
            sidechain: TcpListener::bind(loopback(world.ports.sidechain_p2p)).await?,
            control: TcpListener::bind(loopback(world.ports.control)).await?,
        })
    }
}

impl Running {
    pub(crate) fn node(&self) -> Arc<Node> {
        Arc::clone(&self.node)
    }

    pub(crate) fn miner(&self) -> &Miner {
        &self.miner
    }

    pub(crate) fn functionaries(&self) -> &Functionaries {
        &self.functionaries
    }

    pub(crate) fn params(&self) -> &Params {
        &self.params
    }

    pub(crate) fn pause(&self, wanted: Pause) {
        self.functionaries.run_clock(!wanted.blocks);
        self.pause.send_replace(wanted);
    }

    pub(crate) fn go_down(&self) {
        self.down.notify_one();
    }

    pub(crate) async fn status(&self) -> Result<Status, SandboxError> {
        Ok(Status {
            bitcoin_height: self.node.rpc().height().await?,
            sidechain_height: self.node.tip().height,
            genesis_hash: self.node.params().genesis_hash,
            functionaries: self.functionaries.switched_on(),
            pending_pegouts: self.functionaries.pending_pegouts(),
            mempool: self.node.waiting() as u32,
            mining: !self.pause.borrow().mine_timer,
        })
    }
}

/// Runs the sandbox of `dir` until it is told to go down or `signal` completes.
pub(crate) async fn run(dir: &Path, options: Options, signal: impl Future<Output = ()>) -> Result<(), SandboxError> {
    let _lock = Lock::take(dir).await?;
    let exe = bitcoind::find(options.bitcoind.as_deref())?;
    let mut world = World::load_or_create(dir, options.chain, &mut rand::rngs::OsRng)?;
    let (listeners, mut bitcoind) = open_ports(dir, &mut world, &exe).await?;
    let rpc = bitcoind.rpc().clone();
    let miner = Miner::new(rpc.clone(), world.miner);
    miner.prepare().await?;

    let world = Arc::new(world);
    let plane = Arc::new(Plane::open(dir, rpc.clone()).await?);
    let staking = plane.params(loopback(world.ports.control)).await;
    let realm = causeway_vocab::Realm { staking: Some(staking), ..world.realm() };
    let node = Arc::new(Node::open(&dir.join("sidechain"), Arc::new(realm.sidechain.clone()), rpc.clone())?);
    node.take_up_waiting().await?;
    let mut args = elementsd_args(&realm.sidechain);
    // It checks peg-ins against Bitcoin as the functionaries do.
    args.extend([
        "-validatepegin=1".to_owned(),
        "-mainchainrpchost=127.0.0.1".to_owned(),
        format!("-mainchainrpcport={}", world.ports.bitcoin_rpc),
        format!("-mainchainrpccookiefile={}", rpc.cookie().display()),
        // It serves wallets in the sandbox's place.
        "-blockfilterindex=1".to_owned(),
        "-peerblockfilters=1".to_owned(),
    ]);
    let params = Params { realm: realm.to_toml(), elementsd_args: args };
    replace_file(&realm_path(dir), params.realm.as_bytes())?;
    let paused = Pause { mine_timer: options.mine_every.is_none(), blocks: false };
    let running = Arc::new(Running {
        functionaries: Functionaries::new(Arc::clone(&node), options.block_interval, dir, Arc::clone(&world))?,
        node,
        miner,
        params,
        pause: watch::Sender::new(paused),
        down: Notify::new(),
    });
    let control = loopback(world.ports.control);
    let ledger = ledger::service::router(Arc::new(ledger::service::Reader::new(rpc.clone())));
    let service = axum::serve(
        listeners.control,
        control::service::router(Arc::clone(&running), ledger.merge(crate::plane::router(Arc::clone(&plane))), control),
    );
    tracing::info!(height = running.node.tip().height, %control, "sandbox is up");
    let outcome = tokio::select! {
        served = service => served.map_err(SandboxError::io("serving the control protocol")),
        () = crate::p2p::serve(listeners.sidechain, Arc::clone(&running.node)) => Ok(()),
        stopped = running.functionaries.run() => stopped,
        () = plane.run() => Ok(()),
        () = mine_by_clock(&running, options.mine_every.unwrap_or(Options::MINE_EVERY)) => Ok(()),
        died = keep_alive(&mut bitcoind, &exe, dir, &world) => died,
        () = told_to_go(&running) => Ok(()),
        () = signal => Ok(()),
    };
    tracing::info!("sandbox goes down");
    bitcoind.stop().await;
    outcome
}

/// Opens every port of the sandbox, choosing other ones when somebody else has taken one.
async fn open_ports(dir: &Path, world: &mut World, exe: &Path) -> Result<(Listeners, Bitcoind), SandboxError> {
    let mut tries = PORT_TRIES;
    loop {
        tries -= 1;
        let taken = match Listeners::bind(world).await {
            Err(error) => SandboxError::io("listening on loopback")(error),
            Ok(listeners) => match start_bitcoind(exe, dir, world).await {
                Ok(bitcoind) => return Ok((listeners, bitcoind)),
                Err(SandboxError::Bitcoind(why)) if why.contains("bind") || why.contains("HTTP server") => {
                    SandboxError::Bitcoind(why)
                }
                Err(other) => return Err(other),
            },
        };
        if tries == 0 {
            return Err(taken);
        }
        tracing::warn!(%taken, "choosing other ports");
        world.choose_ports(dir)?;
    }
}

async fn start_bitcoind(exe: &Path, dir: &Path, world: &World) -> Result<Bitcoind, SandboxError> {
    Bitcoind::start(exe, &dir.join("bitcoin"), loopback(world.ports.bitcoin_p2p), world.ports.bitcoin_rpc).await
}

/// Completes a moment after the request to go down, so that its answer gets out.
async fn told_to_go(running: &Running) {
    running.down.notified().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// Starts bitcoind again whenever it ends; gives up when it cannot be started.
async fn keep_alive(bitcoind: &mut Bitcoind, exe: &Path, dir: &Path, world: &World) -> Result<(), SandboxError> {
    loop {
        bitcoind.ended().await;
        tracing::warn!("bitcoind ended; starting it again");
        *bitcoind = start_bitcoind(exe, dir, world).await?;
    }
}

async fn mine_by_clock(running: &Running, every: Duration) {
    let mut clock = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let paused = running.pause.borrow().mine_timer;
        if !paused && let Err(error) = running.miner.mine(1).await {
            tracing::warn!(%error, "no Bitcoin block");
        }
    }
}
