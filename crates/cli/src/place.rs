//! Opening the profile.

use crate::{Place, Why};
use causeway_app::App;
use causeway_sandbox::place;
use std::path::PathBuf;
use std::sync::Arc;

/// The arguments with which this program serves the sandbox of the directory that follows them.
pub(crate) const SERVE: &[&str] = &["sandbox", "serve"];

impl Place {
    fn found(&self) -> place::Place {
        place::Place::find(self.profile.clone(), self.realm.clone())
    }

    /// Where the embedded sandbox of this profile lives.
    pub(crate) fn world_dir(&self) -> PathBuf {
        self.found().world_dir()
    }
}

/// Opens the profile's app; the embedded sandbox is brought up first when the profile lives there.
pub(crate) async fn open(place: &Place) -> Result<Arc<App>, Why> {
    let found = place.found();
    let realm = found.realm(SERVE).await?;
    Ok(App::open(&found.profile_dir, realm, causeway_app::Options::default()).await?)
}
