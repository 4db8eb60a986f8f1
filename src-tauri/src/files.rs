//! Files and the clipboard. Pages name no paths: the host or the user's own dialog chooses them.

use causeway_contract::{Code, Failure, TextFile};
use serde::Serialize;
use std::path::PathBuf;
use tauri::{AppHandle, Manager};
use tauri_plugin_clipboard_manager::ClipboardExt;
use tauri_plugin_dialog::DialogExt;

/// Longest text file that is read.
const MOST_BYTES: u64 = 4 << 20;

/// Where a file was saved.
#[derive(Serialize)]
pub(crate) struct Saved {
    path: String,
}

/// Saves a text into the user's download folder under a name that is not taken yet; readable by the user alone.
#[tauri::command]
pub(crate) async fn save_file(desktop: AppHandle, name: String, text: String) -> Result<Saved, Failure> {
    let failed = |_| Failure::new(Code::DiskFailed);
    let dir = desktop.path().download_dir().or_else(|_| desktop.path().home_dir()).map_err(|_| Failure::new(Code::DiskFailed))?;
    std::fs::create_dir_all(&dir).map_err(failed)?;
    let path = save_new(&dir, &name, &text).map_err(failed)?;
    Ok(Saved { path: path.display().to_string() })
}

fn save_new(dir: &std::path::Path, name: &str, text: &str) -> std::io::Result<PathBuf> {
    use std::io::Write;
    let safe: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    let (stem, ending) = safe.trim_start_matches('.').rsplit_once('.').map_or((safe.as_str(), ""), |(s, e)| (s, e));
    for n in 0..1000_u32 {
        let number = if n == 0 { String::new() } else { format!("-{n}") };
        let path = dir.join(format!("{stem}{number}.{ending}"));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                return Ok(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

/// Puts a text on the clipboard. Pages cannot read it back.
#[tauri::command]
pub(crate) async fn copy_text(desktop: AppHandle, text: String) -> Result<(), Failure> {
    desktop.clipboard().write_text(text).map_err(|_| Failure::new(Code::Bug))
}

/// Lets the user choose a text file and returns its content, or nothing when the dialog was closed.
#[tauri::command]
pub(crate) async fn choose_text_file(desktop: AppHandle) -> Result<Option<TextFile>, Failure> {
    let Some(path) = desktop.dialog().file().blocking_pick_file().and_then(|f| f.into_path().ok()) else { return Ok(None) };
    let size = std::fs::metadata(&path).map_err(|_| Failure::new(Code::DiskFailed))?.len();
    if size > MOST_BYTES {
        return Err(Failure::new(Code::BadRequest).with("field", "size"));
    }
    let text = std::fs::read_to_string(&path).map_err(|_| Failure::new(Code::BadRequest).with("field", "text"))?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Some(TextFile { name, text }))
}
