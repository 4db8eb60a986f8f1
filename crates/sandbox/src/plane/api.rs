//! The REST paths of the public control plane, as far as a wallet asks.

use super::state::{Delegation, Gauge, State as Kept, status};
use super::transactions::DENOM;
use super::{Answer, Plane, no};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use bitcoin::base64::Engine as _;
use bitcoin::base64::prelude::BASE64_STANDARD;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hex::DisplayHex as _;
use bitcoin::{Txid, XOnlyPublicKey};
use causeway_staking::delegation::Adaptors;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

type Node = State<Arc<Plane>>;

/// The routes.
pub(super) fn router() -> Router<Arc<Plane>> {
    Router::new()
        .route("/babylon/btcstaking/v1/params_versions", get(versions))
        .route("/babylon/btcstaking/v1/finality_providers", get(providers))
        .route("/babylon/btcstaking/v1/btc_delegation/{txid}", get(delegation))
        .route("/babylon/finality/v1/finality_providers/{height}", get(powers))
        .route("/babylon/finality/v1/signing_infos", get(signing))
        .route("/babylon/finality/v1/evidences", get(evidence))
        .route("/babylon/btclightclient/v1/tip", get(tip))
        .route("/babylon/incentive/address/{address}/reward_gauge", get(gauge))
        .route("/cosmos/auth/v1beta1/accounts/{address}", get(account))
        .route("/cosmos/bank/v1beta1/balances/{address}/by_denom", get(balance))
        .route("/cosmos/tx/v1beta1/txs", post(broadcast))
        .route("/cosmos/tx/v1beta1/txs/{hash}", get(transaction))
}

async fn versions(State(plane): Node) -> Answer {
    let held = plane.ask().await?;
    let versions = held.state.versions.iter().enumerate();
    let rows: Vec<Value> = versions.map(|(version, params)| json!({ "version": version, "params": params })).collect();
    Ok(Json(json!({ "params": rows, "pagination": { "next_key": null, "total": "0" } })))
}

async fn providers(State(plane): Node) -> Answer {
    let held = plane.ask().await?;
    let row = |provider: &super::state::Provider| {
        json!({
            "description": { "moniker": provider.moniker, "identity": "", "website": "", "security_contact": "", "details": "" },
            "commission": format!("0.{:02}0000000000000000", provider.commission),
            "btc_pk": provider.public().to_string(),
            "slashed_babylon_height": provider.slashed.unwrap_or(0).to_string(),
            "slashed_btc_height": 0,
            "jailed": provider.jailed,
            "height": held.state.height().to_string(),
            "highest_voted_height": if provider.votes() { held.state.height() } else { 0 },
        })
    };
    let rows: Vec<Value> = held.state.providers.iter().map(row).collect();
    Ok(Json(json!({ "finality_providers": rows, "pagination": { "next_key": null, "total": "0" } })))
}

async fn powers(State(plane): Node, Path(_): Path<u64>) -> Answer {
    let held = plane.ask().await?;
    let state = &held.state;
    let mut power: BTreeMap<XOnlyPublicKey, u64> = BTreeMap::new();
    for delegation in state.delegations.values() {
        let (stake, _) = delegation.registered(&state.versions[delegation.params_version as usize]);
        if status(delegation, &stake, state.tip()) == "ACTIVE" {
            *power.entry(stake.terms().providers[0]).or_default() += stake.value().to_sat();
        }
    }
    let row = |provider: &super::state::Provider| {
        let key = provider.public();
        json!({
            "btc_pk_hex": key.to_string(), "height": state.height().to_string(), "jailed": provider.jailed,
            "voting_power": power.get(&key).copied().unwrap_or(0).to_string(),
            "slashed_babylon_height": provider.slashed.unwrap_or(0).to_string(),
        })
    };
    let rows: Vec<Value> = state.providers.iter().map(row).collect();
    Ok(Json(json!({ "finality_providers": rows, "pagination": { "next_key": null, "total": "0" } })))
}

async fn signing(State(plane): Node) -> Answer {
    let held = plane.ask().await?;
    let row = |provider: &super::state::Provider| {
        json!({
            "fp_btc_pk_hex": provider.public().to_string(), "start_height": "1",
            "missed_blocks_counter": provider.missed.to_string(), "jailed_until": null,
        })
    };
    let rows: Vec<Value> = held.state.providers.iter().map(row).collect();
    Ok(Json(json!({ "signing_infos": rows, "pagination": { "next_key": null, "total": "0" } })))
}

async fn evidence(State(plane): Node) -> Answer {
    let held = plane.ask().await?;
    let row = |evidence: &super::state::Evidence| {
        json!({
            "fp_btc_pk_hex": evidence.provider.to_string(), "block_height": evidence.height.to_string(),
            "pub_rand": evidence.randomness.to_string(),
            "canonical_app_hash": evidence.canonical.0, "canonical_finality_sig": evidence.canonical.1.to_string(),
            "fork_app_hash": evidence.fork.0, "fork_finality_sig": evidence.fork.1.to_string(),
        })
    };
    let rows: Vec<Value> = held.state.evidence.iter().map(row).collect();
    Ok(Json(json!({ "evidences": rows, "pagination": { "next_key": null, "total": "0" } })))
}

async fn tip(State(plane): Node) -> Answer {
    let held = plane.ask().await?;
    let (height, hash) = held.state.scanned.last().copied().ok_or_else(|| no(StatusCode::NOT_FOUND, "no block"))?;
    Ok(Json(json!({ "header": { "hash_hex": hash.to_string(), "height": height } })))
}

async fn delegation(State(plane): Node, Path(txid): Path<String>) -> Answer {
    let held = plane.ask().await?;
    let txid: Txid = txid.parse().map_err(|_| no(StatusCode::BAD_REQUEST, "no transaction id"))?;
    let found = held.state.delegations.get(&txid).ok_or_else(|| no(StatusCode::NOT_FOUND, "no such delegation"))?;
    Ok(Json(json!({ "btc_delegation": told(&held.state, found) })))
}

fn told(state: &Kept, delegation: &Delegation) -> Value {
    let (stake, registered) = delegation.registered(&state.versions[delegation.params_version as usize]);
    let terms = stake.terms();
    let standing = status(delegation, &stake, state.tip());
    let adaptors = |list: &Adaptors| -> Vec<Value> {
        let row = |(member, list): (&XOnlyPublicKey, &Vec<causeway_staking::AdaptorSignature>)| {
            let list: Vec<String> = list.iter().map(|signature| BASE64_STANDARD.encode(signature.serialize())).collect();
            json!({ "cov_pk": member.to_string(), "adaptor_sigs": list })
        };
        list.iter().map(row).collect()
    };
    let unbonding: Vec<Value> = delegation
        .covenant
        .unbonding
        .iter()
        .map(|(member, signature)| json!({ "pk": member.to_string(), "sig": BASE64_STANDARD.encode(signature.serialize()) }))
        .collect();
    let start = delegation.seen.filter(|_| delegation.proved).unwrap_or(0);
    let output = stake.find_in(&registered.staking).map_or(0, |outpoint| outpoint.vout);
    json!({
        "staker_addr": delegation.account,
        "btc_pk": terms.staker.to_string(),
        "fp_btc_pk_list": terms.providers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "staking_time": terms.staking_time,
        "start_height": start,
        "end_height": if start > 0 { start + u32::from(terms.staking_time) } else { 0 },
        "total_sat": stake.value().to_sat().to_string(),
        "staking_tx_hex": serialize_hex(&registered.staking),
        "slashing_tx_hex": serialize_hex(&registered.slashing),
        "delegator_slash_sig_hex": registered.staker_slashing.serialize().to_lower_hex_string(),
        "covenant_sigs": adaptors(&delegation.covenant.slashing),
        "staking_output_idx": output,
        "active": standing == "ACTIVE",
        "status_desc": standing,
        "unbonding_time": terms.unbonding_time,
        "undelegation_response": {
            "unbonding_tx_hex": serialize_hex(&registered.unbonding),
            "covenant_unbonding_sig_list": unbonding,
            "slashing_tx_hex": serialize_hex(&registered.unbonding_slashing),
            "delegator_slashing_sig_hex": registered.staker_unbonding_slashing.serialize().to_lower_hex_string(),
            "covenant_slashing_sigs": adaptors(&delegation.covenant.unbonding_slashing),
            "delegator_unbonding_info_response": null,
        },
        "params_version": delegation.params_version,
    })
}

async fn gauge(State(plane): Node, Path(address): Path<String>) -> Answer {
    let held = plane.ask().await?;
    let coins = |amount: u64| if amount == 0 { json!([]) } else { json!([{ "denom": DENOM, "amount": amount.to_string() }]) };
    match held.state.gauges.get(&address) {
        Some(Gauge { coins: all, withdrawn }) => {
            Ok(Json(json!({ "reward_gauges": { "BTC_STAKER": { "coins": coins(*all), "withdrawn_coins": coins(*withdrawn) } } })))
        }
        None => Err(no(StatusCode::NOT_FOUND, "reward gauge not found")),
    }
}

async fn account(State(plane): Node, Path(address): Path<String>) -> Answer {
    let mut held = plane.ask().await?;
    let account = held.state.account(&address).clone();
    Ok(Json(json!({ "account": {
        "@type": "/cosmos.auth.v1beta1.BaseAccount", "address": address, "pub_key": null,
        "account_number": account.number.to_string(), "sequence": account.sequence.to_string(),
    } })))
}

async fn balance(State(plane): Node, Path(address): Path<String>) -> Answer {
    let mut held = plane.ask().await?;
    let balance = held.state.account(&address).balance;
    Ok(Json(json!({ "balance": { "denom": DENOM, "amount": balance.to_string() } })))
}

#[derive(Deserialize)]
struct Broadcast {
    tx_bytes: String,
}

async fn broadcast(State(plane): Node, Json(body): Json<Broadcast>) -> Answer {
    drop(plane.ask().await?);
    let raw = BASE64_STANDARD.decode(&body.tx_bytes).map_err(|_| no(StatusCode::BAD_REQUEST, "no base64"))?;
    let (hash, outcome) = plane.deliver(&raw).await.map_err(|error| no(StatusCode::SERVICE_UNAVAILABLE, error))?;
    let (code, log) = outcome.map_or_else(|why| (1, why), |()| (0, ""));
    Ok(Json(json!({ "tx_response": { "height": "0", "txhash": hash, "code": code, "raw_log": log } })))
}

async fn transaction(State(plane): Node, Path(hash): Path<String>) -> Answer {
    let held = plane.ask().await?;
    let height = held.state.taken.get(&hash).ok_or_else(|| no(StatusCode::NOT_FOUND, "tx not found"))?;
    Ok(Json(json!({ "tx_response": { "height": height.to_string(), "txhash": hash, "code": 0, "raw_log": "" } })))
}
