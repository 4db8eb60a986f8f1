//! The first page of a history of a hundred thousand transactions, half on each network.

use super::{Figure, lab, millis, said};
use crate::world;
use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash as _;
use bitcoin::{Amount, CompactTarget, TxMerkleNode, absolute, transaction};
use causeway_bitcoin_wallet::{BitcoinWallet, ChangeSet, LOOKAHEAD, Merge as _};
use causeway_contract::{HistoryPage, HistoryRequest, WalletQuickStart};
use causeway_sidechain::wallet::{CtDescriptor, SidechainWallet};
use causeway_store::{Binding, Store};
use causeway_vocab::{BitcoinBatch, NetworkId, Realm, Tip};
use std::path::Path;
use std::time::Instant;

const BLOCKS: u32 = 500;
const PER_BLOCK: u32 = 100;
/// Transactions of the history.
pub(super) const ROWS: u32 = 2 * BLOCKS * PER_BLOCK;
const PAGE: u32 = 50;
const BUDGET: f64 = 100.0;

pub(super) async fn measure() -> Result<Figure, String> {
    let dir = tempfile::tempdir().map_err(said)?;
    let realm = lab::realm(lab::closed_door()?)?;
    let app = world::open(dir.path(), realm.clone()).await?;
    app.wallet_quick_start(WalletQuickStart { name: "Bench".into() }).await.map_err(said)?;
    app.close().await;
    drop(app);
    fill(dir.path(), &realm)?;
    let app = world::open(dir.path(), realm).await?;
    let request = |cursor| HistoryRequest { network: None, asset: None, search: None, cursor, limit: PAGE };
    let start = Instant::now();
    let first: HistoryPage = app.history(request(None)).await.map_err(said)?;
    let took = start.elapsed();
    if (first.total, first.rows.len()) != (ROWS, PAGE as usize) || first.next.is_none() {
        return Err(format!("a page of {} rows out of {}", first.rows.len(), first.total));
    }
    let second = app.history(request(first.next)).await.map_err(said)?;
    if second.rows.first().map(|row| &row.txid) == first.rows.first().map(|row| &row.txid) {
        return Err("the second page begins like the first".into());
    }
    app.close().await;
    Ok(Figure::new("first page of 100,000 transactions", "ms", millis(took), BUDGET, "the budget", 1.0))
}

/// Gives the profile's wallet its transactions, as its clients would have.
pub(super) fn fill(dir: &Path, realm: &Realm) -> Result<(), String> {
    let store = Store::open(dir, &Binding::of(realm)).map_err(said)?;
    let (row, kept) = store
        .read(|reader| {
            let row = reader.wallets()?.remove(0);
            let kept = reader.changes(row.id, NetworkId::Bitcoin)?;
            Ok((row, kept))
        })
        .map_err(said)?;
    let mut changes = ChangeSet::default();
    for text in kept {
        changes.merge(serde_json::from_str(&text).map_err(said)?);
    }
    let mut wallet = BitcoinWallet::load(changes, realm.bitcoin.network, LOOKAHEAD).map_err(said)?;
    let script = wallet.next_address().0.script;
    let applied = wallet.apply(&bitcoin_batch(&script), 0).map_err(said)?;
    let bitcoin = serde_json::to_string(&applied.changes.ok_or("the wallet learnt nothing")?).map_err(said)?;

    let account = CtDescriptor::parse(&row.wallet.sidechain).and_then(|d| d.account(&realm.sidechain)).map_err(said)?;
    let mut wallet = SidechainWallet::new(account, &realm.sidechain);
    let script = wallet.account().derive(lab::Owner::path(0)).ok_or("no first address")?.script;
    let policy = realm.sidechain.policy_asset;
    let payment = |salt: u32| lab::gift(vec![lab::explicit(policy, 1_000 + u64::from(salt), script.clone())], salt);
    let blocks = (0..BLOCKS).map(|block| (0..PER_BLOCK).map(|nth| payment(block * PER_BLOCK + nth)).collect()).collect();
    let applied = wallet.apply(&lab::batch(blocks), &[], 0);
    let sidechain = serde_json::to_string(&applied.changes).map_err(said)?;
    store
        .commit(|write| {
            write.append_changes(row.id, NetworkId::Bitcoin, &bitcoin)?;
            write.append_changes(row.id, NetworkId::Sidechain, &sidechain)
        })
        .map(drop)
        .map_err(said)
}

/// Payments out of nowhere to one script, in blocks that link but prove no work.
fn bitcoin_batch(script: &bitcoin::ScriptBuf) -> BitcoinBatch {
    let mut parent = bitcoin::constants::genesis_block(bitcoin::Network::Regtest).header;
    let mut blocks = Vec::new();
    for height in 1..=BLOCKS {
        let payment = |nth: u32| bitcoin::Transaction {
            version: transaction::Version::TWO,
            lock_time: absolute::LockTime::ZERO,
            input: vec![bitcoin::TxIn {
                previous_output: bitcoin::OutPoint::new(bitcoin::Txid::from_byte_array([7; 32]), height * PER_BLOCK + nth),
                ..Default::default()
            }],
            output: vec![bitcoin::TxOut { value: Amount::from_sat(10_000), script_pubkey: script.clone() }],
        };
        let header = Header {
            version: Version::TWO,
            prev_blockhash: parent.block_hash(),
            merkle_root: TxMerkleNode::all_zeros(),
            time: parent.time + 600,
            bits: CompactTarget::from_consensus(0x207f_ffff),
            nonce: 0,
        };
        let block = bitcoin::Block { header, txdata: (0..PER_BLOCK).map(payment).collect() };
        blocks.push((Tip { height, hash: header.block_hash(), time: header.time }, block));
        parent = header;
    }
    let tip = Tip { height: BLOCKS, hash: parent.block_hash(), time: parent.time };
    BitcoinBatch { rollback_to: None, blocks, unconfirmed: Vec::new(), tip, scanned_to: BLOCKS }
}
