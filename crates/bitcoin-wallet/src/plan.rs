//! Intent to plan: which coins, which change, what fee.

use crate::arranged::Outbid;
use crate::{BitcoinWallet, ChangeSet, Coin};
use bdk_wallet::KeychainKind;
use bdk_wallet::error::CreateTxError;
use bitcoin::{Amount, OutPoint, Psbt, ScriptBuf, Transaction, Txid};
use causeway_vocab::{Atoms, Code, Refusal};
use rand::{CryptoRng, RngCore};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The lowest fee rate that peers relay, and the least by which a replacement must raise the fee: 0.1 sat/vB, the defaults of
/// Bitcoin Core since 29.1.
pub const FLOOR: FeeRate = FeeRate(100);
/// The highest fee rate that a plan accepts: 10,000 sat/vB. Above is a slip of the finger.
pub const CEILING: FeeRate = FeeRate(10_000_000);
/// More than can ever exist, satoshi.
pub const MAX_MONEY: u64 = 21_000_000 * 100_000_000;

/// A fee rate in satoshi per 1000 virtual bytes, so that rates below 1 sat/vB are whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FeeRate(pub u64);

impl FeeRate {
    /// The fee of `vsize` virtual bytes at this rate, rounded up. Saturates.
    pub fn fee(self, vsize: u64) -> Atoms {
        Atoms(self.0.saturating_mul(vsize).div_ceil(1000))
    }

    /// The rate that `fee` pays for `vsize` virtual bytes, rounded down.
    pub fn of(fee: Atoms, vsize: u64) -> FeeRate {
        FeeRate(fee.0.saturating_mul(1000) / vsize.max(1))
    }

    fn to_bdk(self) -> bitcoin::FeeRate {
        bitcoin::FeeRate::from_sat_per_kwu(self.0.div_ceil(4))
    }
}

/// One payment of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Where to.
    pub script: ScriptBuf,
    /// How much, satoshi.
    pub amount: Atoms,
}

/// What the user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Payments, in any order.
    pub recipients: Vec<Recipient>,
    /// Sends everything that is left of the chosen coins here and makes no change.
    pub drain_to: Option<ScriptBuf>,
    /// Fee rate of the finished transaction.
    pub rate: FeeRate,
    /// Coin control: exactly these coins are spent. Empty: chosen by the wallet.
    pub coins: Vec<OutPoint>,
    /// Frozen coins and coins held by other drafts: never spent.
    pub exclude: BTreeSet<OutPoint>,
}

/// An unsigned transaction with what it costs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// BIP174 PSBT; every input carries its whole previous transaction.
    pub psbt: Psbt,
    /// Fee, satoshi.
    pub fee: Atoms,
    /// Virtual bytes of the finished transaction, with signatures of the largest size.
    pub vsize: u64,
    /// Change output, absent when there is none.
    pub change: Option<(u32, Atoms)>,
    /// What the plan replaces.
    pub replaces: Option<Replaced>,
    /// Changes to persist with the plan (the change address is now revealed).
    pub changes: Option<ChangeSet>,
}

/// The transaction that a bumped one replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaced {
    /// Its id.
    pub txid: Txid,
    /// Its fee, satoshi.
    pub fee: Atoms,
    /// Its rate.
    pub rate: FeeRate,
}

impl BitcoinWallet {
    /// Turns an intent into an unsigned transaction.
    ///
    /// The change address is the first unused one, so planning again costs none; call [`BitcoinWallet::hold`] when the plan is kept.
    /// Unconfirmed coins from others are spent only when chosen by coin control.
    ///
    /// Refused with `NoRecipients`, `BadAmount`, `Dust` (`least`), `AboveSupply`, `InsufficientFunds`, `InsufficientFee`, `FeeTooLow`,
    /// `FeeTooHigh`, `CoinUnavailable` (`outpoint`).
    pub fn plan(&mut self, intent: &Intent, rng: &mut (impl RngCore + CryptoRng)) -> Result<Plan, Refusal> {
        check_rate(intent.rate)?;
        let paid = check_recipients(intent)?;
        let coins = self.coins();
        for chosen in &intent.coins {
            let usable = |coin: &&Coin| coin.outpoint == *chosen && (coin.spendable || coin.height.is_none());
            if intent.exclude.contains(chosen) || coins.iter().find(usable).is_none() {
                return Err(Refusal::new(Code::CoinUnavailable).with("outpoint", chosen));
            }
        }
        let offered: Vec<_> = match intent.coins.as_slice() {
            [] => coins.iter().filter(|coin| coin.spendable && !intent.exclude.contains(&coin.outpoint)).collect(),
            chosen => coins.iter().filter(|coin| chosen.contains(&coin.outpoint)).collect(),
        };
        let available = offered.iter().map(|coin| coin.amount.0).sum();
        let offered: BTreeSet<_> = offered.into_iter().map(|coin| coin.outpoint).collect();
        let (change_index, change_script) = self.next_change();
        let drain = intent.drain_to.is_some();
        let target = intent.drain_to.clone().unwrap_or_else(|| change_script.clone());

        let mut builder = self.inner.build_tx();
        builder.fee_rate(intent.rate.to_bdk()).drain_to(target.clone());
        builder.unspendable(coins.iter().map(|coin| coin.outpoint).filter(|coin| !offered.contains(coin)).collect());
        for recipient in &intent.recipients {
            builder.add_recipient(recipient.script.clone(), Amount::from_sat(recipient.amount.0));
        }
        if !intent.coins.is_empty() {
            let chosen: Vec<_> = offered.iter().copied().collect();
            builder.add_utxos(&chosen).map_err(|_| Refusal::new(Code::CoinUnavailable))?;
            builder.manually_selected_only();
        } else if drain {
            builder.drain_wallet();
        }
        let psbt = builder.finish_with_aux_rand(rng).map_err(|error| refusal(error, paid, available))?;
        if drain && !psbt.unsigned_tx.output.iter().any(|output| output.script_pubkey == target) {
            return Err(short(paid, available, available.saturating_add(1)));
        }
        let psbt = self.reach(psbt, intent.rate, &target)?;
        let change = (!drain).then_some((change_index, change_script));
        self.finish_plan(psbt, change, None)
    }

    /// Replaces an unconfirmed transaction of ours by one with a higher fee (BIP125). Payments stay as they are; the change pays, and
    /// confirmed coins are added when it cannot.
    ///
    /// Refused with `NotReplaceable`, `FeeTooLow` (`least`, atoms per 1000 vB), `FeeTooHigh`, and `InsufficientFunds` also when the change
    /// would have to vanish.
    pub fn plan_bump(
        &mut self,
        txid: Txid,
        rate: FeeRate,
        exclude: &BTreeSet<OutPoint>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Plan, Refusal> {
        check_rate(rate)?;
        let outbid = self.outbid(txid)?;
        let old = &outbid.old;
        let change_keychain = self.change_keychain();
        let keychain_of = |script: &ScriptBuf| self.inner.derivation_of_spk(script.clone());
        let old_change =
            old.output.iter().rposition(|out| keychain_of(&out.script_pubkey).is_some_and(|(found, _)| found == change_keychain));
        let (change_index, change_script) = match old_change {
            Some(vout) => {
                let script = old.output[vout].script_pubkey.clone();
                let index = keychain_of(&script).map_or(0, |(_, index)| index);
                (index, script)
            }
            None => self.next_change(),
        };
        let spent: BTreeSet<OutPoint> = old.input.iter().map(|input| input.previous_output).collect();
        let locals: Vec<_> = self.inner.list_output().filter(|local| spent.contains(&local.outpoint)).collect();
        let paid = old.output.iter().enumerate().filter(|(vout, _)| Some(*vout) != old_change);
        let paid: Vec<_> = paid.map(|(_, out)| (out.script_pubkey.clone(), out.value)).collect();
        let mut inputs = Vec::new();
        for local in locals {
            let weight = self.inner.public_descriptor(local.keychain).max_weight_to_satisfy();
            let weight = weight.map_err(|_| Refusal::new(Code::NotReplaceable))?;
            let outpoint = local.outpoint;
            let input = self.inner.get_psbt_input(local, None, false).map_err(|_| Refusal::new(Code::NotReplaceable))?;
            inputs.push((outpoint, input, weight));
        }
        let total = paid.iter().map(|(_, value)| value.to_sat()).sum();
        let coins = self.coins();
        let fresh = |coin: &&Coin| coin.height.is_some() && coin.spendable && !exclude.contains(&coin.outpoint);
        let offered: BTreeSet<_> = coins.iter().filter(fresh).map(|coin| coin.outpoint).collect();
        let held = inputs.iter().filter_map(|(_, input, _)| input.witness_utxo.as_ref()).map(|out| out.value.to_sat());
        let available = held.chain(coins.iter().filter(fresh).map(|coin| coin.amount.0)).sum();

        let mut builder = self.inner.build_tx();
        builder.fee_rate(rate.to_bdk()).drain_to(change_script.clone()).set_recipients(paid).version(old.version.0);
        builder.unspendable(coins.iter().map(|coin| coin.outpoint).filter(|coin| !offered.contains(coin)).collect());
        for (outpoint, input, weight) in inputs {
            builder
                .add_foreign_utxo_with_sequence(outpoint, input, weight, bitcoin::Sequence::ENABLE_RBF_NO_LOCKTIME)
                .map_err(|_| Refusal::new(Code::NotReplaceable))?;
        }
        let psbt = builder.finish_with_aux_rand(rng).map_err(|error| refusal(error, total, available))?;
        if old_change.is_some() && !psbt.unsigned_tx.output.iter().any(|output| output.script_pubkey == change_script) {
            return Err(short(total, available, available.saturating_add(1)));
        }
        let psbt = self.reach(psbt, rate, &change_script)?;
        let plan = self.finish_plan(psbt, Some((change_index, change_script)), Some(outbid.replaced))?;
        outbid.enough(plan)
    }

    /// An unconfirmed transaction of ours that can be replaced, and what replacing it takes. Refused with `NotReplaceable`.
    pub(crate) fn outbid(&self, txid: Txid) -> Result<Outbid, Refusal> {
        let old = self.transaction(txid).filter(|tx| self.replaceable(tx)).ok_or(Code::NotReplaceable)?;
        let fee_of = |tx: &Transaction| self.inner.calculate_fee(tx).map(|fee| fee.to_sat()).map_err(|_| Code::NotReplaceable);
        let old_fee = fee_of(&old)?;
        // Children of the replaced transaction go with it, and their fees must be outbid too (BIP125 rule 3).
        let graph = self.inner.tx_graph();
        let children: BTreeSet<Txid> = graph.walk_descendants(txid, |_, child| Some(child)).collect();
        let children = children.into_iter().filter(|child| self.view.canonical.contains_key(child));
        let evicted_fees = children
            .filter_map(|child| graph.get_tx(child))
            .try_fold(old_fee, |sum, tx| fee_of(&tx).map(|fee| sum.saturating_add(fee)))?;
        let replaced = Replaced { txid, fee: Atoms(old_fee), rate: FeeRate::of(Atoms(old_fee), old.vsize() as u64) };
        Ok(Outbid { old, replaced, evicted_fees })
    }

    /// Spends the outputs of a stuck transaction back to this wallet, so that both together reach `rate` (child pays for parent).
    ///
    /// The parent's fee counts as zero when not every input of it is known: then the pair pays more than `rate`, never less.
    /// Refused with `NotFound`, `NotReplaceable` when it is confirmed, `CoinUnavailable` when none of its outputs can be spent, `FeeTooLow` (`least`)
    /// when the parent alone reaches the rate, `FeeTooHigh`, `InsufficientFunds`.
    pub fn plan_child(
        &mut self,
        parent: Txid,
        rate: FeeRate,
        exclude: &BTreeSet<OutPoint>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Plan, Refusal> {
        check_rate(rate)?;
        let tx = self.transaction(parent).ok_or_else(|| Refusal::new(Code::NotFound).with("what", "transaction"))?;
        if self.view.canonical.get(&parent) != Some(&None) {
            return Err(Code::NotReplaceable.into());
        }
        let parent_vsize = tx.vsize() as u64;
        let parent_fee = self.inner.calculate_fee(&tx).map_or(0, |fee| fee.to_sat());
        if FeeRate::of(Atoms(parent_fee), parent_vsize) >= rate {
            let least = FeeRate::of(Atoms(parent_fee), parent_vsize).0.saturating_add(1);
            return Err(Refusal::new(Code::FeeTooLow).with("least", least));
        }
        let coins = self.coins();
        let open = |coin: &&Coin| !exclude.contains(&coin.outpoint);
        let spent: Vec<_> = coins.iter().filter(open).map(|coin| coin.outpoint).filter(|coin| coin.txid == parent).collect();
        if spent.is_empty() {
            return Err(Refusal::new(Code::CoinUnavailable).with("outpoint", parent));
        }
        let offered: BTreeSet<_> = coins.iter().filter(open).filter(|coin| coin.spendable).map(|coin| coin.outpoint).collect();
        let available = coins.iter().filter(open).map(|coin| coin.amount.0).sum();
        let (change_index, change_script) = self.next_change();
        let mut child_vsize = 0;
        loop {
            let wanted = rate.fee(parent_vsize.saturating_add(child_vsize)).0.saturating_sub(parent_fee);
            let mut builder = self.inner.build_tx();
            builder.fee_absolute(Amount::from_sat(wanted.max(FLOOR.fee(child_vsize).0))).drain_to(change_script.clone());
            builder.unspendable(coins.iter().map(|coin| coin.outpoint).filter(|coin| !offered.contains(coin)).collect());
            builder.add_utxos(&spent).map_err(|_| Refusal::new(Code::CoinUnavailable).with("outpoint", parent))?;
            let psbt = builder.finish_with_aux_rand(rng).map_err(|error| refusal(error, 0, available))?;
            let vsize = self.finished_vsize(&psbt.unsigned_tx)?;
            // Coins are added when the fee grows, so the child grows at most once per coin.
            if vsize <= child_vsize {
                return self.finish_plan(psbt, Some((change_index, change_script)), None);
            }
            child_vsize = vsize;
        }
    }

    /// Keeps a plan: its change address is not used by another plan, until it is paid or the wallet is loaded again.
    pub fn hold(&mut self, plan: &Plan) {
        for output in &plan.psbt.unsigned_tx.output {
            if let Some((keychain, index)) = self.inner.derivation_of_spk(output.script_pubkey.clone()) {
                self.inner.mark_used(keychain, index);
            }
        }
    }

    /// Gives up a plan that was held: its change address may be used by the next one.
    pub fn release(&mut self, plan: &Plan) {
        for output in &plan.psbt.unsigned_tx.output {
            if let Some((keychain, index)) = self.inner.derivation_of_spk(output.script_pubkey.clone()) {
                self.inner.unmark_used(keychain, index);
            }
        }
    }

    fn change_keychain(&self) -> KeychainKind {
        match self.inner.keychains().count() {
            1 => KeychainKind::External,
            _ => KeychainKind::Internal,
        }
    }

    /// The script that the next change goes to. A wallet without a change keychain never gives change to an address that was shown.
    pub(crate) fn next_change(&self) -> (u32, ScriptBuf) {
        let (keychain, index) = (self.change_keychain(), self.inner.spk_index());
        let unused = match keychain {
            KeychainKind::Internal => index.unused_keychain_spks(keychain).next(),
            KeychainKind::External => None,
        };
        unused.unwrap_or_else(|| {
            let next = self.inner.next_derivation_index(keychain);
            (next, self.inner.peek_address(keychain, next).script_pubkey())
        })
    }

    /// Takes the few satoshi by which rounding to whole virtual bytes missed the rate from the output to `script`, if it has them.
    fn reach(&self, mut psbt: Psbt, rate: FeeRate, script: &ScriptBuf) -> Result<Psbt, Refusal> {
        let fee = psbt.fee().map_err(|_| Refusal::new(Code::BadDraft))?;
        let missing = Amount::from_sat(rate.fee(self.finished_vsize(&psbt.unsigned_tx)?).0).checked_sub(fee).unwrap_or_default();
        let output = psbt.unsigned_tx.output.iter_mut().find(|output| output.script_pubkey == *script);
        if let Some(output) = output.filter(|output| output.value >= output.script_pubkey.minimal_non_dust() + missing) {
            output.value -= missing;
        }
        Ok(psbt)
    }

    pub(crate) fn finish_plan(
        &mut self,
        mut psbt: Psbt,
        change: Option<(u32, ScriptBuf)>,
        replaces: Option<Replaced>,
    ) -> Result<Plan, Refusal> {
        let outpoints: Vec<_> = psbt.unsigned_tx.input.iter().map(|input| input.previous_output).collect();
        for (input, outpoint) in psbt.inputs.iter_mut().zip(outpoints) {
            // Taproot would do without, but a signer that checks amounts wants one rule for all.
            let whole = self.transaction(outpoint.txid);
            input.non_witness_utxo = Some(whole.ok_or_else(|| Refusal::new(Code::CoinUnavailable).with("outpoint", outpoint))?);
        }
        let fee = Atoms(psbt.fee().map_err(|_| Refusal::new(Code::BadDraft))?.to_sat());
        let vsize = self.finished_vsize(&psbt.unsigned_tx)?;
        let outputs = (0..).zip(&psbt.unsigned_tx.output);
        let change = change.and_then(|(index, script)| {
            let (vout, output) = outputs.into_iter().find(|(_, output)| output.script_pubkey == script)?;
            Some((index, vout, Atoms(output.value.to_sat())))
        });
        if let Some((index, vout, _)) = change {
            let script = psbt.unsigned_tx.output[vout as usize].script_pubkey.clone();
            let keychain = self.inner.derivation_of_spk(script).map_or(self.change_keychain(), |(keychain, _)| keychain);
            let revealed = self.inner.reveal_addresses_to(keychain, index);
            drop(revealed);
        }
        let change = change.map(|(_, vout, amount)| (vout, amount));
        Ok(Plan { psbt, fee, vsize, change, replaces, changes: self.inner.take_staged() })
    }

    /// Virtual bytes with signatures of the largest size.
    pub(crate) fn finished_vsize(&self, tx: &Transaction) -> Result<u64, Refusal> {
        const MARKER_AND_FLAG: u64 = 2;
        const EMPTY_WITNESS: u64 = 1;
        let mut weight = tx.weight().to_wu() + MARKER_AND_FLAG;
        for input in &tx.input {
            let unknown = || Refusal::new(Code::CoinUnavailable).with("outpoint", input.previous_output);
            let ((keychain, _), _) = self.inner.spk_index().txout(input.previous_output).ok_or_else(unknown)?;
            let satisfied = self.inner.public_descriptor(keychain).max_weight_to_satisfy().map_err(|_| unknown())?;
            weight += EMPTY_WITNESS + satisfied.to_wu();
        }
        Ok(weight.div_ceil(4))
    }
}

pub(crate) fn check_rate(rate: FeeRate) -> Result<(), Refusal> {
    match rate {
        low if low < FLOOR => Err(Refusal::new(Code::FeeTooLow).with("least", FLOOR.0)),
        high if high > CEILING => Err(Refusal::new(Code::FeeTooHigh).with("limit", CEILING.0)),
        _ => Ok(()),
    }
}

fn check_recipients(intent: &Intent) -> Result<u64, Refusal> {
    if intent.recipients.is_empty() && intent.drain_to.is_none() {
        return Err(Code::NoRecipients.into());
    }
    let mut sum = 0u64;
    for Recipient { script, amount } in &intent.recipients {
        let least = script.minimal_non_dust().to_sat();
        match amount.0 {
            0 if !script.is_op_return() => return Err(Refusal::new(Code::BadAmount).with("precision", 8)),
            dust if dust < least && !script.is_op_return() => return Err(Refusal::new(Code::Dust).with("least", least)),
            sat => sum = sum.saturating_add(sat),
        }
        if sum > MAX_MONEY {
            return Err(Refusal::new(Code::AboveSupply).with("most", MAX_MONEY));
        }
    }
    Ok(sum)
}

fn refusal(error: CreateTxError, paid: u64, available: u64) -> Refusal {
    match error {
        CreateTxError::CoinSelection(missing) => short(paid, available, missing.needed.to_sat()),
        CreateTxError::OutputBelowDustLimit(_) => Code::Dust.into(),
        CreateTxError::NoRecipients => Code::NoRecipients.into(),
        CreateTxError::NoUtxosSelected | CreateTxError::UnknownUtxo => Code::CoinUnavailable.into(),
        _ => Code::BadDraft.into(),
    }
}

/// Not enough: for the payments, or only for the fee on top of them.
pub(crate) fn short(paid: u64, available: u64, needed: u64) -> Refusal {
    let code = if paid > 0 && paid <= available { Code::InsufficientFee } else { Code::InsufficientFunds };
    Refusal::new(code).with("asset", "btc").with("available", available).with("needed", needed)
}

#[cfg(test)]
mod tests;
