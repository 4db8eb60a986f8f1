//! Bitcoin staking: what the control plane shows, the stakes of this wallet, and the ways into and out of one.

mod plan;
mod sign;

pub(crate) use plan::{Intent, Unlock};
pub(crate) use sign::{review_unlock, sign_unlock, stake_hash, start};

use crate::memory::Core;
use crate::operations;
use crate::operations::stake::State;
use crate::profile::{Profile, now};
use causeway_contract::{
    AmountView, Atoms, Empty, Failure, FinalityProvider, OperationRef, StakeEvent, StakeMilestone, StakeState, StakeView,
    StakingAccount, StakingTerms, StakingView, TextFile,
};
use causeway_peers::plane::{ControlPlane, Provider};
use causeway_peers::source::Trust;
use causeway_staking::ExitPackage;
use causeway_staking::lifecycle::{Event, State as Standing};
use causeway_staking::light::LightClient;
use causeway_staking::params::Params;
use causeway_staking::possession::Account;
use causeway_staking::rate::Rate;
use causeway_vocab::{AssetId, Code, Known, NetworkId, Refusal};

/// Where the last verified block of the control plane is kept: height and hash.
const ANCHOR: &str = "plane-anchor";
/// A whole in hundredths of a percent.
const WHOLE: u64 = 10_000;
/// Operations of a wallet that are read at most.
const MOST: u32 = 10_000;

fn share(rate: Rate) -> u32 {
    u32::try_from(rate.of(WHOLE)).unwrap_or(u32::MAX)
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Profile {
    /// The realm's control plane. Refused with `NotOffered` when it has none.
    pub(crate) fn plane(&self) -> Result<ControlPlane, Refusal> {
        let params = self.realm.staking.as_ref().ok_or_else(|| Refusal::new(Code::NotOffered).with("what", "staking"))?;
        ControlPlane::new(params, &Trust::public())
    }

    /// Moves trust to the control plane's last block and writes down where it stands.
    async fn follow_plane(&self, plane: &ControlPlane) -> Result<LightClient, Refusal> {
        let kept = self.read(|_, reader| reader.meta(ANCHOR))?;
        let kept =
            kept.and_then(|text| text.split_once(' ').and_then(|(height, hash)| Some((height.parse().ok()?, hash.to_owned()))));
        let params = plane.params();
        let given: (u64, String) = (params.anchor_height, params.anchor_hash.clone());
        let client = match kept.filter(|(height, _): &(u64, String)| *height > given.0) {
            None => plane.follow(given.0, &given.1, now()).await?,
            Some((height, hash)) => match plane.follow(height, &hash, now()).await {
                // The realm may have been given a fresher anchor.
                Err(refusal) if refusal.code == Code::TrustExpired => plane.follow(given.0, &given.1, now()).await?,
                outcome => outcome?,
            },
        };
        let block = client.trusted();
        self.change(|_, write| {
            write.set_meta(ANCHOR, &format!("{} {}", block.height(), block.hash().to_string().to_lowercase()))
        })?;
        Ok(client)
    }

    /// The parameters for a stake that is registered now, proved, and with which version of them.
    pub(crate) async fn live_params(&self, plane: &ControlPlane) -> Result<(u64, u32, Params), Refusal> {
        let client = self.follow_plane(plane).await?;
        let history = plane.proved_params(&client).await?;
        let tip = plane.bitcoin_tip().await?;
        let (version, params) = history.at_height(tip).ok_or(Code::StakeParams)?;
        Ok((client.trusted().height(), version, params.clone()))
    }

    /// A finality provider that can take a stake. Refused with `StakeProvider`.
    pub(crate) async fn good_provider(&self, plane: &ControlPlane, key: &str) -> Result<Provider, Refusal> {
        let found = plane.providers().await?.into_iter().find(|provider| provider.key.to_string() == key);
        found.filter(|provider| !provider.slashed && !provider.jailed).ok_or_else(|| Code::StakeProvider.into())
    }

    pub(crate) async fn staking(&self, _: Empty) -> Result<StakingView, Failure> {
        let mut view = StakingView {
            offered: false,
            chain: String::new(),
            height: None,
            terms: None,
            providers: Vec::new(),
            account: None,
            trouble: None,
        };
        let Ok(plane) = self.plane() else { return Ok(view) };
        view.offered = true;
        view.chain.clone_from(&plane.params().chain_id);
        let outcome = async {
            let (height, version, params) = self.live_params(&plane).await?;
            view.height = Some(small(height));
            view.terms = Some(terms(version, &params, plane.params().depth));
            view.providers = plane.providers().await?.into_iter().map(provider).collect();
            view.account = self.account_view(&plane).await?;
            Ok::<_, Refusal>(())
        };
        view.trouble = outcome.await.err();
        Ok(view)
    }

    async fn account_view(&self, plane: &ControlPlane) -> Result<Option<StakingAccount>, Refusal> {
        let wallet = self.core().selected()?.row.id;
        self.unlock_if_open(wallet).await?;
        let Some(keys) = self.core().keys.get(&wallet).cloned() else { return Ok(None) };
        let Ok(account) = Account::of_key(&keys.staking_account()?, &plane.params().account_prefix) else { return Ok(None) };
        let rewards = plane.rewards(&account).await?;
        Ok(Some(StakingAccount {
            address: account.as_str().to_owned(),
            denom: plane.params().denom.clone(),
            balance: Atoms(plane.balance(&account).await?),
            rewards: Atoms(rewards.coins),
            withdrawn: Atoms(rewards.withdrawn),
            known: Known::Reported,
        }))
    }

    pub(crate) async fn stakes(&self, _: Empty) -> Result<Vec<StakeView>, Failure> {
        self.read(|core, reader| {
            let Some(wallet) = core.selected else { return Ok(Vec::new()) };
            let rows = reader.operations(wallet, None, MOST)?.into_iter().filter(|row| row.machine == "stake");
            rows.map(|row| {
                let state = operations::staking(core, reader, row.id)?;
                let why = operations::operation_view(core, reader, row.id)?.why;
                Ok(stake_view(core, row.id, &state, why, row.finished.is_some()))
            })
            .collect()
        })
    }

    /// Everything that leaving takes besides the words, for a place outside this profile.
    pub(crate) async fn stake_exit(&self, request: OperationRef) -> Result<TextFile, Failure> {
        self.read(|core, reader| {
            let state = operations::staking(core, reader, request.operation)?;
            let verified = state.verified().ok_or_else(|| Refusal::new(Code::CovenantMissing).with("have", 0).with("need", 1))?;
            let package = ExitPackage::of(&verified, state.order.params_version);
            let text = serde_json::to_string_pretty(&package).expect("BUG: a package is JSON");
            Ok(TextFile { name: format!("stake-{}.json", &state.order.staking.txid[..8]), text })
        })
    }
}

fn terms(version: u32, params: &Params, depth: u32) -> StakingTerms {
    StakingTerms {
        version,
        least: Atoms(params.value.0.to_sat()),
        most: Atoms(params.value.1.to_sat()),
        shortest: params.term.0.into(),
        longest: params.term.1.into(),
        unbonding_time: params.unbonding_time.into(),
        unbonding_fee: Atoms(params.unbonding_fee.to_sat()),
        slashing_share: share(params.slashing_rate),
        slashing_fee: Atoms(params.slashing_fee.to_sat()),
        quorum: params.covenant.quorum,
        members: small(params.covenant.keys.len() as u64),
        depth,
    }
}

fn provider(told: Provider) -> FinalityProvider {
    FinalityProvider {
        key: told.key.to_string(),
        moniker: told.moniker,
        commission: share(told.commission),
        power: Atoms(told.power),
        slashed: told.slashed,
        jailed: told.jailed,
        missed: told.missed.map(small),
        known: Known::Reported,
    }
}

fn stake_view(core: &Core, operation: u32, state: &State, why: Option<Refusal>, over: bool) -> StakeView {
    let tip = core.heights().bitcoin;
    let standing = state.standing(tip);
    let ended = state.is_over();
    let (stake, depth) = (&state.stake, state.order.depth);
    let pace = core.chain(NetworkId::Bitcoin).pace();
    let milestone = |point: causeway_staking::lifecycle::Milestone| StakeMilestone {
        event: event(point.event),
        height: point.height,
        time: match (point.height, pace) {
            (Some(height), Some(pace)) if !point.reached => {
                Some(now().saturating_add(height.saturating_sub(tip).saturating_mul(pace)))
            }
            _ => None,
        },
        reached: point.reached,
    };
    let unlocks = match standing {
        Standing::Expired { withdrawable } => Some(withdrawable),
        Standing::Unbonding { withdrawable } | Standing::Slashed { withdrawable } => withdrawable,
        Standing::Active { .. } => state.staked.map(|(at, _)| at.height.saturating_add(u32::from(stake.terms().staking_time))),
        _ => None,
    };
    let untouched = state.staked.is_some() && state.spent.is_empty() && !state.is_leaving();
    StakeView {
        operation,
        moniker: state.order.moniker.clone(),
        provider: state.order.provider.to_string(),
        amount: AmountView { asset: core.names.label(AssetId::Bitcoin), amount: Atoms(state.order.value) },
        blocks: state.order.blocks.into(),
        state: if ended { StakeState::Ended } else { name(standing) },
        milestones: state.sightings().timeline(stake, depth, tip).into_iter().map(milestone).collect(),
        txid: state.order.staking.txid.clone(),
        unlocks,
        can_unbond: !ended && untouched && !matches!(standing, Standing::Withdrawable { .. }),
        can_withdraw: !ended && matches!(standing, Standing::Withdrawable { .. }),
        can_stop: !over && state.covenant.is_none(),
        why,
    }
}

fn name(standing: Standing) -> StakeState {
    match standing {
        Standing::Planned => StakeState::Planned,
        Standing::Registered => StakeState::Registered,
        Standing::Verified => StakeState::Verified,
        Standing::Confirming { .. } => StakeState::Confirming,
        Standing::Unproved => StakeState::Unproved,
        Standing::Active { .. } => StakeState::Active,
        Standing::Expired { .. } => StakeState::Expired,
        Standing::Unbonding { .. } => StakeState::Unbonding,
        Standing::Slashed { .. } => StakeState::Slashed,
        Standing::Withdrawable { .. } => StakeState::Withdrawable,
        Standing::Withdrawing => StakeState::Withdrawing,
        Standing::Withdrawn { .. } => StakeState::Withdrawn,
        Standing::Extended => StakeState::Extended,
    }
}

fn event(event: Event) -> StakeEvent {
    match event {
        Event::Registered => StakeEvent::Registered,
        Event::Verified => StakeEvent::Verified,
        Event::Staked => StakeEvent::Staked,
        Event::Activated => StakeEvent::Activated,
        Event::Expired => StakeEvent::Expired,
        Event::Unbonded => StakeEvent::Unbonded,
        Event::Extended => StakeEvent::Extended,
        Event::Slashed => StakeEvent::Slashed,
        Event::Withdrawable => StakeEvent::Withdrawable,
        Event::Withdrawn => StakeEvent::Withdrawn,
    }
}
