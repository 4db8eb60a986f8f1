//! That a transaction stands in a Bitcoin block, in the form in which the control plane takes it.

use bitcoin::hashes::{Hash as _, HashEngine as _, sha256d};
use bitcoin::{BlockHash, TxMerkleNode, Txid, block};

/// A transaction's place in a block with its neighbours on the way to the merkle root, bottom first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// Which block.
    pub block: BlockHash,
    /// Which transaction of it; never the first, which is the coinbase.
    pub index: u32,
    /// Neighbours.
    pub siblings: Vec<TxMerkleNode>,
}

/// More levels than any block has transactions for.
const DEEPEST: usize = 32;

impl InclusionProof {
    /// The proof for one transaction of a block with these ids. `None` for the coinbase and past the end.
    pub fn new(block: BlockHash, txids: &[Txid], index: u32) -> Option<InclusionProof> {
        let mut place = usize::try_from(index).ok()?;
        if place == 0 || place >= txids.len() {
            return None;
        }
        let mut level: Vec<TxMerkleNode> = txids.iter().map(|txid| TxMerkleNode::from_byte_array(txid.to_byte_array())).collect();
        let mut siblings = Vec::new();
        while level.len() > 1 {
            // A last node without neighbour is its own.
            siblings.push(*level.get(place ^ 1).unwrap_or(&level[place]));
            level = level.chunks(2).map(|pair| parent(&pair[0], pair.last().unwrap_or(&pair[0]))).collect();
            place >>= 1;
        }
        Some(InclusionProof { block, index, siblings })
    }

    /// Reads siblings that stand one after another, as in messages. `None` when they do not fill whole hashes.
    pub fn from_bytes(block: BlockHash, index: u32, siblings: &[u8]) -> Option<InclusionProof> {
        let (hashes, rest) = siblings.as_chunks::<32>();
        if !rest.is_empty() || hashes.len() > DEEPEST {
            return None;
        }
        Some(InclusionProof { block, index, siblings: hashes.iter().map(|hash| TxMerkleNode::from_byte_array(*hash)).collect() })
    }

    /// The siblings one after another.
    pub fn sibling_bytes(&self) -> Vec<u8> {
        self.siblings.iter().flat_map(|node| node.to_byte_array()).collect()
    }

    /// Whether the transaction stands in the block of this header. The header itself must be verified elsewhere.
    pub fn verify(&self, header: &block::Header, txid: &Txid) -> bool {
        let leaf = TxMerkleNode::from_byte_array(txid.to_byte_array());
        let step = |(node, place): (TxMerkleNode, u32), sibling: &TxMerkleNode| {
            (if place & 1 == 0 { parent(&node, sibling) } else { parent(sibling, &node) }, place >> 1)
        };
        let (root, place) = self.siblings.iter().fold((leaf, self.index), step);
        self.index > 0 && place == 0 && header.block_hash() == self.block && root == header.merkle_root
    }
}

fn parent(left: &TxMerkleNode, right: &TxMerkleNode) -> TxMerkleNode {
    let mut engine = sha256d::Hash::engine();
    engine.input(left.as_byte_array());
    engine.input(right.as_byte_array());
    TxMerkleNode::from_raw_hash(sha256d::Hash::from_engine(engine))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{bytes, load, number};
    use bitcoin::consensus::deserialize;
    use proptest::prelude::*;

    #[test]
    fn recorded_proofs_lead_to_their_headers() {
        let file = load("btc_timestamp.json");
        for (record, header) in
            file["records"].as_array().expect("records").iter().zip(file["btc_headers"].as_array().expect("headers"))
        {
            let header: block::Header = deserialize(&bytes(&header["header"])).expect("a header");
            let block = record["block_hash"].as_str().expect("text").parse().expect("a hash");
            let proof = InclusionProof::from_bytes(block, number(&record["index_in_block"]), &bytes(&record["merkle_siblings"]))
                .expect("a proof");
            let txid = record["txid"].as_str().expect("text").parse().expect("an id");
            assert!(proof.verify(&header, &txid));
            assert!(!InclusionProof { index: proof.index ^ 1, ..proof.clone() }.verify(&header, &txid));
            assert!(!InclusionProof { index: proof.index + (1 << proof.siblings.len()), ..proof }.verify(&header, &txid));
        }
    }

    proptest! {
        #[test]
        fn every_transaction_but_the_coinbase_is_proved(count in 1u32..40, seed in any::<u8>()) {
            let txids: Vec<Txid> = (0..count).map(|n| Txid::hash(&[&[seed][..], &n.to_le_bytes()].concat())).collect();
            let root = bitcoin::merkle_tree::calculate_root(txids.iter().map(|txid| txid.to_raw_hash())).expect("transactions");
            let mut header: block::Header = deserialize(&[0; 80]).expect("a header");
            header.merkle_root = TxMerkleNode::from_raw_hash(root);
            for (index, txid) in (0u32..).zip(&txids) {
                let Some(proof) = InclusionProof::new(header.block_hash(), &txids, index) else {
                    prop_assert_eq!(index, 0);
                    continue;
                };
                prop_assert!(proof.verify(&header, txid));
                prop_assert_eq!(InclusionProof::from_bytes(proof.block, index, &proof.sibling_bytes()), Some(proof));
            }
            prop_assert!(InclusionProof::new(header.block_hash(), &txids, count).is_none());
        }
    }
}
