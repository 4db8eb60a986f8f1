//! Unlocking through the system's keyring: convenience only, never the sole copy of a key.

use crate::host::Host;
use causeway_contract::{Code, Failure, WalletUnlock, WalletView};
use causeway_keys::KeyringKey;
use serde::Serialize;
use tauri::State;
use zeroize::Zeroizing;

const SERVICE: &str = "org.causeway.desktop";

/// Whether the wallet can be unlocked without its password.
#[derive(Serialize)]
pub(crate) struct KeyringState {
    /// The system has a keyring that answers.
    offered: bool,
    /// It holds a key for this wallet.
    remembered: bool,
}

async fn entry(host: &Host, wallet: u32) -> Result<keyring::Entry, Failure> {
    let user = host.app().await?.keyring_name(wallet)?;
    blocking(move || keyring::Entry::new(SERVICE, &user)).await
}

/// The keyring speaks D-Bus and may wait for the user; never on the thread that draws.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> keyring::Result<T> + Send + 'static) -> Result<T, Failure> {
    let outcome = tauri::async_runtime::spawn_blocking(work).await.map_err(|_| Failure::new(Code::Bug))?;
    outcome.map_err(|_| Failure::new(Code::NotOffered).with("what", "keyring"))
}

#[tauri::command]
pub(crate) async fn keyring_state(host: State<'_, Host>, wallet: u32) -> Result<KeyringState, Failure> {
    let offered = blocking(|| Ok(keyring::Entry::store_status().is_ok())).await?;
    let remembered = offered && entry(&host, wallet).await.is_ok() && host.app().await?.keyring_remembered(wallet)?;
    Ok(KeyringState { offered, remembered })
}

/// Adds a key slot to the vault and gives its key to the keyring.
#[tauri::command]
pub(crate) async fn keyring_remember(host: State<'_, Host>, wallet: u32, password: String) -> Result<(), Failure> {
    let entry = entry(&host, wallet).await?;
    let key: KeyringKey = host.app().await?.keyring_enable(WalletUnlock { wallet, password }).await?;
    let bytes = Zeroizing::new(key.as_bytes().to_vec());
    blocking(move || entry.set_secret(&bytes)).await
}

/// Takes the key out of the keyring and the slot out of the vault.
#[tauri::command]
pub(crate) async fn keyring_forget(host: State<'_, Host>, wallet: u32, password: String) -> Result<(), Failure> {
    let entry = entry(&host, wallet).await?;
    host.app().await?.keyring_disable(WalletUnlock { wallet, password }).await?;
    blocking(move || entry.delete_credential()).await
}

#[tauri::command]
pub(crate) async fn keyring_unlock(host: State<'_, Host>, wallet: u32) -> Result<WalletView, Failure> {
    let entry = entry(&host, wallet).await?;
    let bytes = Zeroizing::new(blocking(move || entry.get_secret()).await?);
    let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| Failure::new(Code::NotOffered).with("what", "keyring"))?;
    host.app().await?.keyring_open(wallet, KeyringKey::from_bytes(key)).await
}
