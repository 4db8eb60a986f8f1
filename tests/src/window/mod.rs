//! Driving the real window: a display, a WebDriver bridge, and pages found by their test ids.

mod coloured;
mod desk;
pub(crate) mod display;
mod job;
mod keyboard;
mod look;
mod native;
mod page;
pub(crate) mod scroll;
mod tour;

pub use job::{Shots, Tour, run};
