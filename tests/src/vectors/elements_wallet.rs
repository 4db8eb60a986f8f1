//! Two wallets on a real chain: what they hold after each block.

use super::hex::{decoded, list, number, parsed, text};
use super::liquid_keys::chain;
use super::{Case, Checks, Kind, Siblings, has_keys, is_list_of};
use bitcoin::hex::DisplayHex as _;
use causeway_sidechain::wallet::descriptor::{Chain, CtDescriptor, KeyPath};
use causeway_sidechain::wallet::{Changes, SidechainWallet};
use causeway_vocab::{ChainBatch, SidechainBatch, Tip};
use elements::{AddressParams, Block, OutPoint, Txid};
use serde_json::{Map, Value, json};

pub(super) const KINDS: &[Kind] = &[Kind {
    name: "wallet",
    stems: &["wallet"],
    fits: |d| {
        has_keys(d, &["policy_asset", "balances_at_tip", "utxos_at_tip", "blocks"]) && is_list_of(&d["wallets"], &["descriptor"])
    },
    run: run_wallet,
}];

fn run_wallet(document: &Value, siblings: &Siblings) -> Result<Vec<Case>, String> {
    let mut params = chain("lab", &AddressParams::ELEMENTS, text(document, "policy_asset")?)?;
    if let Ok(chain) = siblings.load("chain.json") {
        params.address = serde_json::from_value(chain["network"]["address"].clone()).map_err(|e| e.to_string())?;
    }
    let mut batches = Vec::new();
    for case in list(document, "blocks")? {
        let block: Block = decoded(case, "block")?;
        let height = u32::try_from(number(case, "height")?).map_err(|e| e.to_string())?;
        let tip = Tip { height, hash: block.block_hash(), time: block.header.time };
        let blocks = vec![(tip, block)];
        batches.push((case, ChainBatch { rollback_to: None, blocks, unconfirmed: vec![], tip, scanned_to: height }));
    }
    let mut checks = Checks::new();
    checks.each(list(document, "wallets")?, |name, described, checks| {
        let descriptor = CtDescriptor::parse(text(described, "descriptor")?).map_err(|e| e.to_string())?;
        let account = descriptor.account(&params).map_err(|e| e.to_string())?;
        checks.equal(format!("{name} descriptor"), json!(descriptor.to_string()), &described["descriptor"], &[]);
        for address in list(described, "addresses")? {
            let chain = *Chain::BOTH.get(number(address, "chain")? as usize).ok_or("no such chain")?;
            let path = KeyPath { chain, index: number(address, "index")? as u32 };
            let derived = account.derive(path).ok_or("not derivable")?;
            let key = account.private_blinding_key(path, &derived.script);
            let got = json!({
                "chain": number(address, "chain")?,
                "index": path.index,
                "script_pubkey": derived.script.as_bytes().to_lower_hex_string(),
                "blinding_private_key": key.secret_bytes().to_lower_hex_string(),
                "blinding_public_key": derived.blinding_key.to_string(),
                "confidential_address": derived.confidential_address().to_string(),
                "unconfidential_address": derived.explicit_address().to_string(),
            });
            checks.equal(format!("{name} {chain:?} {}", path.index), got, address, &[]);
        }
        let mut wallet = SidechainWallet::new(account.clone(), &params);
        let mut log = Changes::default();
        for (case, batch) in &batches {
            follow(name, &mut wallet, batch, case, &mut log, checks)?;
        }
        check_end(name, &wallet, document, checks)?;
        let replayed = SidechainWallet::load(account, &params, &log);
        checks.equal(format!("{name} replayed"), json!(replayed == wallet), &json!(true), &[]);
        Ok(())
    });
    for (case, batch) in &batches {
        checks.equal(format!("block {}", batch.tip.height), json!(batch.tip.hash.to_string()), &case["hash"], &[]);
    }
    let last = batches.last().map(|(_, batch)| batch.tip);
    let tip = last.map(|tip| json!({ "tip_height": tip.height, "tip_hash": tip.hash.to_string() }));
    let wanted = json!({ "tip_height": document["tip_height"], "tip_hash": document["tip_hash"] });
    checks.equal("tip", tip.unwrap_or(Value::Null), &wanted, &[]);
    Ok(checks.done())
}

/// One block: every output of ours, and the balances behind it.
fn follow(
    name: &str,
    wallet: &mut SidechainWallet,
    batch: &SidechainBatch,
    case: &Value,
    log: &mut Changes,
    checks: &mut Checks,
) -> Result<(), String> {
    let height = batch.tip.height;
    let opened: Vec<_> = wallet.candidates(batch).into_iter().map(|candidate| candidate.open()).collect();
    log.merge(wallet.apply(batch, &opened, 0).changes);
    let balances: Map<String, Value> =
        wallet.balances().into_iter().map(|(asset, balance)| (asset.to_string(), json!(balance.confirmed))).collect();
    exactly(checks, format!("{name} balances at {height}"), Value::Object(balances), &case["balances"][name]);
    for tx in list(case, "txs")? {
        let txid: Txid = parsed(tx, "txid")?;
        for output in list(tx, "outputs")?.iter().filter(|output| output["wallet"] == *name) {
            let vout = number(output, "vout")? as u32;
            let owned = wallet.stored_tx(&txid).and_then(|tx| tx.owned.get(&vout)).copied();
            let got = owned.map(|owned| {
                let mut got = json!({
                    "vout": vout,
                    "wallet": name,
                    "chain": Chain::BOTH.iter().position(|chain| *chain == owned.path.chain),
                    "index": owned.path.index,
                    "unblinds": owned.opening.is_some(),
                });
                if let Some(opening) = owned.opening {
                    got["asset"] = json!(opening.asset.to_string());
                    got["value"] = json!(opening.value);
                    got["asset_blinder"] = json!(opening.asset_bf.to_string());
                    got["value_blinder"] = json!(opening.value_bf.to_string());
                    got["asset_blinder_raw"] = json!(opening.asset_bf.into_inner().as_ref().to_lower_hex_string());
                    got["value_blinder_raw"] = json!(opening.value_bf.into_inner().as_ref().to_lower_hex_string());
                }
                got
            });
            let notes = ["script_pubkey", "confidential", "fee", "rangeproof"];
            checks.equal(format!("{name} {txid}:{vout}"), got.unwrap_or(Value::Null), output, &notes);
        }
    }
    Ok(())
}

fn check_end(name: &str, wallet: &SidechainWallet, document: &Value, checks: &mut Checks) -> Result<(), String> {
    let balances: Map<String, Value> =
        wallet.balances().into_iter().map(|(asset, balance)| (asset.to_string(), json!(balance.confirmed))).collect();
    exactly(checks, format!("{name} balances at the tip"), Value::Object(balances), &document["balances_at_tip"][name]);
    let coins: Map<String, Value> = wallet
        .coins()
        .map(|coin| {
            let OutPoint { txid, vout } = coin.outpoint;
            (format!("{txid}:{vout}"), json!({ "asset": coin.opening.asset.to_string(), "value": coin.opening.value }))
        })
        .collect();
    let mut wanted = Map::new();
    for coin in list(document, "utxos_at_tip")?.iter().filter(|coin| coin["wallet"] == *name) {
        let outpoint = format!("{}:{}", text(coin, "txid")?, number(coin, "vout")?);
        wanted.insert(outpoint, json!({ "asset": coin["asset"], "value": coin["value"] }));
    }
    exactly(checks, format!("{name} coins"), Value::Object(coins), &Value::Object(wanted));
    let used = json!({ "0": wallet.last_used(Chain::External), "1": wallet.last_used(Chain::Internal) });
    checks.equal(format!("{name} last used"), used, &document["last_used_index"][name], &[]);
    for tx in list(document, "transactions")?.iter().filter(|tx| !tx["net"][name].is_null()) {
        let txid: Txid = parsed(tx, "txid")?;
        let entry = wallet.history_entry(&txid).ok_or_else(|| format!("{txid} is unknown"))?;
        let net: Map<String, Value> = entry.net.iter().map(|(asset, net)| (asset.to_string(), json!(*net as i64))).collect();
        exactly(checks, format!("{name} net of {txid}"), Value::Object(net), &tx["net"][name]);
        checks.equal(format!("{name} height of {txid}"), json!(entry.height), &tx["height"], &[]);
    }
    Ok(())
}

/// Both sides must have the same entries; entries of zero count as absent.
fn exactly(checks: &mut Checks, id: String, mut got: Value, want: &Value) {
    let mut want = want.clone();
    for side in [&mut got, &mut want] {
        if let Some(entries) = side.as_object_mut() {
            entries.retain(|_, value| *value != 0);
        }
    }
    let keys = |side: &Value| side.as_object().map(|entries| entries.len());
    if keys(&got) == keys(&want) { checks.equal(id, got, &want, &[]) } else { checks.fail(id, got, want) }
}
