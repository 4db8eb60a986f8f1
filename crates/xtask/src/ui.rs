//! The user interface: npm packages, checks, build.

use crate::shell::{Outcome, root, run};
use std::path::PathBuf;

fn dir() -> PathBuf {
    root().join("ui")
}

fn npm(args: &[&str]) -> Outcome {
    run(&dir(), "npm", args)
}

/// Installs the locked packages; none of them may run a script. Skipped while the lock file is the one installed last.
pub(crate) fn install() -> Outcome {
    let lock = std::fs::read(dir().join("package-lock.json")).map_err(|e| format!("ui/package-lock.json: {e}"))?;
    let mark = dir().join("node_modules/.causeway-lock");
    if std::fs::read(&mark).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])?;
    std::fs::write(&mark, lock).map_err(|e| format!("{}: {e}", mark.display()))
}

/// Builds `ui/dist`, which the desktop app embeds.
pub(crate) fn build() -> Outcome {
    install()?;
    npm(&["run", "--silent", "build"])
}

/// Types, unit tests and accessibility rules; and that the type check can fail at all.
pub(crate) fn check() -> Outcome {
    npm(&["run", "--silent", "check"])?;
    if npm(&["run", "--silent", "check:control"]).is_ok() {
        return Err("the negative control passed: svelte-check does not see type errors".into());
    }
    npm(&["test", "--silent"])
}
