//! Plans, drafts, and what the confirm window shows.

use causeway_vocab::{Atoms, NetworkId};

use crate::AssetLabel;

records! {
    /// One payment of a send.
    pub struct Recipient {
        /// Address or payment link.
        pub address: String,
        /// How much, in atoms of `asset`. Ignored for the drained recipient.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// Which asset; absent: the network's own coin.
        #[ts(type = "AssetId | null")]
        pub asset: Option<String>,
    }

    /// Plans a payment.
    pub struct SendPlan {
        /// On which network.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// To whom.
        pub recipients: Vec<Recipient>,
        /// sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
        /// Spend just these coins (`txid:vout`); absent: chosen automatically.
        pub coins: Option<Vec<String>>,
        /// Index of the recipient that gets everything that is left.
        pub drain: Option<u32>,
        /// Allow explicit addresses, whose amounts everybody sees.
        pub allow_explicit: bool,
        /// Label of the transaction.
        pub label: String,
    }

    /// Plans a faster confirmation of a stuck Bitcoin transaction.
    pub struct BumpPlan {
        /// The stuck transaction.
        pub txid: String,
        /// New rate, sat/kvB.
        pub fee_rate: u32,
        /// Pay by a child instead of a replacement.
        pub child: bool,
    }

    /// Plans a peg-in funded from the Bitcoin wallet.
    pub struct PegInPlan {
        /// How much to move, satoshi; the claim's sidechain fee is taken from it. Ignored with `drain`.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// Move everything.
        pub drain: bool,
        /// Bitcoin fee rate, sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
        /// Spend just these coins.
        pub coins: Option<Vec<String>>,
    }

    /// Plans a peg-out.
    pub struct PegOutPlan {
        /// How much to burn on the sidechain, satoshi. Ignored with `drain`.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// Burn all L-BTC.
        pub drain: bool,
        /// Bitcoin address to be paid; absent: a new one of this wallet.
        pub destination: Option<String>,
        /// Sidechain fee rate, sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
    }

    /// Plans a new asset.
    pub struct IssuePlan {
        /// First supply, in atoms (10^-precision).
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// Digits after the point, 0 to 8.
        pub precision: u8,
        /// 3 to 24 of `[a-zA-Z0-9.-]`.
        pub ticker: String,
        /// 1 to 255 ASCII characters.
        pub name: String,
        /// Domain of the issuer.
        pub domain: String,
        /// Keep a token that allows to issue more.
        pub reissuable: bool,
        /// Hide the amount from others.
        pub blinded: bool,
        /// Sidechain fee rate, sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
    }

    /// Plans more of an asset.
    pub struct ReissuePlan {
        /// The asset; may be empty when the entropy is given, from which it follows.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// How much more, in atoms.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// Entropy of the asset, as RPCs print it: needed for a token from somebody else when no contract of the asset is known here.
        pub entropy: Option<String>,
        /// Sidechain fee rate, sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
    }

    /// Plans to destroy some of an asset (redeem it).
    pub struct BurnPlan {
        /// The asset.
        #[ts(type = "AssetId")]
        pub asset: String,
        /// How much, in atoms.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// Why, only in this wallet.
        pub label: String,
        /// Sidechain fee rate, sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
    }

    /// A planned, unsigned transaction. Its coins are reserved until it is signed, discarded or expires.
    pub struct DraftView {
        /// Its number.
        pub draft: u32,
        /// What it will do.
        pub kind: DraftKind,
        /// Which network it is for.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// Fee, satoshi.
        #[ts(type = "Atoms")]
        pub fee: Atoms,
        /// sat/kvB.
        pub fee_rate: u32,
        /// vB.
        pub vsize: u32,
        /// Fee as a share of what leaves, in hundredths of a percent; absent when nothing comparable leaves.
        pub fee_share: Option<u32>,
        /// What leaves the wallet, per asset, without the fee.
        pub leaves: Vec<AmountView>,
        /// What comes back, per asset.
        pub comes_back: Vec<AmountView>,
        /// Coins it spends.
        pub coins: u32,
        /// Unix seconds after which it is discarded.
        pub expires: u32,
        /// Old fee of a replaced transaction, satoshi.
        #[ts(type = "Atoms | null")]
        pub replaces_fee: Option<Atoms>,
        /// Id of the asset to be created or destroyed.
        #[ts(type = "AssetId | null")]
        pub asset: Option<String>,
        /// Domain proof to be published at `https://<domain>/.well-known/liquid-asset-proof-<id>`; empty if none.
        pub domain_proof: String,
        /// All signatures are there and hold.
        pub signed: bool,
        /// It was written to a file, and waits longer.
        pub exported: bool,
        /// The user's label for what it will do; empty for none.
        pub label: String,
    }

    /// An amount with its asset.
    pub struct AmountView {
        /// The asset.
        pub asset: AssetLabel,
        /// How much.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
    }

    /// Names a draft.
    pub struct DraftRef {
        /// Its number.
        pub draft: u32,
    }

    /// Reads a PSBT or PSET. Signatures for an open draft of the selected wallet are put into that draft.
    pub struct DraftImport {
        /// Base64 or hex.
        pub text: String,
        /// The draft that was signed elsewhere; whatever else differs from it is refused. Absent: found by what the text spends.
        pub draft: Option<u32>,
    }

    /// Signs a draft and starts its operation. A draft that is already signed is sent as it is and needs no keys.
    pub struct DraftSign {
        /// The draft.
        pub draft: u32,
        /// `summary_hash` of the review that the user saw; anything else is refused.
        pub summary_hash: String,
    }

    /// What the keys recomputed from the raw transaction. Nothing here was taken from the plan.
    pub struct Review {
        /// The draft.
        pub draft: u32,
        /// What it will do.
        pub kind: DraftKind,
        /// Which network it is for.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// Outputs that leave the wallet; also those that only claim to be ours.
        pub leaves: Vec<ReviewOutput>,
        /// Outputs whose script was derived again from this wallet's keys or, without keys, from its descriptors.
        pub comes_back: Vec<ReviewOutput>,
        /// Fee, satoshi.
        #[ts(type = "Atoms")]
        pub fee: Atoms,
        /// sat/kvB.
        pub fee_rate: u32,
        /// Fee as a share of what leaves, in hundredths of a percent.
        pub fee_share: Option<u32>,
        /// Coins it spends.
        pub coins: u32,
        /// What they hold, per asset.
        pub spends: Vec<AmountView>,
        /// Created by issuances, per asset.
        pub creates: Vec<AmountView>,
        /// Destroyed, per asset.
        pub destroys: Vec<AmountView>,
        /// What others can see of it.
        pub others_see: OthersSee,
        /// Hash of all of the above; `draft_sign` asks for it.
        pub summary_hash: String,
        /// The wallet must be unlocked before it can sign.
        pub locked: bool,
        /// All signatures are there and hold: what is left is to send it.
        pub signed: bool,
        /// There are no keys here: it is signed elsewhere and brought back.
        pub watch_only: bool,
        /// The realm is a valueless one.
        pub valueless: bool,
    }

    /// An output on the confirm screen.
    pub struct ReviewOutput {
        /// Full address, or what the output is.
        pub address: String,
        /// The asset.
        pub asset: AssetLabel,
        /// How much.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// The user's label for it; empty for none.
        pub label: String,
        /// What part it plays.
        pub role: crate::FlowRole,
        /// Others cannot see amount and asset.
        pub blinded: bool,
        /// It claims to be ours, but no key of ours derives it.
        pub false_claim: bool,
    }
}

choices! {
    /// What a draft will do.
    pub enum DraftKind {
        /// A payment.
        Send,
        /// A replacement or a child that pays for a parent.
        Bump,
        /// A deposit to the federation.
        PegIn,
        /// A burn to be paid on Bitcoin.
        PegOut,
        /// A new asset.
        Issue,
        /// More of an asset.
        Reissue,
        /// Less of an asset.
        Burn,
        /// Payments to many, in one transaction after the other.
        Distribute,
        /// A coin for something else, to be taken by anybody.
        Offer,
        /// Taking such an offer.
        Swap,
        /// Coins locked under a committee's covenant.
        Stake,
        /// Leaving a stake before its term ends.
        Unbond,
        /// Coins of a stake taken back.
        Withdraw,
    }

    /// What others can see of a transaction.
    pub enum OthersSee {
        /// Scripts and all amounts.
        Everything,
        /// Fee and scripts; no amount, no asset.
        FeeAndScripts,
        /// Some amounts and assets.
        Some,
    }
}
