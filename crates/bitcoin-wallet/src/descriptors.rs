//! Which scripts belong to a wallet.

use bdk_wallet::miniscript::descriptor::{DescriptorPublicKey, Wildcard};
use bdk_wallet::miniscript::{Descriptor, ForEachKey};
use bitcoin::NetworkKind;
use bitcoin::bip32::ChildNumber;
use bitcoin::secp256k1::Secp256k1;
use causeway_vocab::{Code, Refusal};

/// The longest text that is read, bytes.
const MAX_TEXT: usize = 20_000;

/// The two keychains of a wallet as public descriptors, checked for their network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptors {
    pub(crate) external: Descriptor<DescriptorPublicKey>,
    pub(crate) internal: Option<Descriptor<DescriptorPublicKey>>,
}

impl Descriptors {
    /// Reads one descriptor per line: one with two paths (`<0;1>`, BIP389), or an external and an internal one, or a single one that also
    /// takes the change.
    ///
    /// Refused with `BadDescriptor` (`why`: `syntax`, `private-key`, `network`, `hardened`, `no-wildcard`, `no-address`, `paths`). A wrong
    /// checksum is `syntax`. A private key is refused because it would end in a file that is not sealed.
    pub fn parse(text: &str, network: bitcoin::Network) -> Result<Descriptors, Refusal> {
        if text.len() > MAX_TEXT {
            return Err(bad("syntax"));
        }
        let mut read = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            read.extend(parse_line(line)?);
        }
        let mut read = read.into_iter();
        let (Some(external), internal, None) = (read.next(), read.next(), read.next()) else {
            return Err(bad("paths"));
        };
        if internal.as_ref() == Some(&external) {
            return Err(bad("paths"));
        }
        let descriptors = Descriptors { external, internal };
        descriptors.all().try_for_each(|descriptor| check(descriptor, network))?;
        Ok(descriptors)
    }

    fn all(&self) -> impl Iterator<Item = &Descriptor<DescriptorPublicKey>> {
        std::iter::once(&self.external).chain(&self.internal)
    }
}

fn bad(why: &str) -> Refusal {
    Refusal::new(Code::BadDescriptor).with("why", why)
}

fn parse_line(line: &str) -> Result<Vec<Descriptor<DescriptorPublicKey>>, Refusal> {
    let (descriptor, private) = Descriptor::parse_descriptor(&Secp256k1::signing_only(), line).map_err(|_| bad("syntax"))?;
    if !private.is_empty() {
        return Err(bad("private-key"));
    }
    descriptor.into_single_descriptors().map_err(|_| bad("paths"))
}

fn check(descriptor: &Descriptor<DescriptorPublicKey>, network: bitcoin::Network) -> Result<(), Refusal> {
    descriptor.sanity_check().map_err(|_| bad("syntax"))?;
    if !descriptor.has_wildcard() {
        return Err(bad("no-wildcard"));
    }
    let hardened = |key: &DescriptorPublicKey| match key {
        DescriptorPublicKey::XPub(key) => {
            key.wildcard == Wildcard::Hardened || key.derivation_path.into_iter().any(ChildNumber::is_hardened)
        }
        _ => false,
    };
    if descriptor.for_any_key(hardened) {
        return Err(bad("hardened"));
    }
    let foreign = |key: &DescriptorPublicKey| match key {
        DescriptorPublicKey::XPub(key) => key.xkey.network != NetworkKind::from(network),
        DescriptorPublicKey::MultiXPub(key) => key.xkey.network != NetworkKind::from(network),
        DescriptorPublicKey::Single(_) => false,
    };
    if descriptor.for_any_key(foreign) {
        return Err(bad("network"));
    }
    // Bare scripts have no address to hand out.
    let first = descriptor.at_derivation_index(0).map_err(|_| bad("hardened"))?;
    first.address(network).map_err(|_| bad("no-address"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::Network;

    const TPUB: &str =
        "tpubDCWqZRL1NPdcRDcmec63BCwTVBZKJLKC4JQxyjPHSq38f5iEAjrcu7XbweVnfWNgws2BeKeoTm18WKZBrQNVL6CF9h2UuPxWsSsDZnHfENK";
    const TPRV: &str =
        "tprv8ZgxMBicQKsPeoEpm5HBbjHF7crmQfdP7oTanNmjqaGug2t83JMiQ91fF6FJviFAhuk2C2zZniaywjNxke5g5YQ7wSuNP9pNBxVT9Nm9XVF";

    #[test]
    fn two_paths_and_two_lines_say_the_same() {
        let one = Descriptors::parse(&format!("wpkh([59389195/84'/1'/0']{TPUB}/<0;1>/*)"), Network::Regtest);
        let two = format!("wpkh([59389195/84'/1'/0']{TPUB}/0/*)\n wpkh([59389195/84'/1'/0']{TPUB}/1/*) \n");
        assert!(one.as_ref().is_ok_and(|read| read.internal.is_some()));
        assert_eq!(one, Descriptors::parse(&two, Network::Regtest));
        assert_eq!(one, Descriptors::parse(&two, Network::Signet));
    }

    #[test]
    fn a_descriptor_that_cannot_be_followed_is_refused_by_reason() {
        for (text, network, why) in [
            (String::new(), Network::Regtest, "paths"),
            ("wpkh(".into(), Network::Regtest, "syntax"),
            (format!("wpkh({TPUB}/0/*)#qqqqqqqq"), Network::Regtest, "syntax"),
            (format!("wpkh({TPRV}/0/*)"), Network::Regtest, "private-key"),
            (format!("wpkh({TPUB}/0/*)"), Network::Bitcoin, "network"),
            (format!("wpkh({TPUB}/0/5)"), Network::Regtest, "no-wildcard"),
            (format!("wpkh({TPUB}/0h/*)"), Network::Regtest, "hardened"),
            (format!("wpkh({TPUB}/0/*h)"), Network::Regtest, "hardened"),
            (format!("multi(1,{TPUB}/0/*)"), Network::Regtest, "no-address"),
            (format!("wpkh({TPUB}/<0;1;2>/*)"), Network::Regtest, "paths"),
            (format!("wpkh({TPUB}/0/*)\nwpkh({TPUB}/0/*)"), Network::Regtest, "paths"),
            ("x".repeat(MAX_TEXT + 1), Network::Regtest, "syntax"),
        ] {
            let refused = Descriptors::parse(&text, network).expect_err(&text);
            assert_eq!((refused.code, refused.args["why"].as_str()), (Code::BadDescriptor, why), "{text}");
        }
    }

    #[test]
    fn the_vectors_of_the_bips_are_followed_as_published_or_refused() {
        let text = include_str!("../../../tests/fixtures/bips/descriptors.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(text).expect("fixture is JSON");
        let mut followed = 0;
        for case in &cases {
            let descriptor = case["descriptor"].as_str().expect("text");
            let Ok(read) = Descriptors::parse(descriptor, Network::Bitcoin) else { continue };
            assert_eq!(case["valid"], true, "{descriptor}");
            for (index, script) in (0..).zip(case["results"].as_array().expect("a list")) {
                let derived = read.external.at_derivation_index(index).expect("not hardened").script_pubkey();
                assert_eq!(derived.to_hex_string(), script.as_str().expect("hex"), "{descriptor} at {index}");
            }
            followed += 1;
        }
        // The others hold private keys or no wildcard.
        assert!(followed >= 1, "{followed} of {}", cases.len());
    }
}
