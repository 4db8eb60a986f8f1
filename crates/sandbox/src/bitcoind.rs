//! A real bitcoind on regtest: finding it, running it, and calling it.

use crate::error::SandboxError;
use std::path::{Path, PathBuf};

/// Name of the executable.
const EXECUTABLE: &str = if cfg!(windows) { "bitcoind.exe" } else { "bitcoind" };

/// Finds a bitcoind: `chosen`, else the one `BITCOIND_EXE` names, else the one built into the user's cache
/// (`causeway/bitcoind/bin`), else the one installed beside this executable (`../lib/causeway`), else one on `PATH`.
pub fn find(chosen: Option<&Path>) -> Result<PathBuf, SandboxError> {
    let from_env = || std::env::var_os("BITCOIND_EXE").map(PathBuf::from);
    if let Some(path) = chosen.map(Path::to_owned).or_else(from_env) {
        return if path.is_file() { Ok(path) } else { Err(SandboxError::NoBitcoind) };
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .map(|cache| cache.join("causeway/bitcoind/bin").join(EXECUTABLE));
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.parent()?.join("lib/causeway").join(EXECUTABLE)));
    let on_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).map(|dir| dir.join(EXECUTABLE)).collect::<Vec<_>>());
    cache.into_iter().chain(beside).chain(on_path).find(|path| path.is_file()).ok_or(SandboxError::NoBitcoind)
}
