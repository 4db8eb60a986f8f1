//! The issuer's desk: an asset's life after it is issued.

use crate::world::{Desk, refused, story, world};
use causeway_contract::*;
use elements::secp256k1_zkp::{SECP256K1, SecretKey};
use std::fmt::Write as _;

/// Confidential addresses of nobody, one for each number.
async fn addresses(numbers: std::ops::Range<u32>) -> Vec<String> {
    let params = world().await.realm.sidechain.address_params();
    let key = |tag: u8, number: u32| {
        let mut bytes = [tag; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        SecretKey::from_slice(&bytes).expect("a key").public_key(SECP256K1)
    };
    let address = |number| {
        let key_of = bitcoin::PublicKey::new(key(1, number));
        elements::Address::p2wpkh(&key_of, Some(key(2, number)), params).to_string()
    };
    numbers.map(address).collect()
}

/// The same address without its blinding key. What is paid to it needs no proofs, so that a busy machine does not take minutes for hundreds.
fn plain(address: &str) -> String {
    let address: elements::Address = address.parse().expect("an address");
    address.to_unconfidential().to_string()
}

/// Issues an asset with two decimal places and waits until it is final.
pub(crate) async fn issue(desk: &Desk, ticker: &str, amount: u64, blinded: bool) -> String {
    let plan = IssuePlan {
        amount: Atoms(amount),
        precision: 2,
        ticker: ticker.into(),
        name: format!("{ticker} of the desk"),
        domain: "desk.example".into(),
        reissuable: true,
        blinded,
        fee_rate: None,
    };
    let draft = desk.app.issue_plan(plan).await.expect("a plan");
    let asset = draft.asset.clone().expect("an asset");
    let operation = desk.sign(&draft).await;
    desk.finish(operation.operation).await;
    asset
}

fn list(asset: &str, csv: impl Into<String>) -> DistributionRequest {
    DistributionRequest { asset: asset.into(), csv: csv.into(), allow_explicit: false, fee_rate: None, label: "dividend".into() }
}

pub(crate) async fn held(desk: &Desk, asset: &str) -> u64 {
    let balances = desk.app.overview(Empty {}).await.expect("an overview").balances;
    balances.iter().find(|balance| balance.asset.id == asset).map_or(0, |balance| balance.confirmed.0 + balance.pending.0)
}

/// Waits until an operation is over. On a busy machine peers may need longer to take a large transaction than the app waits at once; it
/// offers it again.
async fn over(desk: &Desk, operation: u32) -> OperationView {
    desk.until(async |desk| desk.operation(operation).await.finished.is_some()).await;
    desk.operation(operation).await
}

async fn distribution(desk: &Desk, operation: u32) -> DistributionView {
    desk.app.distribution(OperationRef { operation }).await.expect("a distribution")
}

#[test]
fn a_list_is_paid_in_several_transactions_across_a_restart_and_no_row_twice() {
    story(async {
        let desk = Desk::with(0, 3_000_000).await;
        let asset = issue(&desk, "LIST", 10_000_000, true).await;
        let holder = Desk::new().await;
        let mut csv = String::from("address,amount,label\r\n");
        for (index, address) in addresses(0..159).await.into_iter().enumerate() {
            let address = if index % 40 == 0 { address } else { plain(&address) };
            write!(csv, "{address},{}.{:02},\"holder, {index}\"\r\n", index + 1, index % 100).expect("a string");
        }
        let last = holder.address(NetworkId::Sidechain).await;
        write!(csv, "{last},77.77,\r\n").expect("a string");

        let wanted = DistributionRequest { allow_explicit: true, ..list(&asset, &csv) };
        let preview = desk.app.distribution_read(wanted.clone()).await.expect("a preview");
        assert_eq!((preview.rows, preview.transactions, preview.faults.len()), (160, 3, 0));
        assert_eq!(preview.refused, None);
        let draft = desk.app.distribution_plan(wanted).await.expect("a plan");
        let review = desk.review(&draft).await.expect("a review");
        assert_eq!(review.leaves.len(), 160);
        assert_eq!(review.leaves.iter().map(|output| output.amount.0).sum::<u64>(), preview.total.0);
        // Whoever did not see this list does not sign it.
        let other = DraftSign { draft: draft.draft, summary_hash: "00".repeat(32) };
        assert_eq!(refused(desk.app.draft_sign(other).await), Code::ReviewMismatch);
        let operation = desk.sign(&draft).await.operation;

        // The process goes away while it is under way, and takes up where it stopped.
        desk.until(async |desk| distribution(desk, operation).await.rows_paid > 0).await;
        let desk = desk.restart().await;
        let over = over(&desk, operation).await;
        assert_eq!((over.kind, over.status), (DraftKind::Distribute, OperationStatus::Done), "{over:?}");
        let view = distribution(&desk, operation).await;
        assert_eq!((view.rows_paid, view.paid, view.batches.len()), (160, preview.total, 3));
        assert!(view.fee <= view.most_fee);
        assert!(view.fee.0 * 10 >= preview.fee.0 * 9 && view.fee.0 * 10 <= preview.fee.0 * 11, "the preview told the fee");
        assert_eq!(held(&desk, &asset).await, 10_000_000 - preview.total.0);
        holder.until(async |holder| held(holder, &asset).await == 7_777).await;

        let report = desk.app.distribution_report(OperationRef { operation }).await.expect("a report").text;
        assert_eq!(report.lines().filter(|line| line.contains(",confirmed,")).count(), 160);
        let holders = desk.app.holders(AssetRef { asset: asset.clone() }).await.expect("holders");
        assert_eq!(holders.len(), 160);
        assert_eq!(holders.iter().map(|holder| holder.paid.0).sum::<u64>(), preview.total.0);
        assert!(holders.iter().any(|holder| holder.label == "holder, 5" && holder.times == 1));
        holder.close().await;
        desk.close().await;
    });
}

#[test]
fn a_list_with_a_mistake_pays_nobody() {
    story(async {
        let desk = Desk::with(0, 400_000).await;
        let asset = issue(&desk, "SLIP", 100_000, false).await;
        let to = addresses(500..503).await;
        let explicit = desk.receive(NetworkId::Sidechain, true).await;
        let bitcoin = desk.address(NetworkId::Bitcoin).await;
        let before = desk.state().await;
        let kind = |text: String| {
            let (app, asset) = (&desk.app, &asset);
            async move {
                let preview = app.distribution_read(list(asset, &text)).await.expect("a preview");
                let refusal = app.distribution_plan(list(asset, text)).await.expect_err("a mistake");
                let first = preview.faults.first().cloned();
                if first.is_some() {
                    assert_eq!(refusal.code, Code::BadRow);
                }
                (first.map(|fault| (fault.row, fault.why, fault.figure)), refusal.code)
            }
        };
        use RowFaultKind as Kind;
        for (text, row, why, figure) in [
            (format!("{},1\n{},2\n{},3", to[0], to[1], to[0]), 3, Kind::Duplicate, "1"),
            (format!("{},1,=1+1", to[0]), 1, Kind::Formula, ""),
            (format!("=1+1,{}", to[0]), 1, Kind::Formula, ""),
            (format!("{},1.005", to[0]), 1, Kind::Precision, "2"),
            (format!("{},0.00", to[0]), 1, Kind::Zero, ""),
            (format!("{},1e3", to[0]), 1, Kind::Amount, ""),
            (format!("{bitcoin},1"), 1, Kind::Network, ""),
            (format!("{explicit},1"), 1, Kind::Explicit, ""),
            (format!("{},1,a\u{202e}b", to[0]), 1, Kind::Character, ""),
            ("nobody,1".into(), 1, Kind::Address, ""),
            (format!("{},1,\"x", to[0]), 1, Kind::Quote, ""),
            (to[0].clone(), 1, Kind::Fields, ""),
        ] {
            let (first, _) = kind(text.clone()).await;
            assert_eq!(first, Some((row, why, figure.to_owned())), "{text}");
        }
        // Two addresses of one script are one recipient, whatever they are blinded to.
        let both = DistributionRequest { allow_explicit: true, ..list(&asset, format!("{},1\n{},1", to[0], plain(&to[0]))) };
        let preview = desk.app.distribution_read(both).await.expect("a preview");
        assert_eq!(preview.faults.first().map(|fault| fault.why), Some(Kind::Duplicate));

        let (_, code) = kind(format!("{},1000.01", to[0])).await;
        assert_eq!(code, Code::InsufficientFunds, "more than there is");
        let unknown = list("no asset", format!("{},1", to[0]));
        assert_eq!(refused(desk.app.distribution_plan(unknown).await), Code::UnknownAsset);

        // A holder who is frozen is paid neither from a list nor alone, until he is thawed.
        let mark = |frozen| HolderMark { asset: asset.clone(), address: to[2].clone(), frozen, label: "Quay & Sons".into() };
        let marked = desk.app.holder_mark(mark(true)).await.expect("marked");
        assert!(marked.iter().any(|holder| holder.frozen && holder.address == to[2] && holder.label == "Quay & Sons"));
        let (first, _) = kind(format!("{},1\n{},1", to[0], to[2])).await;
        assert_eq!(first, Some((2, Kind::Frozen, String::new())));
        let pay = SendPlan {
            recipients: vec![Recipient { address: to[2].clone(), amount: Atoms(100), asset: Some(asset.clone()) }],
            ..Desk::payment(NetworkId::Sidechain, &to[2], 1)
        };
        assert_eq!(refused(desk.app.send_plan(pay.clone()).await), Code::HolderFrozen);
        assert_eq!(desk.state().await, before, "nothing was planned, held or paid");
        desk.app.holder_mark(mark(false)).await.expect("marked");
        let draft = desk.app.send_plan(pay).await.expect("a payment");
        desk.discard(&draft).await;
        desk.close().await;
    });
}

#[test]
fn a_distribution_is_held_goes_on_and_stops_between_two_transactions() {
    story(async {
        let desk = Desk::with(0, 3_000_000).await;
        let asset = issue(&desk, "HALT", 1_000_000, true).await;
        let rows = addresses(1_000..1_225).await;
        let csv: String = rows.iter().map(|address| format!("{},1\n", plain(address))).collect();
        let wanted = DistributionRequest { allow_explicit: true, ..list(&asset, &csv) };
        let draft = desk.app.distribution_plan(wanted).await.expect("a plan");
        let operation = desk.sign(&draft).await.operation;
        let act = |action| OperationAct { operation, action };
        desk.app.operation_act(act(OperationAction::Hold)).await.expect("held");
        // What was signed before the hold comes to a block, and nothing more is signed.
        desk.until(async |desk| distribution(desk, operation).await.batches.iter().all(|batch| batch.height.is_some())).await;
        let at_rest = distribution(&desk, operation).await;
        assert!(at_rest.rows_paid < 225);
        desk.app.operation_act(act(OperationAction::Resume)).await.expect("goes on");
        desk.until(async |desk| distribution(desk, operation).await.rows_paid > at_rest.rows_paid).await;
        let stopped = desk.app.operation_act(act(OperationAction::Stop)).await;
        let (over, view) = (over(&desk, operation).await, distribution(&desk, operation).await);
        match stopped {
            Ok(_) => assert_eq!(over.status, OperationStatus::Stopped),
            // The last one was signed in that moment.
            Err(late) => assert_eq!((late.code, over.status), (Code::PointOfNoReturn, OperationStatus::Done)),
        }
        assert_eq!(held(&desk, &asset).await, 1_000_000 - view.paid.0, "what was not signed is still here");
        let report = desk.app.distribution_report(OperationRef { operation }).await.expect("a report").text;
        let unpaid = report.lines().filter(|line| line.contains(",not paid,")).count();
        assert_eq!(unpaid as u32, 225 - view.rows_paid);
        desk.close().await;
    });
}
