//! What the control plane takes: registrations, inclusion proofs, withdrawals of rewards, each signed by an account that pays for it.

use super::chain::CHAIN_ID;
use super::state::{DEPTH, Delegation, State, block_hash, read};
use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::hex::DisplayHex as _;
use bitcoin::secp256k1::XOnlyPublicKey;
use bitcoin::{Txid, block};
use causeway_staking::envelope::{Any, Received};
use causeway_staking::inclusion::InclusionProof;
use causeway_staking::message::{AddBtcDelegationInclusionProof, CreateBtcDelegation, WithdrawReward};
use causeway_staking::possession::{Account, Kind};
use prost::{Message, Name};

/// Prefix of accounts.
pub(super) const PREFIX: &str = "bbn";
/// The smallest coin.
pub(super) const DENOM: &str = "ubbn";
/// Fee of 1000 units of gas.
pub(super) const GAS_PRICE: u64 = 7;
/// Largest transaction, bytes.
const LARGEST: usize = 100_000;

/// What becomes of a transaction: its hash, and why it was refused.
pub(super) type Outcome = (String, Result<(), &'static str>);

/// Headers of Bitcoin blocks by hash, as far as proofs name them.
pub(super) type Headers = Vec<(u32, block::Header)>;

/// Block hashes that the messages of a transaction name.
pub(super) fn named_blocks(raw: &[u8]) -> Vec<bitcoin::BlockHash> {
    let of = |message: &Any| {
        let proof = parse::<AddBtcDelegationInclusionProof>(message)?.staking_tx_inclusion_proof?;
        block_hash(&proof.key?.hash)
    };
    Received::read(raw).map_or_else(Vec::new, |read| read.messages.iter().filter_map(of).collect())
}

fn parse<M: Message + Name + Default>(message: &Any) -> Option<M> {
    (message.type_url == M::type_url()).then(|| M::decode(&message.value[..]).ok()).flatten()
}

/// Carries a transaction out, or refuses all of it.
pub(super) fn deliver(state: &mut State, raw: &[u8], headers: &Headers) -> Outcome {
    let hash = sha256::Hash::hash(raw).to_byte_array().to_upper_hex_string();
    // A second delivery of the same is answered as the first.
    let outcome = if state.taken.contains_key(&hash) { Ok(()) } else { attempt(state, raw, headers) };
    if outcome.is_ok() {
        let height = state.height() + 1;
        state.taken.entry(hash.clone()).or_insert(height);
    }
    (hash, outcome)
}

fn attempt(state: &mut State, raw: &[u8], headers: &Headers) -> Result<(), &'static str> {
    if raw.len() > LARGEST {
        return Err("tx too large");
    }
    let read = Received::read(raw).ok_or("tx parse error")?;
    let signer = Account::of_key(&read.key, PREFIX).map_err(|_| "tx parse error")?;
    let account = state.account(signer.as_str()).clone();
    if read.sequence != account.sequence {
        return Err("account sequence mismatch, incorrect account sequence");
    }
    if !read.is_signed(CHAIN_ID, account.number) {
        return Err("signature verification failed");
    }
    let wanted = read.fee.gas.saturating_mul(GAS_PRICE) / 1_000;
    if read.fee.denom != DENOM || read.fee.amount < wanted {
        return Err("insufficient fee");
    }
    let balance = account.balance.checked_sub(read.fee.amount).ok_or("insufficient funds")?;
    let [message] = &read.messages[..] else { return Err("one message, please") };
    let gained = if let Some(message) = parse::<CreateBtcDelegation>(message) {
        if read.fee.gas < state.versions.last().map_or(0, |params| params.registration_gas) {
            return Err("out of gas");
        }
        register(state, &signer, &message).map(|()| 0)?
    } else if let Some(message) = parse::<AddBtcDelegationInclusionProof>(message) {
        prove(state, &message, headers).map(|()| 0)?
    } else if let Some(message) = parse::<WithdrawReward>(message) {
        withdraw(state, &signer, &message)?
    } else {
        return Err("unknown message");
    };
    let account = state.account(signer.as_str());
    (account.sequence, account.balance) = (account.sequence + 1, balance + gained);
    Ok(())
}

fn register(state: &mut State, signer: &Account, message: &CreateBtcDelegation) -> Result<(), &'static str> {
    if message.staker_addr != signer.as_str() {
        return Err("not the signer's delegation");
    }
    let staker = XOnlyPublicKey::from_slice(&message.btc_pk).map_err(|_| "no staker key")?;
    let pop = message.pop.as_ref().ok_or("no proof of possession")?;
    if pop.btc_sig_type != 0 || signer.verify(&staker, Kind::Bip340, &pop.btc_sig).is_err() {
        return Err("the proof of possession does not hold");
    }
    let next = state.tip();
    let version = state.versions.iter().rposition(|params| params.activation_height <= next).ok_or("no parameters")?;
    let (stake, registered) =
        read(message, &state.versions[version]).ok_or("the delegation is not what the parameters ask for")?;
    let terms = stake.terms();
    let provider = state.providers.iter().find(|provider| terms.providers == [provider.public()]).ok_or("no such provider")?;
    if provider.slashed.is_some() {
        return Err("the finality provider is slashed");
    }
    let outpoint = stake.find_in(&registered.staking).ok_or("no staking output")?;
    let unbonding = stake.unbonding(outpoint);
    let slashing = stake.slashing_spend(outpoint);
    let later = stake.unbonding_slashing_spend(unbonding.compute_txid());
    let same = registered.unbonding == unbonding
        && registered.slashing == *slashing.transaction()
        && registered.unbonding_slashing == *later.transaction();
    if !same {
        return Err("a transaction is not what the parameters ask for");
    }
    let signed = slashing.is_signed_by(&terms.staker, &registered.staker_slashing)
        && later.is_signed_by(&terms.staker, &registered.staker_unbonding_slashing);
    if !signed {
        return Err("the staker has not signed");
    }
    if message.staking_tx_inclusion_proof.is_some() || state.delegations.contains_key(&outpoint.txid) {
        return Err("the delegation exists");
    }
    let version = u32::try_from(version).expect("BUG: a handful of versions");
    state.delegations.insert(outpoint.txid, Delegation::new(message, version));
    Ok(())
}

fn prove(state: &mut State, message: &AddBtcDelegationInclusionProof, headers: &Headers) -> Result<(), &'static str> {
    let txid: Txid = message.staking_tx_hash.parse().map_err(|_| "no staking transaction")?;
    let proof = message.staking_tx_inclusion_proof.as_ref().ok_or("no proof")?;
    let key = proof.key.as_ref().ok_or("no proof")?;
    let hash = block_hash(&key.hash).ok_or("no proof")?;
    let (height, header) = headers.iter().find(|(_, header)| header.block_hash() == hash).ok_or("no such Bitcoin block")?;
    let proof = InclusionProof::from_bytes(hash, key.index, &proof.proof).ok_or("no proof")?;
    if !proof.verify(header, &txid) {
        return Err("the inclusion proof does not hold");
    }
    let tip = state.tip();
    if tip.saturating_sub(*height) < DEPTH {
        return Err("not k-deep");
    }
    let delegation = state.delegations.get(&txid).ok_or("no such delegation")?;
    let quorum = state.versions[delegation.params_version as usize].covenant.quorum as usize;
    if delegation.covenant.unbonding.len() < quorum {
        return Err("the covenant has not signed");
    }
    if delegation.proved {
        return Err("the delegation is active");
    }
    let delegation = state.delegations.get_mut(&txid).expect("BUG: found above");
    (delegation.seen, delegation.proved) = (Some(*height), true);
    Ok(())
}

fn withdraw(state: &mut State, signer: &Account, message: &WithdrawReward) -> Result<u64, &'static str> {
    if message.address != signer.as_str() || !message.r#type.eq_ignore_ascii_case("btc_staker") {
        return Err("not the signer's rewards");
    }
    let gauge = state.gauges.get_mut(signer.as_str()).ok_or("no rewards")?;
    let left = gauge.coins - gauge.withdrawn;
    if left == 0 {
        return Err("no withdrawable reward");
    }
    gauge.withdrawn = gauge.coins;
    Ok(left)
}
