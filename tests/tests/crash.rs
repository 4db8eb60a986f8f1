//! Kills the process at every journal step of every operation and checks that each resumes or rolls back with nothing lost.
//!
//! One world, one profile per lane. A child process drives an operation and dies before or after a commit; then this process opens the
//! profile, lets everything come to its end, and does the accounts. `CAUSEWAY_CRASH_KILLS=N` goes on until that many kills, first around the
//! commits of headers, blocks and states, of which else only some are taken, and then at random; `CAUSEWAY_CRASH_SEED` repeats the random choices of an
//! earlier run.

use causeway_app::App;
use causeway_contract::*;
use causeway_tests::crash::{Account, Done, Point, Side, Word, Work, compare, drive, finish, look, ready, settle};
use causeway_tests::main_job::until;
use causeway_tests::world;
use causeway_vocab::Realm;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longest that a profile may take to come to rest after a crash, on a machine with much else to do.
const REST: Duration = Duration::from_secs(900);
/// Satoshi that each lane begins with, on Bitcoin.
const START: u64 = 100_000_000;
/// Of which so many are moved to the sidechain.
const MOVED: u64 = 60_000_000;
/// Other commits at which an operation is killed, spread over all of them.
const SPREAD: u32 = 8;
/// Kills of the random lane, at least.
const RANDOM_KILLS: u32 = 10;

/// Held while a process is started and while a profile is looked at: between fork and exec the new process also holds every lock of this
/// one, so a profile that is let go in that moment would still look used.
static STARTING: Mutex<()> = Mutex::new(());

struct World {
    dir: tempfile::TempDir,
    realm: Realm,
    /// Kills wanted at least, if any number is.
    wanted: Option<u32>,
    /// Kills of all lanes so far.
    kills: AtomicU32,
    seed: u64,
    /// Held while the miner pays: it looks through all coins each time, and all lanes want to be paid at once.
    purse: tokio::sync::Mutex<()>,
    sandbox: Option<Child>,
    /// Where payments go.
    bitcoin: String,
    sidechain: String,
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(sandbox) = &mut self.sandbox {
            // Gone already when the test went well.
            let _ = sandbox.kill();
            let _ = sandbox.wait();
        }
    }
}

/// A number in the environment, which must be one when it is there.
fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text:?} is no number")))
}

async fn new_world() -> Done<World> {
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let mut sandbox = None;
    let realm = causeway_sandbox::ensure_up(&dir.path().join("world"), |dir| {
        let program = world::beside("causeway-sandbox")?;
        let options = ["--interval-ms", "300", "--mine-every", "1"];
        let log = std::fs::File::create(dir.with_extension("log"))?;
        sandbox = Some(Command::new(program).arg("--dir").arg(dir).args(options).stdout(Stdio::null()).stderr(log).spawn()?);
        Ok(())
    })
    .await
    .map_err(|e| e.to_string())?;
    let wanted = from_env("CAUSEWAY_CRASH_KILLS").map(|kills| u32::try_from(kills).expect("a number of kills"));
    let (kills, seed) = (AtomicU32::new(0), from_env("CAUSEWAY_CRASH_SEED").unwrap_or_else(rand::random));
    eprintln!("CAUSEWAY_CRASH_SEED={seed}");
    let (purse, bitcoin, sidechain) = Default::default();
    let mut world = World { dir, realm, wanted, kills, seed, purse, sandbox, bitcoin, sidechain };
    let app = open(&world.profile("payee"), &world.realm).await?;
    app.wallet_quick_start(WalletQuickStart { name: "Payee".into() }).await.map_err(|e| e.to_string())?;
    world.bitcoin = address(&app, NetworkId::Bitcoin).await?;
    world.sidechain = address(&app, NetworkId::Sidechain).await?;
    app.close().await;
    Ok(world)
}

impl World {
    /// Whether a number of kills is wanted that is not reached yet.
    fn more(&self) -> bool {
        self.wanted.is_some_and(|wanted| self.kills.load(Ordering::SeqCst) < wanted)
    }

    fn profile(&self, lane: &str) -> PathBuf {
        self.dir.path().join(lane)
    }

    fn realm_file(&self) -> PathBuf {
        causeway_sandbox::lifecycle::realm_path(&self.dir.path().join("world"))
    }
}

async fn open(dir: &Path, realm: &Realm) -> Done<Arc<App>> {
    world::open(dir, realm.clone()).await
}

async fn address(app: &App, network: NetworkId) -> Done<String> {
    let request = ReceiveRequest { network, amount: None, asset: None, explicit: false, label: String::new(), again: true };
    app.receive(request).await.map(|view| view.address).map_err(|e| e.to_string())
}

async fn within<T>(what: &str, work: impl Future<Output = Done<T>>) -> Done<T> {
    tokio::time::timeout(REST, work).await.unwrap_or_else(|_| Err(format!("{what} took longer than {} s", REST.as_secs())))
}

/// How a child ended.
struct Ended {
    words: Vec<Word>,
    killed: bool,
}

impl Ended {
    fn count(&self) -> Option<causeway_tests::crash::Count> {
        self.words.iter().find_map(|word| if let Word::Over(count) = word { Some(*count) } else { None })
    }
}

/// A profile that is killed again and again.
struct Lane {
    world: Arc<World>,
    name: String,
    account: Account,
    kills: u32,
    missed: u32,
}

impl Lane {
    /// A wallet with coins on Bitcoin, and if wanted on the sidechain too.
    async fn new(world: &Arc<World>, name: &str, sidechain: bool) -> Done<Lane> {
        let app = open(&world.profile(name), &world.realm).await?;
        app.wallet_quick_start(WalletQuickStart { name: name.into() }).await.map_err(|e| e.to_string())?;
        ready(&app).await?;
        {
            let _alone = world.purse.lock().await;
            app.testbed_fund(TestbedFund { sat: Atoms(START) }).await.map_err(|e| e.to_string())?;
        }
        until(&app, async || {
            let balances = app.overview(Empty {}).await.map_err(|e| e.to_string())?.balances;
            Ok(balances.iter().any(|b| b.confirmed.0 >= START).then_some(()))
        })
        .await?;
        if sidechain {
            let operation = drive(&app, &Work::PegIn(MOVED), |_| ()).await?;
            finish(&app, operation).await?;
        }
        let account = settle(&app, &[]).await?;
        app.close().await;
        Ok(Lane { world: Arc::clone(world), name: name.into(), account, kills: 0, missed: 0 })
    }

    fn dir(&self) -> PathBuf {
        self.world.profile(&self.name)
    }

    /// Runs the child until it is done, dies at `point`, or has lived for `life`.
    async fn child(&self, works: &[Work], point: Option<Point>, life: Option<Duration>) -> Done<Ended> {
        let works = serde_json::to_string(works).expect("works are JSON");
        let mut command = Command::new(env!("CARGO_BIN_EXE_causeway-crash-child"));
        command.arg(self.dir()).arg(self.world.realm_file()).arg(works).args(point.map(|point| point.to_string()));
        let mut child = {
            let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(|e| e.to_string())?
        };
        let said = child.stdout.take().expect("piped");
        let listening = tokio::task::spawn_blocking(move || {
            // A killed process may leave half a line.
            BufReader::new(said).lines().map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok()).collect()
        });
        tokio::pin!(listening);
        let words: Vec<Word> = match life {
            None => listening.await,
            Some(life) => match tokio::time::timeout(life, &mut listening).await {
                Ok(words) => words,
                Err(_) => {
                    child.kill().map_err(|e| e.to_string())?;
                    listening.await
                }
            },
        }
        .map_err(|e| e.to_string())?;
        let status = child.wait().map_err(|e| e.to_string())?;
        match (status.signal(), status.code()) {
            (Some(_), _) => Ok(Ended { words, killed: true }),
            (None, Some(0)) => Ok(Ended { words, killed: false }),
            _ => Err(format!("the child failed: {status}; it had said {words:?}")),
        }
    }

    /// Opens the profile, lets everything end, does the accounts.
    async fn recover(&mut self, words: &[Word]) -> Done<()> {
        let drafts = {
            let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
            look(&self.dir(), &self.world.realm)?
        };
        let app = open(&self.dir(), &self.world.realm).await?;
        let settled = within("coming to rest", settle(&app, &drafts)).await;
        app.close().await;
        drop(app);
        let after = settled?;
        compare(&self.account, &after, words, &drafts)?;
        self.account = after;
        Ok(())
    }

    /// Counts a death, or a point that was not reached.
    fn died(&mut self, ended: &Ended) {
        if ended.killed {
            self.kills += 1;
            self.world.kills.fetch_add(1, Ordering::SeqCst);
        } else {
            self.missed += 1;
        }
    }

    /// One death, perhaps a second one while the next process recovers, and what came of it.
    async fn crash(&mut self, works: &[Work], point: Option<Point>, again: Option<Point>) -> Done<Ended> {
        let ended = self.child(works, point, None).await?;
        if point.is_some() {
            self.died(&ended);
        }
        if again.is_some() {
            let second = self.child(&[], again, None).await?;
            self.died(&second);
        }
        self.recover(&ended.words).await?;
        Ok(ended)
    }

    /// Kills `work` at every step, or at those whose turn it is when several lanes share them.
    async fn every_step(&mut self, work: &Work, (turn, lanes): (usize, usize)) -> Done<()> {
        let works = std::slice::from_ref(work);
        let whole = self.crash(works, None, None).await?;
        let count = whole.count().ok_or("the child ended without a word")?;
        let mut points = Vec::new();
        let sides = [Side::Before, Side::After];
        for number in 1..=count.steps {
            points.extend(sides.map(|side| (Point { steps: true, at_open: false, number, side }, None)));
        }
        // Steps again, with a second death during the recovery.
        for (number, opened) in (2..=count.steps).zip([1, 2, 4, 6].into_iter().cycle()) {
            let first = Point { steps: true, at_open: false, number, side: Side::After };
            let again = Point { steps: false, at_open: true, number: opened, side: sides[number as usize % 2] };
            if self.world.wanted.is_some() || number.is_multiple_of(3) {
                points.push((first, Some(again)));
            }
        }
        points = points.into_iter().skip(turn).step_by(lanes).collect();
        // What is committed besides: headers, blocks, states.
        let steps = points.len();
        if self.world.wanted.is_some() {
            let all = (1..=count.commits).flat_map(|number| sides.map(|side| (number, side)));
            points.extend(all.map(|(number, side)| (Point { steps: false, at_open: false, number, side }, None)));
            points[steps..].shuffle(&mut StdRng::seed_from_u64(self.world.seed ^ turn as u64));
        } else {
            let spread = (1..=count.commits).step_by(count.commits.div_ceil(SPREAD) as usize).zip(sides.into_iter().cycle());
            let spread = spread.skip(turn).step_by(lanes);
            points.extend(spread.map(|(number, side)| (Point { steps: false, at_open: false, number, side }, None)));
        }
        let start = Instant::now();
        for (nth, (point, again)) in points.into_iter().enumerate() {
            if nth >= steps && self.world.wanted.is_some() && !self.world.more() {
                break;
            }
            let at = Instant::now();
            self.crash(works, Some(point), again).await.map_err(|why| format!("{point}, {again:?}: {why}"))?;
            eprintln!(
                "{:<14} {point} {} ms; kill {}",
                self.name,
                at.elapsed().as_millis(),
                self.world.kills.load(Ordering::SeqCst)
            );
        }
        eprintln!(
            "{:<14} {} steps in {} commits; {} kills, {} points not reached, {} s",
            self.name,
            count.steps,
            count.commits,
            self.kills,
            self.missed,
            start.elapsed().as_secs()
        );
        Ok(())
    }

    fn payments(&self, on: &str) -> u64 {
        self.account.operations.values().filter(|over| over.kind == DraftKind::Send && over.asset == on).count() as u64
    }
}

/// Issues an asset to be played with.
async fn issued(lane: &mut Lane) -> Done<String> {
    lane.crash(&[Work::Issue], None, None).await?;
    let asset = lane.account.operations.values().find(|over| over.kind == DraftKind::Issue).map(|over| over.asset.clone());
    asset.ok_or_else(|| "the issuance is lost".into())
}

/// The whole main job, killed at random moments from outside.
async fn at_random(mut lane: Lane) -> Done<Lane> {
    let seed = lane.world.seed;
    let asset = issued(&mut lane).await?;
    let works = [
        Work::SendBitcoin(lane.world.bitcoin.clone()),
        Work::PegIn(200_000),
        Work::SendSidechain(lane.world.sidechain.clone()),
        Work::Issue,
        Work::Reissue(asset.clone()),
        Work::Burn(asset),
        Work::PegOut,
    ];
    let mut rng = StdRng::seed_from_u64(seed);
    while lane.kills + lane.missed < RANDOM_KILLS || lane.world.more() {
        let life = Duration::from_millis(rng.gen_range(200..12_000));
        let ended = lane.child(&works, None, Some(life)).await?;
        lane.died(&ended);
        lane.recover(&ended.words).await.map_err(|why| format!("seed {seed}, killed after {} ms: {why}", life.as_millis()))?;
        eprintln!("{:<14} after {} ms: {} words", lane.name, life.as_millis(), ended.words.len());
    }
    Ok(lane)
}

/// The test must be able to fail: a profile whose last writes are taken away is caught, and so are wrong accounts.
async fn losses_are_noticed(mut lane: Lane) -> Done<Lane> {
    let work = [Work::SendSidechain(lane.world.sidechain.clone())];
    let (database, old) = (lane.dir().join("profile.db"), lane.world.dir.path().join("old.db"));
    std::fs::copy(&database, &old).map_err(|e| e.to_string())?;
    let ended = lane.child(&work, None, None).await?;
    let (before, saved) = (lane.account.clone(), lane.world.dir.path().join("new.db"));
    std::fs::copy(&database, &saved).map_err(|e| e.to_string())?;
    std::fs::copy(&old, &database).map_err(|e| e.to_string())?;
    let lost = lane.recover(&ended.words).await;
    assert!(lost.is_err(), "a database without its last writes went unnoticed");
    eprintln!("{:<14} noticed: {}", lane.name, lost.expect_err("just checked"));

    std::fs::copy(&saved, &database).map_err(|e| e.to_string())?;
    lane.recover(&ended.words).await?;
    let good = lane.account.clone();
    let tampered: [(&str, fn(&mut Account)); 5] = [
        ("an atom less", |account| *account.balances.get_mut(&account.policy.clone()).expect("L-BTC") -= 1),
        ("an address forgotten", |account| drop(account.addresses.pop_first())),
        ("an operation forgotten", |account| drop(account.operations.pop_last())),
        ("a transaction of nobody's", |account| account.history.extend(["00".repeat(32)])),
        ("a coin from nowhere", |account| account.balances.extend([("ff".repeat(32), 1)])),
    ];
    for (what, tamper) in tampered {
        let mut account = good.clone();
        tamper(&mut account);
        assert!(compare(&before, &account, &ended.words, &[]).is_err(), "{what} went unnoticed");
    }
    assert!(compare(&before, &good, &ended.words, &[7]).is_ok());
    assert!(compare(&before, &before, &ended.words, &[]).is_err(), "a finished operation that left no trace went unnoticed");
    Ok(lane)
}

/// Runs a lane on a thread of its own.
fn run<F: Future<Output = Done<Lane>>>(lanes: &mut tokio::task::JoinSet<Done<Lane>>, lane: impl FnOnce() -> F + Send + 'static) {
    lanes.spawn_blocking(move || tokio::runtime::Handle::current().block_on(lane()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_operation_survives_a_kill_at_every_step() {
    let world = Arc::new(new_world().await.expect("a world"));
    let (bitcoin, sidechain) = (world.bitcoin.clone(), world.sidechain.clone());
    let mut lanes = tokio::task::JoinSet::new();
    let plain = [
        ("send-bitcoin", Work::SendBitcoin(bitcoin), (0, 1)),
        ("send-sidechain", Work::SendSidechain(sidechain), (0, 1)),
        ("issue", Work::Issue, (0, 1)),
        ("peg-in-1", Work::PegIn(200_000), (0, 3)),
        ("peg-in-2", Work::PegIn(200_000), (1, 3)),
        ("peg-in-3", Work::PegIn(200_000), (2, 3)),
        ("peg-out", Work::PegOut, (0, 1)),
    ];
    for (name, work, turn) in plain {
        let world = Arc::clone(&world);
        run(&mut lanes, move || async move {
            let mut lane = Lane::new(&world, name, !matches!(work, Work::SendBitcoin(_) | Work::PegIn(_))).await?;
            lane.every_step(&work, turn).await.map_err(|why| format!("{name}: {why}"))?;
            Ok(lane)
        });
    }
    let of_assets: [(&str, fn(String) -> Work); 2] = [("reissue", Work::Reissue), ("burn", Work::Burn)];
    for (name, work) in of_assets {
        let world = Arc::clone(&world);
        run(&mut lanes, move || async move {
            let mut lane = Lane::new(&world, name, true).await?;
            let work = work(issued(&mut lane).await?);
            lane.every_step(&work, (0, 1)).await.map_err(|why| format!("{name}: {why}"))?;
            Ok(lane)
        });
    }
    let shared = Arc::clone(&world);
    run(&mut lanes, move || async move { at_random(Lane::new(&shared, "random", true).await?).await });
    let shared = Arc::clone(&world);
    run(&mut lanes, move || async move { losses_are_noticed(Lane::new(&shared, "control", true).await?).await });

    let (mut kills, mut missed, mut failures) = (0, 0, Vec::new());
    let (mut on_bitcoin, mut on_sidechain) = (0, 0);
    let mut policy = String::new();
    while let Some(lane) = lanes.join_next().await {
        match lane.map_err(|e| e.to_string()).and_then(|lane| lane) {
            Ok(lane) => {
                kills += lane.kills;
                missed += lane.missed;
                policy = lane.account.policy.clone();
                on_bitcoin += lane.payments("btc");
                on_sidechain += lane.payments(&policy);
            }
            Err(why) => {
                eprintln!("FAILED: {why}");
                failures.push(why);
            }
        }
    }
    eprintln!("{kills} kills, {missed} points not reached");
    assert!(!failures.is_empty() || world.wanted.is_none_or(|wanted| kills >= wanted), "{kills} kills are too few");
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(kills > 4 * missed, "most points must be reached");

    // The other side was paid once for each payment, and not more.
    let app = open(&world.profile("payee"), &world.realm).await.expect("the payee");
    let payee = within("the payee's rest", settle(&app, &[])).await.expect("the payee's account");
    app.close().await;
    assert_eq!(payee.balances["btc"], on_bitcoin * Work::SAT);
    assert_eq!(payee.balances[&policy], on_sidechain * Work::SAT);
    causeway_sandbox::down(&world.dir.path().join("world")).await.expect("the world goes down");
}
