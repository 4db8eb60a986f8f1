//! Counterparty: messages are written here, balances are what a server reports.

use crate::coloured::plan::{About, Keeps, Terms, keep_laid_out, own_address};
use crate::drafts::{Purpose, excluded_bitcoin, keep_bitcoin};
use crate::guard::Meaning;
use crate::memory::{Core, stale};
use crate::profile::{Profile, now};
use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, TxOut};
use causeway_bitcoin_wallet::{Coin, FeeRate, KeychainKind, PaymentUri};
use causeway_colored::counterparty::message::{Description, Flags, Number};
use causeway_colored::counterparty::{AssetId, Composed, Destination, Encoding, Intent, Message, plan, verify_composed};
use causeway_colored::{Ancestry, Protocol};
use causeway_contract::{
    AssetLabel, Atoms, DraftKind, DraftView, Empty, Failure, LedgerBalance, LedgerDeed, LedgerPlan, LedgerServer, Tag,
};
use causeway_peers::ledger::{Ledger, Reported};
use causeway_peers::source::Trust;
use causeway_store::Write;
use causeway_vocab::{Code, Known, NetworkId, Refusal};
use rand::RngCore as _;
use std::collections::BTreeSet;

/// Where the server's address is kept.
const SERVER: &str = "ledger-server";
/// Addresses that are asked for at most.
const MOST_ADDRESSES: usize = 200;
/// What a new numeric asset's number is above.
const FIRST_NUMERIC: u64 = 26u64.pow(12) + 1;
/// Virtual bytes that a signature adds to an input, at most.
const SIGNATURE: u64 = 28;
/// Longest note, bytes.
const LONGEST_NOTE: usize = 34;

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

    pub(crate) async fn ledger_plan(&self, request: LedgerPlan) -> Result<DraftView, Failure> {
        let rate = self.rate_or_normal(NetworkId::Bitcoin, request.fee_rate).await;
        let kind = match request.deed {
            LedgerDeed::Issue => DraftKind::Issue,
            LedgerDeed::Destroy => DraftKind::Burn,
            _ => DraftKind::Send,
        };
        let planned = self.change(|core, write| {
            let (message, payee) = self.message(&request)?;
            if let Some(text) = request.composed.as_deref() {
                return composed(core, write, &request, &message, payee, (text, kind, rate));
            }
            let first = source(core, write, &request)?;
            let mut meaning = Meaning { protocol: Some(Protocol::Counterparty), ..Meaning::default() };
            let mut pays = Vec::new();
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
            let terms = Terms { kind, rate, label: String::new(), payees: payee.into_iter().collect() };
            // The address that speaks needs a coin the next time too.
            let back = (request.deed != LedgerDeed::Detach).then(|| first.script.clone());
            keep_laid_out(core, write, Keeps { layout, change: back, meaning, about: About::Nothing }, terms)
        });
        planned.inspect(|_| self.watch_new())
    }

    /// The message, and whom it names.
    fn message(&self, request: &LedgerPlan) -> Result<(Message, Option<String>), Refusal> {
        let text = request.text.trim();
        let note = || match text.len() {
            0..=LONGEST_NOTE => Ok(text.as_bytes().to_vec()),
            _ => Err(bad("text")),
        };
        let named = |name: &str| AssetId::parse(name.trim()).map_err(|_| Refusal::new(Code::UnknownAsset).with("asset", name));
        let amount = || match request.amount.0 {
            0 => Err(Refusal::new(Code::BadAmount).with("precision", 0)),
            amount => Ok(amount),
        };
        let mut payee = None;
        let message = match request.deed {
            LedgerDeed::Issue => Message::Issuance {
                asset: if request.asset.trim().is_empty() { numeric()? } else { named(&request.asset)? },
                quantity: request.amount.0,
                flags: Flags { divisible: request.divisible, lock: request.lock, reset: false },
                description: Description { mime: String::new(), text: Some(text.as_bytes().to_vec()) },
                encoding: Encoding::Cbor,
            },
            LedgerDeed::Send => {
                let to = request.to.as_deref().ok_or(Code::NoRecipients)?;
                let address = PaymentUri::parse(to, &self.realm)?.address;
                payee = Some(address.to_string());
                let destination = Destination::of(&address.script_pubkey()).ok_or(Code::BadAddress)?;
                let (asset, quantity) = (named(&request.asset)?, amount()?);
                Message::EnhancedSend { asset, quantity, destination, memo: note()?, encoding: Encoding::Cbor }
            }
            LedgerDeed::Destroy => Message::Destroy { asset: named(&request.asset)?, quantity: amount()?, tag: note()? },
            LedgerDeed::Dividend => Message::Dividend {
                quantity_per_unit: amount()?,
                asset: named(&request.asset)?,
                dividend_asset: named(request.pays.as_deref().unwrap_or("XCP"))?,
            },
            LedgerDeed::Broadcast => Message::Broadcast {
                timestamp: u64::from(now()),
                value: Number::Whole(0),
                fee_fraction: 0,
                mime: String::new(),
                text: text.as_bytes().to_vec(),
            },
            LedgerDeed::Attach => Message::Attach { asset: named(&request.asset)?.to_string(), quantity: amount()?, vout: None },
            LedgerDeed::Detach => Message::Detach { destination: None },
        };
        message.check().map_err(|_| bad("text"))?;
        Ok((message, payee))
    }
}

/// Takes a transaction that a server composed, if it says this message for the source, spends only free coins of ours and pays nobody else.
fn composed(
    core: &mut Core,
    write: &mut Write<'_>,
    request: &LedgerPlan,
    message: &Message,
    payee: Option<String>,
    (text, kind, rate): (&str, DraftKind, u64),
) -> Result<DraftView, Refusal> {
    core.not_halted(NetworkId::Bitcoin)?;
    // An attachment's output, a detachment's coin and a new number are chosen here.
    if matches!(request.deed, LedgerDeed::Attach | LedgerDeed::Detach) || request.asset.trim().is_empty() {
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
        message,
        source: &source,
        coins: &offered,
        pays: &[],
        change: &ours,
        key: None,
        most_fee: Amount::from_sat(FeeRate(rate).fee(signed).0.saturating_mul(2)),
    };
    verify_composed(&Composed { tx: &tx, spent: &spent }, &intent)?;
    let plan = core.selected_mut()?.bitcoin.plan_composed(tx)?;
    let meaning = Meaning { protocol: Some(Protocol::Counterparty), ..Meaning::default() };
    let purpose = Purpose::Coloured { meaning, asset: None };
    keep_bitcoin(core, write, kind, &plan, String::new(), payee.into_iter().collect(), purpose)
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
