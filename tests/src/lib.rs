//! Test support and fixture checks.

pub mod vectors;
