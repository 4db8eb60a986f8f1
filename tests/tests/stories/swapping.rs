//! Swaps: an asset for another in one transaction, and offers that are not what they say.

use crate::desk::{held, issue};
use crate::world::{Desk, refused, story, world};
use causeway_contract::*;

async fn offer(desk: &Desk, asset: &str, wanted: &str, atoms: u64) -> OfferView {
    let coins = desk.coins(NetworkId::Sidechain).await;
    let coin = coins.iter().find(|coin| coin.asset.id == asset && !coin.frozen).expect("a coin").outpoint.clone();
    let plan = OfferPlan { coin, asset: wanted.into(), amount: Atoms(atoms) };
    let draft = desk.app.offer_plan(plan).await.expect("an offer");
    let review = desk.review(&draft).await.expect("a review");
    assert_eq!((review.kind, review.fee, review.comes_back.len()), (DraftKind::Offer, Atoms(0), 1));
    assert_eq!((review.comes_back[0].asset.id.as_str(), review.comes_back[0].amount), (wanted, Atoms(atoms)));
    let operation = desk.sign(&draft).await.operation;
    standing(desk, operation).await
}

async fn standing(desk: &Desk, operation: u32) -> OfferView {
    let offers = desk.app.offers(Empty {}).await.expect("offers");
    offers.into_iter().find(|offer| offer.operation == operation).expect("it is there")
}

async fn inspect(desk: &Desk, text: &str) -> Result<SwapInspection, Failure> {
    desk.app.swap_inspect(TextIn { text: text.into() }).await
}

#[test]
fn an_offer_is_taken_once_and_both_sides_have_what_they_agreed_on() {
    story(async {
        let policy = world().await.realm.sidechain.policy_asset.to_string();
        let maker = Desk::with(0, 400_000).await;
        let taker = Desk::with(0, 500_000).await;
        let asset = issue(&maker, "SWAP", 100_000, true).await;
        let before = maker.balance(NetworkId::Sidechain).await;
        let made = offer(&maker, &asset, &policy, 50_000).await;
        assert_eq!((made.gives.amount, made.gets.amount, made.status), (Atoms(100_000), Atoms(50_000), OperationStatus::Running));
        // Nothing else spends what is offered.
        let pay = SendPlan {
            recipients: vec![Recipient {
                address: taker.address(NetworkId::Sidechain).await,
                amount: Atoms(1),
                asset: Some(asset.clone()),
            }],
            ..Desk::payment(NetworkId::Sidechain, "", 1)
        };
        assert_eq!(refused(maker.app.send_plan(pay).await), Code::InsufficientFunds);

        let seen = inspect(&taker, &made.text).await.expect("true");
        assert_eq!((seen.you_get.asset.id.as_str(), seen.you_get.amount), (asset.as_str(), Atoms(100_000)));
        assert_eq!((seen.you_pay.asset.id.as_str(), seen.you_pay.amount), (policy.as_str(), Atoms(50_000)));
        assert!(!seen.own && inspect(&maker, &made.text).await.expect("true").own);
        let take = SwapTake { text: made.text.clone(), fee_rate: None };
        assert_eq!(refused(maker.app.swap_take(take.clone()).await), Code::CoinUnavailable, "nobody takes his own offer");
        let draft = taker.app.swap_take(take.clone()).await.expect("a plan");
        let review = taker.review(&draft).await.expect("a review");
        assert_eq!(review.kind, DraftKind::Swap);
        assert_eq!(
            review.leaves.iter().map(|o| (o.asset.id.as_str(), o.amount.0)).collect::<Vec<_>>(),
            [(policy.as_str(), 50_000)]
        );
        assert!(review.comes_back.iter().any(|o| o.asset.id == asset && o.amount.0 == 100_000));
        let operation = taker.sign(&draft).await.operation;
        taker.finish(operation).await;
        assert_eq!(held(&taker, &asset).await, 100_000);
        maker.until(async |maker| standing(maker, made.operation).await.status == OperationStatus::Done).await;
        assert_eq!(maker.balance(NetworkId::Sidechain).await, before + 50_000);
        assert_eq!(held(&maker, &asset).await, 0);
        // It is spent, so nobody takes it again.
        assert_eq!(refused(inspect(&maker, &made.text).await), Code::CoinUnavailable);
        assert_eq!(refused(taker.app.swap_take(take).await), Code::CoinUnavailable);
        maker.close().await;
        taker.close().await;
    });
}

#[test]
fn an_offer_that_lies_is_refused_and_a_cancelled_one_is_void() {
    story(async {
        let maker = Desk::with(0, 400_000).await;
        let taker = Desk::with(0, 200_000).await;
        let (one, other) = (issue(&maker, "ONE", 7_000, true).await, issue(&maker, "OTHER", 9_000, true).await);
        let made = offer(&maker, &one, &other, 3_000).await;
        let good: serde_json::Value = serde_json::from_str(&made.text).expect("JSON");
        let with = |path: &[&str], value: serde_json::Value| {
            let mut lie = good.clone();
            let mut at = &mut lie;
            for key in path {
                at = match key.parse::<usize>() {
                    Ok(index) => &mut at[index],
                    Err(_) => &mut at[*key],
                };
            }
            *at = value;
            lie.to_string()
        };
        let tx = good["tx"].as_str().expect("hex");
        // The last byte of the signature says what it binds.
        let signature_end = tx.find("8321").expect("a signature");
        let other_kind = format!("{}01{}", &tx[..signature_end], &tx[signature_end + 2..]);
        for (lie, code, why) in [
            (with(&["inputs", "0", "satoshi"], 8_000.into()), Code::DraftLies, "input-amount"),
            (with(&["inputs", "0", "asset"], other.clone().into()), Code::DraftLies, "input-amount"),
            (with(&["outputs", "0", "satoshi"], 1.into()), Code::DraftLies, "output-amount"),
            (with(&["outputs", "0", "asset"], one.clone().into()), Code::DraftLies, "output-amount"),
            (with(&["scalars", "0"], "11".repeat(32).into()), Code::DraftLies, "blinding"),
            (with(&["tx"], other_kind.into()), Code::DraftLies, "signature"),
            (with(&["version"], 2.into()), Code::BadDraft, ""),
            (with(&["inputs"], serde_json::json!([])), Code::BadDraft, ""),
            (made.text[..made.text.len() / 2].to_owned(), Code::BadDraft, ""),
            ("{}".into(), Code::BadDraft, ""),
        ] {
            let refusal = inspect(&taker, &lie).await.expect_err(why);
            assert_eq!((refusal.code, refusal.args.get("why").map_or("", String::as_str)), (code, why));
            let take = SwapTake { text: lie, fee_rate: None };
            assert_eq!(refused(taker.app.swap_take(take).await), code);
        }
        // The taker lacks what is asked for.
        let take = SwapTake { text: made.text.clone(), fee_rate: None };
        assert_eq!(refused(taker.app.swap_take(take).await), Code::InsufficientFunds);

        let reference = OperationRef { operation: made.operation };
        let draft = maker.app.offer_cancel(reference.clone()).await.expect("a plan");
        let operation = maker.sign(&draft).await.operation;
        maker.finish(operation).await;
        maker.until(async |maker| standing(maker, made.operation).await.status == OperationStatus::Stopped).await;
        assert_eq!(held(&maker, &one).await, 7_000);
        assert_eq!(refused(inspect(&taker, &made.text).await), Code::CoinUnavailable);
        assert_eq!(refused(maker.app.offer_cancel(reference).await), Code::CoinUnavailable);
        maker.close().await;
        taker.close().await;
    });
}
