//! Runs one sandbox in the foreground.

use causeway_sandbox::{ChainOptions, Options, SandboxError, lifecycle};
use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// A private Bitcoin chain and a sidechain pegged to it, on loopback.
#[derive(Parser)]
struct Arguments {
    /// Where everything is kept; an existing sandbox there continues.
    #[arg(long)]
    dir: PathBuf,
    /// Milliseconds between sidechain blocks.
    #[arg(long, default_value_t = 2000)]
    interval_ms: u64,
    /// Seconds between Bitcoin blocks; 0 mines only on request.
    #[arg(long, default_value_t = 10)]
    mine_every: u64,
    /// How many functionaries a new sandbox has.
    #[arg(long, default_value_t = 5)]
    functionaries: u8,
    /// How many of them must sign.
    #[arg(long, default_value_t = 3)]
    threshold: u8,
    /// Sidechain blocks in an epoch of a new sandbox.
    #[arg(long, default_value_t = 1800)]
    epoch_length: u32,
    /// How many more functionaries a new sandbox has that can be voted in.
    #[arg(long, default_value_t = 0)]
    spares: u8,
    /// Bitcoin blocks after which the emergency quorum of a new sandbox can withdraw; 0 for none.
    #[arg(long, default_value_t = 4032)]
    emergency_delay: u16,
    /// Peg-outs of a new sandbox need an authorisation proof.
    #[arg(long)]
    pak: bool,
}

#[tokio::main]
async fn main() -> Result<(), SandboxError> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let options = Options {
        chain: ChainOptions {
            functionaries: arguments.functionaries,
            threshold: arguments.threshold,
            epoch_length: arguments.epoch_length,
            spares: arguments.spares,
            emergency_delay: arguments.emergency_delay,
            pak: arguments.pak,
            ..ChainOptions::default()
        },
        block_interval: Duration::from_millis(arguments.interval_ms.max(1)),
        mine_every: (arguments.mine_every > 0).then(|| Duration::from_secs(arguments.mine_every)),
        ..Options::default()
    };
    #[expect(clippy::print_stdout, reason = "the one line that scripts read")]
    {
        println!("{}", lifecycle::realm_path(&arguments.dir).display());
    }
    causeway_sandbox::serve(&arguments.dir, options).await
}
