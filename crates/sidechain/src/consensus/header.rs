//! Block headers: reading them, and following a chain of them.

use super::federation::{self, Fedpeg, ProposalFault, elided_root, initial_params};
use super::pak::PakList;
use super::signature::{SignatureFault, Signers, verify_own_signatures};
use causeway_vocab::{Height, SidechainParams, Tip};
use elements::dynafed::{FullParams, Params};
use elements::{BlockExtData, BlockHash, BlockHeader};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// Largest header we read, bytes. Two full parameter sets with 255 peg-out keys each stay below 60,000; elementsd has no limit.
pub const MAX_HEADER_SIZE: usize = 256 * 1024;
/// A block may be this far ahead of the clock, seconds.
pub const MAX_FUTURE: u64 = 2 * 60 * 60;
/// How many states [`HeaderChain`] keeps for rolling back.
pub const MAX_ROLLBACK: usize = 2016;

/// Headers whose median is the median time past.
const MEDIAN_SPAN: usize = 11;
/// Version bits 23 to 26 are reserved for hard forks.
const RESERVED_VERSION_BITS: u32 = 0b1111 << 23;
/// Least version: the rules of BIP34, BIP66 and BIP65 hold from the first block.
const MIN_VERSION: u32 = 4;

/// Bytes that are no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFault {
    /// Larger than [`MAX_HEADER_SIZE`].
    #[error("larger than any header may be")]
    TooLarge,
    /// Not a header, or not in the one way to write it.
    #[error("malformed header")]
    Malformed,
    /// Bytes behind the header.
    #[error("bytes behind the header")]
    TrailingBytes,
}

/// Why a header is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// Its parent is not the tip.
    #[error("parent {parent} is not the tip {tip}")]
    UnknownParent {
        /// The parent that the header names.
        parent: BlockHash,
        /// Where the chain stands.
        tip: BlockHash,
    },
    /// The height field is wrong.
    #[error("height {got}, expected {want}")]
    Height {
        /// In the header.
        got: Height,
        /// One more than the parent's.
        want: Height,
    },
    /// Not after the median time past.
    #[error("time {time} is not after the median time past {median}")]
    TimeTooOld {
        /// Header time, Unix seconds.
        time: u32,
        /// Median of the last eleven, Unix seconds.
        median: u32,
    },
    /// More than [`MAX_FUTURE`] ahead of the clock. The only fault that time can mend.
    #[error("time {time} is too far ahead of the clock {now}")]
    TimeTooNew {
        /// Header time, Unix seconds.
        time: u32,
        /// Clock, Unix seconds.
        now: u64,
    },
    /// Version below 4.
    #[error("version {0} is obsolete")]
    OldVersion(u32),
    /// A reserved version bit is set.
    #[error("reserved version bits set in {0:#x}")]
    ReservedVersionBits(u32),
    /// No dynafed parameters although dynafed is active.
    #[error("dynafed parameters missing")]
    NotDynafed,
    /// Dynafed parameters although dynafed is not active yet.
    #[error("dynafed parameters too early")]
    DynafedTooEarly,
    /// The challenge of a header before dynafed is not that of the chain.
    #[error("another challenge than the chain's")]
    WrongChallenge,
    /// Null current parameters.
    #[error("no current parameters")]
    NullParams,
    /// Full current parameters where the compact form is due.
    #[error("full parameters inside an epoch")]
    FullInsideEpoch,
    /// Compact current parameters where the full form is due.
    #[error("compact parameters at the start of an epoch")]
    CompactAtEpochStart,
    /// Another signing script or witness limit than in force.
    #[error("another signing script or witness limit than in force")]
    WrongSigning,
    /// Other peg scripts or extension space than in force. elementsd does not compare the elided root of a compact form; we do.
    #[error("other peg parameters than in force")]
    WrongElided,
    /// The proposal breaks a rule.
    #[error("proposal: {0}")]
    Proposal(#[from] ProposalFault),
    /// The signatures do not hold.
    #[error("signatures: {0}")]
    Signature(#[from] SignatureFault),
}

/// Why a rollback is impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("height {wanted} is not among the kept states, the oldest is {oldest}")]
pub struct CannotRollBack {
    /// Height asked for.
    pub wanted: Height,
    /// Oldest height kept.
    pub oldest: Height,
}

/// Reads one header with its signature witness. Total; `encode(decode(x)) == x`.
pub fn decode(bytes: &[u8]) -> Result<BlockHeader, DecodeFault> {
    let (header, used) = decode_prefix(bytes)?;
    if used == bytes.len() { Ok(header) } else { Err(DecodeFault::TrailingBytes) }
}

/// Reads one header from the front, as it stands in a `headers` or `block` message, and says how many bytes it took.
pub fn decode_prefix(bytes: &[u8]) -> Result<(BlockHeader, usize), DecodeFault> {
    let window = &bytes[..bytes.len().min(MAX_HEADER_SIZE)];
    let (header, used) = elements::encode::deserialize_partial::<BlockHeader>(window)
        .map_err(|_| if window.len() < bytes.len() { DecodeFault::TooLarge } else { DecodeFault::Malformed })?;
    if elements::encode::serialize(&header) != window[..used] {
        return Err(DecodeFault::Malformed);
    }
    Ok((header, used))
}

/// Votes of the running epoch for one proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Votes {
    root: [u8; 32],
    count: u32,
}

/// The only proposal that can still reach 4/5: the majority candidate of Boyer and Moore, so that one parameter set is kept however
/// many are proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Favourite {
    lead: u32,
    #[serde(with = "federation::full_params_hex")]
    params: Arc<FullParams>,
}

/// Everything the rules need to know of a chain up to one block. Persist it with serde and resume with [`HeaderChain::resume`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderState {
    tip: Tip<BlockHash>,
    /// Times of the last eleven headers, oldest first.
    times: VecDeque<u32>,
    /// Full parameters in force at the tip; before dynafed what they will be.
    #[serde(with = "federation::full_params_hex")]
    current: Arc<FullParams>,
    /// The tip carries dynafed parameters.
    dynafed: bool,
    votes: Vec<Votes>,
    favourite: Option<Favourite>,
    /// Peg scripts of the epoch of the tip and those before, newest first.
    fedpegs: Vec<Fedpeg>,
    /// k and n of the block's signature; none for genesis.
    signers: Option<(u8, u8)>,
}

impl HeaderState {
    /// The state after the genesis block. `None` when its hex is damaged or not of `genesis_hash`, or the epoch is shorter than three blocks,
    /// for which 4/5 rounded down would be no majority.
    pub fn genesis(params: &SidechainParams) -> Option<HeaderState> {
        let header = params.genesis()?.header;
        let hash = header.block_hash();
        if hash != params.genesis_hash || params.epoch_length < 3 || params.total_valid_epochs == 0 {
            return None;
        }
        let current = initial_params(params);
        let fedpeg = fedpeg_of(0, &current);
        Some(HeaderState {
            tip: Tip { height: 0, hash, time: header.time },
            times: VecDeque::from([header.time]),
            current: Arc::new(current),
            dynafed: false,
            votes: Vec::new(),
            favourite: None,
            fedpegs: vec![fedpeg],
            signers: None,
        })
    }

    /// The state after the first block of an epoch that is known by other means than a walk: `fedpegs` are those of its epoch and the ones
    /// before, newest first, as far as known.
    ///
    /// The blocks before are not known; their times count as 0, so the median time of the first ten blocks after it is judged too kindly.
    pub(super) fn at_epoch_start(
        params: &SidechainParams,
        header: &BlockHeader,
        full: Arc<FullParams>,
        mut fedpegs: Vec<Fedpeg>,
    ) -> HeaderState {
        fedpegs.truncate(params.total_valid_epochs as usize);
        let mut times = VecDeque::from([0; MEDIAN_SPAN - 1]);
        times.push_back(header.time);
        let mut state = HeaderState {
            tip: Tip { height: header.height, hash: header.block_hash(), time: header.time },
            times,
            current: full,
            dynafed: header.is_dynafed(),
            votes: Vec::new(),
            favourite: None,
            fedpegs,
            signers: None,
        };
        state.count_vote(params, header.dynafed_proposed().unwrap_or(&Params::Null));
        state
    }

    /// The block this state is after.
    pub fn tip(&self) -> Tip<BlockHash> {
        self.tip
    }

    /// Median time past of the tip: what the next block's time must exceed, and what lock times are measured by. Unix seconds.
    pub fn median_time_past(&self) -> u32 {
        let mut times: Vec<u32> = self.times.iter().copied().collect();
        times.sort_unstable();
        times[times.len() / 2]
    }

    /// Full parameters in force at the tip.
    pub fn current_params(&self) -> &FullParams {
        &self.current
    }

    /// k and n of the tip's signature; `None` for genesis.
    pub fn signers(&self) -> Option<(u8, u8)> {
        self.signers
    }

    /// Full parameters in force at the next block.
    pub fn next_full_params(&self, params: &SidechainParams) -> Arc<FullParams> {
        self.winner(params).unwrap_or_else(|| Arc::clone(&self.current))
    }

    /// The `current` field that the next header must carry: full at the start of an epoch and in the first dynafed block, compact
    /// elsewhere, null before dynafed.
    pub fn next_params(&self, params: &SidechainParams) -> Params {
        let height = self.tip.height.saturating_add(1);
        if height < params.dynafed_active_from_height {
            return Params::Null;
        }
        let full = self.next_full_params(params);
        if height.is_multiple_of(params.epoch_length) || !self.dynafed {
            Params::Full(full.as_ref().clone())
        } else {
            full.as_ref().clone().into_compact()
        }
    }

    /// Peg scripts that a claim in the next block may use, newest epoch first. A script that stayed the same appears once per epoch.
    pub fn fedpegs_for_next_block(&self, params: &SidechainParams) -> Vec<Fedpeg> {
        let height = self.tip.height.saturating_add(1);
        let mut fedpegs = self.fedpegs.clone();
        if height.is_multiple_of(params.epoch_length) {
            fedpegs.insert(0, fedpeg_of(height, &self.next_full_params(params)));
            fedpegs.truncate(params.total_valid_epochs as usize);
        }
        fedpegs
    }

    /// Peg-out authorisation keys in force in the next block.
    pub fn pak_list_for_next_block(&self, params: &SidechainParams) -> PakList {
        PakList::from_extension_space(&self.next_full_params(params).extension_space)
    }

    /// Votes in the running epoch for proposals by their root, as the next block will find them.
    pub fn votes(&self) -> impl Iterator<Item = (elements::dynafed::ParamsRoot, u32)> {
        self.votes.iter().map(|v| (elements::dynafed::ParamsRoot::from_byte_array(v.root), v.count))
    }

    /// Checks a header that follows the tip, signatures included, and gives the state after it. `now` is the clock in Unix seconds.
    pub fn next(&self, params: &SidechainParams, header: &BlockHeader, now: u64) -> Result<HeaderState, HeaderFault> {
        let mut next = self.next_unsigned(params, header, now)?;
        let Signers { multisig, .. } = verify_own_signatures(header, params)?;
        next.signers = Some((multisig.k, multisig.n()));
        Ok(next)
    }

    /// The same without signatures: for proposals that are not signed yet, and for headers whose signatures
    /// [`verify_own_signatures`] has checked elsewhere.
    pub fn next_unsigned(&self, params: &SidechainParams, header: &BlockHeader, now: u64) -> Result<HeaderState, HeaderFault> {
        if header.prev_blockhash != self.tip.hash {
            return Err(HeaderFault::UnknownParent { parent: header.prev_blockhash, tip: self.tip.hash });
        }
        let want = self.tip.height.saturating_add(1);
        if header.height != want {
            return Err(HeaderFault::Height { got: header.height, want });
        }
        let median = self.median_time_past();
        if header.time <= median {
            return Err(HeaderFault::TimeTooOld { time: header.time, median });
        }
        if u64::from(header.time) > now.saturating_add(MAX_FUTURE) {
            return Err(HeaderFault::TimeTooNew { time: header.time, now });
        }
        if header.version < MIN_VERSION {
            return Err(HeaderFault::OldVersion(header.version));
        }
        let (full, proposed) = self.check_params(params, header)?;
        Ok(self.advance(params, header, full, proposed))
    }

    /// Checks what the header says about the federation; gives the full parameters in force and the proposal.
    fn check_params<'h>(
        &self,
        params: &SidechainParams,
        header: &'h BlockHeader,
    ) -> Result<(Arc<FullParams>, &'h Params), HeaderFault> {
        let active = header.height >= params.dynafed_active_from_height;
        let (current, proposed) = match &header.ext {
            BlockExtData::Proof { challenge, .. } => {
                return match (active, *challenge == params.signblockscript) {
                    (true, _) => Err(HeaderFault::NotDynafed),
                    (false, false) => Err(HeaderFault::WrongChallenge),
                    (false, true) => Ok((Arc::clone(&self.current), &Params::Null)),
                };
            }
            BlockExtData::Dynafed { .. } if !active => return Err(HeaderFault::DynafedTooEarly),
            BlockExtData::Dynafed { current, proposed, .. } => (current, proposed),
        };
        check_version(header)?;
        let full = self.next_full_params(params);
        check_current(current, &full, self.next_params(params).is_full())?;
        federation::check_proposal(proposed, &full, params.enforce_pak)?;
        Ok((full, proposed))
    }

    fn advance(&self, params: &SidechainParams, header: &BlockHeader, full: Arc<FullParams>, proposed: &Params) -> HeaderState {
        let mut next = self.clone();
        next.tip = Tip { height: header.height, hash: header.block_hash(), time: header.time };
        next.times.push_back(header.time);
        if next.times.len() > MEDIAN_SPAN {
            next.times.pop_front();
        }
        next.dynafed = header.is_dynafed();
        next.signers = None;
        if header.height.is_multiple_of(params.epoch_length) {
            next.votes.clear();
            next.favourite = None;
            next.fedpegs.insert(0, fedpeg_of(header.height, &full));
            next.fedpegs.truncate(params.total_valid_epochs as usize);
        }
        next.current = full;
        next.count_vote(params, proposed);
        next
    }

    fn count_vote(&mut self, params: &SidechainParams, proposed: &Params) {
        let Params::Full(full) = proposed else { return };
        let root = proposed.calculate_root().to_byte_array();
        match self.votes.iter_mut().find(|votes| votes.root == root) {
            Some(votes) => votes.count += 1,
            None => self.votes.push(Votes { root, count: 1 }),
        }
        // A proposal that cannot reach the threshold any more is forgotten.
        let left = params.epoch_length - 1 - self.tip.height % params.epoch_length;
        self.votes.retain(|votes| votes.count.saturating_add(left) >= threshold(params));
        match &mut self.favourite {
            Some(favourite) if favourite.params.as_ref() == full => favourite.lead += 1,
            Some(favourite) if favourite.lead > 0 => favourite.lead -= 1,
            slot => *slot = Some(Favourite { lead: 1, params: Arc::new(full.clone()) }),
        }
    }

    /// The proposal that comes into force with the next block, if that starts an epoch and one has the votes.
    fn winner(&self, params: &SidechainParams) -> Option<Arc<FullParams>> {
        if !self.tip.height.saturating_add(1).is_multiple_of(params.epoch_length) {
            return None;
        }
        let favourite = &self.favourite.as_ref()?.params;
        let root = favourite.calculate_root().to_byte_array();
        let votes = self.votes.iter().find(|votes| votes.root == root)?;
        (votes.count >= threshold(params)).then(|| Arc::clone(favourite))
    }
}

/// Version bits of a dynafed header.
pub(super) fn check_version(header: &BlockHeader) -> Result<(), HeaderFault> {
    if header.version < MIN_VERSION {
        return Err(HeaderFault::OldVersion(header.version));
    }
    if header.version & RESERVED_VERSION_BITS != 0 {
        return Err(HeaderFault::ReservedVersionBits(header.version));
    }
    Ok(())
}

/// Compares the current parameters of a header with those in force, the elided root of a compact form included.
pub(super) fn check_current(current: &Params, full: &FullParams, must_be_full: bool) -> Result<(), HeaderFault> {
    match (current.is_null(), current.is_full(), must_be_full) {
        (true, ..) => return Err(HeaderFault::NullParams),
        (_, true, false) => return Err(HeaderFault::FullInsideEpoch),
        (_, false, true) => return Err(HeaderFault::CompactAtEpochStart),
        _ => {}
    }
    if current.signblockscript() != Some(&full.signblockscript)
        || current.signblock_witness_limit() != Some(full.signblock_witness_limit)
    {
        return Err(HeaderFault::WrongSigning);
    }
    let same = match current {
        Params::Full(got) => got == full,
        compact => compact.elided_root() == Some(&elided_root(full)),
    };
    if same { Ok(()) } else { Err(HeaderFault::WrongElided) }
}

/// Votes that a proposal needs: 4/5 of an epoch, rounded down.
fn threshold(params: &SidechainParams) -> u32 {
    (u64::from(params.epoch_length) * 4 / 5) as u32
}

pub(super) fn fedpeg_of(epoch_start: Height, full: &FullParams) -> Fedpeg {
    Fedpeg { epoch_start, program: full.fedpeg_program.clone(), script: full.fedpegscript.clone().into() }
}

/// A chain of headers that can be rolled back.
#[derive(Debug, Clone)]
pub struct HeaderChain {
    params: Arc<SidechainParams>,
    /// Oldest first, never empty; shares what did not change.
    states: VecDeque<HeaderState>,
}

impl HeaderChain {
    /// A chain that holds the genesis block only; `None` as for [`HeaderState::genesis`].
    pub fn new(params: Arc<SidechainParams>) -> Option<HeaderChain> {
        HeaderState::genesis(&params).map(|state| HeaderChain::resume(params, state))
    }

    /// A chain that goes on from a persisted or pinned state. It cannot be rolled back below that state.
    pub fn resume(params: Arc<SidechainParams>, state: HeaderState) -> HeaderChain {
        HeaderChain { params, states: VecDeque::from([state]) }
    }

    /// Parameters of the chain.
    pub fn params(&self) -> &Arc<SidechainParams> {
        &self.params
    }

    /// The state after the tip.
    pub fn state(&self) -> &HeaderState {
        self.states.back().expect("BUG: a chain holds a state")
    }

    /// The state after the block at that height, if it is still kept. Persist one per epoch and the headers since: that is enough to rewind
    /// to any height.
    pub fn state_at(&self, height: Height) -> Option<&HeaderState> {
        let oldest = self.states.front()?.tip.height;
        self.states.get(height.checked_sub(oldest)? as usize)
    }

    /// The best block.
    pub fn tip(&self) -> Tip<BlockHash> {
        self.state().tip
    }

    /// Checks a header with its signatures and appends it; on a fault nothing changes. `now` is the clock in Unix seconds.
    pub fn accept(&mut self, header: &BlockHeader, now: u64) -> Result<Tip<BlockHash>, HeaderFault> {
        let next = self.state().next(&self.params, header, now)?;
        Ok(self.push(next))
    }

    /// Appends a header whose signatures [`verify_own_signatures`] has already found good. The contextual rules are checked here; together
    /// they are what [`HeaderChain::accept`] checks.
    pub fn accept_verified(&mut self, header: &BlockHeader, signers: &Signers, now: u64) -> Result<Tip<BlockHash>, HeaderFault> {
        let mut next = self.state().next_unsigned(&self.params, header, now)?;
        next.signers = Some((signers.multisig.k, signers.multisig.n()));
        Ok(self.push(next))
    }

    /// Makes the block at `height` the tip again.
    pub fn roll_back_to(&mut self, height: Height) -> Result<Tip<BlockHash>, CannotRollBack> {
        let oldest = self.states.front().map_or(0, |state| state.tip.height);
        if self.state_at(height).is_none() {
            return Err(CannotRollBack { wanted: height, oldest });
        }
        self.states.truncate((height - oldest) as usize + 1);
        Ok(self.tip())
    }

    fn push(&mut self, next: HeaderState) -> Tip<BlockHash> {
        self.states.push_back(next);
        if self.states.len() > MAX_ROLLBACK {
            self.states.pop_front();
        }
        self.tip()
    }
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;
