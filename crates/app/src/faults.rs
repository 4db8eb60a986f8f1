//! Evidence against a federation: what it signed, and which rule that breaks. Anybody can check the file without a wallet or a network.

use crate::proofs;
use causeway_contract::{Code, Failure, ProofKind, ProofStatement, ProofVerdict};
use causeway_sidechain::consensus::header::HeaderChain;
use causeway_sidechain::consensus::merkle;
use causeway_vocab::SidechainParams;
use elements::encode::serialize_hex;
use elements::{Block, BlockHeader, Transaction, Txid};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Format of the file.
pub(crate) const FORMAT: &str = "causeway-fault-1";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    #[serde(flatten)]
    of: Of,
}

/// What the federation signed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Of {
    /// A header that breaks a rule.
    Header(Headers),
    /// A block with a transaction whose confidential proofs do not hold. The whole block: only its coinbase commits to the proofs.
    Block(Signed),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Headers {
    chain: SidechainParams,
    /// Every header from height 1 on; the last breaks the rule.
    headers: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    chain: SidechainParams,
    /// Every header from height 1 to that of the block.
    headers: Vec<String>,
    block: String,
    txid: Txid,
    /// The transactions it spends from, as far as they are not in the block.
    parents: Vec<String>,
}

/// Writes the evidence of a header that breaks a rule: raw headers from height 1 on, the last of which is the one.
pub fn write_header(params: &SidechainParams, headers: &[Vec<u8>]) -> String {
    text(Of::Header(Headers { chain: nameless(params), headers: hex(headers) }))
}

/// Writes the evidence of a transaction whose proofs do not hold: the block that holds it, raw headers from height 1 to that of the block,
/// and what the transaction spends from.
pub fn write_block(params: &SidechainParams, headers: &[Vec<u8>], block: &Block, txid: Txid, parents: &[Transaction]) -> String {
    let parents = parents.iter().map(serialize_hex).collect();
    text(Of::Block(Signed { chain: nameless(params), headers: hex(headers), block: serialize_hex(block), txid, parents }))
}

/// Whom the wallet talks to is nobody's business.
fn nameless(params: &SidechainParams) -> SidechainParams {
    SidechainParams { peers: Vec::new(), ..params.clone() }
}

fn hex(headers: &[Vec<u8>]) -> Vec<String> {
    headers.iter().map(bitcoin::hex::DisplayHex::to_lower_hex_string).collect()
}

fn text(of: Of) -> String {
    serde_json::to_string(&File { format: FORMAT.into(), of }).expect("BUG: evidence has no value that JSON lacks")
}

/// Checks evidence: `ok` when the federation did sign what breaks a rule.
pub(crate) fn verify(text: &str) -> Result<ProofVerdict, Failure> {
    let bad = |field: &str| Failure::new(Code::BadRequest).with("field", field);
    let file: File = serde_json::from_str(text).map_err(|_| bad("fault"))?;
    let statement = match file.of {
        Of::Header(headers) => judge_header(&headers),
        Of::Block(signed) => judge_block(&signed),
    };
    let (ok, detail) = match statement {
        Ok(what) => (true, what),
        Err(why) => (false, why),
    };
    Ok(ProofVerdict { ok, statements: vec![ProofStatement { kind: ProofKind::Fault, ok, amount: None, detail }] })
}

/// Walks headers under every rule from the genesis block on.
fn walk(params: &SidechainParams, headers: &[BlockHeader]) -> Result<HeaderChain, String> {
    let mut chain = HeaderChain::new(Arc::new(params.clone())).ok_or("the genesis block is not the one that the file names")?;
    for header in headers {
        // The signers' own clock: the evidence is no younger than what it is about.
        chain.accept(header, u64::from(header.time)).map_err(|why| format!("height {}: {why}", header.height))?;
    }
    Ok(chain)
}

fn read(headers: &[String]) -> Result<Vec<BlockHeader>, String> {
    headers.iter().map(|hex| proofs::decode_header(hex).ok_or_else(|| "a header cannot be read".into())).collect()
}

/// The last header must break a rule under valid signatures, and the others none.
fn judge_header(file: &Headers) -> Result<String, String> {
    let headers = read(&file.headers)?;
    let (last, before) = headers.split_last().ok_or("no header")?;
    let chain = walk(&file.chain, before)?;
    let Err(why) = chain.state().next(&file.chain, last, u64::from(last.time)) else {
        return Err("the header breaks no rule".into());
    };
    let signers =
        chain.state().misrule(&file.chain, last, &why).ok_or_else(|| format!("the federation did not sign it: {why}"))?;
    let (k, n) = (signers.multisig.k, signers.multisig.n());
    Ok(format!("{k} of {n} signed {}: {why}; genesis {}", last.block_hash(), file.chain.genesis_hash))
}

/// Header, transactions and witnesses must be what the federation signed, and the proofs of the transaction must not hold.
fn judge_block(file: &Signed) -> Result<String, String> {
    let block: Block = proofs::from_hex(&file.block).ok_or("the block cannot be read")?;
    let chain = walk(&file.chain, &read(&file.headers)?)?;
    let (k, n) = chain.state().signers().filter(|(k, _)| *k > 0).ok_or("nobody signed the block")?;
    if chain.tip().hash != block.block_hash() {
        return Err("the headers do not lead to the block".into());
    }
    merkle::check_block(&block).and_then(|()| merkle::check_witness_commitment(&block)).map_err(|why| why.to_string())?;
    let tx = block
        .txdata
        .iter()
        .find(|tx| tx.txid() == file.txid && !tx.is_coinbase())
        .ok_or("the transaction is not in the block")?;
    let parents: Option<Vec<Transaction>> = file.parents.iter().map(|hex| proofs::from_hex(hex)).collect();
    let parents = parents.ok_or("a transaction cannot be read")?;
    let spent = proofs::spent(tx, block.txdata.iter().chain(&parents)).ok_or("what the transaction spends is not in the file")?;
    match causeway_sidechain::consensus::proofs::verify(tx, &spent, file.chain.policy_asset) {
        Ok(_) => Err("the proofs hold".into()),
        Err(why) => {
            Ok(format!("{k} of {n} signed {} with {}: {why}; genesis {}", block.block_hash(), file.txid, file.chain.genesis_hash))
        }
    }
}
