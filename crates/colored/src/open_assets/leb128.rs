//! Unsigned LEB128: seven bits per byte, least significant first, the top bit of a byte says that more follow.

use super::MarkerFault;
use crate::bytes::Bytes;

/// Largest quantity of the protocol, 2^63 - 1.
pub const MOST: u64 = (1 << 63) - 1;

/// Bytes of a number at most.
const LONGEST: u32 = 9;

/// Appends `value` in the shortest form. Nine bytes hold exactly the numbers up to [`MOST`].
pub fn write(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Reads one number from the front. Longer forms than needed are fine up to nine bytes.
pub(crate) fn read(bytes: &mut Bytes<'_>) -> Result<u64, MarkerFault> {
    let mut value = 0;
    for index in 0..LONGEST {
        let byte = bytes.byte().ok_or(MarkerFault::Truncated)?;
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(MarkerFault::OverlongQuantity)
}

/// Reads a byte string that is exactly one number.
pub fn read_exact(bytes: &[u8]) -> Result<u64, MarkerFault> {
    let mut bytes = Bytes(bytes);
    let value = read(&mut bytes)?;
    if bytes.is_empty() { Ok(value) } else { Err(MarkerFault::TrailingBytes) }
}
