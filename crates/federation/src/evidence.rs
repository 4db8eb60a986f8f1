//! Proofs that somebody said two things that exclude each other.

use crate::functionary::{Federation, MemberId};
use crate::message::{Signature, Vote, tagged};
use crate::wire::Writer;
use bitcoin::secp256k1::{Message, PublicKey};
use causeway_vocab::Height;
use elements::{BlockExtData, BlockHash, BlockHeader};

/// How a member commits itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatementKind {
    /// Proposes the block in this round.
    Proposal,
    /// Prevotes for it in this round.
    Prevote,
    /// Precommits to it in this round.
    Precommit,
    /// Signs it; the round is 0, because only one block of a height is ever signed.
    Share,
}

/// What a member commits itself to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Statement {
    /// How.
    pub kind: StatementKind,
    /// To which block, when.
    pub vote: Vote,
}

impl Statement {
    pub(crate) fn digest(&self, chain: &BlockHash, from: MemberId) -> Message {
        let tag: &[u8] = match self.kind {
            StatementKind::Proposal => b"causeway/federation/proposal",
            StatementKind::Prevote => b"causeway/federation/prevote",
            StatementKind::Precommit => b"causeway/federation/precommit",
            StatementKind::Share => b"causeway/federation/share",
        };
        let mut writer = Writer::default();
        writer.u32(self.vote.height);
        writer.u32(self.vote.round);
        writer.bytes(&self.vote.hash.to_byte_array());
        tagged(tag, chain, from, &writer.0)
    }

    /// An honest member says at most one of the two.
    pub fn excludes(&self, other: &Statement) -> bool {
        let slot = |statement: &Statement| (statement.kind, statement.vote.height, statement.vote.round);
        slot(self) == slot(other) && self.vote.hash != other.vote.hash
    }
}

/// Two signed statements of one member of which an honest one makes at most one. Anybody who knows the federation can check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Who.
    pub member: MemberId,
    /// The one seen first.
    pub first: (Statement, Signature),
    /// The one that excludes it.
    pub second: (Statement, Signature),
}

impl Evidence {
    /// Whether it proves what it says.
    pub fn verify(&self, chain: &BlockHash, federation: &Federation) -> bool {
        let Some(member) = federation.member(self.member) else { return false };
        self.first.0.excludes(&self.second.0)
            && [&self.first, &self.second].into_iter().all(|(statement, signature)| {
                // A share says nothing about its round; one that names another round was never signed by this code.
                (statement.kind != StatementKind::Share || statement.vote.round == 0)
                    && signature.verify(&statement.digest(chain, self.member), &member.message)
            })
    }
}

/// Two blocks of one height, signed with one block key. Honest functionaries sign one block per height and for ever, so this shows that the
/// owner of the key serves two chains. Anybody who knows that the key belonged to the federation at that height can check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubleSign {
    /// The block key.
    pub key: PublicKey,
    /// A header without its witness, and the signature over its hash; that with the smaller hash.
    pub first: (BlockHeader, Signature),
    /// The other one.
    pub second: (BlockHeader, Signature),
}

impl DoubleSign {
    /// Puts the two in order, without their witnesses.
    pub fn new(key: PublicKey, one: (BlockHeader, Signature), other: (BlockHeader, Signature)) -> DoubleSign {
        let mut sides = [one, other];
        for (header, _) in &mut sides {
            if let BlockExtData::Dynafed { signblock_witness, .. } = &mut header.ext {
                signblock_witness.clear();
            }
        }
        sides.sort_by_key(|(header, _)| header.block_hash());
        let [first, second] = sides;
        DoubleSign { key, first, second }
    }

    /// The height that was signed twice.
    pub fn height(&self) -> Height {
        self.first.0.height
    }

    /// Whether both signatures hold, for different blocks of one height. Whose key it is, is for the caller to know.
    pub fn verify(&self) -> bool {
        let holds = |(header, signature): &(BlockHeader, Signature)| {
            let message = Message::from_digest(header.block_hash().to_byte_array());
            signature.verify(&message, &self.key)
        };
        self.first.0.height == self.second.0.height
            && self.first.0.block_hash() != self.second.0.block_hash()
            && holds(&self.first)
            && holds(&self.second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functionary::tests::keys;
    use elements::TxMerkleNode;
    use elements::dynafed::Params;

    fn header(height: Height, salt: u8) -> BlockHeader {
        BlockHeader {
            version: 0x2000_0000,
            prev_blockhash: BlockHash::from_byte_array([1; 32]),
            merkle_root: TxMerkleNode::from_byte_array([salt; 32]),
            time: 9,
            height,
            ext: BlockExtData::Dynafed { current: Params::Null, proposed: Params::Null, signblock_witness: vec![vec![salt]] },
        }
    }

    fn signed(header: BlockHeader, by: u8) -> (BlockHeader, Signature) {
        let message = Message::from_digest(header.block_hash().to_byte_array());
        (header, Signature::make(&message, &keys(by).block))
    }

    #[test]
    fn only_two_blocks_of_one_height_under_one_key_prove_a_double_signature() {
        let key = keys(3).member().block;
        let good = DoubleSign::new(key, signed(header(7, 1), 3), signed(header(7, 2), 3));
        assert!(good.verify());
        assert_eq!(good, DoubleSign::new(key, signed(header(7, 2), 3), signed(header(7, 1), 3)), "in whatever order");
        assert_eq!(DoubleSign::from_bytes(&good.to_bytes()).as_ref(), Ok(&good));
        for cut in 0..good.to_bytes().len() {
            assert!(DoubleSign::from_bytes(&good.to_bytes()[..cut]).is_err());
        }
        let same = signed(header(7, 1), 3);
        for bad in [
            DoubleSign::new(key, same.clone(), same.clone()),
            DoubleSign::new(key, same.clone(), signed(header(8, 2), 3)),
            DoubleSign::new(key, same.clone(), signed(header(7, 2), 4)),
            DoubleSign::new(keys(4).member().block, same, signed(header(7, 2), 3)),
        ] {
            assert!(!bad.verify());
        }
    }
}
