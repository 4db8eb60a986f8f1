//! Clocks that jump, an old database, a second process, an update.

use crate::world::{Desk, open, open_by, refused, story, world};
use causeway_app::release::{File, Manifest, Package, Quorum, ReleaseKeys, Role, Version};
use causeway_app::{App, Clock, Options, updates};
use causeway_contract::*;
use causeway_tests::main_job::until;
use causeway_tests::world::beside;
use std::cell::Cell;
use std::process::Command;

const DAY: u32 = 24 * 60 * 60;
const PASSWORD: &str = "three long planks 7";

#[test]
fn a_clock_that_jumps_either_way_neither_opens_nor_shuts_anything_for_long() {
    story(async {
        let (dir, clock) = (tempfile::tempdir().expect("a folder"), Clock::default());
        let app = open_by(dir.path(), &clock).await;
        let words = app.words_new(WordsNew { count: 12, own_entropy: None }).await.expect("words").words;
        let wallet = WalletCreate {
            name: "Desk".into(),
            words,
            passphrase: String::new(),
            password: PASSWORD.into(),
            restore: false,
            birthday: None,
        };
        let id = app.wallet_create(wallet).await.expect("a wallet").id;
        let mut settings = app.settings_get(Empty {}).await.expect("settings");
        settings.auto_lock_minutes = 5;
        app.settings_set(settings).await.expect("set");
        let unlocked = async || app.app_state(Empty {}).await.expect("a state").unlocked;

        // Back by a month: the minutes of idleness count from there, not from when the clock has caught up.
        assert!(unlocked().await);
        clock.set_back(30 * DAY);
        let passed = Cell::new(0);
        let locks = until(&app, async || {
            clock.advance(60);
            passed.set(passed.get() + 60);
            Ok((!unlocked().await).then_some(()))
        });
        locks.await.expect("locks");
        assert!((5 * 60..DAY).contains(&passed.get()), "locked after {} s", passed.get());

        // Wrong passwords of a wrong future are not waited out until then.
        clock.advance(365 * DAY);
        let attempt = async |password: &str| app.unlock(WalletUnlock { wallet: id, password: password.into() }).await;
        for _ in 0..4 {
            assert_eq!(refused(attempt("wrong wrong wrong 9").await), Code::WrongPassword);
            clock.advance(60 * 60);
        }
        assert_eq!(refused(attempt("wrong wrong wrong 9").await), Code::WrongPassword);
        clock.set_back(365 * DAY);
        assert_eq!(refused(attempt(PASSWORD).await), Code::TooManyTries, "a step back opens no door");
        clock.advance(60 * 60);
        attempt(PASSWORD).await.expect("opens");
        app.close().await;
    });
}

#[test]
fn an_old_database_learns_from_the_chains_what_was_spent_since() {
    story(async {
        let desk = Desk::with(200_000, 150_000).await;
        let wallet = desk.wallet;
        let realm = world().await.realm.clone();
        let dir = desk.shut().await;
        let old = std::fs::read(dir.path().join("profile.db")).expect("a database");
        let desk = Desk { app: open(dir.path(), realm.clone()).await.expect("opens"), dir, wallet };
        desk.synced().await;
        let payee = Desk::new().await;
        for network in NetworkId::ALL {
            let to = payee.address(network).await;
            let operation = desk.send(network, to, 50_000).await;
            desk.finish(operation.operation).await;
        }
        let after: Vec<u64> = [desk.balance(NetworkId::Bitcoin).await, desk.balance(NetworkId::Sidechain).await].into();
        let dir = desk.shut().await;
        for rest in ["profile.db-wal", "profile.db-shm"] {
            let _ = std::fs::remove_file(dir.path().join(rest));
        }
        std::fs::write(dir.path().join("profile.db"), old).expect("the old database");

        let desk = Desk { app: open(dir.path(), realm).await.expect("opens"), dir, wallet };
        desk.synced().await;
        desk.until(async |desk| [desk.balance(NetworkId::Bitcoin).await, desk.balance(NetworkId::Sidechain).await] == after[..])
            .await;
        for network in NetworkId::ALL {
            assert!(!desk.history(network).await.is_empty());
            // What is left is spent with coins that are still there.
            let to = payee.address(network).await;
            let operation = desk.send(network, to, 20_000).await;
            desk.finish(operation.operation).await;
        }
        desk.close().await;
        payee.close().await;
    });
}

#[test]
fn a_second_process_is_told_that_the_profile_is_in_use_and_disturbs_nothing() {
    story(async {
        let desk = Desk::with(100_000, 0).await;
        let before = desk.state().await;
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), world().await.realm.to_toml()).expect("the realm");
        let second = || {
            let mut command = Command::new(beside("causeway").expect("the command line is built"));
            command.arg("--profile").arg(desk.dir.path()).arg("--realm").arg(file.path()).args(["--json", "--sync", "0"]);
            command.args(["call", "app_state"]).output().expect("it runs")
        };
        let told = second();
        assert!(!told.status.success());
        assert!(String::from_utf8_lossy(&told.stdout).contains("profile-in-use"), "{told:?}");
        assert_eq!(desk.state().await, before);
        desk.fund(30_000).await;
        desk.close().await;
    });
}

fn update(signers: &[(Role, u8)]) -> (String, ReleaseKeys, String) {
    use bitcoin::secp256k1::{Keypair, SECP256K1, SecretKey};
    let pair = |number: u8| Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[number; 32]).expect("a key"));
    let quorum = |threshold, numbers: &[u8]| Quorum {
        threshold,
        keys: numbers.iter().map(|number| pair(*number).x_only_public_key().0).collect(),
    };
    let keys = ReleaseKeys::new("causeway".into(), quorum(1, &[1]), quorum(2, &[2, 3]), quorum(2, &[4, 5, 6])).expect("keys");
    let name = format!("causeway-99.0.0{}deb", updates::platform());
    let files = vec![File { name: name.clone(), size: 11, sha256: [9; 32] }];
    let manifest = Manifest { product: "causeway".into(), version: Version([99, 0, 0]), released: 5, files };
    let signatures = signers.iter().map(|(role, number)| manifest.sign(*role, &pair(*number), &[0; 32])).collect();
    (Package::new(manifest, signatures).to_json(), keys, name)
}

#[test]
fn an_update_counts_when_enough_of_each_role_have_signed_it_and_names_its_file() {
    story(async {
        let all = [(Role::Publisher, 1), (Role::Auditor, 2), (Role::Auditor, 3), (Role::Functionary, 4), (Role::Functionary, 6)];
        let (good, keys, name) = update(&all);
        let mut options = Options::default();
        options.release_keys = keys;
        let dir = tempfile::tempdir().expect("a folder");
        let app = App::open(dir.path(), world().await.realm.clone(), options).await.expect("opens");
        let ask = async |package: &str, sha256: Option<&str>| {
            let file = sha256.map(|hash| UpdateFile { name: name.clone(), size: 11, sha256: hash.repeat(32) });
            app.update_check(UpdateCheck { package: package.into(), file }).await
        };
        let verdict = ask(&good, None).await.expect("good");
        assert_eq!((verdict.version.as_str(), verdict.functionaries, verdict.verified), ("99.0.0", 2, None));
        assert_eq!(ask(&good, Some("09")).await.expect("its file").verified.as_deref(), Some(&*name));
        assert_eq!(refused(ask(&good, Some("0a")).await), Code::ReleaseFile);
        assert_eq!(refused(ask(&update(&all[..4]).0, None).await), Code::ReleaseShort);
        assert_eq!(refused(ask(&good.replace("99.0.0", "99.0.1"), None).await), Code::BadRelease);
        app.close().await;
        // The keys that ship know none of these signers.
        let desk = Desk::new().await;
        assert_eq!(refused(desk.app.update_check(UpdateCheck { package: good, file: None }).await), Code::BadRelease);
        desk.close().await;
    });
}
