//! What an asset is called and who says so: the pointer in the chain and the file behind it.
//!
//! Everything here is a claim of the issuer. The asset id is the identity; a name is not.

use super::{AssetId, Marker};
use crate::text::deceives;
use bitcoin::hashes::{Hash as _, hash160, sha256};
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use bitcoin::opcodes::all::OP_DROP;
use bitcoin::script::Instruction;
use bitcoin::{NetworkKind, Script};
use serde::{Deserialize, Serialize};

/// Where the definition of an asset is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pointer {
    /// `u=<url>`, with or without `&sha256=<hex>`.
    Url {
        /// Absolute, decoded.
        url: String,
        /// Hash of the file. Without it the file may change at any time.
        sha256: Option<[u8; 32]>,
    },
    /// `h` and the HASH160 of the file, which travels by other means.
    Hash([u8; 20]),
}

/// Why bytes are no pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PointerFault {
    /// Not of the form.
    #[error("no pointer")]
    Form,
    /// The URL is not absolute text without blanks and control characters.
    #[error("no URL")]
    Url,
    /// The hash is not 64 hex digits.
    #[error("no hash")]
    Hash,
}

impl Pointer {
    /// Reads the metadata of a marker or the first push of a redeem script.
    pub fn read(bytes: &[u8]) -> Result<Pointer, PointerFault> {
        if let Some(hash) = bytes.strip_prefix(b"h").and_then(|hash| hash.try_into().ok()) {
            return Ok(Pointer::Hash(hash));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| PointerFault::Form)?;
        let body = text.strip_prefix("u=").ok_or(PointerFault::Form)?;
        let (url, sha256) = match body.rsplit_once("&sha256=") {
            Some((url, hash)) => (url, Some(<[u8; 32]>::from_hex(hash).map_err(|_| PointerFault::Hash)?)),
            None => (body, None),
        };
        let url = percent_decoded(url).ok_or(PointerFault::Url)?;
        if is_url(&url) { Ok(Pointer::Url { url, sha256 }) } else { Err(PointerFault::Url) }
    }

    /// The bytes for the metadata of an issuance.
    pub fn write(&self) -> Result<Vec<u8>, PointerFault> {
        match self {
            Pointer::Hash(hash) => Ok([&b"h"[..], hash].concat()),
            Pointer::Url { url, .. } if !is_url(url) => Err(PointerFault::Url),
            Pointer::Url { url, sha256 } => {
                let mut text = format!("u={}", percent_encoded(url));
                if let Some(hash) = sha256 {
                    text.push_str(&format!("&sha256={:x}", hash.as_hex()));
                }
                Ok(text.into_bytes())
            }
        }
    }

    /// The pointer that a redeem script `<pointer> OP_DROP …` fixes for ever, and the rest of the script.
    pub fn in_redeem_script(script: &Script) -> Option<(Pointer, &Script)> {
        let mut instructions = script.instruction_indices();
        let (_, Instruction::PushBytes(push)) = instructions.next()?.ok()? else { return None };
        let (at, Instruction::Op(OP_DROP)) = instructions.next()?.ok()? else { return None };
        let rest = Script::from_bytes(script.as_bytes().get(at + 1..)?);
        Some((Pointer::read(push.as_bytes()).ok()?, rest))
    }

    /// The pointer in the metadata of a marker.
    pub fn in_marker(marker: &Marker) -> Result<Pointer, PointerFault> {
        Pointer::read(&marker.metadata)
    }

    /// Whether `file` is the one pointed to. `None` when the pointer has no hash, so that nothing vouches for the file.
    pub fn vouches_for(&self, file: &[u8]) -> Option<bool> {
        match self {
            Pointer::Url { sha256: None, .. } => None,
            Pointer::Url { sha256: Some(hash), .. } => Some(sha256::Hash::hash(file).to_byte_array() == *hash),
            Pointer::Hash(hash) => Some(hash160::Hash::hash(file).to_byte_array() == *hash),
        }
    }
}

/// An absolute URL of some scheme, of printable characters.
fn is_url(url: &str) -> bool {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    named && url.len() > scheme.len() + 1 && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn percent_encoded(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for byte in url.bytes() {
        match byte {
            b'%' | b'&' | 0x80.. => out.push_str(&format!("%{byte:02X}")),
            plain => out.push(char::from(plain)),
        }
    }
    out
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'%' {
            out.push(*first);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        out.extend(<[u8; 1]>::from_hex(digits).ok()?);
        rest = tail;
    }
    String::from_utf8(out).ok()
}

/// The asset definition file. Unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Assets that may use this file, in text form.
    pub asset_ids: Vec<String>,
    /// Ticker, at most ten characters. Not unique: anybody may claim it.
    pub name_short: String,
    /// Name.
    pub name: String,
    /// Page with the terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_url: Option<String>,
    /// Who says to be the issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How to read the description; plain text when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description_mime: Option<String>,
    /// Kind of asset, in the issuer's words.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "type")]
    pub kind: Option<String>,
    /// Decimal places for showing quantities. The format allows negative ones, which we do not.
    #[serde(default)]
    pub divisibility: u8,
    /// Whether the certificate of the web site may be shown as the issuer.
    #[serde(default)]
    pub link_to_website: bool,
    /// Icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_url: Option<String>,
    /// Picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// Format, `1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Why a file defines nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionFault {
    /// Larger than [`LARGEST`].
    #[error("too large")]
    TooLarge,
    /// Not the file that the pointer's hash names.
    #[error("another hash")]
    Hash,
    /// Not JSON of this shape.
    #[error("not a definition: {0}")]
    Json(String),
    /// The asset is not among its ids.
    #[error("defines other assets")]
    OtherAsset,
    /// A field that is too long, empty, of an unknown version, or holds characters that deceive.
    #[error("bad {0}")]
    Field(&'static str),
}

/// Bytes of a definition file at most.
pub const LARGEST: usize = 64 * 1024;

/// Largest count of decimal places that 64 bits can show.
const MOST_DECIMALS: u8 = 18;

impl Definition {
    /// Reads a file that came from where `pointer` points, for the asset `id`.
    ///
    /// `redeem_rest` is the rest of a redeem script that fixes its pointer: such a file lists the id of the rest, as bare script or as its P2SH.
    pub fn read(
        file: &[u8],
        pointer: &Pointer,
        id: AssetId,
        redeem_rest: Option<&Script>,
        network: NetworkKind,
    ) -> Result<Definition, DefinitionFault> {
        if file.len() > LARGEST {
            return Err(DefinitionFault::TooLarge);
        }
        if pointer.vouches_for(file) == Some(false) {
            return Err(DefinitionFault::Hash);
        }
        let definition: Definition = serde_json::from_slice(file).map_err(|e| DefinitionFault::Json(e.to_string()))?;
        definition.check()?;
        let mut ids = vec![id];
        if let Some(rest) = redeem_rest {
            ids.extend([AssetId::issued_by(rest), AssetId::issued_by(&rest.to_p2sh())]);
        }
        let listed =
            definition.asset_ids.iter().filter_map(|text| AssetId::parse(text, network).ok()).any(|id| ids.contains(&id));
        if listed { Ok(definition) } else { Err(DefinitionFault::OtherAsset) }
    }

    /// Checks every field; run it before publishing too.
    pub fn check(&self) -> Result<(), DefinitionFault> {
        let short = self.name_short.chars().count();
        if !(1..=10).contains(&short) || deceives(&self.name_short) {
            return Err(DefinitionFault::Field("name_short"));
        }
        if self.name.trim().is_empty() || self.name.chars().count() > 256 || deceives(&self.name) {
            return Err(DefinitionFault::Field("name"));
        }
        if self.issuer.as_deref().is_some_and(deceives) {
            return Err(DefinitionFault::Field("issuer"));
        }
        if self.divisibility > MOST_DECIMALS {
            return Err(DefinitionFault::Field("divisibility"));
        }
        if self.version.as_deref().is_some_and(|version| version != "1.0") {
            return Err(DefinitionFault::Field("version"));
        }
        for (name, url) in [("contract_url", &self.contract_url), ("icon_url", &self.icon_url), ("image_url", &self.image_url)] {
            if url.as_deref().is_some_and(|url| !url.is_empty() && !is_url(url)) {
                return Err(DefinitionFault::Field(name));
            }
        }
        Ok(())
    }

    /// The file to publish.
    pub fn write(&self) -> Result<Vec<u8>, DefinitionFault> {
        self.check()?;
        serde_json::to_vec_pretty(self).map_err(|e| DefinitionFault::Json(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::script::{Builder, PushBytesBuf};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_pointer_reads_back_as_it_was_written(
            tail in "[!-~é€]{1,80}",
            sha256 in prop::option::of(any::<[u8; 32]>()),
        ) {
            let pointer = Pointer::Url { url: format!("https:{tail}"), sha256 };
            prop_assert_eq!(Pointer::read(&pointer.write().expect("a URL")), Ok(pointer));
        }

        #[test]
        fn reading_a_pointer_is_total(bytes in prop::collection::vec(any::<u8>(), 0..100), prefix in prop::sample::select(vec!["", "u=", "u=https:%", "h"])) {
            let bytes = [prefix.as_bytes(), &bytes].concat();
            if let Ok(pointer) = Pointer::read(&bytes) {
                prop_assert_eq!(Pointer::read(&pointer.write().expect("was read")), Ok(pointer));
            }
        }
    }

    #[test]
    fn pointers_of_the_chain_are_read() {
        let read = |text: &str| Pointer::read(text.as_bytes());
        let url = |url: &str, sha256| Ok(Pointer::Url { url: url.to_owned(), sha256 });
        assert_eq!(read("u=https://cpr.sm/5YgSU1Pg-q"), url("https://cpr.sm/5YgSU1Pg-q", None));
        assert_eq!(read("u=https%3A%2F%2Fx.org%2F%26"), url("https://x.org/&", None));
        assert_eq!(read(&format!("u=http://x/&sha256={}", "ab".repeat(32))), url("http://x/", Some([0xab; 32])));
        assert_eq!(read("h12345678901234567890"), Ok(Pointer::Hash(*b"12345678901234567890")));
        for (text, fault) in [
            ("", PointerFault::Form),
            ("u", PointerFault::Form),
            ("u=", PointerFault::Url),
            ("u=relative", PointerFault::Url),
            ("u=https://a b", PointerFault::Url),
            ("u=https://a%0a", PointerFault::Url),
            ("u=https://a%zz", PointerFault::Url),
            ("u=https://a&sha256=12", PointerFault::Hash),
        ] {
            assert_eq!(read(text), Err(fault), "{text}");
        }
    }

    fn definition() -> Definition {
        serde_json::from_str(r#"{ "asset_ids": [], "name_short": "GLD", "name": "Gold" }"#).expect("JSON")
    }

    #[test]
    fn a_file_counts_only_for_the_assets_it_lists_and_the_hash_it_was_promised() {
        let id = AssetId([7; 20]);
        let file = Definition { asset_ids: vec![id.text(NetworkKind::Main)], ..definition() }.write().expect("good");
        let pointer = Pointer::Url { url: "https://x".into(), sha256: Some(sha256::Hash::hash(&file).to_byte_array()) };
        let read =
            |file: &[u8], pointer: &Pointer, id| Definition::read(file, pointer, id, None, NetworkKind::Main).map(|d| d.name);
        assert_eq!(read(&file, &pointer, id), Ok("Gold".into()));
        assert_eq!(read(&file, &pointer, AssetId([8; 20])), Err(DefinitionFault::OtherAsset));
        assert_eq!(read(&[&file[..], b" "].concat(), &pointer, id), Err(DefinitionFault::Hash));
        assert_eq!(read(&vec![b' '; LARGEST + 1], &pointer, id), Err(DefinitionFault::TooLarge));
        let hash = Pointer::Hash(hash160::Hash::hash(&file).to_byte_array());
        assert_eq!(read(&file, &hash, id), Ok("Gold".into()));
        assert_eq!(
            read(b"{}", &Pointer::Url { url: "https://x".into(), sha256: None }, id)
                .map_err(|e| matches!(e, DefinitionFault::Json(_))),
            Err(true)
        );
    }

    #[test]
    fn names_that_deceive_are_refused() {
        for (field, spoil) in [
            ("name_short", (|d| d.name_short = "G\u{200b}LD".into()) as fn(&mut Definition)),
            ("name_short", |d| d.name_short = String::new()),
            ("name_short", |d| d.name_short = "ELEVENCHARS".into()),
            ("name", |d| d.name = "Gold\u{202e}".into()),
            ("name", |d| d.name = "\n".into()),
            ("issuer", |d| d.issuer = Some("A\u{7}".into())),
            ("divisibility", |d| d.divisibility = 19),
            ("version", |d| d.version = Some("2.0".into())),
            ("icon_url", |d| d.icon_url = Some("no url".into())),
        ] {
            let mut definition = definition();
            assert_eq!(definition.check(), Ok(()));
            spoil(&mut definition);
            assert_eq!(definition.check(), Err(DefinitionFault::Field(field)));
        }
    }

    #[test]
    fn a_redeem_script_can_fix_its_pointer() {
        let push = PushBytesBuf::try_from(b"u=https://x.org".to_vec()).expect("short");
        let script = Builder::new().push_slice(push).push_opcode(OP_DROP).push_int(1).into_script();
        let (pointer, rest) = Pointer::in_redeem_script(&script).expect("fixed");
        assert_eq!(pointer, Pointer::Url { url: "https://x.org".into(), sha256: None });
        assert_eq!(rest.as_bytes(), [0x51]);
        assert_eq!(Pointer::in_redeem_script(rest), None);
        assert_eq!(Pointer::in_redeem_script(Script::from_bytes(&[])), None);
    }
}
