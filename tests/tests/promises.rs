//! docs/security.md: each promise names what holds it, and that exists.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the root").to_owned()
}

/// Everything written in Rust or TypeScript below these folders, as one text.
fn code(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if !["node_modules", "target", "dist"].iter().any(|skipped| path.ends_with(skipped)) {
                code(&path, text);
            }
        } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "ts") {
            *text += &std::fs::read_to_string(&path).unwrap_or_default();
        }
    }
}

/// What a row names as holding its promise, and cannot be found.
fn missing(row: &str, code: &str) -> Vec<String> {
    let named = row.split('`').skip(1).step_by(2);
    let exists = |name: &&str| {
        let is_test = name.contains('_') && !name.contains(['/', '.', ' ', ':']);
        if is_test {
            code.contains(&format!("fn {name}("))
        } else if name.contains('/') {
            // Fixtures are named without their folder.
            root().join(name).exists() || root().join("tests/fixtures").join(name).exists() || name.starts_with("http")
        } else {
            true
        }
    };
    named.filter(|name| !exists(name)).map(str::to_owned).collect()
}

#[test]
fn every_promise_names_a_test_or_a_file_that_exists() {
    let doc = std::fs::read_to_string(root().join("docs/security.md")).expect("docs/security.md");
    let mut text = String::new();
    for folder in ["crates", "src-tauri", "tests", "ui/src"] {
        code(&root().join(folder), &mut text);
    }
    let rows: Vec<&str> =
        doc.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise") && !line.starts_with("|--")).collect();
    assert!(rows.len() > 30, "{} promises", rows.len());
    for row in &rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 2, "{row}");
        assert!(cells[1].contains('`') || cells[1].contains("test"), "nothing holds: {row}");
        assert!(missing(cells[1], &text).is_empty(), "{:?} of {row}", missing(cells[1], &text));
    }
}

#[test]
fn a_promise_without_its_test_is_found_out() {
    let held = "fn the_seed_is_sealed() {}";
    assert!(missing("`the_seed_is_sealed`, `Cargo.toml`, fixtures `elements/pegout.json`", held).is_empty());
    assert_eq!(
        missing("`the_seed_is_open`, `crates/nowhere/src/lib.rs`", held),
        ["the_seed_is_open", "crates/nowhere/src/lib.rs"]
    );
}
