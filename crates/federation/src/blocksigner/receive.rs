//! What others say.

use super::doubles::KEPT;
use super::witness;
use super::{Blocksigner, Candidate, Effect, KEPT_ROUNDS, ROUND_WINDOW, Verdict};
use crate::dynafed;
use crate::evidence::{DoubleSign, Evidence, StatementKind};
use crate::functionary::{Federation, MemberId};
use crate::message::{BlockShare, Body, Certificate, Envelope, Proposal, Round};
use causeway_vocab::Height;
use elements::dynafed::Params;
use elements::{Block, BlockHash};

impl Blocksigner {
    pub(super) fn receive(&mut self, envelope: Envelope, effects: &mut Vec<Effect>) {
        let Some((federation, me)) = self.seat.clone() else { return };
        if !envelope.is_genuine(&self.config.genesis, &federation) {
            return self.hear_of(&envelope, effects);
        }
        if envelope.from == me {
            return;
        }
        let from = envelope.from;
        self.note_signatures(&envelope, &federation);
        match &envelope.body {
            Body::Status { height, round } => {
                self.place(from, *height, *round, effects);
                self.help(from, *height, effects);
            }
            Body::Want { height, hash } => self.answer(from, *height, *hash, effects),
            Body::Candidate(block) => self.take_candidate(block, effects),
            Body::Finished(block) => self.take_finished(block, &federation, effects),
            Body::Evidence(evidence) => {
                if evidence.verify(&self.config.genesis, &federation) {
                    self.report((**evidence).clone(), me, effects);
                }
            }
            Body::DoubleSign(proof) => self.learn(proof, me, effects),
            Body::Proposal(_) | Body::Prevote(_) | Body::Precommit(..) | Body::Share(_) => {
                let Some(statement) = envelope.body.statement() else { return };
                let vote = statement.vote;
                let round = if statement.kind == StatementKind::Share { 0 } else { vote.round };
                self.place(from, vote.height, round, effects);
                let old = statement.kind != StatementKind::Share && round.saturating_add(KEPT_ROUNDS) < self.state.round;
                if vote.height != self.next_height() || self.height.done.is_some() || old || !self.is_near(round) {
                    return;
                }
                if let Some(evidence) = self.height.votes.record(from, statement, envelope.signature) {
                    self.report(evidence, me, effects);
                }
                match &envelope.body {
                    Body::Proposal(_) => self.take_proposal(envelope, &federation, effects),
                    Body::Precommit(vote, polka) if polka.round == vote.round => self.take_polka(vote.hash, polka, &federation),
                    Body::Share(share) => self.take_share(from, share, &federation),
                    _ => {}
                }
            }
            Body::Batch(_) | Body::BatchShare(_) | Body::BatchVeto(_) => {}
        }
    }

    /// A member of another federation speaks: others may have gone past a change of members that this one has not seen yet.
    fn hear_of(&mut self, envelope: &Envelope, effects: &mut Vec<Effect>) {
        let height = match &envelope.body {
            Body::Status { height, .. } => Some(*height),
            body => body.statement().map(|statement| statement.vote.height),
        };
        let ahead = height.filter(|height| *height > self.next_height() && !self.height.behind);
        let genuine = || self.config.federations.iter().any(|set| envelope.is_genuine(&self.config.genesis, set));
        if let Some(height) = ahead.filter(|_| genuine()) {
            self.height.behind = true;
            effects.push(Effect::Behind { height });
        }
    }

    /// Keeps what may prove that somebody signed twice, of this height and a few before.
    fn note_signatures(&mut self, envelope: &Envelope, federation: &Federation) {
        let mine = self.next_height();
        let recent = |height: Height| height <= mine && height.saturating_add(KEPT) > mine;
        match &envelope.body {
            Body::Share(share) if recent(share.height) => {
                let key = federation.member(envelope.from).map(|member| member.block);
                if let Some(key) = key.filter(|key| share.share.verify(&witness::message(&share.hash), key)) {
                    self.doubles.share(share.height, key, share.hash, share.share);
                }
            }
            Body::Proposal(Proposal { block, .. }) | Body::Candidate(block) if recent(block.header.height) => {
                self.doubles.header(&block.header);
            }
            Body::Finished(block) if recent(block.header.height) && witness::is_signed(block, federation) => {
                self.doubles.header(&block.header);
                for (key, signature) in witness::signatures(block, federation) {
                    self.doubles.share(block.header.height, key, block.block_hash(), signature);
                }
            }
            _ => {}
        }
    }

    /// Tells the world that somebody signed twice, when it can be proven.
    pub(super) fn accuse(&mut self, me: MemberId, effects: &mut Vec<Effect>) {
        for proof in self.doubles.proven() {
            self.tell(proof, me, effects);
        }
    }

    /// Takes a proof that somebody else made.
    pub(super) fn learn(&mut self, proof: &DoubleSign, me: MemberId, effects: &mut Vec<Effect>) {
        let known = |set: &Federation| set.members().iter().any(|member| member.block == proof.key);
        if self.config.federations.iter().any(known) && proof.verify() && self.doubles.is_news(proof) {
            self.tell(proof.clone(), me, effects);
        }
    }

    fn tell(&mut self, proof: DoubleSign, me: MemberId, effects: &mut Vec<Effect>) {
        self.convict(proof.key, effects);
        effects.push(Effect::DoubleSigned(Box::new(proof.clone())));
        effects.push(Effect::Broadcast(Box::new(self.accusation(&proof, me))));
        // One of each key, to be told again while it halts us.
        self.proofs.retain(|known| known.key != proof.key);
        self.proofs.push(proof);
    }

    pub(super) fn accusation(&self, proof: &DoubleSign, me: MemberId) -> Envelope {
        Envelope::sign(self.config.genesis, me, &self.keys, Body::DoubleSign(Box::new(proof.clone())))
    }

    /// What is far ahead would only fill memory.
    fn is_near(&self, round: Round) -> bool {
        round <= self.state.round.saturating_add(ROUND_WINDOW)
    }

    /// Notes where a member is.
    fn place(&mut self, from: MemberId, height: Height, round: Round, effects: &mut Vec<Effect>) {
        let mine = self.next_height();
        if height == mine {
            let at = self.height.rounds.entry(from).or_default();
            *at = round.max(*at);
        } else if height > mine && !self.height.behind {
            self.height.behind = true;
            effects.push(Effect::Behind { height });
        }
    }

    fn answer(&mut self, to: MemberId, height: Height, hash: BlockHash, effects: &mut Vec<Effect>) {
        let mine = self.next_height();
        let Some((_, me)) = self.seat else { return };
        let sign = |body| Envelope::sign(self.config.genesis, me, &self.keys, body);
        let message = if height < mine {
            // Somebody wants to prove that it was signed besides another one.
            let finished = self.finished.as_ref().filter(|block| block.block_hash() == hash);
            finished.map(|block| sign(Body::Finished(block.clone())))
        } else if height == mine && self.height.done.is_none() {
            // Nobody listens to what bears its own name: a proposer that lost its block in a crash gets the block alone.
            let newest = self.height.proposals.values().rev().filter(|envelope| envelope.from != to);
            let proposal = newest.into_iter().find(|envelope| envelope.body.statement().is_some_and(|s| s.vote.hash == hash));
            let block = || self.height.blocks.get(&hash).map(|candidate| sign(Body::Candidate(candidate.block.clone())));
            proposal.cloned().or_else(block)
        } else if height == mine {
            self.height.done.clone().map(|block| sign(Body::Finished(block)))
        } else {
            None
        };
        effects.extend(message.map(|message| Effect::Send { to, message: Box::new(message) }));
    }

    /// Gives a member that works on the height just done the block it lacks.
    fn help(&self, to: MemberId, height: Height, effects: &mut Vec<Effect>) {
        let (Some(block), Some((_, me))) = (&self.finished, &self.seat) else { return };
        if height == self.tip.height {
            let message = Envelope::sign(self.config.genesis, *me, &self.keys, Body::Finished(block.clone()));
            effects.push(Effect::Send { to, message: Box::new(message) });
        }
    }

    pub(super) fn fits(&self, block: &Block) -> bool {
        block.header.height == self.next_height() && block.header.prev_blockhash == self.tip.hash && witness::is_bare(block)
    }

    /// Whether the parameters that a block votes for would leave the federation able to sign and to pay.
    fn keeps_signers(&self, block: &Block) -> bool {
        match block.header.dynafed_proposed() {
            Some(Params::Full(wanted)) => {
                *wanted == self.params || dynafed::check_proposal(wanted, &self.params, &self.config.federations).is_ok()
            }
            _ => true,
        }
    }

    fn take_proposal(&mut self, envelope: Envelope, federation: &Federation, effects: &mut Vec<Effect>) {
        let Body::Proposal(proposal) = &envelope.body else { return };
        let round = proposal.round;
        let turn = envelope.from == federation.proposer(self.next_height(), round);
        if !turn || !self.fits(&proposal.block) || !self.keeps_signers(&proposal.block) {
            return;
        }
        let hash = proposal.block.block_hash();
        if let Some(polka) = &proposal.polka {
            if polka.round >= round {
                return;
            }
            self.take_polka(hash, polka, federation);
            if self.height.polkas.get(&polka.round).is_none_or(|(proven, _)| *proven != hash) {
                return;
            }
        }
        let block = proposal.block.clone();
        let first = round >= self.state.round && !self.height.proposals.contains_key(&round);
        if first {
            self.height.proposals.insert(round, envelope);
        }
        // A second one for the same round is looked at only if others voted for it.
        if first || self.is_wanted(&hash) {
            self.consider(block, effects);
        }
    }

    /// Whether X members voted for it, or it is up for the vote.
    fn is_wanted(&self, hash: &BlockHash) -> bool {
        let height = &self.height;
        height.decided.as_ref().is_some_and(|(decided, _)| decided == hash)
            || height.polkas.values().any(|(proven, _)| proven == hash)
            || height.votes.votes(StatementKind::Prevote, self.state.round).any(|(_, voted)| voted == *hash)
    }

    fn take_candidate(&mut self, block: &Block, effects: &mut Vec<Effect>) {
        if self.fits(block) && self.is_wanted(&block.block_hash()) {
            self.consider(Box::new(block.clone()), effects);
        }
    }

    /// Has a block validated unless that is under way or it is known to be valid. One that was found invalid is replaced: the hash does
    /// not commit to witnesses, so somebody may have spoilt them on the way.
    fn consider(&mut self, block: Box<Block>, effects: &mut Vec<Effect>) {
        let hash = block.block_hash();
        match self.height.blocks.get(&hash) {
            Some(known) if known.verdict != Some(Verdict::Invalid) => {}
            Some(known) if known.block == block => {}
            _ => {
                self.height.blocks.insert(hash, Candidate { block: block.clone(), verdict: None });
                effects.push(Effect::Validate(block));
            }
        }
    }

    pub(super) fn take_verdict(&mut self, hash: BlockHash, verdict: Verdict) {
        if let Some(candidate) = self.height.blocks.get_mut(&hash)
            && candidate.verdict.is_none()
        {
            candidate.verdict = Some(verdict);
        }
    }

    fn take_finished(&mut self, block: &Block, federation: &Federation, effects: &mut Vec<Effect>) {
        let next = block.header.height == self.next_height() && block.header.prev_blockhash == self.tip.hash;
        if next && self.height.done.is_none() && witness::is_signed(block, federation) {
            let (bare, signatures) = witness::take(block.clone());
            self.height.offered = Some((bare.block_hash(), signatures));
            self.consider(Box::new(bare), effects);
        }
    }

    fn take_polka(&mut self, hash: BlockHash, polka: &Certificate, federation: &Federation) {
        let height = self.next_height();
        if !self.height.polkas.contains_key(&polka.round)
            && self.is_near(polka.round)
            && polka.verify(StatementKind::Prevote, height, hash, &self.config.genesis, federation)
        {
            self.height.polkas.insert(polka.round, (hash, polka.clone()));
        }
    }

    fn take_share(&mut self, from: MemberId, share: &BlockShare, federation: &Federation) {
        let key = federation.member(from).map(|member| member.block);
        if key.is_some_and(|key| share.share.verify(&witness::message(&share.hash), &key)) {
            self.height.shares.entry(from).or_insert((share.hash, share.share));
        }
        if self.height.decided.is_none()
            && share.precommits.verify(StatementKind::Precommit, share.height, share.hash, &self.config.genesis, federation)
        {
            self.height.decided = Some((share.hash, share.precommits.clone()));
        }
    }

    /// Reports a member once per height, and tells the others.
    fn report(&mut self, evidence: Evidence, me: MemberId, effects: &mut Vec<Effect>) {
        if self.height.reported.insert(evidence.member) {
            let message = Envelope::sign(self.config.genesis, me, &self.keys, Body::Evidence(Box::new(evidence.clone())));
            effects.push(Effect::EquivocationFound(Box::new(evidence)));
            effects.push(Effect::Broadcast(Box::new(message)));
        }
    }
}
