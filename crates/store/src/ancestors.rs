//! Ancestors of Bitcoin coins, and how far blocks were searched for them.

use crate::{Reader, Write};
use causeway_vocab::{Height, Refusal};

/// A transaction that coins descend from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AncestorRow {
    /// Its id.
    pub txid: String,
    /// Height of the block that it was found in.
    pub height: Height,
    /// As it crosses the wire.
    pub raw: Vec<u8>,
}

impl Reader<'_> {
    /// Every kept ancestor.
    pub fn ancestors(&self) -> Result<Vec<AncestorRow>, Refusal> {
        self.all("SELECT txid, height, raw FROM ancestors", [], |row| {
            Ok(AncestorRow { txid: row.get(0)?, height: row.get(1)?, raw: row.get(2)? })
        })
    }

    /// Down to which height, inclusive, blocks were searched for the ancestors of transactions.
    pub fn traces(&self) -> Result<Vec<(String, Height)>, Refusal> {
        self.all("SELECT txid, height FROM traces", [], |row| Ok((row.get(0)?, row.get(1)?)))
    }
}

impl Write<'_> {
    /// Keeps an ancestor. The caller has checked that it hashes to its id. Keeping it twice changes nothing.
    pub fn put_ancestor(&mut self, row: &AncestorRow) -> Result<(), Refusal> {
        self.run("INSERT OR IGNORE INTO ancestors VALUES (?1, ?2, ?3)", (&row.txid, row.height, &row.raw)).map(drop)
    }

    /// Notes how far down blocks were searched for the ancestors of a transaction.
    pub fn set_trace(&mut self, txid: &str, height: Height) -> Result<(), Refusal> {
        self.run("INSERT INTO traces VALUES (?1, ?2) ON CONFLICT (txid) DO UPDATE SET height = excluded.height", (txid, height))
            .map(drop)
    }

    /// Forgets how far blocks were searched: after a reorganisation ancestors may lie in blocks that were searched before.
    pub fn forget_traces(&mut self) -> Result<(), Refusal> {
        self.run("DELETE FROM traces", []).map(drop)
    }
}
