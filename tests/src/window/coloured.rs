//! Coloured coins through the real window: chosen, issued, sent, issued again, destroyed, and their holders paid.

use super::job::{LONG, Shots, Tour, mine_until, sign};
use super::look::sound;
use super::page::{Done, Page};
use super::tour::Spot;
use bitcoin::{Address, Network, ScriptBuf};

/// Somebody who takes units of Open Assets at an address that says so.
const OPEN_ASSETS_PAYEE: &str = "bWvePLsBsf6nThU3pWVZVWjZbcJCYQxHCpE";

/// One kind, and what can be done with it.
struct Kind {
    name: &'static str,
    payee: String,
    reissues: bool,
    burns: bool,
}

/// An address of nobody here.
fn payee() -> Done<String> {
    let script = ScriptBuf::from_bytes([&[0x00, 0x14][..], &[7; 20]].concat());
    Address::from_script(&script, Network::Regtest).map(|address| address.to_string()).map_err(|e| e.to_string())
}

/// Takes every kind through its life, or only Open Assets in a short tour; returns the ids.
pub(super) async fn journey(page: &Page, shots: &Shots, tour: Tour, report: &mut impl FnMut(&str)) -> Done<Vec<String>> {
    let kinds = [
        Kind { name: "open-assets", payee: OPEN_ASSETS_PAYEE.into(), reissues: true, burns: true },
        Kind { name: "colu", payee: payee()?, reissues: true, burns: true },
        Kind { name: "epobc", payee: payee()?, reissues: false, burns: false },
    ];
    let mut ids = Vec::new();
    for kind in kinds.iter().take(if tour == Tour::Long { kinds.len() } else { 1 }) {
        let id = issue(page, shots, kind).await?;
        live(page, shots, kind, &id, tour).await?;
        report(&format!("{}: a whole life in the window", kind.name));
        ids.push(id);
    }
    if tour == Tour::Long {
        ledger(page, shots).await?;
        report("counterparty: issued, sent, sold, offered and destroyed in the window");
    }
    Ok(ids)
}

/// Counterparty: issued, sent to somebody by a transaction that the server composed, sold, offered, and all of it reported.
async fn ledger(page: &Page, shots: &Shots) -> Done<()> {
    page.click("nav-assets").await?;
    page.click("asset-ledger").await?;
    page.find("ledger-source").await?;
    sound(page, "ledger").await?;
    shots.take(page, "ledger-empty").await?;
    page.type_into("ledger-asset", "HARBOUR").await?;
    page.type_into("ledger-amount", "1000").await?;
    page.type_into("ledger-text", "berths of the harbour").await?;
    said(page, shots, "issue", async |p| Ok(p.attr("ledger-balance-0", "data-atoms").await?.as_deref() == Some("1000"))).await?;
    page.choose("ledger-deed", "send").await?;
    page.type_into("ledger-asset", "HARBOUR").await?;
    page.type_into("ledger-to", &payee()?).await?;
    page.type_into("ledger-amount", "300").await?;
    page.tick("ledger-by-server").await?;
    said(page, shots, "send", async |p| Ok(p.attr("ledger-balance-0", "data-atoms").await?.as_deref() == Some("700"))).await?;
    page.choose("ledger-deed", "dispenser").await?;
    page.type_into("ledger-amount", "10").await?;
    page.type_into("ledger-escrow", "100").await?;
    page.type_into("ledger-price", "2500").await?;
    said(page, shots, "dispenser", async |p| Ok(p.shows("ledger-offer-0").await)).await?;
    page.choose("ledger-deed", "order").await?;
    page.type_into("ledger-amount", "50").await?;
    page.type_into("ledger-wanted", "XCP").await?;
    page.type_into("ledger-price", "0.5").await?;
    said(page, shots, "order", async |p| Ok(p.shows("ledger-offer-1").await)).await?;
    page.choose("ledger-deed", "destroy").await?;
    page.type_into("ledger-amount", "50").await?;
    said(page, shots, "destroy", async |p| Ok(p.attr("ledger-balance-0", "data-atoms").await?.as_deref() == Some("500"))).await
}

/// Signs what the form says, and asks the server until it knows.
async fn said(page: &Page, shots: &Shots, deed: &str, known: impl AsyncFn(&Page) -> Done<bool>) -> Done<()> {
    shots.take(page, &format!("ledger-{deed}")).await?;
    page.click("ledger-review").await?;
    sign(page, shots, &format!("confirm-ledger-{deed}")).await?;
    mine_until(page, &format!("the server tells of: {deed}"), async |p| {
        p.click("ledger-ask").await?;
        p.until("an answer", LONG, async |p| p.quiet().await).await?;
        p.find("ledger-history").await?;
        known(p).await
    })
    .await?;
    sound(page, &format!("ledger after {deed}")).await?;
    shots.take(page, &format!("ledger-{deed}-done")).await
}

/// Its page, to be looked at.
pub(super) fn page(id: &str) -> Spot {
    Spot { name: format!("coloured-{}", &id[..6].replace(':', "-")), path: format!("assets/coloured/{id}"), shows: "units-held" }
}

/// The ids of all coloured assets on the page.
async fn listed(page: &Page) -> Done<Vec<String>> {
    let found = page
        .ask("[...document.querySelectorAll('[data-testid^=\"coloured-row-\"]')].map((e) => e.dataset.testid.slice(13))")
        .await?;
    serde_json::from_value(found).map_err(|e| e.to_string())
}

async fn issue(page: &Page, shots: &Shots, kind: &Kind) -> Done<String> {
    page.click("nav-assets").await?;
    page.until("the page is drawn", LONG, async |p| p.quiet().await).await?;
    let before = listed(page).await?;
    page.click("asset-kinds").await?;
    page.find("kind-native").await?;
    sound(page, "kinds").await?;
    shots.take(page, "kinds").await?;
    page.click(&format!("kind-{}", kind.name)).await?;
    page.type_into("coloured-amount", "1000").await?;
    if kind.name == "open-assets" {
        page.type_into("coloured-definition", "https://harbour-bonds.example/berths.json").await?;
    }
    sound(page, &format!("issue {}", kind.name)).await?;
    shots.take(page, &format!("issue-{}", kind.name)).await?;
    page.click("coloured-review").await?;
    sign(page, shots, &format!("confirm-issue-{}", kind.name)).await?;
    page.click("nav-assets").await?;
    page.until("the asset is listed", LONG, async |p| Ok(listed(p).await?.iter().any(|id| !before.contains(id)))).await?;
    let id = listed(page).await?.into_iter().find(|id| !before.contains(id)).ok_or("no new asset")?;
    mine_until(page, "the units are in a block", async |p| Ok(known(p, &format!("coloured-row-{id}")).await? == "verified"))
        .await?;
    sound(page, "assets with coloured coins").await?;
    shots.take(page, &format!("assets-{}", kind.name)).await?;
    Ok(id)
}

async fn known(page: &Page, id: &str) -> Done<String> {
    Ok(page.attr(id, "data-known").await?.unwrap_or_default())
}

/// Waits until a block holds what was signed.
async fn holds(page: &Page, units: &str) -> Done<()> {
    mine_until(page, &format!("{units} units"), async |p| {
        Ok(p.attr("units-held", "data-atoms").await?.as_deref() == Some(units) && known(p, "coloured-asset").await? == "verified")
    })
    .await
}

async fn live(page: &Page, shots: &Shots, kind: &Kind, id: &str, tour: Tour) -> Done<()> {
    let name = kind.name;
    page.click(&format!("coloured-{id}")).await?;
    page.type_into("coloured-to", &kind.payee).await?;
    page.type_into("coloured-amount", "400").await?;
    sound(page, &format!("send {name}")).await?;
    shots.take(page, &format!("send-{name}")).await?;
    page.click("coloured-review").await?;
    sign(page, shots, &format!("confirm-send-{name}")).await?;
    holds(page, "600").await?;
    let mut units = 600;
    if kind.reissues && tour == Tour::Long {
        deed(page, shots, name, "reissue", "500").await?;
        units += 500;
        holds(page, &units.to_string()).await?;
    }
    if kind.burns {
        deed(page, shots, name, "burn", "100").await?;
        units -= 100;
        holds(page, &units.to_string()).await?;
    }
    if tour == Tour::Long {
        deed(page, shots, name, "dividend", "0.0008").await?;
        page.click("coloured-holders").await?;
        page.find("coloured-holder-1").await?;
        page.until("the holders are read", LONG, async |p| p.quiet().await).await?;
        sound(page, &format!("holders of {name}")).await?;
        shots.take(page, &format!("holders-{name}")).await?;
    }
    Ok(())
}

async fn deed(page: &Page, shots: &Shots, kind: &str, deed: &str, amount: &str) -> Done<()> {
    page.click(&format!("coloured-deed-{deed}")).await?;
    page.type_into("coloured-amount", amount).await?;
    shots.take(page, &format!("{deed}-{kind}")).await?;
    page.click("coloured-review").await?;
    sign(page, shots, &format!("confirm-{deed}-{kind}")).await
}
