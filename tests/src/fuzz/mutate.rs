//! Mutations of bytes, drawn from a seed.

use super::MOST_BYTES;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Numbers at which lengths and counts go wrong.
const EDGES: [u64; 12] = [0, 1, 2, 0x7f, 0x80, 0xfc, 0xfd, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX];
/// Inputs that did not come from a mutation are kept to be mutated again, so that changes add up.
const KEPT: usize = 64;

/// Makes inputs.
pub(super) struct Mutator {
    rng: StdRng,
    pool: Vec<Vec<u8>>,
    seeds: usize,
}

impl Mutator {
    pub(super) fn new(seeds: &[Vec<u8>], seed: u64, name: &str) -> Mutator {
        // Targets with the same seeds get different inputs.
        let salt = name.bytes().fold(0u64, |salt, byte| salt.wrapping_mul(31).wrapping_add(byte.into()));
        let pool = if seeds.is_empty() { vec![Vec::new()] } else { seeds.to_vec() };
        Mutator { rng: StdRng::seed_from_u64(seed ^ salt), seeds: pool.len(), pool }
    }

    pub(super) fn next(&mut self) -> Vec<u8> {
        let pick = self.rng.gen_range(0..self.pool.len());
        let mut input = self.pool[pick].clone();
        for _ in 0..self.rng.gen_range(1..=4) {
            self.change(&mut input);
        }
        input.truncate(MOST_BYTES);
        if self.rng.gen_ratio(1, 16) {
            if self.pool.len() < self.seeds + KEPT {
                self.pool.push(input.clone());
            } else {
                let slot = self.seeds + self.rng.gen_range(0..KEPT);
                self.pool[slot].clone_from(&input);
            }
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let rng = &mut self.rng;
        if input.is_empty() {
            input.extend((0..rng.gen_range(1..64)).map(|_| rng.r#gen::<u8>()));
            return;
        }
        let at = rng.gen_range(0..input.len());
        let end = (at + 1 + rng.gen_range(0..32)).min(input.len());
        match rng.gen_range(0..11) {
            0 => input[at] ^= 1 << rng.gen_range(0..8),
            1 => input[at] = rng.r#gen(),
            2 => input[at] = input[at].wrapping_add(if rng.r#gen() { 1 } else { 255 }),
            3 => {
                // A length or an amount at an edge, in either byte order.
                let edge = EDGES[rng.gen_range(0..EDGES.len())];
                let bytes = if rng.r#gen() { edge.to_le_bytes() } else { edge.to_be_bytes() };
                let width = [1, 2, 4, 8][rng.gen_range(0..4)].min(input.len() - at);
                input[at..at + width].copy_from_slice(&bytes[..width]);
            }
            4 => drop(input.drain(at..end)),
            5 => {
                let part = input[at..end].to_vec();
                let times = rng.gen_range(1..8);
                let more: Vec<u8> = std::iter::repeat_n(part, times).flatten().collect();
                input.splice(at..at, more);
            }
            6 => input.truncate(at),
            7 => {
                let more: Vec<u8> = (0..rng.gen_range(1..16)).map(|_| rng.r#gen::<u8>()).collect();
                input.splice(at..at, more);
            }
            8 => {
                // A part of another input.
                let other = &self.pool[rng.gen_range(0..self.pool.len())];
                if !other.is_empty() {
                    let from = rng.gen_range(0..other.len());
                    let to = (from + rng.gen_range(1..256)).min(other.len());
                    input.splice(at..end, other[from..to].to_vec());
                }
            }
            9 => input[at..end].reverse(),
            _ => {
                // A digit or a sign where text has its edges.
                input[at] = b"0123456789-+.eE\"{}[],:\\ \n\0"[rng.gen_range(0..26)];
            }
        }
    }
}
