//! Paying many holders from a list.

use causeway_vocab::{Atoms, Refusal};

use crate::AssetLabel;

records! {
    /// A list of recipients of one asset: `address,amount` or `address,amount,label`, as RFC 4180 has it.
    pub struct DistributionRequest {
        /// Of what.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// The list, at most 4 MiB and 20,000 rows.
        pub csv: String,
        /// Take explicit addresses too, whose amounts everybody sees.
        pub allow_explicit: bool,
        /// Sidechain fee rate, sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
        /// What it is called in this wallet.
        pub label: String,
    }

    /// What a list comes to. Nothing is planned or held yet.
    pub struct DistributionPreview {
        /// Of what.
        pub asset: AssetLabel,
        /// Rows that can be paid.
        pub rows: u32,
        /// Their sum.
        #[ts(type = "Atoms")]
        pub total: Atoms,
        /// What can be spent of the asset now.
        #[ts(type = "Atoms")]
        pub available: Atoms,
        /// Transactions it takes, one after the other, a block each.
        pub transactions: u32,
        /// Weight units of all of them, about.
        pub weight: u32,
        /// Virtual bytes of all of them, about.
        pub vsize: u32,
        /// Fee of all of them, satoshi, about.
        #[ts(type = "Atoms")]
        pub fee: Atoms,
        /// What the fees of all of them will never pass, satoshi.
        #[ts(type = "Atoms")]
        pub most_fee: Atoms,
        /// Every mistake of the list, the first hundred at most. One of them refuses the whole list.
        pub faults: Vec<RowFault>,
        /// Why a list without mistakes cannot be paid all the same.
        #[ts(type = "Failure | null")]
        pub refused: Option<Refusal>,
    }

    /// A row that cannot be paid.
    pub struct RowFault {
        /// Which, counting from 1 and the heading too.
        pub row: u32,
        /// Why.
        pub why: RowFaultKind,
        /// The figure that belongs to it: another row, decimal places, a limit; empty when none does.
        pub figure: String,
    }

    /// A distribution under way or over, with what it has paid.
    pub struct DistributionView {
        /// Its operation.
        pub operation: u32,
        /// Of what.
        pub asset: AssetLabel,
        /// Rows of the list.
        pub rows: u32,
        /// Rows whose payment is signed.
        pub rows_paid: u32,
        /// Sum of the list.
        #[ts(type = "Atoms")]
        pub total: Atoms,
        /// Sum of what is signed.
        #[ts(type = "Atoms")]
        pub paid: Atoms,
        /// Fees so far, satoshi.
        #[ts(type = "Atoms")]
        pub fee: Atoms,
        /// What the fees will never pass, satoshi.
        #[ts(type = "Atoms")]
        pub most_fee: Atoms,
        /// Transactions it takes.
        pub transactions: u32,
        /// Those that are signed, in order.
        pub batches: Vec<DistributionBatch>,
    }

    /// One transaction of a distribution.
    pub struct DistributionBatch {
        /// The transaction.
        pub txid: String,
        /// Rows that it pays.
        pub rows: u32,
        /// Its fee, satoshi.
        #[ts(type = "Atoms")]
        pub fee: Atoms,
        /// Its block; absent while unconfirmed.
        pub height: Option<u32>,
    }
}

choices! {
    /// What is wrong with a row of a list.
    pub enum RowFaultKind {
        /// Neither two nor three fields.
        Fields,
        /// A quote in the wrong place.
        Quote,
        /// A field that a spreadsheet would run.
        Formula,
        /// A character that cannot be seen.
        Character,
        /// No address.
        Address,
        /// An address of another network.
        Network,
        /// An address without blinding key.
        Explicit,
        /// The recipient of another row.
        Duplicate,
        /// The issuer has frozen this holder.
        Frozen,
        /// No plain decimal figure.
        Amount,
        /// More decimal places than the asset has.
        Precision,
        /// An amount of zero.
        Zero,
        /// Too little of the network's own coin to be worth an output.
        Dust,
        /// The sum passes what can exist.
        AboveSupply,
        /// A label that is too long.
        Label,
        /// Too many rows.
        TooMany,
    }
}
