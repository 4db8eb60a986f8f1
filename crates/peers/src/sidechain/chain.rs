//! The verified header chain: grown from `headers` messages, switched when a longer signed fork shows up.

use super::anchor::Anchor;
use crate::event::{Against, Headers, Misrule, ResumePoint};
use causeway_federation::DoubleSign;
use causeway_sidechain::consensus::header::{HeaderChain, HeaderFault, MAX_ROLLBACK, decode, decode_prefix};
use causeway_sidechain::consensus::pinned::{Forbidden, Pinned};
use causeway_sidechain::consensus::signature::{Multisig, Signers, verify_own_signatures};
use causeway_vocab::{Height, SidechainParams, Tip};
use elements::{BlockExtData, BlockHash, BlockHeader};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Headers that one message may carry.
const MOST_HEADERS: usize = 2_000;
/// Confirmations after which a block is taken to stay: two, as the watchmen pay peg-outs.
const FINAL: Height = 2;
/// Fewer headers than these are checked where they are; more are spread over the cores.
const FEW: usize = 32;
/// The last headers of a resume point are checked with their signatures again, as a test of what was kept.
const RECHECKED: usize = 16;

/// A header with the bytes it came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) header: BlockHeader,
    pub(crate) raw: Vec<u8>,
}

/// What a `headers` message changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing new in it.
    Nothing,
    /// The best chain has grown.
    Extended(Headers),
    /// Another branch is now the best: everything above `fork` is undone.
    Switched {
        /// The last common block.
        fork: Tip<BlockHash>,
        /// How many blocks were undone.
        depth: u32,
        /// The new branch.
        headers: Headers,
    },
    /// A branch that is not longer than ours; it is remembered, and its tip can be asked about.
    Branch,
}

/// Why a `headers` message was refused. Headers before the bad one stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeadersFault {
    /// Not a `headers` message, or headers that do not follow each other.
    Garbage,
    /// The first header builds on nothing we know.
    Unconnected,
    /// The branch leaves our chain further back than can be undone.
    TooDeep(Height),
    /// A header breaks a rule, and the federation has not signed it.
    Bad(Height, HeaderFault),
    /// A header that every rule allows is not where shipped data says the chain passes.
    Forbidden(Height, Forbidden),
    /// A header breaks a rule, and the federation has signed it.
    Misrule(Misrule),
}

/// A refused message, with what it changed before the refusal.
pub(crate) type Outcome = (Change, Option<HeadersFault>);

struct Branch {
    fork: Tip<BlockHash>,
    chain: HeaderChain,
    headers: Vec<Received>,
}

/// The best chain of verified headers.
pub(crate) struct Chain {
    headers: HeaderChain,
    /// By height, from the genesis block or the anchor on.
    index: Vec<Tip<BlockHash>>,
    heights: HashMap<BlockHash, Height>,
    /// The last of them in full, the tip last.
    recent: VecDeque<BlockHeader>,
    branch: Option<Branch>,
    /// The branch from below final blocks that was found last.
    broken: Option<Misrule>,
    /// The first block of the last one that was told.
    told: Option<BlockHash>,
    pinned: Arc<Pinned>,
}

impl Chain {
    /// Starts from the genesis block or an anchor and takes over as much of the resume point as holds.
    ///
    /// Kept headers were verified before they were told, so their linkage and dynafed rules are checked again, their signatures only
    /// at the end. `None` when the parameters have no genesis.
    pub(crate) fn resume(
        params: Arc<SidechainParams>,
        pinned: Arc<Pinned>,
        anchor: Option<Anchor>,
        resume: &ResumePoint,
        now: u64,
    ) -> Option<Chain> {
        let (headers, first) = match anchor.map(Anchor::into_parts) {
            Some((header, state)) => (HeaderChain::resume(params, state), header),
            None => {
                let headers = HeaderChain::new(params)?;
                let genesis = headers.params().genesis()?.header;
                (headers, genesis)
            }
        };
        let base = headers.tip();
        let mut chain = Chain {
            headers,
            index: vec![base],
            heights: HashMap::from([(base.hash, base.height)]),
            recent: VecDeque::from([first]),
            branch: None,
            broken: None,
            told: None,
            pinned,
        };
        if resume.first == base.height + 1 {
            for (left, raw) in (1..=resume.headers.len()).rev().zip(&resume.headers) {
                let Ok(header) = decode(raw) else { break };
                // What was followed before it was denied is left again.
                if chain.pinned.forbids(header.height, &header.block_hash()).is_some() {
                    break;
                }
                let signers = if left <= RECHECKED {
                    verify_own_signatures(&header, chain.headers.params()).ok()
                } else {
                    claimed_signers(&header, chain.headers.params())
                };
                let Some(signers) = signers else { break };
                match chain.headers.accept_verified(&header, &signers, now) {
                    Ok(tip) => chain.push(tip, header),
                    Err(_) => break,
                }
            }
        }
        Some(chain)
    }

    pub(crate) fn headers(&self) -> &HeaderChain {
        &self.headers
    }

    pub(crate) fn tip(&self) -> Tip<BlockHash> {
        self.headers.tip()
    }

    /// The block below which nothing is known: the genesis block or the anchor.
    pub(crate) fn base(&self) -> Tip<BlockHash> {
        self.index[0]
    }

    pub(crate) fn pinned(&self) -> &Arc<Pinned> {
        &self.pinned
    }

    pub(crate) fn at(&self, height: Height) -> Option<Tip<BlockHash>> {
        self.index.get(height.checked_sub(self.base().height)? as usize).copied()
    }

    pub(crate) fn height_of(&self, hash: &BlockHash) -> Option<Height> {
        self.heights.get(hash).copied()
    }

    /// The full header at a height, if it is one of the last 2,016.
    pub(crate) fn header(&self, height: Height) -> Option<&BlockHeader> {
        let above = self.tip().height.checked_sub(height)? as usize;
        self.recent.get(self.recent.len().checked_sub(above + 1)?)
    }

    /// What to tell a peer so that it finds where our chains part: the last ten blocks, then ever larger steps, then the base. Starts
    /// with the remembered branch when `branch` is set.
    pub(crate) fn locator(&self, branch: bool) -> Vec<BlockHash> {
        let mut locator = vec![];
        if let Some(branch) = self.branch.as_ref().filter(|_| branch) {
            locator.push(branch.chain.tip().hash);
        }
        let mut above = self.index.len() - 1;
        let mut step = 1;
        while above > 0 {
            locator.push(self.index[above].hash);
            if locator.len() >= 10 {
                step *= 2;
            }
            above = above.saturating_sub(step);
        }
        locator.push(self.index[0].hash);
        locator
    }

    /// Takes the headers of a message whose signatures have been checked by [`verify`].
    pub(crate) fn add(&mut self, batch: Vec<(Received, Result<Signers, HeaderFault>)>, now: u64) -> Outcome {
        let known = batch.iter().take_while(|(r, _)| self.heights.contains_key(&r.header.block_hash())).count();
        let mut batch = batch.into_iter().skip(known).peekable();
        let Some((first, _)) = batch.peek() else { return (Change::Nothing, None) };
        let parent = first.header.prev_blockhash;
        if parent == self.tip().hash {
            let from = self.tip().height + 1;
            let mut raw = vec![];
            let mut fault = None;
            for (received, signers) in batch {
                match accept(&mut self.headers, &self.pinned, &received.header, signers, now) {
                    Ok(tip) => {
                        raw.push(received.raw);
                        self.push(tip, received.header);
                    }
                    Err(refused) => {
                        fault = Some(refused.after(self.tip().height, vec![], received));
                        break;
                    }
                }
            }
            let change = if raw.is_empty() { Change::Nothing } else { Change::Extended(Headers { first: from, raw }) };
            return (change, fault);
        }
        let branch = match (self.height_of(&parent), self.branch.take()) {
            (None, Some(branch)) if branch.chain.tip().hash == parent => branch,
            (None, other) => {
                // A message may repeat the remembered branch from its start.
                self.branch = other;
                return (Change::Nothing, Some(HeadersFault::Unconnected));
            }
            (Some(fork), _) => {
                let mut chain = self.headers.clone();
                match chain.roll_back_to(fork) {
                    Ok(fork) => Branch { fork, chain, headers: vec![] },
                    Err(_) => return (Change::Nothing, Some(HeadersFault::TooDeep(fork))),
                }
            }
        };
        self.grow(branch, batch, now)
    }

    fn grow(
        &mut self,
        mut branch: Branch,
        batch: impl Iterator<Item = (Received, Result<Signers, HeaderFault>)>,
        now: u64,
    ) -> Outcome {
        let mut fault = None;
        for (received, signers) in batch {
            match accept(&mut branch.chain, &self.pinned, &received.header, signers, now) {
                Ok(_) => branch.headers.push(received),
                Err(refused) => {
                    let before = branch.headers.iter().map(|received| received.raw.clone()).collect();
                    fault = Some(refused.after(branch.fork.height, before, received));
                    break;
                }
            }
        }
        if branch.headers.is_empty() {
            return (Change::Nothing, fault);
        }
        self.judge(&branch);
        // Every block counts the same. Of two branches of one length the first seen stays.
        if branch.chain.tip().height <= self.tip().height {
            self.branch = Some(branch);
            return (Change::Branch, fault);
        }
        let fork = branch.fork;
        let depth = self.tip().height - fork.height;
        let keep = (fork.height - self.base().height) as usize + 1;
        for gone in self.index.drain(keep..) {
            self.heights.remove(&gone.hash);
        }
        self.recent.truncate(self.recent.len().saturating_sub(depth as usize));
        self.headers = branch.chain;
        let mut raw = vec![];
        for received in branch.headers {
            let header = received.header;
            self.push(Tip { height: header.height, hash: header.block_hash(), time: header.time }, header);
            raw.push(received.raw);
        }
        (Change::Switched { fork, depth, headers: Headers { first: fork.height + 1, raw } }, fault)
    }

    /// A signed branch that leaves our chain below a final block: the federation has signed two histories.
    fn judge(&mut self, branch: &Branch) {
        let first = branch.headers.first().map(|received| received.header.block_hash());
        if self.tip().height < branch.fork.height.saturating_add(FINAL) || self.told == first {
            return;
        }
        let ours =
            (branch.fork.height + 1..=self.tip().height).map(|height| self.header(height).map(elements::encode::serialize));
        let Some(ours) = ours.collect::<Option<Vec<_>>>() else { return };
        self.told = first;
        self.broken = Some(Misrule {
            fork: branch.fork.height,
            headers: branch.headers.iter().map(|received| received.raw.clone()).collect(),
            hash: branch.chain.tip().hash,
            rule: "two-histories",
            against: Against::Final(ours),
        });
    }

    /// A branch from below final blocks, if one was found since this was asked last.
    pub(crate) fn take_broken(&mut self) -> Option<Misrule> {
        self.broken.take()
    }

    /// Whether somebody proves against a member: `None` while the height is not reached.
    pub(crate) fn convicts(&self, proof: &DoubleSign) -> Option<bool> {
        let header = match proof.height() {
            height if height > self.tip().height => return None,
            height => self.header(height),
        };
        let member = header.is_some_and(|header| match &header.ext {
            BlockExtData::Dynafed { signblock_witness, .. } => {
                let set = signblock_witness.last().and_then(|script| Multisig::parse(script));
                set.is_some_and(|set| set.keys.contains(&proof.key))
            }
            BlockExtData::Proof { .. } => false,
        });
        Some(member && proof.verify())
    }

    fn push(&mut self, tip: Tip<BlockHash>, header: BlockHeader) {
        self.heights.insert(tip.hash, tip.height);
        self.index.push(tip);
        self.recent.push_back(header);
        if self.recent.len() > MAX_ROLLBACK {
            self.recent.pop_front();
        }
    }
}

/// A header that the chain did not take.
enum Refused {
    /// It breaks a rule; `signed` if the members in force signed it.
    Fault { fault: HeaderFault, signed: bool },
    /// It is not to be followed.
    Forbidden(Forbidden),
}

impl Refused {
    fn after(self, fork: Height, mut before: Vec<Vec<u8>>, received: Received) -> HeadersFault {
        let Received { header, raw } = received;
        match self {
            Refused::Forbidden(why) => HeadersFault::Forbidden(header.height, why),
            Refused::Fault { fault, signed: false } => HeadersFault::Bad(header.height, fault),
            Refused::Fault { fault, signed: true } => {
                before.push(raw);
                let hash = header.block_hash();
                HeadersFault::Misrule(Misrule { fork, headers: before, hash, rule: rule(&fault), against: Against::Rule })
            }
        }
    }
}

fn accept(
    chain: &mut HeaderChain,
    pinned: &Pinned,
    header: &BlockHeader,
    signers: Result<Signers, HeaderFault>,
    now: u64,
) -> Result<Tip<BlockHash>, Refused> {
    let forbidden = pinned.forbids(chain.tip().height.saturating_add(1), &header.block_hash());
    if let Some(why) = forbidden.filter(|_| header.prev_blockhash == chain.tip().hash) {
        return Err(Refused::Forbidden(why));
    }
    let fault = match signers {
        Ok(signers) => match chain.accept_verified(header, &signers, now) {
            Ok(tip) => return Ok(tip),
            Err(fault) => fault,
        },
        // The cheap rules come first: they say more about what is wrong.
        Err(fault) => chain.state().next_unsigned(chain.params(), header, now).err().unwrap_or(fault),
    };
    let signed = chain.state().misrule(chain.params(), header, &fault).is_some();
    Err(Refused::Fault { fault, signed })
}

/// k and n of a header whose signatures were verified before it was kept.
fn claimed_signers(header: &BlockHeader, params: &SidechainParams) -> Option<Signers> {
    let script = match &header.ext {
        BlockExtData::Proof { .. } => params.signblockscript.as_bytes(),
        BlockExtData::Dynafed { signblock_witness, .. } => signblock_witness.last()?,
    };
    Some(Signers { multisig: Multisig::parse(script)?, members: vec![] })
}

/// Reads a `headers` message: a count, then headers with an empty transaction list each, every one building on the one before.
pub(crate) fn read(payload: &[u8]) -> Result<Vec<Received>, HeadersFault> {
    let (count, used) =
        elements::encode::deserialize_partial::<elements::encode::VarInt>(payload).map_err(|_| HeadersFault::Garbage)?;
    let count = usize::try_from(count.0).ok().filter(|n| *n <= MOST_HEADERS).ok_or(HeadersFault::Garbage)?;
    let mut rest = &payload[used..];
    let mut headers: Vec<Received> = vec![];
    for _ in 0..count {
        let (header, used) = decode_prefix(rest).map_err(|_| HeadersFault::Garbage)?;
        if rest.get(used) != Some(&0) {
            return Err(HeadersFault::Garbage);
        }
        if headers.last().is_some_and(|before| before.header.block_hash() != header.prev_blockhash) {
            return Err(HeadersFault::Garbage);
        }
        headers.push(Received { header, raw: rest[..used].to_vec() });
        rest = &rest[used + 1..];
    }
    if rest.is_empty() { Ok(headers) } else { Err(HeadersFault::Garbage) }
}

/// Checks the signatures of each header under the script it names itself; whether it may name that script is checked by
/// [`Chain::add`].
pub(crate) fn verify(headers: Vec<Received>, params: &SidechainParams) -> Vec<(Received, Result<Signers, HeaderFault>)> {
    let check = |received: &Received| verify_own_signatures(&received.header, params).map_err(HeaderFault::Signature);
    if headers.len() < FEW {
        return headers.into_iter().map(|received| (check(&received), received)).map(|(s, r)| (r, s)).collect();
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = headers.len().div_ceil(cores);
    let signers: Vec<_> = std::thread::scope(|scope| {
        let parts: Vec<_> =
            headers.chunks(share).map(|part| scope.spawn(move || part.iter().map(check).collect::<Vec<_>>())).collect();
        parts.into_iter().flat_map(|part| part.join().expect("BUG: verification does not panic")).collect()
    });
    headers.into_iter().zip(signers).collect()
}

/// The word for a broken rule in the arguments of a fault.
pub(crate) fn rule(fault: &HeaderFault) -> &'static str {
    match fault {
        HeaderFault::UnknownParent { .. } => "unknown-parent",
        HeaderFault::Height { .. } => "height",
        HeaderFault::TimeTooOld { .. } => "time-too-old",
        HeaderFault::TimeTooNew { .. } => "time-too-new",
        HeaderFault::OldVersion(_) => "old-version",
        HeaderFault::ReservedVersionBits(_) => "reserved-version-bits",
        HeaderFault::NotDynafed => "not-dynafed",
        HeaderFault::DynafedTooEarly => "dynafed-too-early",
        HeaderFault::WrongChallenge => "wrong-challenge",
        HeaderFault::NullParams => "null-params",
        HeaderFault::FullInsideEpoch => "full-inside-epoch",
        HeaderFault::CompactAtEpochStart => "compact-at-epoch-start",
        HeaderFault::WrongSigning => "wrong-signing",
        HeaderFault::WrongElided => "wrong-elided",
        HeaderFault::Proposal(_) => "proposal",
        HeaderFault::Signature(_) => "signature",
    }
}
