//! A complete delegation: what was registered, and the committee's signatures, all checked under our own hashes.
//!
//! Only a [`Verified`] delegation may be broadcast: it is the proof that leaving works without anybody's further help.

use crate::adaptor::{AdaptorSignature, encryption_key};
use crate::script::Leaf;
use crate::script::Tree;
use crate::spend::{BadSpend, Spend};
use crate::stake::{Stake, is_dust};
use bitcoin::absolute::LockTime;
use bitcoin::consensus::serde::{Hex, With};
use bitcoin::{Amount, OutPoint, Sequence, Transaction, TxOut, XOnlyPublicKey};
use secp256k1::schnorr::Signature;
use secp256k1::{Message, SECP256K1};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Transactions and staker's signatures as they are registered with the control plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Makes the stake; unsigned while it is only registered.
    #[serde(with = "With::<Hex>")]
    pub staking: Transaction,
    /// Leaves before the term ends.
    #[serde(with = "With::<Hex>")]
    pub unbonding: Transaction,
    /// Slashes the stake.
    #[serde(with = "With::<Hex>")]
    pub slashing: Transaction,
    /// Slashes the stake while it unbonds.
    #[serde(with = "With::<Hex>")]
    pub unbonding_slashing: Transaction,
    /// The staker's consent to `slashing`.
    pub staker_slashing: Signature,
    /// The staker's consent to `unbonding_slashing`.
    pub staker_unbonding_slashing: Signature,
}

/// Adaptor signatures by member, one for each finality provider in the order of the terms.
pub type Adaptors = BTreeMap<XOnlyPublicKey, Vec<AdaptorSignature>>;

/// What the committee signed, by member.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CovenantSignatures {
    /// Over the unbonding transaction: the right to leave.
    pub unbonding: BTreeMap<XOnlyPublicKey, Signature>,
    /// Over the slashing transaction.
    pub slashing: Adaptors,
    /// Over the slashing transaction of the unbonding output.
    pub unbonding_slashing: Adaptors,
}

/// One of the four transactions of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The staking transaction.
    Staking,
    /// The unbonding transaction.
    Unbonding,
    /// The slashing transaction.
    Slashing,
    /// The slashing transaction of the unbonding output.
    UnbondingSlashing,
}

/// Why a delegation must not be broadcast, or is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadDelegation {
    /// The transaction is not what the terms and rules ask for.
    #[error("the {0:?} transaction is not what the terms ask for")]
    Transaction(Part),
    /// The staker's signature does not verify.
    #[error("the staker's signature over the {0:?} transaction does not verify")]
    Staker(Part),
    /// A signature by somebody who is not of the committee, or not one for each finality provider.
    #[error("{member} signed the {part:?} transaction as a stranger or not for each provider")]
    Stranger {
        /// Which transaction.
        part: Part,
        /// Whose key.
        member: XOnlyPublicKey,
    },
    /// A covenant signature does not verify under our hash.
    #[error("{member}'s signature over the {part:?} transaction does not verify")]
    Covenant {
        /// Which transaction.
        part: Part,
        /// Whose signature.
        member: XOnlyPublicKey,
    },
    /// Fewer than the quorum signed; ask again later.
    #[error("{have} of {need} signed the {part:?} transaction")]
    Quorum {
        /// Which transaction.
        part: Part,
        /// Members that signed.
        have: usize,
        /// Members needed.
        need: u32,
    },
}

impl Registration {
    /// Everything that is registered for a stake made by `staking`, once the staker has signed the two slashing spends.
    ///
    /// `None` when the stake is not exactly once among the outputs.
    pub fn new(
        stake: &Stake,
        staking: Transaction,
        staker_slashing: Signature,
        staker_unbonding_slashing: Signature,
    ) -> Option<Registration> {
        let outpoint = stake.find_in(&staking)?;
        let unbonding = stake.unbonding(outpoint);
        let unbonding_slashing = stake.unbonding_slashing(unbonding.compute_txid());
        let slashing = stake.slashing(outpoint);
        Some(Registration { staking, unbonding, slashing, unbonding_slashing, staker_slashing, staker_unbonding_slashing })
    }

    /// The hashes that committee and staker sign, if every transaction is what the terms ask for.
    fn spends(&self, stake: &Stake) -> Result<(OutPoint, [Spend; 3]), BadDelegation> {
        let wrong = BadDelegation::Transaction;
        let outpoint = stake.find_in(&self.staking).ok_or(wrong(Part::Staking))?;
        if self.unbonding != stake.unbonding(outpoint) {
            return Err(wrong(Part::Unbonding));
        }
        let unbonding = OutPoint { txid: self.unbonding.compute_txid(), vout: 0 };
        let (staked, unbonded) = (stake.staking_output(), stake.unbonding_output());
        if !is_slashing(stake, &self.slashing, outpoint, staked.value) {
            return Err(wrong(Part::Slashing));
        }
        if !is_slashing(stake, &self.unbonding_slashing, unbonding, unbonded.value) {
            return Err(wrong(Part::UnbondingSlashing));
        }
        let trees = stake.trees();
        let spend = |transaction: &Transaction, output: TxOut, tree: &Tree, leaf| {
            Spend::new(transaction.clone(), 0, vec![output], tree, leaf).expect("BUG: own outputs have their leaves")
        };
        Ok((
            outpoint,
            [
                spend(&self.unbonding, staked.clone(), &trees.staking, Leaf::Unbonding),
                spend(&self.slashing, staked, &trees.staking, Leaf::Slashing),
                spend(&self.unbonding_slashing, unbonded, &trees.unbonding, Leaf::Slashing),
            ],
        ))
    }
}

/// Whether the control plane would take this as the slashing of `value` at `outpoint`: at least the share and at least the fee, the rest
/// to the staker's refund output. Which of the two allowed transaction versions it has, and whether it pays more than it must, is the
/// builder's choice.
fn is_slashing(stake: &Stake, transaction: &Transaction, outpoint: OutPoint, value: Amount) -> bool {
    let ([input], [slashed, refund]) = (&transaction.input[..], &transaction.output[..]) else { return false };
    let rules = stake.rules();
    let paid = slashed.value.checked_add(refund.value).and_then(|paid| value.checked_sub(paid));
    matches!(transaction.version.0, 1 | 2)
        && transaction.lock_time == LockTime::ZERO
        && input.previous_output == outpoint
        && input.sequence == Sequence::MAX
        && input.script_sig.is_empty()
        && input.witness.is_empty()
        && slashed.script_pubkey == rules.slashing_script
        && slashed.value.to_sat() >= rules.slashing_rate.of(value.to_sat())
        && refund.script_pubkey == stake.trees().refund.script_pubkey()
        && paid.is_some_and(|fee| fee >= rules.slashing_fee && fee > Amount::ZERO)
        && !is_dust(slashed)
        && !is_dust(refund)
}

/// A delegation whose every part was checked here: it may be broadcast, and it can be left without the control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    stake: Stake,
    registration: Registration,
    covenant: CovenantSignatures,
    outpoint: OutPoint,
    unbonding: Spend,
}

impl Verified {
    /// Checks transactions, staker's and committee's signatures. Any signature that does not verify refuses the whole: the control plane
    /// verifies them too, so whoever shows one lies.
    pub fn check(stake: Stake, registration: Registration, covenant: CovenantSignatures) -> Result<Verified, BadDelegation> {
        let (outpoint, [unbonding, slashing, later]) = registration.spends(&stake)?;
        let digests = [unbonding.message(), slashing.message(), later.message()];
        let staker = &stake.terms().staker;
        let is_signed = |message: &Message, key: &XOnlyPublicKey, signature: &Signature| {
            SECP256K1.verify_schnorr(signature, message, key).is_ok()
        };
        if !is_signed(&digests[1], staker, &registration.staker_slashing) {
            return Err(BadDelegation::Staker(Part::Slashing));
        }
        if !is_signed(&digests[2], staker, &registration.staker_unbonding_slashing) {
            return Err(BadDelegation::Staker(Part::UnbondingSlashing));
        }
        check_members(
            &stake,
            Part::Unbonding,
            &covenant.unbonding,
            |_| true,
            |member, signature| is_signed(&digests[0], member, signature),
        )?;
        for (part, digest, signatures) in [
            (Part::Slashing, &digests[1], &covenant.slashing),
            (Part::UnbondingSlashing, &digests[2], &covenant.unbonding_slashing),
        ] {
            check_adaptors(&stake, part, digest, signatures)?;
        }
        Ok(Verified { stake, registration, covenant, outpoint, unbonding })
    }

    /// The stake.
    pub fn stake(&self) -> &Stake {
        &self.stake
    }

    /// What was registered.
    pub fn registration(&self) -> &Registration {
        &self.registration
    }

    /// The committee's signatures.
    pub fn covenant(&self) -> &CovenantSignatures {
        &self.covenant
    }

    /// Where the stake will be, or is.
    pub fn outpoint(&self) -> OutPoint {
        self.outpoint
    }

    /// Leaving early, for the staker to sign.
    pub fn unbonding(&self) -> &Spend {
        &self.unbonding
    }

    /// The finished transaction that leaves early. Refuses a staker's signature that does not verify.
    pub fn leave(&self, staker: &Signature) -> Result<Transaction, BadDelegation> {
        let terms = self.stake.terms();
        if !self.unbonding.is_signed_by(&terms.staker, staker) {
            return Err(BadDelegation::Staker(Part::Unbonding));
        }
        Ok(self.unbonding.with_covenant(&terms.covenant, &self.covenant.unbonding, staker).expect("BUG: the quorum was checked"))
    }

    /// The finished slashing of the stake (or of its unbonding output, if `unbonding`) by whoever knows a finality provider's key.
    pub fn slash(&self, provider: &crate::eots::EotsKey, unbonding: bool) -> Result<Transaction, BadSpend> {
        let (_, [_, slashing, later]) = self.registration.spends(&self.stake).expect("BUG: checked when this was made");
        let (spend, adaptors, staker) = if unbonding {
            (later, &self.covenant.unbonding_slashing, &self.registration.staker_unbonding_slashing)
        } else {
            (slashing, &self.covenant.slashing, &self.registration.staker_slashing)
        };
        let terms = self.stake.terms();
        let place = terms.providers.iter().position(|key| *key == provider.public()).ok_or(BadSpend::Stranger)?;
        let complete = |(member, list): (&XOnlyPublicKey, &Vec<AdaptorSignature>)| {
            Some((*member, list.get(place)?.decrypt_with(provider).ok()?))
        };
        let signatures = adaptors.iter().filter_map(complete).collect();
        let own = SECP256K1.sign_schnorr_no_aux_rand(&spend.message(), provider.pair());
        spend.with_slashing(&terms.covenant, &signatures, &terms.providers, (provider.public(), own), staker)
    }
}

fn check_adaptors(stake: &Stake, part: Part, digest: &Message, signatures: &Adaptors) -> Result<(), BadDelegation> {
    let providers: Vec<_> = stake.terms().providers.iter().map(encryption_key).collect();
    let complete = |list: &Vec<AdaptorSignature>| list.len() == providers.len();
    check_members(stake, part, signatures, complete, |member, list| {
        list.iter().zip(&providers).all(|(signature, provider)| signature.verify(member, provider, digest.as_ref()))
    })
}

/// Every entry is a member's and verifies, and there are enough.
fn check_members<S>(
    stake: &Stake,
    part: Part,
    signatures: &BTreeMap<XOnlyPublicKey, S>,
    is_complete: impl Fn(&S) -> bool,
    verifies: impl Fn(&XOnlyPublicKey, &S) -> bool,
) -> Result<(), BadDelegation> {
    let committee = &stake.terms().covenant;
    // First what costs nothing, so that a long list of strangers is refused without arithmetic.
    if let Some((member, _)) = signatures.iter().find(|(member, list)| !committee.keys.contains(member) || !is_complete(list)) {
        return Err(BadDelegation::Stranger { part, member: *member });
    }
    if usize::try_from(committee.quorum).map_or(true, |need| signatures.len() < need) {
        return Err(BadDelegation::Quorum { part, have: signatures.len(), need: committee.quorum });
    }
    match signatures.iter().find(|(member, signature)| !verifies(member, signature)) {
        Some((member, _)) => Err(BadDelegation::Covenant { part, member: *member }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
