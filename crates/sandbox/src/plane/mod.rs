//! A control plane of Bitcoin staking: a small chain with signed CometBFT headers that knows parameters, finality providers, a committee that
//! really signs, delegations driven by the real bitcoind, rewards and slashing.
//!
//! It speaks the RPC and REST paths of the public one, below `/plane/rpc`, `/plane/witness` (a second node of the same chain) and
//! `/plane/api`. What the operators of a real one would do is asked for below `/plane/world`:
//!
//! | route | body | what happens |
//! |---|---|---|
//! | `POST /plane/world/committee` | [`Committee`] | so many members sign, or lie |
//! | `POST /plane/world/equivocate` | `{"provider"}` | votes twice; its key is extracted and its stakes are slashed on Bitcoin |
//! | `POST /plane/world/jail` | `{"provider","jailed"}` | stops or begins to vote |
//! | `POST /plane/world/params` | `{"unbonding_fee"}` | new parameters apply from the next Bitcoin block on |
//! | `POST /plane/world/switch` | [`Switches`] | all nodes are silent, or the second shows a fork |

mod api;
mod chain;
mod committee;
mod finality;
mod rpc;
mod state;
mod transactions;
mod tree;

pub use committee::Committee;

use crate::bitcoind::Rpc;
use crate::error::SandboxError;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use bitcoin::hex::DisplayHex as _;
use causeway_vocab::StakingParams;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use state::State;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Mutex, MutexGuard};
use transactions::Outcome;

/// How often the control plane looks at Bitcoin by itself.
const TICK: Duration = Duration::from_secs(1);
/// For how long clients of this world trust a block, seconds.
const TRUSTING_PERIOD: u32 = 24 * 60 * 60;

/// Which nodes of the control plane answer, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switches {
    /// No node answers.
    #[serde(default)]
    pub off: bool,
    /// The second node shows other blocks, well signed.
    #[serde(default)]
    pub forked: bool,
}

/// Everything behind the one lock.
pub(super) struct Held {
    state: State,
    /// What store proofs reach by height, the last heights: under the app hash of the block above.
    proved: Vec<(u64, tree::Entries)>,
    committee: Committee,
    switches: Switches,
}

/// The control plane of a sandbox.
pub(crate) struct Plane {
    dir: PathBuf,
    rpc: Rpc,
    held: Mutex<Held>,
}

/// Milliseconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

impl Held {
    fn commit(&mut self) {
        self.proved.push((self.state.height(), self.state.entries()));
        self.state.commit(now());
        let above = self.proved.len().saturating_sub(32);
        self.proved.drain(..above);
    }
}

impl Plane {
    pub(crate) async fn open(dir: &Path, rpc: Rpc) -> Result<Plane, SandboxError> {
        let tip = rpc.height().await?;
        let state = State::load_or_create(dir, (tip, rpc.block_hash(tip).await?), now())?;
        let mut held = Held { state, proved: Vec::new(), committee: Committee::default(), switches: Switches::default() };
        // What older blocks covered is not kept; this one covers the state as it is.
        held.commit();
        held.state.save(dir)?;
        Ok(Plane { dir: dir.to_owned(), rpc, held: Mutex::new(held) })
    }

    /// How clients find it. They trust the first block that is young enough to be trusted for a while: while a world is new, its first.
    pub(crate) async fn params(&self, control: std::net::SocketAddr) -> StakingParams {
        let held = self.held.lock().await;
        // Half of the period, in milliseconds.
        let oldest = now().saturating_sub(u64::from(TRUSTING_PERIOD) * 500);
        let young = held.state.blocks.iter().zip(1u64..).find(|(row, _)| row.time >= oldest);
        let (row, height) = young.expect("BUG: a block was made when it was opened");
        StakingParams {
            chain_id: chain::CHAIN_ID.into(),
            account_prefix: transactions::PREFIX.into(),
            denom: transactions::DENOM.into(),
            gas_price: transactions::GAS_PRICE,
            nodes: vec![format!("http://{control}/plane/rpc"), format!("http://{control}/plane/witness")],
            servers: vec![format!("http://{control}/plane/api")],
            anchor_height: height,
            anchor_hash: row.hash.clone(),
            trusting_period: TRUSTING_PERIOD,
            depth: state::DEPTH,
        }
    }

    /// Goes on by itself.
    pub(crate) async fn run(&self) {
        loop {
            tokio::time::sleep(TICK).await;
            if let Err(error) = self.current().await.map(drop) {
                tracing::debug!(%error, "the control plane waits for bitcoind");
            }
        }
    }

    /// The state as of the best Bitcoin block, with a block of its own for each.
    async fn current(&self) -> Result<MutexGuard<'_, Held>, SandboxError> {
        let mut held = self.held.lock().await;
        let mut moved = false;
        let tip = self.rpc.height().await?;
        while let Some((height, hash)) = held.state.scanned.last().copied() {
            if height <= tip && self.rpc.block_hash(height).await? == hash {
                break;
            }
            held.state.unsee();
            moved = true;
        }
        for height in held.state.tip() + 1..=tip {
            let hash = self.rpc.block_hash(height).await?;
            let block = self.rpc.block(&hash).await?;
            held.state.see(height, &block);
            held.commit();
            moved = true;
        }
        let how = held.committee;
        if committee::sign(&mut held.state, how) {
            held.commit();
            moved = true;
        }
        if moved {
            held.state.save(&self.dir)?;
        }
        Ok(held)
    }

    /// Carries a transaction out.
    async fn deliver(&self, raw: &[u8]) -> Result<Outcome, SandboxError> {
        let mut headers = Vec::new();
        for hash in transactions::named_blocks(raw) {
            let Some(info) = self.rpc.header_info(&hash).await?.filter(|info| info.confirmations > 0) else { continue };
            let confirmations = u32::try_from(info.confirmations).unwrap_or(u32::MAX);
            let height = (self.rpc.height().await? + 1).saturating_sub(confirmations);
            headers.push((height, self.rpc.block(&hash).await?.header));
        }
        let mut held = self.current().await?;
        let outcome = transactions::deliver(&mut held.state, raw, &headers);
        held.commit();
        held.state.save(&self.dir)?;
        Ok(outcome)
    }
}

/// A refusal: status and words.
pub(super) type No = (StatusCode, Json<Value>);
pub(super) type Answer = Result<Json<Value>, No>;

pub(super) fn no(status: StatusCode, why: impl ToString) -> No {
    (status, Json(json!({ "code": status.as_u16(), "message": why.to_string() })))
}

impl Plane {
    /// The state for a node's answer.
    async fn ask(&self) -> Result<MutexGuard<'_, Held>, No> {
        let held = self.current().await.map_err(|error| no(StatusCode::SERVICE_UNAVAILABLE, error))?;
        if held.switches.off { Err(no(StatusCode::SERVICE_UNAVAILABLE, "switched off")) } else { Ok(held) }
    }
}

/// The routes, all below `/plane`.
pub(crate) fn router<S>(plane: Arc<Plane>) -> Router<S> {
    Router::new()
        .nest("/plane/rpc", rpc::router(false))
        .nest("/plane/witness", rpc::router(true))
        .nest("/plane/api", api::router())
        .route("/plane/world/committee", post(set_committee))
        .route("/plane/world/equivocate", post(equivocate))
        .route("/plane/world/jail", post(jail))
        .route("/plane/world/params", post(new_params))
        .route("/plane/world/switch", post(switch))
        .with_state(plane)
}

type World = Shared<Arc<Plane>>;

fn unavailable(error: SandboxError) -> No {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": error.to_string() })))
}

fn bad(why: &str) -> No {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": why })))
}

async fn set_committee(Shared(plane): World, Json(how): Json<Committee>) -> Answer {
    plane.held.lock().await.committee = how;
    drop(plane.current().await.map_err(unavailable)?);
    Ok(Json(json!({})))
}

/// Names a provider.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Equivocate {
    /// By its place in the list.
    pub provider: usize,
}

async fn equivocate(Shared(plane): World, Json(wanted): Json<Equivocate>) -> Answer {
    let mut held = plane.current().await.map_err(unavailable)?;
    let slashing =
        finality::equivocate(&mut held.state, wanted.provider).ok_or_else(|| bad("no provider that can be slashed"))?;
    held.commit();
    held.state.save(&plane.dir).map_err(unavailable)?;
    let mut txids = Vec::new();
    for tx in &slashing {
        // A slashing transaction burns coins, which bitcoind sends only when told how many it may.
        let hex = bitcoin::consensus::serialize(tx).to_lower_hex_string();
        let sent = plane.rpc.call::<Value>("sendrawtransaction", &[json!(hex), json!(0), json!(21_000_000)]).await;
        txids.push(sent.map_err(unavailable)?);
    }
    Ok(Json(json!({ "slashed": txids })))
}

/// Jails a provider, or lets it out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jail {
    /// By its place in the list.
    pub provider: usize,
    /// Whether it is jailed.
    pub jailed: bool,
}

async fn jail(Shared(plane): World, Json(wanted): Json<Jail>) -> Answer {
    let mut held = plane.current().await.map_err(unavailable)?;
    held.state.providers.get_mut(wanted.provider).ok_or_else(|| bad("no such provider"))?.jailed = wanted.jailed;
    held.commit();
    held.state.save(&plane.dir).map_err(unavailable)?;
    Ok(Json(json!({})))
}

/// What changes with the next version of the parameters.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewParams {
    /// Fee of an unbonding transaction, satoshi.
    pub unbonding_fee: u64,
}

async fn new_params(Shared(plane): World, Json(wanted): Json<NewParams>) -> Answer {
    let mut held = plane.current().await.map_err(unavailable)?;
    let mut params = held.state.versions.last().cloned().ok_or_else(|| bad("no parameters"))?;
    params.unbonding_fee = bitcoin::Amount::from_sat(wanted.unbonding_fee);
    params.activation_height = held.state.tip() + 1;
    held.state.versions.push(params);
    held.commit();
    held.state.save(&plane.dir).map_err(unavailable)?;
    Ok(Json(json!({})))
}

async fn switch(Shared(plane): World, Json(wanted): Json<Switches>) -> Answer {
    plane.held.lock().await.switches = wanted;
    Ok(Json(json!({})))
}
