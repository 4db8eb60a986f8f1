//! What a wallet holds and did, and whether that follows from what was ordered.

use super::{Done, Word, Work, said};
use crate::main_job::until;
use causeway_app::App;
use causeway_contract::*;
use causeway_store::{Binding, Store};
use causeway_vocab::Realm;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Draft numbers that are looked at; more than any test makes.
const DRAFTS: u32 = 1_000;

/// An operation that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// What it did.
    pub kind: DraftKind,
    /// What it moved.
    pub asset: String,
    /// Satoshi that arrived in the end, for pegs.
    pub arrives: u64,
    /// Its transactions.
    pub transactions: BTreeSet<String>,
}

/// Everything that must be neither lost nor doubled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Atoms by asset, reissuance tokens left out.
    pub balances: BTreeMap<String, u64>,
    /// Assets of which a reissuance token is held.
    pub reissuable: BTreeSet<String>,
    /// Operations.
    pub operations: BTreeMap<u32, Over>,
    /// Revealed addresses.
    pub addresses: BTreeSet<String>,
    /// Transactions of the wallet.
    pub history: BTreeSet<String>,
    /// The pegged asset.
    pub policy: String,
}

/// Looks at a profile that nobody has open: the database must be whole. Gives the drafts that wait there.
pub fn look(dir: &Path, realm: &Realm) -> Done<Vec<u32>> {
    let store = Store::open(dir, &Binding::of(realm)).map_err(|refusal| refusal.to_string())?;
    store.check().map_err(|refusal| refusal.to_string())?;
    let waiting = |reader: &causeway_store::Reader<'_>| {
        let mut drafts = Vec::new();
        for id in 1..=DRAFTS {
            drafts.extend(reader.draft(id)?.map(|row| row.id));
        }
        Ok(drafts)
    };
    store.read(waiting).map_err(|refusal| refusal.to_string())
}

/// Gives up the drafts that wait and lets everything that is under way come to its end.
pub async fn settle(app: &App, drafts: &[u32]) -> Done<Account> {
    for draft in drafts {
        app.draft_discard(DraftRef { draft: *draft }).await.map_err(said)?;
    }
    super::ready(app).await?;
    until(app, async || {
        let open = app.operations(OperationsRequest { open: Some(true), limit: 500 }).await.map_err(said)?;
        let balances = app.overview(Empty {}).await.map_err(said)?.balances;
        let networks = app.networks(Empty {}).await.map_err(said)?;
        if let Some(fault) = networks.iter().find_map(|n| n.fault.as_ref()) {
            return Err(format!("a network is in trouble: {fault}"));
        }
        Ok((open.is_empty() && balances.iter().all(|b| b.pending.0 == 0)).then_some(()))
    })
    .await?;
    Account::read(app).await
}

impl Account {
    /// Reads it through the contract.
    pub async fn read(app: &App) -> Done<Account> {
        let mut account = Account::default();
        let mut tokens = BTreeSet::new();
        for asset in app.assets(Empty {}).await.map_err(said)? {
            if asset.can_reissue {
                account.reissuable.insert(asset.asset.id.clone());
            }
            if asset.token_of.is_some() {
                tokens.insert(asset.asset.id);
            } else if asset.policy {
                account.policy = asset.asset.id;
            }
        }
        for balance in app.overview(Empty {}).await.map_err(said)?.balances {
            if !tokens.contains(&balance.asset.id) {
                account.balances.insert(balance.asset.id, balance.confirmed.0 + balance.pending.0);
            }
        }
        for view in app.operations(OperationsRequest { open: Some(false), limit: 500 }).await.map_err(said)? {
            ensure(view.status == OperationStatus::Done, || format!("{:?} ended {:?}: {:?}", view.kind, view.status, view.why))?;
            let over = Over {
                kind: view.kind,
                asset: view.amount.map(|amount| amount.asset.id).unwrap_or_default(),
                arrives: view.arrives.map_or(0, |sat| sat.0),
                transactions: view.bitcoin_txid.into_iter().chain(view.sidechain_txid).collect(),
            };
            account.operations.insert(view.operation, over);
        }
        for network in [NetworkId::Bitcoin, NetworkId::Sidechain] {
            let addresses = app.addresses(NetworkRef { network }).await.map_err(said)?;
            account.addresses.extend(addresses.into_iter().map(|address| address.address));
            let coins = app.coins(NetworkRef { network }).await.map_err(said)?;
            if let Some(held) = coins.iter().find(|coin| coin.reserved) {
                return Err(format!("nobody frees the coin {}", held.outpoint));
            }
        }
        let mut cursor = None;
        loop {
            let request = HistoryRequest { network: None, asset: None, search: None, cursor, limit: 500 };
            let page = app.history(request).await.map_err(said)?;
            account.history.extend(page.rows.into_iter().map(|row| row.txid));
            cursor = page.next;
            if cursor.is_none() {
                return Ok(account);
            }
        }
    }
}

/// Checks that `after` follows from `before` and from what the child said: every transaction that it was about to sign happened once and
/// in full or, the last one only, not at all. `drafts` waited in the profile when it died.
pub fn compare(before: &Account, after: &Account, words: &[Word], drafts: &[u32]) -> Done<()> {
    for (id, old) in &before.operations {
        ensure(after.operations.get(id) == Some(old), || format!("operation {id} is not what it was: {old:?}"))?;
    }
    let fresh: Vec<_> = after.operations.iter().filter(|(id, _)| !before.operations.contains_key(id)).collect();
    let signed: Vec<_> =
        words.iter().filter_map(|word| if let Word::Signing(work, fee) = word { Some((work, *fee)) } else { None }).collect();
    ensure(fresh.len() <= signed.len() && signed.len() <= fresh.len() + 1, || {
        format!("{} transactions were about to be signed, {} operations came of it", signed.len(), fresh.len())
    })?;
    let mut shown = 0;
    for word in words {
        match word {
            Word::Finished(id) => ensure(after.operations.contains_key(id), || format!("operation {id} was over and is lost"))?,
            Word::Address(address) => {
                ensure(after.addresses.contains(address), || format!("{address} was shown and is forgotten"))?;
                ensure(!before.addresses.contains(address), || format!("{address} was shown twice"))?;
            }
            Word::Draft(draft) => {
                shown += 1;
                // Signing takes a draft away; nothing else may.
                ensure(drafts.contains(draft) || shown <= fresh.len(), || format!("draft {draft} was shown and is lost"))?;
                ensure(!drafts.contains(draft) || shown > fresh.len(), || format!("draft {draft} is signed and still there"))?;
            }
            Word::Signing(..) | Word::Over(_) => {}
        }
    }
    ensure(before.addresses.is_subset(&after.addresses), || "a revealed address is forgotten".into())?;

    let mut sums: BTreeMap<&str, i128> = before.balances.iter().map(|(id, atoms)| (id.as_str(), i128::from(*atoms))).collect();
    let mut transactions = before.history.clone();
    let mut reissuable = before.reissuable.clone();
    for ((id, over), (work, fee)) in fresh.into_iter().zip(signed) {
        ensure(over.kind == work.kind(), || format!("operation {id} is {over:?}, {work:?} was signed"))?;
        let mut add = |asset, atoms: i128| *sums.entry(asset).or_default() += atoms;
        let (fee, arrives) = (i128::from(fee), i128::from(over.arrives));
        let (sat, peg, atoms, burn) =
            (i128::from(Work::SAT), i128::from(Work::PEG), i128::from(Work::ATOMS), i128::from(Work::BURN));
        let paid_on = if matches!(work, Work::SendBitcoin(_) | Work::PegIn(_)) { "btc" } else { after.policy.as_str() };
        add(paid_on, -fee);
        match work {
            Work::SendBitcoin(_) | Work::SendSidechain(_) => add(paid_on, -sat),
            Work::PegIn(sat) => {
                add("btc", -i128::from(*sat));
                add(&after.policy, arrives);
            }
            Work::PegOut => {
                add(&after.policy, -peg);
                add("btc", arrives);
            }
            Work::Issue => {
                add(&over.asset, atoms);
                reissuable.insert(over.asset.clone());
            }
            Work::Reissue(asset) => add(asset, atoms),
            Work::Burn(asset) => add(asset, -burn),
        }
        let count = if matches!(work, Work::PegIn(_) | Work::PegOut) { 2 } else { 1 };
        ensure(over.transactions.len() == count, || format!("operation {id} has the transactions {:?}", over.transactions))?;
        for txid in &over.transactions {
            ensure(transactions.insert(txid.clone()), || {
                format!("operation {id} took {txid} for its own, which was there before")
            })?;
        }
    }
    let sums: BTreeMap<_, _> = sums.into_iter().filter(|(_, atoms)| *atoms != 0).collect();
    let held: BTreeMap<_, _> =
        after.balances.iter().filter(|(_, atoms)| **atoms != 0).map(|(id, atoms)| (id.as_str(), i128::from(*atoms))).collect();
    ensure(held == sums, || format!("should hold {sums:?}, holds {held:?}"))?;
    ensure(after.reissuable == reissuable, || format!("should reissue {reissuable:?}, can {:?}", after.reissuable))?;
    ensure(after.history == transactions, || {
        let more: Vec<_> = after.history.symmetric_difference(&transactions).collect();
        format!("transactions that no operation made, or that are missing: {more:?}")
    })
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Done<()> {
    if holds { Ok(()) } else { Err(what()) }
}
