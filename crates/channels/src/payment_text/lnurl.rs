//! LNURL: a link to a web service, in bech32 (LUD-01) or with a scheme of its own (LUD-17).

use super::bad;
use super::name::is_domain;
use bitcoin::bech32::primitives::decode::CheckedHrpstring;
use bitcoin::bech32::{Bech32, Hrp};
use causeway_vocab::Refusal;
use serde::{Deserialize, Serialize};

/// What the link says it is for. Of a bech32 link only the service knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LnurlKind {
    /// Pay (`lnurlp`).
    Pay,
    /// Be paid (`lnurlw`).
    Withdraw,
    /// Log in (`keyauth`).
    Auth,
    /// Be given a channel (`lnurlc`).
    Channel,
}

/// A link that may be asked: `https`, or `http` to an onion service; the host is a name, never an address of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lnurl {
    /// Where to ask.
    pub url: String,
    /// Its host: what the user must recognise.
    pub host: String,
    /// What it is for, if the text said so.
    pub kind: Option<LnurlKind>,
}

const SCHEMES: [(&str, LnurlKind); 4] =
    [("lnurlp", LnurlKind::Pay), ("lnurlw", LnurlKind::Withdraw), ("keyauth", LnurlKind::Auth), ("lnurlc", LnurlKind::Channel)];

/// Reads `lnurl1...`.
pub(super) fn from_bech32(text: &str) -> Result<Lnurl, Refusal> {
    let checked = CheckedHrpstring::new::<Bech32>(text).map_err(|_| bad("damaged"))?;
    if checked.hrp() != Hrp::parse_unchecked("lnurl") {
        return Err(bad("damaged"));
    }
    let url = String::from_utf8(checked.byte_iter().collect()).map_err(|_| bad("damaged"))?;
    let host = host(&url)?;
    let kind = (parameter(&url, "tag").as_deref() == Some("login")).then_some(LnurlKind::Auth);
    Ok(Lnurl { url, host, kind })
}

/// Reads the schemes of LUD-17, and a web link that carries an LNURL for those who know (LUD-01). `None` for any other text.
pub(super) fn from_url(text: &str) -> Result<Option<Lnurl>, Refusal> {
    let Some((scheme, rest)) = text.split_once("://").or_else(|| text.split_once(':')) else { return Ok(None) };
    let scheme = scheme.to_ascii_lowercase();
    if let Some((_, kind)) = SCHEMES.iter().find(|(name, _)| *name == scheme) {
        let onion = rest.split(['/', '?', '#', ':']).next().unwrap_or_default().to_ascii_lowercase().ends_with(".onion");
        let url = format!("{}://{rest}", if onion { "http" } else { "https" });
        let host = host(&url)?;
        return Ok(Some(Lnurl { url, host, kind: Some(*kind) }));
    }
    match parameter(text, "lightning") {
        Some(inner) if scheme == "https" && inner.to_ascii_lowercase().starts_with("lnurl1") => from_bech32(&inner).map(Some),
        _ => Ok(None),
    }
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let query = query.split('#').next()?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, v)| v.to_owned())
}

/// The host of a link that may be asked.
fn host(url: &str) -> Result<String, Refusal> {
    let refused = || bad("link");
    if url.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err(refused());
    }
    let (scheme, rest) = url.split_once("://").ok_or_else(refused)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    let host = host.to_ascii_lowercase();
    let numbered = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let onion = host.ends_with(".onion");
    let safe = scheme.eq_ignore_ascii_case("https") || onion && scheme.eq_ignore_ascii_case("http");
    // "user@host" is no part of a domain, so that a link cannot pretend to be of another host.
    if safe && numbered && is_domain(&host) { Ok(host) } else { Err(refused()) }
}
