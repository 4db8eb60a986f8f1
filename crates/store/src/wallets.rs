//! Wallets and what they know.

use crate::{Reader, Write, network_name};
use causeway_vocab::{NetworkId, Refusal};
use rusqlite::Row;

/// A wallet to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWallet {
    /// The user's name for it.
    pub name: String,
    /// Fingerprint of its master key; empty when only watching.
    pub fingerprint: String,
    /// Public account keys as JSON; `None` when only watching.
    pub accounts: Option<String>,
    /// Bitcoin descriptors, one per line.
    pub bitcoin: String,
    /// Sidechain descriptor.
    pub sidechain: String,
    /// Unix seconds before which it received nothing.
    pub birthday: Option<u32>,
    /// The words are known to be written down.
    pub backed_up: bool,
    /// Its vault has an empty password.
    pub no_password: bool,
}

/// A wallet of the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletRow {
    /// Its number, never reused.
    pub id: u32,
    /// What it was added with.
    pub wallet: NewWallet,
    /// Rate limit of wrong passwords, JSON; empty at first.
    pub tries: String,
}

fn wallet_row(row: &Row<'_>) -> rusqlite::Result<WalletRow> {
    Ok(WalletRow {
        id: row.get("id")?,
        wallet: NewWallet {
            name: row.get("name")?,
            fingerprint: row.get("fingerprint")?,
            accounts: row.get("accounts")?,
            bitcoin: row.get("bitcoin")?,
            sidechain: row.get("sidechain")?,
            birthday: row.get("birthday")?,
            backed_up: row.get("backed_up")?,
            no_password: row.get("no_password")?,
        },
        tries: row.get("tries")?,
    })
}

impl Reader<'_> {
    /// Every wallet by number.
    pub fn wallets(&self) -> Result<Vec<WalletRow>, Refusal> {
        self.all("SELECT * FROM wallets ORDER BY id", [], wallet_row)
    }

    /// One wallet.
    pub fn wallet(&self, id: u32) -> Result<Option<WalletRow>, Refusal> {
        self.one("SELECT * FROM wallets WHERE id = ?1", [id], wallet_row)
    }

    /// The change sets of a wallet in order.
    pub fn changes(&self, wallet: u32, network: NetworkId) -> Result<Vec<String>, Refusal> {
        let sql = "SELECT data FROM changes WHERE wallet = ?1 AND network = ?2 ORDER BY seq";
        self.all(sql, (wallet, network_name(network)), |row| row.get(0))
    }
}

impl Write<'_> {
    /// Adds a wallet and gives its number.
    pub fn add_wallet(&mut self, new: &NewWallet) -> Result<u32, Refusal> {
        self.run(
            "INSERT INTO wallets (name, fingerprint, accounts, bitcoin, sidechain, birthday, backed_up, no_password, tries)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, '')",
            (
                &new.name,
                &new.fingerprint,
                &new.accounts,
                &new.bitcoin,
                &new.sidechain,
                new.birthday,
                new.backed_up,
                new.no_password,
            ),
        )?;
        Ok(self.last_id())
    }

    /// Writes name, backup and password state of a wallet.
    pub fn update_wallet(&mut self, row: &WalletRow) -> Result<(), Refusal> {
        let wallet = &row.wallet;
        self.run(
            "UPDATE wallets SET name = ?2, backed_up = ?3, no_password = ?4, tries = ?5 WHERE id = ?1",
            (row.id, &wallet.name, wallet.backed_up, wallet.no_password, &row.tries),
        )
        .map(drop)
    }

    /// Forgets a wallet and everything that belongs to it.
    pub fn remove_wallet(&mut self, id: u32) -> Result<(), Refusal> {
        self.run("DELETE FROM wallets WHERE id = ?1", [id]).map(drop)
    }

    /// Appends a change set.
    pub fn append_changes(&mut self, wallet: u32, network: NetworkId, data: &str) -> Result<(), Refusal> {
        self.run(
            "INSERT INTO changes SELECT ?1, ?2, coalesce(max(seq), 0) + 1, ?3 FROM changes WHERE wallet = ?1 AND network = ?2",
            (wallet, network_name(network), data),
        )
        .map(drop)
    }

    /// Replaces all change sets of a wallet by one that merges them.
    pub fn compact_changes(&mut self, wallet: u32, network: NetworkId, merged: &str) -> Result<(), Refusal> {
        self.run("DELETE FROM changes WHERE wallet = ?1 AND network = ?2", (wallet, network_name(network)))?;
        self.append_changes(wallet, network, merged)
    }
}
