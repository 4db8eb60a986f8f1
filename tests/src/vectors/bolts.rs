//! Lightning's requests to pay: invoices of BOLT 11 and offers of BOLT 12.

use super::hex::cases;
use super::{Case, Checks, Kind, Siblings, has_keys, is_list_of};
use bitcoin::Network;
use causeway_channels::payment_text::{PaymentText, read};
use serde_json::{Value, json};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "bolt11", stems: &["bolt11"], fits: are_invoices, run: run_invoices },
    Kind {
        name: "bolt12_offers",
        stems: &["bolt12_offers", "offers-test"],
        fits: |d| is_list_of(d, &["description", "valid", "bolt12"]),
        run: |d, _| Ok(run_offers(d, "bolt12", "description")),
    },
    Kind {
        name: "bolt12_format",
        stems: &["bolt12_format", "format-string-test"],
        fits: |d| is_list_of(d, &["comment", "valid", "string"]),
        run: |d, _| Ok(run_offers(d, "string", "comment")),
    },
];

/// When the invoices of BOLT 11 were made, Unix seconds.
const THEN: u64 = 1_496_314_658;

fn are_invoices(document: &Value) -> bool {
    let list =
        |key: &str| document[key].as_array().is_some_and(|cases| cases.iter().all(|case| has_keys(case, &["name", "text"])));
    list("valid") && list("invalid")
}

/// Invoices and offers only: any other reading is a refusal here.
fn understood(text: &str, network: Network) -> Result<PaymentText, String> {
    match read(text, network, THEN) {
        Ok(Some(found @ (PaymentText::Invoice(_) | PaymentText::Offer(_)))) => Ok(found),
        Ok(_) => Err("unknown".to_owned()),
        Err(refusal) => Err(refusal.to_string()),
    }
}

fn run_invoices(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    for case in document["valid"].as_array().into_iter().flatten() {
        let id = case["name"].as_str().unwrap_or_default();
        let network = case["network"].as_str().and_then(|name| name.parse().ok()).ok_or("a valid case names no network")?;
        let got = understood(case["text"].as_str().unwrap_or_default(), network).map(|found| match found {
            PaymentText::Invoice(invoice) => json!({ "amount_msat": invoice.amount_msat.map(|msat| msat.to_string()) }),
            _ => json!("no invoice"),
        });
        checks.accepted(id, got, &json!({ "amount_msat": case["amount_msat"] }), &[]);
    }
    for case in document["invalid"].as_array().into_iter().flatten() {
        let id = case["name"].as_str().unwrap_or_default();
        checks.refused(id, understood(case["text"].as_str().unwrap_or_default(), Network::Bitcoin), &case["name"]);
    }
    Ok(checks.done())
}

/// Whether each text is an offer on any network of bitcoin, as the file says.
fn run_offers(document: &Value, text: &str, name: &str) -> Vec<Case> {
    let mut checks = Checks::new();
    for case in cases(document) {
        let offered = [Network::Bitcoin, Network::Testnet]
            .into_iter()
            .any(|network| matches!(understood(case[text].as_str().unwrap_or_default(), network), Ok(PaymentText::Offer(_))));
        checks.equal(case[name].as_str().unwrap_or_default(), json!(offered), &case["valid"], &[]);
    }
    checks.done()
}
