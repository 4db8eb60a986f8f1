//! What crosses the wire, one file per subject.

mod assets;
mod audit;
mod coloured;
mod distribution;
mod drafts;
mod ledger;
mod money;
mod networks;
mod operations;
mod profile;
mod proofs;
mod redemption;
mod registry;
mod rollback;
mod staking;
mod swap;
mod updates;

pub use assets::*;
pub use audit::*;
pub use coloured::*;
pub use distribution::*;
pub use drafts::*;
pub use ledger::*;
pub use money::*;
pub use networks::*;
pub use operations::*;
pub use profile::*;
pub use proofs::*;
pub use redemption::*;
pub use registry::*;
pub use rollback::*;
pub use staking::*;
pub use swap::*;
pub use updates::*;

records! {
    /// Nothing: the request or answer has no content.
    pub struct Empty {}

    /// A piece of text the user pasted or loaded from a file. At most 1 MiB.
    pub struct TextIn {
        /// The text.
        pub text: String,
    }

    /// A text to be saved as a file; the host decides where.
    pub struct TextFile {
        /// Suggested file name.
        pub name: String,
        /// Content.
        pub text: String,
    }
}
