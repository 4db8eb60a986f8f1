//! Which blocks are wanted, and who was asked for which.

use crate::wire::Peer;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;
use tokio::time::Instant;

/// Blocks asked of one peer at a time.
const PER_PEER: usize = 16;
/// A peer that has been asked must send one of its blocks within this time.
const BLOCK_DEADLINE: Duration = Duration::from_secs(15);

/// The queue of blocks to fetch. Each is asked of one peer at a time.
pub(crate) struct Blocks<H> {
    queue: VecDeque<H>,
    asked: HashMap<H, Peer>,
    deadlines: BTreeMap<Peer, Instant>,
}

impl<H: Copy + Eq + Hash> Blocks<H> {
    pub(crate) fn new() -> Self {
        Blocks { queue: VecDeque::new(), asked: HashMap::new(), deadlines: BTreeMap::new() }
    }

    /// Wants a block. Wanting it twice fetches it once.
    pub(crate) fn want(&mut self, hash: H) {
        if !self.asked.contains_key(&hash) && !self.queue.contains(&hash) {
            self.queue.push_back(hash);
        }
    }

    /// No longer wants a block.
    pub(crate) fn forget(&mut self, hash: &H) {
        self.queue.retain(|queued| queued != hash);
        self.asked.remove(hash);
    }

    /// Deals what is queued to peers that have room.
    pub(crate) fn assign(&mut self, peers: &[Peer]) -> Vec<(Peer, Vec<H>)> {
        let mut dealt: BTreeMap<Peer, Vec<H>> = BTreeMap::new();
        let mut load: BTreeMap<Peer, usize> = peers.iter().map(|peer| (*peer, 0)).collect();
        for peer in self.asked.values() {
            load.entry(*peer).and_modify(|n| *n += 1);
        }
        while !self.queue.is_empty() {
            let Some((peer, n)) = load.iter_mut().min_by_key(|(_, n)| **n).filter(|(_, n)| **n < PER_PEER) else { break };
            let Some(hash) = self.queue.pop_front() else { break };
            *n += 1;
            self.asked.insert(hash, *peer);
            self.deadlines.entry(*peer).or_insert_with(|| Instant::now() + BLOCK_DEADLINE);
            dealt.entry(*peer).or_default().push(hash);
        }
        dealt.into_iter().collect()
    }

    /// A peer sent a block. Whether it was asked for it.
    pub(crate) fn received(&mut self, peer: Peer, hash: &H) -> bool {
        if self.asked.get(hash) != Some(&peer) {
            return false;
        }
        self.asked.remove(hash);
        if self.asked.values().any(|asked| *asked == peer) {
            self.deadlines.insert(peer, Instant::now() + BLOCK_DEADLINE);
        } else {
            self.deadlines.remove(&peer);
        }
        true
    }

    /// A peer will send nothing more: what it was asked for goes back to the front of the queue.
    pub(crate) fn down(&mut self, peer: Peer) {
        self.deadlines.remove(&peer);
        let mut lost = vec![];
        self.asked.retain(|hash, asked| {
            let keep = *asked != peer;
            if !keep {
                lost.push(*hash);
            }
            keep
        });
        for hash in lost {
            self.queue.push_front(hash);
        }
    }

    /// Whether this peer was asked for this block.
    pub(crate) fn is_asked(&self, peer: Peer, hash: &H) -> bool {
        self.asked.get(hash) == Some(&peer)
    }

    /// The next time at which somebody is late.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadlines.values().min().copied()
    }

    /// Peers that are late.
    pub(crate) fn late(&self) -> Vec<Peer> {
        let now = Instant::now();
        self.deadlines.iter().filter(|(_, at)| **at <= now).map(|(peer, _)| *peer).collect()
    }
}
