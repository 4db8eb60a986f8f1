//! Wallets of the profile: made, restored, watched, chosen, forgotten.

use crate::memory::{Core, Wallet, stale};
use crate::profile::Profile;
use crate::vault::{seal_new, slowly, write_whole};
use causeway_contract::{
    AppState, Empty, Failure, Tag, WalletCreate, WalletDescriptors, WalletQuickStart, WalletRef, WalletRename, WalletUnlock,
    WalletView, WalletWatch,
};
use causeway_keys::vault::check_new_password;
use causeway_keys::{Recovery, Secret, SigningKeys, WordCount, Words, account_descriptors};
use causeway_store::NewWallet;
use causeway_vocab::{Code, Refusal};
use std::sync::Arc;

/// Longest name of a wallet, characters.
const LONGEST_NAME: usize = 60;
/// Clocks differ, and header times may lie by two hours: a birthday is searched from so much earlier, seconds.
const BIRTHDAY_MARGIN: u32 = 24 * 60 * 60;

fn name_of(text: &str) -> Result<String, Refusal> {
    let name = text.trim();
    match (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        true => Ok(name.to_owned()),
        false => Err(Refusal::new(Code::BadRequest).with("field", "name")),
    }
}

/// From when on the chains are searched for a wallet that existed before.
fn since(birthday: Option<u32>) -> u32 {
    birthday.unwrap_or(0).saturating_sub(BIRTHDAY_MARGIN)
}

/// Everything that follows from words.
struct Made {
    new: NewWallet,
    vault: Vec<u8>,
    keys: SigningKeys,
}

pub(crate) fn view(wallet: &Wallet) -> WalletView {
    let row = &wallet.row;
    WalletView {
        id: row.id,
        name: row.wallet.name.clone(),
        fingerprint: row.wallet.fingerprint.clone(),
        watch_only: wallet.accounts.is_none(),
        no_password: row.wallet.no_password,
        backed_up: row.wallet.backed_up,
    }
}

impl Profile {
    pub(crate) async fn app_state(&self, _: Empty) -> Result<AppState, Failure> {
        let core = self.core();
        Ok(AppState {
            realm: self.realm.name.clone(),
            valueless: self.realm.valueless,
            testbed: self.realm.testbed.is_some(),
            wallets: core.wallets.values().map(view).collect(),
            selected: core.selected,
            unlocked: core.unlocked(),
        })
    }

    pub(crate) fn wallet_view(&self, id: u32) -> Result<WalletView, Failure> {
        self.core().wallet(id).map(view)
    }

    pub(crate) async fn wallet_create(&self, request: WalletCreate) -> Result<WalletView, Failure> {
        let name = name_of(&request.name)?;
        let password = Secret::new(request.password);
        check_new_password(&password, self.realm.valueless)?;
        let words = Words::restore(&Secret::new(request.words.join(" ")))?;
        let recovery = Recovery { words, passphrase: Secret::new(request.passphrase) };
        let made = self.make(name, recovery, password, request.birthday, true).await?;
        self.add(made, request.restore).await
    }

    pub(crate) async fn wallet_quick_start(&self, request: WalletQuickStart) -> Result<WalletView, Failure> {
        if !self.realm.valueless {
            return Err(Refusal::new(Code::NotOffered).with("what", "quick-start"));
        }
        let name = name_of(&request.name)?;
        let words = Words::generate(WordCount::Twelve, &mut rand::thread_rng(), None);
        let recovery = Recovery { words, passphrase: Secret::new(String::new()) };
        let made = self.make(name, recovery, Secret::new(String::new()), None, false).await?;
        self.add(made, false).await
    }

    /// Derives accounts and seals the vault; slow.
    async fn make(
        &self,
        name: String,
        recovery: Recovery,
        password: Secret,
        birthday: Option<u32>,
        backed_up: bool,
    ) -> Result<Made, Refusal> {
        let (realm, cost) = (Arc::clone(&self.realm), self.vault_cost());
        slowly(move || {
            let seed = recovery.seed();
            let accounts = account_descriptors(&seed, &realm)?;
            let keys = SigningKeys::new(&seed, &realm)?;
            let new = NewWallet {
                name,
                fingerprint: accounts.fingerprint.to_string(),
                bitcoin: accounts.segwit_descriptors().join("\n"),
                sidechain: accounts.sidechain_descriptor(),
                accounts: Some(serde_json::to_string(&accounts).expect("BUG: accounts are JSON")),
                birthday,
                backed_up,
                no_password: password.reveal().is_empty(),
            };
            Ok(Made { new, vault: seal_new(recovery, &password, cost)?, keys })
        })
        .await
    }

    async fn add(&self, made: Made, restore: bool) -> Result<WalletView, Failure> {
        let known = self.core().wallets.values().any(|wallet| wallet.row.wallet.bitcoin == made.new.bitcoin);
        if known {
            return Err(Refusal::new(Code::BadRequest).with("field", "words"));
        }
        if restore {
            self.reach_back(since(made.new.birthday))?;
        }
        let id = self.add_row(&made.new, restore, Some(&made.vault))?;
        self.keep_keys(id, made.keys);
        self.follow_new(restore, made.new.birthday)?;
        self.wallet_view(id)
    }

    pub(crate) async fn wallet_watch(&self, request: WalletWatch) -> Result<WalletView, Failure> {
        let new = NewWallet {
            name: name_of(&request.name)?,
            fingerprint: String::new(),
            accounts: None,
            bitcoin: request.bitcoin.trim().to_owned(),
            sidechain: request.sidechain.trim().to_owned(),
            birthday: request.birthday,
            backed_up: true,
            no_password: false,
        };
        self.reach_back(since(request.birthday))?;
        let id = self.add_row(&new, true, None)?;
        self.follow_new(true, request.birthday)?;
        self.wallet_view(id)
    }

    /// Writes the wallet and its vault; both are there, or neither is used.
    fn add_row(&self, new: &NewWallet, restore: bool, vault: Option<&[u8]>) -> Result<u32, Refusal> {
        let (tip, state) = (self.clients.bitcoin.tip(), self.clients.bitcoin.state());
        // A new wallet needs nothing from before now, if there is nothing left to search before now.
        let birthday = (!restore && state.scanned_to >= tip.height && tip.height > 0).then_some(tip);
        self.change(|core, write| {
            core.dirty = true;
            let wallet = Wallet::add(write, new, &self.realm, birthday, core.settings.gap_limit)?;
            let id = wallet.row.id;
            if let Some(vault) = vault {
                write_whole(&self.vault_path(id), vault)?;
            }
            core.wallets.insert(id, wallet);
            select(core, write, id)?;
            Ok(id)
        })
    }

    /// Has the clients follow a wallet that was just added.
    fn follow_new(&self, restore: bool, birthday: Option<u32>) -> Result<(), Refusal> {
        if !restore {
            self.watch_new();
            return Ok(());
        }
        let since = since(birthday);
        let bitcoin = first_since(self.clients.bitcoin.tip().height, since, |h| self.clients.bitcoin.at(h).map(|tip| tip.time));
        let sidechain =
            first_since(self.clients.sidechain.tip().height, since, |h| self.clients.sidechain.at(h).map(|tip| tip.time));
        self.rescan(Some(bitcoin), Some(sidechain))
    }

    pub(crate) async fn wallet_descriptors(&self, request: WalletRef) -> Result<WalletDescriptors, Failure> {
        let core = self.core();
        let wallet = &core.wallet(request.wallet)?.row.wallet;
        Ok(WalletDescriptors { bitcoin: wallet.bitcoin.clone(), sidechain: wallet.sidechain.clone(), birthday: wallet.birthday })
    }

    pub(crate) async fn wallet_select(&self, request: WalletRef) -> Result<WalletView, Failure> {
        self.change(|core, write| {
            core.wallet(request.wallet)?;
            core.dirty = true;
            select(core, write, request.wallet)
        })?;
        self.wallet_view(request.wallet)
    }

    pub(crate) async fn wallet_rename(&self, request: WalletRename) -> Result<WalletView, Failure> {
        let name = name_of(&request.name)?;
        self.change(|core, write| {
            core.dirty = true;
            let wallet = core.wallets.get_mut(&request.wallet).ok_or(Code::UnknownWallet)?;
            wallet.row.wallet.name = name;
            write.update_wallet(&wallet.row)
        })?;
        self.wallet_view(request.wallet)
    }

    pub(crate) async fn wallet_forget(&self, request: WalletUnlock) -> Result<Empty, Failure> {
        let id = request.wallet;
        let watch_only = self.core().wallet(id)?.accounts.is_none();
        if !watch_only {
            self.prove_password(request).await?;
        }
        self.change(|core, write| {
            core.dirty = true;
            write.remove_wallet(id)?;
            core.wallets.remove(&id);
            core.keys.remove(&id);
            core.operations.forget_wallet(id);
            if core.selected == Some(id) {
                core.selected = core.wallets.keys().next().copied();
            }
            Ok(())
        })?;
        if !watch_only {
            // The row is gone, so a vault that stays behind is never opened again by this profile.
            if let Err(error) = std::fs::remove_file(self.vault_path(id)) {
                tracing::warn!(%error, "a vault file could not be removed");
            }
        }
        Ok(Empty {})
    }
}

fn select(core: &mut Core, write: &mut causeway_store::Write<'_>, id: u32) -> Result<(), Refusal> {
    core.selected = Some(id);
    write.set_meta("selected", &id.to_string())?;
    stale(write, &[Tag::App, Tag::Balances, Tag::Coins, Tag::History, Tag::Assets, Tag::Addresses, Tag::Operations]);
    Ok(())
}

/// The first height whose block is not before `since`; block times almost ascend, and the margin covers the rest.
fn first_since(tip: u32, since: u32, time: impl Fn(u32) -> Option<u32>) -> u32 {
    let (mut low, mut high) = (1, tip.max(1));
    while low < high {
        let middle = low + (high - low) / 2;
        // A height without a kept time counts as early, which only searches more.
        if time(middle).is_none_or(|time| time >= since) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::first_since;

    #[test]
    fn a_birthday_is_searched_from_the_first_block_that_is_not_older() {
        let time = |height: u32| Some(height * 10);
        for (since, first) in [(0, 1), (95, 10), (100, 10), (101, 11), (5_000, 100)] {
            assert_eq!(first_since(100, since, time), first, "since {since}");
        }
        assert_eq!(first_since(100, 500, |_| None), 1, "unknown times search everything");
    }
}
