//! Peg-in addresses: the federation's script, tweaked so that a deposit belongs to the owner of a claim script.

use super::federation::{Fedpeg, OP_DEPTH};
use super::pegin::PeginFault;
use bitcoin::hashes::{Hash as _, HashEngine as _, Hmac, HmacEngine, sha256};
use bitcoin::opcodes::all::{
    OP_CHECKMULTISIG, OP_CSV, OP_DROP, OP_ELSE, OP_ENDIF, OP_EQUAL, OP_IF, OP_PUSHNUM_1, OP_PUSHNUM_16, OP_PUSHNUM_NEG1,
};
use bitcoin::script::{Builder, Instruction, PushBytes, Script as ParentScript, ScriptBuf};
use elements::Script;
use secp256k1_zkp::{PublicKey, SECP256K1, Scalar};

/// The tweak of one federation key: HMAC-SHA256 with the key as key and the claim script as message.
pub fn tweak_of(key: &[u8; 33], claim_script: &Script) -> [u8; 32] {
    let mut engine = HmacEngine::<sha256::Hash>::new(key);
    engine.input(claim_script.as_bytes());
    Hmac::from_engine(engine).to_byte_array()
}

/// Tweaks every key of a federation script with the claim script.
///
/// Key P becomes P + HMAC-SHA256(P, claim script)·G. In the first Liquid watchman script (it starts with OP_DEPTH) the keys behind
/// OP_ELSE stay. Source: calculate_contract in pegins.cpp of Elements.
pub fn tweak_federation_script(fedpegscript: &ParentScript, claim_script: &Script) -> Result<ScriptBuf, PeginFault> {
    let instructions: Vec<Instruction<'_>> =
        fedpegscript.instructions().collect::<Result<_, _>>().map_err(|_| PeginFault::BadFederationScript)?;
    let spare_emergency_keys = is_first_watchman(&instructions);
    let mut emergency = false;
    let mut builder = Builder::new();
    for instruction in instructions {
        builder = match instruction {
            Instruction::Op(op) => {
                emergency |= spare_emergency_keys && op == OP_ELSE;
                builder.push_opcode(op)
            }
            Instruction::PushBytes(bytes) => match <&[u8; 33]>::try_from(bytes.as_bytes()) {
                Ok(key) if !emergency => builder.push_slice(tweaked(key, claim_script)?),
                _ => builder.push_slice(bytes),
            },
        };
    }
    Ok(builder.into_script())
}

/// The Bitcoin output script to pay for a peg-in that `claim_script` can claim: P2WSH, or P2SH-P2WSH where the federation's program is
/// P2SH. Refused for any other program.
pub fn deposit_script(fedpeg: &Fedpeg, claim_script: &Script) -> Result<ScriptBuf, PeginFault> {
    let p2wsh = tweak_federation_script(&fedpeg.script, claim_script)?.to_p2wsh();
    if fedpeg.program.is_p2sh() {
        Ok(p2wsh.to_p2sh())
    } else if fedpeg.program.is_p2wsh() {
        Ok(p2wsh)
    } else {
        Err(PeginFault::BadFederationScript)
    }
}

/// Satoshi that a transaction must burn whose peg-ins total less than the subsidy threshold (ELIP-202): the parent's fee for spending them.
///
/// `threshold` is the k of the federation's k-of-n, `fedpegscript` the length of its script in bytes, `rate` the parent's fee rate in
/// satoshi per 1000 virtual bytes; less than 1 sat/vB counts as 1. `None` when it overflows.
pub fn subsidy(pegins: u32, threshold: u32, fedpegscript: usize, rate: u64) -> Option<u64> {
    /// Weight of outpoint, script length and sequence, at four units per byte.
    const INPUT_WEIGHT: u64 = 4 * 41;
    /// Weight of one signature with its length.
    const SIGNATURE_WEIGHT: u64 = 72;
    let weight = INPUT_WEIGHT.checked_add(SIGNATURE_WEIGHT * u64::from(threshold))?.checked_add(fedpegscript as u64)?;
    let vsize = weight.div_ceil(4);
    Some(vsize.checked_mul(u64::from(pegins))?.checked_mul(rate.max(1000))?.div_ceil(1000))
}

fn tweaked(key: &[u8; 33], claim_script: &Script) -> Result<[u8; 33], PeginFault> {
    let tweak = Scalar::from_be_bytes(tweak_of(key, claim_script)).map_err(|_| PeginFault::BadFederationScript)?;
    let tweaked = PublicKey::from_slice(key).and_then(|key| key.add_exp_tweak(SECP256K1, &tweak));
    tweaked.map(|key| key.serialize()).map_err(|_| PeginFault::BadFederationScript)
}

/// `DEPTH n EQUAL IF k … ELSE delay CSV DROP k' … ENDIF CHECKMULTISIG` with k and k' different.
fn is_first_watchman(script: &[Instruction<'_>]) -> bool {
    let op = |instruction: &Instruction<'_>, wanted| *instruction == Instruction::Op(wanted);
    let [depth, _, equal, if_, k, rest @ ..] = script else { return false };
    let is_depth = matches!(depth, Instruction::Op(op) if op.to_u8() == OP_DEPTH);
    if !is_depth || !op(equal, OP_EQUAL) || !op(if_, OP_IF) || !is_number(k) {
        return false;
    }
    let Some(else_) = rest.iter().position(|i| op(i, OP_ELSE)) else { return false };
    let [delay, csv, drop, k_emergency, rest @ ..] = &rest[else_ + 1..] else { return false };
    let Some(endif) = rest.iter().position(|i| op(i, OP_ENDIF)) else { return false };
    is_number(delay)
        && op(csv, OP_CSV)
        && op(drop, OP_DROP)
        && is_number(k_emergency)
        && k != k_emergency
        && matches!(&rest[endif + 1..], [last] if op(last, OP_CHECKMULTISIG))
}

/// A minimal push of data or of a small number.
fn is_number(instruction: &Instruction<'_>) -> bool {
    match instruction {
        Instruction::Op(op) => *op == OP_PUSHNUM_NEG1 || (OP_PUSHNUM_1.to_u8()..=OP_PUSHNUM_16.to_u8()).contains(&op.to_u8()),
        Instruction::PushBytes(bytes) => is_minimal(bytes),
    }
}

/// Data that no single opcode could push.
fn is_minimal(bytes: &PushBytes) -> bool {
    !matches!(bytes.as_bytes(), [1..=16] | [0x81])
}
