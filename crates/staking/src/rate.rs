//! Decimal fractions as the control plane writes them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const DIGITS: usize = 18;
const ONE: u64 = 1_000_000_000_000_000_000;

/// A share between 0 and 1 inclusive, exact to 18 decimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(u64);

/// The text is no decimal fraction between 0 and 1 with at most 18 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no decimal share between 0 and 1")]
pub struct BadRate;

impl Rate {
    /// The share of an amount, rounded to the nearest unit, halves up.
    ///
    /// The control plane computes the same in binary floating point and asks for at least that much; where an exact half falls
    /// below it there, this is one unit more and is accepted too.
    pub fn of(self, amount: u64) -> u64 {
        let exact = u128::from(amount) * u128::from(self.0) + u128::from(ONE / 2);
        u64::try_from(exact / u128::from(ONE)).expect("BUG: a share is no larger than the whole")
    }
}

impl FromStr for Rate {
    type Err = BadRate;

    fn from_str(text: &str) -> Result<Rate, BadRate> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || part.len() > DIGITS || !digits(whole) || !digits(part) {
            return Err(BadRate);
        }
        let units: u64 = format!("{whole}{part:0<DIGITS$}").parse().map_err(|_| BadRate)?;
        if units > ONE { Err(BadRate) } else { Ok(Rate(units)) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:0>DIGITS$}", self.0 / ONE, self.0 % ONE)
    }
}

impl TryFrom<String> for Rate {
    type Error = BadRate;

    fn try_from(text: String) -> Result<Rate, BadRate> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> String {
        rate.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_to_the_nearest_unit_with_halves_up() {
        let share = |rate: &str, amount| rate.parse::<Rate>().expect("a rate").of(amount);
        assert_eq!(share("0.001", 490_400), 490);
        assert_eq!(share("0.001", 500_499), 500);
        assert_eq!(share("0.001", 500_500), 501);
        assert_eq!(share("1", u64::MAX), u64::MAX);
        assert_eq!(share("0.000000000000000000", u64::MAX), 0);
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for text in
            ["", ".5", "1.000000000000000001", "2", "-0.1", "0.1e1", "0.0000000000000000001", "0,5", "99999999999999999999"]
        {
            assert_eq!(text.parse::<Rate>(), Err(BadRate), "{text}");
        }
    }

    #[test]
    fn a_rate_reads_back_what_it_writes() {
        for text in ["0.001000000000000000", "1.000000000000000000", "0.000000000000000001"] {
            assert_eq!(text.parse::<Rate>().expect("a rate").to_string(), text);
        }
    }
}
