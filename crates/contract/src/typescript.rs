//! The TypeScript bindings, written from the same types that Rust compiles.

use crate::commands::COMMANDS;
use crate::*;
use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use ts_rs::{Config, TS, TypeVisitor};

/// Every declaration reachable from the commands, by name.
struct Declared {
    config: Config,
    seen: HashSet<TypeId>,
    by_name: BTreeMap<String, String>,
}

impl TypeVisitor for Declared {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
        // Only declared types have a file of their own; built-in ones would panic in `decl`.
        if T::output_path().is_some() {
            self.by_name.insert(T::ident(&self.config), T::decl(&self.config));
        }
    }
}

macro_rules! visit_all {
    ($($name:ident($req:ty) -> $ans:ty [$($w:ident),*] reads [$($r:ident),*] stales [$($s:ident),*];)*) => {
        fn visit_all(declared: &mut Declared) { $( declared.visit::<$req>(); declared.visit::<$ans>(); )* }
    };
}
with_commands!(visit_all);

fn union<T: serde::Serialize>(values: impl IntoIterator<Item = T>) -> String {
    let quoted = values.into_iter().map(|v| serde_json::to_string(&v).expect("BUG: a code is a string"));
    quoted.collect::<Vec<_>>().join(" | ")
}

/// The whole bindings file. `cargo xtask bindings` writes it; a test fails when the committed one is stale.
pub fn typescript() -> String {
    let mut declared = Declared { config: Config::default(), seen: HashSet::new(), by_name: BTreeMap::new() };
    visit_all(&mut declared);
    declared.visit::<Notice>();
    declared.visit::<Progress>();
    let capabilities = [Capability::Receive, Capability::Send, Capability::Issue, Capability::Peg];
    let mut out = String::from("// Written by `cargo xtask bindings` from crates/contract. Do not edit.\n\n");
    out += "/** Whole units of an asset's smallest part, as a decimal string. */\nexport type Atoms = string;\n";
    out += "/** `btc`, or an Elements asset id. */\nexport type AssetId = string;\n";
    out += &format!("export type NetworkId = {};\n", union(NetworkId::ALL));
    out += &format!("export type Capability = {};\n", union(capabilities));
    out += &format!("export type Known = {};\n", union([Known::Pending, Known::Reported, Known::Verified]));
    out += &format!("export type Code = {};\n", union(Code::ALL));
    out += "export type Failure = { code: Code; args?: Record<string, string> };\n\n";
    for decl in declared.by_name.values() {
        out += &format!("export {decl}\n");
    }
    out += "\n/** Every command: its request and its answer. */\nexport type Commands = {\n";
    for command in COMMANDS {
        out += &format!("  {}: {{ request: {}; answer: {} }};\n", command.name, command.request, array(command.answer));
    }
    out += "};\n\n/** Tags a command's answer is made of, and tags its success makes stale. */\n";
    out += "export const tags: { [C in keyof Commands]: { reads: Tag[]; stales: Tag[] } } = {\n";
    let list = |tags: &[Tag]| union(tags).replace(" | ", ", ");
    for command in COMMANDS {
        out += &format!("  {}: {{ reads: [{}], stales: [{}] }},\n", command.name, list(command.reads), list(command.stales));
    }
    out += "};\n";
    out
}

/// `Vec<X>` as TypeScript writes it.
fn array(rust: &str) -> String {
    // `stringify!` spaces generics out.
    let rust = rust.replace(' ', "");
    match rust.strip_prefix("Vec<").and_then(|rest| rest.strip_suffix('>')) {
        Some(item) => format!("{item}[]"),
        None => rust,
    }
}
