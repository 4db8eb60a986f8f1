//! Matching: stretches of filters, and peers that are asked whether they would have said the same.

use super::super::filters::{Job, STRETCH, Step};
use super::{Actor, HeaderSync, QUORUM, WITNESS_GRACE, to_wire};
use crate::wire::{Message, Misconduct, Peer};
use bitcoin::p2p::message_filter::{CFHeaders, CFilter, GetCFHeaders};
use causeway_sidechain::consensus::filter;
use causeway_vocab::{Code, Refusal, Tip};
use elements::BlockHash;
use tokio::time::Instant;

impl Actor {
    pub(super) fn start_job(&mut self) {
        let filtered_to = self.scan.filtered_to();
        let first = filtered_to + 1;
        let last = self.tip().height.min(filtered_to.saturating_add(STRETCH));
        let ready: Vec<Peer> = self.ready_peers();
        let Some(server) = ready.first().copied() else {
            self.grace = None;
            return;
        };
        let grace = *self.grace.get_or_insert_with(|| Instant::now() + WITNESS_GRACE);
        if ready.len() < QUORUM.min(self.params.peers.len()) && Instant::now() < grace {
            return;
        }
        let blocks: Vec<Tip<BlockHash>> = {
            let chain = self.shared.chain();
            (first..=last).filter_map(|height| chain.at(height)).collect()
        };
        if blocks.is_empty() {
            return;
        }
        let previous = self.filter_tip.filter(|(height, _)| height + 1 == first).map(|(_, header)| header);
        let job = Job::new(blocks, server, &ready, previous);
        for (peer, message) in job.requests() {
            self.pool.send(peer, message);
        }
        self.job = Some(job);
    }

    /// Asks peers that had no part in what was matched so far whether they would have said the same. One filter header commits to
    /// all before it, so one question is enough.
    pub(super) fn compare(&mut self) {
        let Some((height, header)) = self.filter_tip else { return };
        let Some(at) = self.shared.chain().at(height) else { return };
        let stop_hash = to_wire(&at.hash);
        for (peer, state) in self.peers.iter_mut().filter(|(_, state)| state.sync == HeaderSync::Done && !state.compared) {
            state.compared = true;
            self.comparing.insert(*peer, (stop_hash, header));
            let ask = GetCFHeaders { filter_type: 0, start_height: height, stop_hash };
            self.pool.send(*peer, Message::GetCFHeaders(ask));
        }
    }

    pub(super) fn compared(&mut self, peer: Peer, message: &CFHeaders) {
        let Some((_, ours)) = self.comparing.get(&peer).copied().filter(|(stop, _)| *stop == message.stop_hash) else {
            return self.unasked(peer);
        };
        self.comparing.remove(&peer);
        let end = message.filter_hashes.iter().fold(message.previous_filter_header, |header, hash| filter::chain(*hash, &header));
        if end == ours {
            return;
        }
        // Somebody lies, and nobody can say who: match everything again with both at the table.
        let address = self.pool.address(peer);
        self.fault(Refusal::new(Code::BadPeer).with("peer", address).with("why", Misconduct::BadFilter.word()));
        if let Some(first) = self.first_match.take() {
            self.filter_tip = None;
            self.rewind(first);
        }
    }

    pub(super) fn filter(&mut self, peer: Peer, message: CFilter) {
        match self.job.as_mut().map(|job| job.filter(peer, message)) {
            Some(Step::Foreign) | None => self.unasked(peer),
            Some(step) => self.step(step),
        }
    }

    pub(super) fn step(&mut self, step: Step) {
        match step {
            Step::Foreign | Step::Waiting => {}
            Step::Ask(message) => {
                if let Some(server) = self.job.as_ref().map(Job::server) {
                    self.pool.send(server, message);
                }
            }
            Step::Bad(peer) => self.bad_filter(peer),
            Step::Filter { at, filter, disputed } => {
                let matches = if self.watched.is_empty() { Ok(false) } else { filter.matches_any(&at.hash, &self.watched) };
                let wanted = match (matches, self.job.as_ref().map(Job::server)) {
                    (Err(_), Some(server)) => return self.bad_filter(server),
                    (matches, _) => disputed || matches != Ok(false),
                };
                self.scan.filtered(at, wanted);
                if wanted {
                    self.blocks.want(at.hash);
                }
                if let Some((height, header)) = self.job.as_ref().and_then(Job::finished) {
                    self.filter_tip = header.map(|header| (height, header));
                    self.job = None;
                }
            }
        }
    }

    fn bad_filter(&mut self, peer: Peer) {
        // Two stretches that do not fit together: the next server is judged by itself.
        self.filter_tip = None;
        self.punish(peer, Misconduct::BadFilter);
    }
}
