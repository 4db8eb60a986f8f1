//! Contracts of assets.

use crate::{Reader, Write};
use causeway_vocab::Refusal;

/// The contract that an asset id commits to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractRow {
    /// The asset, as RPCs print it.
    pub asset: String,
    /// Contract JSON that hashes to what the id commits to.
    pub contract: String,
    /// Outpoint that the issuance spent.
    pub prevout: String,
}

impl Reader<'_> {
    /// Every known contract.
    pub fn contracts(&self) -> Result<Vec<ContractRow>, Refusal> {
        self.all("SELECT asset, contract, prevout FROM contracts", [], |row| {
            Ok(ContractRow { asset: row.get(0)?, contract: row.get(1)?, prevout: row.get(2)? })
        })
    }
}

impl Write<'_> {
    /// Keeps a contract. The caller has checked that it hashes to the asset's id.
    pub fn put_contract(&mut self, row: &ContractRow) -> Result<(), Refusal> {
        self.run("INSERT OR REPLACE INTO contracts VALUES (?1, ?2, ?3)", (&row.asset, &row.contract, &row.prevout)).map(drop)
    }
}
