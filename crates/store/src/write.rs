//! One transaction: the only way to change anything.

use crate::Store;
use crate::error::refusal;
use causeway_vocab::{Code, Refusal};
use fail::fail_point;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, TransactionBehavior};
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// Rows of the outbox that are kept.
const OUTBOX: i64 = 256;

/// Reads within one consistent view.
pub struct Reader<'c> {
    pub(crate) connection: &'c Connection,
}

/// Reads and writes within one transaction.
pub struct Write<'c> {
    reader: Reader<'c>,
    tags: BTreeSet<String>,
}

/// A transaction that is on disk.
#[derive(Debug)]
pub struct Committed<T> {
    /// What the closure returned.
    pub value: T,
    /// What went stale, to be told now.
    pub tags: BTreeSet<String>,
}

impl<'c> std::ops::Deref for Write<'c> {
    type Target = Reader<'c>;
    fn deref(&self) -> &Reader<'c> {
        &self.reader
    }
}

fn closed() -> Refusal {
    Refusal::new(Code::DiskFailed).with("why", "the profile is closed")
}

impl Store {
    /// Runs `write` in one transaction and makes it durable. When it refuses, or the disk does, nothing has happened.
    pub fn commit<T>(&self, write: impl FnOnce(&mut Write<'_>) -> Result<T, Refusal>) -> Result<Committed<T>, Refusal> {
        fail_point!("store-before-commit");
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = &mut held.as_mut().ok_or_else(closed)?.connection;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refusal)?;
        let mut change = Write { reader: Reader { connection: &transaction }, tags: BTreeSet::new() };
        let value = write(&mut change)?;
        let tags = change.tags;
        if !tags.is_empty() {
            let text = tags.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            transaction.execute("INSERT INTO outbox (tags) VALUES (?1)", [text]).map_err(refusal)?;
            let last = transaction.last_insert_rowid();
            transaction.execute("DELETE FROM outbox WHERE seq <= ?1", [last - OUTBOX]).map_err(refusal)?;
        }
        fail_point!("store-inside-commit");
        transaction.commit().map_err(refusal)?;
        fail_point!("store-after-commit");
        Ok(Committed { value, tags })
    }

    /// Runs `read` on what is on disk now.
    pub fn read<T>(&self, read: impl FnOnce(&Reader<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        read(&Reader { connection: &held.as_ref().ok_or_else(closed)?.connection })
    }
}

impl Write<'_> {
    /// Says what this transaction makes stale.
    pub fn stale(&mut self, tag: impl Into<String>) {
        self.tags.insert(tag.into());
    }

    /// Sets a fact about the profile.
    pub fn set_meta(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        self.run("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value))
            .map(drop)
    }

    pub(crate) fn run(&self, sql: &str, params: impl Params) -> Result<usize, Refusal> {
        self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).map_err(refusal)
    }

    pub(crate) fn last_id(&self) -> u32 {
        u32::try_from(self.connection.last_insert_rowid()).expect("BUG: more rows than a profile can have")
    }
}

impl Reader<'_> {
    /// A fact about the profile.
    pub fn meta(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.one("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
    }

    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Refusal> {
        let mut statement = self.connection.prepare_cached(sql).map_err(refusal)?;
        statement.query_row(params, read).optional().map_err(refusal)
    }

    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Refusal> {
        let mut statement = self.connection.prepare_cached(sql).map_err(refusal)?;
        let rows = statement.query_map(params, read).map_err(refusal)?;
        rows.collect::<rusqlite::Result<Vec<T>>>().map_err(refusal)
    }
}
