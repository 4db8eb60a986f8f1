//! Long work: journalled machines, what drives them, and how they look.
//!
//! [`Operations`] holds the logs of everything that is not over. Batches, answers and the user's wishes become inputs here; each input is
//! appended to the journal in the same transaction as the wallet changes that belong to it, and effects are carried out afterwards
//! ([`drive`]).

/// Runs the same code on the log of whichever machine it is.
macro_rules! on {
    ($running:expr, $log:ident => $work:expr) => {
        match $running {
            Running::Transaction($log) => $work,
            Running::PegIn($log) => $work,
            Running::PegOut($log) => $work,
            Running::Distribute($log) => $work,
            Running::Offer($log) => $work,
            Running::Stake($log) => $work,
        }
    };
}

pub(crate) mod distribute;
mod drive;
mod machine;
pub(crate) mod offer;
pub(crate) mod peg_in;
pub(crate) mod peg_out;
pub(crate) mod stake;
#[cfg(test)]
mod tests;
pub(crate) mod transaction;
mod view;

pub(crate) use distribute::Distribute;
pub(crate) use machine::{At, Effect, Finished, Heights, Input, final_depth};
pub(crate) use offer::Offer;
pub(crate) use peg_in::PegIn;
pub(crate) use peg_out::PegOut;
pub(crate) use stake::Staking;
pub(crate) use transaction::Transaction;
pub(crate) use view::{depth_of, operation_view, payment_height};

use crate::memory::{Core, stale};
use crate::profile::now;
use causeway_contract::{DraftKind, Tag};
use causeway_journal::{EffectId, Entry, Event, Issued, Log, Machine};
use causeway_store::{OperationRow, Reader, Write};
use causeway_vocab::{BitcoinBatch, Code, NetworkId, Refusal, SidechainBatch};
use machine::{Deposit, Operation, Timeline};
use std::collections::{BTreeMap, HashSet};

/// Every operation that is not over.
#[derive(Default)]
pub(crate) struct Operations {
    open: BTreeMap<u32, Open>,
    effects: Vec<(u32, Issued<Effect>)>,
    /// Effects that a task is carrying out now.
    running: HashSet<(u32, EffectId)>,
    /// Why an operation does not move on, as last seen. Memory only.
    troubles: BTreeMap<u32, Refusal>,
    /// Addresses that were made to be paid from elsewhere, by the script to be paid. They are watched for ever: whatever arrives is claimed.
    addresses: BTreeMap<bitcoin::ScriptBuf, PegInAddress>,
    /// Which operation claims a deposit, also those that are over.
    deposits: BTreeMap<bitcoin::OutPoint, u32>,
}

/// A peg-in address that somebody else pays to, as often as he likes.
struct PegInAddress {
    wallet: u32,
    order: peg_in::Order,
}

struct Open {
    row: OperationRow,
    log: Running,
}

enum Running {
    Transaction(Log<Transaction>),
    PegIn(Log<PegIn>),
    PegOut(Log<PegOut>),
    Distribute(Log<Distribute>),
    Offer(Log<Offer>),
    Stake(Box<Log<Staking>>),
}

fn replay<M: Operation>(entries: &[causeway_store::EntryRow]) -> Result<Log<M>, Refusal> {
    let damaged = |why: String| Refusal::new(Code::DiskFailed).with("why", why);
    let read = |row: &causeway_store::EntryRow| serde_json::from_str::<Entry<M::Order, Input>>(&row.entry);
    let entries = entries.iter().map(read).collect::<Result<Vec<_>, _>>().map_err(|error| damaged(error.to_string()))?;
    Log::replay(entries).map_err(|error| damaged(error.to_string()))
}

fn load(row: &OperationRow, reader: &Reader<'_>) -> Result<Running, Refusal> {
    let entries = reader.journal(row.id)?;
    match row.machine.as_str() {
        Transaction::KIND => replay(&entries).map(Running::Transaction),
        PegIn::KIND => replay(&entries).map(Running::PegIn),
        PegOut::KIND => replay(&entries).map(Running::PegOut),
        Distribute::KIND => replay(&entries).map(Running::Distribute),
        Offer::KIND => replay(&entries).map(Running::Offer),
        Staking::KIND => replay(&entries).map(|log| Running::Stake(Box::new(log))),
        other => Err(Refusal::new(Code::DiskFailed).with("why", format!("unknown operation {other}"))),
    }
}

/// A first journal entry, of any machine.
pub(crate) enum Start {
    Transaction(transaction::Order),
    PegIn(peg_in::Order),
    PegOut(peg_out::Order),
    Distribute(distribute::Order),
    Offer(offer::Order),
    Stake(Box<stake::Order>),
}

impl Running {
    fn timeline(&self, heights: Heights) -> Timeline {
        on!(self, log => timeline(log, heights))
    }

    fn scripts(&self) -> Vec<bitcoin::ScriptBuf> {
        on!(self, log => scripts(log))
    }
}

fn timeline<M: Operation>(log: &Log<M>, heights: Heights) -> Timeline {
    M::timeline(log.state(), heights)
}

fn scripts<M: Operation>(log: &Log<M>) -> Vec<bitcoin::ScriptBuf> {
    M::scripts(log.state())
}

impl Operations {
    pub(crate) fn read(reader: &Reader<'_>) -> Result<Operations, Refusal> {
        let mut operations = Operations::default();
        for row in reader.open_operations()? {
            let log = load(&row, reader)?;
            operations.open.insert(row.id, Open { row, log });
        }
        for row in reader.operations_of(PegIn::KIND)? {
            if let Running::PegIn(log) = load(&row, reader)? {
                operations.note_peg_in(row.id, row.wallet, log.state());
            }
        }
        Ok(operations)
    }

    /// Remembers the address of a peg-in and what it claims.
    fn note_peg_in(&mut self, id: u32, wallet: u32, state: &peg_in::State) {
        if state.order.funding.is_none() && !self.addresses.contains_key(&state.order.deposit_script) {
            self.addresses.insert(state.order.deposit_script.clone(), PegInAddress { wallet, order: state.order.clone() });
        }
        self.deposits.extend(state.deposit.as_ref().map(|deposit| (deposit.outpoint, id)));
    }

    /// Effects that the last transaction asked for. Taken once, after the commit.
    pub(crate) fn take_effects(&mut self) -> Vec<(u32, Issued<Effect>)> {
        std::mem::take(&mut self.effects)
    }

    /// Effects that are not answered yet: what a crash or a locked wallet left behind.
    fn outstanding(&self) -> Vec<(u32, Issued<Effect>)> {
        let of = |(id, open): (&u32, &Open)| {
            let issued = on!(&open.log, log => log.outstanding().to_vec());
            issued.into_iter().map(|effect| (*id, effect)).collect::<Vec<_>>()
        };
        self.open.iter().flat_map(of).collect()
    }

    /// Takes over what only memory knows: which effects are being carried out, and why some are not.
    pub(crate) fn take_over(&mut self, old: &mut Operations) {
        self.running = std::mem::take(&mut old.running);
        self.troubles = std::mem::take(&mut old.troubles);
    }

    /// Forgets the operations of a wallet that is no more.
    pub(crate) fn forget_wallet(&mut self, wallet: u32) {
        self.open.retain(|_, open| open.row.wallet != wallet);
        self.addresses.retain(|_, address| address.wallet != wallet);
    }

    /// The bytes of a transaction that an open operation sends.
    pub(crate) fn own_transaction(&self, txid: &str) -> Option<Finished> {
        let sent = self.outstanding().into_iter().filter_map(|(_, issued)| match issued.effect {
            Effect::Send(tx) => Some(tx),
            Effect::Claim | Effect::Pay | Effect::Register | Effect::Cosign | Effect::Prove => None,
        });
        sent.chain(self.waiting()).find(|tx| tx.txid == txid)
    }

    /// Transactions that peers hold and no block does.
    fn waiting(&self) -> Vec<Finished> {
        let of = |running: &Running| -> Vec<Finished> {
            match running {
                Running::Transaction(log) => log.state().waiting().cloned().into_iter().collect(),
                Running::PegIn(log) => log.state().waiting().cloned().into_iter().collect(),
                Running::PegOut(log) => log.state().waiting().cloned().into_iter().collect(),
                Running::Distribute(log) => log.state().waiting().cloned().collect(),
                Running::Offer(_) => Vec::new(),
                Running::Stake(log) => log.state().waiting(),
            }
        };
        self.open.values().flat_map(|open| of(&open.log)).collect()
    }

    /// Coins that a wallet's standing offers give.
    pub(crate) fn offered(&self, wallet: u32) -> impl Iterator<Item = elements::OutPoint> + '_ {
        let of = move |open: &Open| match &open.log {
            Running::Offer(log) if open.row.wallet == wallet => Some(log.state().order.coin),
            _ => None,
        };
        self.open.values().filter_map(of)
    }

    /// Bitcoin coins that a wallet's stakes hold until their committee has signed.
    pub(crate) fn staked(&self, wallet: u32) -> impl Iterator<Item = bitcoin::OutPoint> + '_ {
        let of = move |open: &Open| match &open.log {
            Running::Stake(log) if open.row.wallet == wallet => log.state().held().collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        self.open.values().flat_map(of)
    }

    /// Whether a transaction is one that a stake was registered with: another in its place would not be.
    pub(crate) fn is_stake(&self, txid: &str) -> bool {
        self.open.values().any(|open| matches!(&open.log, Running::Stake(log) if log.state().order.staking.txid == txid))
    }

    /// Bitcoin scripts that open operations wait to see paid.
    pub(crate) fn scripts(&self) -> Vec<bitcoin::ScriptBuf> {
        self.open.values().flat_map(|open| open.log.scripts()).chain(self.addresses.keys().cloned()).collect()
    }

    /// Satoshi between the chains: burned or deposited by a wallet, and not yet arrived.
    pub(crate) fn crossing(&self, wallet: u32, heights: Heights) -> u64 {
        let of = |open: &Open| {
            let timeline = open.log.timeline(heights);
            let left = timeline.steps.iter().any(|(step, passed)| {
                passed.is_some() && matches!(step, causeway_contract::StepName::Broadcast | causeway_contract::StepName::Funded)
            });
            let crossing = match &open.log {
                Running::Transaction(_) | Running::Distribute(_) | Running::Offer(_) | Running::Stake(_) => false,
                Running::PegIn(log) => left && log.state().claim.is_none(),
                Running::PegOut(log) => left && log.state().paid_by().is_none(),
            };
            if crossing { timeline.amount.map_or(0, |(_, amount)| amount) } else { 0 }
        };
        self.open.values().filter(|open| open.row.wallet == wallet).map(of).sum()
    }
}

/// Starts an operation: its row, its first entry and its links, in the caller's transaction.
pub(crate) fn start(
    core: &mut Core,
    write: &mut Write<'_>,
    wallet: u32,
    kind: DraftKind,
    label: &str,
    start: Start,
) -> Result<u32, Refusal> {
    match start {
        Start::Transaction(order) => begin::<Transaction>(core, write, wallet, kind, label, order, Running::Transaction),
        Start::PegIn(order) => begin::<PegIn>(core, write, wallet, kind, label, order, Running::PegIn),
        Start::PegOut(order) => begin::<PegOut>(core, write, wallet, kind, label, order, Running::PegOut),
        Start::Offer(order) => begin::<Offer>(core, write, wallet, kind, label, order, Running::Offer),
        Start::Stake(order) => begin::<Staking>(core, write, wallet, kind, label, *order, |log| Running::Stake(Box::new(log))),
        Start::Distribute(order) => begin::<Distribute>(core, write, wallet, kind, label, order, Running::Distribute),
    }
}

fn begin<M: Operation>(
    core: &mut Core,
    write: &mut Write<'_>,
    wallet: u32,
    kind: DraftKind,
    label: &str,
    order: M::Order,
    running: fn(Log<M>) -> Running,
) -> Result<u32, Refusal> {
    core.dirty = true;
    let first = Log::<M>::start(order)?;
    let kind = serde_json::to_string(&kind).expect("BUG: a kind is JSON");
    let machine = M::KIND.to_owned();
    let row = OperationRow { id: 0, wallet, machine, kind, label: label.to_owned(), started: now(), finished: None };
    let id = write.start_operation(&row, &serde_json::to_string(&first.entry).expect("BUG: an entry is JSON"))?;
    let effects = first.effects.clone();
    let log = Log::begin(first);
    for (network, txid, role) in M::transactions(log.state()) {
        write.link_transaction(id, network, &txid, role)?;
    }
    let log = running(log);
    if let Running::PegIn(log) = &log {
        core.operations.note_peg_in(id, wallet, log.state());
    }
    core.operations.open.insert(id, Open { row: OperationRow { id, ..row }, log });
    core.operations.effects.extend(effects.into_iter().map(|effect| (id, effect)));
    stale(write, &[Tag::Operations]);
    Ok(id)
}

/// A distribution, open or over.
pub(crate) fn distribution(core: &Core, reader: &Reader<'_>, id: u32) -> Result<distribute::State, Refusal> {
    let missing = || Refusal::new(Code::NotFound).with("what", "operation");
    if let Some(Open { log: Running::Distribute(log), .. }) = core.operations.open.get(&id) {
        return Ok(log.state().clone());
    }
    let row = reader.operation(id)?.ok_or_else(missing)?;
    match load(&row, reader)? {
        Running::Distribute(log) => Ok(log.state().clone()),
        _ => Err(missing()),
    }
}

/// An offer, open or over.
pub(crate) fn offer(core: &Core, reader: &Reader<'_>, id: u32) -> Result<offer::State, Refusal> {
    let missing = || Refusal::new(Code::NotFound).with("what", "operation");
    if let Some(Open { log: Running::Offer(log), .. }) = core.operations.open.get(&id) {
        return Ok(log.state().clone());
    }
    let row = reader.operation(id)?.ok_or_else(missing)?;
    match load(&row, reader)? {
        Running::Offer(log) => Ok(log.state().clone()),
        _ => Err(missing()),
    }
}

/// A stake, open or over.
pub(crate) fn staking(core: &Core, reader: &Reader<'_>, id: u32) -> Result<stake::State, Refusal> {
    let missing = || Refusal::new(Code::NotFound).with("what", "operation");
    if let Some(Open { log: Running::Stake(log), .. }) = core.operations.open.get(&id) {
        return Ok(log.state().clone());
    }
    let row = reader.operation(id)?.ok_or_else(missing)?;
    match load(&row, reader)? {
        Running::Stake(log) => Ok(log.state().clone()),
        _ => Err(missing()),
    }
}

/// Appends one input to one log. Inputs that change nothing leave no entry.
fn feed<M: Operation>(
    id: u32,
    log: &mut Log<M>,
    write: &mut Write<'_>,
    event: Event<M::Order, Input>,
) -> Result<Vec<Issued<Effect>>, Refusal> {
    let step = log.propose(event)?;
    let effects = step.effects.clone();
    let time = now();
    write.append_entry(id, step.entry.seq, time, &serde_json::to_string(&step.entry).expect("BUG: an entry is JSON"))?;
    log.commit(step);
    for (network, txid, role) in M::transactions(log.state()) {
        write.link_transaction(id, network, &txid, role)?;
    }
    if log.stage().is_terminal() {
        write.finish_operation(id, time)?;
    }
    stale(write, &[Tag::Operations]);
    Ok(effects)
}

impl Core {
    /// Feeds an operation. Refused with `NotFound` when it is over.
    pub(crate) fn feed(
        &mut self,
        write: &mut Write<'_>,
        id: u32,
        input: Input,
        answers: Option<EffectId>,
    ) -> Result<(), Refusal> {
        self.dirty = true;
        let open = self.operations.open.get_mut(&id).ok_or_else(|| Refusal::new(Code::NotFound).with("what", "operation"))?;
        let effects = on!(&mut open.log, log => feed(id, log, write, Event::Input { input, answers }))?;
        self.after_feed(id, effects);
        Ok(())
    }

    /// Stops an operation.
    pub(crate) fn stop(&mut self, write: &mut Write<'_>, id: u32) -> Result<(), Refusal> {
        self.dirty = true;
        let open = self.operations.open.get_mut(&id).ok_or_else(|| Refusal::new(Code::NotFound).with("what", "operation"))?;
        let effects = on!(&mut open.log, log => feed(id, log, write, Event::Stop))?;
        self.after_feed(id, effects);
        Ok(())
    }

    /// Ends the operation of a transaction that another one replaces, if it is still open.
    pub(crate) fn replaced(&mut self, write: &mut Write<'_>, txid: &str) -> Result<(), Refusal> {
        let sends = |open: &Open| matches!(&open.log, Running::Transaction(log) if log.state().txid() == txid);
        let id = self.operations.open.iter().find(|(_, open)| sends(open)).map(|(id, _)| *id);
        id.map_or(Ok(()), |id| self.feed(write, id, Input::Replaced { time: now() }, None))
    }

    fn after_feed(&mut self, id: u32, effects: Vec<Issued<Effect>>) {
        self.operations.troubles.remove(&id);
        self.operations.effects.extend(effects.into_iter().map(|effect| (id, effect)));
        let Some(open) = self.operations.open.get(&id) else { return };
        if let Running::PegIn(log) = &open.log {
            self.operations.deposits.extend(log.state().deposit.as_ref().map(|deposit| (deposit.outpoint, id)));
        }
        if on!(&open.log, log => log.stage().is_terminal()) {
            self.operations.open.remove(&id);
        }
    }

    /// The best blocks, as far as they have been searched: a confirmation counts once the wallet knows its block.
    pub(crate) fn heights(&self) -> Heights {
        let of = |network| self.chain(network).state.map_or(0, |state| state.scanned_to.min(state.headers));
        Heights { bitcoin: of(NetworkId::Bitcoin), sidechain: of(NetworkId::Sidechain) }
    }

    /// Tells every open operation of a Bitcoin batch. `federation`: see [`Operation::on_bitcoin`].
    pub(crate) fn operations_hear_bitcoin(
        &mut self,
        write: &mut Write<'_>,
        batch: &BitcoinBatch,
        federation: &[bitcoin::ScriptBuf],
    ) -> Result<(), Refusal> {
        if let Some(base) = batch.rollback_to {
            self.undone(write, NetworkId::Bitcoin, base.height)?;
        }
        for (tip, block) in &batch.blocks {
            let at = At { height: tip.height, time: tip.time };
            for tx in &block.txdata {
                for id in self.open_ids() {
                    let Some(open) = self.operations.open.get(&id) else { continue };
                    let input = on!(&open.log, log => bitcoin_input(log, tx, tip.hash, at, federation));
                    if let Some(input) = input.filter(|input| !self.paid_another(id, input)) {
                        self.feed(write, id, input, None)?;
                    }
                }
                self.further_deposits(write, tx, tip.hash, at)?;
            }
        }
        Ok(())
    }

    /// Starts an operation for every payment to a peg-in address that no operation claims: the address was paid more than once, or after
    /// its operation was stopped.
    fn further_deposits(
        &mut self,
        write: &mut Write<'_>,
        tx: &bitcoin::Transaction,
        block: bitcoin::BlockHash,
        at: At,
    ) -> Result<(), Refusal> {
        if self.operations.addresses.is_empty() {
            return Ok(());
        }
        let txid = tx.compute_txid();
        for (vout, output) in (0..).zip(&tx.output) {
            let outpoint = bitcoin::OutPoint::new(txid, vout);
            let Some(address) = self.operations.addresses.get(&output.script_pubkey) else { continue };
            if self.operations.deposits.contains_key(&outpoint) {
                continue;
            }
            let (wallet, order) = (address.wallet, peg_in::Order { time: at.time, ..address.order.clone() });
            let id = start(self, write, wallet, DraftKind::PegIn, "", Start::PegIn(order))?;
            let deposit = Deposit { outpoint, value: output.value.to_sat(), block, at };
            self.feed(write, id, Input::Deposited(deposit), None)?;
        }
        Ok(())
    }

    /// Tells every open operation of a sidechain batch.
    pub(crate) fn operations_hear_sidechain(&mut self, write: &mut Write<'_>, batch: &SidechainBatch) -> Result<(), Refusal> {
        if let Some(base) = batch.rollback_to {
            self.undone(write, NetworkId::Sidechain, base.height)?;
        }
        for (tip, block) in &batch.blocks {
            let at = At { height: tip.height, time: tip.time };
            for tx in &block.txdata {
                for id in self.open_ids() {
                    let Some(open) = self.operations.open.get(&id) else { continue };
                    if let Some(input) = on!(&open.log, log => sidechain_input(log, tx, at)) {
                        self.feed(write, id, input, None)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Tells every open operation how high the chains are. `true` when one of them moved on.
    pub(crate) fn operations_hear_heights(&mut self, write: &mut Write<'_>) -> Result<bool, Refusal> {
        let heights = self.heights();
        let mut moved = false;
        for id in self.open_ids() {
            while let Some(open) = self.operations.open.get(&id) {
                let Some(input) = on!(&open.log, log => heights_input(log, heights)) else { break };
                self.feed(write, id, input, None)?;
                moved = true;
            }
        }
        Ok(moved)
    }

    pub(crate) fn has_open_operations(&self) -> bool {
        !self.operations.open.is_empty()
    }

    fn undone(&mut self, write: &mut Write<'_>, network: NetworkId, above: u32) -> Result<(), Refusal> {
        for id in self.open_ids() {
            let claim = self.claim_of(id);
            self.feed(write, id, Input::Undone { network, above }, None)?;
            // A claim that died with its deposit's block must not hold the place of the next one.
            if let (Some((wallet, txid)), None) = (claim, self.claim_of(id))
                && let Some(wallet) = self.wallets.get_mut(&wallet)
            {
                let applied = wallet.sidechain.forget_unconfirmed(&txid);
                crate::memory::put_sidechain(write, wallet.row.id, &applied.changes)?;
            }
        }
        Ok(())
    }

    fn claim_of(&self, id: u32) -> Option<(u32, elements::Txid)> {
        let open = self.operations.open.get(&id)?;
        let Running::PegIn(log) = &open.log else { return None };
        Some((open.row.wallet, log.state().claim.as_ref()?.0.txid.parse().ok()?))
    }

    fn open_ids(&self) -> Vec<u32> {
        self.operations.open.keys().copied().collect()
    }

    /// Whether the input names a payment or a deposit that another operation already counts as its own.
    fn paid_another(&self, id: u32, input: &Input) -> bool {
        let outpoint = match input {
            Input::PaidOut { outpoint, .. } => *outpoint,
            Input::Deposited(deposit) => return self.operations.deposits.get(&deposit.outpoint).is_some_and(|by| *by != id),
            _ => return false,
        };
        let pays = |open: &Open| matches!(&open.log, Running::PegOut(log) if log.state().paid_by() == Some(outpoint));
        self.operations.open.iter().any(|(other, open)| *other != id && pays(open))
    }
}

fn bitcoin_input<M: Operation>(
    log: &Log<M>,
    tx: &bitcoin::Transaction,
    block: bitcoin::BlockHash,
    at: At,
    federation: &[bitcoin::ScriptBuf],
) -> Option<Input> {
    M::on_bitcoin(log.state(), tx, block, at, federation)
}

fn sidechain_input<M: Operation>(log: &Log<M>, tx: &elements::Transaction, at: At) -> Option<Input> {
    M::on_sidechain(log.state(), tx, at)
}

fn heights_input<M: Operation>(log: &Log<M>, heights: Heights) -> Option<Input> {
    M::on_heights(log.state(), heights, now())
}

fn in_block<M: Operation>(log: &Log<M>, txid: &str) -> bool {
    M::in_block(log.state(), txid)
}
