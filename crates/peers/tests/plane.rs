//! The client of the control plane against a running sandbox.

use bitcoin::bip32::{DerivationPath, Xpriv};
use causeway_peers::plane::ControlPlane;
use causeway_peers::source::Trust;
use causeway_sandbox::plane::Switches;
use causeway_sandbox::{Control, Options};
use causeway_staking::possession::Account;
use causeway_vocab::{Code, NetworkId, Realm};

fn now() -> u32 {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs();
    u32::try_from(seconds).expect("before 2106")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_plane_is_followed_its_parameters_are_proved_and_a_fork_is_seen() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().to_owned();
    let options = Options { mine_every: None, ..Options::default() };
    let mut world = tokio::spawn(async move { causeway_sandbox::serve(&path, options).await });
    let realm: Realm = tokio::select! {
        realm = causeway_sandbox::ensure_up(dir.path(), |_| Ok(())) => realm.expect("a sandbox that is up"),
        ended = &mut world => panic!("the sandbox ended: {ended:?}"),
    };
    let staking = realm.staking.clone().expect("a control plane");
    let control = Control::at(realm.testbed.expect("a testbed").control).expect("a client");
    let plane = ControlPlane::new(&staking, &Trust::public()).expect("a client");

    let (height, hash) = (staking.anchor_height, staking.anchor_hash.as_str());
    let first = plane.follow(height, hash, now()).await.expect("followed");
    let params = plane.proved_params(&first).await.expect("proved");
    let tip = plane.bitcoin_tip().await.expect("a height");
    assert_eq!(params.at_height(tip).map(|(version, _)| version), Some(0));
    control.staking_params(1_500).await.expect("new parameters");
    control.mine(NetworkId::Bitcoin, 2).await.expect("mined");
    let later = plane.follow(height, hash, now()).await.expect("followed");
    assert!(later.trusted().height() > first.trusted().height());
    let params = plane.proved_params(&later).await.expect("proved");
    let (version, live) = params.at_height(tip + 2).expect("parameters");
    assert_eq!((version, live.unbonding_fee.to_sat()), (1, 1_500));
    assert_eq!(params.at_height(tip).map(|(version, _)| version), Some(0), "the old ones hold for what was before");

    let providers = plane.providers().await.expect("providers");
    assert_eq!(providers.iter().map(|provider| provider.moniker.as_str()).collect::<Vec<_>>(), ["Alder", "Birch", "Cedar"]);
    let key = Xpriv::new_master(bitcoin::Network::Regtest, &[1; 32]).expect("a key");
    let key = key.derive_priv(bitcoin::secp256k1::SECP256K1, &DerivationPath::default()).expect("itself").private_key;
    let account = Account::of_key(&key.public_key(bitcoin::secp256k1::SECP256K1), &staking.account_prefix).expect("an account");
    assert!(plane.balance(&account).await.expect("a balance") > 0);
    assert_eq!(plane.rewards(&account).await.expect("none").coins, 0);

    let refused = async |height, hash: &str, now| plane.follow(height, hash, now).await.map(drop).expect_err("refused").code;
    assert_eq!(refused(height, &"ab".repeat(32), now()).await, Code::WrongGenesis);
    assert_eq!(refused(height, hash, now() + staking.trusting_period + 60).await, Code::TrustExpired);
    control.plane(Switches { forked: true, off: false }).await.expect("forked");
    assert_eq!(refused(height, hash, now()).await, Code::ControlPlaneForked);
    control.plane(Switches { forked: false, off: true }).await.expect("off");
    assert_eq!(refused(height, hash, now()).await, Code::NoPeers);

    causeway_sandbox::down(dir.path()).await.expect("a sandbox that goes down");
    world.await.expect("a task").expect("an orderly end");
}
