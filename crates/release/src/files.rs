//! Files that are there whole or not at all.

use crate::Outcome;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Largest text that is read.
const MOST_BYTES: u64 = 1 << 20;

/// Says of a failure where it happened.
pub(crate) fn failed(path: &Path) -> impl Fn(std::io::Error) -> String {
    let path = path.display().to_string();
    move |error| format!("{path}: {error}")
}

/// Reads a text of at most a mebibyte.
pub(crate) fn read(path: &Path) -> Outcome<String> {
    let mut text = String::new();
    let file = File::open(path).map_err(failed(path))?;
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(failed(path))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(format!("{}: larger than any file of ours", path.display()));
    }
    Ok(text)
}

/// Writes a file that must not exist yet, for these eyes (`0o600` or `0o644`).
pub(crate) fn create(path: &Path, text: &str, mode: u32) -> Outcome {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(failed(path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed(path))?;
    sync_folder(path)
}

/// Replaces a file.
pub(crate) fn replace(path: &Path, text: &str) -> Outcome {
    let mut name = path.file_name().ok_or_else(|| format!("{}: no file", path.display()))?.to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let mut file = File::create(&fresh).map_err(failed(&fresh))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed(&fresh))?;
    std::fs::rename(&fresh, path).map_err(failed(path))?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> Outcome {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
}
