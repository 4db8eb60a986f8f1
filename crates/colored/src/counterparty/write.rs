//! Messages into bytes.

use super::cbor::Item;
use super::message::{Description, Encoding, Flags, Message, Number};
use super::{AssetId, MOST, MessageFault, asset};
use bitcoin::hashes::Hash as _;

/// Bytes of a memo or tag.
pub(super) const LONGEST_MEMO: usize = 34;
/// A description that leaves the old one, in the packed encoding.
pub(super) const UNCHANGED: &[u8] = b"\xc0NULL";

impl Message {
    /// The type and body, without prefix and cipher.
    pub fn write(&self) -> Result<Vec<u8>, MessageFault> {
        let mut out = match self.type_id() {
            0 => vec![0; 4],
            id => vec![id],
        };
        self.write_body(&mut out)?;
        Ok(out)
    }

    fn write_body(&self, out: &mut Vec<u8>) -> Result<(), MessageFault> {
        match self {
            Message::Send { asset, quantity } => {
                numbers(out, &[asset.number(), whole(*quantity)?]);
            }
            Message::EnhancedSend { asset, quantity, destination, memo, encoding } => {
                short(memo)?;
                match encoding {
                    Encoding::Cbor => list(
                        out,
                        [asset_item(asset), whole_item(*quantity)?, Item::Bytes(destination.write()), Item::Bytes(memo.clone())],
                    ),
                    Encoding::Packed(network) => {
                        numbers(out, &[asset.number(), whole(*quantity)?]);
                        out.extend_from_slice(&destination.write_legacy(*network)?);
                        out.extend_from_slice(memo);
                    }
                }
            }
            Message::Mpma(sends) => out.extend(sends.write()?),
            Message::Sweep { destination, flags, memo, encoding } => {
                short(memo)?;
                match encoding {
                    Encoding::Cbor => {
                        let flags = Item::Whole(u64::from(*flags));
                        list(out, [Item::Bytes(destination.write()), flags, Item::Bytes(memo.clone())]);
                    }
                    Encoding::Packed(network) => {
                        out.extend_from_slice(&destination.write_legacy(*network)?);
                        out.push(*flags);
                        out.extend_from_slice(memo);
                    }
                }
            }
            Message::Order { give, give_quantity, get, get_quantity, expiration, fee_required } => {
                numbers(out, &[give.number(), whole(*give_quantity)?, get.number(), whole(*get_quantity)?]);
                out.extend_from_slice(&expiration.to_be_bytes());
                numbers(out, &[*fee_required]);
            }
            Message::Dispenser { asset, give_quantity, escrow_quantity, satoshi_rate, status, tail } => {
                numbers(out, &[asset.number(), whole(*give_quantity)?, whole(*escrow_quantity)?, whole(*satoshi_rate)?]);
                out.push(*status);
                out.extend_from_slice(tail);
            }
            Message::Dispense => out.push(0),
            Message::Issuance { asset, quantity, flags, description, encoding } => match encoding {
                Encoding::Cbor => {
                    let Flags { divisible, lock, reset } = *flags;
                    let [mime, text] = description_items(description);
                    let flags = [divisible, lock, reset].map(Item::Bool);
                    list(out, [asset_item(asset), whole_item(*quantity)?].into_iter().chain(flags).chain([mime, text]));
                }
                Encoding::Packed(_) => {
                    numbers(out, &[asset.number(), whole(*quantity)?]);
                    packed_flags(out, *flags);
                    packed_description(out, description)?;
                }
            },
            Message::SubassetIssuance { asset, quantity, flags, longname, description, encoding } => {
                let compacted = asset::compact(longname)?;
                let length = u8::try_from(compacted.len()).map_err(|_| MessageFault::TooLong)?;
                match encoding {
                    Encoding::Cbor => {
                        let [mime, text] = description_items(description);
                        let flags = [flags.divisible, flags.lock, flags.reset].map(|flag| Item::Whole(u64::from(flag)));
                        let name = [Item::Whole(u64::from(length)), Item::Bytes(compacted)];
                        let head = [asset_item(asset), whole_item(*quantity)?];
                        list(out, head.into_iter().chain(flags).chain(name).chain([mime, text]));
                    }
                    Encoding::Packed(_) => {
                        numbers(out, &[asset.number(), whole(*quantity)?]);
                        packed_flags(out, *flags);
                        out.push(length);
                        out.extend_from_slice(&compacted);
                        packed_description(out, description)?;
                    }
                }
            }
            Message::Broadcast { timestamp, value, fee_fraction, mime, text } => {
                let value = match value {
                    Number::Whole(value) => Item::Whole(*value),
                    Number::Negative(value) => Item::Negative(*value),
                    Number::Double(bits) => Item::Double(*bits),
                };
                let (mime, text) = (Item::Text(mime.clone()), Item::Bytes(text.clone()));
                list(out, [Item::Whole(*timestamp), value, Item::Whole(*fee_fraction), mime, text]);
            }
            Message::Dividend { quantity_per_unit, asset, dividend_asset } => {
                numbers(out, &[whole(*quantity_per_unit)?, asset.number(), dividend_asset.number()]);
            }
            Message::Cancel { offer } => {
                let mut shown = offer.to_byte_array();
                shown.reverse();
                out.extend_from_slice(&shown);
            }
            Message::Fairminter(minter) => {
                let [mime, text] = description_items(&minter.description);
                let flags = [minter.burn_payment, minter.lock_description, minter.lock_quantity, minter.divisible];
                let items = [asset_item(&minter.asset), Item::Whole(minter.parent)].into_iter();
                let items = items.chain(minter.terms.map(Item::Whole)).chain(flags.map(Item::Bool));
                list(out, items.chain([mime, text]));
            }
            Message::Fairmint { asset, quantity } => list(out, [asset_item(asset), whole_item(*quantity)?]),
            Message::Attach { asset, quantity, vout } => {
                if !is_name(asset) {
                    return Err(MessageFault::Asset);
                }
                let vout = vout.map(|vout| vout.to_string()).unwrap_or_default();
                out.extend_from_slice(format!("{asset}|{}|{vout}", whole(*quantity)?).as_bytes());
            }
            Message::Detach { destination: None } => out.push(b'0'),
            Message::Detach { destination: Some(address) } => {
                if !is_address(address) {
                    return Err(MessageFault::Address);
                }
                out.extend_from_slice(address.as_bytes());
            }
            Message::Destroy { asset, quantity, tag } => {
                short(tag)?;
                numbers(out, &[asset.number(), whole(*quantity)?]);
                out.extend_from_slice(tag);
            }
            Message::PoolDeposit { assets: [a, b], quantities: [of_a, of_b], least_shares, shares } => {
                numbers(out, &[a.number(), b.number(), whole(*of_a)?, whole(*of_b)?, whole(*least_shares)?, *shares]);
            }
            Message::PoolWithdraw { assets: [a, b], quantity, least: [of_a, of_b] } => {
                numbers(out, &[a.number(), b.number(), whole(*quantity)?, whole(*of_a)?, whole(*of_b)?]);
            }
        }
        Ok(())
    }
}

/// The name of an asset in an attachment: of an asset or a subasset.
pub(super) fn is_name(name: &str) -> bool {
    AssetId::parse(name).is_ok() || asset::check_longname(name).is_ok()
}

/// Text that could be an address; which network it is of is for others to say.
pub(super) fn is_address(text: &str) -> bool {
    text.parse::<bitcoin::Address<bitcoin::address::NetworkUnchecked>>().is_ok()
}

pub(super) fn whole(quantity: u64) -> Result<u64, MessageFault> {
    if quantity > MOST { Err(MessageFault::Quantity) } else { Ok(quantity) }
}

fn whole_item(quantity: u64) -> Result<Item, MessageFault> {
    whole(quantity).map(Item::Whole)
}

fn asset_item(asset: &AssetId) -> Item {
    Item::Whole(asset.number())
}

fn description_items(description: &Description) -> [Item; 2] {
    [Item::Text(description.mime.clone()), description.text.clone().map_or(Item::Null, Item::Bytes)]
}

fn packed_flags(out: &mut Vec<u8>, flags: Flags) {
    out.extend([flags.divisible, flags.lock, flags.reset].map(u8::from));
}

fn packed_description(out: &mut Vec<u8>, description: &Description) -> Result<(), MessageFault> {
    match &description.text {
        _ if !description.mime.is_empty() => return Err(MessageFault::Malformed),
        Some(text) if text == UNCHANGED => return Err(MessageFault::Malformed),
        Some(text) => out.extend_from_slice(text),
        None => out.extend_from_slice(UNCHANGED),
    }
    Ok(())
}

fn short(memo: &[u8]) -> Result<(), MessageFault> {
    if memo.len() > LONGEST_MEMO { Err(MessageFault::TooLong) } else { Ok(()) }
}

fn numbers(out: &mut Vec<u8>, numbers: &[u64]) {
    numbers.iter().for_each(|number| out.extend_from_slice(&number.to_be_bytes()));
}

fn list(out: &mut Vec<u8>, items: impl IntoIterator<Item = Item>) {
    Item::Array(items.into_iter().collect()).write(out);
}
