//! Three kinds of "no": a refusal the user can act on, a fault of the world, and (by panic) a bug of ours.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Why a request was refused or a network is in trouble. Words live in the faces, in every language.
        ///
        /// On the wire kebab-case. A code exists only if a face has words for it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Code { $($(#[$doc])* $name),* }

        impl Code {
            /// Every code, for tests that look for missing words.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];
        }
    };
}

codes! {
    // -- profile and vault
    /// The vault is locked; unlock first.
    Locked,
    /// The password does not open the vault. Args: `wait_seconds` before the next try is accepted.
    WrongPassword,
    /// Too many wrong passwords; args: `wait_seconds`.
    TooManyTries,
    /// The password is shorter than the floor; args: `least`.
    WeakPassword,
    /// The recovery words are no valid BIP39 sentence; args: `position` (1-based, absent when the checksum is wrong).
    BadWords,
    /// The confirmation does not match the words shown; args: `position`.
    WordsDoNotMatch,
    /// The descriptor cannot be read or is of another network; args: `why`.
    BadDescriptor,
    /// Another instance holds this profile.
    ProfileInUse,
    /// The profile belongs to another realm; args: `profile`, `realm`.
    WrongRealm,
    /// The realm file is malformed or contradicts itself; args: `field`.
    BadRealm,
    /// No wallet of that id in this profile.
    UnknownWallet,
    /// This wallet has no keys; export the draft and sign it elsewhere.
    WatchOnly,
    /// The vault file is damaged or asks for weaker key stretching than the floor.
    BadVault,
    /// The disk is full.
    DiskFull,
    /// The disk cannot be written.
    DiskFailed,

    // -- updates of this program
    /// No release package of this program, or one with a signature that does not count; args: `why`.
    BadRelease,
    /// Too few have signed the release; args: `role`, `have`, `need`.
    ReleaseShort,
    /// Not newer than what is installed; args: `installed`, `offered`.
    ReleaseOld,
    /// The release has no file for this machine; args: `platform`.
    ReleaseForeign,
    /// The file is none that the release vouches for; args: `name`.
    ReleaseFile,

    // -- requests
    /// No command of that name.
    UnknownCommand,
    /// The request cannot be read; args: `field`.
    BadRequest,
    /// Nothing of that id; args: `what`.
    NotFound,
    /// The realm offers no such thing; args: `what`.
    NotOffered,

    // -- addresses and amounts
    /// No address, or damaged.
    BadAddress,
    /// An address of another network; args: `found`, `wanted`.
    WrongNetwork,
    /// A Bitcoin address where a sidechain one is needed; args: `instead` (`peg-out`).
    BitcoinAddress,
    /// A sidechain address where a Bitcoin one is needed; args: `instead` (`peg-in`).
    SidechainAddress,
    /// An explicit address where amounts must be blinded.
    ExplicitAddress,
    /// The amount is malformed or zero; args: `precision`.
    BadAmount,
    /// Below the dust limit; args: `least`.
    Dust,
    /// More than can exist; args: `most`.
    AboveSupply,
    /// More than is spendable; args: `asset`, `available`, `needed`.
    InsufficientFunds,
    /// The fee asset runs short although the payment itself is covered; args: `needed`, `available`.
    InsufficientFee,
    /// The fee is above the sane share; args: `percent`, `limit`.
    FeeTooHigh,
    /// The fee rate is below the relay floor; args: `least`.
    FeeTooLow,
    /// A chosen coin is frozen, spent or not ours; args: `outpoint`.
    CoinUnavailable,
    /// No recipients.
    NoRecipients,
    /// The asset is not known to this wallet; args: `asset`.
    UnknownAsset,
    /// No reissuance token of that asset is held here.
    NoToken,
    /// Ticker, name, domain or precision is not allowed; args: `field`.
    BadContract,
    /// An asset registry cannot be asked; args: `registry`, `why`.
    RegistryUnreachable,
    /// An asset registry says what the asset's id contradicts; args: `registry`, `why` (`asset`, `contract`, `issuance`, `contract-hash`).
    RegistryLies,
    /// An asset registry does not take the asset; args: `registry`, `status`.
    RegistryRefused,
    /// The ledger's server does not compose such a transaction; args: `why`, in its words.
    LedgerRefused,
    /// The user has frozen this holder of the asset; args: `address`.
    HolderFrozen,

    // -- coloured coins
    /// A coin holds assets that this would destroy; args: `outpoint`.
    HoldsAssets,
    /// What a coin holds is not certain, so it is frozen; args: `outpoint`, `why`.
    ColourUnknown,
    /// The transaction would do something else with assets than asked; args: `why`.
    WrongColouring,
    /// An ordinary address, whose owner's wallet may not keep units.
    PlainAddress,
    /// To issue more takes a coin at the issuing address; args: `address`.
    NoIssuingCoin,
    /// A row of a list cannot be used; args: `row` (1-based, counting the heading), `why`.
    BadRow,

    // -- drafts
    /// The PSBT or PSET cannot be read.
    BadDraft,
    /// The draft lies about an amount, an output or a fee; args: `why`.
    DraftLies,
    /// The draft was changed, used or has expired.
    DraftExpired,
    /// What is to be signed is not what was reviewed.
    ReviewMismatch,
    /// The draft spends nothing of this wallet.
    NothingToSign,
    /// The transaction cannot be replaced: confirmed, not ours, or final.
    NotReplaceable,

    // -- pegs
    /// Peg-in or peg-out is paused; args: `why`.
    PegPaused,
    /// The network stopped because a check failed; args: `network`.
    Halted,
    /// The network is not synced, so the federation script cannot be trusted.
    NotSynced,
    /// The federation does not pay to such an address; args: `why`.
    PegOutDestination,
    /// Past the point of no return.
    PointOfNoReturn,
    /// The deposit's federation script has expired or is about to.
    PegInExpired,

    // -- channels, swaps and payment texts
    /// Its time is over; args: `what` (`channel`, `swap`, `invoice`, `offer`).
    Expired,
    /// It cannot be used yet; args: `what` (`channel`, `swap`).
    NotReady,
    /// The request to pay names no amount; give one.
    AmountNeeded,
    /// The request to pay is damaged or asks for what cannot be done; args: `why`.
    BadInvoice,

    // -- staking
    /// No stake of that amount is taken; args: `least`, `most` (sat).
    StakeAmount,
    /// No stake of that term is taken; args: `least`, `most` (blocks).
    StakeTerm,
    /// The staking parameters are not those that the stake was planned under.
    StakeParams,
    /// The finality provider cannot take this stake.
    StakeProvider,
    /// Too few of the committee signed as yet; args: `have`, `need`.
    CovenantMissing,
    /// A transaction or signature of a delegation is not what the terms ask for; nothing was sent.
    BadDelegation,
    /// The stake cannot be extended that way; args: `why` (`staker`, `provider`, `amount`, `committee`, `coin`).
    NotExtendable,
    /// A stake's exit package is damaged or of a later version.
    BadExitPackage,
    /// A finality vote is not signed, because another may exist; args: `height`.
    VoteUnsafe,
    /// The control plane was out of sight for too long to be trusted without a new anchor.
    TrustExpired,
    /// Two nodes show different control planes; args: `height`.
    ControlPlaneForked,

    // -- faults of a network
    /// No peer answers.
    NoPeers,
    /// A peer sent garbage, lied or stalled; args: `peer`.
    BadPeer,
    /// The genesis block of the peer is not the realm's.
    WrongGenesis,
    /// A header fails a rule; args: `height`, `rule`.
    BadHeader,
    /// The federation signed two blocks of one height; args: `height`, `rule`, `evidence`.
    SignedTwice,
    /// A confidential proof fails; args: `txid`, `proof`.
    BadProof,
    /// A transaction was not accepted by the peers; args: `txid`.
    NotAccepted,
    /// An invariant of ours broke; a report was written.
    Bug,
}

/// A refusal: the user can act on it. `args` fill the placeholders of the face's words and never hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code:?} {args:?}")]
pub struct Refusal {
    /// Which refusal.
    pub code: Code,
    /// Placeholder values by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

impl Refusal {
    /// A refusal without arguments.
    pub fn new(code: Code) -> Self {
        Refusal { code, args: BTreeMap::new() }
    }

    /// The same refusal with one more argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Refusal::new(code)
    }
}

/// A fault of the world: retryable, shown as the state of a network, never as a toast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{network:?}: {refusal}")]
pub struct Fault {
    /// Whose trouble it is.
    pub network: crate::NetworkId,
    /// What happened, in the same words as a refusal.
    pub refusal: Refusal,
}
