//! Spending conditions: whether an input satisfies the script of the coin it spends.
//!
//! Scripts run in the interpreter of `elements-miniscript`: keys, multisig, hashes and time locks, bare, in P2SH, P2WSH or a tapleaf.
//! A script outside miniscript, a covenant or a Simplicity leaf is refused, which makes this node stricter than elementsd.

use elements::hashes::sha256;
use elements::opcodes::all as op;
use elements::script::Instruction;
use elements::{BlockHash, Script, Sequence, Transaction, TxIn, TxOut};
use elements_miniscript::interpreter::{Interpreter, SatisfiedConstraint};
use elements_miniscript::{NoExt, TxEnv};
use secp256k1_zkp::SECP256K1;

/// What a CHECKMULTISIG counts for where its number of keys is not known.
const MAX_MULTISIG_KEYS: u32 = 20;
/// Legacy signature operations count this much in the block limit.
const LEGACY_SCALE: u32 = 4;

/// Why an input may not spend its coin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptFault {
    /// `spent` must hold one output per input.
    #[error("{got} spent outputs for {want} inputs")]
    SpentCount {
        /// Outputs given.
        got: usize,
        /// Inputs there are.
        want: usize,
    },
    /// Not a form that this node can run.
    #[error("input {index}: unsupported script")]
    Unsupported {
        /// Input.
        index: usize,
    },
    /// The script is not satisfied.
    #[error("input {index}: {why}")]
    Unsatisfied {
        /// Input.
        index: usize,
        /// What the interpreter says.
        why: String,
    },
}

/// Checks the script of every input against the outputs they spend. `genesis` goes into taproot signatures.
pub fn verify(tx: &Transaction, spent: &[TxOut], genesis: BlockHash) -> Result<(), ScriptFault> {
    for (index, input) in tx.input.iter().enumerate() {
        let counts = ScriptFault::SpentCount { got: spent.len(), want: tx.input.len() };
        let env = TxEnv::new(tx, spent, index).ok_or(counts)?;
        verify_input(tx, input, &spent[index].script_pubkey, index, &env, genesis)?;
    }
    Ok(())
}

fn verify_input(
    tx: &Transaction,
    input: &TxIn,
    script_pubkey: &Script,
    index: usize,
    env: &TxEnv<'_, '_>,
    genesis: BlockHash,
) -> Result<(), ScriptFault> {
    let witness = input.witness.script_witness.to_vec();
    check_witness_script(script_pubkey, &input.script_sig, &witness, index)?;
    let unsatisfied = |why: &dyn std::fmt::Display| ScriptFault::Unsatisfied { index, why: why.to_string() };
    let (age, lock_time) = (relative_age(tx, input.sequence), tx.lock_time);
    let interpreter = Interpreter::<NoExt>::from_txdata_ext(
        script_pubkey,
        &input.script_sig,
        &witness,
        age.unwrap_or(Sequence::ZERO),
        lock_time,
    )
    .map_err(|e| unsatisfied(&e))?;
    for constraint in interpreter.iter(SECP256K1, env, genesis) {
        match constraint.map_err(|e| unsatisfied(&e))? {
            // The interpreter compares plain numbers; BIP112 and BIP65 want the units to be the same and the locks to be enabled.
            SatisfiedConstraint::RelativeTimelock { n } if !age.is_some_and(|age| has_passed(n, age)) => {
                return Err(unsatisfied(&"relative lock time not met"));
            }
            SatisfiedConstraint::AbsoluteTimelock { .. } if input.sequence.is_final() => {
                return Err(unsatisfied(&"lock time disabled by a final sequence"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks what the interpreter takes for granted: that the witness script of a P2WSH hashes to its program. Covenants, which it would
/// run before it had compared the hash, are refused.
fn check_witness_script(
    script_pubkey: &Script,
    script_sig: &Script,
    witness: &[Vec<u8>],
    index: usize,
) -> Result<(), ScriptFault> {
    let nested = match script_sig.instructions().last() {
        Some(Ok(Instruction::PushBytes(redeem))) if script_pubkey.is_p2sh() => Some(Script::from(redeem.to_vec())),
        _ => None,
    };
    let program = nested.as_ref().unwrap_or(script_pubkey);
    if !program.is_v0_p2wsh() {
        return Ok(());
    }
    let unsatisfied = |why: &str| ScriptFault::Unsatisfied { index, why: why.to_owned() };
    let script = witness.last().ok_or_else(|| unsatisfied("no witness script"))?;
    if sha256::Hash::hash(script).as_byte_array()[..] != program.as_bytes()[2..] {
        return Err(unsatisfied("another witness script"));
    }
    let covenant = |op| [op::OP_CHECKSIGFROMSTACK, op::OP_CHECKSIGFROMSTACKVERIFY, op::OP_CODESEPARATOR].contains(&op);
    let script = Script::from(script.clone());
    if script.instructions().any(|instruction| matches!(instruction, Ok(Instruction::Op(op)) if covenant(op))) {
        return Err(ScriptFault::Unsupported { index });
    }
    Ok(())
}

/// The relative lock that an input satisfies, unit and number only; `None` where relative locks are disabled (BIP112).
fn relative_age(tx: &Transaction, sequence: Sequence) -> Option<Sequence> {
    (tx.version >= 2 && sequence.is_relative_lock_time()).then(|| masked(sequence))
}

fn has_passed(needed: Sequence, age: Sequence) -> bool {
    let needed = masked(needed);
    needed.is_time_locked() == age.is_time_locked() && needed.to_consensus_u32() <= age.to_consensus_u32()
}

/// The bits that BIP68 gives a meaning to: the unit and sixteen bits of number.
fn masked(sequence: Sequence) -> Sequence {
    Sequence::from_consensus(sequence.to_consensus_u32() & 0x0040_ffff)
}

/// Signature operations as the block limit counts them: legacy ones four times.
///
/// `spent` is empty for a coinbase.
pub fn sigop_cost(tx: &Transaction, spent: &[TxOut]) -> u32 {
    let scripts = tx.input.iter().map(|input| &input.script_sig).chain(tx.output.iter().map(|output| &output.script_pubkey));
    let mut cost = scripts.map(|script| sigops(script, false) * LEGACY_SCALE).sum::<u32>();
    for (input, coin) in tx.input.iter().zip(spent) {
        let nested = match input.script_sig.instructions().last() {
            Some(Ok(Instruction::PushBytes(redeem))) if coin.script_pubkey.is_p2sh() => Some(Script::from(redeem.to_vec())),
            _ => None,
        };
        // Of a peg-in only the witness counts.
        if let Some(redeem) = nested.as_ref().filter(|_| !input.is_pegin) {
            cost = cost.saturating_add(sigops(redeem, true) * LEGACY_SCALE);
        }
        let program = nested.as_ref().unwrap_or(&coin.script_pubkey);
        if program.is_v0_p2wpkh() {
            cost = cost.saturating_add(1);
        } else if program.is_v0_p2wsh() {
            let script = input.witness.script_witness.last().map(|script| Script::from(script.to_vec()));
            cost = cost.saturating_add(script.map_or(0, |script| sigops(&script, true)));
        }
    }
    cost
}

fn sigops(script: &Script, accurate: bool) -> u32 {
    let mut count = 0u32;
    let mut last = None;
    for instruction in script.instructions().map_while(Result::ok) {
        let Instruction::Op(opcode) = instruction else {
            last = None;
            continue;
        };
        count = count.saturating_add(match opcode {
            op::OP_CHECKSIG | op::OP_CHECKSIGVERIFY | op::OP_CHECKSIGFROMSTACK | op::OP_CHECKSIGFROMSTACKVERIFY => 1,
            op::OP_CHECKMULTISIG | op::OP_CHECKMULTISIGVERIFY => match last {
                Some(n @ 0x51..=0x60) if accurate => u32::from(n - 0x50),
                _ => MAX_MULTISIG_KEYS,
            },
            _ => 0,
        });
        last = Some(opcode.into_u8());
    }
    count
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
