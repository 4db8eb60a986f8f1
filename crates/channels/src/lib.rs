//! Payment channels and swaps as pure state machines: chain facts and messages come in; messages, signatures and transactions go out.
//!
//! - [`lab`]: the forms from which channels grew, to step through and to cheat in.
//! - [`payment_text`]: what a pasted request to pay is: invoice, offer, LNURL, name, or a URI with several ways.
//! - [`route`]: what a payment over several channels costs, and when its locks expire.
//! - [`streaming`]: a one-way channel that pays per unit, with a refund that needs nobody.
//! - [`swap`]: Bitcoin against the sidechain's pegged asset, peer to peer, by hash and time locks.
//!
//! Nothing here opens a socket or a file or asks for the time. Three rules hold for every machine:
//!
//! 1. A step is a [`Step`]: its effects can be had only by saying that the new state [is on disk](Step::saved).
//! 2. States are data (serde) and hold no secret key: whoever drives a machine signs when an effect says so, with a key given as an
//!    argument (the lab alone makes its own: its coins are worthless). Signatures are deterministic, so a step that is repeated after a crash says the same bytes.
//! 3. What the user asks is refused with a [`causeway_vocab::Refusal`]; what a stranger sends is refused with a typed fault and
//!    changes nothing.

pub mod lab;
pub mod payment_text;
pub mod route;
mod step;
pub mod streaming;
pub mod swap;
mod taproot;
pub mod wire;

#[cfg(test)]
mod judge;

pub use step::Step;
