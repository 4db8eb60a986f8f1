//! Where the profile lives, which realm it belongs to, and how its world is brought up.

use causeway_vocab::{Code, Realm, Refusal};
use std::path::{Path, PathBuf};

/// The directories of one start.
pub(crate) struct Place {
    /// The profile.
    pub(crate) profile_dir: PathBuf,
    /// A realm file, or the embedded sandbox's directory.
    pub(crate) world: World,
}

/// Where the realm comes from.
pub(crate) enum World {
    /// A file that names peers and parameters.
    File(PathBuf),
    /// The private network that this program runs itself.
    Embedded(PathBuf),
}

impl Place {
    /// Explicit arguments win; a profile that holds `realm.toml` keeps its realm; everything else is the embedded sandbox.
    pub(crate) fn find(profile: Option<PathBuf>, realm: Option<PathBuf>) -> Self {
        let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".local/share");
        let profile_dir = profile.unwrap_or_else(|| data.unwrap_or_else(home).join("causeway/sandbox"));
        let own = profile_dir.join("realm.toml");
        let world = match realm {
            Some(file) => World::File(file),
            None if own.exists() => World::File(own),
            None => World::Embedded(profile_dir.join("world")),
        };
        Place { profile_dir, world }
    }

    /// The realm, with its world up. The embedded one is launched as a process of its own, so that it outlives a crash of this one.
    pub(crate) async fn realm(&self) -> Result<Realm, Refusal> {
        match &self.world {
            World::File(path) => {
                let text =
                    std::fs::read_to_string(path).map_err(|_| Refusal::new(Code::BadRealm).with("field", path.display()))?;
                Realm::from_toml(&text)
            }
            World::Embedded(dir) => causeway_sandbox::ensure_up(dir, |dir| {
                let program = std::env::current_exe()?;
                std::process::Command::new(program)
                    .arg("--sandbox-serve")
                    .arg(dir)
                    .stdin(std::process::Stdio::null())
                    .spawn()
                    .map(drop)
            })
            .await
            .map_err(|error| {
                tracing::error!(%error, "the sandbox did not come up");
                Refusal::new(Code::NoPeers)
            }),
        }
    }
}

/// Runs the embedded sandbox until it is told to go down.
pub(crate) fn serve_sandbox(dir: &Path) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    runtime.block_on(causeway_sandbox::serve(dir, causeway_sandbox::Options::default())).map_err(|e| e.to_string())
}
