//! The tag in the sequence number of a transaction's first input.

use bitcoin::{Sequence, Transaction};

/// Bits 0 to 5 of the sequence number.
const GENESIS: u32 = 0b10_0101;
const TRANSFER: u32 = 0b11_0011;
const MASK: u32 = 0b11_1111;
/// Bits 6 to 11 hold the padding code; the rest is written zero and ignored when read.
const CODE_SHIFT: u32 = 6;

/// What the first input's sequence number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    /// Issues a colour on output 0, rather than moving one.
    pub genesis: bool,
    /// Padding code, 0 to 63.
    pub code: u8,
}

impl Tag {
    /// Reads a sequence number. About one arbitrary number in 32 looks like a tag; only ancestry gives it meaning.
    pub fn read(sequence: Sequence) -> Option<Tag> {
        let bits = sequence.to_consensus_u32();
        let genesis = match bits & MASK {
            GENESIS => true,
            TRANSFER => false,
            _ => return None,
        };
        Some(Tag { genesis, code: u8::try_from(bits >> CODE_SHIFT & MASK).ok()? })
    }

    /// The tag of a transaction. Coinbases have none.
    pub fn of(tx: &Transaction) -> Option<Tag> {
        let first = tx.input.first().filter(|_| !tx.is_coinbase())?;
        Tag::read(first.sequence)
    }

    /// The sequence number. In transactions of version 2 it would be a relative lock time as well: use version 1.
    pub fn write(&self) -> Sequence {
        let kind = if self.genesis { GENESIS } else { TRANSFER };
        Sequence::from_consensus(u32::from(self.code) << CODE_SHIFT & MASK << CODE_SHIFT | kind)
    }

    /// Satoshis of every output that are no units: 0 for code 0, 2^code otherwise.
    pub fn padding(&self) -> u64 {
        if self.code == 0 { 0 } else { 1 << (self.code & 63) }
    }
}

/// The code of the least padding that is at least `satoshi`; 0 for none. There is no padding of 1. `None` above 2^63.
pub fn padding_code(satoshi: u64) -> Option<u8> {
    if satoshi == 0 {
        return Some(0);
    }
    (1..=63).find(|code| 1u64 << code >= satoshi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_reads_back() {
        for genesis in [false, true] {
            for code in 0..64 {
                let tag = Tag { genesis, code };
                assert_eq!(Tag::read(tag.write()), Some(tag));
                let noisy = Sequence::from_consensus(tag.write().to_consensus_u32() | 0xffff_f000);
                assert_eq!(Tag::read(noisy), Some(tag));
            }
        }
    }

    #[test]
    fn ordinary_sequence_numbers_are_no_tags() {
        for sequence in [0, 1, 0xffff_ffff, 0xffff_fffe, 0xffff_fffd, 144, 1008] {
            assert_eq!(Tag::read(Sequence::from_consensus(sequence)), None, "{sequence:x}");
        }
    }
}
