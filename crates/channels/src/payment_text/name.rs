//! Names: `user@domain`, to be looked up in the DNS (BIP353) or at the domain's web server (LUD-16).

use super::bad;
use causeway_vocab::Refusal;
use serde::{Deserialize, Serialize};

/// A name that stands for a request to pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// Before the `@`, lower case.
    pub user: String,
    /// Behind it, lower case, ASCII: what the user must recognise.
    pub domain: String,
    /// It was written with the sign of bitcoin before it, which only BIP353 does.
    pub dns_only: bool,
}

impl Name {
    /// Where BIP353 keeps it: the owner of a TXT record that DNSSEC must prove.
    pub fn dns_name(&self) -> String {
        format!("{}.user._bitcoin-payment.{}.", self.user, self.domain)
    }

    /// Where LUD-16 keeps it. `None` for a name that only BIP353 has.
    pub fn lnurl_pay_url(&self) -> Option<String> {
        let scheme = if self.domain.ends_with(".onion") { "http" } else { "https" };
        (!self.dns_only).then(|| format!("{scheme}://{}/.well-known/lnurlp/{}", self.domain, self.user))
    }
}

/// A domain of at least two labels in ASCII, the last of them no number (so no IPv4 address), none longer than 63 bytes.
///
/// Other scripts come as `xn--` labels only: letters that look alike must be seen to be foreign.
pub(super) fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        let bytes = label.as_bytes();
        (1..=63).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
            && bytes[0] != b'-'
            && bytes[bytes.len() - 1] != b'-'
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    let local = ["localhost", "local", "internal"].contains(&last);
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
        && !local
}

/// Reads a name; `None` for a text without the form of one.
pub(super) fn read(text: &str) -> Result<Option<Name>, Refusal> {
    let (bare, dns_only) = match text.strip_prefix('\u{20bf}') {
        Some(bare) => (bare, true),
        None => (text, false),
    };
    let Some((user, domain)) = bare.split_once('@') else { return Ok(None) };
    // An outpoint, a URL or a sentence with an "@" in it is no name.
    if bare.contains(['/', ':', ' ']) {
        return Ok(None);
    }
    let (user, domain) = (user.to_ascii_lowercase(), domain.to_ascii_lowercase());
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.' | b'+');
    if user.is_empty() || user.len() > 63 || !user.bytes().all(allowed) || !is_domain(&domain) {
        return Err(bad("name"));
    }
    Ok(Some(Name { user, domain, dns_only }))
}
