//! Planning transfers, issuances and burns: a protocol lays the transaction out, the wallet pays for it behind, and the guard compares what it
//! would do with what was asked.

use super::{Held, units};
use crate::drafts::{Purpose, excluded_bitcoin, keep_bitcoin};
use crate::guard::Meaning;
use crate::memory::{Core, put_bitcoin};
use crate::profile::Profile;
use bitcoin::address::NetworkUnchecked;
use bitcoin::{Address, OutPoint, ScriptBuf};
use causeway_bitcoin_wallet::{Arrangement, Coin, FeeRate, PaymentUri};
use causeway_colored::colu::{self, Issuance, Policy};
use causeway_colored::open_assets::address::{self, AddressFault};
use causeway_colored::{Asset, Layout, Protocol, epobc, open_assets};
use causeway_contract::{
    Aggregation, AssetProtocol, Atoms, ColouredBurn, ColouredIssue, ColouredPayment, ColouredReissue, ColouredSend, DraftKind,
    DraftView, Failure,
};
use causeway_store::Write;
use causeway_vocab::{Code, NetworkId, Refusal};
use std::collections::{BTreeMap, BTreeSet};

/// What every plan of coloured coins is asked.
pub(crate) struct Terms {
    pub(crate) kind: DraftKind,
    pub(crate) rate: u64,
    pub(crate) label: String,
    pub(crate) payees: Vec<String>,
}

/// Units for somebody.
pub(crate) struct Delivery {
    pub(crate) script: ScriptBuf,
    pub(crate) quantity: u64,
}

fn whole(amount: Atoms) -> Result<u64, Refusal> {
    match amount.0 {
        0 => Err(Refusal::new(Code::BadAmount).with("precision", 0)),
        amount => Ok(amount),
    }
}

impl Profile {
    pub(crate) async fn coloured_issue_plan(&self, request: ColouredIssue) -> Result<DraftView, Failure> {
        let amount = whole(request.amount)?;
        let rate = self.rate_or_normal(NetworkId::Bitcoin, request.fee_rate).await;
        let terms = Terms { kind: DraftKind::Issue, rate, label: request.label.clone(), payees: Vec::new() };
        let planned = self.change(|core, write| {
            let first = largest(core, write, |_| true)?.ok_or_else(no_funds)?;
            let issuing = Issuing { first, amount, units: own_address(core, write)? };
            match request.protocol {
                AssetProtocol::OpenAssets => {
                    let metadata = definition(&request.definition)?;
                    issue_open_assets(core, write, issuing, metadata, terms)
                }
                AssetProtocol::Colu => {
                    let policy = match request.aggregation {
                        None | Some(Aggregation::Aggregatable) => Policy::Aggregatable,
                        Some(Aggregation::Hybrid) => Policy::Hybrid,
                        Some(Aggregation::Dispersed) => Policy::Dispersed,
                    };
                    if request.divisibility > 7 {
                        return Err(Refusal::new(Code::BadRequest).with("field", "divisibility"));
                    }
                    let divisibility = request.divisibility;
                    let issuance = Issuance { amount, divisibility, locked: !request.reissuable, policy: Some(policy) };
                    issue_colu(core, write, issuing, issuance, terms)
                }
                AssetProtocol::Epobc => issue_epobc(core, write, issuing, terms),
                AssetProtocol::Counterparty => Err(Refusal::new(Code::NotOffered).with("what", "counterparty")),
            }
        });
        planned.inspect(|_| self.watch_new())
    }

    pub(crate) async fn coloured_reissue_plan(&self, request: ColouredReissue) -> Result<DraftView, Failure> {
        let amount = whole(request.amount)?;
        let rate = self.rate_or_normal(NetworkId::Bitcoin, request.fee_rate).await;
        let terms = Terms { kind: DraftKind::Reissue, rate, label: String::new(), payees: Vec::new() };
        let planned = self.change(|core, write| {
            let asset = core.coloured_asset(&request.asset)?;
            let script = core.issuing_script(core.selected()?, asset).ok_or(Code::NoToken)?;
            let address = Address::from_script(&script, core.realm.bitcoin.network).map(|address| address.to_string());
            let no_coin = || Refusal::new(Code::NoIssuingCoin).with("address", address.unwrap_or_default());
            let first = largest(core, write, |coin| coin.script == script)?.ok_or_else(no_coin)?;
            let issuing = Issuing { first, amount, units: own_address(core, write)? };
            match asset {
                Asset::OpenAssets(_) => issue_open_assets(core, write, issuing, Vec::new(), terms),
                Asset::Colu(id) => {
                    let issuance = Issuance { amount, divisibility: id.divisibility, locked: false, policy: Some(id.policy) };
                    issue_colu(core, write, issuing, issuance, terms)
                }
                Asset::Epobc(_) => Err(Refusal::new(Code::NotOffered).with("what", "reissue")),
            }
        });
        planned.inspect(|_| self.watch_new())
    }

    pub(crate) async fn coloured_send_plan(&self, request: ColouredSend) -> Result<DraftView, Failure> {
        let rate = self.rate_or_normal(NetworkId::Bitcoin, request.fee_rate).await;
        let planned = self.change(|core, write| {
            let asset = core.coloured_asset(&request.asset)?;
            let (mut deliveries, mut payees) = (Vec::new(), Vec::new());
            for ColouredPayment { address, amount } in &request.recipients {
                let script = self.recipient(asset.protocol(), address, request.allow_plain)?;
                deliveries.push(Delivery { script, quantity: whole(*amount)? });
                payees.push(address.trim().to_owned());
            }
            if deliveries.is_empty() {
                return Err(Code::NoRecipients.into());
            }
            let terms = Terms { kind: DraftKind::Send, rate, label: request.label, payees };
            transfer(core, write, asset, &deliveries, 0, terms)
        });
        planned.inspect(|_| self.watch_new())
    }

    pub(crate) async fn coloured_burn_plan(&self, request: ColouredBurn) -> Result<DraftView, Failure> {
        let burned = whole(request.amount)?;
        let rate = self.rate_or_normal(NetworkId::Bitcoin, request.fee_rate).await;
        let terms = Terms { kind: DraftKind::Burn, rate, label: request.label, payees: Vec::new() };
        let planned = self.change(|core, write| {
            let asset = core.coloured_asset(&request.asset)?;
            if asset.protocol() == Protocol::Epobc {
                return Err(Refusal::new(Code::NotOffered).with("what", "burn"));
            }
            transfer(core, write, asset, &[], burned, terms)
        });
        planned.inspect(|_| self.watch_new())
    }

    /// The script behind an address that units are sent to.
    ///
    /// Open Assets has addresses of its own, which say that the owner's wallet keeps units; segwit has no such form. An ordinary one is
    /// refused with `PlainAddress` unless the user vouches for it.
    fn recipient(&self, protocol: Protocol, text: &str, allow_plain: bool) -> Result<ScriptBuf, Refusal> {
        let plain = || PaymentUri::parse(text, &self.realm).map(|uri| uri.address.script_pubkey());
        if protocol != Protocol::OpenAssets {
            return plain();
        }
        match address::read(text.trim()) {
            Ok(address) => {
                let address: Address<NetworkUnchecked> = address;
                let network = self.realm.bitcoin.network;
                let address = address.require_network(network).map_err(|_| Refusal::new(Code::WrongNetwork))?;
                Ok(address.script_pubkey())
            }
            Err(AddressFault::Plain) if !allow_plain => Err(Code::PlainAddress.into()),
            Err(AddressFault::Plain) => plain(),
            Err(_) => Err(Code::BadAddress.into()),
        }
    }
}

fn no_funds() -> Refusal {
    Refusal::new(Code::InsufficientFunds).with("asset", "btc").with("available", 0).with("needed", 1)
}

/// The largest coin that holds bitcoin alone, is free, and passes.
fn largest(core: &Core, write: &Write<'_>, passes: impl Fn(&Coin) -> bool) -> Result<Option<Coin>, Refusal> {
    let exclude = excluded_bitcoin(core, core.selected()?, write)?;
    let free = |coin: &Coin| coin.spendable && !exclude.contains(&coin.outpoint) && passes(coin);
    // Largest first already.
    Ok(core.selected()?.bitcoin.coins().into_iter().find(free))
}

pub(crate) fn own_address(core: &mut Core, write: &mut Write<'_>) -> Result<ScriptBuf, Refusal> {
    let wallet = core.selected_mut()?;
    let (entry, changes) = wallet.bitcoin.next_address();
    put_bitcoin(write, wallet.row.id, Some(&changes))?;
    Ok(entry.script)
}

fn own_change(core: &mut Core, write: &mut Write<'_>) -> Result<ScriptBuf, Refusal> {
    let wallet = core.selected_mut()?;
    let (entry, changes) = wallet.bitcoin.next_change_address();
    put_bitcoin(write, wallet.row.id, Some(&changes))?;
    Ok(entry.script)
}

/// What an issuance needs.
struct Issuing {
    /// A coin that holds bitcoin alone; its script is the issuer.
    first: Coin,
    amount: u64,
    /// Who gets the units.
    units: ScriptBuf,
}

/// The pointer to an asset's definition, as markers carry it.
fn definition(url: &str) -> Result<Vec<u8>, Refusal> {
    let url = url.trim();
    if url.is_empty() {
        return Ok(Vec::new());
    }
    let bad = || Refusal::new(Code::BadRequest).with("field", "definition");
    if !url.starts_with("https://") || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(bad());
    }
    let pointer = open_assets::definition::Pointer::Url { url: url.to_owned(), sha256: None };
    pointer.write().map_err(|_| bad())
}

fn issue_open_assets(
    core: &mut Core,
    write: &mut Write<'_>,
    issuing: Issuing,
    metadata: Vec<u8>,
    terms: Terms,
) -> Result<DraftView, Refusal> {
    let Issuing { first, amount, units } = issuing;
    let asset = Asset::OpenAssets(open_assets::AssetId::issued_by(&first.script));
    let layout = open_assets::plan::issue(first.outpoint, &[(units.clone(), amount)], metadata)?;
    // What is left goes back to the issuing script, so that more can be issued.
    keep(core, write, layout, Some(first.script), issues(core, asset, amount, units), asset, terms)
}

fn issue_colu(
    core: &mut Core,
    write: &mut Write<'_>,
    issuing: Issuing,
    issuance: Issuance,
    terms: Terms,
) -> Result<DraftView, Refusal> {
    let Issuing { first, amount, units } = issuing;
    let policy = issuance.policy.unwrap_or(Policy::Aggregatable);
    let id = match issuance.locked {
        true => colu::AssetId::locked(first.outpoint, policy, issuance.divisibility),
        false => colu::AssetId::unlocked(&first.script, policy, issuance.divisibility),
    };
    let change = own_change(core, write)?;
    let shares = [(units.clone(), amount)];
    let layout = colu::plan::issue(first.outpoint, issuance, &shares, &change, colu::plan::Metadata::default())?;
    let asset = Asset::Colu(id);
    let back = (!issuance.locked).then_some(first.script);
    keep(core, write, layout, back, issues(core, asset, amount, units), asset, terms)
}

fn issue_epobc(core: &mut Core, write: &mut Write<'_>, issuing: Issuing, terms: Terms) -> Result<DraftView, Refusal> {
    let Issuing { first, amount, units } = issuing;
    let layout = epobc::plan::issue(first.outpoint, amount, &units)?;
    let meaning = Meaning::issuing_epobc(amount, units);
    let keeps = Keeps { layout, change: None, meaning, about: About::Itself };
    keep_laid_out(core, write, keeps, terms)
}

fn issues(core: &Core, asset: Asset, amount: u64, script: ScriptBuf) -> Meaning {
    let named = units(asset, amount, core.network_kind());
    Meaning {
        protocol: Some(asset.protocol()),
        units: BTreeMap::from([(script, vec![named.clone()])]),
        issued: vec![named],
        ..Meaning::default()
    }
}

/// Moves units to others and destroys some; what is left of the chosen coins comes back.
pub(crate) fn transfer(
    core: &mut Core,
    write: &mut Write<'_>,
    asset: Asset,
    deliveries: &[Delivery],
    burned: u64,
    terms: Terms,
) -> Result<DraftView, Refusal> {
    let above = || Refusal::new(Code::AboveSupply).with("most", u64::MAX);
    let moved = deliveries.iter().map(|delivery| delivery.quantity);
    let needed = moved.chain([burned]).try_fold(0u64, u64::checked_add).ok_or_else(above)?;
    let chosen = choose(core, write, asset, needed)?;
    let change = own_change(core, write)?;
    let metadata = colu::plan::Metadata::default();
    let layout = match asset {
        Asset::OpenAssets(id) => {
            let coin = |held: &Held| open_assets::plan::Coin {
                outpoint: held.coin.outpoint,
                asset: id,
                quantity: held.holdings.iter().map(|holding| holding.quantity).sum(),
            };
            let coins: Vec<_> = chosen.iter().map(coin).collect();
            let to = |delivery: &Delivery| open_assets::plan::Delivery {
                asset: id,
                quantity: delivery.quantity,
                script: delivery.script.clone(),
            };
            let to: Vec<_> = deliveries.iter().map(to).collect();
            open_assets::plan::transfer(&coins, &to, (burned > 0).then_some((id, burned)), &change, Vec::new())?
        }
        Asset::Colu(id) => {
            let piece = |holding: &causeway_colored::Holding| match holding.asset {
                Asset::Colu(asset) => Some(colu::Piece { asset, policy: asset.policy, amount: holding.quantity }),
                _ => None,
            };
            let coin = |held: &Held| colu::Coin {
                outpoint: held.coin.outpoint,
                pieces: held.holdings.iter().filter_map(piece).collect(),
            };
            let coins: Vec<_> = chosen.iter().map(coin).collect();
            let to =
                |delivery: &Delivery| colu::Delivery { asset: id, amount: delivery.quantity, script: delivery.script.clone() };
            let to: Vec<_> = deliveries.iter().map(to).collect();
            let burns: Vec<_> = (burned > 0).then_some((id, burned)).into_iter().collect();
            colu::plan::transfer(&coins, &to, &burns, &change, metadata)?
        }
        Asset::Epobc(colour) => {
            let coin = |held: &Held| epobc::Coin {
                outpoint: held.coin.outpoint,
                colour,
                units: held.holdings.iter().map(|holding| holding.quantity).sum(),
            };
            let coins: Vec<_> = chosen.iter().map(coin).collect();
            let to = |delivery: &Delivery| epobc::Delivery { units: delivery.quantity, script: delivery.script.clone() };
            let to: Vec<_> = deliveries.iter().map(to).collect();
            epobc::plan::transfer(&coins, &to, &change)?
        }
    };
    let meaning = moves(core, asset, &chosen, deliveries, burned, &change)?;
    // Bitcoin that is left goes back to the issuing script, if it is ours: the next issuance spends it.
    let back = core.issuing_script(core.selected()?, asset);
    keep(core, write, layout, back, meaning, asset, terms)
}

/// Coins of ours that together hold so many units: in blocks before waiting, large before small. A coin of several assets comes as a whole.
fn choose(core: &Core, write: &Write<'_>, asset: Asset, needed: u64) -> Result<Vec<Held>, Refusal> {
    let wallet = core.selected()?;
    let taken: BTreeSet<OutPoint> =
        wallet.excluded(write, NetworkId::Bitcoin)?.iter().filter_map(|text| text.parse().ok()).collect();
    let quantity = |held: &Held| {
        let of_asset = held.holdings.iter().filter(|holding| holding.asset == asset);
        of_asset.fold(0u64, |sum, holding| sum.saturating_add(holding.quantity))
    };
    let mut all: Vec<Held> = core.held(wallet);
    all.retain(|held| held.coin.spendable && !taken.contains(&held.coin.outpoint) && quantity(held) > 0);
    all.sort_by_key(|held| (held.coin.height.is_none(), std::cmp::Reverse(quantity(held)), held.coin.outpoint));
    let available = all.iter().map(quantity).fold(0u64, u64::saturating_add);
    if needed > available || available == 0 {
        let text = core.coloured_label(asset).id;
        let refusal = Refusal::new(Code::InsufficientFunds).with("asset", text);
        return Err(refusal.with("available", available).with("needed", needed));
    }
    let mut sum = 0u64;
    let enough = all.iter().position(|held| {
        sum = sum.saturating_add(quantity(held));
        sum >= needed
    });
    all.truncate(enough.map_or(all.len(), |at| at + 1));
    Ok(all)
}

/// What a transfer is meant to do: everybody gets what was asked, and everything else on the chosen coins comes back.
fn moves(
    core: &Core,
    asset: Asset,
    chosen: &[Held],
    deliveries: &[Delivery],
    burned: u64,
    change: &ScriptBuf,
) -> Result<Meaning, Refusal> {
    let above = || Refusal::new(Code::AboveSupply).with("most", u64::MAX);
    let network = core.network_kind();
    let mut left: BTreeMap<Asset, u64> = BTreeMap::new();
    for holding in chosen.iter().flat_map(|held| &held.holdings) {
        let sum = left.entry(holding.asset).or_default();
        *sum = sum.checked_add(holding.quantity).ok_or_else(above)?;
    }
    let mut by_script: BTreeMap<ScriptBuf, Vec<_>> = BTreeMap::new();
    let of_asset = left.entry(asset).or_default();
    *of_asset = of_asset.checked_sub(burned).ok_or_else(above)?;
    for delivery in deliveries {
        *of_asset = of_asset.checked_sub(delivery.quantity).ok_or_else(above)?;
        by_script.entry(delivery.script.clone()).or_default().push(units(asset, delivery.quantity, network));
    }
    for (asset, quantity) in left.into_iter().filter(|(_, quantity)| *quantity > 0) {
        by_script.entry(change.clone()).or_default().push(units(asset, quantity, network));
    }
    let burned = if burned > 0 { vec![units(asset, burned, network)] } else { Vec::new() };
    Ok(Meaning { protocol: Some(asset.protocol()), units: by_script, burned, ..Meaning::default() })
}

fn keep(
    core: &mut Core,
    write: &mut Write<'_>,
    layout: Layout,
    change: Option<ScriptBuf>,
    meaning: Meaning,
    asset: Asset,
    terms: Terms,
) -> Result<DraftView, Refusal> {
    keep_laid_out(core, write, Keeps { layout, change, meaning, about: About::Asset(asset) }, terms)
}

/// The asset that a transaction is about.
pub(crate) enum About {
    /// This one.
    Asset(Asset),
    /// The one that it issues and names by its own id.
    Itself,
    /// None that coins hold.
    Nothing,
}

/// A laid-out transaction with what it means.
pub(crate) struct Keeps {
    pub(crate) layout: Layout,
    /// Where bitcoin that is left goes; `None`: to an unused change address.
    pub(crate) change: Option<ScriptBuf>,
    pub(crate) meaning: Meaning,
    pub(crate) about: About,
}

/// Pays for a laid-out transaction and keeps it as a draft, if it does what it means.
pub(crate) fn keep_laid_out(core: &mut Core, write: &mut Write<'_>, keeps: Keeps, terms: Terms) -> Result<DraftView, Refusal> {
    core.not_halted(NetworkId::Bitcoin)?;
    let Keeps { layout, change, meaning, about } = keeps;
    let arrangement = Arrangement {
        inputs: layout.inputs,
        outputs: layout.outputs,
        change_at: layout.change_at,
        change,
        first_sequence: layout.first_sequence,
        version: layout.version,
        rate: FeeRate(terms.rate),
        exclude: excluded_bitcoin(core, core.selected()?, write)?,
    };
    let plan = core.selected_mut()?.bitcoin.plan_arranged(&arrangement)?;
    let asset = match about {
        About::Asset(asset) => Some(asset),
        About::Itself => Some(Asset::Epobc(epobc::ColourId(plan.psbt.unsigned_tx.compute_txid()))),
        About::Nothing => None,
    };
    let purpose = Purpose::Coloured { meaning, asset: asset.map(|asset| core.coloured_label(asset).id) };
    keep_bitcoin(core, write, terms.kind, &plan, terms.label, terms.payees, purpose)
}
