//! Labels, history and proofs.

use crate::world::{Desk, refused, story};
use causeway_contract::*;
use std::collections::BTreeSet;

#[test]
fn labels_and_freezes_leave_as_bip329_and_come_back() {
    story(async {
        let desk = Desk::with(100_000, 0).await;
        let network = NetworkId::Bitcoin;
        let coin = desk.coins(network).await.remove(0);
        let txid = coin.outpoint.split(':').next().expect("a txid").to_owned();
        let label =
            |kind, reference: &str, text: &str| LabelSet { network, kind, reference: reference.into(), text: text.into() };
        let places = [(LabelKind::Tx, &txid), (LabelKind::Addr, &coin.address), (LabelKind::Output, &coin.outpoint)];
        for (kind, reference) in places {
            desk.app.label_set(label(kind, reference, "rent, \"May\" ⚓")).await.expect("labelled");
        }
        let freeze = |frozen| CoinFreeze { network, outpoint: coin.outpoint.clone(), frozen };
        desk.app.coin_freeze(freeze(true)).await.expect("frozen");
        let before = desk.state().await;
        let file = desk.app.labels_export(Empty {}).await.expect("exported").text;
        let lines: Vec<serde_json::Value> = file.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for (kind, reference) in [("tx", &txid), ("addr", &coin.address), ("output", &coin.outpoint)] {
            let line = lines.iter().find(|line| line["type"] == kind && line["label"].is_string()).expect("a line");
            assert_eq!((&line["ref"], &line["label"]), (&(*reference).clone().into(), &"rent, \"May\" ⚓".into()));
        }
        assert!(lines.iter().any(|line| line["ref"] == coin.outpoint && line["spendable"] == false));

        for (kind, reference) in places {
            desk.app.label_set(label(kind, reference, "")).await.expect("cleared");
        }
        desk.app.coin_freeze(freeze(false)).await.expect("thawed");
        assert_eq!(desk.history(network).await[0].label, "");
        let strange = "{\"type\":\"tx\",\"ref\":\"00\",\"label\":\"x\"}\nnot JSON\n{\"type\":\"spaceship\",\"ref\":\"1\"}\n";
        let taken = desk.app.labels_import(TextIn { text: file.clone() + strange }).await.expect("imported");
        assert_eq!((taken.taken as usize, taken.skipped), (lines.len(), 3));
        assert_eq!(desk.state().await, before);
        assert_eq!(desk.history(network).await[0].label, "rent, \"May\" ⚓");
        assert_eq!(desk.app.labels_export(Empty {}).await.expect("exported").text, file);
        let long = "x".repeat(256);
        assert_eq!(refused(desk.app.label_set(label(LabelKind::Tx, &txid, &long)).await), Code::BadRequest);
        desk.close().await;
    });
}

#[test]
fn a_history_is_paged_searched_and_exported_without_formulas() {
    story(async {
        let desk = Desk::new().await;
        for sat in [10_000, 20_000, 30_000] {
            desk.fund(sat).await;
        }
        let network = Some(NetworkId::Bitcoin);
        let page = |cursor, search: Option<&str>, limit| HistoryRequest {
            network,
            asset: None,
            search: search.map(str::to_owned),
            cursor,
            limit,
        };
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let answer = desk.app.history(page(cursor, None, 2)).await.expect("a page");
            assert!(answer.rows.len() <= 2 && answer.total == 3);
            seen.extend(answer.rows.into_iter().map(|row| row.txid));
            cursor = answer.next;
            if cursor.is_none() {
                break;
            }
        }
        let all: Vec<String> = desk.history(NetworkId::Bitcoin).await.into_iter().map(|row| row.txid).collect();
        assert_eq!(seen, all);
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 3);
        assert_eq!(refused(desk.app.history(page(Some("x".into()), None, 2)).await), Code::BadRequest);

        let evil = "=HYPERLINK(\"http://evil.example\",\"Click\")";
        let reference = all[1].clone();
        let label = LabelSet { network: NetworkId::Bitcoin, kind: LabelKind::Tx, reference, text: evil.into() };
        desk.app.label_set(label).await.expect("labelled");
        let found = desk.app.history(page(None, Some("hyperLINK"), 50)).await.expect("a page").rows;
        assert_eq!(found.iter().map(|row| &row.txid).collect::<Vec<_>>(), [&all[1]]);
        assert!(desk.app.history(page(None, Some("nowhere"), 50)).await.expect("a page").rows.is_empty());
        let csv = desk.app.history_export(NetworkRef { network: NetworkId::Bitcoin }).await.expect("exported").text;
        assert_eq!(csv.lines().count(), 4, "a head and three rows");
        assert!(csv.contains("\"'=HYPERLINK(\"\"http://evil.example\"\",\"\"Click\"\")\""), "{csv}");
        assert!(csv.contains("0.00020000"), "{csv}");
        desk.close().await;
    });
}

/// Exports a proof as `desk` and has `judge`, who knows nothing, check it.
async fn proven(desk: &Desk, judge: &Desk, network: NetworkId, txid: &str, kind: ProofKind) -> ProofVerdict {
    let request = ProofExport { network, txid: txid.into(), outputs: None, link: false };
    let text = desk.app.proof_export(request).await.expect("a proof").text;
    let verdict = judge.app.proof_verify(TextIn { text: text.clone() }).await.expect("a verdict");
    assert!(verdict.ok, "{verdict:#?}");
    assert!(verdict.statements.iter().any(|statement| statement.kind == kind && statement.ok), "{kind:?}: {verdict:#?}");
    // Each byte counts: with one digit of the transaction changed, nothing holds.
    let at = text.find("\"transaction\"").map(|at| at + 60).expect("a transaction");
    let digit = text[at..].find(|c: char| c.is_ascii_hexdigit()).expect("hex") + at;
    let other = if &text[digit..=digit] == "0" { "1" } else { "0" };
    let forged = format!("{}{other}{}", &text[..digit], &text[digit + 1..]);
    assert!(judge.app.proof_verify(TextIn { text: forged }).await.map_or(true, |verdict| !verdict.ok));
    verdict
}

#[test]
fn an_issuance_a_payment_and_a_burn_are_proven_to_a_stranger() {
    story(async {
        let (desk, judge) = tokio::join!(Desk::with(0, 300_000), Desk::new());
        let issue = IssuePlan {
            amount: Atoms(1_000),
            precision: 0,
            ticker: "PIER".into(),
            name: "Pier".into(),
            domain: "pier.example".into(),
            reissuable: false,
            blinded: true,
            fee_rate: None,
        };
        let draft = desk.app.issue_plan(issue).await.expect("a plan");
        let asset = draft.asset.clone().expect("an asset");
        let issued = desk.sign(&draft).await;
        desk.finish(issued.operation).await;
        let txid = issued.sidechain_txid.expect("a transaction");
        let verdict = proven(&desk, &judge, NetworkId::Sidechain, &txid, ProofKind::Issuance).await;
        let amounts = verdict.statements.iter().filter_map(|statement| statement.amount.as_ref());
        assert!(amounts.clone().any(|amount| amount.asset.id == asset && amount.amount == Atoms(1_000)), "{verdict:#?}");

        let mut payment = Desk::payment(NetworkId::Sidechain, judge.address(NetworkId::Sidechain).await, 250);
        payment.recipients[0].asset = Some(asset.clone());
        let paid = desk.sign(&desk.app.send_plan(payment).await.expect("a plan")).await;
        desk.finish(paid.operation).await;
        let txid = paid.sidechain_txid.expect("a transaction");
        proven(&desk, &judge, NetworkId::Sidechain, &txid, ProofKind::Payment).await;

        let burn = BurnPlan { asset: asset.clone(), amount: Atoms(50), label: "old".into(), fee_rate: None };
        let burned = desk.sign(&desk.app.burn_plan(burn).await.expect("a plan")).await;
        desk.finish(burned.operation).await;
        let txid = burned.sidechain_txid.expect("a transaction");
        let verdict = proven(&desk, &judge, NetworkId::Sidechain, &txid, ProofKind::Burn).await;
        let burns = verdict.statements.iter().find(|statement| statement.kind == ProofKind::Burn).expect("a burn");
        assert_eq!(burns.amount.as_ref().map(|amount| amount.amount), Some(Atoms(50)));
        desk.close().await;
        judge.close().await;
    });
}

#[test]
fn a_bitcoin_payment_is_proven_to_a_stranger() {
    story(async {
        let desk = Desk::with(200_000, 0).await;
        let txid = desk.history(NetworkId::Bitcoin).await[0].txid.clone();
        let export = async |txid: &str| {
            let request = ProofExport { network: NetworkId::Bitcoin, txid: txid.into(), outputs: None, link: false };
            desk.app.proof_export(request).await
        };
        let text = export(&txid).await.expect("a proof").text;
        let verdict = desk.app.proof_verify(TextIn { text }).await.expect("a verdict");
        assert!(verdict.ok, "{verdict:#?}");
        let paid = |statement: &ProofStatement| statement.amount.as_ref().is_some_and(|amount| amount.amount.0 == 200_000);
        assert!(verdict.statements.iter().any(|statement| statement.kind == ProofKind::Payment && paid(statement)));
        assert!(verdict.statements.iter().any(|statement| statement.kind == ProofKind::Work));
        assert_eq!(refused(export(&"00".repeat(32)).await), Code::NotFound);
        desk.close().await;
    });
}

#[test]
fn networks_tell_who_their_peers_are() {
    story(async {
        let desk = Desk::new().await;
        for network in desk.app.networks(Empty {}).await.expect("networks") {
            assert!(!network.peers.is_empty());
            for peer in network.peers {
                assert!(peer.connected && !peer.agent.is_empty() && peer.height.is_some(), "{peer:?}");
            }
        }
        desk.close().await;
    });
}
