//! An asset registry for stories: both interfaces of the public one, over what the sandbox's own chain has issued.
//!
//! Domains of the sandbox do not exist, so the registry also plays the web servers of issuers: `POST /registry/domain {"domain","path","text"}`
//! publishes a file, and an asset is registered only when the file of its domain says what it must.

use crate::control::Publish;
use crate::node::Node;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use causeway_sidechain::consensus::contract::Contract;
use causeway_sidechain::consensus::issuance;
use elements::{AssetId, Block, OutPoint};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Assets and files that it keeps at most.
const MOST: usize = 10_000;
/// Longest text of a published file.
const LONGEST: usize = 4_096;

/// What is registered and published. In memory only.
#[derive(Default)]
struct Shelf {
    assets: BTreeMap<AssetId, Value>,
    files: BTreeMap<(String, String), String>,
}

struct Registry {
    node: Arc<Node>,
    shelf: Mutex<Shelf>,
}

impl Registry {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outpoint whose spending issued the asset, and the transaction that did.
    fn issuance(&self, asset: &AssetId) -> Option<(OutPoint, elements::Txid)> {
        for height in (0..=self.node.tip().height).rev() {
            let Ok(Some(bytes)) = self.node.block(height) else { continue };
            let Ok(block) = elements::encode::deserialize::<Block>(&bytes) else { continue };
            for tx in &block.txdata {
                let issues = |input: &&elements::TxIn| {
                    issuance::ids_of(input).is_some_and(|ids| ids.asset == *asset && !ids.is_reissuance)
                };
                if let Some(input) = tx.input.iter().find(issues) {
                    return Some((input.previous_output, tx.txid()));
                }
            }
        }
        None
    }
}

type Shared = State<Arc<Registry>>;
type Answer = Result<(StatusCode, Json<Value>), (StatusCode, Json<Value>)>;

fn no(status: StatusCode, why: &str) -> (StatusCode, Json<Value>) {
    (status, Json(json!({ "error": why })))
}

/// The routes, all below `/registry`.
pub(crate) fn router<S>(node: Arc<Node>) -> Router<S> {
    Router::new()
        .route("/registry/", post(register))
        .route("/registry/{asset}", get(first))
        .route("/registry/v2/assets", post(register_second))
        .route("/registry/v2/assets/{asset}", get(second))
        .route("/registry/domain", post(publish))
        .with_state(Arc::new(Registry { node, shelf: Mutex::default() }))
}

#[derive(Deserialize)]
struct Wanted {
    asset_id: String,
    contract: Value,
}

async fn publish(State(registry): Shared, body: Result<Json<Publish>, JsonRejection>) -> Answer {
    let Json(file) = body.map_err(|_| no(StatusCode::BAD_REQUEST, "domain, path and text"))?;
    let mut shelf = registry.shelf();
    if file.text.len() > LONGEST || shelf.files.len() >= MOST {
        return Err(no(StatusCode::PAYLOAD_TOO_LARGE, "too much"));
    }
    shelf.files.insert((file.domain, file.path), file.text);
    Ok((StatusCode::CREATED, Json(json!({}))))
}

async fn register(State(registry): Shared, body: Result<Json<Wanted>, JsonRejection>) -> Answer {
    enter(&registry, body, |version| version == 0)
}

async fn register_second(State(registry): Shared, body: Result<Json<Wanted>, JsonRejection>) -> Answer {
    enter(&registry, body, |version| version > 0)
}

fn enter(registry: &Registry, body: Result<Json<Wanted>, JsonRejection>, fits: fn(u64) -> bool) -> Answer {
    let Json(wanted) = body.map_err(|_| no(StatusCode::UNPROCESSABLE_ENTITY, "asset_id and contract"))?;
    let asset: AssetId = wanted.asset_id.parse().map_err(|_| no(StatusCode::UNPROCESSABLE_ENTITY, "no asset id"))?;
    let version = wanted.contract.get("version").and_then(Value::as_u64).unwrap_or(u64::MAX);
    let contract =
        Contract::parse(&wanted.contract.to_string()).map_err(|_| no(StatusCode::UNPROCESSABLE_ENTITY, "no contract"))?;
    if !fits(version) {
        return Err(no(
            StatusCode::UNPROCESSABLE_ENTITY,
            "contracts of version 0 belong to the first interface, others to the second",
        ));
    }
    let (prevout, txid) = registry.issuance(&asset).ok_or_else(|| no(StatusCode::BAD_REQUEST, "no block holds the issuance"))?;
    if AssetId::from_entropy(AssetId::generate_asset_entropy(prevout, contract.hash())) != asset {
        return Err(no(StatusCode::BAD_REQUEST, "the asset does not commit to the contract"));
    }
    let domain = contract.domain().unwrap_or_default().to_owned();
    let path = format!("/.well-known/liquid-asset-proof-{asset}");
    let proof = format!("Authorize linking the domain name {domain} to the Liquid asset {asset}");
    let mut shelf = registry.shelf();
    if shelf.files.get(&(domain, path)).map(|text| text.trim_end()) != Some(proof.as_str()) {
        return Err(no(StatusCode::BAD_REQUEST, "the domain does not prove it"));
    }
    if shelf.assets.contains_key(&asset) || shelf.assets.len() >= MOST {
        return Err(no(StatusCode::CONFLICT, "it is registered"));
    }
    let field = |name: &str| wanted.contract.get(name).cloned().unwrap_or(Value::Null);
    let entry = json!({
        "asset_id": asset.to_string(),
        "contract": wanted.contract,
        "issuance_txin": { "txid": txid.to_string(), "vin": 0 },
        "issuance_prevout": { "txid": prevout.txid.to_string(), "vout": prevout.vout },
        "version": version,
        "issuer_pubkey": field("issuer_pubkey"),
        "name": field("name"),
        "ticker": field("ticker"),
        "precision": field("precision"),
        "entity": field("entity"),
    });
    shelf.assets.insert(asset, entry.clone());
    Ok((StatusCode::CREATED, Json(entry)))
}

fn known(registry: &Registry, asset: &str) -> Option<Value> {
    registry.shelf().assets.get(&asset.parse().ok()?).cloned()
}

async fn first(State(registry): Shared, Path(asset): Path<String>) -> Answer {
    let entry = known(&registry, &asset).filter(|entry| entry["version"] == 0);
    entry.map(|entry| (StatusCode::OK, Json(entry))).ok_or_else(|| no(StatusCode::NOT_FOUND, "not registered"))
}

async fn second(State(registry): Shared, Path(asset): Path<String>) -> Answer {
    let entry = known(&registry, &asset).ok_or_else(|| no(StatusCode::NOT_FOUND, "not registered"))?;
    let answer = json!({
        "asset_id": entry["asset_id"],
        "contract": entry["contract"],
        "initial_issuer_pubkey": entry["issuer_pubkey"],
        "current_issuer_pubkey": entry["issuer_pubkey"],
        "mutable": { "trading_venues": [], "category_tags": [], "custom": {} },
        "admin": null,
        "icon": null,
        "status": "active",
    });
    Ok((StatusCode::OK, Json(answer)))
}
