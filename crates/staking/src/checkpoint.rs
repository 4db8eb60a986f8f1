//! Checkpoints of the control plane on Bitcoin: one record in two data outputs of two transactions.

use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::script::{Instruction, PushBytesBuf, Script, ScriptBuf};
use bitcoin::{Transaction, script};

/// Bytes of the parts.
const FIRST: usize = 78;
const SECOND: usize = 63;
/// Tag, then part number and version.
const HEADER: usize = 5;
/// Bytes of the first part's hash that the second repeats.
const LINK: usize = 10;
const VERSION: u8 = 0;

/// An epoch's checkpoint: what the validators signed, who signed, and the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which epoch.
    pub epoch: u64,
    /// CometBFT's block hash of the epoch's last block.
    pub block_hash: [u8; 32],
    /// Which validators signed, the least significant bit of a byte first, in the order of the epoch's set.
    pub bitmap: [u8; 13],
    /// Account of whoever pays for the Bitcoin transactions.
    pub submitter: [u8; 20],
    /// Aggregate BLS signature, a point of G1.
    pub signature: [u8; 48],
}

/// Why data is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCheckpoint {
    /// Wrong length, or parts in the wrong order.
    #[error("no part {0} of a checkpoint")]
    Part(u8),
    /// Another network's tag.
    #[error("another network's tag")]
    Tag,
    /// A version that is not known.
    #[error("version {0} is not known")]
    Version(u8),
    /// The second part is of another first one.
    #[error("the parts are of different checkpoints")]
    Parts,
}

impl Checkpoint {
    /// Joins the two parts.
    pub fn join(first: &[u8], second: &[u8], tag: [u8; 4]) -> Result<Checkpoint, BadCheckpoint> {
        let first: &[u8; FIRST] = first.try_into().map_err(|_| BadCheckpoint::Part(0))?;
        let second: &[u8; SECOND] = second.try_into().map_err(|_| BadCheckpoint::Part(1))?;
        check_header(first, tag, 0)?;
        check_header(second, tag, 1)?;
        let (body, link) = second[HEADER..].split_at(48);
        if link != &sha256::Hash::hash(&first[HEADER..]).to_byte_array()[..LINK] {
            return Err(BadCheckpoint::Parts);
        }
        Ok(Checkpoint {
            epoch: u64::from_be_bytes(part(first, 5)),
            block_hash: part(first, 13),
            bitmap: part(first, 45),
            submitter: part(first, 58),
            signature: part(body, 0),
        })
    }

    /// Finds both parts in two transactions.
    pub fn read(first: &Transaction, second: &Transaction, tag: [u8; 4]) -> Result<Checkpoint, BadCheckpoint> {
        let first = find(first, FIRST, tag, 0)?;
        let second = find(second, SECOND, tag, 1)?;
        Checkpoint::join(&first, &second, tag)
    }

    /// The two parts.
    pub fn parts(&self, tag: [u8; 4]) -> (Vec<u8>, Vec<u8>) {
        let epoch = self.epoch.to_be_bytes();
        let first = [&tag[..], &[VERSION], &epoch, &self.block_hash, &self.bitmap, &self.submitter].concat();
        let link = sha256::Hash::hash(&first[HEADER..]).to_byte_array();
        let second = [&tag[..], &[1 << 4 | VERSION], &self.signature, &link[..LINK]].concat();
        (first, second)
    }

    /// The data outputs' scripts.
    pub fn scripts(&self, tag: [u8; 4]) -> (ScriptBuf, ScriptBuf) {
        let script = |part: Vec<u8>| {
            let data = PushBytesBuf::try_from(part).expect("BUG: a part is short");
            script::Builder::new().push_opcode(OP_RETURN).push_slice(data).into_script()
        };
        let (first, second) = self.parts(tag);
        (script(first), script(second))
    }

    /// Indices of the validators that signed, ascending.
    pub fn signers(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.bitmap.len() * 8).filter(|index| self.bitmap[index / 8] >> (index % 8) & 1 == 1)
    }

    /// What the validators signed: epoch (8 bytes, big-endian) and block hash.
    pub fn message(&self) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[..8].copy_from_slice(&self.epoch.to_be_bytes());
        bytes[8..].copy_from_slice(&self.block_hash);
        bytes
    }
}

fn part<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    bytes[from..from + N].try_into().expect("BUG: the length was checked")
}

fn check_header(bytes: &[u8], tag: [u8; 4], number: u8) -> Result<(), BadCheckpoint> {
    if bytes[..4] != tag {
        return Err(BadCheckpoint::Tag);
    }
    if bytes[4] >> 4 != number {
        return Err(BadCheckpoint::Part(number));
    }
    match bytes[4] & 0x0f {
        VERSION => Ok(()),
        other => Err(BadCheckpoint::Version(other)),
    }
}

/// The first data output that holds this part.
fn find(transaction: &Transaction, length: usize, tag: [u8; 4], number: u8) -> Result<Vec<u8>, BadCheckpoint> {
    let data = transaction.output.iter().filter_map(|output| payload(&output.script_pubkey));
    let mut parts = data.filter(|bytes| bytes.len() == length && check_header(bytes, tag, number).is_ok());
    parts.next().map(<[u8]>::to_vec).ok_or(BadCheckpoint::Part(number))
}

/// The bytes of a data output with one push.
fn payload(script: &Script) -> Option<&[u8]> {
    let mut instructions = script.instructions_minimal();
    match (instructions.next()?.ok()?, instructions.next()?.ok()?, instructions.next()) {
        (Instruction::Op(OP_RETURN), Instruction::PushBytes(data), None) => Some(data.as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
