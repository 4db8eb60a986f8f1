//! Runs fixture files through our crates and reports every difference.
//!
//! A file is recognised by its structure; the file name only decides between kinds that look alike. So files of the same format
//! that were never seen before are checked as well as ours.

mod bolts;
mod check;
mod colu;
mod control_plane;
mod counterparty;
pub(crate) mod elements_chain;
mod elements_pegs;
mod elements_wallet;
mod epobc;
mod finality;
pub mod hex;
mod issuance;
mod liquid_amounts;
mod liquid_headers;
mod liquid_keys;
mod liquid_pegs;
mod open_assets;
mod stakes;
mod swaps;

pub use check::{Case, Checks};

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// One format of fixture file and how to check it.
pub struct Kind {
    /// Name in reports, such as `chain`.
    pub name: &'static str,
    /// File stems that usually carry it; decides only between kinds whose shapes both fit.
    pub stems: &'static [&'static str],
    /// Whether a document has the structure of this kind.
    pub fits: fn(&Value) -> bool,
    /// Checks every case of the document. `Err` when the document cannot be checked at all, such as for a missing sibling file.
    pub run: fn(&Value, &Siblings) -> Result<Vec<Case>, String>,
}

/// Every kind there is. A new format adds one line here and one module beside this one.
pub fn kinds() -> &'static [&'static [Kind]] {
    &[
        open_assets::KINDS,
        bolts::KINDS,
        colu::KINDS,
        epobc::KINDS,
        counterparty::KINDS,
        elements_chain::KINDS,
        elements_pegs::KINDS,
        issuance::KINDS,
        liquid_headers::KINDS,
        liquid_pegs::KINDS,
        elements_wallet::KINDS,
        liquid_amounts::KINDS,
        liquid_keys::KINDS,
        swaps::KINDS,
        stakes::KINDS,
        finality::KINDS,
        control_plane::KINDS,
    ]
}

/// The folder of a fixture file: some formats need a file beside them.
pub struct Siblings(PathBuf);

impl Siblings {
    /// Reads the document of that name from the folder.
    pub fn load(&self, name: &str) -> Result<Value, String> {
        let path = self.0.join(name);
        let text = std::fs::read_to_string(&path).map_err(|e| format!("needs {} beside it: {e}", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
    }
}

/// What came of one file.
pub struct Report {
    /// The file as it was named.
    pub file: PathBuf,
    /// Its kind, and every case; or why it could not be checked.
    pub outcome: Result<(&'static str, Vec<Case>), String>,
}

impl Report {
    /// Every case came out as the file says, and there is at least one.
    pub fn is_good(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|(_, cases)| !cases.is_empty() && cases.iter().all(|case| case.ok))
    }

    /// The report as one JSON object.
    pub fn to_json(&self) -> Value {
        let file = self.file.display().to_string();
        match &self.outcome {
            Err(error) => json!({ "file": file, "kind": null, "error": error, "passed": 0, "failed": 1, "cases": [] }),
            Ok((kind, cases)) => {
                let passed = cases.iter().filter(|case| case.ok).count();
                json!({
                    "file": file,
                    "kind": kind,
                    "passed": passed,
                    "failed": cases.len() - passed,
                    "cases": cases.iter().map(Case::to_json).collect::<Vec<_>>(),
                })
            }
        }
    }
}

/// Checks one file.
pub fn run_file(path: &Path) -> Report {
    let outcome = read(path).and_then(|document| run_document(path, &document));
    Report { file: path.to_owned(), outcome }
}

/// Checks a document as if it had been read from `path`.
pub fn run_document(path: &Path, document: &Value) -> Result<(&'static str, Vec<Case>), String> {
    let kind = recognise(path, document)?;
    let siblings = Siblings(path.parent().unwrap_or(Path::new(".")).to_owned());
    let cases = (kind.run)(document, &siblings)?;
    if cases.is_empty() {
        return Err("holds no case".to_owned());
    }
    Ok((kind.name, cases))
}

/// The files that a path stands for: itself, or every `.json` and `.jsonl` file below a folder, sorted.
pub fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?.path();
        let is_fixture = entry.extension().is_some_and(|e| e == "json" || e == "jsonl");
        if entry.is_dir() || is_fixture {
            found.extend(files(&entry)?);
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a JSON document; a `.jsonl` file becomes an array of its lines.
fn read(path: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    if path.extension().is_some_and(|e| e == "jsonl") {
        let lines = text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
        return lines.collect::<Result<Vec<Value>, _>>().map(Value::Array).map_err(|e| e.to_string());
    }
    serde_json::from_str(&text).map_err(|e| e.to_string())
}

fn recognise(path: &Path, document: &Value) -> Result<&'static Kind, String> {
    let fitting: Vec<&Kind> = kinds().iter().copied().flatten().filter(|kind| (kind.fits)(document)).collect();
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
    let named = fitting.iter().find(|kind| kind.stems.contains(&stem));
    match (named, fitting.as_slice()) {
        (Some(kind), _) | (None, [kind]) => Ok(kind),
        (None, []) => Err("of no known kind".to_owned()),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|kind| kind.name).collect();
            Err(format!("could be any of {}", names.join(", ")))
        }
    }
}

/// Whether the document is an object with all of these keys.
pub fn has_keys(document: &Value, keys: &[&str]) -> bool {
    keys.iter().all(|key| document.get(key).is_some())
}

/// Whether the document is a list whose every item is an object with all of these keys.
pub fn is_list_of(document: &Value, keys: &[&str]) -> bool {
    document.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(|item| has_keys(item, keys)))
}

#[cfg(test)]
mod tests;
