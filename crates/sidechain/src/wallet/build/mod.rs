//! Intent to plan: which coins, which change, what fee; and plan to draft: blinding.

mod blind;
mod fresh;
mod intent;
mod plan;
mod select;
mod size;
#[cfg(test)]
mod tests;

pub use blind::{BlindingJob, BlindingPart};
pub use intent::{Action, Drain, Intent, PegInClaim, Recipient, Take};
pub use plan::{Change, Plan, PlannedInput, PlannedIssuance, PlannedOutput, Purpose, Source};

use super::descriptor::{Account, Chain, KeyPath};
use super::state::{Coin, SidechainWallet};
use super::swap::Side;
use super::unblind::explicit;
use crate::consensus::MAX_MONEY;
use crate::consensus::pegout::Pegout;
use crate::consensus::{issuance, transaction};
use causeway_vocab::{Code, Opening, Refusal};
use elements::confidential::{Asset, Nonce, Value, ValueBlindingFactor};
use elements::opcodes::all::OP_RETURN;
use elements::script::Builder;
use elements::{AssetEntropy, AssetId, ContractHash, OutPoint, Script, TxOut, TxOutWitness, Txid};
use fresh::Fresh;
use rand::seq::SliceRandom as _;
use rand::{CryptoRng, RngCore};
use secp256k1_zkp::PublicKey;
use select::{Selection, Settled};
use size::{InputShape, OutputShape, measure};

/// Least fee rate that peers relay, satoshi per 1000 virtual bytes (policy.h of Elements).
pub const MIN_FEE_RATE: u64 = transaction::MIN_RELAY_FEE_RATE;
/// Fee rates above are a slip of the finger: 1000 sat/vB, where a transaction of average size costs a quarter of a million satoshi.
pub const MAX_FEE_RATE: u64 = 1_000_000;
/// The federation pays out nothing smaller (functionary and `sendtomainchain` of Elements), satoshi.
pub const MIN_PEG_OUT: u64 = 100_000;
/// Most inputs of one transaction: a surjection proof can point at no more than 256, issuances included.
pub const MAX_INPUTS: usize = 250;
/// Most outputs of one transaction; each blinded one weighs over four kilobytes, and relay ends at 400,000 weight units.
pub const MAX_OUTPUTS: usize = 80;
/// Largest transaction that peers relay, weight units (policy.h of Elements).
pub const MAX_WEIGHT: usize = 400_000;

/// How large a payment will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentSize {
    /// Weight units.
    pub weight: usize,
    /// Virtual bytes that its fee is measured in.
    pub vsize: usize,
}

/// Measures a payment before any coin is chosen: `inputs` coins of `account`, outputs to scripts of these lengths, blinded or not, and
/// hidden change of `change` assets. `discount` as in [`Intent`].
pub fn payment_size(
    account: &Account,
    inputs: usize,
    outputs: impl IntoIterator<Item = (usize, bool)>,
    change: usize,
    discount: bool,
) -> PaymentSize {
    let own = KeyPath { chain: Chain::Internal, index: 0 };
    let input = InputShape { satisfaction: account.satisfaction_weight(own), pegin: 1, issuance: None };
    let back = account.script(own).map_or(0, |script| script.len());
    let shape = |(script, blinded)| OutputShape { script, blinded, empty: false };
    let paid = outputs.into_iter().map(shape);
    let all: Vec<_> = paid.chain((0..change).map(|_| shape((back, true)))).chain([shape((0, false))]).collect();
    let size = measure(&vec![input; inputs], &all);
    PaymentSize { weight: size.weight, vsize: size.vsize(discount) }
}

/// What an action comes to before coins are selected.
struct Order<'a> {
    selection: Selection<'a>,
    fresh: Fresh<'a>,
}

pub(super) fn plan(wallet: &SidechainWallet, intent: &Intent, rng: &mut (impl RngCore + CryptoRng)) -> Result<Plan, Refusal> {
    if intent.fee_rate < MIN_FEE_RATE {
        return Err(Refusal::new(Code::FeeTooLow).with("least", MIN_FEE_RATE));
    }
    if intent.fee_rate > MAX_FEE_RATE {
        return Err(Refusal::new(Code::FeeTooHigh).with("limit", MAX_FEE_RATE));
    }
    let mut order = Order { selection: Selection::new(wallet, intent)?, fresh: Fresh::new(wallet) };
    match &intent.action {
        Action::Send { recipients, drain } => order.send(wallet, intent, recipients, *drain)?,
        Action::Issue { amount, tokens, contract, blinded } => order.issue(wallet, *amount, *tokens, *contract, *blinded)?,
        Action::Reissue { asset, amount, entropy } => order.reissue(wallet, *asset, *amount, *entropy)?,
        Action::Burn { asset, amount } => order.burn(*asset, *amount)?,
        Action::PegOut { amount, drain, destination, authorisation } => {
            order.peg_out(wallet, *amount, *drain, destination, authorisation.as_ref())?;
        }
        Action::ClaimPegIn(claim) => order.claim_peg_in(wallet, claim)?,
        Action::Take(take) => order.take(wallet, take)?,
    }
    let Order { selection, mut fresh } = order;
    let Settled { mut inputs, mut outputs, fee, size, change } = selection.settle(&mut fresh)?;
    // The order in which things were added would tell payments from change.
    inputs.shuffle(rng);
    outputs.shuffle(rng);
    // The signature of an offer binds its input to the output of the same place.
    if let (Some(input), Some(output)) =
        (inputs.iter().position(|input| input.signed.is_some()), outputs.iter().position(|output| output.made.is_some()))
    {
        inputs.swap(0, input);
        outputs.swap(0, output);
    }
    let policy = wallet.params().policy_asset;
    outputs.push(PlannedOutput {
        script: Script::new(),
        asset: policy,
        amount: fee,
        blinding_key: None,
        path: None,
        purpose: Purpose::Fee,
        made: None,
    });
    let hidden = |input: &PlannedInput| input.issuance.as_ref().is_some_and(|issuance| issuance.blinded);
    let key = |input: &PlannedInput| hidden(input).then(|| wallet.account().issuance_blinding_key(&input.prevout));
    let issuance_keys = inputs.iter().map(key).collect();
    let definite = |path| wallet.account().definite(path).expect("BUG: it was derived before");
    let input_descriptors = inputs.iter().map(|input| input.path.map(definite)).collect();
    let output_descriptors = outputs.iter().map(|output| output.path.map(definite)).collect();
    Ok(Plan {
        inputs,
        outputs,
        fee,
        weight: size.weight,
        vsize: size.vsize(intent.discount),
        change,
        changes: fresh.changes(),
        taken: match &intent.action {
            Action::Take(take) => Some(take.offer.clone()),
            _ => None,
        },
        issuance_keys,
        input_descriptors,
        output_descriptors,
    })
}

impl Order<'_> {
    fn send(&mut self, wallet: &SidechainWallet, intent: &Intent, recipients: &[Recipient], drain: Drain) -> Result<(), Refusal> {
        if recipients.is_empty() {
            return Err(Code::NoRecipients.into());
        }
        let params = wallet.params();
        for (index, recipient) in recipients.iter().enumerate() {
            if recipient.address.params != params.address_params() {
                return Err(Refusal::new(Code::WrongNetwork).with("found", "unknown").with("wanted", &params.chain_name));
            }
            let blinding_key = recipient.address.blinding_pubkey;
            if blinding_key.is_none() && !intent.allow_explicit {
                return Err(Code::ExplicitAddress.into());
            }
            let takes_all = drain == Drain::To(index);
            let output = PlannedOutput {
                script: recipient.address.script_pubkey(),
                asset: recipient.asset,
                amount: if takes_all { 0 } else { checked(recipient.amount)? },
                blinding_key,
                path: wallet.path_of(&recipient.address.script_pubkey()),
                purpose: Purpose::Payment,
                made: None,
            };
            let least = dust_limit(&output);
            if !takes_all && recipient.asset == params.policy_asset && recipient.amount < least {
                return Err(Refusal::new(Code::Dust).with("least", least));
            }
            if takes_all {
                self.selection.drain = Some(index);
            }
            self.selection.outputs.push(output);
        }
        match drain {
            Drain::To(index) if index >= recipients.len() => Err(Refusal::new(Code::BadRequest).with("field", "drain")),
            _ => Ok(()),
        }
    }

    fn issue(
        &mut self,
        wallet: &SidechainWallet,
        amount: u64,
        tokens: u64,
        contract: ContractHash,
        blinded: bool,
    ) -> Result<(), Refusal> {
        let (amount, policy) = (checked(amount)?, wallet.params().policy_asset);
        if tokens > MAX_MONEY {
            return Err(above_supply());
        }
        // The ids follow from the coin that issues, so it comes first; one in the asset of the fee is spent anyway.
        let any = self.selection.assets().next();
        let index = self.selection.take(policy, |_| true).or_else(|| self.selection.take(any?, |_| true));
        let index = index.ok_or_else(|| Refusal::new(Code::InsufficientFee).with("needed", 1).with("available", 0))?;
        let issuing = &mut self.selection.inputs[index];
        let ids = issuance::ids(issuing.prevout, contract, blinded);
        let source = Source::New(contract);
        issuing.issuance = Some(PlannedIssuance { asset: ids.asset, token: ids.token, amount, tokens, blinded, source });
        self.pay_ourselves(ids.asset, amount, Chain::External);
        if tokens > 0 {
            self.pay_ourselves(ids.token, tokens, Chain::External);
        }
        Ok(())
    }

    fn reissue(
        &mut self,
        wallet: &SidechainWallet,
        asset: AssetId,
        amount: u64,
        entropy: Option<AssetEntropy>,
    ) -> Result<(), Refusal> {
        let amount = checked(amount)?;
        let known = wallet.issued_asset(&asset).map(|issued| issued.entropy);
        let entropy = known.or(entropy).filter(|entropy| AssetId::from_entropy(*entropy) == asset);
        let entropy = entropy.ok_or_else(|| Refusal::new(Code::UnknownAsset).with("asset", asset))?;
        // Which token there is says whether amounts of this asset are hidden. An explicit token cannot reissue: its factor is zero, and a
        // zero nonce means a new issuance.
        let usable = |coin: &Coin| coin.output.asset.is_confidential();
        let tokens = [false, true].map(|blinded| (blinded, AssetId::reissuance_token_from_entropy(entropy, blinded)));
        let taken = tokens.into_iter().find_map(|(blinded, token)| Some((blinded, token, self.selection.take(token, usable)?)));
        let (blinded, token, index) = taken.ok_or(Code::NoToken)?;
        let input = &mut self.selection.inputs[index];
        let held = input.opening.value;
        let source = Source::More(entropy);
        input.issuance = Some(PlannedIssuance { asset, token, amount, tokens: 0, blinded, source });
        self.pay_ourselves(asset, amount, Chain::External);
        self.pay_ourselves(token, held, Chain::Internal);
        Ok(())
    }

    fn burn(&mut self, asset: AssetId, amount: u64) -> Result<(), Refusal> {
        let script = Builder::new().push_opcode(OP_RETURN).into_script();
        self.explicit_output(script, asset, checked(amount)?, Purpose::Burn);
        Ok(())
    }

    fn peg_out(
        &mut self,
        wallet: &SidechainWallet,
        amount: u64,
        drain: bool,
        destination: &bitcoin::ScriptBuf,
        authorisation: Option<&(PublicKey, Vec<u8>)>,
    ) -> Result<(), Refusal> {
        let params = wallet.params();
        if destination.is_empty() || destination.is_op_return() {
            return Err(Refusal::new(Code::PegOutDestination).with("why", "unspendable"));
        }
        let parent = params.parent_genesis_hash;
        let pegout = match authorisation {
            Some((key, proof)) => Pegout::authorised(parent, destination.clone(), key, proof.clone()),
            None if params.enforce_pak => return Err(Refusal::new(Code::PegOutDestination).with("why", "authorisation")),
            None => Pegout { parent_genesis: parent, destination: destination.clone(), extra: Vec::new() },
        };
        let amount = if drain { 0 } else { checked(amount)? };
        if !drain && amount < MIN_PEG_OUT {
            return Err(Refusal::new(Code::Dust).with("least", MIN_PEG_OUT));
        }
        self.explicit_output(pegout.to_script(), params.policy_asset, amount, Purpose::PegOut);
        self.selection.drain = drain.then_some(0);
        Ok(())
    }

    fn claim_peg_in(&mut self, wallet: &SidechainWallet, claim: &PegInClaim) -> Result<(), Refusal> {
        let witness = &claim.witness;
        let not_ours = || Refusal::new(Code::NotFound).with("what", "claim-script");
        let path = wallet.path_of(&witness.claim_script).ok_or_else(not_ours)?;
        let policy = wallet.params().policy_asset;
        self.selection.inputs.push(PlannedInput {
            prevout: OutPoint::new(Txid::from_byte_array(to_bytes(claim.deposit.txid)), claim.deposit.vout),
            output: witness.claimed_output(),
            opening: explicit(policy, checked(witness.value)?),
            path: Some(path),
            issuance: None,
            pegin: Some(witness.to_library()),
            signed: None,
        });
        self.selection.spend_nothing_else();
        self.pay_ourselves(policy, 0, Chain::External);
        self.selection.drain = Some(0);
        Ok(())
    }

    /// Our keys know nothing of the maker's side: it comes in blinded and signed as it is.
    fn take(&mut self, wallet: &SidechainWallet, take: &Take) -> Result<(), Refusal> {
        let Take { offer, coin } = take;
        let side = |side: &Side| Opening {
            asset: side.asset,
            asset_bf: side.asset_bf,
            value: side.value,
            // Only its maker knows; the offer's scalar stands for both sides of it.
            value_bf: ValueBlindingFactor::zero(),
        };
        if wallet.coin(&offer.coin()).is_some() || wallet.path_of(&offer.output().script_pubkey).is_some() {
            return Err(Refusal::new(Code::CoinUnavailable).with("outpoint", offer.coin()));
        }
        checked(offer.gives.value)?;
        checked(offer.gets.value)?;
        self.selection.inputs.push(PlannedInput {
            prevout: offer.coin(),
            output: coin.clone(),
            opening: side(&offer.gives),
            path: None,
            issuance: None,
            pegin: None,
            signed: Some(offer.input().clone()),
        });
        self.selection.outputs.push(PlannedOutput {
            script: offer.output().script_pubkey.clone(),
            asset: offer.gets.asset,
            amount: offer.gets.value,
            blinding_key: None,
            path: None,
            purpose: Purpose::Payment,
            made: Some(offer.output().clone()),
        });
        self.pay_ourselves(offer.gives.asset, offer.gives.value, Chain::External);
        Ok(())
    }

    fn pay_ourselves(&mut self, asset: AssetId, amount: u64, chain: Chain) {
        let output = self.fresh.output(chain, asset, amount, Purpose::Payment);
        self.selection.outputs.push(output);
    }

    fn explicit_output(&mut self, script: Script, asset: AssetId, amount: u64, purpose: Purpose) {
        let output = PlannedOutput { script, asset, amount, blinding_key: None, path: None, purpose, made: None };
        self.selection.outputs.push(output);
    }
}

fn to_bytes(txid: bitcoin::Txid) -> [u8; 32] {
    use bitcoin::hashes::Hash as _;
    txid.to_byte_array()
}

/// An amount that can exist. Hidden ones are held to the same bound, so that every range proof has the same size.
fn checked(amount: u64) -> Result<u64, Refusal> {
    match amount {
        0 => Err(Refusal::new(Code::BadAmount).with("precision", 0)),
        1..=MAX_MONEY => Ok(amount),
        _ => Err(above_supply()),
    }
}

fn above_supply() -> Refusal {
    Refusal::new(Code::AboveSupply).with("most", MAX_MONEY)
}

/// The least amount of the policy asset worth an output, satoshi: what an explicit one costs to make and spend at the relay rate.
fn dust_limit(output: &PlannedOutput) -> u64 {
    if output.purpose == Purpose::PegOut {
        return MIN_PEG_OUT;
    }
    let explicit = TxOut {
        asset: Asset::Explicit(output.asset),
        value: Value::Explicit(0),
        nonce: Nonce::Null,
        script_pubkey: output.script.clone(),
        witness: TxOutWitness::empty(),
    };
    transaction::dust_limit(&explicit)
}
