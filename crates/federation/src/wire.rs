//! Reading and writing bytes.
pub(crate) struct Reader;
pub(crate) struct Writer;
/// Bytes that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed message")]
pub struct WireFault;

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
