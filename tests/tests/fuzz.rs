//! A short run of every fuzz target, the same inputs every time. `cargo xtask fuzz` runs them for long and on fresh inputs.

use causeway_tests::fuzz::{TARGETS, Until, run};
use std::sync::Mutex;

/// The seed of the short run. A crash prints it; `cargo xtask fuzz --seed` takes it.
const SEED: u64 = 20_261_121;
/// Inputs per target: a few seconds in all.
const INPUTS: u64 = 1_500;

#[test]
fn no_parser_panics_on_damaged_bytes() {
    let queue = Mutex::new(TARGETS.iter());
    let next = || queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
    let crashes = Mutex::new(Vec::new());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(target) = next() {
                    if let Err(crash) = run(target, SEED, Until::Inputs(INPUTS)) {
                        crashes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((target.name, crash.number));
                    }
                }
            });
        }
    });
    let crashes = crashes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    assert!(crashes.is_empty(), "with seed {SEED} these targets crashed at these inputs: {crashes:?}");
}
