//! What both sides agree on before money moves.

use crate::streaming::Wrong;
use crate::streaming::transaction::{FLOOR_FEE, dust};
use crate::wire::Writer;
use bitcoin::hashes::{Hash as _, HashEngine as _, sha256};
use bitcoin::hex::DisplayHex as _;
use bitcoin::{ScriptBuf, XOnlyPublicKey};
use causeway_vocab::{Atoms, Height};
use serde::{Deserialize, Serialize};

/// The payer's half of the terms; the body of `Open`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Whose coins.
    pub network: bitcoin::Network,
    /// The payer's key, fresh for this channel.
    pub payer: XOnlyPublicKey,
    /// Value of the funding output, satoshi.
    pub capacity: Atoms,
    /// From the block after this one on the payer can take everything back.
    pub expiry: Height,
    /// What every commitment pays in fees, satoshi, out of the payer's part.
    pub fee: Atoms,
    /// Where the payer's part goes; a witness program.
    pub payer_script: ScriptBuf,
}

/// The payee's half of the terms; the body of `Accept`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The payee's key, fresh for this channel.
    pub payee: XOnlyPublicKey,
    /// Where the payee's part goes; a witness program.
    pub payee_script: ScriptBuf,
    /// Confirmations of the funding after which the payee serves.
    pub depth: u32,
    /// Blocks before the expiry at which the payee settles and takes no more.
    pub margin: u32,
}

/// Name of a channel: `SHA256(T || T || terms)` with `T = SHA256("causeway/streaming")` and the terms as the bodies of `Open` and
/// `Accept`. In text lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChannelId(#[serde(with = "crate::wire::hex32")] pub [u8; 32]);

impl std::fmt::Display for ChannelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_hex().fmt(f)
    }
}

impl std::fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_hex().fmt(f)
    }
}

/// Both halves, checked against each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The payer's half.
    pub proposal: Proposal,
    /// The payee's half.
    pub acceptance: Acceptance,
}

impl Proposal {
    /// What is wrong with the proposal whoever the payee is.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        let most = Atoms(bitcoin::Amount::MAX_MONEY.to_sat());
        if !(FLOOR_FEE..=most).contains(&self.fee) {
            return Err(Wrong::Term("fee"));
        }
        if !self.payer_script.is_witness_program() {
            return Err(Wrong::Term("script"));
        }
        let least = dust(&self.payer_script).0 + self.fee.0;
        if self.capacity > most || self.capacity.0 < least {
            return Err(Wrong::Term("capacity"));
        }
        if self.expiry >= bitcoin::absolute::LOCK_TIME_THRESHOLD {
            return Err(Wrong::Term("expiry"));
        }
        Ok(())
    }

    pub(crate) fn write<'w>(&self, to: &'w mut Writer) -> &'w mut Writer {
        to.network(self.network).key(&self.payer).atoms(self.capacity).u32(self.expiry).atoms(self.fee);
        to.short_bytes(self.payer_script.as_bytes())
    }
}

impl Acceptance {
    pub(crate) fn write<'w>(&self, to: &'w mut Writer) -> &'w mut Writer {
        to.key(&self.payee).short_bytes(self.payee_script.as_bytes()).u32(self.depth).u32(self.margin)
    }
}

impl Terms {
    /// Puts the halves together at a height.
    ///
    /// Refused when a term makes no sense, or when the expiry leaves no time between the payee's last confirmation and its settlement.
    pub fn new(proposal: Proposal, acceptance: Acceptance, height: Height) -> Result<Terms, Wrong> {
        proposal.check()?;
        if acceptance.payee == proposal.payer {
            return Err(Wrong::Term("key"));
        }
        if !acceptance.payee_script.is_witness_program() {
            return Err(Wrong::Term("script"));
        }
        let terms = Terms { proposal, acceptance };
        if terms.most() < dust(&terms.acceptance.payee_script) {
            return Err(Wrong::Term("capacity"));
        }
        let needed = u64::from(height) + u64::from(terms.acceptance.depth) + u64::from(terms.acceptance.margin);
        if u64::from(terms.proposal.expiry) <= needed {
            return Err(Wrong::Term("expiry"));
        }
        Ok(terms)
    }

    /// The channel's name.
    pub fn id(&self) -> ChannelId {
        let mut writer = Writer::default();
        self.proposal.write(&mut writer);
        self.acceptance.write(&mut writer);
        let tag = sha256::Hash::hash(b"causeway/streaming");
        let mut engine = sha256::Hash::engine();
        for part in [tag.as_byte_array(), tag.as_byte_array(), writer.0.as_slice()] {
            engine.input(part);
        }
        ChannelId(sha256::Hash::from_engine(engine).to_byte_array())
    }

    /// The most that can be paid in all.
    pub fn most(&self) -> Atoms {
        Atoms(self.proposal.capacity.0.saturating_sub(self.proposal.fee.0))
    }

    /// The least first payment: less could not be carried by a transaction.
    pub fn least(&self) -> Atoms {
        dust(&self.acceptance.payee_script)
    }

    /// The height at which the payee settles and takes no more.
    pub fn deadline(&self) -> Height {
        self.proposal.expiry.saturating_sub(self.acceptance.margin)
    }

    /// Whether a total can be paid.
    pub(crate) fn check_total(&self, total: Atoms) -> Result<(), Wrong> {
        if total < self.least() {
            return Err(Wrong::Dust { least: self.least() });
        }
        if total > self.most() {
            return Err(Wrong::Overdrawn { got: total, most: self.most() });
        }
        Ok(())
    }
}
