//! What a pasted request to pay is. Reads text, asks nobody: an LNURL or a name is recognised here and resolved elsewhere.
//!
//! One function: [`read`]. Forms: BOLT 11 invoices, BOLT 12 offers, LNURL (LUD-01, LUD-17), lightning addresses (LUD-16) and names of
//! BIP353, the scheme `lightning:`, and URIs of BIP21/BIP321 that carry lightning beside an address.

mod invoice;
mod lnurl;
mod name;
mod offer;
mod uri;

#[cfg(test)]
mod tests;

pub use invoice::Invoice;
pub use lnurl::{Lnurl, LnurlKind};
pub use name::Name;
pub use offer::{Offer, Price};
pub use uri::Unified;

use bitcoin::Network;
use causeway_vocab::{Code, Refusal};
use serde::{Deserialize, Serialize};

/// The longest text that is looked at, bytes: more than fits into any QR code.
pub const MAX_TEXT: usize = 8_192;

/// A request to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum PaymentText {
    /// One payment, once.
    Invoice(Invoice),
    /// As many payments as wanted; the invoice is asked for over the network.
    Offer(Offer),
    /// A web service that says more.
    Lnurl(Lnurl),
    /// A name that stands for one of the others.
    Name(Name),
    /// Several ways to pay the same.
    Unified(Unified),
}

/// Understands a text for a network at a time (Unix seconds). `None` when it is no request to pay that is known here: a plain address, for one.
///
/// Refused when it is one and cannot be used: `BadInvoice` (`why`: `damaged`, `features`, `name`, `link`, `amount-differs`, `refund`),
/// `WrongNetwork` (`found`, `wanted`), `Expired` (`what`: `invoice`, `offer`), `NotOffered` (`what`) for a `req-` parameter that is not known.
pub fn read(text: &str, network: Network, now: u64) -> Result<Option<PaymentText>, Refusal> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_TEXT {
        return Ok(None);
    }
    if let Some(body) = after_scheme(text, "bitcoin") {
        return uri::read(body, network, now).map(|found| found.map(PaymentText::Unified));
    }
    let body = after_scheme(text, "lightning").map(|body| body.strip_prefix("//").unwrap_or(body));
    if let Some(found) = lightning(body.unwrap_or(text), network, now)? {
        return Ok(Some(found));
    }
    if body.is_some() {
        return Err(bad("damaged"));
    }
    if let Some(found) = lnurl::from_url(text)? {
        return Ok(Some(PaymentText::Lnurl(found)));
    }
    Ok(name::read(text)?.map(PaymentText::Name))
}

/// Reads what begins with one of the prefixes of lightning, written in one case: all of them forbid mixing.
fn lightning(text: &str, network: Network, now: u64) -> Result<Option<PaymentText>, Refusal> {
    // Offers may be cut by "+" anywhere, even in the prefix (BOLT 12).
    let quiet = if text.bytes().any(|byte| byte.is_ascii_lowercase()) { text.to_owned() } else { text.to_ascii_lowercase() };
    let text = quiet.as_str();
    let joined = text.chars().filter(|c| *c != '+' && !c.is_whitespace()).take(7).collect::<String>().to_ascii_lowercase();
    Ok(Some(if joined.starts_with("lnurl1") {
        PaymentText::Lnurl(lnurl::from_bech32(text)?)
    } else if joined.starts_with("lno1") {
        PaymentText::Offer(offer::read(text, network, now)?)
    } else if joined.starts_with("lnr1") {
        return Err(bad("refund"));
    } else if ["lnbc", "lntb", "lnsb"].iter().any(|prefix| joined.starts_with(prefix)) {
        PaymentText::Invoice(invoice::read(text, network, now)?)
    } else {
        return Ok(None);
    }))
}

fn after_scheme<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let (found, body) = text.split_once(':')?;
    found.eq_ignore_ascii_case(scheme).then_some(body)
}

fn bad(why: &str) -> Refusal {
    Refusal::new(Code::BadInvoice).with("why", why)
}

fn wrong_network(found: Network, wanted: Network) -> Refusal {
    Refusal::new(Code::WrongNetwork).with("found", found).with("wanted", wanted)
}

fn expired(what: &str) -> Refusal {
    Refusal::new(Code::Expired).with("what", what)
}
