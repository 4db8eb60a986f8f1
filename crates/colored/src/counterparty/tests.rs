//! Laws of messages and carriers.

use super::carrier::{self, Carrier};
use super::message::{Description, Encoding, Fairminter, Flags, Message, Number};
use super::mpma::{Memo, Mpma, Share};
use super::{AssetId, Destination, MOST, MessageFault, envelope};
use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash as _;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, NetworkKind, OutPoint, PublicKey, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, WitnessProgram,
    WitnessVersion,
};
use proptest::prelude::*;

fn asset() -> impl Strategy<Value = AssetId> {
    prop_oneof![0u64..2, 17_576u64..30_000_000, 95_428_956_661_682_177u64..]
        .prop_map(|number| AssetId::new(number).expect("an asset"))
}

fn quantity() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..300, 0..=MOST, Just(MOST), Just(u64::from(u32::MAX))]
}

fn bytes(longest: usize) -> impl Strategy<Value = Vec<u8>> + Clone {
    prop::collection::vec(any::<u8>(), 0..=longest)
}

fn witness(version: WitnessVersion, program: &[u8]) -> Destination {
    Destination::Witness(WitnessProgram::new(version, program).expect("a program"))
}

fn destination() -> impl Strategy<Value = Destination> {
    prop_oneof![
        any::<[u8; 20]>().prop_map(Destination::PubkeyHash),
        any::<[u8; 20]>().prop_map(Destination::ScriptHash),
        any::<[u8; 20]>().prop_map(|hash| witness(WitnessVersion::V0, &hash)),
        any::<[u8; 32]>().prop_map(|hash| witness(WitnessVersion::V0, &hash)),
        any::<[u8; 32]>().prop_map(|key| witness(WitnessVersion::V1, &key)),
    ]
}

/// Destinations that the old form can hold, with the network that it reads back as.
fn packed() -> impl Strategy<Value = (Destination, NetworkKind)> {
    let network = any::<bool>().prop_map(|main| if main { NetworkKind::Main } else { NetworkKind::Test });
    prop_oneof![
        (any::<[u8; 20]>().prop_map(Destination::PubkeyHash), network.clone()),
        (any::<[u8; 20]>().prop_map(Destination::ScriptHash), network),
        any::<[u8; 20]>().prop_map(|hash| (witness(WitnessVersion::V0, &hash), NetworkKind::Main)),
    ]
}

fn addressed() -> impl Strategy<Value = (Destination, Encoding)> {
    prop_oneof![
        destination().prop_map(|destination| (destination, Encoding::Cbor)),
        packed().prop_map(|(destination, network)| (destination, Encoding::Packed(network))),
    ]
}

fn described() -> impl Strategy<Value = (Description, Encoding)> {
    let text = prop::option::of(bytes(60));
    prop_oneof![
        ("[a-z]{0,9}(/[a-z]{1,9})?", text.clone()).prop_map(|(mime, text)| (Description { mime, text }, Encoding::Cbor)),
        text.prop_map(|text| (Description { mime: String::new(), text }, Encoding::Packed(NetworkKind::Main))),
    ]
}

fn flags() -> impl Strategy<Value = Flags> {
    any::<[bool; 3]>().prop_map(|[divisible, lock, reset]| Flags { divisible, lock, reset })
}

fn memo() -> impl Strategy<Value = Option<Memo>> {
    prop::option::weighted(0.3, (any::<bool>(), bytes(63)).prop_map(|(is_hex, bytes)| Memo { is_hex, bytes }))
}

fn mpma() -> impl Strategy<Value = Message> {
    (prop::collection::vec(packed(), 1..9), memo()).prop_flat_map(|(destinations, memo)| {
        let count = destinations.len();
        // As many shares as the count's width can say.
        let most = count.next_power_of_two();
        let share = (0..count, quantity(), self::memo()).prop_map(|(to, quantity, memo)| Share { to, quantity, memo });
        let lists = prop::collection::vec((asset(), prop::collection::vec(share, 1..=most)), 1..4);
        lists.prop_map(move |lists| Message::Mpma(Mpma { destinations: destinations.clone(), memo: memo.clone(), lists }))
    })
}

fn message() -> impl Strategy<Value = Message> {
    let pair = || [asset(), asset()];
    prop_oneof![
        (asset(), quantity()).prop_map(|(asset, quantity)| Message::Send { asset, quantity }),
        (asset(), quantity(), addressed(), bytes(34)).prop_map(|(asset, quantity, (destination, encoding), memo)| {
            Message::EnhancedSend { asset, quantity, destination, memo, encoding }
        }),
        mpma(),
        (addressed(), any::<u8>(), bytes(34)).prop_map(|((destination, encoding), flags, memo)| Message::Sweep {
            destination,
            flags,
            memo,
            encoding
        }),
        (pair(), [quantity(), quantity()], any::<u16>(), any::<u64>()).prop_map(
            |([give, get], [give_quantity, get_quantity], expiration, fee_required)| {
                Message::Order { give, give_quantity, get, get_quantity, expiration, fee_required }
            }
        ),
        (asset(), [quantity(), quantity(), quantity()], any::<u8>(), bytes(42)).prop_map(
            |(asset, [give_quantity, escrow_quantity, satoshi_rate], status, tail)| Message::Dispenser {
                asset,
                give_quantity,
                escrow_quantity,
                satoshi_rate,
                status,
                tail
            }
        ),
        Just(Message::Dispense),
        (asset(), quantity(), flags(), described()).prop_map(|(asset, quantity, flags, (description, encoding))| {
            Message::Issuance { asset, quantity, flags, description, encoding }
        }),
        (asset(), quantity(), flags(), "[B-Z]{4,12}\\.[a-zA-Z0-9_@!-]{1,60}", described()).prop_map(
            |(asset, quantity, flags, longname, (description, encoding))| Message::SubassetIssuance {
                asset,
                quantity,
                flags,
                longname,
                description,
                encoding
            }
        ),
        (any::<u64>(), any::<u64>(), 0usize..3, any::<u64>(), "[a-z/]{0,12}", bytes(80)).prop_map(
            |(timestamp, value, kind, fee_fraction, mime, text)| {
                let value = [Number::Whole(value), Number::Negative(value), Number::Double(value)][kind];
                Message::Broadcast { timestamp, value, fee_fraction, mime, text }
            }
        ),
        (quantity(), pair()).prop_map(|(quantity_per_unit, [asset, dividend_asset])| Message::Dividend {
            quantity_per_unit,
            asset,
            dividend_asset
        }),
        any::<[u8; 32]>().prop_map(|offer| Message::Cancel { offer: Txid::from_byte_array(offer) }),
        (asset(), any::<u64>(), any::<[u64; 11]>(), any::<[bool; 4]>(), described()).prop_map(
            |(asset, parent, terms, [burn_payment, lock_description, lock_quantity, divisible], (description, _))| {
                let minter =
                    Fairminter { asset, parent, terms, burn_payment, lock_description, lock_quantity, divisible, description };
                Message::Fairminter(Box::new(minter))
            }
        ),
        (asset(), quantity()).prop_map(|(asset, quantity)| Message::Fairmint { asset, quantity }),
        (asset(), quantity(), prop::option::of(any::<u32>())).prop_map(|(asset, quantity, vout)| Message::Attach {
            asset: asset.to_string(),
            quantity,
            vout
        }),
        prop::option::of(destination()).prop_map(|destination| {
            let text =
                |destination: Destination| destination.address(bitcoin::Network::Bitcoin).map(|address| address.to_string());
            Message::Detach { destination: destination.and_then(text) }
        }),
        (asset(), quantity(), bytes(34)).prop_map(|(asset, quantity, tag)| Message::Destroy { asset, quantity, tag }),
        (pair(), [quantity(), quantity(), quantity()], any::<u64>()).prop_map(|(assets, [a, b, least_shares], shares)| {
            Message::PoolDeposit { assets, quantities: [a, b], least_shares, shares }
        }),
        (pair(), [quantity(), quantity(), quantity()]).prop_map(|(assets, [quantity, a, b])| Message::PoolWithdraw {
            assets,
            quantity,
            least: [a, b]
        }),
    ]
}

fn transaction(txid: Txid, output: Vec<TxOut>, witness: Witness) -> Transaction {
    let previous_output = OutPoint { txid, vout: 1 };
    let input = vec![TxIn { previous_output, script_sig: ScriptBuf::new(), sequence: Sequence::MAX, witness }];
    Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input, output }
}

fn out(script_pubkey: ScriptBuf) -> TxOut {
    TxOut { value: Amount::ZERO, script_pubkey }
}

proptest! {
    #[test]
    fn a_message_reads_back_as_it_was_written(message in message()) {
        let written = message.write().expect("within bounds");
        prop_assert_eq!(Message::read(&written), Ok(message));
    }

    #[test]
    fn reading_is_total(
        id in prop::sample::select(vec![0u8, 2, 3, 4, 10, 12, 13, 22, 23, 30, 50, 70, 90, 91, 101, 102, 110, 120, 121, 99]),
        body in bytes(120),
        cbor in any::<bool>(),
    ) {
        let mut message = vec![id];
        message.extend(cbor.then(|| 0x80 | body.first().copied().unwrap_or_default() & 0x17));
        message.extend_from_slice(&body);
        if let Ok(read) = Message::read(&message) {
            prop_assert_eq!(read.write(), Ok(message));
        }
    }

    #[test]
    fn a_cut_or_longer_message_is_never_taken_for_the_whole(message in message(), cut in any::<prop::sample::Index>(), more in bytes(3)) {
        let written = message.write().expect("within bounds");
        let cut = &written[..cut.index(written.len())];
        prop_assert_ne!(Message::read(cut), Ok(message.clone()));
        if !more.is_empty() {
            prop_assert_ne!(Message::read(&[&written[..], &more].concat()), Ok(message));
        }
    }

    #[test]
    fn every_carrier_gives_the_message_back(txid in any::<[u8; 32]>(), message in prop::collection::vec(any::<u8>(), 1..200)) {
        let txid = Txid::from_byte_array(txid);
        let key = carrier::key(txid);
        let source: PublicKey = "03e5b88453ca5e847b01481a1c2725cb027ae465c8f80b2a9be06c21d1245e2221".parse().expect("a key");
        let found = |output, witness| carrier::find(&transaction(txid, output, witness)).map(|found| (found.carrier, found.message));

        match carrier::op_return(&key, &message) {
            Ok(script) => prop_assert_eq!(found(vec![out(script)], Witness::new()), Some((Carrier::OpReturn, message.clone()))),
            Err(fault) => prop_assert!(fault == MessageFault::TooLong && message.len() > 72),
        }
        let scripts = carrier::multisig(&key, &message, &source).expect("a message");
        let outputs = scripts.into_iter().map(out).collect();
        prop_assert_eq!(found(outputs, Witness::new()), Some((Carrier::Multisig, message.clone())));

        let (key, _) = source.inner.x_only_public_key();
        let leaf = envelope::leaf(&message, key).expect("a message");
        let witness = Witness::from_slice(&[&[0; 64][..], leaf.as_bytes(), &[0xc0; 33]]);
        let reveal = vec![out(crate::payload::script(b"CNTRPRTY").expect("short"))];
        prop_assert_eq!(found(reveal, witness), Some((Carrier::Taproot, message)));
    }

    #[test]
    fn finding_is_total(txid in any::<[u8; 32]>(), scripts in prop::collection::vec(bytes(110), 0..4), leaf in bytes(60)) {
        let outputs = scripts.into_iter().map(|script| out(ScriptBuf::from_bytes(script))).collect();
        let witness = Witness::from_slice(&[&[0; 64][..], &leaf, &[0xc0; 33]]);
        let _ = carrier::find(&transaction(Txid::from_byte_array(txid), outputs, witness));
    }

    #[test]
    fn several_sends_are_built_as_they_are_read(
        sends in prop::collection::vec((0u64..3, packed(), 1..=MOST), 1..9),
    ) {
        let sends: Vec<_> = sends.into_iter()
            .map(|(letter, (destination, _), quantity)| (AssetId::new(17_576 + letter).expect("an asset"), destination, quantity))
            .collect();
        if let Ok(mpma) = Mpma::new(&sends, NetworkKind::Test) {
            let message = Message::Mpma(mpma.clone());
            prop_assert_eq!(Message::read(&message.write().expect("checked")), Ok(message));
            let mut got: Vec<_> = mpma.lists.iter()
                .flat_map(|(asset, shares)| shares.iter().map(|share| (*asset, mpma.destinations[share.to].0.script(), share.quantity)))
                .collect();
            let mut wanted: Vec<_> = sends.iter().map(|(asset, destination, quantity)| (*asset, destination.script(), *quantity)).collect();
            got.sort();
            wanted.sort();
            prop_assert_eq!(got, wanted);
        }
    }
}

#[test]
fn quantities_and_notes_past_their_bounds_are_neither_written_nor_read() {
    let asset = AssetId::XCP;
    assert_eq!(Message::Send { asset, quantity: MOST + 1 }.write(), Err(MessageFault::Quantity));
    assert_eq!(Message::Destroy { asset, quantity: 1, tag: vec![0; 35] }.write(), Err(MessageFault::TooLong));
    let mut send = Message::Send { asset, quantity: MOST }.write().expect("good");
    send[12] = 0x80;
    assert_eq!(Message::read(&send), Err(MessageFault::Quantity));
    assert_eq!(Message::read(&[]), Err(MessageFault::Truncated));
    assert_eq!(Message::read(&[99, 1]), Err(MessageFault::UnknownType(99)));
    assert_eq!(Message::read(b"\x65XCP|-1|"), Err(MessageFault::Malformed));
    assert_eq!(Message::read(b"\x65XCP|01|"), Err(MessageFault::Malformed));
    assert_eq!(Message::read(b"\x65XCP|1||"), Err(MessageFault::Malformed));
}

#[test]
fn what_the_ledger_would_refuse_is_not_built() {
    let named = AssetId::new(17_576).expect("an asset");
    let numeric = AssetId::new(95_428_956_661_682_177).expect("an asset");
    let encoding = Encoding::Cbor;
    let described = |text: &str| Description { mime: String::new(), text: Some(text.as_bytes().to_vec()) };
    let issuance =
        |asset, text| Message::Issuance { asset, quantity: 1, flags: Flags::default(), description: described(text), encoding };
    let subasset = |asset, longname: &str| Message::SubassetIssuance {
        asset,
        quantity: 1,
        flags: Flags::default(),
        longname: longname.to_owned(),
        description: described(""),
        encoding,
    };
    let sweep = |flags| Message::Sweep { destination: Destination::PubkeyHash([1; 20]), flags, memo: vec![], encoding };
    let order = |get, get_quantity| Message::Order {
        give: AssetId::XCP,
        give_quantity: 1,
        get,
        get_quantity,
        expiration: 0,
        fee_required: 0,
    };
    for good in [issuance(named, "Gold"), subasset(numeric, "PARENT.child"), sweep(3), order(named, 1)] {
        assert_eq!(good.check(), Ok(()));
    }
    for bad in [
        Message::Send { asset: AssetId::BTC, quantity: 1 },
        Message::Send { asset: named, quantity: 0 },
        Message::Destroy { asset: named, quantity: 0, tag: vec![] },
        issuance(AssetId::XCP, ""),
        issuance(named, "Go\u{200b}ld"),
        issuance(named, "a\nb"),
        subasset(named, "PARENT.child"),
        subasset(numeric, "PARENT..child"),
        sweep(0),
        sweep(4),
        sweep(9),
        order(AssetId::XCP, 1),
        order(named, 0),
    ] {
        assert!(bad.check().is_err(), "{bad:?}");
    }
}

#[test]
fn the_word_lock_locks_the_supply_as_the_flag_does() {
    let issuance = |lock, text: &[u8]| Message::Issuance {
        asset: AssetId::new(17_576).expect("an asset"),
        quantity: 0,
        flags: Flags { lock, ..Flags::default() },
        description: Description { mime: String::new(), text: Some(text.to_vec()) },
        encoding: Encoding::Cbor,
    };
    assert!(issuance(true, b"").locks_supply());
    assert!(issuance(false, b"LoCk").locks_supply());
    assert!(!issuance(false, b"lock_description").locks_supply());
}
