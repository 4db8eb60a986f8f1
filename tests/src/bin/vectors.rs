//! Checks fixture files: `vectors [--json] PATH…`. Exit code 0 only when every case of every file came out as the file says.

#![expect(clippy::print_stdout, reason = "printing the report is what this program does")]

use causeway_tests::vectors::{Report, files, run_file};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let paths: Vec<&String> = arguments.iter().filter(|argument| *argument != "--json").collect();
    if paths.is_empty() || paths.iter().any(|path| path.starts_with("--")) {
        eprintln!("usage: vectors [--json] PATH…");
        return ExitCode::from(2);
    }
    let mut good = true;
    for path in paths {
        match files(Path::new(path)) {
            Err(e) => {
                eprintln!("{path}: {e}");
                good = false;
            }
            Ok(files) => {
                good &= !files.is_empty();
                for report in files.iter().map(|file| run_file(file)) {
                    good &= report.is_good();
                    if json { println!("{}", report.to_json()) } else { print(&report) }
                }
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print(report: &Report) {
    let file = report.file.display();
    match &report.outcome {
        Err(error) => println!("{file}: ERROR {error}"),
        Ok((kind, cases)) => {
            let passed = cases.iter().filter(|case| case.ok).count();
            println!("{file}: {kind}, {passed} of {} ok", cases.len());
            for case in cases.iter().filter(|case| !case.ok) {
                println!("  {}: got {}, want {}", case.id, case.got, case.want);
            }
        }
    }
}
