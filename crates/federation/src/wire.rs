//! Reading and writing bytes: fixed layouts, little endian, lengths capped before anything is allocated.

/// Bytes that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireFault {
    /// Longer than a message may be.
    #[error("too long")]
    TooLong,
    /// They end in the middle.
    #[error("cut short")]
    Short,
    /// A field that cannot be, or bytes behind the end.
    #[error("malformed")]
    Malformed,
}

/// Takes fields off the front.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], WireFault> {
        let (front, rest) = self.0.split_at_checked(count).ok_or(WireFault::Short)?;
        self.0 = rest;
        Ok(front)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireFault> {
        self.bytes(N)?.try_into().map_err(|_| WireFault::Short)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, WireFault> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, WireFault> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, WireFault> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, WireFault>) -> Result<Option<T>, WireFault> {
        match self.u8()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(WireFault::Malformed),
        }
    }

    /// A list of at most `most` items.
    pub(crate) fn list<T>(
        &mut self,
        most: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, WireFault>,
    ) -> Result<Vec<T>, WireFault> {
        let count = usize::from(u16::from_le_bytes(self.array()?));
        if count > most {
            return Err(WireFault::Malformed);
        }
        (0..count).map(|_| read(self)).collect()
    }

    /// A block with its length before it.
    pub(crate) fn block(&mut self) -> Result<Box<elements::Block>, WireFault> {
        let length = self.u32()?;
        let bytes = self.bytes(length as usize)?;
        elements::encode::deserialize(bytes).map(Box::new).map_err(|_| WireFault::Malformed)
    }

    /// A block header with its length before it.
    pub(crate) fn header(&mut self) -> Result<elements::BlockHeader, WireFault> {
        let length = self.u32()?;
        let bytes = self.bytes(length as usize)?;
        elements::encode::deserialize(bytes).map_err(|_| WireFault::Malformed)
    }

    pub(crate) fn end(&self) -> Result<(), WireFault> {
        if self.0.is_empty() { Ok(()) } else { Err(WireFault::Malformed) }
    }
}

/// Puts fields behind each other.
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(crate) fn u32(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.u8(value.is_some().into());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(crate) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        let count = u16::try_from(items.len()).expect("BUG: lists of a message are short");
        self.bytes(&count.to_le_bytes());
        for item in items {
            write(self, item);
        }
    }

    pub(crate) fn header(&mut self, header: &elements::BlockHeader) {
        let bytes = elements::encode::serialize(header);
        self.u32(u32::try_from(bytes.len()).expect("BUG: a header is small"));
        self.bytes(&bytes);
    }

    pub(crate) fn block(&mut self, block: &elements::Block) {
        let bytes = elements::encode::serialize(block);
        self.u32(u32::try_from(bytes.len()).expect("BUG: a block is small"));
        self.bytes(&bytes);
    }
}

/// Serde for Elements structures: consensus encoding in hex.
pub(crate) mod consensus_hex {
    use bitcoin::hex::{DisplayHex as _, FromHex as _};
    use elements::encode::{Decodable, Encodable, deserialize as decode, serialize as encode};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<T: Encodable, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&encode(value).as_hex())
    }

    pub(crate) fn deserialize<'de, T: Decodable, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let bytes = Vec::<u8>::from_hex(&String::deserialize(deserializer)?).map_err(D::Error::custom)?;
        decode(&bytes).map_err(D::Error::custom)
    }
}

/// Serde for maps whose keys are no strings: a list of pairs.
pub(crate) mod pairs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(crate) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
