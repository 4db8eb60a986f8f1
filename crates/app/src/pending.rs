//! Commands that are not written yet.

#![allow(clippy::unused_async)]

use crate::profile::Profile;
use causeway_contract::*;

fn not_yet<T>(what: &str) -> Result<T, Failure> {
    Err(Refusal::new(Code::NotOffered).with("what", what))
}

impl Profile {
    pub(crate) async fn words_new(&self, _: WordsNew) -> Result<Words, Failure> {
        not_yet("words_new")
    }
    pub(crate) async fn wallet_create(&self, _: WalletCreate) -> Result<WalletView, Failure> {
        not_yet("wallet_create")
    }
    pub(crate) async fn wallet_words(&self, _: WalletUnlock) -> Result<Words, Failure> {
        not_yet("wallet_words")
    }
    pub(crate) async fn wallet_quick_start(&self, _: WalletQuickStart) -> Result<WalletView, Failure> {
        not_yet("wallet_quick_start")
    }
    pub(crate) async fn wallet_watch(&self, _: WalletWatch) -> Result<WalletView, Failure> {
        not_yet("wallet_watch")
    }
    pub(crate) async fn wallet_select(&self, _: WalletRef) -> Result<WalletView, Failure> {
        not_yet("wallet_select")
    }
    pub(crate) async fn wallet_rename(&self, _: WalletRename) -> Result<WalletView, Failure> {
        not_yet("wallet_rename")
    }
    pub(crate) async fn wallet_forget(&self, _: WalletUnlock) -> Result<Empty, Failure> {
        not_yet("wallet_forget")
    }
    pub(crate) async fn unlock(&self, _: WalletUnlock) -> Result<WalletView, Failure> {
        not_yet("unlock")
    }
    pub(crate) async fn lock(&self, _: Empty) -> Result<Empty, Failure> {
        not_yet("lock")
    }
    pub(crate) async fn password_change(&self, _: PasswordChange) -> Result<Empty, Failure> {
        not_yet("password_change")
    }
    pub(crate) async fn settings_get(&self, _: Empty) -> Result<Settings, Failure> {
        not_yet("settings_get")
    }
    pub(crate) async fn settings_set(&self, _: Settings) -> Result<Settings, Failure> {
        not_yet("settings_set")
    }
    pub(crate) async fn about(&self, _: Empty) -> Result<About, Failure> {
        not_yet("about")
    }
    pub(crate) async fn networks(&self, _: Empty) -> Result<Vec<NetworkView>, Failure> {
        not_yet("networks")
    }
    pub(crate) async fn network_rescan(&self, _: NetworkRescan) -> Result<Empty, Failure> {
        not_yet("network_rescan")
    }
    pub(crate) async fn testbed_fund(&self, _: TestbedFund) -> Result<TestbedFunded, Failure> {
        not_yet("testbed_fund")
    }
    pub(crate) async fn testbed_mine(&self, _: TestbedMine) -> Result<Empty, Failure> {
        not_yet("testbed_mine")
    }
    pub(crate) async fn overview(&self, _: Empty) -> Result<Overview, Failure> {
        not_yet("overview")
    }
    pub(crate) async fn balance_history(&self, _: BalanceHistoryRequest) -> Result<BalanceHistory, Failure> {
        not_yet("balance_history")
    }
    pub(crate) async fn receive(&self, _: ReceiveRequest) -> Result<ReceiveView, Failure> {
        not_yet("receive")
    }
    pub(crate) async fn addresses(&self, _: NetworkRef) -> Result<Vec<AddressView>, Failure> {
        not_yet("addresses")
    }
    pub(crate) async fn coins(&self, _: NetworkRef) -> Result<Vec<CoinView>, Failure> {
        not_yet("coins")
    }
    pub(crate) async fn coin_freeze(&self, _: CoinFreeze) -> Result<Empty, Failure> {
        not_yet("coin_freeze")
    }
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
    pub(crate) async fn fee_choices(&self, _: NetworkRef) -> Result<Vec<FeeChoice>, Failure> {
        not_yet("fee_choices")
    }
    pub(crate) async fn send_plan(&self, _: SendPlan) -> Result<DraftView, Failure> {
        not_yet("send_plan")
    }
    pub(crate) async fn bump_plan(&self, _: BumpPlan) -> Result<DraftView, Failure> {
        not_yet("bump_plan")
    }
    pub(crate) async fn peg_in_plan(&self, _: PegInPlan) -> Result<DraftView, Failure> {
        not_yet("peg_in_plan")
    }
    pub(crate) async fn peg_out_plan(&self, _: PegOutPlan) -> Result<DraftView, Failure> {
        not_yet("peg_out_plan")
    }
    pub(crate) async fn issue_plan(&self, _: IssuePlan) -> Result<DraftView, Failure> {
        not_yet("issue_plan")
    }
    pub(crate) async fn reissue_plan(&self, _: ReissuePlan) -> Result<DraftView, Failure> {
        not_yet("reissue_plan")
    }
    pub(crate) async fn burn_plan(&self, _: BurnPlan) -> Result<DraftView, Failure> {
        not_yet("burn_plan")
    }
    pub(crate) async fn draft_review(&self, _: DraftRef) -> Result<Review, Failure> {
        not_yet("draft_review")
    }
    pub(crate) async fn draft_sign(&self, _: DraftSign) -> Result<OperationView, Failure> {
        not_yet("draft_sign")
    }
    pub(crate) async fn draft_discard(&self, _: DraftRef) -> Result<Empty, Failure> {
        not_yet("draft_discard")
    }
    pub(crate) async fn draft_export(&self, _: DraftRef) -> Result<TextFile, Failure> {
        not_yet("draft_export")
    }
    pub(crate) async fn draft_import(&self, _: DraftImport) -> Result<DraftView, Failure> {
        not_yet("draft_import")
    }
    pub(crate) async fn peg_in_address(&self, _: Empty) -> Result<OperationView, Failure> {
        not_yet("peg_in_address")
    }
    pub(crate) async fn operations(&self, _: OperationsRequest) -> Result<Vec<OperationView>, Failure> {
        not_yet("operations")
    }
    pub(crate) async fn operation(&self, _: OperationRef) -> Result<OperationView, Failure> {
        not_yet("operation")
    }
    pub(crate) async fn operation_act(&self, _: OperationAct) -> Result<OperationView, Failure> {
        not_yet("operation_act")
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
