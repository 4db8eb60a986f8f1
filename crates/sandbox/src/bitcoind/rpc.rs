//! JSON-RPC to our bitcoind, authenticated by its cookie file.

use crate::error::SandboxError;
use bitcoin::BlockHash;
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Calls to one bitcoind. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Rpc {
    url: String,
    cookie: PathBuf,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Reply {
    result: Value,
    error: Option<RpcFault>,
}

#[derive(Deserialize)]
struct RpcFault {
    code: i64,
    message: String,
}

/// What `getblockheader` says of a block.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct HeaderInfo {
    /// Confirmations, its own block included; -1 when it is not on the best chain.
    pub(crate) confirmations: i64,
    /// Transactions in it.
    #[serde(rename = "nTx")]
    pub(crate) transactions: u32,
}

/// An unspent output that `scantxoutset` found.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Unspent {
    pub(crate) txid: bitcoin::Txid,
    pub(crate) vout: u32,
    #[serde(with = "bitcoin::amount::serde::as_btc")]
    pub(crate) amount: bitcoin::Amount,
    pub(crate) coinbase: bool,
    pub(crate) height: u32,
    #[serde(rename = "scriptPubKey")]
    pub(crate) script: bitcoin::ScriptBuf,
}

impl Rpc {
    pub(super) fn new(port: u16, cookie: PathBuf) -> Result<Rpc, SandboxError> {
        let http = crate::http::client(Duration::from_secs(60))?;
        Ok(Rpc { url: format!("http://127.0.0.1:{port}/"), cookie, http })
    }

    /// Where bitcoind writes what its callers must know.
    pub(crate) fn cookie(&self) -> &Path {
        &self.cookie
    }

    /// bitcoind's data directory.
    pub(super) fn datadir(&self) -> &Path {
        self.cookie.parent().and_then(Path::parent).expect("BUG: the cookie lies in regtest/ of the data directory")
    }

    /// Calls `method`.
    pub(crate) async fn call<T: DeserializeOwned>(&self, method: &str, params: &[Value]) -> Result<T, SandboxError> {
        let cookie = tokio::fs::read_to_string(&self.cookie).await.map_err(SandboxError::io("reading bitcoind's cookie"))?;
        let (user, password) = cookie.trim().split_once(':').unwrap_or(("", ""));
        let body = json!({ "jsonrpc": "1.0", "id": 0, "method": method, "params": params });
        let reply: Reply = self.http.post(&self.url).basic_auth(user, Some(password)).json(&body).send().await?.json().await?;
        let refused = |fault: RpcFault| SandboxError::Rpc { method: method.into(), code: fault.code, message: fault.message };
        match reply.error {
            Some(fault) => Err(refused(fault)),
            None => serde_json::from_value(reply.result)
                .map_err(|e| refused(RpcFault { code: 0, message: format!("unexpected answer: {e}") })),
        }
    }

    /// Height of the best chain.
    pub(crate) async fn height(&self) -> Result<u32, SandboxError> {
        self.call("getblockcount", &[]).await
    }

    /// Hash of the block at that height of the best chain.
    pub(crate) async fn block_hash(&self, height: u32) -> Result<BlockHash, SandboxError> {
        self.call("getblockhash", &[json!(height)]).await
    }

    /// The whole block.
    pub(crate) async fn block(&self, hash: &BlockHash) -> Result<bitcoin::Block, SandboxError> {
        self.decode("getblock", &[json!(hash), json!(0)]).await
    }

    /// Where the block stands; `None` when it is unknown.
    pub(crate) async fn header_info(&self, hash: &BlockHash) -> Result<Option<HeaderInfo>, SandboxError> {
        match self.call("getblockheader", &[json!(hash)]).await {
            Ok(info) => Ok(Some(info)),
            // RPC_INVALID_ADDRESS_OR_KEY: block not found.
            Err(SandboxError::Rpc { code: -5, .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Hands a transaction to the mempool. One that is there already, or in a block, is no error.
    pub(crate) async fn broadcast(&self, tx: &bitcoin::Transaction) -> Result<(), SandboxError> {
        let hex = bitcoin::consensus::serialize(tx).to_lower_hex_string();
        match self.call::<Value>("sendrawtransaction", &[json!(hex)]).await {
            Ok(_) => Ok(()),
            // RPC_VERIFY_ALREADY_IN_UTXO_SET.
            Err(SandboxError::Rpc { code: -27, .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Unspent confirmed outputs that pay any of these scripts.
    pub(crate) async fn unspent(&self, scripts: &[bitcoin::ScriptBuf]) -> Result<Vec<Unspent>, SandboxError> {
        #[derive(Deserialize)]
        struct Scan {
            unspents: Vec<Unspent>,
        }
        let wanted: Vec<Value> = scripts.iter().map(|script| json!(format!("raw({script:x})"))).collect();
        Ok(self.call::<Scan>("scantxoutset", &[json!("start"), json!(wanted)]).await?.unspents)
    }

    /// Whether each of these outputs is spent by a transaction of the mempool, in order.
    pub(crate) async fn spent_in_mempool(&self, outpoints: &[bitcoin::OutPoint]) -> Result<Vec<bool>, SandboxError> {
        if outpoints.is_empty() {
            return Ok(Vec::new());
        }
        let asked: Vec<Value> = outpoints.iter().map(|o| json!({ "txid": o.txid, "vout": o.vout })).collect();
        let spending: Vec<Value> = self.call("gettxspendingprevout", &[json!(asked)]).await?;
        Ok(spending.iter().map(|one| one.get("spendingtxid").is_some()).collect())
    }

    /// Mines blocks that pay `address`, with what is in the mempool.
    pub(crate) async fn generate(&self, blocks: u32, address: &bitcoin::Address) -> Result<(), SandboxError> {
        self.call::<Vec<BlockHash>>("generatetoaddress", &[json!(blocks), json!(address.to_string())]).await.map(drop)
    }

    /// Has bitcoind write its chain to disk, which it does once an hour otherwise: a bitcoind that is killed goes back to what it wrote,
    /// and deposits that the sidechain has honoured must not be among what it forgets.
    pub(crate) async fn flush(&self) -> Result<(), SandboxError> {
        self.call::<Value>("gettxoutsetinfo", &[json!("none"), Value::Null, json!(false)]).await.map(drop)
    }

    async fn decode<T: bitcoin::consensus::Decodable>(&self, method: &str, params: &[Value]) -> Result<T, SandboxError> {
        let hex: String = self.call(method, params).await?;
        Vec::from_hex(&hex).ok().and_then(|bytes| bitcoin::consensus::deserialize(&bytes).ok()).ok_or_else(|| SandboxError::Rpc {
            method: method.into(),
            code: 0,
            message: "an answer that does not decode".into(),
        })
    }
}
