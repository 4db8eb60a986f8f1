//! The app killed in the middle of a peg-in: the next start finds it in its journal and finishes it.

use causeway_app::App;
use causeway_contract::*;
use causeway_tests::main_job::until;
use causeway_tests::world;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(120);

async fn mine(app: &App, blocks: u32) {
    app.testbed_mine(TestbedMine { network: NetworkId::Bitcoin, blocks }).await.expect("mines");
}

/// Waits until both networks stand at their tips.
async fn synced(app: &App) {
    let at_tip = until(app, async || {
        let networks = app.networks(Empty {}).await.expect("answers");
        Ok(networks.iter().all(|n| n.phase == Phase::Synced).then_some(()))
    });
    tokio::time::timeout(DEADLINE, at_tip).await.expect("in time").expect("synced");
}

async fn operation(app: &App, operation: u32) -> OperationView {
    app.operation(OperationRef { operation }).await.expect("answers")
}

async fn open(dir: &Path, realm: &causeway_vocab::Realm) -> Arc<App> {
    world::open(&dir.join("profile"), realm.clone()).await.expect("opens")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peg_in_goes_on_after_the_app_was_stopped_at_each_post() {
    let dir = tempfile::tempdir().expect("a directory");
    let world_dir = dir.path().join("world");
    let realm = world::realm(None, &world_dir).await.expect("a sandbox");
    let mut app = open(dir.path(), &realm).await;
    app.wallet_quick_start(WalletQuickStart { name: "Harbour".into() }).await.expect("a wallet");
    synced(&app).await;
    app.testbed_fund(TestbedFund { sat: Atoms(10_000_000) }).await.expect("funds");
    mine(&app, 1).await;
    let funded = until(&app, async || {
        let overview = app.overview(Empty {}).await.expect("answers");
        Ok((overview.verified == Atoms(10_000_000)).then_some(()))
    });
    tokio::time::timeout(DEADLINE, funded).await.expect("in time").expect("funded");
    let plan = PegInPlan { amount: Atoms(4_000_000), drain: false, fee_rate: None, coins: None };
    let draft = app.peg_in_plan(plan).await.expect("plans");
    let coins = app.coins(NetworkRef { network: NetworkId::Bitcoin }).await.expect("answers");
    assert!(coins.iter().any(|coin| coin.reserved), "a draft holds its coins");
    let review = app.draft_review(DraftRef { draft: draft.draft }).await.expect("reviews");
    let wrong = app.draft_sign(DraftSign { draft: draft.draft, summary_hash: "00".repeat(32) }).await.expect_err("refused");
    assert_eq!(wrong.code, Code::ReviewMismatch);
    let signed = DraftSign { draft: draft.draft, summary_hash: review.summary_hash };
    let id = app.draft_sign(signed.clone()).await.expect("signs").operation;
    assert_eq!(app.draft_sign(signed).await.expect_err("signed once").code, Code::DraftExpired);
    assert_eq!(
        App::open(&dir.path().join("profile"), realm.clone(), Default::default()).await.err().map(|r| r.code),
        Some(Code::ProfileInUse)
    );

    // Stopped at every change of the timeline; each start must find it at least where it was.
    let mut furthest = 0;
    let done = loop {
        app.close().await;
        drop(app);
        app = open(dir.path(), &realm).await;
        let reached = |view: &OperationView| view.steps.iter().filter(|step| step.state == StepState::Done).count();
        let found = operation(&app, id).await;
        assert!(reached(&found) >= furthest, "after the restart: {found:?}");
        furthest = reached(&found);
        synced(&app).await;
        let mut notices = app.notices();
        let view = loop {
            let view = operation(&app, id).await;
            if view.status == OperationStatus::Done || reached(&view) > furthest {
                break view;
            }
            assert!(!matches!(view.status, OperationStatus::Failed | OperationStatus::Stuck), "{view:?}");
            if tokio::time::timeout(Duration::from_millis(700), notices.recv()).await.is_err()
                && view.counts == Some(NetworkId::Bitcoin)
            {
                mine(&app, 1).await;
            }
        };
        furthest = reached(&view);
        if view.status == OperationStatus::Done {
            break view;
        }
    };
    assert!(done.steps.iter().all(|step| step.state == StepState::Done), "{done:?}");
    let arrived = until(&app, async || {
        let overview = app.overview(Empty {}).await.expect("answers");
        let pegged = overview.balances.iter().find(|balance| balance.asset.ticker == "L-BTC");
        Ok(pegged.filter(|balance| balance.known == Known::Verified && balance.confirmed > Atoms(0)).map(|b| b.confirmed))
    });
    let arrived = tokio::time::timeout(DEADLINE, arrived).await.expect("in time").expect("arrives");
    assert_eq!(Some(arrived), done.arrives, "exactly one claim, for the deposit less its fee");
    app.close().await;
    causeway_sandbox::down(&world_dir).await.expect("goes down");
}
