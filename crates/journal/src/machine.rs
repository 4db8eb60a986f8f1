//! What an operation must say about itself.

use causeway_vocab::Refusal;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The state after a step and the effects it asks for.
pub type Next<M> = (<M as Machine>::State, Vec<<M as Machine>::Effect>);

/// A kind of long work. Pure: the same order and inputs give the same states and effects in every run and every later version.
pub trait Machine {
    /// Name of the kind in the store, such as `peg-in`. Never reused.
    const KIND: &'static str;
    /// What the user asked for; the first entry of the log.
    type Order: Clone + Serialize + DeserializeOwned;
    /// Where the work stands. Not stored: replay computes it.
    type State: Clone;
    /// What the world reports.
    type Input: Clone + Serialize + DeserializeOwned;
    /// What the world is asked for.
    type Effect: Clone;

    /// The first state. A refusal means that the operation never began.
    fn start(order: &Self::Order) -> Result<Next<Self>, Refusal>;

    /// The state after `input`. A refusal leaves the log as it was; an input that is merely late or repeated should
    /// return the state unchanged.
    fn step(state: &Self::State, input: &Self::Input) -> Result<Next<Self>, Refusal>;

    /// The state after the user's wish to stop, asked only before the [point of no return](Machine::past_no_return). Its effects
    /// undo what the operation holds, such as coins it had reserved; while there are any, the stage is still [`Stage::Working`].
    fn stop(state: &Self::State) -> Result<Next<Self>, Refusal>;

    /// Whether stopping has ceased to be possible: from here the button says "bump" or "exit". Once true, true for ever.
    fn past_no_return(state: &Self::State) -> bool;

    /// Working, waiting, or over. A step into a terminal stage asks for no effects: nobody could record their answers.
    fn stage(state: &Self::State) -> Stage;

    /// How far the work has come.
    fn progress(state: &Self::State) -> Progress;
}

/// What an operation is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "why")]
pub enum Stage {
    /// An effect is under way; its answer moves the work on.
    Working,
    /// Only the world's time moves it on: confirmations, an expiry, a payment from elsewhere.
    Waiting,
    /// Terminal: finished as ordered.
    Done,
    /// Terminal: stopped by the user.
    Stopped,
    /// Terminal: cannot be finished.
    Failed(Refusal),
}

impl Stage {
    /// Whether nothing can happen any more.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Stage::Done | Stage::Stopped | Stage::Failed(_))
    }
}

/// How far the work has come: `done` of `of` units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Units finished.
    pub done: u32,
    /// Units in all, at least `done`.
    pub of: u32,
    /// What is counted.
    pub unit: Unit,
    /// When it will be over, if that can be said.
    pub eta: Option<Eta>,
}

/// What a [`Progress`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Steps of the operation.
    Steps,
    /// Blocks of Bitcoin.
    BitcoinBlocks,
    /// Blocks of the sidechain.
    SidechainBlocks,
}

/// An estimate of the remaining time, in the clock that decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Eta {
    /// So many blocks of Bitcoin from now.
    BitcoinBlocks(u32),
    /// So many blocks of the sidechain from now.
    SidechainBlocks(u32),
    /// So many seconds from now.
    Seconds(u32),
}
