//! Long work as an append-only log: step, replay, resume, progress, stop.
//!
//! A peg-in takes hours and must survive a kill at any line. So an operation is a [`Machine`]: a pure function from a state and an
//! input to the next state and the [effects](Machine::Effect) the world is asked for. Only the inputs are kept; the state is what
//! [replaying](Log::replay) them yields.
//!
//! # The treaty with the store
//!
//! A [`Step`] is first proposed, then made durable, then committed to memory, then its effects are carried out:
//!
//! 1. [`Log::propose`] computes the next entry and changes nothing. A refusal leaves no trace.
//! 2. In **one** transaction the store appends `(operation id, entry.seq, entry)`, the wallet changes that belong to the step (such as
//!    a revealed address or a transaction to broadcast) and the outbox row that tells the faces. `(operation id, seq)` is the
//!    primary key: appending the same number twice must fail, because it means that two actors drive one operation.
//! 3. [`Log::commit`] moves the memory forward. If the transaction failed, drop the step: nothing happened.
//! 4. The effects of the step are carried out. Each has an [`EffectId`] that is the same in every run, so an effect that was
//!    carried out just before a crash is recognised when it is issued again: whoever carries effects out must treat a known id as a
//!    question for its recorded answer (the same signed transaction is broadcast again, never a newly signed one).
//! 5. What the world answers is the next input, and names the effect that it [answers](Event::Input).
//!
//! At start the app loads every log without a terminal state and asks [`Log::resume`] what to do with it. Entries are never changed
//! or deleted; the kind and the id of the operation live in columns beside them.

mod effect;
mod log;
mod machine;

pub use effect::{EffectId, Issued};
pub use log::{Entry, Event, Log, ReplayError, Resume, Step};
pub use machine::{Eta, Machine, Next, Progress, Stage, Unit};
