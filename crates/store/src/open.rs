//! Opening a profile: the lock, the binding to a realm, migrations.

use crate::error::{file_refusal, refusal};
use causeway_vocab::{Code, Realm, Refusal};
use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Mutex;

/// One file per schema version, never changed once released.
const STEPS: &[M<'static>] = &[
    M::up(include_str!("sql/1.sql")),
    M::up(include_str!("sql/2.sql")),
    M::up(include_str!("sql/3.sql")),
    M::up(include_str!("sql/4.sql")),
];
/// Schema version of this program.
const LATEST: i64 = 4;
const FILE: &str = "profile.db";

/// Write-ahead logging could corrupt a database before this version, <https://www.sqlite.org/wal.html#the_wal_reset_bug>.
const LEAST_SQLITE: i32 = 3_051_003;

/// What a profile is bound to for life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    bitcoin: String,
    sidechain: String,
}

impl Binding {
    /// The genesis blocks of a realm.
    pub fn of(realm: &Realm) -> Binding {
        Binding { bitcoin: realm.sidechain.parent_genesis_hash.to_string(), sidechain: realm.sidechain.genesis_hash.to_string() }
    }
}

/// An open profile. Dropping it releases the profile.
pub struct Store {
    /// `None` once closed.
    pub(crate) held: Mutex<Option<Held>>,
}

/// The profile as long as it is held.
pub(crate) struct Held {
    pub(crate) connection: Connection,
    _lock: File,
}

/// Version of the bundled SQLite.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

impl Store {
    /// Opens the profile in `dir`, which is created (0700) when missing, and binds a new one.
    ///
    /// Refused with `ProfileInUse`, `WrongRealm` (`profile`, `realm`: genesis hashes), `DiskFull`, `DiskFailed`. A database of an
    /// older version is copied, the copy migrated, and then put in its place; the old one stays as `profile.db.N`.
    pub fn open(dir: &Path, binding: &Binding) -> Result<Store, Refusal> {
        assert!(rusqlite::version_number() >= LEAST_SQLITE, "BUG: the bundled SQLite is too old for write-ahead logging");
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(file_refusal)?;
        let lock = lock(&dir.join("lock"))?;
        let path = dir.join(FILE);
        migrate(dir, &path)?;
        let connection = connect(&path)?;
        bind(&connection, binding)?;
        Ok(Store { held: Mutex::new(Some(Held { connection, _lock: lock })) })
    }

    /// Reads the whole database and refuses with `DiskFailed` when SQLite finds it damaged or a row belongs to nothing.
    pub fn check(&self) -> Result<(), Refusal> {
        self.read(|reader| {
            let verdict: Vec<String> = reader.all("PRAGMA integrity_check", [], |row| row.get(0))?;
            if verdict != ["ok"] {
                return Err(Refusal::new(Code::DiskFailed).with("why", verdict.join("; ")));
            }
            let orphans: Vec<String> = reader.all("PRAGMA foreign_key_check", [], |row| row.get(0))?;
            match orphans.first() {
                Some(table) => Err(Refusal::new(Code::DiskFailed).with("why", format!("a row of {table} belongs to nothing"))),
                None => Ok(()),
            }
        })
    }

    /// Folds the write-ahead log into the database file and releases the profile. Whoever reads or writes later is refused.
    pub fn close(&self) {
        let held = self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(Held { connection, _lock }) = held {
            // Whatever goes wrong here goes wrong again, and is told, at the next start.
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            // The database first, the lock after it.
            drop(connection);
        }
    }
}

/// Takes the exclusive lock on a profile, held until the file is dropped.
fn lock(path: &Path) -> Result<File, Refusal> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map_err(file_refusal)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Code::ProfileInUse.into()),
        Err(TryLockError::Error(error)) => Err(file_refusal(error)),
    }
}

fn connect(path: &Path) -> Result<Connection, Refusal> {
    if !path.exists() {
        // Created by us so that nobody else can read it for a moment.
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map_err(file_refusal)?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(file_refusal)?;
    let connection = Connection::open(path).map_err(refusal)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;",
        )
        .map_err(refusal)?;
    Ok(connection)
}

fn migrate(dir: &Path, path: &Path) -> Result<(), Refusal> {
    let fresh = !path.exists();
    let connection = connect(path)?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(refusal)?;
    if version == LATEST {
        return Ok(());
    }
    if version > LATEST {
        return Err(Refusal::new(Code::DiskFailed).with("why", "the profile was written by a newer version of this program"));
    }
    if fresh || version == 0 {
        return latest(connection);
    }
    let copy = dir.join("profile.db.new");
    let _ = std::fs::remove_file(&copy);
    connection.execute("VACUUM INTO ?1", [copy.to_string_lossy()]).map_err(refusal)?;
    latest(connect(&copy)?)?;
    connection.close().map_err(|(_, error)| refusal(error))?;
    std::fs::rename(path, dir.join(format!("profile.db.{version}"))).map_err(file_refusal)?;
    std::fs::rename(&copy, path).map_err(file_refusal)?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(file_refusal)
}

fn latest(mut connection: Connection) -> Result<(), Refusal> {
    match Migrations::from_slice(STEPS).to_latest(&mut connection) {
        Ok(()) => {}
        Err(rusqlite_migration::Error::RusqliteError { err, .. }) => return Err(refusal(err)),
        Err(error) => panic!("BUG: the migrations do not fit together: {error}"),
    }
    // Fold everything into the one file, so that it may be renamed.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(refusal)?;
    connection.close().map_err(|(_, error)| refusal(error))
}

fn bind(connection: &Connection, binding: &Binding) -> Result<(), Refusal> {
    for (name, wanted) in [("bitcoin-genesis", &binding.bitcoin), ("sidechain-genesis", &binding.sidechain)] {
        connection.execute("INSERT OR IGNORE INTO meta VALUES (?1, ?2)", [name, wanted.as_str()]).map_err(refusal)?;
        let bound: String =
            connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).map_err(refusal)?;
        if bound != *wanted {
            return Err(Refusal::new(Code::WrongRealm).with("profile", bound).with("realm", wanted));
        }
    }
    Ok(())
}
