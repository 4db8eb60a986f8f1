//! Skipping: following a federation from epoch to epoch without its headers in between.
//!
//! The first header of an epoch spells out the parameters in force, and k members in force sign it. So one header per epoch tells that
//! nothing has changed, and only an epoch at whose end the parameters change is walked, to count the votes. With the parameters of every
//! epoch known, any single header can be verified by itself.
//!
//! What this does not tell: that a header is an ancestor of another one. Members may sign two branches, as in September 2026, and both verify.
//! Compare the hash at a height between several sources, pin what is known, and walk where the branch matters.

use super::federation::{self, Fedpeg, initial_params};
use super::header::{HeaderFault, HeaderState, MAX_FUTURE, check_current, check_version, fedpeg_of};
use super::signature::{Signers, verify_own_signatures};
use causeway_vocab::{Height, SidechainParams};
use elements::dynafed::{FullParams, Params};
use elements::{BlockExtData, BlockHeader};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Headers of a walk that are asked for at once.
pub const STRETCH: u32 = 2_000;

/// Why headers do not carry on what is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkipFault {
    /// Not the headers that were asked for.
    #[error("other headers than asked for")]
    NotAsked,
    /// The header breaks a rule.
    #[error("height {height}: {fault}")]
    Header {
        /// Where.
        height: Height,
        /// Which.
        fault: HeaderFault,
    },
    /// Below the first known epoch.
    #[error("height {0} is before the pinned epoch")]
    BeforeRoot(Height),
    /// Above the last known epoch.
    #[error("height {0} is in an epoch that has not been followed yet")]
    Beyond(Height),
}

/// The first header of an epoch, with the parameters it puts in force. Whoever makes one vouches for it: it is pinned, or verified by [`Skip`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochRoot {
    header: BlockHeader,
    full: Arc<FullParams>,
}

impl EpochRoot {
    /// A pinned root. `None` when the header does not start an epoch with full parameters. Its signatures are not checked.
    pub fn pinned(params: &SidechainParams, header: BlockHeader) -> Option<EpochRoot> {
        let Some(Params::Full(full)) = header.dynafed_current() else { return None };
        let full = Arc::new(full.clone());
        header.height.is_multiple_of(params.epoch_length).then_some(EpochRoot { header, full })
    }

    /// The genesis block, for chains with dynafed from the first block on.
    pub fn genesis(params: &SidechainParams) -> Option<EpochRoot> {
        let header = params.genesis()?.header;
        let whole = header.block_hash() == params.genesis_hash && params.epoch_length >= 3;
        let full = Arc::new(initial_params(params));
        (whole && params.dynafed_active_from_height <= 1).then_some(EpochRoot { header, full })
    }

    /// The header.
    pub fn header(&self) -> &BlockHeader {
        &self.header
    }

    /// The parameters in force from it on.
    pub fn full_params(&self) -> &FullParams {
        &self.full
    }
}

#[derive(Debug, Clone)]
enum Stage {
    /// Waits for the first header of the next epoch.
    Sample,
    /// Walks the epoch that ends before this height, because the parameters change there.
    Walk { state: Box<HeaderState>, until: Height },
}

/// Follows a federation from a root to a height. Ask [`Skip::wanted`], fetch that, give it to [`Skip::take`], until nothing is wanted.
#[derive(Debug, Clone)]
pub struct Skip {
    params: Arc<SidechainParams>,
    /// Where parameters changed, oldest first; the first is where it began.
    changes: Vec<EpochRoot>,
    /// The first header of the last epoch that is known.
    last: BlockHeader,
    target: Height,
    stage: Stage,
}

impl Skip {
    /// Starts from a root, to verify headers up to `target`.
    pub fn new(params: Arc<SidechainParams>, root: EpochRoot, target: Height) -> Skip {
        Skip { params, last: root.header.clone(), changes: vec![root], target, stage: Stage::Sample }
    }

    /// Goes on to a greater height.
    pub fn extend(&mut self, target: Height) {
        self.target = self.target.max(target);
    }

    /// The heights of the headers to fetch next. `None` when every header up to the target can be verified.
    pub fn wanted(&self) -> Option<RangeInclusive<Height>> {
        match &self.stage {
            Stage::Sample => {
                let next = self.last.height.checked_add(self.params.epoch_length)?;
                (next <= self.target).then_some(next..=next)
            }
            Stage::Walk { state, until } => {
                let first = state.tip().height + 1;
                Some(first..=first.saturating_add(STRETCH - 1).min(*until))
            }
        }
    }

    /// Takes what was wanted, ascending. On a fault nothing changes but that a walk forgets the stretch: ask another source for the same
    /// heights. `now` is the clock in Unix seconds.
    ///
    /// Every header that it takes is checked with its signatures.
    pub fn take(&mut self, headers: &[BlockHeader], now: u64) -> Result<(), SkipFault> {
        let wanted = self.wanted().ok_or(SkipFault::NotAsked)?;
        if !headers.iter().map(|header| header.height).eq(wanted) {
            return Err(SkipFault::NotAsked);
        }
        match &mut self.stage {
            Stage::Sample => self.sample(&headers[0], now),
            Stage::Walk { state, until } => {
                let mut next = state.as_ref().clone();
                for header in headers {
                    next = next.next(&self.params, header, now).map_err(|fault| broken(header, fault))?;
                }
                if next.tip().height < *until {
                    **state = next;
                    return Ok(());
                }
                let full = Arc::new(next.current_params().clone());
                self.last = headers.last().expect("BUG: a stretch is not empty").clone();
                if *full != *self.in_force().full {
                    self.changes.push(EpochRoot { header: self.last.clone(), full });
                }
                self.stage = Stage::Sample;
                Ok(())
            }
        }
    }

    fn in_force(&self) -> &EpochRoot {
        self.changes.last().expect("BUG: there is always a root")
    }

    fn sample(&mut self, header: &BlockHeader, now: u64) -> Result<(), SkipFault> {
        let full = Arc::clone(&self.in_force().full);
        match self.check(header, &full) {
            Ok(_) => {
                let fault = if header.time <= self.last.time {
                    HeaderFault::TimeTooOld { time: header.time, median: self.last.time }
                } else if u64::from(header.time) > now.saturating_add(MAX_FUTURE) {
                    HeaderFault::TimeTooNew { time: header.time, now }
                } else {
                    self.last = header.clone();
                    return Ok(());
                };
                Err(broken(header, fault))
            }
            // Another set: the votes of the epoch before decide, and nothing is believed until they are counted.
            Err(HeaderFault::WrongSigning | HeaderFault::WrongElided) => {
                let state = self.state();
                self.stage = Stage::Walk { state: Box::new(state), until: header.height };
                Ok(())
            }
            Err(fault) => Err(broken(header, fault)),
        }
    }

    /// Gives a walk up, so that the first header of the epoch is asked for again: when no source has the headers between, the one that told
    /// of a change has lied.
    pub fn retreat(&mut self) {
        self.stage = Stage::Sample;
    }

    /// Checks everything about a header that needs no other one.
    fn check(&self, header: &BlockHeader, full: &FullParams) -> Result<Signers, HeaderFault> {
        let BlockExtData::Dynafed { current, proposed, .. } = &header.ext else { return Err(HeaderFault::NotDynafed) };
        check_version(header)?;
        let params = &self.params;
        let first = header.height == params.dynafed_active_from_height;
        check_current(current, full, first || header.height.is_multiple_of(params.epoch_length))?;
        federation::check_proposal(proposed, full, params.enforce_pak)?;
        Ok(verify_own_signatures(header, params)?)
    }

    /// Verifies a single header by the parameters of its epoch and gives who signed it. Its parent, its time and its height are what the
    /// members signed and nothing more.
    pub fn verify(&self, header: &BlockHeader) -> Result<Signers, SkipFault> {
        let end = self.last.height.saturating_add(self.params.epoch_length);
        if header.height >= end {
            return Err(SkipFault::Beyond(header.height));
        }
        let full = self.full_at(header.height).ok_or(SkipFault::BeforeRoot(header.height))?;
        self.check(header, full).map_err(|fault| broken(header, fault))
    }

    fn full_at(&self, height: Height) -> Option<&Arc<FullParams>> {
        self.changes.iter().rev().find(|root| root.header.height <= height).map(|root| &root.full)
    }

    /// Where parameters changed, oldest first, beginning with the root: what to keep for the next start.
    pub fn changes(&self) -> &[EpochRoot] {
        &self.changes
    }

    /// The first header of the last known epoch.
    pub fn last(&self) -> &BlockHeader {
        &self.last
    }

    /// The state after the first block of the last known epoch, from which a chain can be walked.
    pub fn state(&self) -> HeaderState {
        let mut fedpegs: Vec<Fedpeg> = Vec::new();
        let mut start = Some(self.last.height);
        while let Some((height, full)) = start.and_then(|height| Some((height, self.full_at(height)?))) {
            if fedpegs.len() >= self.params.total_valid_epochs as usize {
                break;
            }
            fedpegs.push(fedpeg_of(height, full));
            start = height.checked_sub(self.params.epoch_length);
        }
        HeaderState::at_epoch_start(&self.params, &self.last, Arc::clone(&self.in_force().full), fedpegs)
    }
}

fn broken(header: &BlockHeader, fault: HeaderFault) -> SkipFault {
    SkipFault::Header { height: header.height, fault }
}

#[cfg(test)]
#[path = "skip_tests.rs"]
mod tests;
