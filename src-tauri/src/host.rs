//! The running host: opens the window at once and the app beside it.

use crate::start::SERVE;
use causeway_app::App;
use causeway_contract::Failure;
use causeway_sandbox::place::{Place, World};
use std::sync::Arc;
use tauri::{Manager, RunEvent};
use tokio::sync::watch;

/// What the commands reach: the app, once it is open.
pub(crate) struct Host {
    app: watch::Receiver<Option<Result<Arc<App>, Failure>>>,
}

impl Host {
    /// The app; waits while it opens, so that a page may ask before the world is up.
    pub(crate) async fn app(&self) -> Result<Arc<App>, Failure> {
        let mut opened = self.app.clone();
        let state = opened.wait_for(Option::is_some).await.map_err(|_| Failure::new(causeway_contract::Code::Bug))?;
        state.clone().expect("BUG: waited until it is there")
    }
}

/// Runs the desktop app until its last window closes.
pub(crate) fn run(place: Place) -> Result<(), String> {
    let (opened, app) = watch::channel(None);
    let embedded = matches!(place.world, World::Embedded(_));
    let place = Arc::new(place);
    let opening = place.clone();
    // While the toolkit and the web view start, which takes longer.
    tauri::async_runtime::spawn(async move {
        let outcome = match opening.realm(SERVE).await {
            Ok(realm) => App::open(&opening.profile_dir, realm, causeway_app::Options::default()).await,
            Err(refusal) => Err(refusal),
        };
        opened.send_replace(Some(outcome));
    });
    let desktop = tauri::Builder::default()
        .plugin(tauri_plugin_window_state::Builder::default().with_denylist(&["confirm"]).build())
        .plugin(tauri_plugin_clipboard_manager::init())
        .plugin(tauri_plugin_dialog::init())
        .manage(Host { app })
        .invoke_handler(crate::commands::handler())
        .setup(|desktop| Ok(crate::windows::open_main(desktop.handle())?))
        .build(tauri::generate_context!())
        .map_err(|e| e.to_string())?;
    desktop.run(move |desktop, event| {
        if let RunEvent::Exit = event {
            let host = desktop.state::<Host>();
            let app = host.app.borrow().clone();
            let place = place.clone();
            tauri::async_runtime::block_on(async move {
                if let Some(Ok(app)) = app {
                    app.close().await;
                }
                if let (true, World::Embedded(dir)) = (embedded, &place.world)
                    && let Err(error) = causeway_sandbox::down(dir).await
                {
                    tracing::warn!(%error, "the sandbox did not go down");
                }
            });
        }
    });
    Ok(())
}
