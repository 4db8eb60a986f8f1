//! Test support and fixture checks.

pub mod bench;
pub mod main_job;
pub mod vectors;
pub mod window;
pub mod world;
