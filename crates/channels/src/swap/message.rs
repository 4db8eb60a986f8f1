//! The messages and their bytes.

use crate::swap::{Acceptance, Chain, Coin, Leg, Offer, Place, SwapId};
use crate::wire::{Reader, WireFault, Writer};
use bitcoin::hashes::{Hash as _, sha256};
use secp256k1_zkp::SecretKey;

/// First byte of every message; another one is another protocol.
const VERSION: u8 = 1;

/// One message of the protocol.
///
/// Bytes: `version = 1`, `type`, body. Numbers are little endian, keys x-only (32 bytes), hashes in the order in which they are hashed.
///
/// | type | message | body |
/// |---|---|---|
/// | 0 | `Offer` | magic of Bitcoin 4, genesis of the sidechain 32, asset 32, gives u8 (0 Bitcoin, 1 sidechain), amount u64 and expiry u32 on Bitcoin, the same on the sidechain, hash 32, key 32, blinding key (secret, shared) 32 |
/// | 1 | `Accept` | swap 32, key 32 |
/// | 2 | `Locked` | swap 32, chain u8, txid 32, output u32 |
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Initiator: shall we?
    Offer(Box<Offer>),
    /// Responder: yes.
    Accept(SwapId, Acceptance),
    /// Either: the lock that I made.
    Locked(SwapId, Coin),
}

impl Message {
    /// The bytes that [`Message::decode`] reads, at most [`MAX_MESSAGE`](crate::wire::MAX_MESSAGE).
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.u8(VERSION);
        match self {
            Message::Offer(offer) => offer.write(to.u8(0)),
            Message::Accept(id, acceptance) => to.u8(1).bytes(&id.0).key(&acceptance.key),
            Message::Locked(id, Coin::Bitcoin(coin)) => to.u8(2).bytes(&id.0).u8(0).outpoint(*coin),
            Message::Locked(id, Coin::Sidechain(coin)) => {
                to.u8(2).bytes(&id.0).u8(1).bytes(&coin.txid.to_byte_array()).u32(coin.vout)
            }
        };
        to.0
    }

    /// Reads a message; total.
    pub fn decode(bytes: &[u8]) -> Result<Message, WireFault> {
        let mut from = Reader::new(bytes)?;
        if from.u8()? != VERSION {
            return Err(WireFault::Malformed);
        }
        let message = match from.u8()? {
            0 => Message::Offer(read_offer(&mut from)?.into()),
            1 => Message::Accept(SwapId(from.array()?), Acceptance { key: from.key()? }),
            2 => Message::Locked(SwapId(from.array()?), read_coin(&mut from)?),
            _ => return Err(WireFault::Malformed),
        };
        from.end()?;
        Ok(message)
    }
}

fn read_chain(from: &mut Reader<'_>) -> Result<Chain, WireFault> {
    match from.u8()? {
        0 => Ok(Chain::Bitcoin),
        1 => Ok(Chain::Sidechain),
        _ => Err(WireFault::Malformed),
    }
}

fn read_coin(from: &mut Reader<'_>) -> Result<Coin, WireFault> {
    Ok(match read_chain(from)? {
        Chain::Bitcoin => Coin::Bitcoin(from.outpoint()?),
        Chain::Sidechain => {
            let txid = elements::Txid::from_byte_array(from.array()?);
            Coin::Sidechain(elements::OutPoint { txid, vout: from.u32()? })
        }
    })
}

fn read_offer(from: &mut Reader<'_>) -> Result<Offer, WireFault> {
    let leg = |from: &mut Reader<'_>| Ok(Leg { amount: from.atoms()?, expiry: from.u32()? });
    Ok(Offer {
        place: Place {
            network: from.network()?,
            genesis: elements::BlockHash::from_byte_array(from.array()?),
            asset: elements::AssetId::from_byte_array(from.array()?),
        },
        gives: read_chain(from)?,
        bitcoin: leg(from)?,
        sidechain: leg(from)?,
        hash: sha256::Hash::from_byte_array(from.array()?),
        key: from.key()?,
        blinding: SecretKey::from_slice(&from.array::<32>()?).map_err(|_| WireFault::Malformed)?,
    })
}
