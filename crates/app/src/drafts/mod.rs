//! Drafts: planned, reviewed, signed.

mod body;
mod exchange;
mod plan;
mod review;
mod sign;

pub(crate) use body::{Body, LIFE, Purpose, Unsigned};
#[cfg(test)]
pub(crate) use plan::bump_bitcoin;
pub(crate) use plan::{
    Terms, domain_proof, excluded_bitcoin, excluded_sidechain, keep, keep_bitcoin, per_kvb, plain, plan_bitcoin, share, small,
};
pub(crate) use sign::sign_unattended;

use crate::guard::Meaning;
use crate::memory::{Core, Wallet, stale};
use crate::profile::now;
use causeway_contract::Tag;
use causeway_keys::{Checked, Policy, Watched};
use causeway_store::{DraftRow, Reader, Write};
use causeway_vocab::{Code, Draft, NetworkId, Refusal};
use std::collections::BTreeSet;

/// Fees up to this many satoshi are never too high: small payments have large shares.
const SMALL_FEE: u64 = 10_000;

/// Has the keys recompute what a draft does. Of a wallet without keys, its own descriptors tell what comes back.
///
/// A Bitcoin draft is also coloured: it must do with assets what is meant, which for an ordinary one is nothing.
pub(crate) fn check(core: &Core, wallet: u32, draft: Draft, meaning: &Meaning) -> Result<Checked, Refusal> {
    check_for(core, wallet, draft, meaning, false)
}

/// The same for a draft that may be an offer: nothing else may be signed so that others add to it.
fn check_for(core: &Core, wallet: u32, draft: Draft, meaning: &Meaning, offer: bool) -> Result<Checked, Refusal> {
    if let Draft::Bitcoin(psbt) = &draft {
        core.check_colours(psbt, meaning)?;
    }
    let own = core.wallet(wallet)?;
    let policy = Policy {
        fee_permille: u64::from(core.settings.fee_limit_percent) * 10,
        small_fee: SMALL_FEE,
        offer,
        ..Policy::default()
    };
    match &own.accounts {
        Some(accounts) => causeway_keys::check(draft, accounts, &core.realm, &policy),
        None => causeway_keys::check_watched(draft, own, &core.realm, &policy),
    }
}

impl Watched for Wallet {
    fn owns_bitcoin(&self, script: &bitcoin::Script) -> bool {
        self.bitcoin.is_mine(script)
    }

    fn blinding_key(&self, script: &elements::Script) -> Option<elements::secp256k1_zkp::SecretKey> {
        let path = self.sidechain.path_of(script)?;
        Some(self.sidechain.account().private_blinding_key(path, script))
    }
}

/// Ends drafts whose coins a block has spent: nobody will take them any more.
pub(crate) fn end_spent<O: ToString>(
    write: &mut Write<'_>,
    network: NetworkId,
    spent: impl IntoIterator<Item = O>,
) -> Result<(), Refusal> {
    let held: BTreeSet<String> = write.reserved(network)?.into_iter().collect();
    if held.is_empty() {
        return Ok(());
    }
    for outpoint in spent.into_iter().map(|outpoint| outpoint.to_string()).filter(|outpoint| held.contains(outpoint)) {
        if write.remove_drafts_spending(network, &outpoint)? > 0 {
            stale(write, &[Tag::Drafts, Tag::Coins]);
        }
    }
    Ok(())
}

/// The same for a draft that is kept here, whose purpose is known.
fn check_body(core: &Core, wallet: u32, body: &body::Body) -> Result<Checked, Refusal> {
    check_for(core, wallet, body.unsigned.draft()?, &body.meaning(), matches!(body.purpose, Purpose::Offer))
}

/// A draft that is still good.
fn load(reader: &Reader<'_>, id: u32) -> Result<(DraftRow, body::Body), Refusal> {
    let row = reader.draft(id)?.filter(|row| row.expires >= now()).ok_or(Code::DraftExpired)?;
    let body = read_body(&row)?;
    Ok((row, body))
}

fn read_body(row: &DraftRow) -> Result<body::Body, Refusal> {
    serde_json::from_str(&row.body).map_err(|_| Code::BadDraft.into())
}
