//! BIP21 payment URIs.

use crate::address::{MAX_TEXT, parse_address};
use crate::plan::MAX_MONEY;
use bitcoin::Address;
use causeway_vocab::{Atoms, Code, Realm, Refusal};

/// `bitcoin:ADDRESS?amount=&label=&message=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentUri {
    /// Where to.
    pub address: Address,
    /// How much, satoshi.
    pub amount: Option<Atoms>,
    /// Name of the receiver.
    pub label: Option<String>,
    /// What it is for.
    pub message: Option<String>,
}

impl PaymentUri {
    /// Reads a URI, or a bare address.
    ///
    /// Refused as [`parse_address`] does, with `BadAmount` or `AboveSupply`, with `BadRequest` (`field`) for a parameter that is
    /// repeated or not percent-encoded UTF-8, and with `NotOffered` (`what`) for an unknown `req-` parameter.
    pub fn parse(text: &str, realm: &Realm) -> Result<PaymentUri, Refusal> {
        let text = text.trim();
        if text.len() > MAX_TEXT {
            return Err(Code::BadAddress.into());
        }
        let body = match text.split_once(':') {
            // Any other scheme with a sidechain address inside deserves the answer that names it.
            Some((scheme, body)) if !scheme.eq_ignore_ascii_case("bitcoin") => {
                let address = body.split('?').next().unwrap_or_default();
                return Err(match parse_address(address, realm) {
                    Err(refusal) if refusal.code == Code::SidechainAddress => refusal,
                    _ => Code::BadAddress.into(),
                });
            }
            Some((_, body)) => body,
            None => text,
        };
        let (address, query) = body.split_once('?').unwrap_or((body, ""));
        let mut uri = PaymentUri { address: parse_address(address, realm)?, amount: None, label: None, message: None };
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let bad = || Refusal::new(Code::BadRequest).with("field", key);
            // Keys are written in capitals where the whole URI is, for denser QR codes (BIP321).
            let repeated = match key.to_ascii_lowercase().as_str() {
                "amount" => uri.amount.replace(parse_amount(value)?).is_some(),
                "label" => uri.label.replace(decode(value).ok_or_else(bad)?).is_some(),
                "message" => uri.message.replace(decode(value).ok_or_else(bad)?).is_some(),
                required if required.starts_with("req-") => return Err(Refusal::new(Code::NotOffered).with("what", required)),
                _ => false,
            };
            if repeated {
                return Err(bad());
            }
        }
        Ok(uri)
    }
}

fn parse_amount(text: &str) -> Result<Atoms, Refusal> {
    match Atoms::from_decimal(text, 8) {
        None | Some(Atoms::ZERO) => Err(Refusal::new(Code::BadAmount).with("precision", 8)),
        Some(Atoms(sat)) if sat > MAX_MONEY => Err(Refusal::new(Code::AboveSupply).with("most", MAX_MONEY)),
        Some(amount) => Ok(amount),
    }
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                bytes.push(digit(rest.next())? << 4 | digit(rest.next())?);
            }
            plain => bytes.push(plain),
        }
    }
    String::from_utf8(bytes).ok()
}

fn encode(text: &str, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => write!(f, "{}", char::from(byte))?,
            other => write!(f, "%{other:02X}")?,
        }
    }
    Ok(())
}

impl std::fmt::Display for PaymentUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "bitcoin:{}", self.address)?;
        let mut separator = '?';
        if let Some(amount) = self.amount {
            write!(f, "{separator}amount={}", amount.to_decimal(8))?;
            separator = '&';
        }
        for (key, value) in [("label", &self.label), ("message", &self.message)] {
            if let Some(value) = value {
                write!(f, "{separator}{key}=")?;
                encode(value, f)?;
                separator = '&';
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::realm;
    use proptest::prelude::*;

    const ADDRESS: &str = "2NEKoQwGrncmkzxf6fPSez627nLTnafcErM";

    proptest! {
        #[test]
        fn what_was_written_is_read_back(
            amount in prop::option::of(1..=MAX_MONEY), label in prop::option::of(".{0,20}"), message in prop::option::of(".{0,20}")
        ) {
            let address = parse_address(ADDRESS, &realm()).expect("an address");
            let uri = PaymentUri { address, amount: amount.map(Atoms), label, message };
            prop_assert_eq!(PaymentUri::parse(&uri.to_string(), &realm()), Ok(uri));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,60}") {
            let _ = PaymentUri::parse(&format!("bitcoin:{ADDRESS}?{text}"), &realm());
            let _ = PaymentUri::parse(&text, &realm());
        }
    }

    #[test]
    fn a_uri_in_capitals_and_unknown_optional_parameters_are_fine() {
        let uri = format!("BITCOIN:{ADDRESS}?pj=https://x&AMOUNT=0.5&label=a%20b");
        let read = PaymentUri::parse(&uri, &realm()).expect("a URI");
        assert_eq!((read.amount, read.label.as_deref()), (Some(Atoms(50_000_000)), Some("a b")));
    }

    #[test]
    fn a_bad_uri_is_refused_by_reason() {
        for (query, code) in [
            ("amount=0", Code::BadAmount),
            ("amount=1e3", Code::BadAmount),
            ("amount=-1", Code::BadAmount),
            ("amount=0.000000001", Code::BadAmount),
            ("amount=21000000.00000001", Code::AboveSupply),
            ("amount=1&amount=2", Code::BadRequest),
            ("label=%zz", Code::BadRequest),
            ("label=%ff", Code::BadRequest),
            ("req-mystery=1", Code::NotOffered),
            ("REQ-mystery=1", Code::NotOffered),
        ] {
            let refused = PaymentUri::parse(&format!("bitcoin:{ADDRESS}?{query}"), &realm()).expect_err(query);
            assert_eq!(refused.code, code, "{query}");
        }
        let other = "liquidnetwork:ert1qm5ty04afsnt2sr7lsxaswd7c2t672fanl90ayc?amount=1";
        assert_eq!(PaymentUri::parse(other, &realm()).expect_err(other).code, Code::SidechainAddress);
        let other = format!("javascript:{ADDRESS}");
        assert_eq!(PaymentUri::parse(&other, &realm()).expect_err(&other).code, Code::BadAddress);
    }
}
