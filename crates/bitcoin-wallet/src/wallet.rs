//! The wallet: state behind the questions.

use crate::view::View;
use crate::{AddressEntry, ChangeSet, Descriptors};
use bdk_wallet::chain::{BlockId, DescriptorExt as _, Merge as _};
use bdk_wallet::{KeychainKind, Update, Wallet};
use bitcoin::constants::genesis_block;
use bitcoin::{BlockHash, Network, ScriptBuf, Transaction, Txid};
use causeway_vocab::{BitcoinBatch, Code, Height, Refusal, Tip};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many addresses beyond the last used one are watched, unless the user asks for more.
pub const LOOKAHEAD: u32 = 25;

/// One wallet on Bitcoin. Holds no keys.
pub struct BitcoinWallet {
    pub(crate) inner: Wallet,
    pub(crate) view: View,
    lookahead: u32,
}

/// What a batch did.
#[derive(Debug, Default)]
pub struct Applied {
    /// To persist; `None` when nothing changed.
    pub changes: Option<ChangeSet>,
    /// Transactions that are new, or moved into, between or out of blocks.
    pub touched: BTreeSet<Txid>,
    /// New scripts are watched now: blocks of this batch and later must be matched again, with [`BitcoinWallet::scripts_to_watch`].
    pub scripts_grew: bool,
}

impl BitcoinWallet {
    /// A new wallet that looks at nothing before `birthday` (`None`: genesis). Persist the change set before using it.
    pub fn create(
        descriptors: &Descriptors,
        network: Network,
        birthday: Option<Tip<BlockHash>>,
        lookahead: u32,
    ) -> Result<(BitcoinWallet, ChangeSet), Refusal> {
        let bad = |_| Refusal::new(Code::BadDescriptor).with("why", "syntax");
        let params = match &descriptors.internal {
            Some(internal) => Wallet::create(descriptors.external.clone(), internal.clone()),
            None => Wallet::create_single(descriptors.external.clone()),
        };
        let mut inner = params.network(network).lookahead(lookahead).create_wallet_no_persist().map_err(bad)?;
        if let Some(born) = birthday.filter(|born| born.height > 0) {
            let chain = inner.latest_checkpoint().insert(BlockId { height: born.height, hash: born.hash });
            inner
                .apply_update(Update { chain: Some(chain), ..Update::default() })
                .expect("BUG: a block above genesis connects to genesis");
        }
        let changes = inner.take_staged().unwrap_or_default();
        Ok((BitcoinWallet { view: View::of(&inner), inner, lookahead }, changes))
    }

    /// The wallet that all its change sets, merged in order, describe. Refused with `BadDescriptor` or `WrongNetwork`.
    pub fn load(changes: ChangeSet, network: Network, lookahead: u32) -> Result<BitcoinWallet, Refusal> {
        if let Some(found) = changes.network.filter(|found| *found != network) {
            return Err(Refusal::new(Code::WrongNetwork).with("found", found).with("wanted", network));
        }
        let bad = || Refusal::new(Code::BadDescriptor).with("why", "stored");
        let params = Wallet::load().check_genesis_hash(genesis_block(network).block_hash()).lookahead(lookahead);
        let inner = params.load_wallet_no_persist(changes).map_err(|_| bad())?.ok_or_else(bad)?;
        Ok(BitcoinWallet { view: View::of(&inner), inner, lookahead })
    }

    /// Reveals the next receiving address: a new one each time. Persist the change set before showing it.
    pub fn next_address(&mut self) -> (AddressEntry, ChangeSet) {
        let info = self.inner.reveal_next_address(KeychainKind::External);
        let changes = self.inner.take_staged().expect("BUG: revealing an address changes the wallet");
        (self.entry(info.keychain, info.index, info.address.script_pubkey()), changes)
    }

    /// Reveals an address of the change keychain, which no other plan uses: for units of assets that come back. Persist the change set.
    pub fn next_change_address(&mut self) -> (AddressEntry, ChangeSet) {
        let keychain = if self.inner.keychains().count() == 1 { KeychainKind::External } else { KeychainKind::Internal };
        let info = self.inner.reveal_next_address(keychain);
        let changes = self.inner.take_staged().expect("BUG: revealing an address changes the wallet");
        self.inner.mark_used(keychain, info.index);
        (self.entry(info.keychain, info.index, info.address.script_pubkey()), changes)
    }

    /// The address that [`BitcoinWallet::next_address`] would reveal. Nothing changes.
    pub fn peek_address(&self) -> AddressEntry {
        let keychain = KeychainKind::External;
        let info = self.inner.peek_address(keychain, self.inner.next_derivation_index(keychain));
        self.entry(keychain, info.index, info.address.script_pubkey())
    }

    /// Every revealed address, both keychains, by keychain and index.
    pub fn addresses(&self) -> Vec<AddressEntry> {
        let revealed = self.inner.spk_index().revealed_spks(..);
        revealed.map(|((keychain, index), script)| self.entry(keychain, index, script)).collect()
    }

    fn entry(&self, keychain: KeychainKind, index: u32, script: ScriptBuf) -> AddressEntry {
        let address = self.inner.peek_address(keychain, index).address;
        let used = self.inner.spk_index().inner().outputs_in_range((keychain, index)..=(keychain, index)).next().is_some();
        AddressEntry { keychain, index, address, script, used }
    }

    /// Scripts that the chain client must watch: revealed ones and the lookahead beyond the last used or revealed, on both keychains.
    /// Ask again when [`Applied::scripts_grew`] and after every new address.
    pub fn scripts_to_watch(&self) -> Vec<ScriptBuf> {
        self.inner.spk_index().inner().all_spks().values().cloned().collect()
    }

    /// Whether the script is this wallet's.
    pub fn is_mine(&self, script: &bitcoin::Script) -> bool {
        self.inner.is_mine(script.to_owned())
    }

    /// The best block that the wallet knows.
    pub fn tip(&self) -> (Height, BlockHash) {
        let tip = self.inner.latest_checkpoint();
        (tip.height(), tip.hash())
    }

    /// Learns a batch. `now` is Unix seconds, used as the time at which unconfirmed transactions were seen.
    ///
    /// Applying the same batch twice changes nothing. Refused with `BadPeer`, and nothing changed, when the batch contradicts itself.
    pub fn apply(&mut self, batch: &BitcoinBatch, now: u64) -> Result<Applied, Refusal> {
        self.check(batch)?;
        let watched = self.inner.spk_index().inner().all_spks().len();
        let (height, hash) = self.tip();
        let mut changes = self.inner.take_staged().unwrap_or_default();
        // A repeated batch finds its tip in place: its blocks are not undone again. A batch that only rolls back ends at the fork
        // itself, which is always in place, and must still undo what stands above.
        let known = self.inner.local_chain().get(batch.tip.height).is_some_and(|block| block.hash() == batch.tip.hash);
        if let Some(fork) = batch.rollback_to.filter(|fork| !known || batch.tip.height <= fork.height) {
            changes.merge(self.roll_back(fork)?);
        }
        let mut chain = self.inner.latest_checkpoint();
        for tip in batch.blocks.iter().map(|(tip, _)| tip).chain([&batch.tip]).filter(|tip| tip.height > 0) {
            chain = chain.insert(BlockId { height: tip.height, hash: tip.hash });
        }
        self.inner
            .apply_update(Update { chain: Some(chain), ..Update::default() })
            .expect("BUG: a chain grown from our own connects to it");
        for (tip, block) in &batch.blocks {
            let this = BlockId { height: tip.height, hash: tip.hash };
            self.inner.apply_block_connected_to(block, tip.height, this).expect("BUG: the block was just put into the chain");
        }
        let fresh: Vec<_> = batch.unconfirmed.iter().filter(|tx| self.is_news(tx)).map(|tx| (tx.clone(), now)).collect();
        self.inner.apply_unconfirmed_txs(fresh);
        changes.merge(self.inner.take_staged().unwrap_or_default());
        // A new tip alone moves no transaction, unless the old one is no longer below it.
        let undone = self.inner.local_chain().get(height).is_none_or(|block| block.hash() != hash);
        let moved = !changes.tx_graph.is_empty() || !batch.blocks.is_empty() || undone;
        let touched = if moved { self.refresh() } else { BTreeSet::new() };
        let scripts_grew = self.inner.spk_index().inner().all_spks().len() > watched;
        Ok(Applied { changes: (!changes.is_empty()).then_some(changes), touched, scripts_grew })
    }

    fn check(&self, batch: &BitcoinBatch) -> Result<(), Refusal> {
        let heights = batch.blocks.iter().map(|(tip, _)| tip.height);
        let ascending = heights.clone().zip(heights.clone().skip(1)).all(|(low, high)| low < high);
        let genuine = batch.blocks.iter().all(|(tip, block)| tip.hash == block.block_hash() && tip.height <= batch.tip.height);
        let genesis = self.inner.local_chain().genesis_hash();
        let mut all = batch.blocks.iter().map(|(tip, _)| tip).chain([&batch.tip]).chain(&batch.rollback_to);
        let rooted = all.all(|tip| (tip.height == 0) == (tip.hash == genesis));
        let at_tip = batch.blocks.iter().all(|(tip, _)| tip.height < batch.tip.height || tip.hash == batch.tip.hash);
        match ascending && genuine && rooted && at_tip {
            true => Ok(()),
            false => Err(Code::BadPeer.into()),
        }
    }

    /// Forgets every block above `fork`. Rare, so it simply builds the wallet again from what is left.
    fn roll_back(&mut self, fork: Tip<BlockHash>) -> Result<ChangeSet, Refusal> {
        let chain = self.inner.local_chain();
        let mut lost = bdk_wallet::chain::local_chain::ChangeSet::default();
        let above = chain.tip().iter().map(|block| block.height()).take_while(|height| *height > fork.height);
        lost.blocks.extend(above.map(|height| (height, None)));
        if fork.height > 0 && chain.get(fork.height).is_none_or(|block| block.hash() != fork.hash) {
            lost.blocks.insert(fork.height, Some(fork.hash));
        }
        let changes = ChangeSet { local_chain: lost, ..ChangeSet::default() };
        let mut whole = self.snapshot();
        whole.merge(changes.clone());
        self.inner = BitcoinWallet::load(whole, self.inner.network(), self.lookahead)?.inner;
        Ok(changes)
    }

    /// Everything there is, as one change set: what loading needs.
    pub fn snapshot(&self) -> ChangeSet {
        let index = self.inner.spk_index();
        let mut indexer = bdk_wallet::chain::keychain_txout::ChangeSet::default();
        for (keychain, descriptor) in index.keychains() {
            let revealed = index.last_revealed_index(keychain);
            indexer.last_revealed.extend(revealed.map(|last| (descriptor.descriptor_id(), last)));
        }
        let descriptor_of = |wanted| index.keychains().find(|(keychain, _)| *keychain == wanted).map(|(_, found)| found.clone());
        ChangeSet {
            descriptor: descriptor_of(KeychainKind::External),
            change_descriptor: descriptor_of(KeychainKind::Internal),
            network: Some(self.inner.network()),
            local_chain: self.inner.local_chain().initial_changeset(),
            tx_graph: self.inner.tx_graph().initial_changeset(),
            indexer,
            locked_outpoints: Default::default(),
        }
    }

    /// Whether an unconfirmed transaction tells anything new. What we replaced ourselves does not come back because a peer repeats it.
    fn is_news(&self, tx: &Transaction) -> bool {
        if self.view.canonical.contains_key(&tx.compute_txid()) {
            return false;
        }
        let graph = self.inner.tx_graph();
        let replaced_by_us = graph.direct_conflicts(tx).any(|(_, rival)| {
            self.view.canonical.contains_key(&rival)
                && graph.get_tx(rival).is_some_and(|rival| rival.input.iter().all(|input| self.is_ours(input)))
        });
        !replaced_by_us
    }

    pub(crate) fn is_ours(&self, input: &bitcoin::TxIn) -> bool {
        self.inner.spk_index().txout(input.previous_output).is_some()
    }

    /// Computes the view again and tells what moved.
    fn refresh(&mut self) -> BTreeSet<Txid> {
        let later = View::of(&self.inner);
        let moved = self.view.moved(&later);
        self.view = later;
        moved
    }

    /// Notes a transaction of our own before it is broadcast, so that its coins are spent and its change is known. It wins over
    /// every unconfirmed one that spends the same coins.
    pub fn insert_own(&mut self, tx: &Transaction, now: u64) -> Option<ChangeSet> {
        let graph = self.inner.tx_graph();
        let rivals = graph.direct_conflicts(tx).filter_map(|(_, rival)| graph.get_tx_node(rival)?.last_seen);
        let evicted = graph.get_last_evicted(tx.compute_txid());
        let seen = rivals.chain(evicted).map(|time| time.saturating_add(1)).chain([now]).max().unwrap_or(now);
        self.inner.apply_unconfirmed_txs([(tx.clone(), seen)]);
        self.refresh();
        self.inner.take_staged()
    }

    /// Forgets an unconfirmed transaction that the peers refuse for good; its coins are spendable again.
    pub fn evict(&mut self, txid: Txid, now: u64) -> Option<ChangeSet> {
        let seen = self.inner.tx_graph().get_tx_node(txid).and_then(|node| node.last_seen).unwrap_or_default();
        self.inner.apply_evicted_txs([(txid, now.max(seen))]);
        self.refresh();
        self.inner.take_staged()
    }

    /// The transaction, if this wallet knows it; also one that was replaced.
    pub fn transaction(&self, txid: Txid) -> Option<Transaction> {
        self.shared_transaction(txid).map(|tx| (*tx).clone())
    }

    /// The same without a copy.
    pub fn shared_transaction(&self, txid: Txid) -> Option<Arc<Transaction>> {
        self.inner.tx_graph().get_tx(txid)
    }
}

#[cfg(test)]
mod tests;
