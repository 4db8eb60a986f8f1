//! Open Assets 1.0: a marker output gives the quantities, the order of inputs and outputs the rest.
//!
//! Source: the Open Assets Protocol specification (OAP/1.0), its address format and asset definition documents.

pub mod address;
pub mod asset_id;
pub mod coloring;
pub mod definition;
pub mod leb128;
pub mod marker;
pub mod plan;

pub use asset_id::AssetId;
pub use coloring::{Colour, color};
pub use definition::{Definition, Pointer};
pub use marker::{Marker, MarkerFault};
pub use plan::{Coin, Delivery};

pub(crate) use coloring::Rule;
