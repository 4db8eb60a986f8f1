//! Scripts of an account: which are handed out, which are watched, and which script is where.

use crate::wallet::descriptor::{Account, Chain, KeyPath};
use elements::Script;
use std::collections::{BTreeSet, HashMap};

/// The scripts of both chains up to the lookahead.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Keychain {
    account: Account,
    /// Scripts of the external and the internal chain, from index 0.
    scripts: [Vec<Script>; 2],
    paths: HashMap<Script, KeyPath>,
    revealed: [u32; 2],
    gap_limit: u32,
    used: BTreeSet<KeyPath>,
}

/// Addresses past this index are not derived: BIP32 ends there.
const LAST_INDEX: u32 = (1 << 31) - 1;

fn slot(chain: Chain) -> usize {
    match chain {
        Chain::External => 0,
        Chain::Internal => 1,
    }
}

impl Keychain {
    pub(super) fn new(account: Account, gap_limit: u32) -> Keychain {
        let mut keychain = Keychain {
            account,
            scripts: Default::default(),
            paths: HashMap::new(),
            revealed: [0; 2],
            gap_limit,
            used: BTreeSet::new(),
        };
        keychain.extend();
        keychain
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    pub(super) fn gap_limit(&self) -> u32 {
        self.gap_limit
    }

    pub(super) fn set_gap_limit(&mut self, limit: u32) {
        self.gap_limit = limit;
        self.extend();
    }

    pub(super) fn revealed(&self, chain: Chain) -> u32 {
        self.revealed[slot(self.account.chain(chain))]
    }

    /// Counts of both chains with one of them raised to hold `path`, or `None` when it is handed out already.
    pub(super) fn revealing(&self, path: KeyPath) -> Option<[u32; 2]> {
        let mut revealed = self.revealed;
        let count = &mut revealed[slot(path.chain)];
        let before = std::mem::replace(count, path.index + 1);
        (path.index >= before).then_some(revealed)
    }

    /// Raises the counts of handed out addresses; they never shrink.
    pub(super) fn reveal(&mut self, revealed: [u32; 2]) {
        for (ours, theirs) in self.revealed.iter_mut().zip(revealed) {
            *ours = theirs.min(LAST_INDEX).max(*ours);
        }
        self.extend();
    }

    /// Derives what is missing up to the lookahead, and drops what a smaller gap limit no longer watches: the scripts follow from the
    /// counts and the limit alone, so that a loaded wallet has the same.
    fn extend(&mut self) {
        for chain in Chain::BOTH {
            if self.account.chain(chain) != chain {
                continue;
            }
            let known = &mut self.scripts[slot(chain)];
            let wanted = self.revealed[slot(chain)].saturating_add(self.gap_limit).min(LAST_INDEX);
            for script in known.drain(known.len().min(wanted as usize)..) {
                self.paths.remove(&script);
            }
            while known.len() < wanted as usize {
                let path = KeyPath { chain, index: known.len() as u32 };
                let script = self.account.script(path).expect("BUG: an account derives every index up to the last");
                self.paths.insert(script.clone(), path);
                known.push(script);
            }
        }
    }

    pub(super) fn mark_used(&mut self, path: KeyPath) {
        self.used.insert(path);
    }

    pub(super) fn is_used(&self, path: KeyPath) -> bool {
        self.used.contains(&path)
    }

    pub(super) fn last_used(&self, chain: Chain) -> Option<u32> {
        let chain = self.account.chain(chain);
        let range = KeyPath { chain, index: 0 }..=KeyPath { chain, index: LAST_INDEX };
        self.used.range(range).next_back().map(|path| path.index)
    }

    pub(super) fn path_of(&self, script: &Script) -> Option<KeyPath> {
        self.paths.get(script).copied()
    }

    pub(super) fn scripts(&self) -> impl Iterator<Item = &Script> {
        self.scripts.iter().flatten()
    }

    /// How many scripts each chain has.
    pub(super) fn lengths(&self) -> [usize; 2] {
        [self.scripts[0].len(), self.scripts[1].len()]
    }

    /// Scripts that were derived since the chains had these lengths.
    pub(super) fn since(&self, lengths: [usize; 2]) -> Vec<Script> {
        self.scripts.iter().zip(lengths).flat_map(|(scripts, from)| scripts.iter().skip(from).cloned()).collect()
    }
}
