//! The vectors of the BOLTs, and everything that people paste.

use super::*;
use causeway_vocab::Atoms;
use proptest::prelude::*;
use serde_json::Value;

/// Just after the invoices of BOLT 11 were made (2017-06-01).
const THEN: u64 = 1_496_314_658;

const OFFER: &str = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
const COFFEE: &str = "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh";
/// LUD-01's own example.
const LNURL: &str = "LNURL1DP68GURN8GHJ7UM9WFMXJCM99E3K7MF0V9CXJ0M385EKVCENXC6R2C35XVUKXEFCV5MKVV34X5EKZD3EV56NYD3HXQURZEPEXEJXXEPNXSCRVWFNV9NXZCN9XQ6XYEFHVGCXXCMYXYMNSERXFQ5FNS";

fn vectors(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn network(name: &str) -> Network {
    name.parse().expect("a network")
}

fn code(text: &str, network: Network, now: u64) -> Refusal {
    read(text, network, now).expect_err("refused")
}

#[test]
fn the_invoices_of_bolt_11_are_read_or_refused_as_it_says() {
    let vectors = vectors(include_str!("../../../../tests/fixtures/bolts/bolt11.json"));
    let cases = |kind: &str| vectors[kind].as_array().expect("a list").clone();
    let text = |case: &Value, field: &str| case[field].as_str().map(str::to_owned);
    assert_eq!((cases("valid").len(), cases("invalid").len()), (16, 10));
    for case in cases("valid") {
        let (name, invoice) = (text(&case, "name").expect("text"), text(&case, "text").expect("text"));
        let place = network(&text(&case, "network").expect("text"));
        let Ok(Some(PaymentText::Invoice(read))) = read(&invoice, place, THEN) else {
            panic!("{name}: {:?}", read(&invoice, place, THEN))
        };
        assert_eq!(read.amount_msat.map(|msat| msat.to_string()), text(&case, "amount_msat"), "{name}");
        assert_eq!(read.description.is_some(), read.description_hash.is_none(), "{name}");
        assert_eq!(code(&invoice, Network::Regtest, THEN).code, Code::WrongNetwork, "{name}");
    }
    for case in cases("invalid") {
        let (name, invoice) = (text(&case, "name").expect("text"), text(&case, "text").expect("text"));
        match read(&invoice, Network::Bitcoin, THEN) {
            Err(refusal) => assert_eq!(refusal.code, Code::BadInvoice, "{name}"),
            // Without its prefix it is nothing that is known.
            Ok(None) => assert!(!invoice.to_lowercase().starts_with("ln"), "{name}"),
            Ok(Some(found)) => panic!("{name}: {found:?}"),
        }
    }
}

#[test]
fn the_coffee_of_bolt_11_expires_after_its_minute() {
    let Ok(Some(PaymentText::Invoice(invoice))) = read(COFFEE, Network::Bitcoin, THEN + 59) else { panic!("an invoice") };
    assert_eq!(invoice.description.as_deref(), Some("1 cup coffee"));
    assert_eq!(invoice.payee.to_string(), "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad");
    assert_eq!(invoice.payment_hash.to_string(), "0001020304050607080900010203040506070809000102030405060708090102");
    assert_eq!((invoice.expires_at, invoice.final_delta), (THEN + 60, 18));
    let late = code(COFFEE, Network::Bitcoin, THEN + 60);
    assert_eq!((late.code, late.args["what"].as_str()), (Code::Expired, "invoice"));
    let pay = |chosen| invoice.to_pay(chosen).map_err(|refusal| refusal.code);
    assert_eq!([pay(None), pay(Some(250_000_000)), pay(Some(500_000_000))], [Ok(250_000_000), Ok(250_000_000), Ok(500_000_000)]);
    assert_eq!([pay(Some(249_999_999)), pay(Some(500_000_001))], [Err(Code::BadAmount); 2]);
    let open = Invoice { amount_msat: None, ..invoice };
    let pay = |chosen| open.to_pay(chosen).map_err(|refusal| refusal.code);
    assert_eq!([pay(None), pay(Some(0)), pay(Some(7))], [Err(Code::AmountNeeded), Err(Code::BadAmount), Ok(7)]);
}

#[test]
fn the_offers_of_bolt_12_are_read_or_refused_as_it_says() {
    let offers = vectors(include_str!("../../../../tests/fixtures/bolts/bolt12_offers.json"));
    let offers = offers.as_array().expect("a list");
    assert_eq!(offers.len(), 53);
    for case in offers {
        let (name, text) = (case["description"].as_str().expect("text"), case["bolt12"].as_str().expect("text"));
        let place = if name == "for testnet" { Network::Testnet } else { Network::Bitcoin };
        let read = read(text, place, THEN);
        match case["valid"].as_bool().expect("a verdict") {
            true => assert!(matches!(read, Ok(Some(PaymentText::Offer(_)))), "{name}: {read:?}"),
            false => assert_eq!(read.expect_err(name).code, Code::BadInvoice, "{name}"),
        }
    }
    let formats = vectors(include_str!("../../../../tests/fixtures/bolts/bolt12_format.json"));
    for case in formats.as_array().expect("a list") {
        let (name, text) = (case["comment"].as_str().expect("text"), case["string"].as_str().expect("text"));
        let read = read(text, Network::Bitcoin, THEN);
        assert_eq!(
            matches!(read, Ok(Some(PaymentText::Offer(_)))),
            case["valid"].as_bool().expect("a verdict"),
            "{name}: {read:?}"
        );
    }
}

#[test]
fn an_offer_says_what_to_ask_an_invoice_for() {
    let Ok(Some(PaymentText::Offer(open))) = read(OFFER, Network::Bitcoin, THEN) else { panic!("an offer") };
    assert_eq!((&open.price, open.expires_at, open.text.as_str()), (&None, None, OFFER));
    assert_eq!(code(OFFER, Network::Regtest, THEN).args["found"], "bitcoin");
    let ask = |price: Option<Price>, quantity, chosen| {
        Offer { price, ..open.clone() }.to_ask(quantity, chosen).map_err(|refusal| refusal.code)
    };
    assert_eq!(
        [ask(None, 1, None), ask(None, 1, Some(0)), ask(None, 1, Some(9))],
        [Err(Code::AmountNeeded), Err(Code::BadAmount), Ok(9)]
    );
    let three = || Some(Price::Bitcoin(3));
    assert_eq!([ask(three(), 2, None), ask(three(), 2, Some(5)), ask(three(), 2, Some(7))], [Ok(6), Err(Code::BadAmount), Ok(7)]);
    assert_eq!(ask(three(), u64::MAX, None), Err(Code::BadAmount));
    assert_eq!(ask(Some(Price::Currency("USD".into(), 500)), 1, None), Err(Code::AmountNeeded));
    // bolt12/offers-test.json, "with expiry": 2035-01-01.
    let offers = vectors(include_str!("../../../../tests/fixtures/bolts/bolt12_offers.json"));
    let text = offers.as_array().expect("a list").iter().find(|case| case["description"] == "with expiry").expect("it")["bolt12"]
        .clone();
    let text = text.as_str().expect("text");
    let Ok(Some(PaymentText::Offer(Offer { expires_at: Some(end), .. }))) = read(text, Network::Bitcoin, THEN) else {
        panic!("an expiry")
    };
    assert!(read(text, Network::Bitcoin, end - 1).is_ok());
    assert_eq!(code(text, Network::Bitcoin, end).args["what"], "offer");
}

#[test]
fn links_are_read_and_only_safe_ones() {
    let link = |text: &str| match read(text, Network::Bitcoin, THEN) {
        Ok(Some(PaymentText::Lnurl(link))) => Ok((link.url, link.host, link.kind)),
        Err(refusal) => Err(refusal.args["why"].clone()),
        _ => Err("no link".to_owned()),
    };
    let lud01 = "https://service.com/api?q=3fc3645b439ce8e7f2553a69e5267081d96dcd340693afabe04be7b0ccd178df";
    let plain = (lud01.to_owned(), "service.com".to_owned(), None);
    for text in
        [LNURL.to_owned(), LNURL.to_lowercase(), format!("lightning:{LNURL}"), format!("https://x.org/give?lightning={LNURL}")]
    {
        assert_eq!(link(&text), Ok(plain.clone()), "{text}");
    }
    let pay = |url: &str, host: &str, kind| Ok((url.to_owned(), host.to_owned(), Some(kind)));
    assert_eq!(link("lnurlp://domain.com/path?a=1"), pay("https://domain.com/path?a=1", "domain.com", LnurlKind::Pay));
    assert_eq!(link("LNURLW:Domain.com/x"), pay("https://Domain.com/x", "domain.com", LnurlKind::Withdraw));
    assert_eq!(link("keyauth://abc.onion/x"), pay("http://abc.onion/x", "abc.onion", LnurlKind::Auth));
    for text in [
        "lnurlp://127.0.0.1/x",
        "lnurlp://localhost/x",
        "lnurlp://printer.local/x",
        "lnurlp://[::1]/x",
        "lnurlp://good.com@evil.com/x",
        "lnurlp://good.com:99999/x",
        "lnurlp://g\u{f6}od.com/x",
        "lnurlp://",
        "lnurlp://a b.com/",
    ] {
        assert_eq!(link(text), Err("link".into()), "{text}");
    }
    let bech32 = |url: &str| {
        let hrp = bitcoin::bech32::Hrp::parse("lnurl").expect("a prefix");
        bitcoin::bech32::encode::<bitcoin::bech32::Bech32>(hrp, url.as_bytes()).expect("short")
    };
    assert_eq!(link(&bech32("http://service.com/x")), Err("link".into()));
    assert_eq!(link(&bech32("https://s.com/?tag=login&k1=00")).map(|link| link.2), Ok(Some(LnurlKind::Auth)));
    assert_eq!(link(&bech32("http://abc.onion/x")).map(|link| link.1), Ok("abc.onion".into()));
    assert_eq!(link(&LNURL.replace('8', "9")), Err("damaged".into()));
    assert_eq!(link("https://example.com/"), Err("no link".into()));
}

#[test]
fn names_are_read_and_lead_to_both_places() {
    let name = |text: &str| match read(text, Network::Bitcoin, THEN) {
        Ok(Some(PaymentText::Name(name))) => name,
        other => panic!("{text}: {other:?}"),
    };
    let matt = name("Matt@Mattcorallo.com");
    assert_eq!(matt.dns_name(), "matt.user._bitcoin-payment.mattcorallo.com.");
    assert_eq!(matt.lnurl_pay_url().as_deref(), Some("https://mattcorallo.com/.well-known/lnurlp/matt"));
    let only = name("\u{20bf}matt@mattcorallo.com");
    assert_eq!((only.dns_only, only.lnurl_pay_url()), (true, None));
    assert_eq!(name("a.b_c+tag@sub.xn--bcher-kva.example").domain, "sub.xn--bcher-kva.example");
    let why = |text: &str| code(text, Network::Bitcoin, THEN).args["why"].clone();
    for text in [
        "@domain.com",
        "me@",
        "me@localhost",
        "me@1.2.3.4",
        "me@b\u{fc}cher.example",
        "m\u{e9}@x.org",
        "a@b@c.org",
        "me@-x.org",
        "me@x..org",
    ] {
        assert_eq!(why(text), "name", "{text}");
    }
    for text in ["somebody, mail me @ home", "https://a@b.c/", ""] {
        assert_eq!(read(text, Network::Bitcoin, THEN), Ok(None), "{text}");
    }
}

#[test]
fn a_uri_gives_every_way_that_can_be_used() {
    let unified = |text: &str| match read(text, Network::Bitcoin, THEN) {
        Ok(Some(PaymentText::Unified(found))) => found,
        other => panic!("{text}: {other:?}"),
    };
    const ADDRESS: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    let found = unified(&format!("bitcoin:{ADDRESS}?amount=0.0025&label=x&lightning={COFFEE}&lno={OFFER}"));
    assert_eq!(found.on_chain, Some(format!("bitcoin:{ADDRESS}?amount=0.0025&label=x")));
    assert_eq!((found.amount, found.refused.len()), (Some(Atoms(250_000)), 0));
    assert!(matches!(found.lightning[..], [PaymentText::Offer(_), PaymentText::Invoice(_)]));

    let shout = unified(&format!("BITCOIN:{ADDRESS}?LIGHTNING={COFFEE}").to_uppercase());
    assert!(matches!(shout.lightning[..], [PaymentText::Invoice(_)]));
    let only = unified(&format!("bitcoin:?lno={OFFER}"));
    assert_eq!((only.on_chain, only.lightning.len()), (None, 1));

    let dear = unified(&format!("bitcoin:{ADDRESS}?amount=0.0024&lightning={COFFEE}"));
    assert_eq!((dear.lightning.len(), dear.refused[0].args["why"].as_str()), (0, "amount-differs"));
    let Ok(Some(PaymentText::Unified(late))) =
        read(&format!("bitcoin:{ADDRESS}?lightning={COFFEE}"), Network::Bitcoin, THEN + 60)
    else {
        panic!("the address is still good")
    };
    assert_eq!((late.lightning.len(), late.refused[0].code), (0, Code::Expired));
    assert_eq!(code(&format!("bitcoin:?lightning={COFFEE}"), Network::Bitcoin, THEN + 60).code, Code::Expired);

    assert_eq!(read(&format!("bitcoin:{ADDRESS}?amount=1"), Network::Bitcoin, THEN), Ok(None), "the wallet's alone");
    assert_eq!(read(ADDRESS, Network::Bitcoin, THEN), Ok(None));
    let code = |text: String| code(&text, Network::Bitcoin, THEN).code;
    assert_eq!(code(format!("bitcoin:{ADDRESS}?lightning={COFFEE}&req-unknown=1")), Code::NotOffered);
    assert_eq!(code(format!("bitcoin:{ADDRESS}?amount=1e3&lightning={COFFEE}")), Code::BadAmount);
    assert_eq!(code(format!("bitcoin:{ADDRESS}?amount=1&amount=2&lightning={COFFEE}")), Code::BadRequest);
    assert_eq!(code("lightning:nothing".into()), Code::BadInvoice);
    assert_eq!(code("lnr1qqsq".into()), Code::BadInvoice);
    assert_eq!(read(&"x".repeat(MAX_TEXT + 1), Network::Bitcoin, THEN), Ok(None));
}

proptest! {
    #[test]
    fn hostile_text_never_panics(
        prefix in prop::sample::select(vec!["", "lnbc", "lnbc1", "lno1", "lnurl1", "lightning:", "bitcoin:?lightning=", "lnurlp://", "me@", "\u{20bf}"]),
        text in "\\PC{0,80}",
    ) {
        let _ = read(&format!("{prefix}{text}"), Network::Bitcoin, THEN);
    }

    #[test]
    fn a_damaged_invoice_is_never_taken(at in 4..COFFEE.len(), letter in prop::sample::select("qpzry9x8gf2tvdw0s3jn54khce6mua7l".chars().collect::<Vec<_>>())) {
        let mut text = COFFEE.to_owned();
        prop_assume!(!text[at..].starts_with(letter));
        text.replace_range(at..=at, &letter.to_string());
        prop_assert!(!matches!(read(&text, Network::Bitcoin, THEN), Ok(Some(PaymentText::Invoice(_)))));
    }
}
