//! How this program starts: which arguments serve the embedded sandbox, and what the web view must be told before it is loaded.

use std::path::Path;

/// The arguments with which this program serves the sandbox of the directory that follows them.
pub(crate) const SERVE: &[&str] = &["--sandbox-serve"];

/// Runs the embedded sandbox until it is told to go down.
pub(crate) fn serve_sandbox(dir: &Path) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    runtime.block_on(causeway_sandbox::serve(dir, causeway_sandbox::Options::default())).map_err(|e| e.to_string())
}

/// What a machine without a graphics card has nothing to offer for. Without these the toolkit and the web view both load the software
/// renderer and its compiler into this process, 25 MB, to look for a card that is not there.
#[cfg(target_os = "linux")]
const WITHOUT_CARD: [(&str, &str); 3] = [
    // The web view's path through graphics memory.
    ("WEBKIT_DISABLE_DMABUF_RENDERER", "1"),
    // The search for a card, which asks the drawing library: a device is named, and it is none.
    ("WEBKIT_WEB_RENDER_DEVICE_FILE", "/dev/null"),
    // The toolkit's choice of visuals that a card could draw on.
    ("GDK_GL", "disable"),
];

/// On a machine without a graphics card, tells the web view and the toolkit so. What the environment says already stays. Call it first of
/// all, while the process has one thread.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub(crate) fn suit_display() {
    let renders = |node: std::io::Result<std::fs::DirEntry>| {
        node.is_ok_and(|node| node.file_name().to_string_lossy().starts_with("renderD"))
    };
    if std::fs::read_dir("/dev/dri").is_ok_and(|mut nodes| nodes.any(renders)) {
        return;
    }
    for (name, value) in WITHOUT_CARD.iter().filter(|(name, _)| std::env::var_os(name).is_none()) {
        // SAFETY: the caller has started no thread yet, so nobody reads the environment meanwhile.
        unsafe { std::env::set_var(name, value) };
    }
}

/// Elsewhere the web view is the system's own.
#[cfg(not(target_os = "linux"))]
pub(crate) fn suit_display() {}
