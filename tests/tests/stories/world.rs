//! The sandbox that all stories share, and desks that work in it.

use causeway_app::{App, Clock, Options};
use causeway_contract::*;
use causeway_sandbox::control::{Fund, Pause};
use causeway_sandbox::{ChainOptions, Control};
use causeway_tests::main_job::until;
use causeway_vocab::Realm;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, OnceCell, RwLock};

/// Longest that one story may take; a story that waits for something that never comes ends here.
const DEADLINE: Duration = Duration::from_secs(150);
/// What the treasury moves to the sidechain for everybody, satoshi.
const TREASURY: u64 = 2_000_000_000;

/// Clients and the treasury outlive the story that was first, so all stories share one runtime.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime"));
/// Held for writing by stories that stop the clocks or replace blocks.
static WEATHER: RwLock<()> = RwLock::const_new(());

/// Runs a story beside others.
pub(crate) fn story(work: impl Future<Output = ()>) {
    RUNTIME.block_on(async {
        let _calm = WEATHER.read().await;
        tokio::time::timeout(DEADLINE, work).await.expect("the story takes too long");
    });
}

/// Runs a story that no other one could bear: with the Bitcoin miner stopped.
pub(crate) fn story_alone(work: impl Future<Output = ()>) {
    RUNTIME.block_on(async {
        let _storm = WEATHER.write().await;
        let control = &world().await.control;
        control.pause(&Pause { mine_timer: true, blocks: false }).await.expect("the miner rests");
        let outcome = tokio::time::timeout(DEADLINE, work).await;
        control.pause(&Pause { mine_timer: false, blocks: false }).await.expect("the miner works");
        outcome.expect("the story takes too long");
    });
}

/// The shared sandbox.
pub(crate) struct World {
    pub(crate) realm: Realm,
    pub(crate) control: Control,
    treasury: Mutex<Option<Desk>>,
}

/// Serves a sandbox within this process; it ends with it.
pub(crate) async fn serve(name: &str, functionaries: u8, threshold: u8) -> Realm {
    serve_chain(name, ChainOptions { functionaries, threshold, ..ChainOptions::default() }).await
}

/// The same with settings of the chain.
pub(crate) async fn serve_chain(name: &str, chain: ChainOptions) -> Realm {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    // What an earlier run left behind is another chain's.
    let _ = std::fs::remove_dir_all(&dir);
    let options = causeway_sandbox::Options {
        chain,
        block_interval: Duration::from_millis(500),
        mine_every: Some(Duration::from_secs(1)),
        bitcoind: None,
    };
    let launch = |dir: &Path| {
        let dir = dir.to_owned();
        RUNTIME.spawn(async move {
            causeway_sandbox::serve(&dir, options).await.expect("the sandbox serves");
            // It took the signal that was meant for this process.
            std::process::exit(1)
        });
        Ok(())
    };
    causeway_sandbox::ensure_up(&dir, launch).await.expect("a sandbox")
}

/// The world; the first who asks starts it. `CAUSEWAY_REALM=FILE` names another, such as one whose peer is a real elementsd; it must
/// offer a testbed.
pub(crate) async fn world() -> &'static World {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    let start = || async {
        let realm = match std::env::var_os("CAUSEWAY_REALM") {
            Some(file) => causeway_tests::world::read_realm(Path::new(&file)).expect("a realm file"),
            None => serve("stories", 3, 2).await,
        };
        let control = Control::at(realm.testbed.as_ref().expect("a testbed").control).expect("its control");
        World { realm, control, treasury: Mutex::new(None) }
    };
    WORLD.get_or_init(start).await
}

impl World {
    /// Pays L-BTC from the treasury, which pegs in when it is first asked.
    async fn pay(&self, address: String, sat: u64) {
        let mut treasury = self.treasury.lock().await;
        if treasury.is_none() {
            let desk = Desk::new().await;
            desk.fund(TREASURY + 1_000_000).await;
            let plan = PegInPlan { amount: Atoms(TREASURY), drain: false, fee_rate: None, coins: None };
            let operation = desk.sign(&desk.app.peg_in_plan(plan).await.expect("a peg-in")).await;
            desk.finish(operation.operation).await;
            *treasury = Some(desk);
        }
        let desk = treasury.as_ref().expect("BUG: just made");
        desk.until(async |desk| desk.spendable(NetworkId::Sidechain).await > sat + 10_000).await;
        desk.send(NetworkId::Sidechain, address, sat).await;
    }
}

/// An app on a profile of its own with one wallet.
pub(crate) struct Desk {
    pub(crate) app: Arc<App>,
    pub(crate) dir: TempDir,
    pub(crate) wallet: u32,
}

/// Everything of a wallet that a refused request must leave as it was.
#[derive(Debug, PartialEq)]
pub(crate) struct State {
    balances: Vec<(String, Atoms)>,
    /// With what drafts hold.
    coins: Vec<(String, Atoms, bool, bool)>,
    addresses: Vec<(String, String)>,
    operations: usize,
    transactions: u32,
}

/// Opens an app on a directory.
pub(crate) async fn open(dir: &Path, realm: Realm) -> Result<Arc<App>, Refusal> {
    App::open(dir, realm, Options::default()).await
}

/// The same with a clock that the story puts forward, and a house that is kept often.
pub(crate) async fn open_by(dir: &Path, clock: &Clock) -> Arc<App> {
    let mut options = Options::default();
    options.housekeeping = Duration::from_millis(50);
    options.clock = clock.clone();
    App::open(dir, world().await.realm.clone(), options).await.expect("opens")
}

impl Desk {
    /// A new profile with a wallet without password.
    pub(crate) async fn new() -> Desk {
        Desk::on(world().await.realm.clone()).await
    }

    /// The same on another chain.
    pub(crate) async fn on(realm: Realm) -> Desk {
        let dir = tempfile::tempdir().expect("a folder");
        let app = open(dir.path(), realm).await.expect("opens");
        let wallet = app.wallet_quick_start(WalletQuickStart { name: "Desk".into() }).await.expect("a wallet").id;
        let desk = Desk { app, dir, wallet };
        desk.synced().await;
        desk
    }

    /// A new profile with so much on each chain, confirmed.
    pub(crate) async fn with(bitcoin: u64, sidechain: u64) -> Desk {
        let desk = Desk::new().await;
        if sidechain > 0 {
            world().await.pay(desk.address(NetworkId::Sidechain).await, sidechain).await;
        }
        if bitcoin > 0 {
            desk.fund(bitcoin).await;
        }
        if sidechain > 0 {
            desk.until(async |desk| desk.balance(NetworkId::Sidechain).await == sidechain).await;
        }
        desk
    }

    /// Gets test coins and waits until a block holds them.
    pub(crate) async fn fund(&self, sat: u64) {
        let before = self.balance(NetworkId::Bitcoin).await;
        let address = self.address(NetworkId::Bitcoin).await;
        world().await.control.fund(&Fund { address, sat, mine: 1 }).await.expect("test coins");
        self.until(async |desk| desk.balance(NetworkId::Bitcoin).await >= before + sat).await;
    }

    /// Waits until both chains are at their tips.
    pub(crate) async fn synced(&self) {
        self.until(async |desk| {
            let networks = desk.app.networks(Empty {}).await.expect("networks");
            networks.iter().all(|network| network.phase == Phase::Synced)
        })
        .await;
    }

    /// Asks after each notice until the answer is yes.
    pub(crate) async fn until(&self, ask: impl AsyncFn(&Desk) -> bool) {
        until(&self.app, async || Ok(ask(self).await.then_some(()))).await.expect("the app lives");
    }

    /// A new address.
    pub(crate) async fn address(&self, network: NetworkId) -> String {
        self.receive(network, false).await
    }

    pub(crate) async fn receive(&self, network: NetworkId, explicit: bool) -> String {
        let request = ReceiveRequest { network, amount: None, asset: None, explicit, label: String::new(), again: false };
        self.app.receive(request).await.expect("an address").address
    }

    async fn own(&self, network: NetworkId) -> BalanceView {
        let policy = world().await.realm.sidechain.policy_asset.to_string();
        let id = if network == NetworkId::Bitcoin { "btc" } else { &policy };
        let balances = self.app.overview(Empty {}).await.expect("an overview").balances;
        balances.into_iter().find(|balance| balance.asset.id == id).expect("both coins are always shown")
    }

    /// Confirmed satoshi of a network's own coin.
    pub(crate) async fn balance(&self, network: NetworkId) -> u64 {
        self.own(network).await.confirmed.0
    }

    /// Confirmed and pending satoshi of a network's own coin.
    pub(crate) async fn spendable(&self, network: NetworkId) -> u64 {
        let own = self.own(network).await;
        own.confirmed.0 + own.pending.0
    }

    pub(crate) async fn coins(&self, network: NetworkId) -> Vec<CoinView> {
        self.app.coins(NetworkRef { network }).await.expect("coins")
    }

    /// A payment of a network's own coin.
    pub(crate) fn payment(network: NetworkId, address: impl Into<String>, sat: u64) -> SendPlan {
        SendPlan {
            network,
            recipients: vec![Recipient { address: address.into(), amount: Atoms(sat), asset: None }],
            fee_rate: None,
            coins: None,
            drain: None,
            allow_explicit: false,
            label: String::new(),
        }
    }

    /// Pays and returns the operation that was started.
    pub(crate) async fn send(&self, network: NetworkId, address: impl Into<String>, sat: u64) -> OperationView {
        let draft = self.app.send_plan(Desk::payment(network, address, sat)).await.expect("a payment");
        self.sign(&draft).await
    }

    /// Reviews and signs.
    pub(crate) async fn sign(&self, draft: &DraftView) -> OperationView {
        let review = self.review(draft).await.expect("a review");
        assert_eq!(review.fee, draft.fee, "the keys see the fee that was planned");
        let sign = DraftSign { draft: draft.draft, summary_hash: review.summary_hash };
        self.app.draft_sign(sign).await.expect("signed")
    }

    pub(crate) async fn review(&self, draft: &DraftView) -> Result<Review, Failure> {
        self.app.draft_review(DraftRef { draft: draft.draft }).await
    }

    pub(crate) async fn discard(&self, draft: &DraftView) {
        self.app.draft_discard(DraftRef { draft: draft.draft }).await.expect("discarded");
    }

    pub(crate) async fn operation(&self, operation: u32) -> OperationView {
        self.app.operation(OperationRef { operation }).await.expect("an operation")
    }

    /// Waits until an operation is done.
    pub(crate) async fn finish(&self, operation: u32) -> OperationView {
        self.until(async |desk| {
            let view = desk.operation(operation).await;
            assert!(
                !matches!(view.status, OperationStatus::Failed | OperationStatus::Stopped | OperationStatus::Stuck),
                "{view:?}"
            );
            view.status == OperationStatus::Done
        })
        .await;
        self.operation(operation).await
    }

    /// The transactions of a network, newest first.
    pub(crate) async fn history(&self, network: NetworkId) -> Vec<HistoryRow> {
        let request = HistoryRequest { network: Some(network), asset: None, search: None, cursor: None, limit: 100 };
        self.app.history(request).await.expect("a history").rows
    }

    /// What a refused request must not change.
    pub(crate) async fn state(&self) -> State {
        let mut state = State { balances: Vec::new(), coins: Vec::new(), addresses: Vec::new(), operations: 0, transactions: 0 };
        let balances = self.app.overview(Empty {}).await.expect("an overview").balances;
        state.balances.extend(balances.into_iter().map(|b| (b.asset.id, Atoms(b.confirmed.0 + b.pending.0))));
        for network in NetworkId::ALL {
            let coins = self.coins(network).await.into_iter();
            state.coins.extend(coins.map(|c| (c.outpoint, c.amount, c.frozen, c.reserved)));
            let addresses = self.app.addresses(NetworkRef { network }).await.expect("addresses");
            state.addresses.extend(addresses.into_iter().map(|a| (a.address, a.label)));
        }
        state.coins.sort();
        let operations = OperationsRequest { open: None, limit: 500 };
        state.operations = self.app.operations(operations).await.expect("operations").len();
        let rows = HistoryRequest { network: None, asset: None, search: None, cursor: None, limit: 1 };
        state.transactions = self.app.history(rows).await.expect("a history").total;
        state
    }

    /// Closes the app and opens the same profile again.
    pub(crate) async fn restart(self) -> Desk {
        let wallet = self.wallet;
        let dir = self.shut().await;
        let app = open(dir.path(), world().await.realm.clone()).await.expect("opens again");
        Desk { app, dir, wallet }
    }

    /// Closes the app and lets go of the profile.
    pub(crate) async fn shut(self) -> TempDir {
        let Desk { app, dir, .. } = self;
        app.close().await;
        dir
    }

    pub(crate) async fn close(self) {
        self.shut().await;
    }
}

/// The code of a refusal; what was granted instead fails the story.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Code {
    outcome.expect_err("a refusal").code
}
