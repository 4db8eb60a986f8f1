//! Verified headers, how far blocks were searched, and verdicts on proofs.

use crate::{Reader, Write, network_name};
use causeway_vocab::{Height, NetworkId, Refusal};

impl Reader<'_> {
    /// The unbroken run of headers that ends at the best kept one: the height of its first and the raw headers, ascending.
    pub fn headers(&self, network: NetworkId) -> Result<(Height, Vec<Vec<u8>>), Refusal> {
        let sql = "SELECT height, raw FROM headers WHERE network = ?1 ORDER BY height";
        let rows: Vec<(Height, Vec<u8>)> = self.all(sql, [network_name(network)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let broken = rows.windows(2).rposition(|pair| pair[1].0 != pair[0].0 + 1).map_or(0, |at| at + 1);
        let run = rows.into_iter().skip(broken);
        let (heights, raw): (Vec<_>, Vec<_>) = run.unzip();
        Ok((heights.first().copied().unwrap_or(0), raw))
    }

    /// The kept header at a height.
    pub fn header(&self, network: NetworkId, height: Height) -> Result<Option<Vec<u8>>, Refusal> {
        let sql = "SELECT raw FROM headers WHERE network = ?1 AND height = ?2";
        self.one(sql, (network_name(network), height), |row| row.get(0))
    }

    /// Every block at or below this height was searched for every wallet.
    pub fn scanned_to(&self, network: NetworkId) -> Result<Option<Height>, Refusal> {
        self.one("SELECT height FROM scanned WHERE network = ?1", [network_name(network)], |row| row.get(0))
    }

    /// Verdicts on proofs, by transaction id.
    pub fn proofs(&self) -> Result<Vec<(String, String)>, Refusal> {
        self.all("SELECT txid, verdict FROM proofs", [], |row| Ok((row.get(0)?, row.get(1)?)))
    }
}

impl Write<'_> {
    /// Keeps consecutive headers from `first` on, in the place of all at or above it.
    pub fn put_headers(&mut self, network: NetworkId, first: Height, raw: &[Vec<u8>]) -> Result<(), Refusal> {
        let name = network_name(network);
        self.run("DELETE FROM headers WHERE network = ?1 AND height >= ?2", (name, first))?;
        for (height, raw) in (first..).zip(raw) {
            self.run("INSERT INTO headers VALUES (?1, ?2, ?3)", (name, height, raw))?;
        }
        Ok(())
    }

    /// Notes how far blocks were searched.
    pub fn set_scanned_to(&mut self, network: NetworkId, height: Height) -> Result<(), Refusal> {
        self.run(
            "INSERT INTO scanned VALUES (?1, ?2) ON CONFLICT (network) DO UPDATE SET height = excluded.height",
            (network_name(network), height),
        )
        .map(drop)
    }

    /// Notes the verdict on a transaction's proofs.
    pub fn set_proof(&mut self, txid: &str, verdict: &str, height: Height) -> Result<(), Refusal> {
        self.run(
            "INSERT INTO proofs VALUES (?1, ?2, ?3) ON CONFLICT (txid) DO UPDATE SET verdict = excluded.verdict, height = excluded.height",
            (txid, verdict, height),
        )
        .map(drop)
    }
}
