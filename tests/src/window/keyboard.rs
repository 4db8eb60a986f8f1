//! The hand that never leaves the keyboard: where focus is, that it is seen, and a peg-out from the palette to the confirm window.

use super::page::{Done, Page};
use fantoccini::key::Key;

/// More stops than any page has.
const MOST_STOPS: usize = 90;

/// Who has the keyboard, and whether that is drawn: an outline on it, or on the field around it.
const FOCUS: &str = "(() => { const e = document.activeElement; \
    const seen = (n) => n && getComputedStyle(n).outlineStyle !== 'none' && parseFloat(getComputedStyle(n).outlineWidth) >= 2; \
    return { id: e.dataset.testid ?? '', seen: e === document.body || Boolean(seen(e) || seen(e.closest('.input, .find-row, label, .check')) \
      || seen(e.parentElement?.querySelector('.box'))), what: e.outerHTML.slice(0, 120) }; })()";

/// Goes on with Tab until the element is reached; every stop on the way must be seen to have the focus.
pub(super) async fn tab_to(page: &Page, id: &str) -> Done<()> {
    for _ in 0..MOST_STOPS {
        page.keys([Key::Tab.into()]).await?;
        let focus = page.ask(FOCUS).await?;
        if focus["seen"] != true {
            return Err(format!("the focus on {} is not drawn", focus["what"]));
        }
        if focus["id"] == id {
            return Ok(());
        }
    }
    Err(format!("Tab does not reach {id}"))
}

/// Brings a peg-out to its confirm window without a mouse: palette, amount, review. Escape closes the palette on the way.
pub(super) async fn peg_out(page: &Page, amount: &str) -> Done<()> {
    page.chord(Key::Control.into(), 'k').await?;
    page.find("palette").await?;
    page.keys([Key::Escape.into()]).await?;
    page.until_gone("palette").await?;
    page.chord(Key::Control.into(), 'k').await?;
    page.find("palette").await?;
    page.keys("peg out".chars()).await?;
    page.find("palette-peg-out").await?;
    page.keys([Key::Enter.into()]).await?;
    page.find("pegout-amount").await?;
    tab_to(page, "pegout-amount").await?;
    page.keys(amount.chars()).await?;
    tab_to(page, "pegout-review").await?;
    page.keys([Key::Enter.into()]).await
}
