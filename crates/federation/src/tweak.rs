//! Keys and scripts of deposits: the peg script tweaked with a claim script.

use bitcoin::ScriptBuf;
use bitcoin::hashes::{Hash as _, HashEngine as _, Hmac, HmacEngine, sha256};
use bitcoin::opcodes::all::{OP_CHECKMULTISIG, OP_CSV, OP_ENDIF, OP_IFDUP, OP_NOTIF, OP_VERIFY};
use bitcoin::secp256k1::{PublicKey, SECP256K1, Scalar, SecretKey};

/// Most keys of one multisig: counts are single opcodes.
const MAX_KEYS: usize = 15;

/// A peg script, read: a bare k-of-n, or one with an emergency path, as Liquid's is:
/// `k <key>… n CHECKMULTISIG IFDUP NOTIF <delay> CSV VERIFY k' <key'>… n' CHECKMULTISIG ENDIF`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PegScript {
    /// How many must sign.
    pub k: u8,
    /// The keys, in script order.
    pub keys: Vec<PublicKey>,
    /// Who may spend what has lain still for long.
    pub emergency: Option<EmergencyPath>,
}

/// The time-locked way out of a peg script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyPath {
    /// Bitcoin blocks that must have passed over a coin (BIP68, BIP112).
    pub delay: u16,
    /// How many must sign.
    pub k: u8,
    /// The keys, in script order.
    pub keys: Vec<PublicKey>,
}

/// Why a script is no peg script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PegScriptFault {
    /// It asks for more signatures than it has keys: nobody can ever spend.
    #[error("{k} signatures of {n} keys")]
    Threshold {
        /// Signatures asked for.
        k: u8,
        /// Keys there are.
        n: u8,
    },
    /// An emergency path that is open at once.
    #[error("the emergency path has no delay")]
    NoDelay,
    /// Of another form, or with a key that is none: not known to be spendable.
    #[error("no k-of-n multisig, with or without an emergency path")]
    Form,
}

impl PegScript {
    /// Reads a peg script; `None` when it is none. See [`PegScript::read`].
    pub fn parse(script: &bitcoin::Script) -> Option<PegScript> {
        PegScript::read(script).ok()
    }

    /// Reads a peg script and says why it is none. At most 15 keys each, all compressed; everything pushed in the shortest way.
    pub fn read(script: &bitcoin::Script) -> Result<PegScript, PegScriptFault> {
        let (k, keys, rest) = read_multisig(script.as_bytes())?;
        let emergency = match rest {
            [] => None,
            rest => Some(read_emergency(rest)?),
        };
        let read = PegScript { k, keys, emergency };
        // Whatever was not looked at, such as a number pushed in a longer way, shows here.
        if read.to_script().as_script() == script { Ok(read) } else { Err(PegScriptFault::Form) }
    }

    /// The same script for deposits that `claim_script` can claim. `None` in the one case of 2^128 where a tweaked key is no key.
    ///
    /// Key P becomes P + HMAC-SHA256(key P, claim script)·G, those of the emergency path too. Source: calculate_contract in pegins.cpp of
    /// Elements.
    pub fn tweaked(&self, claim_script: &[u8]) -> Option<PegScript> {
        let tweak = |key: &PublicKey| key.add_exp_tweak(SECP256K1, &tweak_of(key, claim_script)?).ok();
        let all = |keys: &[PublicKey]| keys.iter().map(tweak).collect::<Option<Vec<_>>>();
        let emergency = match &self.emergency {
            None => None,
            Some(path) => Some(EmergencyPath { keys: all(&path.keys)?, ..*path }),
        };
        Some(PegScript { k: self.k, keys: all(&self.keys)?, emergency })
    }

    /// The script that [`PegScript::parse`] reads.
    pub fn to_script(&self) -> ScriptBuf {
        let builder = multisig(bitcoin::script::Builder::new(), self.k, &self.keys);
        let Some(path) = &self.emergency else { return builder.into_script() };
        let builder = builder.push_opcode(OP_IFDUP).push_opcode(OP_NOTIF).push_int(path.delay.into());
        let builder = multisig(builder.push_opcode(OP_CSV).push_opcode(OP_VERIFY), path.k, &path.keys);
        builder.push_opcode(OP_ENDIF).into_script()
    }
}

fn multisig(builder: bitcoin::script::Builder, k: u8, keys: &[PublicKey]) -> bitcoin::script::Builder {
    let builder = keys.iter().fold(builder.push_int(k.into()), |b, key| b.push_key(&bitcoin::PublicKey::new(*key)));
    builder.push_int(keys.len() as i64).push_opcode(OP_CHECKMULTISIG)
}

/// Reads `k <key>… n CHECKMULTISIG` off the front.
fn read_multisig(script: &[u8]) -> Result<(u8, Vec<PublicKey>, &[u8]), PegScriptFault> {
    let [k @ 0x51..=0x5f, rest @ ..] = script else { return Err(PegScriptFault::Form) };
    let mut rest = rest;
    let mut keys = Vec::new();
    while let [33, tail @ ..] = rest {
        let (key, tail) = tail.split_at_checked(33).ok_or(PegScriptFault::Form)?;
        keys.push(PublicKey::from_slice(key).map_err(|_| PegScriptFault::Form)?);
        rest = tail;
    }
    let [n @ 0x51..=0x5f, op, rest @ ..] = rest else { return Err(PegScriptFault::Form) };
    let (k, n) = (k - 0x50, n - 0x50);
    if usize::from(n) != keys.len() || keys.len() > MAX_KEYS || *op != OP_CHECKMULTISIG.to_u8() {
        return Err(PegScriptFault::Form);
    }
    if k > n { Err(PegScriptFault::Threshold { k, n }) } else { Ok((k, keys, rest)) }
}

fn read_emergency(script: &[u8]) -> Result<EmergencyPath, PegScriptFault> {
    let (if_, verify) = ([OP_IFDUP.to_u8(), OP_NOTIF.to_u8()], [OP_CSV.to_u8(), OP_VERIFY.to_u8()]);
    let rest = script.strip_prefix(&if_).ok_or(PegScriptFault::Form)?;
    let (delay, rest) = match rest {
        [op @ 0x51..=0x60, rest @ ..] => (u32::from(op - 0x50), rest),
        [1, a, rest @ ..] => (u32::from(*a), rest),
        [2, a, b, rest @ ..] => (u32::from_le_bytes([*a, *b, 0, 0]), rest),
        [3, a, b, c, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, 0]), rest),
        [0, ..] => return Err(PegScriptFault::NoDelay),
        _ => return Err(PegScriptFault::Form),
    };
    let delay = u16::try_from(delay).map_err(|_| PegScriptFault::Form)?;
    let rest = rest.strip_prefix(&verify).ok_or(PegScriptFault::Form)?;
    let (k, keys, rest) = read_multisig(rest)?;
    if rest == [OP_ENDIF.to_u8()] { Ok(EmergencyPath { delay, k, keys }) } else { Err(PegScriptFault::Form) }
}

fn tweak_of(key: &PublicKey, claim_script: &[u8]) -> Option<Scalar> {
    let mut engine = HmacEngine::<sha256::Hash>::new(&key.serialize());
    engine.input(claim_script);
    Scalar::from_be_bytes(Hmac::from_engine(engine).to_byte_array()).ok()
}

/// The secret key that signs for a deposit claimed by `claim_script`.
pub(crate) fn tweak_secret(key: &SecretKey, claim_script: &[u8]) -> Option<SecretKey> {
    key.add_tweak(&tweak_of(&key.public_key(SECP256K1), claim_script)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hex::{DisplayHex as _, FromHex as _};

    #[test]
    fn scripts_and_keys_are_tweaked_as_elementsd_does() {
        let text = include_str!("../../../tests/fixtures/elements/pegin.json");
        let fixture: serde_json::Value = serde_json::from_str(text).expect("fixture is JSON");
        let cases = fixture["valid"].as_array().expect("cases");
        assert!(!cases.is_empty());
        for case in cases {
            let hex = |value: &serde_json::Value| Vec::<u8>::from_hex(value.as_str().expect("hex")).expect("hex");
            let federation = &case["federation"];
            let claim = hex(&case["claim_script"]);
            let script = bitcoin::ScriptBuf::from_bytes(hex(&federation["fedpegscript"]));
            let tweaked = PegScript::parse(&script).expect("bare multisig").tweaked(&claim).expect("keys");
            assert_eq!(
                tweaked.to_script().as_bytes().to_lower_hex_string(),
                federation["tweaked_fedpegscript"].as_str().expect("hex")
            );
        }
    }

    #[test]
    fn the_tweaked_secret_key_is_that_of_the_tweaked_public_key() {
        let keys = crate::functionary::tests::keys(4);
        let script = crate::functionary::tests::federation(0, 5, 3).fedpegscript();
        let tweaked = PegScript::parse(&script).expect("bare multisig").tweaked(b"claim").expect("keys");
        let secret = tweak_secret(&keys.fedpeg, b"claim").expect("a key");
        assert_eq!(secret.public_key(SECP256K1), tweaked.keys[4]);
    }

    #[test]
    fn what_is_no_peg_script_is_none_and_says_why() {
        use crate::functionary::tests::{emergency, federation};
        let bare = federation(0, 5, 3);
        let full = bare.clone().with_emergency(emergency(3, 2, 144)).expect("workable");
        for federation in [bare.clone(), full.clone()] {
            let script = federation.fedpegscript();
            let read = PegScript::parse(&script).expect("ours");
            assert_eq!(read.to_script(), script);
            assert_eq!(read.emergency.is_some(), federation == full);
            for cut in 0..script.len() {
                let cut = bitcoin::Script::from_bytes(&script.as_bytes()[..cut]);
                // What stands before the emergency path is a script of its own.
                assert_eq!(PegScript::parse(cut).is_some(), federation == full && *cut == *bare.fedpegscript(), "{cut}");
            }
        }
        let spoil = |at: usize, to: u8| {
            let mut bytes = full.fedpegscript().to_bytes();
            bytes[at] = to;
            PegScript::read(bitcoin::Script::from_bytes(&bytes)).expect_err("spoilt")
        };
        assert_eq!(spoil(0, 0x56), PegScriptFault::Threshold { k: 6, n: 5 });
        let path = bare.fedpegscript().len();
        // IFDUP NOTIF 02 90 00 CSV VERIFY 52 …
        assert_eq!(spoil(path + 7, 0x54), PegScriptFault::Threshold { k: 4, n: 3 });
        assert_eq!(spoil(path, 0x51), PegScriptFault::Form);
        assert_eq!(PegScript::read(bitcoin::Script::from_bytes(&[0x6a])), Err(PegScriptFault::Form));
        // A number in more bytes than it needs.
        let mut long = full.fedpegscript().to_bytes();
        long.splice(path + 2..path + 5, [3, 0x90, 0, 0]);
        assert_eq!(PegScript::read(bitcoin::Script::from_bytes(&long)), Err(PegScriptFault::Form));
        long.splice(path + 2..path + 6, [0]);
        assert_eq!(PegScript::read(bitcoin::Script::from_bytes(&long)), Err(PegScriptFault::NoDelay));
    }

    #[test]
    fn the_script_of_liquid_is_read_and_tweaked_whole() {
        let text = include_str!("../../../tests/fixtures/liquid-public/pegin_addresses.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(text).expect("fixture is JSON");
        let mut seen = 0;
        for case in &cases {
            let hex = |name: &str| Vec::<u8>::from_hex(case[name].as_str().expect("hex")).expect("hex");
            // The first watchman script is of a form that no proposal may have any more.
            let Some(script) = PegScript::parse(&ScriptBuf::from_bytes(hex("fedpegscript"))) else { continue };
            if let Some(path) = &script.emergency {
                assert_eq!((script.k, script.keys.len(), path.k, path.keys.len(), path.delay), (11, 15, 2, 3, 4032));
                seen += 1;
            }
            let tweaked = script.tweaked(&hex("claim_script")).expect("keys");
            assert_eq!(tweaked.to_script().as_bytes().to_lower_hex_string(), case["contract"].as_str().expect("hex"));
        }
        assert!(seen >= 1, "{seen} cases of today's form");
    }
}
