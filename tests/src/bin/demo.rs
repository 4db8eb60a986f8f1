//! `cargo xtask demo`: the whole main job, headless, then in the real window.
#![allow(clippy::print_stdout, reason = "a demo talks")]

use causeway_tests::main_job::{MainJob, Step};
use causeway_tests::world;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut json, mut realm) = (false, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json = true,
            "--realm" => realm = arguments.next().map(PathBuf::from),
            other => {
                eprintln!("demo: {other:?} is not known; use --json and --realm FILE");
                return ExitCode::FAILURE;
            }
        }
    }
    let outcome =
        tokio::runtime::Runtime::new().map_err(|e| e.to_string()).and_then(|runtime| runtime.block_on(headless(json, realm)));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("demo: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the job on a fresh profile and prints each step as it ends; `true` when all passed.
async fn headless(json: bool, realm_file: Option<PathBuf>) -> Result<bool, String> {
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let world_dir = dir.path().join("world");
    let realm = world::realm(realm_file.as_deref(), &world_dir).await?;
    let app = world::open(&dir.path().join("profile"), realm).await?;
    let steps = MainJob::new(app.clone(), move |step| print_step(json, step)).run().await;
    app.close().await;
    if realm_file.is_none() {
        causeway_sandbox::down(&world_dir).await.map_err(|e| e.to_string())?;
    }
    let passed = steps.iter().all(|s| s.ok);
    if json {
        println!("{}", serde_json::json!({ "passed": passed, "steps": steps }));
    } else {
        println!("\n{:<36} {:>8}  result", "step", "time");
        for step in &steps {
            println!("{:<36} {:>6} ms  {}", step.name, step.millis, if step.ok { "ok" } else { "FAILED" });
        }
    }
    Ok(passed)
}

fn print_step(json: bool, step: &Step) {
    if !json {
        println!("{} {}\n      {}", if step.ok { "ok  " } else { "FAIL" }, step.name, step.detail);
    }
}
