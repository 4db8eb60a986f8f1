//! Which coins to spend, what change to make, what fee to pay.

use super::fresh::Fresh;
use super::intent::Intent;
use super::plan::{Change, PlannedInput, PlannedOutput, Purpose};
use super::size::{InputShape, IssuanceShape, OutputShape, Size, measure};
use super::{MAX_INPUTS, MAX_OUTPUTS, MAX_WEIGHT};
use crate::consensus::MAX_MONEY;
use crate::consensus::transaction::fee_at_rate;
use crate::wallet::descriptor::{Chain, KeyPath};
use crate::wallet::state::{Coin, SidechainWallet};
use causeway_vocab::{Code, Refusal};
use elements::opcodes::all::OP_RETURN;
use elements::script::Builder;
use elements::{AssetId, TxIn};
use secp256k1_zkp::SECP256K1;
use std::collections::{BTreeMap, BTreeSet};

/// A transaction in the making.
pub(super) struct Selection<'a> {
    wallet: &'a SidechainWallet,
    intent: &'a Intent,
    policy: AssetId,
    pub(super) inputs: Vec<PlannedInput>,
    /// All but change and fee.
    pub(super) outputs: Vec<PlannedOutput>,
    /// The output that takes what is left of its asset.
    pub(super) drain: Option<usize>,
    /// Coins that may still be added, largest first by asset.
    pool: BTreeMap<AssetId, Vec<Coin>>,
    /// All there is to spend, by asset.
    available: BTreeMap<AssetId, u64>,
}

/// What a selection comes to.
pub(super) struct Settled {
    pub(super) inputs: Vec<PlannedInput>,
    pub(super) outputs: Vec<PlannedOutput>,
    pub(super) fee: u64,
    pub(super) size: Size,
    pub(super) change: Vec<Change>,
}

impl<'a> Selection<'a> {
    /// Starts with the coins that may be spent: the chosen ones, which must all be there, or whatever is not excluded.
    pub(super) fn new(wallet: &'a SidechainWallet, intent: &'a Intent) -> Result<Selection<'a>, Refusal> {
        for outpoint in intent.coins.iter().chain(&intent.include) {
            let usable = wallet.coin(outpoint).is_some_and(|coin| coin.spendable) && !intent.exclude.contains(outpoint);
            if !usable {
                return Err(Refusal::new(Code::CoinUnavailable).with("outpoint", outpoint));
            }
        }
        let chosen = |coin: &Coin| intent.coins.is_empty() || intent.coins.contains(&coin.outpoint);
        let mut inputs = Vec::new();
        let mut pool = BTreeMap::<AssetId, Vec<Coin>>::new();
        let mut available = BTreeMap::<AssetId, u64>::new();
        for coin in wallet.coins() {
            if coin.spendable && coin.opening.value > 0 && !intent.exclude.contains(&coin.outpoint) && chosen(&coin) {
                let sum = available.entry(coin.opening.asset).or_default();
                *sum = sum.saturating_add(coin.opening.value);
                if intent.include.contains(&coin.outpoint) {
                    inputs.push(input_of(coin));
                } else {
                    pool.entry(coin.opening.asset).or_default().push(coin);
                }
            }
        }
        for coins in pool.values_mut() {
            coins.sort_by_key(|coin| (std::cmp::Reverse(coin.opening.value), coin.outpoint));
        }
        let policy = wallet.params().policy_asset;
        Ok(Selection { wallet, intent, policy, inputs, outputs: vec![], drain: None, pool, available })
    }

    /// Takes one coin that suits, and says so: the issuing or the token coin.
    pub(super) fn take(&mut self, asset: AssetId, suits: impl Fn(&Coin) -> bool) -> Option<usize> {
        let coins = self.pool.get_mut(&asset)?;
        let place = coins.iter().position(suits)?;
        let coin = coins.remove(place);
        self.inputs.push(input_of(coin));
        Some(self.inputs.len() - 1)
    }

    /// Spends what was put in so far and no coins.
    pub(super) fn spend_nothing_else(&mut self) {
        self.pool.clear();
        self.available = self.inputs.iter().map(|input| (input.opening.asset, input.opening.value)).collect();
    }

    /// Assets with coins to spend.
    pub(super) fn assets(&self) -> impl Iterator<Item = AssetId> + '_ {
        self.pool.keys().copied()
    }

    /// Selects, computes the fee and makes the change.
    pub(super) fn settle(mut self, fresh: &mut Fresh) -> Result<Settled, Refusal> {
        let drained = self.drain.map(|index| self.outputs[index].asset);
        let mut wanted: BTreeSet<AssetId> = self.outputs.iter().map(|output| output.asset).collect();
        if !self.intent.coins.is_empty() {
            for asset in self.assets().collect::<Vec<_>>() {
                self.take_all(asset);
                wanted.insert(asset);
            }
        } else if let Some(asset) = drained {
            self.take_all(asset);
        }
        wanted.extend(self.inputs.iter().map(|input| input.opening.asset));
        wanted.remove(&self.policy);

        let mut change = Vec::new();
        for asset in wanted {
            let needed = self.needed(asset)?;
            while self.have(asset) < needed {
                if !self.add_coin(asset, needed - self.have(asset)) {
                    return Err(self.short_of(asset, needed));
                }
            }
            let left = self.have(asset) - needed;
            match self.drain {
                Some(index) if drained == Some(asset) => {
                    if left == 0 {
                        return Err(self.short_of(asset, needed.saturating_add(1)));
                    }
                    self.outputs[index].amount = left;
                }
                _ if left > 0 => change.push(fresh.output(Chain::Internal, asset, left, Purpose::Change)),
                _ => {}
            }
        }
        self.outputs.extend(change);
        let drains_policy = drained == Some(self.policy);
        self.settle_policy_asset(drains_policy, fresh)
    }

    /// The asset of the fee: what it costs depends on what is spent, and the other way round.
    fn settle_policy_asset(mut self, drained: bool, fresh: &mut Fresh) -> Result<Settled, Refusal> {
        let needed = self.needed(self.policy)?;
        let mut fee;
        loop {
            fee = self.fee(&[]);
            let total = needed.saturating_add(fee);
            if self.have(self.policy) >= total {
                break;
            }
            if !self.add_coin(self.policy, total - self.have(self.policy)) {
                let available = self.available.get(&self.policy).copied().unwrap_or(0).max(self.have(self.policy));
                return Err(if needed > available {
                    self.short_of(self.policy, needed)
                } else {
                    Refusal::new(Code::InsufficientFee).with("needed", fee).with("available", available - needed)
                });
            }
        }
        let left = self.have(self.policy) - needed - fee;
        if let (true, Some(index)) = (drained, self.drain) {
            let least = super::dust_limit(&self.outputs[index]);
            if left < least {
                return Err(self.short_of(self.policy, needed.saturating_add(fee).saturating_add(least)));
            }
            self.outputs[index].amount = left;
        } else if left > 0 {
            let mut output = fresh.output(Chain::Internal, self.policy, 0, Purpose::Change);
            let fee_with_change = self.fee(std::slice::from_ref(&output));
            // Change that costs more to spend than it holds is left to the fee.
            let least = fee_at_rate(self.spend_size(&output), self.intent.fee_rate).max(super::dust_limit(&output));
            match (left + fee).checked_sub(fee_with_change) {
                Some(amount) if amount >= least => {
                    output.amount = amount;
                    fee = fee_with_change;
                    self.outputs.push(output);
                }
                _ => {
                    fresh.give_back(&output);
                    fee += left;
                }
            }
        }
        self.finish(fee)
    }

    fn finish(mut self, fee: u64) -> Result<Settled, Refusal> {
        if let Some(balance) = self.balance_output(&self.outputs) {
            self.outputs.push(balance);
        }
        // Consensus bounds what is explicit in all, whatever the assets.
        let explicit = self.outputs.iter().filter(|output| output.blinding_key.is_none()).map(|output| output.amount);
        if explicit.fold(fee, u64::saturating_add) > MAX_MONEY {
            return Err(Refusal::new(Code::AboveSupply).with("most", MAX_MONEY));
        }
        let size = measure(&self.input_shapes(), &self.output_shapes(&self.outputs));
        if self.inputs.len() > MAX_INPUTS || self.outputs.len() > MAX_OUTPUTS || size.weight > MAX_WEIGHT {
            return Err(Refusal::new(Code::BadRequest).with("field", "recipients"));
        }
        let own = |output: &PlannedOutput| {
            let path = output.path.filter(|_| output.purpose == Purpose::Change)?;
            Some(Change { asset: output.asset, amount: output.amount, path })
        };
        let change = self.outputs.iter().filter_map(own).collect();
        Ok(Settled { inputs: self.inputs, outputs: self.outputs, fee, size, change })
    }

    /// What the inputs so far bring of an asset, issuances included.
    fn have(&self, asset: AssetId) -> u64 {
        let spent = self.inputs.iter().filter(|input| input.opening.asset == asset).map(|input| input.opening.value);
        let issued = self
            .inputs
            .iter()
            .filter_map(|input| input.issuance.as_ref())
            .flat_map(|issuance| [(issuance.asset, issuance.amount), (issuance.token, issuance.tokens)]);
        let issued = issued.filter(|(made, _)| *made == asset).map(|(_, amount)| amount);
        spent.chain(issued).fold(0, u64::saturating_add)
    }

    /// What the outputs take of an asset, the one that takes what is left not counted.
    fn needed(&self, asset: AssetId) -> Result<u64, Refusal> {
        let fixed = self.outputs.iter().enumerate().filter(|(index, output)| output.asset == asset && self.drain != Some(*index));
        let sum = fixed.map(|(_, output)| output.amount).try_fold(0u64, u64::checked_add);
        sum.ok_or_else(|| Refusal::new(Code::AboveSupply).with("most", MAX_MONEY))
    }

    fn short_of(&self, asset: AssetId, needed: u64) -> Refusal {
        let available = self.available.get(&asset).copied().unwrap_or(0);
        Refusal::new(Code::InsufficientFunds).with("asset", asset).with("available", available).with("needed", needed)
    }

    /// Adds the smallest coin that is enough, or the largest there is. False when none is left.
    fn add_coin(&mut self, asset: AssetId, missing: u64) -> bool {
        if self.inputs.len() >= MAX_INPUTS {
            return false;
        }
        let Some(coins) = self.pool.get_mut(&asset).filter(|coins| !coins.is_empty()) else { return false };
        // Largest first, so that those which are enough come first.
        let enough = coins.partition_point(|coin| coin.opening.value >= missing);
        let coin = coins.remove(enough.saturating_sub(1));
        self.inputs.push(input_of(coin));
        true
    }

    /// Adds every coin of an asset, the largest ones when there are more than fit.
    fn take_all(&mut self, asset: AssetId) {
        let coins = self.pool.remove(&asset).unwrap_or_default();
        let room = MAX_INPUTS.saturating_sub(self.inputs.len());
        self.inputs.extend(coins.into_iter().take(room).map(input_of));
    }

    /// The fee with these outputs on top.
    fn fee(&self, more: &[PlannedOutput]) -> u64 {
        let mut outputs = [&self.outputs[..], more].concat();
        outputs.extend(self.balance_output(&outputs));
        let size = measure(&self.input_shapes(), &self.output_shapes(&outputs));
        fee_at_rate(size.vsize(self.intent.discount), self.intent.fee_rate)
    }

    /// Virtual bytes that spending an output will take.
    fn spend_size(&self, output: &PlannedOutput) -> usize {
        let shape = self.input_shape(output.path, None, None);
        measure(&[shape], &[]).vsize(self.intent.discount) - measure(&[], &[]).vsize(self.intent.discount)
    }

    /// An output that holds nothing, where the blinding factors could not balance without one, or would tell what they hide.
    ///
    /// Hidden inputs need at least one hidden output. Without hidden inputs there must be none or two: the factors of a single one
    /// would follow from its amount. elementsd makes the same output.
    fn balance_output(&self, outputs: &[PlannedOutput]) -> Option<PlannedOutput> {
        let hidden_in = self.inputs.iter().any(|input| {
            let issues_hidden = input.issuance.as_ref().is_some_and(|issuance| issuance.blinded);
            issues_hidden || input.output.asset.is_confidential() || input.output.value.is_confidential()
        });
        let hidden_out = outputs.iter().filter(|output| output.blinding_key.is_some()).count();
        let wanted = if hidden_in { hidden_out == 0 } else { hidden_out == 1 };
        wanted.then(|| {
            let script = Builder::new().push_opcode(OP_RETURN).into_script();
            let external = KeyPath { chain: Chain::External, index: 0 };
            let key = self.wallet.account().private_blinding_key(external, &script).public_key(SECP256K1);
            PlannedOutput {
                script,
                asset: self.policy,
                amount: 0,
                blinding_key: Some(key),
                path: None,
                purpose: Purpose::Balance,
                made: None,
            }
        })
    }

    fn input_shapes(&self) -> Vec<InputShape> {
        let shape = |input: &PlannedInput| {
            let issuance = input.issuance.as_ref();
            let issuance = issuance.map(|i| IssuanceShape { tokens: i.tokens > 0, blinded: i.blinded });
            match &input.signed {
                Some(signed) => InputShape { satisfaction: satisfaction_of(signed), pegin: 1, issuance },
                None => self.input_shape(input.path, issuance, input.pegin.as_ref()),
            }
        };
        self.inputs.iter().map(shape).collect()
    }

    fn input_shape(
        &self,
        path: Option<KeyPath>,
        issuance: Option<IssuanceShape>,
        pegin: Option<&elements::PeginWitness>,
    ) -> InputShape {
        InputShape {
            satisfaction: path.map_or(0, |path| self.wallet.account().satisfaction_weight(path)),
            pegin: pegin.map_or(1, elements::PeginWitness::encoded_size),
            issuance,
        }
    }

    /// Shapes of the outputs and of the fee.
    fn output_shapes(&self, outputs: &[PlannedOutput]) -> Vec<OutputShape> {
        let shape = |output: &PlannedOutput| OutputShape {
            script: output.script.len(),
            blinded: output.blinding_key.is_some() || output.made.is_some(),
            empty: output.purpose == Purpose::Balance,
        };
        let fee = OutputShape { script: 0, blinded: false, empty: false };
        outputs.iter().map(shape).chain([fee]).collect()
    }
}

/// Weight of what satisfies an input that is signed already, less what an empty input has.
fn satisfaction_of(signed: &TxIn) -> usize {
    let witness = elements::encode::serialize(&signed.witness.script_witness).len().saturating_sub(1);
    witness + 4 * signed.script_sig.len()
}

fn input_of(coin: Coin) -> PlannedInput {
    let Coin { outpoint: prevout, output, opening, path, .. } = coin;
    PlannedInput { prevout, output, opening, path: Some(path), issuance: None, pegin: None, signed: None }
}
