//! Several sends in one message, packed bit by bit.

use super::{AssetId, Destination, MOST, MessageFault};
use crate::bytes::Bytes;
use bitcoin::NetworkKind;

/// A memo; text and hex differ by a bit only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memo {
    /// Entered as hex.
    pub is_hex: bool,
    /// At most 63 bytes.
    pub bytes: Vec<u8>,
}

/// One send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Index among the destinations.
    pub to: usize,
    /// At most [`MOST`].
    pub quantity: u64,
    /// For this send.
    pub memo: Option<Memo>,
}

/// Multi-peer multi-asset send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mpma {
    /// Who gets something, with the network that the address form names. Sorted when built by [`Mpma::new`].
    pub destinations: Vec<(Destination, NetworkKind)>,
    /// For every send.
    pub memo: Option<Memo>,
    /// What each asset's holders-to-be get; no list is empty.
    pub lists: Vec<(AssetId, Vec<Share>)>,
}

const LONGEST_MEMO: usize = 63;
const MEMO_BITS: u32 = 6;

impl Mpma {
    /// A message that sends each `(asset, destination, quantity)`, destinations sorted by their packed form and assets in the order given.
    ///
    /// Refused: an empty list, the same asset twice for one destination, destinations longer than the form holds.
    pub fn new(sends: &[(AssetId, Destination, u64)], network: NetworkKind) -> Result<Mpma, MessageFault> {
        let mut packed = Vec::new();
        for (_, destination, _) in sends {
            packed.push((destination.write_legacy(network)?, destination.clone()));
        }
        packed.sort_by_key(|(bytes, _)| *bytes);
        packed.dedup();
        let destinations: Vec<Destination> = packed.into_iter().map(|(_, destination)| destination).collect();
        let mut lists: Vec<(AssetId, Vec<Share>)> = Vec::new();
        for (asset, destination, quantity) in sends {
            let to = destinations.iter().position(|known| known == destination).ok_or(MessageFault::Address)?;
            let at = lists.iter().position(|(known, _)| known == asset).unwrap_or_else(|| {
                lists.push((*asset, Vec::new()));
                lists.len() - 1
            });
            let shares = &mut lists[at].1;
            if shares.iter().any(|share| share.to == to) {
                return Err(MessageFault::Malformed);
            }
            shares.push(Share { to, quantity: *quantity, memo: None });
        }
        for (_, shares) in &mut lists {
            shares.sort_by_key(|share| share.to);
        }
        let network = |destination: &Destination| match destination {
            Destination::Witness(_) => NetworkKind::Main,
            _ => network,
        };
        let destinations = destinations.into_iter().map(|destination| (destination.clone(), network(&destination))).collect();
        let message = Mpma { destinations, memo: None, lists };
        message.write().map(|_| message)
    }

    /// The body of the message.
    pub(super) fn write(&self) -> Result<Vec<u8>, MessageFault> {
        let count = u16::try_from(self.destinations.len()).map_err(|_| MessageFault::TooLong)?;
        if count == 0 || self.lists.is_empty() {
            return Err(MessageFault::Malformed);
        }
        let mut out = count.to_be_bytes().to_vec();
        for (destination, network) in &self.destinations {
            out.extend_from_slice(&destination.write_legacy(*network)?);
        }
        let width = width(self.destinations.len());
        let mut bits = Writer { bytes: out, free: 0 };
        bits.memo(self.memo.as_ref())?;
        for (asset, shares) in &self.lists {
            bits.push(1, 1);
            bits.push(asset.number(), 64);
            let more = shares.len().checked_sub(1).ok_or(MessageFault::Malformed)? as u64;
            if more >> width != 0 {
                return Err(MessageFault::TooLong);
            }
            bits.push(more, width);
            for share in shares {
                if share.to >= self.destinations.len() {
                    return Err(MessageFault::Malformed);
                }
                if share.quantity > MOST {
                    return Err(MessageFault::Quantity);
                }
                bits.push(share.to as u64, width);
                bits.push(share.quantity, 64);
                bits.memo(share.memo.as_ref())?;
            }
        }
        bits.push(0, 1);
        Ok(bits.bytes)
    }

    /// Reads the body of a message, whose padding must be zero and shorter than a byte.
    pub(super) fn read(body: &[u8]) -> Result<Mpma, MessageFault> {
        let mut bytes = Bytes(body);
        let count = usize::from(bytes.u16().ok_or(MessageFault::Truncated)?);
        if count == 0 {
            return Err(MessageFault::Malformed);
        }
        let destinations = (0..count).map(|_| Destination::read_legacy(&mut bytes)).collect::<Result<Vec<_>, _>>()?;
        let width = width(count);
        let mut bits = Reader { bytes: bytes.rest(), at: 0 };
        let memo = bits.memo()?;
        let mut lists = Vec::new();
        while bits.take(1)? == 1 {
            let asset = AssetId::new(bits.take(64)?)?;
            let mut shares = Vec::new();
            for _ in 0..=bits.take(width)? {
                let to = usize::try_from(bits.take(width)?).map_err(|_| MessageFault::Malformed)?;
                let quantity = bits.take(64)?;
                if to >= count {
                    return Err(MessageFault::Malformed);
                }
                if quantity > MOST {
                    return Err(MessageFault::Quantity);
                }
                shares.push(Share { to, quantity, memo: bits.memo()? });
            }
            lists.push((asset, shares));
        }
        if lists.is_empty() {
            return Err(MessageFault::Malformed);
        }
        let left = bits.bytes.len() * 8 - bits.at;
        if left >= 8 || bits.take(u32::try_from(left).map_err(|_| MessageFault::Malformed)?)? != 0 {
            return Err(MessageFault::TrailingBytes);
        }
        Ok(Mpma { destinations, memo, lists })
    }
}

/// Bits of an index below `count`.
fn width(count: usize) -> u32 {
    usize::BITS - (count - 1).leading_zeros()
}

struct Writer {
    bytes: Vec<u8>,
    /// Unused low bits of the last byte.
    free: u32,
}

impl Writer {
    fn push(&mut self, value: u64, bits: u32) {
        for bit in (0..bits).rev() {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            self.free -= 1;
            if let Some(last) = self.bytes.last_mut() {
                *last |= u8::from(value >> bit & 1 == 1) << self.free;
            }
        }
    }

    fn memo(&mut self, memo: Option<&Memo>) -> Result<(), MessageFault> {
        let Some(memo) = memo else {
            self.push(0, 1);
            return Ok(());
        };
        if memo.bytes.len() > LONGEST_MEMO {
            return Err(MessageFault::TooLong);
        }
        self.push(1, 1);
        self.push(u64::from(memo.is_hex), 1);
        self.push(memo.bytes.len() as u64, MEMO_BITS);
        memo.bytes.iter().for_each(|byte| self.push(u64::from(*byte), 8));
        Ok(())
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, bits: u32) -> Result<u64, MessageFault> {
        let mut value = 0;
        for _ in 0..bits {
            let byte = self.bytes.get(self.at / 8).ok_or(MessageFault::Truncated)?;
            value = value << 1 | u64::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(value)
    }

    fn memo(&mut self) -> Result<Option<Memo>, MessageFault> {
        if self.take(1)? == 0 {
            return Ok(None);
        }
        let is_hex = self.take(1)? == 1;
        let length = self.take(MEMO_BITS)?;
        let bytes = (0..length).map(|_| self.take(8).map(|byte| byte.to_le_bytes()[0])).collect::<Result<_, _>>()?;
        Ok(Some(Memo { is_hex, bytes }))
    }
}
