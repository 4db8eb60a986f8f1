//! A server of the Counterparty ledger, REST version 2: what it says of balances is *reported* and nothing more.

use crate::http;
use bitcoin::{OutPoint, Txid};
use causeway_vocab::{Code, Refusal};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::timeout;

/// A part of an answer must come within this time, and all of it within the other.
const PATIENCE: Duration = Duration::from_secs(10);
const DEADLINE: Duration = Duration::from_secs(30);
/// Largest answer, bytes.
const MOST_BYTES: usize = 4_000_000;
/// Balances of one address at most.
const MOST_ROWS: usize = 10_000;
/// Longest text that is taken out of an answer, characters.
const LONGEST: usize = 260;

/// A balance as a server reports it. Every text of it is hostile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Asset, such as `XCP` or `A95428956661682177`.
    pub asset: String,
    /// Long name of a subasset.
    pub longname: Option<String>,
    /// Smallest units.
    pub quantity: u64,
    /// Eight decimal places, none otherwise; unknown when the server does not say.
    pub divisible: Option<bool>,
    /// The coin that the units are bound to; absent when the address holds them.
    pub coin: Option<OutPoint>,
}

/// What a server says became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The transaction that carries it.
    pub txid: Txid,
    /// Block; absent while it waits for one.
    pub height: Option<u32>,
    /// The address that spoke.
    pub source: String,
    /// The type of the message, such as `issuance`.
    pub kind: String,
    /// Whether it was taken for valid; absent when the server does not say.
    pub valid: Option<bool>,
}

/// An asset in an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Asset.
    pub asset: String,
    /// Eight decimal places, none otherwise; unknown when the server does not say.
    pub divisible: Option<bool>,
    /// Smallest units.
    pub quantity: u64,
}

/// An order or a dispenser as a server reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// The transaction that made it.
    pub txid: Txid,
    /// The address that made it.
    pub source: String,
    /// What is given, and how much of it is left.
    pub gives: Side,
    /// One portion of a dispenser; absent for an order.
    pub portion: Option<u64>,
    /// What is still asked for; of a dispenser: satoshis for one portion.
    pub gets: Side,
    /// It can still be taken.
    pub open: bool,
}

/// A server.
pub struct Ledger {
    base: String,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Page<R> {
    result: Vec<R>,
    next_cursor: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Row {
    asset: String,
    asset_longname: Option<String>,
    quantity: u64,
    utxo: Option<String>,
    asset_info: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    divisible: Option<bool>,
}

#[derive(Deserialize)]
struct SaidRow {
    tx_hash: Txid,
    block_index: Option<u32>,
    source: Option<String>,
    transaction_type: Option<String>,
    valid: Option<bool>,
}

#[derive(Deserialize)]
struct OrderRow {
    tx_hash: Txid,
    source: String,
    give_asset: String,
    give_remaining: i64,
    get_asset: String,
    get_remaining: i64,
    status: String,
    give_asset_info: Option<Info>,
    get_asset_info: Option<Info>,
}

#[derive(Deserialize)]
struct DispenserRow {
    tx_hash: Txid,
    source: String,
    asset: String,
    give_quantity: u64,
    give_remaining: u64,
    satoshirate: u64,
    status: u8,
    asset_info: Option<Info>,
}

#[derive(Deserialize)]
struct ComposedRow {
    rawtransaction: String,
}

#[derive(Deserialize)]
struct One {
    result: Option<ComposedRow>,
    error: Option<String>,
}

fn bad() -> Refusal {
    Refusal::new(Code::BadPeer).with("peer", "ledger")
}

impl Ledger {
    /// `base` is what stands before `/v2/`. Refused with `BadRequest` (`field`) when it is no HTTP address, or unencrypted and not of this
    /// machine. Redirects and proxies of the environment are not followed.
    pub fn new(base: &str, trust: &crate::source::Trust) -> Result<Ledger, Refusal> {
        let refused = || Refusal::new(Code::BadRequest).with("field", "server");
        let (base, url) = http::address(base.trim()).ok_or_else(refused)?;
        let here = url.host_str().is_some_and(|host| host == "127.0.0.1" || host == "localhost" || host == "[::1]");
        if url.scheme() == "http" && !here {
            return Err(refused());
        }
        let http = http::client(trust, Some(PATIENCE)).ok_or_else(refused)?;
        Ok(Ledger { base, http })
    }

    /// What the server says that an address holds, and what is bound to coins of it. Refused with `NoPeers` when nothing answers in time,
    /// `BadPeer` when the answer is not one.
    pub async fn balances(&self, address: &str) -> Result<Vec<Reported>, Refusal> {
        self.pages(&format!("/v2/addresses/{address}/balances"), read).await
    }

    /// What became of the messages of an address, as the server tells them. Refused as `balances` is.
    pub async fn transactions(&self, address: &str) -> Result<Vec<Said>, Refusal> {
        let said = |row: SaidRow| {
            let (source, kind) = (row.source.unwrap_or_default(), row.transaction_type.unwrap_or_default());
            // Servers put what waits for a block into one that never comes.
            let height = row.block_index.filter(|height| *height < 9_999_999);
            match fits(&source) && fits(&kind) {
                true => Ok(Said { txid: row.tx_hash, height, source, kind, valid: row.valid }),
                false => Err(bad()),
            }
        };
        self.pages(&format!("/v2/addresses/{address}/transactions"), said).await
    }

    /// Orders and dispensers of an address, as the server tells them. Refused as `balances` is.
    pub async fn offers(&self, address: &str) -> Result<Vec<Offered>, Refusal> {
        let side = |asset: String, info: Option<Info>, quantity: u64| match fits(&asset) {
            true => Ok(Side { asset, divisible: info.and_then(|info| info.divisible), quantity }),
            false => Err(bad()),
        };
        // A matched order may owe a unit less than nothing.
        let left = |quantity: i64| u64::try_from(quantity).unwrap_or(0);
        let order = |row: OrderRow| {
            Ok(Offered {
                txid: row.tx_hash,
                source: Some(row.source).filter(|source| fits(source)).ok_or_else(bad)?,
                gives: side(row.give_asset, row.give_asset_info, left(row.give_remaining))?,
                portion: None,
                gets: side(row.get_asset, row.get_asset_info, left(row.get_remaining))?,
                open: row.status == "open",
            })
        };
        let dispenser = |row: DispenserRow| {
            Ok(Offered {
                txid: row.tx_hash,
                source: Some(row.source).filter(|source| fits(source)).ok_or_else(bad)?,
                gives: side(row.asset, row.asset_info, row.give_remaining)?,
                portion: Some(row.give_quantity),
                gets: Side { asset: "BTC".into(), divisible: Some(true), quantity: row.satoshirate },
                open: row.status <= 1,
            })
        };
        let mut offers = self.pages(&format!("/v2/addresses/{address}/orders"), order).await?;
        offers.extend(self.pages(&format!("/v2/addresses/{address}/dispensers"), dispenser).await?);
        Ok(offers)
    }

    /// Asks the server to compose a transaction and gives its hex, whatever it does: the caller must find out. The server learns what
    /// `parameters` say. Refused with `LedgerRefused` (`why`) when it does not, otherwise as `balances` is.
    pub async fn compose(&self, address: &str, kind: &str, parameters: &[(&str, String)]) -> Result<String, Refusal> {
        let path = format!("{}/v2/addresses/{address}/compose/{kind}", self.base);
        let url = reqwest::Url::parse_with_params(&path, parameters).map_err(|_| bad())?;
        let one: One = serde_json::from_slice(&self.ask(url, true).await?).map_err(|_| bad())?;
        one.result.map(|row| row.rawtransaction).ok_or_else(|| {
            let why: String =
                one.error.unwrap_or_default().chars().filter(|c| *c == ' ' || c.is_ascii_graphic()).take(LONGEST).collect();
            Refusal::new(Code::LedgerRefused).with("why", why)
        })
    }

    /// Every row of a list, page after page.
    async fn pages<R: serde::de::DeserializeOwned, T>(
        &self,
        path: &str,
        read: impl Fn(R) -> Result<T, Refusal>,
    ) -> Result<Vec<T>, Refusal> {
        let (mut rows, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let after = cursor.take().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let path = format!("{path}?verbose=true&limit=1000{after}");
            let page: Page<R> = serde_json::from_slice(&self.get(&path).await?).map_err(|_| bad())?;
            let empty = page.result.is_empty();
            for row in page.result {
                rows.push(read(row)?);
            }
            if rows.len() > MOST_ROWS {
                return Err(bad());
            }
            cursor = match page.next_cursor {
                Some(serde_json::Value::Number(next)) if !empty => Some(next.to_string()),
                _ => return Ok(rows),
            };
        }
    }

    async fn get(&self, path: &str) -> Result<Vec<u8>, Refusal> {
        let url = reqwest::Url::parse(&format!("{}{path}", self.base)).map_err(|_| bad())?;
        self.ask(url, false).await
    }

    /// An answer; with `reasons` also one that says why not.
    async fn ask(&self, url: reqwest::Url, reasons: bool) -> Result<Vec<u8>, Refusal> {
        let unreachable = |_| Refusal::new(Code::NoPeers);
        let asking = async {
            let answer = self.http.get(url).send().await.map_err(unreachable)?;
            if !(answer.status().is_success() || reasons && answer.status().is_client_error()) {
                return Err(bad());
            }
            http::body(answer, MOST_BYTES, unreachable, bad()).await
        };
        timeout(DEADLINE, asking).await.map_err(|_| Refusal::new(Code::NoPeers))?
    }
}

fn fits(text: &str) -> bool {
    text.chars().count() <= LONGEST && text.chars().all(|c| c.is_ascii_graphic())
}

fn read(row: Row) -> Result<Reported, Refusal> {
    if !fits(&row.asset) || row.asset_longname.as_deref().is_some_and(|name| !fits(name)) {
        return Err(bad());
    }
    let coin = row.utxo.filter(|utxo| !utxo.is_empty()).map(|utxo| utxo.parse().map_err(|_| bad())).transpose()?;
    Ok(Reported {
        asset: row.asset,
        longname: row.asset_longname.filter(|name| !name.is_empty()),
        quantity: row.quantity,
        divisible: row.asset_info.and_then(|info| info.divisible),
        coin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<Reported>, Code> {
        let page: Page<Row> = serde_json::from_str(text).map_err(|_| Code::BadPeer)?;
        page.result.into_iter().map(|row| read(row).map_err(|refusal| refusal.code)).collect()
    }

    #[test]
    fn a_row_is_taken_for_what_it_says_and_hostile_ones_are_refused() {
        let coin = format!("{}:1", "ab".repeat(32));
        let good = format!(
            r#"{{"result":[{{"asset":"XCP","asset_longname":null,"quantity":5,"utxo":"{coin}","asset_info":{{"divisible":true}}}}],"next_cursor":null}}"#
        );
        let row = rows(&good).expect("a row").remove(0);
        assert_eq!((row.asset.as_str(), row.quantity, row.divisible), ("XCP", 5, Some(true)));
        assert_eq!(row.coin.map(|coin| coin.to_string()), Some(coin));
        for hostile in [
            r#"{"result":[{"asset":"X\u202eCP","quantity":5}],"next_cursor":null}"#,
            r#"{"result":[{"asset":"XCP","quantity":-1}],"next_cursor":null}"#,
            r#"{"result":[{"asset":"XCP","quantity":1e30}],"next_cursor":null}"#,
            r#"{"result":[{"asset":"XCP","quantity":5,"utxo":"nowhere"}],"next_cursor":null}"#,
            r#"{"result":{}}"#,
        ] {
            assert_eq!(rows(hostile), Err(Code::BadPeer), "{hostile}");
        }
    }

    #[test]
    fn a_server_elsewhere_is_asked_over_tls_only() {
        let trust = crate::source::Trust::public();
        for base in ["https://ledger.example:4000", "http://127.0.0.1:24000/", "http://localhost:1"] {
            assert!(Ledger::new(base, &trust).is_ok(), "{base}");
        }
        for base in ["http://ledger.example", "ftp://127.0.0.1", "https://a@ledger.example", "https://ledger.example?x=1", ""] {
            assert_eq!(Ledger::new(base, &trust).err().map(|refusal| refusal.code), Some(Code::BadRequest), "{base}");
        }
    }
}
