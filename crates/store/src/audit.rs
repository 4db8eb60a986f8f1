//! What the audit of the peg has read.

use crate::{Reader, Write, network_name};
use causeway_vocab::{Height, NetworkId, Refusal};

impl Reader<'_> {
    /// The facts of a chain by height, ascending, JSON.
    pub fn audit_facts(&self, network: NetworkId) -> Result<Vec<(Height, String)>, Refusal> {
        let sql = "SELECT height, facts FROM audit_facts WHERE network = ?1 ORDER BY height";
        self.all(sql, [network_name(network)], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Blocks up to which a chain was read, JSON.
    pub fn audit_marks(&self, network: NetworkId) -> Result<Option<String>, Refusal> {
        self.one("SELECT marks FROM audit_read WHERE network = ?1", [network_name(network)], |row| row.get(0))
    }
}

impl Write<'_> {
    /// Keeps the facts of a block, in the place of those that were known of its height.
    pub fn put_audit_facts(&mut self, network: NetworkId, height: Height, facts: &str) -> Result<(), Refusal> {
        let sql =
            "INSERT INTO audit_facts VALUES (?1, ?2, ?3) ON CONFLICT (network, height) DO UPDATE SET facts = excluded.facts";
        self.run(sql, (network_name(network), height, facts)).map(drop)
    }

    /// Notes up to which blocks a chain was read.
    pub fn set_audit_marks(&mut self, network: NetworkId, marks: &str) -> Result<(), Refusal> {
        let sql = "INSERT INTO audit_read VALUES (?1, ?2) ON CONFLICT (network) DO UPDATE SET marks = excluded.marks";
        self.run(sql, (network_name(network), marks)).map(drop)
    }

    /// Forgets the facts of a chain above a height, or all of them.
    pub fn roll_back_audit(&mut self, network: NetworkId, height: Option<Height>) -> Result<(), Refusal> {
        let above = height.map_or(-1, i64::from);
        self.run("DELETE FROM audit_facts WHERE network = ?1 AND height > ?2", (network_name(network), above)).map(drop)
    }

    /// Forgets everything that the audit has read.
    pub fn forget_audit(&mut self) -> Result<(), Refusal> {
        self.run("DELETE FROM audit_facts", ())?;
        self.run("DELETE FROM audit_read", ()).map(drop)
    }
}
