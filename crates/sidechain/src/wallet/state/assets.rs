//! Assets whose issuance this wallet has seen.

use super::{Cursor, HistoryEntry, SidechainWallet, burned};
use crate::consensus::issuance::ids_of;
use causeway_vocab::Height;
use elements::{AssetEntropy, AssetId, ContractHash, OutPoint, TxIn, Txid};

/// An issued asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedAsset {
    /// Its id.
    pub asset: AssetId,
    /// Its reissuance token.
    pub token: AssetId,
    /// What reissuances name.
    pub entropy: AssetEntropy,
    /// Contract that the id commits to; all zero when none was given.
    pub contract_hash: ContractHash,
    /// The outpoint that the id commits to.
    pub prevout: OutPoint,
    /// The transaction that issued it.
    pub txid: Txid,
    /// Whether amounts are issued hidden. Reissuances must do the same.
    pub blinded: bool,
    /// Whether we issued it.
    pub ours: bool,
    /// Whether tokens were made, so that more can be issued by whoever holds one. `None` when their number is hidden from us.
    pub reissuable: Option<bool>,
    /// Whether we hold a token that can be used: an unspent hidden one.
    pub token_held: bool,
    /// What we saw of its supply, oldest first.
    pub steps: Vec<SupplyStep>,
}

/// A change of supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupplyStep {
    /// The transaction.
    pub txid: Txid,
    /// Its block; `None` while unconfirmed.
    pub height: Option<Height>,
    /// Block time, or when it was first seen; Unix seconds.
    pub time: u32,
    /// What happened.
    pub event: SupplyEvent,
    /// Atoms; `None` when hidden from us.
    pub amount: Option<u64>,
}

/// What happened to a supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SupplyEvent {
    /// First issuance.
    Issue,
    /// More was made.
    Reissue,
    /// Some was destroyed.
    Burn,
}

impl SidechainWallet {
    /// Assets whose issuance this wallet has seen, oldest first.
    pub fn issued_assets(&self) -> Vec<IssuedAsset> {
        let mut assets: Vec<IssuedAsset> = Vec::new();
        for (txid, input) in self.issuances() {
            if let Some(ids) = ids_of(input).filter(|ids| !ids.is_reissuance)
                && !assets.iter().any(|known| known.asset == ids.asset)
            {
                let issuance = &input.asset_issuance;
                let tokens = issuance.inflation_keys.explicit().or_else(|| self.hidden(&txid, input)[1]);
                assets.push(IssuedAsset {
                    asset: ids.asset,
                    token: ids.token,
                    entropy: ids.entropy,
                    contract_hash: issuance.asset_entropy.into_contract_hash(),
                    prevout: input.previous_output,
                    txid,
                    blinded: issuance.amount.is_confidential(),
                    ours: self.spent(input).is_some(),
                    reissuable: if issuance.inflation_keys.is_null() { Some(false) } else { tokens.map(|tokens| tokens > 0) },
                    token_held: self.coins().any(|coin| coin.opening.asset == ids.token && coin.output.asset.is_confidential()),
                    steps: self.supply(&ids.asset),
                });
            }
        }
        assets
    }

    /// One of them.
    pub fn issued_asset(&self, asset: &AssetId) -> Option<IssuedAsset> {
        self.issued_assets().into_iter().find(|known| known.asset == *asset)
    }

    /// What we saw of an asset's supply, oldest first, whether or not its issuance is known.
    pub fn supply(&self, asset: &AssetId) -> Vec<SupplyStep> {
        let mut steps: Vec<(Cursor, SupplyStep)> = Vec::new();
        let mut push = |entry: HistoryEntry, event, amount| {
            let HistoryEntry { cursor, txid, height, time, .. } = entry;
            steps.push((cursor, SupplyStep { txid, height, time, event, amount }));
        };
        for (txid, input) in self.issuances() {
            let Some(ids) = ids_of(input).filter(|ids| ids.asset == *asset) else { continue };
            let event = if ids.is_reissuance { SupplyEvent::Reissue } else { SupplyEvent::Issue };
            let amount = input.asset_issuance.amount.explicit().or_else(|| self.hidden(&txid, input)[0]);
            if let Some(entry) = self.history_entry(&txid) {
                push(entry, event, amount);
            }
        }
        for txid in &self.burning {
            let Some(entry) = self.history_entry(txid) else { continue };
            let burns = self.txs[txid].tx.stripped.output.iter().filter_map(burned);
            for (_, amount) in burns.filter(|(burnt, _)| burnt == asset) {
                push(entry.clone(), SupplyEvent::Burn, Some(amount));
            }
        }
        steps.sort_by_key(|(cursor, _)| *cursor);
        steps.into_iter().map(|(_, step)| step).collect()
    }

    /// Every input that issues, in transactions that are not gone, oldest first.
    fn issuances(&self) -> impl Iterator<Item = (Txid, &TxIn)> {
        let mut live: Vec<Cursor> = self.issuing.iter().filter_map(|txid| self.cursor(txid)).collect();
        live.sort();
        live.into_iter().flat_map(|cursor| {
            let inputs = &self.txs[&cursor.txid].tx.stripped.input;
            inputs.iter().filter(|input| input.has_issuance()).map(move |input| (cursor.txid, input))
        })
    }

    /// Amounts issued by an input that only we know: asset, tokens.
    fn hidden(&self, txid: &Txid, input: &TxIn) -> [Option<u64>; 2] {
        let tx = &self.txs[txid].tx;
        let vin = tx.stripped.input.iter().position(|other| other == input);
        vin.and_then(|vin| tx.issued.get(&(vin as u32))).copied().unwrap_or_default()
    }
}
