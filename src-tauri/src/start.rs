//! How this program starts: which arguments serve the embedded sandbox, and what the web view must be told before it is loaded.

use std::path::Path;

/// The arguments with which this program serves the sandbox of the directory that follows them.
pub(crate) const SERVE: &[&str] = &["--sandbox-serve"];

/// Runs the embedded sandbox until it is told to go down.
pub(crate) fn serve_sandbox(dir: &Path) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    runtime.block_on(causeway_sandbox::serve(dir, causeway_sandbox::Options::default())).map_err(|e| e.to_string())
}

/// On a machine without a graphics card, starts this program anew with the web view's path through graphics memory switched off: it has
/// nothing to offer there and takes a hundred megabytes.
///
/// Returns where there is a card, where the environment says already, and where the program cannot be started anew.
#[cfg(target_os = "linux")]
pub(crate) fn suit_display() {
    use std::os::unix::process::CommandExt as _;
    const SWITCH: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    let renders = |node: std::io::Result<std::fs::DirEntry>| {
        node.is_ok_and(|node| node.file_name().to_string_lossy().starts_with("renderD"))
    };
    let card = std::fs::read_dir("/dev/dri").is_ok_and(|mut nodes| nodes.any(renders));
    if card || std::env::var_os(SWITCH).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    // The same process goes on as the new program; whoever started it notices nothing.
    let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).env(SWITCH, "1").exec();
    tracing::warn!(%error, "the program could not be started anew for a machine without a graphics card");
}

/// Elsewhere the web view is the system's own.
#[cfg(not(target_os = "linux"))]
pub(crate) fn suit_display() {}
