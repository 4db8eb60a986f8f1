//! Laws of the one list.

use causeway_contract::{COMMANDS, Window, hosts::capability, typescript::typescript};

#[test]
fn the_committed_bindings_are_those_of_the_contract() {
    let committed = include_str!("../../../ui/src/ipc/bindings.ts");
    assert!(committed == typescript(), "stale: run `cargo xtask bindings`");
    let main = include_str!("../../../src-tauri/capabilities/main.json");
    let confirm = include_str!("../../../src-tauri/capabilities/confirm.json");
    assert!(main == capability(Window::Main) && confirm == capability(Window::Confirm), "stale: run `cargo xtask bindings`");
}

#[test]
fn every_command_has_its_own_name() {
    let mut names: Vec<_> = COMMANDS.iter().map(|c| c.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), COMMANDS.len());
}

#[test]
fn only_the_confirm_window_signs_and_no_window_sees_words() {
    for command in COMMANDS {
        match command.name {
            "draft_sign" | "draft_sign_only" => assert_eq!(command.windows, [Window::Confirm]),
            name if command.answer == "Words" || name == "wallet_create" || name == "words_confirm" => {
                assert!(command.windows.is_empty(), "{name}")
            }
            _ => {}
        }
    }
}
