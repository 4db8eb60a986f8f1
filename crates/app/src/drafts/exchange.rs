//! Drafts that leave the app and come back.

use super::body::{Body, LIFE, LIFE_AWAY, Purpose, Unsigned};
use super::plan::{keep, small};
use super::sign::extension;
use super::{check, load, read_body};
use crate::guard::Meaning;
use crate::memory::{Core, stale};
use crate::profile::{Profile, now};
use causeway_contract::{AmountView, Atoms, DraftImport, DraftKind, DraftRef, DraftView, Empty, Failure, Tag, TextFile};
use causeway_keys::Summary;
use causeway_keys::check::Line;
use causeway_sidechain::wallet::pset;
use causeway_store::{DraftRow, Reader, Write};
use causeway_vocab::{AssetId, Code, Draft, NetworkId, Realm, Refusal, Signed};
use std::collections::{BTreeMap, BTreeSet};

impl Profile {
    /// Open drafts of the selected wallet, oldest first.
    pub(crate) async fn drafts(&self, _: Empty) -> Result<Vec<DraftView>, Failure> {
        self.read(|core, reader| {
            let Ok(wallet) = core.selected() else { return Ok(Vec::new()) };
            let rows = reader.drafts(wallet.row.id, now())?;
            // What an older version wrote down and this one cannot read ends by itself.
            Ok(rows.iter().filter_map(|row| Some(shown(row, &read_body(row).ok()?))).collect())
        })
    }

    pub(crate) async fn draft_discard(&self, request: DraftRef) -> Result<Empty, Failure> {
        self.change(|_, write| {
            if !write.remove_draft(request.draft)? {
                return Err(Refusal::new(Code::NotFound).with("what", "draft"));
            }
            stale(write, &[Tag::Drafts, Tag::Coins]);
            Ok(Empty {})
        })
    }

    pub(crate) async fn draft_export(&self, request: DraftRef) -> Result<TextFile, Failure> {
        self.change(|_, write| {
            let (row, mut body) = load(write, request.draft)?;
            let draft = body.unsigned.draft()?;
            let text = match &draft {
                Draft::Bitcoin(psbt) => causeway_bitcoin_wallet::psbt::export(psbt),
                Draft::Sidechain(draft) => pset::export(draft, &mut rand::thread_rng()).to_string(),
            };
            body.view.exported = true;
            put(write, row.id, row.wallet, &mut body)?;
            Ok(TextFile { name: format!("causeway-draft-{}.{}", row.id, extension(&draft)), text })
        })
    }

    pub(crate) async fn draft_import(&self, request: DraftImport) -> Result<DraftView, Failure> {
        let text = request.text.trim();
        self.change(|core, write| {
            if let Some(draft) = request.draft {
                let (row, body) = load(write, draft)?;
                return take_back(core, write, &row, body, text);
            }
            let wallet = core.selected()?;
            let draft = match causeway_bitcoin_wallet::psbt::import(text.as_bytes()) {
                Ok(psbt) => Draft::Bitcoin(psbt),
                Err(_) => Draft::Sidechain(Box::new(pset::import(&wallet.sidechain, text.as_bytes())?)),
            };
            let unsigned = Unsigned::of(&draft);
            if carries_signatures(&draft)
                && let Some((row, body)) = sent_out(write, wallet.row.id, &unsigned)?
            {
                return take_back(core, write, &row, body, text);
            }
            let signed = complete(&draft, &core.realm).is_some();
            let checked = check(core, wallet.row.id, draft.clone(), &Meaning::default())?;
            let summary = checked.summary();
            let view = view(core, summary, small(unsigned.coins()?.len() as u64), signed);
            let body = Body {
                kind: view.kind,
                network: summary.network,
                unsigned,
                payees: summary.leaves.iter().filter_map(|line| line.address.clone()).collect(),
                purpose: Purpose::Plain,
                label: String::new(),
                view,
            };
            keep(core, write, body)
        })
    }
}

/// Writes a changed draft down. An exported one is given time to come back.
pub(super) fn put(write: &mut Write<'_>, id: u32, wallet: u32, body: &mut Body) -> Result<DraftView, Refusal> {
    if body.view.exported {
        body.view.expires = now().saturating_add(LIFE_AWAY);
    }
    let text = serde_json::to_string(body).expect("BUG: a draft is JSON");
    let row = DraftRow { id, wallet, expires: body.view.expires, body: text };
    write.update_draft(&row)?;
    stale(write, &[Tag::Drafts]);
    Ok(shown(&row, body))
}

fn shown(row: &DraftRow, body: &Body) -> DraftView {
    DraftView { draft: row.id, ..body.view.clone() }
}

/// The open draft whose coins a signed one spends: it is what was sent out to be signed.
fn sent_out(reader: &Reader<'_>, wallet: u32, returned: &Unsigned) -> Result<Option<(DraftRow, Body)>, Refusal> {
    let coins: BTreeSet<String> = returned.coins()?.into_iter().collect();
    for row in reader.drafts(wallet, now())? {
        let Ok(body) = read_body(&row) else { continue };
        if body.view.exported && !body.view.signed && body.unsigned.coins()?.iter().any(|coin| coins.contains(coin)) {
            return Ok(Some((row, body)));
        }
    }
    Ok(None)
}

/// Puts the signatures of a returned file into the draft that was sent out. Nothing else may differ, and a whole set of signatures must hold.
fn take_back(core: &Core, write: &mut Write<'_>, row: &DraftRow, mut body: Body, text: &str) -> Result<DraftView, Refusal> {
    let merged = match body.unsigned.draft()? {
        Draft::Bitcoin(sent) => {
            let returned = causeway_bitcoin_wallet::psbt::import(text.as_bytes())?;
            Draft::Bitcoin(causeway_bitcoin_wallet::psbt::merge(&sent, &returned)?)
        }
        Draft::Sidechain(sent) => {
            let wallet = &core.wallet(row.wallet)?.sidechain;
            Draft::Sidechain(Box::new(pset::merge(wallet, &sent, text.as_bytes())?))
        }
    };
    body.view.signed = complete(&merged, &core.realm).is_some();
    if !body.view.signed && signed_by_single_keys(&merged) {
        return Err(Refusal::new(Code::DraftLies).with("why", "signature"));
    }
    check(core, row.wallet, merged.clone(), &body.meaning())?;
    body.unsigned = Unsigned::of(&merged);
    put(write, row.id, row.wallet, &mut body)
}

fn carries_signatures(draft: &Draft) -> bool {
    match draft {
        Draft::Bitcoin(psbt) => psbt.inputs.iter().any(bitcoin_signed),
        Draft::Sidechain(draft) => draft.pset.inputs().iter().any(sidechain_signed),
    }
}

/// Whether every input spends a coin of one key and carries a signature, so that nobody else is waited for.
fn signed_by_single_keys(draft: &Draft) -> bool {
    match draft {
        Draft::Bitcoin(psbt) => psbt.inputs.iter().all(|input| {
            let spent = input.witness_utxo.as_ref().map(|output| &output.script_pubkey);
            bitcoin_signed(input) && spent.is_some_and(|script| script.is_p2wpkh() || script.is_p2tr())
        }),
        Draft::Sidechain(draft) => draft.pset.inputs().iter().all(|input| {
            let spent = input.witness_utxo.as_ref().map(|output| &output.script_pubkey);
            sidechain_signed(input) && spent.is_some_and(elements::Script::is_v0_p2wpkh)
        }),
    }
}

fn bitcoin_signed(input: &bitcoin::psbt::Input) -> bool {
    !input.partial_sigs.is_empty()
        || input.tap_key_sig.is_some()
        || !input.tap_script_sigs.is_empty()
        || input.final_script_witness.is_some()
        || input.final_script_sig.is_some()
}

fn sidechain_signed(input: &elements::pset::Input) -> bool {
    !input.partial_sigs.is_empty() || input.final_script_witness.is_some() || input.final_script_sig.is_some()
}

/// The finished transaction, if a draft carries all signatures and they hold.
pub(crate) fn complete(draft: &Draft, realm: &Realm) -> Option<Signed> {
    match draft {
        Draft::Bitcoin(psbt) => causeway_bitcoin_wallet::psbt::finish(psbt.clone()).ok().map(Signed::Bitcoin),
        Draft::Sidechain(draft) => pset::finish(&draft.pset, realm.sidechain.genesis_hash).ok().map(Signed::Sidechain),
    }
}

fn sums(core: &Core, lines: &[Line]) -> Vec<AmountView> {
    let mut sums: BTreeMap<AssetId, u64> = BTreeMap::new();
    for line in lines {
        if let (Some(asset), Some(amount)) = (line.asset, line.amount) {
            *sums.entry(asset).or_default() += amount.0;
        }
    }
    sums.into_iter().map(|(asset, amount)| AmountView { asset: core.names.label(asset), amount: Atoms(amount) }).collect()
}

fn view(core: &Core, summary: &Summary, coins: u32, signed: bool) -> DraftView {
    DraftView {
        draft: 0,
        kind: match summary.network {
            NetworkId::Sidechain if !summary.burns.is_empty() => DraftKind::Burn,
            _ => DraftKind::Send,
        },
        network: summary.network,
        fee: summary.fee,
        fee_rate: small(summary.fee_share.per_kvb),
        vsize: small(summary.fee_share.vsize),
        fee_share: summary.fee_share.permille.map(|permille| small(permille.saturating_mul(10))),
        leaves: sums(core, &summary.leaves),
        comes_back: sums(core, &summary.comes_back),
        coins,
        expires: now().saturating_add(LIFE),
        replaces_fee: None,
        asset: None,
        domain_proof: String::new(),
        signed,
        exported: false,
        label: String::new(),
    }
}
