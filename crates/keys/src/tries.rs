//! Rate limit of password tries: a state machine without a clock.

use causeway_vocab::{Code, Refusal};
use serde::{Deserialize, Serialize};

/// Wrong tries that cost nothing.
pub const FREE_TRIES: u32 = 3;
/// The longest wait between two tries, seconds.
pub const LONGEST_WAIT: u64 = 3600;

/// How many wrong passwords came in a row and when the next is heard. Kept on disk beside the vault, so that a restart does not
/// forget it; it slows a person at the keyboard, the key stretching slows everybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tries {
    wrong: u32,
    last: u64,
}

impl Tries {
    /// Whether a password may be tried at `now` (Unix seconds). Refused with [`Code::TooManyTries`] and `wait_seconds`.
    ///
    /// A clock set back does not shorten the wait, which starts anew from the earlier time: write it to disk then.
    pub fn allow(&mut self, now: u64) -> Result<(), Refusal> {
        self.last = self.last.min(now);
        match self.wait(now) {
            0 => Ok(()),
            wait => Err(Refusal::new(Code::TooManyTries).with("wait_seconds", wait)),
        }
    }

    /// Seconds until the next try is heard.
    pub fn wait(&self, now: u64) -> u64 {
        let pause = match self.wrong.checked_sub(FREE_TRIES) {
            None => 0,
            Some(over) => 2u64.saturating_pow(over).min(LONGEST_WAIT),
        };
        // A clock before the last try knows nothing about elapsed time.
        pause.saturating_sub(now.saturating_sub(self.last))
    }

    /// Notes a wrong password at `now`. Write it to disk before the answer is shown.
    pub fn wrong(&mut self, now: u64) {
        self.wrong = self.wrong.saturating_add(1);
        self.last = now;
    }

    /// Forgets all after a right one.
    pub fn right(&mut self) {
        *self = Tries::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_tries_are_free_and_then_each_wait_doubles_up_to_an_hour() {
        let mut tries = Tries::default();
        let mut waits = Vec::new();
        for _ in 0..18 {
            tries.wrong(1_000);
            waits.push(tries.wait(1_000));
        }
        assert_eq!(waits[..6], [0, 0, 1, 2, 4, 8]);
        assert_eq!(waits[17], LONGEST_WAIT);
        assert_eq!(tries.allow(1_000 + LONGEST_WAIT), Ok(()));
        let refused = tries.allow(1_001).expect_err("too early");
        assert_eq!((refused.code, refused.args["wait_seconds"].as_str()), (Code::TooManyTries, "3599"));
    }

    #[test]
    fn a_clock_set_back_does_not_shorten_the_wait() {
        let mut tries = Tries::default();
        (0..5).for_each(|_| tries.wrong(1_000));
        assert_eq!(tries.wait(10), 4);
        // Nor does it last until the clock has caught up.
        assert!(tries.allow(10).is_err());
        assert_eq!((tries.wait(13), tries.wait(14)), (1, 0));
        assert_eq!(tries.allow(14), Ok(()));
    }

    #[test]
    fn a_right_password_forgets_the_wrong_ones() {
        let mut tries = Tries::default();
        (0..9).for_each(|_| tries.wrong(5));
        tries.right();
        assert_eq!(tries.wait(5), 0);
    }
}
