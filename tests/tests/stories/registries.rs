//! Asset registries: what they say is a claim, and what the id contradicts is refused.

use crate::desk::issue;
use crate::world::{Desk, refused, story, world};
use causeway_contract::*;
use causeway_sandbox::control::Publish;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

fn of(asset: &str) -> AssetRef {
    AssetRef { asset: asset.into() }
}

async fn publish_proof(detail: &AssetDetail) {
    let domain = detail.view.domain.clone();
    let path = detail.domain_proof_url.strip_prefix(&format!("https://{domain}")).expect("a path").to_owned();
    let file = Publish { domain, path, text: format!("{}\n", detail.domain_proof) };
    world().await.control.publish(&file).await.expect("published");
}

#[test]
fn an_asset_is_registered_once_its_domain_proves_it_and_others_look_it_up() {
    story(async {
        let desk = Desk::with(0, 600_000).await;
        let holder = Desk::new().await;
        let asset = issue(&desk, "SHOAL5", 100_000, true).await;
        assert_eq!(holder.app.registry_lookup(of(&asset)).await.expect("an answer").claim, None);
        assert_eq!(refused(desk.app.registry_publish(of(&asset)).await), Code::RegistryRefused, "nothing is published yet");
        assert_eq!(refused(holder.app.registry_publish(of(&asset)).await), Code::BadContract, "he has no contract");
        let detail = desk.app.asset(of(&asset)).await.expect("an asset");
        publish_proof(&detail).await;
        let published = desk.app.registry_publish(of(&asset)).await.expect("registered");
        assert_eq!(published.interface, RegistryInterface::V1);
        let again = desk.app.registry_publish(of(&asset)).await.expect_err("twice");
        assert_eq!((again.code, again.args["status"].as_str()), (Code::RegistryRefused, "409"));

        let claim = holder.app.registry_lookup(of(&asset)).await.expect("an answer").claim.expect("a claim");
        assert_eq!((claim.label.ticker.as_str(), claim.label.id.as_str(), claim.taken), ("SHOAL5", asset.as_str(), false));
        assert_eq!((&claim.domain, &claim.domain_proof_url), (&detail.view.domain, &detail.domain_proof_url));
        assert_eq!(claim.warnings, []);
        let take = ContractImport {
            asset: asset.clone(),
            contract: claim.contract.clone(),
            issuance_prevout: Some(claim.issuance_prevout.clone()),
        };
        assert_eq!(holder.app.contract_import(take).await.expect("taken").asset.ticker, "SHOAL5");
        assert!(holder.app.registry_lookup(of(&asset)).await.expect("an answer").claim.expect("a claim").taken);

        // Another asset whose ticker is drawn alike is flagged, however it is registered.
        let other = issue(&desk, "SHOALS", 100_000, true).await;
        publish_proof(&desk.app.asset(of(&other)).await.expect("an asset")).await;
        desk.app.registry_publish(of(&other)).await.expect("registered");
        let claim = holder.app.registry_lookup(of(&other)).await.expect("an answer").claim.expect("a claim");
        assert_eq!(claim.warnings, [ClaimWarning::LookAlike]);
        holder.close().await;
        desk.close().await;
    });
}

/// Answers each path with its text, anything else with 404, until the process ends.
fn server(answers: BTreeMap<String, String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines();
            let asked = lines.next().and_then(Result::ok).unwrap_or_default();
            for line in lines.map_while(Result::ok) {
                if line.is_empty() {
                    break;
                }
            }
            let path = asked.split(' ').nth(1).unwrap_or_default();
            let (status, text) = match answers.get(path) {
                Some(text) => ("200 OK", text.as_str()),
                None => ("404 Not Found", "{}"),
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
            // Whoever hangs up has heard enough.
            let _ = (&stream).write_all(format!("{head}{text}").as_bytes());
        }
    });
    base
}

#[test]
fn a_registry_that_lies_is_refused_and_a_name_that_deceives_is_never_used() {
    story(async {
        let prevout = elements::OutPoint::new(elements::Txid::from_byte_array([5; 32]), 1);
        let contract = |name: &str, ticker: &str| {
            serde_json::json!({
                "entity": { "domain": "reef.example" }, "issuer_pubkey": "02".repeat(33),
                "name": name, "precision": 2, "ticker": ticker, "version": 0,
            })
        };
        let id = |contract: &serde_json::Value| {
            let hash = elements::ContractHash::from_json_contract(&contract.to_string()).expect("a contract");
            let entropy = elements::AssetId::generate_asset_entropy(prevout, hash);
            elements::AssetId::from_entropy(entropy).to_string()
        };
        let entry = |asset: &str, contract: &serde_json::Value| {
            let spent = serde_json::json!({ "txid": prevout.txid.to_string(), "vout": prevout.vout });
            serde_json::json!({ "asset_id": asset, "contract": contract, "issuance_prevout": spent }).to_string()
        };
        let (good, odd) = (contract("Reef Bond", "REEF"), contract("Reef\u{200b} Bond", "REEF\u{7f}"));
        let (honest, deceptive) = (id(&good), id(&odd));
        let [forged, swapped, garbage, large] = [1u8, 2, 3, 4].map(|tag| format!("{tag:02x}").repeat(32));
        let second = |asset: &str| {
            let admin = serde_json::json!({ "malicious": true });
            serde_json::json!({ "asset_id": asset, "contract": good, "admin": admin, "status": "active" }).to_string()
        };
        let base = server(BTreeMap::from([
            (format!("/{honest}"), entry(&honest, &good)),
            (format!("/v2/assets/{honest}"), second(&honest)),
            (format!("/{deceptive}"), entry(&deceptive, &odd)),
            (format!("/{forged}"), entry(&forged, &good)),
            (format!("/{swapped}"), entry(&honest, &good)),
            (format!("/{garbage}"), "<html>".into()),
            (format!("/{large}"), " ".repeat(200_000)),
        ]));
        let mut realm = world().await.realm.clone();
        realm.sidechain.registries = vec![base];
        let desk = Desk::on(realm).await;
        for (asset, code, why) in [
            (&forged, Code::RegistryLies, "contract-hash"),
            (&swapped, Code::RegistryLies, "asset"),
            (&garbage, Code::RegistryUnreachable, "garbage"),
            (&large, Code::RegistryUnreachable, "oversized"),
        ] {
            let refusal = desk.app.registry_lookup(of(asset)).await.expect_err(why);
            assert_eq!((refusal.code, refusal.args["why"].as_str()), (code, why));
        }
        let claim = desk.app.registry_lookup(of(&honest)).await.expect("an answer").claim.expect("a claim");
        assert_eq!((claim.label.ticker.as_str(), claim.warnings), ("REEF", vec![ClaimWarning::Warned]));
        let claim = desk.app.registry_lookup(of(&deceptive)).await.expect("an answer").claim.expect("a claim");
        assert_eq!((claim.label.named, claim.warnings), (false, vec![ClaimWarning::Deceptive]));
        assert!(!claim.label.name.contains('\u{200b}') && !claim.label.ticker.contains('\u{7f}'));
        let take = ContractImport { asset: deceptive, contract: odd.to_string(), issuance_prevout: Some(claim.issuance_prevout) };
        assert_eq!(refused(desk.app.contract_import(take).await), Code::BadContract);
        desk.close().await;
    });
}
