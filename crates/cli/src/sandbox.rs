//! `causeway sandbox`: the embedded private network, by hand.

use crate::place::SERVE;
use crate::{Place, Why};
use causeway_sandbox::control::{Control, Fund};
use causeway_sandbox::place::up;
use causeway_sandbox::{Options, SandboxError};
use causeway_vocab::NetworkId;
use clap::Subcommand;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Brings it up in the background, or finds it running, and prints the path of its realm file.
    Up,
    /// Brings it down; its chains stay on disk.
    Down,
    /// Mines blocks now.
    Mine {
        /// `bitcoin` or `sidechain`.
        network: String,
        /// How many.
        #[arg(default_value_t = 1)]
        blocks: u32,
    },
    /// Pays test coins to a Bitcoin address of the sandbox.
    Fund {
        /// The address.
        address: String,
        /// Satoshi.
        sat: u64,
        /// Blocks to mine afterwards.
        #[arg(long, default_value_t = 0)]
        mine: u32,
    },
    /// Has the functionaries list a pair of keys that may peg out (`causeway peg_out_keys` prints this wallet's); in force two epochs later at most.
    Enlist {
        /// Offline key, then online key: 66 bytes, hex.
        entry: String,
    },
    /// Prints the realm file and the arguments with which a real elementsd follows this chain.
    Params,
    /// Runs it in the foreground; `up` does this in the background.
    #[command(hide = true)]
    Serve {
        /// Its directory.
        dir: PathBuf,
    },
}

impl From<SandboxError> for Why {
    fn from(error: SandboxError) -> Self {
        Why::Said(error.to_string())
    }
}

pub(crate) async fn run(place: &Place, command: Command) -> Result<(), Why> {
    let dir = place.world_dir();
    match command {
        Command::Up => {
            up(&dir, SERVE).await?;
            say(place, "realm", causeway_sandbox::lifecycle::realm_path(&dir).display());
        }
        Command::Down => causeway_sandbox::down(&dir).await?,
        Command::Serve { dir } => causeway_sandbox::serve(&dir, Options::default()).await?,
        Command::Params => {
            let params = causeway_sandbox::params(&dir).await?;
            if place.json {
                println!("{}", serde_json::json!({ "realm": params.realm, "elementsd": params.elementsd_args }));
            } else {
                println!("{}\n# elementsd {}", params.realm, params.elementsd_args.join(" "));
            }
        }
        Command::Mine { network, blocks } => {
            let network: NetworkId =
                serde_json::from_value(network.into()).map_err(|_| Why::Said("mine on `bitcoin` or `sidechain`".into()))?;
            let mined = control(&dir).await?.mine(network, blocks).await?;
            say(place, "tip", mined.tip);
        }
        Command::Enlist { entry } => control(&dir).await?.enlist(&entry).await?,
        Command::Fund { address, sat, mine } => {
            let funded = control(&dir).await?.fund(&Fund { address, sat, mine }).await?;
            say(place, "txid", funded.txid);
        }
    }
    Ok(())
}

/// The control service of the running sandbox.
async fn control(dir: &Path) -> Result<Control, Why> {
    let testbed = up(dir, SERVE).await?.testbed.ok_or_else(|| Why::Said("this realm has no testbed".into()))?;
    Ok(Control::at(testbed.control)?)
}

fn say(place: &Place, name: &str, value: impl std::fmt::Display) {
    if place.json {
        println!("{}", serde_json::json!({ name: value.to_string() }));
    } else {
        println!("{value}");
    }
}
