//! Intent to plan: which coins, which change, what fee; and plan to draft: blinding.

mod blind;
mod intent;
mod plan;

pub use blind::{Proof, ProofJob};
pub use intent::{Action, Drain, Intent, PegInClaim, Recipient};
pub use plan::{Change, Plan, PlannedInput, PlannedIssuance, PlannedOutput, Purpose};

use super::state::SidechainWallet;
use causeway_vocab::Refusal;
use rand::{CryptoRng, RngCore};

/// Least fee rate that peers relay, satoshi per 1000 virtual bytes (policy.h of Elements).
pub const MIN_FEE_RATE: u64 = 100;
/// Fee rates above are a slip of the finger: 1000 sat/vB, where a transaction of average size costs a quarter of a million satoshi.
pub const MAX_FEE_RATE: u64 = 1_000_000;
/// The federation pays out nothing smaller (functionary and `sendtomainchain` of Elements), satoshi.
pub const MIN_PEG_OUT: u64 = 100_000;
/// Most inputs of one transaction: a surjection proof can point at no more than 256, issuances included.
pub const MAX_INPUTS: usize = 250;
/// Most outputs of one transaction; each blinded one weighs over four kilobytes, and relay ends at 400,000 weight units.
pub const MAX_OUTPUTS: usize = 80;
/// Largest transaction that peers relay, weight units (policy.h of Elements).
pub const MAX_WEIGHT: usize = 400_000;

pub(super) fn plan(wallet: &SidechainWallet, intent: &Intent, rng: &mut (impl RngCore + CryptoRng)) -> Result<Plan, Refusal> {
    let _ = (wallet, intent, rng);
    todo!()
}
