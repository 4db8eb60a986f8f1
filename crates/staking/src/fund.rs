//! The staking transaction itself, and the transactions whose fee the staker chooses: withdrawal and extension.

use crate::script::{Leaf, Tree};
use crate::spend::{BadSpend, Spend};
use crate::stake::{BadStake, Stake, is_dust, spend};
use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, FeeRate, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Weight, Witness};
use secp256k1::constants::SCHNORR_SIGNATURE_SIZE;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A coin that pays for a stake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    /// Which output.
    pub outpoint: OutPoint,
    /// The output.
    pub output: TxOut,
    /// Weight of the witness that will spend it, its count of items included.
    pub witness: Weight,
}

/// What a staking transaction costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fee {
    /// A rate for the finished transaction, rounded up to whole virtual bytes.
    Rate(FeeRate),
    /// Exactly this much.
    Exact(Amount),
}

/// A transaction with what it pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funded {
    /// Unsigned.
    pub transaction: Transaction,
    /// What miners get; more than asked when change would have been dust.
    pub fee: Amount,
    /// Which output is change.
    pub change: Option<u32>,
}

/// Why a transaction cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFunding {
    /// No coins, or one twice.
    #[error("no coins, or one of them twice")]
    Coins,
    /// A coin's signature is no witness: the transaction's id would change when it is signed, and what was registered with it.
    #[error("the coin {0} is no segwit output")]
    NotSegwit(OutPoint),
    /// The coins are worth less than stake and fee.
    #[error("{available} available of {needed}")]
    Short {
        /// What the coins are worth.
        available: Amount,
        /// Stake and fee.
        needed: Amount,
    },
    /// What is left after the fee would be dust.
    #[error("the fee leaves dust")]
    Dust,
    /// Amounts or rates past anything that exists.
    #[error("an amount past what can exist")]
    Overflow,
    /// An extension must keep the staker's key.
    #[error("an extension must keep the staker's key")]
    OtherStaker,
    /// An extension must keep its one finality provider.
    #[error("an extension must keep its finality provider")]
    OtherProvider,
    /// An extension cannot make the stake smaller.
    #[error("an extension cannot make the stake smaller than {0}")]
    Smaller(Amount),
    /// Too few of the old committee are in the new one.
    #[error("the committees have {have} members in common, {need} are needed")]
    Committee {
        /// Members of both.
        have: usize,
        /// The old quorum.
        need: u32,
    },
    /// The coin that pays for an extension may be no stake itself.
    #[error("a stake cannot pay for an extension")]
    StakeAsCoin,
    /// The terms make no stake.
    #[error(transparent)]
    Stake(#[from] BadStake),
    /// The spend fits no path.
    #[error(transparent)]
    Spend(#[from] BadSpend),
}

/// The staking transaction: the coins in their order, the stake first, change second.
///
/// The coins must stay unspent until it is broadcast, and it cannot be replaced by one that pays more: what is registered names its id.
pub fn stake(stake: &Stake, coins: &[Coin], change: ScriptBuf, fee: Fee) -> Result<Funded, BadFunding> {
    let inputs = coins.iter().map(|coin| (coin.outpoint, coin.witness));
    check_coins(coins)?;
    let available = total(coins.iter().map(|coin| coin.output.value))?;
    assemble(inputs.collect(), available, stake.staking_output(), change, fee)
}

/// A stake that follows another without a pause: the old one is spent with the committee's consent, one coin pays the fee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The new stake.
    pub stake: Stake,
    /// The staking transaction of the new stake; input 0 spends the old one, input 1 the coin.
    pub funded: Funded,
    /// How input 0 is signed: by the old committee and the staker.
    pub spend: Spend,
}

/// Builds the extension of `old` at `outpoint` into `new`.
///
/// The control plane also asks that the old stake is active and that `new` was made under the parameters of its own Bitcoin tip.
pub fn extend(
    old: &Stake,
    outpoint: OutPoint,
    new: Stake,
    coin: &Coin,
    change: ScriptBuf,
    fee: Fee,
) -> Result<Extension, BadFunding> {
    let (before, after) = (old.terms(), new.terms());
    if before.staker != after.staker {
        return Err(BadFunding::OtherStaker);
    }
    if before.providers.len() != 1 || before.providers != after.providers {
        return Err(BadFunding::OtherProvider);
    }
    if new.value() < old.value() {
        return Err(BadFunding::Smaller(old.value()));
    }
    let common = before.covenant.keys.iter().filter(|key| after.covenant.keys.contains(key)).count();
    if usize::try_from(before.covenant.quorum).map_or(true, |need| common < need) {
        return Err(BadFunding::Committee { have: common, need: before.covenant.quorum });
    }
    check_coins(std::slice::from_ref(coin))?;
    let stakes = [old.trees(), new.trees()].map(|trees| [&trees.staking, &trees.unbonding, &trees.refund]);
    let is_stake = stakes.as_flattened().iter().any(|tree| tree.script_pubkey() == coin.output.script_pubkey);
    if is_stake || coin.outpoint == outpoint || coin.output.value == Amount::ZERO {
        return Err(BadFunding::StakeAsCoin);
    }
    let available = total([old.value(), coin.output.value])?;
    let inputs = vec![(outpoint, covenant_witness(old)), (coin.outpoint, coin.witness)];
    let funded = assemble(inputs, available, new.staking_output(), change, fee)?;
    let prevouts = vec![old.staking_output(), coin.output.clone()];
    let spend = Spend::new(funded.transaction.clone(), 0, prevouts, &old.trees().staking, Leaf::Unbonding)?;
    Ok(Extension { stake: new, funded, spend })
}

/// An output that opens to the staker alone after a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Locked {
    /// The stake, after its term.
    Staking,
    /// What unbonding left, after the unbonding time.
    Unbonding,
    /// What slashing left, after the unbonding time.
    Refund,
}

impl Stake {
    /// The outputs of one kind, and their lock in blocks from the block that holds the output.
    pub fn locked(&self, locked: Locked) -> (&Tree, u16) {
        let (trees, terms) = (self.trees(), self.terms());
        match locked {
            Locked::Staking => (&trees.staking, terms.staking_time),
            Locked::Unbonding => (&trees.unbonding, terms.unbonding_time),
            Locked::Refund => (&trees.refund, terms.unbonding_time),
        }
    }

    /// Takes a timelocked output back to `destination`, for the staker to sign. Valid from the block that is as many blocks after the
    /// output's as the lock says (BIP68).
    pub fn withdrawal(
        &self,
        locked: Locked,
        outpoint: OutPoint,
        value: Amount,
        destination: ScriptBuf,
        rate: FeeRate,
    ) -> Result<Spend, BadFunding> {
        let (tree, blocks) = self.locked(locked);
        let output = TxOut { value, script_pubkey: destination };
        let transaction = spend(outpoint, Sequence::from_height(blocks), vec![output]);
        let draft = Spend::new(transaction, 0, vec![tree.output(value)], tree, Leaf::Timelock)?;
        let fee = fee_at(rate, draft.finished_weight([SCHNORR_SIGNATURE_SIZE]))?;
        let left = value.checked_sub(fee).ok_or(BadFunding::Short { available: value, needed: fee })?;
        let output = TxOut { value: left, ..draft.transaction().output[0].clone() };
        if is_dust(&output) {
            return Err(BadFunding::Dust);
        }
        let transaction = spend(outpoint, Sequence::from_height(blocks), vec![output]);
        Ok(Spend::new(transaction, 0, vec![tree.output(value)], tree, Leaf::Timelock)?)
    }
}

fn check_coins(coins: &[Coin]) -> Result<(), BadFunding> {
    let distinct: BTreeSet<_> = coins.iter().map(|coin| coin.outpoint).collect();
    if coins.is_empty() || distinct.len() != coins.len() {
        return Err(BadFunding::Coins);
    }
    match coins.iter().find(|coin| !coin.output.script_pubkey.is_witness_program()) {
        Some(coin) => Err(BadFunding::NotSegwit(coin.outpoint)),
        None => Ok(()),
    }
}

fn total(amounts: impl IntoIterator<Item = Amount>) -> Result<Amount, BadFunding> {
    let sum = amounts.into_iter().try_fold(Amount::ZERO, |sum, amount| sum.checked_add(amount));
    sum.filter(|sum| *sum <= Amount::MAX_MONEY).ok_or(BadFunding::Overflow)
}

fn fee_at(rate: FeeRate, weight: Weight) -> Result<Amount, BadFunding> {
    rate.fee_vb(weight.to_vbytes_ceil()).ok_or(BadFunding::Overflow)
}

/// Weight of the witness of a covenant path: every slot, the quorum of them filled.
fn covenant_witness(stake: &Stake) -> Weight {
    let covenant = &stake.terms().covenant;
    let filled = usize::try_from(covenant.quorum).expect("BUG: the quorum was checked");
    let slots = (0..covenant.keys.len()).map(|slot| if slot < filled { SCHNORR_SIGNATURE_SIZE } else { 0 });
    let tree = &stake.trees().staking;
    let (script, control) = (tree.leaf(Leaf::Unbonding), tree.control_block(Leaf::Unbonding));
    let tail = [script.map_or(0, |script| script.len()), control.map_or(0, |control| control.size())];
    witness_weight(slots.chain([SCHNORR_SIGNATURE_SIZE]).chain(tail))
}

/// Weight of a witness with items of these lengths.
pub(crate) fn witness_weight(items: impl Iterator<Item = usize>) -> Weight {
    let mut witness = Witness::new();
    items.for_each(|length| witness.push(vec![0; length]));
    Weight::from_wu(witness.size() as u64)
}

/// Puts a transaction together whose change, if it is worth one, takes what the fee leaves.
fn assemble(
    inputs: Vec<(OutPoint, Weight)>,
    available: Amount,
    staked: TxOut,
    change: ScriptBuf,
    fee: Fee,
) -> Result<Funded, BadFunding> {
    let witnesses: Weight = inputs.iter().map(|(_, weight)| *weight).sum();
    let input = |(previous_output, _)| TxIn {
        previous_output,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    let needed = staked.value;
    let mut transaction = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: inputs.into_iter().map(input).collect(),
        output: vec![staked, TxOut { value: Amount::ZERO, script_pubkey: change }],
    };
    // Marker and flag weigh two; without witnesses they are not in the transaction's own weight.
    let fee_of = |transaction: &Transaction| match fee {
        Fee::Exact(fee) => Ok(fee),
        Fee::Rate(rate) => fee_at(rate, transaction.weight() + witnesses + Weight::from_wu(2)),
    };
    let left = |fee: Amount| needed.checked_add(fee).map(|all| available.checked_sub(all)).ok_or(BadFunding::Overflow);
    let with_change = fee_of(&transaction)?;
    if let Some(rest) = left(with_change)? {
        transaction.output[1].value = rest;
        if !is_dust(&transaction.output[1]) {
            return Ok(Funded { transaction, fee: with_change, change: Some(1) });
        }
    }
    transaction.output.truncate(1);
    let least = fee_of(&transaction)?;
    match left(least)? {
        Some(_) => Ok(Funded { transaction, fee: available - needed, change: None }),
        None => Err(BadFunding::Short { available, needed: needed + least }),
    }
}

#[cfg(test)]
mod tests;
