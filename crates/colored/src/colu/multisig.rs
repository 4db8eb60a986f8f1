//! Hashes that do not fit into the payload, dressed as keys of a bare multisig output.
//!
//! Such an output is output 0; all others move up by one.

use super::message::Leftover;
use bitcoin::opcodes::all::{OP_CHECKMULTISIG, OP_PUSHNUM_1, OP_PUSHNUM_2, OP_PUSHNUM_3};
use bitcoin::{PublicKey, Script, ScriptBuf};

const KEY: usize = 33;
/// A push of a key.
const PUSH: u8 = 0x21;

/// The script that carries `leftover`; `None` for hashes that no message leaves over. `key` can spend the output; without one nobody can.
pub fn script(key: Option<PublicKey>, leftover: &[Leftover]) -> Option<ScriptBuf> {
    let real = match key {
        Some(key) => <[u8; KEY]>::try_from(key.to_bytes().as_slice()).ok()?,
        None => {
            let mut nobody = [0xff; KEY];
            nobody[0] = 3;
            nobody
        }
    };
    let (sha2, torrent) = match leftover {
        [Leftover::Sha2(sha2)] => (sha2, None),
        [Leftover::Torrent(torrent), Leftover::Sha2(sha2)] => (sha2, Some(torrent)),
        _ => return None,
    };
    let mut keys = vec![real];
    let mut dressed = [3; KEY];
    dressed[1..].copy_from_slice(sha2);
    keys.push(dressed);
    if let Some(torrent) = torrent {
        let mut dressed = [0; KEY];
        dressed[0] = 3;
        dressed[12..32].copy_from_slice(torrent);
        keys.push(dressed);
    }
    let count = if keys.len() == 2 { OP_PUSHNUM_2 } else { OP_PUSHNUM_3 };
    let mut bytes = vec![OP_PUSHNUM_1.to_u8()];
    for key in keys {
        bytes.push(PUSH);
        bytes.extend_from_slice(&key);
    }
    bytes.extend([count.to_u8(), OP_CHECKMULTISIG.to_u8()]);
    Some(ScriptBuf::from_bytes(bytes))
}

/// The hashes in a script of this form. Any 1-of-2 or 1-of-3 looks like one: only a message that asks for it gives it meaning.
pub fn read(script: &Script) -> Option<Vec<Leftover>> {
    let keys = script.as_bytes().strip_prefix(&[OP_PUSHNUM_1.to_u8()])?;
    let (keys, end) = keys.split_at_checked(keys.len().checked_sub(2)?)?;
    let count = if end[0] == OP_PUSHNUM_2.to_u8() { 2 } else { 3 };
    let known = end[1] == OP_CHECKMULTISIG.to_u8() && (count == 2 || end[0] == OP_PUSHNUM_3.to_u8());
    let whole = keys.len() == count * (KEY + 1) && keys.chunks(KEY + 1).all(|key| key[0] == PUSH);
    if !known || !whole {
        return None;
    }
    let mut keys = keys.chunks(KEY + 1).map(|key| &key[1..]).skip(1);
    let sha2 = Leftover::Sha2(keys.next()?.get(1..)?.try_into().ok()?);
    let torrent = keys.next().map(|key| key[12..32].try_into().map(Leftover::Torrent)).transpose().ok()?;
    Some(torrent.into_iter().chain([sha2]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_read_back_from_the_script() {
        for leftover in [vec![Leftover::Sha2([7; 32])], vec![Leftover::Torrent([8; 20]), Leftover::Sha2([7; 32])]] {
            let script = script(None, &leftover).expect("of this form");
            assert_eq!(read(&script), Some(leftover));
            assert_eq!(read(Script::from_bytes(&script.as_bytes()[1..])), None);
            assert_eq!(read(Script::from_bytes(&script.as_bytes()[..40])), None);
        }
        assert_eq!(script(None, &[Leftover::Torrent([8; 20])]), None);
        assert_eq!(read(Script::from_bytes(&[])), None);
    }
}
