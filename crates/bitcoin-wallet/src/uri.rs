//! BIP21 payment URIs.

use bitcoin::Address;
use causeway_vocab::{Atoms, Realm, Refusal};

/// `bitcoin:ADDRESS?amount=&label=&message=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentUri {
    /// Where to.
    pub address: Address,
    /// How much, satoshi.
    pub amount: Option<Atoms>,
    /// Name of the receiver.
    pub label: Option<String>,
    /// What it is for.
    pub message: Option<String>,
}

impl PaymentUri {
    /// Reads a URI, or a bare address.
    ///
    /// Refused as [`crate::parse_address`] does, with `BadAmount`, and with `NotOffered` (`what`) for an unknown `req-` parameter.
    pub fn parse(text: &str, realm: &Realm) -> Result<PaymentUri, Refusal> {
        let _ = (text, realm);
        todo!()
    }
}

impl std::fmt::Display for PaymentUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let _ = f;
        todo!()
    }
}
