//! Balances, addresses, coins.

use crate::drafts::{excluded_bitcoin, excluded_sidechain};
use crate::memory::{Core, Verdict, Wallet, put_bitcoin, put_sidechain, stale};
use crate::operations::depth_of;
use crate::profile::Profile;
use causeway_bitcoin_wallet::{AddressEntry, KeychainKind, PaymentUri};
use causeway_colored::Standing;
use causeway_contract::{
    AddressView, Atoms, BalanceView, CoinFreeze, CoinView, Empty, Failure, LabelKind, NetworkRef, Overview, ReceiveRequest,
    ReceiveView, Tag,
};
use causeway_sidechain::wallet::descriptor::{Chain, DerivedScript, KeyPath};
use causeway_store::{Reader, Write};
use causeway_vocab::{AssetId, Code, Known, NetworkId, Refusal};
use std::collections::{BTreeMap, BTreeSet};

/// `txid:vout` of a sidechain coin.
pub(crate) fn outpoint_text(outpoint: elements::OutPoint) -> String {
    format!("{}:{}", outpoint.txid, outpoint.vout)
}

/// Reads `txid:vout`.
pub(crate) fn read_outpoint(text: &str) -> Result<elements::OutPoint, Refusal> {
    let bad = || Refusal::new(Code::CoinUnavailable).with("outpoint", text);
    let (txid, vout) = text.split_once(':').ok_or_else(bad)?;
    Ok(elements::OutPoint::new(txid.parse().map_err(|_| bad())?, vout.parse().map_err(|_| bad())?))
}

/// How a confirmed or pending sidechain output is known.
pub(crate) fn known_of(core: &Core, txid: &elements::Txid, confirmed: bool) -> Known {
    match core.proofs.get(txid) {
        _ if !confirmed => Known::Pending,
        Some(Verdict::Passed) => Known::Verified,
        _ => Known::Reported,
    }
}

pub(crate) fn known_bitcoin(confirmed: bool) -> Known {
    if confirmed { Known::Verified } else { Known::Pending }
}

#[derive(Default)]
struct Sum {
    confirmed: u64,
    pending: u64,
    frozen: u64,
    available: u64,
    coins: u32,
    known: Option<Known>,
}

impl Sum {
    fn add(&mut self, amount: u64, confirmed: bool, frozen: bool, available: bool, known: Known) {
        *(if confirmed { &mut self.confirmed } else { &mut self.pending }) += amount;
        self.frozen += if frozen { amount } else { 0 };
        self.available += if available { amount } else { 0 };
        self.coins += 1;
        // What is pending is told apart by its own figure; the label speaks of what is confirmed.
        if confirmed {
            self.known = Some(self.known.map_or(known, |before| before.min(known)));
        }
    }
}

/// Balances of a wallet by asset.
pub(crate) fn balances(core: &Core, reader: &Reader<'_>, wallet: &Wallet) -> Result<Vec<BalanceView>, Refusal> {
    let mut sums: BTreeMap<AssetId, Sum> = BTreeMap::new();
    let policy = AssetId::Elements(core.realm.sidechain.policy_asset);
    sums.insert(AssetId::Bitcoin, Sum::default());
    sums.insert(policy, Sum::default());
    let frozen: BTreeSet<String> = reader.frozen(wallet.row.id, NetworkId::Bitcoin)?.into_iter().collect();
    let guarded = core.guarded(wallet);
    let excluded = excluded_bitcoin(core, wallet, reader)?;
    for coin in wallet.bitcoin.coins() {
        let confirmed = coin.height.is_some();
        let frozen = guarded.contains(&coin.outpoint) || frozen.contains(&coin.outpoint.to_string());
        let available = coin.spendable && !excluded.contains(&coin.outpoint);
        let sum = sums.entry(AssetId::Bitcoin).or_default();
        sum.add(coin.amount.0, confirmed, frozen, available, known_bitcoin(confirmed));
    }
    let frozen: BTreeSet<String> = reader.frozen(wallet.row.id, NetworkId::Sidechain)?.into_iter().collect();
    let excluded = excluded_sidechain(core, wallet, reader)?;
    for coin in wallet.sidechain.coins() {
        let confirmed = coin.height.is_some();
        let known = known_of(core, &coin.outpoint.txid, confirmed);
        let frozen = frozen.contains(&outpoint_text(coin.outpoint));
        let available = coin.spendable && !excluded.contains(&coin.outpoint);
        let sum = sums.entry(AssetId::Elements(coin.opening.asset)).or_default();
        sum.add(coin.opening.value, confirmed, frozen, available, known);
    }
    let view = |(asset, sum): (AssetId, Sum)| BalanceView {
        asset: core.names.label(asset),
        network: if asset == AssetId::Bitcoin { NetworkId::Bitcoin } else { NetworkId::Sidechain },
        confirmed: Atoms(sum.confirmed),
        pending: Atoms(sum.pending),
        frozen: Atoms(sum.frozen),
        available: Atoms(sum.available),
        known: sum.known.unwrap_or(if sum.pending > 0 { Known::Pending } else { Known::Verified }),
        coins: sum.coins,
    };
    let mut views: Vec<BalanceView> = sums.into_iter().map(view).collect();
    let policy = policy.to_string();
    views.sort_by_key(|balance| {
        let rank = if balance.asset.id == "btc" {
            0
        } else if balance.asset.id == policy {
            1
        } else {
            2
        };
        (rank, !balance.asset.named, balance.asset.ticker.to_lowercase(), balance.asset.id.clone())
    });
    Ok(views)
}

/// Reveals a new sidechain address of the selected wallet.
pub(crate) fn new_sidechain_address(core: &mut Core, write: &mut Write<'_>) -> Result<(KeyPath, DerivedScript), Refusal> {
    let wallet = core.selected_mut()?;
    let (path, derived, applied) = wallet.sidechain.reveal_next(Chain::External);
    put_sidechain(write, wallet.row.id, &applied.changes)?;
    stale(write, &[Tag::Addresses]);
    Ok((path, derived))
}

impl Profile {
    pub(crate) async fn overview(&self, _: Empty) -> Result<Overview, Failure> {
        self.read(|core, reader| {
            let Ok(wallet) = core.selected() else {
                let none = Atoms::ZERO;
                return Ok(Overview { verified: none, pending: none, crossing: none, balances: Vec::new() });
            };
            let balances = balances(core, reader, wallet)?;
            let policy = core.realm.sidechain.policy_asset.to_string();
            let coins = || balances.iter().filter(|b| b.asset.id == "btc" || b.asset.id == policy);
            let verified = coins().filter(|b| b.known == Known::Verified).map(|b| b.confirmed.0).sum();
            let unverified: u64 = coins().filter(|b| b.known != Known::Verified).map(|b| b.confirmed.0).sum();
            let pending = coins().map(|b| b.pending.0).sum::<u64>() + unverified;
            let crossing = core.operations.crossing(wallet.row.id, core.heights());
            Ok(Overview { verified: Atoms(verified), pending: Atoms(pending), crossing: Atoms(crossing), balances })
        })
    }

    pub(crate) async fn receive(&self, request: ReceiveRequest) -> Result<ReceiveView, Failure> {
        let label = request.label.trim().to_owned();
        let (address, uri, index, path) = match request.network {
            NetworkId::Bitcoin => {
                if request.asset.as_deref().is_some_and(|asset| asset != "btc") {
                    return Err(Refusal::new(Code::UnknownAsset).with("asset", request.asset.unwrap_or_default()));
                }
                let entry = self.reveal_bitcoin(request.again)?;
                let named = Some(label.clone()).filter(|label| !label.is_empty());
                let uri = PaymentUri { address: entry.address.clone(), amount: request.amount, label: named, message: None };
                let account = if self.realm.bitcoin.network == bitcoin::Network::Bitcoin { 0 } else { 1 };
                let path = format!("84h/{account}h/0h/0/{}", entry.index);
                (entry.address.to_string(), uri.to_string(), entry.index, path)
            }
            NetworkId::Sidechain => {
                let policy = self.realm.sidechain.policy_asset;
                let asset = match request.asset.as_deref() {
                    None => None,
                    Some(text) => Some(text.parse().map_err(|_| Refusal::new(Code::UnknownAsset).with("asset", text))?),
                };
                let (path, derived) = self.reveal_sidechain(request.again)?;
                let address = if request.explicit { derived.explicit_address() } else { derived.confidential_address() };
                let uri = causeway_sidechain::wallet::PaymentUri {
                    address: address.clone(),
                    asset: asset.filter(|asset| *asset != policy),
                    amount: request.amount.map(|amount| amount.0),
                    label: Some(label.clone()).filter(|label| !label.is_empty()),
                    message: None,
                };
                let origin = derived.key_origins().into_iter().next().map(|(_, (_, path))| path.to_string());
                (address.to_string(), uri.to_uri(&self.realm.sidechain), path.index, origin.unwrap_or_default())
            }
        };
        if !label.is_empty() {
            self.change(|core, write| {
                let id = core.selected()?.row.id;
                write.set_label(id, request.network, "addr", &address, &label)
            })?;
        }
        self.watch_new();
        let qr = crate::qr::rows(&uri);
        Ok(ReceiveView { address, uri, qr, index, path })
    }

    /// The next Bitcoin address, written down and watched before anybody sees it; or the last one again, while nobody has paid it.
    pub(crate) fn reveal_bitcoin(&self, again: bool) -> Result<AddressEntry, Refusal> {
        let entry = self.change(|core, write| {
            let last = core.selected()?.bitcoin.addresses().into_iter().rfind(|entry| entry.keychain == KeychainKind::External);
            if let Some(entry) = last.filter(|entry| again && !entry.used) {
                return Ok(entry);
            }
            let wallet = core.selected_mut()?;
            let (entry, changes) = wallet.bitcoin.next_address();
            put_bitcoin(write, wallet.row.id, Some(&changes))?;
            stale(write, &[Tag::Addresses]);
            Ok(entry)
        })?;
        self.watch_new();
        Ok(entry)
    }

    /// The same on the sidechain.
    pub(crate) fn reveal_sidechain(&self, again: bool) -> Result<(KeyPath, DerivedScript), Refusal> {
        let revealed = self.change(|core, write| {
            let wallet = core.selected()?;
            let last = wallet.sidechain.revealed(Chain::External).checked_sub(1);
            let last = last.map(|index| KeyPath { chain: Chain::External, index });
            if let Some(path) = last.filter(|path| again && !wallet.sidechain.is_used(*path))
                && let Some(derived) = wallet.sidechain.account().derive(path)
            {
                return Ok((path, derived));
            }
            new_sidechain_address(core, write)
        })?;
        self.watch_new();
        Ok(revealed)
    }

    pub(crate) async fn addresses(&self, request: NetworkRef) -> Result<Vec<AddressView>, Failure> {
        self.read(|core, reader| {
            let wallet = core.selected()?;
            let label = |address: &str| reader.label(wallet.row.id, request.network, "addr", address);
            match request.network {
                NetworkId::Bitcoin => {
                    let view = |entry: AddressEntry| {
                        let address = entry.address.to_string();
                        let label = label(&address)?;
                        let change = entry.keychain == KeychainKind::Internal;
                        Ok(AddressView { address, index: entry.index, change, used: entry.used, label })
                    };
                    wallet.bitcoin.addresses().into_iter().map(view).collect()
                }
                NetworkId::Sidechain => {
                    let mut views = Vec::new();
                    for chain in Chain::BOTH {
                        for index in 0..wallet.sidechain.revealed(chain) {
                            let path = KeyPath { chain, index };
                            let Some(derived) = wallet.sidechain.account().derive(path) else { break };
                            let address = derived.confidential_address().to_string();
                            let label = label(&address)?;
                            let used = wallet.sidechain.is_used(path);
                            views.push(AddressView { address, index, change: chain == Chain::Internal, used, label });
                        }
                    }
                    Ok(views)
                }
            }
        })
    }

    pub(crate) async fn coins(&self, request: NetworkRef) -> Result<Vec<CoinView>, Failure> {
        self.read(|core, reader| {
            let Ok(wallet) = core.selected() else { return Ok(Vec::new()) };
            let network = request.network;
            let frozen: BTreeSet<String> = reader.frozen(wallet.row.id, network)?.into_iter().collect();
            let mut reserved: BTreeSet<String> = reader.reserved(network)?.into_iter().collect();
            reserved.extend(core.operations.staked(wallet.row.id).map(|outpoint| outpoint.to_string()));
            let mut views: Vec<CoinView> = match network {
                NetworkId::Bitcoin => {
                    let standings = core.standings(wallet);
                    let coins = wallet.bitcoin.coins();
                    let view = |(coin, (_, standing))| bitcoin_coin(core, coin, &standing);
                    coins.iter().zip(standings).map(view).collect()
                }
                NetworkId::Sidechain => wallet.sidechain.coins().map(|coin| sidechain_coin(core, wallet, &coin)).collect(),
            };
            for view in &mut views {
                view.frozen = frozen.contains(&view.outpoint);
                view.reserved = reserved.contains(&view.outpoint);
                view.label = coin_label(reader, wallet.row.id, network, view)?;
            }
            Ok(views)
        })
    }

    pub(crate) async fn coin_freeze(&self, request: CoinFreeze) -> Result<Empty, Failure> {
        let network = request.network;
        self.change(|core, write| {
            let wallet = core.selected()?;
            let known = match network {
                NetworkId::Bitcoin => wallet.bitcoin.coins().iter().any(|coin| coin.outpoint.to_string() == request.outpoint),
                NetworkId::Sidechain => wallet.sidechain.coin(&read_outpoint(&request.outpoint)?).is_some(),
            };
            if !known && request.frozen {
                return Err(Refusal::new(Code::CoinUnavailable).with("outpoint", &request.outpoint));
            }
            write.set_frozen(wallet.row.id, network, &request.outpoint, request.frozen)?;
            Ok(Empty {})
        })
    }
}

fn bitcoin_coin(core: &Core, coin: &causeway_bitcoin_wallet::Coin, standing: &Standing) -> CoinView {
    let address = bitcoin::Address::from_script(&coin.script, core.realm.bitcoin.network);
    CoinView {
        outpoint: coin.outpoint.to_string(),
        asset: core.names.label(AssetId::Bitcoin),
        amount: coin.amount,
        address: address.map_or_else(|_| String::new(), |address| address.to_string()),
        height: coin.height,
        confirmations: depth_of(core.heights(), NetworkId::Bitcoin, coin.height),
        known: known_bitcoin(coin.height.is_some()),
        frozen: false,
        reserved: false,
        change: coin.keychain == KeychainKind::Internal,
        blinded: false,
        token: false,
        guarded: standing.refusal(coin.outpoint),
        holds: core.holdings(standing),
        label: String::new(),
    }
}

fn sidechain_coin(core: &Core, wallet: &Wallet, coin: &causeway_sidechain::wallet::Coin) -> CoinView {
    let derived = wallet.sidechain.account().derive(coin.path);
    let address = derived.map(|derived| if coin.blinded { derived.confidential_address() } else { derived.explicit_address() });
    CoinView {
        outpoint: outpoint_text(coin.outpoint),
        asset: core.names.label(AssetId::Elements(coin.opening.asset)),
        amount: Atoms(coin.opening.value),
        address: address.map(|address| address.to_string()).unwrap_or_default(),
        height: coin.height,
        confirmations: depth_of(core.heights(), NetworkId::Sidechain, coin.height),
        known: known_of(core, &coin.outpoint.txid, coin.height.is_some()),
        frozen: false,
        reserved: false,
        change: coin.path.chain == Chain::Internal,
        blinded: coin.blinded,
        token: is_token(core, wallet, &coin.opening.asset),
        guarded: None,
        holds: Vec::new(),
        label: String::new(),
    }
}

/// Whether an asset is a reissuance token that this profile knows.
pub(crate) fn is_token(core: &Core, wallet: &Wallet, asset: &elements::AssetId) -> bool {
    core.names.token_of(asset).is_some() || wallet.sidechain.issued_assets().iter().any(|issued| issued.token == *asset)
}

/// The user's label of the coin, its address or its transaction, the closest first.
fn coin_label(reader: &Reader<'_>, wallet: u32, network: NetworkId, coin: &CoinView) -> Result<String, Refusal> {
    let txid = coin.outpoint.split(':').next().unwrap_or_default();
    for (kind, reference) in [("output", coin.outpoint.as_str()), ("addr", &coin.address), ("tx", txid)] {
        let label = reader.label(wallet, network, kind, reference)?;
        if !label.is_empty() {
            return Ok(label);
        }
    }
    Ok(String::new())
}

/// The BIP329 name of a kind of label.
pub(crate) fn label_kind(kind: LabelKind) -> &'static str {
    match kind {
        LabelKind::Tx => "tx",
        LabelKind::Addr => "addr",
        LabelKind::Output => "output",
    }
}
