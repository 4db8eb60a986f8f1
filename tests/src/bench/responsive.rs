//! How soon the app answers while the proofs of fifty thousand outputs are checked.
//!
//! A profile that knows a thousand payments of fifty confidential outputs each, none of them checked, meets a peer that has their blocks. The federation
//! is that of the fixtures, so the blocks are signed; every proof is real, though each payment has the same ones: they do not depend on what is
//! spent, as long as it is the same amount in the open.

use super::lab;
use super::node::{self, Served};
use super::{Figure, millis, said};
use crate::main_job::until;
use crate::world;
use causeway_app::App;
use causeway_contract::{Check, Empty, HistoryRequest, NetworkId, NetworkRef, WalletQuickStart};
use causeway_sidechain::wallet::{CtDescriptor, SidechainWallet};
use causeway_store::{Binding, Store};
use causeway_vocab::{ChainBatch, Realm, Tip};
use elements::confidential::{AssetBlindingFactor, ValueBlindingFactor};
use elements::{Block, OutPoint, Script, Transaction, TxOut, TxOutSecrets};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use secp256k1_zkp::{PublicKey, SECP256K1, SecretKey};
use std::time::{Duration, Instant};

const PAYMENTS: u32 = 1_000;
const OUTPUTS: u64 = 50;
/// Payments of two hundred kilobytes each in a block.
const PER_BLOCK: u32 = 10;
/// What each output holds.
const SAT: u64 = 10_000;
/// Pause between two questions: a person and a page ask now and then.
const PAUSE: Duration = Duration::from_millis(20);
/// What the pages ask.
const QUESTIONS: [&str; 5] = ["overview", "networks", "coins", "history", "settings_get"];
/// Questions asked while nothing is checked.
const AT_REST: usize = 200;
/// A frame that takes longer is seen.
const FRAME: f64 = 100.0;
/// Measured for so long at most; what is not checked by then waits.
const LONGEST: Duration = Duration::from_secs(240);

pub(super) async fn measure() -> Result<Vec<Figure>, String> {
    let rng = &mut StdRng::seed_from_u64(5);
    let dir = tempfile::tempdir().map_err(said)?;
    let mut realm = lab::realm(lab::closed_door()?)?;
    let app = world::open(dir.path(), realm.clone()).await?;
    app.wallet_quick_start(WalletQuickStart { name: "Bench".into() }).await.map_err(said)?;
    app.close().await;
    drop(app);
    let store = Store::open(dir.path(), &Binding::of(&realm)).map_err(said)?;
    let served = fill(&store, &realm, rng)?;
    store.close();

    // Nobody serves the blocks yet, so nothing is checked.
    let app = world::open(dir.path(), realm.clone()).await?;
    let mut rest: Vec<Asked> = Vec::new();
    while rest.len() < AT_REST {
        round(&app, &mut rest).await?;
    }
    app.close().await;
    drop(app);
    realm.sidechain.peers = vec![node::serve(served, realm.sidechain.network_magic).await?];

    let app = world::open(dir.path(), realm).await?;
    until(&app, async || Ok((checked(&app).await? > 0).then_some(()))).await?;
    let mut busy: Vec<Asked> = Vec::new();
    let start = Instant::now();
    let before = checked(&app).await?;
    while start.elapsed() < LONGEST && unchecked(&app).await? {
        round(&app, &mut busy).await?;
    }
    let done = checked(&app).await?;
    app.close().await;
    if done <= before || busy.len() < AT_REST {
        return Err(format!("{done} payments checked after {before}, {} questions asked", busy.len()));
    }
    rest.sort_unstable();
    busy.sort_unstable();
    let of_a_hundred = |asked: &[Asked]| asked[asked.len() * 99 / 100].0;
    let (longest, question) = *busy.last().ok_or("nothing was asked")?;
    let what = format!(
        "a frame; {} questions, of which `{question}` took longest; with nothing to check 99 of 100 take {:.1} ms",
        busy.len(),
        millis(of_a_hundred(&rest))
    );
    Ok(vec![
        Figure::new(
            "answer while 50,000 outputs are checked, 99 of 100",
            "ms",
            millis(of_a_hundred(&busy)),
            FRAME,
            what.clone(),
            1.0,
        ),
        Figure::new("answer while 50,000 outputs are checked, the slowest", "ms", millis(longest), FRAME, what, 1.0),
    ])
}

/// How long an answer took, and to what.
type Asked = (Duration, &'static str);

/// Asks each question once.
async fn round(app: &App, asked: &mut Vec<Asked>) -> Result<(), String> {
    for question in QUESTIONS {
        let start = Instant::now();
        ask(app, question).await?;
        asked.push((start.elapsed(), question));
    }
    tokio::time::sleep(PAUSE).await;
    Ok(())
}

async fn ask(app: &App, question: &str) -> Result<(), String> {
    let history = HistoryRequest { network: None, asset: None, search: None, cursor: None, limit: 50 };
    match question {
        "overview" => app.overview(Empty {}).await.map(drop),
        "networks" => app.networks(Empty {}).await.map(drop),
        "coins" => app.coins(NetworkRef { network: NetworkId::Sidechain }).await.map(drop),
        "history" => app.history(history).await.map(drop),
        _ => app.settings_get(Empty {}).await.map(drop),
    }
    .map_err(said)
}

/// How many of the newest payments have been checked, as the app shows it.
async fn checked(app: &App) -> Result<u32, String> {
    let networks = app.networks(Empty {}).await.map_err(said)?;
    let check = networks.iter().flat_map(|network| &network.checks).find(|check| check.check == Check::Proofs);
    Ok(check.map_or(0, |check| check.have))
}

/// Whether any of the newest payments waits to be checked.
async fn unchecked(app: &App) -> Result<bool, String> {
    let networks = app.networks(Empty {}).await.map_err(said)?;
    let check = networks.iter().flat_map(|network| &network.checks).find(|check| check.check == Check::Proofs);
    Ok(check.is_none_or(|check| check.have < check.of))
}

/// Fifty confidential outputs that balance with so much in the open, the first of them to `own`.
fn outputs(realm: &Realm, own: &Script, own_key: PublicKey, rng: &mut StdRng) -> Result<Vec<TxOut>, String> {
    let asset = realm.sidechain.policy_asset;
    let open = TxOutSecrets::new(asset, AssetBlindingFactor::zero(), OUTPUTS * SAT, ValueBlindingFactor::zero());
    let stranger = SecretKey::from_slice(&[9; 32]).map_err(said)?.public_key(SECP256K1);
    let elsewhere = Script::from([&[0, 20][..], &[7; 20]].concat());
    let mut made: Vec<TxOut> = Vec::new();
    let mut secrets: Vec<TxOutSecrets> = Vec::new();
    for nth in 1..OUTPUTS {
        let (script, key) = if nth == 1 { (own, own_key) } else { (&elsewhere, stranger) };
        let plain = lab::explicit(asset, SAT, script.clone());
        let (output, asset_bf, value_bf, _) = plain.to_non_last_confidential(rng, SECP256K1, key, &[open]).map_err(said)?;
        made.push(output);
        secrets.push(TxOutSecrets::new(asset, asset_bf, SAT, value_bf));
    }
    let known: Vec<&TxOutSecrets> = secrets.iter().collect();
    let last = TxOut::new_last_confidential(rng, SECP256K1, SAT, asset, elsewhere, stranger, &[open], &known);
    made.push(last.map_err(said)?.0);
    Ok(made)
}

/// Makes the chain, and gives the profile's wallet its transactions as its client would have, with nothing checked.
fn fill(store: &Store, realm: &Realm, rng: &mut StdRng) -> Result<Served, String> {
    let params = &realm.sidechain;
    let row = store.read(|reader| Ok(reader.wallets()?.remove(0))).map_err(said)?;
    let account = CtDescriptor::parse(&row.wallet.sidechain).and_then(|d| d.account(params)).map_err(said)?;
    let mut wallet = SidechainWallet::new(account, params);
    let own = wallet.account().derive(lab::Owner::path(0)).ok_or("no first address")?;
    let template = outputs(realm, &own.script, own.blinding_key, rng)?;

    let mut chain = node::Federation::new(realm)?;
    // One transaction that the wallet knows holds everything that the payments spend.
    let mut funds = vec![lab::explicit(params.policy_asset, 1_000, own.script.clone())];
    funds.extend((0..PAYMENTS).map(|_| lab::explicit(params.policy_asset, OUTPUTS * SAT, Script::from(vec![0x51]))));
    let funding = lab::gift(funds, 0);
    let funding_txid = funding.txid();
    chain.block(vec![funding])?;
    for block in 0..PAYMENTS / PER_BLOCK {
        let payment = |nth: u32| {
            let mut tx: Transaction = lab::gift(template.clone(), 0);
            tx.input[0].previous_output = OutPoint::new(funding_txid, 1 + block * PER_BLOCK + nth);
            tx
        };
        chain.block((0..PER_BLOCK).map(payment).collect())?;
    }

    let tip = chain.tip();
    let place = |block: Block| (Tip { height: block.header.height, hash: block.block_hash(), time: block.header.time }, block);
    let blocks = std::mem::take(&mut chain.blocks).into_iter().map(place).collect();
    let batch = ChainBatch { rollback_to: None, blocks, unconfirmed: Vec::new(), tip, scanned_to: tip.height };
    let candidates = wallet.candidates(&batch).into_iter().map(|candidate| ((), candidate)).collect();
    let opened: Vec<_> = causeway_app::cores::open(candidates).into_iter().map(|((), opened)| opened).collect();
    let changes = wallet.apply(&batch, &opened, 0).changes;
    let blocks: Vec<Block> = batch.blocks.into_iter().map(|(_, block)| block).collect();
    let headers: Vec<Vec<u8>> = blocks.iter().map(|block| elements::encode::serialize(&block.header)).collect();
    store
        .commit(|write| {
            let text = serde_json::to_string(&changes).expect("BUG: change sets are JSON");
            write.append_changes(row.id, NetworkId::Sidechain, &text)?;
            write.put_headers(NetworkId::Sidechain, 1, &headers)?;
            write.set_scanned_to(NetworkId::Sidechain, tip.height)?;
            for block in &blocks {
                for tx in &block.txdata[1..] {
                    write.set_proof(&tx.txid().to_string(), "unknown", tip.height)?;
                }
            }
            Ok(())
        })
        .map_err(said)?;
    Ok(chain.served(blocks))
}
