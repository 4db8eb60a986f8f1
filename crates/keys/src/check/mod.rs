//! `Draft -> Checked`: what a transaction really does, recomputed from its bytes and believed from nobody.

mod bitcoin;
mod fee;
mod sidechain;
mod summary;
#[cfg(test)]
mod tests;

pub use summary::{Burn, FeeShare, Issue, Line, PegIn, PegOut, Summary, Sums};

pub(crate) use bitcoin::prevouts as bitcoin_prevouts;
#[cfg(test)]
pub(crate) use sidechain::opens;
pub(crate) use sidechain::prevout as sidechain_prevout;

use crate::derive::{Account, Accounts};
use ::bitcoin::bip32::DerivationPath;
use ::bitcoin::hashes::{Hash as _, HashEngine as _, sha256};
use causeway_vocab::{Code, Draft, Realm, Refusal};

/// What the checker lets through. The default is what every confirm window uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Largest fee in thousandths of what moves; drafts above are refused with `FeeTooHigh` unless `accept_high_fee`.
    pub fee_permille: u64,
    /// Fees up to this many atoms are never too high: small payments have large shares.
    pub small_fee: u64,
    /// The user was shown the fee and wants it.
    pub accept_high_fee: bool,
    /// Let sidechain outputs through whose opening nobody told: they are shown as unverified.
    pub accept_unverified: bool,
    /// The user offers a coin for something: one input and one output, whose signature binds nothing else. Anything else that is signed so is
    /// refused.
    pub offer: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Policy { fee_permille: 250, small_fee: 10_000, accept_high_fee: false, accept_unverified: false, offer: false }
    }
}

/// An input that spends from this wallet.
pub(crate) struct OwnInput {
    pub(crate) vin: usize,
    /// The account and the full path from the master whose key gives the spent script; `None` when the keys are elsewhere.
    pub(crate) key: Option<(Account, DerivationPath)>,
    /// Its signature binds this input and the output of the same place, and nothing else.
    pub(crate) offer: bool,
}

/// A wallet whose keys are elsewhere: it knows its scripts from its descriptors.
pub trait Watched {
    /// Whether a Bitcoin script is the wallet's.
    fn owns_bitcoin(&self, script: &::bitcoin::Script) -> bool;

    /// The private key that opens what is blinded to a sidechain script; `None` when the script is not the wallet's.
    fn blinding_key(&self, script: &elements::Script) -> Option<elements::secp256k1_zkp::SecretKey>;
}

/// By what a wallet tells its own scripts.
#[derive(Clone, Copy)]
enum Owner<'a> {
    /// Keys that are derived again at the paths that a draft claims.
    Accounts(&'a Accounts),
    /// Scripts that the wallet itself derived.
    Watched(&'a dyn Watched),
}

/// A draft that was checked, with what it does. Only this can be signed.
pub struct Checked {
    pub(crate) draft: Draft,
    pub(crate) own: Vec<OwnInput>,
    summary: Summary,
    /// The unsigned transaction in consensus encoding.
    unsigned: Vec<u8>,
}

impl Checked {
    /// What it does.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The draft, as it was given.
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Hash over the summary and the whole unsigned transaction, proofs included. A confirm window shows the summary and hands the
    /// hash back; what is signed later must have the same one.
    pub fn summary_hash(&self) -> [u8; 32] {
        let mut engine = sha256::Hash::engine();
        let summary = serde_json::to_vec(&self.summary).expect("BUG: a summary is plain data");
        for part in [b"causeway summary 1".as_slice(), &summary, &self.unsigned] {
            engine.input(&(part.len() as u64).to_le_bytes());
            engine.input(part);
        }
        sha256::Hash::from_engine(engine).to_byte_array()
    }

    /// Refused with `ReviewMismatch` unless `reviewed` is this draft's [`Checked::summary_hash`].
    pub fn matches(&self, reviewed: &[u8; 32]) -> Result<(), Refusal> {
        match self.summary_hash() == *reviewed {
            true => Ok(()),
            false => Err(Code::ReviewMismatch.into()),
        }
    }
}

/// Recomputes everything a draft does. Needs no secret, so it works while the vault is locked.
///
/// An output *comes back* only if its script is derived again from `accounts` at the path that the draft claims for it; every other is
/// somebody else's. Refused with `DraftLies` (`why`, and `input` or `output`), `BadDraft`, `NothingToSign`, `FeeTooHigh` (`percent`,
/// `limit`).
pub fn check(draft: Draft, accounts: &Accounts, realm: &Realm, policy: &Policy) -> Result<Checked, Refusal> {
    recompute(draft, Owner::Accounts(accounts), realm, policy)
}

/// As [`check`], for a wallet whose keys are elsewhere: an output comes back if the wallet itself derived its script. What this yields is
/// never signed here ([`crate::sign`] refuses it with `WatchOnly`); it tells what somebody else is about to sign, or has signed.
pub fn check_watched(draft: Draft, wallet: &dyn Watched, realm: &Realm, policy: &Policy) -> Result<Checked, Refusal> {
    recompute(draft, Owner::Watched(wallet), realm, policy)
}

fn recompute(draft: Draft, owner: Owner<'_>, realm: &Realm, policy: &Policy) -> Result<Checked, Refusal> {
    let (summary, own, unsigned) = match &draft {
        Draft::Bitcoin(psbt) => bitcoin::check(psbt, owner, realm)?,
        Draft::Sidechain(side) => sidechain::check(side, owner, realm, policy)?,
    };
    if own.is_empty() {
        return Err(Code::NothingToSign.into());
    }
    fee::check(&summary, policy)?;
    Ok(Checked { draft, own, summary, unsigned })
}

/// What a check of either chain yields: summary, inputs to sign, unsigned bytes.
type Found = (Summary, Vec<OwnInput>, Vec<u8>);

fn lies(why: &str) -> Refusal {
    Refusal::new(Code::DraftLies).with("why", why)
}
