//! The history, newest first, from an index that is kept and not recomputed.

use crate::BitcoinWallet;
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

impl BitcoinWallet {
    /// `limit` lines of the history, newest first, after skipping `skip`.
    pub fn history(&self, skip: usize, limit: usize) -> Vec<HistoryEntry> {
        self.view.history.iter().skip(skip).take(limit).cloned().collect()
    }

    /// The line of one transaction.
    pub fn history_entry(&self, txid: Txid) -> Option<HistoryEntry> {
        self.view.history.iter().find(|entry| entry.txid == txid).cloned()
    }

    /// The block that holds a transaction; `None` while unconfirmed or unknown.
    pub fn block_of(&self, txid: Txid) -> Option<bitcoin::BlockHash> {
        self.view.canonical.get(&txid)?.map(|(_, hash)| hash)
    }

    /// How many transactions the history has.
    pub fn history_len(&self) -> usize {
        self.view.history.len()
    }

    /// What a transaction moves.
    pub fn flow(&self, txid: Txid) -> Option<Flow> {
        let graph = self.inner.tx_graph();
        let tx = graph.get_tx(txid)?;
        let ours = |script: &ScriptBuf| self.inner.derivation_of_spk(script.clone());
        let inputs = tx.input.iter().map(|input| {
            let spent = graph.get_txout(input.previous_output);
            FlowInput {
                outpoint: input.previous_output,
                amount: spent.map(|output| Atoms(output.value.to_sat())),
                ours: spent.and_then(|output| ours(&output.script_pubkey)),
            }
        });
        let outputs = (0..).zip(&tx.output).map(|(vout, output)| FlowOutput {
            amount: Atoms(output.value.to_sat()),
            script: output.script_pubkey.clone(),
            ours: ours(&output.script_pubkey),
            spent_by: graph
                .outspends(OutPoint { txid, vout })
                .iter()
                .find(|spender| self.view.canonical.contains_key(*spender))
                .copied(),
        });
        Some(Flow {
            txid,
            height: self.view.canonical.get(&txid).and_then(|position| position.map(|(height, _)| height)),
            inputs: inputs.collect(),
            outputs: outputs.collect(),
            fee: graph.calculate_fee(&tx).ok().filter(|_| !tx.is_coinbase()).map(|fee| Atoms(fee.to_sat())),
            vsize: tx.vsize() as u64,
            replaceable: self.replaceable(&tx),
        })
    }

    /// Whether a higher fee can replace it: unconfirmed, not replaced yet, signals BIP125, and every input is ours.
    pub(crate) fn replaceable(&self, tx: &bitcoin::Transaction) -> bool {
        self.view.canonical.get(&tx.compute_txid()) == Some(&None)
            && tx.is_explicitly_rbf()
            && tx.input.iter().all(|input| self.is_ours(input))
    }
}
