//! Puts every command under the access-control lists: what no capability file names cannot be called by any webview.

use std::collections::BTreeSet;

fn main() {
    let mut commands = BTreeSet::new();
    for file in ["capabilities/main.json", "capabilities/confirm.json"] {
        println!("cargo:rerun-if-changed={file}");
        let text = std::fs::read_to_string(file).expect("the capability files are committed");
        let capability: serde_json::Value = serde_json::from_str(&text).expect("a capability file is JSON");
        let permissions = capability["permissions"].as_array().expect("a capability lists permissions");
        // `core:…` permissions belong to Tauri; ours are `allow-<command>`.
        commands.extend(permissions.iter().filter_map(|p| p.as_str()?.strip_prefix("allow-")).map(|name| name.replace('-', "_")));
    }
    let commands: Vec<&'static str> = commands.into_iter().map(|name| &*name.leak()).collect();
    let manifest = tauri_build::AppManifest::new().commands(commands.leak());
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))
        .expect("the desktop host's configuration is valid");
}
