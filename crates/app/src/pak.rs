//! Peg-out authorisation: this wallet's pair of keys, and proofs that it may peg out to its own addresses.

use crate::memory::Wallet;
use crate::profile::Profile;
use bitcoin::bip32::ChildNumber;
use bitcoin::hex::DisplayHex as _;
use causeway_bitcoin_wallet::{AddressEntry, KeychainKind, PaymentUri};
use causeway_contract::{Empty, Failure, PegOutKeys};
use causeway_keys::SigningKeys;
use causeway_sidechain::consensus::pak::{self, PakList};
use causeway_vocab::{Code, Refusal};
use elements::secp256k1_zkp::PublicKey;
use std::sync::Arc;

/// The refusal of a peg-out that no key of this wallet authorises.
pub(crate) fn unauthorised() -> Refusal {
    Refusal::new(Code::PegPaused).with("why", "authorisation")
}

/// Whether an entry of the list may be this wallet's. Only its online key, which is sealed, tells for certain.
pub(crate) fn is_listed(wallet: &Wallet, list: &PakList) -> bool {
    let offline = wallet.accounts.as_ref().map(|accounts| pak::offline_key(accounts.pak_offline()));
    offline.is_some_and(|offline| list.entries().any(|(key, _)| *key == offline))
}

impl Profile {
    /// The keys that may peg out in the next block; `None` where no authorisation is asked for.
    pub(crate) fn pak_list(&self) -> Option<PakList> {
        let params = &self.realm.sidechain;
        params.enforce_pak.then(|| self.clients.sidechain.with_chain(|chain| chain.state().pak_list_for_next_block(params)))
    }

    /// The keys of the selected wallet, which opens by itself when it has no password.
    async fn open_keys(&self) -> Result<Arc<SigningKeys>, Refusal> {
        let wallet = self.core().selected()?.row.id;
        self.unlock_if_open(wallet).await?;
        let core = self.core();
        if core.selected()?.accounts.is_none() {
            return Err(Code::WatchOnly.into());
        }
        core.keys.get(&wallet).cloned().ok_or_else(|| Code::Locked.into())
    }

    pub(crate) async fn peg_out_keys(&self, _: Empty) -> Result<PegOutKeys, Failure> {
        let online = self.open_keys().await?.pak_online_key()?;
        let list = self.pak_list();
        let core = self.core();
        let accounts = core.selected()?.accounts.as_ref().ok_or(Code::WatchOnly)?;
        let offline = accounts.pak_offline();
        let listed = list.as_ref().is_some_and(|list| list.position(&pak::offline_key(offline), &online).is_some());
        Ok(PegOutKeys { needed: list.is_some(), entry: pak::entry(offline, &online).to_lower_hex_string(), listed })
    }

    /// One of this wallet's own receiving addresses, a new one unless `wanted`, with the proof that it may be pegged out to.
    ///
    /// Refused with `PegPaused` when this wallet's keys are not on the list in force, with `PegOutDestination` for any other address.
    pub(crate) async fn authorised_destination(
        &self,
        wanted: Option<&str>,
        list: &PakList,
    ) -> Result<(AddressEntry, (PublicKey, Vec<u8>)), Refusal> {
        if !is_listed(self.core().selected()?, list) {
            return Err(unauthorised());
        }
        let keys = self.open_keys().await?;
        let entry = match wanted {
            None => self.core().selected()?.bitcoin.peek_address(),
            Some(text) => {
                let script = PaymentUri::parse(text, &self.realm)?.address.script_pubkey();
                let core = self.core();
                let mut own = core.selected()?.bitcoin.addresses().into_iter();
                let own = own.find(|entry| entry.keychain == KeychainKind::External && entry.script == script);
                own.ok_or_else(|| Refusal::new(Code::PegOutDestination).with("why", "authorisation"))?
            }
        };
        let offline = {
            let core = self.core();
            *core.selected()?.accounts.as_ref().ok_or(Code::WatchOnly)?.pak_offline()
        };
        let path = [ChildNumber::Normal { index: 0 }, ChildNumber::Normal { index: entry.index }];
        let proof = keys.with_pak_online_key(|online| list.authorise(&offline, &path, online))?;
        Ok((entry, proof.ok_or_else(unauthorised)?))
    }
}
