//! What the questions are answered from: computed once per change, so that a page of a long history costs nothing.

use crate::history::HistoryEntry;
use bdk_wallet::chain::{CanonicalizationParams, ChainPosition};
use bdk_wallet::{KeychainKind, Wallet};
use bitcoin::{BlockHash, OutPoint, ScriptBuf, Txid};
use causeway_vocab::{Atoms, Height};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

/// Where a transaction stands: its block, or none.
pub(crate) type Position = Option<(Height, BlockHash)>;

/// An unspent output without the facts that change with every block.
#[derive(Debug, Clone)]
pub(crate) struct Unspent {
    pub(crate) outpoint: OutPoint,
    pub(crate) amount: Atoms,
    pub(crate) script: ScriptBuf,
    pub(crate) keychain: KeychainKind,
    pub(crate) index: u32,
    pub(crate) height: Option<Height>,
    pub(crate) coinbase: bool,
    /// Every input of its transaction is this wallet's.
    pub(crate) own: bool,
}

#[derive(Debug, Default)]
pub(crate) struct View {
    /// Newest first.
    pub(crate) history: Vec<HistoryEntry>,
    /// The transactions that count: in the best chain, or unconfirmed and not replaced.
    pub(crate) canonical: HashMap<Txid, Position>,
    /// Largest first.
    pub(crate) unspent: Vec<Unspent>,
}

impl View {
    pub(crate) fn of(wallet: &Wallet) -> View {
        let (graph, index, chain) = (wallet.tx_graph(), wallet.spk_index(), wallet.local_chain());
        let mut view = View::default();
        let mut own = BTreeSet::new();
        for found in graph.list_canonical_txs(chain, chain.tip().block_id(), CanonicalizationParams::default()) {
            let (txid, tx) = (found.tx_node.txid, &found.tx_node.tx);
            let (position, time) = match found.chain_position {
                ChainPosition::Confirmed { anchor, .. } => {
                    (Some((anchor.block_id.height, anchor.block_id.hash)), anchor.confirmation_time)
                }
                ChainPosition::Unconfirmed { first_seen, last_seen } => (None, first_seen.or(last_seen).unwrap_or_default()),
            };
            let (sent, received) = index.sent_and_received(tx, ..);
            view.canonical.insert(txid, position);
            if tx.input.iter().all(|input| index.txout(input.previous_output).is_some()) {
                own.insert(txid);
            }
            view.history.push(HistoryEntry {
                txid,
                height: position.map(|(height, _)| height),
                time,
                received: Atoms(received.to_sat()),
                sent: Atoms(sent.to_sat()),
                fee: graph.calculate_fee(tx).ok().filter(|_| !tx.is_coinbase()).map(|fee| Atoms(fee.to_sat())),
            });
        }
        view.history.sort_by_key(|entry| Reverse((entry.height.unwrap_or(Height::MAX), entry.time, entry.txid)));
        for &((keychain, index), outpoint) in index.outpoints() {
            let Some(position) = view.canonical.get(&outpoint.txid) else { continue };
            if graph.outspends(outpoint).iter().any(|spender| view.canonical.contains_key(spender)) {
                continue;
            }
            let Some((tx, output)) = graph.get_tx(outpoint.txid).zip(graph.get_txout(outpoint)) else { continue };
            view.unspent.push(Unspent {
                outpoint,
                amount: Atoms(output.value.to_sat()),
                script: output.script_pubkey.clone(),
                keychain,
                index,
                height: position.map(|(height, _)| height),
                coinbase: tx.is_coinbase(),
                own: own.contains(&outpoint.txid),
            });
        }
        view.unspent.sort_by_key(|coin| (Reverse(coin.amount), coin.outpoint));
        view
    }

    /// Transactions whose position differs between two views.
    pub(crate) fn moved(&self, later: &View) -> BTreeSet<Txid> {
        let changed = later.canonical.iter().filter(|(txid, position)| self.canonical.get(*txid) != Some(*position));
        let gone = self.canonical.keys().filter(|txid| !later.canonical.contains_key(*txid));
        changed.map(|(txid, _)| *txid).chain(gone.copied()).collect()
    }
}
