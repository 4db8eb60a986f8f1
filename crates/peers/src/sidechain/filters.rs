//! One stretch of filters: asked of one peer, with the filter headers of others as witnesses.
//!
//! Nothing in a block commits to its filter, so a filter is as good as the agreement of the peers. Where a witness disagrees about a
//! block, that block is fetched whatever its filter says: then nobody needs to be believed. What remains is the case in which every
//! connected peer tells the same lie; with a single peer, its word.

use crate::wire::{Message, Peer};
use bitcoin::bip158::{FilterHash, FilterHeader};
use bitcoin::p2p::message_filter::{CFHeaders, CFilter, GetCFHeaders, GetCFilters};
use causeway_sidechain::consensus::filter::{Filter, chain};
use causeway_vocab::{Height, Tip};
use elements::BlockHash;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Filters asked for at once; more than 1,000 are refused by nodes.
pub(crate) const STRETCH: u32 = 1_000;
/// Witnesses asked besides the peer that serves the filters.
const WITNESSES: usize = 2;
/// A peer must answer, and then go on answering, within this time.
const DEADLINE: Duration = Duration::from_secs(15);
/// A node indexes the filter of a block a moment after it announces the block, and ignores a request that comes in between.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LONGEST_RETRY: Duration = Duration::from_secs(2);
/// Only a short stretch at the tip can be unindexed yet.
const AT_THE_TIP: u32 = 16;

/// What came of a message.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// Not for this job.
    Foreign,
    /// Wait for more.
    Waiting,
    /// Say this to the serving peer.
    Ask(Message),
    /// A filter that the serving peer committed to. `disputed`: a witness commits to another.
    Filter { at: Tip<BlockHash>, filter: Filter, disputed: bool },
    /// The peer contradicts itself or what was asked.
    Bad(Peer),
}

/// A stretch of consecutive blocks whose filters are being fetched.
pub(crate) struct Job {
    blocks: Vec<Tip<BlockHash>>,
    server: Peer,
    /// The filter header before the stretch, where an earlier stretch of the same server ended.
    previous: Option<FilterHeader>,
    hashes: Option<Vec<FilterHash>>,
    /// The filter header at the end of the stretch, once `hashes` are known.
    last_header: Option<FilterHeader>,
    witnesses: BTreeMap<Peer, Option<Vec<FilterHash>>>,
    asked_for_filters: bool,
    /// How many filters have come.
    done: usize,
    deadline: Instant,
    retry: Option<(Instant, Duration)>,
}

fn wire(hash: BlockHash) -> bitcoin::BlockHash {
    use bitcoin::hashes::Hash as _;
    bitcoin::BlockHash::from_byte_array(elements::hashes::Hash::to_byte_array(hash))
}

impl Job {
    /// A job for `blocks` (ascending, at most [`STRETCH`], not empty). `previous` is the filter header below them, if known.
    pub(crate) fn new(blocks: Vec<Tip<BlockHash>>, server: Peer, others: &[Peer], previous: Option<FilterHeader>) -> Job {
        let short = blocks.len() <= AT_THE_TIP as usize;
        Job {
            blocks,
            server,
            previous,
            hashes: None,
            last_header: None,
            witnesses: others.iter().filter(|p| **p != server).take(WITNESSES).map(|p| (*p, None)).collect(),
            asked_for_filters: false,
            done: 0,
            deadline: Instant::now() + DEADLINE,
            retry: short.then(|| (Instant::now() + FIRST_RETRY, FIRST_RETRY)),
        }
    }

    /// Who serves the filters.
    pub(crate) fn server(&self) -> Peer {
        self.server
    }

    fn first(&self) -> Height {
        self.blocks[0].height
    }

    fn stop(&self) -> bitcoin::BlockHash {
        wire(self.last().hash)
    }

    /// The last block of the stretch.
    pub(crate) fn last(&self) -> Tip<BlockHash> {
        self.blocks[self.blocks.len() - 1]
    }

    /// The first messages to send.
    pub(crate) fn requests(&self) -> Vec<(Peer, Message)> {
        let ask = || Message::GetCFHeaders(GetCFHeaders { filter_type: 0, start_height: self.first(), stop_hash: self.stop() });
        std::iter::once(self.server).chain(self.witnesses.keys().copied()).map(|peer| (peer, ask())).collect()
    }

    fn ask_for_filters(&self) -> Message {
        let start_height = self.blocks[self.done].height;
        Message::GetCFilters(GetCFilters { filter_type: 0, start_height, stop_hash: self.stop() })
    }

    /// Takes filter headers.
    pub(crate) fn headers(&mut self, peer: Peer, message: &CFHeaders) -> Step {
        if message.filter_type != 0 || message.stop_hash != self.stop() || self.asked_for_filters {
            return Step::Foreign;
        }
        let whole = message.filter_hashes.len() == self.blocks.len();
        if peer == self.server {
            if self.hashes.is_some() {
                return Step::Waiting;
            }
            if !whole || self.previous.is_some_and(|previous| previous != message.previous_filter_header) {
                return Step::Bad(peer);
            }
            let end = message.filter_hashes.iter().fold(message.previous_filter_header, |header, hash| chain(*hash, &header));
            self.last_header = Some(end);
            self.hashes = Some(message.filter_hashes.clone());
        } else {
            match self.witnesses.get_mut(&peer) {
                None => return Step::Foreign,
                Some(_) if !whole => return Step::Bad(peer),
                Some(slot) => *slot = Some(message.filter_hashes.clone()),
            }
        }
        self.proceed()
    }

    /// Goes on to the filters once everybody has spoken.
    fn proceed(&mut self) -> Step {
        if self.asked_for_filters || self.hashes.is_none() || self.witnesses.values().any(Option::is_none) {
            return Step::Waiting;
        }
        self.asked_for_filters = true;
        self.deadline = Instant::now() + DEADLINE;
        self.retry = self.retry.map(|_| (Instant::now() + FIRST_RETRY, FIRST_RETRY));
        Step::Ask(self.ask_for_filters())
    }

    /// Takes a filter.
    pub(crate) fn filter(&mut self, peer: Peer, message: CFilter) -> Step {
        let (Some(at), Some(hashes)) = (self.blocks.get(self.done).copied(), &self.hashes) else { return Step::Foreign };
        if peer != self.server || message.filter_type != 0 || message.block_hash != wire(at.hash) {
            return Step::Foreign;
        }
        let filter = Filter(message.filter);
        let hash = hashes[self.done];
        if filter.hash() != hash {
            return Step::Bad(peer);
        }
        let disputed = self.witnesses.values().flatten().any(|theirs| theirs[self.done] != hash);
        self.done += 1;
        self.deadline = Instant::now() + DEADLINE;
        Step::Filter { at, filter, disputed }
    }

    /// A peer is gone. `false` when the job cannot go on without it.
    pub(crate) fn down(&mut self, peer: Peer) -> Option<Step> {
        if peer == self.server {
            return None;
        }
        self.witnesses.remove(&peer);
        Some(self.proceed())
    }

    /// The filter header at the end of the stretch, once every filter has come.
    pub(crate) fn finished(&self) -> Option<(Height, Option<FilterHeader>)> {
        (self.done == self.blocks.len()).then(|| (self.last().height, self.last_header))
    }

    /// When [`Job::late`] should be called next.
    pub(crate) fn wake(&self) -> Instant {
        self.retry.map_or(self.deadline, |(at, _)| at.min(self.deadline))
    }

    /// Asks again what a node may have ignored, or names the peers that took too long.
    pub(crate) fn late(&mut self) -> (Vec<(Peer, Message)>, Vec<Peer>) {
        let now = Instant::now();
        if self.deadline <= now {
            let silent = self.witnesses.iter().filter(|(_, slot)| slot.is_none()).map(|(peer, _)| *peer);
            let server = (self.hashes.is_none() || self.asked_for_filters).then_some(self.server);
            return (vec![], silent.filter(|_| !self.asked_for_filters).chain(server).collect());
        }
        let Some((at, pause)) = self.retry.filter(|(at, _)| *at <= now) else { return (vec![], vec![]) };
        let pause = (pause * 2).min(LONGEST_RETRY);
        self.retry = Some((at + pause, pause));
        let again = if self.asked_for_filters {
            vec![(self.server, self.ask_for_filters())]
        } else {
            let silent: Vec<Peer> = self.witnesses.iter().filter(|(_, slot)| slot.is_none()).map(|(peer, _)| *peer).collect();
            self.requests()
                .into_iter()
                .filter(|(peer, _)| silent.contains(peer) || (*peer == self.server && self.hashes.is_none()))
                .collect()
        };
        (again, vec![])
    }
}
