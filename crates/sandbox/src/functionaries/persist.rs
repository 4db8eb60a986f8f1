//! States that a functionary must not forget, as files that are replaced whole.

use crate::error::SandboxError;
use crate::world::replace_file;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Reads what was last saved; `None` when nothing ever was. A damaged file is an error and never a fresh start, because a member that
/// forgot what it signed could sign something else.
pub(super) fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, SandboxError> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|e| SandboxError::Damaged { path: path.to_owned(), why: e.to_string() }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(SandboxError::io(format!("reading {}", path.display()))(e)),
    }
}

/// Saves; on disk when this returns.
pub(super) async fn save(path: &Path, state: &impl Serialize) -> Result<(), SandboxError> {
    let bytes = serde_json::to_vec(state).expect("BUG: every state is JSON");
    let path = path.to_owned();
    crate::node::heavy(move || replace_file(&path, &bytes)).await
}
