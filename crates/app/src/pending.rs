//! Commands that are not written yet.

#![allow(clippy::unused_async)]

use crate::profile::Profile;
use causeway_contract::*;

fn not_yet<T>(what: &str) -> Result<T, Failure> {
    Err(Refusal::new(Code::NotOffered).with("what", what))
}

impl Profile {
    pub(crate) async fn label_set(&self, _: LabelSet) -> Result<Empty, Failure> {
        not_yet("label_set")
    }
    pub(crate) async fn labels_export(&self, _: Empty) -> Result<TextFile, Failure> {
        not_yet("labels_export")
    }
    pub(crate) async fn labels_import(&self, _: TextIn) -> Result<LabelsImported, Failure> {
        not_yet("labels_import")
    }
    pub(crate) async fn history(&self, _: HistoryRequest) -> Result<HistoryPage, Failure> {
        not_yet("history")
    }
    pub(crate) async fn history_export(&self, _: NetworkRef) -> Result<TextFile, Failure> {
        not_yet("history_export")
    }
    pub(crate) async fn transaction(&self, _: TransactionRef) -> Result<TransactionView, Failure> {
        not_yet("transaction")
    }
    pub(crate) async fn recognise(&self, _: TextIn) -> Result<Recognised, Failure> {
        not_yet("recognise")
    }
    pub(crate) async fn bridge(&self, _: Empty) -> Result<BridgeView, Failure> {
        not_yet("bridge")
    }
    pub(crate) async fn assets(&self, _: Empty) -> Result<Vec<AssetView>, Failure> {
        not_yet("assets")
    }
    pub(crate) async fn asset(&self, _: AssetRef) -> Result<AssetDetail, Failure> {
        not_yet("asset")
    }
    pub(crate) async fn contract_import(&self, _: ContractImport) -> Result<AssetView, Failure> {
        not_yet("contract_import")
    }
    pub(crate) async fn proof_export(&self, _: ProofExport) -> Result<TextFile, Failure> {
        not_yet("proof_export")
    }
    pub(crate) async fn proof_verify(&self, _: TextIn) -> Result<ProofVerdict, Failure> {
        not_yet("proof_verify")
    }
}
