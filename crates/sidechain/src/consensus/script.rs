//! Spending conditions: whether an input satisfies the script of the coin it spends.

use elements::{BlockHash, Transaction, TxOut};

/// Why an input may not spend its coin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptFault {
    /// Not a form that this node can run.
    #[error("input {index}: unsupported script")]
    Unsupported {
        /// Input.
        index: usize,
    },
    /// The script is not satisfied.
    #[error("input {index}: {why}")]
    Unsatisfied {
        /// Input.
        index: usize,
        /// What the interpreter says.
        why: String,
    },
}

/// Checks the script of every input against the outputs they spend.
pub fn verify(tx: &Transaction, spent: &[TxOut], genesis: BlockHash) -> Result<(), ScriptFault> {
    let _ = (tx, spent, genesis);
    todo!()
}

/// Signature operations as the block limit counts them, in weight units: legacy ones count four.
pub fn sigop_cost(tx: &Transaction, spent: &[TxOut]) -> u32 {
    let _ = (tx, spent);
    todo!()
}
