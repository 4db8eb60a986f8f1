//! CometBFT's RPC, as far as a light client asks.

use super::{Answer, Plane, chain, no, tree};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use bitcoin::base64::Engine as _;
use bitcoin::base64::prelude::BASE64_STANDARD;
use bitcoin::hex::FromHex as _;
use causeway_staking::stored;
use serde_json::{Value, json};
use std::sync::Arc;

type Node = State<Arc<Plane>>;

/// A field of a query without the quotes that texts have; nothing else that is asked here is escaped.
fn field(query: Option<&String>, name: &str) -> Option<String> {
    let found = query?.split('&').find_map(|part| part.split_once('=').filter(|(key, _)| *key == name));
    found.map(|(_, value)| value.replace("%22", "\"").trim_matches('"').to_owned())
}

fn height_of(query: Option<&String>) -> Option<u64> {
    field(query, "height")?.parse().ok()
}

fn result(value: Value) -> Json<Value> {
    Json(json!({ "jsonrpc": "2.0", "id": -1, "result": value }))
}

/// The routes of a node; the second one can be told to show a fork.
pub(super) fn router(second: bool) -> Router<Arc<Plane>> {
    let commit = move |State(plane): Node, RawQuery(query): RawQuery| commit(plane, query, second);
    Router::new()
        .route("/status", get(status))
        .route("/commit", get(commit))
        .route("/validators", get(validators))
        .route("/abci_query", get(abci_query))
}

async fn status(State(plane): Node) -> Answer {
    let held = plane.ask().await?;
    Ok(result(json!({
        "node_info": { "network": chain::CHAIN_ID },
        "sync_info": { "latest_block_height": held.state.height().to_string(), "catching_up": false },
    })))
}

async fn commit(plane: Arc<Plane>, query: Option<String>, second: bool) -> Answer {
    let held = plane.ask().await?;
    let state = &held.state;
    let height = height_of(query.as_ref()).unwrap_or(state.height());
    let index = usize::try_from(height).ok().and_then(|height| height.checked_sub(1));
    let found =
        index.and_then(|index| Some((state.blocks.get(index)?, index.checked_sub(1).and_then(|below| state.blocks.get(below)))));
    let (row, below) = found.ok_or_else(|| no(StatusCode::NOT_FOUND, "no such height"))?;
    let forked = second && held.switches.forked;
    let time = if forked { row.time.saturating_sub(1) } else { row.time };
    let header = chain::header(&state.validators, height, below, time, &row.app_hash);
    Ok(result(json!({ "signed_header": chain::sign(&state.validators, header), "canonical": true })))
}

async fn validators(State(plane): Node, RawQuery(query): RawQuery) -> Answer {
    let held = plane.ask().await?;
    let set = chain::validators(&held.state.validators);
    let count = set.validators().len().to_string();
    let height = height_of(query.as_ref()).unwrap_or(held.state.height()).to_string();
    Ok(result(json!({ "block_height": height, "validators": set.validators(), "count": count, "total": count })))
}

async fn abci_query(State(plane): Node, RawQuery(query): RawQuery) -> Answer {
    let held = plane.ask().await?;
    let height = height_of(query.as_ref()).ok_or_else(|| no(StatusCode::BAD_REQUEST, "no height"))?;
    let key = field(query.as_ref(), "data").unwrap_or_default();
    let key = Vec::from_hex(key.trim_start_matches("0x")).map_err(|_| no(StatusCode::BAD_REQUEST, "no key"))?;
    let store = field(query.as_ref(), "path").unwrap_or_default();
    let store = store.trim_start_matches('/');
    let entries = held.proved.iter().find(|(at, _)| *at == height).map(|(_, entries)| entries);
    let answer = match entries {
        Some(entries) if store == format!("store/{}/key", stored::STORE) => match tree::prove(stored::STORE, entries, &key) {
            Some(proof) => {
                let ops: Vec<Value> = proof
                    .ops
                    .iter()
                    .map(|op| json!({ "type": op.r#type, "key": BASE64_STANDARD.encode(&op.key), "data": BASE64_STANDARD.encode(&op.data) }))
                    .collect();
                json!({
                    "code": 0, "height": height.to_string(), "key": BASE64_STANDARD.encode(&key),
                    "value": BASE64_STANDARD.encode(&entries[&key]), "proofOps": { "ops": ops },
                })
            }
            None => json!({ "code": 0, "height": height.to_string(), "value": Value::Null, "proofOps": Value::Null }),
        },
        _ => json!({ "code": 26, "log": "no state of that height", "height": height.to_string() }),
    };
    Ok(result(json!({ "response": answer })))
}
