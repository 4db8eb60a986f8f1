//! The power goes: what was promised is there, what was under way is there whole or not at all. Each run follows from its seed.

mod disk;

use causeway_store::{Binding, DraftRow, NewWallet, OperationRow, Store};
use causeway_vocab::Code;
use causeway_vocab::{NetworkId, Realm};
use disk::{Recording, fail_after, mend, promise, recorded, watch};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::path::Path;

fn binding() -> Binding {
    let text = include_str!("../../../../tests/fixtures/elements/chain.json");
    let chain: serde_json::Value = serde_json::from_str(text).expect("the fixture is JSON");
    let mut network = chain["network"].clone();
    let fields = network.as_object_mut().expect("an object");
    for extra in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.remove(extra);
    }
    Binding::of(&Realm {
        name: "lab".into(),
        valueless: true,
        bitcoin: causeway_vocab::BitcoinParams { network: bitcoin::Network::Regtest, peers: Vec::new(), required_peers: 1 },
        sidechain: serde_json::from_value(network).expect("the fields of chain.json"),
        testbed: None,
        staking: None,
    })
}

/// Everything that is in the tables, as text.
fn content(dir: &Path) -> Result<String, rusqlite::Error> {
    let connection = rusqlite::Connection::open(dir.join("profile.db"))?;
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let tables: Vec<String> = connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut text = String::new();
    for table in tables {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let cells = (0..columns).map(|at| row.get_ref(at).map(|cell| format!("{cell:?}")));
            cells.collect::<Result<Vec<_>, _>>()
        })?;
        for row in rows {
            text += &format!("{table} {}\n", row?.join("|"));
        }
    }
    Ok(text)
}

/// A life of a profile: what happened on its disk, and what was in it after each commit.
struct Life {
    disk: Recording,
    states: Vec<String>,
}

/// What wallets do to a profile: several tables in one commit, operations step by step, large bodies, and now and then a restart, which folds
/// the log into the database.
fn live(seed: u64, commits: usize) -> Life {
    let mut rng = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    watch(dir);
    let mut store = Store::open(dir, &binding()).expect("opens");
    let mut states = vec![content(dir).expect("reads")];
    let (mut wallet, mut operation, mut seq) = (0, 0, 0);
    promise(dir, 0);
    for number in 1..=commits as u32 {
        let body = "x".repeat(if rng.gen_range(0..6) == 0 { 200_000 } else { rng.gen_range(10..4000) });
        let choice = if wallet == 0 { 0 } else { rng.gen_range(1..6) };
        let committed = store.commit(|write| {
            write.set_meta("last", &number.to_string())?;
            match choice {
                0 => {
                    let text = String::new;
                    wallet = write.add_wallet(&NewWallet {
                        name: "Harbour".into(),
                        fingerprint: "00112233".into(),
                        accounts: None,
                        bitcoin: text(),
                        sidechain: text(),
                        birthday: None,
                        backed_up: false,
                        no_password: true,
                    })?;
                }
                1 => {
                    let row = DraftRow { id: 0, wallet, expires: 9, body: body.clone() };
                    write.add_draft(&row, NetworkId::Bitcoin, &[format!("{number}:0"), format!("{number}:1")])?;
                }
                2 => {
                    // Signing: the draft goes, the operation begins, the transaction is linked.
                    write.expire_drafts(10)?;
                    let row = OperationRow {
                        id: 0,
                        wallet,
                        machine: "transaction".into(),
                        kind: "\"send\"".into(),
                        label: body.clone(),
                        started: number,
                        finished: None,
                    };
                    (operation, seq) = (write.start_operation(&row, &body)?, 0);
                    write.link_transaction(operation, NetworkId::Bitcoin, &format!("{number:064x}"), "payment")?;
                }
                3 if operation > 0 => {
                    seq += 1;
                    write.append_entry(operation, seq, number, &body)?;
                    write.append_changes(wallet, NetworkId::Sidechain, &body)?;
                }
                4 => write.put_headers(NetworkId::Sidechain, number, &[body.clone().into_bytes(), vec![1]])?,
                _ => write.compact_changes(wallet, NetworkId::Sidechain, &body)?,
            }
            write.stale("everything");
            Ok(())
        });
        committed.expect("commits");
        promise(dir, number as usize);
        states.push(content(dir).expect("reads"));
        if rng.gen_range(0..9) == 0 {
            store.close();
            store = Store::open(dir, &binding()).expect("opens again");
        }
    }
    drop(store);
    Life { disk: recorded(dir), states }
}

/// Opens what is left after the power went, and says what is wrong with it.
fn survives(life: &Life, moment: usize, heeds_syncs: bool, rng: &mut StdRng) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    life.disk.after_power_loss(moment, heeds_syncs, rng, dir);
    let promised = life.disk.promised(moment);
    let store = Store::open(dir, &binding()).map_err(|refusal| format!("does not open: {refusal}"))?;
    store.check().map_err(|refusal| format!("damaged: {refusal}"))?;
    let found = content(dir).map_err(|error| error.to_string())?;
    let whole = life.states.iter().skip(promised).take(2).any(|state| *state == found);
    if whole {
        return Ok(());
    }
    let at = life.states.iter().position(|state| *state == found);
    Err(format!(
        "{promised} commits were promised; found is {}",
        at.map_or("no state that ever was".into(), |at| format!("state {at}"))
    ))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_was_promised_is_lost_and_nothing_is_half_done_when_the_power_goes(seed: u64) {
        let life = live(seed, 18);
        let mut rng = StdRng::seed_from_u64(seed);
        for _ in 0..60 {
            let moment = rng.gen_range(0..=life.disk.0.len());
            if let Err(why) = survives(&life, moment, true, &mut rng) {
                prop_assert!(false, "after {moment} of {} events: {why}", life.disk.0.len());
            }
        }
    }
}

#[test]
fn every_moment_of_a_short_life_is_survived() {
    let life = live(1, 6);
    let mut rng = StdRng::seed_from_u64(2);
    for moment in 0..=life.disk.0.len() {
        survives(&life, moment, true, &mut rng).unwrap_or_else(|why| panic!("after {moment} events: {why}"));
    }
}

#[test]
fn a_disk_that_forgets_what_it_was_told_to_keep_is_found_out() {
    let mut found = Vec::new();
    for seed in 0..4 {
        let life = live(seed, 12);
        let mut rng = StdRng::seed_from_u64(seed);
        let moments = (0..20).map(|_| rng.gen_range(0..=life.disk.0.len())).collect::<Vec<_>>();
        found.extend(moments.into_iter().filter_map(|moment| survives(&life, moment, false, &mut rng).err()));
    }
    assert!(found.iter().any(|why| why.contains("were promised")), "lost commits went unnoticed: {found:?}");
}

/// A disk that is full, failing or read-only from any step of a commit on: the commit is refused, nothing of it is there, and once there is
/// room again everything goes on.
#[test]
fn a_disk_that_fails_at_any_step_refuses_the_commit_and_forgets_nothing() {
    use rusqlite::ffi;
    let faults = [
        (ffi::SQLITE_FULL, Code::DiskFull),
        (ffi::SQLITE_IOERR_WRITE, Code::DiskFailed),
        (ffi::SQLITE_READONLY, Code::DiskFailed),
    ];
    for (fault, code) in faults {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path();
        watch(dir);
        let store = Store::open(dir, &binding()).expect("opens");
        let commit = |number: u32| {
            let outcome = store.commit(|write| {
                write.set_meta("last", &number.to_string())?;
                write.put_headers(NetworkId::Sidechain, number, &[vec![7; 6000]])
            });
            outcome.map(drop)
        };
        commit(1).expect("commits");
        let mut refused = 0;
        for steps in 0.. {
            let before = content(dir).expect("reads");
            fail_after(dir, steps, fault);
            let outcome = commit(2 + steps as u32);
            mend(dir);
            match outcome {
                Err(refusal) => assert_eq!(refusal.code, code, "after {steps} steps"),
                Ok(()) => break,
            }
            refused += 1;
            assert_eq!(content(dir).expect("reads"), before, "after {steps} steps something of it was done");
            commit(1000).expect("there is room again");
        }
        assert!(refused > 3, "only {refused} steps failed");
        store.check().expect("sound");
        drop(store);
        fail_after(dir, 0, fault);
        let closed = Store::open(dir, &binding()).err();
        mend(dir);
        assert!(closed.is_none_or(|refusal| [code, Code::DiskFailed].contains(&refusal.code)));
        Store::open(dir, &binding()).expect("opens again").check().expect("sound");
    }
}

/// A counter in a database that is or is not told to sync, and how often a power loss sets it back.
fn setbacks(synchronous: &str) -> usize {
    let mut setbacks = 0;
    for seed in 0..8 {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path();
        watch(dir);
        let connection = rusqlite::Connection::open(dir.join("profile.db")).expect("opens");
        connection
            .execute_batch(&format!("PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; CREATE TABLE n (n)"))
            .expect("made");
        promise(dir, 0);
        for number in 1..=10_u32 {
            connection.execute("INSERT INTO n VALUES (?1)", [number]).expect("counts");
            promise(dir, number as usize);
        }
        drop(connection);
        let disk = recorded(dir);
        let mut rng = StdRng::seed_from_u64(seed);
        for _ in 0..20 {
            let moment = rng.gen_range(0..=disk.0.len());
            let left = tempfile::tempdir().expect("a folder");
            disk.after_power_loss(moment, true, &mut rng, left.path());
            let count = || {
                rusqlite::Connection::open(left.path().join("profile.db"))?
                    .query_row("SELECT count(*) FROM n", [], |row| row.get(0))
            };
            setbacks += usize::from(count().unwrap_or(0_u32) < disk.promised(moment) as u32);
        }
    }
    setbacks
}

#[test]
fn a_database_that_does_not_sync_loses_commits_and_one_that_does_loses_none() {
    assert_eq!(setbacks("FULL"), 0);
    assert!(setbacks("OFF") > 0, "the loss went unnoticed");
    // Even this is too little for what the store promises.
    assert!(setbacks("NORMAL") > 0, "the loss went unnoticed");
}
