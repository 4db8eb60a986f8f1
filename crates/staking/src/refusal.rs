//! Our typed errors in the words that every face has.

use crate::delegation::BadDelegation;
use crate::exit::BadPackage;
use crate::fund::BadFunding;
use crate::light::NotTrusted;
use crate::protection::Unsafe;
use crate::stake::BadStake;
use causeway_vocab::{Code, Refusal};

impl From<BadStake> for Refusal {
    fn from(error: BadStake) -> Refusal {
        match error {
            BadStake::Terms(_) | BadStake::Providers => Code::StakeProvider.into(),
            BadStake::Amount { least, most } => range(Code::StakeAmount, least.to_sat(), most.to_sat()),
            BadStake::Term { least, most } => range(Code::StakeTerm, least, most),
            BadStake::Params => Code::StakeParams.into(),
            BadStake::Dust => Code::Dust.into(),
        }
    }
}

fn range(code: Code, least: impl ToString, most: impl ToString) -> Refusal {
    Refusal::new(code).with("least", least).with("most", most)
}

impl From<BadDelegation> for Refusal {
    fn from(error: BadDelegation) -> Refusal {
        match error {
            BadDelegation::Quorum { have, need, .. } => Refusal::new(Code::CovenantMissing).with("have", have).with("need", need),
            BadDelegation::Transaction(_)
            | BadDelegation::Staker(_)
            | BadDelegation::Stranger { .. }
            | BadDelegation::Covenant { .. } => Code::BadDelegation.into(),
        }
    }
}

impl From<BadFunding> for Refusal {
    fn from(error: BadFunding) -> Refusal {
        let extension = |why: &str| Refusal::new(Code::NotExtendable).with("why", why);
        match error {
            BadFunding::Coins => Code::CoinUnavailable.into(),
            BadFunding::NotSegwit(outpoint) => Refusal::new(Code::CoinUnavailable).with("outpoint", outpoint),
            BadFunding::Short { available, needed } => Refusal::new(Code::InsufficientFunds)
                .with("asset", "btc")
                .with("available", available.to_sat())
                .with("needed", needed.to_sat()),
            BadFunding::Dust => Code::Dust.into(),
            BadFunding::Overflow => Code::BadAmount.into(),
            BadFunding::OtherStaker => extension("staker"),
            BadFunding::OtherProvider => extension("provider"),
            BadFunding::Smaller(_) => extension("amount"),
            BadFunding::Committee { .. } => extension("committee"),
            BadFunding::StakeAsCoin => extension("coin"),
            BadFunding::Stake(error) => error.into(),
            BadFunding::Spend(_) => Code::BadDelegation.into(),
        }
    }
}

impl From<BadPackage> for Refusal {
    fn from(_: BadPackage) -> Refusal {
        Code::BadExitPackage.into()
    }
}

impl Unsafe {
    /// The refusal of a vote at a height.
    pub fn refusal(self, height: u64) -> Refusal {
        Refusal::new(Code::VoteUnsafe).with("height", height)
    }
}

impl From<NotTrusted> for Refusal {
    fn from(error: NotTrusted) -> Refusal {
        match error {
            NotTrusted::Expired => Code::TrustExpired.into(),
            NotTrusted::Forked(height) => Refusal::new(Code::ControlPlaneForked).with("height", height),
            NotTrusted::OtherChain | NotTrusted::OtherAnchor => Code::WrongGenesis.into(),
            NotTrusted::TooFar | NotTrusted::Future | NotTrusted::Height | NotTrusted::Invalid(_) => Code::BadHeader.into(),
        }
    }
}
