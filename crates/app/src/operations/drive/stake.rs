//! What a stake asks of the control plane.

use super::Outcome;
use crate::memory::{put_bitcoin, stale};
use crate::operations::stake::State;
use crate::operations::{Input, Running};
use crate::profile::{Profile, now};
use bitcoin::hex::FromHex as _;
use causeway_contract::Tag;
use causeway_journal::EffectId;
use causeway_keys::SigningKeys;
use causeway_peers::plane::ControlPlane;
use causeway_staking::answer::BadAnswer;
use causeway_staking::delegation::Verified;
use causeway_staking::envelope::{Any, Fee, Signer, Unsigned};
use causeway_staking::inclusion::InclusionProof;
use causeway_staking::message::{AddBtcDelegationInclusionProof, CreateBtcDelegation, ProofOfPossession};
use causeway_staking::possession::{Account, Kind};
use causeway_vocab::{Code, Refusal};
use std::sync::Arc;

/// Gas of a message besides what a registration costs extra.
const GAS: u64 = 300_000;

fn contradicts() -> Refusal {
    Refusal::new(Code::BadPeer).with("peer", "control-plane")
}

/// The refusal inside, or that nobody waits any more.
fn outcome(result: Result<Outcome, Refusal>) -> Outcome {
    result.unwrap_or_else(Outcome::Later)
}

impl Profile {
    fn stake_of(&self, operation: u32) -> Option<(u32, State)> {
        let core = self.core();
        let open = core.operations.open.get(&operation)?;
        let Running::Stake(log) = &open.log else { return None };
        Some((open.row.wallet, log.state().clone()))
    }

    async fn keys_of(&self, wallet: u32) -> Result<Arc<SigningKeys>, Refusal> {
        self.unlock_if_open(wallet).await?;
        self.core().keys.get(&wallet).map(Arc::clone).ok_or_else(|| Code::Locked.into())
    }

    /// Signs a message of the wallet's account under its present sequence and hands it over.
    async fn tell_plane(&self, plane: &ControlPlane, keys: &SigningKeys, message: Any, gas: u64) -> Result<(), Refusal> {
        let params = plane.params();
        let key = keys.staking_account()?;
        let account =
            Account::of_key(&key, &params.account_prefix).map_err(|_| Refusal::new(Code::BadRealm).with("field", "staking"))?;
        let amount = gas.saturating_mul(params.gas_price).div_ceil(1_000);
        let short = |available: u64| Refusal::new(Code::InsufficientFee).with("needed", amount).with("available", available);
        let (account_number, sequence) = plane.account(&account).await?.ok_or_else(|| short(0))?;
        let available = plane.balance(&account).await?;
        if available < amount {
            return Err(short(available));
        }
        let signer = Signer { key, account_number, sequence };
        let fee = Fee { denom: params.denom.clone(), amount, gas };
        let unsigned = Unsigned::new(vec![message], "", &signer, &fee, &params.chain_id);
        let signature = keys.sign_document(&unsigned.sign_doc)?;
        plane.broadcast(&unsigned.with_signature(signature)).await
    }

    pub(super) async fn register_stake(&self, operation: u32, effect: EffectId) -> Outcome {
        let Some((wallet, state)) = self.stake_of(operation) else { return Outcome::Obsolete };
        let work = async {
            let order = &state.order;
            let plane = self.plane()?;
            let staking = order.registration.staking.compute_txid();
            if plane.delegation(&staking).await?.is_none() {
                let keys = self.keys_of(wallet).await?;
                let account = Account::of_key(&keys.staking_account()?, &plane.params().account_prefix);
                let account = account.map_err(|_| Refusal::new(Code::BadRealm).with("field", "staking"))?;
                let possession = Vec::from_hex(&order.possession).map_err(|_| Refusal::new(Code::BadDelegation))?;
                let pop = ProofOfPossession::new(Kind::Bip340, possession);
                let message = CreateBtcDelegation::new(&account, pop, &state.stake, &order.registration, None);
                let gas = GAS.saturating_add(order.params.registration_gas);
                self.tell_plane(&plane, &keys, Any::of(&message), gas).await?;
                if plane.delegation(&staking).await?.is_none() {
                    return Ok(Outcome::Rest);
                }
            }
            Ok(self.answer(operation, effect, Input::Registered { time: now() }))
        };
        outcome(work.await)
    }

    /// Fetches the committee's signatures and verifies them under our own hashes; only then the staking transaction becomes part of the wallet
    /// and is sent.
    pub(super) async fn cosign_stake(&self, operation: u32, effect: EffectId) -> Outcome {
        let Some((wallet, state)) = self.stake_of(operation) else { return Outcome::Obsolete };
        let work = async {
            let order = &state.order;
            let plane = self.plane()?;
            let told = plane.delegation(&order.registration.staking.compute_txid()).await?.ok_or_else(contradicts)?;
            if told.params_version() != order.params_version {
                return Err(Code::StakeParams.into());
            }
            let read = told.read(&order.params).map_err(|error| match error {
                BadAnswer::Params => Code::StakeParams.into(),
                BadAnswer::Field(_) | BadAnswer::Stake(_) => contradicts(),
            });
            let (stake, registration, covenant) = read?;
            if stake != state.stake || registration != order.registration {
                return Err(Code::BadDelegation.into());
            }
            let verified = Verified::check(state.stake.clone(), order.registration.clone(), covenant)?;
            let providers = plane.providers().await?;
            if providers.iter().any(|provider| provider.key == order.provider && provider.slashed) {
                return Err(Code::StakeProvider.into());
            }
            let tx = order.staking.read_bitcoin().ok_or(Code::BadDelegation)?;
            let covenant = Box::new(verified.covenant().clone());
            let fed = self.change(|core, write| {
                core.feed(write, operation, Input::Cosigned { covenant, time: now() }, Some(effect))?;
                let own = core.wallets.get_mut(&wallet).ok_or(Code::UnknownWallet)?;
                let changes = own.bitcoin.insert_own(&tx, u64::from(now()));
                put_bitcoin(write, wallet, changes.as_ref())?;
                stale(write, &[Tag::Coins, Tag::Balances, Tag::History]);
                Ok(())
            });
            match fed {
                Ok(()) => Ok(Outcome::Answered),
                Err(refusal) if refusal.code == Code::NotFound => Ok(Outcome::Obsolete),
                Err(refusal) => Err(refusal),
            }
        };
        outcome(work.await)
    }

    /// Shows the control plane that the stake is in a block, unless somebody else has.
    pub(super) async fn prove_stake(&self, operation: u32, effect: EffectId) -> Outcome {
        let Some((wallet, state)) = self.stake_of(operation) else { return Outcome::Obsolete };
        let Some((_, block)) = state.staked.filter(|_| state.activated.is_none() && state.spent.is_empty()) else {
            return Outcome::Obsolete;
        };
        let work = async {
            let plane = self.plane()?;
            let staking = state.order.registration.staking.compute_txid();
            let told = plane.delegation(&staking).await?.ok_or_else(contradicts)?;
            if told.counted() {
                return Ok(self.answer(operation, effect, Input::Activated { time: now() }));
            }
            let (_, block) = self.clients.bitcoin.block(block).await.map_err(|fault| fault.refusal)?;
            let txids: Vec<_> = block.txdata.iter().map(bitcoin::Transaction::compute_txid).collect();
            let index = txids.iter().position(|txid| *txid == staking).and_then(|index| u32::try_from(index).ok());
            let proof = index.and_then(|index| InclusionProof::new(block.block_hash(), &txids, index)).ok_or_else(contradicts)?;
            let keys = self.keys_of(wallet).await?;
            let account = Account::of_key(&keys.staking_account()?, &plane.params().account_prefix);
            let account = account.map_err(|_| Refusal::new(Code::BadRealm).with("field", "staking"))?;
            let message = AddBtcDelegationInclusionProof::new(&account, staking, &proof);
            self.tell_plane(&plane, &keys, Any::of(&message), GAS).await?;
            let told = plane.delegation(&staking).await?;
            match told.is_some_and(|told| told.counted()) {
                true => Ok(self.answer(operation, effect, Input::Activated { time: now() })),
                false => Ok(Outcome::Rest),
            }
        };
        outcome(work.await)
    }
}
