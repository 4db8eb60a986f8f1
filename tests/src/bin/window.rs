//! `cargo xtask test` drives the real window with this: the main job with WebDriver, on a display of its own, and a tour of what is there then.
#![allow(clippy::print_stdout, reason = "a test run talks")]

use causeway_tests::window::{Shots, Tour, run};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut shots, mut quiet, mut tour) = (Shots(None), false, Tour::None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--screenshots" => shots = Shots(arguments.next().map(PathBuf::from)),
            "--quiet" => quiet = true,
            "--tour" => tour = Tour::Short,
            "--long-tour" => tour = Tour::Long,
            other => {
                eprintln!("window: {other:?} is not known; use --screenshots DIR, --tour or --long-tour, and --quiet");
                return ExitCode::FAILURE;
            }
        }
    }
    let Some(driver) = std::env::var_os("TAURI_DRIVER").map(PathBuf::from) else {
        eprintln!("window: TAURI_DRIVER must name tauri-driver; cargo xtask sets it");
        return ExitCode::FAILURE;
    };
    let mut passed = 0_u32;
    let start = std::time::Instant::now();
    let outcome = tokio::runtime::Runtime::new().map_err(|e| e.to_string()).and_then(|runtime| {
        runtime.block_on(run(&driver, &shots, tour, |step| {
            passed += 1;
            if !quiet {
                println!("ok  {step} ({} s)", start.elapsed().as_secs());
            }
        }))
    });
    match outcome {
        Ok(()) => {
            if !quiet {
                println!("{passed} passed, 0 failed");
            }
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("window: {why}\n{passed} passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}
