//! Drafts that leave the app and come back.

use super::body::{Body, LIFE, Purpose, Unsigned};
use super::plan::{keep, small};
use super::sign::extension;
use super::{check, load};
use crate::memory::{Core, stale};
use crate::profile::{Profile, now};
use causeway_contract::{AmountView, Atoms, DraftImport, DraftKind, DraftRef, DraftView, Empty, Failure, Tag, TextFile};
use causeway_keys::Summary;
use causeway_keys::check::Line;
use causeway_sidechain::wallet::pset;
use causeway_vocab::{AssetId, Code, Draft, NetworkId, Refusal, Signed};
use std::collections::BTreeMap;

impl Profile {
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
        self.read(|_, reader| {
            let (row, body) = load(reader, request.draft)?;
            let draft = body.unsigned.draft()?;
            let text = match &draft {
                Draft::Bitcoin(psbt) => psbt.to_string(),
                Draft::Sidechain(draft) => pset::export(draft, &mut rand::thread_rng()).to_string(),
            };
            Ok(TextFile { name: format!("causeway-draft-{}.{}", row.id, extension(&draft)), text })
        })
    }

    pub(crate) async fn draft_import(&self, request: DraftImport) -> Result<DraftView, Failure> {
        let text = request.text.trim();
        self.change(|core, write| {
            let wallet = core.selected()?;
            let draft = match causeway_bitcoin_wallet::psbt::import(text.as_bytes()) {
                Ok(psbt) => Draft::Bitcoin(psbt),
                Err(_) => Draft::Sidechain(Box::new(pset::import(&wallet.sidechain, text.as_bytes())?)),
            };
            let signed = complete(&draft).is_some();
            let checked = check(core, wallet.row.id, draft.clone())?;
            let summary = checked.summary();
            let view = view(core, summary, small(Unsigned::of(&draft).coins()?.len() as u64), signed);
            let body = Body {
                kind: view.kind,
                network: summary.network,
                unsigned: Unsigned::of(&draft),
                payees: summary.leaves.iter().filter_map(|line| line.address.clone()).collect(),
                purpose: Purpose::Plain,
                label: String::new(),
                view,
            };
            keep(core, write, body)
        })
    }
}

/// The finished transaction, if a draft carries all signatures.
pub(crate) fn complete(draft: &Draft) -> Option<Signed> {
    match draft {
        Draft::Bitcoin(psbt) => causeway_bitcoin_wallet::psbt::finish(psbt.clone()).ok().map(Signed::Bitcoin),
        Draft::Sidechain(draft) => {
            let finished =
                |input: &elements::pset::Input| input.final_script_sig.is_some() || input.final_script_witness.is_some();
            let all = draft.pset.inputs().iter().all(finished);
            all.then(|| draft.pset.extract_tx().ok()).flatten().map(Signed::Sidechain)
        }
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
    }
}
