//! What must be stored so that a stake can be left without the control plane: with this and the staker's key, nothing else is needed.

use crate::delegation::{BadDelegation, CovenantSignatures, Registration, Verified};
use crate::script::Terms;
use crate::stake::{BadStake, Rules, Stake};
use bitcoin::Amount;
use serde::{Deserialize, Serialize};

/// The format this build writes.
const FORMAT: u8 = 1;

/// A stake's way out: terms, registered transactions, the committee's signatures. Holds no secret, but tells who staked what.
///
/// Written before the staking transaction is broadcast, and part of every backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitPackage {
    format: u8,
    /// Version of the parameters under which the stake was registered; they apply for its life.
    pub params_version: u32,
    /// Keys and locks.
    pub terms: Terms,
    /// What is staked, in sat.
    pub value: Amount,
    /// Fees and slashing rules.
    pub rules: Rules,
    /// What was registered.
    pub registration: Registration,
    /// The committee's signatures.
    pub covenant: CovenantSignatures,
}

/// Why a package opens no way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPackage {
    /// Written by a later version of this program.
    #[error("format {0} is not known")]
    Format(u8),
    /// The terms make no stake.
    #[error(transparent)]
    Stake(#[from] BadStake),
    /// Transactions or signatures do not fit the terms.
    #[error(transparent)]
    Delegation(#[from] BadDelegation),
}

impl ExitPackage {
    /// Everything of a verified delegation.
    pub fn of(delegation: &Verified, params_version: u32) -> ExitPackage {
        let stake = delegation.stake();
        ExitPackage {
            format: FORMAT,
            params_version,
            terms: stake.terms().clone(),
            value: stake.value(),
            rules: stake.rules().clone(),
            registration: delegation.registration().clone(),
            covenant: delegation.covenant().clone(),
        }
    }

    /// The delegation, verified again: a backup may be damaged or from a stranger.
    pub fn open(self) -> Result<Verified, BadPackage> {
        if self.format != FORMAT {
            return Err(BadPackage::Format(self.format));
        }
        let stake = Stake::new(self.terms, self.value, self.rules)?;
        Ok(Verified::check(stake, self.registration, self.covenant)?)
    }
}
