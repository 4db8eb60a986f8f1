//! Evidence against a federation: what it signed, and which rule that breaks. Anybody can check the file without a wallet or a network.

use crate::{lineage, proofs};
use causeway_contract::{Code, Failure, ProofKind, ProofStatement, ProofVerdict};
use causeway_federation::DoubleSign;
use causeway_sidechain::consensus::header::{self, HeaderChain};
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    /// What leads to the last header that both histories share.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    /// What leads to the height that was signed twice; the signatures of the last name the members.
    headers: Vec<String>,
    /// Key, then twice a header without signatures and the key's signature.
    proof: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Headers {
    chain: SidechainParams,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    /// What leads to the last, which breaks the rule.
    headers: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    chain: SidechainParams,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    /// What leads to the header of the block, that one included.
    headers: Vec<String>,
    block: String,
    txid: Txid,
    /// The transactions it spends from, as far as they are not in the block.
    parents: Vec<String>,
}

/// What leads from a block that everybody knows to another one.
#[derive(Debug, Clone, Copy)]
pub struct Lead<'h> {
    /// The pinned first header of an epoch from which the chain was followed; `None` for its genesis block.
    pub root: Option<&'h BlockHeader>,
    /// Every raw header above it, ascending. Only those that are needed are written.
    pub headers: &'h [Vec<u8>],
}

impl<'h> Lead<'h> {
    /// From the genesis block on.
    pub fn whole(headers: &'h [Vec<u8>]) -> Lead<'h> {
        Lead { root: None, headers }
    }

    fn root(&self) -> Option<String> {
        self.root.map(serialize_hex)
    }

    /// The headers that a stranger needs: those by which [`lineage::trail`] goes, and `then`.
    fn needed(&self, params: &SidechainParams, then: &[Vec<u8>]) -> Vec<String> {
        let first = self.root.map_or(1, |root| root.height.saturating_add(1));
        let at = |height: u32| self.headers.get(height.checked_sub(first)? as usize).and_then(|raw| header::decode(raw).ok());
        let last = first.saturating_add(u32::try_from(self.headers.len()).unwrap_or(u32::MAX)).saturating_sub(1);
        let raw = match lineage::trail(&Arc::new(params.clone()), self.root, last, at) {
            Some(headers) => headers.iter().map(elements::encode::serialize).collect(),
            None => self.headers.to_vec(),
        };
        hex(&raw).into_iter().chain(hex(then)).collect()
    }
}

/// Writes the evidence of a header that breaks a rule: what leads to its parent, and the headers above that, the last of which is the one.
pub fn write_header(params: &SidechainParams, lead: Lead<'_>, above: &[Vec<u8>]) -> String {
    let all = [lead.headers, above].concat();
    let before = all.len().saturating_sub(1);
    let headers = Lead { headers: &all[..before], ..lead }.needed(params, &all[before..]);
    let root = lead.root();
    text(Of::Header(Headers { chain: nameless(params), root, headers }))
}

/// Writes the evidence of a transaction whose proofs do not hold: the block that holds it, what leads to that block's header, and what the
/// transaction spends from.
pub fn write_block(params: &SidechainParams, lead: Lead<'_>, block: &Block, txid: Txid, parents: &[Transaction]) -> String {
    let parents = parents.iter().map(serialize_hex).collect();
    let (root, headers) = (lead.root(), lead.needed(params, &[]));
    text(Of::Block(Signed { chain: nameless(params), root, headers, block: serialize_hex(block), txid, parents }))
}

/// Writes the evidence of two histories: what leads to the last common header, then those of each.
pub fn write_fork(params: &SidechainParams, lead: Lead<'_>, one: &[Vec<u8>], other: &[Vec<u8>]) -> String {
    let (root, headers) = (lead.root(), lead.needed(params, &[]));
    text(Of::Fork(Fork { chain: nameless(params), root, headers, one: hex(one), other: hex(other) }))
}

/// Writes the evidence of a height that a member signed twice: what leads to that height, and the proof.
pub fn write_double_sign(params: &SidechainParams, lead: Lead<'_>, proof: &DoubleSign) -> String {
    let proof = bitcoin::hex::DisplayHex::to_lower_hex_string(&proof.to_bytes()[..]);
    let (root, headers) = (lead.root(), lead.needed(params, &[]));
    text(Of::DoubleSign(Double { chain: nameless(params), root, headers, proof }))
}

/// Whom the wallet talks to is nobody's business.
fn nameless(params: &SidechainParams) -> SidechainParams {
    SidechainParams { peers: Vec::new(), sources: Vec::new(), registries: Vec::new(), ..params.clone() }
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

/// Follows headers from the genesis block, or from the root of the file if shipped data pins it, under every rule.
fn walk(params: &SidechainParams, root: Option<&String>, headers: &[BlockHeader]) -> Result<HeaderChain, String> {
    let root = match root {
        None => None,
        Some(hex) => {
            let root = proofs::decode_header(hex).ok_or("the root cannot be read")?;
            let pinned = crate::pins::ships_root(&params.genesis_hash, &root);
            Some(pinned.then_some(root).ok_or("nothing that ships with this program pins the block that the file begins with")?)
        }
    };
    lineage::follow_trail(&Arc::new(params.clone()), root.as_ref(), headers)
}

fn read(headers: &[String]) -> Result<Vec<BlockHeader>, String> {
    headers.iter().map(|hex| proofs::decode_header(hex).ok_or_else(|| "a header cannot be read".into())).collect()
}

/// The last header must break a rule under valid signatures, and the others none.
fn judge_header(file: &Headers) -> Result<String, String> {
    let headers = read(&file.headers)?;
    let (last, before) = headers.split_last().ok_or("no header")?;
    let chain = walk(&file.chain, file.root.as_ref(), before)?;
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
    let chain = walk(&file.chain, file.root.as_ref(), &read(&file.headers)?)?;
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
    let common = walk(&file.chain, file.root.as_ref(), &read(&file.headers)?)?;
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
    walk(&file.chain, file.root.as_ref(), &headers)?;
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
