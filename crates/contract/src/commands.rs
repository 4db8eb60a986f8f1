//! The one list of commands.

/// Hands the list of commands to a macro of the host's: `name(Request) -> Answer [windows] reads [tags] stales [tags]`.
///
/// `[windows]` are the webviews that may call it; an empty list means that no webview may: only the command line and the native window,
/// because recovery words cross it. `reads` says which tags the answer is made of; `stales` what a success makes stale.
#[macro_export]
macro_rules! with_commands {
    ($callback:path) => {
        $callback! {
            // -- profile, wallets, vault
            app_state(Empty) -> AppState [Main, Confirm] reads [App] stales [];
            words_new(WordsNew) -> Words [] reads [] stales [];
            wallet_create(WalletCreate) -> WalletView [] reads [] stales [App];
            wallet_words(WalletUnlock) -> Words [] reads [] stales [];
            words_confirm(WordsConfirm) -> WalletView [] reads [] stales [App];
            wallet_quick_start(WalletQuickStart) -> WalletView [Main] reads [] stales [App];
            wallet_watch(WalletWatch) -> WalletView [Main] reads [] stales [App];
            wallet_descriptors(WalletRef) -> WalletDescriptors [Main] reads [App] stales [];
            wallet_select(WalletRef) -> WalletView [Main] reads [] stales [App, Balances, History, Coins, Assets, Operations];
            wallet_rename(WalletRename) -> WalletView [Main] reads [] stales [App];
            wallet_forget(WalletUnlock) -> Empty [Main] reads [] stales [App];
            unlock(WalletUnlock) -> WalletView [Main, Confirm] reads [] stales [App];
            lock(Empty) -> Empty [Main] reads [] stales [App];
            password_change(PasswordChange) -> Empty [Main] reads [] stales [];
            settings_get(Empty) -> Settings [Main, Confirm] reads [Settings] stales [];
            settings_set(Settings) -> Settings [Main] reads [] stales [Settings, Networks];
            about(Empty) -> About [Main] reads [] stales [];

            // -- networks
            networks(Empty) -> Vec<NetworkView> [Main] reads [Networks] stales [];
            network_rescan(NetworkRescan) -> Empty [Main] reads [] stales [Networks];
            testbed_fund(TestbedFund) -> TestbedFunded [Main] reads [] stales [];
            testbed_mine(TestbedMine) -> Empty [Main] reads [] stales [];

            // -- money
            overview(Empty) -> Overview [Main] reads [Balances, Coins] stales [];
            balance_history(BalanceHistoryRequest) -> BalanceHistory [Main] reads [Balances] stales [];
            receive(ReceiveRequest) -> ReceiveView [Main] reads [] stales [Addresses];
            addresses(NetworkRef) -> Vec<AddressView> [Main] reads [Addresses] stales [];
            coins(NetworkRef) -> Vec<CoinView> [Main] reads [Coins] stales [];
            coin_freeze(CoinFreeze) -> Empty [Main] reads [] stales [Coins, Balances];
            label_set(LabelSet) -> Empty [Main] reads [] stales [History, Coins, Addresses];
            labels_export(Empty) -> TextFile [Main] reads [] stales [];
            labels_import(TextIn) -> LabelsImported [Main] reads [] stales [History, Coins, Addresses];
            history(HistoryRequest) -> HistoryPage [Main] reads [History] stales [];
            history_export(NetworkRef) -> TextFile [Main] reads [] stales [];
            rollbacks(Empty) -> Vec<RollbackView> [Main] reads [History] stales [];
            rollback_dismiss(NetworkRef) -> Empty [Main] reads [] stales [History];
            transaction(TransactionRef) -> TransactionView [Main] reads [History] stales [];
            recognise(TextIn) -> Recognised [Main] reads [] stales [];
            fee_choices(NetworkRef) -> Vec<FeeChoice> [Main] reads [Networks] stales [];

            // -- drafts: planned in the main window, read again and signed in the confirm window
            send_plan(SendPlan) -> DraftView [Main] reads [] stales [Drafts];
            bump_plan(BumpPlan) -> DraftView [Main] reads [] stales [Drafts];
            peg_in_plan(PegInPlan) -> DraftView [Main] reads [] stales [Drafts];
            peg_out_plan(PegOutPlan) -> DraftView [Main] reads [] stales [Drafts];
            issue_plan(IssuePlan) -> DraftView [Main] reads [] stales [Drafts];
            reissue_plan(ReissuePlan) -> DraftView [Main] reads [] stales [Drafts];
            burn_plan(BurnPlan) -> DraftView [Main] reads [] stales [Drafts];
            drafts(Empty) -> Vec<DraftView> [Main] reads [Drafts] stales [];
            draft_review(DraftRef) -> Review [Main, Confirm] reads [Drafts] stales [];
            draft_sign(DraftSign) -> OperationView [Confirm] reads [] stales [Drafts, Operations, Coins, Balances, History];
            draft_sign_only(DraftSign) -> DraftView [Confirm] reads [] stales [Drafts];
            draft_discard(DraftRef) -> Empty [Main, Confirm] reads [] stales [Drafts, Coins];
            draft_export(DraftRef) -> TextFile [Main] reads [] stales [Drafts];
            draft_import(DraftImport) -> DraftView [Main] reads [] stales [Drafts, Coins];

            // -- operations
            peg_in_address(Empty) -> OperationView [Main] reads [] stales [Operations];
            operations(OperationsRequest) -> Vec<OperationView> [Main] reads [Operations] stales [];
            operation(OperationRef) -> OperationView [Main, Confirm] reads [Operations] stales [];
            operation_act(OperationAct) -> OperationView [Main] reads [] stales [Operations];
            peg_out_keys(Empty) -> PegOutKeys [Main] reads [Networks] stales [];
            bridge(Empty) -> BridgeView [Main] reads [Networks, Operations] stales [];
            peg_audit(Empty) -> PegAudit [Main] reads [Audit] stales [];
            peg_audit_set(PegAuditSet) -> PegAudit [Main] reads [] stales [Audit];

            // -- assets
            assets(Empty) -> Vec<AssetView> [Main] reads [Assets, Balances, Coins] stales [];
            asset(AssetRef) -> AssetDetail [Main] reads [Assets, Balances, Coins, History] stales [];
            contract_import(ContractImport) -> AssetView [Main] reads [] stales [Assets];
            supply_proof(SupplyProof) -> TextFile [Main] reads [] stales [];
            holders(AssetRef) -> Vec<AssetHolder> [Main] reads [Assets, History] stales [];
            holder_mark(HolderMark) -> Vec<AssetHolder> [Main] reads [] stales [Assets, History, Addresses];

            // -- one asset to many
            distribution_read(DistributionRequest) -> DistributionPreview [Main] reads [] stales [];
            distribution_plan(DistributionRequest) -> DraftView [Main] reads [] stales [Drafts];
            distribution(OperationRef) -> DistributionView [Main] reads [Operations] stales [];
            distribution_report(OperationRef) -> TextFile [Main] reads [] stales [];

            // -- the redemption desk
            redemptions(AssetRef) -> Vec<RedemptionView> [Main] reads [Assets, History] stales [];
            redemption_new(RedemptionNew) -> RedemptionView [Main] reads [] stales [Assets, Addresses];
            redemption_plan(RedemptionPlan) -> DraftView [Main] reads [] stales [Drafts];
            redemption_ledger(AssetRef) -> TextFile [Main] reads [] stales [];

            // -- asset registries
            registry_lookup(AssetRef) -> RegistryAnswer [Main] reads [Assets] stales [];
            registry_publish(AssetRef) -> RegistryPublished [Main] reads [] stales [Assets];

            // -- swaps
            offers(Empty) -> Vec<OfferView> [Main] reads [Operations] stales [];
            offer_plan(OfferPlan) -> DraftView [Main] reads [] stales [Drafts];
            offer_cancel(OperationRef) -> DraftView [Main] reads [] stales [Drafts];
            swap_inspect(TextIn) -> SwapInspection [Main] reads [] stales [];
            swap_take(SwapTake) -> DraftView [Main] reads [] stales [Drafts];

            // -- coloured coins on Bitcoin
            coloured_assets(Empty) -> Vec<ColouredAsset> [Main] reads [Assets, Coins] stales [];
            coloured_issue_plan(ColouredIssue) -> DraftView [Main] reads [] stales [Drafts, Coins];
            coloured_reissue_plan(ColouredReissue) -> DraftView [Main] reads [] stales [Drafts, Coins];
            coloured_send_plan(ColouredSend) -> DraftView [Main] reads [] stales [Drafts, Coins];
            coloured_burn_plan(ColouredBurn) -> DraftView [Main] reads [] stales [Drafts, Coins];
            coloured_holders(ColouredRef) -> HoldersView [Main] reads [Networks] stales [];
            dividend_plan(DividendPlan) -> DraftView [Main] reads [] stales [Drafts, Coins];

            // -- Counterparty
            ledger_server(LedgerServer) -> Empty [Main] reads [] stales [Settings];
            ledger_balances(Empty) -> Vec<LedgerBalance> [Main] reads [Networks] stales [];
            ledger_history(Empty) -> Vec<LedgerEvent> [Main] reads [Networks] stales [];
            ledger_offers(Empty) -> Vec<LedgerOffer> [Main] reads [Networks] stales [];
            ledger_plan(LedgerPlan) -> DraftView [Main] reads [] stales [Drafts, Coins];

            // -- Bitcoin staking
            staking(Empty) -> StakingView [Main] reads [Networks, Operations] stales [];
            stakes(Empty) -> Vec<StakeView> [Main] reads [Operations] stales [];
            stake_plan(StakePlan) -> DraftView [Main] reads [] stales [Drafts, Coins];
            stake_unbond_plan(OperationRef) -> DraftView [Main] reads [] stales [Drafts];
            stake_withdraw_plan(StakeWithdraw) -> DraftView [Main] reads [] stales [Drafts, Addresses];
            stake_exit(OperationRef) -> TextFile [Main] reads [Operations] stales [];

            // -- proofs for third parties
            proof_export(ProofExport) -> TextFile [Main] reads [] stales [];
            proof_verify(TextIn) -> ProofVerdict [Main] reads [] stales [];

            // -- updates of this program
            update_check(UpdateCheck) -> UpdateVerdict [Main] reads [] stales [];
        }
    };
}

/// A webview that may hold permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The main window: asks and plans, never signs.
    Main,
    /// The confirm window: shows what the keys recomputed, and signs.
    Confirm,
}

impl Window {
    /// The window's label and the name of its capability file.
    pub fn label(self) -> &'static str {
        match self {
            Window::Main => "main",
            Window::Confirm => "confirm",
        }
    }
}

/// What a host needs to know of one command.
#[derive(Debug, Clone, Copy)]
pub struct CommandInfo {
    /// Its name, the same in Rust, on the wire and in TypeScript.
    pub name: &'static str,
    /// Name of the request type in the bindings.
    pub request: &'static str,
    /// Name of the answer type in the bindings.
    pub answer: &'static str,
    /// Webviews that may call it.
    pub windows: &'static [Window],
    /// Tags the answer is made of.
    pub reads: &'static [crate::Tag],
    /// Tags a success makes stale.
    pub stales: &'static [crate::Tag],
}

macro_rules! list {
    ($($name:ident($req:ty) -> $ans:ty [$($window:ident),*] reads [$($read:ident),*] stales [$($stale:ident),*];)*) => {
        /// Every command, in the order of the list.
        pub const COMMANDS: &[CommandInfo] = &[$(CommandInfo {
            name: stringify!($name),
            request: stringify!($req),
            answer: stringify!($ans),
            windows: &[$(Window::$window),*],
            reads: &[$(crate::Tag::$read),*],
            stales: &[$(crate::Tag::$stale),*],
        }),*];
    };
}
with_commands!(list);
