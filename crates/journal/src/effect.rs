//! What a step asks of the world, with a name that is the same after every restart.

use serde::{Deserialize, Serialize};

/// Names one effect of one operation for ever: the entry that issued it and its place among that entry's effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EffectId {
    /// Sequence number of the entry that issued the effect.
    pub seq: u32,
    /// Place among the effects of that entry, from 0.
    pub index: u16,
}

/// An effect with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued<E> {
    /// Its name within the operation.
    pub id: EffectId,
    /// What the world is asked for.
    pub effect: E,
}
