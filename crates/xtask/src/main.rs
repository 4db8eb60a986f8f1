//! `cargo xtask`: every habit of the project as one command.
//!
//! Installs what the machine lacks, then calls the ordinary tools. Knows nothing of the product's insides, so that it builds in seconds.
#![allow(clippy::print_stdout)]

mod bitcoind;
mod checks;
mod machine;
mod package;
mod shell;
mod ui;

use shell::{Cargo, Outcome};

const USAGE: &str = "cargo xtask COMMAND

  run [--release] [ARGS…]     start the desktop app on the sandbox
  test [--quick]              everything that CI runs (quick: without packaging and the window)
  torture [--kills N]         what is too long for CI: many random cases, 1,000 kills, every look; or only N kills
  demo [--json] [--realm F]   the whole main job, headless, then in the real window
  bench [--json]              the figures, as ratios against limits measured in the same run
  fuzz [--seconds N] [--seed S] [TARGET…]  every parser of foreign bytes on mutated seeds, ten minutes each
  vectors [--json] PATH…      run our code on fixture files
  bindings                    write ui/src/ipc/bindings.ts from the contract
  tidy                        format, fix what lints can fix, write bindings
  package                     build .deb and .rpm, install, start and uninstall the .deb
  setup                       only install what the machine lacks";

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = args.split_first().map_or(("help", &[][..]), |(c, r)| (c.as_str(), r));
    let outcome = match command {
        "run" => run(rest),
        "test" => checks::test(rest),
        "torture" => checks::torture(rest),
        "demo" => demo(rest),
        "bench" => bench(rest),
        "fuzz" => fuzz(rest),
        "vectors" => vectors(rest),
        "bindings" => checks::write_bindings(),
        "tidy" => checks::tidy(),
        "package" => package::package(),
        "setup" => setup(),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(format!("no command {other:?}\n\n{USAGE}")),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\nxtask {command}: {why}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// Installs packages, the user interface's dependencies, and the sandbox's bitcoind.
fn setup() -> Outcome {
    machine::install_packages()?;
    ui::install()?;
    bitcoind::ensure().map(drop)
}

fn run(args: &[String]) -> Outcome {
    setup()?;
    ui::build()?;
    let (release, app_args): (Vec<_>, Vec<_>) = args.iter().partition(|a| *a == "--release");
    let mut cargo = Cargo::new("run").args(["--package", "causeway-desktop", "--bin", "causeway-desktop"]);
    if !release.is_empty() {
        cargo = cargo.arg("--release");
    }
    cargo.arg("--").args(app_args).run()
}

/// The main job headless, then the same through the real window on a display of its own, which leaves docs/screenshots behind. With a realm
/// file only the headless part runs: the window's part presses the sandbox's buttons.
fn demo(args: &[String]) -> Outcome {
    setup()?;
    ui::build()?;
    Cargo::new("build").args(["--workspace", "--bins"]).quiet().run()?;
    let bin = |name| Cargo::new("run").args(["--quiet", "--package", "causeway-tests", "--bin", name, "--"]);
    bin("causeway-demo").args(args).run()?;
    if args.iter().any(|a| a == "--realm") {
        return Ok(());
    }
    let screenshots = shell::root().join("docs/screenshots");
    std::fs::create_dir_all(&screenshots).map_err(|e| format!("{}: {e}", screenshots.display()))?;
    let quiet = if args.iter().any(|a| a == "--json") { &["--quiet"][..] } else { &[] };
    bin("causeway-window").arg("--screenshots").arg(screenshots).args(quiet).env("TAURI_DRIVER", machine::install_driver()?).run()
}

fn bench(args: &[String]) -> Outcome {
    setup()?;
    ui::build()?;
    Cargo::new("build").args(["--release", "--package", "causeway-desktop", "--package", "causeway-sandbox"]).quiet().run()?;
    Cargo::new("run")
        .args(["--release", "--quiet", "--package", "causeway-tests", "--bin", "causeway-bench", "--"])
        .args(args)
        .env("TAURI_DRIVER", machine::install_driver()?)
        .run()
}

fn vectors(args: &[String]) -> Outcome {
    machine::install_packages()?;
    Cargo::new("run").args(["--quiet", "--package", "causeway-tests", "--bin", "causeway-vectors", "--"]).args(args).run()
}

fn fuzz(args: &[String]) -> Outcome {
    machine::install_packages()?;
    Cargo::new("run")
        .args(["--release", "--quiet", "--package", "causeway-tests", "--bin", "causeway-fuzz", "--"])
        .args(args)
        .run()
}
