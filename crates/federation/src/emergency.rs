//! Emergency withdrawal: the time-locked path of the peg script, spent by a quorum that is not the functionaries.
//!
//! When too few functionaries are left to move the federation's bitcoin, the quorum waits until Bitcoin has put `delay` blocks on top of a
//! coin's own and spends it alone. That the time has passed is checked by every Bitcoin node (BIP68, BIP112), so nothing here needs to know
//! the height. While the functionaries work, every coin they move becomes young again.

use crate::message::Signature;
use crate::tweak::{self, PegScript};
use crate::watchman::Coin;
use crate::watchman::plan::sighash;
use bitcoin::absolute::LockTime;
use bitcoin::secp256k1::{PublicKey, SECP256K1, SecretKey};
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};

/// Most coins of one withdrawal: keeps it below what Bitcoin nodes relay.
pub const MAX_COINS: usize = 100;

/// A withdrawal that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WithdrawalFault {
    /// No coins, or more than [`MAX_COINS`].
    #[error("a withdrawal takes 1 to {MAX_COINS} coins")]
    Count,
    /// The coin's script has no emergency path.
    #[error("coin {0} has no emergency path")]
    NoPath(OutPoint),
    /// The coins hold less than fee and dust.
    #[error("the coins hold {held} sat, fee and dust are {needed}")]
    Short {
        /// What they hold, satoshi.
        held: u64,
        /// Fee and dust, satoshi.
        needed: u64,
    },
    /// Too few of the quorum have signed for a coin.
    #[error("{have} of {need} signatures for coin {coin}")]
    Signatures {
        /// The coin.
        coin: OutPoint,
        /// Good signatures.
        have: usize,
        /// Signatures needed.
        need: u8,
    },
}

/// Coins that are withdrawn together, with what their signatures sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    tx: Transaction,
    coins: Vec<(OutPoint, Coin)>,
}

impl Withdrawal {
    /// Everything that these coins hold, less the fee at `fee_rate` (sat/vB), to one script.
    pub fn new(coins: Vec<(OutPoint, Coin)>, to: ScriptBuf, fee_rate: u64) -> Result<Withdrawal, WithdrawalFault> {
        if coins.is_empty() || coins.len() > MAX_COINS {
            return Err(WithdrawalFault::Count);
        }
        let mut input = Vec::with_capacity(coins.len());
        let mut held = 0_u64;
        let mut weight = 4 * (11 + 9 + to.len() as u64) + 2;
        for (outpoint, coin) in &coins {
            let no_path = || WithdrawalFault::NoPath(*outpoint);
            let script = coin.peg_script().ok_or_else(no_path)?;
            let path = script.emergency.as_ref().ok_or_else(no_path)?;
            let script_sig = coin.script_sig().ok_or_else(no_path)?;
            // Two dummies, an empty item for each signature of the other path, signatures of 72 bytes, and the script.
            let items = 2 + u64::from(script.k) + 73 * u64::from(path.k) + 3 + script.to_script().len() as u64;
            weight += 4 * (41 + script_sig.len() as u64) + 3 + items;
            held = held.saturating_add(coin.sat);
            let sequence = Sequence::from_height(path.delay);
            input.push(TxIn { previous_output: *outpoint, script_sig, sequence, witness: Witness::new() });
        }
        let fee = fee_rate.saturating_mul(weight.div_ceil(4));
        let needed = fee.saturating_add(to.minimal_non_dust().to_sat());
        if held < needed {
            return Err(WithdrawalFault::Short { held, needed });
        }
        let output = vec![TxOut { value: Amount::from_sat(held - fee), script_pubkey: to }];
        // Version 2: below it sequence numbers mean nothing and the path stays shut.
        let tx = Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input, output };
        Ok(Withdrawal { tx, coins })
    }

    /// The transaction without witnesses.
    pub fn unsigned(&self) -> &Transaction {
        &self.tx
    }

    /// The signatures of one of the quorum, one per coin; `None` where it has no key of that coin.
    pub fn sign(&self, key: &SecretKey) -> Vec<Option<Signature>> {
        let own = key.public_key(SECP256K1);
        let sign = |(index, (_, coin)): (usize, &(OutPoint, Coin))| {
            let path = PegScript::parse(&coin.fedpegscript)?.emergency?;
            let message = path.keys.contains(&own).then(|| sighash(&self.tx, index, coin))??;
            let Some(claim) = &coin.claim_script else { return Some(Signature::make(&message, key)) };
            let mut tweaked = tweak::tweak_secret(key, claim.as_bytes())?;
            let signature = Signature::make(&message, &tweaked);
            tweaked.non_secure_erase();
            Some(signature)
        };
        self.coins.iter().enumerate().map(sign).collect()
    }

    /// The transaction with its witnesses, from the signatures of at least the threshold; those that do not hold are passed over.
    pub fn complete(&self, shares: &[Vec<Option<Signature>>]) -> Result<Transaction, WithdrawalFault> {
        let mut tx = self.tx.clone();
        for (index, (outpoint, coin)) in self.coins.iter().enumerate() {
            let no_path = || WithdrawalFault::NoPath(*outpoint);
            let script = coin.peg_script().ok_or_else(no_path)?;
            let path = script.emergency.as_ref().ok_or_else(no_path)?;
            let message = sighash(&self.tx, index, coin).ok_or_else(no_path)?;
            let offered = || shares.iter().filter_map(|share| *share.get(index)?);
            let of = |key: &PublicKey| offered().find(|signature| signature.verify(&message, key));
            let signatures: Vec<_> = path.keys.iter().filter_map(of).take(path.k.into()).filter_map(|it| it.ecdsa()).collect();
            if signatures.len() < usize::from(path.k) {
                return Err(WithdrawalFault::Signatures { coin: *outpoint, have: signatures.len(), need: path.k });
            }
            let mut witness = Witness::new();
            witness.push([]);
            for signature in signatures {
                let mut item = signature.serialize_der().to_vec();
                item.push(1);
                witness.push(item);
            }
            // The first multisig must fail, which it may only with nothing but empty signatures (BIP146).
            for _ in 0..=script.k {
                witness.push([]);
            }
            witness.push(script.to_script());
            tx.input[index].witness = witness;
        }
        Ok(tx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functionary::tests::{emergency, emergency_keys, federation};
    use bitcoin::hashes::Hash as _;

    fn coin(sat: u64, claim: Option<u8>, delay: Option<u16>) -> Coin {
        let federation = federation(0, 5, 3);
        let federation = match delay {
            Some(delay) => federation.with_emergency(emergency(3, 2, delay)).expect("workable"),
            None => federation,
        };
        Coin {
            sat,
            fedpegscript: federation.fedpegscript(),
            claim_script: claim.map(|byte| ScriptBuf::from_bytes(vec![byte; 22])),
            nested: claim.is_some(),
            confirmed: Some(1),
            claimed: claim.map(u32::from),
            parents: Vec::new(),
            spent: None,
        }
    }

    fn outpoint(number: u8) -> OutPoint {
        OutPoint::new(bitcoin::Txid::from_byte_array([number; 32]), 0)
    }

    #[test]
    fn the_quorum_withdraws_deposits_and_change_and_nobody_else_does() {
        let coins = vec![(outpoint(1), coin(50_000, Some(7), Some(144))), (outpoint(2), coin(20_000, None, Some(100)))];
        let to = ScriptBuf::new_p2wsh(&bitcoin::WScriptHash::all_zeros());
        let withdrawal = Withdrawal::new(coins.clone(), to.clone(), 2).expect("workable");
        let unsigned = withdrawal.unsigned();
        assert_eq!(unsigned.input.iter().map(|input| input.sequence.to_consensus_u32()).collect::<Vec<_>>(), [144, 100]);
        let shares: Vec<_> = emergency_keys(3).iter().map(|key| withdrawal.sign(key)).collect();
        for pair in [[0, 1], [0, 2], [1, 2]] {
            let tx = withdrawal.complete(&pair.map(|at| shares[at].clone())).expect("two of three");
            assert_eq!(tx.compute_txid(), unsigned.compute_txid());
            let fee = 70_000 - tx.output[0].value.to_sat();
            assert!(tx.vsize() as u64 * 2 <= fee && fee <= tx.vsize() as u64 * 2 + 20, "{fee} for {} vB", tx.vsize());
            for (input, (_, coin)) in tx.input.iter().zip(&coins) {
                let script = coin.witness_script().expect("a script");
                assert_eq!(input.witness.last(), Some(script.as_bytes()));
                // dummy, two signatures, dummy and three empty ones, script
                assert_eq!(input.witness.len(), 1 + 2 + 4 + 1);
            }
        }
        let functionary = crate::functionary::tests::keys(0);
        let foreign = withdrawal.sign(&functionary.fedpeg);
        assert_eq!(foreign, vec![None, None]);
        let one = withdrawal.complete(&[shares[0].clone(), shares[0].clone(), foreign]);
        assert_eq!(one, Err(WithdrawalFault::Signatures { coin: outpoint(1), have: 1, need: 2 }));
    }

    #[test]
    fn what_cannot_be_withdrawn_is_refused_with_the_reason() {
        let to = ScriptBuf::new_p2wsh(&bitcoin::WScriptHash::all_zeros());
        assert_eq!(Withdrawal::new(Vec::new(), to.clone(), 1), Err(WithdrawalFault::Count));
        let bare = vec![(outpoint(1), coin(50_000, None, None))];
        assert_eq!(Withdrawal::new(bare, to.clone(), 1), Err(WithdrawalFault::NoPath(outpoint(1))));
        let small = vec![(outpoint(1), coin(400, None, Some(9)))];
        assert!(matches!(Withdrawal::new(small, to, 1), Err(WithdrawalFault::Short { held: 400, .. })));
    }
}
