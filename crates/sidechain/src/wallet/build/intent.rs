//! What the user wants.

use crate::consensus::pegin::PeginWitness;
use crate::wallet::swap::Offer;
use elements::{Address, AssetEntropy, AssetId, ContractHash, OutPoint, TxOut};
use secp256k1_zkp::PublicKey;
use std::collections::BTreeSet;

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Where to. Without a blinding key the payment is explicit, which the intent must allow.
    pub address: Address,
    /// Of what.
    pub asset: AssetId,
    /// Atoms. Ignored for the recipient that takes all.
    pub amount: u64,
}

/// Whether to leave nothing behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drain {
    /// Amounts are as given.
    No,
    /// The recipient with this index takes everything that is left of its asset, and no change is made of it.
    To(usize),
}

/// A deposit on Bitcoin that is to be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PegInClaim {
    /// The deposit.
    pub deposit: bitcoin::OutPoint,
    /// Its proof; the claim script must be one of ours.
    pub witness: PeginWitness,
}

/// An offer to swap that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// The offer.
    pub offer: Offer,
    /// The output of its coin: what [`Offer::check`] gave.
    pub coin: TxOut,
}

/// What a transaction is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Pay.
    Send {
        /// To whom; any mix of assets.
        recipients: Vec<Recipient>,
        /// Whether one of them takes all.
        drain: Drain,
    },
    /// Make a new asset. The amount and the tokens come to this wallet.
    Issue {
        /// Atoms to make.
        amount: u64,
        /// Reissuance tokens to make; none fixes the supply for ever.
        tokens: u64,
        /// The contract that the asset id commits to; all zero for none.
        contract: ContractHash,
        /// Hide both amounts from others. Such an asset must be reissued hidden, too.
        blinded: bool,
    },
    /// Make more of an asset whose token this wallet holds.
    Reissue {
        /// Which.
        asset: AssetId,
        /// Atoms to make.
        amount: u64,
        /// Needed when this wallet has not seen the issuance: it follows from the contract hash and the issuing outpoint.
        entropy: Option<AssetEntropy>,
    },
    /// Destroy an amount, for everybody to see.
    Burn {
        /// Of what.
        asset: AssetId,
        /// Atoms.
        amount: u64,
    },
    /// Leave for Bitcoin.
    PegOut {
        /// Satoshi; ignored when draining.
        amount: u64,
        /// Everything that is left.
        drain: bool,
        /// Bitcoin script to be paid.
        destination: bitcoin::ScriptBuf,
        /// Whitelisted key and its proof, on chains with `enforce_pak`.
        authorisation: Option<(PublicKey, Vec<u8>)>,
    },
    /// Claim a deposit. The fee is taken out of it, and the rest comes to a fresh address of this wallet.
    ClaimPegIn(Box<PegInClaim>),
    /// Take an offer to swap: pay what its maker asks for, and get what his coin holds.
    Take(Box<Take>),
}

/// An action and its terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// What to do.
    pub action: Action,
    /// Fee rate of the finished transaction, satoshi per 1000 virtual bytes.
    pub fee_rate: u64,
    /// Whether virtual bytes are counted with the discount for confidential data (ELIP-200): what the realm's nodes relay by.
    pub discount: bool,
    /// Coin control: exactly these coins are spent. Empty: chosen by the wallet.
    pub coins: BTreeSet<OutPoint>,
    /// Coins that are spent whatever else is: what is missing besides is chosen by the wallet.
    pub include: BTreeSet<OutPoint>,
    /// Frozen coins and coins held by other drafts: never spent.
    pub exclude: BTreeSet<OutPoint>,
    /// Whether explicit recipients are acceptable.
    pub allow_explicit: bool,
}
