//! Bitcoin staking: parameters, finality providers, stakes.

use causeway_vocab::{Atoms, Known, Refusal};

use crate::AmountView;

records! {
    /// The control plane, as far as it can be asked now.
    pub struct StakingView {
        /// This realm has a control plane.
        pub offered: bool,
        /// Its chain id.
        pub chain: String,
        /// Height of its last block whose signatures were verified here, by two nodes alike.
        pub height: Option<u32>,
        /// Parameters for a stake that is registered now, proved under that block.
        pub terms: Option<StakingTerms>,
        /// Finality providers.
        pub providers: Vec<FinalityProvider>,
        /// This wallet's account there; absent while the wallet is locked.
        pub account: Option<StakingAccount>,
        /// Why something is missing above.
        #[ts(type = "Failure | null")]
        pub trouble: Option<Refusal>,
    }

    /// What a stake has to keep. Proved.
    pub struct StakingTerms {
        /// Version of the parameters.
        pub version: u32,
        /// Least amount, satoshi.
        #[ts(type = "Atoms")]
        pub least: Atoms,
        /// Most.
        #[ts(type = "Atoms")]
        pub most: Atoms,
        /// Shortest term, Bitcoin blocks.
        pub shortest: u32,
        /// Longest.
        pub longest: u32,
        /// Blocks for which coins stay locked after leaving early.
        pub unbonding_time: u32,
        /// Fee of leaving early, satoshi, exact.
        #[ts(type = "Atoms")]
        pub unbonding_fee: Atoms,
        /// Share that slashing takes, in hundredths of a percent.
        pub slashing_share: u32,
        /// Fee of a slashing transaction, satoshi.
        #[ts(type = "Atoms")]
        pub slashing_fee: Atoms,
        /// Signatures of the committee that leaving early takes.
        pub quorum: u32,
        /// Members of the committee.
        pub members: u32,
        /// Blocks on top of a stake's own before it counts.
        pub depth: u32,
    }

    /// A finality provider, as servers report it.
    pub struct FinalityProvider {
        /// Its key, hex.
        pub key: String,
        /// What it calls itself.
        pub moniker: String,
        /// The share of rewards that it keeps, in hundredths of a percent.
        pub commission: u32,
        /// Satoshi staked with it that count.
        #[ts(type = "Atoms")]
        pub power: Atoms,
        /// It voted twice: nothing can be staked with it.
        pub slashed: bool,
        /// It does not vote at present.
        pub jailed: bool,
        /// Blocks of the liveness window that it missed.
        pub missed: Option<u32>,
        /// How this is known.
        #[ts(type = "Known")]
        pub known: Known,
    }

    /// An account of the control plane, as servers report it.
    pub struct StakingAccount {
        /// Its address.
        pub address: String,
        /// The smallest coin.
        pub denom: String,
        /// What it holds, for fees.
        #[ts(type = "Atoms")]
        pub balance: Atoms,
        /// What its stakes ever earned.
        #[ts(type = "Atoms")]
        pub rewards: Atoms,
        /// Of that, paid out.
        #[ts(type = "Atoms")]
        pub withdrawn: Atoms,
        /// How this is known.
        #[ts(type = "Known")]
        pub known: Known,
    }

    /// Plans a stake.
    pub struct StakePlan {
        /// Key of the finality provider, hex.
        pub provider: String,
        /// Satoshi.
        #[ts(type = "Atoms")]
        pub amount: Atoms,
        /// Term, Bitcoin blocks.
        pub blocks: u32,
        /// sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
        /// Spend just these coins (`txid:vout`); absent: chosen automatically.
        pub coins: Option<Vec<String>>,
    }

    /// Plans to take unlocked coins of a stake back.
    pub struct StakeWithdraw {
        /// The stake's operation.
        pub operation: u32,
        /// sat/kvB; absent: the normal choice.
        pub fee_rate: Option<u32>,
    }

    /// A stake.
    pub struct StakeView {
        /// Its operation.
        pub operation: u32,
        /// What the finality provider called itself.
        pub moniker: String,
        /// Its key, hex.
        pub provider: String,
        /// What is staked.
        pub amount: AmountView,
        /// Term, Bitcoin blocks.
        pub blocks: u32,
        /// Where it stands.
        pub state: StakeState,
        /// Its life in order.
        pub milestones: Vec<StakeMilestone>,
        /// The staking transaction.
        pub txid: String,
        /// First Bitcoin height whose block may hold the withdrawal, when known.
        pub unlocks: Option<u32>,
        /// It can be left early now, with nobody's further help.
        pub can_unbond: bool,
        /// Coins can be taken back now.
        pub can_withdraw: bool,
        /// Nothing was sent on Bitcoin: it can be given up.
        pub can_stop: bool,
        /// What it waits for, or why it failed.
        #[ts(type = "Failure | null")]
        pub why: Option<Refusal>,
    }

    /// A point in a stake's life.
    pub struct StakeMilestone {
        /// Which.
        pub event: StakeEvent,
        /// Bitcoin height at which it was reached or will be.
        pub height: Option<u32>,
        /// Unix seconds at which a height to come is reached, about.
        pub time: Option<u32>,
        /// It was reached.
        pub reached: bool,
    }
}

choices! {
    /// Where a stake stands.
    pub enum StakeState {
        /// Signed; the control plane does not know yet.
        Planned,
        /// The committee has still to sign.
        Registered,
        /// The committee's signatures hold; the staking transaction is on its way.
        Verified,
        /// In a block, not yet deep enough.
        Confirming,
        /// Deep enough; the control plane does not count it yet.
        Unproved,
        /// It counts.
        Active,
        /// It counts no more, and the lock still runs.
        Expired,
        /// Left early; the lock runs.
        Unbonding,
        /// Slashed; the rest is locked.
        Slashed,
        /// Coins can be taken back.
        Withdrawable,
        /// They are on their way.
        Withdrawing,
        /// They are back.
        Withdrawn,
        /// Another stake follows.
        Extended,
        /// It was given up, or its coins were spent elsewhere.
        Ended,
    }

    /// What a milestone marks.
    pub enum StakeEvent {
        /// The control plane knows.
        Registered,
        /// The committee's signatures hold.
        Verified,
        /// The staking transaction is in a block.
        Staked,
        /// It counts.
        Activated,
        /// It counts no more.
        Expired,
        /// The unbonding transaction is in a block.
        Unbonded,
        /// Another stake follows.
        Extended,
        /// A slashing transaction is in a block.
        Slashed,
        /// Coins may be taken back.
        Withdrawable,
        /// They were.
        Withdrawn,
    }
}
