//! Blinding: from a plan to a draft that the keys can check.

use super::plan::Plan;
use causeway_vocab::SidechainDraft;
use rand::{CryptoRng, RngCore};

/// The proofs of one blinded amount, yet to be made: three milliseconds of work that needs nothing else. `Send`.
pub struct ProofJob {
    output: usize,
}

/// Proofs that a [`ProofJob`] made.
pub struct Proof {
    output: usize,
}

impl ProofJob {
    /// Makes the proofs.
    pub fn run(self) -> Proof {
        Proof { output: self.output }
    }
}

impl Plan {
    /// Chooses blinding factors, has the proofs made and assembles the draft.
    ///
    /// `run` runs the jobs, all of them, in any order and on any thread: `|jobs| jobs.into_iter().map(ProofJob::run).collect()`.
    pub fn blind(&self, rng: &mut (impl RngCore + CryptoRng), run: impl FnOnce(Vec<ProofJob>) -> Vec<Proof>) -> SidechainDraft {
        let _ = (rng, run, |proof: Proof| proof.output);
        todo!()
    }
}
