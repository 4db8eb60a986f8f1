//! Proofs of Bitcoin payments that anybody can check without a wallet or a network: the transaction, its place in a block, and the blocks on
//! top of it.
//!
//! Nothing is believed. What a proof cannot tell is that its blocks are of the best chain: it states the work they carry, and a block of that
//! work costs as much to make for a lie as for the truth.

use crate::proofs::statement;
use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Address, MerkleBlock, Network, Transaction};
use causeway_contract::{AmountView, AssetLabel, Atoms, Code, Failure, ProofKind, ProofStatement, ProofVerdict};
use serde::{Deserialize, Serialize};

/// Format of the file.
pub(crate) const FORMAT: &str = "causeway-bitcoin-proof-1";
/// A transaction of this many bytes could be read as an inner node of the merkle tree.
const NODE_SIZE: usize = 64;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    network: Network,
    transaction: String,
    /// Outputs that the proof is about.
    outputs: Vec<u32>,
    /// BIP37 merkle block: the header of the block and the branch to the transaction.
    block: String,
    /// Headers on top of the block, ascending.
    #[serde(default)]
    headers: Vec<String>,
}

/// Writes the proof file. `above` are the headers on top of the block, ascending.
pub fn write(network: Network, tx: &Transaction, outputs: &[u32], block: &MerkleBlock, above: &[Header]) -> String {
    let file = File {
        format: FORMAT.into(),
        network,
        transaction: serialize_hex(tx),
        outputs: outputs.to_vec(),
        block: serialize_hex(block),
        headers: above.iter().map(serialize_hex).collect(),
    };
    serde_json::to_string_pretty(&file).expect("BUG: a proof has no value that JSON lacks")
}

/// Checks every statement. `Err` when the file cannot be read at all.
pub(crate) fn verify(text: &str) -> Result<ProofVerdict, Failure> {
    let bad = |field: &str| Failure::new(Code::BadRequest).with("field", field);
    let file: File = serde_json::from_str(text).map_err(|_| bad("proof"))?;
    let tx: Transaction = deserialize_hex(&file.transaction).map_err(|_| bad("transaction"))?;
    let block: MerkleBlock = deserialize_hex(&file.block).map_err(|_| bad("block"))?;
    let above: Vec<Header> =
        file.headers.iter().map(|hex| deserialize_hex(hex)).collect::<Result<_, _>>().map_err(|_| bad("headers"))?;
    let mut statements = vec![statement(ProofKind::Transaction, tx.base_size() != NODE_SIZE, None, tx.compute_txid())];
    statements.extend(file.outputs.iter().map(|vout| payment(file.network, &tx, *vout)));
    statements.push(statement(ProofKind::Inclusion, includes(&block, &tx), None, block.header.block_hash()));
    statements.push(work(file.network, &block.header, &above));
    Ok(ProofVerdict { ok: statements.iter().all(|s| s.ok), statements })
}

fn payment(network: Network, tx: &Transaction, vout: u32) -> ProofStatement {
    let Some(output) = usize::try_from(vout).ok().and_then(|index| tx.output.get(index)) else {
        return statement(ProofKind::Payment, false, None, format!("no output {vout}"));
    };
    let asset = AssetLabel { id: "btc".into(), ticker: "BTC".into(), name: "Bitcoin".into(), precision: 8, named: true };
    let amount = AmountView { asset, amount: Atoms(output.value.to_sat()) };
    let address = Address::from_script(&output.script_pubkey, network);
    statement(ProofKind::Payment, true, Some(amount), address.map_or_else(|_| format!("output {vout}"), |a| a.to_string()))
}

fn includes(block: &MerkleBlock, tx: &Transaction) -> bool {
    let (mut matches, mut places) = (Vec::new(), Vec::new());
    block.extract_matches(&mut matches, &mut places).is_ok() && matches == [tx.compute_txid()]
}

/// Every header builds on the one before and carries the work that it claims, and no less than the network asks for at the very least.
fn work(network: Network, first: &Header, above: &[Header]) -> ProofStatement {
    let fail = |why: String| statement(ProofKind::Work, false, None, why);
    let easiest = network.params().max_attainable_target;
    let (mut total, mut parent) = (None, None);
    for (place, header) in std::iter::once(first).chain(above).enumerate() {
        if parent.is_some_and(|hash| header.prev_blockhash != hash) {
            return fail(format!("header {place} builds on another block"));
        }
        if header.target() > easiest || header.validate_pow(header.target()).is_err() {
            return fail(format!("header {place} lacks the work it claims"));
        }
        total = Some(total.map_or(header.work(), |sum| sum + header.work()));
        parent = Some(header.block_hash());
    }
    let total = total.map(|work| work.to_string()).unwrap_or_default();
    statement(ProofKind::Work, true, None, format!("{} confirmations, {total} hashes", above.len() + 1))
}
