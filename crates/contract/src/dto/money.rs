//! Balances, addresses, coins, history.

use causeway_vocab::{Atoms, Known, NetworkId};

records! {
    /// Everything the selected wallet holds.
    pub struct Overview {
        /// BTC and L-BTC together, in satoshi, verified part.
        #[ts(type = "Atoms")]
        pub verified: Atoms,
        /// The same, still pending.
        #[ts(type = "Atoms")]
        pub pending: Atoms,
        /// On the way between the chains, in satoshi; part of neither of the above.
        #[ts(type = "Atoms")]
        pub crossing: Atoms,
        /// Per asset, Bitcoin first, then the policy asset, then by name.
        pub balances: Vec<BalanceView>,
    }

    /// A balance of one asset.
    pub struct BalanceView {
        /// The asset.
        pub asset: AssetLabel,
        /// Where it lives.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// Confirmed and verified.
        #[ts(type = "Atoms")]
        pub confirmed: Atoms,
        /// Seen, not confirmed.
        #[ts(type = "Atoms")]
        pub pending: Atoms,
        /// Frozen, and part of `confirmed` or `pending`.
        #[ts(type = "Atoms")]
        pub frozen: Atoms,
        /// What a plan made now may spend of it: without what is frozen, held by a draft, too young, or unconfirmed and made by others.
        #[ts(type = "Atoms")]
        pub available: Atoms,
        /// How the sum is known.
        #[ts(type = "Known")]
        pub known: Known,
        /// Coins it is made of.
        pub coins: u32,
    }

    /// How an asset is named beside an amount.
    pub struct AssetLabel {
        /// The asset.
        #[ts(type = "AssetId")]
        pub id: String,
        /// Ticker from a contract that hashes to the id; the first 8 digits of the id when unknown.
        pub ticker: String,
        /// Name from the same contract.
        pub name: String,
        /// Digits after the point.
        pub precision: u8,
        /// `false`: ticker, name and precision come from nowhere.
        pub named: bool,
    }

    /// Asks for the balance over time.
    pub struct BalanceHistoryRequest {
        /// Unix seconds; absent: from the beginning.
        pub since: Option<u32>,
    }

    /// The balance over time, in steps.
    pub struct BalanceHistory {
        /// Ascending in time; each holds until the next.
        pub steps: Vec<BalanceStep>,
    }

    /// From `time` on, so much.
    pub struct BalanceStep {
        /// Unix seconds.
        pub time: u32,
        /// On Bitcoin, satoshi.
        #[ts(type = "Atoms")]
        pub bitcoin: Atoms,
        /// L-BTC, satoshi.
        #[ts(type = "Atoms")]
        pub sidechain: Atoms,
        /// On the way between the chains, satoshi. What was paid into a peg-in from elsewhere counts once it has arrived.
        #[ts(type = "Atoms")]
        pub crossing: Atoms,
    }

    /// Asks for a new address.
    pub struct ReceiveRequest {
        /// On which network.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// Amount for the link, in atoms of `asset`.
        #[ts(type = "Atoms | null")]
        pub amount: Option<Atoms>,
        /// Asset for the link; absent: the network's own coin.
        #[ts(type = "AssetId | null")]
        pub asset: Option<String>,
        /// Sidechain: an address that shows amounts to everybody.
        pub explicit: bool,
        /// Label of the address; empty for none.
        pub label: String,
        /// Show the last unused address again instead of a new one.
        pub again: bool,
    }

    /// An address to be paid at.
    pub struct ReceiveView {
        /// The address.
        pub address: String,
        /// Payment link (BIP21 or its sidechain form).
        pub uri: String,
        /// Rows of the QR code of `uri`: `1` dark, `0` light, without the quiet zone.
        pub qr: Vec<String>,
        /// Index on its keychain.
        pub index: u32,
        /// Derivation path.
        pub path: String,
    }

    /// A revealed address.
    pub struct AddressView {
        /// The address.
        pub address: String,
        /// Index on its keychain.
        pub index: u32,
        /// It is a change address.
        pub change: bool,
        /// It was paid.
        pub used: bool,
        /// The user's label.
        pub label: String,
    }

    /// An unspent output of the wallet.
    pub struct CoinView {
        /// `txid:vout`.
        pub outpoint: String,
        /// The asset.
        pub asset: AssetLabel,
        /// How much.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// Where it was paid to.
        pub address: String,
        /// Height of its block; absent while unconfirmed.
        pub height: Option<u32>,
        /// Blocks on top of it, its own included.
        pub confirmations: u32,
        /// How it is known.
        #[ts(type = "Known")]
        pub known: Known,
        /// The user froze it.
        pub frozen: bool,
        /// Reserved by a draft.
        pub reserved: bool,
        /// It is our change.
        pub change: bool,
        /// Others cannot see amount and asset.
        pub blinded: bool,
        /// It is a reissuance token.
        pub token: bool,
        /// Why it must not be spent as bitcoin: it holds assets, or may. Absent for a coin that holds bitcoin alone.
        #[ts(type = "Failure | null")]
        pub guarded: Option<crate::Failure>,
        /// Units of assets that it holds besides.
        pub holds: Vec<crate::AmountView>,
        /// The user's label of the coin, its address or its transaction.
        pub label: String,
    }

    /// Freezes or thaws a coin.
    pub struct CoinFreeze {
        /// Where it lives.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// `txid:vout`.
        pub outpoint: String,
        /// The new state.
        pub frozen: bool,
    }

    /// Sets or, with empty text, removes a label (BIP329 kinds).
    pub struct LabelSet {
        /// Where the thing lives.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// What is labelled.
        pub kind: LabelKind,
        /// Txid, address or outpoint.
        pub reference: String,
        /// The label.
        pub text: String,
    }

    /// Labels were read from a BIP329 file.
    pub struct LabelsImported {
        /// Taken over.
        pub taken: u32,
        /// Lines that are no label or name nothing of this wallet.
        pub skipped: u32,
    }

    /// Asks for a page of history, newest first.
    pub struct HistoryRequest {
        /// Only this network.
        #[ts(type = "NetworkId | null")]
        pub network: Option<NetworkId>,
        /// Only transactions that move this asset.
        #[ts(type = "AssetId | null")]
        pub asset: Option<String>,
        /// Only labels, addresses, txids and tickers that contain this.
        pub search: Option<String>,
        /// `next` of the page before.
        pub cursor: Option<String>,
        /// Rows, at most 500.
        pub limit: u32,
    }

    /// A page of history.
    pub struct HistoryPage {
        /// Rows, newest first.
        pub rows: Vec<HistoryRow>,
        /// Cursor of the next page; absent at the end.
        pub next: Option<String>,
        /// Rows in all, without search.
        pub total: u32,
    }

    /// A transaction in a list.
    pub struct HistoryRow {
        /// Where it lives.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// Its id.
        pub txid: String,
        /// What it did for this wallet.
        pub kind: TransactionKind,
        /// What the wallet gained and lost.
        pub moved: Vec<Moved>,
        /// Fee paid by this wallet, satoshi; zero when others paid.
        #[ts(type = "Atoms")]
        pub fee: Atoms,
        /// Height of its block; absent while unconfirmed.
        pub height: Option<u32>,
        /// Unix seconds of the block, or when first seen.
        pub time: u32,
        /// How it is known.
        #[ts(type = "Known")]
        pub known: Known,
        /// Blocks on top of it, its own included.
        pub confirmations: u32,
        /// Confirmations after which it counts as final here.
        pub depth: u32,
        /// The user's label.
        pub label: String,
        /// The other side's address, when there is just one.
        pub counterparty: String,
        /// The operation it belongs to.
        pub operation: Option<u32>,
    }

    /// A signed change of one balance.
    pub struct Moved {
        /// The asset.
        pub asset: AssetLabel,
        /// How much.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// It left the wallet.
        pub out: bool,
    }

    /// Names a transaction.
    pub struct TransactionRef {
        /// Where it lives.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// Its id.
        pub txid: String,
    }

    /// A transaction in full.
    pub struct TransactionView {
        /// As in the list.
        pub row: HistoryRow,
        /// Inputs, for the flow diagram.
        pub inputs: Vec<FlowEnd>,
        /// Outputs, the fee included.
        pub outputs: Vec<FlowEnd>,
        /// Hash of its block.
        pub block: Option<String>,
        /// Virtual size, vB.
        pub vsize: u32,
        /// Fee rate, sat/kvB; zero when the fee is not known.
        pub fee_rate: u32,
        /// It can be replaced with a higher fee.
        pub replaceable: bool,
        /// A child of ours could pay for it.
        pub can_cpfp: bool,
        /// What was checked about it.
        pub checks: Vec<crate::Check>,
        /// The raw transaction, hex.
        pub raw: String,
    }

    /// One input or output.
    pub struct FlowEnd {
        /// What is known of the asset; absent when blinded to us.
        pub asset: Option<AssetLabel>,
        /// Amount; absent when blinded to us.
        #[ts(type = "Atoms | null")]
        pub amount: Option<Atoms>,
        /// Address, or what the output is.
        pub address: String,
        /// What part it plays.
        pub role: FlowRole,
        /// Others cannot see amount and asset.
        pub blinded: bool,
        /// The user's label.
        pub label: String,
    }

    /// What a pasted text is.
    pub struct Recognised {
        /// Which kind.
        pub kind: RecognisedKind,
        /// The address in it.
        pub address: String,
        /// Where it lives.
        #[ts(type = "NetworkId | null")]
        pub network: Option<NetworkId>,
        /// Amounts to it are blinded.
        pub confidential: bool,
        /// Amount asked for.
        #[ts(type = "Atoms | null")]
        pub amount: Option<Atoms>,
        /// Asset asked for.
        pub asset: Option<AssetLabel>,
        /// Label in the link, or the user's own for this address.
        pub label: String,
        /// How often this wallet has paid it.
        pub paid_before: u32,
        /// It is an address of this wallet.
        pub ours: bool,
    }

    /// A fee rate to choose.
    pub struct FeeChoice {
        /// Which.
        pub name: FeeName,
        /// sat/kvB (1,000 = 1 sat/vB).
        pub rate: u32,
        /// Blocks until confirmation, about.
        pub blocks: u32,
    }
}

choices! {
    /// What a label is attached to.
    pub enum LabelKind {
        /// A transaction.
        Tx,
        /// An address.
        Addr,
        /// An output.
        Output,
    }

    /// What a transaction did for this wallet.
    pub enum TransactionKind {
        /// Others paid this wallet.
        Received,
        /// This wallet paid others.
        Sent,
        /// From and to this wallet.
        Moved,
        /// Bitcoin paid to the federation.
        PegInDeposit,
        /// A peg-in was claimed.
        PegInClaim,
        /// Burned to be paid on Bitcoin.
        PegOut,
        /// The federation paid a peg-out.
        PegOutPayment,
        /// An asset was created.
        Issued,
        /// More of an asset was created.
        Reissued,
        /// An asset was destroyed.
        Burned,
        /// Mined here.
        Mined,
    }

    /// What part an input or output plays.
    pub enum FlowRole {
        /// This wallet's.
        Ours,
        /// This wallet's change.
        Change,
        /// Somebody else's.
        Foreign,
        /// The fee.
        Fee,
        /// Destroyed.
        Burn,
        /// Created by an issuance.
        Issue,
        /// Came from or goes to the other chain.
        Peg,
    }

    /// What a pasted text is.
    pub enum RecognisedKind {
        /// An address or payment link.
        Address,
        /// A PSBT.
        Psbt,
        /// A PSET.
        Pset,
        /// A transaction id of this wallet.
        Txid,
        /// An asset id.
        Asset,
        /// An exported proof.
        Proof,
        /// Nothing known.
        Unknown,
    }

    /// Names of fee choices.
    pub enum FeeName {
        /// When there is room.
        Slow,
        /// Within a few blocks.
        Normal,
        /// Next block.
        Urgent,
    }
}
