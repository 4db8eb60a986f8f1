//! What the machine must have: Debian packages, the WebDriver bridge, cargo-deny.

use crate::shell::{Cargo, Outcome, cache_dir, finish, run};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Debian and Ubuntu packages, each with what needs it.
const PACKAGES: &[&str] = &[
    // building: C code of dependencies, the linker, bitcoind
    "build-essential",
    "cmake",
    "libboost-dev",
    "libevent-dev",
    "mold",
    "pkgconf",
    // the desktop app
    "libayatana-appindicator3-dev",
    "libgtk-3-dev",
    "librsvg2-dev",
    "libwebkit2gtk-4.1-dev",
    "libxdo-dev",
    "fonts-noto-cjk",
    // the native window, also where there is no graphics card
    "libgl1-mesa-dri",
    "libegl1",
    "libxkbcommon-x11-0",
    // the real window in tests
    "dbus-x11",
    "webkit2gtk-driver",
    "xauth",
    "xdotool",
    "xvfb",
    // packaging
    "desktop-file-utils",
];

/// The WebDriver bridge for Tauri 2.
const TAURI_DRIVER: &str = "2.1.0";
const CARGO_DENY: &str = "0.20.2";

/// Installs missing packages through apt; says what to install by hand on other systems.
pub(crate) fn install_packages() -> Outcome {
    let installed = |name: &&&str| {
        let query = Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", name]).stderr(Stdio::null()).output();
        query.is_ok_and(|o| o.stdout == b"installed")
    };
    let missing: Vec<&str> = PACKAGES.iter().filter(|name| !installed(name)).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    if Command::new("apt-get").arg("--version").stdout(Stdio::null()).status().is_err() {
        return Err(format!("this system has no apt; install the equivalents of: {}", missing.join(" ")));
    }
    println!("installing {}", missing.join(" "));
    apt(&["update", "-q"])?;
    apt(&[&["install", "-y", "-q", "--no-install-recommends"], &missing[..]].concat())
}

pub(crate) fn apt(args: &[&str]) -> Outcome {
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.trim_ascii() == b"0");
    let mut command = if root { Command::new("apt-get") } else { Command::new("sudo") };
    if !root {
        command.arg("apt-get");
    }
    finish(command.args(args).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Path of a tool that `cargo install` put into the cache, installing it when it is not there.
fn tool(name: &str, version: &str) -> Outcome<PathBuf> {
    let root = cache_dir().join("tools").join(format!("{name}-{version}"));
    let path = root.join("bin").join(name);
    if !path.exists() {
        Cargo::new("install")
            .args([name, "--version", version, "--locked", "--quiet", "--root"])
            .arg(&root)
            .env("CARGO_TARGET_DIR", cache_dir().join("tools-target"))
            .run()?;
    }
    Ok(path)
}

/// Installs tauri-driver.
pub(crate) fn install_driver() -> Outcome<PathBuf> {
    tool("tauri-driver", TAURI_DRIVER)
}

/// Runs cargo-deny: bans, licences, sources. The advisory database is not asked, because it is no registry package.
pub(crate) fn deny(root: &Path) -> Outcome {
    let path = tool("cargo-deny", CARGO_DENY)?;
    run(root, path, &["--workspace", "--log-level", "error", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"])
}
