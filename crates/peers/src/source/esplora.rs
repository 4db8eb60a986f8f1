//! An Esplora server: one HTTP request per fact.

use super::{Answer, DEADLINE, HeaderSource, Inclusion, MOST_BYTES, MOST_HEADERS, SourceFault, Trust, in_order};
use crate::http;
use bitcoin::hex::FromHex as _;
use causeway_sidechain::consensus::header;
use causeway_vocab::Height;
use elements::{BlockHash, BlockHeader, Transaction, TxMerkleNode, Txid};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// A part of an answer must come within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Levels of a merkle branch; no block has more.
const MOST_LEVELS: usize = 32;

/// An Esplora server.
pub struct Esplora {
    base: String,
    http: reqwest::Client,
}

impl Esplora {
    /// `base` is what stands before `/blocks/tip/height`. `None` when it is no HTTP address. Redirects and proxies of the environment are
    /// not followed.
    pub fn new(base: &str, trust: &Trust) -> Option<Esplora> {
        let (base, _) = http::address(base)?;
        Some(Esplora { base, http: http::client(trust, Some(PATIENCE))? })
    }

    async fn get(&self, path: &str, most: usize) -> Result<Vec<u8>, SourceFault> {
        let asking = async {
            let answer = self.http.get(format!("{}{path}", self.base)).send().await.map_err(fault)?;
            if answer.status() == reqwest::StatusCode::NOT_FOUND {
                return Err(SourceFault::NotFound);
            }
            if !answer.status().is_success() {
                return Err(SourceFault::Unreachable);
            }
            http::body(answer, most, fault, SourceFault::Oversized).await
        };
        timeout(DEADLINE, asking).await.map_err(|_| SourceFault::Slow)?
    }

    async fn text(&self, path: &str, most: usize) -> Result<String, SourceFault> {
        let bytes = self.get(path, most).await?;
        String::from_utf8(bytes).map(|text| text.trim().to_owned()).map_err(|_| SourceFault::Garbage)
    }

    async fn hash_at(&self, height: Height) -> Result<BlockHash, SourceFault> {
        self.text(&format!("/block-height/{height}"), 128).await?.parse().map_err(|_| SourceFault::Garbage)
    }

    async fn header(&self, hash: BlockHash) -> Result<BlockHeader, SourceFault> {
        let hex = self.text(&format!("/block/{hash}/header"), 2 * header::MAX_HEADER_SIZE + 2).await?;
        let bytes = Vec::<u8>::from_hex(&hex).map_err(|_| SourceFault::Garbage)?;
        let header = header::decode(&bytes).map_err(|_| SourceFault::Garbage)?;
        if header.block_hash() == hash { Ok(header) } else { Err(SourceFault::Lie) }
    }

    /// A whole block. Only its hash is checked.
    pub async fn block(&self, hash: BlockHash) -> Result<elements::Block, SourceFault> {
        let bytes = self.get(&format!("/block/{hash}/raw"), MOST_BYTES).await?;
        let block: elements::Block = elements::encode::deserialize(&bytes).map_err(|_| SourceFault::Garbage)?;
        if block.block_hash() == hash { Ok(block) } else { Err(SourceFault::Lie) }
    }
}

fn fault(error: reqwest::Error) -> SourceFault {
    match () {
        () if error.is_timeout() => SourceFault::Slow,
        () if error.is_body() || error.is_decode() => SourceFault::Garbage,
        () => SourceFault::Unreachable,
    }
}

/// Reads the answer to `/tx/:txid/merkle-proof`: height, position and branch. Total.
pub fn read_proof(bytes: &[u8]) -> Result<(Height, u32, Vec<TxMerkleNode>), SourceFault> {
    let answer: Value = serde_json::from_slice(bytes).map_err(|_| SourceFault::Garbage)?;
    let number = |name: &str| answer[name].as_u64().and_then(|n| u32::try_from(n).ok()).ok_or(SourceFault::Garbage);
    let list = answer["merkle"].as_array().filter(|list| list.len() <= MOST_LEVELS).ok_or(SourceFault::Garbage)?;
    let node = |value: &Value| value.as_str().and_then(|hex| hex.parse().ok()).ok_or(SourceFault::Garbage);
    Ok((number("block_height")?, number("pos")?, list.iter().map(node).collect::<Result<_, _>>()?))
}

impl HeaderSource for Esplora {
    fn name(&self) -> String {
        self.base.clone()
    }

    fn tip(&self) -> Answer<'_, Height> {
        Box::pin(async { self.text("/blocks/tip/height", 32).await?.parse().map_err(|_| SourceFault::Garbage) })
    }

    fn headers(&self, first: Height, most: u32) -> Answer<'_, Vec<BlockHeader>> {
        Box::pin(async move {
            let tip = self.tip().await?;
            if first > tip || most == 0 {
                return Err(SourceFault::NotFound);
            }
            let last = tip.min(first.saturating_add(most.min(MOST_HEADERS) - 1));
            // Backwards, because each header names its parent: half the questions.
            let mut hash = self.hash_at(last).await?;
            let mut headers = Vec::new();
            for _ in first..=last {
                let header = self.header(hash).await?;
                hash = header.prev_blockhash;
                headers.push(header);
            }
            headers.reverse();
            in_order(&headers, first, most)?;
            Ok(headers)
        })
    }

    fn inclusion(&self, txid: Txid, height: Height) -> Answer<'_, Inclusion> {
        Box::pin(async move {
            let (at, position, branch) = read_proof(&self.get(&format!("/tx/{txid}/merkle-proof"), 64 * 1024).await?)?;
            let bytes = self.get(&format!("/tx/{txid}/raw"), MOST_BYTES).await?;
            let tx: Transaction = elements::encode::deserialize(&bytes).map_err(|_| SourceFault::Garbage)?;
            if at != height || tx.txid() != txid {
                return Err(SourceFault::Lie);
            }
            Ok(Inclusion { tx, position, branch })
        })
    }
}
