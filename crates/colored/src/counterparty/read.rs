//! Bytes into messages.

use super::cbor::Item;
use super::message::{Description, Encoding, Fairminter, Flags, Message, Number};
use super::write::{LONGEST_MEMO, UNCHANGED, is_address, is_name, whole};
use super::{AssetId, Destination, MessageFault, Mpma, asset};
use crate::bytes::Bytes;
use bitcoin::hashes::Hash as _;
use bitcoin::{NetworkKind, Txid};

impl Message {
    /// Reads type and body. Everything must be of the form that the ledger's own writer gives it.
    pub fn read(message: &[u8]) -> Result<Message, MessageFault> {
        let mut bytes = Bytes(message);
        let id = match *message.first().ok_or(MessageFault::Truncated)? {
            0 => u32::from_be_bytes(bytes.array().ok_or(MessageFault::Truncated)?),
            _ => u32::from(bytes.byte().ok_or(MessageFault::Truncated)?),
        };
        match id {
            0 => body(bytes, |bytes| Ok(Message::Send { asset: id_of(bytes)?, quantity: quantity(bytes)? })),
            2 => either(bytes, enhanced_send, packed_enhanced_send),
            3 => Mpma::read(bytes.rest()).map(Message::Mpma),
            4 => either(bytes, sweep, packed_sweep),
            10 => body(bytes, order),
            12 => dispenser(bytes),
            13 => match bytes.rest() {
                [0] => Ok(Message::Dispense),
                _ => Err(MessageFault::Malformed),
            },
            22 => either(bytes, issuance, packed_issuance),
            23 => either(bytes, subasset, packed_subasset),
            30 => broadcast(Item::read_list(bytes.rest())?),
            50 => body(bytes, |bytes| {
                Ok(Message::Dividend { quantity_per_unit: quantity(bytes)?, asset: id_of(bytes)?, dividend_asset: id_of(bytes)? })
            }),
            70 => body(bytes, |bytes| {
                let mut shown: [u8; 32] = bytes.array().ok_or(MessageFault::Truncated)?;
                shown.reverse();
                Ok(Message::Cancel { offer: Txid::from_byte_array(shown) })
            }),
            90 => fairminter(Item::read_list(bytes.rest())?),
            91 => match Item::read_list(bytes.rest())?.as_slice() {
                [Item::Whole(asset), Item::Whole(quantity)] => {
                    Ok(Message::Fairmint { asset: AssetId::new(*asset)?, quantity: whole(*quantity)? })
                }
                _ => Err(MessageFault::Malformed),
            },
            101 => attach(bytes.rest()),
            102 => detach(bytes.rest()),
            110 => {
                let (asset, quantity) = (id_of(&mut bytes)?, quantity(&mut bytes)?);
                Ok(Message::Destroy { asset, quantity, tag: short(bytes.rest())? })
            }
            120 => body(bytes, |bytes| {
                let assets = [id_of(bytes)?, id_of(bytes)?];
                let quantities = [quantity(bytes)?, quantity(bytes)?];
                Ok(Message::PoolDeposit { assets, quantities, least_shares: quantity(bytes)?, shares: number(bytes)? })
            }),
            121 => body(bytes, |bytes| {
                let assets = [id_of(bytes)?, id_of(bytes)?];
                Ok(Message::PoolWithdraw { assets, quantity: quantity(bytes)?, least: [quantity(bytes)?, quantity(bytes)?] })
            }),
            other => Err(MessageFault::UnknownType(other)),
        }
    }
}

/// Reads a body of fixed length.
fn body<'a>(
    mut bytes: Bytes<'a>,
    read: impl FnOnce(&mut Bytes<'a>) -> Result<Message, MessageFault>,
) -> Result<Message, MessageFault> {
    let message = read(&mut bytes)?;
    if bytes.is_empty() { Ok(message) } else { Err(MessageFault::TrailingBytes) }
}

/// Today's form if the body is one, the older form otherwise, as the ledger does it.
fn either(
    mut bytes: Bytes<'_>,
    cbor: fn(Vec<Item>) -> Result<Message, MessageFault>,
    packed: fn(Bytes<'_>) -> Result<Message, MessageFault>,
) -> Result<Message, MessageFault> {
    let rest = bytes;
    match Item::read_list(bytes.rest()).and_then(cbor) {
        Ok(message) => Ok(message),
        Err(_) => packed(rest),
    }
}

fn number(bytes: &mut Bytes<'_>) -> Result<u64, MessageFault> {
    bytes.u64().ok_or(MessageFault::Truncated)
}

fn quantity(bytes: &mut Bytes<'_>) -> Result<u64, MessageFault> {
    number(bytes).and_then(whole)
}

fn id_of(bytes: &mut Bytes<'_>) -> Result<AssetId, MessageFault> {
    number(bytes).and_then(AssetId::new)
}

fn short(memo: &[u8]) -> Result<Vec<u8>, MessageFault> {
    if memo.len() > LONGEST_MEMO { Err(MessageFault::TooLong) } else { Ok(memo.to_vec()) }
}

fn flag(bytes: &mut Bytes<'_>) -> Result<bool, MessageFault> {
    match bytes.byte().ok_or(MessageFault::Truncated)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(MessageFault::Malformed),
    }
}

fn flags(bytes: &mut Bytes<'_>) -> Result<Flags, MessageFault> {
    Ok(Flags { divisible: flag(bytes)?, lock: flag(bytes)?, reset: flag(bytes)? })
}

fn packed_description(rest: &[u8]) -> Description {
    Description { mime: String::new(), text: (rest != UNCHANGED).then(|| rest.to_vec()) }
}

fn description(mime: Item, text: Item) -> Result<Description, MessageFault> {
    match (mime, text) {
        (Item::Text(mime), Item::Bytes(text)) => Ok(Description { mime, text: Some(text) }),
        (Item::Text(mime), Item::Null) => Ok(Description { mime, text: None }),
        _ => Err(MessageFault::Malformed),
    }
}

fn shape<const N: usize>(items: Vec<Item>) -> Result<[Item; N], MessageFault> {
    items.try_into().map_err(|_| MessageFault::Malformed)
}

fn enhanced_send(items: Vec<Item>) -> Result<Message, MessageFault> {
    let [Item::Whole(asset), Item::Whole(quantity), Item::Bytes(destination), Item::Bytes(memo)] = shape(items)? else {
        return Err(MessageFault::Malformed);
    };
    Ok(Message::EnhancedSend {
        asset: AssetId::new(asset)?,
        quantity: whole(quantity)?,
        destination: Destination::read(&destination)?,
        memo: short(&memo)?,
        encoding: Encoding::Cbor,
    })
}

fn packed_enhanced_send(mut bytes: Bytes<'_>) -> Result<Message, MessageFault> {
    let (asset, quantity) = (id_of(&mut bytes)?, quantity(&mut bytes)?);
    let (destination, network) = Destination::read_legacy(&mut bytes)?;
    let memo = short(bytes.rest())?;
    Ok(Message::EnhancedSend { asset, quantity, destination, memo, encoding: Encoding::Packed(network) })
}

fn sweep(items: Vec<Item>) -> Result<Message, MessageFault> {
    let [Item::Bytes(destination), Item::Whole(flags), Item::Bytes(memo)] = shape(items)? else {
        return Err(MessageFault::Malformed);
    };
    Ok(Message::Sweep {
        destination: Destination::read(&destination)?,
        flags: u8::try_from(flags).map_err(|_| MessageFault::Malformed)?,
        memo: short(&memo)?,
        encoding: Encoding::Cbor,
    })
}

fn packed_sweep(mut bytes: Bytes<'_>) -> Result<Message, MessageFault> {
    let (destination, network) = Destination::read_legacy(&mut bytes)?;
    let flags = bytes.byte().ok_or(MessageFault::Truncated)?;
    Ok(Message::Sweep { destination, flags, memo: short(bytes.rest())?, encoding: Encoding::Packed(network) })
}

fn order(bytes: &mut Bytes<'_>) -> Result<Message, MessageFault> {
    Ok(Message::Order {
        give: id_of(bytes)?,
        give_quantity: quantity(bytes)?,
        get: id_of(bytes)?,
        get_quantity: quantity(bytes)?,
        expiration: bytes.u16().ok_or(MessageFault::Truncated)?,
        fee_required: number(bytes)?,
    })
}

fn dispenser(mut bytes: Bytes<'_>) -> Result<Message, MessageFault> {
    Ok(Message::Dispenser {
        asset: id_of(&mut bytes)?,
        give_quantity: quantity(&mut bytes)?,
        escrow_quantity: quantity(&mut bytes)?,
        satoshi_rate: quantity(&mut bytes)?,
        status: bytes.byte().ok_or(MessageFault::Truncated)?,
        tail: bytes.rest().to_vec(),
    })
}

fn issuance(items: Vec<Item>) -> Result<Message, MessageFault> {
    let [Item::Whole(asset), Item::Whole(quantity), Item::Bool(divisible), Item::Bool(lock), Item::Bool(reset), mime, text] =
        shape(items)?
    else {
        return Err(MessageFault::Malformed);
    };
    Ok(Message::Issuance {
        asset: AssetId::new(asset)?,
        quantity: whole(quantity)?,
        flags: Flags { divisible, lock, reset },
        description: description(mime, text)?,
        encoding: Encoding::Cbor,
    })
}

fn packed_issuance(mut bytes: Bytes<'_>) -> Result<Message, MessageFault> {
    let (asset, quantity, flags) = (id_of(&mut bytes)?, quantity(&mut bytes)?, flags(&mut bytes)?);
    let description = packed_description(bytes.rest());
    Ok(Message::Issuance { asset, quantity, flags, description, encoding: Encoding::Packed(NetworkKind::Main) })
}

fn subasset(items: Vec<Item>) -> Result<Message, MessageFault> {
    let [Item::Whole(asset), Item::Whole(quantity), divisible, lock, reset, Item::Whole(length), Item::Bytes(name), mime, text] =
        shape(items)?
    else {
        return Err(MessageFault::Malformed);
    };
    let flag = |item| match item {
        Item::Whole(0) => Ok(false),
        Item::Whole(1) => Ok(true),
        _ => Err(MessageFault::Malformed),
    };
    if length != name.len() as u64 {
        return Err(MessageFault::Malformed);
    }
    Ok(Message::SubassetIssuance {
        asset: AssetId::new(asset)?,
        quantity: whole(quantity)?,
        flags: Flags { divisible: flag(divisible)?, lock: flag(lock)?, reset: flag(reset)? },
        longname: asset::expand(&name)?,
        description: description(mime, text)?,
        encoding: Encoding::Cbor,
    })
}

fn packed_subasset(mut bytes: Bytes<'_>) -> Result<Message, MessageFault> {
    let (asset, quantity, flags) = (id_of(&mut bytes)?, quantity(&mut bytes)?, flags(&mut bytes)?);
    let length = bytes.byte().ok_or(MessageFault::Truncated)?;
    let longname = asset::expand(bytes.take(usize::from(length)).ok_or(MessageFault::Truncated)?)?;
    let description = packed_description(bytes.rest());
    Ok(Message::SubassetIssuance { asset, quantity, flags, longname, description, encoding: Encoding::Packed(NetworkKind::Main) })
}

fn broadcast(items: Vec<Item>) -> Result<Message, MessageFault> {
    let [Item::Whole(timestamp), value, Item::Whole(fee_fraction), Item::Text(mime), Item::Bytes(text)] = shape(items)? else {
        return Err(MessageFault::Malformed);
    };
    let value = match value {
        Item::Whole(value) => Number::Whole(value),
        Item::Negative(value) => Number::Negative(value),
        Item::Double(bits) => Number::Double(bits),
        _ => return Err(MessageFault::Malformed),
    };
    Ok(Message::Broadcast { timestamp, value, fee_fraction, mime, text })
}

fn fairminter(items: Vec<Item>) -> Result<Message, MessageFault> {
    let mut items = shape::<19>(items)?.into_iter();
    let mut number = || match items.next() {
        Some(Item::Whole(value)) => Ok(value),
        _ => Err(MessageFault::Malformed),
    };
    let (asset, parent) = (AssetId::new(number()?)?, number()?);
    let mut terms = [0; 11];
    for term in &mut terms {
        *term = number()?;
    }
    let mut flag = || match items.next() {
        Some(Item::Bool(value)) => Ok(value),
        _ => Err(MessageFault::Malformed),
    };
    let (burn_payment, lock_description, lock_quantity, divisible) = (flag()?, flag()?, flag()?, flag()?);
    let (Some(mime), Some(text)) = (items.next(), items.next()) else { return Err(MessageFault::Malformed) };
    let description = description(mime, text)?;
    Ok(Message::Fairminter(Box::new(Fairminter {
        asset,
        parent,
        terms,
        burn_payment,
        lock_description,
        lock_quantity,
        divisible,
        description,
    })))
}

fn attach(body: &[u8]) -> Result<Message, MessageFault> {
    let text = std::str::from_utf8(body).map_err(|_| MessageFault::Malformed)?;
    let mut parts = text.split('|');
    let (Some(asset), Some(quantity), Some(vout), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(MessageFault::Malformed);
    };
    if !is_name(asset) {
        return Err(MessageFault::Asset);
    }
    let vout = if vout.is_empty() { None } else { Some(decimal(vout)?) };
    let vout = vout.map(u32::try_from).transpose().map_err(|_| MessageFault::Malformed)?;
    Ok(Message::Attach { asset: asset.to_owned(), quantity: whole(decimal(quantity)?)?, vout })
}

/// A whole number without sign and leading zeros.
fn decimal(text: &str) -> Result<u64, MessageFault> {
    let canonical = text == "0" || !text.starts_with('0');
    let plain = canonical && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain).ok_or(MessageFault::Malformed)
}

fn detach(body: &[u8]) -> Result<Message, MessageFault> {
    match std::str::from_utf8(body) {
        Ok("0") => Ok(Message::Detach { destination: None }),
        Ok(address) if is_address(address) => Ok(Message::Detach { destination: Some(address.to_owned()) }),
        _ => Err(MessageFault::Address),
    }
}
