//! What the confirm window shows: recomputed by the keys, never taken from the plan.

use super::body::{Body, Purpose};
use super::plan::small;
use super::{check_body, load};
use crate::memory::Core;
use crate::names::Names;
use crate::profile::Profile;
use bitcoin::hex::DisplayHex as _;
use causeway_contract::{AmountView, Atoms, DraftKind, DraftRef, Failure, FlowRole, OthersSee, Review, ReviewOutput};
use causeway_keys::Summary;
use causeway_keys::check::Line;
use causeway_store::Reader;
use causeway_vocab::{AssetId, Draft, NetworkId, Refusal};

impl Profile {
    pub(crate) async fn draft_review(&self, request: DraftRef) -> Result<Review, Failure> {
        self.read(|core, reader| {
            let (row, body) = load(reader, request.draft)?;
            if let Purpose::Distribute(order) = &body.purpose {
                let mut review = crate::distribution::review(core, reader, row.wallet, order, &body.view)?;
                review.draft = row.id;
                return with_locks(core, row.wallet, review);
            }
            if let Purpose::Unlock(unlock) = &body.purpose {
                let review = crate::staking::review_unlock(core, row.wallet, unlock, &body)?;
                return with_locks(core, row.wallet, Review { draft: row.id, ..review });
            }
            let checked = check_body(core, row.wallet, &body)?;
            let hash = match &body.purpose {
                Purpose::Stake(intent) => crate::staking::stake_hash(&checked.summary_hash(), intent),
                _ => checked.summary_hash(),
            };
            let hash = hash.to_lower_hex_string();
            let mut review = review(core, reader, row.wallet, checked.summary(), &body)?;
            if let Draft::Bitcoin(psbt) = checked.draft() {
                let ours = checked.summary().comes_back.iter().map(|line| line.vout).collect();
                core.show_colours(&mut review, psbt, &ours);
            }
            review.draft = row.id;
            review.summary_hash = hash;
            review.signed = body.view.signed;
            with_locks(core, row.wallet, review)
        })
    }
}

/// Says whether the wallet could sign now.
fn with_locks(core: &Core, wallet: u32, mut review: Review) -> Result<Review, Refusal> {
    review.watch_only = core.wallet(wallet)?.accounts.is_none();
    let open = core.keys.contains_key(&wallet) || core.opens_by_itself(wallet);
    review.locked = !open && !review.signed && !review.watch_only;
    Ok(review)
}

/// Sums per asset, in the order in which they are first named.
fn amounts(names: &Names, list: impl IntoIterator<Item = (AssetId, u64)>) -> Vec<AmountView> {
    let mut sums: Vec<(AssetId, u64)> = Vec::new();
    for (asset, amount) in list {
        match sums.iter_mut().find(|(known, _)| *known == asset) {
            Some((_, sum)) => *sum += amount,
            None => sums.push((asset, amount)),
        }
    }
    let view = |(asset, amount): (AssetId, u64)| AmountView { asset: names.label(asset), amount: Atoms(amount) };
    sums.into_iter().filter(|(_, amount)| *amount > 0).map(view).collect()
}

fn review(core: &Core, reader: &Reader<'_>, wallet: u32, summary: &Summary, body: &Body) -> Result<Review, Refusal> {
    let network = summary.network;
    let names = body.purpose.names(core);
    let output = |line: &Line, role: FlowRole| -> Result<ReviewOutput, Refusal> {
        let address = line.address.clone().unwrap_or_else(|| line.script.clone());
        let asset = line.asset.unwrap_or(summary.fee_asset);
        Ok(ReviewOutput {
            label: reader.label(wallet, network, "addr", &address)?,
            asset: names.label(asset),
            amount: line.amount.unwrap_or_default(),
            role,
            blinded: line.blinded,
            false_claim: line.claimed_ours,
            address,
        })
    };
    let mut leaves = Vec::new();
    for line in &summary.leaves {
        let deposit = matches!(&body.purpose, Purpose::PegIn { address, .. } if line.address.as_ref() == Some(address));
        leaves.push(output(line, if deposit { FlowRole::Peg } else { FlowRole::Foreign })?);
    }
    let comes_back = summary.comes_back.iter().map(|line| output(line, FlowRole::Change)).collect::<Result<Vec<_>, _>>()?;
    let special = |address: String, asset, amount, role| ReviewOutput {
        address,
        asset: names.label(asset),
        amount,
        label: String::new(),
        role,
        blinded: false,
        false_claim: false,
    };
    for burn in &summary.burns {
        leaves.push(special(String::new(), burn.asset, burn.amount, FlowRole::Burn));
    }
    for peg_out in &summary.peg_outs {
        let address = peg_out.address.clone().unwrap_or_else(|| peg_out.script.clone());
        leaves.push(special(address, summary.fee_asset, peg_out.amount, FlowRole::Peg));
    }
    if let Purpose::Offer = body.purpose {
        // What the coin holds leaves with whoever takes the offer.
        for (asset, sums) in &summary.sums {
            if sums.spent.0 > 0 {
                leaves.push(ReviewOutput { blinded: true, ..special(String::new(), *asset, sums.spent, FlowRole::Foreign) });
            }
        }
    }
    let hidden = leaves.iter().chain(&comes_back).filter(|output| output.blinded).count();
    let others_see = match (network, hidden) {
        (NetworkId::Bitcoin, _) | (_, 0) => OthersSee::Everything,
        (_, hidden) if hidden == leaves.len() + comes_back.len() => OthersSee::FeeAndScripts,
        _ => OthersSee::Some,
    };
    let spends = amounts(&names, summary.sums.iter().map(|(asset, sums)| (*asset, sums.spent.0)));
    let creates = summary.issues.iter().flat_map(|issue| [(issue.asset, issue.amount.0), (issue.token, issue.tokens.0)]);
    Ok(Review {
        draft: 0,
        kind: kind_of(summary, body),
        network,
        leaves,
        comes_back,
        fee: summary.fee,
        fee_rate: small(summary.fee_share.per_kvb),
        fee_share: summary.fee_share.permille.map(|permille| small(permille.saturating_mul(10))),
        coins: small(body.unsigned.coins()?.len() as u64),
        spends,
        creates: amounts(&names, creates),
        destroys: amounts(&names, summary.burns.iter().map(|burn| (burn.asset, burn.amount.0))),
        others_see,
        summary_hash: String::new(),
        locked: true,
        signed: false,
        watch_only: false,
        valueless: core.realm.valueless,
    })
}

/// What the transaction itself says it is; where it says nothing special, what it was planned as.
fn kind_of(summary: &Summary, body: &Body) -> DraftKind {
    match summary {
        Summary { issues, .. } if issues.iter().any(|issue| issue.reissuance) => DraftKind::Reissue,
        Summary { issues, .. } if !issues.is_empty() => DraftKind::Issue,
        Summary { peg_outs, .. } if !peg_outs.is_empty() => DraftKind::PegOut,
        Summary { burns, .. } if !burns.is_empty() => DraftKind::Burn,
        _ => body.kind,
    }
}
