//! `causeway-fuzz [--seconds N] [--seed S] [TARGET…]`: each target on mutated seeds. A crash is written to `fuzz/crashes/`.
#![allow(clippy::print_stdout)]

use causeway_tests::fuzz::{TARGETS, Until, run};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "causeway-fuzz [--seconds N] [--seed S] [TARGET…]";

fn main() -> ExitCode {
    match fuzz() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn fuzz() -> Result<bool, String> {
    let mut seconds = 600;
    let mut seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let mut names = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|text| text.parse().ok()).ok_or(USAGE.to_owned());
        match arg.as_str() {
            "--seconds" => seconds = number()?,
            "--seed" => seed = number()?,
            name if name.starts_with('-') => return Err(USAGE.into()),
            _ => names.push(arg),
        }
    }
    let known = |name: &String| TARGETS.iter().any(|target| target.name == name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return Err(format!(
            "no target {unknown}; there are: {}",
            TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(" ")
        ));
    }
    println!("--seed {seed}, {seconds} s per target");
    let mut sound = true;
    for target in TARGETS.iter().filter(|target| names.is_empty() || names.iter().any(|name| name == target.name)) {
        match run(target, seed, Until::Elapsed(Duration::from_secs(seconds))) {
            Ok(inputs) => println!("{:24} {inputs} inputs", target.name),
            Err(crash) => {
                sound = false;
                let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/crashes").join(target.name);
                let file = dir.join(format!("{seed}-{}", crash.number));
                let kept = std::fs::create_dir_all(&dir).and_then(|()| std::fs::write(&file, &crash.input));
                println!("{:24} CRASHED at input {}: {} {:?}", target.name, crash.number, file.display(), kept.err());
            }
        }
    }
    Ok(sound)
}
