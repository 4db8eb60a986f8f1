//! Networks: tips, peers, checks, faults.

use causeway_vocab::{Atoms, Capability, NetworkId, Refusal};

records! {
    /// Names a network.
    pub struct NetworkRef {
        /// Which.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
    }

    /// A network as its light client sees it.
    pub struct NetworkView {
        /// Which.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// What it is doing.
        pub phase: Phase,
        /// Height of the best verified block; absent before the first.
        pub height: Option<u32>,
        /// Its header time, Unix seconds.
        pub tip_time: Option<u32>,
        /// Every block up to here has been searched for this wallet.
        pub scanned_to: Option<u32>,
        /// Peers, connected or not.
        pub peers: Vec<PeerView>,
        /// What is checked on this network, with the last verdict.
        pub checks: Vec<CheckView>,
        /// What the user can do on it.
        #[ts(type = "Capability[]")]
        pub capabilities: Vec<Capability>,
        /// The trouble it is in, if any.
        #[ts(type = "Failure | null")]
        pub fault: Option<Refusal>,
        /// Unix seconds since when no peer answers; absent while connected.
        pub offline_since: Option<u32>,
        /// Seconds between blocks as observed lately; absent before two blocks.
        pub block_seconds: Option<u32>,
    }

    /// A peer.
    pub struct PeerView {
        /// `host:port`.
        pub address: String,
        /// Connected now.
        pub connected: bool,
        /// What it calls itself; hostile text, shown as such.
        pub agent: String,
        /// The height it claimed when it last connected; absent before.
        pub height: Option<u32>,
    }

    /// One kind of check and its state.
    pub struct CheckView {
        /// Which.
        pub check: Check,
        /// It has passed for everything up to the tip.
        pub passed: bool,
        /// Counts for the words: signatures needed and given, peers that agreed, and so on.
        pub have: u32,
        /// See `have`.
        pub of: u32,
    }

    /// Searches a network again.
    pub struct NetworkRescan {
        /// Which.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// From this height on.
        pub from_height: u32,
    }

    /// Asks the realm for test coins on a new Bitcoin address of the selected wallet.
    pub struct TestbedFund {
        /// How much, in satoshi.
        #[ts(type = "Atoms")]
        pub sat: Atoms,
    }

    /// Test coins are under way.
    pub struct TestbedFunded {
        /// The funding transaction.
        pub txid: String,
    }

    /// Asks the realm for blocks.
    pub struct TestbedMine {
        /// On which network.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// How many, at most 200.
        pub blocks: u32,
    }
}

choices! {
    /// What a light client is doing.
    pub enum Phase {
        /// Looking for peers.
        Connecting,
        /// Fetching and checking headers.
        Headers,
        /// Matching filters.
        Filters,
        /// At the tip.
        Synced,
        /// No peer answers; the last state stands.
        Offline,
        /// A check failed; spending is refused.
        Halted,
    }

    /// A kind of check.
    pub enum Check {
        /// Headers carry their work and follow the difficulty rules.
        ProofOfWork,
        /// Filter headers agree among peers.
        Filters,
        /// k of n functionaries signed each block.
        Signatures,
        /// Dynamic federation parameters follow from the chain.
        Federation,
        /// Range proofs, surjection proofs and balances of what pays this wallet.
        Proofs,
    }
}
