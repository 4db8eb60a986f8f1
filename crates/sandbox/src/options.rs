//! How a sandbox is set up.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// Settings of a sandbox. Those under *chain* are frozen when its directory is first served; later values are ignored, because
/// the genesis block and the federation script follow from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What the chain is made of; frozen at first start.
    pub chain: ChainOptions,
    /// Time between sidechain blocks.
    pub block_interval: Duration,
    /// Time between Bitcoin blocks; `None` mines only on request.
    pub mine_every: Option<Duration>,
    /// The bitcoind to run; `None` looks where [`crate::bitcoind::find`] says.
    pub bitcoind: Option<PathBuf>,
}

/// What cannot change once the genesis block exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainOptions {
    /// How many functionaries, at most 15.
    pub functionaries: u8,
    /// How many of them must sign a block or a peg-out: more than half.
    pub threshold: u8,
    /// Sidechain blocks in a dynafed epoch.
    pub epoch_length: u32,
    /// For how many epochs a federation script stays claimable.
    pub total_valid_epochs: u32,
    /// Bitcoin confirmations before a peg-in can be claimed.
    pub pegin_confirmation_depth: u32,
    /// Functionaries that can be voted in later; with the others at most 15.
    #[serde(default)]
    pub spares: u8,
    /// Bitcoin blocks after which two of three emergency keys can withdraw a coin of the federation; 0 makes no such path.
    #[serde(default)]
    pub emergency_delay: u16,
    /// Peg-outs need an authorisation proof (PAK) by keys that the federation has listed.
    #[serde(default)]
    pub pak: bool,
}

impl Default for ChainOptions {
    /// 3 of 5; an epoch of an hour at two seconds a block, so that a peg-in address stays claimable for at least another hour; an emergency
    /// path like Liquid's.
    fn default() -> Self {
        ChainOptions {
            functionaries: 5,
            threshold: 3,
            epoch_length: 1800,
            total_valid_epochs: 2,
            pegin_confirmation_depth: 10,
            spares: 0,
            emergency_delay: 4032,
            pak: false,
        }
    }
}

impl Default for Options {
    /// A sidechain block every 2 seconds, a Bitcoin block every 10.
    fn default() -> Self {
        Options {
            chain: ChainOptions::default(),
            block_interval: Duration::from_secs(2),
            mine_every: Some(Options::MINE_EVERY),
            bitcoind: None,
        }
    }
}

impl Options {
    /// Time between Bitcoin blocks: ten confirmations take less than two minutes.
    pub const MINE_EVERY: Duration = Duration::from_secs(10);
}

impl ChainOptions {
    /// The first setting that makes no chain, by name.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let checks = [
            ("functionaries", (1..=15).contains(&self.functionaries)),
            ("spares", self.functionaries.saturating_add(self.spares) <= 15),
            ("threshold", self.threshold <= self.functionaries && u16::from(self.threshold) * 2 > u16::from(self.functionaries)),
            // 4/5 of fewer than three blocks, rounded down, is no majority.
            ("epoch_length", self.epoch_length >= 3),
            ("total_valid_epochs", self.total_valid_epochs >= 1),
            ("pegin_confirmation_depth", self.pegin_confirmation_depth >= 1),
        ];
        checks.into_iter().find(|(_, ok)| !ok).map(|(name, _)| name)
    }
}
