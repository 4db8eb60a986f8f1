//! Asset names and numbers, and long names of subassets.

use super::MessageFault;
use serde::{Deserialize, Serialize};

/// Numeric assets start above the last twelve-letter name.
const FIRST_NUMERIC: u64 = 26u64.pow(12) + 1;
/// Names have at least four letters.
const FIRST_NAMED: u64 = 26u64.pow(3);
/// Characters of a subasset's name, in the order of their digits, which start at 1.
const DIGITS: &[u8; 67] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@!";
const LONGEST: usize = 250;

/// The number of an asset in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AssetId(u64);

impl AssetId {
    /// Bitcoin, in orders.
    pub const BTC: AssetId = AssetId(0);
    /// The ledger's own asset.
    pub const XCP: AssetId = AssetId(1);

    /// The asset of that number, if there can be one.
    pub fn new(number: u64) -> Result<AssetId, MessageFault> {
        let named = (FIRST_NAMED..FIRST_NUMERIC - 1).contains(&number);
        // Names do not start with A, whose digit is zero: a number below 26^3 would be shorter than four letters.
        if number <= 1 || named || number >= FIRST_NUMERIC { Ok(AssetId(number)) } else { Err(MessageFault::Asset) }
    }

    /// The number.
    pub fn number(&self) -> u64 {
        self.0
    }

    /// It has no name but its number, as every subasset.
    pub fn is_numeric(&self) -> bool {
        self.0 >= FIRST_NUMERIC
    }

    /// Reads a name: `BTC`, `XCP`, four to twelve capital letters not starting with A, or `A` and a number.
    pub fn parse(name: &str) -> Result<AssetId, MessageFault> {
        match name {
            "BTC" => return Ok(AssetId::BTC),
            "XCP" => return Ok(AssetId::XCP),
            _ => {}
        }
        if let Some(digits) = name.strip_prefix('A') {
            let canonical = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = digits.parse().ok().filter(|number| canonical && *number >= FIRST_NUMERIC);
            return number.map(AssetId).ok_or(MessageFault::Asset);
        }
        if !(4..=12).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(MessageFault::Asset);
        }
        Ok(AssetId(name.bytes().fold(0, |number, letter| number * 26 + u64::from(letter - b'A'))))
    }
}

impl std::fmt::Display for AssetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => f.write_str("BTC"),
            1 => f.write_str("XCP"),
            numeric if numeric >= FIRST_NUMERIC => write!(f, "A{numeric}"),
            mut number => {
                let mut letters = Vec::with_capacity(12);
                while number > 0 {
                    letters.push(char::from(b'A' + (number % 26).to_le_bytes()[0]));
                    number /= 26;
                }
                letters.iter().rev().try_for_each(|letter| write!(f, "{letter}"))
            }
        }
    }
}

/// Checks the long name of a subasset, `PARENT.child`.
pub fn check_longname(name: &str) -> Result<(), MessageFault> {
    let (parent, child) = name.split_once('.').ok_or(MessageFault::Asset)?;
    let parent = AssetId::parse(parent)?;
    let dots = child.starts_with('.') || child.ends_with('.') || child.contains("..");
    let known = child.bytes().all(|byte| DIGITS.contains(&byte));
    if parent.number() <= 1 || child.is_empty() || dots || !known || name.len() > LONGEST {
        return Err(MessageFault::Asset);
    }
    Ok(())
}

/// A long name as a big-endian number of base 68, without leading zeros. No rule beyond the characters is checked.
pub fn compact(name: &str) -> Result<Vec<u8>, MessageFault> {
    if name.is_empty() || name.len() > LONGEST {
        return Err(MessageFault::TooLong);
    }
    let mut bytes: Vec<u8> = Vec::new();
    for character in name.bytes() {
        let digit = DIGITS.iter().position(|known| *known == character).ok_or(MessageFault::Asset)?;
        let mut carry = digit + 1;
        for byte in bytes.iter_mut().rev() {
            carry += usize::from(*byte) * 68;
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        if carry > 0 {
            bytes.insert(0, carry.to_le_bytes()[0]);
        }
    }
    Ok(bytes)
}

/// The long name in its compact form; refuses forms that [`compact`] does not make.
pub fn expand(bytes: &[u8]) -> Result<String, MessageFault> {
    if bytes.is_empty() || bytes[0] == 0 || bytes.len() > LONGEST {
        return Err(MessageFault::Malformed);
    }
    let mut number = bytes.to_vec();
    let mut characters = Vec::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut remainder = 0usize;
        for byte in &mut number {
            remainder = remainder << 8 | usize::from(*byte);
            *byte = (remainder / 68).to_le_bytes()[0];
            remainder %= 68;
        }
        let digit = remainder.checked_sub(1).ok_or(MessageFault::Malformed)?;
        characters.push(char::from(DIGITS[digit]));
    }
    if characters.len() > LONGEST { Err(MessageFault::TooLong) } else { Ok(characters.iter().rev().collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_reads_back_as_it_was_written(number in prop_oneof![any::<u64>(), 0..FIRST_NUMERIC + 5, 0u64..20_000]) {
            if let Ok(asset) = AssetId::new(number) {
                prop_assert_eq!(AssetId::parse(&asset.to_string()), Ok(asset));
            }
        }

        #[test]
        fn a_long_name_expands_to_what_was_compacted(name in "[a-zA-Z0-9.@!_-]{1,250}") {
            prop_assert_eq!(expand(&compact(&name).expect("known characters")), Ok(name));
        }

        #[test]
        fn expanding_is_total(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(name) = expand(&bytes) {
                prop_assert_eq!(compact(&name), Ok(bytes));
            }
        }
    }
}
