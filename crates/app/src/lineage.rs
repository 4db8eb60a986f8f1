//! Which federation stands behind a block: the founding one of the genesis block, or one that headers introduce.
//!
//! Members that nothing introduces prove nothing: anybody can sign with keys of his own. On chains with dynafed from the first block a change
//! is introduced by one header per epoch and the whole epoch that voted for it ([`Skip`]); on others by every header from the first on.

use causeway_sidechain::consensus::federation::{self, Fedpeg};
use causeway_sidechain::consensus::header::{HeaderChain, HeaderState};
use causeway_sidechain::consensus::skip::{EpochRoot, Skip};
use causeway_vocab::{Height, SidechainParams};
use elements::BlockHeader;
use elements::dynafed::Params;
use std::sync::Arc;

/// Why a federation is not introduced, for a person.
type Why = String;

/// The headers by which a stranger follows the federation to the block of `last`; none when it is the founding one. `None` when `header` lacks
/// one of them.
///
/// Checks signatures on the way: slow where parameters changed.
pub fn introduction(
    params: &Arc<SidechainParams>,
    last: &BlockHeader,
    header: impl Fn(Height) -> Option<BlockHeader>,
) -> Option<Vec<BlockHeader>> {
    if is_founding(params, last) {
        return Some(Vec::new());
    }
    let Some(root) = EpochRoot::genesis(params) else { return (1..=last.height).map(header).collect() };
    let mut skip = Skip::new(Arc::clone(params), root, last.height);
    let mut headers = Vec::new();
    while let Some(wanted) = skip.wanted() {
        let stretch = wanted.map(&header).collect::<Option<Vec<_>>>()?;
        skip.take(&stretch, u64::from(last.time)).ok()?;
        headers.extend(stretch);
    }
    Some(headers)
}

/// Whether the header has the parameters of the genesis block in force.
fn is_founding(params: &SidechainParams, header: &BlockHeader) -> bool {
    let founding = Params::Full(federation::initial_params(params)).calculate_root();
    header.dynafed_current().is_none_or(|current| current.calculate_root() == founding)
}

/// The federation at the block of `last`, as `headers` introduce it. Gives the peg scripts that a claim in the block may use.
///
/// The signatures of every header that decides, and of `last`, are verified.
pub(crate) fn follow(params: &Arc<SidechainParams>, headers: &[BlockHeader], last: &BlockHeader) -> Result<Vec<Fedpeg>, Why> {
    if params.genesis().is_none_or(|block| block.block_hash() != params.genesis_hash) {
        return Err("the genesis block is not the one that the file names".into());
    }
    // The signers' own clock: a proof is no younger than its block.
    let now = u64::from(last.time);
    if is_founding(params, last) {
        causeway_sidechain::consensus::signature::verify_own_signatures(last, params).map_err(|fault| fault.to_string())?;
        return Ok(vec![founding_fedpeg(params)]);
    }
    let Some(root) = EpochRoot::genesis(params) else { return walk(params, headers, last, now) };
    let mut skip = Skip::new(Arc::clone(params), root, last.height);
    let mut rest = headers;
    while let Some(wanted) = skip.wanted() {
        let (stretch, after) = rest.split_at_checked(wanted.count()).ok_or("nothing introduces the members that signed")?;
        skip.take(stretch, now).map_err(|fault| fault.to_string())?;
        rest = after;
    }
    skip.verify(last).map_err(|fault| fault.to_string())?;
    Ok(skip.state().fedpegs_for_next_block(params))
}

fn walk(params: &Arc<SidechainParams>, headers: &[BlockHeader], last: &BlockHeader, now: u64) -> Result<Vec<Fedpeg>, Why> {
    let mut chain = HeaderChain::new(Arc::clone(params)).ok_or("the genesis block cannot be read")?;
    let mut fedpegs = Vec::new();
    for header in headers {
        fedpegs = HeaderState::fedpegs_for_next_block(chain.state(), params);
        chain.accept(header, now).map_err(|fault| fault.to_string())?;
    }
    if chain.tip().hash == last.block_hash() { Ok(fedpegs) } else { Err("nothing introduces the members that signed".into()) }
}

/// Blocks whose times decide what the next one's may be.
const MEDIAN_SPAN: Height = 11;

/// The headers by which a stranger comes to the state after the block at height `last`: one for each epoch and all of those that changed, as for
/// [`introduction`], then every header from the last epoch on that began at least eleven blocks before. `root` is a pinned first header of an
/// epoch; without one the chain is followed from its genesis block. `None` when `header` lacks one of them, or the chain cannot be skipped.
///
/// Checks signatures on the way: slow where parameters changed.
pub(crate) fn trail(
    params: &Arc<SidechainParams>,
    root: Option<&BlockHeader>,
    last: Height,
    header: impl Fn(Height) -> Option<BlockHeader>,
) -> Option<Vec<BlockHeader>> {
    let mut skip = skip_to(params, root, last)?;
    let now = u64::from(header(last).map_or(0, |header| header.time));
    let mut headers = Vec::new();
    while let Some(wanted) = skip.wanted() {
        let stretch = wanted.map(&header).collect::<Option<Vec<_>>>()?;
        skip.take(&stretch, now).ok()?;
        headers.extend(stretch);
    }
    let rest = (skip.last().height + 1..=last).map(header).collect::<Option<Vec<_>>>()?;
    headers.extend(rest);
    Some(headers)
}

fn skip_to(params: &Arc<SidechainParams>, root: Option<&BlockHeader>, last: Height) -> Option<Skip> {
    let root = match root {
        Some(root) => EpochRoot::pinned(params, root.clone())?,
        None => EpochRoot::genesis(params)?,
    };
    let target = last.saturating_sub(MEDIAN_SPAN).max(root.header().height);
    Some(Skip::new(Arc::clone(params), root, target))
}

/// Follows what [`trail`] gave, and gives the chain at the last of the headers. Every header that decides is verified with its signatures.
pub(crate) fn follow_trail(
    params: &Arc<SidechainParams>,
    root: Option<&BlockHeader>,
    headers: &[BlockHeader],
) -> Result<HeaderChain, Why> {
    let whole = HeaderChain::new(Arc::clone(params)).ok_or("the genesis block is not the one that the file names")?;
    let last = headers.last().or(root);
    let (mut chain, mut rest) = (whole, headers);
    if let Some((last, mut skip)) = last.and_then(|last| Some((last, skip_to(params, root, last.height)?))) {
        // The signers' own clock: the evidence is no younger than what it is about.
        let now = u64::from(last.time);
        while let Some(wanted) = skip.wanted() {
            let (stretch, after) = rest.split_at_checked(wanted.count()).ok_or("nothing leads to the last header")?;
            skip.take(stretch, now).map_err(|fault| fault.to_string())?;
            rest = after;
        }
        if skip.last().height > 0 {
            chain = HeaderChain::resume(Arc::clone(params), skip.state());
        }
    }
    for header in rest {
        chain.accept(header, u64::from(header.time)).map_err(|why| format!("height {}: {why}", header.height))?;
    }
    Ok(chain)
}

/// The peg script of the genesis block.
pub(crate) fn founding_fedpeg(params: &SidechainParams) -> Fedpeg {
    let founding = federation::initial_params(params);
    Fedpeg { epoch_start: 0, program: founding.fedpeg_program, script: founding.fedpegscript.into() }
}
