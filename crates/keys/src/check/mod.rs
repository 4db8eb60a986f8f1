//! `Draft -> Checked`: what a transaction really does, recomputed from its bytes and believed from nobody.

mod summary;

pub use summary::{Burn, FeeShare, Issue, Line, PegIn, PegOut, Summary, Sums};

use crate::derive::Accounts;
use causeway_vocab::{Draft, Realm, Refusal};

/// What the checker lets through. The default is what every confirm window uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Largest fee in thousandths of what leaves; drafts above are refused with `FeeTooHigh` unless `accept_high_fee`.
    pub fee_permille: u32,
    /// The user was shown the fee and wants it.
    pub accept_high_fee: bool,
    /// Let sidechain outputs through whose opening nobody told: they are shown as unverified.
    pub accept_unverified: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Policy { fee_permille: 250, accept_high_fee: false, accept_unverified: false }
    }
}

/// A draft that was checked, with what it does. Only this can be signed.
pub struct Checked {
    pub(crate) draft: Draft,
    summary: Summary,
}

impl Checked {
    /// What it does.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Hash over the summary and the whole unsigned transaction. A confirm window shows the summary and hands the hash back; what is signed
    /// later must have the same one.
    pub fn summary_hash(&self) -> [u8; 32] {
        todo!()
    }

    /// Fails with `ReviewMismatch` unless `reviewed` is this draft's [`Checked::summary_hash`].
    pub fn matches(&self, reviewed: &[u8; 32]) -> Result<(), Refusal> {
        let _ = reviewed;
        todo!()
    }
}

/// Recomputes everything a draft does.
///
/// An output *comes back* only if its script is derived again from `accounts` at the path that the draft claims for it; every other is
/// somebody else's. Refused with `DraftLies` (args: `why`, and `input` or `output`), `BadDraft`, `NothingToSign`, `FeeTooHigh`.
pub fn check(draft: Draft, accounts: &Accounts, realm: &Realm, policy: &Policy) -> Result<Checked, Refusal> {
    let _ = (draft, accounts, realm, policy);
    todo!()
}
