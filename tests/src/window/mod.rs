//! Driving the real window: a display, a WebDriver bridge, and pages found by their test ids.

pub(crate) mod display;
mod job;
mod page;

pub use job::{Shots, run};
