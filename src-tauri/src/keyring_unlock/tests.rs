//! The steps of unlocking by keyring on a real vault, with a keyring of our own.

use super::{Keyring, KeyringState, forget, remember, state, unlock};
use causeway_app::{App, Options};
use causeway_contract::{Code, Empty, Failure, WalletCreate};
use causeway_vocab::{BitcoinParams, Realm, SidechainParams};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

const PASSWORD: &str = "lighthouse";

/// What a keyring holds, and whether it obliges.
#[derive(Clone, Default)]
struct Shelf {
    held: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    locked: Arc<Mutex<bool>>,
}

impl Shelf {
    fn lock(&self, locked: bool) {
        *self.locked.lock().expect("a lock") = locked;
    }

    fn open<T>(&self, work: impl FnOnce(&mut HashMap<String, Vec<u8>>) -> Option<T>) -> keyring::Result<T> {
        if *self.locked.lock().expect("a lock") {
            return Err(keyring::Error::NoStorageAccess("the user said no".into()));
        }
        work(&mut self.held.lock().expect("a lock")).ok_or(keyring::Error::NoEntry)
    }
}

impl Keyring for Shelf {
    fn answers(&self) -> bool {
        !*self.locked.lock().expect("a lock")
    }

    fn set(&self, user: &str, secret: &[u8]) -> keyring::Result<()> {
        self.open(|held| {
            held.insert(user.to_owned(), secret.to_vec());
            Some(())
        })
    }

    fn get(&self, user: &str) -> keyring::Result<Zeroizing<Vec<u8>>> {
        self.open(|held| held.get(user).cloned().map(Zeroizing::new))
    }

    fn delete(&self, user: &str) -> keyring::Result<()> {
        self.open(|held| held.remove(user).map(drop))
    }
}

/// A realm whose peers nobody is.
fn realm() -> Realm {
    let chain: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/elements/chain.json")).expect("JSON");
    let mut fields = chain["network"].clone();
    for extra in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.as_object_mut().expect("an object").remove(extra);
    }
    let sidechain: SidechainParams = serde_json::from_value(fields).expect("the fields of chain.json");
    let nobody = "127.0.0.1:9".parse().expect("an address");
    Realm {
        name: "nowhere".into(),
        valueless: true,
        bitcoin: BitcoinParams { network: "regtest".parse().expect("a network"), peers: vec![nobody], required_peers: 1 },
        sidechain: SidechainParams { peers: vec![nobody], ..sidechain },
        testbed: None,
        staking: None,
    }
}

/// An app with one wallet behind a password; dropping the directory removes it.
async fn app() -> (tempfile::TempDir, Arc<App>, u32) {
    let dir = tempfile::tempdir().expect("a directory");
    let app = App::open(dir.path(), realm(), Options::default()).await.expect("an app");
    let words = "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong".split(' ').map(str::to_owned).collect();
    let request = WalletCreate {
        name: "Harbour".into(),
        words,
        passphrase: String::new(),
        password: PASSWORD.into(),
        restore: false,
        birthday: None,
    };
    let wallet = app.wallet_create(request).await.expect("a wallet").id;
    (dir, app, wallet)
}

async fn is_open(app: &App) -> bool {
    app.app_state(Empty {}).await.expect("the state").unlocked
}

fn code<T>(outcome: Result<T, Failure>) -> Option<Code> {
    outcome.err().map(|failure| failure.code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_that_the_keyring_remembers_opens_without_its_password() {
    let (_dir, app, wallet) = app().await;
    let shelf = Shelf::default();
    assert_eq!(code(unlock(app.clone(), shelf.clone(), wallet).await), Some(Code::NotOffered), "it holds nothing yet");
    assert_eq!(
        code(remember(app.clone(), shelf.clone(), wallet, "lighthous".into()).await),
        Some(Code::WrongPassword),
        "remembering asks for the password"
    );
    assert!(shelf.held.lock().expect("a lock").is_empty());
    app.lock(Empty {}).await.expect("locked");
    remember(app.clone(), shelf.clone(), wallet, PASSWORD.into()).await.expect("remembered");
    let there = KeyringState { offered: true, remembered: true };
    assert_eq!(state(app.clone(), shelf.clone(), wallet).await.expect("a state"), there);
    assert!(!is_open(&app).await, "remembering opens nothing");
    unlock(app.clone(), shelf.clone(), wallet).await.expect("the key opens the wallet");
    assert!(is_open(&app).await);
    app.lock(Empty {}).await.expect("locked");

    for held in shelf.held.lock().expect("a lock").values_mut() {
        held.truncate(31);
    }
    assert_eq!(code(unlock(app.clone(), shelf.clone(), wallet).await), Some(Code::NotOffered), "half a key is none");
    for held in shelf.held.lock().expect("a lock").values_mut() {
        *held = vec![7; 32];
    }
    assert!(unlock(app.clone(), shelf, wallet).await.is_err(), "another key opens nothing");
    assert!(!is_open(&app).await);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_forgotten_opens_nothing_wherever_it_still_lies() {
    let (_dir, app, wallet) = app().await;
    let shelf = Shelf::default();
    remember(app.clone(), shelf.clone(), wallet, PASSWORD.into()).await.expect("remembered");
    let copy = shelf.held.lock().expect("a lock").clone();
    forget(app.clone(), shelf.clone(), wallet, PASSWORD.into()).await.expect("forgotten");
    assert!(shelf.held.lock().expect("a lock").is_empty());
    assert_eq!(
        state(app.clone(), shelf.clone(), wallet).await.expect("a state"),
        KeyringState { offered: true, remembered: false }
    );
    app.lock(Empty {}).await.expect("locked");
    *shelf.held.lock().expect("a lock") = copy;
    assert!(unlock(app.clone(), shelf.clone(), wallet).await.is_err());
    shelf.held.lock().expect("a lock").clear();
    forget(app.clone(), shelf, wallet, PASSWORD.into()).await.expect("twice changes nothing");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyring_that_refuses_leaves_the_wallet_as_it_was() {
    let (_dir, app, wallet) = app().await;
    let shelf = Shelf::default();
    shelf.lock(true);
    assert_eq!(code(remember(app.clone(), shelf.clone(), wallet, PASSWORD.into()).await), Some(Code::NotOffered));
    assert_eq!(
        state(app.clone(), shelf.clone(), wallet).await.expect("a state"),
        KeyringState { offered: false, remembered: false }
    );
    shelf.lock(false);
    assert_eq!(
        state(app.clone(), shelf.clone(), wallet).await.expect("a state"),
        KeyringState { offered: true, remembered: false },
        "no slot without its key"
    );
    remember(app.clone(), shelf.clone(), wallet, PASSWORD.into()).await.expect("remembered");
    shelf.lock(true);
    assert_eq!(code(unlock(app.clone(), shelf.clone(), wallet).await), Some(Code::NotOffered));
    forget(app.clone(), shelf, wallet, PASSWORD.into()).await.expect("forgotten without the keyring");
    app.close().await;
}
