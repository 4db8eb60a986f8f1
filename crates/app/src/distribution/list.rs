//! The list: what it says, what is wrong with it, what paying it costs.

use super::intent;
use crate::drafts::{excluded_sidechain, small};
use crate::memory::Core;
use crate::operations::distribute::BATCH;
use causeway_colored::distribution::{self as list, BadRow, RowFault as Fault};
use causeway_contract::{Atoms, DistributionRequest, RowFault, RowFaultKind};
use causeway_sidechain::consensus::MAX_MONEY;
use causeway_sidechain::consensus::transaction::{dust_limit, fee_at_rate};
use causeway_sidechain::wallet::build::{Recipient, payment_size};
use causeway_sidechain::wallet::{Confidentiality, parse_address};
use causeway_store::Reader;
use causeway_vocab::{AssetId, Code, Refusal};
use elements::confidential::{Asset, Nonce, Value};
use elements::{Script, TxOut, TxOutWitness};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

/// Largest list that is read, bytes and rows.
const LARGEST: usize = 4 << 20;
const MOST_ROWS: usize = 20_000;
/// Longest label, characters (BIP329 recommends to take 255).
pub(super) const LONGEST_LABEL: usize = 255;
/// Mistakes that are told at once.
const MOST_FAULTS: usize = 100;

/// A recipient. Two addresses of one script are the same recipient, whatever they are blinded to.
#[derive(Debug, Clone)]
pub(super) struct Payee {
    script: Script,
    pub(super) address: String,
    blinded: bool,
}

impl PartialEq for Payee {
    fn eq(&self, other: &Payee) -> bool {
        self.script == other.script
    }
}

impl Eq for Payee {}

impl Hash for Payee {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.script.hash(state);
    }
}

/// A list, read.
pub(super) struct Read {
    pub(super) asset: elements::AssetId,
    pub(super) rows: Vec<list::Row<Payee>>,
    pub(super) faults: Vec<RowFault>,
}

impl Read {
    pub(super) fn total(&self) -> u64 {
        self.rows.iter().map(|row| row.amount.0).fold(0, u64::saturating_add)
    }
}

fn fault(row: usize, why: RowFaultKind, figure: impl ToString) -> RowFault {
    RowFault { row: small(row as u64), why, figure: figure.to_string() }
}

fn of_reader(bad: BadRow) -> RowFault {
    use RowFaultKind as Kind;
    let (why, figure) = match bad.fault {
        Fault::Fields(_) => (Kind::Fields, String::new()),
        Fault::Quote => (Kind::Quote, String::new()),
        Fault::Formula => (Kind::Formula, String::new()),
        Fault::Character => (Kind::Character, String::new()),
        Fault::Address => (Kind::Address, String::new()),
        Fault::Network => (Kind::Network, String::new()),
        Fault::PlainAddress => (Kind::Explicit, String::new()),
        Fault::Duplicate(other) => (Kind::Duplicate, other.to_string()),
        Fault::Amount => (Kind::Amount, String::new()),
        Fault::Precision(places) => (Kind::Precision, places.to_string()),
        Fault::Zero => (Kind::Zero, String::new()),
        Fault::AboveSupply(most) => (Kind::AboveSupply, most.to_string()),
        Fault::TooMany(most) => (Kind::TooMany, most.to_string()),
    };
    fault(bad.row, why, figure)
}

pub(super) fn read(core: &Core, reader: &Reader<'_>, request: &DistributionRequest) -> Result<Read, Refusal> {
    let asset = request.asset.parse().map_err(|_| Refusal::new(Code::UnknownAsset).with("asset", &request.asset))?;
    if request.csv.len() > LARGEST {
        return Err(Refusal::new(Code::BadRequest).with("field", "csv"));
    }
    let params = &core.realm.sidechain;
    let confidentiality = if request.allow_explicit { Confidentiality::Optional } else { Confidentiality::Required };
    let payee = |text: &str| match parse_address(text, params, confidentiality) {
        Ok(address) => Ok(Payee {
            script: address.script_pubkey(),
            blinded: address.blinding_pubkey.is_some(),
            address: address.to_string(),
        }),
        Err(refusal) => Err(match refusal.code {
            Code::WrongNetwork | Code::BitcoinAddress => Fault::Network,
            Code::ExplicitAddress => Fault::PlainAddress,
            _ => Fault::Address,
        }),
    };
    let terms = list::Terms { precision: core.names.label(AssetId::Elements(asset)).precision, most: Atoms(MAX_MONEY) };
    let rows = match list::read(&request.csv, terms, payee) {
        Ok(list) => list.rows,
        Err(bad) => return Ok(Read { asset, rows: Vec::new(), faults: bad.into_iter().map(of_reader).collect() }),
    };
    let frozen: BTreeSet<Script> = crate::holders::frozen(core, reader, &asset)?;
    let least = if asset == params.policy_asset { rows.iter().map(|row| least(asset, row)).max().unwrap_or(0) } else { 0 };
    let mut faults = Vec::new();
    if rows.len() > MOST_ROWS {
        faults.push(fault(rows[MOST_ROWS].row, RowFaultKind::TooMany, MOST_ROWS));
    }
    for row in &rows {
        if row.label.chars().count() > LONGEST_LABEL {
            faults.push(fault(row.row, RowFaultKind::Label, LONGEST_LABEL));
        } else if frozen.contains(&row.recipient.script) {
            faults.push(fault(row.row, RowFaultKind::Frozen, ""));
        } else if row.amount.0 < least {
            faults.push(fault(row.row, RowFaultKind::Dust, least));
        }
        if faults.len() >= MOST_FAULTS {
            break;
        }
    }
    Ok(Read { asset, rows, faults })
}

/// The least amount of the network's own coin that is worth an output to a recipient, satoshi.
fn least(asset: elements::AssetId, row: &list::Row<Payee>) -> u64 {
    dust_limit(&TxOut {
        asset: Asset::Explicit(asset),
        value: Value::Explicit(0),
        nonce: Nonce::Null,
        script_pubkey: row.recipient.script.clone(),
        witness: TxOutWitness::empty(),
    })
}

/// What the transactions of a list come to.
#[derive(Default)]
pub(super) struct Cost {
    pub(super) weight: usize,
    pub(super) vsize: usize,
    pub(super) fee: u64,
}

impl Cost {
    pub(super) fn most_fee(&self) -> u64 {
        self.fee.saturating_mul(2).saturating_add(1_000)
    }
}

fn recipients(asset: elements::AssetId, rows: &[list::Row<Payee>], core: &Core) -> Result<Vec<Recipient>, Refusal> {
    let params = &core.realm.sidechain;
    let read = |row: &list::Row<Payee>| {
        let address = parse_address(&row.recipient.address, params, Confidentiality::Optional)?;
        Ok(Recipient { address, asset, amount: row.amount.0 })
    };
    rows.iter().map(read).collect()
}

/// What can be spent, by asset.
pub(super) fn available(core: &Core, reader: &Reader<'_>, wallet: u32) -> Result<BTreeMap<elements::AssetId, u64>, Refusal> {
    let exclude = excluded_sidechain(core, core.wallet(wallet)?, reader)?;
    let mut sums = BTreeMap::new();
    for coin in core.wallet(wallet)?.sidechain.coins().filter(|coin| coin.spendable && !exclude.contains(&coin.outpoint)) {
        let sum: &mut u64 = sums.entry(coin.opening.asset).or_default();
        *sum = sum.saturating_add(coin.opening.value);
    }
    Ok(sums)
}

/// What the list costs, and why it cannot be paid, if so. The first transaction is planned; the others then spend one coin of each asset.
pub(super) fn cost(
    core: &Core,
    reader: &Reader<'_>,
    read: &Read,
    fee_rate: u64,
    allow_explicit: bool,
) -> Result<(Cost, Option<Refusal>), Refusal> {
    let wallet = core.selected()?;
    let (account, policy) = (wallet.sidechain.account(), core.realm.sidechain.policy_asset);
    let kinds = if read.asset == policy { 1 } else { 2 };
    let mut cost = Cost::default();
    for rows in read.rows.chunks(BATCH) {
        let outputs = rows.iter().map(|row| (row.recipient.script.len(), row.recipient.blinded));
        let size = payment_size(account, kinds, outputs, kinds, true);
        cost.weight += size.weight;
        cost.vsize += size.vsize;
        cost.fee = cost.fee.saturating_add(fee_at_rate(size.vsize, fee_rate));
    }
    let have = available(core, reader, wallet.row.id)?;
    let of = |asset| have.get(&asset).copied().unwrap_or(0);
    let (total, coins) = (read.total(), of(policy));
    let needed = if read.asset == policy { total.saturating_add(cost.fee) } else { total };
    if of(read.asset) < needed {
        let short = Refusal::new(Code::InsufficientFunds).with("asset", read.asset);
        return Ok((cost, Some(short.with("available", of(read.asset)).with("needed", needed))));
    }
    if read.asset != policy && coins < cost.fee {
        let short = Refusal::new(Code::InsufficientFee).with("needed", cost.fee).with("available", coins);
        return Ok((cost, Some(short)));
    }
    let first = recipients(read.asset, &read.rows[..read.rows.len().min(BATCH)], core)?;
    let intent = intent(core, reader, wallet.row.id, first, fee_rate, allow_explicit)?;
    match wallet.sidechain.plan(&intent, &mut rand::thread_rng()) {
        Ok(plan) => {
            let usual = payment_size(account, kinds, [], kinds, true);
            let coins = payment_size(account, plan.inputs.len(), [], kinds, true);
            cost.weight += coins.weight.saturating_sub(usual.weight);
            let more = coins.vsize.saturating_sub(usual.vsize);
            cost.vsize += more;
            cost.fee = cost.fee.saturating_add(fee_at_rate(more, fee_rate));
            Ok((cost, None))
        }
        Err(refusal) => Ok((cost, Some(refusal))),
    }
}

/// The refusal of a list for its first mistake.
pub(super) fn refusal(fault: &RowFault) -> Refusal {
    let why = serde_json::to_value(fault.why).ok().and_then(|why| why.as_str().map(str::to_owned)).unwrap_or_default();
    Refusal::new(Code::BadRow).with("row", fault.row).with("why", why)
}
