//! Swaps of assets in one transaction, by offers that anybody can take.

use causeway_vocab::Atoms;

use crate::{AmountView, OperationStatus};

records! {
    /// Plans an offer: a whole coin for an amount of something else.
    pub struct OfferPlan {
        /// The coin, `txid:vout`; confirmed, and its amount hidden.
        pub coin: String,
        /// What is asked for.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// How much of it, in atoms.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
    }

    /// An offer of this wallet.
    pub struct OfferView {
        /// Its operation.
        pub operation: u32,
        /// What it gives.
        pub gives: AmountView,
        /// What it asks for.
        pub gets: AmountView,
        /// The coin it gives, `txid:vout`. Nothing else spends it as long as the offer stands.
        pub coin: String,
        /// The offer, to be handed out: LiquiDEX JSON, version 1.
        pub text: String,
        /// Running: it stands. Done: it was taken. Stopped: it was cancelled.
        pub status: OperationStatus,
    }

    /// An offer of somebody, checked against the chain.
    pub struct SwapInspection {
        /// What whoever takes it gets.
        pub you_get: AmountView,
        /// What whoever takes it pays, fee aside.
        pub you_pay: AmountView,
        /// The coin that is offered.
        pub coin: String,
        /// The block that made it.
        pub height: u32,
        /// It is an offer of this wallet.
        pub own: bool,
    }

    /// Plans to take an offer.
    pub struct SwapTake {
        /// The offer.
        pub text: String,
        /// Sidechain fee rate, sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
    }
}
