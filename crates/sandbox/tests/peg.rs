//! Value moves across the peg and back, with nothing but raw transactions.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

#[path = "support/coins.rs"]
mod coins;
mod support;

use bitcoin::hashes::Hash as _;
use causeway_sidechain::consensus::pegout::Pegout;
use causeway_vocab::NetworkId;
use coins::{FEE, SAT, deposit, explicit, is_taken, payments, spend};
use elements::{OutPoint, Script, confidential};
use support::{Peer, World};

#[tokio::test]
async fn a_deposit_is_claimed_at_depth_ten_and_once() {
    let world = World::up(&["--interval-ms", "3600000"]).await;
    world.control.mine(NetworkId::Sidechain, 2).await.unwrap();
    let claim = deposit(&world).await;
    let mut peer = Peer::connect(world.sidechain()).await;
    let mut other = Peer::connect(world.sidechain()).await;

    world.control.mine(NetworkId::Bitcoin, 8).await.unwrap();
    assert!(!is_taken(&world, &mut peer, &claim).await, "nine confirmations are too few");
    world.control.mine(NetworkId::Bitcoin, 1).await.unwrap();
    let mut wrong = claim.clone();
    wrong.input[0].witness.script_witness = Vec::<Vec<u8>>::new().into();
    assert!(!is_taken(&world, &mut peer, &wrong).await, "nobody but its owner can claim");
    assert!(is_taken(&world, &mut peer, &claim).await, "ten are enough");
    // Relayed to the others, who can fetch it.
    let offered: Vec<bitcoin::p2p::message_blockdata::Inventory> =
        bitcoin::consensus::deserialize(&other.expect("inv").await).unwrap();
    other.send("getdata", &bitcoin::consensus::serialize(&offered)).await;
    assert_eq!(other.expect("tx").await, elements::encode::serialize(&claim));

    let tip = world.control.mine(NetworkId::Sidechain, 1).await.unwrap().tip.parse().unwrap();
    let block = peer.block(tip).await;
    assert_eq!(block.txdata[1], claim);
    assert_eq!(block.txdata[0].output[0].value, confidential::Value::Explicit(FEE), "the proposer takes the fee");
    assert!(!is_taken(&world, &mut peer, &claim).await, "a deposit is claimed once");
}

#[tokio::test]
async fn a_claim_whose_deposit_is_reorganised_away_leaves_the_mempool() {
    let world = World::up(&["--interval-ms", "3600000"]).await;
    world.control.mine(NetworkId::Sidechain, 1).await.unwrap();
    let claim = deposit(&world).await;
    world.control.mine(NetworkId::Bitcoin, 9).await.unwrap();
    let mut peer = Peer::connect(world.sidechain()).await;
    assert!(is_taken(&world, &mut peer, &claim).await);
    world.control.reorg(10).await.unwrap();
    let tip = world.control.mine(NetworkId::Sidechain, 1).await.unwrap().tip.parse().unwrap();
    assert_eq!(peer.block(tip).await.txdata.len(), 1, "no block may hold it");
    assert_eq!(world.control.status().await.unwrap().mempool, 0);
}

#[tokio::test]
async fn burned_value_is_paid_once_on_bitcoin_whatever_is_killed() {
    let mut world = World::up(&["--interval-ms", "3600000"]).await;
    world.control.mine(NetworkId::Sidechain, 1).await.unwrap();
    let claim = deposit(&world).await;
    world.control.mine(NetworkId::Bitcoin, 9).await.unwrap();
    let mut peer = Peer::connect(world.sidechain()).await;
    assert!(is_taken(&world, &mut peer, &claim).await);
    world.control.mine(NetworkId::Sidechain, 1).await.unwrap();

    let destination = bitcoin::ScriptBuf::new_p2wsh(&bitcoin::WScriptHash::all_zeros());
    let pegout =
        Pegout { parent_genesis: world.sidechain().parent_genesis_hash, destination: destination.clone(), extra: Vec::new() };
    let burned = SAT - 2 * FEE;
    let params = world.sidechain();
    let output = vec![explicit(params, burned, pegout.to_script()), explicit(params, FEE, Script::new())];
    let burn = spend(OutPoint::new(claim.txid(), 0), None, SAT - FEE, output);
    assert!(is_taken(&world, &mut peer, &burn).await);
    world.kill_and_restart().await;
    assert_eq!(world.control.status().await.unwrap().mempool, 1, "what waits for a block is not forgotten");
    world.control.mine(NetworkId::Sidechain, 2).await.unwrap();
    world.kill_and_restart().await;

    let paid = world
        .eventually("the payment", async || {
            world.control.mine(NetworkId::Bitcoin, 1).await.unwrap();
            payments(&world, &destination).await.first().cloned()
        })
        .await;
    let sat = bitcoin::Amount::from_btc(paid["amount"].as_f64().unwrap()).unwrap().to_sat();
    assert!(sat < burned && sat > burned - 2_000, "what was burned less the fee, not {sat}");
    let count = async || (world.control.status().await.unwrap().pending_pegouts == 0).then_some(());
    world.eventually("the count of paid peg-outs", count).await;
    assert_eq!(payments(&world, &destination).await.len(), 1);
}
