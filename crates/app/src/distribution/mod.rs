//! Paying many holders from a list: reading it, saying what it costs, and each of its transactions.

mod list;

use crate::drafts::{Body, LIFE, Purpose, Unsigned, excluded_sidechain, keep, per_kvb, share, sign_unattended, small};
use crate::history::csv_text;
use crate::memory::Core;
use crate::operations::distribute::{BATCH, Order, Row};
use crate::operations::{self, Start};
use crate::profile::{Profile, now};
use bitcoin::hashes::{Hash as _, HashEngine as _, sha256};
use bitcoin::hex::DisplayHex as _;
use causeway_colored::distribution::Row as ListRow;
use causeway_contract::{
    AmountView, Atoms, DistributionBatch, DistributionPreview, DistributionRequest, DistributionView, DraftKind, DraftView,
    Failure, FlowRole, OperationRef, OthersSee, Review, ReviewOutput, TextFile,
};
use causeway_keys::Summary;
use causeway_sidechain::wallet::build::{Drain, Recipient};
use causeway_sidechain::wallet::{Action, Confidentiality, Intent, parse_address};
use causeway_store::{Reader, Write};
use causeway_vocab::{AssetId, Code, NetworkId, Refusal};
use list::{Cost, LONGEST_LABEL, Payee, available, cost, read, refusal};
use std::collections::BTreeSet;

fn intent(
    core: &Core,
    reader: &Reader<'_>,
    wallet: u32,
    recipients: Vec<Recipient>,
    fee_rate: u64,
    allow_explicit: bool,
) -> Result<Intent, Refusal> {
    Ok(Intent {
        action: Action::Send { recipients, drain: Drain::No },
        fee_rate,
        discount: true,
        coins: BTreeSet::new(),
        include: BTreeSet::new(),
        exclude: excluded_sidechain(core, core.wallet(wallet)?, reader)?,
        allow_explicit,
    })
}

impl Profile {
    pub(crate) async fn distribution_read(&self, request: DistributionRequest) -> Result<DistributionPreview, Failure> {
        let rate = self.rate_or_normal(NetworkId::Sidechain, request.fee_rate).await;
        self.read(|core, reader| {
            let read = read(core, reader, &request)?;
            let wallet = core.selected()?.row.id;
            let (cost, refused) = match read.faults.is_empty() {
                true => cost(core, reader, &read, rate, request.allow_explicit)?,
                false => (Cost::default(), None),
            };
            Ok(DistributionPreview {
                asset: core.names.label(AssetId::Elements(read.asset)),
                rows: small(read.rows.len() as u64),
                total: Atoms(read.total()),
                available: Atoms(available(core, reader, wallet)?.get(&read.asset).copied().unwrap_or(0)),
                transactions: small(read.rows.len().div_ceil(BATCH) as u64),
                weight: small(cost.weight as u64),
                vsize: small(cost.vsize as u64),
                fee: Atoms(cost.fee),
                most_fee: Atoms(if cost.fee == 0 { 0 } else { cost.most_fee() }),
                faults: read.faults,
                refused,
            })
        })
    }

    pub(crate) async fn distribution_plan(&self, request: DistributionRequest) -> Result<DraftView, Failure> {
        let fee_rate = self.rate_or_normal(NetworkId::Sidechain, request.fee_rate).await;
        if request.label.chars().count() > LONGEST_LABEL {
            return Err(Refusal::new(Code::BadRequest).with("field", "label"));
        }
        self.change(|core, write| {
            core.not_halted(NetworkId::Sidechain)?;
            let read = read(core, write, &request)?;
            if let Some(first) = read.faults.first() {
                return Err(refusal(first));
            }
            let (cost, refused) = cost(core, write, &read, fee_rate, request.allow_explicit)?;
            if let Some(refusal) = refused {
                return Err(refusal);
            }
            let row = |row: &ListRow<Payee>| Row {
                row: small(row.row as u64),
                address: row.recipient.address.clone(),
                amount: row.amount.0,
                label: row.label.clone(),
            };
            let order = Order {
                asset: read.asset,
                rows: read.rows.iter().map(row).collect(),
                fee_rate,
                most_fee: cost.most_fee(),
                allow_explicit: request.allow_explicit,
                time: now(),
            };
            let asset = core.names.label(AssetId::Elements(read.asset));
            let paid_coin = if read.asset == core.realm.sidechain.policy_asset { order.total() } else { 0 };
            let view = DraftView {
                draft: 0,
                kind: DraftKind::Distribute,
                network: NetworkId::Sidechain,
                fee: Atoms(cost.fee),
                fee_rate: per_kvb(cost.fee, cost.vsize as u64),
                vsize: small(cost.vsize as u64),
                fee_share: share(cost.fee, paid_coin),
                leaves: vec![AmountView { asset, amount: Atoms(order.total()) }],
                comes_back: Vec::new(),
                coins: 0,
                expires: now().saturating_add(LIFE),
                replaces_fee: None,
                asset: Some(read.asset.to_string()),
                domain_proof: String::new(),
                signed: false,
                exported: false,
                label: request.label.clone(),
            };
            let body = Body {
                kind: DraftKind::Distribute,
                network: NetworkId::Sidechain,
                unsigned: Unsigned::Order,
                view,
                label: request.label.clone(),
                payees: Vec::new(),
                purpose: Purpose::Distribute(Box::new(order)),
            };
            keep(core, write, body)
        })
    }

    pub(crate) async fn distribution(&self, request: OperationRef) -> Result<DistributionView, Failure> {
        self.read(|core, reader| {
            let state = operations::distribution(core, reader, request.operation)?;
            let paid = &state.order.rows[..state.rows_paid()];
            let batches = state.paid.iter().enumerate().map(|(index, batch)| DistributionBatch {
                txid: batch.tx.txid.clone(),
                rows: small(state.order.batch(index).len() as u64),
                fee: Atoms(batch.fee),
                height: batch.confirmed.map(|at| at.height),
            });
            Ok(DistributionView {
                operation: request.operation,
                asset: core.names.label(AssetId::Elements(state.order.asset)),
                rows: small(state.order.rows.len() as u64),
                rows_paid: small(paid.len() as u64),
                total: Atoms(state.order.total()),
                paid: Atoms(paid.iter().map(|row| row.amount).fold(0, u64::saturating_add)),
                fee: Atoms(state.fees()),
                most_fee: Atoms(state.order.most_fee),
                transactions: small(state.order.batches() as u64),
                batches: batches.collect(),
            })
        })
    }

    pub(crate) async fn distribution_report(&self, request: OperationRef) -> Result<TextFile, Failure> {
        self.read(|core, reader| {
            let state = operations::distribution(core, reader, request.operation)?;
            let precision = core.names.label(AssetId::Elements(state.order.asset)).precision;
            let mut text = String::from("row,address,amount,label,state,txid,height\r\n");
            for (index, row) in state.order.rows.iter().enumerate() {
                let batch = state.paid.get(index / BATCH);
                let height = batch.and_then(|batch| batch.confirmed).map(|at| at.height);
                let known = match (batch, height) {
                    (None, _) => "not paid",
                    (Some(_), None) => "sent",
                    (Some(_), Some(_)) => "confirmed",
                };
                let cells = [
                    row.row.to_string(),
                    row.address.clone(),
                    Atoms(row.amount).to_decimal(precision),
                    csv_text(&row.label),
                    known.to_owned(),
                    batch.map(|batch| batch.tx.txid.clone()).unwrap_or_default(),
                    height.map(|height| height.to_string()).unwrap_or_default(),
                ];
                text.push_str(&cells.join(","));
                text.push_str("\r\n");
            }
            Ok(TextFile { name: format!("causeway-distribution-{}.csv", request.operation), text })
        })
    }
}

/// What the confirm window shows and the signature is given for: every row, the asset and the bounds of the fees.
pub(crate) fn order_hash(order: &Order) -> [u8; 32] {
    let mut engine = sha256::Hash::engine();
    engine.input(b"causeway distribution 1");
    engine.input(&serde_json::to_vec(order).expect("BUG: an order is JSON"));
    sha256::Hash::from_engine(engine).to_byte_array()
}

/// The list as the confirm window shows it.
pub(crate) fn review(core: &Core, reader: &Reader<'_>, wallet: u32, order: &Order, view: &DraftView) -> Result<Review, Refusal> {
    let params = &core.realm.sidechain;
    let asset = core.names.label(AssetId::Elements(order.asset));
    let mut leaves = Vec::with_capacity(order.rows.len());
    for row in &order.rows {
        let known = reader.label(wallet, NetworkId::Sidechain, "addr", &row.address)?;
        leaves.push(ReviewOutput {
            blinded: parse_address(&row.address, params, Confidentiality::Required).is_ok(),
            address: row.address.clone(),
            asset: asset.clone(),
            amount: Atoms(row.amount),
            label: if row.label.is_empty() { known } else { row.label.clone() },
            role: FlowRole::Foreign,
            false_claim: false,
        });
    }
    let hidden = leaves.iter().filter(|output| output.blinded).count();
    let mut spends = vec![AmountView { asset, amount: Atoms(order.total()) }];
    if order.asset == params.policy_asset {
        spends[0].amount = Atoms(order.total().saturating_add(view.fee.0));
    } else {
        let coin = core.names.label(AssetId::Elements(params.policy_asset));
        spends.push(AmountView { asset: coin, amount: view.fee });
    }
    Ok(Review {
        draft: 0,
        kind: DraftKind::Distribute,
        network: NetworkId::Sidechain,
        others_see: if hidden == leaves.len() { OthersSee::FeeAndScripts } else { OthersSee::Some },
        leaves,
        comes_back: Vec::new(),
        fee: view.fee,
        fee_rate: view.fee_rate,
        fee_share: view.fee_share,
        coins: 0,
        spends,
        creates: Vec::new(),
        destroys: Vec::new(),
        summary_hash: order_hash(order).to_lower_hex_string(),
        locked: true,
        signed: false,
        watch_only: false,
        valueless: core.realm.valueless,
    })
}

/// Starts the order, and notes its recipients.
pub(crate) fn start(core: &mut Core, write: &mut Write<'_>, wallet: u32, label: &str, order: &Order) -> Result<u32, Refusal> {
    for row in &order.rows {
        write.note_payee(wallet, &row.address)?;
        if !row.label.is_empty() {
            write.set_label(wallet, NetworkId::Sidechain, "addr", &row.address, &row.label)?;
        }
    }
    operations::start(core, write, wallet, DraftKind::Distribute, label, Start::Distribute(order.clone()))
}

/// Plans, blinds, checks and signs one transaction of an order, and notes it in the wallet. `fees` were paid by those before. Gives its fee.
pub(crate) fn pay(
    core: &mut Core,
    write: &mut Write<'_>,
    wallet: u32,
    order: &Order,
    index: usize,
    fees: u64,
) -> Result<(elements::Transaction, u64), Refusal> {
    let rows = &order.rows[order.batch(index)];
    let params = &core.realm.sidechain;
    let read = |row: &Row| {
        let address = parse_address(&row.address, params, Confidentiality::Optional)?;
        Ok(Recipient { address, asset: order.asset, amount: row.amount })
    };
    let recipients = rows.iter().map(read).collect::<Result<Vec<_>, Refusal>>()?;
    let mut wanted: Vec<(String, u64)> =
        recipients.iter().map(|to| (to.address.script_pubkey().as_bytes().to_lower_hex_string(), to.amount)).collect();
    let intent = intent(core, write, wallet, recipients, order.fee_rate, order.allow_explicit)?;
    let plan = core.wallet(wallet)?.sidechain.plan(&intent, &mut rand::thread_rng())?;
    if fees.saturating_add(plan.fee) > order.most_fee {
        return Err(Code::FeeTooHigh.into());
    }
    let asset = AssetId::Elements(order.asset);
    let tx = sign_unattended(core, write, wallet, &plan, |summary| pays_just(summary, asset, &mut wanted))?;
    Ok((tx, plan.fee))
}

/// Whether a transaction pays these scripts these amounts and nobody else anything.
fn pays_just(summary: &Summary, asset: AssetId, wanted: &mut Vec<(String, u64)>) -> bool {
    let mut take = |line: &causeway_keys::check::Line| {
        let place = wanted.iter().position(|(script, amount)| {
            line.script == *script && line.asset == Some(asset) && line.amount == Some(Atoms(*amount))
        });
        place.map(|place| wanted.swap_remove(place)).is_some()
    };
    let only = summary.leaves.iter().all(&mut take);
    // A row may be our own.
    summary.comes_back.iter().for_each(|line| _ = take(line));
    let nothing_else = summary.burns.is_empty()
        && summary.issues.is_empty()
        && summary.peg_ins.is_empty()
        && summary.peg_outs.is_empty()
        && summary.unverified.is_empty()
        && summary.all_inputs_ours;
    only && nothing_else && wanted.is_empty()
}
