//! Operations and their journals.

use crate::{Reader, Write, network_name};
use causeway_vocab::{NetworkId, Refusal};
use fail::fail_point;
use rusqlite::Row;

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationRow {
    /// Its number.
    pub id: u32,
    /// Whose it is.
    pub wallet: u32,
    /// Kind of its machine.
    pub machine: String,
    /// What the user ordered.
    pub kind: String,
    /// The user's label.
    pub label: String,
    /// Unix seconds.
    pub started: u32,
    /// Unix seconds; absent while open.
    pub finished: Option<u32>,
}

/// An entry of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Place in the log.
    pub seq: u32,
    /// When it was written, Unix seconds.
    pub time: u32,
    /// The entry, JSON.
    pub entry: String,
}

fn operation_row(row: &Row<'_>) -> rusqlite::Result<OperationRow> {
    Ok(OperationRow {
        id: row.get("id")?,
        wallet: row.get("wallet")?,
        machine: row.get("machine")?,
        kind: row.get("kind")?,
        label: row.get("label")?,
        started: row.get("started")?,
        finished: row.get("finished")?,
    })
}

/// A transaction that an operation made or waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// The operation.
    pub operation: u32,
    /// Whether the operation is over.
    pub finished: bool,
    /// Transaction id, hex as displayed.
    pub txid: String,
    /// The part it plays.
    pub role: String,
}

impl Reader<'_> {
    /// Operations that are not over, oldest first.
    pub fn open_operations(&self) -> Result<Vec<OperationRow>, Refusal> {
        self.all("SELECT * FROM operations WHERE finished IS NULL ORDER BY id", [], operation_row)
    }

    /// Operations of one kind of machine, open or over, oldest first.
    pub fn operations_of(&self, machine: &str) -> Result<Vec<OperationRow>, Refusal> {
        self.all("SELECT * FROM operations WHERE machine = ?1 ORDER BY id", [machine], operation_row)
    }

    /// Operations of a wallet, newest first.
    pub fn operations(&self, wallet: u32, open: Option<bool>, limit: u32) -> Result<Vec<OperationRow>, Refusal> {
        self.all(
            "SELECT * FROM operations WHERE wallet = ?1 AND (?2 IS NULL OR (finished IS NULL) = ?2) ORDER BY id DESC LIMIT ?3",
            (wallet, open, limit),
            operation_row,
        )
    }

    /// One operation.
    pub fn operation(&self, id: u32) -> Result<Option<OperationRow>, Refusal> {
        self.one("SELECT * FROM operations WHERE id = ?1", [id], operation_row)
    }

    /// The journal of an operation in order.
    pub fn journal(&self, operation: u32) -> Result<Vec<EntryRow>, Refusal> {
        self.all("SELECT seq, time, entry FROM journal WHERE operation = ?1 ORDER BY seq", [operation], |row| {
            Ok(EntryRow { seq: row.get(0)?, time: row.get(1)?, entry: row.get(2)? })
        })
    }

    /// The operation of a wallet that a transaction belongs to with the part it plays; the latest if there are several.
    pub fn operation_of(&self, wallet: u32, network: NetworkId, txid: &str) -> Result<Option<(u32, String)>, Refusal> {
        let sql = "SELECT operation, role FROM operation_transactions JOIN operations ON operations.id = operation
                   WHERE network = ?1 AND txid = ?2 AND wallet = ?3 ORDER BY operation DESC LIMIT 1";
        self.one(sql, (network_name(network), txid, wallet), |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// All transactions of one machine's operations in a wallet, by operation.
    pub fn linked_transactions(&self, wallet: u32, machine: &str) -> Result<Vec<LinkRow>, Refusal> {
        let sql = "SELECT operation, finished IS NOT NULL AS over, txid, role FROM operation_transactions
                   JOIN operations ON operations.id = operation WHERE wallet = ?1 AND machine = ?2 ORDER BY operation";
        self.all(sql, (wallet, machine), |row| {
            Ok(LinkRow {
                operation: row.get("operation")?,
                finished: row.get("over")?,
                txid: row.get("txid")?,
                role: row.get("role")?,
            })
        })
    }
}

impl Write<'_> {
    /// Adds an operation with its first journal entry and gives its number. `row.id` is ignored.
    pub fn start_operation(&mut self, row: &OperationRow, entry: &str) -> Result<u32, Refusal> {
        self.run(
            "INSERT INTO operations (wallet, machine, kind, label, started) VALUES (?1, ?2, ?3, ?4, ?5)",
            (row.wallet, &row.machine, &row.kind, &row.label, row.started),
        )?;
        let id = self.last_id();
        self.append_entry(id, 0, row.started, entry)?;
        Ok(id)
    }

    /// Appends an entry. A number that is taken means two drivers of one operation, which is a defect.
    pub fn append_entry(&mut self, operation: u32, seq: u32, time: u32, entry: &str) -> Result<(), Refusal> {
        fail_point!("store-step");
        self.run("INSERT INTO journal VALUES (?1, ?2, ?3, ?4)", (operation, seq, time, entry)).map(drop)
    }

    /// Notes that an operation is over.
    pub fn finish_operation(&mut self, operation: u32, time: u32) -> Result<(), Refusal> {
        self.run("UPDATE operations SET finished = ?2 WHERE id = ?1", (operation, time)).map(drop)
    }

    /// Notes that a transaction belongs to an operation and what part it plays.
    pub fn link_transaction(&mut self, operation: u32, network: NetworkId, txid: &str, role: &str) -> Result<(), Refusal> {
        self.run(
            "INSERT OR REPLACE INTO operation_transactions (network, txid, operation, role) VALUES (?1, ?2, ?3, ?4)",
            (network_name(network), txid, operation, role),
        )
        .map(drop)
    }
}
