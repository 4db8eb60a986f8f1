//! Asset registries: servers that keep the contracts of assets, as Blockstream's asset registry does in its first (`/{asset}`, `POST /`) and
//! second (`/v2/assets`) interface. What they say about names is a claim; whoever asks checks it against the asset's id.

use crate::http;
use crate::source::{SourceFault, Trust};
use elements::{AssetId, OutPoint};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// The longest that one question takes. A registry fetches the domain proof before it answers.
const DEADLINE: Duration = Duration::from_secs(45);
/// The most bytes of one answer: a contract is at most 4 KiB, mutable metadata 8 KiB.
const MOST_BYTES: usize = 128 * 1024;

/// Which interface of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// The first, for contracts of version 0.
    V1,
    /// The second, for later ones.
    V2,
}

/// What a registry says about an asset. Nothing of it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which interface said so.
    pub interface: Interface,
    /// The asset that it speaks of, which need not be the one that was asked for.
    pub asset: String,
    /// The contract, JSON.
    pub contract: String,
    /// The outpoint that the issuance spent, if it tells.
    pub prevout: Option<OutPoint>,
    /// It calls the asset malicious, or has taken it off its list.
    pub warned: bool,
}

/// Why an asset was not registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishFault {
    /// The registry answered no: the HTTP status. What else it says is not shown to anybody.
    #[error("refused with status {0}")]
    Refused(u16),
    /// It could not be asked.
    #[error(transparent)]
    Source(#[from] SourceFault),
}

/// A registry.
pub struct Registry {
    base: String,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct First {
    asset_id: String,
    contract: Value,
    issuance_prevout: Option<Prevout>,
}

#[derive(Deserialize)]
struct Prevout {
    txid: elements::Txid,
    vout: u32,
}

#[derive(Deserialize)]
struct Second {
    asset_id: String,
    contract: Value,
    #[serde(default)]
    admin: Option<Admin>,
    #[serde(default)]
    status: String,
}

#[derive(Default, Deserialize)]
struct Admin {
    #[serde(default)]
    malicious: bool,
    #[serde(default)]
    delisted: bool,
}

fn fault(error: reqwest::Error) -> SourceFault {
    if error.is_timeout() { SourceFault::Slow } else { SourceFault::Unreachable }
}

impl Registry {
    /// `base` is what stands before `/v2/assets`. `None` when it is no HTTP address. Redirects and proxies of the environment are not
    /// followed.
    pub fn new(base: &str, trust: &Trust) -> Option<Registry> {
        let (base, _) = http::address(base)?;
        // No patience with parts: the whole deadline may pass before the first one.
        Some(Registry { base, http: http::client(trust, None)? })
    }

    /// Its address.
    pub fn name(&self) -> &str {
        &self.base
    }

    async fn read(&self, request: reqwest::RequestBuilder) -> Result<(u16, Vec<u8>), SourceFault> {
        let asking = async {
            let answer = request.send().await.map_err(fault)?;
            let status = answer.status().as_u16();
            Ok((status, http::body(answer, MOST_BYTES, fault, SourceFault::Oversized).await?))
        };
        timeout(DEADLINE, asking).await.map_err(|_| SourceFault::Slow)?
    }

    async fn get(&self, path: &str) -> Result<Vec<u8>, SourceFault> {
        match self.read(self.http.get(format!("{}{path}", self.base))).await? {
            (200, bytes) => Ok(bytes),
            (404 | 410, _) => Err(SourceFault::NotFound),
            _ => Err(SourceFault::Unreachable),
        }
    }

    /// What it says about an asset: through its first interface, which tells the issuance; the second adds what the registry warns of, and
    /// knows contracts that the first does not. [`SourceFault::NotFound`] when neither knows it.
    pub async fn lookup(&self, asset: &AssetId) -> Result<Entry, SourceFault> {
        let second = match self.get(&format!("/v2/assets/{asset}")).await {
            Ok(bytes) => Some(serde_json::from_slice::<Second>(&bytes).map_err(|_| SourceFault::Garbage)?),
            Err(SourceFault::NotFound) => None,
            Err(fault) => return Err(fault),
        };
        let warned = second.as_ref().is_some_and(|entry| {
            let admin = entry.admin.as_ref();
            admin.is_some_and(|admin| admin.malicious || admin.delisted) || entry.status == "deregistered"
        });
        match (self.get(&format!("/{asset}")).await, second) {
            (Ok(bytes), _) => {
                let entry: First = serde_json::from_slice(&bytes).map_err(|_| SourceFault::Garbage)?;
                let prevout = entry.issuance_prevout.map(|prevout| OutPoint::new(prevout.txid, prevout.vout));
                let contract = entry.contract.to_string();
                Ok(Entry { interface: Interface::V1, asset: entry.asset_id, contract, prevout, warned })
            }
            (Err(SourceFault::NotFound), Some(entry)) => {
                let contract = entry.contract.to_string();
                Ok(Entry { interface: Interface::V2, asset: entry.asset_id, contract, prevout: None, warned })
            }
            (Err(fault), _) => Err(fault),
        }
    }

    /// Registers an asset whose domain proof is published. Contracts of version 0 go to the first interface, later ones to the second, and then
    /// `issuer` is the issuer's key where the contract names none. Registering again what is registered is refused.
    pub async fn publish(&self, asset: &AssetId, contract: &Value, issuer: Option<&str>) -> Result<Interface, PublishFault> {
        let version = contract.get("version").and_then(Value::as_u64).unwrap_or(0);
        let mut body = json!({ "asset_id": asset.to_string(), "contract": contract });
        let (path, interface) = if version == 0 { ("/", Interface::V1) } else { ("/v2/assets", Interface::V2) };
        if interface == Interface::V2 {
            body["domain_verification_method"] = json!("http");
            if let (Some(key), None) = (issuer, contract.get("initial_issuer_pubkey")) {
                body["initial_issuer_pubkey"] = json!(key);
            }
        }
        let request = self.http.post(format!("{}{path}", self.base)).json(&body);
        match self.read(request).await? {
            (200 | 201, _) => Ok(interface),
            (status, _) => Err(PublishFault::Refused(status)),
        }
    }
}
