//! Value moves across the peg and back, with nothing but raw transactions.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use bitcoin::hashes::Hash as _;
use bitcoin::hex::FromHex as _;
use bitcoin::secp256k1::{Message, SECP256K1, SecretKey};
use causeway_sandbox::control::Fund;
use causeway_sidechain::consensus::header::HeaderState;
use causeway_sidechain::consensus::pegin::{Peg, PeginWitness};
use causeway_sidechain::consensus::pegout::Pegout;
use causeway_sidechain::consensus::tweak;
use causeway_vocab::{NetworkId, SidechainParams};
use elements::{
    AssetIssuance, LockTime, OutPoint, Script, Sequence, Transaction, TxIn, TxInWitness, TxOut, TxOutWitness, Txid, confidential,
};
use serde_json::json;
use support::{Peer, World};

const FEE: u64 = 500;
const SAT: u64 = 1_000_000;

fn key() -> SecretKey {
    SecretKey::from_slice(&[0x42; 32]).unwrap()
}

fn public() -> bitcoin::CompressedPublicKey {
    bitcoin::CompressedPublicKey(key().public_key(SECP256K1))
}

fn own_script() -> Script {
    Script::from(bitcoin::ScriptBuf::new_p2wpkh(&public().wpubkey_hash()).into_bytes())
}

fn explicit(params: &SidechainParams, sat: u64, script_pubkey: Script) -> TxOut {
    TxOut {
        asset: confidential::Asset::Explicit(params.policy_asset),
        value: confidential::Value::Explicit(sat),
        nonce: confidential::Nonce::Null,
        script_pubkey,
        witness: TxOutWitness::default(),
    }
}

/// A transaction that spends one explicit coin of our key.
fn spend(previous_output: OutPoint, pegin: Option<&PeginWitness>, sat: u64, output: Vec<TxOut>) -> Transaction {
    let mut tx = Transaction {
        version: 2,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output,
            is_pegin: pegin.is_some(),
            script_sig: Script::new(),
            sequence: Sequence::MAX,
            asset_issuance: AssetIssuance::default(),
            witness: TxInWitness::default(),
        }],
        output,
    };
    let code = Script::from(bitcoin::ScriptBuf::new_p2pkh(&bitcoin::PublicKey::from(public()).pubkey_hash()).into_bytes());
    let sighash = elements::sighash::SighashCache::new(&tx).segwitv0_sighash(
        0,
        &code,
        confidential::Value::Explicit(sat),
        elements::EcdsaSighashType::All,
    );
    let message = Message::from_digest(sighash.to_byte_array());
    let mut signature = SECP256K1.sign_ecdsa(&message, &key()).serialize_der().to_vec();
    signature.push(1);
    tx.input[0].witness.script_witness = vec![signature, public().to_bytes().to_vec()].into();
    if let Some(witness) = pegin {
        tx.input[0].witness.pegin_witness = witness.to_library();
    }
    tx
}

/// Makes a deposit and gives the claim of it, ready to be sent.
async fn deposit(world: &World) -> Transaction {
    let params = world.sidechain();
    let mut state = HeaderState::genesis(params).unwrap();
    for header in Peer::connect(params).await.headers(params.genesis_hash).await {
        state = state.next(params, &header, u64::from(header.time)).unwrap();
    }
    let fedpeg = state.fedpegs_for_next_block(params).remove(0);
    let script = tweak::deposit_script(&fedpeg, &own_script()).unwrap();
    let address = bitcoin::Address::from_script(&script, bitcoin::Network::Regtest).unwrap().to_string();
    let funded = world.control.fund(&Fund { address, sat: SAT, mine: 1 }).await.unwrap();
    let height = world.control.status().await.unwrap().bitcoin_height;
    let hash = world.bitcoin("getblockhash", json!([height])).await;
    let block = world.bitcoin("getblock", json!([hash, 0])).await;
    let block = Vec::from_hex(block.as_str().unwrap()).unwrap();
    let block: bitcoin::Block = bitcoin::consensus::deserialize(&block).unwrap();
    let witness = PeginWitness::build(&Peg::from(params), &block, &funded.txid, funded.vout, &own_script()).unwrap();
    let previous = OutPoint::new(Txid::from_byte_array(funded.txid.to_byte_array()), funded.vout);
    let output = vec![explicit(params, SAT - FEE, own_script()), explicit(params, FEE, Script::new())];
    spend(previous, Some(&witness), SAT, output)
}

/// Sends a transaction and says whether it waits for a block.
async fn is_taken(world: &World, peer: &mut Peer, tx: &Transaction) -> bool {
    peer.send_tx(tx).await;
    world.control.status().await.unwrap().mempool == 1
}

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
    world.control.mine(NetworkId::Sidechain, 2).await.unwrap();
    world.kill_and_restart().await;

    let script = format!("{destination:x}");
    let payments = async || {
        let found = world.bitcoin("scantxoutset", json!(["start", [format!("raw({script})")]])).await;
        found["unspents"].as_array().unwrap().clone()
    };
    let paid = world
        .eventually("the payment", async || {
            world.control.mine(NetworkId::Bitcoin, 1).await.unwrap();
            payments().await.first().cloned()
        })
        .await;
    let sat = bitcoin::Amount::from_btc(paid["amount"].as_f64().unwrap()).unwrap().to_sat();
    assert!(sat < burned && sat > burned - 2_000, "what was burned less the fee, not {sat}");
    let count = async || (world.control.status().await.unwrap().pending_pegouts == 0).then_some(());
    world.eventually("the count of paid peg-outs", count).await;
    assert_eq!(payments().await.len(), 1);
}
