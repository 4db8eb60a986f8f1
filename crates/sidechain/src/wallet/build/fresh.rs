//! Addresses that a plan takes for itself.

use super::plan::{PlannedOutput, Purpose};
use crate::wallet::descriptor::{Chain, KeyPath};
use crate::wallet::state::{Changes, SidechainWallet};
use elements::AssetId;

/// Hands out addresses on top of those that are handed out already, without telling the wallet yet.
pub(super) struct Fresh<'a> {
    wallet: &'a SidechainWallet,
    next: [u32; 2],
}

impl<'a> Fresh<'a> {
    pub(super) fn new(wallet: &'a SidechainWallet) -> Fresh<'a> {
        Fresh { wallet, next: Chain::BOTH.map(|chain| wallet.revealed(chain)) }
    }

    /// A blinded output to ourselves.
    pub(super) fn output(&mut self, chain: Chain, asset: AssetId, amount: u64, purpose: Purpose) -> PlannedOutput {
        let account = self.wallet.account();
        let chain = account.chain(chain);
        let next = match chain {
            Chain::External => &mut self.next[0],
            Chain::Internal => &mut self.next[1],
        };
        let path = KeyPath { chain, index: *next };
        *next += 1;
        let derived = account.derive(path).expect("BUG: nobody hands out two billion addresses");
        PlannedOutput {
            script: derived.script,
            asset,
            amount,
            blinding_key: Some(derived.blinding_key),
            path: Some(path),
            purpose,
            made: None,
        }
    }

    /// Takes back the last address when it is not needed after all.
    pub(super) fn give_back(&mut self, output: &PlannedOutput) {
        match output.path.map(|path| path.chain) {
            Some(Chain::External) => self.next[0] -= 1,
            Some(Chain::Internal) => self.next[1] -= 1,
            None => {}
        }
    }

    /// What the wallet learns when the plan is used.
    pub(super) fn changes(&self) -> Changes {
        let known = Chain::BOTH.map(|chain| self.wallet.revealed(chain));
        if self.next == known { Changes::default() } else { Changes { revealed: self.next, ..Changes::default() } }
    }
}
