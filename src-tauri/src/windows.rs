//! The windows and the feed each of them hears.

use crate::host::Host;
use causeway_contract::{Code, Failure, Notice, Progress, Tag};
use serde::Serialize;
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, State, WebviewUrl, WebviewWindow, WebviewWindowBuilder};
use tokio::sync::broadcast::error::RecvError;

/// Heights of the confirm window, and what panels and frames may take of a screen, logical pixels.
const CONFIRM_HEIGHT: u32 = 820;
const LEAST_CONFIRM_HEIGHT: u32 = 560;
const FRAME: u32 = 88;

/// Opens the main window.
pub(crate) fn open_main(desktop: &AppHandle) -> tauri::Result<()> {
    build(desktop, "main", "index.html".into(), |window| window.inner_size(1280.0, 820.0).min_inner_size(960.0, 640.0))
}

/// Builds a window that never leaves the app's own pages and opens no others.
fn build<'a>(
    desktop: &'a AppHandle,
    label: &str,
    page: String,
    shape: impl FnOnce(WebviewWindowBuilder<'a, tauri::Wry, AppHandle>) -> WebviewWindowBuilder<'a, tauri::Wry, AppHandle>,
) -> tauri::Result<()> {
    let window = WebviewWindowBuilder::new(desktop, label, WebviewUrl::App(page.into()))
        .title("Causeway")
        .on_navigation(|url| {
            matches!(
                (url.scheme(), url.host_str()),
                ("tauri" | "isolation", Some("localhost")) | ("http" | "https", Some("tauri.localhost"))
            )
        })
        .on_new_window(|_, _| tauri::webview::NewWindowResponse::Deny);
    shape(window).build().map(drop)
}

/// What a window hears: a notice that must not be missed, or progress that may be.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Heard {
    Notice(Notice),
    Progress(Progress),
}

/// Sends every notice and progress to the page that called, until the page is gone.
#[tauri::command]
pub(crate) async fn subscribe(host: State<'_, Host>, channel: Channel<Heard>) -> Result<(), Failure> {
    let app = host.app().await?;
    let (mut notices, mut progress) = (app.notices(), app.progress());
    tauri::async_runtime::spawn(async move {
        let mut seq = 0;
        loop {
            let heard = tokio::select! {
                notice = notices.recv() => match notice {
                    Ok(notice) => { seq += 1; Heard::Notice(Notice { seq, ..notice }) }
                    // The page was too slow: skip a number, so that it drops everything it has cached.
                    Err(RecvError::Lagged(_)) => { seq += 2; Heard::Notice(Notice { seq, tags: vec![Tag::App] }) }
                    Err(RecvError::Closed) => break,
                },
                step = progress.recv() => match step {
                    Ok(step) => Heard::Progress(step),
                    Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => break,
                },
            };
            if channel.send(heard).is_err() {
                break;
            }
        }
    });
    Ok(())
}

/// Opens the confirm window for a draft; an open one for another draft is closed first, unsigned.
#[tauri::command]
pub(crate) async fn open_confirm(desktop: AppHandle, draft: u32) -> Result<(), Failure> {
    if let Some(open) = desktop.get_webview_window("confirm") {
        open.destroy().map_err(|_| Failure::new(Code::Bug))?;
    }
    // As high as an issue with its token needs, or as a small screen allows: then the list of outputs scrolls.
    let screen = desktop.primary_monitor().ok().flatten();
    let high = screen.map_or(u32::MAX, |screen| screen.size().to_logical::<u32>(screen.scale_factor()).height);
    let height = high.saturating_sub(FRAME).clamp(LEAST_CONFIRM_HEIGHT, CONFIRM_HEIGHT);
    build(&desktop, "confirm", format!("confirm.html?draft={draft}"), |window| {
        window.inner_size(520.0, f64::from(height)).resizable(false).focused(true)
    })
    .map_err(|_| Failure::new(Code::Bug))
}

/// Closes the confirm window.
#[tauri::command]
pub(crate) async fn close_confirm(window: WebviewWindow) -> Result<(), Failure> {
    let open = window.app_handle().get_webview_window("confirm");
    open.map_or(Ok(()), |open| open.destroy()).map_err(|_| Failure::new(Code::Bug))
}
