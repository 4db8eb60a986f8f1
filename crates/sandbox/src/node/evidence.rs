//! Proofs of double signatures, kept and told to everybody who connects.

use crate::error::SandboxError;
use crate::world::replace_file;
use causeway_federation::DoubleSign;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tokio::sync::broadcast;

/// Most proofs kept: one is enough to stop.
const MOST: usize = 32;

/// The proofs, each also in a file of its own.
pub(crate) struct Evidence {
    dir: PathBuf,
    known: Mutex<Vec<Vec<u8>>>,
    told: broadcast::Sender<Vec<u8>>,
}

impl Evidence {
    pub(super) fn open(dir: &Path) -> Result<Evidence, SandboxError> {
        let io = || SandboxError::io(format!("reading {}", dir.display()));
        std::fs::create_dir_all(dir).map_err(io())?;
        let mut known = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(io())?.take(MOST) {
            let bytes = std::fs::read(entry.map_err(io())?.path()).map_err(io())?;
            if DoubleSign::from_bytes(&bytes).is_ok_and(|proof| proof.verify()) {
                known.push(bytes);
            }
        }
        Ok(Evidence { dir: dir.to_owned(), known: Mutex::new(known), told: broadcast::Sender::new(MOST) })
    }

    /// Keeps a proof that was found to hold, and tells everybody.
    pub(crate) fn add(&self, proof: &DoubleSign) -> Result<(), SandboxError> {
        let bytes = proof.to_bytes();
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.contains(&bytes) || known.len() >= MOST {
                return Ok(());
            }
            known.push(bytes.clone());
        }
        replace_file(&self.dir.join(format!("{}-{}.bin", proof.height(), proof.key)), &bytes)?;
        // Nobody need be listening.
        let _ = self.told.send(bytes);
        Ok(())
    }

    /// What is known now, and what comes.
    pub(crate) fn watch(&self) -> (Vec<Vec<u8>>, broadcast::Receiver<Vec<u8>>) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        (known.clone(), self.told.subscribe())
    }
}
