//! Faults on request: a functionary that signs what it must not.

use super::Functionaries;
use super::link::Links;
use crate::error::SandboxError;
use bitcoin::secp256k1::{Message, SECP256K1};
use causeway_federation::message::{BlockShare, Certificate, Signature};
use causeway_federation::{Body, Envelope};
use elements::{Block, BlockExtData};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep};

/// How often the others are told; they may be busy, and what arrives too late is about a height long past.
const TELLINGS: u32 = 5;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(200);

impl Functionaries {
    /// Signs the last block and another one of its height with a functionary's key, and shows both to the others.
    pub(crate) async fn misbehave(&self, index: u8) -> Result<(), SandboxError> {
        let refused = |why: &str| SandboxError::Refused(why.into());
        let keys = self.world.functionaries.get(usize::from(index)).ok_or_else(|| refused("no functionary of that index"))?;
        let signers = self.node.headers().next_full_params(self.node.params()).signblockscript.clone();
        let charter = self.charter.borrow().clone();
        let federation = charter.federations.iter().find(|set| set.signblockscript() == signers);
        let member = keys.to_federation().member();
        let from = federation.and_then(|set| set.position(&member.message)).ok_or_else(|| refused("no member now"))?;
        let tip = self.node.tip();
        let bytes = self.node.block(tip.height)?.ok_or_else(|| refused("no block yet"))?;
        let mut first: Block = elements::encode::deserialize(&bytes).expect("BUG: the node stores valid blocks");
        if let BlockExtData::Dynafed { signblock_witness, .. } = &mut first.header.ext {
            signblock_witness.clear();
        }
        let mut second = first.clone();
        second.header.time = second.header.time.saturating_add(1);
        let mut sockets = JoinSet::new();
        let links = Links::open(usize::from(index), &self.world.ports.functionaries, &mut sockets);
        let genesis = self.node.params().genesis_hash;
        for _ in 0..TELLINGS {
            for block in [&first, &second] {
                let hash = block.block_hash();
                let signature = SECP256K1.sign_ecdsa(&Message::from_digest(hash.to_byte_array()), &keys.block);
                let share = BlockShare {
                    height: tip.height,
                    hash,
                    share: Signature(signature.serialize_compact()),
                    precommits: Certificate { round: 0, votes: Vec::new() },
                };
                for body in [Body::Share(share), Body::Candidate(Box::new(block.clone()))] {
                    links.broadcast(&Envelope::sign(genesis, from, &keys.to_federation(), body));
                }
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }
}
