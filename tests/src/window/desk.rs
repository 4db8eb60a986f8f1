//! The issuer's desk through the real window: more of an asset, proofs of its supply, its registration, a list of payees, the redemption desk,
//! and a swap with another wallet.

use super::job::{LONG, Shots, sign, somebody};
use super::look::sound;
use super::page::{Done, Page};
use super::tour::Spot;
use causeway_sandbox::Control;
use causeway_sandbox::control::Publish;
use std::path::Path;

/// The parts of the desk, to be looked at.
pub(super) fn pages(asset: &str) -> Vec<Spot> {
    let part = |part: &str, shows| Spot { name: format!("desk-{part}"), path: format!("assets/{asset}/{part}"), shows };
    vec![
        part("distribute", "dist-list"),
        part("holders", "holders"),
        part("redeem", "redemptions"),
        part("registry", "reg-look"),
        Spot { name: "desk-swap".into(), path: "assets/swap".into(), shows: "swap-coin" },
        Spot { name: "desk-ledger".into(), path: "assets/ledger".into(), shows: "ledger-deed" },
        Spot { name: "desk-kinds".into(), path: "assets/kinds".into(), shows: "kind-native" },
    ]
}

async fn open(page: &Page, asset: &str, part: &str) -> Done<()> {
    page.click("nav-assets").await?;
    page.click(&format!("asset-{asset}")).await?;
    match part {
        "" => page.find("asset-supply").await.map(drop),
        part => page.click(&format!("asset-part-{part}")).await,
    }
}

/// Everything but the swap. `home` is where the app saves files, `world` is the sandbox.
pub(super) async fn journey(
    page: &Page,
    shots: &Shots,
    asset: &str,
    (home, world): (&Path, &Path),
    report: &mut impl FnMut(&str),
) -> Done<()> {
    reissue(page, shots, asset).await?;
    report("issue more of an asset");
    prove(page, shots, asset, home).await?;
    report("a proof of the supply is saved, and holds");
    registry(page, shots, asset, world).await?;
    report("an asset is registered");
    distribute(page, shots, asset).await?;
    report("a list of payees is read, corrected, signed once and paid");
    redeem(page, shots, asset, home).await?;
    report("what a holder gives back is burned");
    Ok(())
}

async fn reissue(page: &Page, shots: &Shots, asset: &str) -> Done<()> {
    open(page, asset, "").await?;
    let before = supply(page).await?;
    page.click("asset-reissue").await?;
    page.type_into("reissue-amount", "50000").await?;
    shots.take(page, "desk-reissue").await?;
    page.click("reissue-review").await?;
    sign(page, shots, "confirm-reissue").await?;
    page.until("the supply grew", LONG, async |p| Ok(supply(p).await? == before + 5_000_000)).await
}

async fn supply(page: &Page) -> Done<u64> {
    let atoms = page.attr("asset-supply", "data-atoms").await?.unwrap_or_default();
    atoms.parse().map_err(|e| format!("supply {atoms:?}: {e}"))
}

/// The one file below `home` whose name holds `part`.
fn saved(home: &Path, part: &str) -> Done<String> {
    let entries = std::fs::read_dir(home).map_err(|e| e.to_string())?;
    let found = entries.flatten().map(|entry| entry.path()).find(|path| path.to_string_lossy().contains(part) && path.is_file());
    let path = found.ok_or_else(|| format!("no file {part} in {}", home.display()))?;
    std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))
}

async fn prove(page: &Page, shots: &Shots, asset: &str, home: &Path) -> Done<()> {
    open(page, asset, "").await?;
    page.until("every change of the supply is in a block", LONG, async |p| {
        Ok(p.ask("document.querySelectorAll('[data-testid$=-prove][aria-disabled=true]').length").await? == 0)
    })
    .await?;
    sound(page, "supply").await?;
    shots.take(page, "desk-supply").await?;
    page.click("supply-0-prove").await?;
    page.until("the proof is on disk", LONG, async |_| Ok(saved(home, "proof").is_ok())).await?;
    let proof = saved(home, "proof")?;
    page.click("nav-activity").await?;
    page.click("proof-open").await?;
    page.paste("proof-text", &proof).await?;
    page.click("proof-check").await?;
    page.find("proof-verdict").await?;
    sound(page, "proof").await?;
    shots.take(page, "desk-proof").await?;
    if page.attr("proof-verdict", "data-ok").await?.as_deref() != Some("true") {
        return Err(format!("the proof does not hold: {}", page.text("proof-verdict").await?));
    }
    page.click("dialog-close").await
}

/// What a command answers the page.
async fn invoke(page: &Page, command: &str, request: &str) -> Done<serde_json::Value> {
    let script = format!(
        "const done = arguments[0]; window.__TAURI_INTERNALS__.invoke('{command}', {{ request: {request} }}).then(done, (e) => done(null))"
    );
    page.script(&script).await
}

/// What the web server of the issuer's domain does in real life.
async fn prove_domain(page: &Page, asset: &str, world: &Path) -> Done<()> {
    let detail = invoke(page, "asset", &format!("{{ asset: '{asset}' }}")).await?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let domain = text(&detail["view"]["domain"]);
    let path = text(&detail["domain_proof_url"]).trim_start_matches(&format!("https://{domain}")).to_owned();
    let launch = |_: &Path| Err(std::io::Error::other("the sandbox does not run"));
    let realm = causeway_sandbox::ensure_up(world, launch).await.map_err(|e| e.to_string())?;
    let control = realm.testbed.ok_or("no testbed")?.control;
    let file = Publish { domain, path, text: format!("{}\n", text(&detail["domain_proof"])) };
    Control::at(control).map_err(|e| e.to_string())?.publish(&file).await.map_err(|e| e.to_string())
}

async fn registry(page: &Page, shots: &Shots, asset: &str, world: &Path) -> Done<()> {
    open(page, asset, "registry").await?;
    page.click("reg-look").await?;
    page.find("reg-none").await?;
    shots.take(page, "desk-registry-none").await?;
    prove_domain(page, asset, world).await?;
    page.click("reg-publish").await?;
    page.find("reg-claim").await?;
    sound(page, "registry").await?;
    shots.take(page, "desk-registry").await
}

async fn distribute(page: &Page, shots: &Shots, asset: &str) -> Done<()> {
    open(page, asset, "distribute").await?;
    let payee = somebody()?;
    page.paste("dist-list", &format!("address,amount,label\n{payee},12.345,Quay\n{payee},=1+1,Quay\nbcrt1q,5,Pier")).await?;
    page.click("dist-read").await?;
    page.find("dist-faults").await?;
    sound(page, "a list with mistakes").await?;
    shots.take(page, "desk-distribute-faults").await?;
    page.paste("dist-list", &format!("address,amount,label\n{payee},1250.50,Quay & Sons")).await?;
    page.type_into("dist-label", "coupon 2027").await?;
    page.click("dist-read").await?;
    page.find("dist-preview").await?;
    sound(page, "a list").await?;
    shots.take(page, "desk-distribute").await?;
    page.click("dist-sign").await?;
    sign(page, shots, "confirm-distribute").await?;
    let done = "document.querySelector('[data-testid^=dist-][data-status]')?.dataset.status";
    page.until("everybody is paid", LONG, async |p| Ok(p.ask(done).await? == "done")).await?;
    sound(page, "a distribution").await?;
    shots.take(page, "desk-distributed").await?;
    page.click("asset-part-holders").await?;
    page.find("holder-0").await?;
    sound(page, "holders").await?;
    shots.take(page, "desk-holders").await
}

async fn redeem(page: &Page, shots: &Shots, asset: &str, home: &Path) -> Done<()> {
    open(page, asset, "redeem").await?;
    page.click("redeem-new").await?;
    page.type_into("redeem-reference", "r-0044, berth 12").await?;
    shots.take(page, "desk-redeem-new").await?;
    page.click("redeem-make").await?;
    let address = page.attr("redeem-address", "data-text").await?.ok_or("no address for the request")?;
    sound(page, "a request").await?;
    shots.take(page, "desk-redeem-request").await?;
    page.click("dialog-close").await?;
    page.click("asset-part-").await?;
    page.click("asset-send").await?;
    page.type_into("send-recipient-0", &address).await?;
    page.type_into("send-amount-0", "1000").await?;
    page.click("send-review").await?;
    sign(page, shots, "confirm-give-back").await?;
    open(page, asset, "redeem").await?;
    let state = async |p: &Page| p.attr("redemption-1-0", "data-state").await;
    page.until("what was given back waits for a decision", LONG, async |p| Ok(state(p).await?.as_deref() == Some("open")))
        .await?;
    sound(page, "redemptions").await?;
    shots.take(page, "desk-redeem").await?;
    page.click("redemption-1-accept").await?;
    sign(page, shots, "confirm-redeem").await?;
    page.until("it is burned", LONG, async |p| Ok(state(p).await?.as_deref() == Some("accepted"))).await?;
    shots.take(page, "desk-redeemed").await?;
    page.click("redeem-ledger").await?;
    page.until("the ledger is on disk", LONG, async |_| Ok(saved(home, "redemption").is_ok())).await?;
    match saved(home, "redemption")?.contains("berth 12") {
        true => Ok(()),
        false => Err("the ledger does not name the request".into()),
    }
}

async fn wallet(page: &Page, id: u32) -> Done<()> {
    page.click("nav-settings").await?;
    page.click(&format!("wallet-{id}-open")).await?;
    page.until_gone(&format!("wallet-{id}-open")).await
}

/// Offers a coin of the asset, and takes it with the second wallet, which is paid for that first.
pub(super) async fn swap(page: &Page, shots: &Shots, asset: &str) -> Done<()> {
    wallet(page, 2).await?;
    page.click("nav-sidechain").await?;
    page.click("receive").await?;
    let address = page.attr("receive-address", "data-text").await?.ok_or("no address")?;
    wallet(page, 1).await?;
    page.click("nav-sidechain").await?;
    page.click("send").await?;
    page.type_into("send-recipient-0", &address).await?;
    page.type_into("send-amount-0", "0.02").await?;
    page.click("send-review").await?;
    sign(page, shots, "confirm-fund-taker").await?;

    page.click("nav-assets").await?;
    let policy = page.ask("[...document.querySelectorAll('[data-testid^=asset-]')].map((e) => e.dataset.testid.slice(6)).find((id) => id.length === 64)");
    let policy = policy.await?.as_str().map(str::to_owned).ok_or("no asset on the page")?;
    page.click("asset-swap").await?;
    page.until("a coin can be offered", LONG, async |p| {
        Ok(p.ask("[...document.querySelectorAll('[data-testid=swap-coin] option')].some((o) => o.text.includes('HBR27'))")
            .await?
            == true)
    })
    .await?;
    let coin = page
        .ask("[...document.querySelectorAll('[data-testid=swap-coin] option')].find((o) => o.text.includes('HBR27')).value")
        .await?;
    page.choose("swap-coin", coin.as_str().ok_or("no coin")?).await?;
    page.type_into("swap-wanted", &policy).await?;
    page.type_into("swap-amount", "0.0125").await?;
    sound(page, "an offer").await?;
    shots.take(page, "desk-swap-offer").await?;
    page.click("swap-offer").await?;
    sign(page, shots, "confirm-offer").await?;
    let offered = "document.querySelector('[data-testid^=offer-][data-status]')?.dataset.testid";
    page.until("the offer stands", LONG, async |p| Ok(p.ask(offered).await?.is_string())).await?;
    shots.take(page, "desk-swap-offered").await?;
    // What the copy button puts on the clipboard, which pages cannot read back.
    let offers = invoke(page, "offers", "{}").await?;
    let text = offers[0]["text"].as_str().ok_or("the offer has no text")?.to_owned();

    wallet(page, 2).await?;
    page.click("nav-assets").await?;
    page.click("asset-swap").await?;
    page.paste("swap-text", &text).await?;
    page.click("swap-inspect").await?;
    page.find("swap-seen").await?;
    sound(page, "an offer of somebody else").await?;
    shots.take(page, "desk-swap-inspect").await?;
    page.click("swap-take").await?;
    sign(page, shots, "confirm-take").await?;
    page.click("nav-assets").await?;
    let held = format!("held-{asset}");
    page.until("the taker has what he paid for", LONG, async |p| Ok(p.shows(&held).await)).await?;
    shots.take(page, "desk-swap-taken").await?;
    wallet(page, 1).await
}
