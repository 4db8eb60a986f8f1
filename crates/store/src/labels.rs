//! What the user says about things: labels, frozen coins, who was paid before.

use crate::{Reader, Write, network_name};
use causeway_vocab::{NetworkId, Refusal};

/// A label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRow {
    /// Name of the network in the tables: `bitcoin` or `sidechain`.
    pub network: String,
    /// BIP329 kind: `tx`, `addr` or `output`.
    pub kind: String,
    /// Txid, address or outpoint.
    pub reference: String,
    /// The label.
    pub text: String,
}

impl Reader<'_> {
    /// Every label of a wallet.
    pub fn labels(&self, wallet: u32) -> Result<Vec<LabelRow>, Refusal> {
        self.all("SELECT network, kind, reference, text FROM labels WHERE wallet = ?1", [wallet], |row| {
            Ok(LabelRow { network: row.get(0)?, kind: row.get(1)?, reference: row.get(2)?, text: row.get(3)? })
        })
    }

    /// One label; empty when there is none.
    pub fn label(&self, wallet: u32, network: NetworkId, kind: &str, reference: &str) -> Result<String, Refusal> {
        let sql = "SELECT text FROM labels WHERE wallet = ?1 AND network = ?2 AND kind = ?3 AND reference = ?4";
        Ok(self.one(sql, (wallet, network_name(network), kind, reference), |row| row.get(0))?.unwrap_or_default())
    }

    /// Outpoints that the user froze.
    pub fn frozen(&self, wallet: u32, network: NetworkId) -> Result<Vec<String>, Refusal> {
        self.all("SELECT outpoint FROM frozen WHERE wallet = ?1 AND network = ?2", (wallet, network_name(network)), |row| {
            row.get(0)
        })
    }

    /// Every address that this wallet has paid, as the user named it.
    pub fn payees(&self, wallet: u32) -> Result<Vec<String>, Refusal> {
        self.all("SELECT address FROM payees WHERE wallet = ?1", [wallet], |row| row.get(0))
    }

    /// How often this wallet has paid an address.
    pub fn paid_before(&self, wallet: u32, address: &str) -> Result<u32, Refusal> {
        let sql = "SELECT times FROM payees WHERE wallet = ?1 AND address = ?2";
        Ok(self.one(sql, (wallet, address), |row| row.get(0))?.unwrap_or(0))
    }
}

impl Write<'_> {
    /// Sets a label, or removes it with empty text.
    pub fn set_label(&mut self, wallet: u32, network: NetworkId, kind: &str, reference: &str, text: &str) -> Result<(), Refusal> {
        let name = network_name(network);
        let key = (wallet, name, kind, reference);
        if text.is_empty() {
            let sql = "DELETE FROM labels WHERE wallet = ?1 AND network = ?2 AND kind = ?3 AND reference = ?4";
            return self.run(sql, key).map(drop);
        }
        self.run("INSERT OR REPLACE INTO labels VALUES (?1, ?2, ?3, ?4, ?5)", (wallet, name, kind, reference, text)).map(drop)
    }

    /// Freezes or thaws a coin.
    pub fn set_frozen(&mut self, wallet: u32, network: NetworkId, outpoint: &str, frozen: bool) -> Result<(), Refusal> {
        let sql = if frozen {
            "INSERT OR IGNORE INTO frozen VALUES (?1, ?2, ?3)"
        } else {
            "DELETE FROM frozen WHERE wallet = ?1 AND network = ?2 AND outpoint = ?3"
        };
        self.run(sql, (wallet, network_name(network), outpoint)).map(drop)
    }

    /// Counts one more payment to an address.
    pub fn note_payee(&mut self, wallet: u32, address: &str) -> Result<(), Refusal> {
        self.run(
            "INSERT INTO payees VALUES (?1, ?2, 1) ON CONFLICT (wallet, address) DO UPDATE SET times = times + 1",
            (wallet, address),
        )
        .map(drop)
    }
}
