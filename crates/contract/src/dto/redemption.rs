//! Requests to redeem an asset, and what became of them.

use causeway_vocab::{Atoms, Known};

use crate::AssetLabel;

records! {
    /// Makes an address of its own for a request to redeem.
    pub struct RedemptionNew {
        /// What is to be redeemed.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// What the request is known by, at most 255 characters.
        pub reference: String,
        /// Where a refused payment goes back to; empty when the holder named no address.
        pub return_address: String,
    }

    /// A request to redeem with the payments to its address.
    pub struct RedemptionView {
        /// Its number.
        pub redemption: u32,
        /// What is to be redeemed.
        pub asset: AssetLabel,
        /// What it is known by.
        pub reference: String,
        /// Where the holder pays.
        pub address: String,
        /// Rows of a QR code for the address.
        pub qr: Vec<String>,
        /// Where a refused payment goes back to; may be empty.
        pub return_address: String,
        /// Unix seconds.
        pub created: u32,
        /// What came in, oldest first.
        pub payments: Vec<RedemptionPayment>,
    }

    /// A payment to a redemption address.
    pub struct RedemptionPayment {
        /// The coin, `txid:vout`. No plan spends it until it is accepted or returned.
        pub outpoint: String,
        /// Of what: anybody can pay anything.
        pub asset: AssetLabel,
        /// How much.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// Unix seconds.
        pub time: u32,
        /// Its block; absent while unconfirmed.
        pub height: Option<u32>,
        /// How it is known.
        #[ts(type = "Known")]
        pub known: Known,
        /// Where it stands.
        pub state: RedemptionState,
        /// The transaction that burned or returned it.
        pub txid: Option<String>,
    }

    /// Plans to accept a payment, which burns it, or to return it.
    pub struct RedemptionPlan {
        /// The payment, `txid:vout`.
        pub outpoint: String,
        /// Burn it; otherwise send it back.
        pub accept: bool,
        /// Where it goes back to; absent: the address of the request.
        pub address: Option<String>,
        /// Sidechain fee rate, sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
    }
}

choices! {
    /// Where a payment to a redemption address stands.
    pub enum RedemptionState {
        /// In no block yet.
        Pending,
        /// Waits for a decision.
        Open,
        /// Burned.
        Accepted,
        /// Sent back.
        Returned,
    }
}
