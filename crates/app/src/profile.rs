//! An open profile.

use causeway_contract::{AppState, Empty, Failure, Notice, Progress, Tag};
use causeway_store::{Binding, Store};
use causeway_vocab::{Realm, Refusal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::broadcast;

/// How a profile is opened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// How long opening a vault takes at least, milliseconds; realms without value use the floor instead.
    pub vault_millis: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { vault_millis: 500 }
    }
}

/// Everything an open profile holds.
pub(crate) struct Profile {
    pub(crate) realm: Arc<Realm>,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) store: Store,
    pub(crate) notices: broadcast::Sender<Notice>,
    pub(crate) progress: broadcast::Sender<Progress>,
    seq: AtomicU32,
}

impl Profile {
    pub(crate) async fn open(dir: &Path, realm: Realm, options: Options) -> Result<Arc<Profile>, Refusal> {
        let binding = Binding::of(&realm);
        let path = dir.to_owned();
        let store = tokio::task::spawn_blocking(move || Store::open(&path, &binding)).await.expect("BUG: opening panicked")?;
        Ok(Arc::new(Profile {
            realm: Arc::new(realm),
            dir: dir.to_owned(),
            options,
            store,
            notices: broadcast::channel(256).0,
            progress: broadcast::channel(256).0,
            seq: AtomicU32::new(0),
        }))
    }

    pub(crate) async fn close(&self) {
        self.store.close();
    }

    /// Tells the faces what went stale. Call after the commit.
    pub(crate) fn tell(&self, tags: impl IntoIterator<Item = Tag>) {
        let tags: Vec<Tag> = tags.into_iter().collect();
        if !tags.is_empty() {
            let seq = self.seq.fetch_add(1, Ordering::Relaxed) + 1;
            // No listener is no error.
            let _ = self.notices.send(crate::call::notice(seq, tags));
        }
    }

    /// Notes that somebody is using the app; auto-lock counts from here.
    pub(crate) fn touch(&self, _command: &str) {}

    pub(crate) async fn app_state(&self, _: Empty) -> Result<AppState, Failure> {
        Ok(AppState {
            realm: self.realm.name.clone(),
            valueless: self.realm.valueless,
            testbed: self.realm.testbed.is_some(),
            wallets: Vec::new(),
            selected: None,
            unlocked: false,
        })
    }

    pub(crate) fn keyring_name(&self, _wallet: u32) -> Result<String, Failure> {
        Err(Refusal::new(causeway_vocab::Code::NotOffered).with("what", "keyring"))
    }
    pub(crate) fn keyring_remembered(&self, _wallet: u32) -> Result<bool, Failure> {
        Err(Refusal::new(causeway_vocab::Code::NotOffered).with("what", "keyring"))
    }
    pub(crate) async fn keyring_enable(&self, _: causeway_contract::WalletUnlock) -> Result<causeway_keys::KeyringKey, Failure> {
        Err(Refusal::new(causeway_vocab::Code::NotOffered).with("what", "keyring"))
    }
    pub(crate) async fn keyring_disable(&self, _: causeway_contract::WalletUnlock) -> Result<(), Failure> {
        Err(Refusal::new(causeway_vocab::Code::NotOffered).with("what", "keyring"))
    }
    pub(crate) async fn keyring_open(
        &self,
        _: u32,
        _: causeway_keys::KeyringKey,
    ) -> Result<causeway_contract::WalletView, Failure> {
        Err(Refusal::new(causeway_vocab::Code::NotOffered).with("what", "keyring"))
    }
}
