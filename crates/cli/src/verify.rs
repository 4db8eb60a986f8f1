//! `causeway verify`: checks an exported proof offline.

use crate::Why;
use crate::render::render;
use std::path::Path;

/// Largest proof file.
const MOST_BYTES: u64 = 64 << 20;

/// Prints each statement with its verdict; fails unless all hold.
pub(crate) fn verify(file: &Path, json: bool) -> Result<(), Why> {
    let read = |e: std::io::Error| Why::Said(format!("{}: {e}", file.display()));
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::Read::take(std::io::stdin(), MOST_BYTES)).map_err(read)?
    } else if std::fs::metadata(file).map_err(read)?.len() > MOST_BYTES {
        return Err(Why::Said("the file is too large to be a proof".into()));
    } else {
        std::fs::read_to_string(file).map_err(read)?
    };
    let verdict = causeway_app::proofs::verify(&text)?;
    let value = serde_json::to_value(&verdict).map_err(|e| Why::Said(e.to_string()))?;
    if json {
        println!("{value}");
    } else {
        print!("{}", render(&value));
    }
    if verdict.ok { Ok(()) } else { Err(Why::Said("the proof does not hold".into())) }
}
