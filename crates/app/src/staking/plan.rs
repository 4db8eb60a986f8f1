//! Planning a stake, leaving one, and taking its coins back.

use crate::drafts::{Body, LIFE, Purpose, Unsigned, keep, per_kvb, plan_bitcoin, small};
use crate::memory::{Core, put_bitcoin};
use crate::operations;
use crate::operations::stake::Staking;
use crate::profile::{Profile, now};
use bitcoin::{Amount, FeeRate, Psbt, XOnlyPublicKey};
use causeway_bitcoin_wallet::Recipient;
use causeway_contract::{AmountView, Atoms, DraftKind, DraftView, Failure, OperationRef, StakePlan, StakeWithdraw};
use causeway_journal::Machine as _;
use causeway_staking::lifecycle::State as Standing;
use causeway_staking::params::Params;
use causeway_staking::spend::Spend;
use causeway_staking::stake::Stake;
use causeway_store::Write;
use causeway_vocab::{AssetId, Code, NetworkId, Refusal};
use serde::{Deserialize, Serialize};

/// Weight units of a virtual byte.
const WITNESS_SCALE: u64 = 4;

/// A stake as it was planned; its confirmation stands for all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intent {
    /// Which of the wallet's staker keys.
    pub(crate) index: u32,
    pub(crate) staker: XOnlyPublicKey,
    pub(crate) provider: XOnlyPublicKey,
    pub(crate) moniker: String,
    /// Satoshi.
    pub(crate) value: u64,
    pub(crate) blocks: u16,
    pub(crate) params_version: u32,
    pub(crate) params: Params,
    pub(crate) depth: u32,
}

impl Intent {
    pub(crate) fn stake(&self) -> Result<Stake, Refusal> {
        Ok(Stake::plan(&self.params, self.staker, self.provider, Amount::from_sat(self.value), self.blocks)?)
    }
}

/// A spend of a stake's output by its staker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unlock {
    /// The stake's operation.
    pub(crate) operation: u32,
    /// Which of the wallet's staker keys.
    pub(crate) index: u32,
    /// The registered unbonding transaction; taking coins back otherwise.
    pub(crate) leaves: bool,
    /// Base64.
    pub(crate) psbt: String,
    /// Satoshi.
    pub(crate) fee: u64,
    /// Virtual bytes when it is signed.
    pub(crate) vsize: u64,
}

impl Unlock {
    pub(crate) fn psbt(&self) -> Result<Psbt, Refusal> {
        self.psbt.parse().map_err(|_| Code::BadDraft.into())
    }
}

impl Profile {
    pub(crate) async fn stake_plan(&self, request: StakePlan) -> Result<DraftView, Failure> {
        let plane = self.plane()?;
        let (_, params_version, params) = self.live_params(&plane).await?;
        let provider = self.good_provider(&plane, &request.provider).await?;
        let rate = self.rate_or_normal(NetworkId::Bitcoin, request.fee_rate).await;
        let wallet = self.core().selected()?.row.id;
        self.unlock_if_open(wallet).await?;
        let keys = {
            let core = self.core();
            if core.wallet(wallet)?.accounts.is_none() {
                return Err(Code::WatchOnly.into());
            }
            core.keys.get(&wallet).cloned().ok_or(Code::Locked)?
        };
        let mut fund = self.bitcoin_intent(request.coins.as_deref(), rate)?;
        let (least, most) = params.value;
        if !(least.to_sat()..=most.to_sat()).contains(&request.amount.0) {
            return Err(Refusal::new(Code::StakeAmount).with("least", least.to_sat()).with("most", most.to_sat()));
        }
        let (least, most) = params.term;
        let term = |_| Refusal::new(Code::StakeTerm).with("least", least).with("most", most);
        let blocks = u16::try_from(request.blocks).map_err(term)?;
        self.change(|core, write| {
            let before = write.operations_of(Staking::KIND)?;
            let index = small(before.iter().filter(|row| row.wallet == wallet).count() as u64);
            let intent = Intent {
                index,
                staker: keys.staker(index)?,
                provider: provider.key,
                moniker: provider.moniker.clone(),
                value: request.amount.0,
                blocks,
                params_version,
                params: params.clone(),
                depth: plane.params().depth,
            };
            let output = intent.stake()?.staking_output();
            fund.recipients.push(Recipient { script: output.script_pubkey, amount: Atoms(output.value.to_sat()) });
            plan_bitcoin(core, write, DraftKind::Stake, fund, String::new(), Vec::new(), |_| Purpose::Stake(Box::new(intent)))
        })
        .inspect(|_| self.watch_new())
    }

    pub(crate) async fn stake_unbond_plan(&self, request: OperationRef) -> Result<DraftView, Failure> {
        self.change(|core, write| {
            core.not_halted(NetworkId::Bitcoin)?;
            let state = operations::staking(core, write, request.operation)?;
            let open = state.staked.is_some() && state.spent.is_empty() && !state.is_leaving() && !state.is_over();
            let verified = state.verified().filter(|_| open);
            let verified = verified.ok_or_else(|| Refusal::new(Code::NotReady).with("what", "stake"))?;
            let fee = state.stake.rules().unbonding_fee.to_sat();
            keep_unlock(core, write, request.operation, state.order.index, verified.unbonding(), fee)
        })
    }

    pub(crate) async fn stake_withdraw_plan(&self, request: StakeWithdraw) -> Result<DraftView, Failure> {
        let rate = self.rate_or_normal(NetworkId::Bitcoin, request.fee_rate).await;
        self.change(|core, write| {
            core.not_halted(NetworkId::Bitcoin)?;
            let state = operations::staking(core, write, request.operation)?;
            let Standing::Withdrawable { locked } = state.standing(core.heights().bitcoin) else {
                return Err(Refusal::new(Code::NotReady).with("what", "stake"));
            };
            if state.is_over() {
                return Err(Refusal::new(Code::NotFound).with("what", "stake"));
            }
            let (outpoint, value) = state.output(locked).ok_or(Code::BadDelegation)?;
            let wallet = core.selected_mut()?;
            let (entry, changes) = wallet.bitcoin.next_address();
            put_bitcoin(write, wallet.row.id, Some(&changes))?;
            // Rates are per thousand virtual bytes; a weight unit is a quarter of one.
            let rate = FeeRate::from_sat_per_kwu(rate.div_ceil(WITNESS_SCALE));
            let spend = state.stake.withdrawal(locked, outpoint, value, entry.script, rate)?;
            let paid: Amount = spend.transaction().output.iter().map(|output| output.value).sum();
            let fee = value.checked_sub(paid).ok_or(Code::BadDelegation)?.to_sat();
            keep_unlock(core, write, request.operation, state.order.index, &spend, fee)
        })
        .inspect(|_| self.watch_new())
    }
}

/// Keeps a spend of a stake's output as a draft. It holds no coin of the wallet's.
fn keep_unlock(
    core: &mut Core,
    write: &mut Write<'_>,
    operation: u32,
    index: u32,
    spend: &Spend,
    fee: u64,
) -> Result<DraftView, Refusal> {
    let psbt = spend.to_psbt();
    let tx = spend.transaction();
    let value: u64 = tx.output.iter().map(|output| output.value.to_sat()).sum();
    let own = core.selected()?.bitcoin.is_mine(&tx.output[0].script_pubkey);
    let signed = spend.with_staker(&bitcoin::secp256k1::schnorr::Signature::from_slice(&[1; 64]).expect("BUG: 64 bytes"));
    let vsize = signed.vsize() as u64;
    let kind = if own { DraftKind::Withdraw } else { DraftKind::Unbond };
    let amount = vec![AmountView { asset: core.names.label(AssetId::Bitcoin), amount: Atoms(value) }];
    let (leaves, comes_back) = if own { (Vec::new(), amount) } else { (amount, Vec::new()) };
    let view = DraftView {
        draft: 0,
        kind,
        network: NetworkId::Bitcoin,
        fee: Atoms(fee),
        fee_rate: per_kvb(fee, vsize),
        vsize: small(vsize),
        fee_share: None,
        leaves,
        comes_back,
        coins: 1,
        expires: now().saturating_add(LIFE),
        replaces_fee: None,
        asset: None,
        domain_proof: String::new(),
        signed: false,
        exported: false,
        label: String::new(),
    };
    let unlock = Unlock { operation, index, leaves: !own, psbt: psbt.to_string(), fee, vsize };
    let body = Body {
        kind,
        network: NetworkId::Bitcoin,
        unsigned: Unsigned::Order,
        view,
        label: String::new(),
        payees: Vec::new(),
        purpose: Purpose::Unlock(Box::new(unlock)),
    };
    keep(core, write, body)
}
