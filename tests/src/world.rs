//! Opening an app on a world for tests: the sandbox, or real nodes named by a realm file.

use causeway_app::App;
use causeway_vocab::Realm;
use std::path::Path;
use std::sync::Arc;

/// The realm of `file`, or of a sandbox in `dir` that is started when it does not run yet.
///
/// The sandbox is the program `causeway-sandbox` beside the calling one.
pub async fn realm(file: Option<&Path>, dir: &Path) -> Result<Realm, String> {
    if let Some(path) = file {
        return read_realm(path);
    }
    causeway_sandbox::ensure_up(dir, |dir| {
        let program = beside("causeway-sandbox")?;
        std::process::Command::new(program)
            .arg("--dir")
            .arg(dir)
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .map(drop)
    })
    .await
    .map_err(|e| e.to_string())
}

/// Reads a realm file.
pub fn read_realm(path: &Path) -> Result<Realm, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Realm::from_toml(&text).map_err(|refusal| refusal.to_string())
}

/// A program that cargo built next to this one (test binaries live one folder deeper).
pub fn beside(name: &str) -> std::io::Result<std::path::PathBuf> {
    let own = std::env::current_exe()?;
    let candidates = own.ancestors().skip(1).take(2).map(|dir| dir.join(name));
    candidates
        .into_iter()
        .find(|path| path.exists())
        .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::NotFound, format!("{name} is not built beside {}", own.display())))
}

/// Opens the app on a realm.
pub async fn open(profile_dir: &Path, realm: Realm) -> Result<Arc<App>, String> {
    App::open(profile_dir, realm, causeway_app::Options::default()).await.map_err(|refusal| refusal.to_string())
}
