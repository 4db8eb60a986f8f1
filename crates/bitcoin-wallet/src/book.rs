//! Addresses that were handed out.

use bdk_wallet::KeychainKind;
use bitcoin::{Address, ScriptBuf};

/// One revealed address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressEntry {
    /// Receiving or change.
    pub keychain: KeychainKind,
    /// Derivation index.
    pub index: u32,
    /// The address.
    pub address: Address,
    /// Its script.
    pub script: ScriptBuf,
    /// Whether a transaction ever paid it.
    pub used: bool,
}
