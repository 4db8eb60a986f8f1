//! The vault and the pen: sealed secrets, derivation, and the only way from a draft to a signature.
//!
//! ```text
//! Words -> Seed -> Accounts (public)      what wallets watch
//!            \---> SigningKeys            only while the vault is open
//! Draft + Accounts -> Checked + Summary   everything recomputed from the raw transaction
//! Checked + SigningKeys -> Signed         nothing else signs
//! ```
//!
//! Types that hold secrets implement neither `Debug`, `Clone` nor `Serialize`, and are wiped when dropped.

pub mod check;
pub mod derive;
pub mod pak;
pub mod secret;
pub mod sign;
pub mod staking;
#[cfg(test)]
mod testing;
pub mod tries;
pub mod vault;
pub mod words;

pub use check::{Checked, Policy, Summary, Watched, check, check_watched};
pub use derive::{Account, Accounts, account_descriptors};
pub use secret::{Recovery, Secret, Seed};
pub use sign::{SigningKeys, sign, sign_partly};
pub use tries::Tries;
pub use vault::{Cost, KeyringKey, OpenVault, check_new_password};
pub use words::{WordCount, Words};
