//! `causeway`: whatever the window can do, for people and for scripts.
#![allow(clippy::print_stdout, reason = "printing is what a command line is for")]

mod call;
mod place;
mod render;
mod sandbox;
mod update;
mod verify;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "causeway", version, about = "A wallet that checks before it believes", max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

/// Which profile, on which chains.
#[derive(Args)]
struct Place {
    /// Profile directory; made when missing.
    #[arg(long, global = true, value_name = "DIR")]
    profile: Option<PathBuf>,
    /// Realm file; without it the profile's own, or the embedded sandbox.
    #[arg(long, global = true, value_name = "FILE")]
    realm: Option<PathBuf>,
    /// Print one JSON value and nothing else.
    #[arg(long, global = true)]
    json: bool,
    /// How long to wait for the light clients to reach the tip before asking, seconds; 0: not at all.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 60)]
    sync: u64,
}

#[derive(Subcommand)]
enum Command {
    /// Calls a command of the contract with a JSON request.
    Call {
        /// Name, such as `overview`; `causeway commands` lists them.
        name: String,
        /// The request; `-` reads it from standard input.
        #[arg(default_value = "{}")]
        request: String,
    },
    /// Lists the contract's commands.
    Commands,
    /// Follows an operation until it is finished, printing each step.
    Follow {
        /// Its number.
        operation: u32,
    },
    /// Checks an exported proof, evidence or a release package without any wallet or network. Exit code 0 only if it proves what it says.
    Verify {
        /// The file, or a proof as a link; `-` for standard input.
        file: PathBuf,
        #[command(flatten)]
        by: verify::Release,
    },
    /// Checks a release package by the keys that ship with this program, and hands over the file for this machine. Nothing is fetched or run.
    Update {
        /// The package; files of the release are looked for beside it.
        package: PathBuf,
        /// Where checked files go; a folder `verified` beside the package when left out.
        #[arg(long, value_name = "DIR")]
        into: Option<PathBuf>,
    },
    /// The embedded private network.
    Sandbox {
        #[command(subcommand)]
        command: sandbox::Command,
    },
    /// A command of the contract by name: `causeway receive network=sidechain explicit=false label= again=false`.
    #[command(external_subcommand)]
    Named(Vec<String>),
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "error".into()))
        .with_writer(std::io::stderr)
        .init();
    let Arguments { place, command } = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("causeway: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        match command {
            Command::Call { name, request } => call::call(&place, &name, &request).await,
            Command::Commands => {
                call::list(place.json);
                Ok(())
            }
            Command::Follow { operation } => call::follow(&place, operation).await,
            Command::Verify { file, by } => verify::verify(&file, &by, place.json),
            Command::Update { package, into } => update::update(&package, into.as_deref(), place.json),
            Command::Sandbox { command } => sandbox::run(&place, command).await,
            Command::Named(words) => call::named(&place, &words).await,
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            if place.json {
                println!("{}", why.as_json());
            } else {
                eprintln!("causeway: {why}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Why a call ended without an answer.
enum Why {
    /// The app refused.
    Refused(causeway_contract::Failure),
    /// The command line or the machine is at fault.
    Said(String),
}

impl Why {
    fn as_json(&self) -> serde_json::Value {
        match self {
            Why::Refused(failure) => serde_json::json!({ "refused": failure }),
            Why::Said(text) => serde_json::json!({ "error": text }),
        }
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Why::Refused(failure) => {
                let code = serde_json::to_value(failure.code).expect("BUG: a code is a string");
                write!(f, "refused: {}", code.as_str().unwrap_or_default())?;
                failure.args.iter().try_for_each(|(name, value)| write!(f, ", {name}: {value}"))
            }
            Why::Said(text) => f.write_str(text),
        }
    }
}

impl From<causeway_contract::Failure> for Why {
    fn from(failure: causeway_contract::Failure) -> Self {
        Why::Refused(failure)
    }
}
