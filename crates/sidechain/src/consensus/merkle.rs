//! Merkle trees of blocks: whole trees, and branches to one transaction.

use elements::{Block, BlockHeader, TxMerkleNode, Txid};

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
    let _ = block;
    todo!()
}

/// Checks that the block's transactions are those its header commits to.
pub fn check_block(block: &Block) -> Result<(), MerkleFault> {
    let _ = block;
    todo!()
}

/// Checks the commitment to the witnesses in the coinbase, and that there is one when there are witnesses (BIP141).
pub fn check_witness_commitment(block: &Block) -> Result<(), MerkleFault> {
    let _ = block;
    todo!()
}

/// The witness commitment that the coinbase must carry, with 32 zero bytes as reserved value: the 38-byte output script.
pub fn witness_commitment_script(block: &Block) -> elements::Script {
    let _ = block;
    todo!()
}

/// Checks that the transaction is in the block of `header` at `position`, `branch` being the sibling hashes from the leaf upwards.
///
/// `tx` is the whole transaction, so that an inner node can never pass as one.
pub fn check_branch(
    header: &BlockHeader,
    tx: &elements::Transaction,
    position: u32,
    branch: &[TxMerkleNode],
) -> Result<Txid, MerkleFault> {
    let _ = (header, tx, position, branch);
    todo!()
}
