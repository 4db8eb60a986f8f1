//! Assets of coloured coins, which live on Bitcoin.

use causeway_vocab::{Atoms, Known};

use crate::AssetLabel;

records! {
    /// An asset of coloured coins that this wallet holds or has issued.
    pub struct ColouredAsset {
        /// Its identifier. Nothing on the chain vouches for other names.
        pub asset: AssetLabel,
        /// The protocol by whose rules its units are told.
        pub protocol: AssetProtocol,
        /// Units in blocks.
        #[ts(type = "Atoms")]
        pub confirmed: Atoms,
        /// Units that wait for a block.
        #[ts(type = "Atoms")]
        pub pending: Atoms,
        /// Coins that hold it.
        pub coins: u32,
        /// How the figures are known: *verified* means that every ancestor was read from verified blocks.
        #[ts(type = "Known")]
        pub known: Known,
        /// This wallet has the issuing script or has made the issuance.
        pub issued_here: bool,
        /// This wallet can issue more.
        pub can_reissue: bool,
        /// Units can be destroyed.
        pub can_burn: bool,
    }

    /// Plans a new asset of coloured coins.
    pub struct ColouredIssue {
        /// By whose rules; Counterparty is not issued this way.
        pub protocol: AssetProtocol,
        /// First supply, in smallest units.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// Digits after the point, 0 to 7; Colu only, 0 elsewhere.
        pub divisibility: u8,
        /// More can be issued later. Open Assets: always; EPOBC: never; Colu: as chosen here.
        pub reissuable: bool,
        /// How pieces merge; Colu only.
        pub aggregation: Option<Aggregation>,
        /// Where the definition lies, `https://…`; Open Assets only, empty for none.
        pub definition: String,
        /// sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
        /// Label of the transaction.
        pub label: String,
    }

    /// Plans more of an asset.
    pub struct ColouredReissue {
        /// The asset.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// How much more.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
    }

    /// Units for somebody.
    pub struct ColouredPayment {
        /// An Open Assets address, or a Bitcoin address.
        pub address: String,
        /// How many units.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
    }

    /// Plans a transfer of units.
    pub struct ColouredSend {
        /// The asset.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// To whom; several split the units.
        pub recipients: Vec<ColouredPayment>,
        /// Open Assets: pay ordinary Bitcoin addresses too, whose owners say that their wallets keep units.
        pub allow_plain: bool,
        /// sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
        /// Label of the transaction.
        pub label: String,
    }

    /// Plans to destroy units.
    pub struct ColouredBurn {
        /// The asset.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// How many units.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
        /// Why, only in this wallet.
        pub label: String,
    }

    /// Names an asset of coloured coins.
    pub struct ColouredRef {
        /// The asset.
        #[ts(type = "AssetId")]
        pub asset: String,
    }

    /// Who holds an asset, from the blocks.
    pub struct HoldersView {
        /// The asset.
        pub asset: AssetLabel,
        /// Everybody, the largest first.
        pub holders: Vec<HolderView>,
        /// Sum of all.
        #[ts(type = "Atoms")]
        pub total: Atoms,
        /// First block that was searched; units issued before it are not counted.
        pub from: u32,
        /// Last block.
        pub to: u32,
    }

    /// A holder.
    pub struct HolderView {
        /// Address, or the script where it has none.
        pub address: String,
        /// Units.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// It is this wallet.
        pub ours: bool,
    }

    /// Plans a payment to everybody who holds an asset, in proportion, this wallet left out.
    pub struct DividendPlan {
        /// Whose holders are paid.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// What they are paid in; absent: bitcoin.
        #[ts(type = "AssetId | null")]
        pub pays: Option<String>,
        /// How much together, in smallest units.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// Give what rounding leaves to the largest fractions; otherwise it stays here.
        pub all: bool,
        /// sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
        /// Label of the transaction.
        pub label: String,
    }
}

choices! {
    /// A protocol of assets on Bitcoin.
    pub enum AssetProtocol {
        /// Open Assets 1.0.
        OpenAssets,
        /// Colu's Coloured Coins.
        Colu,
        /// EPOBC.
        Epobc,
        /// Counterparty.
        Counterparty,
    }

    /// How pieces of a Colu asset merge.
    pub enum Aggregation {
        /// All pieces are alike.
        Aggregatable,
        /// Pieces of one issuance are alike.
        Hybrid,
        /// Every piece stays itself.
        Dispersed,
    }
}
