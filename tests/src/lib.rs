//! Test support and fixture checks.
