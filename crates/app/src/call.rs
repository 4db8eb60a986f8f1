//! The face of the crate: every command of the contract as a method, and by name.

use crate::profile::{Options, Profile};
use crate::report;
use causeway_contract::dto::*;
use causeway_contract::{Code, Failure, Notice, Progress, Tag, with_commands};
use causeway_vocab::{Realm, Refusal};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::broadcast;

/// An open profile, as a host sees it. Close it with [`App::close`].
pub struct App {
    profile: Arc<Profile>,
}

impl App {
    /// Opens the profile in `dir`, starts its network clients and takes up unfinished operations. Returns before the networks are synced.
    ///
    /// Must run on a multi-threaded tokio runtime. Refused with `ProfileInUse`, `WrongRealm`, `BadRealm`, `DiskFull`, `DiskFailed`.
    pub async fn open(dir: &Path, realm: Realm, options: Options) -> Result<Arc<App>, Refusal> {
        let profile = Profile::open(dir, realm, options).await?;
        Ok(Arc::new(App { profile }))
    }

    /// Hears every notice from now on. `seq` counts notices of this process; a reader that lags has missed some.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.profile.notices.subscribe()
    }

    /// Hears progress from now on; losing some does no harm.
    pub fn progress(&self) -> broadcast::Receiver<Progress> {
        self.profile.progress.subscribe()
    }

    /// Stops the clients, forgets the keys and closes the database. Later commands are refused with `Locked` or act on the disk's last state.
    pub async fn close(&self) {
        self.profile.close().await;
    }

    /// What the OS keyring knows a wallet's key by.
    pub fn keyring_name(&self, wallet: u32) -> Result<String, Failure> {
        self.profile.keyring_name(wallet)
    }

    /// Whether the vault of a wallet has a slot for a keyring key.
    pub fn keyring_remembered(&self, wallet: u32) -> Result<bool, Failure> {
        self.profile.keyring_remembered(wallet)
    }

    /// Adds a slot for a new keyring key to the vault of a wallet; an older key ceases to work.
    pub async fn keyring_enable(&self, request: WalletUnlock) -> Result<causeway_keys::KeyringKey, Failure> {
        self.profile.keyring_enable(request).await
    }

    /// Takes the keyring slot out of the vault of a wallet.
    pub async fn keyring_disable(&self, request: WalletUnlock) -> Result<(), Failure> {
        self.profile.keyring_disable(request).await
    }

    /// Unlocks a wallet with its keyring key.
    pub async fn keyring_open(&self, wallet: u32, key: causeway_keys::KeyringKey) -> Result<WalletView, Failure> {
        self.profile.keyring_open(wallet, key).await
    }
}

fn request<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| Refusal::new(Code::BadRequest).with("field", error))
}

fn answer(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("BUG: an answer is JSON")
}

macro_rules! commands {
    ($($name:ident($req:ty) -> $ans:ty [$($window:ident),*] reads [$($read:ident),*] stales [$($stale:ident),*];)*) => {
        /// The commands of the contract. Each runs to its end even when the caller goes away, and a panic inside is caught, reported in a
        /// file of the profile and answered with `Code::Bug`.
        impl App {
            $(
                #[doc = concat!("The command `", stringify!($name), "` of the contract.")]
                pub async fn $name(&self, request: $req) -> Result<$ans, Failure> {
                    let profile = Arc::clone(&self.profile);
                    profile.touch(&[$(Tag::$stale),*]);
                    let answer = report::guarded(&self.profile.dir, stringify!($name), async move { profile.$name(request).await }).await?;
                    self.profile.tell([$(Tag::$stale),*]);
                    Ok(answer)
                }
            )*

            /// Answers a command by name. Refused with `UnknownCommand` or `BadRequest` (`field`) before anything is done.
            pub async fn call(&self, name: &str, json: Value) -> Result<Value, Failure> {
                match name {
                    $(stringify!($name) => self.$name(request(json)?).await.map(answer),)*
                    _ => Err(Code::UnknownCommand.into()),
                }
            }
        }
    };
}
with_commands!(commands);
