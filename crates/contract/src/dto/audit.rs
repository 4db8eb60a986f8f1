//! The audit of the peg.

use causeway_vocab::{Atoms, Refusal};

records! {
    /// The audit as it stands.
    pub struct PegAudit {
        /// What it is doing, and what it has found.
        pub state: PegAuditState,
        /// Sidechain blocks read, of all.
        pub sidechain: PegAuditReach,
        /// Bitcoin blocks searched, of all.
        pub bitcoin: PegAuditReach,
        /// Seconds left, when known.
        pub eta: Option<u32>,
        /// The books; absent before both chains were read to their tips once.
        pub books: Option<PegBooks>,
        /// Why it does not go on, if it does not.
        #[ts(type = "Failure | null")]
        pub trouble: Option<Refusal>,
    }

    /// How far a chain was read.
    pub struct PegAuditReach {
        /// Height up to which.
        pub done: u32,
        /// Height of the best block.
        pub of: u32,
    }

    /// What the federation owes and what it holds, when both chains were last read to their tips.
    pub struct PegBooks {
        /// The sidechain block that was the tip then.
        pub sidechain_height: u32,
        /// The Bitcoin block that was the tip then.
        pub bitcoin_height: u32,
        /// Claimed, satoshi.
        #[ts(type = "Atoms")]
        pub pegged_in: Atoms,
        /// Destroyed for payments on Bitcoin, satoshi.
        #[ts(type = "Atoms")]
        pub pegged_out: Atoms,
        /// Destroyed visibly for nothing, satoshi.
        #[ts(type = "Atoms")]
        pub burned: Atoms,
        /// Made without a claim, satoshi.
        #[ts(type = "Atoms")]
        pub created: Atoms,
        /// What is left on the sidechain, satoshi.
        #[ts(type = "Atoms")]
        pub circulating: Atoms,
        /// Peg-outs for which no payment has been seen, satoshi.
        #[ts(type = "Atoms")]
        pub unpaid: Atoms,
        /// `circulating` and `unpaid`, satoshi.
        #[ts(type = "Atoms")]
        pub owed: Atoms,
        /// Held on Bitcoin, satoshi.
        #[ts(type = "Atoms")]
        pub reserve: Atoms,
        /// Of that, under peg scripts that are no longer in force, satoshi.
        #[ts(type = "Atoms")]
        pub at_old_scripts: Atoms,
        /// Claimed with deposits that Bitcoin does not have, satoshi.
        #[ts(type = "Atoms")]
        pub unplaced: Atoms,
        /// Claims in signed blocks that break a rule.
        pub bad_claims: u32,
        /// What left the reserve without a peg-out that asked for it, satoshi.
        #[ts(type = "Atoms")]
        pub unexplained: Atoms,
        /// By which transactions, the newest ones.
        pub unexplained_by: Vec<PegSpend>,
        /// What miners took out of the reserve, beyond what was deducted from peg-outs, satoshi.
        #[ts(type = "Atoms")]
        pub fees: Atoms,
        /// `reserve` in ten-thousandths of `owed`, rounded down; absent while nothing is owed.
        pub coverage: Option<u32>,
        /// What the reserve lacks, satoshi. Up to `fees`, as far as those are fees and no gifts to miners, it is no shortfall.
        #[ts(type = "Atoms")]
        pub missing: Atoms,
        /// The course over time, ascending.
        pub points: Vec<PegPoint>,
    }

    /// A transaction on Bitcoin that spends coins of the federation.
    pub struct PegSpend {
        /// Which.
        pub txid: String,
        /// How much of it no peg-out asked for, satoshi.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
    }

    /// Both sides of the peg at one time.
    pub struct PegPoint {
        /// Unix seconds.
        pub time: u32,
        /// Pegged in less pegged out and burned, satoshi.
        #[ts(type = "Atoms")]
        pub circulating: Atoms,
        /// Held on Bitcoin, satoshi.
        #[ts(type = "Atoms")]
        pub reserve: Atoms,
    }

    /// Says what the audit shall do.
    pub struct PegAuditSet {
        /// What.
        pub wish: PegAuditWish,
        /// Whether the sidechain may be followed anew from its genesis block, if it is followed from a later one: without that its pegs cannot be
        /// counted (`NotOffered`). It fetches every header, and whatever the wallets know of the sidechain is found again.
        pub whole_chain: bool,
    }
}

choices! {
    /// What the audit is doing, and what it has found.
    pub enum PegAuditState {
        /// Not wanted.
        Off,
        /// Reads.
        Running,
        /// Wanted later: what was read is kept.
        Paused,
        /// Follows both tips; the reserve covers what is owed.
        Complete,
        /// Follows both tips; the reserve does not cover what is owed.
        Shortfall,
    }

    /// What the audit shall do.
    pub enum PegAuditWish {
        /// Read, and follow.
        On,
        /// Rest, and keep what was read.
        Paused,
        /// Stop, and forget what was read.
        Off,
    }
}
