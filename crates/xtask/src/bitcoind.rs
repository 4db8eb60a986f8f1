//! The sandbox's bitcoind: found, or built once from the source that a registry package vendors.

use crate::shell::{Outcome, cache_dir, finish, read, root};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Everything the sandbox does not use is off; without the last option a missing data file stops the build.
const OPTIONS: &[&str] = &[
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_DAEMON=ON",
    "-DBUILD_CLI=OFF",
    "-DBUILD_TESTS=OFF",
    "-DBUILD_BENCH=OFF",
    "-DENABLE_WALLET=OFF",
    "-DENABLE_IPC=OFF",
    "-DBUILD_TX=OFF",
    "-DBUILD_UTIL=OFF",
    "-DBUILD_WALLET_TOOL=OFF",
    "-DBUILD_BITCOIN_BIN=OFF",
    "-DENABLE_EXTERNAL_SIGNER=OFF",
    "-DWITH_EMBEDDED_ASMAP=OFF",
];

/// Path of a bitcoind: `BITCOIND_EXE`, the cache, `PATH`, or freshly built into the cache (about five minutes on two cores).
pub(crate) fn ensure() -> Outcome<PathBuf> {
    if let Some(given) = std::env::var_os("BITCOIND_EXE").map(PathBuf::from) {
        return if given.exists() {
            Ok(given)
        } else {
            Err(format!("BITCOIND_EXE names {}, which is not there", given.display()))
        };
    }
    let cached = cache_dir().join("bitcoind/bin/bitcoind");
    let on_path = std::env::var_os("PATH")
        .and_then(|path| std::env::split_paths(&path).map(|dir| dir.join("bitcoind")).find(|candidate| candidate.is_file()));
    match on_path {
        _ if cached.exists() => Ok(cached),
        Some(found) => Ok(found),
        None => build(&cached).map(|()| cached),
    }
}

/// Builds beside the final place and renames, so that a build that was interrupted is never mistaken for a finished one.
fn build(into: &Path) -> Outcome {
    println!("building bitcoind once (about five minutes on two cores)");
    let source = source()?;
    let build_dir = cache_dir().join("bitcoind/build");
    std::fs::create_dir_all(&build_dir).map_err(|e| format!("{}: {e}", build_dir.display()))?;
    finish(Command::new("cmake").arg("-S").arg(&source).arg("-B").arg(&build_dir).args(OPTIONS))?;
    let jobs = std::thread::available_parallelism().map_or(2, |n| n.get()).to_string();
    finish(Command::new("cmake").arg("--build").arg(&build_dir).args(["--target", "bitcoind", "-j", &jobs]))?;
    let built = build_dir.join("bin/bitcoind");
    let parent = into.parent().ok_or("BUG: the cache path has a parent")?;
    let half_way = parent.join("bitcoind.new");
    let place = || -> std::io::Result<()> {
        std::fs::create_dir_all(parent)?;
        std::fs::copy(&built, &half_way)?;
        std::fs::rename(&half_way, into)?;
        std::fs::remove_dir_all(&build_dir)
    };
    place().map_err(|e| format!("placing {}: {e}", into.display()))
}

/// Where cargo unpacked the vendored source.
fn source() -> Outcome<PathBuf> {
    let manifest = root().join("packaging/bitcoind/Cargo.toml");
    let manifest = manifest.to_str().ok_or("the checkout's path is not text")?;
    let metadata = read("cargo", &["metadata", "--format-version", "1", "--locked", "--manifest-path", manifest])?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata).map_err(|e| format!("cargo metadata: {e}"))?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let package =
        packages.iter().find(|p| p["name"] == "libbitcoinkernel-sys").ok_or("the source package is not in the lock file")?;
    let manifest = package["manifest_path"].as_str().ok_or("cargo metadata gives no path")?;
    Ok(Path::new(manifest).with_file_name("bitcoin"))
}
