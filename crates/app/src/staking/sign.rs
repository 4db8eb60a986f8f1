//! Signing a stake with all that belongs to it, and spends of its outputs.

use super::{Intent, Unlock};
use crate::drafts::{Body, per_kvb, small};
use crate::memory::{Core, stale};
use crate::operations::{self, Finished, Input, Start, stake};
use crate::profile::now;
use bitcoin::Transaction;
use bitcoin::hashes::{Hash as _, HashEngine as _, sha256};
use bitcoin::hex::DisplayHex as _;
use causeway_contract::{AmountView, Atoms, DraftKind, FlowRole, OthersSee, Review, ReviewOutput, Tag};
use causeway_keys::SigningKeys;
use causeway_staking::delegation::Registration;
use causeway_staking::possession::Account;
use causeway_store::Write;
use causeway_vocab::{AssetId, Code, NetworkId, Refusal};

/// What a confirmation of a stake stands for: the transaction as the keys see it, and everything that is agreed to besides.
pub(crate) fn stake_hash(transaction: &[u8; 32], intent: &Intent) -> [u8; 32] {
    let intent = serde_json::to_vec(intent).expect("BUG: an intent is JSON");
    hash(&[b"causeway stake 1", transaction, &intent])
}

fn unlock_hash(unlock: &Unlock) -> [u8; 32] {
    let unlock = serde_json::to_vec(unlock).expect("BUG: it is JSON");
    hash(&[b"causeway unlock 1", &unlock])
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut engine = sha256::Hash::engine();
    for part in parts {
        engine.input(&(part.len() as u64).to_le_bytes());
        engine.input(part);
    }
    sha256::Hash::from_engine(engine).to_byte_array()
}

/// Signs what registration takes and starts the stake's operation. `tx` is the staking transaction with its signatures, which stays here until the
/// committee has signed.
pub(crate) fn start(
    core: &mut Core,
    write: &mut Write<'_>,
    wallet: u32,
    keys: &SigningKeys,
    intent: &Intent,
    tx: &Transaction,
) -> Result<u32, Refusal> {
    let bad = || Refusal::new(Code::BadDelegation);
    let rng = &mut rand::thread_rng();
    let prefix = core.realm.staking.as_ref().map(|params| params.account_prefix.clone()).unwrap_or_default();
    let account = Account::of_key(&keys.staking_account()?, &prefix).map_err(|_| bad())?;
    let stake = intent.stake()?;
    if keys.staker(intent.index)? != intent.staker {
        return Err(bad());
    }
    let mut unsigned = tx.clone();
    unsigned.input.iter_mut().for_each(|input| input.witness.clear());
    let outpoint = stake.find_in(&unsigned).ok_or_else(bad)?;
    if tx.input.iter().any(|input| !input.script_sig.is_empty()) {
        return Err(bad());
    }
    let unbonding = stake.unbonding(outpoint).compute_txid();
    let slashing = keys.sign_staked(intent.index, &stake.slashing_spend(outpoint).to_psbt(), rng)?;
    let later = keys.sign_staked(intent.index, &stake.unbonding_slashing_spend(unbonding).to_psbt(), rng)?;
    let registration = Registration::new(&stake, unsigned, slashing, later).ok_or_else(bad)?;
    let possession = keys.prove_staker(intent.index, account.bytes(), rng)?;
    let order = stake::Order {
        index: intent.index,
        staker: intent.staker,
        provider: intent.provider,
        moniker: intent.moniker.clone(),
        value: intent.value,
        blocks: intent.blocks,
        params_version: intent.params_version,
        params: intent.params.clone(),
        depth: intent.depth,
        registration,
        possession: possession.serialize().to_lower_hex_string(),
        staking: Finished::bitcoin(tx),
        time: now(),
    };
    stale(write, &[Tag::Drafts, Tag::Coins, Tag::Balances]);
    operations::start(core, write, wallet, DraftKind::Stake, "", Start::Stake(Box::new(order)))
}

/// What the confirm window shows of a spend of a stake's output.
pub(crate) fn review_unlock(core: &Core, wallet: u32, unlock: &Unlock, body: &Body) -> Result<Review, Refusal> {
    let psbt = unlock.psbt()?;
    let own = core.wallet(wallet)?;
    let label = || core.names.label(AssetId::Bitcoin);
    let (mut leaves, mut comes_back) = (Vec::new(), Vec::new());
    let mut paid = 0u64;
    for output in &psbt.unsigned_tx.output {
        let mine = own.bitcoin.is_mine(&output.script_pubkey);
        let address = bitcoin::Address::from_script(&output.script_pubkey, core.realm.bitcoin.network);
        let line = ReviewOutput {
            address: address.map(|address| address.to_string()).unwrap_or_default(),
            asset: label(),
            amount: Atoms(output.value.to_sat()),
            label: String::new(),
            role: if mine { FlowRole::Ours } else { FlowRole::Foreign },
            blinded: false,
            false_claim: false,
        };
        paid = paid.saturating_add(output.value.to_sat());
        if mine { comes_back.push(line) } else { leaves.push(line) }
    }
    let spent =
        psbt.inputs.iter().filter_map(|input| input.witness_utxo.as_ref()).map(|output| output.value.to_sat()).sum::<u64>();
    let fee = spent.checked_sub(paid).ok_or(Code::BadDraft)?;
    Ok(Review {
        draft: 0,
        kind: body.kind,
        network: NetworkId::Bitcoin,
        leaves,
        comes_back,
        fee: Atoms(fee),
        fee_rate: per_kvb(fee, unlock.vsize),
        fee_share: None,
        coins: small(psbt.inputs.len() as u64),
        spends: vec![AmountView { asset: label(), amount: Atoms(spent) }],
        creates: Vec::new(),
        destroys: Vec::new(),
        others_see: OthersSee::Everything,
        summary_hash: unlock_hash(unlock).to_lower_hex_string(),
        locked: true,
        signed: false,
        watch_only: false,
        valueless: core.realm.valueless,
    })
}

/// Signs a spend of a stake's output and hands it to the stake's operation. Gives the operation.
pub(crate) fn sign_unlock(
    core: &mut Core,
    write: &mut Write<'_>,
    keys: &SigningKeys,
    unlock: &Unlock,
    reviewed: &[u8; 32],
) -> Result<u32, Refusal> {
    if unlock_hash(unlock) != *reviewed {
        return Err(Code::ReviewMismatch.into());
    }
    let state = operations::staking(core, write, unlock.operation)?;
    let psbt = unlock.psbt()?;
    let signature = keys.sign_staked(unlock.index, &psbt, &mut rand::thread_rng())?;
    let input = match unlock.leaves {
        true => {
            let verified = state.verified().ok_or(Code::BadDelegation)?;
            Input::Leaving { tx: Finished::bitcoin(&verified.leave(&signature)?) }
        }
        false => {
            let [spent] = &psbt.inputs[..] else { return Err(Code::BadDraft.into()) };
            let (control, (script, _)) = spent.tap_scripts.first_key_value().ok_or(Code::BadDraft)?;
            let mut tx = psbt.unsigned_tx.clone();
            let witness = &mut tx.input[0].witness;
            witness.push(signature.serialize());
            witness.push(script);
            witness.push(control.serialize());
            Input::Withdrawing { tx: Finished::bitcoin(&tx) }
        }
    };
    stale(write, &[Tag::Drafts]);
    core.feed(write, unlock.operation, input, None)?;
    Ok(unlock.operation)
}
