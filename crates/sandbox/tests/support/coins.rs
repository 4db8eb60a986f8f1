//! Coins of one key on the sidechain, moved by raw transactions.

use super::support::{Peer, World};
use bitcoin::hashes::Hash as _;
use bitcoin::hex::FromHex as _;
use bitcoin::secp256k1::{Message, SECP256K1, SecretKey};
use causeway_sandbox::control::Fund;
use causeway_sidechain::consensus::header::HeaderState;
use causeway_sidechain::consensus::pegin::{Peg, PeginWitness};
use causeway_sidechain::consensus::tweak;
use causeway_vocab::SidechainParams;
use elements::{
    AssetIssuance, LockTime, OutPoint, Script, Sequence, Transaction, TxIn, TxInWitness, TxOut, TxOutWitness, Txid, confidential,
};
use serde_json::json;

pub(crate) const FEE: u64 = 500;
pub(crate) const SAT: u64 = 1_000_000;

pub(crate) fn key() -> SecretKey {
    SecretKey::from_slice(&[0x42; 32]).unwrap()
}

pub(crate) fn public() -> bitcoin::CompressedPublicKey {
    bitcoin::CompressedPublicKey(key().public_key(SECP256K1))
}

pub(crate) fn own_script() -> Script {
    Script::from(bitcoin::ScriptBuf::new_p2wpkh(&public().wpubkey_hash()).into_bytes())
}

pub(crate) fn explicit(params: &SidechainParams, sat: u64, script_pubkey: Script) -> TxOut {
    TxOut {
        asset: confidential::Asset::Explicit(params.policy_asset),
        value: confidential::Value::Explicit(sat),
        nonce: confidential::Nonce::Null,
        script_pubkey,
        witness: TxOutWitness::default(),
    }
}

/// A transaction that spends one explicit coin of our key.
pub(crate) fn spend(previous_output: OutPoint, pegin: Option<&PeginWitness>, sat: u64, output: Vec<TxOut>) -> Transaction {
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
pub(crate) async fn deposit(world: &World) -> Transaction {
    let params = world.sidechain();
    let state = follow(world).await;
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
pub(crate) async fn is_taken(world: &World, peer: &mut Peer, tx: &Transaction) -> bool {
    peer.send_tx(tx).await;
    world.control.status().await.unwrap().mempool == 1
}

/// The header chain up to the tip, verified.
pub(crate) async fn follow(world: &World) -> HeaderState {
    let params = world.sidechain();
    let mut state = HeaderState::genesis(params).unwrap();
    for header in Peer::connect(params).await.headers(params.genesis_hash).await {
        state = state.next(params, &header, u64::from(header.time)).unwrap();
    }
    state
}

/// What pays a script on Bitcoin, in bitcoin.
pub(crate) async fn payments(world: &World, script: &bitcoin::Script) -> Vec<serde_json::Value> {
    let found = world.bitcoin("scantxoutset", json!(["start", [format!("raw({script:x})")]])).await;
    found["unspents"].as_array().unwrap().clone()
}
