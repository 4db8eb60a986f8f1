//! Fuzzing: every parser that sees bytes from outside, on seeds that are taken apart and put together again at random.
//!
//! A target is a plain function that must not panic. [`run`] drives it on stable Rust, without coverage feedback: its strength are the seeds in
//! `fuzz/seeds`, which are real. The same functions suit a coverage-guided fuzzer: each takes a byte slice and returns nothing.

mod mutate;
mod targets;

pub use targets::{TARGETS, Target};

use mutate::Mutator;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Inputs larger than these are not made.
pub const MOST_BYTES: usize = 64 * 1024;

/// When a run ends.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After so many inputs: the same in every run with the same seed.
    Inputs(u64),
    /// After this time.
    Elapsed(Duration),
}

/// An input that a target cannot bear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// The input.
    pub input: Vec<u8>,
    /// Which it was, counted from 0; the seeds come first.
    pub number: u64,
}

/// Where the seeds of a target are.
pub fn seeds_of(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target.name)
}

/// The seeds of a target, by file name.
pub fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(seeds_of(target)).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files.iter().filter_map(|file| std::fs::read(file).ok()).collect()
}

/// Feeds a target its seeds and then mutations of them, drawn from `seed`. Gives the number of inputs, or the one that made it panic.
pub fn run(target: &Target, seed: u64, until: Until) -> Result<u64, Crash> {
    let seeds = seeds(target);
    let mut mutator = Mutator::new(&seeds, seed, target.name);
    let start = Instant::now();
    let mut number = 0;
    loop {
        let input = match usize::try_from(number).ok().and_then(|n| seeds.get(n)) {
            Some(seed) => seed.clone(),
            None => mutator.next(),
        };
        if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
            return Err(Crash { input, number });
        }
        number += 1;
        let done = match until {
            Until::Inputs(most) => number >= most.max(seeds.len() as u64),
            Until::Elapsed(most) => number >= seeds.len() as u64 && start.elapsed() >= most,
        };
        if done {
            return Ok(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A target that can fail, to show that failing is noticed.
    const FRAGILE: Target =
        Target { name: "header", run: |bytes| assert!(!bytes.windows(2).any(|pair| pair == [0xff, 0xff]) || bytes.len() < 200) };

    #[test]
    fn a_target_that_can_panic_is_found_out_and_again_with_the_same_seed() {
        let first = run(&FRAGILE, 7, Until::Inputs(20_000)).expect_err("it can fail");
        assert_eq!(run(&FRAGILE, 7, Until::Inputs(20_000)), Err(first.clone()));
        assert!(catch_unwind(|| (FRAGILE.run)(&first.input)).is_err());
    }

    #[test]
    fn every_target_has_seeds_and_a_name_of_its_own() {
        let mut names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        names.sort_unstable();
        names.dedup();
        assert!(names.len() >= 24 && names.len() == TARGETS.len(), "{} targets", names.len());
        for target in TARGETS {
            let seeds = seeds(target);
            assert!(!seeds.is_empty(), "{} has no seeds", target.name);
            assert!(seeds.iter().all(|seed| seed.len() <= MOST_BYTES), "{} has a large seed", target.name);
        }
    }
}
