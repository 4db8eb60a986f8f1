//! Opening the profile.

use crate::{Place, Why};
use causeway_app::App;
use causeway_vocab::Realm;
use std::path::PathBuf;
use std::sync::Arc;

impl Place {
    /// The profile directory: as given, or the sandbox's under the user's data directory.
    pub(crate) fn profile_dir(&self) -> PathBuf {
        let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".local/share");
        self.profile.clone().unwrap_or_else(|| data.unwrap_or_else(home).join("causeway/sandbox"))
    }

    /// Where the embedded sandbox of this profile lives.
    pub(crate) fn world_dir(&self) -> PathBuf {
        self.profile_dir().join("world")
    }

    async fn realm(&self) -> Result<Realm, Why> {
        let own = self.profile_dir().join("realm.toml");
        let file = self.realm.clone().or_else(|| own.exists().then_some(own));
        match file {
            Some(path) => {
                let text = std::fs::read_to_string(&path).map_err(|e| Why::Said(format!("{}: {e}", path.display())))?;
                Ok(Realm::from_toml(&text)?)
            }
            None => crate::sandbox::up(&self.world_dir()).await,
        }
    }
}

/// Opens the profile's app; the embedded sandbox is brought up first when the profile lives there.
pub(crate) async fn open(place: &Place) -> Result<Arc<App>, Why> {
    let realm = place.realm().await?;
    Ok(App::open(&place.profile_dir(), realm, causeway_app::Options::default()).await?)
}
