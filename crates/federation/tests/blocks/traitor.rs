//! A member that does whatever could bring the others apart.

use crate::world::{block, genesis, keys};
use bitcoin::secp256k1::{Message, SECP256K1};
use causeway_federation::evidence::StatementKind;
use causeway_federation::message::{BlockShare, Certificate, Proposal, Signature, Vote};
use causeway_federation::{Body, Envelope, Federation, MemberId};
use causeway_vocab::Height;
use elements::{Block, BlockHash};
use rand::Rng as _;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) struct Traitor {
    id: MemberId,
    federation: Federation,
    /// Votes overheard, for certificates.
    votes: BTreeMap<(StatementKind, Vote), BTreeMap<MemberId, Signature>>,
    proposed: BTreeSet<(Height, u32)>,
    /// A private view of which block each member is to believe in.
    tips: BTreeMap<Height, BlockHash>,
    salt: u32,
    /// How often it supported a block before each member: traitors must not echo each other for ever.
    supported: BTreeMap<(Vote, Option<MemberId>), u32>,
}

impl Traitor {
    pub(crate) fn new(id: MemberId, federation: Federation) -> Traitor {
        let salt = 0xf000_0000 | u32::from(id) << 16;
        Traitor {
            id,
            federation,
            votes: BTreeMap::new(),
            proposed: BTreeSet::new(),
            tips: BTreeMap::new(),
            salt,
            supported: BTreeMap::new(),
        }
    }

    fn others(&self) -> impl Iterator<Item = MemberId> + use<> {
        let me = self.id;
        (0..self.federation.n()).filter(move |id| *id != me)
    }

    fn sign(&self, body: Body) -> Envelope {
        Envelope::sign(genesis(), self.id, &keys(self.id), body)
    }

    fn certificate(&self, kind: StatementKind, vote: Vote) -> Certificate {
        let votes = self.votes.get(&(kind, vote)).into_iter().flatten();
        Certificate { round: vote.round, votes: votes.map(|(member, signature)| (*member, *signature)).collect() }
    }

    /// Says, to everybody or to some, that it is for whatever they are for; proposes different blocks to different members.
    pub(crate) fn hear(&mut self, envelope: &Envelope, rng: &mut StdRng) -> Vec<(MemberId, Envelope)> {
        let mut says = Vec::new();
        if let Body::Proposal(proposal) = &envelope.body {
            self.tips.insert(proposal.block.header.height - 1, proposal.block.header.prev_blockhash);
        }
        if let Body::Finished(block) = &envelope.body {
            self.tips.insert(block.header.height, block.block_hash());
        }
        let place = match &envelope.body {
            Body::Status { height, round } => Some((*height, *round)),
            body => body.statement().map(|statement| (statement.vote.height, statement.vote.round)),
        };
        if let Some((height, round)) = place {
            let ahead = round + rng.gen_range(0..2);
            self.propose(height, ahead, rng, &mut says);
        }
        let Some(statement) = envelope.body.statement() else { return says };
        if statement.kind == StatementKind::Share {
            // What is signed is most likely the next tip.
            self.tips.entry(statement.vote.height).or_insert(statement.vote.hash);
        } else {
            self.votes.entry((statement.kind, statement.vote)).or_default().insert(envelope.from, envelope.signature);
        }
        if envelope.from != self.id {
            self.support(statement.vote, Some(envelope.from), rng, &mut says);
        }
        says
    }

    /// Two blocks, or more, each for some members.
    fn propose(&mut self, height: Height, round: u32, rng: &mut StdRng, says: &mut Vec<(MemberId, Envelope)>) {
        let prev = self.tips.get(&(height - 1)).copied().or((height == 1).then(genesis));
        let Some(prev) = prev else { return };
        if self.federation.proposer(height, round) != self.id || !self.proposed.insert((height, round)) {
            return;
        }
        let mut blocks: Vec<Block> = Vec::new();
        for _ in 0..2 {
            self.salt += 1;
            blocks.push(block(height, prev, self.salt, rng.gen_range(0..6) > 0));
        }
        let shift = rng.gen_range(0..4_usize);
        for to in self.others() {
            let block = Box::new(blocks[(usize::from(to) + shift) / (1 + shift % 2) % 2].clone());
            let vote = Vote { height, round, hash: block.block_hash() };
            says.push((to, self.sign(Body::Proposal(Proposal { round, block, polka: None }))));
            self.support(vote, Some(to), rng, says);
        }
    }

    fn support(&mut self, vote: Vote, to: Option<MemberId>, rng: &mut StdRng, says: &mut Vec<(MemberId, Envelope)>) {
        let times = self.supported.entry((vote, to)).or_default();
        *times += 1;
        if *times > 4 {
            return;
        }
        let prevote = self.sign(Body::Prevote(vote));
        self.votes.entry((StatementKind::Prevote, vote)).or_default().insert(self.id, prevote.signature);
        let precommit = self.sign(Body::Precommit(vote, self.certificate(StatementKind::Prevote, vote)));
        self.votes.entry((StatementKind::Precommit, vote)).or_default().insert(self.id, precommit.signature);
        let message = Message::from_digest(vote.hash.to_byte_array());
        let share = Signature(SECP256K1.sign_ecdsa(&message, &keys(self.id).block).serialize_compact());
        let precommits = self.certificate(StatementKind::Precommit, vote);
        let share = self.sign(Body::Share(BlockShare { height: vote.height, hash: vote.hash, share, precommits }));
        // Usually only to the one who believes in it, so that the others learn late.
        let everybody = rng.gen_range(0..5) == 0;
        for to in self.others().filter(|other| everybody || Some(*other) == to) {
            for message in [&prevote, &precommit, &share] {
                if rng.gen_range(0..4) > 0 {
                    says.push((to, message.clone()));
                }
            }
        }
    }
}
