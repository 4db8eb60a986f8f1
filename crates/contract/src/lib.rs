//! The contract: every question a face may ask and every answer it may hear.
//!
//! One list, [`with_commands!`], names each command with its request, its answer, the windows that may call it and the tags it reads or
//! makes stale. The hosts derive their handlers, their access-control lists and the TypeScript bindings from it, so they cannot drift apart.

#[macro_use]
mod record;

pub mod commands;
pub mod dto;
pub mod hosts;
pub mod notice;
pub mod typescript;

pub use causeway_vocab::{Atoms, Capability, Code, Known, NetworkId, Refusal};
pub use commands::{COMMANDS, CommandInfo, Window};
pub use dto::*;
pub use notice::{Notice, Progress, Tag};

/// What a failed command answers with: a refusal the user can act on. Words for each code live in the faces.
pub type Failure = Refusal;
