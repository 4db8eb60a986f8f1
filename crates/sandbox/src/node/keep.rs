//! Waiting transactions on disk, so that a restart forgets none.

use super::blocks::{self, BlockFile};
use super::{Node, State, heavy};
use crate::error::SandboxError;
use crate::world::replace_file;
use elements::Transaction;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that grows with each transaction and is written anew with each block.
pub(super) struct Keep {
    file: BlockFile,
    path: PathBuf,
}

impl Keep {
    /// Opens the file and gives what it holds.
    pub(super) fn open(path: &Path) -> Result<(Keep, Vec<Transaction>), SandboxError> {
        let mut kept = Vec::new();
        let file = BlockFile::open(path, |_, bytes| {
            // Records carry a checksum, so one that does not decode is of another version.
            kept.extend(elements::encode::deserialize::<Transaction>(bytes));
            Ok(())
        })?;
        Ok((Keep { file, path: path.to_owned() }, kept))
    }

    /// Adds a transaction. On disk when this returns.
    pub(super) fn add(&mut self, tx: &Transaction) -> Result<(), SandboxError> {
        self.file.append(&elements::encode::serialize(tx)).map(drop)
    }

    /// Forgets everything but these, in one write.
    pub(super) fn reset<'t>(&mut self, waiting: impl Iterator<Item = &'t Transaction>) -> Result<(), SandboxError> {
        let records: Vec<u8> = waiting.flat_map(|tx| blocks::record(&elements::encode::serialize(tx))).collect();
        replace_file(&self.path, &records)?;
        self.file = BlockFile::open(&self.path, |_, _| Ok(()))?;
        Ok(())
    }
}

impl Node {
    /// Takes in again what waited when the process ended, as far as it is still valid.
    pub(crate) async fn take_up_waiting(self: &Arc<Self>) -> Result<(), SandboxError> {
        let kept = std::mem::take(&mut self.write().kept);
        for tx in kept {
            if let Err(error) = self.accept(tx).await {
                tracing::debug!(%error, "a transaction that waited is not taken any more");
            }
        }
        let node = Arc::clone(self);
        heavy(move || {
            let State { keep, mempool, .. } = &mut *node.write();
            keep.reset(mempool.iter().map(|waiting| &waiting.tx))
        })
        .await
    }
}
