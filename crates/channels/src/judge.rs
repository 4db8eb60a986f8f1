//! Judges for tests: whether a chain would take a transaction. Scripts run in the miniscript interpreter, which shares no code with
//! what builds them here; time locks are held against the height and the ages of the coins.

use bitcoin::{Transaction, TxOut, absolute, transaction};
use causeway_vocab::Height;
use miniscript::interpreter::{Interpreter, SatisfiedConstraint};
use secp256k1_zkp::SECP256K1;

/// A coin as a block holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coin {
    pub(crate) output: TxOut,
    pub(crate) height: Height,
}

/// Why a block of height `height` may not hold `tx`.
pub(crate) fn judge(tx: &Transaction, spent: &[Coin], height: Height) -> Result<(), String> {
    if !tx.is_absolute_timelock_satisfied(
        absolute::Height::from_consensus(height - 1).map_err(|e| e.to_string())?,
        absolute::Time::MIN,
    ) {
        return Err("not final".into());
    }
    let outputs: Vec<TxOut> = spent.iter().map(|coin| coin.output.clone()).collect();
    let total = |outputs: &[TxOut]| outputs.iter().map(|o| o.value.to_sat()).sum::<u64>();
    if total(&outputs) < total(&tx.output) {
        return Err("makes money".into());
    }
    if let Some(dust) = tx.output.iter().find(|o| o.value < o.script_pubkey.minimal_non_dust()) {
        return Err(format!("dust: {}", dust.value));
    }
    let prevouts = bitcoin::sighash::Prevouts::All(&outputs);
    for (index, (input, coin)) in tx.input.iter().zip(spent).enumerate() {
        let age = relative_blocks(tx, input.sequence);
        if age.is_some_and(|age| height < coin.height + u32::from(age)) {
            return Err("not old enough".into());
        }
        let interpreter =
            Interpreter::from_txdata(&coin.output.script_pubkey, &input.script_sig, &input.witness, input.sequence, tx.lock_time)
                .map_err(|e| e.to_string())?;
        for constraint in interpreter.iter(SECP256K1, tx, index, &prevouts) {
            match constraint.map_err(|e| e.to_string())? {
                SatisfiedConstraint::AbsoluteTimelock { .. } if !input.sequence.enables_absolute_lock_time() => {
                    return Err("lock time disabled".into());
                }
                SatisfiedConstraint::RelativeTimelock { .. } if age.is_none() => return Err("relative lock disabled".into()),
                _ => {}
            }
        }
    }
    Ok(())
}

fn relative_blocks(tx: &Transaction, sequence: bitcoin::Sequence) -> Option<u16> {
    let counts = tx.version >= transaction::Version::TWO && sequence.is_relative_lock_time();
    (counts && sequence.is_height_locked()).then_some((sequence.to_consensus_u32() & 0xffff) as u16)
}

/// A key whose secret is a number.
pub(crate) fn key(number: u8) -> bitcoin::key::Keypair {
    let mut secret = [0; 32];
    secret[31] = number;
    bitcoin::key::Keypair::from_seckey_slice(SECP256K1, &secret).expect("a key")
}

/// Why a block of the sidechain at `height` may not hold `tx`, whose coins are explicit or blinded.
pub(crate) fn judge_sidechain(
    tx: &elements::Transaction,
    spent: &[(elements::TxOut, Height)],
    height: Height,
    genesis: elements::BlockHash,
) -> Result<(), String> {
    use elements_miniscript::interpreter::{Interpreter, SatisfiedConstraint};
    let lock = tx.lock_time.to_consensus_u32();
    if lock >= height && tx.input.iter().any(|input| input.sequence != elements::Sequence::MAX) {
        return Err("not final".into());
    }
    let outputs: Vec<elements::TxOut> = spent.iter().map(|(output, _)| output.clone()).collect();
    tx.verify_tx_amt_proofs(SECP256K1, &outputs).map_err(|e| e.to_string())?;
    for (index, input) in tx.input.iter().enumerate() {
        let env = elements_miniscript::TxEnv::new(tx, &outputs, index).ok_or("counts differ")?;
        let witness = input.witness.script_witness.to_vec();
        let script = &outputs[index].script_pubkey;
        let interpreter = Interpreter::<elements_miniscript::NoExt>::from_txdata_ext(
            script,
            &input.script_sig,
            &witness,
            elements::Sequence::ZERO,
            tx.lock_time,
        )
        .map_err(|e| e.to_string())?;
        for constraint in interpreter.iter(SECP256K1, &env, genesis) {
            match constraint.map_err(|e| e.to_string())? {
                SatisfiedConstraint::AbsoluteTimelock { .. } if input.sequence.is_final() => {
                    return Err("lock time disabled".into());
                }
                _ => {}
            }
        }
    }
    Ok(())
}
