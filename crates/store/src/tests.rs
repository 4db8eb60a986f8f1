//! The laws of the store.

use crate::{Binding, DraftRow, NewWallet, OperationRow, Store};
use causeway_vocab::{Code, NetworkId, Realm, Refusal};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn realm() -> Realm {
    let text = include_str!("../../../tests/fixtures/elements/chain.json");
    let chain: serde_json::Value = serde_json::from_str(text).expect("fixture is JSON");
    let mut params = chain["network"].clone();
    let fields = params.as_object_mut().expect("an object");
    for extra in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.remove(extra);
    }
    Realm {
        name: "lab".into(),
        valueless: true,
        bitcoin: causeway_vocab::BitcoinParams { network: bitcoin::Network::Regtest, peers: Vec::new(), required_peers: 1 },
        sidechain: serde_json::from_value(params).expect("the fields of chain.json"),
        testbed: None,
        staking: None,
    }
}

fn open(dir: &Path) -> Result<Store, Refusal> {
    Store::open(dir, &Binding::of(&realm()))
}

fn wallet() -> NewWallet {
    NewWallet {
        name: "Harbour".into(),
        fingerprint: "00112233".into(),
        accounts: None,
        bitcoin: String::new(),
        sidechain: String::new(),
        birthday: None,
        backed_up: false,
        no_password: true,
    }
}

fn operation(wallet: u32) -> OperationRow {
    let text = String::new;
    OperationRow {
        id: 0,
        wallet,
        machine: "transaction".into(),
        kind: "\"send\"".into(),
        label: text(),
        started: 1,
        finished: None,
    }
}

fn code<T>(outcome: Result<T, Refusal>) -> Option<Code> {
    outcome.err().map(|refusal| refusal.code)
}

#[test]
fn a_refused_commit_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path()).expect("opens");
    let refused = store.commit(|write| {
        write.add_wallet(&wallet())?;
        write.set_meta("selected", "1")?;
        write.stale("app");
        Err::<(), _>(Code::Dust.into())
    });
    assert_eq!(code(refused), Some(Code::Dust));
    assert_eq!(store.read(|r| r.wallets()).expect("reads"), []);
    assert_eq!(store.read(|r| r.meta("selected")).expect("reads"), None);
}

#[test]
fn what_was_committed_is_there_after_the_process_is_gone() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path()).expect("opens");
    let committed = store.commit(|write| {
        let id = write.add_wallet(&wallet())?;
        write.append_changes(id, NetworkId::Bitcoin, "{\"a\":1}")?;
        write.append_changes(id, NetworkId::Bitcoin, "{\"b\":2}")?;
        let operation = write.start_operation(&operation(id), "{}")?;
        write.append_entry(operation, 1, 2, "{\"next\":true}")?;
        write.link_transaction(operation, NetworkId::Bitcoin, "aa", "deposit")?;
        write.stale("app");
        write.stale("operations");
        Ok((id, operation))
    });
    let committed = committed.expect("commits");
    assert_eq!(committed.tags.iter().map(String::as_str).collect::<Vec<_>>(), ["app", "operations"]);
    // As after kill -9: only what is on disk at this moment, with the log that was never folded in.
    let killed = tempfile::tempdir().expect("a directory");
    for name in ["profile.db", "profile.db-wal"] {
        std::fs::copy(dir.path().join(name), killed.path().join(name)).expect("copies");
    }
    let store = open(killed.path()).expect("opens again");
    let (id, operation) = committed.value;
    assert_eq!(store.read(|r| r.changes(id, NetworkId::Bitcoin)).expect("reads"), ["{\"a\":1}", "{\"b\":2}"]);
    assert_eq!(store.read(|r| r.journal(operation)).expect("reads").len(), 2);
    assert_eq!(
        store.read(|r| r.operation_of(id, NetworkId::Bitcoin, "aa")).expect("reads"),
        Some((operation, "deposit".to_owned()))
    );
    assert_eq!(store.read(|r| r.operation_of(id + 1, NetworkId::Bitcoin, "aa")).expect("reads"), None);
}

#[test]
#[should_panic(expected = "BUG")]
fn two_drivers_of_one_operation_are_caught() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path()).expect("opens");
    let _ = store.commit(|write| {
        let id = write.add_wallet(&wallet())?;
        let operation = write.start_operation(&operation(id), "{}")?;
        write.append_entry(operation, 1, 2, "{}")?;
        write.append_entry(operation, 1, 2, "{}")
    });
}

#[test]
fn a_profile_is_held_by_one_process_at_a_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path()).expect("opens");
    assert_eq!(code(open(dir.path())), Some(Code::ProfileInUse));
    store.close();
    assert_eq!(code(open(dir.path())), None);
    assert_eq!(code(store.read(|r| r.wallets())), Some(Code::DiskFailed), "a closed profile is somebody else's");
    assert_eq!(code(store.commit(|write| write.set_meta("a", "b"))), Some(Code::DiskFailed));
}

#[test]
fn a_profile_is_bound_to_its_realm_for_life() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(dir.path()).expect("opens"));
    let mut other = realm();
    other.sidechain.genesis_hash = elements::BlockHash::from_byte_array([7; 32]);
    assert_eq!(code(Store::open(dir.path(), &Binding::of(&other))), Some(Code::WrongRealm));
    assert_eq!(code(open(dir.path())), None);
}

#[test]
fn nobody_else_can_read_a_profile() {
    let parent = tempfile::tempdir().expect("a directory");
    let dir = parent.path().join("profile");
    let _store = open(&dir).expect("opens");
    let mode = |path: &Path| std::fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&dir.join("profile.db")), 0o600);
}

#[test]
fn headers_above_a_reorganisation_are_replaced_and_a_gap_ends_the_run() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path()).expect("opens");
    let network = NetworkId::Sidechain;
    let raw = |from: u8, to: u8| (from..to).map(|n| vec![n]).collect::<Vec<_>>();
    store.commit(|write| write.put_headers(network, 1, &raw(1, 6))).expect("commits");
    store.commit(|write| write.put_headers(network, 4, &raw(40, 43))).expect("commits");
    let (first, headers) = store.read(|r| r.headers(network)).expect("reads");
    assert_eq!((first, headers), (1, vec![vec![1], vec![2], vec![3], vec![40], vec![41], vec![42]]));
    store.commit(|write| write.put_headers(network, 9, &raw(90, 91))).expect("commits");
    assert_eq!(store.read(|r| r.headers(network)).expect("reads"), (9, vec![vec![90]]));
}

#[test]
fn a_draft_holds_its_coins_until_it_expires_or_goes() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path()).expect("opens");
    let wallet = store.commit(|write| write.add_wallet(&wallet())).expect("commits").value;
    let draft = |expires| DraftRow { id: 0, wallet, expires, body: "{}".into() };
    let coins = ["aa:0".to_owned(), "aa:1".to_owned()];
    let first = store.commit(|write| write.add_draft(&draft(100), NetworkId::Bitcoin, &coins)).expect("commits").value;
    store.commit(|write| write.add_draft(&draft(900), NetworkId::Bitcoin, &coins[1..])).expect("commits");
    let held = || store.read(|r| r.reserved(NetworkId::Bitcoin)).expect("reads");
    assert_eq!(held(), ["aa:0", "aa:1"]);
    assert!(store.commit(|write| write.remove_draft(first)).expect("commits").value);
    assert_eq!(held(), ["aa:1"]);
    assert_eq!(store.commit(|write| write.expire_drafts(901)).expect("commits").value, 1);
    assert!(held().is_empty());
}

#[test]
fn forgetting_a_wallet_forgets_everything_of_it_and_its_number() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path()).expect("opens");
    let first = store.commit(|write| write.add_wallet(&wallet())).expect("commits").value;
    store
        .commit(|write| {
            write.set_label(first, NetworkId::Bitcoin, "tx", "aa", "rent")?;
            write.set_frozen(first, NetworkId::Bitcoin, "aa:0", true)?;
            write.start_operation(&operation(first), "{}")?;
            write.remove_wallet(first)
        })
        .expect("commits");
    assert_eq!(store.read(|r| r.labels(first)).expect("reads"), []);
    assert_eq!(store.read(|r| r.open_operations()).expect("reads"), []);
    let second = store.commit(|write| write.add_wallet(&wallet())).expect("commits").value;
    assert_ne!(first, second);
}

#[test]
fn a_damaged_database_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("profile.db");
    std::fs::write(&path, b"this is no database, and long enough to be looked at as if it were one").expect("writes");
    assert_eq!(code(open(dir.path())), Some(Code::DiskFailed));
    assert!(std::fs::read(&path).expect("reads").starts_with(b"this is no database"));
}

#[test]
fn a_newer_profile_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(dir.path()).expect("opens"));
    let connection = rusqlite::Connection::open(dir.path().join("profile.db")).expect("opens");
    connection.execute_batch("PRAGMA user_version = 999").expect("writes");
    drop(connection);
    assert_eq!(code(open(dir.path())), Some(Code::DiskFailed));
}
