//! What a functionary does of itself, whenever its state allows.

use super::witness;
use super::{Blocksigner, Candidate, Due, Effect, KEPT_ROUNDS, Lock, Millis, Signed, Verdict};
use crate::dynafed;
use crate::evidence::StatementKind;
use crate::functionary::{Federation, MemberId};
use crate::message::{BlockShare, Body, Envelope, Proposal, Round, Signature, Vote};
use elements::{Block, BlockHash};
use std::collections::BTreeMap;

/// Rounds that a message may carry us forward at once.
const LONGEST_JUMP: Round = 64;

impl Blocksigner {
    /// Applies the rules until none has anything to do.
    pub(super) fn advance(&mut self, effects: &mut Vec<Effect>) {
        let Some((federation, me)) = self.seat.clone() else { return };
        self.accuse(me, effects);
        let halted = !self.halted_by().is_empty();
        if halted {
            self.due.clear();
        }
        loop {
            self.release(&federation, me, effects);
            if self.height.done.is_some() {
                break;
            }
            self.prove(&federation);
            let acted = self.finish(&federation, effects)
                || !halted
                    && (self.sign(effects)
                        || self.precommit(effects)
                        || self.prevote(effects)
                        || self.propose(&federation, me, effects))
                || self.change_round(&federation, me);
            if !acted {
                break;
            }
        }
        if self.now >= self.height.resend_at {
            self.resend(&federation, me, effects);
        }
    }

    /// Writes the state down; `due` goes out afterwards.
    fn commit(&mut self, due: Due, effects: &mut Vec<Effect>) {
        self.persist(effects);
        self.due.push_back((self.state.revision, due));
    }

    /// Signs and sends what is due.
    fn release(&mut self, federation: &Federation, me: MemberId, effects: &mut Vec<Effect>) {
        while self.due.front().is_some_and(|(revision, _)| *revision <= self.on_disk) {
            let Some((_, due)) = self.due.pop_front() else { break };
            let (slot, body) = match due {
                Due::Proposal(proposal) => (0, Body::Proposal(proposal)),
                Due::Prevote(vote) => (1, Body::Prevote(vote)),
                Due::Precommit(vote, polka) => (2, Body::Precommit(vote, polka)),
                Due::Share(height, hash, precommits) => {
                    let share = Signature::make(&witness::message(&hash), &self.keys.block);
                    self.height.shares.insert(me, (hash, share));
                    (3, Body::Share(BlockShare { height, hash, share, precommits }))
                }
            };
            let envelope = Envelope::sign(self.config.genesis, me, &self.keys, body);
            if let Some(statement) = envelope.body.statement() {
                self.height.votes.record(me, statement, envelope.signature);
            }
            match &envelope.body {
                // Not said again as a whole: who misses it asks for it.
                Body::Proposal(proposal) => {
                    self.height.proposals.insert(proposal.round, envelope.clone());
                }
                _ => {
                    self.height.said.insert(slot, envelope.clone());
                }
            }
            if federation.n() > 1 {
                effects.push(Effect::Broadcast(Box::new(envelope)));
            }
        }
    }

    /// Turns votes into proofs.
    fn prove(&mut self, federation: &Federation) {
        let x = federation.precommit_threshold();
        let height = &mut self.height;
        for round in height.votes.rounds(StatementKind::Prevote) {
            if !height.polkas.contains_key(&round)
                && let Some(polka) = height.votes.certificate(StatementKind::Prevote, round, x)
            {
                height.polkas.insert(round, polka);
            }
        }
        if height.decided.is_none() {
            let mut rounds = height.votes.rounds(StatementKind::Precommit);
            height.decided = rounds.find_map(|round| height.votes.certificate(StatementKind::Precommit, round, x));
        }
    }

    fn valid(&self, hash: &BlockHash) -> Option<&Block> {
        let candidate = self.height.blocks.get(hash)?;
        (candidate.verdict == Some(Verdict::Valid)).then_some(&*candidate.block)
    }

    fn is_free_for(&self, hash: &BlockHash) -> bool {
        self.state.signed.as_ref().is_none_or(|signed| signed.hash == *hash)
    }

    fn finish(&mut self, federation: &Federation, effects: &mut Vec<Effect>) -> bool {
        let mut by_hash: BTreeMap<BlockHash, BTreeMap<MemberId, Signature>> = BTreeMap::new();
        for (member, (hash, share)) in &self.height.shares {
            by_hash.entry(*hash).or_default().insert(*member, *share);
        }
        let shared = by_hash.iter().find_map(|(hash, shares)| Some((*hash, witness::assemble(federation, shares)?)));
        let Some((hash, witness)) = self.height.offered.clone().or(shared) else { return false };
        let Some(candidate) = self.height.blocks.get(&hash) else { return false };
        let signed = || Box::new(witness::sign((*candidate.block).clone(), witness));
        match candidate.verdict {
            Some(Verdict::Valid) => {
                let block = signed();
                effects.push(Effect::FinishBlock(block.clone()));
                self.height.done = Some(block);
                true
            }
            Some(Verdict::Invalid) if !self.height.alarmed => {
                effects.push(Effect::InvalidBlockSigned(signed()));
                self.height.alarmed = true;
                true
            }
            _ => false,
        }
    }

    fn sign(&mut self, effects: &mut Vec<Effect>) -> bool {
        let Some((hash, precommits)) = self.height.decided.clone() else { return false };
        if self.state.signed.is_some() || self.valid(&hash).is_none() {
            return false;
        }
        self.state.signed = Some(Signed { hash, precommits: precommits.clone() });
        self.commit(Due::Share(self.state.height, hash, precommits), effects);
        true
    }

    /// Locks on the latest proven block, and precommits to it if that was in this round.
    fn precommit(&mut self, effects: &mut Vec<Effect>) -> bool {
        let latest = self.height.polkas.iter().next_back().map(|(round, (hash, polka))| (*round, *hash, polka.clone()));
        let Some((round, hash, polka)) = latest else { return false };
        if round > self.state.round {
            self.enter_round(round);
            return true;
        }
        let Some(block) = self.valid(&hash).cloned() else { return false };
        if self.state.lock.as_ref().is_none_or(|lock| lock.polka.round < round) {
            self.state.lock = Some(Lock { block, polka: polka.clone() });
        }
        let said = self.state.precommitted.is_some_and(|(at, _)| at >= round);
        if round < self.state.round || said || !self.is_free_for(&hash) {
            return false;
        }
        self.state.precommitted = Some((round, hash));
        let vote = Vote { height: self.state.height, round, hash };
        self.commit(Due::Precommit(vote, polka), effects);
        true
    }

    fn prevote(&mut self, effects: &mut Vec<Effect>) -> bool {
        let round = self.state.round;
        if self.state.prevoted.is_some_and(|(at, _)| at >= round) {
            return false;
        }
        let Some(Body::Proposal(proposal)) = self.height.proposals.get(&round).map(|envelope| &envelope.body) else {
            return false;
        };
        let hash = proposal.block.block_hash();
        let unlocked = |lock: &Lock| proposal.polka.as_ref().is_some_and(|polka| polka.round >= lock.polka.round);
        let free = self.state.lock.as_ref().is_none_or(|lock| lock.hash() == hash || unlocked(lock));
        if !free || !self.is_free_for(&hash) || self.valid(&hash).is_none() {
            return false;
        }
        self.state.prevoted = Some((round, hash));
        self.commit(Due::Prevote(Vote { height: self.state.height, round, hash }), effects);
        true
    }

    fn propose(&mut self, federation: &Federation, me: MemberId, effects: &mut Vec<Effect>) -> bool {
        let (height, round) = (self.state.height, self.state.round);
        let time = self.height.started.saturating_add(if round == 0 { self.config.timing.interval } else { 0 });
        let done = self.state.proposed.is_some_and(|(at, _)| at >= round) || self.state.signed.is_some();
        if federation.proposer(height, round) != me || done || self.now < time {
            return false;
        }
        if let Some(lock) = self.state.lock.clone() {
            self.put_to_vote(lock.block, Some(lock.polka), effects);
            return true;
        }
        if self.height.building != Some(round) {
            self.height.building = Some(round);
            // Nobody votes to lock itself out, whatever it was configured with.
            let safe = |wanted: &&_| dynafed::check_proposal(wanted, &self.params, &self.config.federations).is_ok();
            let proposed = dynafed::vote(self.config.wanted.as_ref().filter(safe), &self.params);
            effects.push(Effect::BuildTemplate { height, prev: self.tip.hash, proposed });
        }
        false
    }

    pub(super) fn take_template(&mut self, block: Box<Block>, effects: &mut Vec<Effect>) {
        let round = self.state.round;
        let wanted = self.seat.is_some()
            && self.height.done.is_none()
            && self.height.building == Some(round)
            && self.state.proposed.is_none_or(|(at, _)| at < round)
            && self.state.lock.is_none()
            && self.state.signed.is_none();
        if wanted && self.fits(&block) {
            let hash = block.block_hash();
            self.height.blocks.insert(hash, Candidate { block: block.clone(), verdict: Some(Verdict::Valid) });
            self.put_to_vote(*block, None, effects);
        }
    }

    fn put_to_vote(&mut self, block: Block, polka: Option<crate::message::Certificate>, effects: &mut Vec<Effect>) {
        let round = self.state.round;
        self.state.proposed = Some((round, block.block_hash()));
        self.commit(Due::Proposal(Proposal { round, block: Box::new(block), polka }), effects);
    }

    /// When the present round has had its time.
    pub(super) fn round_ends(&self) -> Millis {
        let timing = &self.config.timing;
        let more = timing.round_step.saturating_mul(self.state.round.into());
        let length = timing.round.saturating_add(more).min(timing.round_most);
        let wait = if self.state.round == 0 { timing.interval } else { 0 };
        self.height.round_since.saturating_add(wait).saturating_add(length)
    }

    /// Follows the others into a later round, or leaves one that took too long and that X members have reached.
    fn change_round(&mut self, federation: &Federation, me: MemberId) -> bool {
        if self.state.signed.is_some() {
            return false;
        }
        let round = self.state.round;
        let mut ahead: Vec<Round> = self.height.rounds.iter().filter(|(member, _)| **member != me).map(|(_, at)| *at).collect();
        ahead.sort_unstable_by(|a, b| b.cmp(a));
        // One of more than are Byzantine is honest.
        if let Some(target) = ahead.get(usize::from(federation.tolerated())).copied().filter(|target| *target > round) {
            self.enter_round(target.min(round.saturating_add(LONGEST_JUMP)));
            return true;
        }
        let here = 1 + ahead.iter().filter(|at| **at >= round).count();
        if self.now >= self.round_ends() && here >= usize::from(federation.precommit_threshold()) && round < Round::MAX {
            self.enter_round(round + 1);
            return true;
        }
        false
    }

    fn enter_round(&mut self, round: Round) {
        self.state.round = round;
        let height = &mut self.height;
        height.round_since = self.now;
        height.building = None;
        // Say at once where we are, so that the others need not wait for it.
        height.resend_at = self.now;
        let oldest = round.saturating_sub(KEPT_ROUNDS);
        height.votes.forget_below(oldest);
        height.proposals.retain(|at, _| *at >= oldest);
        height.polkas.retain(|at, _| *at >= oldest);
        let lock = self.state.lock.as_ref().map(Lock::hash);
        let decided = height.decided.as_ref().map(|(hash, _)| *hash);
        let offered = height.offered.as_ref().map(|(hash, _)| *hash);
        let alive = |hash: &BlockHash| {
            Some(*hash) == lock
                || Some(*hash) == decided
                || Some(*hash) == offered
                || height.polkas.values().any(|(proven, _)| proven == hash)
                || height.proposals.values().any(|envelope| envelope.body.statement().is_some_and(|s| s.vote.hash == *hash))
        };
        height.blocks.retain(|hash, _| alive(hash));
    }

    /// Says everything of this height again, and asks for blocks that are missing.
    fn resend(&mut self, federation: &Federation, me: MemberId, effects: &mut Vec<Effect>) {
        self.height.resend_at = self.now.saturating_add(self.config.timing.resend);
        self.height.attempts += 1;
        self.height.behind = false;
        if federation.n() > 1 {
            let status = Body::Status { height: self.next_height(), round: self.state.round };
            let status = Envelope::sign(self.config.genesis, me, &self.keys, status);
            effects.push(Effect::Broadcast(Box::new(status)));
            if self.height.done.is_none() {
                effects.extend(self.height.said.values().cloned().map(|said| Effect::Broadcast(Box::new(said))));
                self.ask_for_missing(me, effects);
            }
            self.ask_for_proof(federation, me, effects);
            let halts = self.halted_by();
            let proofs = self.proofs.iter().filter(|proof| halts.contains(&proof.key));
            effects.extend(proofs.map(|proof| Effect::Broadcast(Box::new(self.accusation(proof, me)))));
        }
        // What makes a block invalid may pass, such as a deposit that is not deep enough yet.
        let round = self.state.round;
        let matters = [
            self.height.decided.as_ref().map(|(hash, _)| *hash),
            self.height.polkas.get(&round).map(|(hash, _)| *hash),
            self.height.proposals.get(&round).and_then(|envelope| Some(envelope.body.statement()?.vote.hash)),
        ];
        for hash in matters.into_iter().flatten() {
            if let Some(candidate) = self.height.blocks.get_mut(&hash)
                && candidate.verdict == Some(Verdict::Invalid)
            {
                candidate.verdict = None;
                effects.push(Effect::Validate(candidate.block.clone()));
            }
        }
    }

    /// Asks one after the other for headers without which a double signature cannot be proven.
    fn ask_for_proof(&self, federation: &Federation, me: MemberId, effects: &mut Vec<Effect>) {
        let to = (self.height.attempts % usize::from(federation.n())) as MemberId;
        if to == me {
            return;
        }
        for (height, hash) in self.doubles.missing() {
            let want = Envelope::sign(self.config.genesis, me, &self.keys, Body::Want { height, hash });
            effects.push(Effect::Send { to, message: Box::new(want) });
        }
    }

    fn ask_for_missing(&mut self, me: MemberId, effects: &mut Vec<Effect>) {
        let round = self.state.round;
        let mut wanted: BTreeMap<BlockHash, Vec<MemberId>> = BTreeMap::new();
        let missing =
            |hash: &BlockHash| self.height.blocks.get(hash).is_none_or(|candidate| candidate.verdict == Some(Verdict::Invalid));
        for (hash, proof) in self.height.decided.iter().chain(self.height.polkas.values()).filter(|(hash, _)| missing(hash)) {
            wanted.entry(*hash).or_default().extend(proof.votes.iter().map(|(member, _)| *member));
        }
        // A proposal is more than its block: without it there is no prevote.
        if !self.height.proposals.contains_key(&round) {
            for (member, hash) in self.height.votes.votes(StatementKind::Prevote, round) {
                wanted.entry(hash).or_default().push(member);
            }
        }
        for (hash, mut holders) in wanted {
            holders.retain(|member| *member != me);
            if holders.is_empty() {
                continue;
            }
            let to = holders[self.height.attempts % holders.len()];
            let want = Envelope::sign(self.config.genesis, me, &self.keys, Body::Want { height: self.next_height(), hash });
            effects.push(Effect::Send { to, message: Box::new(want) });
        }
    }
}
