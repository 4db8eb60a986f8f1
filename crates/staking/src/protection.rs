//! Slashing protection: which vote may be signed.
//!
//! Two votes at one height give the key away, so the decision rests on a record that is on disk before a signature exists. The order is:
//! [`VoteRecord`] from [`decide`], written and synced by the caller, then [`sign`]. A crash in between loses nothing: the same vote is
//! signed again with the same nonce, which gives the same signature.

use crate::eots::{EotsKey, EotsSignature};
use crate::randomness::Hash32;
use bitcoin::hashes::{Hash as _, sha256};
use serde::{Deserialize, Serialize};

/// A vote: 8 bytes of height, big-endian, and the block's app hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vote {
    /// The control plane's height.
    pub height: u64,
    /// App hash of the block at that height.
    pub app_hash: [u8; 32],
}

impl Vote {
    /// The bytes that are hashed and signed.
    pub fn message(&self) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[..8].copy_from_slice(&self.height.to_be_bytes());
        bytes[8..].copy_from_slice(&self.app_hash);
        bytes
    }

    fn digest(&self) -> Hash32 {
        Hash32(sha256::Hash::hash(&self.message()).to_byte_array())
    }
}

/// What is on disk about one height of one key. Never changed, never deleted while the key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteRecord {
    /// The height.
    pub height: u64,
    /// SHA256 of the message that may be signed at this height, now and for ever.
    pub digest: Hash32,
}

/// How far the records of a key can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Guard {
    /// Heights at or below this are never signed: another copy may have voted there.
    pub safety_height: Option<u64>,
    /// Another copy of the key has voted; nothing is signed any more.
    pub halted: bool,
}

/// Why a vote is not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsafe {
    /// Another message was recorded for this height.
    #[error("another block was voted for at height {0}")]
    OtherMessage(u64),
    /// The height is not above the safety height.
    #[error("no vote at or below height {0}")]
    BelowSafetyHeight(u64),
    /// Another copy of the key is in use.
    #[error("another copy of this key votes")]
    Halted,
    /// The record that the caller holds is of another vote.
    #[error("the record is not of this vote")]
    NotRecorded,
}

/// What to do before a vote is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Write this record, sync it, then sign. Writing must fail when the height has a record already.
    Record(VoteRecord),
    /// The record is there: sign, which gives the same signature as the last time.
    Recorded(VoteRecord),
}

/// Whether a vote may be signed. `record` is what is on disk for its height.
///
/// A recorded vote may be repeated at any height: nothing new is told.
pub fn decide(guard: &Guard, record: Option<&VoteRecord>, vote: &Vote) -> Result<Decision, Unsafe> {
    if guard.halted {
        return Err(Unsafe::Halted);
    }
    match (record, guard.safety_height) {
        (Some(record), _) if record.height == vote.height => {
            if record.digest == vote.digest() {
                Ok(Decision::Recorded(*record))
            } else {
                Err(Unsafe::OtherMessage(vote.height))
            }
        }
        (Some(_), _) => Err(Unsafe::NotRecorded),
        (None, Some(safety)) if vote.height <= safety => Err(Unsafe::BelowSafetyHeight(safety)),
        (None, _) => Ok(Decision::Record(VoteRecord { height: vote.height, digest: vote.digest() })),
    }
}

/// Signs a vote whose record is on disk and synced.
pub fn sign(key: &EotsKey, chain_id: &str, record: &VoteRecord, vote: &Vote) -> Result<EotsSignature, Unsafe> {
    if record.height != vote.height || record.digest != vote.digest() {
        return Err(Unsafe::NotRecorded);
    }
    Ok(key.sign(&key.nonce(chain_id, vote.height), &vote.message()))
}

impl Guard {
    /// After a restore from backup: nothing is signed up to the highest of the last record, the tip and what the network has seen of this
    /// key, plus `margin` heights in which a forgotten copy would show itself. Never below an older safety height.
    pub fn restored(&self, last_record: Option<u64>, tip: u64, last_seen_vote: Option<u64>, margin: u64) -> Guard {
        let known = [last_record, Some(tip), last_seen_vote].into_iter().flatten().max().unwrap_or(tip);
        Guard { safety_height: self.safety_height.max(Some(known.saturating_add(margin))), ..*self }
    }

    /// The network shows a vote of this key. If it is none that we recorded, another copy votes and this one stops for good.
    ///
    /// Votes at or below the safety height may be this key's own from before the restore.
    pub fn observe(&self, record: Option<&VoteRecord>, seen: &Vote) -> Guard {
        let ours = record.is_some_and(|record| record.height == seen.height && record.digest == seen.digest());
        let before = self.safety_height.is_some_and(|safety| seen.height <= safety);
        let contradicts = record.is_some_and(|record| record.height == seen.height && record.digest != seen.digest());
        Guard { halted: self.halted || contradicts || (!ours && !before), ..*self }
    }
}

#[cfg(test)]
mod tests;
