//! What can be said to the ledger.

use super::asset::check_longname;
use super::{AssetId, Destination, MessageFault, Mpma};
use crate::text::deceives;
use bitcoin::{NetworkKind, Txid};

/// Which of its two forms a message has. Some types have only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Today's, in CBOR.
    Cbor,
    /// The older packed one, which the ledger still accepts. Addresses in it name their network.
    Packed(NetworkKind),
}

/// A number that a broadcast publishes. It counts no money here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Number {
    /// A whole number.
    Whole(u64),
    /// -1 - n.
    Negative(u64),
    /// The bits of a number of 64-bit floating point.
    Double(u64),
}

/// Flags of an asset being issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags {
    /// Eight decimal places, none otherwise. Fixed by the first issuance.
    pub divisible: bool,
    /// No more can ever be issued. Cannot be undone.
    pub lock: bool,
    /// Starts over; only for whoever holds all units.
    pub reset: bool,
}

/// What an asset is said to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Description {
    /// MIME type, empty for plain text. Not in the packed encoding.
    pub mime: String,
    /// The text; `None` leaves it as it was. The word `lock` in any case locks the supply, `lock_description` the description.
    pub text: Option<Vec<u8>>,
}

/// A message. Quantities are in the smallest unit of their asset, at most [`super::MOST`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Sends to the address of the transaction's first output.
    Send {
        /// What.
        asset: AssetId,
        /// How much.
        quantity: u64,
    },
    /// Sends to an address in the message.
    EnhancedSend {
        /// What.
        asset: AssetId,
        /// How much.
        quantity: u64,
        /// To whom.
        destination: Destination,
        /// A note for the ledger, at most 34 bytes.
        memo: Vec<u8>,
        /// Its form.
        encoding: Encoding,
    },
    /// Several sends at once.
    Mpma(Mpma),
    /// Sends everything.
    Sweep {
        /// To whom.
        destination: Destination,
        /// 1 balances, 2 ownership, 4 the memo is binary.
        flags: u8,
        /// A note.
        memo: Vec<u8>,
        /// Its form.
        encoding: Encoding,
    },
    /// Offers one asset for another.
    Order {
        /// What is given.
        give: AssetId,
        /// How much of it.
        give_quantity: u64,
        /// What is wanted.
        get: AssetId,
        /// How much of it.
        get_quantity: u64,
        /// For how many blocks; 0 for ever.
        expiration: u16,
        /// Fee in satoshis that the other side must have paid.
        fee_required: u64,
    },
    /// Sells an asset to whoever sends bitcoin.
    Dispenser {
        /// What.
        asset: AssetId,
        /// How much for one payment.
        give_quantity: u64,
        /// How much is put aside.
        escrow_quantity: u64,
        /// Satoshis for one portion.
        satoshi_rate: u64,
        /// 0 opens, 1 opens on an empty address, 10 closes, 11 closing.
        status: u8,
        /// Packed addresses of the action and of an oracle; seldom any.
        tail: Vec<u8>,
    },
    /// Buys from a dispenser, paid by an output.
    Dispense,
    /// Issues, reissues, locks or describes an asset.
    Issuance {
        /// Which.
        asset: AssetId,
        /// How much more.
        quantity: u64,
        /// Flags.
        flags: Flags,
        /// Description.
        description: Description,
        /// Its form.
        encoding: Encoding,
    },
    /// Issues a subasset for the first time.
    SubassetIssuance {
        /// Its number.
        asset: AssetId,
        /// How much.
        quantity: u64,
        /// Flags.
        flags: Flags,
        /// Its long name, `PARENT.child`.
        longname: String,
        /// Description.
        description: Description,
        /// Its form.
        encoding: Encoding,
    },
    /// Publishes a text and a number.
    Broadcast {
        /// Seconds since 1970.
        timestamp: u64,
        /// Number.
        value: Number,
        /// Fee of bets on this feed, in 10^-8.
        fee_fraction: u64,
        /// MIME type, empty for plain text.
        mime: String,
        /// Text.
        text: Vec<u8>,
    },
    /// Pays all holders of an asset.
    Dividend {
        /// How much for each unit held.
        quantity_per_unit: u64,
        /// Whose holders.
        asset: AssetId,
        /// What they get.
        dividend_asset: AssetId,
    },
    /// Takes an offer back.
    Cancel {
        /// The transaction that made it, in display order on the wire.
        offer: Txid,
    },
    /// Opens a fair minter.
    Fairminter(Box<Fairminter>),
    /// Mints from a fair minter.
    Fairmint {
        /// What.
        asset: AssetId,
        /// How much.
        quantity: u64,
    },
    /// Binds units to an output of this transaction.
    Attach {
        /// Name of the asset.
        asset: String,
        /// How much.
        quantity: u64,
        /// Which output; the first that carries no data if none is named.
        vout: Option<u32>,
    },
    /// Returns the units bound to this transaction's inputs to addresses.
    Detach {
        /// To whom; to each input's own address if to nobody else.
        destination: Option<String>,
    },
    /// Destroys units.
    Destroy {
        /// Of which asset.
        asset: AssetId,
        /// How much.
        quantity: u64,
        /// A note, at most 34 bytes.
        tag: Vec<u8>,
    },
    /// Puts a pair of assets into a pool.
    PoolDeposit {
        /// The pair.
        assets: [AssetId; 2],
        /// How much of each.
        quantities: [u64; 2],
        /// Fewest shares accepted.
        least_shares: u64,
        /// The asset of the shares for a new pool; 0 for an old one.
        shares: u64,
    },
    /// Takes a pair of assets out of a pool.
    PoolWithdraw {
        /// The pair.
        assets: [AssetId; 2],
        /// Shares given back.
        quantity: u64,
        /// Least of each accepted.
        least: [u64; 2],
    },
}

/// Terms of a fair minter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fairminter {
    /// The asset.
    pub asset: AssetId,
    /// Its parent's number; 0 for none.
    pub parent: u64,
    /// In wire order: price, quantity by price, most per transaction, most per address, hard cap, premint, start block, end block, soft
    /// cap, its deadline, commission in 10^-8.
    pub terms: [u64; 11],
    /// Payments are burnt.
    pub burn_payment: bool,
    /// The description is locked at the end.
    pub lock_description: bool,
    /// The supply is locked at the end.
    pub lock_quantity: bool,
    /// Eight decimal places.
    pub divisible: bool,
    /// Description.
    pub description: Description,
}

impl Message {
    /// The number of the type.
    pub fn type_id(&self) -> u8 {
        match self {
            Message::Send { .. } => 0,
            Message::EnhancedSend { .. } => 2,
            Message::Mpma(_) => 3,
            Message::Sweep { .. } => 4,
            Message::Order { .. } => 10,
            Message::Dispenser { .. } => 12,
            Message::Dispense => 13,
            Message::Issuance { .. } => 22,
            Message::SubassetIssuance { .. } => 23,
            Message::Broadcast { .. } => 30,
            Message::Dividend { .. } => 50,
            Message::Cancel { .. } => 70,
            Message::Fairminter(_) => 90,
            Message::Fairmint { .. } => 91,
            Message::Attach { .. } => 101,
            Message::Detach { .. } => 102,
            Message::Destroy { .. } => 110,
            Message::PoolDeposit { .. } => 120,
            Message::PoolWithdraw { .. } => 121,
        }
    }

    /// Whether the ledger would take the message for valid as far as the message itself says. Old messages in the chain need not be.
    pub fn check(&self) -> Result<(), MessageFault> {
        let positive = |quantity: u64| if quantity == 0 { Err(MessageFault::Quantity) } else { Ok(()) };
        let printable = |description: &Description| {
            let plain = description.mime.is_empty() || description.mime.starts_with("text/");
            let text = description.text.as_deref().filter(|_| plain).unwrap_or_default();
            match std::str::from_utf8(text) {
                Ok(text) if !deceives(text) && !deceives(&description.mime) => Ok(()),
                _ => Err(MessageFault::Malformed),
            }
        };
        match self {
            Message::Send { quantity, asset } | Message::EnhancedSend { quantity, asset, .. } => {
                if *asset == AssetId::BTC {
                    return Err(MessageFault::Asset);
                }
                positive(*quantity)
            }
            Message::Sweep { flags, .. } if !(1..=7).contains(flags) || flags & 3 == 0 => Err(MessageFault::Malformed),
            Message::Order { give, get, give_quantity, get_quantity, .. } => {
                if give == get {
                    return Err(MessageFault::Asset);
                }
                positive(*give_quantity).and(positive(*get_quantity))
            }
            Message::Dispenser { status, .. } if !matches!(status, 0 | 1 | 10 | 11) => Err(MessageFault::Malformed),
            Message::Issuance { asset, description, .. } => {
                if asset.number() <= 1 {
                    return Err(MessageFault::Asset);
                }
                printable(description)
            }
            Message::SubassetIssuance { asset, longname, description, .. } => {
                if !asset.is_numeric() {
                    return Err(MessageFault::Asset);
                }
                check_longname(longname).and(printable(description))
            }
            Message::Dividend { quantity_per_unit, asset, .. } => {
                if asset.number() <= 1 {
                    return Err(MessageFault::Asset);
                }
                positive(*quantity_per_unit)
            }
            Message::Destroy { asset, quantity, .. } => {
                if *asset == AssetId::BTC {
                    return Err(MessageFault::Asset);
                }
                positive(*quantity)
            }
            Message::Attach { quantity, .. } | Message::Fairmint { quantity, .. } => positive(*quantity),
            _ => Ok(()),
        }
    }

    /// Whether it locks the supply for ever, by flag or by the word that does the same.
    pub fn locks_supply(&self) -> bool {
        match self {
            Message::Issuance { flags, description, .. } | Message::SubassetIssuance { flags, description, .. } => {
                flags.lock || description.text.as_deref().is_some_and(|text| text.eq_ignore_ascii_case(b"lock"))
            }
            _ => false,
        }
    }
}
