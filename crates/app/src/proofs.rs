//! Proofs of sidechain payments, issuances, burns and pegs that anybody can check without a wallet or a network.
//!
//! A proof is a JSON file: the raw transaction, the openings its owner discloses, the merkle branch and the signed header of its block, and, where
//! known, the transactions it spends from. Nothing in it is believed; every statement is recomputed.

use crate::lineage;
use bitcoin::base64::Engine as _;
use bitcoin::base64::prelude::BASE64_URL_SAFE_NO_PAD;
use causeway_contract::{AmountView, AssetLabel, Atoms, Code, Failure, ProofKind, ProofStatement, ProofVerdict};
use causeway_sidechain::consensus::contract::Contract;
use causeway_sidechain::consensus::federation::Fedpeg;
use causeway_sidechain::consensus::pegin::{Peg, PeginWitness};
use causeway_sidechain::consensus::pegout::Pegout;
use causeway_sidechain::consensus::{header, issuance, merkle, proofs, signature};
use causeway_vocab::{Opening, SidechainParams};
use elements::confidential::{Asset, AssetBlindingFactor, Value, ValueBlindingFactor};
use elements::encode::{deserialize, serialize_hex};
use elements::secp256k1_zkp::{Generator, PedersenCommitment, SECP256K1, Tag};
use elements::{BlockHeader, Transaction, TxMerkleNode, TxOut};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use crate::lineage::introduction;
pub use crate::payments::write as write_payment;

/// Format of the file; another one is refused.
const FORMAT: &str = "causeway-proof-1";
/// What a proof begins with when it is a link; base64 (RFC 4648 §5, without padding) of the file follows.
pub const LINK: &str = "causeway-proof:";

/// What a proof is made from.
pub struct Evidence<'a> {
    /// The chain.
    pub params: &'a SidechainParams,
    /// The transaction.
    pub tx: &'a Transaction,
    /// Openings of the outputs to disclose, by index.
    pub outputs: BTreeMap<u32, Opening>,
    /// Openings of issued amounts to disclose, by input: amount and its blinding factor.
    pub issuances: BTreeMap<u32, (u64, ValueBlindingFactor)>,
    /// Its block: header with signatures, position, siblings from the leaf upwards.
    pub block: Option<(&'a BlockHeader, u32, Vec<TxMerkleNode>)>,
    /// Transactions it spends from, as far as known; with all of them the confidential proofs can be checked.
    pub parents: Vec<&'a Transaction>,
    /// Contract of the asset it issues or moves.
    pub contract: Option<&'a str>,
    /// What [`introduction`] gives for the block: without it nothing introduces members other than the founding ones.
    pub headers: Vec<&'a BlockHeader>,
}

/// What says how to read the rest.
#[derive(Deserialize)]
struct Format {
    format: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    chain: SidechainParams,
    transaction: String,
    #[serde(default)]
    outputs: BTreeMap<u32, Disclosed>,
    #[serde(default)]
    issuances: BTreeMap<u32, DisclosedAmount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    block: Option<InBlock>,
    #[serde(default)]
    parents: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contract: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Disclosed {
    asset: elements::AssetId,
    asset_blinding_factor: AssetBlindingFactor,
    value: Atoms,
    value_blinding_factor: ValueBlindingFactor,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisclosedAmount {
    value: Atoms,
    value_blinding_factor: ValueBlindingFactor,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InBlock {
    header: String,
    position: u32,
    branch: Vec<TxMerkleNode>,
}

/// Writes the proof file.
pub fn write(evidence: &Evidence<'_>) -> String {
    serde_json::to_string_pretty(&file(evidence)).expect("BUG: a proof has no value that JSON lacks")
}

/// Writes the proof as a link. The id of a transaction commits to its amounts but not to the proofs about them, which are nine tenths of it:
/// a link leaves those out, and with them the statement that they hold.
pub fn write_link(evidence: &Evidence<'_>) -> String {
    let mut tx = evidence.tx.clone();
    for input in &mut tx.input {
        let pegin_witness = input.witness.pegin_witness.clone();
        input.witness = elements::TxInWitness { pegin_witness, ..elements::TxInWitness::empty() };
    }
    tx.output.iter_mut().for_each(|output| output.witness = elements::TxOutWitness::empty());
    let file = File { transaction: serialize_hex(&tx), parents: Vec::new(), ..file(evidence) };
    let json = serde_json::to_vec(&file).expect("BUG: a proof has no value that JSON lacks");
    format!("{LINK}{}", BASE64_URL_SAFE_NO_PAD.encode(json))
}

/// The file of a proof, whether it came as one or as a link.
fn unlinked(text: &str) -> Result<Cow<'_, str>, Failure> {
    let Some(link) = text.trim().strip_prefix(LINK) else { return Ok(Cow::Borrowed(text)) };
    let bad = || Failure::new(Code::BadRequest).with("field", "proof");
    let json = BASE64_URL_SAFE_NO_PAD.decode(link).map_err(|_| bad())?;
    String::from_utf8(json).map(Cow::Owned).map_err(|_| bad())
}

fn file(evidence: &Evidence<'_>) -> File {
    let disclosed = |opening: &Opening| Disclosed {
        asset: opening.asset,
        asset_blinding_factor: opening.asset_bf,
        value: Atoms(opening.value),
        value_blinding_factor: opening.value_bf,
    };
    let amount = |(value, bf): &(u64, ValueBlindingFactor)| DisclosedAmount { value: Atoms(*value), value_blinding_factor: *bf };
    let in_block = |(header, position, branch): &(&BlockHeader, u32, Vec<TxMerkleNode>)| InBlock {
        header: serialize_hex(*header),
        position: *position,
        branch: branch.clone(),
    };
    // Whom the wallet talks to is nobody's business.
    let chain = SidechainParams { peers: Vec::new(), sources: Vec::new(), registries: Vec::new(), ..evidence.params.clone() };
    File {
        format: FORMAT.into(),
        chain,
        transaction: serialize_hex(evidence.tx),
        outputs: evidence.outputs.iter().map(|(vout, opening)| (*vout, disclosed(opening))).collect(),
        issuances: evidence.issuances.iter().map(|(vin, opening)| (*vin, amount(opening))).collect(),
        block: evidence.block.as_ref().map(in_block),
        parents: evidence.parents.iter().map(|tx| serialize_hex(*tx)).collect(),
        contract: evidence.contract.map(str::to_owned),
        headers: evidence.headers.iter().map(|header| serialize_hex(*header)).collect(),
    }
}

/// Checks every statement of a proof file. `Err` when the file cannot be read at all; a verdict with `ok: false` when it proves less than it says.
pub fn verify(text: &str) -> Result<ProofVerdict, Failure> {
    let bad = |field: &str| Failure::new(Code::BadRequest).with("field", field);
    let text = &*unlinked(text)?;
    let named: Format = serde_json::from_str(text).map_err(|_| bad("proof"))?;
    match named.format.as_str() {
        crate::faults::FORMAT => return crate::faults::verify(text),
        crate::payments::FORMAT => return crate::payments::verify(text),
        _ => {}
    }
    let file: File = serde_json::from_str(text).map_err(|_| bad("proof"))?;
    if file.format != FORMAT {
        return Err(bad("format"));
    }
    let tx: Transaction = from_hex(&file.transaction).ok_or_else(|| bad("transaction"))?;
    let parents: Option<Vec<Transaction>> = file.parents.iter().map(|hex| from_hex(hex)).collect();
    let parents = parents.ok_or_else(|| bad("parents"))?;
    let mut statements = vec![statement(ProofKind::Transaction, true, None, tx.txid())];
    let names = Names::of(&file, &tx);
    for (vout, disclosed) in &file.outputs {
        statements.push(output(&file, &names, &tx, *vout, disclosed));
    }
    statements.extend(issuances(&file, &names, &tx));
    let headers: Option<Vec<BlockHeader>> = file.headers.iter().map(|hex| decode_header(hex)).collect();
    let headers = headers.ok_or_else(|| bad("headers"))?;
    let in_block = match &file.block {
        Some(block) => Some((block, decode_header(&block.header).ok_or_else(|| bad("header"))?)),
        None => None,
    };
    let chain = Arc::new(file.chain.clone());
    let federation = in_block.as_ref().map(|(_, header)| lineage::follow(&chain, &headers, header));
    // Without a block, a deposit to the founding federation is all that can be told.
    let fedpegs =
        federation.as_ref().and_then(|known| known.clone().ok()).unwrap_or_else(|| vec![lineage::founding_fedpeg(&chain)]);
    statements.extend(peg_ins(&file, &names, &tx, &fedpegs));
    statements.extend(amounts(&file, &tx, &parents));
    if let (Some((block, header)), Some(federation)) = (in_block, federation) {
        let included = merkle::check_branch(&header, &tx, block.position, &block.branch).is_ok();
        statements.push(statement(ProofKind::Inclusion, included, None, header.block_hash()));
        statements.push(signatures(&file, &header, &federation));
    }
    Ok(ProofVerdict { ok: statements.iter().all(|s| s.ok), statements })
}

pub(crate) fn from_hex<T: elements::encode::Decodable>(hex: &str) -> Option<T> {
    deserialize(&<Vec<u8> as bitcoin::hex::FromHex>::from_hex(hex).ok()?).ok()
}

pub(crate) fn decode_header(hex: &str) -> Option<BlockHeader> {
    header::decode(&<Vec<u8> as bitcoin::hex::FromHex>::from_hex(hex).ok()?).ok()
}

pub(crate) fn statement(kind: ProofKind, ok: bool, amount: Option<AmountView>, detail: impl ToString) -> ProofStatement {
    ProofStatement { kind, ok, amount, detail: detail.to_string() }
}

/// Tickers that the file's contract is entitled to give: only to the asset whose id commits to it.
struct Names {
    contract: Option<Contract>,
    asset: Option<elements::AssetId>,
    policy: elements::AssetId,
}

impl Names {
    fn of(file: &File, tx: &Transaction) -> Names {
        let contract = file.contract.as_deref().and_then(|text| Contract::parse(text).ok());
        let committed = contract.as_ref().and_then(|contract| {
            let hash = contract.hash();
            let issues = |input: &&elements::TxIn| {
                !input.asset_issuance.is_null()
                    && input.asset_issuance.asset_blinding_nonce.is_null()
                    && input.asset_issuance.asset_entropy.into_contract_hash() == hash
            };
            tx.input.iter().find(issues).and_then(issuance::ids_of).map(|ids| ids.asset)
        });
        Names { contract, asset: committed, policy: file.chain.policy_asset }
    }

    fn amount(&self, asset: elements::AssetId, value: u64) -> AmountView {
        let id = asset.to_string();
        let contract = self.contract.as_ref().filter(|_| self.asset == Some(asset));
        let label = match contract {
            Some(contract) => AssetLabel {
                ticker: contract.ticker().unwrap_or_default().into(),
                name: contract.name().unwrap_or_default().into(),
                precision: contract.precision().unwrap_or_default(),
                named: true,
                id,
            },
            None if asset == self.policy => {
                AssetLabel { ticker: "L-BTC".into(), name: "Bitcoin on the sidechain".into(), precision: 8, named: true, id }
            }
            None => AssetLabel { ticker: id[..8].into(), name: String::new(), precision: 0, named: false, id },
        };
        AmountView { asset: label, amount: Atoms(value) }
    }
}

/// The generator that an opening commits to.
fn generator(asset: elements::AssetId, bf: AssetBlindingFactor) -> Generator {
    let tag = Tag::from(asset.to_byte_array());
    if bf == AssetBlindingFactor::zero() {
        Generator::new_unblinded(SECP256K1, tag)
    } else {
        Generator::new_blinded(SECP256K1, tag, bf.into_inner())
    }
}

/// Whether an output's commitments, or its explicit fields, are what the opening says.
fn opens(output: &TxOut, opening: &Disclosed) -> bool {
    let generator = generator(opening.asset, opening.asset_blinding_factor);
    let asset = match output.asset {
        Asset::Explicit(asset) => asset == opening.asset && opening.asset_blinding_factor == AssetBlindingFactor::zero(),
        Asset::Confidential(committed) => committed == generator,
        Asset::Null => false,
    };
    asset && commits(&output.value, generator, opening.value.0, opening.value_blinding_factor)
}

fn commits(value: &Value, generator: Generator, amount: u64, bf: ValueBlindingFactor) -> bool {
    match value {
        Value::Explicit(explicit) => *explicit == amount && bf == ValueBlindingFactor::zero(),
        Value::Confidential(committed) => *committed == PedersenCommitment::new(SECP256K1, amount, bf.into_inner(), generator),
        Value::Null => false,
    }
}

fn output(file: &File, names: &Names, tx: &Transaction, vout: u32, disclosed: &Disclosed) -> ProofStatement {
    let amount = Some(names.amount(disclosed.asset, disclosed.value.0));
    let Some(output) = usize::try_from(vout).ok().and_then(|index| tx.output.get(index)) else {
        return statement(ProofKind::Payment, false, amount, format!("no output {vout}"));
    };
    let ok = opens(output, disclosed);
    if let Some((pegout, _)) = Pegout::of_output(output, &file.chain.parent_genesis_hash, file.chain.policy_asset) {
        return statement(ProofKind::PegOut, ok, amount, pegout.destination);
    }
    if !output.is_fee() && proofs::is_unspendable(&output.script_pubkey) {
        return statement(ProofKind::Burn, ok, amount, format!("output {vout}"));
    }
    let address = elements::Address::from_script(&output.script_pubkey, None, file.chain.address_params());
    statement(ProofKind::Payment, ok, amount, address.map_or_else(|| format!("output {vout}"), |a| a.to_string()))
}

fn issuances(file: &File, names: &Names, tx: &Transaction) -> Vec<ProofStatement> {
    let mut statements = Vec::new();
    for (vin, input) in (0u32..).zip(&tx.input) {
        let Some(ids) = issuance::ids_of(input) else { continue };
        let generator = generator(ids.asset, AssetBlindingFactor::zero());
        let disclosed = file.issuances.get(&vin).map(|d| (d.value.0, d.value_blinding_factor));
        let explicit = input.asset_issuance.amount.explicit().map(|value| (value, ValueBlindingFactor::zero()));
        match disclosed.or(explicit) {
            Some((value, bf)) => {
                let ok = commits(&input.asset_issuance.amount, generator, value, bf);
                statements.push(statement(ProofKind::Issuance, ok, Some(names.amount(ids.asset, value)), ids.asset));
            }
            // Some asset was created, but the file does not say how much: a fact about the id alone.
            None => statements.push(statement(ProofKind::Issuance, true, None, ids.asset)),
        }
    }
    let named: Vec<u32> = file.issuances.keys().copied().collect();
    let known = |vin: &u32| usize::try_from(*vin).ok().and_then(|i| tx.input.get(i)).is_some_and(|i| !i.asset_issuance.is_null());
    statements.extend(
        named
            .iter()
            .filter(|vin| !known(vin))
            .map(|vin| statement(ProofKind::Issuance, false, None, format!("input {vin} issues nothing"))),
    );
    if let Some(text) = &file.contract {
        let ok = names.asset.is_some()
            || Contract::parse(text)
                .is_ok_and(|_| file.issuances.is_empty() && !tx.input.iter().any(|i| !i.asset_issuance.is_null()));
        if !ok {
            statements.push(statement(ProofKind::Issuance, false, None, "the contract does not hash to the issued asset"));
        }
    }
    statements
}

/// Peg-ins: the deposit is in a Bitcoin block with the work it claims. Its depth and the federation's right to it need a chain, and are not stated.
fn peg_ins(file: &File, names: &Names, tx: &Transaction, fedpegs: &[Fedpeg]) -> Vec<ProofStatement> {
    let peg = Peg::from(&file.chain);
    let claims = tx.input.iter().filter(|input| input.is_pegin());
    let mut statements = Vec::new();
    for input in claims {
        let Some(data) = input.pegin_data() else {
            statements.push(statement(ProofKind::PegIn, false, None, "the peg-in witness is malformed"));
            continue;
        };
        let verified = PeginWitness::of_library(data).and_then(|witness| {
            let deposit = bitcoin::OutPoint {
                txid: bitcoin::Txid::from_raw_hash(bitcoin::hashes::Hash::from_byte_array(
                    input.previous_output.txid.to_byte_array(),
                )),
                vout: input.previous_output.vout,
            };
            witness.verify(&peg, &deposit, fedpegs).map(|deposit| (witness.asset, deposit))
        });
        statements.push(match verified {
            Ok((asset, deposit)) => statement(ProofKind::PegIn, true, Some(names.amount(asset, deposit.value)), deposit.block),
            Err(fault) => statement(ProofKind::PegIn, false, None, fault),
        });
    }
    statements
}

/// Range proofs, surjection proofs and balance, when everything that is spent is in the file.
fn amounts(file: &File, tx: &Transaction, parents: &[Transaction]) -> Option<ProofStatement> {
    let spent = spent(tx, parents)?;
    Some(match proofs::verify(tx, &spent, file.chain.policy_asset) {
        Ok(_) => statement(ProofKind::Amounts, true, None, tx.txid()),
        Err(fault) => statement(ProofKind::Amounts, false, None, fault),
    })
}

/// The outputs that a transaction spends, in order, from these transactions. `None` when one is missing.
pub(crate) fn spent<'t>(tx: &Transaction, parents: impl IntoIterator<Item = &'t Transaction>) -> Option<Vec<TxOut>> {
    let by_txid: BTreeMap<elements::Txid, &Transaction> = parents.into_iter().map(|tx| (tx.txid(), tx)).collect();
    let output = |input: &elements::TxIn| {
        if input.is_pegin() {
            return PeginWitness::of_library(input.pegin_data()?).ok().map(|witness| witness.claimed_output());
        }
        let parent = by_txid.get(&input.previous_output.txid)?;
        parent.output.get(usize::try_from(input.previous_output.vout).ok()?).cloned()
    };
    tx.input.iter().map(output).collect()
}

/// k of n signed the block, and the chain says that they are the ones to sign.
fn signatures(file: &File, header: &BlockHeader, federation: &Result<Vec<Fedpeg>, String>) -> ProofStatement {
    let signers = match signature::verify_own_signatures(header, &file.chain) {
        Ok(signers) => signers,
        Err(fault) => return statement(ProofKind::Signatures, false, None, fault),
    };
    let count = format!(
        "{} of {}, {} needed, genesis {}",
        signers.members.len(),
        signers.multisig.n(),
        signers.multisig.k,
        file.chain.genesis_hash
    );
    match federation {
        Ok(_) => statement(ProofKind::Signatures, true, None, count),
        Err(why) => statement(ProofKind::Signatures, false, None, why),
    }
}
