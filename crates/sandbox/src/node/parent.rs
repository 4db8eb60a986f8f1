//! The Bitcoin chain as validation asks for it.

use crate::bitcoind::Rpc;
use crate::error::SandboxError;
use causeway_sidechain::consensus::pegin::{ParentChain, PeginWitness};
use elements::Transaction;
use std::collections::HashMap;

/// Depth and size of the Bitcoin blocks that some transactions name, as bitcoind had them at one moment.
#[derive(Debug, Default)]
pub(crate) struct ParentView(HashMap<bitcoin::BlockHash, (u32, u32)>);

impl ParentView {
    /// Asks bitcoind about every block that a peg-in of these transactions names. No call when there is no peg-in.
    pub(crate) async fn of<'t>(rpc: &Rpc, txs: impl IntoIterator<Item = &'t Transaction>) -> Result<ParentView, SandboxError> {
        let mut view = ParentView::default();
        for input in txs.into_iter().flat_map(|tx| &tx.input).filter(|input| input.is_pegin) {
            let Some(data) = input.witness.pegin_witness.data() else { continue };
            let Ok(witness) = PeginWitness::of_library(data) else { continue };
            let hash = witness.proof.header.block_hash();
            if let Some(info) = rpc.header_info(&hash).await?
                && let Ok(confirmations) = u32::try_from(info.confirmations)
            {
                view.0.insert(hash, (confirmations, info.transactions));
            }
        }
        Ok(view)
    }
}

impl ParentChain for ParentView {
    fn confirmations(&self, block: &bitcoin::BlockHash, transactions: u32) -> Option<u32> {
        self.0.get(block).filter(|(_, known)| *known == transactions).map(|(confirmations, _)| *confirmations)
    }
}
