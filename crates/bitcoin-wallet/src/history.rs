//! The history, newest first, from an index that is kept and not recomputed.

use bdk_wallet::KeychainKind;
use bitcoin::{OutPoint, ScriptBuf, Txid};
use causeway_vocab::{Atoms, Height};

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Transaction id.
    pub txid: Txid,
    /// Block height, `None` while unconfirmed.
    pub height: Option<Height>,
    /// Block time, or when it was first seen; Unix seconds.
    pub time: u64,
    /// Satoshi paid to this wallet.
    pub received: Atoms,
    /// Satoshi of this wallet's coins that it spends.
    pub sent: Atoms,
    /// Fee, known when every input is.
    pub fee: Option<Atoms>,
}

/// What a transaction moves, for the flow diagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Transaction id.
    pub txid: Txid,
    /// Block height, `None` while unconfirmed.
    pub height: Option<Height>,
    /// Inputs in order.
    pub inputs: Vec<FlowInput>,
    /// Outputs in order.
    pub outputs: Vec<FlowOutput>,
    /// Fee, known when every input is.
    pub fee: Option<Atoms>,
    /// Virtual bytes.
    pub vsize: u64,
    /// Whether a higher fee can replace it (unconfirmed, signals BIP125, all inputs ours).
    pub replaceable: bool,
}

/// One input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowInput {
    /// The output that it spends; the null outpoint for a coinbase.
    pub outpoint: OutPoint,
    /// Its amount, known for this wallet's coins.
    pub amount: Option<Atoms>,
    /// Its keychain and index, when this wallet's.
    pub ours: Option<(KeychainKind, u32)>,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowOutput {
    /// Satoshi.
    pub amount: Atoms,
    /// Its script.
    pub script: ScriptBuf,
    /// Its keychain and index, when this wallet's.
    pub ours: Option<(KeychainKind, u32)>,
    /// The transaction that spends it, when known.
    pub spent_by: Option<Txid>,
}
