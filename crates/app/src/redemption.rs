//! The redemption desk: an address for each request, payments to it, and what is decided about them.

use crate::drafts::{Purpose, Terms, plain};
use crate::history::csv_text;
use crate::memory::{Core, Wallet, stale};
use crate::money::{known_of, new_sidechain_address, outpoint_text, read_outpoint};
use crate::profile::{Profile, now};
use causeway_contract::{
    AssetRef, Atoms, DraftKind, DraftView, Failure, RedemptionNew, RedemptionPayment, RedemptionPlan, RedemptionState,
    RedemptionView, Tag, TextFile,
};
use causeway_sidechain::wallet::build::{Drain, Recipient};
use causeway_sidechain::wallet::{Action, Confidentiality, parse_address};
use causeway_store::{Reader, RedeemedRow, RedemptionRow};
use causeway_vocab::{AssetId, Code, NetworkId, Refusal};
use elements::{Address, OutPoint, Script};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Longest reference, characters.
const LONGEST: usize = 255;

/// A payment to a script of ours.
struct Payment {
    outpoint: OutPoint,
    asset: elements::AssetId,
    amount: u64,
    time: u32,
    height: Option<u32>,
}

/// Payments to these scripts, oldest first.
fn payments(wallet: &Wallet, scripts: &BTreeSet<Script>) -> HashMap<Script, Vec<Payment>> {
    let mut all: HashMap<Script, Vec<Payment>> = HashMap::new();
    if scripts.is_empty() {
        return all;
    }
    for entry in wallet.sidechain.history(None) {
        let Some(tx) = wallet.sidechain.stored_tx(&entry.txid) else { continue };
        for (vout, owned) in &tx.owned {
            let Some(output) = usize::try_from(*vout).ok().and_then(|vout| tx.stripped.output.get(vout)) else { continue };
            let Some(opening) = owned.opening.filter(|_| scripts.contains(&output.script_pubkey)) else { continue };
            all.entry(output.script_pubkey.clone()).or_default().push(Payment {
                outpoint: OutPoint::new(entry.txid, *vout),
                asset: opening.asset,
                amount: opening.value,
                time: entry.time,
                height: entry.height,
            });
        }
    }
    all.values_mut().for_each(|payments| payments.reverse());
    all
}

fn script_of(core: &Core, row: &RedemptionRow) -> Option<Script> {
    let address = Address::parse_with_params(&row.address, core.realm.sidechain.address_params()).ok()?;
    Some(address.script_pubkey())
}

/// What was decided, as far as its transaction lives.
fn decisions(reader: &Reader<'_>, wallet: &Wallet) -> Result<BTreeMap<String, RedeemedRow>, Refusal> {
    let lives = |row: &RedeemedRow| row.txid.parse().is_ok_and(|txid| wallet.sidechain.history_entry(&txid).is_some());
    let rows = reader.redeemed(wallet.row.id)?.into_iter().filter(lives);
    Ok(rows.map(|row| (row.outpoint.clone(), row)).collect())
}

/// Coins that wait for a decision: they are spent by it and by nothing else.
pub(crate) fn undecided(core: &Core, reader: &Reader<'_>, wallet: &Wallet) -> Result<Vec<OutPoint>, Refusal> {
    let scripts: BTreeSet<Script> = reader.redemptions(wallet.row.id)?.iter().filter_map(|row| script_of(core, row)).collect();
    let waits = |coin: &causeway_sidechain::wallet::Coin| scripts.contains(&coin.output.script_pubkey);
    Ok(wallet.sidechain.coins().filter(waits).map(|coin| coin.outpoint).collect())
}

fn views(core: &Core, reader: &Reader<'_>, wallet: &Wallet, asset: Option<&str>) -> Result<Vec<RedemptionView>, Refusal> {
    let rows: Vec<RedemptionRow> = reader.redemptions(wallet.row.id)?;
    let rows: Vec<_> = rows.into_iter().filter(|row| asset.is_none_or(|asset| row.asset == asset)).collect();
    let scripts: BTreeSet<Script> = rows.iter().filter_map(|row| script_of(core, row)).collect();
    let (mut paid, decided) = (payments(wallet, &scripts), decisions(reader, wallet)?);
    let mut views = Vec::new();
    for row in rows {
        let Ok(id) = row.asset.parse::<elements::AssetId>() else { continue };
        let payments = script_of(core, &row).and_then(|script| paid.remove(&script)).unwrap_or_default();
        let payment = |payment: Payment| {
            let outpoint = outpoint_text(payment.outpoint);
            let decision = decided.get(&outpoint);
            RedemptionPayment {
                asset: core.names.label(AssetId::Elements(payment.asset)),
                amount: Atoms(payment.amount),
                time: payment.time,
                height: payment.height,
                known: known_of(core, &payment.outpoint.txid, payment.height.is_some()),
                state: match (decision, payment.height) {
                    (Some(decision), _) if decision.accepted => RedemptionState::Accepted,
                    (Some(_), _) => RedemptionState::Returned,
                    (None, None) => RedemptionState::Pending,
                    (None, Some(_)) => RedemptionState::Open,
                },
                txid: decision.map(|decision| decision.txid.clone()),
                outpoint,
            }
        };
        views.push(RedemptionView {
            redemption: row.id,
            asset: core.names.label(AssetId::Elements(id)),
            reference: row.reference,
            qr: crate::qr::rows(&row.address),
            address: row.address,
            return_address: row.return_address,
            created: row.created,
            payments: payments.into_iter().map(payment).collect(),
        });
    }
    Ok(views)
}

fn word(state: RedemptionState) -> &'static str {
    match state {
        RedemptionState::Pending => "pending",
        RedemptionState::Open => "open",
        RedemptionState::Accepted => "accepted",
        RedemptionState::Returned => "returned",
    }
}

impl Profile {
    pub(crate) async fn redemptions(&self, request: AssetRef) -> Result<Vec<RedemptionView>, Failure> {
        self.read(|core, reader| views(core, reader, core.selected()?, Some(&request.asset)))
    }

    pub(crate) async fn redemption_new(&self, request: RedemptionNew) -> Result<RedemptionView, Failure> {
        let asset: elements::AssetId =
            request.asset.parse().map_err(|_| Refusal::new(Code::UnknownAsset).with("asset", &request.asset))?;
        let reference = request.reference.trim().to_owned();
        let unfit = reference.is_empty() || reference.chars().count() > LONGEST || reference.chars().any(char::is_control);
        if unfit {
            return Err(Refusal::new(Code::BadRequest).with("field", "reference"));
        }
        let back = request.return_address.trim();
        if !back.is_empty() {
            parse_address(back, &self.realm.sidechain, Confidentiality::Required)?;
        }
        let view = self.change(|core, write| {
            let (_, derived) = new_sidechain_address(core, write)?;
            let address = derived.confidential_address().to_string();
            let wallet = core.selected()?.row.id;
            let row = RedemptionRow {
                id: 0,
                wallet,
                asset: asset.to_string(),
                reference: reference.clone(),
                address: address.clone(),
                return_address: back.to_owned(),
                created: now(),
            };
            let id = write.add_redemption(&row)?;
            write.set_label(wallet, NetworkId::Sidechain, "addr", &address, &reference)?;
            stale(write, &[Tag::Assets, Tag::Addresses]);
            let all = views(core, write, core.selected()?, Some(&row.asset))?;
            all.into_iter()
                .find(|view| view.redemption == id)
                .ok_or_else(|| Refusal::new(Code::NotFound).with("what", "redemption"))
        })?;
        // Watched before it is shown.
        self.watch_new();
        Ok(view)
    }

    pub(crate) async fn redemption_plan(&self, request: RedemptionPlan) -> Result<DraftView, Failure> {
        let fee_rate = self.rate_or_normal(NetworkId::Sidechain, request.fee_rate).await;
        let outpoint = read_outpoint(&request.outpoint)?;
        let unavailable = || Refusal::new(Code::CoinUnavailable).with("outpoint", &request.outpoint);
        let (redemption, terms) = self.read(|core, reader| {
            let wallet = core.selected()?;
            let all = views(core, reader, wallet, None)?;
            let found = all.iter().find_map(|view| {
                let payment = view.payments.iter().find(|payment| payment.outpoint == request.outpoint)?;
                Some((view, payment))
            });
            let (view, payment) = found.ok_or_else(unavailable)?;
            let frozen = reader.frozen(wallet.row.id, NetworkId::Sidechain)?.contains(&request.outpoint);
            let held = reader.reserved(NetworkId::Sidechain)?.contains(&request.outpoint);
            if payment.state != RedemptionState::Open || frozen || held {
                return Err(unavailable());
            }
            let asset: elements::AssetId = payment.asset.id.parse().map_err(|_| unavailable())?;
            let label = view.reference.clone();
            let terms = if request.accept {
                // Only what was asked back is destroyed; whatever else somebody paid is returned.
                if payment.asset.id != view.asset.id {
                    return Err(Refusal::new(Code::UnknownAsset).with("asset", &payment.asset.id));
                }
                Terms { label, ..plain(DraftKind::Burn, Action::Burn { asset, amount: payment.amount.0 }, fee_rate) }
            } else {
                let text = request.address.as_deref().map(str::trim).filter(|text| !text.is_empty());
                let address = text.unwrap_or(&view.return_address);
                let address = parse_address(address, &core.realm.sidechain, Confidentiality::Required)?;
                let payees = vec![address.to_string()];
                // The network's own coin pays its own way.
                let drain = if asset == core.realm.sidechain.policy_asset { Drain::To(0) } else { Drain::No };
                let recipients = vec![Recipient { address, asset, amount: payment.amount.0 }];
                let send = Action::Send { recipients, drain };
                let coins = if drain == Drain::No { BTreeSet::new() } else { BTreeSet::from([outpoint]) };
                Terms { label, payees, coins, ..plain(DraftKind::Send, send, fee_rate) }
            };
            Ok((view.redemption, Terms { include: BTreeSet::from([outpoint]), ..terms }))
        })?;
        let purpose = Purpose::Redeem { redemption, outpoint: request.outpoint, accepted: request.accept };
        self.plan_sidechain(terms, |_| Ok(purpose))
    }

    pub(crate) async fn redemption_ledger(&self, request: AssetRef) -> Result<TextFile, Failure> {
        self.read(|core, reader| {
            let time = |seconds: u32| jiff::Timestamp::from_second(i64::from(seconds)).map(|t| t.to_string()).unwrap_or_default();
            let mut text = String::from("created,reference,address,received,outpoint,asset,ticker,amount,height,state,txid\r\n");
            for view in views(core, reader, core.selected()?, Some(&request.asset))?.into_iter().rev() {
                let mut line = |payment: Option<&RedemptionPayment>| {
                    let of = |cell: fn(&RedemptionPayment) -> String| payment.map(cell).unwrap_or_default();
                    let cells = [
                        time(view.created),
                        csv_text(&view.reference),
                        view.address.clone(),
                        payment.map(|payment| time(payment.time)).unwrap_or_default(),
                        of(|payment| payment.outpoint.clone()),
                        of(|payment| payment.asset.id.clone()),
                        of(|payment| csv_text(&payment.asset.ticker)),
                        of(|payment| payment.amount.to_decimal(payment.asset.precision)),
                        of(|payment| payment.height.map(|height| height.to_string()).unwrap_or_default()),
                        payment.map_or("waiting", |payment| word(payment.state)).to_owned(),
                        of(|payment| payment.txid.clone().unwrap_or_default()),
                    ];
                    text.push_str(&cells.join(","));
                    text.push_str("\r\n");
                };
                match view.payments.is_empty() {
                    true => line(None),
                    false => view.payments.iter().for_each(|payment| line(Some(payment))),
                }
            }
            Ok(TextFile { name: format!("causeway-redemptions-{}.csv", &request.asset.get(..8).unwrap_or("asset")), text })
        })
    }
}
