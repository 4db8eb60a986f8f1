//! One functionary's part in making blocks.

mod input;
mod state;

pub use input::{BlocksignerConfig, Effect, Input, Millis, Timing, Verdict};
pub use state::{Lock, SigningState};

use crate::functionary::FunctionaryKeys;
use causeway_vocab::Tip;
use elements::BlockHash;
use elements::dynafed::FullParams;

/// The machine. Deterministic: the same inputs give the same effects.
pub struct Blocksigner {}

impl Blocksigner {
    /// Starts at `tip`, with the full parameters in force above it and what was last persisted, if anything ever was.
    ///
    /// Starting without the last persisted state can make a member sign twice: see [`SigningState`].
    pub fn new(
        config: BlocksignerConfig,
        keys: FunctionaryKeys,
        tip: Tip<BlockHash>,
        params: FullParams,
        saved: Option<SigningState>,
        now: Millis,
    ) -> Blocksigner {
        let _ = (config, keys, tip, params, saved, now);
        todo!()
    }

    /// Takes one input; gives what is to be done for it, in order.
    pub fn step(&mut self, input: Input) -> Vec<Effect> {
        let _ = input;
        todo!()
    }

    /// When the next [`Input::Tick`] matters, at the latest.
    pub fn wake_at(&self) -> Millis {
        todo!()
    }
}
