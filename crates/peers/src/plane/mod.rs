//! The control plane of Bitcoin staking, asked over RPC and REST.
//!
//! What its headers prove is proved: see [`ControlPlane::follow`] and [`ControlPlane::proved_params`]. Everything that REST servers answer is
//! *reported* and nothing more; delegations are verified under our own hashes by whoever reads them.

mod follow;
mod rest;

pub use rest::{Provider, Rewards};

use crate::http;
use crate::source::Trust;
use causeway_vocab::{Code, Refusal, StakingParams};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// A part of an answer must come within this time, and all of it within the other.
const PATIENCE: Duration = Duration::from_secs(10);
const DEADLINE: Duration = Duration::from_secs(20);
/// Largest answer, bytes.
const MOST_BYTES: usize = 4_000_000;

/// A client of one control plane. Asks when it is told to and keeps nothing.
#[derive(Clone)]
pub struct ControlPlane {
    params: Arc<StakingParams>,
    http: reqwest::Client,
}

/// A server of the control plane answered what is no answer.
fn bad() -> Refusal {
    Refusal::new(Code::BadPeer).with("peer", "control-plane")
}

fn silent() -> Refusal {
    Refusal::new(Code::NoPeers)
}

/// What came of a question.
enum Asked {
    Found(Vec<u8>),
    /// Status 404.
    Missing,
}

impl ControlPlane {
    /// A client of the realm's control plane. Refused with `BadRealm` (`field`) when an address of it is none, or is neither encrypted nor of this machine.
    pub fn new(params: &StakingParams, trust: &Trust) -> Result<ControlPlane, Refusal> {
        for base in params.nodes.iter().chain(&params.servers) {
            let found = http::address(base);
            let here = |url: &reqwest::Url| matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
            if found.is_none_or(|(_, url)| url.scheme() == "http" && !here(&url)) {
                return Err(Refusal::new(Code::BadRealm).with("field", "staking"));
            }
        }
        let http = http::client(trust, Some(PATIENCE)).ok_or_else(|| Refusal::new(Code::Bug))?;
        Ok(ControlPlane { params: Arc::new(params.clone()), http })
    }

    /// What the realm says of it.
    pub fn params(&self) -> &StakingParams {
        &self.params
    }

    /// One question to one server. Refused with `NoPeers` when there is no answer in time or the server is in trouble, `BadPeer` when there is too much.
    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<Asked, Refusal> {
        let asking = async {
            let answer = request.send().await.map_err(|_| silent())?;
            match answer.status().as_u16() {
                200 => http::body(answer, MOST_BYTES, |_| silent(), bad()).await.map(Asked::Found),
                404 => Ok(Asked::Missing),
                _ => Err(silent()),
            }
        };
        timeout(DEADLINE, asking).await.map_err(|_| silent())?
    }

    /// Asks one server after the other until one answers. `None` when it knows of no such thing.
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Refusal> {
        let mut last = silent();
        for base in &self.params.servers {
            let url = format!("{}{path}", base.trim_end_matches('/'));
            match self.exchange(self.http.get(url)).await {
                Ok(Asked::Found(bytes)) => return serde_json::from_slice(&bytes).map(Some).map_err(|_| bad()),
                Ok(Asked::Missing) => return Ok(None),
                Err(refusal) => last = refusal,
            }
        }
        Err(last)
    }

    async fn want<T: DeserializeOwned>(&self, path: &str) -> Result<T, Refusal> {
        self.get(path).await?.ok_or_else(bad)
    }
}
