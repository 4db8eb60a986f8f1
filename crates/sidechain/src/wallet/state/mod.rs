//! What a wallet knows: its coins, transactions and addresses, as a function of the changes it has made.

mod assets;
mod changes;
mod coins;
mod history;
mod keychain;
mod learn;
#[cfg(test)]
mod tests;

pub use assets::{IssuedAsset, SupplyEvent, SupplyStep};
pub use changes::{Changes, Owned, Position, StoredTx};
pub use coins::{Balance, Coin};
pub use history::{Cursor, Flow, FlowInput, FlowOutput, HistoryEntry, Kind, Role};

use super::build::{Intent, Plan};
use super::descriptor::{Account, Chain, DerivedScript, KeyPath};
use crate::consensus::pegout::Pegout;
use crate::consensus::proofs::is_unspendable;
use causeway_vocab::{Height, Refusal, SidechainParams, Tip};
use elements::{AssetId, BlockHash, OutPoint, Script, TxOut, Txid};
use keychain::Keychain;
use rand::{CryptoRng, RngCore};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Unused addresses in a row after which a scan stops looking (BIP44).
pub const DEFAULT_GAP_LIMIT: u32 = 20;

/// One wallet's public side on the sidechain. Holds view keys, no spending keys.
#[derive(Debug, Clone, PartialEq)]
pub struct SidechainWallet {
    params: SidechainParams,
    keychain: Keychain,
    tip: Option<Tip<BlockHash>>,
    scanned_to: Option<Height>,
    txs: BTreeMap<Txid, Known>,
    // All that follows from `txs`, kept so that no question costs a walk over every transaction.
    /// Known transactions that spend an output, gone ones included.
    spenders: HashMap<OutPoint, BTreeSet<Txid>>,
    /// Outputs to our scripts that nothing spends.
    unspent: BTreeSet<OutPoint>,
    /// Transactions that are not gone, oldest first.
    order: BTreeSet<Cursor>,
    /// Transactions that issue.
    issuing: BTreeSet<Txid>,
    /// Transactions that destroy.
    burning: BTreeSet<Txid>,
}

/// A transaction and where it stands; `None` until a position was learnt.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    tx: StoredTx,
    position: Option<Position>,
}

impl Known {
    /// In a block or waiting for one.
    fn is_live(&self) -> bool {
        matches!(self.position, Some(Position::Mined { .. } | Position::Pending { .. }))
    }

    fn is_mined(&self) -> bool {
        matches!(self.position, Some(Position::Mined { .. }))
    }

    fn height(&self) -> Option<Height> {
        match self.position {
            Some(Position::Mined { height, .. }) => Some(height),
            _ => None,
        }
    }
}

/// What a batch did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Applied {
    /// To be written before anything is shown. Already part of the wallet.
    pub changes: Changes,
    /// What was odd about the batch.
    pub problems: Vec<Problem>,
    /// Scripts that must be watched from now on because addresses came into use. Blocks from the batch's first one on must be matched
    /// against them, too: they may have been paid there already.
    pub new_scripts: Vec<Script>,
}

/// Something odd that the user may be told about. None of them stops the wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A script of ours was paid, but blinded to a stranger's key: the coin cannot be shown or spent.
    CannotUnblind(OutPoint),
    /// An unconfirmed transaction spends a coin that another one spends; the one seen first stays.
    DoubleSpend {
        /// The newcomer, not taken.
        refused: Txid,
        /// The one that stays.
        kept: Txid,
    },
    /// A transaction that was unconfirmed can no longer confirm: a block spends its coins otherwise.
    Conflicted {
        /// The one that is gone.
        gone: Txid,
        /// The one in the block.
        by: Txid,
    },
    /// A confirmed transaction of ours went back to unconfirmed.
    Unconfirmed(Txid),
}

impl SidechainWallet {
    /// A wallet that has seen nothing yet.
    pub fn new(account: Account, params: &SidechainParams) -> SidechainWallet {
        SidechainWallet {
            params: params.clone(),
            keychain: Keychain::new(account, DEFAULT_GAP_LIMIT),
            tip: None,
            scanned_to: None,
            txs: BTreeMap::new(),
            spenders: HashMap::new(),
            unspent: BTreeSet::new(),
            order: BTreeSet::new(),
            issuing: BTreeSet::new(),
            burning: BTreeSet::new(),
        }
    }

    /// The wallet that made these changes.
    pub fn load(account: Account, params: &SidechainParams, changes: &Changes) -> SidechainWallet {
        let mut wallet = SidechainWallet::new(account, params);
        wallet.absorb(changes);
        wallet
    }

    /// Takes over changes that another function of this wallet returned. Taking them twice changes nothing.
    pub fn absorb(&mut self, changes: &Changes) {
        if let Some(limit) = changes.gap_limit {
            self.keychain.set_gap_limit(limit);
        }
        self.keychain.reveal(changes.revealed);
        self.tip = changes.tip.or(self.tip);
        self.scanned_to = changes.scanned_to.or(self.scanned_to);

        let touched: BTreeSet<Txid> = changes.transactions.keys().chain(changes.positions.keys()).copied().collect();
        for txid in &touched {
            if let Some(cursor) = self.cursor(txid) {
                self.order.remove(&cursor);
            }
        }
        for (txid, tx) in &changes.transactions {
            self.absorb_tx(*txid, tx);
        }
        for (txid, position) in &changes.positions {
            if let Some(known) = self.txs.get_mut(txid) {
                known.position = Some(*position);
            }
        }
        let mut outpoints = BTreeSet::new();
        for txid in &touched {
            self.order.extend(self.cursor(txid));
            if let Some(known) = self.txs.get(txid) {
                outpoints.extend(known.tx.owned.keys().map(|vout| OutPoint::new(*txid, *vout)));
                outpoints.extend(known.tx.stripped.input.iter().map(|input| input.previous_output));
            }
        }
        for outpoint in outpoints {
            let held = self.owned(&outpoint).is_some()
                && self.txs.get(&outpoint.txid).is_some_and(Known::is_live)
                && self.spender(&outpoint).is_none();
            if held {
                self.unspent.insert(outpoint)
            } else {
                self.unspent.remove(&outpoint)
            };
        }
    }

    fn absorb_tx(&mut self, txid: Txid, tx: &StoredTx) {
        for owned in tx.owned.values() {
            self.keychain.mark_used(owned.path);
        }
        match self.txs.entry(txid) {
            Entry::Occupied(mut known) => known.get_mut().tx.merge(tx.clone()),
            Entry::Vacant(place) => {
                // Deposits of peg-ins stand among them: no Bitcoin outpoint is also one of this chain.
                for input in &tx.stripped.input {
                    self.spenders.entry(input.previous_output).or_default().insert(txid);
                }
                if tx.stripped.input.iter().any(|input| input.has_issuance()) {
                    self.issuing.insert(txid);
                }
                if tx.stripped.output.iter().any(|output| burned(output).is_some()) {
                    self.burning.insert(txid);
                }
                place.insert(Known { tx: tx.clone(), position: None });
            }
        }
    }

    /// Its account.
    pub fn account(&self) -> &Account {
        self.keychain.account()
    }

    /// The chain it is on.
    pub fn params(&self) -> &SidechainParams {
        &self.params
    }

    /// The best block it knows.
    pub fn tip(&self) -> Option<Tip<BlockHash>> {
        self.tip
    }

    /// Blocks up to here have been matched against its scripts.
    pub fn scanned_to(&self) -> Option<Height> {
        self.scanned_to
    }

    /// How many unused addresses it watches past the last one handed out.
    pub fn gap_limit(&self) -> u32 {
        self.keychain.gap_limit()
    }

    /// Watches so many unused addresses from now on, at least 1. Blocks must be matched against the new scripts from the start.
    pub fn set_gap_limit(&mut self, limit: u32) -> Applied {
        self.changing(|_| Changes { gap_limit: Some(limit.max(1)), ..Changes::default() })
    }

    /// Every script a client must look for: both chains, handed out and `gap_limit` beyond.
    pub fn scripts_to_watch(&self) -> impl Iterator<Item = &Script> {
        self.keychain.scripts()
    }

    /// Hands out the next address of a chain. Write the changes before showing it, and watch the new scripts.
    pub fn reveal_next(&mut self, chain: Chain) -> (KeyPath, DerivedScript, Applied) {
        let chain = self.account().chain(chain);
        let path = KeyPath { chain, index: self.keychain.revealed(chain) };
        let derived = self.account().derive(path).expect("BUG: nobody hands out two billion addresses");
        let applied = self
            .changing(|wallet| Changes { revealed: wallet.keychain.revealing(path).unwrap_or_default(), ..Changes::default() });
        (path, derived, applied)
    }

    /// How many addresses of a chain have been handed out.
    pub fn revealed(&self, chain: Chain) -> u32 {
        self.keychain.revealed(chain)
    }

    /// The last index of a chain that a transaction paid.
    pub fn last_used(&self, chain: Chain) -> Option<u32> {
        self.keychain.last_used(chain)
    }

    /// Whether a transaction ever paid that path.
    pub fn is_used(&self, path: KeyPath) -> bool {
        self.keychain.is_used(path)
    }

    /// Where in this wallet a script is derived; `None` when it is not ours.
    pub fn path_of(&self, script: &Script) -> Option<KeyPath> {
        self.keychain.path_of(script)
    }

    /// Plans a transaction. Changes nothing: absorb and write the plan's `changes` when it is to be used.
    ///
    /// `rng` orders inputs and outputs so that their places tell nothing.
    pub fn plan(&self, intent: &Intent, rng: &mut (impl RngCore + CryptoRng)) -> Result<Plan, Refusal> {
        super::build::plan(self, intent, rng)
    }

    /// Absorbs what `make` says, and tells which scripts are new.
    fn changing(&mut self, make: impl FnOnce(&SidechainWallet) -> Changes) -> Applied {
        let before = self.keychain.lengths();
        let changes = make(self);
        self.absorb(&changes);
        Applied { changes, problems: Vec::new(), new_scripts: self.keychain.since(before) }
    }

    fn owned(&self, outpoint: &OutPoint) -> Option<&Owned> {
        self.txs.get(&outpoint.txid)?.tx.owned.get(&outpoint.vout)
    }

    /// The live transaction that spends an output. Positions are set so that there is at most one.
    fn spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        let spenders = self.spenders.get(outpoint)?;
        spenders.iter().copied().find(|txid| self.txs.get(txid).is_some_and(Known::is_live))
    }
}

/// Asset and amount that an output destroys for everybody to see; peg-outs do not count.
fn burned(output: &TxOut) -> Option<(AssetId, u64)> {
    let (asset, amount) = (output.asset.explicit()?, output.value.explicit()?);
    let destroys =
        amount > 0 && !output.is_fee() && is_unspendable(&output.script_pubkey) && Pegout::parse(&output.script_pubkey).is_none();
    destroys.then_some((asset, amount))
}
