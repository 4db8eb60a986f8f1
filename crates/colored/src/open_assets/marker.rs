//! The marker output: `OP_RETURN <4f41 0100 quantities metadata>`.

use super::leb128;
use crate::ancestry::Ambiguity;
use crate::bytes::Bytes;
use crate::payload::{self, Payload};
use bitcoin::{Script, ScriptBuf};

/// "OA", version 1.0 in serialized order.
const TAG: [u8; 2] = *b"OA";
const VERSION: [u8; 2] = [1, 0];

/// The contents of a marker output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Units of each output in order, the marker itself left out; outputs past the end of the list get none. At most [`leb128::MOST`].
    pub quantities: Vec<u64>,
    /// Free bytes; by convention an asset definition pointer.
    pub metadata: Vec<u8>,
}

/// Why a payload is no marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MarkerFault {
    /// The script is not `OP_RETURN` and one push.
    #[error("no payload")]
    NoPayload,
    /// Another protocol's.
    #[error("another tag")]
    Tag,
    /// A version that is not 1.0.
    #[error("another version")]
    Version,
    /// Ends too early.
    #[error("truncated")]
    Truncated,
    /// A number of more than nine bytes.
    #[error("a number of more than nine bytes")]
    OverlongQuantity,
    /// A quantity above 2^63 - 1.
    #[error("a quantity above 2^63 - 1")]
    QuantityTooLarge,
    /// Bytes behind the metadata.
    #[error("trailing bytes")]
    TrailingBytes,
}

impl Marker {
    /// Reads a payload, which must end where the metadata ends.
    ///
    /// Allocates only once the tag and version fit.
    pub fn read(payload: &[u8]) -> Result<Marker, MarkerFault> {
        let mut bytes = Bytes(payload);
        if bytes.array() != Some(TAG) {
            return Err(if payload.len() < TAG.len() { MarkerFault::Truncated } else { MarkerFault::Tag });
        }
        match bytes.array() {
            None => return Err(MarkerFault::Truncated),
            Some(VERSION) => {}
            Some(_) => return Err(MarkerFault::Version),
        }
        let count = compact_size(&mut bytes)?;
        // Each quantity takes a byte at least: a larger count is a lie that must not reserve memory.
        let count = usize::try_from(count).ok().filter(|count| *count <= bytes.0.len()).ok_or(MarkerFault::Truncated)?;
        let mut quantities = Vec::with_capacity(count);
        for _ in 0..count {
            quantities.push(leb128::read(&mut bytes)?);
        }
        let length = usize::try_from(compact_size(&mut bytes)?).map_err(|_| MarkerFault::Truncated)?;
        let metadata = bytes.take(length).ok_or(MarkerFault::Truncated)?.to_vec();
        if bytes.is_empty() { Ok(Marker { quantities, metadata }) } else { Err(MarkerFault::TrailingBytes) }
    }

    /// Reads an output script.
    pub fn from_script(script: &Script) -> Result<Marker, MarkerFault> {
        match payload::of(script) {
            Some(Payload::Single(data)) => Marker::read(data),
            _ => Err(MarkerFault::NoPayload),
        }
    }

    /// The payload, every number in its shortest form.
    pub fn write(&self) -> Result<Vec<u8>, MarkerFault> {
        let mut out = Vec::with_capacity(8 + 2 * self.quantities.len() + self.metadata.len());
        out.extend_from_slice(&TAG);
        out.extend_from_slice(&VERSION);
        write_compact_size(self.quantities.len(), &mut out);
        for quantity in &self.quantities {
            if *quantity > leb128::MOST {
                return Err(MarkerFault::QuantityTooLarge);
            }
            leb128::write(*quantity, &mut out);
        }
        write_compact_size(self.metadata.len(), &mut out);
        out.extend_from_slice(&self.metadata);
        Ok(out)
    }

    /// The output script.
    pub fn script(&self) -> Result<ScriptBuf, MarkerFault> {
        payload::script(&self.write()?).ok_or(MarkerFault::NoPayload)
    }

    /// Units for the output at `vout` when the marker stands at `marker_at`.
    pub fn quantity(&self, vout: usize, marker_at: usize) -> u64 {
        let index = match vout.cmp(&marker_at) {
            std::cmp::Ordering::Less => vout,
            std::cmp::Ordering::Equal => return 0,
            std::cmp::Ordering::Greater => vout - 1,
        };
        self.quantities.get(index).copied().unwrap_or(0)
    }
}

/// Whether a script carries the tag at all, in a well-formed marker or not.
pub(crate) fn is_tagged(script: &Script) -> bool {
    match payload::of(script) {
        None => false,
        Some(Payload::Single(data)) => data.starts_with(&TAG),
        Some(Payload::Irregular(rest)) => payload::pushes(rest).any(|data| data.starts_with(&TAG)),
    }
}

/// How other readers might see an output that [`Marker::from_script`] refuses.
pub(super) fn dispute(script: &Script) -> Option<Ambiguity> {
    match payload::of(script)? {
        Payload::Single(data) => {
            (Marker::read(data) == Err(MarkerFault::OverlongQuantity) && lax(data)).then_some(Ambiguity::OverlongNumber)
        }
        Payload::Irregular(rest) => {
            payload::pushes(rest).any(|data| Marker::read(data).is_ok()).then_some(Ambiguity::IrregularScript)
        }
    }
}

/// Whether a reader that bounds values but not lengths finds a marker.
fn lax(payload: &[u8]) -> bool {
    let read = || -> Option<()> {
        let mut bytes = Bytes(payload.get(TAG.len() + VERSION.len()..)?);
        let count = compact_size(&mut bytes).ok()?;
        for _ in 0..count {
            let (mut value, mut shift) = (0u64, 0u32);
            loop {
                let byte = bytes.byte()?;
                let low = u64::from(byte & 0x7f);
                value |= if low == 0 { 0 } else { low.checked_shl(shift).filter(|shifted| shifted >> shift == low)? };
                shift = shift.saturating_add(7);
                if byte & 0x80 == 0 {
                    break;
                }
            }
            if value > leb128::MOST {
                return None;
            }
        }
        let length = usize::try_from(compact_size(&mut bytes).ok()?).ok()?;
        (bytes.0.len() == length).then_some(())
    };
    read().is_some()
}

/// Bitcoin's variable-length integer; longer forms than needed are fine, as in the reference reader.
fn compact_size(bytes: &mut Bytes<'_>) -> Result<u64, MarkerFault> {
    let first = bytes.byte().ok_or(MarkerFault::Truncated)?;
    let value = match first {
        0xfd => bytes.array().map(|array| u64::from(u16::from_le_bytes(array))),
        0xfe => bytes.array().map(|array| u64::from(u32::from_le_bytes(array))),
        0xff => bytes.array().map(u64::from_le_bytes),
        small => Some(u64::from(small)),
    };
    value.ok_or(MarkerFault::Truncated)
}

fn write_compact_size(value: usize, out: &mut Vec<u8>) {
    match (u8::try_from(value), u16::try_from(value), u32::try_from(value)) {
        (Ok(small), ..) if small < 0xfd => out.push(small),
        (_, Ok(value), _) => {
            out.push(0xfd);
            out.extend_from_slice(&value.to_le_bytes());
        }
        (_, _, Ok(value)) => {
            out.push(0xfe);
            out.extend_from_slice(&value.to_le_bytes());
        }
        _ => {
            out.push(0xff);
            out.extend_from_slice(&(value as u64).to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_marker_reads_back_as_it_was_written(
            quantities in prop::collection::vec(prop_oneof![Just(0), Just(leb128::MOST), 0..=leb128::MOST, 0u64..300], 0..300),
            metadata in prop::collection::vec(any::<u8>(), 0..400),
            cut in any::<prop::sample::Index>(),
        ) {
            let marker = Marker { quantities, metadata };
            let payload = marker.write().expect("within bounds");
            prop_assert_eq!(Marker::read(&payload), Ok(marker.clone()));
            prop_assert_eq!(Marker::from_script(&marker.script().expect("fits")), Ok(marker));
            prop_assert_eq!(Marker::read(&payload[..cut.index(payload.len())]), Err(MarkerFault::Truncated));
        }

        #[test]
        fn reading_is_total(mut payload in prop::collection::vec(any::<u8>(), 0..120), tagged in any::<bool>()) {
            if tagged {
                payload.splice(0..0, *b"OA\x01\x00");
            }
            if let Ok(marker) = Marker::read(&payload) {
                let again = marker.write().expect("what was read is within bounds");
                prop_assert!(again.len() <= payload.len());
                prop_assert_eq!(Marker::read(&again), Ok(marker));
            }
            lax(&payload);
        }
    }

    #[test]
    fn a_count_that_lies_reserves_no_memory() {
        for count in [&[0xfe, 0xff, 0xff, 0xff, 0xff][..], &[0xff; 9]] {
            let payload = [&b"OA\x01\x00"[..], count, &[0; 20]].concat();
            assert_eq!(Marker::read(&payload), Err(MarkerFault::Truncated));
        }
    }

    #[test]
    fn a_quantity_past_the_bound_is_not_written() {
        let marker = Marker { quantities: vec![leb128::MOST + 1], metadata: vec![] };
        assert_eq!(marker.write(), Err(MarkerFault::QuantityTooLarge));
    }

    #[test]
    fn what_lax_readers_accept_is_disputed() {
        // 1 in ten bytes: the specification refuses it, a reader that only bounds the value does not.
        let overlong = [b"OA\x01\x00\x01", &[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00][..], &[0]].concat();
        let script = payload::script(&overlong).expect("fits");
        assert_eq!(Marker::from_script(&script), Err(MarkerFault::OverlongQuantity));
        assert_eq!(dispute(&script), Some(Ambiguity::OverlongNumber));
        // 2^63 in ten bytes: nobody accepts it.
        let large = [b"OA\x01\x00\x01", &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01][..], &[0]].concat();
        assert_eq!(dispute(&payload::script(&large).expect("fits")), None);
        let mut irregular = Marker { quantities: vec![1], metadata: vec![] }.script().expect("fits").into_bytes();
        irregular.push(0x51);
        assert_eq!(dispute(Script::from_bytes(&irregular)), Some(Ambiguity::IrregularScript));
    }
}
