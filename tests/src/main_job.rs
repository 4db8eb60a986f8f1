//! The main job, step by step, through the contract alone: what the demo shows and the stories check.

use causeway_app::App;
use causeway_contract::*;
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest a single step may take.
const STEP_DEADLINE: Duration = Duration::from_secs(240);
/// Pause before another Bitcoin block is asked for while an operation waits for one.
const BETWEEN_BLOCKS: Duration = Duration::from_millis(700);

/// What one step did.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Its name.
    pub name: &'static str,
    /// It did what it should.
    pub ok: bool,
    /// What was verified, or why it failed.
    pub detail: String,
    /// Milliseconds.
    pub millis: u64,
}

/// The main job under way.
pub struct MainJob {
    app: Arc<App>,
    report: Box<dyn FnMut(&Step) + Send>,
    steps: Vec<Step>,
}

type Done<T> = Result<T, String>;

fn said(failure: Failure) -> String {
    format!("refused: {failure}")
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Done<()> {
    if holds { Ok(()) } else { Err(what()) }
}

impl MainJob {
    /// Prepares the job; `report` hears each step as it ends.
    pub fn new(app: Arc<App>, report: impl FnMut(&Step) + Send + 'static) -> Self {
        MainJob { app, report: Box::new(report), steps: Vec::new() }
    }

    /// Runs everything; stops at the first step that fails. Returns all steps.
    pub async fn run(mut self) -> Vec<Step> {
        // Each step reports itself; an error has been reported when it arrives here.
        let _reported = self.steps().await;
        self.steps
    }

    async fn steps(&mut self) -> Done<()> {
        let app = self.app.clone();
        let (harbour, quay) = self
            .step("create two wallets", async {
                let quay = app.wallet_quick_start(WalletQuickStart { name: "Quay".into() }).await.map_err(said)?;
                let harbour = app.wallet_quick_start(WalletQuickStart { name: "Harbour".into() }).await.map_err(said)?;
                select(&app, harbour.id).await?;
                Ok(((harbour.id, quay.id), format!("fingerprints {} and {}", harbour.fingerprint, quay.fingerprint)))
            })
            .await?;
        self.step("verify both chains to their tips", synced(&app)).await?;
        self.step("receive bitcoin", receive_bitcoin(&app)).await?;
        self.step("peg in", peg_in(&app)).await?;
        self.step("see a confidential balance", confidential_balance(&app)).await?;
        let asset = self.step("issue an asset", issue(&app)).await?;
        self.step("reissue it", reissue(&app, &asset)).await?;
        self.step("send some of it", send_asset(&app, harbour, quay, &asset)).await?;
        self.step("redeem (burn) some of it", burn(&app, &asset)).await?;
        self.step("peg out", peg_out(&app)).await?;
        self.step("export a proof and check it", prove(&app, &asset)).await
    }

    async fn step<T>(&mut self, name: &'static str, work: impl Future<Output = Done<(T, String)>>) -> Done<T> {
        let start = Instant::now();
        let outcome = tokio::time::timeout(STEP_DEADLINE, work)
            .await
            .unwrap_or_else(|_| Err(format!("took longer than {} s", STEP_DEADLINE.as_secs())));
        let millis = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (ok, detail) = match &outcome {
            Ok((_, detail)) => (true, detail.clone()),
            Err(why) => (false, why.clone()),
        };
        self.steps.push(Step { name, ok, detail, millis });
        (self.report)(self.steps.last().expect("BUG: just pushed"));
        outcome.map(|(value, _)| value)
    }
}

async fn select(app: &App, wallet: u32) -> Done<()> {
    app.wallet_select(WalletRef { wallet }).await.map_err(said).map(drop)
}

/// Asks after each notice until there is an answer.
pub async fn until<T>(app: &App, ask: impl AsyncFn() -> Done<Option<T>>) -> Done<T> {
    let mut notices = app.notices();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if let Err(tokio::sync::broadcast::error::RecvError::Closed) = notices.recv().await {
            return Err("the app closed".into());
        }
    }
}

async fn synced(app: &App) -> Done<((), String)> {
    let networks = until(app, async || {
        let networks = app.networks(Empty {}).await.map_err(said)?;
        // A chain without a block above its genesis has nothing that anybody signed yet.
        let verified = |n: &NetworkView| n.phase == Phase::Synced && n.checks.iter().all(|c| c.passed);
        Ok(networks.iter().all(verified).then_some(networks))
    })
    .await?;
    let line = |n: &NetworkView| {
        let checks: Vec<_> = n.checks.iter().map(|c| format!("{:?}", c.check)).collect();
        format!("{:?} {}: {}", n.network, n.height.unwrap_or_default(), checks.join(", "))
    };
    Ok(((), networks.iter().map(line).collect::<Vec<_>>().join("; ")))
}

/// The balance of an asset on a network, confirmed and verified.
async fn verified_balance(app: &App, network: NetworkId, asset: Option<&str>) -> Done<u64> {
    let overview = app.overview(Empty {}).await.map_err(said)?;
    let assets = app.assets(Empty {}).await.map_err(said)?;
    let policy = assets.iter().find(|a| a.policy).map(|a| a.asset.id.clone());
    let wanted = asset.map(str::to_owned).or(if network == NetworkId::Bitcoin { Some("btc".into()) } else { policy });
    let balance = overview.balances.iter().find(|b| b.network == network && Some(&b.asset.id) == wanted.as_ref());
    Ok(balance.filter(|b| b.known == Known::Verified).map_or(0, |b| b.confirmed.0))
}

async fn mine(app: &App, blocks: u32) -> Done<()> {
    app.testbed_mine(TestbedMine { network: NetworkId::Bitcoin, blocks }).await.map_err(said).map(drop)
}

async fn receive_bitcoin(app: &App) -> Done<((), String)> {
    const SAT: u64 = 50_000_000;
    let before = verified_balance(app, NetworkId::Bitcoin, None).await?;
    if app.app_state(Empty {}).await.map_err(said)?.testbed {
        app.testbed_fund(TestbedFund { sat: Atoms(SAT) }).await.map_err(said)?;
        mine(app, 1).await?;
    } else {
        let request = ReceiveRequest {
            network: NetworkId::Bitcoin,
            amount: Some(Atoms(SAT)),
            asset: None,
            explicit: false,
            label: String::new(),
            again: true,
        };
        let address = app.receive(request).await.map_err(said)?.address;
        eprintln!("waiting for {SAT} sat at {address}");
    }
    let after = until(app, async || {
        let now = verified_balance(app, NetworkId::Bitcoin, None).await?;
        Ok((now >= before + SAT).then_some(now))
    })
    .await?;
    Ok(((), format!("{after} sat, in a block whose work, filter and merkle root were checked")))
}

/// Reads the draft as the confirm window would, checks that the keys see what was planned, and signs.
async fn sign(app: &App, draft: &DraftView) -> Done<OperationView> {
    let review = app.draft_review(DraftRef { draft: draft.draft }).await.map_err(said)?;
    ensure(review.fee == draft.fee, || format!("the plan said fee {}, the keys see {}", draft.fee, review.fee))?;
    app.draft_sign(DraftSign { draft: draft.draft, summary_hash: review.summary_hash }).await.map_err(said)
}

/// Waits until an operation is done, asking for Bitcoin blocks where it waits for some and the realm offers them.
async fn finish(app: &App, operation: u32) -> Done<OperationView> {
    let testbed = app.app_state(Empty {}).await.map_err(said)?.testbed;
    let mut notices = app.notices();
    let mut shown = None;
    loop {
        let view = app.operation(OperationRef { operation }).await.map_err(said)?;
        let current = view.steps.iter().find(|s| s.state == StepState::Current).map(|s| s.step);
        if shown != Some((current, view.status, view.done)) {
            shown = Some((current, view.status, view.done));
            eprintln!(
                "      {:?}: {current:?} {:?}, {} of {} {:?} {:?}",
                view.kind, view.status, view.done, view.of, view.counts, view.why
            );
        }
        match view.status {
            OperationStatus::Done => return Ok(view),
            OperationStatus::Stopped | OperationStatus::Failed | OperationStatus::Stuck => {
                return Err(format!("{:?} ended {:?}: {:?}", view.kind, view.status, view.why));
            }
            OperationStatus::Running | OperationStatus::Waiting => {}
        }
        // The pause is not a sleep for luck: blocks come on their own too, and asking slowly leaves room for what they trigger.
        let quiet = tokio::time::timeout(BETWEEN_BLOCKS, notices.recv()).await.is_err();
        if quiet && testbed && view.counts != Some(NetworkId::Sidechain) {
            mine(app, 1).await?;
        }
    }
}

async fn peg_in(app: &App) -> Done<((), String)> {
    let bridge = app.bridge(Empty {}).await.map_err(said)?;
    let before = verified_balance(app, NetworkId::Sidechain, None).await?;
    let plan = PegInPlan { amount: Atoms(20_000_000), drain: false, fee_rate: None, coins: None };
    let draft = app.peg_in_plan(plan).await.map_err(said)?;
    let operation = sign(app, &draft).await?;
    let done = finish(app, operation.operation).await?;
    let after = until(app, async || {
        let now = verified_balance(app, NetworkId::Sidechain, None).await?;
        Ok((now > before).then_some(now))
    })
    .await?;
    let txid = done.sidechain_txid.unwrap_or_default();
    Ok((
        (),
        format!(
            "{} of {} signatures stand behind the federation script; {after} sat claimed by {txid}",
            bridge.signatures_needed, bridge.functionaries
        ),
    ))
}

async fn confidential_balance(app: &App) -> Done<((), String)> {
    let coins = app.coins(NetworkRef { network: NetworkId::Sidechain }).await.map_err(said)?;
    let blinded = coins.iter().filter(|c| c.blinded && c.known == Known::Verified).count();
    ensure(blinded > 0, || "no verified coin is blinded to others".into())?;
    Ok(((), format!("{blinded} coin(s) that only this wallet can read; range proofs, surjection proofs and balance checked")))
}

async fn issue(app: &App) -> Done<(String, String)> {
    let plan = IssuePlan {
        amount: Atoms(100_000_000),
        precision: 2,
        ticker: "HBR27".into(),
        name: "Harbour Bond 2027".into(),
        domain: "harbour-bonds.example".into(),
        reissuable: true,
        blinded: true,
        fee_rate: None,
    };
    let draft = app.issue_plan(plan).await.map_err(said)?;
    let asset = draft.asset.clone().ok_or("the draft names no asset")?;
    let operation = sign(app, &draft).await?;
    finish(app, operation.operation).await?;
    let held = verified_balance(app, NetworkId::Sidechain, Some(&asset)).await?;
    ensure(held == 100_000_000, || format!("issued 100000000, hold {held}"))?;
    let detail = app.asset(AssetRef { asset: asset.clone() }).await.map_err(said)?;
    ensure(detail.view.asset.ticker == "HBR27" && detail.view.can_reissue, || "the contract or the token is missing".into())?;
    Ok((asset.clone(), format!("id {asset} follows from its outpoint and contract; 1,000,000.00 held")))
}

async fn reissue(app: &App, asset: &str) -> Done<((), String)> {
    let plan = ReissuePlan { asset: asset.into(), amount: Atoms(5_000_000), entropy: None, fee_rate: None };
    let draft = app.reissue_plan(plan).await.map_err(said)?;
    let operation = sign(app, &draft).await?;
    finish(app, operation.operation).await?;
    let held = verified_balance(app, NetworkId::Sidechain, Some(asset)).await?;
    ensure(held == 105_000_000, || format!("expected 105000000, hold {held}"))?;
    Ok(((), "the token was spent and came back; 1,050,000.00 held".into()))
}

async fn send_asset(app: &App, from: u32, to: u32, asset: &str) -> Done<((), String)> {
    select(app, to).await?;
    let request = ReceiveRequest {
        network: NetworkId::Sidechain,
        amount: None,
        asset: Some(asset.into()),
        explicit: false,
        label: String::new(),
        again: false,
    };
    let address = app.receive(request).await.map_err(said)?.address;
    select(app, from).await?;
    let plan = SendPlan {
        network: NetworkId::Sidechain,
        recipients: vec![
            Recipient { address: address.clone(), amount: Atoms(12_500_000), asset: Some(asset.into()) },
            Recipient { address, amount: Atoms(100_000), asset: None },
        ],
        fee_rate: None,
        coins: None,
        drain: None,
        allow_explicit: false,
        label: "First tranche".into(),
    };
    let draft = app.send_plan(plan).await.map_err(said)?;
    let operation = sign(app, &draft).await?;
    finish(app, operation.operation).await?;
    select(app, to).await?;
    let arrived = until(app, async || {
        let now = verified_balance(app, NetworkId::Sidechain, Some(asset)).await?;
        Ok((now > 0).then_some(now))
    })
    .await;
    select(app, from).await?;
    let arrived = arrived?;
    ensure(arrived == 12_500_000, || format!("sent 12500000, the other wallet sees {arrived}"))?;
    Ok(((), "asset and L-BTC in one transaction; the other wallet opened its own outputs and checked the proofs".into()))
}

async fn burn(app: &App, asset: &str) -> Done<((), String)> {
    let plan = BurnPlan { asset: asset.into(), amount: Atoms(2_500_000), label: "R-0031".into(), fee_rate: None };
    let draft = app.burn_plan(plan).await.map_err(said)?;
    let operation = sign(app, &draft).await?;
    finish(app, operation.operation).await?;
    let detail = app.asset(AssetRef { asset: asset.into() }).await.map_err(said)?;
    ensure(detail.burned == Atoms(2_500_000) && detail.supply_known == Atoms(102_500_000), || format!("supply says {detail:?}"))?;
    Ok(((), "25,000.00 destroyed in the open; known supply 1,025,000.00".into()))
}

async fn peg_out(app: &App) -> Done<((), String)> {
    let before = verified_balance(app, NetworkId::Bitcoin, None).await?;
    let plan = PegOutPlan { amount: Atoms(5_000_000), drain: false, destination: None, fee_rate: None };
    let draft = app.peg_out_plan(plan).await.map_err(said)?;
    let operation = sign(app, &draft).await?;
    let done = finish(app, operation.operation).await?;
    let after = until(app, async || {
        let now = verified_balance(app, NetworkId::Bitcoin, None).await?;
        Ok((now > before).then_some(now))
    })
    .await?;
    let txid = done.bitcoin_txid.ok_or("no Bitcoin payment is linked")?;
    Ok(((), format!("burned 5000000 sat, {} sat arrived on Bitcoin in {txid}", after - before)))
}

async fn prove(app: &App, asset: &str) -> Done<((), String)> {
    let request =
        HistoryRequest { network: Some(NetworkId::Sidechain), asset: Some(asset.into()), search: None, cursor: None, limit: 50 };
    let rows = app.history(request).await.map_err(said)?.rows;
    let row = rows.iter().find(|r| r.kind == TransactionKind::Issued).ok_or("the issuance is not in the history")?;
    let proof = app
        .proof_export(ProofExport { network: NetworkId::Sidechain, txid: row.txid.clone(), outputs: None, link: false })
        .await
        .map_err(said)?;
    let verdict = app.proof_verify(TextIn { text: proof.text.clone() }).await.map_err(said)?;
    ensure(verdict.ok, || format!("the proof does not hold: {verdict:?}"))?;
    let forged = proof.text.replacen("100000000", "100000001", 1);
    ensure(forged != proof.text, || "the proof does not state the amount".into())?;
    let caught = app.proof_verify(TextIn { text: forged }).await.map_or(true, |v| !v.ok);
    ensure(caught, || "a forged proof was believed".into())?;
    Ok(((), format!("{} statements hold, and a forged one is caught", verdict.statements.len())))
}
