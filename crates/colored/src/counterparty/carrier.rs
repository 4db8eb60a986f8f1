//! How a transaction carries a message.

use super::{MessageFault, envelope, rc4};
use crate::payload::{self, Payload};
use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::opcodes::all::{OP_CHECKMULTISIG, OP_PUSHNUM_1, OP_PUSHNUM_3};
use bitcoin::{PublicKey, Script, ScriptBuf, Transaction, Txid};

/// Marks a message once it is deciphered.
pub(super) const PREFIX: &[u8; 8] = b"CNTRPRTY";
/// Bytes of a payload that every node relays.
const LONGEST: usize = 80;
/// Bytes of a message in one multisig output, behind length and prefix.
const CHUNK: usize = 53;
/// Bytes of two dressed keys.
const BLOCK: usize = 62;
const HALF: usize = BLOCK / 2;
const KEY: usize = 33;
const PUSH: u8 = 0x21;

/// Where a message was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// One output of data.
    OpReturn,
    /// Bare multisig outputs.
    Multisig,
    /// The witness of the first input.
    Taproot,
}

/// The cipher's key: the id of the transaction that input 0 spends, as people read it.
///
/// Whoever changes input 0 makes the message unreadable.
pub fn key(first_input: Txid) -> [u8; 32] {
    let mut key = first_input.to_byte_array();
    key.reverse();
    key
}

/// The output script that carries a message; refused past 80 bytes of data.
pub fn op_return(key: &[u8; 32], message: &[u8]) -> Result<ScriptBuf, MessageFault> {
    let mut data = [PREFIX, message].concat();
    if data.len() > LONGEST {
        return Err(MessageFault::TooLong);
    }
    rc4::apply(key, &mut data);
    payload::script(&data).ok_or(MessageFault::TooLong)
}

/// The 1-of-3 scripts that carry a message of any length; `source` can spend them.
///
/// The first two keys of each are data dressed as points of the curve.
pub fn multisig(key: &[u8; 32], message: &[u8], source: &PublicKey) -> Result<Vec<ScriptBuf>, MessageFault> {
    if message.is_empty() {
        return Err(MessageFault::Malformed);
    }
    let script = |pair: [[u8; KEY]; 2]| {
        let mut bytes = vec![OP_PUSHNUM_1.to_u8()];
        for key in [&pair[0][..], &pair[1], &source.to_bytes()] {
            bytes.push(u8::try_from(key.len()).map_err(|_| MessageFault::TooLong)?);
            bytes.extend_from_slice(key);
        }
        bytes.extend([OP_PUSHNUM_3.to_u8(), OP_CHECKMULTISIG.to_u8()]);
        Ok(ScriptBuf::from_bytes(bytes))
    };
    data_keys(key, message)?.into_iter().map(script).collect()
}

/// The dressed keys of each multisig output.
pub fn data_keys(key: &[u8; 32], message: &[u8]) -> Result<Vec<[[u8; KEY]; 2]>, MessageFault> {
    let pair = |chunk: &[u8]| {
        let mut block = [0; BLOCK];
        let length = PREFIX.len() + chunk.len();
        block[0] = u8::try_from(length).map_err(|_| MessageFault::TooLong)?;
        block[1..9].copy_from_slice(PREFIX);
        block[9..9 + chunk.len()].copy_from_slice(chunk);
        rc4::apply(key, &mut block);
        let (first, second) = block.split_at(HALF);
        Ok([dressed(first)?, dressed(second)?])
    };
    message.chunks(CHUNK).map(pair).collect()
}

/// Puts a sign before 31 bytes and a number behind them so that a point of the curve comes out.
fn dressed(half: &[u8]) -> Result<[u8; KEY], MessageFault> {
    let hash = sha256::Hash::hash(half).to_byte_array();
    let mut key = [0; KEY];
    key[0] = 2 + (hash[0] & 1);
    key[1..=HALF].copy_from_slice(half);
    for step in 1..=u8::MAX {
        key[KEY - 1] = hash[1].wrapping_add(step);
        if bitcoin::secp256k1::PublicKey::from_slice(&key).is_ok() {
            return Ok(key);
        }
    }
    Err(MessageFault::Malformed)
}

/// The data in a script of dressed keys, deciphered, with the key that can spend it.
fn from_multisig<'s>(key: &[u8; 32], script: &'s Script, out: &mut Vec<u8>) -> Option<&'s [u8]> {
    let (block, source) = multisig_block(script)?;
    let mut block = block;
    rc4::apply(key, &mut block);
    let length = usize::from(block[0]);
    let data = block.get(1..=length)?.strip_prefix(PREFIX)?;
    out.extend_from_slice(data);
    Some(source)
}

/// The ciphered block in a 1-of-3 script, and its last key.
fn multisig_block(script: &Script) -> Option<([u8; BLOCK], &[u8])> {
    let bytes = script.as_bytes().strip_prefix(&[OP_PUSHNUM_1.to_u8()])?;
    let bytes = bytes.strip_suffix(&[OP_PUSHNUM_3.to_u8(), OP_CHECKMULTISIG.to_u8()])?;
    let (first, rest) = bytes.strip_prefix(&[PUSH])?.split_at_checked(KEY)?;
    let (second, rest) = rest.strip_prefix(&[PUSH])?.split_at_checked(KEY)?;
    let (length, source) = rest.split_first()?;
    if usize::from(*length) != source.len() || !matches!(source.len(), 33 | 65) {
        return None;
    }
    let mut block = [0; BLOCK];
    block[..HALF].copy_from_slice(&first[1..=HALF]);
    block[HALF..].copy_from_slice(&second[1..=HALF]);
    Some((block, source))
}

/// A message as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Where.
    pub carrier: Carrier,
    /// Type and body.
    pub message: Vec<u8>,
    /// The outputs that hold it, in order. With several carriers the ledger takes them all together.
    pub outputs: Vec<usize>,
    /// Keys that can spend the multisig outputs.
    pub sources: Vec<Vec<u8>>,
}

/// Finds the message of a transaction. Allocates nothing where there is none.
pub fn find(tx: &Transaction) -> Option<Carried> {
    let first = tx.input.first().filter(|_| !tx.is_coinbase())?;
    let key = key(first.previous_output.txid);
    let mut found: Option<Carried> = None;
    for (vout, output) in tx.output.iter().enumerate() {
        let script = &output.script_pubkey;
        if let Some(Payload::Single(data)) = payload::of(script) {
            if data == PREFIX {
                // Plain: the reveal of an envelope.
                if let Some(message) = envelope::find(tx) {
                    return Some(Carried { carrier: Carrier::Taproot, message, outputs: vec![vout], sources: Vec::new() });
                }
                continue;
            }
            if !deciphers(&key, data) {
                continue;
            }
            let mut data = data.to_vec();
            rc4::apply(&key, &mut data);
            let found = found.get_or_insert_with(|| Carried::empty(Carrier::OpReturn));
            found.message.extend_from_slice(&data[PREFIX.len()..]);
            found.outputs.push(vout);
        } else if multisig_block(script).is_some_and(|(block, _)| deciphers_block(&key, block)) {
            let found = found.get_or_insert_with(|| Carried::empty(Carrier::Multisig));
            if let Some(source) = from_multisig(&key, script, &mut found.message) {
                found.sources.push(source.to_vec());
                found.outputs.push(vout);
            }
        }
    }
    found
}

impl Carried {
    fn empty(carrier: Carrier) -> Carried {
        Carried { carrier, message: Vec::new(), outputs: Vec::new(), sources: Vec::new() }
    }
}

/// Whether data starts with the prefix once deciphered. Looks at the first bytes only.
fn deciphers(key: &[u8; 32], data: &[u8]) -> bool {
    let mut head = [0; PREFIX.len()];
    let Some(start) = data.get(..PREFIX.len()) else { return false };
    head.copy_from_slice(start);
    rc4::apply(key, &mut head);
    head == *PREFIX
}

fn deciphers_block(key: &[u8; 32], mut block: [u8; BLOCK]) -> bool {
    rc4::apply(key, &mut block);
    block[1..].starts_with(PREFIX) && usize::from(block[0]) >= PREFIX.len() && usize::from(block[0]) < BLOCK
}
