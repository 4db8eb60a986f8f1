//! The control service: test coins, blocks on request, and faults on request. Plain HTTP with JSON, loopback only.
//!
//! | route | body | answer |
//! |---|---|---|
//! | `GET /status` | | [`Status`] |
//! | `GET /params` | | [`Params`] |
//! | `POST /fund` | [`Fund`] | [`Funded`] |
//! | `POST /mine` | [`Mine`] | [`Mined`] |
//! | `POST /pause` | [`Pause`] | `{}` |
//! | `POST /reorg` | [`Reorg`] | [`Mined`] |
//! | `POST /functionary` | [`Switch`] | `{}` |
//! | `POST /federation` | [`Propose`] | `{}` |
//! | `POST /pak` | [`Enlist`] | `{}` |
//! | `POST /emergency` | [`Withdraw`] | [`Withdrawn`] |
//! | `POST /misbehave` | [`Misbehave`] | `{}` |
//! | `POST /acknowledge` | | `{}` |
//! | `POST /down` | | `{}` |
//!
//! A refusal is status 400 or 500 with `{"error": "…"}`. Requests that a web page could make are refused: a `Host` that is not this
//! address (DNS rebinding), any `Origin`, and bodies that are not declared as JSON.

pub(crate) mod service;

use crate::error::SandboxError;
use crate::lifecycle::Params;
use crate::plane::{Committee, Equivocate, Jail, NewParams, Switches};
use causeway_vocab::{Height, NetworkId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// Most satoshi that one request can be given.
pub const MAX_FUND: u64 = 100 * 100_000_000;
/// Most blocks that one request can ask for.
pub const MAX_BLOCKS: u32 = 2_000;

/// How long a request may take; two thousand blocks take minutes.
const PATIENCE: Duration = Duration::from_secs(600);

/// Asks for test bitcoin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fund {
    /// A regtest address.
    pub address: String,
    /// Amount, at most [`MAX_FUND`].
    pub sat: u64,
    /// Bitcoin blocks to mine once the payment is in the mempool.
    #[serde(default)]
    pub mine: u32,
}

/// Publishes a file as the web server of an issuer's domain would, for the sandbox's asset registry to find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The domain.
    pub domain: String,
    /// The path of the file, with its first slash.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Test bitcoin is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funded {
    /// The paying transaction.
    pub txid: bitcoin::Txid,
    /// Which output pays.
    pub vout: u32,
}

/// Asks for blocks now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mine {
    /// Which chain grows.
    pub network: NetworkId,
    /// By how many blocks, at most [`MAX_BLOCKS`].
    pub blocks: u32,
}

/// Where a chain stands after a request for blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mined {
    /// Height of the best block.
    pub height: Height,
    /// Its hash, hex as RPCs print it.
    pub tip: String,
}

/// Stops or restarts the clocks that make blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// `true`: no Bitcoin block is mined by the clock.
    pub mine_timer: bool,
    /// `true`: no sidechain block is proposed by the clock; requests still make them.
    #[serde(default)]
    pub blocks: bool,
}

/// Replaces the last Bitcoin blocks by one more than their number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reorg {
    /// How many blocks are undone, at most 100. Their transactions go back to the mempool and into none of the new blocks.
    pub depth: u32,
}

/// Starts or stops one functionary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// Which, from 0: those of the genesis block in the order of its script, then the spare ones.
    pub index: u8,
    /// What happens to it.
    pub action: SwitchAction,
}

/// What happens to a functionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwitchAction {
    /// It neither speaks nor listens any more.
    Stop,
    /// It comes back with the signing state it has on disk.
    Start,
}

/// Has the functionaries vote for another federation. It is in force from the first epoch after one in which 4/5 of the blocks voted for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Propose {
    /// Who, by index; spare ones are started.
    pub members: Vec<u8>,
    /// How many of them must sign blocks and peg-outs.
    pub threshold: u8,
    /// Bitcoin blocks until the emergency path opens, 0 for none; as at the beginning when left out.
    #[serde(default)]
    pub emergency_delay: Option<u16>,
}

/// Has the functionaries vote for one more entry of the peg-out authorisation list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enlist {
    /// Offline key, then online key: 66 bytes, hex.
    pub entry: String,
}

/// Has the emergency quorum withdraw everything that the federation holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// A regtest address.
    pub address: String,
}

/// The withdrawal waits for a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// The Bitcoin transaction.
    pub txid: bitcoin::Txid,
}

/// Has a functionary sign a second block of the last height.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misbehave {
    /// Which functionary.
    pub index: u8,
}

/// What the sandbox is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Height of the Bitcoin chain.
    pub bitcoin_height: Height,
    /// Height of the sidechain.
    pub sidechain_height: Height,
    /// Genesis hash of the sidechain: which sandbox this is.
    pub genesis_hash: elements::BlockHash,
    /// Which functionaries run, by index.
    pub functionaries: Vec<bool>,
    /// Peg-outs on the sidechain that no confirmed Bitcoin transaction has paid.
    pub pending_pegouts: u32,
    /// Sidechain transactions waiting for a block.
    pub mempool: u32,
    /// The clock mines Bitcoin blocks.
    pub mining: bool,
}

/// A client of the control service.
#[derive(Debug, Clone)]
pub struct Control {
    address: SocketAddr,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl Control {
    /// A client of the service at `address` (the realm's `testbed.control`).
    pub fn at(address: SocketAddr) -> Result<Control, SandboxError> {
        let http = crate::http::client(PATIENCE)?;
        Ok(Control { address, http })
    }

    /// What the sandbox is doing.
    pub async fn status(&self) -> Result<Status, SandboxError> {
        self.get("status").await
    }

    /// The realm and how elementsd follows it.
    pub async fn params(&self) -> Result<Params, SandboxError> {
        self.get("params").await
    }

    /// Pays a regtest address. Not idempotent: every call pays.
    pub async fn fund(&self, request: &Fund) -> Result<Funded, SandboxError> {
        self.post("fund", request).await
    }

    /// Makes blocks and returns when they are there.
    pub async fn mine(&self, network: NetworkId, blocks: u32) -> Result<Mined, SandboxError> {
        self.post("mine", &Mine { network, blocks }).await
    }

    /// Stops or restarts the clocks.
    pub async fn pause(&self, request: &Pause) -> Result<(), SandboxError> {
        self.post::<serde_json::Value>("pause", request).await.map(drop)
    }

    /// Replaces the last Bitcoin blocks.
    pub async fn reorg(&self, depth: u32) -> Result<Mined, SandboxError> {
        self.post("reorg", &Reorg { depth }).await
    }

    /// Starts or stops a functionary.
    pub async fn functionary(&self, index: u8, action: SwitchAction) -> Result<(), SandboxError> {
        self.post::<serde_json::Value>("functionary", &Switch { index, action }).await.map(drop)
    }

    /// Has the functionaries vote for another federation. Refused with the reason when it would lock them out.
    pub async fn propose(&self, request: &Propose) -> Result<(), SandboxError> {
        self.post::<serde_json::Value>("federation", request).await.map(drop)
    }

    /// Has the functionaries vote for one more entry of the peg-out authorisation list, 66 bytes in hex.
    pub async fn enlist(&self, entry: &str) -> Result<(), SandboxError> {
        self.post::<serde_json::Value>("pak", &Enlist { entry: entry.to_owned() }).await.map(drop)
    }

    /// Has the emergency quorum withdraw everything. Refused by bitcoind while any coin is younger than its script allows.
    pub async fn withdraw(&self, address: &str) -> Result<bitcoin::Txid, SandboxError> {
        let withdrawn: Withdrawn = self.post("emergency", &Withdraw { address: address.to_owned() }).await?;
        Ok(withdrawn.txid)
    }

    /// Publishes a file at a domain of the sandbox.
    pub async fn publish(&self, request: &Publish) -> Result<(), SandboxError> {
        self.post::<serde_json::Value>("registry/domain", request).await.map(drop)
    }

    /// Has a functionary sign a second block of the last height. The others find out.
    pub async fn misbehave(&self, index: u8) -> Result<(), SandboxError> {
        self.post::<serde_json::Value>("misbehave", &Misbehave { index }).await.map(drop)
    }

    /// Lets functionaries go on that a proof of a double signature has halted, as if their operators had looked at it.
    pub async fn acknowledge(&self) -> Result<(), SandboxError> {
        self.post::<serde_json::Value>("acknowledge", &serde_json::json!({})).await.map(drop)
    }

    /// Tells the control plane's committee how to behave.
    pub async fn committee(&self, how: Committee) -> Result<(), SandboxError> {
        self.post::<serde_json::Value>("plane/world/committee", &how).await.map(drop)
    }

    /// Has a finality provider vote twice; its stakes are slashed on Bitcoin.
    pub async fn equivocate(&self, provider: usize) -> Result<(), SandboxError> {
        self.post::<serde_json::Value>("plane/world/equivocate", &Equivocate { provider }).await.map(drop)
    }

    /// Jails a finality provider, or lets it out.
    pub async fn jail(&self, provider: usize, jailed: bool) -> Result<(), SandboxError> {
        self.post::<serde_json::Value>("plane/world/jail", &Jail { provider, jailed }).await.map(drop)
    }

    /// Has other staking parameters apply from the next Bitcoin block on.
    pub async fn staking_params(&self, unbonding_fee: u64) -> Result<(), SandboxError> {
        self.post::<serde_json::Value>("plane/world/params", &NewParams { unbonding_fee }).await.map(drop)
    }

    /// Silences the control plane, or lets its second node show a fork.
    pub async fn plane(&self, switches: Switches) -> Result<(), SandboxError> {
        self.post::<serde_json::Value>("plane/world/switch", &switches).await.map(drop)
    }

    /// Ends the sandbox. Returns as soon as it has agreed; [`crate::down`] also waits.
    pub async fn down(&self) -> Result<(), SandboxError> {
        self.post::<serde_json::Value>("down", &serde_json::json!({})).await.map(drop)
    }

    async fn get<T: DeserializeOwned>(&self, route: &str) -> Result<T, SandboxError> {
        read(self.http.get(format!("http://{}/{route}", self.address)).send().await?).await
    }

    async fn post<T: DeserializeOwned>(&self, route: &str, body: &impl Serialize) -> Result<T, SandboxError> {
        read(self.http.post(format!("http://{}/{route}", self.address)).json(body).send().await?).await
    }
}

async fn read<T: DeserializeOwned>(answer: reqwest::Response) -> Result<T, SandboxError> {
    if answer.status().is_success() {
        return Ok(answer.json().await?);
    }
    let status = answer.status();
    let why = answer.json::<Refused>().await.map_or_else(|_| status.to_string(), |refused| refused.error);
    Err(SandboxError::Refused(why))
}
