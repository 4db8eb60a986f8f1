//! What the desktop host's access-control lists are written from.

use crate::commands::{COMMANDS, Window};

/// Commands that only a desktop host has: windows, files, the keyring. They move no money and reveal nothing.
const HOST_COMMANDS: &[(&str, &[Window])] = &[
    ("subscribe", &[Window::Main, Window::Confirm]),
    ("open_confirm", &[Window::Main]),
    ("close_confirm", &[Window::Confirm]),
    ("open_words", &[Window::Main]),
    ("save_file", &[Window::Main]),
    ("copy_text", &[Window::Main]),
    ("choose_text_file", &[Window::Main]),
    ("keyring_state", &[Window::Main]),
    ("keyring_remember", &[Window::Main]),
    ("keyring_forget", &[Window::Main]),
    ("keyring_unlock", &[Window::Main]),
];

/// The capability file of a window, as Tauri reads it: our own commands by name and nothing of the framework's.
pub fn capability(window: Window) -> String {
    let contract = COMMANDS.iter().filter(|c| c.windows.contains(&window)).map(|c| c.name);
    let host = HOST_COMMANDS.iter().filter(|(_, windows)| windows.contains(&window)).map(|(name, _)| *name);
    let permissions: Vec<String> = contract.chain(host).map(|name| format!("allow-{}", name.replace('_', "-"))).collect();
    let file = serde_json::json!({
        "$schema": "../gen/schemas/desktop-schema.json",
        "identifier": window.label(),
        "description": "Written by `cargo xtask bindings` from crates/contract. Do not edit.",
        "windows": [window.label()],
        "permissions": permissions,
    });
    let mut text = serde_json::to_string_pretty(&file).expect("BUG: JSON of strings");
    text.push('\n');
    text
}
