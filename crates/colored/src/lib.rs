//! Coloured coins on Bitcoin: total readers, exact writers and the coin guard.
//!
//! A coin's colour follows from its whole ancestry, so "unknown" is never "uncoloured". Nothing here touches the world: ancestors come
//! in through [`ancestry::Source`], everything else as arguments.
//!
//! - [`open_assets`]: Open Assets 1.0: markers, order-based colouring, identifiers, definitions.
//! - [`colu`]: Colu's Coloured Coins: payments, SFFC amounts, locked and unlocked assets.
//! - [`epobc`]: satoshis as units, tagged by the first sequence number.
//! - [`counterparty`]: messages, how transactions carry them, and the check of what a server composed.
//! - [`ancestry`]: the walk from a coin to the issuances behind it.
//! - [`guard`]: which coins may be spent as bitcoin; whether an unsigned transaction does with assets exactly what was asked.
//! - [`dividend`], [`distribution`]: paying holders in proportion, and many recipients from a list.
//!
//! Every reader is total: malformed input is *not of this protocol*, with the reason at hand, and never a panic. `read(write(x)) == x`.

pub mod ancestry;
pub mod asset;
mod bytes;
pub mod colu;
pub mod counterparty;
pub mod distribution;
pub mod dividend;
pub mod epobc;
pub mod guard;
pub mod layout;
pub mod open_assets;
pub mod payload;
pub mod text;

pub use ancestry::{Ancestry, Doubt, Source, Verdict};
pub use asset::{Asset, Holding, Protocol};
pub use guard::Standing;
pub use layout::Layout;
