//! Addresses packed into messages.

use super::MessageFault;
use crate::bytes::Bytes;
use bitcoin::hashes::Hash as _;
use bitcoin::{Address, Network, NetworkKind, PubkeyHash, Script, ScriptBuf, ScriptHash, WitnessProgram, WitnessVersion};

/// Bytes of the old form.
pub(super) const LEGACY: usize = 21;

/// Who gets something.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Destination {
    /// Pay to public key hash.
    PubkeyHash([u8; 20]),
    /// Pay to script hash.
    ScriptHash([u8; 20]),
    /// A witness program.
    Witness(WitnessProgram),
}

impl Destination {
    /// The destination that a script pays; `None` for scripts without address.
    pub fn of(script: &Script) -> Option<Destination> {
        let bytes = script.as_bytes();
        if script.is_p2pkh() {
            Some(Destination::PubkeyHash(bytes.get(3..23)?.try_into().ok()?))
        } else if script.is_p2sh() {
            Some(Destination::ScriptHash(bytes.get(2..22)?.try_into().ok()?))
        } else {
            let version = script.witness_version()?;
            WitnessProgram::new(version, bytes.get(2..)?).ok().map(Destination::Witness)
        }
    }

    /// The script that pays it.
    pub fn script(&self) -> ScriptBuf {
        match self {
            Destination::PubkeyHash(hash) => ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(*hash)),
            Destination::ScriptHash(hash) => ScriptBuf::new_p2sh(&ScriptHash::from_byte_array(*hash)),
            Destination::Witness(program) => ScriptBuf::new_witness_program(program),
        }
    }

    /// The address on a network.
    pub fn address(&self, network: Network) -> Option<Address> {
        Address::from_script(&self.script(), network).ok()
    }

    /// The form of today: `01`, `02` and a hash, or `03`, the witness version and program.
    pub(super) fn write(&self) -> Vec<u8> {
        match self {
            Destination::PubkeyHash(hash) => [&[1], &hash[..]].concat(),
            Destination::ScriptHash(hash) => [&[2], &hash[..]].concat(),
            Destination::Witness(program) => [&[3, program.version().to_num()], program.program().as_bytes()].concat(),
        }
    }

    /// Reads the form of today.
    pub(super) fn read(bytes: &[u8]) -> Result<Destination, MessageFault> {
        match bytes {
            [1, hash @ ..] => hash.try_into().map(Destination::PubkeyHash).map_err(|_| MessageFault::Address),
            [2, hash @ ..] => hash.try_into().map(Destination::ScriptHash).map_err(|_| MessageFault::Address),
            [3, version, program @ ..] => witness(*version, program),
            _ => Err(MessageFault::Address),
        }
    }

    /// The old form, 21 bytes: the version byte of the base58 address, or 128 plus the witness version.
    pub(super) fn write_legacy(&self, network: NetworkKind) -> Result<[u8; LEGACY], MessageFault> {
        let main = network.is_mainnet();
        let (lead, hash): (u8, &[u8]) = match self {
            Destination::PubkeyHash(hash) => (if main { 0 } else { 111 }, hash),
            Destination::ScriptHash(hash) => (if main { 5 } else { 196 }, hash),
            Destination::Witness(program) => (0x80 | program.version().to_num(), program.program().as_bytes()),
        };
        let mut out = [lead; LEGACY];
        // Longer programs have no old form.
        let room = out.get_mut(1..).filter(|room| room.len() == hash.len()).ok_or(MessageFault::Address)?;
        room.copy_from_slice(hash);
        Ok(out)
    }

    /// Reads the old form. Witness programs do not say their network; they read as of the main one.
    pub(super) fn read_legacy(bytes: &mut Bytes<'_>) -> Result<(Destination, NetworkKind), MessageFault> {
        let [lead, hash @ ..]: [u8; LEGACY] = bytes.array().ok_or(MessageFault::Truncated)?;
        match lead {
            0 => Ok((Destination::PubkeyHash(hash), NetworkKind::Main)),
            5 => Ok((Destination::ScriptHash(hash), NetworkKind::Main)),
            111 => Ok((Destination::PubkeyHash(hash), NetworkKind::Test)),
            196 => Ok((Destination::ScriptHash(hash), NetworkKind::Test)),
            0x80..=0x90 => Ok((witness(lead & 0x7f, &hash)?, NetworkKind::Main)),
            _ => Err(MessageFault::Address),
        }
    }
}

fn witness(version: u8, program: &[u8]) -> Result<Destination, MessageFault> {
    let version = WitnessVersion::try_from(version).map_err(|_| MessageFault::Address)?;
    WitnessProgram::new(version, program).map(Destination::Witness).map_err(|_| MessageFault::Address)
}
