//! What the control plane's headers prove.

use super::{Asked, ControlPlane, bad, silent};
use bitcoin::base64::Engine as _;
use bitcoin::base64::prelude::BASE64_STANDARD;
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use causeway_staking::light::{LightBlock, LightClient, NotTrusted};
use causeway_staking::params::ParamsHistory;
use causeway_staking::store_proof::{ProofOp, ProofOps};
use causeway_staking::stored;
use causeway_vocab::{Code, Refusal};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tendermint::Hash;
use tendermint::block::signed_header::SignedHeader;
use tendermint::validator::{Info, Set};

/// Validators in one answer, and answers that are read at most.
const PAGE: usize = 100;
const PAGES: usize = 10;
/// Steps between two blocks that are too far from each other.
const MOST_STEPS: usize = 64;
/// Versions of the parameters that are read at most.
const MOST_VERSIONS: u32 = 1_000;

#[derive(Deserialize)]
struct Reply<T> {
    result: T,
}

#[derive(Deserialize)]
struct Status {
    sync_info: SyncInfo,
}

#[derive(Deserialize)]
struct SyncInfo {
    latest_block_height: String,
}

#[derive(Deserialize)]
struct Commit {
    signed_header: SignedHeader,
}

#[derive(Deserialize)]
struct Validators {
    validators: Vec<Info>,
    total: String,
}

#[derive(Deserialize)]
struct Query {
    response: Response,
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    code: u32,
    value: Option<String>,
    #[serde(rename = "proofOps")]
    proof: Option<Ops>,
}

#[derive(Deserialize)]
struct Ops {
    ops: Vec<Op>,
}

#[derive(Deserialize)]
struct Op {
    r#type: String,
    key: String,
    data: String,
}

impl ControlPlane {
    async fn node<T: DeserializeOwned>(&self, base: &str, path: &str) -> Result<T, Refusal> {
        let url = format!("{}{path}", base.trim_end_matches('/'));
        match self.exchange(self.http.get(url)).await? {
            Asked::Found(bytes) => serde_json::from_slice::<Reply<T>>(&bytes).map(|reply| reply.result).map_err(|_| bad()),
            Asked::Missing => Err(bad()),
        }
    }

    fn first(&self) -> &str {
        &self.params.nodes[0]
    }

    /// The height that the first node says it is at.
    pub(super) async fn latest_height(&self) -> Result<u64, Refusal> {
        let status: Status = self.node(self.first(), "/status").await?;
        status.sync_info.latest_block_height.parse().map_err(|_| bad())
    }

    async fn validators(&self, height: u64) -> Result<Set, Refusal> {
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let told: Validators =
                self.node(self.first(), &format!("/validators?height={height}&page={page}&per_page={PAGE}")).await?;
            let total: usize = told.total.parse().map_err(|_| bad())?;
            let empty = told.validators.is_empty();
            all.extend(told.validators);
            if all.len() >= total {
                return Ok(Set::without_proposer(all));
            }
            if empty {
                break;
            }
        }
        Err(bad())
    }

    async fn block(&self, height: u64) -> Result<LightBlock, Refusal> {
        let commit: Commit = self.node(self.first(), &format!("/commit?height={height}")).await?;
        let (validators, next_validators) = (self.validators(height).await?, self.validators(height.saturating_add(1)).await?);
        let block = LightBlock { signed_header: commit.signed_header, validators, next_validators };
        if block.height() == height { Ok(block) } else { Err(bad()) }
    }

    /// Moves trust from a block whose hash is known to the last one, and compares that with what the other nodes show. `now` is in Unix seconds.
    ///
    /// Refused with `TrustExpired`, `ControlPlaneForked` (`height`), `WrongGenesis`, `BadHeader`; with `NoPeers` when the first node or all the
    /// others are silent.
    pub async fn follow(&self, height: u64, hash: &str, now: u32) -> Result<LightClient, Refusal> {
        let pinned = <[u8; 32]>::from_hex(hash).map_err(|_| Refusal::new(Code::BadRealm).with("field", "staking.anchor_hash"))?;
        let period = Duration::from_secs(self.params.trusting_period.into());
        let mut client = LightClient::new(self.block(height).await?, Hash::Sha256(pinned), period)?;
        let latest = self.latest_height().await?;
        let mut targets = vec![latest];
        for _ in 0..MOST_STEPS {
            let Some(target) = targets.last().copied().filter(|target| *target > client.trusted().height()) else { break };
            match client.advance(self.block(target).await?, now) {
                Ok(()) => drop(targets.pop()),
                Err(NotTrusted::TooFar) => {
                    let between = client.trusted().height().midpoint(target);
                    if between <= client.trusted().height() {
                        return Err(NotTrusted::TooFar.into());
                    }
                    targets.push(between);
                }
                Err(other) => return Err(other.into()),
            }
        }
        if client.trusted().height() < latest {
            return Err(NotTrusted::TooFar.into());
        }
        self.compare(&client).await?;
        Ok(client)
    }

    /// Asks every other node for the same height: one must answer, and none may differ.
    async fn compare(&self, client: &LightClient) -> Result<(), Refusal> {
        let mut agreed = false;
        for base in &self.params.nodes[1..] {
            let path = format!("/commit?height={}", client.trusted().height());
            match self.node::<Commit>(base, &path).await {
                Ok(other) => {
                    client.witness(other.signed_header.header())?;
                    agreed |= other.signed_header.header().hash() == client.trusted().hash();
                }
                Err(refusal) => tracing::debug!(code = ?refusal.code, "a node of the control plane does not answer"),
            }
        }
        if agreed { Ok(()) } else { Err(silent()) }
    }

    /// Every version of the staking parameters, each proved under the last verified header. That there is no later one is only reported.
    pub async fn proved_params(&self, client: &LightClient) -> Result<ParamsHistory, Refusal> {
        let last = self.last_version().await?.min(MOST_VERSIONS);
        // A header's app hash covers the state below it.
        let height = client.trusted().height().saturating_sub(1);
        let mut versions = Vec::new();
        for version in 0..=last {
            let key = stored::key(version);
            let value = self.proved(client, height, &key).await?;
            let (number, params) = stored::decode(&value).filter(|(number, _)| *number == version).ok_or_else(bad)?;
            versions.push((number, params));
        }
        ParamsHistory::new(versions).map_err(|_| bad())
    }

    /// The value of a key of the store, if the proof holds.
    async fn proved(&self, client: &LightClient, height: u64, key: &[u8]) -> Result<Vec<u8>, Refusal> {
        let (store, data) = (stored::STORE, key.to_lower_hex_string());
        let path = format!("/abci_query?path=\"store/{store}/key\"&data=0x{data}&height={height}&prove=true");
        let Query { response } = self.node(self.first(), &path).await?;
        let decode = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| bad());
        let (0, Some(value), Some(proof)) = (response.code, response.value, response.proof) else { return Err(bad()) };
        let value = decode(&value)?;
        let ops =
            proof.ops.iter().map(|op| Ok(ProofOp { r#type: op.r#type.clone(), key: decode(&op.key)?, data: decode(&op.data)? }));
        let proof = ProofOps { ops: ops.collect::<Result<_, Refusal>>()? };
        proof.verify_value(client.app_hash(), store, key, &value).map_err(|_| bad())?;
        Ok(value)
    }
}
