//! Payment URIs: BIP21 with the schemes of Liquid.

use super::address::{Confidentiality, parse_address};
use causeway_vocab::{Atoms, Code, Refusal, SidechainParams};
use elements::{Address, AssetId};
use std::str::FromStr as _;

/// Digits behind the point of a URI's amount, whatever the asset.
const PRECISION: u8 = 8;
/// Longest URI that is read, bytes: addresses take 150, the rest is text for people.
const MAX_URI: usize = 4_000;

/// `liquidnetwork:ADDRESS?amount=&assetid=&label=&message=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentUri {
    /// Where to.
    pub address: Address,
    /// Asset; absent means the policy asset.
    pub asset: Option<AssetId>,
    /// Atoms. In the URI a decimal figure of the policy asset's eight digits, whatever the asset.
    pub amount: Option<u64>,
    /// Name of the receiver.
    pub label: Option<String>,
    /// What it is for.
    pub message: Option<String>,
}

/// The scheme of a chain: all test chains share one.
fn scheme(params: &SidechainParams) -> &'static str {
    if params.chain_name == "liquidv1" { "liquidnetwork" } else { "liquidtestnet" }
}

impl PaymentUri {
    /// Reads a URI of the chain's scheme or a plain address. Unknown parameters are ignored, `req-` ones refused (BIP21).
    ///
    /// Refused as [`super::parse_address`] does, or with `BadAmount`, `UnknownAsset`, `BadRequest` (`field`).
    pub fn parse(text: &str, params: &SidechainParams, confidentiality: Confidentiality) -> Result<PaymentUri, Refusal> {
        let text = text.trim();
        if text.len() > MAX_URI {
            return Err(Code::BadAddress.into());
        }
        let (body, is_uri) = match text.split_once(':') {
            None => (text, false),
            Some((found, body)) if found.eq_ignore_ascii_case(scheme(params)) => (body, true),
            Some((found, _)) if found.eq_ignore_ascii_case("bitcoin") => {
                return Err(Refusal::new(Code::BitcoinAddress).with("instead", "peg-out"));
            }
            Some((found, _)) if ["liquidnetwork", "liquidtestnet"].iter().any(|other| found.eq_ignore_ascii_case(other)) => {
                return Err(Refusal::new(Code::WrongNetwork).with("found", found).with("wanted", &params.chain_name));
            }
            Some(_) => return Err(Code::BadAddress.into()),
        };
        let (address, query) = if is_uri { body.split_once('?').unwrap_or((body, "")) } else { (body, "") };
        let address = parse_address(address, params, confidentiality)?;
        let mut uri = PaymentUri { address, asset: None, amount: None, label: None, message: None };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let bad = || Refusal::new(Code::BadRequest).with("field", key);
            match key {
                "amount" => {
                    let atoms = Atoms::from_decimal(value, PRECISION).filter(|atoms| *atoms != Atoms::ZERO);
                    let atoms = atoms.ok_or_else(|| Refusal::new(Code::BadAmount).with("precision", PRECISION))?;
                    uri.amount = Some(atoms.0);
                }
                "assetid" => {
                    let asset = AssetId::from_str(value).map_err(|_| Refusal::new(Code::UnknownAsset).with("asset", value))?;
                    uri.asset = Some(asset);
                }
                "label" => uri.label = Some(unescape(value).ok_or_else(bad)?),
                "message" => uri.message = Some(unescape(value).ok_or_else(bad)?),
                _ if key.starts_with("req-") => return Err(bad()),
                _ => {}
            }
        }
        Ok(uri)
    }

    /// Writes the URI that [`PaymentUri::parse`] reads back.
    pub fn to_uri(&self, params: &SidechainParams) -> String {
        let amount = self.amount.map(|amount| Atoms(amount).to_decimal(PRECISION));
        let amount = amount.map(|text| text.trim_end_matches('0').trim_end_matches('.').to_owned());
        let pairs = [
            ("amount", amount),
            ("assetid", self.asset.map(|asset| asset.to_string())),
            ("label", self.label.as_deref().map(escape)),
            ("message", self.message.as_deref().map(escape)),
        ];
        let pairs: Vec<String> = pairs.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value?))).collect();
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        format!("{}:{}{query}", scheme(params), self.address)
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Undoes percent-encoding; `None` when it is malformed or no UTF-8.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2)?;
        let hex = digits.iter().try_fold(0u32, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))?;
        bytes.push(hex as u8);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallet::testing::chain_params;
    use proptest::prelude::*;

    const ADDRESS: &str = "el1qqvzn74ef04wdja7s4c4pvhz4qck0qdrcn8xyxcyvhkhvdzjkc94l0hgkglt6npxk4q8alqdmqumas5h4u5nmxhn3avpx6j5ej";

    fn parse(text: &str) -> Result<PaymentUri, Refusal> {
        PaymentUri::parse(text, &chain_params(), Confidentiality::Required)
    }

    proptest! {
        #[test]
        fn a_uri_reads_back_as_it_was_written(
            amount in proptest::option::of(1..=2_100_000_000_000_000u64),
            asset in proptest::option::of(any::<[u8; 32]>()),
            label in proptest::option::of(".{0,40}"),
            message in proptest::option::of(".{0,40}"),
        ) {
            let asset = asset.map(AssetId::from_byte_array);
            let uri = PaymentUri { address: parse(ADDRESS).expect("an address").address, asset, amount, label, message };
            prop_assert_eq!(parse(&uri.to_uri(&chain_params())), Ok(uri));
        }

        #[test]
        fn no_text_makes_it_panic(text in "(liquidtestnet:)?.{0,80}(\\?.{0,40})?") {
            let _ = parse(&text);
            let _ = parse(&format!("liquidtestnet:{ADDRESS}?{text}"));
        }
    }

    #[test]
    fn what_is_wrong_with_a_uri_is_named() {
        for (text, code) in [
            (format!("liquidnetwork:{ADDRESS}"), Code::WrongNetwork),
            (format!("bitcoin:{ADDRESS}"), Code::BitcoinAddress),
            (format!("http:{ADDRESS}"), Code::BadAddress),
            (format!("liquidtestnet:{ADDRESS}?amount=0"), Code::BadAmount),
            (format!("liquidtestnet:{ADDRESS}?amount=1.123456789"), Code::BadAmount),
            (format!("liquidtestnet:{ADDRESS}?assetid=gold"), Code::UnknownAsset),
            (format!("liquidtestnet:{ADDRESS}?label=%f"), Code::BadRequest),
            (format!("liquidtestnet:{ADDRESS}?req-blessing=1"), Code::BadRequest),
            (format!("{ADDRESS}?amount=1"), Code::BadAddress),
        ] {
            assert_eq!(parse(&text).expect_err(&text).code, code, "{text}");
        }
        assert_eq!(parse(&format!("LIQUIDTESTNET:{ADDRESS}?amount=1.5&other=x")).expect("reads").amount, Some(150_000_000));
    }
}
