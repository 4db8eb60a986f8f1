//! Signing: the point of no return, in one transaction with the first entry of the journal.

use super::body::{Body, Purpose, Unsigned};
use super::exchange::{complete, put};
use super::{check, load};
use crate::memory::{Core, put_bitcoin, put_sidechain, stale};
use crate::operations::{self, Finished, Start, peg_in, peg_out, transaction};
use crate::profile::{Profile, now};
use bitcoin::hex::FromHex as _;
use causeway_contract::{AmountView, DraftSign, DraftView, Failure, OperationView, Tag};
use causeway_keys::{Checked, SigningKeys};
use causeway_store::Write;
use causeway_vocab::{Code, Draft, NetworkId, Refusal, Signed};
use std::sync::Arc;

impl Profile {
    pub(crate) async fn draft_sign(&self, request: DraftSign) -> Result<OperationView, Failure> {
        let hash = <[u8; 32]>::from_hex(&request.summary_hash).map_err(|_| Refusal::new(Code::ReviewMismatch))?;
        let wallet = self.read(|_, reader| load(reader, request.draft).map(|(row, _)| row.wallet))?;
        self.unlock_if_open(wallet).await?;
        let id = self.change(|core, write| {
            let (row, body) = load(write, request.draft)?;
            core.not_halted(body.network)?;
            let draft = body.unsigned.draft()?;
            let checked = check(core, row.wallet, draft, &body.meaning())?;
            checked.matches(&hash)?;
            let signed = finish(core, row.wallet, checked, &body)?;
            write.remove_draft(row.id)?;
            start(core, write, row.wallet, &body, &signed)
        })?;
        self.watch_new();
        self.read(|core, reader| operations::operation_view(core, reader, id))
    }

    /// Signs and sends nothing: the draft keeps the signatures, to be exported to whoever sends it.
    pub(crate) async fn draft_sign_only(&self, request: DraftSign) -> Result<DraftView, Failure> {
        let hash = <[u8; 32]>::from_hex(&request.summary_hash).map_err(|_| Refusal::new(Code::ReviewMismatch))?;
        let wallet = self.read(|_, reader| load(reader, request.draft).map(|(row, _)| row.wallet))?;
        self.unlock_if_open(wallet).await?;
        self.change(|core, write| {
            let (row, mut body) = load(write, request.draft)?;
            core.not_halted(body.network)?;
            let checked = check(core, row.wallet, body.unsigned.draft()?, &body.meaning())?;
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

fn keys(core: &Core, wallet: u32) -> Result<Arc<SigningKeys>, Refusal> {
    if core.wallet(wallet)?.accounts.is_none() {
        return Err(Code::WatchOnly.into());
    }
    core.keys.get(&wallet).map(Arc::clone).ok_or_else(|| Code::Locked.into())
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
                Unsigned::Sidechain { outputs, .. } => outputs.clone(),
                Unsigned::Bitcoin(_) => Vec::new(),
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
        Purpose::Plain | Purpose::Coloured { .. } => Start::Transaction(plain(core, body, tx)),
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
