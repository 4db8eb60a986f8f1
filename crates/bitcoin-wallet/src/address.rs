//! Reading an address and saying what is wrong with it.

use bitcoin::address::NetworkUnchecked;
use bitcoin::{Address, Network};
use causeway_vocab::{Code, Realm, Refusal};

/// The longest text that is read as an address or a payment URI, bytes.
pub(crate) const MAX_TEXT: usize = 4_096;

/// Reads a Bitcoin address of the realm.
///
/// Refused with `SidechainAddress` (`instead`: `peg-in`), `WrongNetwork` (`found`, `wanted`), or `BadAddress`.
pub fn parse_address(text: &str, realm: &Realm) -> Result<Address, Refusal> {
    let text = text.trim();
    if text.len() > MAX_TEXT {
        return Err(Code::BadAddress.into());
    }
    let wanted = realm.bitcoin.network;
    match text.parse::<Address<NetworkUnchecked>>() {
        Ok(address) if address.is_valid_for_network(wanted) => Ok(address.assume_checked()),
        _ if is_sidechain(text, realm) => Err(Refusal::new(Code::SidechainAddress).with("instead", "peg-in")),
        Ok(address) => {
            // The first that fits: test networks share prefixes, so no text can say which of them was meant.
            let found = [Network::Bitcoin, Network::Testnet, Network::Regtest]
                .into_iter()
                .find(|network| address.is_valid_for_network(*network))
                .map_or_else(|| "unknown".to_owned(), |network| network.to_string());
            Err(Refusal::new(Code::WrongNetwork).with("found", found).with("wanted", wanted))
        }
        Err(_) => Err(Code::BadAddress.into()),
    }
}

/// Whether this is an address of the realm's sidechain or of a public one.
fn is_sidechain(text: &str, realm: &Realm) -> bool {
    use elements::AddressParams;
    [realm.sidechain.address_params(), &AddressParams::LIQUID, &AddressParams::LIQUID_TESTNET, &AddressParams::ELEMENTS]
        .into_iter()
        .any(|params| elements::Address::parse_with_params(text, params).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::realm;

    #[test]
    fn an_address_of_the_realm_is_read_in_either_case() {
        for text in ["bcrt1qug52na4ps4fflx3fsqy4vccgwuv67e3qg8709g7p67904f4573rqjetkn0", "2NEKoQwGrncmkzxf6fPSez627nLTnafcErM"] {
            assert_eq!(parse_address(text, &realm()).map(|address| address.to_string()), Ok(text.to_owned()));
        }
        let upper = "BCRT1QUG52NA4PS4FFLX3FSQY4VCCGWUV67E3QG8709G7P67904F4573RQJETKN0";
        assert!(parse_address(&format!(" {upper}\n"), &realm()).is_ok());
    }

    #[test]
    fn an_address_from_elsewhere_is_refused_by_where_it_is_from() {
        let long = "1".repeat(MAX_TEXT + 1);
        for (text, code, arg) in [
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", Code::WrongNetwork, Some(("found", "bitcoin"))),
            ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", Code::WrongNetwork, Some(("found", "testnet"))),
            ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", Code::WrongNetwork, Some(("wanted", "regtest"))),
            ("ert1qm5ty04afsnt2sr7lsxaswd7c2t672fanl90ayc", Code::SidechainAddress, Some(("instead", "peg-in"))),
            (
                "el1qqvzn74ef04wdja7s4c4pvhz4qck0qdrcn8xyxcyvhkhvdzjkc94l0hgkglt6npxk4q8alqdmqumas5h4u5nmxhn3avpx6j5ej",
                Code::SidechainAddress,
                None,
            ),
            ("ex1qw508d6qejxtdg4y5r3zarvary0c5xw7kxw5fx4", Code::SidechainAddress, None),
            ("bcrt1qug52na4ps4fflx3fsqy4vccgwuv67e3qg8709g7p67904f4573rqjetkn1", Code::BadAddress, None),
            ("", Code::BadAddress, None),
            ("hello", Code::BadAddress, None),
            (&long, Code::BadAddress, None),
        ] {
            let refused = parse_address(text, &realm()).expect_err(text);
            assert_eq!(refused.code, code, "{text}");
            if let Some((name, value)) = arg {
                assert_eq!(refused.args[name], value, "{text}");
            }
        }
    }
}
