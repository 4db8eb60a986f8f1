//! BOLT 12 offers.

use super::{bad, expired, wrong_network};
use bitcoin::Network;
use bitcoin::secp256k1::PublicKey;
use causeway_vocab::{Code, Refusal};
use lightning::bitcoin::constants::ChainHash;
use lightning::offers::offer::{Amount, Offer as Bolt12Offer};
use lightning::offers::parse::{Bolt12ParseError, Bolt12SemanticError};
use serde::{Deserialize, Serialize};

/// What an offer asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Price {
    /// At least so much for each item, millisatoshi.
    Bitcoin(u64),
    /// So much of another currency for each item: ISO 4217 code and smallest units. The invoice will say how much bitcoin that is.
    Currency(String, u64),
}

/// An offer that can be taken now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The offer in one piece, lower case.
    pub text: String,
    /// What is asked; `None` leaves it to the payer.
    pub price: Option<Price>,
    /// What it is for, in the issuer's words: show it, do not believe it.
    pub description: Option<String>,
    /// Who makes it, in their own words.
    pub issuer: Option<String>,
    /// Key that must sign the invoice; `None` when a blinded path says it.
    pub signer: Option<PublicKey>,
    /// Whether the number of items must be said.
    pub asks_quantity: bool,
    /// When it ends, Unix seconds.
    pub expires_at: Option<u64>,
}

impl Offer {
    /// The least that an invoice for `quantity` items may ask, and what to ask it for, millisatoshi, when the payer chose `chosen`.
    ///
    /// Refused with `AmountNeeded` when nobody named an amount in bitcoin, and with `BadAmount` for less than asked. An invoice that then asks
    /// for another amount must not be paid.
    pub fn to_ask(&self, quantity: u64, chosen: Option<u64>) -> Result<u64, Refusal> {
        let wrong = || Refusal::new(Code::BadAmount).with("precision", 11);
        match (&self.price, chosen) {
            (Some(Price::Bitcoin(each)), chosen) => {
                let asked = each.checked_mul(quantity.max(1)).ok_or_else(wrong)?;
                let amount = chosen.unwrap_or(asked);
                if amount >= asked { Ok(amount) } else { Err(wrong()) }
            }
            (_, Some(0)) => Err(wrong()),
            (_, Some(chosen)) => Ok(chosen),
            (_, None) => Err(Code::AmountNeeded.into()),
        }
    }
}

pub(super) fn read(text: &str, network: Network, now: u64) -> Result<Offer, Refusal> {
    let offer: Bolt12Offer = text.parse().map_err(|fault| match fault {
        Bolt12ParseError::InvalidSemantics(Bolt12SemanticError::UnknownRequiredFeatures) => bad("features"),
        _ => bad("damaged"),
    })?;
    // The library lets a superfluous character pass; a second spelling of an offer would be a second offer to whoever compares texts.
    let spelled: String = text.chars().filter(|c| *c != '+' && !c.is_whitespace()).collect();
    if offer.to_string() != spelled.to_ascii_lowercase() {
        return Err(bad("damaged"));
    }
    if !offer.supports_chain(ChainHash::using_genesis_block_const(network)) {
        let chains = offer.chains();
        if chains.is_empty() {
            return Err(bad("damaged"));
        }
        let known = [Network::Bitcoin, Network::Testnet, Network::Testnet4, Network::Signet, Network::Regtest];
        let found = known.into_iter().find(|known| chains.contains(&ChainHash::using_genesis_block_const(*known)));
        return Err(found.map_or_else(
            || Refusal::new(Code::WrongNetwork).with("found", "unknown").with("wanted", network),
            |found| wrong_network(found, network),
        ));
    }
    if offer.offer_features().requires_unknown_bits() {
        return Err(bad("features"));
    }
    let expires_at = offer.absolute_expiry().map(|at| at.as_secs());
    if expires_at.is_some_and(|at| now >= at) {
        return Err(expired("offer"));
    }
    Ok(Offer {
        text: offer.to_string(),
        price: offer.amount().map(|amount| match amount {
            Amount::Bitcoin { amount_msats } => Price::Bitcoin(amount_msats),
            Amount::Currency { iso4217_code, amount } => Price::Currency(iso4217_code.as_str().to_owned(), amount),
        }),
        description: offer.description().map(|text| text.to_string()),
        issuer: offer.issuer().map(|text| text.to_string()),
        signer: offer.issuer_signing_pubkey(),
        asks_quantity: offer.expects_quantity(),
        expires_at,
    })
}
