//! What is killed: one operation through the contract, telling the world what a user would have seen.

use super::{Count, Done, said};
use crate::main_job::until;
use causeway_app::App;
use causeway_contract::*;
use serde::{Deserialize, Serialize};

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// Pays [`Work::SAT`] on Bitcoin to this address.
    SendBitcoin(String),
    /// Pays [`Work::SAT`] on the sidechain to this address.
    SendSidechain(String),
    /// Moves so many satoshi to the sidechain.
    PegIn(u64),
    /// Creates [`Work::ATOMS`] of an asset.
    Issue,
    /// Creates [`Work::ATOMS`] more of this asset.
    Reissue(String),
    /// Destroys [`Work::BURN`] of this asset.
    Burn(String),
    /// Moves [`Work::PEG`] to Bitcoin.
    PegOut,
}

/// What the child said while it lived; a person may rely on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// This address was shown.
    Address(String),
    /// This draft was shown.
    Draft(u32),
    /// This is about to be signed, with this fee.
    Signing(Work, u64),
    /// This operation is over, and well.
    Finished(u32),
    /// All is done; so many commits it took.
    Over(Count),
}

impl Work {
    /// Satoshi of a payment.
    pub const SAT: u64 = 10_000;
    /// Satoshi of a peg-out.
    pub const PEG: u64 = 150_000;
    /// Atoms of an issuance or a reissuance.
    pub const ATOMS: u64 = 1_000;
    /// Atoms of a burn.
    pub const BURN: u64 = 7;

    /// What its operation is called.
    pub fn kind(&self) -> DraftKind {
        match self {
            Work::SendBitcoin(_) | Work::SendSidechain(_) => DraftKind::Send,
            Work::PegIn(_) => DraftKind::PegIn,
            Work::Issue => DraftKind::Issue,
            Work::Reissue(_) => DraftKind::Reissue,
            Work::Burn(_) => DraftKind::Burn,
            Work::PegOut => DraftKind::PegOut,
        }
    }

    fn network(&self) -> NetworkId {
        match self {
            Work::SendBitcoin(_) | Work::PegIn(_) => NetworkId::Bitcoin,
            _ => NetworkId::Sidechain,
        }
    }

    async fn plan(&self, app: &App) -> Result<DraftView, Failure> {
        let asset = |asset: &String| asset.clone();
        match self {
            Work::SendBitcoin(to) | Work::SendSidechain(to) => {
                let recipient = Recipient { address: to.clone(), amount: Atoms(Work::SAT), asset: None };
                let plan = SendPlan {
                    network: self.network(),
                    recipients: vec![recipient],
                    fee_rate: None,
                    coins: None,
                    drain: None,
                    allow_explicit: false,
                    label: String::new(),
                };
                app.send_plan(plan).await
            }
            Work::PegIn(sat) => {
                app.peg_in_plan(PegInPlan { amount: Atoms(*sat), drain: false, fee_rate: None, coins: None }).await
            }
            Work::PegOut => {
                app.peg_out_plan(PegOutPlan { amount: Atoms(Work::PEG), drain: false, destination: None, fee_rate: None }).await
            }
            Work::Issue => {
                let plan = IssuePlan {
                    amount: Atoms(Work::ATOMS),
                    precision: 0,
                    ticker: "CRSH".into(),
                    name: "Crash".into(),
                    domain: "crash.example".into(),
                    reissuable: true,
                    blinded: true,
                    fee_rate: None,
                };
                app.issue_plan(plan).await
            }
            Work::Reissue(id) => {
                app.reissue_plan(ReissuePlan { asset: asset(id), amount: Atoms(Work::ATOMS), entropy: None, fee_rate: None })
                    .await
            }
            Work::Burn(id) => {
                let plan = BurnPlan { asset: asset(id), amount: Atoms(Work::BURN), label: String::new(), fee_rate: None };
                app.burn_plan(plan).await
            }
        }
    }
}

/// Waits until both networks are searched to their tips.
pub async fn ready(app: &App) -> Done<()> {
    until(app, async || {
        let networks = app.networks(Empty {}).await.map_err(said)?;
        Ok(networks.iter().all(|n| n.phase == Phase::Synced && n.scanned_to == n.height).then_some(()))
    })
    .await
}

/// Shows an address, plans, reviews and signs; the operation is then under way. Gives its number.
pub async fn drive(app: &App, work: &Work, mut say: impl FnMut(Word)) -> Done<u32> {
    let request = ReceiveRequest {
        network: work.network(),
        amount: None,
        asset: None,
        explicit: false,
        label: String::new(),
        again: false,
    };
    say(Word::Address(app.receive(request).await.map_err(said)?.address));
    // Coins may still be on their way to a block.
    let draft = until(app, async || match work.plan(app).await {
        Ok(draft) => Ok(Some(draft)),
        Err(refusal) if matches!(refusal.code, Code::InsufficientFunds | Code::NotSynced) => Ok(None),
        Err(refusal) => Err(said(refusal)),
    })
    .await?;
    say(Word::Draft(draft.draft));
    let review = app.draft_review(DraftRef { draft: draft.draft }).await.map_err(said)?;
    say(Word::Signing(work.clone(), review.fee.0));
    let signed = app.draft_sign(DraftSign { draft: draft.draft, summary_hash: review.summary_hash }).await.map_err(said)?;
    Ok(signed.operation)
}

/// Waits until an operation is done.
pub async fn finish(app: &App, operation: u32) -> Done<OperationView> {
    until(app, async || {
        let view = app.operation(OperationRef { operation }).await.map_err(said)?;
        match view.status {
            OperationStatus::Done => Ok(Some(view)),
            OperationStatus::Stopped | OperationStatus::Failed => Err(format!("{:?} ended: {view:?}", view.kind)),
            _ => Ok(None),
        }
    })
    .await
}
