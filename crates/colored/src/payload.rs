//! What an `OP_RETURN` output carries.

use crate::bytes::Bytes;
use bitcoin::opcodes::all::{OP_PUSHDATA1, OP_PUSHDATA2, OP_PUSHDATA4, OP_RETURN};
use bitcoin::script::PushBytesBuf;
use bitcoin::{Script, ScriptBuf};

/// The data of an output script that starts with `OP_RETURN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload<'s> {
    /// Exactly one push, whatever its opcode.
    Single(&'s [u8]),
    /// Anything else behind the opcode. Readers differ on such scripts; [`pushes`] lists what some of them see.
    Irregular(&'s Script),
}

/// The payload of a script; `None` when it does not start with `OP_RETURN`.
pub fn of(script: &Script) -> Option<Payload<'_>> {
    let (first, rest) = script.as_bytes().split_first()?;
    if *first != OP_RETURN.to_u8() {
        return None;
    }
    let mut bytes = Bytes(rest);
    match push(&mut bytes) {
        Some(Some(data)) if bytes.is_empty() => Some(Payload::Single(data)),
        _ => Some(Payload::Irregular(Script::from_bytes(rest))),
    }
}

/// Every whole push of a script, up to where it breaks off.
pub fn pushes(script: &Script) -> impl Iterator<Item = &[u8]> {
    let mut bytes = Bytes(script.as_bytes());
    std::iter::from_fn(move || push(&mut bytes)).flatten()
}

/// The output script that carries `payload` in the shortest single push; `None` past what a push can hold.
pub fn script(payload: &[u8]) -> Option<ScriptBuf> {
    let push = PushBytesBuf::try_from(payload.to_vec()).ok()?;
    let mut script = ScriptBuf::from_bytes(vec![OP_RETURN.to_u8()]);
    // A one-byte payload that is a small number has an opcode of its own, which readers of payloads do not know.
    script.push_slice(&push);
    Some(script)
}

/// The next instruction: its data when it is a push. `None` at the end or where the script breaks off.
fn push<'s>(bytes: &mut Bytes<'s>) -> Option<Option<&'s [u8]>> {
    let opcode = bytes.byte()?;
    let length = match opcode {
        0x01..=0x4b => usize::from(opcode),
        _ if opcode == OP_PUSHDATA1.to_u8() => usize::from(bytes.byte()?),
        _ if opcode == OP_PUSHDATA2.to_u8() => usize::from(u16::from_le_bytes(bytes.array()?)),
        _ if opcode == OP_PUSHDATA4.to_u8() => usize::try_from(u32::from_le_bytes(bytes.array()?)).ok()?,
        _ => return Some(None),
    };
    bytes.take(length).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hex::FromHex as _;

    #[test]
    fn one_push_is_a_payload_whatever_its_opcode() {
        for (script, payload) in [
            ("6a026162", Some("6162")),
            ("6a4c026162", Some("6162")),
            ("6a4d02006162", Some("6162")),
            ("6a4e020000006162", Some("6162")),
            ("6a", None),
            ("6a02", None),
            ("6a0261", None),
            ("6a02616251", None),
            ("6a4effffffff61", None),
            ("6a51", None),
        ] {
            let script = ScriptBuf::from_hex(script).expect("hex");
            let single = match of(&script).expect("starts with OP_RETURN") {
                Payload::Single(data) => Some(data.to_vec()),
                Payload::Irregular(_) => None,
            };
            assert_eq!(single, payload.map(|hex| Vec::from_hex(hex).expect("hex")), "{script:x}");
        }
        assert_eq!(of(Script::from_bytes(&[])), None);
        assert_eq!(of(Script::from_bytes(&[0x51])), None);
    }

    #[test]
    fn a_written_payload_reads_back() {
        for length in [0, 1, 75, 76, 255, 256, 65_535, 65_536] {
            let payload = vec![7; length];
            let script = script(&payload).expect("fits");
            assert_eq!(of(&script).is_some_and(|read| read == Payload::Single(&payload)), length > 0, "{length}");
        }
    }
}
