//! Prints the TypeScript bindings; `cargo xtask bindings` saves them.
#![allow(clippy::print_stdout)]

fn main() {
    print!("{}", causeway_contract::typescript::typescript());
}
