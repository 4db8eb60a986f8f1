//! One stake: its terms, its amounts, and the transactions that can follow it.
//!
//! The control plane registers unbonding and slashing before the stake exists, so everything here is exact: no fee is estimated and
//! nothing can be replaced later.

use crate::params::Params;
use crate::rate::Rate;
use crate::script::{BadTerms, Leaf, Terms, Tree, Trees};
use crate::spend::Spend;
use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, XOnlyPublicKey};
use serde::{Deserialize, Serialize};

/// Fees and slashing rules that a stake keeps from the parameters it was registered under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Fee of the unbonding transaction, exact, in sat.
    pub unbonding_fee: Amount,
    /// Where the slashed share goes.
    pub slashing_script: ScriptBuf,
    /// Share that slashing takes of what it spends.
    pub slashing_rate: Rate,
    /// Fee of a slashing transaction, in sat: the least the rules allow.
    pub slashing_fee: Amount,
}

impl From<&Params> for Rules {
    fn from(params: &Params) -> Rules {
        Rules {
            unbonding_fee: params.unbonding_fee,
            slashing_script: params.slashing_script.clone(),
            slashing_rate: params.slashing_rate,
            slashing_fee: params.slashing_fee,
        }
    }
}

/// Why no stake can be made of what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadStake {
    /// The keys or locks make no scripts.
    #[error(transparent)]
    Terms(#[from] BadTerms),
    /// The control plane takes exactly one finality provider.
    #[error("not exactly one finality provider")]
    Providers,
    /// The amount is outside what the parameters allow.
    #[error("the amount must lie between {least} and {most}")]
    Amount {
        /// Least allowed.
        least: Amount,
        /// Most allowed.
        most: Amount,
    },
    /// The term is outside what the parameters allow, in blocks.
    #[error("the term must lie between {least} and {most} blocks")]
    Term {
        /// Shortest allowed.
        least: u16,
        /// Longest allowed.
        most: u16,
    },
    /// Locks, committee, fees or slashing rules are not those of the parameters.
    #[error("the stake was made under other parameters")]
    Params,
    /// After fees or slashing an output would be dust.
    #[error("an output would be dust")]
    Dust,
}

/// One stake with all that follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stake {
    terms: Terms,
    value: Amount,
    rules: Rules,
    trees: Trees,
}

impl Stake {
    /// A stake under the live parameters, within all their bounds.
    pub fn plan(
        params: &Params,
        staker: XOnlyPublicKey,
        provider: XOnlyPublicKey,
        value: Amount,
        blocks: u16,
    ) -> Result<Stake, BadStake> {
        let terms = Terms {
            staker,
            providers: vec![provider],
            covenant: params.covenant.clone(),
            staking_time: blocks,
            unbonding_time: params.unbonding_time,
        };
        let stake = Stake::new(terms, value, params.into())?;
        stake.check_against(params)?;
        Ok(stake)
    }

    /// A stake of any terms; refuses only what makes no scripts or leaves dust behind.
    pub fn new(terms: Terms, value: Amount, rules: Rules) -> Result<Stake, BadStake> {
        let trees = terms.trees()?;
        let stake = Stake { terms, value, rules, trees };
        let unbonded = stake.unbonded_value().ok_or(BadStake::Dust)?;
        let outputs =
            [vec![stake.trees.unbonding.output(unbonded)], stake.split(value)?.into(), stake.split(unbonded)?.into()].concat();
        if outputs.iter().any(is_dust) { Err(BadStake::Dust) } else { Ok(stake) }
    }

    /// Whether the control plane would register this stake under these parameters.
    ///
    /// Asked again just before signing: parameters may change between planning and signing.
    pub fn check_against(&self, params: &Params) -> Result<(), BadStake> {
        let terms = &self.terms;
        if terms.providers.len() != 1 {
            return Err(BadStake::Providers);
        }
        let (least, most) = params.value;
        if self.value < least || self.value > most {
            return Err(BadStake::Amount { least, most });
        }
        let (least, most) = params.term;
        if terms.staking_time < least || terms.staking_time > most {
            return Err(BadStake::Term { least, most });
        }
        let same_committee =
            terms.covenant.sorted() == params.covenant.sorted() && terms.covenant.quorum == params.covenant.quorum;
        if !same_committee || terms.unbonding_time != params.unbonding_time || self.rules != Rules::from(params) {
            return Err(BadStake::Params);
        }
        Ok(())
    }

    /// Keys and locks.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What is staked.
    pub fn value(&self) -> Amount {
        self.value
    }

    /// Fees and slashing rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The outputs with their leaves.
    pub fn trees(&self) -> &Trees {
        &self.trees
    }

    /// The output that a staking transaction must have exactly once.
    pub fn staking_output(&self) -> TxOut {
        self.trees.staking.output(self.value)
    }

    /// Where the stake stands in a transaction: the one output with its script and value. `None` when it is absent or there twice, which
    /// the control plane refuses.
    pub fn find_in(&self, transaction: &Transaction) -> Option<OutPoint> {
        let wanted = self.staking_output();
        let mut places = (0u32..).zip(&transaction.output).filter(|(_, output)| **output == wanted);
        match (places.next(), places.next()) {
            (Some((vout, _)), None) => Some(OutPoint { txid: transaction.compute_txid(), vout }),
            _ => None,
        }
    }

    fn unbonded_value(&self) -> Option<Amount> {
        self.value.checked_sub(self.rules.unbonding_fee)
    }

    /// What unbonding leaves.
    pub fn unbonding_output(&self) -> TxOut {
        self.trees.unbonding.output(self.unbonded_value().expect("BUG: checked when the stake was made"))
    }

    /// The transaction that leaves before the term ends, unsigned.
    pub fn unbonding(&self, staking: OutPoint) -> Transaction {
        spend(staking, Sequence::MAX, vec![self.unbonding_output()])
    }

    /// The transaction that slashes the stake itself, unsigned.
    pub fn slashing(&self, staking: OutPoint) -> Transaction {
        spend(staking, Sequence::MAX, self.split(self.value).expect("BUG: checked when the stake was made").into())
    }

    /// The transaction that slashes the stake while it unbonds, unsigned.
    pub fn unbonding_slashing(&self, unbonding: Txid) -> Transaction {
        let outputs = self.split(self.unbonding_output().value).expect("BUG: checked when the stake was made");
        spend(OutPoint { txid: unbonding, vout: 0 }, Sequence::MAX, outputs.into())
    }

    /// Leaving before the term ends, to be signed by committee and staker.
    pub fn unbonding_spend(&self, staking: OutPoint) -> Spend {
        self.leaf_spend(self.unbonding(staking), self.staking_output(), &self.trees.staking, Leaf::Unbonding)
    }

    /// Slashing of the stake, to be signed by committee, finality provider and staker.
    pub fn slashing_spend(&self, staking: OutPoint) -> Spend {
        self.leaf_spend(self.slashing(staking), self.staking_output(), &self.trees.staking, Leaf::Slashing)
    }

    /// Slashing while the stake unbonds, to be signed by the same.
    pub fn unbonding_slashing_spend(&self, unbonding: Txid) -> Spend {
        self.leaf_spend(self.unbonding_slashing(unbonding), self.unbonding_output(), &self.trees.unbonding, Leaf::Slashing)
    }

    fn leaf_spend(&self, transaction: Transaction, output: TxOut, tree: &Tree, leaf: Leaf) -> Spend {
        Spend::new(transaction, 0, vec![output], tree, leaf).expect("BUG: own outputs have their leaves")
    }

    /// What slashing makes of a value: the slashed share and the staker's rest.
    fn split(&self, value: Amount) -> Result<[TxOut; 2], BadStake> {
        let slashed = Amount::from_sat(self.rules.slashing_rate.of(value.to_sat()));
        let rest = value.checked_sub(slashed).and_then(|rest| rest.checked_sub(self.rules.slashing_fee)).ok_or(BadStake::Dust)?;
        let slashed = TxOut { value: slashed, script_pubkey: self.rules.slashing_script.clone() };
        Ok([slashed, self.trees.refund.output(rest)])
    }
}

/// A transaction with one input and no signature.
pub(crate) fn spend(outpoint: OutPoint, sequence: Sequence, output: Vec<TxOut>) -> Transaction {
    let input = TxIn { previous_output: outpoint, script_sig: ScriptBuf::new(), sequence, witness: Witness::new() };
    Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input: vec![input], output }
}

/// Below what nodes relay. Data outputs never are.
pub(crate) fn is_dust(output: &TxOut) -> bool {
    !output.script_pubkey.is_op_return() && output.value < output.script_pubkey.minimal_non_dust()
}

#[cfg(test)]
mod tests;
