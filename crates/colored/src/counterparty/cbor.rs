//! The little of CBOR (RFC 8949) that messages use: definite lengths and shortest heads only.

use super::MessageFault;
use crate::bytes::Bytes;

/// A data item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Whole(u64),
    /// -1 - n.
    Negative(u64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Item>),
    Bool(bool),
    Null,
    /// The bits of a number of 64-bit floating point.
    Double(u64),
}

const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const NULL: u8 = 0xf6;
const DOUBLE: u8 = 0xfb;

impl Item {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Item::Whole(value) => head(0, *value, out),
            Item::Negative(value) => head(1, *value, out),
            Item::Bytes(bytes) => {
                head(2, bytes.len() as u64, out);
                out.extend_from_slice(bytes);
            }
            Item::Text(text) => {
                head(3, text.len() as u64, out);
                out.extend_from_slice(text.as_bytes());
            }
            Item::Array(items) => {
                head(4, items.len() as u64, out);
                items.iter().for_each(|item| item.write(out));
            }
            Item::Bool(value) => out.push(if *value { TRUE } else { FALSE }),
            Item::Null => out.push(NULL),
            Item::Double(bits) => {
                out.push(DOUBLE);
                out.extend_from_slice(&bits.to_be_bytes());
            }
        }
    }

    /// Reads a byte string that is exactly one array of items that are no arrays.
    pub(super) fn read_list(bytes: &[u8]) -> Result<Vec<Item>, MessageFault> {
        let mut bytes = Bytes(bytes);
        let (4, count) = read_head(&mut bytes)? else { return Err(MessageFault::Malformed) };
        // Each item takes a byte at least.
        let count = usize::try_from(count).ok().filter(|count| *count <= bytes.0.len()).ok_or(MessageFault::Truncated)?;
        let items = (0..count).map(|_| Item::read(&mut bytes)).collect::<Result<_, _>>()?;
        if bytes.is_empty() { Ok(items) } else { Err(MessageFault::TrailingBytes) }
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Item, MessageFault> {
        match bytes.0.first() {
            Some(&(FALSE | TRUE | NULL | DOUBLE)) => {}
            _ => {
                let (major, value) = read_head(bytes)?;
                let mut content = || {
                    let length = usize::try_from(value).map_err(|_| MessageFault::Truncated)?;
                    bytes.take(length).map(<[u8]>::to_vec).ok_or(MessageFault::Truncated)
                };
                return match major {
                    0 => Ok(Item::Whole(value)),
                    1 => Ok(Item::Negative(value)),
                    2 => content().map(Item::Bytes),
                    3 => String::from_utf8(content()?).map(Item::Text).map_err(|_| MessageFault::Malformed),
                    _ => Err(MessageFault::Malformed),
                };
            }
        }
        match bytes.byte() {
            Some(FALSE) => Ok(Item::Bool(false)),
            Some(TRUE) => Ok(Item::Bool(true)),
            Some(NULL) => Ok(Item::Null),
            _ => bytes.u64().map(Item::Double).ok_or(MessageFault::Truncated),
        }
    }
}

/// Major type and argument; longer heads than needed are refused, as the writers of these messages make none.
fn read_head(bytes: &mut Bytes<'_>) -> Result<(u8, u64), MessageFault> {
    let first = bytes.byte().ok_or(MessageFault::Truncated)?;
    let (value, least) = match first & 0x1f {
        small @ 0..24 => return Ok((first >> 5, u64::from(small))),
        24 => (bytes.byte().map(u64::from), 24),
        25 => (bytes.u16().map(u64::from), 1 << 8),
        26 => (bytes.array().map(|array| u64::from(u32::from_be_bytes(array))), 1 << 16),
        27 => (bytes.u64(), 1 << 32),
        _ => return Err(MessageFault::Malformed),
    };
    let value = value.ok_or(MessageFault::Truncated)?;
    if value < least { Err(MessageFault::Malformed) } else { Ok((first >> 5, value)) }
}

fn head(major: u8, value: u64, out: &mut Vec<u8>) {
    let lead = major << 5;
    match (u8::try_from(value), u16::try_from(value), u32::try_from(value)) {
        (Ok(small), ..) if small < 24 => out.push(lead | small),
        (Ok(value), ..) => out.extend([lead | 24, value]),
        (_, Ok(value), _) => {
            out.push(lead | 25);
            out.extend_from_slice(&value.to_be_bytes());
        }
        (_, _, Ok(value)) => {
            out.push(lead | 26);
            out.extend_from_slice(&value.to_be_bytes());
        }
        _ => {
            out.push(lead | 27);
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}
