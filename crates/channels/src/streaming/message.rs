//! The messages and their bytes.

use crate::streaming::{Acceptance, ChannelId, Proposal};
use crate::wire::{Reader, WireFault, Writer};
use bitcoin::OutPoint;
use bitcoin::secp256k1::schnorr::Signature;
use causeway_vocab::Atoms;

/// First byte of every message; another one is another protocol.
const VERSION: u8 = 1;

/// One message of the protocol.
///
/// Bytes: `version = 1`, `type`, body. Numbers are little endian; keys are x-only (32 bytes); a script is one byte of length and so many
/// bytes; an outpoint is the txid as it stands in transactions and `u32`; the network is its four magic bytes.
///
/// | type | message | body |
/// |---|---|---|
/// | 0 | `Open`   | network 4, payer key 32, capacity u64, expiry u32, fee u64, payer script |
/// | 1 | `Accept` | payee key 32, payee script, depth u32, margin u32 |
/// | 2 | `Funded` | channel 32, outpoint 36 |
/// | 3 | `Ready`  | channel 32 |
/// | 4 | `Pay`    | channel 32, total u64, signature 64 |
/// | 5 | `Paid`   | channel 32, total u64 |
/// | 6 | `Close`  | channel 32, total u64, fee u64, signature 64 |
/// | 7 | `Closed` | channel 32, signature 64 |
///
/// Amounts are satoshi. The signatures are BIP340 over the BIP341 hash (SIGHASH_DEFAULT, leaf of both keys) of this transaction: version
/// 2, lock time 0, one input (the funding, sequence fffffffd), outputs: `total` to the payee's script, then `capacity - total - fee` to
/// the payer's script unless that is dust. In `Pay` the fee is that of the terms, in `Close` that of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Payer: open a channel?
    Open(Proposal),
    /// Payee: yes, under these terms.
    Accept(Acceptance),
    /// Payer: the coin that I made.
    Funded(ChannelId, OutPoint),
    /// Payee: it is deep enough, pay.
    Ready(ChannelId),
    /// Payer: so much in all, and my signature.
    Pay {
        /// Which channel.
        channel: ChannelId,
        /// Paid since the beginning.
        total: Atoms,
        /// Of the payer.
        signature: Signature,
    },
    /// Payee: so much in all is mine.
    Paid {
        /// Which channel.
        channel: ChannelId,
        /// Paid since the beginning.
        total: Atoms,
    },
    /// Payer: settle this total with this fee.
    Close {
        /// Which channel.
        channel: ChannelId,
        /// Paid since the beginning.
        total: Atoms,
        /// Out of the payer's part.
        fee: Atoms,
        /// Of the payer.
        signature: Signature,
    },
    /// Payee: my signature under your settlement; either of us may broadcast it.
    Closed {
        /// Which channel.
        channel: ChannelId,
        /// Of the payee.
        signature: Signature,
    },
}

impl Message {
    /// The bytes that [`Message::decode`] reads, at most [`MAX_MESSAGE`](crate::wire::MAX_MESSAGE).
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.u8(VERSION);
        match self {
            Message::Open(proposal) => proposal.write(to.u8(0)),
            Message::Accept(acceptance) => acceptance.write(to.u8(1)),
            Message::Funded(channel, outpoint) => to.u8(2).bytes(&channel.0).outpoint(*outpoint),
            Message::Ready(channel) => to.u8(3).bytes(&channel.0),
            Message::Pay { channel, total, signature } => to.u8(4).bytes(&channel.0).atoms(*total).signature(signature),
            Message::Paid { channel, total } => to.u8(5).bytes(&channel.0).atoms(*total),
            Message::Close { channel, total, fee, signature } => {
                to.u8(6).bytes(&channel.0).atoms(*total).atoms(*fee).signature(signature)
            }
            Message::Closed { channel, signature } => to.u8(7).bytes(&channel.0).signature(signature),
        };
        to.0
    }

    /// Reads a message; total.
    pub fn decode(bytes: &[u8]) -> Result<Message, WireFault> {
        let mut from = Reader::new(bytes)?;
        if from.u8()? != VERSION {
            return Err(WireFault::Malformed);
        }
        let kind = from.u8()?;
        let channel = |from: &mut Reader<'_>| from.array().map(ChannelId);
        let message = match kind {
            0 => Message::Open(Proposal {
                network: from.network()?,
                payer: from.key()?,
                capacity: from.atoms()?,
                expiry: from.u32()?,
                fee: from.atoms()?,
                payer_script: from.script()?,
            }),
            1 => Message::Accept(Acceptance {
                payee: from.key()?,
                payee_script: from.script()?,
                depth: from.u32()?,
                margin: from.u32()?,
            }),
            2 => Message::Funded(channel(&mut from)?, from.outpoint()?),
            3 => Message::Ready(channel(&mut from)?),
            4 => Message::Pay { channel: channel(&mut from)?, total: from.atoms()?, signature: from.signature()? },
            5 => Message::Paid { channel: channel(&mut from)?, total: from.atoms()? },
            6 => Message::Close {
                channel: channel(&mut from)?,
                total: from.atoms()?,
                fee: from.atoms()?,
                signature: from.signature()?,
            },
            7 => Message::Closed { channel: channel(&mut from)?, signature: from.signature()? },
            _ => return Err(WireFault::Malformed),
        };
        from.end()?;
        Ok(message)
    }
}
