//! The issuer's desk: requests to redeem, and holders.

use crate::{Reader, Write};
use causeway_vocab::Refusal;
use rusqlite::Row;

/// A request to redeem: an address of its own that a holder pays back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedemptionRow {
    /// Its number.
    pub id: u32,
    /// Whose it is.
    pub wallet: u32,
    /// What is to be redeemed.
    pub asset: String,
    /// What the issuer knows it by.
    pub reference: String,
    /// Where the holder pays.
    pub address: String,
    /// Where a refused payment goes back to; empty when the holder named no address.
    pub return_address: String,
    /// Unix seconds.
    pub created: u32,
}

/// What was decided about a payment to such an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedeemedRow {
    /// The payment, `txid:vout`.
    pub outpoint: String,
    /// The request.
    pub redemption: u32,
    /// Burned; otherwise returned.
    pub accepted: bool,
    /// The transaction that did it.
    pub txid: String,
    /// Unix seconds.
    pub decided: u32,
}

/// What an issuer thinks of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderRow {
    /// The address.
    pub address: String,
    /// It is to be paid no more.
    pub frozen: bool,
}

fn redemption(row: &Row<'_>) -> rusqlite::Result<RedemptionRow> {
    Ok(RedemptionRow {
        id: row.get("id")?,
        wallet: row.get("wallet")?,
        asset: row.get("asset")?,
        reference: row.get("reference")?,
        address: row.get("address")?,
        return_address: row.get("return_address")?,
        created: row.get("created")?,
    })
}

impl Reader<'_> {
    /// The requests of a wallet, newest first.
    pub fn redemptions(&self, wallet: u32) -> Result<Vec<RedemptionRow>, Refusal> {
        self.all("SELECT * FROM redemptions WHERE wallet = ?1 ORDER BY id DESC", [wallet], redemption)
    }

    /// What was decided about the payments to a wallet's requests.
    pub fn redeemed(&self, wallet: u32) -> Result<Vec<RedeemedRow>, Refusal> {
        let sql = "SELECT r.* FROM redeemed r JOIN redemptions q ON q.id = r.redemption WHERE q.wallet = ?1";
        self.all(sql, [wallet], |row| {
            Ok(RedeemedRow {
                outpoint: row.get("outpoint")?,
                redemption: row.get("redemption")?,
                accepted: row.get("accepted")?,
                txid: row.get("txid")?,
                decided: row.get("decided")?,
            })
        })
    }

    /// The addresses that a wallet's owner has marked as holders of an asset.
    pub fn holders(&self, wallet: u32, asset: &str) -> Result<Vec<HolderRow>, Refusal> {
        self.all("SELECT address, frozen FROM holders WHERE wallet = ?1 AND asset = ?2", (wallet, asset), |row| {
            Ok(HolderRow { address: row.get(0)?, frozen: row.get(1)? })
        })
    }
}

impl Write<'_> {
    /// Adds a request and gives its number. `row.id` is ignored.
    pub fn add_redemption(&mut self, row: &RedemptionRow) -> Result<u32, Refusal> {
        self.run(
            "INSERT INTO redemptions (wallet, asset, reference, address, return_address, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (row.wallet, &row.asset, &row.reference, &row.address, &row.return_address, row.created),
        )?;
        Ok(self.last_id())
    }

    /// Notes what was decided about a payment. A later decision takes the place of an earlier one.
    pub fn put_redeemed(&mut self, row: &RedeemedRow) -> Result<(), Refusal> {
        self.run(
            "INSERT OR REPLACE INTO redeemed VALUES (?1, ?2, ?3, ?4, ?5)",
            (&row.outpoint, row.redemption, row.accepted, &row.txid, row.decided),
        )
        .map(drop)
    }

    /// Forgets what a transaction that never came about had decided.
    pub fn remove_redeemed(&mut self, txid: &str) -> Result<(), Refusal> {
        self.run("DELETE FROM redeemed WHERE txid = ?1", [txid]).map(drop)
    }

    /// Marks an address as one that holds an asset, frozen or not.
    pub fn put_holder(&mut self, wallet: u32, asset: &str, row: &HolderRow) -> Result<(), Refusal> {
        self.run("INSERT OR REPLACE INTO holders VALUES (?1, ?2, ?3, ?4)", (wallet, asset, &row.address, row.frozen)).map(drop)
    }
}
