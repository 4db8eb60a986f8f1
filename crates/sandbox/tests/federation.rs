//! The federation changes, authorises and, when it is gone, is survived.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

#[path = "support/coins.rs"]
mod coins;
mod support;

use bitcoin::bip32::{ChildNumber, Xpriv, Xpub};
use bitcoin::hashes::Hash as _;
use bitcoin::hex::DisplayHex as _;
use bitcoin::secp256k1::{SECP256K1, SecretKey};
use causeway_federation::tweak::PegScript;
use causeway_sandbox::control::Propose;
use causeway_sidechain::consensus::pak;
use causeway_sidechain::consensus::pegout::Pegout;
use causeway_vocab::NetworkId;
use coins::{FEE, SAT, deposit, explicit, follow, is_taken, payments, spend};
use elements::{OutPoint, Script, Transaction};
use support::{Peer, World};

/// Burns what a claim brought, for a peg-out.
fn burn(world: &World, claim: &Transaction, pegout: &Pegout) -> Transaction {
    let params = world.sidechain();
    let output = vec![explicit(params, SAT - 2 * FEE, pegout.to_script()), explicit(params, FEE, Script::new())];
    spend(OutPoint::new(claim.txid(), 0), None, SAT - FEE, output)
}

fn plain(world: &World, to: &bitcoin::ScriptBuf) -> Pegout {
    Pegout { parent_genesis: world.sidechain().parent_genesis_hash, destination: to.clone(), extra: Vec::new() }
}

fn destination(number: u8) -> bitcoin::ScriptBuf {
    bitcoin::ScriptBuf::new_p2wsh(&bitcoin::WScriptHash::from_byte_array([number; 32]))
}

/// Mines on Bitcoin until the script is paid, once.
async fn is_paid(world: &World, to: &bitcoin::ScriptBuf) {
    let paid = async || {
        world.control.mine(NetworkId::Bitcoin, 1).await.unwrap();
        payments(world, to).await.first().cloned()
    };
    world.eventually("the payment", paid).await;
    assert_eq!(payments(world, to).await.len(), 1);
}

/// Waits until the watchmen have announced a transaction of their own accord, and until it pays this script.
async fn is_moved_to(world: &World, script: &bitcoin::ScriptBuf) {
    let announced = async || {
        let waiting = world.bitcoin("getrawmempool", serde_json::json!([])).await;
        (!waiting.as_array().unwrap().is_empty()).then_some(())
    };
    world.eventually("a sweep", announced).await;
    world.control.mine(NetworkId::Bitcoin, 1).await.unwrap();
    assert_eq!(payments(world, script).await.len(), 1);
}

#[tokio::test]
async fn pegs_that_are_under_way_survive_a_change_of_the_federation() {
    let mut world = World::up(&["--interval-ms", "3600000", "--epoch-length", "10", "--spares", "2"]).await;
    world.control.mine(NetworkId::Sidechain, 2).await.unwrap();
    let before = follow(&world).await;
    // Three deposits to the old script: one claimed and burned at once, one burned later, one claimed only under the new federation.
    let (early, middle, late) = (deposit(&world).await, deposit(&world).await, deposit(&world).await);
    world.control.mine(NetworkId::Bitcoin, 10).await.unwrap();
    let mut peer = Peer::connect(world.sidechain()).await;
    for claim in [&early, &middle] {
        assert!(is_taken(&world, &mut peer, claim).await);
        world.control.mine(NetworkId::Sidechain, 1).await.unwrap();
    }
    let (first, second) = (destination(1), destination(2));
    assert!(is_taken(&world, &mut peer, &burn(&world, &early, &plain(&world, &first))).await);
    world.control.mine(NetworkId::Sidechain, 1).await.unwrap();

    // Two leave, two come, and one more must sign.
    let bad = Propose { members: vec![0, 1, 2], threshold: 4, emergency_delay: None };
    let why = world.control.propose(&bad).await.unwrap_err().to_string();
    assert!(why.contains("the signing threshold"), "{why}");
    let no_way_out = Propose { members: vec![0, 1, 2], threshold: 2, emergency_delay: Some(0) };
    let why = world.control.propose(&no_way_out).await.unwrap_err().to_string();
    assert!(why.contains("emergency path"), "{why}");
    let wanted = Propose { members: vec![6, 0, 2, 1, 5], threshold: 4, emergency_delay: None };
    world.control.propose(&wanted).await.unwrap();
    let switched_on = world.control.status().await.unwrap().functionaries;
    assert_eq!(switched_on, [true; 7]);
    world.kill_and_restart().await;
    world.control.mine(NetworkId::Sidechain, 15).await.unwrap();
    let after = follow(&world).await;
    assert_eq!(after.signers(), Some((4, 5)));
    assert_ne!(after.current_params().fedpegscript, before.current_params().fedpegscript);
    let script = bitcoin::ScriptBuf::from_bytes(after.current_params().fedpegscript.clone());
    let peg = PegScript::parse(&script).expect("a peg script");
    assert_eq!((peg.k, peg.keys.len()), (4, 5));
    assert!(peg.emergency.is_some());

    // Those that left are not needed any more.
    for gone in [3, 4] {
        world.control.functionary(gone, causeway_sandbox::control::SwitchAction::Stop).await.unwrap();
    }
    is_paid(&world, &first).await;
    let mut peer = Peer::connect(world.sidechain()).await;
    assert!(is_taken(&world, &mut peer, &late).await, "a deposit to the old script is claimed within its epochs");
    world.control.mine(NetworkId::Sidechain, 1).await.unwrap();
    assert!(is_taken(&world, &mut peer, &burn(&world, &middle, &plain(&world, &second))).await);
    world.control.mine(NetworkId::Sidechain, 2).await.unwrap();
    is_paid(&world, &second).await;
    // The change of what was paid lies under the new script.
    assert!(!payments(&world, &after.current_params().fedpeg_program).await.is_empty());
}

#[tokio::test]
async fn a_deposit_to_a_script_that_has_expired_is_not_claimed() {
    let world = World::up(&["--interval-ms", "3600000", "--epoch-length", "10", "--spares", "1"]).await;
    world.control.mine(NetworkId::Sidechain, 1).await.unwrap();
    let claim = deposit(&world).await;
    world.control.mine(NetworkId::Bitcoin, 10).await.unwrap();
    let wanted = Propose { members: vec![0, 1, 2, 3, 5], threshold: 3, emergency_delay: None };
    world.control.propose(&wanted).await.unwrap();
    // In force from 10; the script before it is good for one more epoch.
    world.control.mine(NetworkId::Sidechain, 19).await.unwrap();
    let mut peer = Peer::connect(world.sidechain()).await;
    assert!(!is_taken(&world, &mut peer, &claim).await);
}

#[tokio::test]
async fn peg_outs_need_an_authorisation_of_a_listed_wallet_where_the_chain_asks_for_one() {
    let world = World::up(&["--interval-ms", "3600000", "--epoch-length", "10", "--pak"]).await;
    world.control.mine(NetworkId::Sidechain, 1).await.unwrap();
    let claim = deposit(&world).await;
    world.control.mine(NetworkId::Bitcoin, 10).await.unwrap();
    let mut peer = Peer::connect(world.sidechain()).await;
    assert!(is_taken(&world, &mut peer, &claim).await);
    world.control.mine(NetworkId::Sidechain, 1).await.unwrap();

    let master = Xpriv::new_master(bitcoin::Network::Regtest, &[9; 32]).unwrap();
    let (offline, online) = (Xpub::from_priv(SECP256K1, &master), SecretKey::from_slice(&[8; 32]).unwrap());
    let entry = pak::entry(&offline, &online.public_key(SECP256K1));
    assert!(world.control.enlist("00").await.is_err(), "no pair of keys");
    world.control.enlist(&entry.to_lower_hex_string()).await.unwrap();
    let list = follow(&world).await.pak_list_for_next_block(world.sidechain());
    assert_eq!(list.entries().count(), 5, "one for each functionary, and not yet this wallet's");
    world.control.mine(NetworkId::Sidechain, 18).await.unwrap();
    let list = follow(&world).await.pak_list_for_next_block(world.sidechain());
    assert_eq!(list.entries().count(), 6);

    let path = [ChildNumber::Normal { index: 0 }, ChildNumber::Normal { index: 3 }];
    let (key, proof) = list.authorise(&offline, &path, &online).expect("on the list");
    let own = bitcoin::ScriptBuf::new_p2wpkh(&bitcoin::CompressedPublicKey(key).wpubkey_hash());
    let parent = world.sidechain().parent_genesis_hash;
    let stranger = destination(5);
    let mut spoilt = proof.clone();
    spoilt[50] ^= 1;
    for bad in [
        plain(&world, &own),
        Pegout::authorised(parent, stranger, &key, proof.clone()),
        Pegout::authorised(parent, own.clone(), &key, spoilt),
    ] {
        assert!(!is_taken(&world, &mut peer, &burn(&world, &claim, &bad)).await, "{bad:?}");
    }
    let good = Pegout::authorised(parent, own.clone(), &key, proof);
    assert!(is_taken(&world, &mut peer, &burn(&world, &claim, &good)).await);
    world.control.mine(NetworkId::Sidechain, 2).await.unwrap();
    is_paid(&world, &own).await;
}

#[tokio::test]
async fn the_emergency_quorum_withdraws_when_bitcoin_has_let_enough_blocks_pass() {
    let world = World::up(&["--interval-ms", "3600000", "--emergency-delay", "30"]).await;
    world.control.mine(NetworkId::Sidechain, 1).await.unwrap();
    let claim = deposit(&world).await;
    world.control.mine(NetworkId::Bitcoin, 10).await.unwrap();
    let mut peer = Peer::connect(world.sidechain()).await;
    assert!(is_taken(&world, &mut peer, &claim).await);
    world.control.mine(NetworkId::Sidechain, 1).await.unwrap();
    let safe = bitcoin::Address::p2wsh(&bitcoin::ScriptBuf::new(), bitcoin::Network::Regtest);
    // Its block was the first of eleven; the withdrawal would be in the twelfth.
    let known = world
        .eventually("the watchmen to know the coin", async || {
            let why = world.control.withdraw(&safe.to_string()).await.unwrap_err().to_string();
            (!why.contains("1 to 100 coins")).then_some(why)
        })
        .await;
    assert!(known.contains("non-BIP68-final"), "bitcoind itself refuses: {known}");
    // The functionaries are gone: otherwise they would move the coin before it is old enough.
    for gone in 0..5 {
        world.control.functionary(gone, causeway_sandbox::control::SwitchAction::Stop).await.unwrap();
    }
    // bitcoind looks at the block that would come next: thirty blocks on top of the deposit's are needed by then.
    world.control.mine(NetworkId::Bitcoin, 18).await.unwrap();
    let why = world.control.withdraw(&safe.to_string()).await.unwrap_err().to_string();
    assert!(why.contains("non-BIP68-final"), "one block too early: {why}");
    world.control.mine(NetworkId::Bitcoin, 1).await.unwrap();
    world.control.withdraw(&safe.to_string()).await.unwrap();
    world.control.mine(NetworkId::Bitcoin, 1).await.unwrap();
    let paid = payments(&world, &safe.script_pubkey()).await;
    assert_eq!(paid.len(), 1);
    let sat = bitcoin::Amount::from_btc(paid[0]["amount"].as_f64().unwrap()).unwrap().to_sat();
    assert!(sat > SAT - 2_000 && sat < SAT, "everything less the fee, not {sat}");
}

#[tokio::test]
async fn a_member_that_signs_a_height_twice_is_proven_to_every_peer_also_later() {
    use causeway_federation::DoubleSign;
    let mut world = World::up(&["--interval-ms", "3600000"]).await;
    world.control.mine(NetworkId::Sidechain, 3).await.unwrap();
    let mut peer = Peer::connect(world.sidechain()).await;
    world.control.misbehave(2).await.unwrap();
    let proof = DoubleSign::from_bytes(&peer.expect("doublesign").await).unwrap();
    assert!(proof.verify());
    assert_eq!(proof.height(), 3);
    let headers = peer.headers(world.sidechain().genesis_hash).await;
    let signers = causeway_sidechain::consensus::signature::verify_own_signatures(&headers[2], world.sidechain()).unwrap();
    assert_eq!(signers.multisig.keys[2], proof.key);
    // Whoever knows signs nothing more, and a restart makes nobody forget.
    world.kill_and_restart().await;
    let mut other = Peer::connect(world.sidechain()).await;
    assert_eq!(other.expect("doublesign").await, proof.to_bytes());
    let states = || (0..5).map(|index| world.dir.path().join(format!("functionaries/{index}/signing.json")));
    let told = async || {
        let convicts =
            |path: &std::path::PathBuf| std::fs::read_to_string(path).is_ok_and(|state| state.contains(&proof.key.to_string()));
        states().filter(convicts).count().ge(&4).then_some(())
    };
    world.eventually("the news to be everywhere", told).await;
    let stuck = tokio::time::timeout(std::time::Duration::from_secs(4), world.control.mine(NetworkId::Sidechain, 1)).await;
    assert!(stuck.is_err(), "{stuck:?}");
    // The operators have looked at it, and may vote it out.
    world.control.acknowledge().await.unwrap();
    world.control.mine(NetworkId::Sidechain, 2).await.unwrap();
}

#[tokio::test]
async fn coins_of_a_voted_out_federation_and_coins_that_grow_old_are_moved_by_themselves() {
    let world =
        World::up(&["--interval-ms", "3600000", "--epoch-length", "10", "--spares", "3", "--emergency-delay", "40"]).await;
    world.control.mine(NetworkId::Sidechain, 2).await.unwrap();
    let before = follow(&world).await;
    let claim = deposit(&world).await;
    world.control.mine(NetworkId::Bitcoin, 10).await.unwrap();
    let mut peer = Peer::connect(world.sidechain()).await;
    assert!(is_taken(&world, &mut peer, &claim).await);
    world.control.mine(NetworkId::Sidechain, 1).await.unwrap();
    // Old enough for the emergency quorum before long, so it goes to the same federation anew.
    let first = before.current_params().fedpeg_program.clone();
    world.control.mine(NetworkId::Bitcoin, 20).await.unwrap();
    is_moved_to(&world, &first).await;

    // Nobody stays, and nobody pegs out.
    let wanted = Propose { members: vec![5, 6, 7], threshold: 2, emergency_delay: None };
    world.control.propose(&wanted).await.unwrap();
    world.control.mine(NetworkId::Sidechain, 18).await.unwrap();
    let after = follow(&world).await;
    let second = after.current_params().fedpeg_program.clone();
    assert_ne!(first, second);
    is_moved_to(&world, &second).await;
    assert!(payments(&world, &first).await.is_empty(), "nothing is left with those who went");
    let sat = bitcoin::Amount::from_btc(payments(&world, &second).await[0]["amount"].as_f64().unwrap()).unwrap().to_sat();
    assert!(sat > SAT - 10_000 && sat < SAT, "everything less the fees of some sweeps, not {sat}");
}
