//! How operations look.

use super::machine::{Heights, Timeline};
use super::{Open, Running, load};
use crate::memory::Core;
use crate::profile::Profile;
use causeway_contract::{
    AmountView, Atoms, DraftKind, Failure, OperationAct, OperationAction, OperationRef, OperationStatus, OperationStep,
    OperationView, OperationsRequest, StepName, StepState,
};
use causeway_journal::Stage;
use causeway_store::{OperationRow, Reader};
use causeway_vocab::{AssetId, Code, NetworkId, Refusal};

/// Most operations in one answer.
const MOST: u32 = 500;

impl Profile {
    pub(crate) async fn operations(&self, request: OperationsRequest) -> Result<Vec<OperationView>, Failure> {
        self.read(|core, reader| {
            let Some(wallet) = core.selected else { return Ok(Vec::new()) };
            let rows = reader.operations(wallet, request.open, request.limit.min(MOST))?;
            rows.into_iter().map(|row| view(core, reader, row)).collect()
        })
    }

    pub(crate) async fn operation(&self, request: OperationRef) -> Result<OperationView, Failure> {
        self.read(|core, reader| operation_view(core, reader, request.operation))
    }

    pub(crate) async fn operation_act(&self, request: OperationAct) -> Result<OperationView, Failure> {
        let id = request.operation;
        let before = self.read(|core, reader| operation_view(core, reader, id))?;
        if !before.can.contains(&request.action) {
            return Err(match request.action {
                OperationAction::Stop => Code::PointOfNoReturn.into(),
                _ => Refusal::new(Code::BadRequest).with("field", "action"),
            });
        }
        match request.action {
            OperationAction::Stop => self.change(|core, write| core.stop(write, id))?,
            OperationAction::Hold => self.change(|core, write| core.feed(write, id, super::Input::Held, None))?,
            OperationAction::Resume => self.change(|core, write| core.feed(write, id, super::Input::Resumed, None))?,
            OperationAction::Retry => {
                self.core().operations.troubles.remove(&id);
            }
        }
        self.wake.notify_waiters();
        self.read(|core, reader| operation_view(core, reader, id))
    }
}

/// One operation, open or over.
pub(crate) fn operation_view(core: &Core, reader: &Reader<'_>, id: u32) -> Result<OperationView, Refusal> {
    let row = reader.operation(id)?.ok_or_else(|| Refusal::new(Code::NotFound).with("what", "operation"))?;
    view(core, reader, row)
}

/// The height at which a transaction paid a peg-out of a wallet.
pub(crate) fn payment_height(core: &Core, reader: &Reader<'_>, wallet: u32, txid: &str) -> Result<Option<u32>, Refusal> {
    let Some((id, _)) = reader.operation_of(wallet, NetworkId::Bitcoin, txid)? else { return Ok(None) };
    let steps = operation_view(core, reader, id)?.steps;
    Ok(steps.iter().find(|step| step.step == StepName::PaidOnBitcoin).and_then(|step| step.height))
}

fn view(core: &Core, reader: &Reader<'_>, row: OperationRow) -> Result<OperationView, Refusal> {
    match core.operations.open.get(&row.id) {
        Some(Open { log, .. }) => Ok(draw(core, &row, log)),
        None => Ok(draw(core, &row, &load(&row, reader)?)),
    }
}

fn draw(core: &Core, row: &OperationRow, log: &Running) -> OperationView {
    let heights = core.heights();
    let line = log.timeline(heights);
    let stage = on!(log, log => log.stage());
    let can_stop = on!(log, log => log.can_stop());
    let over = stage.is_terminal();
    let trouble = core.operations.troubles.get(&row.id).filter(|_| !over).cloned();
    let status = status(&stage, &line, trouble.as_ref());
    let mut can = Vec::new();
    if !over {
        can.extend(can_stop.then_some(OperationAction::Stop));
        can.extend((line.can_hold && !line.held).then_some(OperationAction::Hold));
        can.extend(line.held.then_some(OperationAction::Resume));
        can.extend(trouble.is_some().then_some(OperationAction::Retry));
    }
    let why = match &stage {
        Stage::Failed(refusal) => Some(refusal.clone()),
        _ if over => None,
        _ => trouble.or_else(|| line.why.clone()),
    };
    let (eta, steps) = (if over { None } else { eta(core, &line) }, steps(&line, over));
    OperationView {
        operation: row.id,
        kind: line.kind.unwrap_or(DraftKind::Send),
        status,
        amount: line.amount.as_ref().and_then(|(asset, amount)| amount_view(core, asset, *amount)),
        steps,
        no_return: line.no_return,
        done: line.done,
        of: line.of,
        counts: line.counts,
        eta,
        can,
        valid_until: line.valid_until,
        qr: if line.payable { crate::qr::rows(&format!("bitcoin:{}", line.address)) } else { Vec::new() },
        address: line.address,
        bitcoin_txid: line.bitcoin_txid,
        sidechain_txid: line.sidechain_txid,
        arrives: line.arrives.map(Atoms),
        started: row.started,
        finished: row.finished,
        why,
        label: row.label.clone(),
    }
}

fn status(stage: &Stage, line: &Timeline, trouble: Option<&Refusal>) -> OperationStatus {
    match stage {
        Stage::Done => OperationStatus::Done,
        Stage::Stopped => OperationStatus::Stopped,
        Stage::Failed(_) => OperationStatus::Failed,
        Stage::Working | Stage::Waiting => match trouble.map(|refusal| refusal.code) {
            Some(Code::Locked | Code::WatchOnly) => OperationStatus::Waiting,
            Some(Code::NotAccepted | Code::PegInExpired | Code::DiskFull | Code::DiskFailed) => OperationStatus::Stuck,
            _ if line.held || line.payable => OperationStatus::Waiting,
            _ => OperationStatus::Running,
        },
    }
}

fn steps(line: &Timeline, over: bool) -> Vec<OperationStep> {
    let mut current_seen = over;
    let step = |(step, passed): &(StepName, Option<super::machine::Passed>)| {
        let state = match passed {
            Some(_) => StepState::Done,
            None if over => StepState::Skipped,
            None if !current_seen => {
                current_seen = true;
                StepState::Current
            }
            None => StepState::Ahead,
        };
        OperationStep { step: *step, state, time: passed.map(|p| p.time), height: passed.and_then(|p| p.height) }
    };
    line.steps.iter().map(step).collect()
}

fn eta(core: &Core, line: &Timeline) -> Option<u32> {
    line.left.iter().try_fold(0u32, |sum, (network, blocks)| {
        if *blocks == 0 {
            return Some(sum);
        }
        Some(sum.saturating_add(core.chain(*network).pace()?.saturating_mul(*blocks)))
    })
}

fn amount_view(core: &Core, asset: &str, amount: u64) -> Option<AmountView> {
    let label = match asset.parse::<AssetId>() {
        Ok(asset) => core.names.label(asset),
        Err(_) => core.coloured_label(core.coloured_asset(asset).ok()?),
    };
    Some(AmountView { asset: label, amount: Atoms(amount) })
}

/// Blocks of the network that an operation's step counts, for other views.
pub(crate) fn depth_of(heights: Heights, network: NetworkId, height: Option<u32>) -> u32 {
    height.map_or(0, |height| heights.depth(network, height))
}
