//! The native window for recovery words, worked through the X server: it is no page, so WebDriver does not see it.

use super::page::{Done, Page};
use std::process::Command;
use std::time::Duration;

/// A wallet of the public BIP39 vectors.
const WORDS: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";

fn xdotool(display: &str, arguments: &[&str]) -> Done<String> {
    let output = Command::new("xdotool").args(arguments).env("DISPLAY", display).output();
    let output = output.map_err(|e| format!("xdotool: {e}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(format!("xdotool {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr))),
    }
}

/// Restores a wallet from its words: opens the window from the settings, types, and ends with the wallet open.
pub(super) async fn restore(page: &Page, display: &str) -> Done<()> {
    let display = display.to_owned();
    page.click("nav-settings").await?;
    page.click("wallet-add").await?;
    page.click("wallet-restore").await?;
    let typed = tokio::task::spawn_blocking(move || {
        let window = xdotool(&display, &["search", "--sync", "--onlyvisible", "--name", "^Restore from words$"])?;
        let window = window.lines().last().unwrap_or_default().to_owned();
        // There is no window manager here that gives a new window the keyboard.
        xdotool(&display, &["windowfocus", "--sync", &window])?;
        let key = |name: &str| xdotool(&display, &["key", "--delay", "150", name]);
        xdotool(&display, &["type", "--delay", "30", WORDS])?;
        key("Return")?;
        // Name, passphrase, password (may be empty here): Enter in any of them goes on.
        key("Tab")?;
        xdotool(&display, &["type", "--delay", "30", "lighthouse"])?;
        key("Return")
    });
    typed.await.map_err(|e| e.to_string())??;
    page.until("the restored wallet is open", Duration::from_secs(120), async |p| {
        Ok(!p.shows("dialog-close").await && p.shows("wallet-2").await)
    })
    .await?;
    page.click("wallet-1-open").await
}
