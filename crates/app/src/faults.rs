//! Evidence against a federation: what it signed, and which rule that breaks. Anybody can check the file without a wallet or a network.

use crate::proofs;
use causeway_contract::{Code, Failure, ProofKind, ProofStatement, ProofVerdict};
use causeway_federation::DoubleSign;
use causeway_sidechain::consensus::header::HeaderChain;
use causeway_sidechain::consensus::merkle;
use causeway_sidechain::consensus::signature::verify_own_signatures;
use causeway_vocab::SidechainParams;
use elements::encode::serialize_hex;
use elements::{Block, BlockHeader, Transaction, Txid};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Confirmations after which a block is taken to stay.
const FINAL: usize = 2;
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
    /// Two histories above one block, the longer of which leaves at least two blocks of the other behind.
    Fork(Fork),
    /// Two blocks of one height under one member's key.
    DoubleSign(Double),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fork {
    chain: SidechainParams,
    /// Every header from height 1 to the last that both histories share.
    headers: Vec<String>,
    /// The headers above it in one history.
    one: Vec<String>,
    /// And in the other.
    other: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Double {
    chain: SidechainParams,
    /// Every header from height 1 to the height that was signed twice, whose signatures name the members.
    headers: Vec<String>,
    /// Key, then twice a header without signatures and the key's signature.
    proof: String,
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

/// Writes the evidence of two histories: raw headers from height 1 to the last common one, then those of each.
pub fn write_fork(params: &SidechainParams, headers: &[Vec<u8>], one: &[Vec<u8>], other: &[Vec<u8>]) -> String {
    text(Of::Fork(Fork { chain: nameless(params), headers: hex(headers), one: hex(one), other: hex(other) }))
}

/// Writes the evidence of a height that a member signed twice: raw headers from height 1 to that height, and the proof.
pub fn write_double_sign(params: &SidechainParams, headers: &[Vec<u8>], proof: &DoubleSign) -> String {
    let proof = bitcoin::hex::DisplayHex::to_lower_hex_string(&proof.to_bytes()[..]);
    text(Of::DoubleSign(Double { chain: nameless(params), headers: hex(headers), proof }))
}

/// Whom the wallet talks to is nobody's business.
fn nameless(params: &SidechainParams) -> SidechainParams {
    SidechainParams { peers: Vec::new(), sources: Vec::new(), ..params.clone() }
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
        Of::Fork(fork) => judge_fork(&fork),
        Of::DoubleSign(double) => judge_double_sign(&double),
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

/// Both histories must hold under every rule, part at once, and one must have been final.
fn judge_fork(file: &Fork) -> Result<String, String> {
    let common = walk(&file.chain, &read(&file.headers)?)?;
    let sides = [read(&file.one)?, read(&file.other)?];
    let mut signers = Vec::new();
    for side in &sides {
        let mut chain = common.clone();
        for header in side {
            chain.accept(header, u64::from(header.time)).map_err(|why| format!("height {}: {why}", header.height))?;
        }
        let first = side.first().ok_or("one history is empty")?;
        signers.push(verify_own_signatures(first, &file.chain).map_err(|why| why.to_string())?);
    }
    let [one, other] = &sides;
    if one[0].block_hash() == other[0].block_hash() {
        return Err("the histories do not part there".into());
    }
    if one.len().max(other.len()) < FINAL {
        return Err("neither history was final".into());
    }
    let twice = signers[0].members.iter().filter(|member| signers[1].members.contains(member)).count();
    let (k, n) = (signers[0].multisig.k, signers[0].multisig.n());
    let height = one[0].height;
    Ok(format!(
        "{k} of {n} signed two histories from height {height} on, {twice} of them both; genesis {}",
        file.chain.genesis_hash
    ))
}

/// The key must be one of the federation's at that height.
fn judge_double_sign(file: &Double) -> Result<String, String> {
    let bytes = <Vec<u8> as bitcoin::hex::FromHex>::from_hex(&file.proof).map_err(|_| "the proof cannot be read")?;
    let proof = DoubleSign::from_bytes(&bytes).map_err(|_| "the proof cannot be read")?;
    let headers = read(&file.headers)?;
    walk(&file.chain, &headers)?;
    let last = headers.last().filter(|header| header.height == proof.height()).ok_or("the headers lead to another height")?;
    let signers = verify_own_signatures(last, &file.chain).map_err(|why| why.to_string())?;
    let member = signers.multisig.keys.iter().position(|key| *key == proof.key).ok_or("the key is no member's at that height")?;
    if !proof.verify() {
        return Err("the signatures do not hold for two blocks of one height".into());
    }
    let n = signers.multisig.n();
    let (one, other) = (proof.first.0.block_hash(), proof.second.0.block_hash());
    Ok(format!(
        "member {} of {n} signed {one} and {other} at height {}; genesis {}",
        member + 1,
        proof.height(),
        file.chain.genesis_hash
    ))
}
