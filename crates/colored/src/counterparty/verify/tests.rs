use super::super::{AssetId, Destination, Encoding};
use super::*;
use bitcoin::transaction::Version;
use bitcoin::{Sequence, TxIn, Txid, Witness, hashes::Hash as _};

fn script(n: u8) -> ScriptBuf {
    ScriptBuf::from_bytes([&[0x00, 0x14][..], &[n; 20]].concat())
}

fn coin(n: u8) -> OutPoint {
    OutPoint { txid: Txid::from_byte_array([n; 32]), vout: 0 }
}

fn own_key() -> PublicKey {
    "03e5b88453ca5e847b01481a1c2725cb027ae465c8f80b2a9be06c21d1245e2221".parse().expect("a key")
}

fn message() -> Message {
    Message::EnhancedSend {
        asset: AssetId::XCP,
        quantity: 1_000,
        destination: Destination::PubkeyHash([9; 20]),
        memo: b"memo".to_vec(),
        encoding: Encoding::Cbor,
    }
}

fn output(script_pubkey: ScriptBuf, value: u64) -> TxOut {
    TxOut { value: Amount::from_sat(value), script_pubkey }
}

fn input(previous_output: OutPoint) -> TxIn {
    TxIn { previous_output, script_sig: ScriptBuf::new(), sequence: Sequence::MAX, witness: Witness::new() }
}

/// A transaction of one payment, the message and change, as a server would compose it.
struct World {
    tx: Transaction,
    spent: Vec<TxOut>,
    message: Message,
    pays: Vec<(ScriptBuf, Amount)>,
}

impl World {
    fn new() -> World {
        let data = carrier::op_return(&carrier::key(coin(1).txid), &message().write().expect("good")).expect("short");
        let output = vec![output(script(5), 546), output(data, 0), output(script(2), 9_000)];
        let tx = Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input: vec![input(coin(1))], output };
        let spent = vec![self::output(script(1), 10_000)];
        World { tx, spent, message: message(), pays: vec![(script(5), Amount::from_sat(546))] }
    }

    fn verify(&self) -> Result<Verified, ComposedFault> {
        let intent = Intent {
            message: &self.message,
            source: &script(1),
            coins: &[coin(1), coin(2)],
            pays: &self.pays,
            change: &[script(2)],
            key: Some(&own_key()),
            most_fee: Amount::from_sat(1_000),
        };
        verify_composed(&Composed { tx: &self.tx, spent: &self.spent }, &intent)
    }

    /// The same with the message in multisig outputs of `key`.
    fn in_multisig(key: &PublicKey) -> World {
        let mut world = World::new();
        let scripts = carrier::multisig(&carrier::key(coin(1).txid), &message().write().expect("good"), key).expect("good");
        world.tx.output.splice(1..2, scripts.into_iter().map(|script| output(script, 1_000)));
        world.spent[0].value = Amount::from_sat(11_000);
        world
    }
}

#[test]
fn what_is_intended_passes() {
    let verified = Verified { carrier: Carrier::OpReturn, fee: Amount::from_sat(454), change: Amount::from_sat(9_000) };
    assert_eq!(World::new().verify(), Ok(verified));
    let verified = World::in_multisig(&own_key()).verify().map(|verified| verified.carrier);
    assert_eq!(verified, Ok(Carrier::Multisig));
}

#[test]
fn what_is_composed_here_passes() {
    let long = Message::Issuance {
        asset: AssetId::new(17_576).expect("an asset"),
        quantity: 5,
        flags: crate::counterparty::message::Flags::default(),
        description: crate::counterparty::message::Description { mime: String::new(), text: Some(vec![b'x'; 100]) },
        encoding: Encoding::Cbor,
    };
    for (message, carrier) in [(message(), Carrier::OpReturn), (long, Carrier::Multisig)] {
        let mut world = World::new();
        let layout = crate::counterparty::plan::layout(&message, coin(1), &world.pays, Some(&own_key())).expect("good");
        world.tx = layout.transaction(&[coin(2)], Some(output(script(2), 9_000)));
        world.tx.output.iter().for_each(|output| assert!(output.value <= Amount::from_sat(9_000)));
        let out: Amount = world.tx.output.iter().map(|output| output.value).sum();
        world.spent = vec![output(script(1), out.to_sat()), output(script(9), 700)];
        world.message = message;
        let verified = world.verify().map(|verified| (verified.carrier, verified.fee.to_sat(), verified.change.to_sat()));
        assert_eq!(verified, Ok((carrier, 700, 9_000)));
    }
    let code = crate::counterparty::plan::layout(
        &Message::Destroy { asset: AssetId::XCP, quantity: 1, tag: vec![0; 99] },
        coin(1),
        &[],
        None,
    );
    assert_eq!(code.map_err(|refusal| refusal.code), Err(Code::BadRequest));
}

type Spoil = fn(&mut World);

#[test]
fn every_deviation_is_refused() {
    let cases: &[(&str, Spoil, ComposedFault)] = &[
        ("pays elsewhere", |w| w.tx.output[2].script_pubkey = script(66), ComposedFault::ForeignOutput(2)),
        ("pays more", |w| w.tx.output[0].value = Amount::from_sat(547), ComposedFault::Payment(0)),
        ("pays another", |w| w.tx.output[0].script_pubkey = script(66), ComposedFault::Payment(0)),
        ("pays last", |w| w.tx.output.rotate_left(1), ComposedFault::Payment(0)),
        ("does not pay", |w| drop(w.tx.output.remove(0)), ComposedFault::Payment(0)),
        ("pays somebody too", |w| w.tx.output.push(output(script(66), 1)), ComposedFault::ForeignOutput(3)),
        ("data behind change", |w| w.tx.output.swap(1, 2), ComposedFault::Payment(2)),
        (
            "says something else too",
            |w| {
                w.tx.output.push(output(crate::payload::script(b"OA\x01\x00\x00\x00").expect("short"), 0));
            },
            ComposedFault::ForeignOutput(3),
        ),
        ("burns value", |w| w.tx.output[1].value = Amount::from_sat(1), ComposedFault::DataValue(1)),
        ("says nothing", |w| drop(w.tx.output.remove(1)), ComposedFault::NoMessage),
        ("another input 0", |w| w.tx.input[0] = input(coin(2)), ComposedFault::NoMessage),
        ("another source", |w| w.spent[0].script_pubkey = script(3), ComposedFault::Source),
        (
            "a coin not offered",
            |w| {
                w.tx.input.push(input(coin(3)));
                w.spent.push(output(script(1), 1));
            },
            ComposedFault::ForeignInput(1),
        ),
        (
            "a coin twice",
            |w| {
                w.tx.input.push(input(coin(1)));
                w.spent.push(output(script(1), 1));
            },
            ComposedFault::ForeignInput(1),
        ),
        ("a coin we know nothing of", |w| w.tx.input.push(input(coin(2))), ComposedFault::Inputs),
        (
            "no inputs",
            |w| {
                w.tx.input.clear();
                w.spent.clear();
            },
            ComposedFault::Inputs,
        ),
        ("fee too high", |w| w.tx.output[2].value = Amount::from_sat(1_000), ComposedFault::Fee(Amount::from_sat(8_454))),
        ("more out than in", |w| w.tx.output[2].value = Amount::from_sat(10_000), ComposedFault::Amounts),
        ("amounts overflow", |w| w.tx.output[2].value = Amount::MAX, ComposedFault::Amounts),
        ("locked", |w| w.tx.lock_time = LockTime::from_consensus(900_000), ComposedFault::LockTime),
    ];
    for (name, spoil, fault) in cases {
        let mut world = World::new();
        spoil(&mut world);
        assert_eq!(world.verify(), Err(*fault), "{name}");
    }
}

#[test]
fn another_message_is_refused_whatever_it_changes() {
    let spoils: &[fn(&mut Message)] = &[
        |m| {
            if let Message::EnhancedSend { quantity, .. } = m {
                *quantity += 1
            }
        },
        |m| {
            if let Message::EnhancedSend { memo, .. } = m {
                memo.clear()
            }
        },
        |m| {
            if let Message::EnhancedSend { destination, .. } = m {
                *destination = Destination::ScriptHash([9; 20])
            }
        },
        |m| *m = Message::Dispense,
    ];
    for spoil in spoils {
        let mut world = World::new();
        spoil(&mut world.message);
        assert_eq!(world.verify(), Err(ComposedFault::OtherMessage));
    }
}

#[test]
fn a_multisig_that_somebody_else_can_spend_is_refused() {
    let foreign = "02fa89cc75076d9fb9c5417aa5cb30fc22198b34982dbb629ec04b4f8b05a071ab".parse().expect("a key");
    assert_eq!(World::in_multisig(&foreign).verify(), Err(ComposedFault::ForeignData(1)));
    let mut world = World::in_multisig(&own_key());
    world.tx.output[1].value = Amount::from_sat(2_001);
    assert_eq!(world.verify(), Err(ComposedFault::DataValue(1)));
}

#[test]
fn a_refusal_says_why() {
    let refusal = Refusal::from(ComposedFault::ForeignOutput(2));
    assert_eq!((refusal.code, refusal.args["why"].as_str()), (Code::DraftLies, "output 2 pays elsewhere"));
}
