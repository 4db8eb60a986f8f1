//! Transactions in no block: hearing of those that pay us, and getting ours accepted.
//!
//! Nobody tells us whether a transaction was accepted. But a node answers `getdata` for a transaction only if it is in its mempool, so
//! after offering one we keep asking for it: the peer that gives it back has accepted it.

use crate::wire::{Message, Peer, Pool};
use bitcoin::Txid;
use bitcoin::hashes::Hash as _;
use bitcoin::p2p::message_blockdata::Inventory;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How often an offered transaction is asked for.
pub(crate) const PROBE_PERIOD: Duration = Duration::from_millis(250);
/// How long a broadcast may take. Nodes make a transaction visible to a stranger within some seconds.
const ACCEPT_DEADLINE: Duration = Duration::from_secs(30);
/// An accepted transaction is served to peers that ask for it for so long.
const OFFER_LIFE: Duration = Duration::from_secs(15 * 60);
/// Announced transactions remembered, so that each is fetched once.
const MOST_SEEN: usize = 16_384;
/// Transactions asked of one peer and not yet received.
const MOST_ASKED: usize = 256;
/// Most entries of one announcement that are looked at.
const MOST_ANNOUNCED: usize = 1_000;

/// A transaction of either chain, as far as relaying is concerned.
pub(crate) trait RelayTx: Sized {
    /// What outputs pay to.
    type Script: Eq + Hash;
    /// Reads one; `None` when malformed.
    fn decode(raw: &[u8]) -> Option<Self>;
    /// Its id.
    fn id(&self) -> Txid;
    /// The scripts it pays.
    fn scripts(&self) -> impl Iterator<Item = &Self::Script>;
}

impl RelayTx for bitcoin::Transaction {
    type Script = bitcoin::ScriptBuf;

    fn decode(raw: &[u8]) -> Option<Self> {
        bitcoin::consensus::deserialize(raw).ok()
    }

    fn id(&self) -> Txid {
        self.compute_txid()
    }

    fn scripts(&self) -> impl Iterator<Item = &Self::Script> {
        self.output.iter().map(|output| &output.script_pubkey)
    }
}

impl RelayTx for elements::Transaction {
    type Script = elements::Script;

    fn decode(raw: &[u8]) -> Option<Self> {
        elements::encode::deserialize(raw).ok()
    }

    fn id(&self) -> Txid {
        Txid::from_byte_array(self.txid().to_byte_array())
    }

    fn scripts(&self) -> impl Iterator<Item = &Self::Script> {
        self.output.iter().map(|output| &output.script_pubkey)
    }
}

/// How a broadcast ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A peer holds it, or a block.
    Accepted,
    /// Peers were there, and none showed it.
    NotAccepted,
    /// Nobody was there.
    NoPeers,
}

struct Offer {
    raw: Vec<u8>,
    since: Instant,
    replies: Vec<oneshot::Sender<Outcome>>,
    /// Peers that were given the transaction.
    given: HashSet<Peer>,
}

/// The relay of one network.
pub(crate) struct Relay {
    offers: HashMap<Txid, Offer>,
    seen: HashSet<Txid>,
    seen_order: VecDeque<Txid>,
    asked: HashMap<Peer, HashSet<Txid>>,
    fee_filters: HashMap<Peer, u64>,
}

impl Relay {
    pub(crate) fn new() -> Relay {
        Relay {
            offers: HashMap::new(),
            seen: HashSet::new(),
            seen_order: VecDeque::new(),
            asked: HashMap::new(),
            fee_filters: HashMap::new(),
        }
    }

    /// Whether [`Relay::tick`] has something to do.
    pub(crate) fn is_busy(&self) -> bool {
        self.offers.values().any(|offer| !offer.replies.is_empty())
    }

    /// The highest relay floor among the peers, atoms per 1,000 virtual bytes.
    pub(crate) fn fee_floor(&self) -> Option<u64> {
        self.fee_filters.values().copied().max()
    }

    /// Starts offering a transaction to everybody.
    pub(crate) fn broadcast(&mut self, pool: &Pool, id: Txid, raw: Vec<u8>, reply: oneshot::Sender<Outcome>) {
        self.offers.retain(|_, offer| !offer.replies.is_empty() || offer.since.elapsed() < OFFER_LIFE);
        let offer = self.offers.entry(id).or_insert(Offer { raw, since: Instant::now(), replies: vec![], given: HashSet::new() });
        offer.since = Instant::now();
        offer.given.clear();
        offer.replies.push(reply);
        for (peer, _) in pool.peers() {
            announce(pool, peer, id);
        }
    }

    /// A peer has come.
    pub(crate) fn up(&mut self, pool: &Pool, peer: Peer) {
        for (id, offer) in &self.offers {
            if offer.since.elapsed() < OFFER_LIFE {
                announce(pool, peer, *id);
            }
        }
    }

    /// A peer is gone.
    pub(crate) fn down(&mut self, peer: Peer) {
        self.asked.remove(&peer);
        self.fee_filters.remove(&peer);
    }

    /// A peer told its relay floor.
    pub(crate) fn fee_filter(&mut self, peer: Peer, rate: u64) {
        self.fee_filters.insert(peer, rate);
    }

    /// A peer announced something: asks for the transactions among it that are new.
    pub(crate) fn inventory(&mut self, pool: &Pool, peer: Peer, list: &[Inventory]) {
        let asked = self.asked.entry(peer).or_default();
        let mut wanted = vec![];
        for entry in list.iter().take(MOST_ANNOUNCED) {
            let (Inventory::Transaction(id) | Inventory::WitnessTransaction(id)) = entry else { continue };
            if asked.len() < MOST_ASKED && !self.offers.contains_key(id) && self.seen.insert(*id) {
                self.seen_order.push_back(*id);
                asked.insert(*id);
                wanted.push(Inventory::WitnessTransaction(*id));
            }
        }
        while self.seen_order.len() > MOST_SEEN {
            if let Some(oldest) = self.seen_order.pop_front() {
                self.seen.remove(&oldest);
            }
        }
        if !wanted.is_empty() {
            pool.send(peer, Message::GetData(wanted));
        }
    }

    /// A peer asks for something: gives what we offer, and says so of what we do not.
    pub(crate) fn get_data(&mut self, pool: &Pool, peer: Peer, list: &[Inventory]) {
        let mut missing = vec![];
        for entry in list.iter().take(MOST_ANNOUNCED) {
            let offer = match entry {
                Inventory::Transaction(id) | Inventory::WitnessTransaction(id) => self.offers.get_mut(id),
                _ => None,
            };
            match offer {
                // Once per peer and broadcast: a peer that asks again and again must not use us as an amplifier.
                Some(offer) => {
                    if offer.given.insert(peer) {
                        pool.send(peer, Message::Tx(offer.raw.clone()));
                    }
                }
                None => missing.push(*entry),
            }
        }
        if !missing.is_empty() {
            pool.send(peer, Message::NotFound(missing));
        }
    }

    /// A peer has not got something.
    pub(crate) fn not_found(&mut self, peer: Peer, list: &[Inventory]) {
        if let Some(asked) = self.asked.get_mut(&peer) {
            for entry in list {
                if let Inventory::Transaction(id) | Inventory::WitnessTransaction(id) = entry {
                    asked.remove(id);
                }
            }
        }
    }

    /// A peer sent a transaction. Gives it back if it pays a watched script. `Err` when it is malformed.
    pub(crate) fn transaction<T: RelayTx>(
        &mut self,
        peer: Peer,
        raw: &[u8],
        watched: &HashSet<T::Script>,
    ) -> Result<Option<T>, ()> {
        let tx = T::decode(raw).ok_or(())?;
        let id = tx.id();
        if self.offers.contains_key(&id) {
            self.accepted(id);
            return Ok(None);
        }
        let asked = self.asked.get_mut(&peer).is_some_and(|asked| asked.remove(&id));
        let ours = asked && tx.scripts().any(|script| watched.contains(script));
        Ok(ours.then_some(tx))
    }

    /// A transaction is known to be in a mempool or a block.
    pub(crate) fn accepted(&mut self, id: Txid) {
        if let Some(offer) = self.offers.get_mut(&id) {
            for reply in offer.replies.drain(..) {
                // The caller may have lost interest.
                let _ = reply.send(Outcome::Accepted);
            }
        }
    }

    /// Asks again for what is offered, and gives up on what took too long. Call it every [`PROBE_PERIOD`] while busy.
    pub(crate) fn tick(&mut self, pool: &Pool) {
        let peers: Vec<Peer> = pool.peers().map(|(peer, _)| peer).collect();
        for (id, offer) in self.offers.iter_mut().filter(|(_, offer)| !offer.replies.is_empty()) {
            if offer.since.elapsed() > ACCEPT_DEADLINE {
                let outcome = if peers.is_empty() { Outcome::NoPeers } else { Outcome::NotAccepted };
                for reply in offer.replies.drain(..) {
                    let _ = reply.send(outcome);
                }
                continue;
            }
            for peer in &peers {
                // A node that is in no hurry to ask is given the transaction unasked; it takes it all the same.
                if offer.given.insert(*peer) {
                    pool.send(*peer, Message::Tx(offer.raw.clone()));
                }
                pool.send(*peer, Message::GetData(vec![Inventory::WitnessTransaction(*id)]));
            }
        }
    }
}

fn announce(pool: &Pool, peer: Peer, id: Txid) {
    pool.send(peer, Message::Inv(vec![Inventory::WitnessTransaction(id)]));
    pool.send(peer, Message::GetData(vec![Inventory::WitnessTransaction(id)]));
}
