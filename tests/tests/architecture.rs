//! The invariants of docs/architecture.md, each as a test named after its sentence.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const MIDDLE: [&str; 8] = ["journal", "keys", "bitcoin-wallet", "sidechain", "federation", "staking", "colored", "channels"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the root").to_owned()
}

/// Normal dependencies of each crate of ours, by folder name, read from the manifests.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let mut arrows = BTreeMap::new();
    let folders = std::fs::read_dir(root().join("crates")).expect("crates/").map(|e| e.expect("an entry").path());
    for folder in folders.chain([root().join("src-tauri")]) {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        let normal = manifest.split("\n[").filter(|section| section.starts_with("dependencies]")).flat_map(str::lines);
        let ours = normal.filter_map(|line| line.strip_prefix("causeway-")?.split(['.', ' ', '=']).next().map(str::to_owned));
        arrows.insert(name, ours.collect());
    }
    arrows
}

/// Every Rust file below a folder, as text without comments.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            found.push((path, code.collect::<Vec<_>>().join("\n")));
        }
    }
    found
}

/// Code of the product, without tests: modules declared under `#[cfg(test)]`, in their own files or inline, do not count.
fn product(name: &str) -> Vec<(PathBuf, String)> {
    let mut files = sources(&root().join("crates").join(name).join("src"));
    let mut of_tests = BTreeSet::new();
    for (path, text) in &files {
        let stem = path.file_stem().expect("a name").to_string_lossy();
        let own = if matches!(&*stem, "lib" | "mod" | "main") { path.with_file_name("") } else { path.with_extension("") };
        for (at, _) in text.match_indices("#[cfg(test)]") {
            let line = text[at..].lines().nth(1).unwrap_or_default().trim_start_matches("pub(crate) ").trim_start_matches("pub ");
            if let Some(module) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
                of_tests.extend([own.join(module), own.join(module).with_extension("rs")]);
            }
        }
    }
    files.retain(|(path, _)| !of_tests.iter().any(|test| path.starts_with(test)));
    for (_, text) in &mut files {
        if let Some(at) = text.find("#[cfg(test)]\nmod tests {") {
            text.truncate(at);
        }
    }
    files
}

/// Places where any of `words` stands.
fn places(files: &[(PathBuf, String)], words: &[&str]) -> Vec<String> {
    let hits = files.iter().flat_map(|(path, text)| {
        words.iter().filter(|word| text.contains(**word)).map(move |word| format!("{}: {word}", path.display()))
    });
    hits.collect()
}

#[test]
fn arrows_between_crates_go_down_only() {
    let middle = ["vocab", "journal"];
    let rim = ["vocab", "journal", "keys", "bitcoin-wallet", "sidechain", "federation", "staking", "colored", "channels"];
    let allowed: BTreeMap<&str, Vec<&str>> = BTreeMap::from([
        ("vocab", vec![]),
        ("journal", vec!["vocab"]),
        ("keys", middle.to_vec()),
        ("bitcoin-wallet", middle.to_vec()),
        ("sidechain", middle.to_vec()),
        ("federation", middle.to_vec()),
        ("colored", vec!["vocab"]),
        ("staking", vec!["vocab"]),
        ("channels", vec!["vocab"]),
        ("peers", rim.to_vec()),
        ("store", rim.to_vec()),
        ("sandbox", rim.to_vec()),
        ("contract", vec!["vocab"]),
        ("app", [&rim[..], &["peers", "store", "contract"]].concat()),
        ("cli", vec!["app", "contract", "sandbox", "vocab"]),
        ("release", vec!["federation", "sidechain"]),
        ("src-tauri", vec!["app", "contract", "sandbox", "keys", "vocab"]),
        ("xtask", vec![]),
    ]);
    for (name, uses) in arrows() {
        let may = allowed.get(name.as_str()).unwrap_or_else(|| panic!("crate {name} has no place in the house"));
        for used in uses {
            assert!(may.contains(&used.as_str()), "{name} -> {used} goes up or sideways");
        }
    }
}

/// Whoever writes a file that must outlive a power cut syncs it and its folder; the rest is told here.
#[test]
fn files_that_must_last_are_written_by_functions_that_sync() {
    let lasting = ["app", "store", "keys", "peers", "sandbox", "release"];
    // A report of a defect may be lost.
    let may_be_lost = ["app/src/report.rs"];
    for (path, text) in lasting.iter().flat_map(|name| product(name)) {
        let writes = ["std::fs::write(", "std::fs::rename(", "File::create("].iter().any(|call| text.contains(call));
        let empty =
            text.contains("File::create(dir.join(\"lock\"))") || text.contains("File::create(datadir.join(\"stderr.log\"))");
        let spared = may_be_lost.iter().any(|end| path.ends_with(end)) || empty && !text.contains("fs::rename(");
        if writes && !spared {
            assert!(text.matches("sync_all()").count() >= 1, "{} writes and does not sync", path.display());
        }
        // A rename is on disk only once its folder is.
        let renames = text.matches("fs::rename(").count();
        assert!(
            renames == 0 || text.contains("parent") && text.contains("sync_all()") || text.contains("File::open(dir)"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn middle_crates_touch_no_world() {
    let world = [
        "std::net",
        "std::fs",
        "std::env",
        "std::thread",
        "std::process",
        "std::time::Instant",
        "SystemTime",
        "tokio",
        "rusqlite",
        "reqwest",
        "async fn",
        "OsRng",
        "thread_rng",
    ];
    for name in MIDDLE {
        let files = product(name);
        assert!(!files.is_empty(), "{name} has no sources");
        assert_eq!(places(&files, &world), Vec::<String>::new(), "{name} touches the world");
    }
}

#[test]
fn only_store_knows_sql_and_only_peers_and_sandbox_open_sockets() {
    for name in MIDDLE.into_iter().chain(["vocab", "peers", "sandbox", "contract", "app", "cli"]) {
        assert_eq!(places(&product(name), &["rusqlite"]), Vec::<String>::new(), "{name} knows SQL");
    }
    for name in ["vocab", "store", "contract", "app", "cli"] {
        assert_eq!(
            places(&product(name), &["TcpStream", "TcpListener", "UdpSocket", "reqwest"]),
            Vec::<String>::new(),
            "{name} opens sockets"
        );
    }
}

#[test]
fn no_capability_grants_a_permission_of_the_framework() {
    let folder = root().join("src-tauri/capabilities");
    let mut windows = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("capabilities/") {
        let path = entry.expect("an entry").path();
        let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("text")).expect("JSON");
        let permissions = file["permissions"].as_array().expect("a list");
        assert!(permissions.iter().all(|p| p.as_str().is_some_and(|p| p.starts_with("allow-") && !p.contains(':'))), "{path:?}");
        windows.extend(file["windows"].as_array().expect("a list").iter().map(|w| w.as_str().expect("a label").to_owned()));
    }
    assert_eq!(windows.into_iter().collect::<Vec<_>>(), ["confirm", "main"]);
}

#[test]
fn the_content_policy_allows_no_remote_inline_or_evaluated_code() {
    let text = std::fs::read_to_string(root().join("src-tauri/tauri.conf.json")).expect("the configuration");
    let config: Value = serde_json::from_str(&text).expect("JSON");
    let security = &config["app"]["security"];
    assert_eq!(security["csp"]["script-src"], "'self'");
    assert_eq!(security["csp"]["default-src"], "'none'");
    for (directive, sources) in security["csp"].as_object().expect("a policy") {
        for forbidden in ["unsafe", "data:", "blob:", "https:", "*"] {
            assert!(!sources.as_str().expect("text").contains(forbidden), "{directive} allows {forbidden}");
        }
    }
    assert_eq!(security["pattern"]["use"], "isolation");
    assert_eq!(security["freezePrototype"], true);
    assert_eq!(config["app"]["withGlobalTauri"], false);
}

#[test]
fn secret_types_implement_neither_debug_nor_clone_nor_serialize() {
    let secret = ["Secret", "Seed", "Recovery", "SigningKeys", "KeyringKey", "OpenVault", "Words", "EotsKey", "SecretNonce"];
    let mut seen = BTreeSet::new();
    for (path, text) in product("keys").into_iter().chain(product("staking")) {
        for name in secret {
            let Some(at) = text
                .find(&format!("pub struct {name}"))
                .filter(|at| !text[at + 11 + name.len()..].starts_with(|c: char| c.is_alphanumeric()))
            else {
                continue;
            };
            seen.insert(name);
            let attributes: String =
                text[..at].lines().rev().take_while(|l| l.trim_start().starts_with('#') || l.trim().is_empty()).collect();
            for forbidden in ["Debug", "Clone", "Serialize"] {
                assert!(!attributes.contains(forbidden), "{path:?}: {name} derives {forbidden}");
                assert!(!text.contains(&format!("{forbidden} for {name}")), "{path:?}: {name} implements {forbidden}");
            }
        }
    }
    assert_eq!(seen.len(), secret.len(), "only {seen:?} were found");
}

#[test]
fn nothing_outside_the_hosts_asks_whether_it_is_in_the_sandbox() {
    for name in MIDDLE.into_iter().chain(["vocab", "peers", "store", "app"]) {
        assert_eq!(places(&product(name), &["\"sandbox\"", "is_sandbox", "causeway_sandbox"]), Vec::<String>::new());
    }
}

#[test]
fn floats_never_touch_money() {
    for name in MIDDLE.into_iter().chain(["vocab", "store", "contract"]) {
        assert_eq!(places(&product(name), &["f64", "f32"]), Vec::<String>::new(), "{name} uses floats");
    }
}

#[test]
fn no_page_writes_raw_html() {
    let mut stack = vec![root().join("ui/src")];
    let mut pages = 0;
    while let Some(folder) = stack.pop() {
        for entry in std::fs::read_dir(folder).expect("ui/src") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                stack.push(path);
            } else if path.extension().is_some_and(|e| e == "svelte") {
                pages += 1;
                let text = std::fs::read_to_string(&path).expect("text");
                assert!(!text.contains("{@html") && !text.contains("innerHTML"), "{path:?}");
            }
        }
    }
    assert!(pages > 0, "no pages were found");
}
