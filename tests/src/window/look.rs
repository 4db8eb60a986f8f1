//! What a page must be wherever it is looked at: named, readable, and inside its window.

use super::page::{Done, Page};
use std::path::Path;

/// Looks at a page with the rules of axe, contrast included, and for anything that spills out of the window.
pub(super) async fn sound(page: &Page, what: &str) -> Done<()> {
    if page.ask("typeof window.axe").await? == "undefined" {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}; run npm ci in ui/", path.display()))?;
        page.script(&format!("const done = arguments[0]; const module = undefined; {axe}; done('there')")).await?;
    }
    let run = "const done = arguments[0]; \
        window.axe.run(document, { resultTypes: ['violations'] }) \
          .then((found) => done(found.violations.map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`))) \
          .catch((e) => done([String(e)]))";
    let found = page.script(run).await?;
    let found: Vec<&str> = found.as_array().into_iter().flatten().filter_map(|v| v.as_str()).collect();
    if !found.is_empty() {
        return Err(format!("{what}: {}", found.join("; ")));
    }
    let spills = "(() => { const d = document.documentElement; \
        return d.scrollWidth > innerWidth || d.scrollHeight > innerHeight ? `${d.scrollWidth} x ${d.scrollHeight}` : null; })()";
    match page.ask(spills).await?.as_str() {
        Some(size) => Err(format!("{what} spills out of its window: it takes {size}")),
        None => Ok(()),
    }
}
