//! The REST paths of Counterparty's servers, version 2, as far as the ledger goes.

use super::{Event, Holder, Ledger};
use crate::bitcoind::Rpc;
use crate::error::SandboxError;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use bitcoin::{BlockHash, OutPoint};
use causeway_colored::counterparty::AssetId;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The ledger and the blocks that it was read from.
#[derive(Default)]
struct Read {
    ledger: Ledger,
    blocks: Vec<BlockHash>,
}

/// Reads the chain when it is asked, and from the start after a reorganisation.
pub(crate) struct Reader {
    rpc: Rpc,
    read: Mutex<Read>,
}

type Answer = Result<Json<Value>, StatusCode>;

impl Reader {
    pub(crate) fn new(rpc: Rpc) -> Reader {
        Reader { rpc, read: Mutex::new(Read::default()) }
    }

    /// Answers from the ledger as of the best block.
    async fn ask<T>(&self, answer: impl FnOnce(&Ledger, usize) -> T) -> Result<T, StatusCode> {
        let mut read = self.read.lock().await;
        self.catch_up(&mut read).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        Ok(answer(&read.ledger, read.blocks.len()))
    }

    async fn catch_up(&self, read: &mut Read) -> Result<(), SandboxError> {
        let tip = self.rpc.height().await?;
        if let Some(last) = read.blocks.last() {
            let height = u32::try_from(read.blocks.len()).expect("BUG: heights are 32 bits");
            if height > tip || self.rpc.block_hash(height).await? != *last {
                *read = Read::default();
            }
        }
        // The genesis block holds nothing that can be spent.
        let first = u32::try_from(read.blocks.len()).expect("BUG: heights are 32 bits") + 1;
        for height in first..=tip {
            let hash = self.rpc.block_hash(height).await?;
            let block = self.rpc.block(&hash).await?;
            read.ledger.take(height, &block);
            read.blocks.push(hash);
        }
        Ok(())
    }
}

/// The routes.
pub(crate) fn router(reader: Arc<Reader>) -> Router {
    Router::new()
        .route("/v2/healthz", get(health))
        .route("/v2/addresses/{address}/balances", get(balances))
        .route("/v2/addresses/{address}/transactions", get(transactions))
        .route("/v2/addresses/{address}/orders", get(orders))
        .route("/v2/addresses/{address}/dispensers", get(dispensers))
        .route("/v2/addresses/{address}/compose/{kind}", get(compose))
        .route("/v2/assets/{asset}", get(asset))
        .route("/v2/assets/{asset}/balances", get(holders))
        .route("/v2/assets/{asset}/holders", get(holders))
        .route("/v2/utxos/{utxo}/balances", get(bound))
        .route("/v2/utxos/withbalances", get(with_balances))
        .with_state(reader)
}

type Service = State<Arc<Reader>>;

fn list(rows: Vec<Value>) -> Json<Value> {
    let count = rows.len();
    Json(json!({ "result": rows, "next_cursor": null, "result_count": count }))
}

fn row(ledger: &Ledger, asset: AssetId, holder: &Holder, quantity: u64) -> Value {
    let known = ledger.assets.get(&asset);
    let info = known.map(|known| {
        json!({
            "asset_longname": known.longname, "description": known.description, "issuer": known.issuer,
            "divisible": known.divisible, "locked": known.locked, "owner": known.issuer,
        })
    });
    let (address, utxo, utxo_address) = match holder {
        Holder::Address(address) => (Some(address), None, None),
        Holder::Coin(coin, address) => (None, Some(coin.to_string()), Some(address)),
    };
    json!({
        "address": address, "asset": asset.to_string(), "asset_longname": known.and_then(|known| known.longname.clone()),
        "quantity": quantity, "utxo": utxo, "utxo_address": utxo_address, "asset_info": info,
    })
}

async fn health(State(reader): Service) -> Answer {
    let height = reader.ask(|_, height| height).await?;
    Ok(Json(json!({ "result": { "status": "Healthy", "height": height } })))
}

async fn balances(State(reader): Service, Path(wanted): Path<String>) -> Answer {
    let of = |ledger: &Ledger, _| {
        let ours = |holder: &Holder| match holder {
            Holder::Address(address) | Holder::Coin(_, address) => *address == wanted,
        };
        let rows = ledger.balances.iter().filter(|((_, holder), _)| ours(holder));
        rows.map(|((asset, holder), quantity)| row(ledger, *asset, holder, *quantity)).collect()
    };
    reader.ask(of).await.map(list)
}

async fn transactions(State(reader): Service, Path(wanted): Path<String>) -> Answer {
    let event = |event: &Event| {
        json!({
            "tx_hash": event.txid.to_string(), "block_index": event.height, "source": event.source,
            "transaction_type": event.kind, "valid": event.status == "valid", "status": event.status,
        })
    };
    reader.ask(|ledger, _| ledger.events.iter().rev().filter(|e| e.source == wanted).map(event).collect()).await.map(list)
}

fn info(ledger: &Ledger, asset: AssetId) -> Value {
    let divisible = ledger.assets.get(&asset).map_or(asset.number() <= 1, |known| known.divisible);
    json!({ "divisible": divisible, "asset_longname": ledger.assets.get(&asset).and_then(|known| known.longname.clone()) })
}

async fn orders(State(reader): Service, Path(wanted): Path<String>) -> Answer {
    let of = |ledger: &Ledger, _| {
        let orders = ledger.orders.iter().rev().filter(|order| order.source == wanted);
        let row = |order: &super::market::Order| {
            json!({
                "tx_hash": order.txid.to_string(), "source": order.source, "status": order.status,
                "give_asset": order.give.to_string(), "give_remaining": order.give_left, "give_asset_info": info(ledger, order.give),
                "get_asset": order.get.to_string(), "get_remaining": order.get_left, "get_asset_info": info(ledger, order.get),
                "expire_index": order.expires,
            })
        };
        orders.map(row).collect()
    };
    reader.ask(of).await.map(list)
}

async fn dispensers(State(reader): Service, Path(wanted): Path<String>) -> Answer {
    let of = |ledger: &Ledger, _| {
        let own = ledger.dispensers.iter().rev().filter(|dispenser| dispenser.source == wanted);
        let row = |dispenser: &super::market::Dispenser| {
            json!({
                "tx_hash": dispenser.txid.to_string(), "source": dispenser.source, "asset": dispenser.asset.to_string(),
                "give_quantity": dispenser.portion, "escrow_quantity": dispenser.escrow, "give_remaining": dispenser.left,
                "satoshirate": dispenser.rate, "status": if dispenser.open { 0 } else { 10 }, "asset_info": info(ledger, dispenser.asset),
            })
        };
        own.map(row).collect()
    };
    reader.ask(of).await.map(list)
}

/// As elsewhere, a refusal is an answer with the reason in words.
async fn compose(
    State(reader): Service,
    Path((source, kind)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<(StatusCode, Json<Value>), StatusCode> {
    let url =
        reqwest::Url::parse(&format!("http://ledger/?{}", query.unwrap_or_default())).map_err(|_| StatusCode::BAD_REQUEST)?;
    let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
    Ok(match reader.ask(|ledger, _| ledger.compose(&source, &kind, &super::compose::Asked(&asked))).await? {
        Ok(hex) => (StatusCode::OK, Json(json!({ "result": { "rawtransaction": hex, "name": kind } }))),
        Err(why) => (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))),
    })
}

async fn asset(State(reader): Service, Path(name): Path<String>) -> Answer {
    let of = |ledger: &Ledger, _| {
        let id = AssetId::parse(&name).ok();
        let found = ledger.assets.iter().find(|(asset, known)| Some(**asset) == id || known.longname.as_deref() == Some(&name));
        found.map(|(asset, known)| {
            json!({ "result": {
                "asset": asset.to_string(), "asset_longname": known.longname, "issuer": known.issuer, "owner": known.issuer,
                "divisible": known.divisible, "locked": known.locked, "supply": known.supply, "description": known.description,
            } })
        })
    };
    reader.ask(of).await?.map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn holders(State(reader): Service, Path(name): Path<String>) -> Answer {
    let of = |ledger: &Ledger, _| {
        let id = AssetId::parse(&name).ok();
        let rows = ledger.balances.iter().filter(|((asset, _), _)| Some(*asset) == id);
        rows.map(|((asset, holder), quantity)| row(ledger, *asset, holder, *quantity)).collect()
    };
    reader.ask(of).await.map(list)
}

fn bound_to(ledger: &Ledger, wanted: &OutPoint) -> Vec<Value> {
    let rows = ledger.balances.iter().filter(|((_, holder), _)| matches!(holder, Holder::Coin(coin, _) if coin == wanted));
    rows.map(|((asset, holder), quantity)| row(ledger, *asset, holder, *quantity)).collect()
}

async fn bound(State(reader): Service, Path(utxo): Path<String>) -> Answer {
    let coin: OutPoint = utxo.parse().map_err(|_| StatusCode::BAD_REQUEST)?;
    reader.ask(|ledger, _| bound_to(ledger, &coin)).await.map(list)
}

async fn with_balances(State(reader): Service, RawQuery(query): RawQuery) -> Answer {
    let query = query.unwrap_or_default();
    let wanted = query.split('&').find_map(|part| part.strip_prefix("utxos=")).unwrap_or_default();
    let coins: Vec<OutPoint> = wanted
        .split(',')
        .filter(|text| !text.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|_| StatusCode::BAD_REQUEST)?;
    let answer = reader.ask(|ledger, _| {
        coins.iter().map(|coin| (coin.to_string(), !bound_to(ledger, coin).is_empty())).collect::<HashMap<_, _>>()
    });
    Ok(Json(json!({ "result": answer.await? })))
}
