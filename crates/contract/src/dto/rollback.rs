//! What a deep rollback changed.

use crate::HistoryRow;
use causeway_vocab::NetworkId;

records! {
    /// A rollback that reached below blocks that counted as final, and what became of the payments in them.
    pub struct RollbackView {
        /// Which network.
        #[ts(type = "NetworkId")]
        pub network: NetworkId,
        /// The last block that stayed.
        pub fork_height: u32,
        /// How many blocks were undone.
        pub depth: u32,
        /// When it was seen, Unix seconds.
        pub time: u32,
        /// Payments of the selected wallet that are not where they were, newest first.
        pub changed: Vec<RollbackRow>,
        /// How many are in a block of the same height again.
        pub unchanged: u32,
    }

    /// A payment that was in an undone block.
    pub struct RollbackRow {
        /// As it was.
        pub before: HistoryRow,
        /// What became of it.
        pub now: RollbackFate,
        /// Height of its block now, if it is in one.
        pub height: Option<u32>,
    }
}

choices! {
    /// What became of a payment whose block was undone.
    pub enum RollbackFate {
        /// It is in a block of another height.
        Moved,
        /// It is in no block yet, and may be again.
        Waiting,
        /// The wallet knows nothing of it any more.
        Gone,
    }
}
