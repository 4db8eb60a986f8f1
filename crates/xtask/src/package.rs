//! Packages: a .deb and an .rpm; the .deb is installed, started and removed again.

use crate::shell::{Cargo, Outcome, cache_dir, finish, root, run, target_dir};
use crate::{bitcoind, machine, setup, ui};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files of the .deb that must be there after installing and gone after removing.
const INSTALLED: [&str; 4] = [
    "/usr/bin/causeway-desktop",
    "/usr/bin/causeway",
    "/usr/lib/causeway/bitcoind",
    "/usr/share/metainfo/org.causeway.desktop.metainfo.xml",
];

/// Builds both packages, then proves that the .deb installs, starts and uninstalls cleanly.
pub(crate) fn package() -> Outcome {
    setup()?;
    ui::build()?;
    Cargo::new("build").args(["--release", "--package", "causeway-desktop", "--package", "causeway-cli"]).run()?;
    run(&root().join("packaging"), "npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])?;
    bundle()?;
    let (deb, rpm) = (named("deb")?, named("rpm")?);
    println!("built {}\nbuilt {}", deb.display(), rpm.display());
    try_out(&deb)
}

/// Calls Tauri's bundler on the release build with the files that only packages carry.
fn bundle() -> Outcome {
    let packaging = root().join("packaging");
    let files = serde_json::json!({
        "/usr/bin/causeway": target_dir().join("release/causeway"),
        "/usr/lib/causeway/bitcoind": bitcoind::ensure()?,
        INSTALLED[3]: packaging.join("linux/org.causeway.desktop.metainfo.xml"),
    });
    let template = packaging.join("linux/causeway.desktop");
    let deb = serde_json::json!({
        "files": files, "desktopTemplate": template, "section": "utils",
        "recommends": ["fonts-noto-cjk", "gnome-keyring"],
    });
    let rpm = serde_json::json!({ "files": files, "desktopTemplate": template, "recommends": ["google-noto-sans-cjk-fonts"] });
    let overlay = serde_json::json!({ "bundle": { "linux": { "deb": deb, "rpm": rpm } } });
    let overlay_path = cache_dir().join("bundle.json");
    std::fs::write(&overlay_path, overlay.to_string()).map_err(|e| format!("{}: {e}", overlay_path.display()))?;
    let mut tauri = Command::new(packaging.join("node_modules/.bin/tauri"));
    tauri.current_dir(root().join("src-tauri")).env("CARGO_TARGET_DIR", target_dir());
    finish(tauri.args(["bundle", "--bundles", "deb,rpm", "--config"]).arg(overlay_path))
}

/// What a package of this kind for this machine is called: by this name a release vouches for it, and `causeway update` finds it.
fn release_name(kind: &str) -> String {
    format!("causeway-{}-{}-{}.{kind}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH)
}

/// The package that was just built, under its name.
fn named(kind: &str) -> Outcome<PathBuf> {
    let (built, path) = (newest(kind)?, target_dir().join("release/bundle").join(release_name(kind)));
    std::fs::copy(&built, &path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(path)
}

fn newest(kind: &str) -> Outcome<PathBuf> {
    let folder = target_dir().join("release/bundle").join(kind);
    let entries = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let files = entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.extension().is_some_and(|e| e == kind));
    files.max_by_key(|p| p.metadata().and_then(|m| m.modified()).ok()).ok_or_else(|| format!("no .{kind} was built"))
}

/// Installs the .deb, checks its files and desktop entry, starts it in a display of its own until its window and its sandbox are there, and
/// removes it.
fn try_out(deb: &Path) -> Outcome {
    let deb = deb.to_str().ok_or("the package's path is not text")?;
    machine::apt(&["install", "-y", "-q", "--reinstall", deb])?;
    let outcome = started();
    machine::apt(&["purge", "-y", "-q", "causeway"])?;
    outcome?;
    match INSTALLED.iter().find(|path| Path::new(path).exists()) {
        Some(left) => Err(format!("{left} is still there after removing the package")),
        None => {
            println!("the package installs, starts and uninstalls cleanly");
            Ok(())
        }
    }
}

fn started() -> Outcome {
    if let Some(missing) = INSTALLED.iter().find(|path| !Path::new(path).exists()) {
        return Err(format!("{missing} was not installed"));
    }
    run(Path::new("/"), "desktop-file-validate", &["/usr/share/applications/Causeway.desktop"])?;
    let trial = cache_dir().join("package-trial");
    // An empty home: what answers must come from the package, not from what was built here.
    let script = r#"
        set -e
        rm -rf "$1" && mkdir -p "$1/home"
        export HOME="$1/home" XDG_CACHE_HOME="$1/home/.cache"
        unset BITCOIND_EXE CAUSEWAY_CACHE XDG_CONFIG_HOME XDG_DATA_HOME
        trap 'causeway sandbox down --profile "$1/profile" > /dev/null || true; rm -rf "$1"' EXIT
        xvfb-run -a dbus-run-session -- bash -ec '
            causeway-desktop --profile "$0" & app=$!
            trap "kill $app; wait $app || true" EXIT
            timeout 60 xdotool search --sync --onlyvisible --name "^Causeway$" > /dev/null
            timeout 90 bash -c "until causeway sandbox params --profile \"\$0\" > /dev/null 2>&1; do sleep 1; done" "$0"
            pgrep -f "^/usr/lib/causeway/bitcoind .*$0/" > /dev/null' "$1/profile"
    "#;
    finish(Command::new("bash").args(["-c", script, "trial"]).arg(trial))
}

#[cfg(test)]
mod tests {
    use super::release_name;

    #[test]
    fn a_package_is_named_for_its_version_and_its_machine() {
        let name = release_name("deb");
        assert!(name.starts_with(concat!("causeway-", env!("CARGO_PKG_VERSION"), "-")), "{name}");
        assert!(name.ends_with(&format!("-{}-{}.deb", std::env::consts::OS, std::env::consts::ARCH)), "{name}");
    }
}
