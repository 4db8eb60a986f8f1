//! Transactions that the ledger's server composes when it is asked to.

use super::Ledger;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Address, Amount, Network, NetworkKind, OutPoint, ScriptBuf, TxOut, Txid};
use causeway_colored::counterparty::message::{Description, Flags, Number};
use causeway_colored::counterparty::{AssetId, Destination, Encoding, Message, Mpma, plan};
use std::collections::HashMap;

/// Virtual bytes of an input, signature included, and of everything else beside the outputs.
const INPUT: u64 = 68;
const FRAME: u64 = 11;

/// The parameters of a request.
pub(super) struct Asked<'a>(pub(super) &'a HashMap<String, String>);

type Answer<T> = Result<T, String>;

impl Asked<'_> {
    fn text(&self, name: &str) -> Answer<&str> {
        self.0.get(name).map(String::as_str).ok_or_else(|| format!("missing parameter {name}"))
    }

    fn number(&self, name: &str) -> Answer<u64> {
        self.text(name)?.parse().map_err(|_| format!("invalid {name}"))
    }

    fn flag(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value == "true")
    }

    fn asset(&self, name: &str) -> Answer<AssetId> {
        AssetId::parse(self.text(name)?).map_err(|_| format!("invalid {name}"))
    }

    fn destination(&self, name: &str) -> Answer<Destination> {
        destination(self.text(name)?)
    }

    /// The message that is asked for, and what is paid before it.
    fn message(&self, kind: &str) -> Answer<(Message, Vec<(ScriptBuf, Amount)>)> {
        let memo = |name: &str| self.0.get(name).map(|text| text.as_bytes().to_vec()).unwrap_or_default();
        let message = match kind {
            "send" => Message::EnhancedSend {
                asset: self.asset("asset")?,
                quantity: self.number("quantity")?,
                destination: self.destination("destination")?,
                memo: memo("memo"),
                encoding: Encoding::Cbor,
            },
            "issuance" => Message::Issuance {
                asset: self.asset("asset")?,
                quantity: self.number("quantity")?,
                flags: Flags { divisible: self.flag("divisible"), lock: self.flag("lock"), reset: self.flag("reset") },
                description: Description { mime: String::new(), text: Some(memo("description")) },
                encoding: Encoding::Cbor,
            },
            "destroy" => Message::Destroy { asset: self.asset("asset")?, quantity: self.number("quantity")?, tag: memo("tag") },
            "dividend" => Message::Dividend {
                quantity_per_unit: self.number("quantity_per_unit")?,
                asset: self.asset("asset")?,
                dividend_asset: self.asset("dividend_asset")?,
            },
            "sweep" => Message::Sweep {
                destination: self.destination("destination")?,
                flags: u8::try_from(self.number("flags")?).map_err(|_| "invalid flags")?,
                memo: memo("memo"),
                encoding: Encoding::Cbor,
            },
            "order" => Message::Order {
                give: self.asset("give_asset")?,
                give_quantity: self.number("give_quantity")?,
                get: self.asset("get_asset")?,
                get_quantity: self.number("get_quantity")?,
                expiration: u16::try_from(self.number("expiration")?).map_err(|_| "invalid expiration")?,
                fee_required: self.number("fee_required")?,
            },
            "cancel" => Message::Cancel { offer: self.text("offer_hash")?.parse::<Txid>().map_err(|_| "invalid offer_hash")? },
            "dispenser" => Message::Dispenser {
                asset: self.asset("asset")?,
                give_quantity: self.number("give_quantity")?,
                escrow_quantity: self.number("escrow_quantity")?,
                satoshi_rate: self.number("mainchainrate")?,
                status: u8::try_from(self.number("status")?).map_err(|_| "invalid status")?,
                tail: Vec::new(),
            },
            "dispense" => {
                let to = self.destination("dispenser")?.script();
                return Ok((Message::Dispense, vec![(to, Amount::from_sat(self.number("quantity")?))]));
            }
            "mpma" => {
                let list = |name: &str| self.text(name).map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>());
                let (assets, to, quantities) = (list("assets")?, list("destinations")?, list("quantities")?);
                if assets.len() != to.len() || to.len() != quantities.len() {
                    return Err("lists of different lengths".into());
                }
                let mut sends = Vec::new();
                for ((asset, to), quantity) in assets.iter().zip(&to).zip(&quantities) {
                    let asset = AssetId::parse(asset).map_err(|_| "invalid assets")?;
                    sends.push((asset, destination(to)?, quantity.parse().map_err(|_| "invalid quantities")?));
                }
                Message::Mpma(Mpma::new(&sends, NetworkKind::Test).map_err(|fault| fault.to_string())?)
            }
            "broadcast" => Message::Broadcast {
                timestamp: self.number("timestamp")?,
                value: Number::Whole(self.number("value")?),
                fee_fraction: 0,
                mime: String::new(),
                text: memo("text"),
            },
            _ => return Err("unknown message".into()),
        };
        Ok((message, Vec::new()))
    }
}

fn script(address: &str) -> Answer<ScriptBuf> {
    let address: Address<_> = address.parse().map_err(|_| format!("invalid address {address}"))?;
    address.require_network(Network::Regtest).map(|address| address.script_pubkey()).map_err(|e| e.to_string())
}

fn destination(address: &str) -> Answer<Destination> {
    Destination::of(&script(address)?).ok_or_else(|| format!("invalid address {address}"))
}

impl Ledger {
    /// An unsigned transaction of the coins in `inputs_set`, change to the source, hex.
    pub(super) fn compose(&self, source: &str, kind: &str, asked: &Asked<'_>) -> Answer<String> {
        let (message, pays) = asked.message(kind)?;
        let own = script(source)?;
        let mut coins = Vec::new();
        for text in asked.text("inputs_set")?.split(',') {
            let coin: OutPoint = text.parse().map_err(|_| format!("invalid UTXO {text}"))?;
            let output = self.outputs.get(&coin).filter(|output| output.script_pubkey == own);
            coins.push((coin, output.ok_or_else(|| format!("unknown UTXO {text}"))?.value));
        }
        let rate = asked.number("sat_per_vbyte")?;
        let (first, rest) = coins.split_first().ok_or("no UTXO")?;
        let layout = plan::layout(&message, first.0, &pays, None).map_err(|refusal| refusal.to_string())?;
        let held: u64 = coins.iter().map(|(_, value)| value.to_sat()).sum();
        let paid: u64 = layout.outputs.iter().map(|output| output.value.to_sat()).sum();
        let change = TxOut { value: Amount::ZERO, script_pubkey: own.clone() };
        let outputs = layout.outputs.iter().chain([&change]).map(|output| output.size() as u64).sum::<u64>();
        let fee = rate.saturating_mul(FRAME + INPUT * coins.len() as u64 + outputs);
        let left = held.checked_sub(paid).and_then(|left| left.checked_sub(fee));
        let left = left.filter(|left| *left >= own.minimal_non_dust().to_sat()).ok_or("insufficient funds")?;
        let rest: Vec<OutPoint> = rest.iter().map(|(coin, _)| *coin).collect();
        Ok(serialize_hex(&layout.transaction(&rest, Some(TxOut { value: Amount::from_sat(left), script_pubkey: own }))))
    }
}
