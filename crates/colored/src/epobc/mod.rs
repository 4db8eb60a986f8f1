//! EPOBC: satoshis themselves are the units, less a padding; the sequence number of the first input says so.
//!
//! Source: the EPOBC description of ngcccbase and the behaviour of its two implementations (ngcccbase, coloredcoinjs-lib).

pub mod kernel;
pub mod plan;
pub mod tag;

pub use kernel::{Colour, ColourId, Input, color};
pub use plan::{Coin, Delivery};
pub use tag::Tag;

pub(crate) use kernel::Rule;
