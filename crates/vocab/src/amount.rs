//! Amounts: whole numbers of an asset's smallest unit.

use serde::{Deserialize, Serialize};

/// A count of an asset's smallest unit: satoshi for BTC and L-BTC, 10^-precision for issued assets.
///
/// On the wire a decimal string, because JavaScript numbers end at 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Atoms(pub u64);

impl Atoms {
    /// No units at all.
    pub const ZERO: Atoms = Atoms(0);

    /// Sum, or `None` past 2^64 - 1.
    pub fn checked_add(self, other: Atoms) -> Option<Atoms> {
        self.0.checked_add(other.0).map(Atoms)
    }

    /// Difference, or `None` below zero.
    pub fn checked_sub(self, other: Atoms) -> Option<Atoms> {
        self.0.checked_sub(other.0).map(Atoms)
    }

    /// Parses a decimal figure such as `0.125` with at most `precision` digits after the point.
    ///
    /// Only ASCII digits and one point; no sign, no exponent, no grouping. `None` when malformed, finer than the
    /// precision, or past 2^64 - 1.
    pub fn from_decimal(text: &str, precision: u8) -> Option<Atoms> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() && part.is_empty() || part.len() > usize::from(precision) {
            return None;
        }
        if !whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits = format!("{whole}{part:0<width$}", width = usize::from(precision));
        digits.parse().ok().map(Atoms)
    }

    /// Writes the figure with exactly `precision` digits after the point and no grouping.
    pub fn to_decimal(self, precision: u8) -> String {
        let width = usize::from(precision);
        let digits = format!("{:0>width$}", self.0, width = width + 1);
        match digits.split_at(digits.len() - width) {
            (whole, "") => whole.to_owned(),
            (whole, part) => format!("{whole}.{part}"),
        }
    }
}

impl std::fmt::Display for Atoms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Atoms {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Atoms {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl serde::de::Visitor<'_> for Digits {
            type Value = Atoms;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a decimal string of atoms")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Atoms, E> {
                Atoms::from_decimal(text, 0).ok_or_else(|| E::custom("not a count of atoms"))
            }
            fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Atoms, E> {
                Ok(Atoms(n))
            }
        }
        deserializer.deserialize_any(Digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_reads_back_as_it_was_written() {
        for (text, precision, atoms) in
            [("0.12500000", 8, 12_500_000), ("1", 0, 1), ("21000000.00000000", 8, 2_100_000_000_000_000)]
        {
            let read = Atoms::from_decimal(text, precision);
            assert_eq!(read, Some(Atoms(atoms)));
            assert_eq!(Atoms(atoms).to_decimal(precision), text);
        }
    }

    #[test]
    fn a_figure_that_is_not_one_is_refused() {
        for (text, precision) in [
            ("", 8),
            (".", 8),
            ("1e3", 8),
            ("-1", 8),
            ("+1", 8),
            ("0.123456789", 8),
            ("1.0", 0),
            ("1,0", 8),
            ("18446744073709551616", 0),
            ("1.2.3", 8),
            ("٣", 0),
        ] {
            assert_eq!(Atoms::from_decimal(text, precision), None, "{text:?}");
        }
    }
}
