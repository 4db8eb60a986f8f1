//! Block signatures: what a k-of-n P2WSH signing script takes.

use crate::functionary::{Federation, Member, MemberId};
use crate::message::Signature;
use bitcoin::secp256k1::{Message, PublicKey, SECP256K1, ecdsa};
use elements::{Block, BlockExtData, BlockHash};
use std::collections::BTreeMap;

/// The message of every block signature: the block hash itself. Source: block_proof.cpp of Elements.
pub(super) fn message(hash: &BlockHash) -> Message {
    Message::from_digest(hash.to_byte_array())
}

/// Empty dummy, Y signatures (DER, then 01) in the order of the keys, script. `None` while there are fewer.
pub(super) fn assemble(federation: &Federation, shares: &BTreeMap<MemberId, Signature>) -> Option<Vec<Vec<u8>>> {
    let needed = usize::from(federation.sign_threshold());
    let mut witness = vec![Vec::new()];
    for share in shares.values().take(needed) {
        let mut item = share.ecdsa()?.serialize_der().to_vec();
        item.push(1);
        witness.push(item);
    }
    (witness.len() == needed + 1).then(|| {
        witness.push(federation.block_script().to_bytes());
        witness
    })
}

/// Whether a block carries a complete witness of this federation.
pub(super) fn is_signed(block: &Block, federation: &Federation) -> bool {
    let BlockExtData::Dynafed { signblock_witness, .. } = &block.header.ext else { return false };
    let [dummy, signatures @ .., script] = signblock_witness.as_slice() else { return false };
    if !dummy.is_empty()
        || *script != federation.block_script().to_bytes()
        || signatures.len() != usize::from(federation.sign_threshold())
    {
        return false;
    }
    let message = message(&block.block_hash());
    let mut members = federation.members().iter();
    signatures.iter().all(|item| {
        let Some(signature) = item.strip_suffix(&[1]).and_then(|der| ecdsa::Signature::from_der(der).ok()) else { return false };
        // High S does not verify, and an encoding other than the shortest is not ours.
        signature.serialize_der().as_ref() == &item[..item.len() - 1]
            && members.any(|member| SECP256K1.verify_ecdsa(&message, &signature, &member.block).is_ok())
    })
}

/// The signatures of a complete witness, each with its key.
pub(super) fn signatures(block: &Block, federation: &Federation) -> Vec<(PublicKey, Signature)> {
    let BlockExtData::Dynafed { signblock_witness, .. } = &block.header.ext else { return Vec::new() };
    let [_, signatures @ .., _] = signblock_witness.as_slice() else { return Vec::new() };
    let message = message(&block.block_hash());
    let find = |item: &Vec<u8>| {
        let signature = ecdsa::Signature::from_der(item.strip_suffix(&[1])?).ok()?;
        let by = |member: &&Member| SECP256K1.verify_ecdsa(&message, &signature, &member.block).is_ok();
        let member = federation.members().iter().find(by)?;
        Some((member.block, Signature(signature.serialize_compact())))
    };
    signatures.iter().filter_map(find).collect()
}

/// Whether a block is of dynafed form and without signatures.
pub(super) fn is_bare(block: &Block) -> bool {
    matches!(&block.header.ext, BlockExtData::Dynafed { signblock_witness, .. } if signblock_witness.is_empty())
}

/// The block with its signatures.
pub(super) fn sign(mut block: Block, witness: Vec<Vec<u8>>) -> Block {
    if let BlockExtData::Dynafed { signblock_witness, .. } = &mut block.header.ext {
        *signblock_witness = witness;
    }
    block
}

/// The block without its signatures, and these.
pub(super) fn take(mut block: Block) -> (Block, Vec<Vec<u8>>) {
    let witness = match &mut block.header.ext {
        BlockExtData::Dynafed { signblock_witness, .. } => std::mem::take(signblock_witness),
        BlockExtData::Proof { .. } => Vec::new(),
    };
    (block, witness)
}
