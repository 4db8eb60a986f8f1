//! What both sides agree on.

use crate::swap::{BitcoinLock, SidechainLock, Wrong};
use crate::wire::Writer;
use bitcoin::XOnlyPublicKey;
use bitcoin::hashes::{Hash as _, HashEngine as _, sha256};
use bitcoin::hex::DisplayHex as _;
use causeway_vocab::{Atoms, Height};
use secp256k1_zkp::SecretKey;
use serde::{Deserialize, Serialize};

/// One of the two chains of a swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chain {
    /// Bitcoin.
    Bitcoin,
    /// The sidechain.
    Sidechain,
}

impl Chain {
    /// The other one.
    pub fn other(self) -> Chain {
        match self {
            Chain::Bitcoin => Chain::Sidechain,
            Chain::Sidechain => Chain::Bitcoin,
        }
    }
}

/// An output of either chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coin {
    /// Of Bitcoin.
    Bitcoin(bitcoin::OutPoint),
    /// Of the sidechain.
    Sidechain(elements::OutPoint),
}

impl Coin {
    /// Where it lies.
    pub fn chain(&self) -> Chain {
        match self {
            Coin::Bitcoin(_) => Chain::Bitcoin,
            Coin::Sidechain(_) => Chain::Sidechain,
        }
    }
}

/// One chain's half of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// What the lock holds, satoshi.
    pub amount: Atoms,
    /// From the block after this one on it can be taken back.
    pub expiry: Height,
}

/// Which two chains: those of one realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Whose bitcoin.
    pub network: bitcoin::Network,
    /// Genesis block of the sidechain; goes into its signatures.
    pub genesis: elements::BlockHash,
    /// The sidechain's pegged asset, in which it takes fees.
    pub asset: elements::AssetId,
}

/// The initiator's offer; the body of `Offer`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The two chains.
    pub place: Place,
    /// What the initiator gives. The lock of that chain is the first and lasts longer.
    pub gives: Chain,
    /// The Bitcoin side.
    pub bitcoin: Leg,
    /// The sidechain's side.
    pub sidechain: Leg,
    /// Hash of the initiator's preimage.
    pub hash: sha256::Hash,
    /// The initiator's key, fresh for this swap: takes the responder's lock, takes back its own.
    pub key: XOnlyPublicKey,
    /// Shows the amount of the sidechain's lock to whoever knows it; random, fresh for this swap, known to both. Spends nothing.
    pub blinding: SecretKey,
}

impl std::fmt::Debug for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offer").field("gives", &self.gives).field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// The responder's answer; the body of `Accept`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The responder's key, fresh for this swap: takes the initiator's lock, takes back its own.
    pub key: XOnlyPublicKey,
}

/// Name of a swap: `SHA256(T || T || offer)` with `T = SHA256("causeway/swap")` and the body of `Offer`. In text lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SwapId(#[serde(with = "crate::wire::hex32")] pub [u8; 32]);

impl std::fmt::Display for SwapId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_hex().fmt(f)
    }
}

impl std::fmt::Debug for SwapId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_hex().fmt(f)
    }
}

/// Both halves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The initiator's half.
    pub offer: Offer,
    /// The responder's half.
    pub acceptance: Acceptance,
}

impl Offer {
    /// The leg of a chain.
    pub fn leg(&self, chain: Chain) -> Leg {
        match chain {
            Chain::Bitcoin => self.bitcoin,
            Chain::Sidechain => self.sidechain,
        }
    }

    /// The swap's name.
    pub fn id(&self) -> SwapId {
        let mut writer = Writer::default();
        self.write(&mut writer);
        let tag = sha256::Hash::hash(b"causeway/swap");
        let mut engine = sha256::Hash::engine();
        for part in [tag.as_byte_array(), tag.as_byte_array(), writer.0.as_slice()] {
            engine.input(part);
        }
        SwapId(sha256::Hash::from_engine(engine).to_byte_array())
    }

    /// What makes no sense whoever the responder is.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        let most = bitcoin::Amount::MAX_MONEY.to_sat();
        for leg in [self.bitcoin, self.sidechain] {
            // 330: the dust limit of a taproot output; a lock of so little could not pay for its spend.
            if !(1_000..=most).contains(&leg.amount.0) {
                return Err(Wrong::Term("amount"));
            }
            if leg.expiry == 0 || leg.expiry >= bitcoin::absolute::LOCK_TIME_THRESHOLD {
                return Err(Wrong::Term("expiry"));
            }
        }
        Ok(())
    }

    pub(crate) fn write<'w>(&self, to: &'w mut Writer) -> &'w mut Writer {
        let Place { network, genesis, asset } = &self.place;
        to.network(*network).bytes(&genesis.to_byte_array()).bytes(&asset.to_byte_array());
        to.u8(u8::from(self.gives == Chain::Sidechain));
        for leg in [self.bitcoin, self.sidechain] {
            to.atoms(leg.amount).u32(leg.expiry);
        }
        to.bytes(self.hash.as_byte_array()).key(&self.key).bytes(&self.blinding.secret_bytes())
    }
}

impl Terms {
    /// Puts the halves together. Refused when a term makes no sense.
    pub fn new(offer: Offer, acceptance: Acceptance) -> Result<Terms, Wrong> {
        offer.check()?;
        if offer.key == acceptance.key {
            return Err(Wrong::Term("key"));
        }
        Ok(Terms { offer, acceptance })
    }

    /// Who may take the lock of a chain with the preimage, and who may take it back.
    fn keys(&self, chain: Chain) -> (XOnlyPublicKey, XOnlyPublicKey) {
        let (initiator, responder) = (self.offer.key, self.acceptance.key);
        if chain == self.offer.gives { (responder, initiator) } else { (initiator, responder) }
    }

    /// The lock on Bitcoin.
    pub fn bitcoin_lock(&self) -> BitcoinLock {
        let (claimer, refunder) = self.keys(Chain::Bitcoin);
        BitcoinLock { claimer, refunder, hash: self.offer.hash, leg: self.offer.bitcoin }
    }

    /// The lock on the sidechain.
    pub fn sidechain_lock(&self) -> SidechainLock {
        let (claimer, refunder) = self.keys(Chain::Sidechain);
        SidechainLock {
            claimer,
            refunder,
            hash: self.offer.hash,
            leg: self.offer.sidechain,
            asset: self.offer.place.asset,
            genesis: self.offer.place.genesis,
            blinding: self.offer.blinding,
        }
    }
}
