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
        /// What a dividend is paid in, or what an order asks for.
        #[ts(type = "AssetId | null")]
        pub pays: Option<String>,
        /// Of an order: how much of `pays`. Of a dispenser and of a purchase: satoshis, for one portion and altogether.
        #[ts(type = "Atoms | null")]
        pub price: Option<Atoms>,
        /// Of a dispenser: how much it sells at most; `amount` is one portion.
        #[ts(type = "Atoms | null")]
        pub escrow: Option<Atoms>,
        /// Of an order: for how many blocks; absent or 0: until it is taken back.
        pub blocks: Option<u16>,
        /// The transaction of the order that is taken back.
        pub offer: Option<String>,
        /// Of a sweep: assets that this address issues go along.
        pub ownership: Option<bool>,
        /// Of a send to many: whom, what and how much.
        pub sends: Option<Vec<LedgerShare>>,
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
        /// The server is asked to compose the transaction, which is then taken as `composed` is. It learns which coins are spent.
        pub ask: Option<bool>,
    }

    /// One of several sends in a message.
    pub struct LedgerShare {
        /// To whom.
        pub to: String,
        /// What.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// How much, in smallest units.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
    }

    /// A message of this wallet, and what a server reports became of it.
    pub struct LedgerEvent {
        /// Its transaction.
        pub txid: String,
        /// Block; absent while it waits for one.
        pub height: Option<u32>,
        /// The address that spoke.
        pub source: String,
        /// What it said, in the words of the server, such as `issuance`.
        pub kind: String,
        /// Whether the server took it for valid; absent when it does not say.
        pub valid: Option<bool>,
        /// Always *reported*: that the message is in the chain is certain, what came of it is not.
        #[ts(type = "Known")]
        pub known: Known,
    }

    /// An order or a dispenser of this wallet, as a server reports it.
    pub struct LedgerOffer {
        /// Its transaction.
        pub txid: String,
        /// The address that made it.
        pub source: String,
        /// A dispenser, which sells for bitcoin; otherwise an order.
        pub dispenser: bool,
        /// What is given.
        pub gives: AssetLabel,
        /// How much of it is left.
        #[ts(type = "Atoms")]
        pub left: Atoms,
        /// Of a dispenser: one portion.
        #[ts(type = "Atoms | null")]
        pub portion: Option<Atoms>,
        /// What is asked for; bitcoin for a dispenser.
        pub gets: AssetLabel,
        /// How much of it is still asked for; of a dispenser: for one portion.
        #[ts(type = "Atoms")]
        pub price: Atoms,
        /// It can still be taken.
        pub open: bool,
        /// Always *reported*.
        #[ts(type = "Known")]
        pub known: Known,
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
        /// Offers one asset for another.
        Order,
        /// Takes an order back.
        Cancel,
        /// Sells portions to whoever sends bitcoin.
        Dispenser,
        /// Ends a dispenser.
        CloseDispenser,
        /// Buys from a dispenser with bitcoin.
        Buy,
        /// Sends everything that an address holds.
        Sweep,
        /// Sends to several addresses at once.
        SendMany,
    }
}
