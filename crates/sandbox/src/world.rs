//! What a sandbox keeps of itself on disk.

use std::path::Path;

/// Whether a process serves this directory.
pub(crate) fn is_locked(dir: &Path) -> bool {
    std::fs::File::open(dir.join("lock")).is_ok_and(|lock| matches!(lock.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
}
