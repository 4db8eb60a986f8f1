//! BOLT 11 invoices.

use super::{bad, expired, wrong_network};
use bitcoin::Network;
use bitcoin::hashes::sha256;
use bitcoin::secp256k1::PublicKey;
use causeway_vocab::{Code, Refusal};
use lightning_invoice::{Bolt11Invoice, Bolt11InvoiceDescriptionRef};
use serde::{Deserialize, Serialize};

/// An invoice that can be paid now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// The invoice, lower case.
    pub text: String,
    /// Who is paid; signed the invoice.
    pub payee: PublicKey,
    /// Hash that the payment is locked to. Two invoices with the same one are the same payment.
    pub payment_hash: sha256::Hash,
    /// How much, millisatoshi; `None` leaves it to the payer.
    pub amount_msat: Option<u64>,
    /// What it is for, in the payee's words: show it, do not believe it.
    pub description: Option<String>,
    /// Hash of a longer description that came another way.
    pub description_hash: Option<sha256::Hash>,
    /// When it ends, Unix seconds.
    pub expires_at: u64,
    /// Blocks that the payee wants between the arrival of the payment and its expiry.
    pub final_delta: u64,
    /// Where to pay on the chain should lightning fail.
    pub fallbacks: Vec<String>,
}

impl Invoice {
    /// What to pay, millisatoshi, when the payer chose `chosen`.
    ///
    /// Refused with `AmountNeeded` when nobody named an amount and with `BadAmount` for less than asked or for more than twice as much, which
    /// BOLT 11 takes for a mistake.
    pub fn to_pay(&self, chosen: Option<u64>) -> Result<u64, Refusal> {
        match (self.amount_msat, chosen) {
            (None, None) => Err(Code::AmountNeeded.into()),
            (Some(asked), None) => Ok(asked),
            (None, Some(chosen)) if chosen > 0 => Ok(chosen),
            (Some(asked), Some(chosen)) if (asked..=asked.saturating_mul(2)).contains(&chosen) => Ok(chosen),
            _ => Err(Refusal::new(Code::BadAmount).with("precision", 11)),
        }
    }
}

/// Test networks share a prefix: the one of `testnet` stands for both.
fn same(found: Network, wanted: Network) -> bool {
    found == wanted || found == Network::Testnet && wanted == Network::Testnet4
}

pub(super) fn read(text: &str, network: Network, now: u64) -> Result<Invoice, Refusal> {
    let invoice: Bolt11Invoice = text.parse().map_err(|_| bad("damaged"))?;
    if !same(invoice.network(), network) {
        return Err(wrong_network(invoice.network(), network));
    }
    if invoice.features().is_some_and(|features| features.requires_unknown_bits()) {
        return Err(bad("features"));
    }
    let expires_at = invoice.duration_since_epoch().saturating_add(invoice.expiry_time()).as_secs();
    if now >= expires_at {
        return Err(expired("invoice"));
    }
    let (description, description_hash) = match invoice.description() {
        Bolt11InvoiceDescriptionRef::Direct(text) => (Some(text.to_string()), None),
        Bolt11InvoiceDescriptionRef::Hash(hash) => (None, Some(hash.0)),
    };
    Ok(Invoice {
        text: text.to_owned(),
        payee: invoice.get_payee_pub_key(),
        payment_hash: *invoice.payment_hash(),
        amount_msat: invoice.amount_milli_satoshis(),
        description,
        description_hash,
        expires_at,
        final_delta: invoice.min_final_cltv_expiry_delta(),
        fallbacks: invoice.fallback_addresses().iter().map(ToString::to_string).collect(),
    })
}
