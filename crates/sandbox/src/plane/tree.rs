//! The control plane's state as it is proved: one store in an IAVL tree, under a tree of stores with that one leaf (ICS23).

use bitcoin::hashes::{Hash as _, sha256};
use causeway_staking::store_proof::{ProofOp, ProofOps};
use ics23::commitment_proof::Proof;
use ics23::{CommitmentProof, ExistenceProof, HashOp, InnerOp, LeafOp, LengthOp};
use ics23_prost::Message as _;
use std::collections::BTreeMap;

/// Version that every node of the tree names; the tree is built anew for every block.
const VERSION: u64 = 1;

/// Keys with their values.
pub(super) type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

fn sha(parts: &[&[u8]]) -> Vec<u8> {
    sha256::Hash::hash(&parts.concat()).to_byte_array().to_vec()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Height, size and version of a node, in the zigzag form of IAVL.
fn node_prefix(height: u64, size: usize) -> Vec<u8> {
    [varint(height * 2), varint(size as u64 * 2), varint(VERSION * 2)].concat()
}

fn leaf_op(prefix: Vec<u8>) -> LeafOp {
    LeafOp {
        hash: HashOp::Sha256.into(),
        prehash_key: HashOp::NoHash.into(),
        prehash_value: HashOp::Sha256.into(),
        length: LengthOp::VarProto.into(),
        prefix,
    }
}

fn leaf_hash(prefix: &[u8], key: &[u8], value: &[u8]) -> Vec<u8> {
    sha(&[prefix, &varint(key.len() as u64), key, &varint(32), &sha(&[value])])
}

/// Height and hash of the tree over some leaves, and the way up from one of them, bottom first.
fn climb(leaves: &[Vec<u8>], wanted: Option<usize>) -> (u64, Vec<u8>, Vec<InnerOp>) {
    if let [leaf] = leaves {
        return (0, leaf.clone(), Vec::new());
    }
    let half = leaves.len().div_ceil(2);
    let (left, right) = leaves.split_at(half);
    let (low, left, mut path) = climb(left, wanted.filter(|at| *at < half));
    let (other, right, further) = climb(right, wanted.and_then(|at| at.checked_sub(half)));
    let height = low.max(other) + 1;
    let prefix = node_prefix(height, leaves.len());
    let hash = sha(&[&prefix, &[32], &left, &[32], &right]);
    let inner = |prefix: Vec<u8>, suffix: Vec<u8>| InnerOp { hash: HashOp::Sha256.into(), prefix, suffix };
    match wanted {
        Some(at) if at < half => path.push(inner([prefix, vec![32]].concat(), [vec![32], right].concat())),
        Some(_) => {
            path = further;
            path.push(inner([prefix, vec![32], left, vec![32]].concat(), Vec::new()));
        }
        None => {}
    }
    (height, hash, path)
}

fn leaves(entries: &Entries) -> Vec<Vec<u8>> {
    let prefix = node_prefix(0, 1);
    entries.iter().map(|(key, value)| leaf_hash(&prefix, key, value)).collect()
}

/// The app hash of a state whose one store has this name.
pub(super) fn app_hash(store: &str, entries: &Entries) -> Vec<u8> {
    let (_, root, _) = climb(&leaves(entries), None);
    leaf_hash(&[0], store.as_bytes(), &root)
}

/// The proof that a key has its value; `None` when it has none.
pub(super) fn prove(store: &str, entries: &Entries, key: &[u8]) -> Option<ProofOps> {
    let value = entries.get(key)?;
    let at = entries.keys().position(|other| other == key)?;
    let (_, root, path) = climb(&leaves(entries), Some(at));
    let op = |kind: &str, key: &[u8], value: &[u8], prefix: Vec<u8>, path: Vec<InnerOp>| {
        let exists = ExistenceProof { key: key.to_vec(), value: value.to_vec(), leaf: Some(leaf_op(prefix)), path };
        let data = CommitmentProof { proof: Some(Proof::Exist(exists)) }.encode_to_vec();
        ProofOp { r#type: kind.to_owned(), key: key.to_vec(), data }
    };
    Some(ProofOps {
        ops: vec![
            op("ics23:iavl", key, value, node_prefix(0, 1), path),
            op("ics23:simple", store.as_bytes(), &root, vec![0], Vec::new()),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_proved_and_no_other_one() {
        for count in 1..20u8 {
            let entries: Entries = (0..count).map(|n| (vec![1, n], vec![n; 3])).collect();
            let hash = app_hash("btcstaking", &entries);
            for (key, value) in &entries {
                let proof = prove("btcstaking", &entries, key).expect("there");
                assert!(proof.verify_value(&hash, "btcstaking", key, value).is_ok(), "{key:?} of {count}");
                assert!(proof.verify_value(&hash, "btcstaking", key, b"other").is_err());
                assert!(proof.verify_value(&hash, "finality", key, value).is_err());
            }
            assert!(prove("btcstaking", &entries, &[9]).is_none());
        }
    }
}
