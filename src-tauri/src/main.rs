//! The desktop host: a window around the app, and nothing that another host would have to repeat.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod commands;
mod files;
mod host;
mod keyring_unlock;
mod start;
mod windows;
mod words;

use clap::Parser;
use std::path::PathBuf;

/// Command line of the desktop app.
#[derive(Parser)]
#[command(name = "causeway-desktop", version, about = "Causeway: a wallet that checks before it believes")]
struct Arguments {
    /// Profile directory; made when missing.
    #[arg(long, value_name = "DIR")]
    profile: Option<PathBuf>,
    /// Realm file; without it the profile's own, or the embedded sandbox.
    #[arg(long, value_name = "FILE")]
    realm: Option<PathBuf>,
    /// Runs the embedded sandbox of that directory in the foreground.
    #[arg(long, value_name = "DIR", hide = true)]
    sandbox_serve: Option<PathBuf>,
    /// Shows the window for recovery words; requests and answers cross the standard streams.
    #[arg(long, hide = true)]
    words: bool,
}

fn main() -> std::process::ExitCode {
    start::suit_display();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,causeway=info".into()))
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let outcome = match arguments {
        Arguments { sandbox_serve: Some(dir), .. } => start::serve_sandbox(&dir),
        Arguments { words: true, .. } => words::show(),
        Arguments { profile, realm, .. } => host::run(causeway_sandbox::place::Place::find(profile, realm)),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("causeway-desktop: {why}");
            std::process::ExitCode::FAILURE
        }
    }
}
