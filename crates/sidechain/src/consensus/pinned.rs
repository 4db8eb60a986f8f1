//! What ships as data about a chain: where it is known to pass, where it must not, what rests for now.
//!
//! A signature of the federation cannot say which of two signed branches its people went on with; data can. Because such data can also stop a
//! wallet, it counts only with the signatures of those who answer for it: k of n BIP340 signatures over the exact bytes of the file, hashed
//! with the tag `causeway/pinned`.

use super::header::decode;
use bitcoin::hex::FromHex as _;
use causeway_vocab::Height;
use elements::hashes::{HashEngine as _, sha256};
use elements::{BlockHash, BlockHeader};
use secp256k1_zkp::{Message, SECP256K1, XOnlyPublicKey, schnorr};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Tag of the signed hash (as BIP340 tags its hashes).
const TAG: &[u8] = b"causeway/pinned";
/// Longest file, bytes.
pub const MAX_PINNED: usize = 1 << 20;

/// Why pinned data counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinnedFault {
    /// Not the format, or it contradicts itself.
    #[error("malformed")]
    Malformed,
    /// Too few of those who answer for it have signed these bytes.
    #[error("{have} good signatures, {need} needed")]
    Signatures {
        /// Good ones of different signers.
        have: usize,
        /// Needed.
        need: usize,
    },
    /// Of another chain.
    #[error("of another chain")]
    OtherChain,
}

/// Who answers for pinned data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinSigners {
    /// Signatures needed, at least one.
    pub threshold: usize,
    /// BIP340 keys.
    pub keys: Vec<XOnlyPublicKey>,
}

/// A block that is pinned or denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    height: Height,
    hash: BlockHash,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    format: String,
    genesis: BlockHash,
    serial: u32,
    #[serde(default)]
    root: Option<String>,
    #[serde(default)]
    checkpoints: Vec<Block>,
    #[serde(default)]
    denied: Vec<Block>,
    #[serde(default)]
    peg_in_paused: Option<String>,
    #[serde(default)]
    peg_out_paused: Option<String>,
    #[serde(default)]
    resolved: BTreeSet<String>,
}

/// Why a header may not be at its place although every rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forbidden {
    /// Another block is pinned at this height.
    NotTheCheckpoint,
    /// This very block is denied.
    Denied,
}

impl Forbidden {
    /// The word for it in the arguments of a fault.
    pub fn word(self) -> &'static str {
        match self {
            Forbidden::NotTheCheckpoint => "checkpoint",
            Forbidden::Denied => "denied",
        }
    }
}

/// Data about one chain that was read and whose signatures hold. The default knows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pinned {
    /// Grows with every issue; of two the greater counts.
    pub serial: u32,
    /// The first header of an epoch, from which [`super::skip::Skip`] can start.
    pub root: Option<BlockHeader>,
    /// Words for why peg-ins rest; none while they do not.
    pub peg_in_paused: Option<String>,
    /// The same for peg-outs.
    pub peg_out_paused: Option<String>,
    checkpoints: BTreeMap<Height, BlockHash>,
    denied: BTreeSet<BlockHash>,
    resolved: BTreeSet<String>,
}

impl Pinned {
    /// Reads the data for the chain with this genesis block. `signatures` has one line per signature: key and signature in hex.
    pub fn read(data: &[u8], signatures: &str, signers: &PinSigners, genesis: &BlockHash) -> Result<Pinned, PinnedFault> {
        if data.len() > MAX_PINNED || signatures.len() > MAX_PINNED || signers.threshold == 0 {
            return Err(PinnedFault::Malformed);
        }
        // Nothing in it is looked at before somebody answers for it.
        let message = Message::from_digest(digest(data));
        let good: BTreeSet<XOnlyPublicKey> = signatures
            .lines()
            .filter_map(|line| {
                let (key, signature) = line.trim().split_once(' ')?;
                let key: XOnlyPublicKey = key.parse().ok()?;
                let signature = schnorr::Signature::from_slice(&Vec::from_hex(signature.trim()).ok()?).ok()?;
                let holds = signers.keys.contains(&key) && SECP256K1.verify_schnorr(&signature, &message, &key).is_ok();
                holds.then_some(key)
            })
            .collect();
        if good.len() < signers.threshold {
            return Err(PinnedFault::Signatures { have: good.len(), need: signers.threshold });
        }
        let file: File = serde_json::from_slice(data).map_err(|_| PinnedFault::Malformed)?;
        if file.format != "causeway-pinned-1" {
            return Err(PinnedFault::Malformed);
        }
        if file.genesis != *genesis {
            return Err(PinnedFault::OtherChain);
        }
        let header =
            |hex: &String| decode(&Vec::from_hex(hex).map_err(|_| PinnedFault::Malformed)?).map_err(|_| PinnedFault::Malformed);
        let root = file.root.as_ref().map(header).transpose()?;
        let checkpoints: BTreeMap<Height, BlockHash> = file.checkpoints.iter().map(|block| (block.height, block.hash)).collect();
        let denied: BTreeSet<BlockHash> = file.denied.iter().map(|block| block.hash).collect();
        if checkpoints.len() != file.checkpoints.len() || checkpoints.values().any(|hash| denied.contains(hash)) {
            return Err(PinnedFault::Malformed);
        }
        let (peg_in_paused, peg_out_paused) = (file.peg_in_paused, file.peg_out_paused);
        Ok(Pinned { serial: file.serial, root, peg_in_paused, peg_out_paused, checkpoints, denied, resolved: file.resolved })
    }

    /// Whether the block may stand at its height.
    pub fn forbids(&self, height: Height, hash: &BlockHash) -> Option<Forbidden> {
        if self.denied.contains(hash) {
            return Some(Forbidden::Denied);
        }
        self.checkpoints.get(&height).filter(|pinned| *pinned != hash).map(|_| Forbidden::NotTheCheckpoint)
    }

    /// Whether somebody has looked at what stopped the network: the hash of a header or the id of a transaction.
    pub fn resolves(&self, what: &str) -> bool {
        self.resolved.contains(what)
    }
}

/// What the signatures are over.
pub fn digest(data: &[u8]) -> [u8; 32] {
    let tag = sha256::Hash::hash(TAG);
    let mut engine = sha256::Hash::engine();
    engine.input(tag.as_byte_array());
    engine.input(tag.as_byte_array());
    engine.input(data);
    sha256::Hash::from_engine(engine).to_byte_array()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hex::DisplayHex as _;
    use secp256k1_zkp::Keypair;

    fn key(n: u8) -> Keypair {
        Keypair::from_seckey_slice(SECP256K1, &[n; 32]).expect("a key")
    }

    fn sign(data: &[u8], n: u8) -> String {
        let signature = SECP256K1.sign_schnorr_no_aux_rand(&Message::from_digest(digest(data)), &key(n));
        format!("{} {}\n", key(n).x_only_public_key().0, signature.serialize().to_lower_hex_string())
    }

    fn signers() -> PinSigners {
        PinSigners { threshold: 2, keys: [1, 2, 3].map(|n| key(n).x_only_public_key().0).to_vec() }
    }

    fn hash(n: u8) -> BlockHash {
        BlockHash::from_byte_array([n; 32])
    }

    fn data() -> String {
        let (genesis, pinned, denied) = (hash(0), hash(1), hash(2));
        format!(
            r#"{{"format":"causeway-pinned-1","genesis":"{genesis}","serial":4,"checkpoints":[{{"height":9,"hash":"{pinned}"}}],
            "denied":[{{"height":10,"hash":"{denied}","why":"range-proof"}}],"peg-out-paused":"incident","resolved":["ab"]}}"#
        )
    }

    #[test]
    fn signed_data_says_where_the_chain_may_pass_and_what_rests() {
        let data = data();
        let signatures = format!("{}{}", sign(data.as_bytes(), 1), sign(data.as_bytes(), 3));
        let pinned = Pinned::read(data.as_bytes(), &signatures, &signers(), &hash(0)).expect("signed");
        assert_eq!(
            (pinned.serial, pinned.peg_in_paused.as_deref(), pinned.peg_out_paused.as_deref()),
            (4, None, Some("incident"))
        );
        assert_eq!(pinned.forbids(9, &hash(1)), None);
        assert_eq!(pinned.forbids(9, &hash(7)), Some(Forbidden::NotTheCheckpoint));
        assert_eq!(pinned.forbids(10, &hash(2)), Some(Forbidden::Denied));
        assert_eq!(pinned.forbids(11, &hash(7)), None);
        assert!(pinned.resolves("ab") && !pinned.resolves("ac"));
        assert_eq!(Pinned::default().forbids(9, &hash(7)), None);
    }

    #[test]
    fn data_that_too_few_answer_for_counts_for_nothing() {
        let data = data();
        let (one, three, stranger) = (sign(data.as_bytes(), 1), sign(data.as_bytes(), 3), sign(data.as_bytes(), 9));
        let read = |data: &str, signatures: &str, genesis| Pinned::read(data.as_bytes(), signatures, &signers(), &genesis);
        let few = |have| Err(PinnedFault::Signatures { have, need: 2 });
        assert_eq!(read(&data, "", hash(0)), few(0));
        assert_eq!(read(&data, &one, hash(0)), few(1));
        assert_eq!(read(&data, &format!("{one}{one}"), hash(0)), few(1), "the same signer twice");
        assert_eq!(read(&data, &format!("{one}{stranger}"), hash(0)), few(1), "a stranger");
        assert_eq!(read(&data, &format!("{one}{}", three.replace(' ', "")), hash(0)), few(1));
        let both = format!("{one}{three}");
        assert_eq!(read(&data.replace("incident", "accident"), &both, hash(0)), few(0), "changed afterwards");
        assert_eq!(read(&data, &both, hash(5)), Err(PinnedFault::OtherChain));
        for wrong in ["{}", &data.replace("pinned-1", "pinned-2"), &data.replace(&hash(2).to_string(), &hash(1).to_string())] {
            let both = format!("{}{}", sign(wrong.as_bytes(), 1), sign(wrong.as_bytes(), 2));
            assert_eq!(read(wrong, &both, hash(0)), Err(PinnedFault::Malformed));
        }
        let nobody = PinSigners { threshold: 0, keys: vec![] };
        assert_eq!(Pinned::read(data.as_bytes(), &both, &nobody, &hash(0)), Err(PinnedFault::Malformed));
    }
}
