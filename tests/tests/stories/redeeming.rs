//! The issuer's desk: more and less of an asset, proved to anybody, and what holders give back.

use crate::desk::{held, issue};
use crate::world::{Desk, refused, story};
use causeway_app::proofs;
use causeway_contract::*;

async fn detail(desk: &Desk, asset: &str) -> AssetDetail {
    desk.app.asset(AssetRef { asset: asset.into() }).await.expect("an asset")
}

fn pay(address: impl Into<String>, asset: &str, atoms: u64) -> SendPlan {
    let address = address.into();
    SendPlan {
        recipients: vec![Recipient { address: address.clone(), amount: Atoms(atoms), asset: Some(asset.into()) }],
        ..Desk::payment(NetworkId::Sidechain, address, 1)
    }
}

/// Plans, signs and waits until it is final.
async fn done(desk: &Desk, draft: Result<DraftView, Failure>) {
    let operation = desk.sign(&draft.expect("a plan")).await.operation;
    desk.finish(operation).await;
}

fn more(asset: &str, atoms: u64, entropy: Option<String>) -> ReissuePlan {
    ReissuePlan { asset: asset.into(), amount: Atoms(atoms), entropy, fee_rate: None }
}

fn burn(asset: &str, atoms: u64) -> BurnPlan {
    BurnPlan { asset: asset.into(), amount: Atoms(atoms), label: String::new(), fee_rate: None }
}

/// Every statement of a proof that names an amount, with the kind.
fn amounts(verdict: &ProofVerdict) -> Vec<(ProofKind, String, u64)> {
    let named = verdict.statements.iter().filter_map(|s| Some((s.kind, s.amount.as_ref()?)));
    named.map(|(kind, amount)| (kind, amount.asset.id.clone(), amount.amount.0)).collect()
}

#[test]
fn each_change_of_a_supply_is_proved_alone_as_a_file_and_as_a_link() {
    story(async {
        let desk = Desk::with(0, 600_000).await;
        let asset = issue(&desk, "PROVE", 100_000, true).await;
        done(&desk, desk.app.reissue_plan(more(&asset, 50_000, None)).await).await;
        done(&desk, desk.app.burn_plan(burn(&asset, 2_000)).await).await;
        let known = detail(&desk, &asset).await;
        assert_eq!((known.issued.0, known.burned.0, known.supply_known.0), (150_000, 2_000, 148_000));
        let wanted = [(ProofKind::Issuance, 100_000), (ProofKind::Issuance, 50_000), (ProofKind::Burn, 2_000)];
        assert_eq!(known.supply.len(), wanted.len());
        for (step, (kind, atoms)) in known.supply.iter().zip(wanted) {
            for link in [false, true] {
                let request = SupplyProof { asset: asset.clone(), txid: step.txid.clone(), link };
                let text = desk.app.supply_proof(request).await.expect("a proof").text;
                let verdict = proofs::verify(&text).expect("it can be read");
                assert!(verdict.ok, "{:?} {verdict:?}", step.event);
                assert_eq!(amounts(&verdict), [(kind, asset.clone(), atoms)], "nothing else is told");
                let holds = |kind| verdict.statements.iter().any(|s| s.kind == kind && s.ok);
                assert!(holds(ProofKind::Inclusion) && holds(ProofKind::Signatures));
                assert_eq!(holds(ProofKind::Amounts), !link);
                assert_eq!(text.starts_with(proofs::LINK), link);
                // Another amount does not hold, and a link that was cut cannot be read.
                if link {
                    let cut = &text[..text.len() - 9];
                    assert_eq!(refused(proofs::verify(cut)), Code::BadRequest);
                } else if kind == ProofKind::Issuance {
                    let lie = text.replace(&format!("\"value\": \"{atoms}\""), "\"value\": \"7\"");
                    assert_ne!(lie, text);
                    assert!(!proofs::verify(&lie).expect("it can be read").ok);
                }
            }
        }
        let other = SupplyProof { asset: "11".repeat(32), txid: known.supply[0].txid.clone(), link: false };
        assert_eq!(refused(desk.app.supply_proof(other).await), Code::NotFound);
        desk.close().await;
    });
}

#[test]
fn whoever_gets_the_token_issues_more_whichever_way_the_asset_was_issued() {
    story(async {
        let issuer = Desk::with(0, 900_000).await;
        let heir = Desk::with(0, 300_000).await;
        for (blinded, ticker) in [(true, "HIDE"), (false, "OPEN")] {
            let asset = issue(&issuer, ticker, 100_000, blinded).await;
            let known = detail(&issuer, &asset).await;
            assert_eq!((known.token_held, known.token_amount, known.blinded), (TokenHeld::Usable, Atoms(1), blinded));
            let to = heir.address(NetworkId::Sidechain).await;
            done(&issuer, issuer.app.send_plan(pay(to, &known.token, 1)).await).await;
            assert_eq!(detail(&issuer, &asset).await.token_held, TokenHeld::None);
            assert_eq!(refused(issuer.app.reissue_plan(more(&asset, 1, None)).await), Code::NoToken);
            heir.until(async |heir| held(heir, &known.token).await == 1).await;
            if blinded {
                // The contract and the outpoint tell the entropy.
                assert_eq!(refused(heir.app.reissue_plan(more(&asset, 500, None)).await), Code::UnknownAsset);
                let prevout = Some(known.issuance_prevout.clone());
                let contract =
                    ContractImport { asset: asset.clone(), contract: known.contract_json.clone(), issuance_prevout: prevout };
                heir.app.contract_import(contract).await.expect("named");
                let view = detail(&heir, &asset).await;
                assert_eq!((view.token_held, view.view.can_reissue, &view.token), (TokenHeld::Usable, true, &known.token));
                done(&heir, heir.app.reissue_plan(more(&asset, 500, None)).await).await;
            } else {
                // Or somebody tells it outright; a wrong one is of another asset.
                let wrong = Some(known.contract_hash.clone());
                assert_eq!(refused(heir.app.reissue_plan(more(&asset, 500, wrong)).await), Code::UnknownAsset);
                done(&heir, heir.app.reissue_plan(more("", 500, Some(known.entropy.clone()))).await).await;
            }
            assert_eq!(held(&heir, &asset).await, 500);
            // Without the token nobody ever issues more.
            done(&heir, heir.app.burn_plan(burn(&known.token, 1)).await).await;
            let again = more(&asset, 500, Some(known.entropy.clone()));
            assert_eq!(refused(heir.app.reissue_plan(again).await), Code::NoToken);
        }
        issuer.close().await;
        heir.close().await;
    });
}

#[test]
fn what_holders_give_back_is_burned_or_returned_and_spent_by_nothing_else() {
    story(async {
        let desk = Desk::with(0, 900_000).await;
        let holder = Desk::with(0, 300_000).await;
        let asset = issue(&desk, "GIVE", 100_000, true).await;
        let home = holder.address(NetworkId::Sidechain).await;
        done(&desk, desk.app.send_plan(pay(&home, &asset, 50_000)).await).await;
        holder.until(async |holder| held(holder, &asset).await == 50_000).await;

        let new = |reference: &str, back: &str| RedemptionNew {
            asset: asset.clone(),
            reference: reference.into(),
            return_address: back.into(),
        };
        assert_eq!(refused(desk.app.redemption_new(new(" ", &home)).await), Code::BadRequest);
        assert_eq!(refused(desk.app.redemption_new(new("R", "nobody")).await), Code::BadAddress);
        let first = desk.app.redemption_new(new("=1+1", &home)).await.expect("a request");
        let second = desk.app.redemption_new(new("R-2", &home)).await.expect("a request");
        assert_ne!(first.address, second.address);
        let policy = crate::world::world().await.realm.sidechain.policy_asset.to_string();
        let all = SendPlan {
            recipients: vec![
                Recipient { address: first.address.clone(), amount: Atoms(1_000), asset: Some(asset.clone()) },
                Recipient { address: second.address.clone(), amount: Atoms(2_000), asset: Some(asset.clone()) },
                Recipient { address: second.address.clone(), amount: Atoms(9_000), asset: Some(policy.clone()) },
            ],
            ..pay(&home, &asset, 1)
        };
        done(&holder, holder.app.send_plan(all).await).await;
        let requests = async || desk.app.redemptions(AssetRef { asset: asset.clone() }).await.expect("requests");
        let open = |requests: &[RedemptionView]| {
            requests.iter().flat_map(|r| &r.payments).filter(|p| p.state == RedemptionState::Open).count()
        };
        desk.until(async |_| open(&requests().await) == 3).await;
        let payment = async |reference: &str, of: &str| {
            let all = requests().await;
            let request = all.iter().find(|r| r.reference == reference).expect("a request");
            request.payments.iter().find(|p| p.asset.id == of).expect("a payment").clone()
        };

        // Nothing else spends them, not even when they are chosen.
        let (paid, back) = (payment("=1+1", &asset).await, payment("R-2", &asset).await);
        let stray = payment("R-2", &policy).await;
        let chosen = SendPlan { coins: Some(vec![paid.outpoint.clone()]), ..pay(&home, &asset, 1) };
        assert_eq!(refused(desk.app.send_plan(chosen).await), Code::CoinUnavailable);
        assert_eq!(refused(desk.app.send_plan(pay(&home, &asset, 51_000)).await), Code::InsufficientFunds);

        let plan = |payment: &RedemptionPayment, accept| RedemptionPlan {
            outpoint: payment.outpoint.clone(),
            accept,
            address: None,
            fee_rate: None,
        };
        assert_eq!(refused(desk.app.redemption_plan(plan(&stray, true)).await), Code::UnknownAsset);
        let draft = desk.app.redemption_plan(plan(&paid, true)).await.expect("a plan");
        let review = desk.review(&draft).await.expect("a review");
        assert_eq!(
            review.destroys.iter().map(|d| (d.asset.id.clone(), d.amount.0)).collect::<Vec<_>>(),
            [(asset.clone(), 1_000)]
        );
        assert_eq!(refused(desk.app.redemption_plan(plan(&paid, false)).await), Code::CoinUnavailable, "a draft holds it");
        done(&desk, Ok(draft)).await;
        done(&desk, desk.app.redemption_plan(plan(&back, false)).await).await;
        done(&desk, desk.app.redemption_plan(plan(&stray, false)).await).await;
        assert_eq!(payment("=1+1", &asset).await.state, RedemptionState::Accepted);
        assert_eq!(payment("R-2", &asset).await.state, RedemptionState::Returned);
        assert_eq!(payment("R-2", &policy).await.state, RedemptionState::Returned);
        assert_eq!(refused(desk.app.redemption_plan(plan(&paid, true)).await), Code::CoinUnavailable);
        holder.until(async |holder| held(holder, &asset).await == 49_000).await;
        assert_eq!(detail(&desk, &asset).await.burned, Atoms(1_000));

        // What was decided survives a restart, and the ledger runs nothing in a spreadsheet.
        let desk = desk.restart().await;
        let ledger = desk.app.redemption_ledger(AssetRef { asset: asset.clone() }).await.expect("a ledger").text;
        let lines: Vec<&str> = ledger.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(
            lines[1].contains(",\"'=1+1\",") && lines[1].contains(",10.00,") && lines[1].contains(",accepted,"),
            "{}",
            lines[1]
        );
        assert_eq!(lines.iter().filter(|line| line.contains(",returned,")).count(), 2);
        holder.close().await;
        desk.close().await;
    });
}
