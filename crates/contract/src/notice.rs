//! What the app tells its faces unasked: which answers went stale, and how far long work has come.

use causeway_vocab::NetworkId;

choices! {
    /// One kind of cached answer. A command says which it reads and which it makes stale; a notice says which went stale by themselves.
    pub enum Tag {
        /// Lock state, wallets, realm.
        App,
        /// Settings.
        Settings,
        /// Tips, peers, checks and faults of networks.
        Networks,
        /// Balances and their history.
        Balances,
        /// Coins and their freezes.
        Coins,
        /// Revealed addresses.
        Addresses,
        /// Transactions.
        History,
        /// Assets and issuances.
        Assets,
        /// Drafts that wait for a signature.
        Drafts,
        /// Long work.
        Operations,
        /// The audit of the peg.
        Audit,
    }
}

records! {
    /// Says what went stale; reads say what is. A gap in `seq` means that everything may be stale.
    pub struct Notice {
        /// Counts up by one per window subscription.
        pub seq: u32,
        /// What went stale.
        pub tags: Vec<Tag>,
    }

    /// How far long work has come. May be dropped or skipped; never needed for correctness.
    pub struct Progress {
        /// Which network is at work.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// Units done.
        pub done: u32,
        /// Units in all.
        pub of: u32,
        /// Seconds left, when known.
        pub eta: Option<u32>,
    }
}
