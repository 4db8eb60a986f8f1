//! What a wallet knows: its coins, transactions and addresses, as a function of the changes it has made.

mod assets;
mod changes;
mod coins;
mod history;

pub use assets::{IssuedAsset, SupplyEvent, SupplyStep};
pub use changes::{Changes, Owned, Position, StoredTx};
pub use coins::{Balance, Coin};
pub use history::{Cursor, Flow, FlowInput, FlowOutput, HistoryEntry, Kind, Role};

use super::build::{Intent, Plan};
use super::descriptor::{Account, Chain, DerivedScript, KeyPath};
use super::unblind::{Candidate, Opened};
use causeway_vocab::{Height, Opening, Refusal, SidechainBatch, SidechainParams, Tip};
use elements::{AssetId, BlockHash, OutPoint, Script, Transaction, Txid};
use rand::{CryptoRng, RngCore};

/// Unused addresses in a row after which a scan stops looking (BIP44).
pub const DEFAULT_GAP_LIMIT: u32 = 20;

/// One wallet's public side on the sidechain. Holds view keys, no spending keys.
#[derive(Debug, Clone, PartialEq)]
pub struct SidechainWallet {
    account: Account,
    params: SidechainParams,
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
        let _ = (&account, params);
        todo!()
    }

    /// The wallet that made these changes.
    pub fn load(account: Account, params: &SidechainParams, changes: &Changes) -> SidechainWallet {
        let mut wallet = SidechainWallet::new(account, params);
        wallet.absorb(changes);
        wallet
    }

    /// Takes over changes that another function of this wallet returned. Taking them twice changes nothing.
    pub fn absorb(&mut self, changes: &Changes) {
        let _ = changes;
        todo!()
    }

    /// What there is to open in a batch. The results go to [`SidechainWallet::apply`], which opens by itself what is missing.
    pub fn candidates(&self, batch: &SidechainBatch) -> Vec<Candidate> {
        let _ = batch;
        todo!()
    }

    /// Learns a batch. `now`: Unix seconds, the time at which its unconfirmed transactions are said to be seen.
    ///
    /// Applying a batch twice changes nothing. Transactions without interest for this wallet are skipped.
    pub fn apply(&mut self, batch: &SidechainBatch, opened: &[Opened], now: u32) -> Applied {
        let _ = (batch, opened, now);
        todo!()
    }

    /// Learns a transaction of our own that is about to be broadcast, so that its change can be spent at once. `outputs` are the draft's
    /// openings: what was paid to others can be shown and proven later. Openings that contradict the transaction are ignored.
    pub fn register_unconfirmed(&mut self, tx: &Transaction, outputs: &[Option<Opening>], now: u32) -> Applied {
        let _ = (tx, outputs, now);
        todo!()
    }

    /// Forgets an unconfirmed transaction and what depends on it, after its peers refused it. A block that holds it brings it back.
    pub fn forget_unconfirmed(&mut self, txid: &Txid) -> Applied {
        let _ = txid;
        todo!()
    }

    /// Its account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The chain it is on.
    pub fn params(&self) -> &SidechainParams {
        &self.params
    }

    /// The best block it knows.
    pub fn tip(&self) -> Option<Tip<BlockHash>> {
        todo!()
    }

    /// Blocks up to here have been matched against its scripts.
    pub fn scanned_to(&self) -> Option<Height> {
        todo!()
    }

    /// How many unused addresses it watches past the last one handed out.
    pub fn gap_limit(&self) -> u32 {
        todo!()
    }

    /// Changes that, once absorbed by this function, make it watch so many unused addresses. At least 1. New scripts need a rescan.
    pub fn set_gap_limit(&mut self, limit: u32) -> Applied {
        let _ = limit;
        todo!()
    }

    /// Every script a client must look for: both chains, handed out and `gap_limit` beyond.
    pub fn scripts_to_watch(&self) -> impl Iterator<Item = &Script> {
        std::iter::empty()
    }

    /// Hands out the next address of a chain. The changes must be written before the address is shown.
    pub fn reveal_next(&mut self, chain: Chain) -> (KeyPath, DerivedScript, Changes) {
        let _ = chain;
        todo!()
    }

    /// How many addresses of a chain have been handed out.
    pub fn revealed(&self, chain: Chain) -> u32 {
        let _ = chain;
        todo!()
    }

    /// The last index of a chain that a transaction paid.
    pub fn last_used(&self, chain: Chain) -> Option<u32> {
        let _ = chain;
        todo!()
    }

    /// Whether a transaction ever paid that path.
    pub fn is_used(&self, path: KeyPath) -> bool {
        let _ = path;
        todo!()
    }

    /// Where in this wallet a script is derived; `None` when it is not ours.
    pub fn path_of(&self, script: &Script) -> Option<KeyPath> {
        let _ = script;
        todo!()
    }

    /// Unspent outputs, in order of outpoint. Those that cannot be unblinded are in [`SidechainWallet::cannot_unblind`].
    pub fn coins(&self) -> impl Iterator<Item = Coin> {
        std::iter::empty()
    }

    /// One unspent output.
    pub fn coin(&self, outpoint: &OutPoint) -> Option<Coin> {
        let _ = outpoint;
        todo!()
    }

    /// Unspent outputs to our scripts that were blinded to a stranger's key.
    pub fn cannot_unblind(&self) -> impl Iterator<Item = OutPoint> {
        std::iter::empty()
    }

    /// What it holds, by asset; assets with nothing left are absent.
    pub fn balances(&self) -> std::collections::BTreeMap<AssetId, Balance> {
        todo!()
    }

    /// Transactions, newest first: unconfirmed ones, then by block and position. Starts behind `after`. Lazy: take a page.
    pub fn history(&self, after: Option<Cursor>) -> impl Iterator<Item = HistoryEntry> {
        let _ = after;
        std::iter::empty()
    }

    /// How many transactions the history holds.
    pub fn history_len(&self) -> usize {
        todo!()
    }

    /// One transaction's line. `None` when unknown or gone.
    pub fn history_entry(&self, txid: &Txid) -> Option<HistoryEntry> {
        let _ = txid;
        todo!()
    }

    /// What a transaction moves, for the flow diagram. `None` when unknown or gone.
    pub fn flow(&self, txid: &Txid) -> Option<Flow> {
        let _ = txid;
        todo!()
    }

    /// Assets whose issuance this wallet has seen, ours first.
    pub fn issued_assets(&self) -> Vec<IssuedAsset> {
        todo!()
    }

    /// One of them.
    pub fn issued_asset(&self, asset: &AssetId) -> Option<IssuedAsset> {
        let _ = asset;
        todo!()
    }

    /// Plans a transaction. Changes nothing: absorb and write the plan's `changes` when it is to be used.
    ///
    /// `rng` orders inputs and outputs so that their places tell nothing.
    pub fn plan(&self, intent: &Intent, rng: &mut (impl RngCore + CryptoRng)) -> Result<Plan, Refusal> {
        super::build::plan(self, intent, rng)
    }
}
