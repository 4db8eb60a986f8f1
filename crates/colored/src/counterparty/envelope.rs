//! Messages in the witness of a taproot script spend.
//!
//! A commit transaction pays the tree of one leaf, the reveal spends it; its first output is `OP_RETURN CNTRPRTY` in plain.

use super::MessageFault;
use super::cbor::Item;
use bitcoin::opcodes::OP_FALSE;
use bitcoin::opcodes::all::{OP_CHECKSIG, OP_ENDIF, OP_IF};
use bitcoin::script::{Builder, Instruction, PushBytesBuf};
use bitcoin::{Script, ScriptBuf, Transaction, XOnlyPublicKey};

/// Bytes of one push.
const PUSH: usize = 520;
/// Bytes of a message that the reader puts together at most; a standard transaction holds fewer.
const LONGEST: usize = 400_000;
const ORD: &[u8] = b"ord";
const XCP: &[u8] = b"xcp";
/// Fields of an inscription: metaprotocol, MIME type, metadata. The content follows an empty push.
const METAPROTOCOL: &[u8] = &[7];
const MIME: &[u8] = &[1];
const METADATA: &[u8] = &[5];

/// The leaf that carries a message, spendable by `key`.
pub fn leaf(message: &[u8], key: XOnlyPublicKey) -> Result<ScriptBuf, MessageFault> {
    if message.is_empty() {
        return Err(MessageFault::Malformed);
    }
    let mut leaf = Builder::new().push_opcode(OP_FALSE).push_opcode(OP_IF);
    for chunk in message.chunks(PUSH) {
        leaf = leaf.push_slice(PushBytesBuf::try_from(chunk.to_vec()).map_err(|_| MessageFault::TooLong)?);
    }
    Ok(leaf.push_opcode(OP_ENDIF).push_x_only_key(&key).push_opcode(OP_CHECKSIG).into_script())
}

/// The message in the first input's witness `[signature, leaf, control block]`.
pub(super) fn find(tx: &Transaction) -> Option<Vec<u8>> {
    let witness = &tx.input.first()?.witness;
    if witness.len() != 3 {
        return None;
    }
    read(Script::from_bytes(witness.nth(1)?))
}

/// The message in a leaf, plain or as an inscription.
pub fn read(leaf: &Script) -> Option<Vec<u8>> {
    let pushes = pushes(leaf)?;
    match pushes.as_slice() {
        [ORD, METAPROTOCOL, XCP, fields @ ..] => inscription(fields),
        plain => Some(plain.concat()),
    }
}

/// The pushes between `OP_FALSE OP_IF` and `OP_ENDIF <key> OP_CHECKSIG`; `None` for a script of another form.
pub fn pushes(leaf: &Script) -> Option<Vec<&[u8]>> {
    let mut instructions = leaf.instructions();
    if !matches!(instructions.next()?.ok()?, Instruction::PushBytes(empty) if empty.is_empty()) {
        return None;
    }
    if instructions.next()?.ok()? != Instruction::Op(OP_IF) {
        return None;
    }
    let (mut pushes, mut length) = (Vec::new(), 0);
    loop {
        match instructions.next()?.ok()? {
            Instruction::PushBytes(push) => {
                length += push.len();
                if length > LONGEST {
                    return None;
                }
                pushes.push(push.as_bytes());
            }
            Instruction::Op(OP_ENDIF) => break,
            Instruction::Op(_) => return None,
        }
    }
    let Instruction::PushBytes(key) = instructions.next()?.ok()? else { return None };
    let ends = instructions.next()?.ok()? == Instruction::Op(OP_CHECKSIG) && instructions.next().is_none();
    (key.len() == 32 && ends && !pushes.is_empty()).then_some(pushes)
}

/// Puts a message together from an inscription: its metadata is the message without MIME type and description, which are those of the
/// inscription.
fn inscription(fields: &[&[u8]]) -> Option<Vec<u8>> {
    let mut fields = fields.iter();
    let (mut mime, mut metadata) = (None, Vec::new());
    loop {
        match *fields.next()? {
            MIME => mime = Some(std::str::from_utf8(fields.next()?).ok()?),
            METADATA => metadata.extend_from_slice(fields.next()?),
            [] => break,
            _ => return None,
        }
    }
    let content: Vec<u8> = fields.flat_map(|push| push.iter().copied()).collect();
    let mut items = Item::read_list(&metadata).ok()?.into_iter();
    let Some(Item::Whole(id)) = items.next() else { return None };
    let items = items.chain([Item::Text(mime?.to_owned()), Item::Bytes(content)]).collect();
    let mut message = vec![u8::try_from(id).ok().filter(|id| *id > 0)?];
    Item::Array(items).write(&mut message);
    Some(message)
}
