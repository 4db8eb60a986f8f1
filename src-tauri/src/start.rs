//! How this program starts: which arguments serve the embedded sandbox.

use std::path::Path;

/// The arguments with which this program serves the sandbox of the directory that follows them.
pub(crate) const SERVE: &[&str] = &["--sandbox-serve"];

/// Runs the embedded sandbox until it is told to go down.
pub(crate) fn serve_sandbox(dir: &Path) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    runtime.block_on(causeway_sandbox::serve(dir, causeway_sandbox::Options::default())).map_err(|e| e.to_string())
}
