//! Counterparty: a ledger that servers keep from messages in Bitcoin transactions.

use causeway_vocab::{Atoms, Known};

use crate::AssetLabel;

records! {
    /// Which server of the ledger is asked; empty: the realm's own, if it has one.
    pub struct LedgerServer {
        /// `https://…`, what stands before `/v2/`.
        pub server: String,
    }

    /// A balance that a server reports.
    pub struct LedgerBalance {
        /// The asset, by its name on the ledger.
        pub asset: AssetLabel,
        /// The address that holds it, or that the coin pays.
        pub address: String,
        /// The coin that it is bound to, `txid:vout`; such a coin is not spent.
        pub coin: Option<String>,
        /// Smallest units.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// Always *reported*: nothing here proves it.
        #[ts(type = "Known")]
        pub known: Known,
    }

    /// Plans a message to the ledger. It is always written here, also to be compared with what a server composed.
    pub struct LedgerPlan {
        /// What to do.
        pub deed: LedgerDeed,
        /// Asset: `XCP`, a name of 4 to 12 letters, or `A` and a number. Empty for a new numeric one.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// Smallest units; of a dividend: for each unit held.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// The address that speaks, whose balance is used; absent when it issues something new.
        pub source: Option<String>,
        /// To whom units are sent.
        pub to: Option<String>,
        /// What a dividend is paid in.
        #[ts(type = "AssetId | null")]
        pub pays: Option<String>,
        /// The coin to detach from, `txid:vout`.
        pub coin: Option<String>,
        /// New assets: eight decimal places instead of none.
        pub divisible: bool,
        /// No more can ever be issued.
        pub lock: bool,
        /// Description of an issuance, memo of a send, note of a destruction, or the text of a broadcast.
        pub text: String,
        /// sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
        /// The unsigned transaction as a server composed it, hex: taken if it does exactly this and nothing else. Absent: composed here.
        pub composed: Option<String>,
    }
}

choices! {
    /// What a message does.
    pub enum LedgerDeed {
        /// Issues, issues more or locks.
        Issue,
        /// Sends to an address.
        Send,
        /// Destroys.
        Destroy,
        /// Pays all holders.
        Dividend,
        /// Publishes a text.
        Broadcast,
        /// Binds units to a coin of this wallet.
        Attach,
        /// Returns units from a coin to its address.
        Detach,
    }
}
