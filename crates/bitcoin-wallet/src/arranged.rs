//! Plans in which order carries meaning: nothing is sorted, shuffled or merged, and the fee is paid by coins behind.

use crate::plan::{FeeRate, Plan, Replaced, check_rate, short};
use crate::{BitcoinWallet, Coin};
use bdk_wallet::miniscript::psbt::PsbtExt as _;
use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, Psbt, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use causeway_vocab::{Atoms, Code, Refusal};
use std::collections::BTreeSet;

/// A transaction whose inputs and outputs somebody else has put in order. What is left of the coins comes back at `change_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrangement {
    /// Coins of this wallet, first to last. Coins for the fee are spent after them.
    pub inputs: Vec<OutPoint>,
    /// Outputs without the change, first to last.
    pub outputs: Vec<TxOut>,
    /// Index among `outputs` before which the change goes.
    pub change_at: usize,
    /// Script of ours to give the change to; `None`: the first unused one.
    pub change: Option<ScriptBuf>,
    /// Sequence number of input 0.
    pub first_sequence: Sequence,
    /// Version of the transaction.
    pub version: Version,
    /// Fee rate of the finished transaction.
    pub rate: FeeRate,
    /// Coins that must not be spent for the fee; `inputs` are spent all the same.
    pub exclude: BTreeSet<OutPoint>,
}

impl BitcoinWallet {
    /// Turns an arrangement into an unsigned transaction. Coins for the fee are taken largest first, and only as many as it takes.
    ///
    /// Refused with `CoinUnavailable` (`outpoint`) when an input is not a coin of this wallet, `InsufficientFunds`, `FeeTooLow`,
    /// `FeeTooHigh`.
    pub fn plan_arranged(&mut self, arrangement: &Arrangement) -> Result<Plan, Refusal> {
        let coins = self.coins();
        if let Some(unusable) = arrangement.inputs.iter().find(|input| !coins.iter().any(|coin| coin.outpoint == **input)) {
            return Err(Refusal::new(Code::CoinUnavailable).with("outpoint", unusable));
        }
        let change = match arrangement.change.clone() {
            None => self.next_change(),
            Some(script) => match self.inner.derivation_of_spk(script.clone()) {
                Some((_, index)) => (index, script),
                None => return Err(Refusal::new(Code::BadRequest).with("field", "change")),
            },
        };
        self.arrange(arrangement, &coins, change, None)
    }

    /// The plan of a transaction that somebody else composed of this wallet's coins. Nothing of it is changed; what it does is for the caller to check.
    ///
    /// Refused with `CoinUnavailable` (`outpoint`) when an input is not a coin of this wallet, `BadDraft` when it is signed already.
    pub fn plan_composed(&mut self, tx: Transaction) -> Result<Plan, Refusal> {
        let coins = self.coins();
        let foreign = tx.input.iter().find(|input| !coins.iter().any(|coin| coin.outpoint == input.previous_output));
        if let Some(input) = foreign {
            return Err(Refusal::new(Code::CoinUnavailable).with("outpoint", input.previous_output));
        }
        let psbt = self.fill(tx)?;
        self.finish_plan(psbt, None, None)
    }

    /// Replaces an unconfirmed transaction of ours in which order carries meaning: inputs and output scripts stay in place, and only the
    /// output at `change` shrinks. Coins for the fee are added behind when it cannot.
    ///
    /// Refused as [`BitcoinWallet::plan_bump`] is.
    pub fn plan_arranged_bump(
        &mut self,
        txid: Txid,
        change: usize,
        rate: FeeRate,
        exclude: &BTreeSet<OutPoint>,
    ) -> Result<Plan, Refusal> {
        let outbid = self.outbid(txid)?;
        let mut outputs = outbid.old.output.clone();
        let index = |output: &TxOut| self.inner.derivation_of_spk(output.script_pubkey.clone()).map(|(_, index)| index);
        let old = outputs.get(change).and_then(|output| Some((index(output)?, output.script_pubkey.clone())));
        let (index, script) = old.ok_or(Code::NotReplaceable)?;
        outputs.remove(change);
        let arrangement = Arrangement {
            inputs: outbid.old.input.iter().map(|input| input.previous_output).collect(),
            outputs,
            change_at: change,
            change: None,
            first_sequence: outbid.old.input.first().map_or(Sequence::ENABLE_RBF_NO_LOCKTIME, |input| input.sequence),
            version: outbid.old.version,
            rate,
            exclude: exclude.clone(),
        };
        // Change of what is replaced goes with it.
        let coins: Vec<Coin> = self.coins().into_iter().filter(|coin| coin.height.is_some()).collect();
        let plan = self.arrange(&arrangement, &coins, (index, script), Some(outbid.replaced))?;
        match plan.change {
            Some(_) => outbid.enough(plan),
            None => Err(short(0, 0, plan.fee.0)),
        }
    }

    fn arrange(
        &mut self,
        arrangement: &Arrangement,
        coins: &[Coin],
        change: (u32, ScriptBuf),
        replaces: Option<Replaced>,
    ) -> Result<Plan, Refusal> {
        check_rate(arrangement.rate)?;
        let own = arrangement.inputs.iter().map(|input| self.own_output(*input)).collect::<Result<Vec<_>, _>>()?;
        let mut held: u64 = own.iter().map(|output| output.value.to_sat()).sum();
        let paid: u64 = arrangement.outputs.iter().map(|output| output.value.to_sat()).sum();
        let free = |coin: &&Coin| {
            coin.spendable && !arrangement.exclude.contains(&coin.outpoint) && !arrangement.inputs.contains(&coin.outpoint)
        };
        // Largest first already.
        let mut offered = coins.iter().filter(free);
        let mut inputs = arrangement.inputs.clone();
        let dust = change.1.minimal_non_dust().to_sat();
        loop {
            // With change where there is enough for one, without where the rest is less than a change would cost and hold.
            let with = self.arranged(arrangement, &inputs, Some(TxOut { value: Amount::ZERO, script_pubkey: change.1.clone() }));
            let fee = arrangement.rate.fee(self.finished_vsize(&with)?).0;
            let needed = paid.saturating_add(fee);
            let tx = match held.checked_sub(needed) {
                Some(rest) if rest >= dust => {
                    let change = TxOut { value: Amount::from_sat(rest), script_pubkey: change.1.clone() };
                    Some(self.arranged(arrangement, &inputs, Some(change)))
                }
                _ => {
                    let without = self.arranged(arrangement, &inputs, None);
                    let fee = arrangement.rate.fee(self.finished_vsize(&without)?).0;
                    (replaces.is_none() && held >= paid.saturating_add(fee)).then_some(without)
                }
            };
            if let Some(tx) = tx {
                let psbt = self.fill(tx)?;
                return self.finish_plan(psbt, Some(change), replaces);
            }
            let Some(coin) = offered.next() else { return Err(short(0, held.saturating_sub(paid), needed.saturating_sub(paid))) };
            inputs.push(coin.outpoint);
            held = held.saturating_add(coin.amount.0);
        }
    }

    fn own_output(&self, outpoint: OutPoint) -> Result<TxOut, Refusal> {
        let found = self.inner.spk_index().txout(outpoint).map(|(_, output)| output.clone());
        found.ok_or_else(|| Refusal::new(Code::CoinUnavailable).with("outpoint", outpoint))
    }

    fn arranged(&self, arrangement: &Arrangement, inputs: &[OutPoint], change: Option<TxOut>) -> Transaction {
        let mut sequence = arrangement.first_sequence;
        let input = |previous_output: &OutPoint| {
            let sequence = std::mem::replace(&mut sequence, Sequence::ENABLE_RBF_NO_LOCKTIME);
            TxIn { previous_output: *previous_output, script_sig: ScriptBuf::new(), sequence, witness: Witness::new() }
        };
        let mut output = arrangement.outputs.clone();
        let at = arrangement.change_at.min(output.len());
        output.splice(at..at, change);
        Transaction { version: arrangement.version, lock_time: LockTime::ZERO, input: inputs.iter().map(input).collect(), output }
    }

    /// The PSBT with everything that a signer wants to know of our coins and of our outputs.
    fn fill(&self, tx: Transaction) -> Result<Psbt, Refusal> {
        let mut psbt = Psbt::from_unsigned_tx(tx).map_err(|_| Refusal::new(Code::BadDraft))?;
        let scripts: Vec<ScriptBuf> = psbt.unsigned_tx.output.iter().map(|output| output.script_pubkey.clone()).collect();
        for index in 0..psbt.inputs.len() {
            let outpoint = psbt.unsigned_tx.input[index].previous_output;
            let unknown = || Refusal::new(Code::CoinUnavailable).with("outpoint", outpoint);
            psbt.inputs[index].witness_utxo = Some(self.own_output(outpoint)?);
            psbt.inputs[index].non_witness_utxo = Some(self.transaction(outpoint.txid).ok_or_else(unknown)?);
            let (keychain, child) = self.inner.spk_index().txout(outpoint).ok_or_else(unknown)?.0;
            let descriptor = self.inner.public_descriptor(keychain).at_derivation_index(child).map_err(|_| unknown())?;
            psbt.update_input_with_descriptor(index, &descriptor).map_err(|_| unknown())?;
        }
        for (index, script) in scripts.into_iter().enumerate() {
            let Some((keychain, child)) = self.inner.derivation_of_spk(script) else { continue };
            let Ok(descriptor) = self.inner.public_descriptor(keychain).at_derivation_index(child) else { continue };
            psbt.update_output_with_descriptor(index, &descriptor).map_err(|_| Refusal::new(Code::BadDraft))?;
        }
        Ok(psbt)
    }
}

/// What a replacement must outbid.
pub(crate) struct Outbid {
    pub(crate) old: Transaction,
    pub(crate) replaced: Replaced,
    /// Fees of it and of its children.
    pub(crate) evicted_fees: u64,
}

impl Outbid {
    /// The plan, if it pays for what it replaces and for its own relay (BIP125 rules 3 and 4).
    pub(crate) fn enough(&self, plan: Plan) -> Result<Plan, Refusal> {
        let least = Atoms(self.evicted_fees.saturating_add(crate::plan::FLOOR.fee(plan.vsize).0));
        let old_rate = self.replaced.rate;
        if plan.fee < least || FeeRate::of(plan.fee, plan.vsize) <= old_rate {
            let least = least.0.saturating_mul(1000).div_ceil(plan.vsize.max(1)).max(old_rate.0.saturating_add(1));
            return Err(Refusal::new(Code::FeeTooLow).with("least", least));
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests;
