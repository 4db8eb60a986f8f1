//! `cargo xtask bench`: the figures as one JSON object, each with its limit.
#![allow(clippy::print_stdout, reason = "figures are to be read")]

use causeway_tests::bench::{GROUPS, Outcome, measure};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut strict, mut line, mut only) = (false, false, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--strict" => strict = true,
            "--json" => line = true,
            "--only" => only.extend(arguments.next().filter(|name| GROUPS.contains(&name.as_str()))),
            _ => {
                eprintln!(
                    "bench: --json prints one line, --strict fails when a bound is missed, --only GROUP is one of {GROUPS:?}"
                );
                return ExitCode::FAILURE;
            }
        }
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::FAILURE;
        }
    };
    let report = runtime.block_on(measure(&only, |outcome| match outcome {
        Outcome::Measured(f) => eprintln!(
            "{} {}: {} {}; {} x {} ({}), at most {}",
            if f.ok { "ok  " } else { "MISS" },
            f.name,
            f.value,
            f.unit,
            f.ratio,
            f.limit,
            f.limit_what,
            f.bound
        ),
        Outcome::Failed { name, error, .. } => eprintln!("FAIL {name}: {error}"),
    }));
    let text = if line { serde_json::to_string(&report) } else { serde_json::to_string_pretty(&report) };
    println!("{}", text.expect("BUG: figures are JSON"));
    if report.ok || !strict { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
