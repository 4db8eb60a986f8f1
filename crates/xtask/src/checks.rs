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

/// The seed of the property tests in `test`: the same cases in every run, so that a red run is about the change it ran on. `torture` draws others.
const SEED: &str = "20261121";

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
    let seed = std::env::var("PROPTEST_RNG_SEED").unwrap_or_else(|_| SEED.to_owned());
    println!("\nPROPTEST_RNG_SEED={seed}");
    timed("tests", || tests(&seed).run())?;
    if !quick {
        timed("a kill at every step", || crash().run())?;
    }
    timed("vectors", || {
        Cargo::new("run")
            .args(["--quiet", "--package", "causeway-tests", "--bin", "causeway-vectors", "--"])
            .args(["elements", "liquid-public", "colored", "babylon", "bolts"].map(|set| format!("tests/fixtures/{set}")))
            .run()
    })?;
    if !quick {
        timed("the real window", || window("--tour"))?;
    }
    println!("\nall checks passed");
    Ok(())
}

/// Where one random case is minutes of a federation's life, or tens of power cuts: fewer of them make a night.
const SIMULATED: [&str; 2] = ["causeway-federation", "causeway-store"];

/// Kills of a night, and of one world: the chains of a world grow while it is tortured.
const KILLS: u32 = 1_000;
const KILLS_PER_WORLD: u32 = 250;

/// What is too long for every change: property tests on many fresh cases, a kill at every commit, and the window in every look. `--kills N` does
/// nothing but so many kills.
pub(crate) fn torture(args: &[String]) -> Outcome {
    let kills = match args {
        [] => None,
        [name, number] if name == "--kills" => Some(number.parse().map_err(|_| format!("{number:?} is no number"))?),
        _ => return Err("torture takes --kills N or nothing".into()),
    };
    if let Some(kills) = kills {
        timed("set-up", setup)?;
        timed("programs under test", || Cargo::new("build").args(["--package", "causeway-sandbox", "--bins", "--quiet"]).run())?;
        return kill(kills);
    }
    timed("set-up", setup)?;
    timed("user interface: build", ui::build)?;
    timed("programs under test", || Cargo::new("build").args(["--workspace", "--bins", "--quiet"]).run())?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(|e| e.to_string())?;
    let seed = now.as_secs().to_string();
    println!("\nPROPTEST_RNG_SEED={seed}");
    let apart = SIMULATED.iter().flat_map(|package| ["--exclude", package]);
    timed("property tests", || tests(&seed).args(apart.clone()).env("PROPTEST_CASES", "3000").run())?;
    let them = SIMULATED.iter().flat_map(|package| ["--package", package]);
    let simulated = || Cargo::new("test").args(them.clone()).arg("--quiet").env("PROPTEST_RNG_SEED", &seed);
    timed("simulated federations and power cuts", || simulated().env("PROPTEST_CASES", "100").run())?;
    kill(KILLS)?;
    timed("the real window, in every look", || window("--long-tour"))
}

/// Kills so many times, at every step of every operation first, in one world after the other.
fn kill(kills: u32) -> Outcome {
    let mut left = kills;
    while left > 0 {
        let now = left.min(KILLS_PER_WORLD);
        let run = || crash().args(["--", "--nocapture"]).env("CAUSEWAY_CRASH_KILLS", now.to_string()).run();
        timed(&format!("{now} kills, {} to come", left - now), run)?;
        left -= now;
    }
    Ok(())
}

/// All tests of the workspace, the property tests with `seed`.
fn tests(seed: &str) -> Cargo {
    Cargo::new("test").args(["--workspace", "--quiet"]).env("CAUSEWAY_CACHE", cache_dir()).env("PROPTEST_RNG_SEED", seed)
}

/// The crash test, by itself, so that no other program is built with live fail points.
fn crash() -> Cargo {
    let crash = ["--package", "causeway-tests", "--features", "crash", "--test", "crash", "--quiet"];
    Cargo::new("test").args(crash).env("CAUSEWAY_CACHE", cache_dir())
}

/// Drives the real window through the main job with WebDriver, and on through a tour.
fn window(tour: &str) -> Outcome {
    let driver = machine::install_driver()?;
    Cargo::new("run")
        .args(["--quiet", "--package", "causeway-tests", "--bin", "causeway-window", "--", tour])
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
