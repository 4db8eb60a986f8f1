//! Reading and writing the bytes of messages: fixed layouts, little endian, lengths capped before anything is allocated.

use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::schnorr::Signature;
use bitcoin::{OutPoint, ScriptBuf, Txid, XOnlyPublicKey};
use causeway_vocab::Atoms;

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

/// Longest message of any protocol of this crate, bytes.
pub const MAX_MESSAGE: usize = 1024;

/// Takes fields off the front.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, WireFault> {
        if bytes.len() > MAX_MESSAGE { Err(WireFault::TooLong) } else { Ok(Reader(bytes)) }
    }

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

    pub(crate) fn atoms(&mut self) -> Result<Atoms, WireFault> {
        self.array().map(u64::from_le_bytes).map(Atoms)
    }

    pub(crate) fn key(&mut self) -> Result<XOnlyPublicKey, WireFault> {
        XOnlyPublicKey::from_slice(&self.array::<32>()?).map_err(|_| WireFault::Malformed)
    }

    pub(crate) fn signature(&mut self) -> Result<Signature, WireFault> {
        Signature::from_slice(&self.array::<64>()?).map_err(|_| WireFault::Malformed)
    }

    pub(crate) fn outpoint(&mut self) -> Result<OutPoint, WireFault> {
        Ok(OutPoint { txid: Txid::from_byte_array(self.array()?), vout: self.u32()? })
    }

    /// One byte of length, then so many bytes.
    pub(crate) fn short_bytes(&mut self) -> Result<&'a [u8], WireFault> {
        let length = self.u8()?;
        self.bytes(length.into())
    }

    pub(crate) fn script(&mut self) -> Result<ScriptBuf, WireFault> {
        self.short_bytes().map(|bytes| ScriptBuf::from(bytes.to_vec()))
    }

    pub(crate) fn network(&mut self) -> Result<bitcoin::Network, WireFault> {
        let magic = bitcoin::p2p::Magic::from_bytes(self.array()?);
        bitcoin::Network::from_magic(magic).ok_or(WireFault::Malformed)
    }

    pub(crate) fn end(&self) -> Result<(), WireFault> {
        if self.0.is_empty() { Ok(()) } else { Err(WireFault::Malformed) }
    }
}

/// Puts fields behind each other.
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn u8(&mut self, byte: u8) -> &mut Self {
        self.bytes(&[byte])
    }

    pub(crate) fn u32(&mut self, number: u32) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    pub(crate) fn atoms(&mut self, amount: Atoms) -> &mut Self {
        self.bytes(&amount.0.to_le_bytes())
    }

    pub(crate) fn key(&mut self, key: &XOnlyPublicKey) -> &mut Self {
        self.bytes(&key.serialize())
    }

    pub(crate) fn signature(&mut self, signature: &Signature) -> &mut Self {
        self.bytes(signature.as_ref())
    }

    pub(crate) fn outpoint(&mut self, outpoint: OutPoint) -> &mut Self {
        self.bytes(outpoint.txid.as_byte_array()).u32(outpoint.vout)
    }

    pub(crate) fn short_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let length = u8::try_from(bytes.len()).expect("BUG: scripts of a message are short");
        self.u8(length).bytes(bytes)
    }

    pub(crate) fn network(&mut self, network: bitcoin::Network) -> &mut Self {
        self.bytes(&network.magic().to_bytes())
    }
}

/// Serde for 32 bytes: lower-case hex.
pub(crate) mod hex32 {
    use bitcoin::hex::{DisplayHex as _, FromHex as _};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&bytes.as_hex())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        <[u8; 32]>::from_hex(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
