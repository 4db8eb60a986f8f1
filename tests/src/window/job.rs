//! The main job through the real window, as a person does it.

use super::display::Display;
use super::look::sound;
use super::page::{Done, Page};
use super::{coloured, desk, keyboard, native, tour};
use crate::world::beside;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a crossing or an issuance may take.
pub(super) const LONG: Duration = Duration::from_secs(240);

/// Where screenshots go; nowhere when not asked for.
pub struct Shots(pub Option<PathBuf>);

impl Shots {
    pub(super) async fn take(&self, page: &Page, name: &str) -> Done<()> {
        match &self.0 {
            Some(dir) => page.screenshot(&dir.join(format!("{name}.png"))).await,
            None => Ok(()),
        }
    }
}

/// What is looked at when the main job is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tour {
    /// Nothing.
    None,
    /// The smallest window, another look and language, the native window, and a lost network.
    Short,
    /// The same in every look and language.
    Long,
}

/// Runs the whole main job in the window, on a sandbox and a profile of its own, and then a tour; `report` hears each step as it ends.
pub async fn run(driver: &Path, shots: &Shots, tour: Tour, mut report: impl FnMut(&str)) -> Done<()> {
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let display = Display::start(driver, dir.path()).map_err(|e| e.to_string())?;
    let program = beside("causeway-desktop").map_err(|e| e.to_string())?;
    let profile = dir.path().join("profile");
    let args = vec!["--profile".to_owned(), profile.display().to_string()];
    let page = Page::open(&display.driver, &program, &args).await?;
    let place = Place { screen: &display.screen, world: &profile.join("world"), home: dir.path() };
    let outcome = all(&page, shots, tour, place, &mut report).await;
    if outcome.is_err() {
        // Whatever it looked like when it failed is worth more than the error.
        let _looked = page.screenshot(&std::env::temp_dir().join("causeway-window-failed.png")).await;
    }
    let closed = page.close().await;
    drop(display);
    let down = causeway_sandbox::down(&profile.join("world")).await.map_err(|e| e.to_string());
    outcome.and(closed).and(down)
}

/// Where it all happens.
struct Place<'a> {
    /// The display.
    screen: &'a str,
    /// The sandbox.
    world: &'a Path,
    /// Where the app saves files.
    home: &'a Path,
}

async fn all(page: &Page, shots: &Shots, tour: Tour, place: Place<'_>, report: &mut impl FnMut(&str)) -> Done<()> {
    let Place { screen, world, home } = place;
    let asset = job(page, shots, report).await?;
    if tour == Tour::None {
        return Ok(());
    }
    tour::transaction(page, shots).await?;
    report("a transaction, as its owner and as others see it");
    let coloured = coloured::journey(page, shots, tour, report).await?;
    if tour == Tour::Long {
        desk::journey(page, shots, &asset, (home, world), report).await?;
    }
    if tour == Tour::Long {
        let mut desk = desk::pages(&asset);
        desk.extend(coloured.iter().map(|id| coloured::page(id)));
        tour::looks(page, shots, &asset, &desk, &tour::LOOKS).await?;
        report("every page, in both themes and three languages, is readable and named for everybody");
    } else {
        tour::looks(page, shots, &asset, &[], &tour::LOOKS[2..]).await?;
        report("every page, dark and in Traditional Chinese, is readable and named for everybody");
    }
    tour::small(page).await?;
    report("every page fits the smallest window");
    native::restore(page, screen).await?;
    report("words typed into the native window restore a wallet");
    if tour == Tour::Long {
        desk::swap(page, shots, &asset).await?;
        report("an offer is made, and taken by another wallet");
    }
    tour::offline(page, shots, world).await?;
    report("a lost network is told, and what was known stays");
    Ok(())
}

/// The main job; returns the id of the asset that it issued.
async fn job(page: &Page, shots: &Shots, report: &mut impl FnMut(&str)) -> Done<String> {
    page.find("onboarding-sandbox-start").await?;
    sound(page, "first run").await?;
    shots.take(page, "onboarding").await?;
    page.click("onboarding-sandbox-start").await?;
    page.find("app").await?;
    shots.take(page, "overview-empty").await?;
    report("start in the sandbox");

    denied(page).await?;
    report("the page can call nothing that it was not given");

    page.until("networks synced", LONG, async |p| Ok(p.shows("height-bitcoin").await && p.shows("height-sidechain").await))
        .await?;
    page.click("banner-fund").await?;
    mine_until(page, "test coins arrive", async |p| {
        Ok(p.shows("overview-total").await && has_amount(&p.text("overview-total").await?))
    })
    .await?;
    sound(page, "overview").await?;
    shots.take(page, "overview-funded").await?;
    report("test coins arrive, verified");

    page.click("nav-bridge").await?;
    page.click("pegin-start").await?;
    page.type_into("pegin-amount", "0.25").await?;
    shots.take(page, "pegin-plan").await?;
    page.click("pegin-review").await?;
    sign(page, shots, "confirm-pegin").await?;
    page.click("nav-bridge").await?;
    mine_until(page, "the peg-in counts blocks", async |p| Ok(p.shows("causeway").await)).await?;
    sound(page, "bridge").await?;
    shots.take(page, "bridge-under-way").await?;
    page.click("nav-sidechain").await?;
    mine_until(page, "the claim is spendable", async |p| Ok(has_amount(&p.text("amount-sidechain").await.unwrap_or_default())))
        .await?;
    report("peg in");

    page.click("nav-assets").await?;
    page.click("asset-issue").await?;
    page.type_into("issue-amount", "1000000").await?;
    page.choose("issue-precision", "2").await?;
    page.click("issue-next").await?;
    page.type_into("issue-ticker", "HBR27").await?;
    page.type_into("issue-name", "Harbour Bond 2027").await?;
    page.type_into("issue-domain", "harbour-bonds.example").await?;
    page.click("issue-next").await?;
    page.find("issue-reissuable").await?;
    page.click("issue-next").await?;
    page.find("issue-review").await?;
    shots.take(page, "issue-review").await?;
    let asset = page.find("issue-asset-id").await?.attr("data-text").await.ok().flatten();
    page.click("issue-sign").await?;
    sign(page, shots, "confirm-issue").await?;
    let asset = asset.ok_or("the review names no asset")?;
    page.click("nav-assets").await?;
    let held = format!("held-{asset}");
    page.until("the issued amount is there", LONG, async |p| Ok(p.shows(&held).await && has_amount(&p.text(&held).await?)))
        .await?;
    shots.take(page, "assets").await?;
    report("issue an asset");

    page.click(&format!("asset-{asset}")).await?;
    page.find("asset-supply").await?;
    page.click("asset-send").await?;
    page.type_into("send-recipient-0", &somebody()?).await?;
    page.type_into("send-amount-0", "125000").await?;
    page.find("recipient-says").await?;
    sound(page, "send").await?;
    shots.take(page, "send").await?;
    page.click("send-review").await?;
    sign(page, shots, "confirm-send").await?;
    page.click("nav-sidechain").await?;
    let row = page.text("history").await?;
    if !row.contains("el1q") || !row.contains("1,000,000.00") {
        return Err(format!("the history does not lead with what was meant: {row}"));
    }
    report("send some of it");

    page.click("nav-assets").await?;
    page.click(&format!("asset-{asset}")).await?;
    page.click("asset-burn").await?;
    page.type_into("burn-amount", "25000").await?;
    page.type_into("burn-label", "R-0031").await?;
    page.click("burn-review").await?;
    sign(page, shots, "confirm-burn").await?;
    let burned =
        async |p: &Page| Ok(p.find("asset-burned").await?.attr("data-atoms").await.ok().flatten().as_deref() == Some("2500000"));
    page.until("the burn is counted", LONG, burned).await?;
    shots.take(page, "asset-after-burn").await?;
    report("redeem (burn) some of it");

    keyboard::peg_out(page, "0.05").await?;
    let main = page.enter_confirm().await?;
    page.find("confirm-fee").await?;
    shots.take(page, "confirm-pegout").await?;
    page.hold_to_sign(main).await?;
    page.click("nav-bridge").await?;
    page.find("causeway").await?;
    shots.take(page, "bridge-peg-out").await?;
    // Nothing is under way any more when the watchmen's payment is in a block.
    mine_until(page, "the watchmen pay on Bitcoin", async |p| Ok(!p.shows("causeway").await)).await?;
    report("peg out, by keyboard up to the signature");

    for (name, nav) in [
        ("overview", "nav-overview"),
        ("bitcoin", "nav-bitcoin"),
        ("sidechain", "nav-sidechain"),
        ("activity", "nav-activity"),
        ("settings", "nav-settings"),
    ] {
        page.click(nav).await?;
        page.until("the page is drawn", LONG, async |p| p.quiet().await).await?;
        sound(page, name).await?;
        shots.take(page, name).await?;
    }
    report("every page draws, readable and named for everybody");
    Ok(asset)
}

/// A confidential address of nobody here: a wallet of the public fixtures, whose chain has the same prefixes.
pub(super) fn somebody() -> Done<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/elements/wallet.json");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let fixture: serde_json::Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    let address = &fixture["wallets"][0]["addresses"][0];
    let confidential = address.as_object().into_iter().flatten().filter_map(|(_, v)| v.as_str()).find(|v| v.starts_with("el1"));
    confidential.map(str::to_owned).ok_or_else(|| "the fixture holds no confidential address".to_owned())
}

pub(super) fn has_amount(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_digit() && c != '0')
}

/// Presses "Mine a block" until the page shows what it should: what a person in the sandbox does who does not want to wait.
pub(super) async fn mine_until(page: &Page, what: &str, ready: impl AsyncFn(&Page) -> Done<bool>) -> Done<()> {
    page.until(what, LONG, async |p| {
        if ready(p).await? {
            return Ok(true);
        }
        p.click("banner-mine").await?;
        Ok(false)
    })
    .await
}

pub(super) async fn sign(page: &Page, shots: &Shots, shot: &str) -> Done<()> {
    let main = page.enter_confirm().await?;
    page.find("confirm-fee").await?;
    sound(page, shot).await?;
    shots.take(page, shot).await?;
    page.hold_to_sign(main).await
}

/// Calls that a page must never get through, whatever it tries.
async fn denied(page: &Page) -> Done<()> {
    let calls = [
        "draft_sign",
        "words_new",
        "wallet_words",
        "wallet_create",
        "plugin:dialog|open",
        "plugin:clipboard-manager|read_text",
        "plugin:fs|read_file",
        "plugin:shell|open",
    ];
    for call in calls {
        let script = format!(
            "const done = arguments[0]; setTimeout(() => done('silence'), 3000); \
             window.__TAURI_INTERNALS__.invoke({call:?}, {{request: {{}}}}).then(() => done('answered'), (e) => done('refused'))"
        );
        let said = page.script(&script).await?;
        if said == "answered" {
            return Err(format!("the page could call {call}"));
        }
    }
    Ok(())
}
