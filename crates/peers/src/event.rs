//! What a light client tells, and what it wants to be told when it starts again.

use causeway_vocab::{Fault, Height};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::Instant;

/// So few blocks behind, for so long, a network counts as synced if it was.
const FEW_BEHIND: u32 = 2;
const STEADY_FOR: Duration = Duration::from_secs(3);

/// Something a light client has to say. `B` is the batch type of its network.
///
/// Events arrive in the order in which they must be written down: a rollback, then headers, then the batch that rests on them, then the
/// state. A reader that is killed between any two of them can resume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<B> {
    /// The chain is followed from this block on, or from the genesis block. Keep it for the next start; what was kept of headers is of no use.
    Anchor(Option<Box<crate::Anchor>>),
    /// Verified headers to keep for the next start. Losing some costs only time.
    Headers(Headers),
    /// Verified facts about watched scripts.
    Batch(B),
    /// How the network is doing. Sent when it changes, never more often than the reader reads.
    State(NetworkState),
    /// A peer or the network failed. The client goes on by itself.
    Fault(Fault),
    /// The federation signed what it must not. Told once each and run. The client stays on the chain before a header that breaks a rule; of
    /// two chains it follows the longer one as ever.
    Misrule(Misrule),
}

/// What the members in force signed against the rules, with what leads to it: evidence against the federation, not against the peer that
/// passed it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misrule {
    /// Height of the last block of the told chain before `headers`.
    pub fork: Height,
    /// Consecutive raw headers above that block, each with its signature witness; the last is the one that breaks the rule.
    pub headers: Vec<Vec<u8>>,
    /// Hash of the last.
    pub hash: elements::BlockHash,
    /// The word for the rule, as in the fault [`Code::BadHeader`](causeway_vocab::Code::BadHeader); `two-histories` or `double-signed`.
    pub rule: &'static str,
    /// What they break.
    pub against: Against,
}

/// What a federation broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// A rule, by the last of the headers.
    Rule,
    /// Finality: these raw headers, signed too, stood above the same block.
    Final(Vec<Vec<u8>>),
    /// The promise to sign one block per height. No headers come with it: the told chain up to `fork`, its height, leads to the signer.
    DoubleSign(Box<causeway_federation::DoubleSign>),
}

/// A run of consecutive verified headers of the best chain.
///
/// Replaces every kept header at or above `first`: after a reorganisation the heights are told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// Height of the first of them.
    pub first: Height,
    /// Each as it crosses the wire (Bitcoin: 80 bytes; Elements: with its signature witness), ascending.
    pub raw: Vec<Vec<u8>>,
}

/// Where a client left off: put together by the caller from the [`Headers`] it kept and the `scanned_to` of the last batch it applied.
///
/// Everything in it is checked again. A damaged or foreign resume point costs time, never correctness: the client starts from as
/// much of it as holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumePoint {
    /// Height of the first of `headers`; the block below it is the genesis block or the configured checkpoint.
    pub first: Height,
    /// Raw consecutive headers.
    pub headers: Vec<Vec<u8>>,
    /// Every block at or below this height needs no scanning for the scripts watched at the start.
    pub scanned_to: Height,
}

/// How a network is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// No peer has completed a handshake yet.
    Connecting,
    /// Fetching and verifying headers.
    Headers,
    /// Fetching and matching filters.
    Filters,
    /// Fetching the blocks that matched.
    Blocks,
    /// Everything up to the tip is verified and matched. A block that has just come does not count for three seconds: a network that is
    /// followed stays synced.
    Synced,
    /// There were peers, and now there is none.
    Offline,
}

/// A configured peer as its client last saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerInfo {
    /// Where it is dialled.
    pub address: std::net::SocketAddr,
    /// Its handshake is done and its session lives.
    pub connected: bool,
    /// What it called itself when it was last connected; hostile text without control characters.
    pub agent: String,
    /// The height of its best block: as it says, or as its announcements have shown since. Kept after it is gone.
    pub height: Option<Height>,
}

/// The state of a network as its client sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkState {
    /// What the client is busy with.
    pub phase: Phase,
    /// Peers with a completed handshake.
    pub peers: u32,
    /// The greatest height that a connected peer claims; at least `headers`.
    pub claimed: Height,
    /// Height of the best verified header.
    pub headers: Height,
    /// Every block at or below this height has been matched; `scanned_to..headers` is what is left to do.
    pub scanned_to: Height,
    /// Since when there is no peer, Unix seconds.
    pub offline_since: Option<u64>,
}

impl NetworkState {
    /// The state before anything was tried.
    pub(crate) fn new(headers: Height, scanned_to: Height) -> NetworkState {
        NetworkState { phase: Phase::Connecting, peers: 0, claimed: headers, headers, scanned_to, offline_since: None }
    }
}

/// Keeps a phase from flickering with every block.
#[derive(Debug, Default)]
pub(crate) struct Steady {
    synced: Option<Instant>,
}

impl Steady {
    /// The phase to show for the exact one, `behind` blocks before the tip.
    pub(crate) fn phase(&mut self, exact: Phase, behind: u32) -> Phase {
        match exact {
            Phase::Synced => self.synced = Some(Instant::now()),
            Phase::Filters | Phase::Blocks if behind <= FEW_BEHIND => {
                if self.synced.is_some_and(|at| at.elapsed() < STEADY_FOR) {
                    return Phase::Synced;
                }
            }
            _ => self.synced = None,
        }
        exact
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_new_block_leaves_the_network_synced_for_a_moment_only() {
        let mut steady = Steady::default();
        assert_eq!(steady.phase(Phase::Filters, 1), Phase::Filters, "never synced yet");
        assert_eq!(steady.phase(Phase::Synced, 0), Phase::Synced);
        assert_eq!(steady.phase(Phase::Filters, 1), Phase::Synced);
        assert_eq!(steady.phase(Phase::Blocks, 9), Phase::Blocks, "too far behind");
        assert_eq!(steady.phase(Phase::Synced, 0), Phase::Synced);
        tokio::time::advance(STEADY_FOR).await;
        assert_eq!(steady.phase(Phase::Blocks, 1), Phase::Blocks, "too long");
        assert_eq!(steady.phase(Phase::Synced, 0), Phase::Synced);
        assert_eq!(steady.phase(Phase::Offline, 0), Phase::Offline);
        assert_eq!(steady.phase(Phase::Filters, 1), Phase::Filters, "lost in between");
    }
}
