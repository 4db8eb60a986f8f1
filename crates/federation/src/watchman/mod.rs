//! One functionary's part in the peg: what deposits it accepts, and what it pays out.

mod input;
mod plan;
mod state;

pub use input::{Effect, Input, PegFault, PegPolicy, PeginClaim, PegoutRequest, WatchmanConfig};
pub use plan::{BatchPlan, BatchShare, BatchVeto, MAX_BATCH, fee_share, is_payment};
pub use state::{Batch, Coin, Pegout, WatchmanState};

use crate::functionary::FunctionaryKeys;

/// The machine. Deterministic: the same inputs give the same effects.
pub struct Watchman {}

impl Watchman {
    /// Starts with what was last persisted, or from nothing: then every block from genesis on must be connected, on both chains.
    ///
    /// Starting without the last persisted state can make a member pay twice.
    pub fn new(config: WatchmanConfig, keys: FunctionaryKeys, saved: Option<WatchmanState>) -> Watchman {
        let _ = (config, keys, saved);
        todo!()
    }

    /// Takes one input; gives what is to be done for it, in order.
    pub fn step(&mut self, input: Input) -> Vec<Effect> {
        let _ = input;
        todo!()
    }

    /// What it knows: tips (the runtime connects what follows them), coins, peg-outs, batches.
    pub fn state(&self) -> &WatchmanState {
        todo!()
    }
}
