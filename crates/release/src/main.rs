//! `causeway-release`: makes the keys that vouch for releases and pinned data, and signs with them. See docs/releasing.md.
//!
//! Not part of what is installed: who uses a program needs only the public keys, which ship with it.
#![allow(clippy::print_stdout, reason = "printing is what a command line is for")]

mod files;
mod key;
mod package;
mod pinned;
#[cfg(test)]
mod tests;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Success, or one sentence about what went wrong.
type Outcome<T = ()> = Result<T, String>;

#[derive(Parser)]
#[command(name = "causeway-release", version, about = "Signs releases and pinned data", max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a key: the secret goes to FILE, which must not exist and which only its owner can read; the public half is printed.
    Keygen {
        /// Where the secret goes.
        file: PathBuf,
    },
    /// Prints the public half of a key.
    Public {
        /// The secret.
        key: PathBuf,
    },
    /// Writes the list of those whose signatures make a release: the program's `assets/pinned/release.json`.
    Keys {
        /// Which program.
        #[arg(long, default_value = "causeway")]
        product: String,
        /// Who builds: how many must sign and the public keys, such as `1:KEY`.
        #[arg(long, value_name = "K:KEY,…")]
        publisher: String,
        /// Who reads: such as `2:KEY,KEY,KEY`.
        #[arg(long, value_name = "K:KEY,…")]
        auditor: String,
        /// Who will run it.
        #[arg(long, value_name = "K:KEY,…")]
        functionary: String,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Writes the list of those who answer for pinned data: the program's `assets/pinned/signers.json`.
    Signers {
        /// How many must sign and the public keys, such as `2:KEY,KEY,KEY`.
        #[arg(value_name = "K:KEY,…")]
        signers: String,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Writes a release package, unsigned, that names these files.
    Package {
        /// Which program.
        #[arg(long, default_value = "causeway")]
        product: String,
        /// Which version: three numbers.
        #[arg(long)]
        version: String,
        /// When, Unix seconds; now, when left out.
        #[arg(long)]
        released: Option<u32>,
        /// The package to write; it must not exist. Signers look for the files beside it.
        #[arg(long)]
        out: PathBuf,
        /// The files, whose names must be different.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Adds a signature to a release package, after measuring every one of its files, which must lie beside it.
    Sign {
        /// The package.
        package: PathBuf,
        /// publisher, auditor or functionary.
        #[arg(long)]
        role: String,
        /// The secret.
        #[arg(long)]
        key: PathBuf,
    },
    /// Judges a release package by a list of keys. Exit code 0 only if everybody needed has signed.
    Verify {
        /// The package; files that lie beside it are measured.
        package: PathBuf,
        /// Whose signatures count.
        #[arg(long)]
        keys: PathBuf,
    },
    /// Adds a signature to pinned data: a line in the file of the same name that ends in `.sig`.
    SignPinned {
        /// The data; it is read first, and refused when the wallet could not read it.
        data: PathBuf,
        /// The secret.
        #[arg(long)]
        key: PathBuf,
    },
    /// Judges pinned data with its `.sig` by a list of signers.
    VerifyPinned {
        /// The data.
        data: PathBuf,
        /// Whose signatures count.
        #[arg(long)]
        signers: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(said) => {
            print!("{said}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("causeway-release: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Carries out a command and gives what there is to say, in lines.
fn run(command: Command) -> Outcome<String> {
    match command {
        Command::Keygen { file } => key::make(&file, &mut rand::rngs::OsRng).map(|public| format!("{public}\n")),
        Command::Public { key } => key::read(&key).map(|key| format!("{}\n", key.x_only_public_key().0)),
        Command::Keys { product, publisher, auditor, functionary, out } => {
            package::keys(&product, [&publisher, &auditor, &functionary], &out)
        }
        Command::Signers { signers, out } => pinned::signers(&signers, &out),
        Command::Package { product, version, released, out, files } => {
            package::write(&product, &version, released.map_or_else(package::now, Ok)?, &files, &out)
        }
        Command::Sign { package, role, key } => package::sign(&package, &role, &key::read(&key)?, &key::random()),
        Command::Verify { package, keys } => package::verify(&package, &keys),
        Command::SignPinned { data, key } => pinned::sign(&data, &key::read(&key)?, &key::random()),
        Command::VerifyPinned { data, signers } => pinned::verify(&data, &signers),
    }
}
