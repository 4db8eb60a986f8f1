//! The memory of an open profile: a function of what is on disk, except for keys and the state of the networks.

use crate::guard::Guard;
use crate::names::Names;
use crate::operations::Operations;
use bitcoin::hex::{DisplayHex as _, FromHex};
use causeway_bitcoin_wallet::{BitcoinWallet, ChangeSet, Descriptors, Merge as _};
use causeway_contract::{Settings, Tag, Theme};
use causeway_keys::{Accounts, SigningKeys};
use causeway_peers::NetworkState;
use causeway_sidechain::wallet::{Changes, CtDescriptor, SidechainWallet};
use causeway_store::{Reader, Store, WalletRow, Write};
use causeway_vocab::{Code, NetworkId, Realm, Refusal};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

/// More change sets than this are merged into one when the profile is opened.
const COMPACT_ABOVE: usize = 64;
/// Unused Bitcoin addresses watched past the last used one; more than any wallet leaves unused.
const LOOKAHEAD: u32 = 50;
/// Milliseconds after which the speed of a search tells something.
const MEASURED: u64 = 1_000;
/// Blocks whose times tell how fast a chain is.
const PACE: usize = 12;

/// Everything that commands read and change. Behind the profile's one lock.
pub(crate) struct Core {
    pub(crate) realm: Arc<Realm>,
    pub(crate) wallets: BTreeMap<u32, Wallet>,
    pub(crate) selected: Option<u32>,
    pub(crate) settings: Settings,
    pub(crate) keys: BTreeMap<u32, Arc<SigningKeys>>,
    /// The user locked everything: not even keys without a password are opened by themselves.
    pub(crate) locked: bool,
    pub(crate) operations: Operations,
    pub(crate) bitcoin: ChainInfo,
    pub(crate) sidechain: ChainInfo,
    pub(crate) proofs: HashMap<elements::Txid, Verdict>,
    /// What the passed ones were checked as: a key of the transaction with all its proofs.
    pub(crate) proof_keys: HashMap<elements::Txid, [u8; 32]>,
    pub(crate) names: Names,
    pub(crate) guard: Guard,
    /// The memory may be ahead of the disk: if the running transaction fails, it is read again.
    pub(crate) dirty: bool,
}

/// A wallet of the profile on both chains.
pub(crate) struct Wallet {
    pub(crate) row: WalletRow,
    /// Public account keys; `None` when only watching.
    pub(crate) accounts: Option<Accounts>,
    pub(crate) bitcoin: BitcoinWallet,
    pub(crate) sidechain: SidechainWallet,
}

/// What is known of a network's health.
#[derive(Default, Clone)]
pub(crate) struct ChainInfo {
    pub(crate) state: Option<NetworkState>,
    /// Trouble that passes.
    pub(crate) fault: Option<Refusal>,
    /// A check failed: spending is refused until somebody has looked.
    pub(crate) halted: Option<Refusal>,
    /// The federation has signed two branches, and servers and peers stand on different ones.
    pub(crate) disputed: Option<Refusal>,
    /// How many transactions of the wallets the last rollback undid.
    pub(crate) undone: usize,
    pub(crate) times: VecDeque<(u32, u32)>,
    pub(crate) effort: Effort,
}

/// How fast the search of a chain goes.
#[derive(Default, Clone, Copy)]
pub(crate) struct Effort {
    /// When it began, milliseconds, with how much done, and how much was done last.
    begun: Option<(u64, u32, u32)>,
    left: Option<u32>,
}

impl Effort {
    /// Seconds left until `of` units are done; unknown until some were done for a while. `now` is in milliseconds of any clock.
    pub(crate) fn left(&mut self, now: u64, done: u32, of: u32) -> Option<u32> {
        self.left = self.measure(now, done, of);
        self.left
    }

    /// What [`Effort::left`] said last.
    pub(crate) fn remaining(&self) -> Option<u32> {
        self.left
    }

    fn measure(&mut self, now: u64, done: u32, of: u32) -> Option<u32> {
        if done >= of {
            self.begun = None;
            return Some(0);
        }
        // A search that starts over is another effort.
        let (since, from, last) = self.begun.unwrap_or((now, done, done));
        let (since, from) = if done < last { (now, done) } else { (since, from) };
        self.begun = Some((since, from, done));
        let (spent, made) = (now.saturating_sub(since), u64::from(done - from));
        if spent < MEASURED || made == 0 {
            return None;
        }
        u32::try_from((u64::from(of - done) * spent).div_ceil(made).div_ceil(1_000)).ok()
    }
}

/// Whether the confidential proofs of a transaction hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every range proof, every surjection proof and the balance.
    Passed,
    /// One does not.
    Failed,
    /// Some spent outputs could not be fetched, so balance and surjection are not checked.
    Unknown,
}

impl Verdict {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::Unknown => "unknown",
        }
    }

    /// As it is kept: a pass holds for the proofs that were checked and no others.
    pub(crate) fn write(self, key: &[u8; 32]) -> String {
        match self {
            Verdict::Passed => format!("passed {}", key.to_lower_hex_string()),
            _ => self.name().into(),
        }
    }

    fn key(text: &str) -> Option<[u8; 32]> {
        FromHex::from_hex(text.strip_prefix("passed ")?).ok()
    }

    fn read(text: &str) -> Verdict {
        match text.split(' ').next().unwrap_or_default() {
            "passed" => Verdict::Passed,
            "failed" => Verdict::Failed,
            _ => Verdict::Unknown,
        }
    }
}

impl ChainInfo {
    /// Height of the best verified block.
    pub(crate) fn height(&self) -> u32 {
        self.state.map_or(0, |state| state.headers)
    }

    /// Notes when a block was made.
    pub(crate) fn note_block(&mut self, height: u32, time: u32) {
        self.times.retain(|(known, _)| *known < height);
        self.times.push_back((height, time));
        if self.times.len() > PACE {
            self.times.pop_front();
        }
    }

    /// Seconds between blocks as observed lately.
    pub(crate) fn pace(&self) -> Option<u32> {
        let (first, last) = (self.times.front()?, self.times.back()?);
        let blocks = last.0.checked_sub(first.0).filter(|blocks| *blocks > 0)?;
        Some(last.1.saturating_sub(first.1).div_ceil(blocks).max(1))
    }
}

/// Settings of a new profile.
pub(crate) fn default_settings() -> Settings {
    Settings {
        language: String::new(),
        theme: Theme::System,
        auto_lock_minutes: 15,
        hide_amounts: false,
        fee_limit_percent: 5,
        gap_limit: 20,
        proof_depth: 0,
        bitcoin_peers: Vec::new(),
        sidechain_peers: Vec::new(),
    }
}

impl Core {
    /// Reads everything from disk.
    pub(crate) fn load(store: &Store, realm: &Arc<Realm>) -> Result<Core, Refusal> {
        store.read(|reader| Core::read(reader, realm))
    }

    fn read(reader: &Reader<'_>, realm: &Arc<Realm>) -> Result<Core, Refusal> {
        let mut wallets = BTreeMap::new();
        for row in reader.wallets()? {
            wallets.insert(row.id, Wallet::read(reader, row, realm)?);
        }
        let selected = reader.meta("selected")?.and_then(|id| id.parse().ok()).filter(|id| wallets.contains_key(id));
        let settings = reader.meta("settings")?.and_then(|text| serde_json::from_str(&text).ok());
        let proofs = reader.proofs()?;
        Ok(Core {
            realm: Arc::clone(realm),
            selected: selected.or_else(|| wallets.keys().next().copied()),
            settings: settings.unwrap_or_else(default_settings),
            keys: BTreeMap::new(),
            locked: false,
            operations: Operations::read(reader)?,
            bitcoin: ChainInfo::default(),
            sidechain: ChainInfo { halted: crate::halt::halted(reader)?, ..ChainInfo::default() },
            proofs: proofs.iter().filter_map(|(id, v)| Some((id.parse().ok()?, Verdict::read(v)))).collect(),
            proof_keys: proofs.iter().filter_map(|(id, v)| Some((id.parse().ok()?, Verdict::key(v)?))).collect(),
            names: Names::read(reader, realm)?,
            guard: Guard::read(reader)?,
            wallets,
            dirty: false,
        })
    }

    /// Merges long runs of change sets.
    pub(crate) fn compact(&self, store: &Store) -> Result<(), Refusal> {
        for wallet in self.wallets.values() {
            let id = wallet.row.id;
            let long = |network| store.read(|r| r.changes(id, network)).map(|rows| (rows.len() > COMPACT_ABOVE).then_some(rows));
            if let Some(rows) = long(NetworkId::Bitcoin)? {
                let merged = serde_json::to_string(&merge_bitcoin(&rows)?).expect("BUG: change sets are JSON");
                store.commit(|write| write.compact_changes(id, NetworkId::Bitcoin, &merged))?;
            }
            if let Some(rows) = long(NetworkId::Sidechain)? {
                let merged = serde_json::to_string(&merge_sidechain(&rows)?).expect("BUG: change sets are JSON");
                store.commit(|write| write.compact_changes(id, NetworkId::Sidechain, &merged))?;
            }
        }
        Ok(())
    }

    pub(crate) fn chain(&self, network: NetworkId) -> &ChainInfo {
        match network {
            NetworkId::Bitcoin => &self.bitcoin,
            NetworkId::Sidechain => &self.sidechain,
        }
    }

    pub(crate) fn chain_mut(&mut self, network: NetworkId) -> &mut ChainInfo {
        match network {
            NetworkId::Bitcoin => &mut self.bitcoin,
            NetworkId::Sidechain => &mut self.sidechain,
        }
    }

    /// The selected wallet.
    pub(crate) fn selected(&self) -> Result<&Wallet, Refusal> {
        self.selected.and_then(|id| self.wallets.get(&id)).ok_or_else(|| Code::UnknownWallet.into())
    }

    /// The selected wallet, about to change.
    pub(crate) fn selected_mut(&mut self) -> Result<&mut Wallet, Refusal> {
        self.dirty = true;
        self.selected.and_then(|id| self.wallets.get_mut(&id)).ok_or_else(|| Code::UnknownWallet.into())
    }

    pub(crate) fn wallet(&self, id: u32) -> Result<&Wallet, Refusal> {
        self.wallets.get(&id).ok_or_else(|| Code::UnknownWallet.into())
    }

    /// Refuses while a check of the network has failed.
    pub(crate) fn not_halted(&self, network: NetworkId) -> Result<(), Refusal> {
        match self.chain(network).halted {
            Some(_) => Err(Refusal::new(Code::Halted).with("network", network_name(network))),
            None => Ok(()),
        }
    }
}

/// The name of a network on the wire.
pub(crate) fn network_name(network: NetworkId) -> &'static str {
    match network {
        NetworkId::Bitcoin => "bitcoin",
        NetworkId::Sidechain => "sidechain",
    }
}

fn damaged(error: serde_json::Error) -> Refusal {
    Refusal::new(Code::DiskFailed).with("why", error)
}

fn merge_bitcoin(rows: &[String]) -> Result<ChangeSet, Refusal> {
    let mut merged = ChangeSet::default();
    for row in rows {
        merged.merge(serde_json::from_str(row).map_err(damaged)?);
    }
    Ok(merged)
}

fn merge_sidechain(rows: &[String]) -> Result<Changes, Refusal> {
    let mut merged = Changes::default();
    for row in rows {
        merged.merge(serde_json::from_str(row).map_err(damaged)?);
    }
    Ok(merged)
}

impl Wallet {
    fn read(reader: &Reader<'_>, row: WalletRow, realm: &Realm) -> Result<Wallet, Refusal> {
        let accounts = row.wallet.accounts.as_deref().map(serde_json::from_str).transpose().map_err(damaged)?;
        let bitcoin = merge_bitcoin(&reader.changes(row.id, NetworkId::Bitcoin)?)?;
        let sidechain = merge_sidechain(&reader.changes(row.id, NetworkId::Sidechain)?)?;
        let account = CtDescriptor::parse(&row.wallet.sidechain)?.account(&realm.sidechain)?;
        Ok(Wallet {
            accounts,
            bitcoin: BitcoinWallet::load(bitcoin, realm.bitcoin.network, LOOKAHEAD)?,
            sidechain: SidechainWallet::load(account, &realm.sidechain, &sidechain),
            row,
        })
    }

    /// Adds a wallet: the row, and what each chain's wallet must remember from the start.
    pub(crate) fn add(
        write: &mut Write<'_>,
        new: &causeway_store::NewWallet,
        realm: &Realm,
        birthday: Option<causeway_vocab::Tip<bitcoin::BlockHash>>,
        gap_limit: u32,
    ) -> Result<Wallet, Refusal> {
        let descriptors = Descriptors::parse(&new.bitcoin, realm.bitcoin.network)?;
        let account = CtDescriptor::parse(&new.sidechain)?.account(&realm.sidechain)?;
        let accounts = new.accounts.as_deref().map(serde_json::from_str).transpose().map_err(damaged)?;
        let (bitcoin, changes) = BitcoinWallet::create(&descriptors, realm.bitcoin.network, birthday, LOOKAHEAD)?;
        let mut sidechain = SidechainWallet::new(account, &realm.sidechain);
        let id = write.add_wallet(new)?;
        put_bitcoin(write, id, Some(&changes))?;
        let applied = sidechain.set_gap_limit(gap_limit.max(1));
        put_sidechain(write, id, &applied.changes)?;
        sidechain.absorb(&applied.changes);
        Ok(Wallet { row: WalletRow { id, wallet: new.clone(), tries: String::new() }, accounts, bitcoin, sidechain })
    }

    /// Addresses and coins that other drafts hold or the user froze.
    pub(crate) fn excluded(&self, reader: &Reader<'_>, network: NetworkId) -> Result<BTreeSet<String>, Refusal> {
        let mut held: BTreeSet<String> = reader.reserved(network)?.into_iter().collect();
        held.extend(reader.frozen(self.row.id, network)?);
        Ok(held)
    }
}

/// Writes what the Bitcoin wallet must remember.
pub(crate) fn put_bitcoin(write: &mut Write<'_>, wallet: u32, changes: Option<&ChangeSet>) -> Result<(), Refusal> {
    let Some(changes) = changes else { return Ok(()) };
    let text = serde_json::to_string(changes).expect("BUG: change sets are JSON");
    write.append_changes(wallet, NetworkId::Bitcoin, &text)
}

/// Writes what the sidechain wallet must remember.
pub(crate) fn put_sidechain(write: &mut Write<'_>, wallet: u32, changes: &Changes) -> Result<(), Refusal> {
    if changes.is_empty() {
        return Ok(());
    }
    let text = serde_json::to_string(changes).expect("BUG: change sets are JSON");
    write.append_changes(wallet, NetworkId::Sidechain, &text)
}

/// Says what a transaction makes stale.
pub(crate) fn stale(write: &mut Write<'_>, tags: &[Tag]) {
    for tag in tags {
        write.stale(tag_name(*tag));
    }
}

/// A tag as the outbox has it.
pub(crate) fn tag_name(tag: Tag) -> String {
    match serde_json::to_value(tag) {
        Ok(serde_json::Value::String(name)) => name,
        _ => unreachable!("BUG: a tag is a string"),
    }
}

#[cfg(test)]
mod tests {
    use super::Effort;

    #[test]
    fn the_time_left_follows_from_what_was_done() {
        let mut effort = Effort::default();
        for (now, done, of, left) in [
            (0, 100, 1_100, None),
            (500, 300, 1_100, None),
            (2_000, 300, 1_100, Some(8)),
            (4_000, 1_000, 1_100, Some(1)),
            (5_000, 1_100, 1_100, Some(0)),
            // A rescan begins anew, and so does one within it.
            (9_000, 0, 1_000, None),
            (11_000, 500, 1_000, Some(2)),
            (12_000, 10, 1_000, None),
            (14_000, 10, 1_000, None),
            (16_000, 110, 1_000, Some(36)),
        ] {
            assert_eq!(effort.left(now, done, of), left, "at {now} ms with {done} of {of}");
        }
    }
}
