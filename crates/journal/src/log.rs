//! The log of one operation: entries on disk, state in memory, one law: `replay(entries) == state`.

use crate::effect::{EffectId, Issued};
use crate::machine::{Machine, Progress, Stage};
use causeway_vocab::{Code, Refusal};
use serde::{Deserialize, Serialize};

/// One line of the log, numbered from 0 without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<O, I> {
    /// Place in the log.
    pub seq: u32,
    /// What happened.
    pub event: Event<O, I>,
}

/// What an entry records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event<O, I> {
    /// The user's order; only at 0.
    Start(O),
    /// The world's word.
    Input {
        /// What it said.
        input: I,
        /// The effect that it answers, which is then no longer outstanding. `None` for what came unasked, such as a block.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answers: Option<EffectId>,
    },
    /// The user's wish to stop.
    Stop,
}

/// A proposed entry with everything that follows from it. Make the entry durable, then [commit](Log::commit) it.
#[must_use = "a step that is not committed did not happen"]
pub struct Step<M: Machine> {
    /// The entry to append.
    pub entry: Entry<M::Order, M::Input>,
    /// What to carry out once the entry is on disk.
    pub effects: Vec<Issued<M::Effect>>,
    state: M::State,
}

impl<M: Machine> Step<M> {
    /// The state after this step.
    pub fn state(&self) -> &M::State {
        &self.state
    }
}

/// The entries cannot be the log of this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// No entries, or the first is no order.
    #[error("the log has no order at its start")]
    NoStart,
    /// A number is missing, repeated, or an order stands in the middle.
    #[error("entry {found} where {wanted} should stand")]
    Gap {
        /// The number that should come.
        wanted: u32,
        /// The number that came.
        found: u32,
    },
    /// The machine refuses what it once accepted.
    #[error("entry {seq}: {refusal}")]
    Refused {
        /// Which entry.
        seq: u32,
        /// What the machine says.
        refusal: Refusal,
    },
}

/// What to do with a log found at start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resume<E> {
    /// The crash interrupted effects: issue these again, under their old ids.
    Recovered(Vec<Issued<E>>),
    /// Nothing to do until the world moves.
    Waiting,
    /// It claims to be working but nothing is under way: a person must look.
    Stuck,
    /// Already over.
    Over,
}

/// One operation in memory.
pub struct Log<M: Machine> {
    state: M::State,
    next_seq: u32,
    outstanding: Vec<Issued<M::Effect>>,
}

impl<M: Machine> Log<M> {
    /// Proposes the first entry of a new operation.
    pub fn start(order: M::Order) -> Result<Step<M>, Refusal> {
        let (state, effects) = M::start(&order)?;
        Ok(step(0, Event::Start(order), state, effects))
    }

    /// The log after its first step became durable.
    pub fn begin(first: Step<M>) -> Log<M> {
        Log { state: first.state, next_seq: 1, outstanding: first.effects }
    }

    /// Computes the state from the entries alone.
    pub fn replay(entries: impl IntoIterator<Item = Entry<M::Order, M::Input>>) -> Result<Log<M>, ReplayError> {
        let mut entries = entries.into_iter();
        let first = match entries.next() {
            Some(Entry { seq: 0, event: Event::Start(order) }) => order,
            _ => return Err(ReplayError::NoStart),
        };
        let mut log = Log::begin(Log::<M>::start(first).map_err(|refusal| ReplayError::Refused { seq: 0, refusal })?);
        for entry in entries {
            let (wanted, found) = (log.next_seq, entry.seq);
            if wanted != found || matches!(entry.event, Event::Start(_)) {
                return Err(ReplayError::Gap { wanted, found });
            }
            let step = log.propose(entry.event).map_err(|refusal| ReplayError::Refused { seq: found, refusal })?;
            log.commit(step);
        }
        Ok(log)
    }

    /// Computes what `event` would do and changes nothing.
    ///
    /// Refused with [`Code::PointOfNoReturn`] when it is a stop and too late, with [`Code::NotFound`] when the operation is over or
    /// the answered effect is not outstanding, and with whatever the machine refuses.
    pub fn propose(&self, event: Event<M::Order, M::Input>) -> Result<Step<M>, Refusal> {
        let gone = |what: &str| Refusal::new(Code::NotFound).with("what", what);
        if self.stage().is_terminal() {
            return Err(gone("operation"));
        }
        let (state, effects) = match &event {
            Event::Start(_) => return Err(gone("operation")),
            Event::Input { answers: Some(id), .. } if !self.outstanding.iter().any(|issued| issued.id == *id) => {
                return Err(gone("effect"));
            }
            Event::Input { input, .. } => M::step(&self.state, input)?,
            Event::Stop if !self.can_stop() => return Err(Code::PointOfNoReturn.into()),
            Event::Stop => M::stop(&self.state)?,
        };
        Ok(step(self.next_seq, event, state, effects))
    }

    /// Takes a step whose entry is on disk.
    ///
    /// # Panics
    /// When the step was proposed by an earlier state of this log: two drivers of one operation.
    pub fn commit(&mut self, step: Step<M>) {
        assert_eq!(step.entry.seq, self.next_seq, "BUG: one operation is driven twice");
        match step.entry.event {
            Event::Input { answers: Some(id), .. } => self.outstanding.retain(|issued| issued.id != id),
            // What was under way belongs to the plan that was given up; only the undoing remains.
            Event::Stop => self.outstanding.clear(),
            Event::Input { answers: None, .. } | Event::Start(_) => {}
        }
        self.outstanding.extend(step.effects);
        self.state = step.state;
        self.next_seq += 1;
        if self.stage().is_terminal() {
            self.outstanding.clear();
        }
    }

    /// Where the work stands.
    pub fn state(&self) -> &M::State {
        &self.state
    }

    /// The number that the next entry gets; so many entries the log has.
    pub fn next_seq(&self) -> u32 {
        self.next_seq
    }

    /// Working, waiting, or over.
    pub fn stage(&self) -> Stage {
        M::stage(&self.state)
    }

    /// How far the work has come.
    pub fn progress(&self) -> Progress {
        M::progress(&self.state)
    }

    /// Whether a stop would be accepted.
    pub fn can_stop(&self) -> bool {
        !self.stage().is_terminal() && !M::past_no_return(&self.state)
    }

    /// Effects that were issued and not answered.
    pub fn outstanding(&self) -> &[Issued<M::Effect>] {
        &self.outstanding
    }

    /// What to do with this log after a restart.
    pub fn resume(&self) -> Resume<M::Effect> {
        match self.stage() {
            Stage::Done | Stage::Stopped | Stage::Failed(_) => Resume::Over,
            _ if !self.outstanding.is_empty() => Resume::Recovered(self.outstanding.clone()),
            Stage::Waiting => Resume::Waiting,
            Stage::Working => Resume::Stuck,
        }
    }
}

fn step<M: Machine>(seq: u32, event: Event<M::Order, M::Input>, state: M::State, effects: Vec<M::Effect>) -> Step<M> {
    assert!(effects.is_empty() || !M::stage(&state).is_terminal(), "BUG: {} asks for effects that nobody can answer", M::KIND);
    let effects = (0..).zip(effects).map(|(index, effect)| Issued { id: EffectId { seq, index }, effect }).collect();
    Step { entry: Entry { seq, event }, effects, state }
}

#[cfg(test)]
mod tests;
