//! Proofs for third parties: made from verified blocks, with what this wallet can disclose.

use crate::operations;
use crate::profile::Profile;
use crate::proofs::{self, Evidence};
use causeway_contract::{Failure, ProofExport, ProofVerdict, SupplyProof, TextFile, TextIn};
use causeway_sidechain::consensus::proofs::is_unspendable;
use causeway_sidechain::consensus::{issuance, merkle};
use causeway_vocab::{Code, NetworkId, Opening, Refusal};
use elements::confidential::{AssetBlindingFactor, ValueBlindingFactor};
use elements::{AssetId, BlockHeader, Transaction, Txid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Blocks before a transaction's own that are searched for what it spends.
const REACH: u32 = 500;
/// Headers on top of a Bitcoin block that a proof carries.
const MOST_ABOVE: usize = 144;

fn explicit(asset: AssetId, value: u64) -> Opening {
    Opening { asset, asset_bf: AssetBlindingFactor::zero(), value, value_bf: ValueBlindingFactor::zero() }
}

fn unknown() -> Refusal {
    Refusal::new(Code::NotFound).with("what", "transaction")
}

impl Profile {
    pub(crate) async fn proof_export(&self, request: ProofExport) -> Result<TextFile, Failure> {
        match request.network {
            NetworkId::Bitcoin => self.bitcoin_proof(request).await,
            NetworkId::Sidechain => {
                let wanted = request.outputs;
                self.sidechain_proof(&request.txid, request.link, |_, outputs, _| {
                    if let Some(wanted) = wanted {
                        outputs.retain(|vout, _| wanted.contains(vout));
                    }
                })
                .await
            }
        }
    }

    /// A payment on Bitcoin: of this wallet, or what the watchmen paid for a peg-out of it.
    async fn bitcoin_proof(&self, request: ProofExport) -> Result<TextFile, Failure> {
        let txid: bitcoin::Txid = request.txid.parse().map_err(|_| unknown())?;
        let hash = self.read(|core, reader| {
            let wallet = core.selected()?;
            if let Some(hash) = wallet.bitcoin.block_of(txid) {
                return Ok(hash);
            }
            let known = wallet.bitcoin.history_entry(txid).is_some();
            let missing = || Refusal::new(Code::NotFound).with("what", if known { "block" } else { "transaction" });
            let height = operations::payment_height(core, reader, wallet.row.id, &request.txid)?;
            let tip = height.and_then(|height| self.clients.bitcoin.at(height)).ok_or_else(missing)?;
            Ok(tip.hash)
        })?;
        let (height, block) = self.clients.bitcoin.block(hash).await.map_err(|fault| fault.refusal)?;
        let tx = block.txdata.iter().find(|tx| tx.compute_txid() == txid).ok_or_else(unknown)?;
        let count = crate::drafts::small(tx.output.len() as u64);
        let outputs: Vec<u32> = request.outputs.unwrap_or_else(|| (0..count).collect());
        let branch = bitcoin::MerkleBlock::from_block_with_predicate(&block, |id| *id == txid);
        let above: Vec<_> = (height + 1..).map_while(|height| self.clients.bitcoin.header(height)).take(MOST_ABOVE).collect();
        let text = proofs::write_payment(self.realm.bitcoin.network, tx, &outputs, &branch, &above);
        Ok(TextFile { name: format!("causeway-proof-{}.json", &request.txid[..8]), text })
    }

    /// What a transaction did to the supply of an asset: what it issued and destroyed of it, and nothing else.
    pub(crate) async fn supply_proof(&self, request: SupplyProof) -> Result<TextFile, Failure> {
        let bad = || Refusal::new(Code::UnknownAsset).with("asset", &request.asset);
        let asset: AssetId = request.asset.parse().map_err(|_| bad())?;
        let mut any = false;
        let proof = self.sidechain_proof(&request.txid, request.link, |tx, outputs, issuances| {
            let of = |vin: &u32| usize::try_from(*vin).ok().and_then(|vin| tx.input.get(vin)).and_then(issuance::ids_of);
            issuances.retain(|vin, _| of(vin).is_some_and(|ids| ids.asset == asset));
            let burns = |vout: &u32| {
                let output = usize::try_from(*vout).ok().and_then(|vout| tx.output.get(vout));
                output.is_some_and(|output| !output.is_fee() && is_unspendable(&output.script_pubkey))
            };
            // A burn is for everybody to see, whoever made it.
            for (vout, output) in (0..).zip(&tx.output) {
                if let (Some(asset), Some(value)) = (output.asset.explicit(), output.value.explicit()) {
                    outputs.entry(vout).or_insert_with(|| explicit(asset, value));
                }
            }
            outputs.retain(|vout, opening| opening.asset == asset && opening.value > 0 && burns(vout));
            let issued = tx.input.iter().filter_map(issuance::ids_of).any(|ids| ids.asset == asset);
            any = issued || !outputs.is_empty();
        });
        let file = proof.await?;
        match any {
            true => Ok(file),
            false => Err(Refusal::new(Code::NotFound).with("what", "supply-change")),
        }
    }

    /// A proof of a transaction; `choose` leaves in what is disclosed: openings of outputs, and of issued amounts by input.
    async fn sidechain_proof(
        &self,
        txid: &str,
        link: bool,
        choose: impl FnOnce(&Transaction, &mut BTreeMap<u32, Opening>, &mut BTreeMap<u32, (u64, ValueBlindingFactor)>),
    ) -> Result<TextFile, Failure> {
        let short = txid.get(..8).ok_or_else(unknown)?.to_owned();
        let txid: Txid = txid.parse().map_err(|_| unknown())?;
        let hash = {
            let core = self.core();
            let entry = core.selected()?.sidechain.history_entry(&txid).ok_or_else(unknown)?;
            entry.block.ok_or_else(|| Refusal::new(Code::NotFound).with("what", "block"))?
        };
        let (height, block) = self.clients.sidechain.block(hash).await.map_err(|fault| fault.refusal)?;
        let position = block.txdata.iter().position(|tx| tx.txid() == txid).ok_or_else(unknown)?;
        let tx = block.txdata[position].clone();
        let (mut outputs, issued) = self.core().selected()?.sidechain.disclose(&tx);
        let mut issuances = issued.into_iter().map(|(vin, opening)| (vin, (opening.value, opening.value_bf))).collect();
        choose(&tx, &mut outputs, &mut issuances);
        let parents = match link {
            true => Vec::new(),
            false => self.parents(&tx, height, &block.txdata, REACH).await,
        };
        let position = crate::drafts::small(position as u64);
        let branch = merkle::branch(&block, position).ok_or_else(unknown)?;
        let contract = {
            let core = self.core();
            let issued: Vec<_> = tx.input.iter().filter_map(issuance::ids_of).collect();
            // A reissuance commits to the entropy, which does not tell the contract.
            let first = issued.iter().filter(|ids| !ids.is_reissuance).map(|ids| ids.asset);
            let moved = outputs.values().map(|opening| opening.asset).filter(|_| issued.is_empty());
            first.chain(moved).find_map(|asset| core.names.get(&asset).map(|named| named.json.clone()))
        };
        let headers = self.introduction(block.header.clone()).await?;
        let evidence = Evidence {
            params: &self.realm.sidechain,
            tx: &tx,
            outputs,
            issuances,
            block: Some((&block.header, position, branch)),
            parents: parents.iter().collect(),
            contract: contract.as_deref(),
            headers: headers.iter().collect(),
        };
        Ok(match link {
            true => TextFile { name: format!("causeway-proof-{short}.txt"), text: proofs::write_link(&evidence) },
            false => TextFile { name: format!("causeway-proof-{short}.json"), text: proofs::write(&evidence) },
        })
    }

    /// The headers that introduce the federation behind a block, as far as the chain is followed from its genesis block; without them the proof
    /// says for itself that nothing introduces its members.
    async fn introduction(&self, last: BlockHeader) -> Result<Vec<BlockHeader>, Refusal> {
        let (profile, params) = (self.me(), Arc::new(self.realm.sidechain.clone()));
        let found = move || proofs::introduction(&params, &last, |height| profile.clients.sidechain.header(height));
        crate::vault::slowly(move || Ok(found().unwrap_or_default())).await
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
