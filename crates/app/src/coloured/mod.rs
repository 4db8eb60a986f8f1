//! Coloured coins: what the wallet holds of them, and plans that issue, move and burn units.

mod holders;
pub(crate) mod plan;

use crate::guard::{asset_text, read_asset};
use crate::memory::{Core, Wallet};
use crate::profile::Profile;
use bitcoin::{NetworkKind, OutPoint, ScriptBuf, TxOut};
use causeway_bitcoin_wallet::Coin;
use causeway_colored::{Asset, Holding, Protocol, Standing, colu, open_assets};
use causeway_contract::{AssetProtocol, Atoms, ColouredAsset, Empty, Failure};
use causeway_vocab::{Known, Refusal};
use std::collections::{BTreeMap, BTreeSet};

/// A coin of ours with the units on it.
pub(crate) struct Held {
    pub(crate) coin: Coin,
    pub(crate) holdings: Vec<Holding>,
}

pub(crate) fn protocol_view(protocol: Protocol) -> AssetProtocol {
    match protocol {
        Protocol::OpenAssets => AssetProtocol::OpenAssets,
        Protocol::Colu => AssetProtocol::Colu,
        Protocol::Epobc => AssetProtocol::Epobc,
        Protocol::Counterparty => AssetProtocol::Counterparty,
    }
}

#[derive(Default)]
struct Sum {
    confirmed: u64,
    pending: u64,
    coins: u32,
}

impl Core {
    pub(crate) fn network_kind(&self) -> NetworkKind {
        self.realm.bitcoin.network.into()
    }

    /// Reads an identifier of an asset of coloured coins. Refused with `UnknownAsset`.
    pub(crate) fn coloured_asset(&self, text: &str) -> Result<Asset, Refusal> {
        read_asset(text.trim(), self.network_kind())
    }

    /// Coins of a wallet with units on them, in the order of its coins.
    pub(crate) fn held(&self, wallet: &Wallet) -> Vec<Held> {
        let standings = self.standings(wallet);
        let held = wallet.bitcoin.coins().into_iter().zip(standings).filter_map(|(coin, (_, standing))| match standing {
            Standing::Guarded(holdings) => Some(Held { coin, holdings }),
            _ => None,
        });
        held.collect()
    }

    /// Whether a wallet issued an asset: the script or the transaction that did is its own.
    fn issued_here(&self, wallet: &Wallet, asset: Asset, locked: &BTreeSet<colu::AssetId>) -> bool {
        match asset {
            Asset::Epobc(colour) => {
                let issuance = wallet.bitcoin.shared_transaction(colour.0);
                let first = issuance.as_ref().and_then(|tx| tx.input.first()).map(|input| input.previous_output);
                first.and_then(|coin| self.own_output(wallet, coin)).is_some()
            }
            Asset::Colu(id) if id.locked => locked.contains(&id),
            Asset::OpenAssets(_) | Asset::Colu(_) => self.issuing_script(wallet, asset).is_some(),
        }
    }

    /// The script of ours whose owner may issue more of an asset.
    pub(crate) fn issuing_script(&self, wallet: &Wallet, asset: Asset) -> Option<ScriptBuf> {
        let issues = |script: &ScriptBuf| match asset {
            Asset::OpenAssets(id) => open_assets::AssetId::issued_by(script) == id,
            Asset::Colu(id) => colu::AssetId::unlocked(script, id.policy, id.divisibility) == id,
            Asset::Epobc(_) => false,
        };
        wallet.bitcoin.addresses().into_iter().map(|entry| entry.script).find(issues)
    }

    fn own_output(&self, wallet: &Wallet, coin: OutPoint) -> Option<TxOut> {
        let tx = wallet.bitcoin.shared_transaction(coin.txid)?;
        let output = tx.output.get(usize::try_from(coin.vout).ok()?)?;
        wallet.bitcoin.is_mine(&output.script_pubkey).then(|| output.clone())
    }

    /// Locked assets that transactions of a wallet issued.
    fn locked_here(&self, wallet: &Wallet) -> BTreeSet<colu::AssetId> {
        let history = wallet.bitcoin.history(0, wallet.bitcoin.history_len());
        let issued = history.iter().filter(|entry| entry.sent.0 > 0).filter_map(|entry| {
            let tx = wallet.bitcoin.shared_transaction(entry.txid)?;
            let (_, message) = colu::coloring::only_message(&tx).ok()?;
            let first = tx.input.first()?.previous_output;
            let piece = colu::coloring::issued(&message, first, &self.own_output(wallet, first)?)?;
            Some(piece.asset)
        });
        issued.collect()
    }
}

impl Profile {
    pub(crate) async fn coloured_assets(&self, _: Empty) -> Result<Vec<ColouredAsset>, Failure> {
        self.read(|core, _| {
            let Ok(wallet) = core.selected() else { return Ok(Vec::new()) };
            let mut sums: BTreeMap<Asset, Sum> = BTreeMap::new();
            for held in core.held(wallet) {
                for holding in &held.holdings {
                    let sum = sums.entry(holding.asset).or_default();
                    let side = if held.coin.height.is_some() { &mut sum.confirmed } else { &mut sum.pending };
                    *side = side.saturating_add(holding.quantity);
                    sum.coins += 1;
                }
            }
            // Takes a look at the whole history, which no other asset needs.
            let any_locked = sums.keys().any(|asset| matches!(asset, Asset::Colu(id) if id.locked));
            let locked = if any_locked { core.locked_here(wallet) } else { BTreeSet::new() };
            let view = |(asset, sum): (Asset, Sum)| {
                let can_reissue = core.issuing_script(wallet, asset).is_some();
                ColouredAsset {
                    asset: core.coloured_label(asset),
                    protocol: protocol_view(asset.protocol()),
                    confirmed: Atoms(sum.confirmed),
                    pending: Atoms(sum.pending),
                    coins: sum.coins,
                    known: if sum.confirmed > 0 { Known::Verified } else { Known::Pending },
                    issued_here: core.issued_here(wallet, asset, &locked),
                    can_reissue,
                    can_burn: asset.protocol() != Protocol::Epobc,
                }
            };
            Ok(sums.into_iter().map(view).collect())
        })
    }
}

/// Names units as a draft keeps them.
pub(crate) fn units(asset: Asset, quantity: u64, network: NetworkKind) -> crate::guard::Units {
    crate::guard::Units { asset: asset_text(asset, network), quantity }
}
