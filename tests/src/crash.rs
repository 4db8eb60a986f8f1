//! Operations that are killed half-way, and the account that must come out right afterwards.
//!
//! A child process drives [`Work`] on a profile and dies at a [`Point`]; whoever opens the profile next lets it [`settle`], reads the
//! [`Account`] again and [`compare`]s it with what the child had promised: its [`Word`]s.

mod account;
mod point;
mod work;

pub use account::{Account, Over, compare, look, settle};
pub use point::{Count, Counter, Point, Side, arm};
pub use work::{Word, Work, drive, finish, ready};

/// What went wrong, for people.
pub type Done<T> = Result<T, String>;

fn said(failure: causeway_contract::Failure) -> String {
    format!("refused: {failure}")
}
