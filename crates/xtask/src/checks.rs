//! What CI runs, and what mends it.

use crate::shell::{Cargo, Outcome, cache_dir, root};
use crate::{machine, setup, ui};
use std::time::Instant;

/// Runs `step` and prints how long it took.
fn timed(name: &str, step: impl FnOnce() -> Outcome) -> Outcome {
    println!("\n== {name}");
    let start = Instant::now();
    let outcome = step().map_err(|why| format!("{name}: {why}"));
    println!("== {name}: {} s", start.elapsed().as_secs());
    outcome
}

/// Everything that CI runs.
pub(crate) fn test(args: &[String]) -> Outcome {
    let quick = args.iter().any(|a| a == "--quick");
    timed("set-up", setup)?;
    timed("user interface: build", ui::build)?;
    timed("user interface: types, tests, accessibility", ui::check)?;
    timed("formatting", || Cargo::new("fmt").args(["--all", "--check"]).run())?;
    timed("lints", || Cargo::new("clippy").args(["--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]).run())?;
    if !quick {
        timed("dependencies: bans, licences, sources", || machine::deny(&root()))?;
    }
    timed("programs under test", || Cargo::new("build").args(["--workspace", "--bins", "--quiet"]).run())?;
    timed("tests", || Cargo::new("test").args(["--workspace", "--quiet"]).env("CAUSEWAY_CACHE", cache_dir()).run())?;
    if !quick {
        // By itself, so that no other program is built with live fail points.
        timed("a kill at every step", || {
            Cargo::new("test")
                .args(["--package", "causeway-tests", "--features", "crash", "--test", "crash", "--quiet"])
                .env("CAUSEWAY_CACHE", cache_dir())
                .run()
        })?;
    }
    timed("vectors", || {
        Cargo::new("run")
            .args(["--quiet", "--package", "causeway-tests", "--bin", "causeway-vectors", "--"])
            .args(["tests/fixtures/elements", "tests/fixtures/liquid-public"])
            .run()
    })?;
    if !quick {
        timed("the real window", window)?;
    }
    println!("\nall checks passed");
    Ok(())
}

/// Drives the real window through the main job with WebDriver.
fn window() -> Outcome {
    let driver = machine::install_driver()?;
    Cargo::new("run")
        .args(["--quiet", "--package", "causeway-tests", "--bin", "causeway-window", "--"])
        .env("TAURI_DRIVER", driver)
        .run()
}

/// Writes the TypeScript bindings and the capability files.
pub(crate) fn write_bindings() -> Outcome {
    Cargo::new("run").args(["--quiet", "--package", "causeway-contract", "--example", "bindings", "--"]).arg(root()).run()
}

/// Formats, applies what lints can fix, writes bindings.
pub(crate) fn tidy() -> Outcome {
    setup()?;
    write_bindings()?;
    Cargo::new("clippy").args(["--workspace", "--all-targets", "--fix", "--allow-dirty", "--allow-staged"]).run()?;
    Cargo::new("fmt").arg("--all").run()
}
