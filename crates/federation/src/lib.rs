//! The functionaries of a strong federation as state machines: what they sign, when, and never twice.
//!
//! Nothing here touches the world: messages, time and verdicts come in as inputs, what is to be done goes out as effects. A state that must
//! survive a crash goes out as a `Persist` effect, and whatever depends on it only after the runtime has said that it is on disk.
//!
//! - [`functionary`]: the set, its thresholds and scripts; the keys of one member.
//! - [`message`]: what functionaries say to each other, signed and bounded.
//! - [`blocksigner`]: propose, vote, precommit, sign: one block per height.
//! - [`watchman`]: the peg: audits claims, pays peg-outs in batches.
//! - [`dynafed`]: votes on the federation's own parameters.
//! - [`emergency`]: the way out when the functionaries are gone.
//! - [`release`]: software signed by those who answer for it.

pub mod blocksigner;
pub mod dynafed;
pub mod emergency;
pub mod evidence;
pub mod functionary;
pub mod message;
mod message_codec;
pub mod release;
pub mod tweak;
pub mod watchman;
mod wire;

pub use blocksigner::Blocksigner;
pub use evidence::{DoubleSign, Evidence};
pub use functionary::{Emergency, Federation, FunctionaryKeys, Member, MemberId};
pub use message::{Body, Envelope};
pub use message_codec::MAX_DOUBLE_SIGN;
pub use watchman::Watchman;
pub use wire::WireFault;
