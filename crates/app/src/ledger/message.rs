//! What is said to the ledger: from a request to a message, and to the words in which a server is asked for the same.

use super::{bad, numeric};
use crate::profile::now;
use bitcoin::{Amount, NetworkKind, ScriptBuf};
use causeway_bitcoin_wallet::PaymentUri;
use causeway_colored::counterparty::message::{Description, Flags, Number};
use causeway_colored::counterparty::{AssetId, Destination, Encoding, Message, Mpma};
use causeway_contract::{LedgerDeed, LedgerPlan};
use causeway_vocab::{Code, Realm, Refusal};

/// Longest note, bytes.
const LONGEST_NOTE: usize = 34;
/// Sends in one message at most; data that every node relays hold two, or three of one asset.
const MOST_SENDS: usize = 20;
/// A sweep takes balances, and what the address issues.
const BALANCES: u8 = 1;
const OWNERSHIP: u8 = 2;
/// A dispenser that opens, and one that closes.
const OPEN: u8 = 0;
const CLOSED: u8 = 10;

/// A message, and what its transaction does beside carrying it.
pub(super) struct Said {
    pub(super) message: Message,
    /// Whom the review names.
    pub(super) payees: Vec<String>,
    /// Payments that stand before the data.
    pub(super) pays: Vec<(ScriptBuf, Amount)>,
}

fn named(name: &str) -> Result<AssetId, Refusal> {
    AssetId::parse(name.trim()).map_err(|_| Refusal::new(Code::UnknownAsset).with("asset", name))
}

fn positive(amount: u64) -> Result<u64, Refusal> {
    match amount {
        0 => Err(Refusal::new(Code::BadAmount).with("precision", 0)),
        amount => Ok(amount),
    }
}

fn note(text: &str) -> Result<Vec<u8>, Refusal> {
    match text.len() {
        0..=LONGEST_NOTE => Ok(text.as_bytes().to_vec()),
        _ => Err(bad("text")),
    }
}

/// Somebody's address, and what messages call it.
fn payee(text: Option<&str>, realm: &Realm) -> Result<(bitcoin::Address, Destination), Refusal> {
    let address = PaymentUri::parse(text.ok_or(Code::NoRecipients)?, realm)?.address;
    let destination = Destination::of(&address.script_pubkey()).ok_or(Code::BadAddress)?;
    Ok((address, destination))
}

/// The message of a request. Refused with `BadRequest` (`field`), `UnknownAsset`, `BadAmount`, `NoRecipients` and what addresses are refused with.
pub(super) fn of(request: &LedgerPlan, realm: &Realm) -> Result<Said, Refusal> {
    let text = request.text.trim();
    let amount = || positive(request.amount.0);
    let price = || positive(request.price.map_or(0, |price| price.0));
    let (mut payees, mut pays) = (Vec::new(), Vec::new());
    let message = match request.deed {
        LedgerDeed::Issue => Message::Issuance {
            asset: if request.asset.trim().is_empty() { numeric()? } else { named(&request.asset)? },
            quantity: request.amount.0,
            flags: Flags { divisible: request.divisible, lock: request.lock, reset: false },
            description: Description { mime: String::new(), text: Some(text.as_bytes().to_vec()) },
            encoding: Encoding::Cbor,
        },
        LedgerDeed::Send => {
            let (address, destination) = payee(request.to.as_deref(), realm)?;
            payees.push(address.to_string());
            let (asset, quantity) = (named(&request.asset)?, amount()?);
            Message::EnhancedSend { asset, quantity, destination, memo: note(text)?, encoding: Encoding::Cbor }
        }
        LedgerDeed::SendMany => {
            let shares = request.sends.as_deref().filter(|sends| !sends.is_empty()).ok_or(Code::NoRecipients)?;
            if shares.len() > MOST_SENDS {
                return Err(bad("sends"));
            }
            let mut sends = Vec::new();
            for share in shares {
                let (address, destination) = payee(Some(&share.to), realm)?;
                payees.push(address.to_string());
                sends.push((named(&share.asset)?, destination, positive(share.amount.0)?));
            }
            let kind = NetworkKind::from(realm.bitcoin.network);
            // The packed form of addresses has no room for a longer one.
            Message::Mpma(Mpma::new(&sends, kind).map_err(|_| bad("sends"))?)
        }
        LedgerDeed::Sweep => {
            let (address, destination) = payee(request.to.as_deref(), realm)?;
            payees.push(address.to_string());
            let flags = if request.ownership.unwrap_or(false) { BALANCES | OWNERSHIP } else { BALANCES };
            Message::Sweep { destination, flags, memo: note(text)?, encoding: Encoding::Cbor }
        }
        LedgerDeed::Order => Message::Order {
            give: named(&request.asset)?,
            give_quantity: amount()?,
            get: named(request.pays.as_deref().unwrap_or_default())?,
            get_quantity: price()?,
            expiration: request.blocks.unwrap_or(0),
            fee_required: 0,
        },
        LedgerDeed::Cancel => {
            let offer = request.offer.as_deref().unwrap_or_default().trim().parse().map_err(|_| bad("offer"))?;
            Message::Cancel { offer }
        }
        LedgerDeed::Dispenser => {
            let (portion, escrow) = (amount()?, request.escrow.map_or(0, |escrow| escrow.0));
            if escrow < portion {
                return Err(bad("escrow"));
            }
            dispenser(named(&request.asset)?, [portion, escrow, price()?], OPEN)
        }
        LedgerDeed::CloseDispenser => dispenser(named(&request.asset)?, [0; 3], CLOSED),
        LedgerDeed::Buy => {
            let (address, _) = payee(request.to.as_deref(), realm)?;
            let sat = Amount::from_sat(price()?);
            let least = address.script_pubkey().minimal_non_dust();
            if sat < least {
                return Err(Refusal::new(Code::Dust).with("limit", least.to_sat()));
            }
            payees.push(address.to_string());
            pays.push((address.script_pubkey(), sat));
            Message::Dispense
        }
        LedgerDeed::Destroy => Message::Destroy { asset: named(&request.asset)?, quantity: amount()?, tag: note(text)? },
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
    Ok(Said { message, payees, pays })
}

fn dispenser(asset: AssetId, [give_quantity, escrow_quantity, satoshi_rate]: [u64; 3], status: u8) -> Message {
    Message::Dispenser { asset, give_quantity, escrow_quantity, satoshi_rate, status, tail: Vec::new() }
}

/// The name that servers give a message, and the parameters that ask for it. `None` for what is only written here.
///
/// Source: the compose routes of counterparty-core 11.2.
pub(super) fn asked(said: &Said, request: &LedgerPlan) -> Option<(&'static str, Vec<(&'static str, String)>)> {
    let whole = |value: &u64| value.to_string();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let to = || said.payees.first().cloned().unwrap_or_default();
    Some(match &said.message {
        Message::EnhancedSend { asset, quantity, memo, .. } => {
            let mut asked = vec![("asset", asset.to_string()), ("quantity", whole(quantity)), ("destination", to())];
            asked.extend((!memo.is_empty()).then(|| ("memo", text(memo))));
            ("send", asked)
        }
        Message::Issuance { asset, quantity, flags, description, .. } => {
            let description = description.text.as_deref().map(text).unwrap_or_default();
            let asked = vec![
                ("asset", asset.to_string()),
                ("quantity", whole(quantity)),
                ("divisible", flags.divisible.to_string()),
                ("lock", flags.lock.to_string()),
                ("reset", flags.reset.to_string()),
                ("description", description),
            ];
            ("issuance", asked)
        }
        Message::Destroy { asset, quantity, tag } => {
            ("destroy", vec![("asset", asset.to_string()), ("quantity", whole(quantity)), ("tag", text(tag))])
        }
        Message::Dividend { quantity_per_unit, asset, dividend_asset } => {
            let asked = [("asset", asset.to_string()), ("dividend_asset", dividend_asset.to_string())];
            ("dividend", [&[("quantity_per_unit", whole(quantity_per_unit))], &asked[..]].concat())
        }
        Message::Sweep { flags, memo, .. } => {
            let mut asked = vec![("destination", to()), ("flags", flags.to_string())];
            asked.extend((!memo.is_empty()).then(|| ("memo", text(memo))));
            ("sweep", asked)
        }
        Message::Order { give, give_quantity, get, get_quantity, expiration, fee_required } => {
            let asked = vec![
                ("give_asset", give.to_string()),
                ("give_quantity", whole(give_quantity)),
                ("get_asset", get.to_string()),
                ("get_quantity", whole(get_quantity)),
                ("expiration", expiration.to_string()),
                ("fee_required", whole(fee_required)),
            ];
            ("order", asked)
        }
        Message::Cancel { offer } => ("cancel", vec![("offer_hash", offer.to_string())]),
        Message::Dispenser { asset, give_quantity, escrow_quantity, satoshi_rate, status, .. } => {
            let asked = vec![
                ("asset", asset.to_string()),
                ("give_quantity", whole(give_quantity)),
                ("escrow_quantity", whole(escrow_quantity)),
                ("mainchainrate", whole(satoshi_rate)),
                ("status", status.to_string()),
            ];
            ("dispenser", asked)
        }
        Message::Dispense => {
            let sat = said.pays.first().map_or(0, |(_, sat)| sat.to_sat());
            ("dispense", vec![("dispenser", to()), ("quantity", whole(&sat))])
        }
        Message::Mpma(_) => {
            let sends = request.sends.as_deref()?;
            let list = |part: &dyn Fn(usize) -> String| (0..sends.len()).map(part).collect::<Vec<_>>().join(",");
            let asked = vec![
                ("assets", list(&|n| sends[n].asset.trim().to_owned())),
                ("destinations", list(&|n| said.payees[n].clone())),
                ("quantities", list(&|n| sends[n].amount.0.to_string())),
            ];
            ("mpma", asked)
        }
        Message::Broadcast { timestamp, text: said, .. } => (
            "broadcast",
            vec![("timestamp", whole(timestamp)), ("value", "0".into()), ("fee_fraction", "0".into()), ("text", text(said))],
        ),
        _ => return None,
    })
}
