//! Merkle trees of blocks: whole trees, and branches to one transaction.

use elements::encode::{Encodable, serialize};
use elements::fast_merkle_root;
use elements::hashes::{HashEngine as _, sha256d};
use elements::{Block, BlockHeader, Script, Transaction, TxIn, TxInWitness, TxMerkleNode, TxOut, Txid};

/// Serialized size of an inner node: two hashes.
const INNER_NODE_SIZE: usize = 64;
/// First bytes of a witness commitment: OP_RETURN, push of 36 bytes, and the mark of BIP141.
const COMMITMENT_MARK: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
const COMMITMENT_SIZE: usize = 38;
/// More levels than any block has.
const MAX_DEPTH: usize = 16;

/// Why a block's transactions are not the ones its header commits to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MerkleFault {
    /// Another root.
    #[error("the transactions do not hash to the header's merkle root")]
    WrongRoot,
    /// Two equal hashes side by side: the same root could stand for a shorter list (CVE-2012-2459).
    #[error("duplicated transactions")]
    Mutated,
    /// No transactions.
    #[error("empty block")]
    Empty,
    /// A transaction whose serialization without witness is 64 bytes could be an inner node.
    #[error("a 64-byte transaction could be an inner node")]
    InnerNode,
    /// The branch is longer than a block can need, or the position does not fit it.
    #[error("the branch does not fit the position")]
    BadBranch,
    /// The coinbase commits to other witnesses.
    #[error("the witness commitment does not match")]
    WitnessMismatch,
    /// The witness reserved value is not one item of 32 bytes.
    #[error("the witness reserved value is not 32 bytes")]
    BadReservedValue,
    /// Witnesses without a commitment to them.
    #[error("witness data that nothing commits to")]
    UncommittedWitness,
}

/// The merkle root of the block's transactions, refusing lists that could be mutated without changing it.
pub fn block_root(block: &Block) -> Result<TxMerkleNode, MerkleFault> {
    let root = root(block.txdata.iter().map(|tx| tx.txid().to_byte_array()).collect())?;
    Ok(TxMerkleNode::from_byte_array(root))
}

/// Checks that the block's transactions are those its header commits to.
pub fn check_block(block: &Block) -> Result<(), MerkleFault> {
    if block_root(block)? != block.header.merkle_root {
        return Err(MerkleFault::WrongRoot);
    }
    // In an honest block the first is a coinbase, and making one of 64 bytes that is also an inner node needs 224 bits of work.
    let inner_node = |tx: &Transaction| stripped_size(tx) == INNER_NODE_SIZE;
    if !block.txdata.first().is_some_and(Transaction::is_coinbase) && block.txdata.iter().any(inner_node) {
        return Err(MerkleFault::InnerNode);
    }
    Ok(())
}

/// Checks the commitment to the witnesses in the coinbase, and that there is one when there are witnesses (BIP141,
/// with Elements' own tree of witnesses).
pub fn check_witness_commitment(block: &Block) -> Result<(), MerkleFault> {
    let (coinbase, rest) = block.txdata.split_first().ok_or(MerkleFault::Empty)?;
    let Some(output) = coinbase.output.iter().rfind(|output| is_commitment(output)) else {
        let witness = block.txdata.iter().any(Transaction::has_witness);
        return if witness { Err(MerkleFault::UncommittedWitness) } else { Ok(()) };
    };
    let witness = &coinbase.input.first().ok_or(MerkleFault::BadReservedValue)?.witness.script_witness;
    let reserved = witness.get(0).filter(|_| witness.len() == 1).ok_or(MerkleFault::BadReservedValue)?;
    let reserved = reserved.try_into().map_err(|_| MerkleFault::BadReservedValue)?;
    if output.script_pubkey.as_bytes()[6..COMMITMENT_SIZE] != hash_pair(&witness_root(coinbase, rest), reserved) {
        return Err(MerkleFault::WitnessMismatch);
    }
    Ok(())
}

/// The witness commitment that the coinbase must carry, with 32 zero bytes as reserved value: the 38-byte output script.
///
/// The number of the coinbase's outputs counts. A coinbase that has no commitment yet is taken to get one more output for it.
pub fn witness_commitment_script(block: &Block) -> Result<Script, MerkleFault> {
    let (coinbase, rest) = block.txdata.split_first().ok_or(MerkleFault::Empty)?;
    let mut coinbase = coinbase.clone();
    if !coinbase.output.iter().any(is_commitment) {
        coinbase.output.push(TxOut::default());
    }
    let mut bytes = COMMITMENT_MARK.to_vec();
    bytes.extend(hash_pair(&witness_root(&coinbase, rest), &[0; 32]));
    Ok(Script::from(bytes))
}

fn is_commitment(output: &TxOut) -> bool {
    let script = output.script_pubkey.as_bytes();
    script.len() >= COMMITMENT_SIZE && script.starts_with(&COMMITMENT_MARK)
}

/// Checks that the transaction is in the block of `header` at `position`, `branch` being the sibling hashes from the leaf upwards.
///
/// `tx` is the whole transaction, and one of the size of an inner node is refused, so that no inner node can pass as one.
pub fn check_branch(header: &BlockHeader, tx: &Transaction, position: u32, branch: &[TxMerkleNode]) -> Result<Txid, MerkleFault> {
    if stripped_size(tx) == INNER_NODE_SIZE {
        return Err(MerkleFault::InnerNode);
    }
    if branch.len() > MAX_DEPTH || u64::from(position) >> branch.len() != 0 {
        return Err(MerkleFault::BadBranch);
    }
    let txid = tx.txid();
    let mut node = txid.to_byte_array();
    for (level, sibling) in branch.iter().enumerate() {
        let sibling = sibling.to_byte_array();
        let right = position >> level & 1 == 1;
        if right && sibling == node {
            // A right child equal to its sibling is the padding of an odd level, not a transaction.
            return Err(MerkleFault::Mutated);
        }
        node = if right { hash_pair(&sibling, &node) } else { hash_pair(&node, &sibling) };
    }
    if node == header.merkle_root.to_byte_array() { Ok(txid) } else { Err(MerkleFault::WrongRoot) }
}

/// The sibling hashes from the leaf at `position` upwards: what [`check_branch`] takes. `None` when there is no such transaction.
pub fn branch(block: &Block, position: u32) -> Option<Vec<TxMerkleNode>> {
    let mut position = position as usize;
    let mut level: Vec<[u8; 32]> = block.txdata.iter().map(|tx| tx.txid().to_byte_array()).collect();
    level.get(position)?;
    let mut branch = Vec::new();
    while level.len() > 1 {
        let sibling = level.get(position ^ 1).unwrap_or(&level[position]);
        branch.push(TxMerkleNode::from_byte_array(*sibling));
        level = level.chunks(2).map(|pair| hash_pair(&pair[0], pair.last().unwrap_or(&pair[0]))).collect();
        position /= 2;
    }
    Some(branch)
}

/// Root of the witnesses alone: a tree over transactions, over their inputs and outputs, over the fields of each witness. The
/// coinbase's input counts as if it had none (GetWitnessOnlyHash in primitives/transaction.cpp of Elements).
fn witness_root(coinbase: &Transaction, rest: &[Transaction]) -> [u8; 32] {
    fn leaf(field: &impl Encodable) -> [u8; 32] {
        sha256d::Hash::hash(&serialize(field)).to_byte_array()
    }
    fn tree(leaves: impl IntoIterator<Item = [u8; 32]>) -> [u8; 32] {
        fast_merkle_root(&leaves.into_iter().collect::<Vec<_>>()).to_parts().0
    }
    let of_witness = |witness: &TxInWitness| {
        let TxInWitness { amount_rangeproof, inflation_keys_rangeproof, script_witness, pegin_witness } = witness;
        tree([leaf(amount_rangeproof), leaf(inflation_keys_rangeproof), leaf(script_witness), leaf(pegin_witness)])
    };
    let of_input = |input: &TxIn| {
        if input.previous_output.is_null() { of_witness(&TxInWitness::default()) } else { of_witness(&input.witness) }
    };
    let of_output = |output: &TxOut| tree([leaf(&output.witness.surjection_proof), leaf(&output.witness.rangeproof)]);
    let of_tx = |tx: &Transaction| tree([tree(tx.input.iter().map(of_input)), tree(tx.output.iter().map(of_output))]);
    tree(std::iter::once(coinbase).chain(rest).map(of_tx))
}

fn root(mut level: Vec<[u8; 32]>) -> Result<[u8; 32], MerkleFault> {
    if level.is_empty() {
        return Err(MerkleFault::Empty);
    }
    while level.len() > 1 {
        if level.chunks_exact(2).any(|pair| pair[0] == pair[1]) {
            return Err(MerkleFault::Mutated);
        }
        level = level.chunks(2).map(|pair| hash_pair(&pair[0], pair.last().unwrap_or(&pair[0]))).collect();
    }
    Ok(level[0])
}

fn hash_pair(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut engine = sha256d::Hash::engine();
    engine.input(left);
    engine.input(right);
    sha256d::Hash::from_engine(engine).to_byte_array()
}

fn stripped_size(tx: &Transaction) -> usize {
    // weight = 3 * stripped + total
    (tx.weight() - tx.size()) / 3
}
