//! The service side of the control protocol.

use super::{
    Enlist, Fund, Funded, MAX_BLOCKS, MAX_FUND, Mine, Mined, Misbehave, Pause, Propose, Reorg, Status, Switch, SwitchAction,
    Withdraw, Withdrawn,
};
use crate::error::SandboxError;
use crate::lifecycle::Params;
use crate::running::Running;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bitcoin::hex::FromHex as _;
use bitcoin::{Address, Amount, Network};
use causeway_vocab::NetworkId;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

/// Most Bitcoin blocks that can be reorganised away at once.
const MAX_REORG: u32 = 100;

type World = State<Arc<Running>>;
type Body<T> = Result<Json<T>, JsonRejection>;

/// A request that was not carried out.
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<SandboxError> for Refusal {
    fn from(error: SandboxError) -> Refusal {
        match error {
            SandboxError::Refused(why) => bad(why),
            other => Refusal(StatusCode::INTERNAL_SERVER_ERROR, other.to_string()),
        }
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Refusal {
        Refusal(rejection.status(), rejection.body_text())
    }
}

fn bad(why: impl Into<String>) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, why.into())
}

/// The routes, and those of the ledger and of the asset registry beside them, guarded against web pages. `own` is the address that the service listens on.
pub(crate) fn router(running: Arc<Running>, ledger: Router, own: SocketAddr) -> Router {
    let registry = crate::registry::router(running.node());
    Router::new()
        .route("/status", get(status))
        .route("/params", get(params))
        .route("/fund", post(fund))
        .route("/mine", post(mine))
        .route("/pause", post(pause))
        .route("/reorg", post(reorg))
        .route("/functionary", post(functionary))
        .route("/federation", post(federation))
        .route("/pak", post(pak))
        .route("/emergency", post(emergency))
        .route("/misbehave", post(misbehave))
        .route("/acknowledge", post(acknowledge))
        .route("/down", post(down))
        .with_state(running)
        .merge(ledger)
        .merge(registry)
        .layer(middleware::from_fn_with_state(own, guard))
}

/// Lets only requests through that name this service as their host and come from no web page.
async fn guard(State(own): State<SocketAddr>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let named = host.is_some_and(|host| host == own.to_string() || host == format!("localhost:{}", own.port()));
    if !named || request.headers().contains_key(header::ORIGIN) {
        return Refusal(StatusCode::FORBIDDEN, "only for programs on this machine".into()).into_response();
    }
    next.run(request).await
}

async fn status(State(running): World) -> Result<Json<Status>, Refusal> {
    Ok(Json(running.status().await?))
}

async fn params(State(running): World) -> Json<Params> {
    Json(running.params().clone())
}

async fn fund(State(running): World, body: Body<Fund>) -> Result<Json<Funded>, Refusal> {
    let Json(Fund { address, sat, mine }) = body?;
    let script = script_of(&address)?;
    if sat < script.minimal_non_dust().to_sat() || sat > MAX_FUND {
        return Err(bad(format!("an amount from dust to {MAX_FUND} sat")));
    }
    if mine > MAX_BLOCKS {
        return Err(bad(format!("at most {MAX_BLOCKS} blocks")));
    }
    let (txid, vout) = running.miner().pay(script, Amount::from_sat(sat)).await?;
    if mine > 0 {
        running.miner().mine(mine).await?;
    }
    Ok(Json(Funded { txid, vout }))
}

fn script_of(address: &str) -> Result<bitcoin::ScriptBuf, Refusal> {
    let address = address.parse::<Address<_>>().ok().and_then(|address| address.require_network(Network::Regtest).ok());
    Ok(address.ok_or_else(|| bad("no regtest address"))?.script_pubkey())
}

async fn mine(State(running): World, body: Body<Mine>) -> Result<Json<Mined>, Refusal> {
    let Json(Mine { network, blocks }) = body?;
    if !(1..=MAX_BLOCKS).contains(&blocks) {
        return Err(bad(format!("from 1 to {MAX_BLOCKS} blocks")));
    }
    let mined = match network {
        NetworkId::Bitcoin => {
            let (height, tip) = running.miner().mine(blocks).await?;
            Mined { height, tip: tip.to_string() }
        }
        NetworkId::Sidechain => {
            let tip = running.functionaries().make_blocks(blocks).await?;
            Mined { height: tip.height, tip: tip.hash.to_string() }
        }
    };
    Ok(Json(mined))
}

async fn pause(State(running): World, body: Body<Pause>) -> Result<Json<Value>, Refusal> {
    let Json(wanted) = body?;
    running.pause(wanted);
    Ok(Json(json!({})))
}

async fn reorg(State(running): World, body: Body<Reorg>) -> Result<Json<Mined>, Refusal> {
    let Json(Reorg { depth }) = body?;
    if !(1..=MAX_REORG).contains(&depth) {
        return Err(bad(format!("from 1 to {MAX_REORG} blocks")));
    }
    let (height, tip) = running.miner().reorganise(depth).await?;
    Ok(Json(Mined { height, tip: tip.to_string() }))
}

async fn functionary(State(running): World, body: Body<Switch>) -> Result<Json<Value>, Refusal> {
    let Json(Switch { index, action }) = body?;
    match running.functionaries().switch(index, matches!(action, SwitchAction::Start)) {
        true => Ok(Json(json!({}))),
        false => Err(bad("no functionary of that index")),
    }
}

async fn federation(State(running): World, body: Body<Propose>) -> Result<Json<Value>, Refusal> {
    let Json(wanted) = body?;
    running.functionaries().propose(&wanted).await?;
    Ok(Json(json!({})))
}

async fn pak(State(running): World, body: Body<Enlist>) -> Result<Json<Value>, Refusal> {
    let Json(Enlist { entry }) = body?;
    let entry = Vec::<u8>::from_hex(&entry).map_err(|_| bad("an entry of 66 bytes in hex"))?;
    running.functionaries().enlist(entry).await?;
    Ok(Json(json!({})))
}

async fn emergency(State(running): World, body: Body<Withdraw>) -> Result<Json<Withdrawn>, Refusal> {
    let Json(Withdraw { address }) = body?;
    let txid = running.functionaries().withdraw(script_of(&address)?).await?;
    Ok(Json(Withdrawn { txid }))
}

async fn misbehave(State(running): World, body: Body<Misbehave>) -> Result<Json<Value>, Refusal> {
    let Json(Misbehave { index }) = body?;
    running.functionaries().misbehave(index).await?;
    Ok(Json(json!({})))
}

async fn acknowledge(State(running): World) -> Json<Value> {
    running.functionaries().acknowledge();
    Json(json!({}))
}

async fn down(State(running): World) -> Json<Value> {
    running.go_down();
    Json(json!({}))
}
