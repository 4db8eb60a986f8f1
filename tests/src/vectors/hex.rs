//! Reading fixture fields: hex, hashes and numbers, with the field's name in every complaint.

use bitcoin::hex::FromHex as _;
use serde_json::Value;
use std::fmt::Display;
use std::str::FromStr;

/// The text of a field.
pub fn text<'v>(object: &'v Value, field: &str) -> Result<&'v str, String> {
    object.get(field).and_then(Value::as_str).ok_or_else(|| format!("no text in {field:?}"))
}

/// A whole number; decimal strings count.
pub fn number(object: &Value, field: &str) -> Result<u64, String> {
    let value = object.get(field).unwrap_or(&Value::Null);
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    number.ok_or_else(|| format!("no number in {field:?}"))
}

/// The items of a list.
pub fn list<'v>(object: &'v Value, field: &str) -> Result<&'v [Value], String> {
    object.get(field).and_then(Value::as_array).map(Vec::as_slice).ok_or_else(|| format!("no list in {field:?}"))
}

/// The cases of a document that is a list; nothing for another document.
pub fn cases(document: &Value) -> &[Value] {
    document.as_array().map_or(&[], Vec::as_slice)
}

/// The bytes of a hex field.
pub fn bytes(object: &Value, field: &str) -> Result<Vec<u8>, String> {
    unhex(text(object, field)?).map_err(|e| format!("{field}: {e}"))
}

/// The bytes of each hex string of a list.
pub fn bytes_list(object: &Value, field: &str) -> Result<Vec<Vec<u8>>, String> {
    list(object, field)?.iter().map(|item| unhex(item.as_str().ok_or("not text")?)).collect()
}

/// Anything that is read from text: hashes, outpoints, keys.
pub fn parsed<T: FromStr<Err: Display>>(object: &Value, field: &str) -> Result<T, String> {
    text(object, field)?.parse().map_err(|e| format!("{field}: {e}"))
}

/// A consensus-encoded Elements object in hex.
pub fn decoded<T: elements::encode::Decodable>(object: &Value, field: &str) -> Result<T, String> {
    elements::encode::deserialize(&bytes(object, field)?).map_err(|e| format!("{field}: {e}"))
}

/// A consensus-encoded Bitcoin object in hex.
pub fn bitcoin_decoded<T: bitcoin::consensus::Decodable>(object: &Value, field: &str) -> Result<T, String> {
    bitcoin::consensus::deserialize(&bytes(object, field)?).map_err(|e| format!("{field}: {e}"))
}

/// A script in hex.
pub fn script(object: &Value, field: &str) -> Result<elements::Script, String> {
    Ok(elements::Script::from(bytes(object, field)?))
}

/// What a report calls the case: its name, its place among its fellows otherwise.
pub fn name(case: &Value, index: usize) -> String {
    case.get("name").and_then(Value::as_str).map_or_else(|| index.to_string(), str::to_owned)
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    Vec::from_hex(text).map_err(|e| e.to_string())
}

/// A derivation path given as a list of plain numbers.
pub fn path(object: &Value, field: &str) -> Result<Vec<bitcoin::bip32::ChildNumber>, String> {
    let step = |item: &Value| {
        let index = item.as_u64().and_then(|index| u32::try_from(index).ok()).ok_or("a step that is no number")?;
        bitcoin::bip32::ChildNumber::from_normal_idx(index).map_err(|e| e.to_string())
    };
    list(object, field)?.iter().map(step).collect()
}
