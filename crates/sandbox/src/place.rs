//! Where a profile lives, and which world it belongs to: the same for every host.

use crate::SandboxError;
use crate::lifecycle::ensure_up;
use causeway_vocab::{Code, Realm, Refusal};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The directories of one start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The profile.
    pub profile_dir: PathBuf,
    /// Where its realm comes from.
    pub world: World,
}

/// Where a realm comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum World {
    /// A file that names peers and parameters.
    File(PathBuf),
    /// The private network in this directory, which the program runs itself.
    Embedded(PathBuf),
}

impl Place {
    /// What is given wins; a profile that holds `realm.toml` keeps its realm; everything else is the embedded sandbox. Without a profile
    /// directory it is `causeway/sandbox` under the user's data directory.
    pub fn find(profile: Option<PathBuf>, realm: Option<PathBuf>) -> Place {
        let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
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

    /// The directory of the embedded sandbox, whether or not the profile belongs to it.
    pub fn world_dir(&self) -> PathBuf {
        self.profile_dir.join("world")
    }

    /// The realm, with its world up. `serve` are the arguments with which this program serves the sandbox of the directory that follows them.
    ///
    /// Refused with `BadRealm` (`field`: what is wrong, or the file that cannot be read) and `NoPeers` when the sandbox does not come up.
    pub async fn realm(&self, serve: &[&str]) -> Result<Realm, Refusal> {
        match &self.world {
            World::File(path) => {
                let text = std::fs::read_to_string(path);
                Realm::from_toml(&text.map_err(|_| Refusal::new(Code::BadRealm).with("field", path.display()))?)
            }
            World::Embedded(dir) => up(dir, serve).await.map_err(|error| {
                tracing::error!(%error, "the sandbox did not come up");
                Code::NoPeers.into()
            }),
        }
    }
}

/// The sandbox of `dir`, brought up by this program when it does not run. It outlives this program.
pub async fn up(dir: &Path, serve: &[&str]) -> Result<Realm, SandboxError> {
    let launch = |dir: &Path| {
        let mut process = Command::new(std::env::current_exe()?);
        process.args(serve.iter().map(OsStr::new)).arg(dir).stdin(Stdio::null()).stdout(Stdio::null());
        // A group of its own: stopping this program with Ctrl-C must not stop the world.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut process, 0);
        process.spawn().map(drop)
    };
    ensure_up(dir, launch).await
}

#[cfg(test)]
mod tests {
    use super::{Place, World};

    #[test]
    fn a_profile_keeps_its_realm_unless_another_is_given() {
        let dir = tempfile::tempdir().expect("a folder");
        let profile = dir.path().to_owned();
        let found = Place::find(Some(profile.clone()), None);
        assert_eq!(found.world, World::Embedded(found.world_dir()));
        assert_eq!(found.profile_dir, profile);
        let own = profile.join("realm.toml");
        std::fs::write(&own, "").expect("written");
        assert_eq!(Place::find(Some(profile.clone()), None).world, World::File(own));
        let other = profile.join("other.toml");
        assert_eq!(Place::find(Some(profile), Some(other.clone())).world, World::File(other));
    }
}
