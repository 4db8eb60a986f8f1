//! State first, effects after.

/// What a step leads to: a state to make durable, and effects that must not happen before it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a step whose state is not saved did not happen"]
pub struct Step<S, E> {
    state: S,
    effects: Vec<E>,
}

impl<S, E> Step<S, E> {
    pub(crate) fn new(state: S, effects: Vec<E>) -> Self {
        Step { state, effects }
    }

    /// The state to write to disk.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// Takes the step after its state is on disk: the state to go on with, and what to carry out now, in this order.
    ///
    /// A crash before the effects are carried out loses nothing: every machine has a `resume` that issues them again.
    pub fn saved(self) -> (S, Vec<E>) {
        (self.state, self.effects)
    }
}
