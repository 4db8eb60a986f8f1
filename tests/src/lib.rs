//! Test support and fixture checks.

pub mod bench;
#[cfg(feature = "crash")]
pub mod crash;
pub mod fuzz;
pub mod main_job;
pub mod vectors;
pub mod window;
pub mod world;
