//! Writes what hosts derive from the contract: TypeScript bindings and the capability file of each window.
//!
//! Takes the repository's root as its only argument; `cargo xtask bindings` calls it.

use causeway_contract::{Window, hosts::capability, typescript::typescript};
use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let root = PathBuf::from(std::env::args().nth(1).expect("usage: bindings ROOT"));
    std::fs::write(root.join("ui/src/ipc/bindings.ts"), typescript())?;
    for window in [Window::Main, Window::Confirm] {
        std::fs::write(root.join(format!("src-tauri/capabilities/{}.json", window.label())), capability(window))?;
    }
    Ok(())
}
