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
}

impl Default for Policy {
    fn default() -> Self {
        Policy { fee_permille: 250, small_fee: 10_000, accept_high_fee: false, accept_unverified: false }
    }
}

/// An input that this wallet signs.
pub(crate) struct OwnInput {
    pub(crate) vin: usize,
    pub(crate) account: Account,
    /// Full path from the master; its key was derived again and gives the spent script.
    pub(crate) path: DerivationPath,
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
    let (summary, own, unsigned) = match &draft {
        Draft::Bitcoin(psbt) => bitcoin::check(psbt, accounts, realm)?,
        Draft::Sidechain(side) => sidechain::check(side, accounts, realm, policy)?,
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
