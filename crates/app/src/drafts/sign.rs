//! Signing: the point of no return, in one transaction with the first entry of the journal.

use super::body::{Body, Purpose, Unsigned};
use super::exchange::{complete, put};
use super::{check, check_body, load};
use crate::guard::Meaning;
use crate::memory::{Core, put_bitcoin, put_sidechain, stale};
use crate::operations::{self, Finished, Start, peg_in, peg_out, transaction};
use crate::profile::{Profile, now};
use bitcoin::hex::FromHex as _;
use causeway_contract::{AmountView, DraftKind, DraftSign, DraftView, Failure, OperationView, Tag};
use causeway_keys::{Checked, SigningKeys, Summary};
use causeway_sidechain::wallet::swap;
use causeway_sidechain::wallet::unblind::opens;
use causeway_store::{RedeemedRow, Write};
use causeway_vocab::{Code, Draft, NetworkId, Refusal, Signed};
use std::sync::Arc;

impl Profile {
    pub(crate) async fn draft_sign(&self, request: DraftSign) -> Result<OperationView, Failure> {
        let hash = <[u8; 32]>::from_hex(&request.summary_hash).map_err(|_| Refusal::new(Code::ReviewMismatch))?;
        let wallet = self.read(|_, reader| load(reader, request.draft).map(|(row, _)| row.wallet))?;
        self.unlock_if_open(wallet).await?;
        self.stake_holds(request.draft).await?;
        let id = self.change(|core, write| {
            let (row, body) = load(write, request.draft)?;
            core.not_halted(body.network)?;
            if let Purpose::Unlock(unlock) = &body.purpose {
                let keys = keys(core, row.wallet)?;
                write.remove_draft(row.id)?;
                return crate::staking::sign_unlock(core, write, &keys, unlock, &hash);
            }
            if let Purpose::Distribute(order) = &body.purpose {
                if crate::distribution::order_hash(order) != hash {
                    return Err(Code::ReviewMismatch.into());
                }
                keys(core, row.wallet)?;
                write.remove_draft(row.id)?;
                return crate::distribution::start(core, write, row.wallet, &body.label, order);
            }
            let checked = check_body(core, row.wallet, &body)?;
            if let Purpose::Stake(intent) = &body.purpose {
                if crate::staking::stake_hash(&checked.summary_hash(), intent) != hash {
                    return Err(Code::ReviewMismatch.into());
                }
                let keys = keys(core, row.wallet)?;
                let Signed::Bitcoin(tx) = causeway_keys::sign(checked, &keys, &mut rand::thread_rng())? else {
                    return Err(Code::BadDraft.into());
                };
                write.remove_draft(row.id)?;
                return crate::staking::start(core, write, row.wallet, &keys, intent, &tx);
            }
            checked.matches(&hash)?;
            if let Purpose::Offer = body.purpose {
                let signed = causeway_keys::sign_partly(checked, &*keys(core, row.wallet)?, &mut rand::thread_rng())?;
                write.remove_draft(row.id)?;
                return start_offer(core, write, row.wallet, &signed);
            }
            let signed = finish(core, row.wallet, checked, &body)?;
            write.remove_draft(row.id)?;
            start(core, write, row.wallet, &body, &signed)
        })?;
        self.watch_new();
        self.read(|core, reader| operations::operation_view(core, reader, id))
    }

    /// What a stake was planned under must still hold when it is signed: parameters change, providers are jailed.
    async fn stake_holds(&self, draft: u32) -> Result<(), Refusal> {
        let body = self.read(|_, reader| load(reader, draft).map(|(_, body)| body))?;
        let Purpose::Stake(intent) = &body.purpose else { return Ok(()) };
        let plane = self.plane()?;
        let (_, version, params) = self.live_params(&plane).await?;
        if (version, &params) != (intent.params_version, &intent.params) {
            return Err(Code::StakeParams.into());
        }
        self.good_provider(&plane, &intent.provider.to_string()).await.map(drop)
    }

    /// Signs and sends nothing: the draft keeps the signatures, to be exported to whoever sends it.
    pub(crate) async fn draft_sign_only(&self, request: DraftSign) -> Result<DraftView, Failure> {
        let hash = <[u8; 32]>::from_hex(&request.summary_hash).map_err(|_| Refusal::new(Code::ReviewMismatch))?;
        let wallet = self.read(|_, reader| load(reader, request.draft).map(|(row, _)| row.wallet))?;
        self.unlock_if_open(wallet).await?;
        self.change(|core, write| {
            let (row, mut body) = load(write, request.draft)?;
            core.not_halted(body.network)?;
            if let Purpose::Offer | Purpose::Stake(_) | Purpose::Unlock(_) = body.purpose {
                return Err(Refusal::new(Code::NotOffered).with("what", "draft"));
            }
            let checked = check_body(core, row.wallet, &body)?;
            checked.matches(&hash)?;
            let signed = causeway_keys::sign_partly(checked, &*keys(core, row.wallet)?, &mut rand::thread_rng())?;
            body.view.signed = complete(&signed, &core.realm).is_some();
            body.unsigned = Unsigned::of(&signed);
            put(write, row.id, row.wallet, &mut body)
        })
    }
}

/// Signs, or takes the signatures that a draft brought along.
fn finish(core: &Core, wallet: u32, checked: Checked, body: &Body) -> Result<Signed, Refusal> {
    if body.view.signed
        && let Some(signed) = complete(checked.draft(), &core.realm)
    {
        return Ok(signed);
    }
    causeway_keys::sign(checked, &*keys(core, wallet)?, &mut rand::thread_rng())
}

/// Blinds, checks and signs a plan that the user agreed to in another form, and notes it in the wallet. `agreed` says whether what the keys
/// see is that. Refused with `Locked`, `WatchOnly`, `ReviewMismatch`.
pub(crate) fn sign_unattended(
    core: &mut Core,
    write: &mut Write<'_>,
    wallet: u32,
    plan: &causeway_sidechain::wallet::Plan,
    agreed: impl FnOnce(&Summary) -> bool,
) -> Result<elements::Transaction, Refusal> {
    let keys = keys(core, wallet)?;
    let draft = crate::cores::blind(plan, &mut rand::thread_rng());
    let outputs = draft.outputs.clone();
    let checked = check(core, wallet, Draft::Sidechain(Box::new(draft)), &Meaning::default())?;
    if !agreed(checked.summary()) {
        return Err(Code::ReviewMismatch.into());
    }
    let Signed::Sidechain(tx) = causeway_keys::sign(checked, &keys, &mut rand::thread_rng())? else {
        unreachable!("BUG: a sidechain draft gives a sidechain transaction")
    };
    core.dirty = true;
    let own = core.wallets.get_mut(&wallet).ok_or(Code::UnknownWallet)?;
    own.sidechain.absorb(&plan.changes);
    put_sidechain(write, wallet, &plan.changes)?;
    let applied = own.sidechain.register_unconfirmed(&tx, &outputs, now());
    put_sidechain(write, wallet, &applied.changes)?;
    Ok(tx)
}

fn keys(core: &Core, wallet: u32) -> Result<Arc<SigningKeys>, Refusal> {
    if core.wallet(wallet)?.accounts.is_none() {
        return Err(Code::WatchOnly.into());
    }
    core.keys.get(&wallet).map(Arc::clone).ok_or_else(|| Code::Locked.into())
}

/// An offer is handed out and watched; nothing is sent.
fn start_offer(core: &mut Core, write: &mut Write<'_>, wallet: u32, signed: &Draft) -> Result<u32, Refusal> {
    let Draft::Sidechain(signed) = signed else { return Err(Code::BadDraft.into()) };
    let offer = swap::finish(signed, &mut rand::thread_rng()).ok_or(Code::BadDraft)?;
    let script = signed.pset.outputs().first().map(|output| output.script_pubkey.clone()).unwrap_or_default();
    let order = operations::offer::Order {
        coin: offer.coin(),
        gives: (offer.gives.asset, offer.gives.value),
        gets: (offer.gets.asset, offer.gets.value),
        script,
        text: offer.to_text(),
        time: now(),
    };
    stale(write, &[Tag::Drafts, Tag::Coins]);
    operations::start(core, write, wallet, DraftKind::Offer, "", Start::Offer(order))
}

/// Notes a signed transaction everywhere: wallet, journal, contract, labels.
fn start(core: &mut Core, write: &mut Write<'_>, wallet: u32, body: &Body, signed: &Signed) -> Result<u32, Refusal> {
    core.dirty = true;
    let own = core.wallets.get_mut(&wallet).ok_or(Code::UnknownWallet)?;
    let tx = match signed {
        Signed::Bitcoin(tx) => {
            let changes = own.bitcoin.insert_own(tx, u64::from(now()));
            put_bitcoin(write, wallet, changes.as_ref())?;
            Finished::bitcoin(tx)
        }
        Signed::Sidechain(tx) => {
            let outputs = match &body.unsigned {
                // Where somebody else blinded an output, its value factor is his alone.
                Unsigned::Sidechain { outputs, .. } => {
                    outputs.iter().zip(&tx.output).map(|(opening, made)| opening.filter(|opening| opens(opening, made))).collect()
                }
                Unsigned::Bitcoin(_) | Unsigned::Order => Vec::new(),
            };
            let applied = own.sidechain.register_unconfirmed(tx, &outputs, now());
            put_sidechain(write, wallet, &applied.changes)?;
            Finished::sidechain(tx)
        }
    };
    if !body.label.is_empty() {
        write.set_label(wallet, body.network, "tx", &tx.txid, &body.label)?;
    }
    for payee in &body.payees {
        write.note_payee(wallet, payee)?;
    }
    let order = match &body.purpose {
        Purpose::PegIn { claim_script, deposit_script, address, amount, valid_until } => Start::PegIn(peg_in::Order {
            funding: Some(tx),
            claim_script: claim_script.clone(),
            deposit_script: deposit_script.clone(),
            address: address.clone(),
            amount: Some(*amount),
            valid_until: *valid_until,
            depth: core.realm.sidechain.pegin_confirmation_depth,
            time: now(),
        }),
        Purpose::PegOut { destination, address, amount } => Start::PegOut(peg_out::Order {
            tx,
            asset: core.realm.sidechain.policy_asset.to_string(),
            amount: *amount,
            destination: destination.clone(),
            address: address.clone(),
            time: now(),
        }),
        Purpose::Redeem { redemption, outpoint, accepted } => {
            write.put_redeemed(&RedeemedRow {
                outpoint: outpoint.clone(),
                redemption: *redemption,
                accepted: *accepted,
                txid: tx.txid.clone(),
                decided: now(),
            })?;
            Start::Transaction(plain(core, body, tx))
        }
        Purpose::Plain
        | Purpose::Coloured { .. }
        | Purpose::Distribute(_)
        | Purpose::Offer
        | Purpose::Stake(_)
        | Purpose::Unlock(_) => Start::Transaction(plain(core, body, tx)),
        Purpose::Replace { txid, .. } => {
            core.replaced(write, txid)?;
            Start::Transaction(plain(core, body, tx))
        }
        Purpose::Issue { .. } => {
            if let Some(row) = body.purpose.contract() {
                write.put_contract(&row)?;
                core.names.learn(&row);
            }
            Start::Transaction(plain(core, body, tx))
        }
    };
    stale(write, &[Tag::Drafts, Tag::Coins, Tag::Balances, Tag::History, Tag::Assets]);
    operations::start(core, write, wallet, body.kind, &body.label, order)
}

fn plain(core: &Core, body: &Body, tx: Finished) -> transaction::Order {
    // What the user asked for: an issued asset before what its fee leaves behind.
    let moved = body.view.asset.as_ref().and_then(|asset| body.view.comes_back.iter().find(|amount| amount.asset.id == *asset));
    let coloured = matches!(body.purpose, Purpose::Coloured { .. });
    let of_asset = |list: &'_ [AmountView]| list.iter().position(|amount| Some(&amount.asset.id) == body.view.asset.as_ref());
    let moved = match coloured {
        true => of_asset(&body.view.leaves).map(|at| &body.view.leaves[at]).or(moved),
        false => moved.filter(|_| body.network == NetworkId::Sidechain).or(body.view.leaves.first()),
    };
    let policy = core.realm.sidechain.policy_asset.to_string();
    // A payment of an asset with a little L-BTC is a payment of that asset.
    let asset = body.view.leaves.iter().find(|amount| amount.asset.id != policy && amount.asset.id != "btc");
    let moved = if body.view.leaves.is_empty() || coloured { moved } else { asset.or(moved) };
    transaction::Order {
        kind: body.kind,
        tx,
        time: now(),
        amount: moved.map(|amount| (amount.asset.id.clone(), amount.amount.0)),
        address: body.payees.first().cloned().unwrap_or_default(),
    }
}

/// What kind of draft this is, for files.
pub(crate) fn extension(draft: &Draft) -> &'static str {
    match draft {
        Draft::Bitcoin(_) => "psbt",
        Draft::Sidechain(_) => "pset",
    }
}
