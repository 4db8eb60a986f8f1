//! The vaults: one sealed file per wallet, opened for as long as its keys are needed.

use crate::memory::{Core, stale};
use crate::profile::Profile;
use causeway_contract::{Empty, Failure, PasswordChange, Tag, WalletUnlock, WalletView, Words, WordsConfirm, WordsNew};
use causeway_keys::vault::check_new_password;
use causeway_keys::{Cost, KeyringKey, OpenVault, Recovery, Secret, SigningKeys, Tries, WordCount};
use causeway_store::WalletRow;
use causeway_vocab::{Code, Refusal};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// The name of a wallet's words within its vault.
const ENTRY: &str = "wallet";

/// Runs slow cryptography away from the threads that serve others.
pub(crate) async fn slowly<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Writes a file that must last so that there is always a whole one: new file, sync, rename, sync.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Code::DiskFull.into(),
        _ => Refusal::new(Code::DiskFailed).with("why", error),
    };
    let fresh = path.with_extension("new");
    let write = || {
        let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        std::fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(failed)
}

fn read_vault(path: &Path) -> Result<Vec<u8>, Refusal> {
    match std::fs::metadata(path) {
        Ok(about) if about.len() > causeway_keys::vault::MAX_FILE as u64 => Err(Code::BadVault.into()),
        _ => std::fs::read(path).map_err(|_| Code::BadVault.into()),
    }
}

/// A vault that holds one wallet's words.
pub(crate) fn seal_new(recovery: Recovery, password: &Secret, cost: Cost) -> Result<Vec<u8>, Refusal> {
    let mut vault = OpenVault::create(password, cost, &mut rand::thread_rng());
    vault.insert(ENTRY, recovery)?;
    Ok(vault.seal(&mut rand::thread_rng()))
}

fn recovery(vault: &OpenVault) -> Result<&Recovery, Refusal> {
    vault.wallets().get(ENTRY).ok_or_else(|| Code::BadVault.into())
}

impl Profile {
    pub(crate) fn vault_path(&self, wallet: u32) -> PathBuf {
        self.dir.join(format!("wallet-{wallet}.vault"))
    }

    /// What opening a vault costs here.
    pub(crate) fn vault_cost(&self) -> Cost {
        if self.realm.valueless {
            return Cost::FLOOR;
        }
        let start = Instant::now();
        Cost::calibrate(self.options.vault_millis, || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn keyed(&self, wallet: u32) -> Result<WalletRow, Refusal> {
        let core = self.core();
        let wallet = core.wallet(wallet)?;
        if wallet.accounts.is_none() {
            return Err(Code::WatchOnly.into());
        }
        Ok(wallet.row.clone())
    }

    /// Opens a vault with its password. Wrong tries are counted on disk before they are answered.
    async fn open_vault(&self, wallet: u32, password: Secret) -> Result<OpenVault, Refusal> {
        let row = self.keyed(wallet)?;
        let mut tries: Tries = serde_json::from_str(&row.tries).unwrap_or_default();
        let before = tries;
        let heard = tries.allow(u64::from(self.options.clock.now()));
        if heard.is_err() && tries != before {
            self.keep_tries(wallet, tries)?;
        }
        heard?;
        let path = self.vault_path(wallet);
        let outcome = slowly(move || OpenVault::open(&read_vault(&path)?, &password)).await;
        match &outcome {
            Ok(_) => tries.right(),
            Err(refusal) if refusal.code == Code::WrongPassword => tries.wrong(u64::from(self.options.clock.now())),
            Err(_) => {}
        }
        if tries != before {
            self.keep_tries(wallet, tries)?;
        }
        outcome.map_err(|refusal| match (refusal.code, tries.wait(u64::from(self.options.clock.now()))) {
            (Code::WrongPassword, wait) if wait > 0 => refusal.with("wait_seconds", wait),
            _ => refusal,
        })
    }

    fn keep_tries(&self, wallet: u32, tries: Tries) -> Result<(), Refusal> {
        self.change(|core, write| {
            core.dirty = true;
            let wallet = core.wallets.get_mut(&wallet).ok_or(Code::UnknownWallet)?;
            wallet.row.tries = serde_json::to_string(&tries).expect("BUG: tries are JSON");
            write.update_wallet(&wallet.row)
        })
    }

    async fn take_keys(&self, wallet: u32, vault: OpenVault) -> Result<(), Refusal> {
        let realm = Arc::clone(&self.realm);
        let keys = slowly(move || SigningKeys::new(&recovery(&vault)?.seed(), &realm)).await?;
        self.core().keys.insert(wallet, Arc::new(keys));
        self.touched.store(self.options.clock.now(), Ordering::Relaxed);
        self.wake.notify_waiters();
        self.tell([Tag::App, Tag::Operations]);
        Ok(())
    }

    /// Keeps the keys of a wallet that was just made.
    pub(crate) fn keep_keys(&self, wallet: u32, keys: SigningKeys) {
        self.core().keys.insert(wallet, Arc::new(keys));
        self.touched.store(self.options.clock.now(), Ordering::Relaxed);
        self.wake.notify_waiters();
    }

    /// Opens the keys of a wallet that has no password, unless the user locked it.
    pub(crate) async fn unlock_if_open(&self, wallet: u32) -> Result<(), Refusal> {
        let free = {
            let core = self.core();
            core.opens_by_itself(wallet) && !core.keys.contains_key(&wallet)
        };
        if free {
            let vault = self.open_vault(wallet, Secret::new(String::new())).await?;
            self.take_keys(wallet, vault).await?;
        }
        Ok(())
    }

    pub(crate) async fn unlock(&self, request: WalletUnlock) -> Result<WalletView, Failure> {
        let vault = self.open_vault(request.wallet, Secret::new(request.password)).await?;
        self.core().locked = false;
        self.take_keys(request.wallet, vault).await?;
        self.wallet_view(request.wallet)
    }

    pub(crate) async fn lock(&self, _: Empty) -> Result<Empty, Failure> {
        let mut core = self.core();
        core.keys.clear();
        core.locked = true;
        Ok(Empty {})
    }

    /// Locks everything when nobody has used the app for as long as the settings say.
    pub(crate) fn lock_when_idle(&self) {
        let mut core = self.core();
        let minutes = core.settings.auto_lock_minutes;
        let now = self.options.clock.now();
        // A clock that was set back knows nothing about elapsed time: it starts anew, or the keys would stay open until it caught up.
        let idle = now.saturating_sub(self.touched.fetch_min(now, Ordering::Relaxed));
        // Keys without a password guard nothing by being locked, and unfinished claims need them.
        let guarded: Vec<u32> = core.keys.keys().copied().filter(|id| core.wallet(*id).is_ok_and(has_password)).collect();
        if minutes > 0 && idle >= minutes.saturating_mul(60) && !guarded.is_empty() {
            for id in guarded {
                core.keys.remove(&id);
            }
            drop(core);
            self.tell([Tag::App]);
        }
    }

    pub(crate) async fn password_change(&self, request: PasswordChange) -> Result<Empty, Failure> {
        let fresh = Secret::new(request.new);
        check_new_password(&fresh, self.realm.valueless)?;
        let mut vault = self.open_vault(request.wallet, Secret::new(request.old)).await?;
        let (path, cost) = (self.vault_path(request.wallet), self.vault_cost());
        let empty = fresh.reveal().is_empty();
        slowly(move || {
            vault.change_password(&fresh, cost, &mut rand::thread_rng());
            write_whole(&path, &vault.seal(&mut rand::thread_rng()))
        })
        .await?;
        self.change(|core, write| {
            core.dirty = true;
            let wallet = core.wallets.get_mut(&request.wallet).ok_or(Code::UnknownWallet)?;
            wallet.row.wallet.no_password = empty;
            write.update_wallet(&wallet.row)?;
            stale(write, &[Tag::App]);
            Ok(Empty {})
        })
    }

    pub(crate) async fn words_new(&self, request: WordsNew) -> Result<Words, Failure> {
        let count = match request.count {
            12 => WordCount::Twelve,
            24 => WordCount::TwentyFour,
            _ => return Err(Refusal::new(Code::BadRequest).with("field", "count")),
        };
        let own = request.own_entropy.map(Secret::new);
        let words = causeway_keys::Words::generate(count, &mut rand::thread_rng(), own.as_ref());
        Ok(Words { words: words.shown().map(str::to_owned).collect() })
    }

    pub(crate) async fn wallet_words(&self, request: WalletUnlock) -> Result<Words, Failure> {
        let vault = self.open_vault(request.wallet, Secret::new(request.password)).await?;
        Ok(Words { words: recovery(&vault)?.words.shown().map(str::to_owned).collect() })
    }

    pub(crate) async fn words_confirm(&self, request: WordsConfirm) -> Result<WalletView, Failure> {
        let id = request.wallet;
        let vault = self.open_vault(id, Secret::new(request.password)).await?;
        let (words, typed) = (&recovery(&vault)?.words, &request.words);
        let wrong = words.shown().zip(typed).position(|(word, typed)| word != typed.trim().to_lowercase());
        let wrong = wrong.or_else(|| (words.shown().count() != typed.len()).then(|| typed.len().min(words.shown().count())));
        if let Some(place) = wrong {
            return Err(Refusal::new(Code::WordsDoNotMatch).with("position", place + 1));
        }
        self.change(|core, write| {
            core.dirty = true;
            let wallet = core.wallets.get_mut(&id).ok_or(Code::UnknownWallet)?;
            wallet.row.wallet.backed_up = true;
            write.update_wallet(&wallet.row)?;
            stale(write, &[Tag::App]);
            Ok(())
        })?;
        self.wallet_view(id)
    }

    /// Proves the right to a wallet's keys.
    pub(crate) async fn prove_password(&self, request: WalletUnlock) -> Result<(), Refusal> {
        self.open_vault(request.wallet, Secret::new(request.password)).await.map(drop)
    }

    pub(crate) fn keyring_name(&self, wallet: u32) -> Result<String, Failure> {
        // Two profiles may hold the same wallet; the directory tells them apart.
        Ok(format!("{} {}", self.dir.display(), self.keyed(wallet)?.wallet.fingerprint))
    }

    pub(crate) fn keyring_remembered(&self, wallet: u32) -> Result<bool, Failure> {
        self.keyed(wallet)?;
        self.store.read(|reader| reader.meta(&keyring_meta(wallet))).map(|known| known.is_some_and(|value| value == "yes"))
    }

    async fn keyring_slot<T: Send + 'static>(
        &self,
        request: WalletUnlock,
        remembered: &str,
        work: impl FnOnce(&mut OpenVault) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let id = request.wallet;
        let mut vault = self.open_vault(id, Secret::new(request.password)).await?;
        let path = self.vault_path(id);
        let answer = slowly(move || {
            let answer = work(&mut vault);
            write_whole(&path, &vault.seal(&mut rand::thread_rng()))?;
            Ok(answer)
        })
        .await?;
        self.change(|_, write| write.set_meta(&keyring_meta(id), remembered))?;
        Ok(answer)
    }

    pub(crate) async fn keyring_enable(&self, request: WalletUnlock) -> Result<KeyringKey, Failure> {
        self.keyring_slot(request, "yes", |vault| vault.enable_keyring(&mut rand::thread_rng())).await
    }

    pub(crate) async fn keyring_disable(&self, request: WalletUnlock) -> Result<(), Failure> {
        self.keyring_slot(request, "no", OpenVault::disable_keyring).await
    }

    pub(crate) async fn keyring_open(&self, wallet: u32, key: KeyringKey) -> Result<WalletView, Failure> {
        self.keyed(wallet)?;
        let path = self.vault_path(wallet);
        let vault = slowly(move || OpenVault::open_with_keyring(&read_vault(&path)?, &key)).await?;
        self.core().locked = false;
        self.take_keys(wallet, vault).await?;
        self.wallet_view(wallet)
    }
}

fn has_password(wallet: &crate::memory::Wallet) -> bool {
    !wallet.row.wallet.no_password
}

fn keyring_meta(wallet: u32) -> String {
    format!("keyring-{wallet}")
}

impl Core {
    /// Whether the keys of the selected wallet are open, or need no password to be.
    pub(crate) fn unlocked(&self) -> bool {
        self.selected.is_some_and(|id| self.keys.contains_key(&id) || self.opens_by_itself(id))
    }

    /// Whether the keys of a wallet need no password, and the user has not locked them.
    pub(crate) fn opens_by_itself(&self, id: u32) -> bool {
        let free = self.wallet(id).is_ok_and(|wallet| wallet.row.wallet.no_password && wallet.accounts.is_some());
        free && !self.locked
    }
}
