//! Drafts and the coins they hold.

use crate::{Reader, Write, network_name};
use causeway_vocab::{NetworkId, Refusal};
use fail::fail_point;
use rusqlite::Row;

/// A planned transaction that waits for its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftRow {
    /// Its number.
    pub id: u32,
    /// Whose it is.
    pub wallet: u32,
    /// Unix seconds after which it is discarded.
    pub expires: u32,
    /// The draft, JSON.
    pub body: String,
}

fn draft_row(row: &Row<'_>) -> rusqlite::Result<DraftRow> {
    Ok(DraftRow { id: row.get("id")?, wallet: row.get("wallet")?, expires: row.get("expires")?, body: row.get("body")? })
}

impl Reader<'_> {
    /// One draft.
    pub fn draft(&self, id: u32) -> Result<Option<DraftRow>, Refusal> {
        self.one("SELECT id, wallet, expires, body FROM drafts WHERE id = ?1", [id], draft_row)
    }

    /// Drafts of a wallet that are good at `now`, oldest first.
    pub fn drafts(&self, wallet: u32, now: u32) -> Result<Vec<DraftRow>, Refusal> {
        let sql = "SELECT id, wallet, expires, body FROM drafts WHERE wallet = ?1 AND expires >= ?2 ORDER BY id";
        self.all(sql, (wallet, now), draft_row)
    }

    /// The outpoints that drafts hold on a network.
    pub fn reserved(&self, network: NetworkId) -> Result<Vec<String>, Refusal> {
        self.all("SELECT DISTINCT outpoint FROM reserved WHERE network = ?1", [network_name(network)], |row| row.get(0))
    }
}

impl Write<'_> {
    /// Adds a draft that holds these outpoints, and gives its number. `row.id` is ignored.
    pub fn add_draft(&mut self, row: &DraftRow, network: NetworkId, outpoints: &[String]) -> Result<u32, Refusal> {
        fail_point!("store-step");
        let name = network_name(network);
        self.run(
            "INSERT INTO drafts (wallet, network, expires, body) VALUES (?1, ?2, ?3, ?4)",
            (row.wallet, name, row.expires, &row.body),
        )?;
        let id = self.last_id();
        for outpoint in outpoints {
            self.run("INSERT OR IGNORE INTO reserved VALUES (?1, ?2, ?3)", (name, outpoint, id))?;
        }
        Ok(id)
    }

    /// Writes another body and another end for a draft.
    pub fn update_draft(&mut self, row: &DraftRow) -> Result<(), Refusal> {
        self.run("UPDATE drafts SET body = ?2, expires = ?3 WHERE id = ?1", (row.id, &row.body, row.expires)).map(drop)
    }

    /// Takes a draft away and frees its coins. `false` when there was none.
    pub fn remove_draft(&mut self, id: u32) -> Result<bool, Refusal> {
        self.run("DELETE FROM drafts WHERE id = ?1", [id]).map(|rows| rows > 0)
    }

    /// Takes away every draft that spends an outpoint, and says how many.
    pub fn remove_drafts_spending(&mut self, network: NetworkId, outpoint: &str) -> Result<usize, Refusal> {
        let sql = "DELETE FROM drafts WHERE id IN (SELECT draft FROM reserved WHERE network = ?1 AND outpoint = ?2)";
        self.run(sql, (network_name(network), outpoint))
    }

    /// Takes away every draft that expired before `now`, and says how many.
    pub fn expire_drafts(&mut self, now: u32) -> Result<usize, Refusal> {
        self.run("DELETE FROM drafts WHERE expires < ?1", [now])
    }
}
