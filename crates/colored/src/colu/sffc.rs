//! Amounts as mantissa and decimal exponent, in one to seven bytes.

use super::{MOST, MessageFault};
use crate::bytes::Bytes;

/// Lead bits, bytes, mantissa bits, exponent bits.
const ROWS: [(u8, usize, u32, u32); 6] =
    [(0x20, 2, 9, 4), (0x40, 3, 17, 4), (0x60, 4, 25, 4), (0x80, 5, 34, 3), (0xa0, 6, 42, 3), (0xc0, 7, 54, 0)];

/// Appends `amount` in the form that the official encoder gives it.
pub fn write(amount: u64, out: &mut Vec<u8>) -> Result<(), MessageFault> {
    if amount > MOST {
        return Err(MessageFault::AmountTooLarge);
    }
    if let Some(small) = u8::try_from(amount).ok().filter(|small| *small < 32) {
        out.push(small);
        return Ok(());
    }
    let (mut mantissa, mut exponent) = (amount, 0u32);
    while mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    loop {
        let bits = u64::BITS - mantissa.leading_zeros();
        let row = ROWS.iter().find(|(_, _, mantissa_bits, _)| bits <= *mantissa_bits);
        let (lead, length, _, exponent_bits) = *row.expect("BUG: 54 bits hold every amount");
        if exponent < 1 << exponent_bits {
            let bytes = ((mantissa << exponent_bits) | u64::from(exponent)).to_be_bytes();
            let start = out.len();
            out.extend_from_slice(&bytes[bytes.len() - length..]);
            out[start] |= lead;
            return Ok(());
        }
        mantissa *= 10;
        exponent -= 1;
    }
}

/// Reads an amount from the front, exactly, however large. Longer forms than needed are fine.
pub(crate) fn read(bytes: &mut Bytes<'_>) -> Option<u128> {
    let first = *bytes.0.first()?;
    if first < 0x20 {
        return bytes.byte().map(u128::from);
    }
    let index = usize::from(first >> 5).min(ROWS.len()) - 1;
    let (lead, length, _, exponent_bits) = ROWS[index];
    let mut value = [0; 8];
    value[8 - length..].copy_from_slice(bytes.take(length)?);
    // The longest form has a lead of two bits only.
    value[8 - length] &= if lead == 0xc0 { 0x3f } else { 0x1f };
    let value = u64::from_be_bytes(value);
    let exponent = u32::try_from(value & ((1 << exponent_bits) - 1)).ok()?;
    Some(u128::from(value >> exponent_bits) * 10u128.pow(exponent))
}

/// Reads a byte string that is exactly one amount.
pub fn read_exact(bytes: &[u8]) -> Result<u128, MessageFault> {
    let mut bytes = Bytes(bytes);
    let amount = read(&mut bytes).ok_or(MessageFault::Truncated)?;
    if bytes.is_empty() { Ok(amount) } else { Err(MessageFault::Tag) }
}

/// Reads an amount within the bound of the protocol.
pub(super) fn read_amount(bytes: &mut Bytes<'_>) -> Result<u64, MessageFault> {
    let amount = read(bytes).ok_or(MessageFault::Truncated)?;
    u64::try_from(amount).ok().filter(|amount| *amount <= MOST).ok_or(MessageFault::AmountTooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_amount_reads_back_as_it_was_written(mantissa in 0..=MOST, exponent in 0u32..16) {
            let amount = (mantissa / 10u64.pow(exponent)) * 10u64.pow(exponent);
            let mut out = Vec::new();
            write(amount, &mut out).expect("within bounds");
            prop_assert_eq!(read_exact(&out), Ok(u128::from(amount)));
            for cut in 0..out.len() {
                prop_assert!(read_exact(&out[..cut]).is_err());
            }
        }

        #[test]
        fn reading_is_total(bytes in prop::collection::vec(any::<u8>(), 0..9)) {
            if let Ok(amount) = read_exact(&bytes) && let Ok(amount) = u64::try_from(amount) && amount <= MOST {
                let mut out = Vec::new();
                write(amount, &mut out).expect("within bounds");
                prop_assert!(out.len() <= bytes.len());
            }
        }
    }
}
