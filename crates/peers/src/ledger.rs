//! A server of the Counterparty ledger, REST version 2: what it says of balances is *reported* and nothing more.

use crate::http;
use bitcoin::OutPoint;
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

/// A server.
pub struct Ledger {
    base: String,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Page {
    result: Vec<Row>,
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
        let (mut rows, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let after = cursor.take().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let path = format!("/v2/addresses/{address}/balances?verbose=true&limit=1000{after}");
            let page: Page = serde_json::from_slice(&self.get(&path).await?).map_err(|_| bad())?;
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
        let unreachable = |_| Refusal::new(Code::NoPeers);
        let asking = async {
            let answer = self.http.get(format!("{}{path}", self.base)).send().await.map_err(unreachable)?;
            if !answer.status().is_success() {
                return Err(bad());
            }
            http::body(answer, MOST_BYTES, unreachable, bad()).await
        };
        timeout(DEADLINE, asking).await.map_err(|_| Refusal::new(Code::NoPeers))?
    }
}

fn read(row: Row) -> Result<Reported, Refusal> {
    let fits = |text: &str| text.chars().count() <= LONGEST && text.chars().all(|c| c.is_ascii_graphic());
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
        let page: Page = serde_json::from_str(text).map_err(|_| Code::BadPeer)?;
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
