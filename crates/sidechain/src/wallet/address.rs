//! Reading an address and saying what is wrong with it.

use causeway_vocab::{Code, Refusal, SidechainParams};
use elements::blech32::decode::SegwitHrpstring;
use elements::{Address, AddressParams};

/// Which addresses are acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidentiality {
    /// Only addresses with a blinding key.
    Required,
    /// Explicit ones, too: what is paid to them, everybody sees.
    Optional,
}

/// The longest address is a confidential base58 or blech32m one, well below this.
const MAX_ADDRESS: usize = 200;

/// Elements chains whose addresses people have, with Elements' names.
const KNOWN: [(&str, &AddressParams); 3] = [
    ("liquidv1", &AddressParams::LIQUID),
    ("liquidtestnet", &AddressParams::LIQUID_TESTNET),
    ("elementsregtest", &AddressParams::ELEMENTS),
];

/// Reads an address of the realm's sidechain.
///
/// Refused with `BitcoinAddress` (`instead`: `peg-out`), `WrongNetwork` (`found`, `wanted`: names of chains, `found` = `unknown` when
/// only the prefix is foreign), `ExplicitAddress` when a blinding key is required, or `BadAddress`.
pub fn parse_address(text: &str, params: &SidechainParams, confidentiality: Confidentiality) -> Result<Address, Refusal> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_ADDRESS || !text.is_ascii() {
        return Err(Code::BadAddress.into());
    }
    match parse(text, params.address_params()) {
        Some(address) if address.blinding_pubkey.is_none() && confidentiality == Confidentiality::Required => {
            Err(Code::ExplicitAddress.into())
        }
        Some(address) => Ok(address),
        None => Err(foreign(text, params)),
    }
}

fn parse(text: &str, params: &'static AddressParams) -> Option<Address> {
    Address::parse_with_params(text, params).ok()
}

/// What else it might be.
fn foreign(text: &str, params: &SidechainParams) -> Refusal {
    if text.parse::<bitcoin::Address<bitcoin::address::NetworkUnchecked>>().is_ok() {
        return Refusal::new(Code::BitcoinAddress).with("instead", "peg-out");
    }
    let known = KNOWN.into_iter().find(|(_, other)| parse(text, other).is_some());
    let found = known.map(|(name, _)| name).or_else(|| is_address_of_some_chain(text, params).then_some("unknown"));
    match found {
        Some(found) => Refusal::new(Code::WrongNetwork).with("found", found).with("wanted", &params.chain_name),
        None => Code::BadAddress.into(),
    }
}

/// Whether a segwit address is sound but for a prefix that nobody knows.
fn is_address_of_some_chain(text: &str, params: &SidechainParams) -> bool {
    let Some((prefix, _)) = text.rsplit_once('1') else { return false };
    let ours = &params.address;
    let is_known = |hrp: &str| prefix.eq_ignore_ascii_case(hrp);
    if is_known(&ours.bech32_hrp) || is_known(&ours.blech32_hrp) {
        return false;
    }
    let Ok(hrp) = bitcoin::bech32::Hrp::parse(prefix) else { return false };
    if KNOWN.into_iter().any(|(_, known)| hrp == known.bech_hrp || hrp == known.blech_hrp) {
        return false;
    }
    bitcoin::bech32::segwit::decode(text).is_ok() || SegwitHrpstring::new(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallet::testing::{chain_params, hex, vectors};
    use elements::blech32::decode::CheckedHrpstring;
    use elements::blech32::{Blech32, Blech32m};

    fn params_of(network: &str) -> SidechainParams {
        let mut params = chain_params();
        let (name, known) = KNOWN.into_iter().find(|(name, _)| name.trim_end_matches("v1") == network).expect(network);
        params.chain_name = name.to_owned();
        params.address.bech32_hrp = known.bech_hrp.to_string();
        params.address.blech32_hrp = known.blech_hrp.to_string();
        params.address.p2pkh_prefix = known.p2pkh_prefix;
        params.address.p2sh_prefix = known.p2sh_prefix;
        params.address.blinded_prefix = known.blinded_prefix;
        params
    }

    #[test]
    fn addresses_of_three_networks_read_back_as_they_were_written() {
        for case in vectors("addresses.json") {
            let text = case["address"].as_str().expect("text");
            if case["valid"] == false {
                for (name, _) in KNOWN {
                    let refused = parse_address(text, &params_of(name.trim_end_matches("v1")), Confidentiality::Optional);
                    refused.expect_err(text);
                }
                continue;
            }
            let network = case["network"].as_str().expect("a name");
            let address = parse_address(text, &params_of(network), Confidentiality::Optional).expect(text);
            assert!(address.to_string() == text || address.to_string() == text.to_lowercase(), "{text}");
            assert_eq!(address.script_pubkey().as_bytes(), hex(&case["script_pubkey"]));
            let key = address.blinding_pubkey.map(|key| key.to_string());
            assert_eq!(key.as_deref(), case["blinding_pubkey"].as_str());
            assert_eq!(address.to_unconfidential().to_string(), case["unconfidential"].as_str().expect("text"));
            let demanded = parse_address(text, &params_of(network), Confidentiality::Required);
            assert_eq!(demanded.err().map(|refusal| refusal.code), key.is_none().then_some(Code::ExplicitAddress));
            for (name, _) in KNOWN.into_iter().filter(|(name, _)| name.trim_end_matches("v1") != network) {
                let refused =
                    parse_address(text, &params_of(name.trim_end_matches("v1")), Confidentiality::Optional).expect_err(text);
                assert_eq!((refused.code, refused.args["wanted"].as_str()), (Code::WrongNetwork, name));
            }
        }
    }

    #[test]
    fn blech32_strings_decode_as_published() {
        for case in vectors("blech32_strings.json") {
            let text = case["string"].as_str().expect("text");
            let decoded = match case["kind"].as_str() {
                Some("blech32") => CheckedHrpstring::new::<Blech32>(text).ok(),
                _ => CheckedHrpstring::new::<Blech32m>(text).ok(),
            };
            assert_eq!(decoded.is_some(), case["valid"] == true, "{text:?}");
            if let Some(decoded) = decoded {
                assert_eq!(decoded.hrp().to_lowercase(), case["hrp"].as_str().expect("text"));
            }
        }
    }

    #[test]
    fn what_is_no_address_of_this_chain_is_told_apart() {
        let params = chain_params();
        for (text, code) in [
            ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", Code::BitcoinAddress),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", Code::BitcoinAddress),
            ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", Code::BitcoinAddress),
            ("ex1qw508d6qejxtdg4y5r3zarvary0c5xw7kxw5fx4", Code::WrongNetwork),
            ("Q7qcjTLsYGoMA7TjUp97R6E6AM5VKqBik6", Code::WrongNetwork),
            ("tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c", Code::BitcoinAddress),
            ("ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", Code::WrongNetwork),
            ("ert1qw508d6qejxtdg4y5r3zarvary0c5xw7kxw5fx4", Code::BadAddress),
            ("", Code::BadAddress),
            ("3QJmnh", Code::BadAddress),
            ("адрес", Code::BadAddress),
            (&"e".repeat(5000), Code::BadAddress),
        ] {
            assert_eq!(parse_address(text, &params, Confidentiality::Optional).expect_err(text).code, code, "{text}");
        }
    }
}
