//! The history scrolled from end to end in the real window, its frames timed by the page itself.
#![allow(clippy::float_arithmetic, reason = "measured times are no money")]

use super::display::Display;
use super::page::{Done, Page};
use crate::world::beside;
use std::path::Path;
use std::time::Duration;

/// How long a long history may take to be loaded, to its last row.
const LOADED: Duration = Duration::from_secs(300);
/// Frames of a page that rests, before each round.
const RESTING: u32 = 120;
/// Frames from the first row to the last: so fast that every frame shows other rows than the one before.
const DOWN: u32 = 1_200;
/// Frames back up from the last row, at the pace of a wheel that is turned hard.
const UP: u32 = 400;

/// What one round took, milliseconds from frame to frame.
pub(crate) struct Frames {
    /// While the page rested.
    pub(crate) resting: Vec<f64>,
    /// While it scrolled.
    pub(crate) scrolling: Vec<f64>,
}

/// Opens the app on a profile and scrolls its history of `rows` transactions, `rounds` times, each time read anew from the first page on.
pub(crate) async fn rounds(driver: &Path, home: &Path, args: &[String], rows: u32, rounds: u32) -> Done<Vec<Frames>> {
    let display = Display::start(driver, home).map_err(|e| e.to_string())?;
    let program = beside("causeway-desktop").map_err(|e| e.to_string())?;
    let page = Page::open(&display.driver, &program, args).await?;
    let mut all = Vec::new();
    let mut outcome = Ok(());
    for _ in 0..rounds {
        match round(&page, rows).await {
            Ok(frames) => all.push(frames),
            Err(why) => outcome = outcome.and(Err(why)),
        }
    }
    let closed = page.close().await;
    drop(display);
    outcome.and(closed).map(|()| all)
}

async fn round(page: &Page, rows: u32) -> Done<Frames> {
    page.until("the app is open", LOADED, async |p| Ok(p.shows("app").await)).await?;
    // Another page in between drops what was read.
    page.click("nav-settings").await?;
    page.click("nav-activity").await?;
    let list = "document.querySelector('[data-testid=\"history\"]')";
    let drawn = format!("Boolean({list}?.querySelector('a.txrow'))");
    page.until("the history is drawn", LOADED, async |p| Ok(p.ask(&drawn).await? == true)).await?;
    let height = page.ask(&format!("{list}.scrollHeight / {list}.querySelector('.vrow').offsetHeight")).await?;
    if height.as_f64().is_none_or(|there| there < f64::from(rows)) {
        return Err(format!("the list is {height} rows long instead of {rows}"));
    }
    let last = format!("Boolean([...{list}.querySelectorAll('.vrow')].at(-1)?.querySelector('a.txrow'))");
    let down = format!("(n) => {{ {list}.scrollTop = ({list}.scrollHeight - {list}.clientHeight) * n / {DOWN}; }}");
    let resting = timed(page, RESTING, "() => {}").await?;
    let mut scrolling = timed(page, DOWN, &down).await?;
    page.until("the last row is read", LOADED, async |p| Ok(p.ask(&last).await? == true)).await?;
    scrolling.extend(timed(page, UP, &format!("() => {{ {list}.scrollTop -= 400; }}")).await?);
    if page.ask(&last).await? != true {
        return Err("rows that were read are drawn empty".into());
    }
    Ok(Frames { resting, scrolling })
}

/// The time of each of `count` frames, in each of which the page does `work`.
async fn timed(page: &Page, count: u32, work: &str) -> Done<Vec<f64>> {
    let start = format!(
        "const done = arguments[0]; window.causewayFrames = null; const work = {work}; const times = []; let n = 0, before = null; \
         (function beat() {{ \
           const now = performance.now(); \
           if (before !== null) times.push(now - before); \
           before = now; n += 1; \
           if (n > {count}) {{ window.causewayFrames = times; return; }} \
           work(n); requestAnimationFrame(beat); \
         }})(); done(true)"
    );
    page.script(&start).await?;
    page.until("the frames are counted", LOADED, async |p| Ok(!p.ask("window.causewayFrames").await?.is_null())).await?;
    let times = page.ask("window.causewayFrames").await?;
    Ok(times.as_array().into_iter().flatten().filter_map(|time| time.as_f64()).collect())
}
