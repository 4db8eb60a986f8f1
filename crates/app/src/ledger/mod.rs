//! Counterparty: messages are written here, what came of them is what a server reports.

mod message;

use crate::coloured::plan::{About, Keeps, Terms, keep_laid_out, own_address};
use crate::drafts::{Purpose, excluded_bitcoin, keep_bitcoin};
use crate::guard::Meaning;
use crate::memory::{Core, stale};
use crate::profile::Profile;
use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, TxOut};
use causeway_bitcoin_wallet::{Coin, FeeRate, KeychainKind, PaymentUri};
use causeway_colored::counterparty::{AssetId, Composed, Intent, plan, verify_composed};
use causeway_colored::{Ancestry, Protocol};
use causeway_contract::{
    AssetLabel, Atoms, DraftKind, DraftView, Empty, Failure, LedgerBalance, LedgerDeed, LedgerEvent, LedgerOffer, LedgerPlan,
    LedgerServer, Tag,
};
use causeway_peers::ledger::{Ledger, Offered, Reported, Side};
use causeway_peers::source::Trust;
use causeway_store::Write;
use causeway_vocab::{Code, Known, NetworkId, Refusal};
use message::Said;
use rand::RngCore as _;
use std::collections::BTreeSet;

/// Where the server's address is kept.
const SERVER: &str = "ledger-server";
/// Addresses that are asked for at most.
const MOST_ADDRESSES: usize = 200;
/// Coins that a server is offered at most.
const MOST_COINS: usize = 20;
/// What a new numeric asset's number is above.
const FIRST_NUMERIC: u64 = 26u64.pow(12) + 1;
/// Virtual bytes that a signature adds to an input, at most.
const SIGNATURE: u64 = 28;

fn bad(field: &str) -> Refusal {
    Refusal::new(Code::BadRequest).with("field", field)
}

impl Profile {
    pub(crate) async fn ledger_server(&self, request: LedgerServer) -> Result<Empty, Failure> {
        if !request.server.trim().is_empty() {
            Ledger::new(&request.server, &Trust::public())?;
        }
        self.change(|_, write| {
            write.set_meta(SERVER, request.server.trim())?;
            Ok(Empty {})
        })
    }

    /// The chosen server, or that of the realm's testbed. Refused with `NotOffered`.
    fn ledger(&self) -> Result<Ledger, Refusal> {
        let chosen = self.read(|_, reader| reader.meta(SERVER))?.filter(|server| !server.is_empty());
        let offered = || self.realm.testbed.as_ref().map(|testbed| format!("http://{}", testbed.control));
        let base = chosen.or_else(offered).ok_or_else(|| Refusal::new(Code::NotOffered).with("what", "ledger"))?;
        Ledger::new(&base, &Trust::public())
    }

    /// Asks for every address that was shown or paid: the ledger sends without paying. Coins that units are bound to are guarded from then on.
    pub(crate) async fn ledger_balances(&self, _: Empty) -> Result<Vec<LedgerBalance>, Failure> {
        let ledger = self.ledger()?;
        let addresses: Vec<String> = {
            let core = self.core();
            let addresses = core.selected()?.bitcoin.addresses().into_iter();
            let shown = addresses.filter(|entry| entry.used || entry.keychain == KeychainKind::External);
            shown.map(|entry| entry.address.to_string()).take(MOST_ADDRESSES).collect()
        };
        let mut reported: Vec<(String, Reported)> = Vec::new();
        for address in addresses {
            let rows = ledger.balances(&address).await?;
            reported.extend(rows.into_iter().map(|row| (address.clone(), row)));
        }
        let bound: Vec<OutPoint> = reported.iter().filter_map(|(_, row)| row.coin).collect();
        if !bound.is_empty() {
            self.change(|core, write| {
                core.guard.report(write, &bound)?;
                stale(write, &[Tag::Coins, Tag::Balances]);
                Ok(())
            })?;
        }
        let view = |(address, row): (String, Reported)| LedgerBalance {
            asset: label(&row.asset, row.longname, row.divisible.unwrap_or(false)),
            address,
            coin: row.coin.map(|coin| coin.to_string()),
            amount: Atoms(row.quantity),
            known: Known::Reported,
        };
        Ok(reported.into_iter().map(view).collect())
    }

    /// Addresses that money has come to: only they can have spoken.
    fn speakers(&self) -> Result<Vec<String>, Refusal> {
        let core = self.core();
        let addresses = core.selected()?.bitcoin.addresses().into_iter().filter(|entry| entry.used);
        Ok(addresses.map(|entry| entry.address.to_string()).take(MOST_ADDRESSES).collect())
    }

    /// What became of this wallet's messages, newest first, as far as the server knows them.
    pub(crate) async fn ledger_history(&self, _: Empty) -> Result<Vec<LedgerEvent>, Failure> {
        let ledger = self.ledger()?;
        let mut events = Vec::new();
        for address in self.speakers()? {
            events.extend(ledger.transactions(&address).await?);
        }
        events.sort_by_key(|event| std::cmp::Reverse(event.height.unwrap_or(u32::MAX)));
        let view = |said: causeway_peers::ledger::Said| LedgerEvent {
            txid: said.txid.to_string(),
            height: said.height,
            source: said.source,
            kind: said.kind,
            valid: said.valid,
            known: Known::Reported,
        };
        Ok(events.into_iter().map(view).collect())
    }

    /// Orders and dispensers of this wallet, those that stand first.
    pub(crate) async fn ledger_offers(&self, _: Empty) -> Result<Vec<LedgerOffer>, Failure> {
        let ledger = self.ledger()?;
        let mut offers = Vec::new();
        for address in self.speakers()? {
            offers.extend(ledger.offers(&address).await?);
        }
        offers.sort_by_key(|offer| !offer.open);
        let side = |side: &Side| label(&side.asset, None, side.divisible.unwrap_or(false));
        let view = |offer: Offered| LedgerOffer {
            txid: offer.txid.to_string(),
            dispenser: offer.portion.is_some(),
            gives: side(&offer.gives),
            left: Atoms(offer.gives.quantity),
            portion: offer.portion.map(Atoms),
            gets: side(&offer.gets),
            price: Atoms(offer.gets.quantity),
            open: offer.open,
            source: offer.source,
            known: Known::Reported,
        };
        Ok(offers.into_iter().map(view).collect())
    }

    pub(crate) async fn ledger_plan(&self, request: LedgerPlan) -> Result<DraftView, Failure> {
        let rate = self.rate_or_normal(NetworkId::Bitcoin, request.fee_rate).await;
        let kind = match request.deed {
            LedgerDeed::Issue => DraftKind::Issue,
            LedgerDeed::Destroy => DraftKind::Burn,
            _ => DraftKind::Send,
        };
        let said = message::of(&request, &self.realm)?;
        let composed_elsewhere = match (request.composed.clone(), request.ask) {
            (Some(hex), _) => Some(hex),
            (None, Some(true)) => Some(self.ask_to_compose(&request, &said, rate).await?),
            (None, _) => None,
        };
        let planned = self.change(|core, write| {
            if let Some(text) = composed_elsewhere.as_deref() {
                return composed(core, write, &request, said, (text, kind, rate));
            }
            let Said { message, payees, mut pays } = said;
            let first = source(core, write, &request)?;
            let mut meaning = Meaning { protocol: Some(Protocol::Counterparty), ..Meaning::default() };
            match request.deed {
                // The output that units are bound to: of our own, at an address of its own.
                LedgerDeed::Attach => {
                    let script = own_address(core, write)?;
                    let value = Amount::from_sat(script.minimal_non_dust().to_sat().max(546));
                    pays.push((script, value));
                }
                LedgerDeed::Detach => meaning.detaches = true,
                _ => {}
            }
            let layout = plan::layout(&message, first.outpoint, &pays, None)?;
            let terms = Terms { kind, rate, label: String::new(), payees };
            // The address that speaks needs a coin the next time too.
            let back = (request.deed != LedgerDeed::Detach).then(|| first.script.clone());
            keep_laid_out(core, write, Keeps { layout, change: back, meaning, about: About::Nothing }, terms)
        });
        planned.inspect(|_| self.watch_new())
    }

    /// Has the server compose what `said` says, of free coins of the source alone. What it answers is believed in nothing.
    async fn ask_to_compose(&self, request: &LedgerPlan, said: &Said, rate: u64) -> Result<String, Refusal> {
        let (kind, mut parameters) = message::asked(said, request).ok_or_else(|| bad("ask"))?;
        let (address, coins) = self.read(|core, reader| {
            let wallet = core.selected()?;
            let address = PaymentUri::parse(request.source.as_deref().ok_or_else(|| bad("source"))?, &core.realm)?.address;
            let exclude = excluded_bitcoin(core, wallet, reader)?;
            let script = address.script_pubkey();
            let free = |coin: &Coin| coin.spendable && coin.script == script && !exclude.contains(&coin.outpoint);
            let coins: Vec<String> =
                wallet.bitcoin.coins().into_iter().filter(free).map(|coin| coin.outpoint.to_string()).take(MOST_COINS).collect();
            Ok((address.to_string(), coins))
        })?;
        if coins.is_empty() {
            return Err(Refusal::new(Code::NoIssuingCoin).with("address", address));
        }
        parameters.extend([
            ("inputs_set", coins.join(",")),
            ("sat_per_vbyte", rate.div_ceil(1_000).max(1).to_string()),
            ("encoding", "opreturn".into()),
            ("change_address", address.clone()),
            ("disable_utxo_locks", "true".into()),
        ]);
        self.ledger()?.compose(&address, kind, &parameters).await
    }
}

/// Takes a transaction that a server composed, if it says this message for the source, spends only free coins of ours and pays nobody else.
fn composed(
    core: &mut Core,
    write: &mut Write<'_>,
    request: &LedgerPlan,
    said: Said,
    (text, kind, rate): (&str, DraftKind, u64),
) -> Result<DraftView, Refusal> {
    core.not_halted(NetworkId::Bitcoin)?;
    // An attachment's output, a detachment's coin and a new number are chosen here; an asked server was told the number.
    let new = request.asset.trim().is_empty() && request.deed == LedgerDeed::Issue && request.composed.is_some();
    if matches!(request.deed, LedgerDeed::Attach | LedgerDeed::Detach) || new {
        return Err(bad("composed"));
    }
    let tx: Transaction = deserialize_hex(text.trim()).map_err(|_| Refusal::new(Code::BadDraft))?;
    let source = PaymentUri::parse(request.source.as_deref().ok_or_else(|| bad("source"))?, &core.realm)?.address.script_pubkey();
    let exclude = excluded_bitcoin(core, core.selected()?, write)?;
    let wallet = core.selected()?;
    let coins: Vec<Coin> = wallet.bitcoin.coins().into_iter().filter(|coin| !exclude.contains(&coin.outpoint)).collect();
    let mut spent = Vec::new();
    for input in &tx.input {
        let coin = coins.iter().find(|coin| coin.outpoint == input.previous_output);
        let coin = coin.ok_or_else(|| Refusal::new(Code::CoinUnavailable).with("outpoint", input.previous_output))?;
        spent.push(TxOut { value: Amount::from_sat(coin.amount.0), script_pubkey: coin.script.clone() });
    }
    let offered: Vec<OutPoint> = coins.iter().map(|coin| coin.outpoint).collect();
    let ours: Vec<ScriptBuf> = wallet.bitcoin.addresses().into_iter().map(|entry| entry.script).collect();
    let signed = (tx.vsize() as u64).saturating_add(SIGNATURE.saturating_mul(tx.input.len() as u64));
    let intent = Intent {
        message: &said.message,
        source: &source,
        coins: &offered,
        pays: &said.pays,
        change: &ours,
        key: None,
        most_fee: Amount::from_sat(FeeRate(rate).fee(signed).0.saturating_mul(2)),
    };
    verify_composed(&Composed { tx: &tx, spent: &spent }, &intent)?;
    let plan = core.selected_mut()?.bitcoin.plan_composed(tx)?;
    let meaning = Meaning { protocol: Some(Protocol::Counterparty), ..Meaning::default() };
    let purpose = Purpose::Coloured { meaning, asset: None };
    keep_bitcoin(core, write, kind, &plan, String::new(), said.payees, purpose)
}

/// A number that nobody is likely to have taken.
fn numeric() -> Result<AssetId, Refusal> {
    let number = FIRST_NUMERIC.saturating_add(rand::thread_rng().next_u64() >> 1);
    AssetId::new(number).map_err(|_| bad("asset"))
}

fn label(asset: &str, longname: Option<String>, divisible: bool) -> AssetLabel {
    AssetLabel {
        id: format!("counterparty:{asset}"),
        ticker: asset.chars().take(12).collect(),
        name: longname.unwrap_or_default(),
        precision: if divisible { 8 } else { 0 },
        named: false,
    }
}

/// The coin that speaks: input 0, whose address the ledger takes for the speaker. Refused with `NoIssuingCoin` when the address holds none.
fn source(core: &Core, write: &Write<'_>, request: &LedgerPlan) -> Result<Coin, Refusal> {
    let wallet = core.selected()?;
    let coins = wallet.bitcoin.coins();
    if request.deed == LedgerDeed::Detach {
        let text = request.coin.as_deref().ok_or_else(|| bad("coin"))?;
        let unavailable = || Refusal::new(Code::CoinUnavailable).with("outpoint", text);
        let outpoint: OutPoint = text.parse().map_err(|_| unavailable())?;
        let held: BTreeSet<String> = wallet.excluded(write, NetworkId::Bitcoin)?;
        // Only such a coin may be spent for this, not one that holds colours.
        let bound = core.is_bound(&mut Ancestry::new(core.past()), outpoint);
        let coin = coins.into_iter().find(|coin| coin.outpoint == outpoint && coin.spendable);
        return coin.filter(|_| bound && !held.contains(text)).ok_or_else(unavailable);
    }
    let script: Option<ScriptBuf> = match request.source.as_deref() {
        Some(address) => Some(PaymentUri::parse(address, &core.realm)?.address.script_pubkey()),
        None if request.deed == LedgerDeed::Issue => None,
        None => return Err(bad("source")),
    };
    let exclude = excluded_bitcoin(core, wallet, write)?;
    let free = |coin: &Coin| {
        coin.spendable && !exclude.contains(&coin.outpoint) && script.as_ref().is_none_or(|script| coin.script == *script)
    };
    let address = request.source.clone().unwrap_or_default();
    coins.into_iter().find(free).ok_or_else(|| Refusal::new(Code::NoIssuingCoin).with("address", address))
}
