//! Proofs for third parties: made from verified blocks, with what this wallet can disclose.

use crate::profile::Profile;
use crate::proofs::{self, Evidence};
use causeway_contract::{Failure, ProofExport, ProofVerdict, TextFile, TextIn};
use causeway_sidechain::consensus::merkle;
use causeway_vocab::{Code, NetworkId, Refusal};
use elements::{Transaction, Txid};
use std::collections::BTreeSet;

/// Blocks before a transaction's own that are searched for what it spends.
const REACH: u32 = 500;

fn unknown() -> Refusal {
    Refusal::new(Code::NotFound).with("what", "transaction")
}

impl Profile {
    pub(crate) async fn proof_export(&self, request: ProofExport) -> Result<TextFile, Failure> {
        if request.network != NetworkId::Sidechain {
            return Err(Refusal::new(Code::NotOffered).with("what", "bitcoin-proof"));
        }
        let txid: Txid = request.txid.parse().map_err(|_| unknown())?;
        let hash = {
            let core = self.core();
            let entry = core.selected()?.sidechain.history_entry(&txid).ok_or_else(unknown)?;
            entry.block.ok_or_else(|| Refusal::new(Code::NotFound).with("what", "block"))?
        };
        let (height, block) = self.clients.sidechain.block(hash).await.map_err(|fault| fault.refusal)?;
        let position = block.txdata.iter().position(|tx| tx.txid() == txid).ok_or_else(unknown)?;
        let tx = block.txdata[position].clone();
        let (mut outputs, issued) = self.core().selected()?.sidechain.disclose(&tx);
        let issuances = issued.into_iter().map(|(vin, opening)| (vin, (opening.value, opening.value_bf))).collect();
        if let Some(wanted) = &request.outputs {
            outputs.retain(|vout, _| wanted.contains(vout));
        }
        let parents = self.parents(&tx, height, &block.txdata, REACH).await;
        let position = crate::drafts::small(position as u64);
        let branch = merkle::branch(&block, position).ok_or_else(unknown)?;
        let contract = {
            let core = self.core();
            let moved = outputs.values().map(|opening| opening.asset);
            let issued = tx.input.iter().filter_map(causeway_sidechain::consensus::issuance::ids_of).map(|ids| ids.asset);
            issued.chain(moved).find_map(|asset| core.names.get(&asset).map(|named| named.json.clone()))
        };
        let evidence = Evidence {
            params: &self.realm.sidechain,
            tx: &tx,
            outputs,
            issuances,
            block: Some((&block.header, position, branch)),
            parents: parents.iter().collect(),
            contract: contract.as_deref(),
            headers: Vec::new(),
        };
        Ok(TextFile { name: format!("causeway-proof-{}.json", &request.txid[..8]), text: proofs::write(&evidence) })
    }

    pub(crate) async fn proof_verify(&self, request: TextIn) -> Result<ProofVerdict, Failure> {
        crate::vault::slowly(move || proofs::verify(&request.text)).await
    }

    /// The transactions that one spends from, as far as they can be found within `reach` blocks before its own.
    pub(crate) async fn parents(&self, tx: &Transaction, height: u32, siblings: &[Transaction], reach: u32) -> Vec<Transaction> {
        let spent = tx.input.iter().filter(|input| !input.is_pegin).map(|input| input.previous_output.txid);
        let mut missing: BTreeSet<Txid> = spent.collect();
        let mut found = Vec::new();
        let mut take = |missing: &mut BTreeSet<Txid>, txs: &[Transaction]| {
            found.extend(txs.iter().filter(|tx| missing.remove(&tx.txid())).cloned());
        };
        take(&mut missing, siblings);
        for txid in missing.clone() {
            if let Some(parent) = self.whole_transaction(&txid).await {
                take(&mut missing, &[parent]);
            }
        }
        let mut below = height;
        while !missing.is_empty() && below > 0 && height - below < reach {
            below -= 1;
            let Some(tip) = self.clients.sidechain.at(below) else { break };
            match self.clients.sidechain.block(tip.hash).await {
                Ok((_, block)) => take(&mut missing, &block.txdata),
                Err(_) => break,
            }
        }
        found
    }
}
