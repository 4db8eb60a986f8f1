//! How a number is known.

use serde::{Deserialize, Serialize};

/// How the app came to know a figure. Ordered from weakest to strongest, so the `min` of a sum's parts labels the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// Seen, but below the depth its network asks for.
    Pending,
    /// A server said so; no proof was checked.
    Reported,
    /// Our own check of headers, signatures and proofs passed.
    Verified,
}
