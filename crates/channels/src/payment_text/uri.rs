//! URIs of BIP21 and BIP321 that carry lightning: an address, an invoice and an offer for the same payment.

use super::{PaymentText, bad, lightning};
use bitcoin::Network;
use causeway_vocab::{Atoms, Code, Refusal};
use serde::{Deserialize, Serialize};

/// Several ways to pay the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unified {
    /// The URI without the lightning parameters, for the Bitcoin wallet to read; `None` when it names no address.
    pub on_chain: Option<String>,
    /// What the URI asks for, satoshi.
    pub amount: Option<Atoms>,
    /// The ways over lightning that can be used, offers first: they do not expire, and the invoice comes fresh.
    pub lightning: Vec<PaymentText>,
    /// Why the others cannot.
    pub refused: Vec<Refusal>,
}

/// Reads what stands behind `bitcoin:`. `None` when it carries no lightning: then it is the Bitcoin wallet's alone.
pub(super) fn read(body: &str, network: Network, now: u64) -> Result<Option<Unified>, Refusal> {
    let (address, query) = body.split_once('?').unwrap_or((body, ""));
    let mut found = Unified { on_chain: None, amount: None, lightning: vec![], refused: vec![] };
    let mut rest = vec![];
    let mut carries = false;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = key.to_ascii_lowercase();
        match key.as_str() {
            "lightning" | "lno" | "req-lightning" | "req-lno" => {
                carries = true;
                match lightning(value, network, now) {
                    Ok(Some(way)) => found.lightning.push(way),
                    Ok(None) => found.refused.push(bad("damaged")),
                    Err(refusal) => found.refused.push(refusal),
                }
                continue;
            }
            "amount" => {
                let amount = Atoms::from_decimal(value, 8).filter(|amount| *amount > Atoms::ZERO);
                let amount = amount.ok_or_else(|| Refusal::new(Code::BadAmount).with("precision", 8))?;
                if found.amount.replace(amount).is_some() {
                    return Err(Refusal::new(Code::BadRequest).with("field", "amount"));
                }
            }
            required if required.starts_with("req-") => return Err(Refusal::new(Code::NotOffered).with("what", required)),
            _ => {}
        }
        rest.push(pair);
    }
    if !carries {
        return Ok(None);
    }
    check_amounts(&mut found);
    found.lightning.sort_by_key(|way| !matches!(way, PaymentText::Offer(_)));
    if !address.is_empty() {
        let query = rest.join("&");
        let separator = if query.is_empty() { "" } else { "?" };
        found.on_chain = Some(format!("bitcoin:{address}{separator}{query}"));
    }
    if found.on_chain.is_none() && found.lightning.is_empty() {
        return Err(found.refused.into_iter().next().unwrap_or_else(|| bad("damaged")));
    }
    Ok(Some(found))
}

/// An invoice for another amount than the URI's would charge a different sum than the one that was shown.
fn check_amounts(found: &mut Unified) {
    let Some(asked) = found.amount.and_then(|amount| amount.0.checked_mul(1_000)) else { return };
    let differs =
        |way: &PaymentText| matches!(way, PaymentText::Invoice(invoice) if invoice.amount_msat.is_some_and(|msat| msat != asked));
    let before = found.lightning.len();
    found.lightning.retain(|way| !differs(way));
    found.refused.extend((found.lightning.len()..before).map(|_| bad("amount-differs")));
}
