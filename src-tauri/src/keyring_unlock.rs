//! Unlocking through the system's keyring: convenience only, never the sole copy of a key.

#[cfg(test)]
mod tests;

use crate::host::Host;
use causeway_app::App;
use causeway_contract::{Code, Failure, WalletUnlock, WalletView};
use causeway_keys::KeyringKey;
use serde::Serialize;
use std::sync::Arc;
use tauri::State;
use zeroize::Zeroizing;

const SERVICE: &str = "org.causeway.desktop";

/// Where secrets are kept by the name of a user. Any call may wait for the user.
trait Keyring: Clone + Send + 'static {
    fn answers(&self) -> bool;
    fn set(&self, user: &str, secret: &[u8]) -> keyring::Result<()>;
    fn get(&self, user: &str) -> keyring::Result<Zeroizing<Vec<u8>>>;
    fn delete(&self, user: &str) -> keyring::Result<()>;
}

/// The keyring of the desktop session.
#[derive(Clone, Copy)]
struct Session;

impl Keyring for Session {
    fn answers(&self) -> bool {
        keyring::Entry::store_status().is_ok()
    }

    fn set(&self, user: &str, secret: &[u8]) -> keyring::Result<()> {
        keyring::Entry::new(SERVICE, user)?.set_secret(secret)
    }

    fn get(&self, user: &str) -> keyring::Result<Zeroizing<Vec<u8>>> {
        keyring::Entry::new(SERVICE, user)?.get_secret().map(Zeroizing::new)
    }

    fn delete(&self, user: &str) -> keyring::Result<()> {
        keyring::Entry::new(SERVICE, user)?.delete_credential()
    }
}

/// Whether the wallet can be unlocked without its password.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct KeyringState {
    /// The system has a keyring that answers.
    offered: bool,
    /// It holds a key for this wallet.
    remembered: bool,
}

fn silent() -> Failure {
    Failure::new(Code::NotOffered).with("what", "keyring")
}

/// Keyrings speak D-Bus and may wait for the user; never on the thread that draws.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tauri::async_runtime::spawn_blocking(work).await.map_err(|_| Failure::new(Code::Bug))
}

async fn state(app: Arc<App>, keyring: impl Keyring, wallet: u32) -> Result<KeyringState, Failure> {
    let offered = blocking(move || keyring.answers()).await?;
    Ok(KeyringState { offered, remembered: offered && app.keyring_remembered(wallet)? })
}

/// Adds a key slot to the vault and gives its key to the keyring. A keyring that refuses it leaves no slot behind.
async fn remember(app: Arc<App>, keyring: impl Keyring, wallet: u32, password: String) -> Result<(), Failure> {
    let user = app.keyring_name(wallet)?;
    let key: KeyringKey = app.keyring_enable(WalletUnlock { wallet, password: password.clone() }).await?;
    let secret = Zeroizing::new(key.as_bytes().to_vec());
    let kept = blocking(move || keyring.set(&user, &secret)).await?;
    if kept.is_err() {
        app.keyring_disable(WalletUnlock { wallet, password }).await?;
        return Err(silent());
    }
    Ok(())
}

/// Takes the slot out of the vault and the key out of the keyring. Without its slot the key opens nothing, so a keyring that has lost it, or
/// keeps it, changes nothing.
async fn forget(app: Arc<App>, keyring: impl Keyring, wallet: u32, password: String) -> Result<(), Failure> {
    let user = app.keyring_name(wallet)?;
    app.keyring_disable(WalletUnlock { wallet, password }).await?;
    if let Err(error) = blocking(move || keyring.delete(&user)).await? {
        tracing::warn!(%error, "the keyring keeps a key that opens nothing any more");
    }
    Ok(())
}

async fn unlock(app: Arc<App>, keyring: impl Keyring, wallet: u32) -> Result<WalletView, Failure> {
    let user = app.keyring_name(wallet)?;
    let secret = blocking(move || keyring.get(&user)).await?.map_err(|_| silent())?;
    let key: [u8; 32] = secret.as_slice().try_into().map_err(|_| silent())?;
    app.keyring_open(wallet, KeyringKey::from_bytes(key)).await
}

#[tauri::command]
pub(crate) async fn keyring_state(host: State<'_, Host>, wallet: u32) -> Result<KeyringState, Failure> {
    state(host.app().await?, Session, wallet).await
}

#[tauri::command]
pub(crate) async fn keyring_remember(host: State<'_, Host>, wallet: u32, password: String) -> Result<(), Failure> {
    remember(host.app().await?, Session, wallet, password).await
}

#[tauri::command]
pub(crate) async fn keyring_forget(host: State<'_, Host>, wallet: u32, password: String) -> Result<(), Failure> {
    forget(host.app().await?, Session, wallet, password).await
}

#[tauri::command]
pub(crate) async fn keyring_unlock(host: State<'_, Host>, wallet: u32) -> Result<WalletView, Failure> {
    unlock(host.app().await?, Session, wallet).await
}
