//! Requests that are refused, each with its code, and after which everything is as it was.

use crate::world::{Desk, refused, story, world};
use causeway_contract::*;
use serde_json::json;

const SUPPLY: u64 = 21_000_000 * 100_000_000;
/// An address of Bitcoin's main chain, and one of Liquid with and without a blinding key.
const MAINNET: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
const LIQUID: &str = "ex1qw508d6qejxtdg4y5r3zarvary0c5xw7kxw5fx4";

#[test]
fn payments_that_cannot_be_are_refused_by_name() {
    story(async {
        let desk = Desk::with(1_000_000, 1_000_000).await;
        let (bitcoin, sidechain) = (desk.address(NetworkId::Bitcoin).await, desk.address(NetworkId::Sidechain).await);
        let explicit = desk.receive(NetworkId::Sidechain, true).await;
        let (b, s) = (NetworkId::Bitcoin, NetworkId::Sidechain);
        let damaged = format!("{}{}", &bitcoin[..bitcoin.len() - 1], if bitcoin.ends_with('q') { 'p' } else { 'q' });
        let cases: Vec<(NetworkId, &str, u64, Code)> = vec![
            (b, MAINNET, 10_000, Code::WrongNetwork),
            (b, &sidechain, 10_000, Code::SidechainAddress),
            (b, &explicit, 10_000, Code::SidechainAddress),
            (b, &damaged, 10_000, Code::BadAddress),
            (b, "", 10_000, Code::BadAddress),
            (b, &bitcoin, 0, Code::BadAmount),
            (b, &bitcoin, 100, Code::Dust),
            (b, &bitcoin, 1_000_001, Code::InsufficientFunds),
            (b, &bitcoin, 1_000_000, Code::InsufficientFee),
            (b, &bitcoin, SUPPLY + 1, Code::AboveSupply),
            (b, &bitcoin, u64::MAX, Code::AboveSupply),
            (s, LIQUID, 10_000, Code::WrongNetwork),
            (s, &bitcoin, 10_000, Code::BitcoinAddress),
            (s, &explicit, 10_000, Code::ExplicitAddress),
            (s, "hello", 10_000, Code::BadAddress),
            (s, &sidechain, 0, Code::BadAmount),
            (s, &sidechain, 1_000_001, Code::InsufficientFunds),
            (s, &sidechain, 1_000_000, Code::InsufficientFee),
            (s, &sidechain, SUPPLY + 1, Code::AboveSupply),
            (s, &sidechain, u64::MAX, Code::AboveSupply),
        ];
        let before = desk.state().await;
        for (network, address, sat, code) in cases {
            let told = refused(desk.app.send_plan(Desk::payment(network, address, sat)).await);
            assert_eq!(told, code, "{network:?} {sat} to {address}");
        }
        let pay = |network| Desk::payment(network, if network == b { &bitcoin } else { &sidechain }, 10_000);
        let odd: Vec<(&str, SendPlan, Code)> = vec![
            ("nobody", SendPlan { recipients: vec![], ..pay(b) }, Code::NoRecipients),
            ("drain to nobody", SendPlan { drain: Some(1), ..pay(s) }, Code::BadRequest),
            ("a foreign coin", SendPlan { coins: Some(vec![format!("{:064x}:0", 7)]), ..pay(b) }, Code::CoinUnavailable),
            ("a foreign coin there", SendPlan { coins: Some(vec![format!("{:064x}:0", 7)]), ..pay(s) }, Code::CoinUnavailable),
            ("no outpoint", SendPlan { coins: Some(vec!["x".into()]), ..pay(b) }, Code::CoinUnavailable),
            ("too slow", SendPlan { fee_rate: Some(1), ..pay(b) }, Code::FeeTooLow),
            ("far too fast", SendPlan { fee_rate: Some(u32::MAX), ..pay(b) }, Code::FeeTooHigh),
            ("far too fast there", SendPlan { fee_rate: Some(u32::MAX), ..pay(s) }, Code::FeeTooHigh),
        ];
        for (what, plan, code) in odd {
            assert_eq!(refused(desk.app.send_plan(plan).await), code, "{what}");
        }
        let mut asset = pay(s);
        asset.recipients[0].asset = Some("nonsense".into());
        assert_eq!(refused(desk.app.send_plan(asset).await), Code::UnknownAsset);
        assert_eq!(desk.state().await, before);
        desk.close().await;
    });
}

#[test]
fn issues_and_pegs_that_cannot_be_are_refused_by_name() {
    story(async {
        let desk = Desk::with(1_000_000, 1_000_000).await;
        let issue = |ticker: &str, amount: u64, precision: u8, domain: &str| IssuePlan {
            amount: Atoms(amount),
            precision,
            ticker: ticker.into(),
            name: "Pier".into(),
            domain: domain.into(),
            reissuable: false,
            blinded: true,
            fee_rate: None,
        };
        let before = desk.state().await;
        for (what, plan, code) in [
            ("ticker", issue("!", 1, 0, "pier.example"), Code::BadContract),
            ("precision", issue("PIER", 1, 9, "pier.example"), Code::BadContract),
            ("domain", issue("PIER", 1, 0, "no domain"), Code::BadContract),
            ("nothing", issue("PIER", 0, 0, "pier.example"), Code::BadAmount),
            ("too much", issue("PIER", u64::MAX, 0, "pier.example"), Code::AboveSupply),
        ] {
            assert_eq!(refused(desk.app.issue_plan(plan).await), code, "{what}");
        }
        let unknown = format!("{:064x}", 5);
        let burn = BurnPlan { asset: unknown.clone(), amount: Atoms(1), label: String::new(), fee_rate: None };
        assert_eq!(refused(desk.app.burn_plan(burn).await), Code::InsufficientFunds);
        let reissue = ReissuePlan { asset: unknown, amount: Atoms(1), entropy: None, fee_rate: None };
        assert_eq!(refused(desk.app.reissue_plan(reissue).await), Code::UnknownAsset);
        for (destination, amount, code) in [
            (Some(MAINNET), 100_000, Code::WrongNetwork),
            (Some(LIQUID), 100_000, Code::SidechainAddress),
            (Some("hello"), 100_000, Code::BadAddress),
        ] {
            let destination = destination.map(str::to_owned);
            let plan = PegOutPlan { amount: Atoms(amount), drain: false, destination, fee_rate: None };
            assert_eq!(refused(desk.app.peg_out_plan(plan).await), code, "peg-out of {amount}");
        }
        assert_eq!(desk.state().await, before);
        desk.close().await;
    });
}

#[test]
fn a_fee_above_the_sane_share_is_refused_by_the_keys() {
    story(async {
        let desk = Desk::with(1_000_000, 0).await;
        let to = desk.address(NetworkId::Bitcoin).await;
        let plan = SendPlan { fee_rate: Some(400_000), ..Desk::payment(NetworkId::Bitcoin, to, 20_000) };
        let draft = desk.app.send_plan(plan).await.expect("a plan");
        assert!(draft.fee_share.expect("a share") > 10_000, "more than the payment itself: {draft:?}");
        let refusal = desk.review(&draft).await.expect_err("too much");
        assert_eq!(refusal.code, Code::FeeTooHigh);
        let blind = DraftSign { draft: draft.draft, summary_hash: "00".repeat(32) };
        assert_eq!(refused(desk.app.draft_sign(blind).await), Code::FeeTooHigh);
        desk.discard(&draft).await;
        assert_eq!(desk.balance(NetworkId::Bitcoin).await, 1_000_000);
        assert!(desk.coins(NetworkId::Bitcoin).await.iter().all(|coin| !coin.reserved));
        desk.close().await;
    });
}

#[test]
fn what_is_no_command_or_no_request_does_nothing() {
    story(async {
        let desk = Desk::new().await;
        let before = desk.state().await;
        let send = |amount: serde_json::Value| {
            json!({ "network": "bitcoin", "recipients": [{ "address": "x", "amount": amount, "asset": null }], "fee_rate": null,
                    "coins": null, "drain": null, "allow_explicit": false, "label": "" })
        };
        let cases = [
            ("walet_create", json!({}), Code::UnknownCommand),
            ("", json!({}), Code::UnknownCommand),
            ("overview", json!({ "more": 1 }), Code::BadRequest),
            ("overview", json!([1]), Code::BadRequest),
            ("receive", json!({}), Code::BadRequest),
            ("coins", json!({ "network": "litecoin" }), Code::BadRequest),
            ("send_plan", send(json!("1.5")), Code::BadRequest),
            ("send_plan", send(json!("-1")), Code::BadRequest),
            ("send_plan", send(json!("1e3")), Code::BadRequest),
            ("send_plan", send(json!(1.5)), Code::BadRequest),
            ("send_plan", send(json!("18446744073709551616")), Code::BadRequest),
            ("wallet_select", json!({ "wallet": 99 }), Code::UnknownWallet),
            ("operation", json!({ "operation": 99 }), Code::NotFound),
            ("draft_review", json!({ "draft": 99 }), Code::DraftExpired),
            ("draft_discard", json!({ "draft": 99 }), Code::NotFound),
            ("wallet_quick_start", json!({ "name": "" }), Code::BadRequest),
            ("coin_freeze", json!({ "network": "bitcoin", "outpoint": "x:0", "frozen": true }), Code::CoinUnavailable),
            ("bump_plan", json!({ "txid": "x", "fee_rate": 5000, "child": false }), Code::NotReplaceable),
            ("testbed_mine", json!({ "network": "bitcoin", "blocks": 0 }), Code::BadRequest),
            ("proof_verify", json!({ "text": "{}" }), Code::BadRequest),
        ];
        for (name, request, code) in cases {
            assert_eq!(refused(desk.app.call(name, request.clone()).await), code, "{name} {request}");
        }
        assert_eq!(desk.state().await, before);
        desk.close().await;
    });
}

#[test]
fn a_realm_that_contradicts_itself_is_refused_when_it_is_read() {
    story(async {
        let realm = &world().await.realm;
        let mut other = realm.clone();
        other.sidechain.genesis_hash = "11".repeat(32).parse().expect("a hash");
        let refusal = causeway_vocab::Realm::from_toml(&other.to_toml()).expect_err("another genesis");
        assert_eq!((refusal.code, refusal.args["field"].as_str()), (Code::BadRealm, "sidechain.genesis_hash"));
        assert_eq!(refused(causeway_vocab::Realm::from_toml("name = 1")), Code::BadRealm);
    });
}
