//! Every page of a wallet that has done its job, in both themes and three languages, in the smallest window, and without a network.

use super::job::Shots;
use super::look::sound;
use super::page::{Done, Page};
use std::time::Duration;

const PAGES: [&str; 7] = ["overview", "bitcoin", "sidechain", "assets", "bridge", "activity", "settings"];
/// The pages of which pictures are taken in every look.
const PICTURED: [&str; 4] = ["overview", "sidechain", "activity", "settings"];
const DRAWN: Duration = Duration::from_secs(60);

/// A page that is looked at beside those of the navigation.
pub(super) struct Spot {
    /// What pictures of it are called.
    pub(super) name: String,
    /// Where it is, behind `#/`.
    pub(super) path: String,
    /// What it shows once it is there.
    pub(super) shows: &'static str,
}

/// Looks at every page; pictures get `suffix` behind their names.
async fn pages(page: &Page, shots: &Shots, asset: &str, more: &[Spot], suffix: &str) -> Done<()> {
    for name in PAGES {
        page.click(&format!("nav-{name}")).await?;
        page.until("the page is drawn", DRAWN, async |p| p.quiet().await).await?;
        sound(page, &format!("{name}{suffix}")).await?;
        if PICTURED.contains(&name) {
            shots.take(page, &format!("{name}{suffix}")).await?;
        }
    }
    page.click("nav-assets").await?;
    page.click(&format!("asset-{asset}")).await?;
    page.find("asset-supply").await?;
    page.until("the page is drawn", DRAWN, async |p| p.quiet().await).await?;
    sound(page, &format!("asset{suffix}")).await?;
    shots.take(page, &format!("asset{suffix}")).await?;
    for spot in more {
        page.go(&spot.path).await?;
        page.find(spot.shows).await?;
        page.until("the page is drawn", DRAWN, async |p| p.quiet().await).await?;
        sound(page, &format!("{}{suffix}", spot.name)).await?;
        shots.take(page, &format!("{}{suffix}", spot.name)).await?;
    }
    Ok(())
}

/// Language, theme, and what pictures get behind their names. The main job itself is seen in English, light.
pub(super) const LOOKS: [(&str, &str, &str); 3] =
    [("en", "dark", ".dark"), ("zh-Hans", "light", ".zh-Hans"), ("zh-Hant", "dark", ".zh-Hant.dark")];

/// Looks at every page, and at `more`, in each of `looks`, and goes back to where it came from.
pub(super) async fn looks(page: &Page, shots: &Shots, asset: &str, more: &[Spot], looks: &[(&str, &str, &str)]) -> Done<()> {
    for &(language, theme, suffix) in looks {
        page.click("nav-settings").await?;
        page.choose("settings-language", language).await?;
        page.click(&format!("settings-theme-{theme}")).await?;
        page.until("language and theme change", DRAWN, async |p| {
            let root = p.ask("[document.documentElement.lang, document.documentElement.dataset.theme]").await?;
            Ok(root == serde_json::json!([language, theme]))
        })
        .await?;
        pages(page, shots, asset, more, suffix).await?;
    }
    page.click("nav-settings").await?;
    page.choose("settings-language", "en").await?;
    page.click("settings-theme-light").await?;
    page.until("English again", DRAWN, async |p| Ok(p.ask("document.documentElement.lang").await? == "en")).await
}

/// One transaction, as its owner and as others see it.
pub(super) async fn transaction(page: &Page, shots: &Shots) -> Done<()> {
    page.click("nav-activity").await?;
    page.find("history").await?;
    page.script("const done = arguments[0]; document.querySelector('a.txrow[href*=sidechain]').click(); done(true)").await?;
    page.find("flow").await?;
    sound(page, "transaction").await?;
    shots.take(page, "transaction").await?;
    page.click("viewpoint-others").await?;
    sound(page, "transaction as others see it").await
}

/// Looks at every page in the smallest window there can be.
pub(super) async fn small(page: &Page) -> Done<()> {
    page.resize(960, 640).await?;
    for name in PAGES {
        page.click(&format!("nav-{name}")).await?;
        page.until("the page is drawn", DRAWN, async |p| p.quiet().await).await?;
        sound(page, &format!("{name} at 960 x 640")).await?;
    }
    page.resize(1280, 820).await
}

/// Takes the world away and waits until the window says so; what was known stays on the page.
pub(super) async fn offline(page: &Page, shots: &Shots, world: &std::path::Path) -> Done<()> {
    page.click("nav-overview").await?;
    let before = page.text("overview-total").await?;
    causeway_sandbox::down(world).await.map_err(|e| e.to_string())?;
    for network in ["bitcoin", "sidechain"] {
        page.until("the lost network is told", Duration::from_secs(180), async |p| {
            Ok(p.shows(&format!("offline-{network}")).await)
        })
        .await?;
    }
    let after = page.text("overview-total").await?;
    if before != after {
        return Err(format!("without a network the total became {after}; it was {before}"));
    }
    sound(page, "overview without a network").await?;
    shots.take(page, "offline").await
}
