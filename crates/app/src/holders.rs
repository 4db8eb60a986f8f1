//! Who holds an asset, as far as its issuer has paid them: labels, and addresses that he pays no more.

use crate::memory::{Core, Wallet, stale};
use crate::profile::Profile;
use causeway_contract::{AssetHolder, AssetRef, Atoms, Failure, HolderMark, Tag};
use causeway_sidechain::wallet::{Confidentiality, parse_address};
use causeway_store::{HolderRow, Reader};
use causeway_vocab::{AssetId, Code, NetworkId, Refusal};
use elements::{Address, Script};
use std::collections::{BTreeSet, HashMap};

/// Longest label, characters.
const LONGEST: usize = 255;

fn read_asset(text: &str) -> Result<elements::AssetId, Refusal> {
    text.parse().map_err(|_| Refusal::new(Code::UnknownAsset).with("asset", text))
}

/// The scripts of a wallet's frozen holders of an asset.
pub(crate) fn frozen(core: &Core, reader: &Reader<'_>, asset: &elements::AssetId) -> Result<BTreeSet<Script>, Refusal> {
    let params = core.realm.sidechain.address_params();
    let rows = reader.holders(core.selected()?.row.id, &asset.to_string())?;
    let script = |row: HolderRow| Some(Address::parse_with_params(&row.address, params).ok()?.script_pubkey());
    Ok(rows.into_iter().filter(|row| row.frozen).filter_map(script).collect())
}

/// What a wallet has paid of an asset, by script.
#[derive(Default)]
struct Paid {
    sum: u64,
    times: u32,
    last: u32,
}

fn paid(wallet: &Wallet, asset: elements::AssetId) -> HashMap<Script, Paid> {
    let mut all: HashMap<Script, Paid> = HashMap::new();
    for entry in wallet.sidechain.history(None).filter(|entry| entry.ours) {
        let Some(tx) = wallet.sidechain.stored_tx(&entry.txid) else { continue };
        for (vout, opening) in tx.paid.iter().filter(|(_, opening)| opening.asset == asset) {
            let Some(output) = usize::try_from(*vout).ok().and_then(|vout| tx.stripped.output.get(vout)) else { continue };
            if output.script_pubkey.is_empty() || output.script_pubkey.is_provably_unspendable() {
                continue;
            }
            let holder = all.entry(output.script_pubkey.clone()).or_default();
            holder.sum = holder.sum.saturating_add(opening.value);
            holder.times += 1;
            holder.last = holder.last.max(entry.time);
        }
    }
    all
}

impl Profile {
    pub(crate) async fn holders(&self, request: AssetRef) -> Result<Vec<AssetHolder>, Failure> {
        let asset = read_asset(&request.asset)?;
        self.read(|core, reader| {
            let wallet = core.selected()?;
            let params = core.realm.sidechain.address_params();
            let mut paid = paid(wallet, asset);
            let mut named: HashMap<Script, (String, bool)> = HashMap::new();
            for text in reader.payees(wallet.row.id)? {
                if let Ok(address) = Address::parse_with_params(&text, params) {
                    named.insert(address.script_pubkey(), (text, false));
                }
            }
            let mut all: Vec<(Script, String, bool)> = Vec::new();
            for row in reader.holders(wallet.row.id, &request.asset)? {
                let Ok(address) = Address::parse_with_params(&row.address, params) else { continue };
                all.push((address.script_pubkey(), row.address, row.frozen));
            }
            for script in
                paid.keys().filter(|script| !all.iter().any(|(known, ..)| known == *script)).cloned().collect::<Vec<_>>()
            {
                let shown = || Address::from_script(&script, None, params).map(|address| address.to_string());
                let address = named.get(&script).map(|(text, _)| text.clone()).or_else(shown);
                all.extend(address.map(|address| (script.clone(), address, false)));
            }
            let mut views = Vec::new();
            for (script, address, frozen) in all {
                let Paid { sum, times, last } = paid.remove(&script).unwrap_or_default();
                views.push(AssetHolder {
                    label: reader.label(wallet.row.id, NetworkId::Sidechain, "addr", &address)?,
                    address,
                    asset: core.names.label(AssetId::Elements(asset)),
                    paid: Atoms(sum),
                    times,
                    last: (times > 0).then_some(last),
                    frozen,
                });
            }
            views.sort_by(|a, b| b.paid.cmp(&a.paid).then_with(|| a.address.cmp(&b.address)));
            Ok(views)
        })
    }

    pub(crate) async fn holder_mark(&self, request: HolderMark) -> Result<Vec<AssetHolder>, Failure> {
        let asset = read_asset(&request.asset)?;
        let text = request.label.trim();
        if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
            return Err(Refusal::new(Code::BadRequest).with("field", "label"));
        }
        self.change(|core, write| {
            let wallet = core.selected()?.row.id;
            let address = parse_address(&request.address, &core.realm.sidechain, Confidentiality::Optional)?.to_string();
            write.put_holder(wallet, &asset.to_string(), &HolderRow { address: address.clone(), frozen: request.frozen })?;
            write.set_label(wallet, NetworkId::Sidechain, "addr", &address, text)?;
            stale(write, &[Tag::Assets, Tag::History, Tag::Addresses]);
            Ok(())
        })?;
        self.holders(AssetRef { asset: request.asset }).await
    }
}
