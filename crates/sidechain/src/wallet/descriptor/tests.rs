//! Descriptors against published vectors and real wallets.

use super::*;
use crate::wallet::testing::{chain_params, fixture, hex, vectors};
use serde_json::Value;

fn params_of(network: &Value) -> &'static AddressParams {
    match network.as_str() {
        Some("liquid") => &AddressParams::LIQUID,
        Some("liquidtestnet") => &AddressParams::LIQUID_TESTNET,
        _ => &AddressParams::ELEMENTS,
    }
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().expect(key)
}

fn why(descriptor: &str) -> String {
    CtDescriptor::parse(descriptor).expect_err(descriptor).args["why"].clone()
}

#[test]
fn descriptors_derive_the_published_scripts_keys_and_addresses() {
    for case in vectors("ct_descriptors.json") {
        let parsed = CtDescriptor::parse(text(&case, "descriptor"));
        if case["valid"] == false {
            assert_eq!(parsed.expect_err(text(&case, "name")).code, Code::BadDescriptor);
            continue;
        }
        let parsed = parsed.unwrap_or_else(|e| panic!("{}: {e}", text(&case, "name")));
        let params = params_of(&case["network"]);
        for address in case["addresses"].as_array().expect("addresses") {
            let index = address["index"].as_u64().unwrap_or(0) as u32;
            let path = parsed.paths().swap_remove(address["chain"].as_u64().unwrap_or(0) as usize);
            let derived = path.derive(index, params).expect("derives");
            assert_eq!(derived.script.as_bytes(), hex(&address["script_pubkey"]));
            assert_eq!(derived.blinding_key.to_string(), text(address, "blinding_pubkey"));
            assert_eq!(derived.confidential_address().to_string(), text(address, "confidential"));
            assert_eq!(derived.explicit_address().to_string(), text(address, "unconfidential"));
            let key = parsed.private_blinding_key(&derived.script, index);
            assert!(key.is_none_or(|key| key.public_key(SECP256K1) == derived.blinding_key));
            if !address["blinding_private_key"].is_null() {
                assert_eq!(key.expect("private").secret_bytes(), hex(&address["blinding_private_key"])[..]);
            }
        }
        assert_eq!(CtDescriptor::parse(&parsed.to_string()), Ok(parsed));
    }
}

#[test]
fn deterministic_view_keys_follow_from_the_script_descriptor() {
    for case in vectors("elip151.json") {
        let made = CtDescriptor::with_deterministic_view_key(text(&case, "ordinary_descriptor"));
        if case["valid"] == false {
            assert_eq!(made.expect_err(text(&case, "name")).code, Code::BadDescriptor);
            continue;
        }
        let made = made.unwrap_or_else(|e| panic!("{}: {e}", text(&case, "name")));
        assert_eq!(Ok(made.clone()), CtDescriptor::parse(text(&case, "ct_descriptor")));
        assert_eq!(Ok(made.clone()), CtDescriptor::parse(text(&case, "ct_descriptor_short")));
        assert!(made.to_string().starts_with(&format!("ct({},", text(&case, "view_key"))));
        let first = made.derive(0, &AddressParams::LIQUID).expect("derives").confidential_address();
        assert_eq!(first.to_string(), text(&case, "first_address"));
    }
}

#[test]
fn wallet_identifiers_are_the_published_ones() {
    for case in vectors("elip152_dwid.json") {
        let parsed = CtDescriptor::parse(text(&case, "descriptor")).unwrap_or_else(|e| panic!("{}: {e}", text(&case, "name")));
        assert_eq!(parsed.dwid(params_of(&case["network"])).as_deref(), case["dwid"].as_str());
    }
}

#[test]
fn slip77_keys_open_the_published_scripts() {
    for case in vectors("slip77.json") {
        let master = Key::Slip77(text(&case, "master_blinding_key").parse().expect("a key"));
        let any = "elwpkh(03774eec7a3d550d18e9f89414152025b3b0ad6a342b19481f702d843cff06dfc4)";
        let descriptor = ScriptDescriptor::from_str(any).expect("valid");
        let descriptor = CtDescriptor(confidential::Descriptor { key: master, descriptor });
        for output in case["outputs"].as_array().expect("outputs") {
            let script = Script::from(hex(&output["script_pubkey"]));
            let key = descriptor.private_blinding_key(&script, 0).expect("private");
            assert_eq!(key.secret_bytes(), hex(&output["blinding_private_key"])[..]);
            let address = Address::from_script(&script, None, params_of(&case["network"])).expect("an address");
            let confidential = address.to_confidential(key.public_key(SECP256K1));
            assert_eq!(
                (address.to_string(), confidential.to_string().as_str()),
                (text(output, "unconfidential").to_owned(), text(output, "confidential"),)
            );
        }
    }
}

#[test]
fn an_account_derives_what_other_wallets_derive_from_the_same_words() {
    for wallet in fixture("wallet.json")["wallets"].as_array().expect("wallets") {
        let account = CtDescriptor::parse(text(wallet, "descriptor")).and_then(|d| d.account(&chain_params())).expect("valid");
        for address in wallet["addresses"].as_array().expect("addresses") {
            let chain = Chain::BOTH[address["chain"].as_u64().expect("0 or 1") as usize];
            let path = KeyPath { chain, index: address["index"].as_u64().expect("an index") as u32 };
            let derived = account.derive(path).expect("derives");
            assert_eq!(derived.script.as_bytes(), hex(&address["script_pubkey"]));
            assert_eq!(account.script(path), Some(derived.script.clone()));
            assert_eq!(derived.confidential_address().to_string(), text(address, "confidential_address"));
            assert_eq!(derived.explicit_address().to_string(), text(address, "unconfidential_address"));
            let key = account.private_blinding_key(path, &derived.script);
            assert_eq!(key.secret_bytes(), hex(&address["blinding_private_key"])[..]);
        }
    }
}

#[test]
fn issuances_are_hidden_by_the_key_that_elementsd_derives() {
    let fixture = fixture("issuance.json");
    let view = "xpub661MyMwAqRbcFkPHucMnrGNzDwb6teAX1RbKQmqtEF8kK3Z7LZ59qafCjB9eCRLiTVG3uxBxgKvRgbubRhqSKXnGGb1aoaqLrpMBDrVxga8";
    let text_of = format!("ct(slip77({}),elwpkh({view}/*))", text(&fixture, "wallet_slip77_master_blinding_key"));
    let account = CtDescriptor::parse(&text_of).and_then(|d| d.account(&liquid())).expect("valid");
    let issuances = fixture["items"].as_array().expect("items").iter().flat_map(|i| i["issuances"].as_array().expect("list"));
    for issuance in issuances.filter(|issuance| !issuance["blinding_key"].is_null()) {
        let prevout = &issuance["prevout"];
        let txid = text(prevout, "txid").parse().expect("a txid");
        let prevout = OutPoint::new(txid, prevout["vout"].as_u64().expect("vout") as u32);
        assert_eq!(account.issuance_blinding_key(&prevout).secret_bytes(), hex(&issuance["blinding_key"])[..]);
    }
}

fn liquid() -> SidechainParams {
    SidechainParams { chain_name: "liquidv1".to_owned(), ..chain_params() }
}

#[test]
fn a_public_key_that_spells_a_private_one_is_public() {
    use elements::bitcoin::bip32::{ChainCode, Xpub};
    let text = "xpub661MyMwAqRbcFkPHucMnrGNzDwb6teAX1RbKQmqtEF8kK3Z7LZ59qafCjB9eCRLiTVG3uxBxgKvRgbubRhqSKXnGGb1aoaqLrpMBDrVxga8";
    let key = Xpub::from_str(text).expect("a key");
    let mut keys = (0u64..).map(|number| {
        let mut code = [0; 32];
        code[..8].copy_from_slice(&number.to_le_bytes());
        Xpub { chain_code: ChainCode::from(code), ..key }.to_string()
    });
    let key = keys.find(|key| key.contains("prv")).expect("BUG: the numbers do not end");
    assert!(CtDescriptor::parse(&format!("ct(elip151,elwpkh({key}/<0;1>/*))")).is_ok(), "{key}");
}

#[test]
fn what_is_wrong_with_a_descriptor_is_named() {
    let xpub = "xpub661MyMwAqRbcFkPHucMnrGNzDwb6teAX1RbKQmqtEF8kK3Z7LZ59qafCjB9eCRLiTVG3uxBxgKvRgbubRhqSKXnGGb1aoaqLrpMBDrVxga8";
    let xprv = "xprv9s21ZrQH143K28NgQ7bHCF61hy9VzwquBZvpzTwXLsbmQLRJ6iV9k2hUBRt5qzmBaSpeMj5LdcsHaXJvM7iFEivPryRcL8irN7Na9p65UUb";
    let view = "3e129856c574c66d94023ac98b7f69aca9774d10aee4dc087f0c52a498687189";
    for (descriptor, wanted) in [
        (format!("elwpkh({xpub}/*)"), "not-confidential"),
        (format!("ct({view},elwpkh({xpub}/*))#qqqqqqqq"), "checksum"),
        (format!("ct({view},elwpkh({xpub}/*)"), "syntax"),
        (format!("ct({view},elwpkh({}/*))", &xpub[..40]), "syntax"),
        (format!("ct({view},elwpkh({xprv}/*))"), "private-key"),
        (format!("ct({view},elwsh(multi(1,{xpub}/<0;1>/*,{xpub}/<0;1;2>/*)))"), "syntax"),
        (format!("ct(elip151,elwpkh({xpub}))"), "no-wildcard"),
        (format!("ct(elip151,elwpkh({xpub}/*h))"), "no-wildcard"),
        (format!("ct(slip77(00),elwpkh({xpub}/*))"), "blinding-key"),
        ("ct(".to_owned() + &"a".repeat(MAX_DESCRIPTOR), "too-long"),
    ] {
        assert_eq!(why(&descriptor), wanted, "{descriptor}");
    }
    for (descriptor, wanted) in [
        (format!("ct({view},elwpkh({xpub}/0))"), "no-wildcard"),
        (format!("ct({view},elwpkh({xpub}/*h))"), "hardened"),
        (format!("ct(02dce16018bbbb8e36de7b394df5b5166e9adb7498be7d881a85a09aeecf76b623,elwpkh({xpub}/*))"), "view-key"),
        (format!("ct({view},elwpkh({xpub}/<0;1;2>/*))"), "paths"),
    ] {
        let refused = CtDescriptor::parse(&descriptor).expect(&descriptor).account(&liquid()).expect_err(&descriptor);
        assert_eq!((refused.code, refused.args["why"].as_str()), (Code::BadDescriptor, wanted), "{descriptor}");
    }
    let main = CtDescriptor::parse(&format!("ct({view},elwpkh({xpub}/*))")).expect("valid");
    assert!(main.account(&liquid()).is_ok());
    assert_eq!(main.account(&chain_params()).expect_err("main net").args["why"], "network");
}
