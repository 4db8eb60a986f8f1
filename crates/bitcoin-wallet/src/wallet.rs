//! The wallet: state behind the questions.

use crate::{AddressEntry, Balance, ChangeSet, Coin, Descriptors, FeeRate, Flow, HistoryEntry, Intent, Plan};
use bitcoin::{BlockHash, OutPoint, ScriptBuf, Transaction, Txid};
use causeway_vocab::{BitcoinBatch, Refusal, Tip};
use rand::{CryptoRng, RngCore};
use std::collections::BTreeSet;

/// One wallet on Bitcoin. Holds no keys.
pub struct BitcoinWallet {
    inner: bdk_wallet::Wallet,
}

/// What a batch did.
#[derive(Debug, Default)]
pub struct Applied {
    /// To persist; `None` when nothing changed.
    pub changes: Option<ChangeSet>,
    /// Transactions that are new, or moved into, between or out of blocks.
    pub touched: BTreeSet<Txid>,
}

impl BitcoinWallet {
    /// A new wallet that looks at nothing before `birthday` (`None`: genesis). Persist the change set before using it.
    pub fn create(
        descriptors: &Descriptors,
        network: bitcoin::Network,
        birthday: Option<Tip<BlockHash>>,
    ) -> Result<(BitcoinWallet, ChangeSet), Refusal> {
        let _ = (descriptors, network, birthday);
        todo!()
    }

    /// The wallet that all its change sets, merged in order, describe. Refused with `BadDescriptor` or `WrongNetwork`.
    pub fn load(changes: ChangeSet, network: bitcoin::Network) -> Result<BitcoinWallet, Refusal> {
        let _ = (changes, network);
        todo!()
    }

    /// Reveals the next receiving address: a new one each time. Persist the change set before showing it.
    pub fn next_address(&mut self) -> (AddressEntry, ChangeSet) {
        todo!()
    }

    /// Every revealed address, both keychains, by keychain and index.
    pub fn addresses(&self) -> Vec<AddressEntry> {
        todo!()
    }

    /// Scripts that the chain client must watch: revealed ones and a lookahead of 25 on both keychains. Ask again after every change.
    pub fn scripts_to_watch(&self) -> Vec<ScriptBuf> {
        todo!()
    }

    /// Whether the script is this wallet's.
    pub fn is_mine(&self, script: &bitcoin::Script) -> bool {
        let _ = script;
        todo!()
    }

    /// The best block that the wallet knows.
    pub fn tip(&self) -> (u32, BlockHash) {
        todo!()
    }

    /// Learns a batch. `now` is Unix seconds, used as the time at which unconfirmed transactions were seen.
    ///
    /// Applying the same batch twice changes nothing. Refused with `BadPeer` when the blocks do not connect to what the wallet knows.
    pub fn apply(&mut self, batch: &BitcoinBatch, now: u64) -> Result<Applied, Refusal> {
        let _ = (batch, now);
        todo!()
    }

    /// Notes a transaction of our own before it is broadcast, so that its coins are spent and its change is known.
    pub fn insert_own(&mut self, tx: &Transaction, now: u64) -> Option<ChangeSet> {
        let _ = (tx, now);
        todo!()
    }

    /// Forgets an unconfirmed transaction that the peers refuse for good; its coins are spendable again.
    pub fn evict(&mut self, txid: Txid, now: u64) -> Option<ChangeSet> {
        let _ = (txid, now);
        todo!()
    }

    /// Sums of the coins.
    pub fn balance(&self) -> Balance {
        todo!()
    }

    /// Every unspent output, largest first.
    pub fn coins(&self) -> Vec<Coin> {
        todo!()
    }

    /// `limit` lines of the history, newest first, after skipping `skip`.
    pub fn history(&self, skip: usize, limit: usize) -> Vec<HistoryEntry> {
        let _ = (skip, limit);
        todo!()
    }

    /// How many transactions the history has.
    pub fn history_len(&self) -> usize {
        todo!()
    }

    /// What a transaction moves.
    pub fn flow(&self, txid: Txid) -> Option<Flow> {
        let _ = txid;
        todo!()
    }

    /// The transaction, if this wallet knows it.
    pub fn transaction(&self, txid: Txid) -> Option<Transaction> {
        let _ = txid;
        todo!()
    }

    /// Turns an intent into an unsigned transaction.
    ///
    /// Refused with `NoRecipients`, `Dust`, `AboveSupply`, `BadAmount`, `InsufficientFunds`, `FeeTooLow`, `FeeTooHigh`, `CoinUnavailable`.
    pub fn plan(&mut self, intent: &Intent, rng: &mut (impl RngCore + CryptoRng)) -> Result<Plan, Refusal> {
        let _ = (intent, rng);
        todo!()
    }

    /// Replaces an unconfirmed transaction of ours by one with a higher fee (BIP125).
    ///
    /// Refused with `NotReplaceable`, `FeeTooLow` (`least`), and `InsufficientFunds` when the change would have to vanish.
    pub fn plan_bump(
        &mut self,
        txid: Txid,
        rate: FeeRate,
        exclude: &BTreeSet<OutPoint>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Plan, Refusal> {
        let _ = (txid, rate, exclude, rng);
        todo!()
    }

    /// Spends an output of a stuck transaction back to this wallet, so that both together reach `rate` (child pays for parent).
    pub fn plan_child(
        &mut self,
        parent: Txid,
        rate: FeeRate,
        exclude: &BTreeSet<OutPoint>,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Plan, Refusal> {
        let _ = (parent, rate, exclude, rng);
        todo!()
    }

    /// Gives up a plan: its change address may be used by the next one.
    pub fn abandon(&mut self, plan: &Plan) {
        let _ = plan;
        todo!()
    }
}
