//! Swap proposals.

use super::hex::{cases, text};
use super::{Case, Checks, Kind, Siblings, is_list_of};
use causeway_sidechain::wallet::swap::Offer;
use serde_json::{Value, json};

pub(super) const KINDS: &[Kind] =
    &[Kind { name: "liquidex", stems: &["liquidex"], fits: |d| is_list_of(d, &["proposal", "valid"]), run: run_proposals }];

fn run_proposals(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let proposal = case["proposal"].to_string();
        let read = Offer::parse(&proposal).map_err(|fault| fault.to_string()).and_then(|offer| match offer.pays_as_said() {
            true => Ok(offer),
            false => Err("the output holds something else".to_owned()),
        });
        if case["valid"] == false {
            text(case, "why")?;
            checks.refused(id, read, &case["why"]);
            return Ok(());
        }
        let got = read.map(|offer| {
            let side =
                |side: &causeway_sidechain::wallet::swap::Side| json!({ "asset": side.asset.to_string(), "value": side.value });
            let written: Value = serde_json::from_str(&offer.to_text()).unwrap_or(Value::Null);
            json!({ "gives": side(&offer.gives), "gets": side(&offer.gets), "proposal": written })
        });
        checks.accepted(id, got, case, &["valid"]);
        Ok(())
    });
    Ok(checks.done())
}
