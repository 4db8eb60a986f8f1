use super::*;
use crate::counterparty::Message;
use crate::layout::Layout;
use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash as _;
use bitcoin::{Amount, ScriptBuf, Sequence, TxIn, Witness};
use proptest::prelude::*;
use std::collections::HashMap;

type Chain = HashMap<Txid, Arc<Transaction>>;

fn script(n: u8) -> ScriptBuf {
    ScriptBuf::from_bytes([&[0x00, 0x14][..], &[n; 20]].concat())
}

fn input(previous_output: OutPoint) -> TxIn {
    TxIn { previous_output, script_sig: ScriptBuf::new(), sequence: Sequence::MAX, witness: Witness::new() }
}

fn output(script_pubkey: ScriptBuf, value: u64) -> TxOut {
    TxOut { value: Amount::from_sat(value), script_pubkey }
}

fn plain(inputs: &[OutPoint], outputs: Vec<TxOut>) -> Transaction {
    let input = inputs.iter().copied().map(self::input).collect();
    Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input, output: outputs }
}

/// A layout paid for by `fee`, with change.
fn paid(layout: &Layout, fee: OutPoint) -> Transaction {
    layout.transaction(&[fee], Some(output(script(90), 50_000)))
}

/// A chain with coins of every protocol.
struct World {
    chain: Chain,
    /// Uncoloured coins.
    coins: Vec<OutPoint>,
}

impl World {
    fn new() -> World {
        let outputs = (0..12).map(|n| output(script(n), 100_000)).collect();
        let root = plain(&[OutPoint { txid: Txid::from_byte_array([1; 32]), vout: 0 }], outputs);
        let mut world = World { chain: Chain::new(), coins: Vec::new() };
        let txid = world.mine(root);
        world.coins = (0..12).map(|vout| OutPoint { txid, vout }).collect();
        world
    }

    fn mine(&mut self, tx: Transaction) -> Txid {
        let txid = tx.compute_txid();
        self.chain.insert(txid, Arc::new(tx));
        txid
    }

    fn check(&self, tx: &Transaction, intent: &Intent) -> Result<(), Refusal> {
        self.check_marked(tx, intent, Marks::default())
    }

    fn check_marked(&self, tx: &Transaction, intent: &Intent, marks: Marks) -> Result<(), Refusal> {
        check(&mut Ancestry::new(|txid: &Txid| self.chain.get(txid).cloned()), tx, intent, |_| marks)
    }

    fn standing(&self, coin: OutPoint) -> Standing {
        let verdict = Ancestry::new(|txid: &Txid| self.chain.get(txid).cloned()).verdict(coin);
        classify(verdict, &self.chain[&coin.txid], coin.vout as usize, Marks::default())
    }

    /// 100 units of Open Assets on output 0 of a mined issuance.
    fn open_assets(&mut self) -> (open_assets::Coin, Asset) {
        let layout = open_assets::plan::issue(self.coins[0], &[(script(20), 100)], vec![]).expect("good");
        let tx = paid(&layout, self.coins[1]);
        let asset = open_assets::AssetId::issued_by(&script(0));
        let mut intent = Intent { protocol: Some(Protocol::OpenAssets), ..Intent::default() };
        intent.units.insert(script(20), vec![Holding { asset: Asset::OpenAssets(asset), quantity: 100 }]);
        intent.issued.insert(Asset::OpenAssets(asset), 100);
        assert_eq!(self.check(&tx, &intent), Ok(()));
        let outpoint = OutPoint { txid: self.mine(tx), vout: 0 };
        (open_assets::Coin { outpoint, asset, quantity: 100 }, Asset::OpenAssets(asset))
    }

    fn colu(&mut self) -> (colu::Coin, colu::AssetId) {
        let issuance = colu::Issuance { amount: 100, divisibility: 0, locked: true, policy: Some(colu::Policy::Aggregatable) };
        let layout =
            colu::plan::issue(self.coins[2], issuance, &[(script(20), 60)], &script(21), colu::plan::Metadata::default());
        let tx = paid(&layout.expect("good"), self.coins[3]);
        let asset = colu::AssetId::locked(self.coins[2], colu::Policy::Aggregatable, 0);
        let held = |quantity| vec![Holding { asset: Asset::Colu(asset), quantity }];
        let intent = Intent {
            protocol: Some(Protocol::Colu),
            units: BTreeMap::from([(script(20), held(60)), (script(21), held(40))]),
            issued: BTreeMap::from([(Asset::Colu(asset), 100)]),
            ..Intent::default()
        };
        assert_eq!(self.check(&tx, &intent), Ok(()));
        let outpoint = OutPoint { txid: self.mine(tx), vout: 0 };
        (colu::Coin { outpoint, pieces: vec![colu::Piece::of(asset, 60)] }, asset)
    }

    fn epobc(&mut self) -> epobc::Coin {
        let layout = epobc::plan::issue(self.coins[4], 100, &script(20)).expect("good");
        let tx = paid(&layout, self.coins[5]);
        let colour = epobc::ColourId(tx.compute_txid());
        let intent = Intent {
            protocol: Some(Protocol::Epobc),
            units: BTreeMap::from([(script(20), vec![Holding { asset: Asset::Epobc(colour), quantity: 100 }])]),
            issued: BTreeMap::from([(Asset::Epobc(colour), 100)]),
            ..Intent::default()
        };
        assert_eq!(self.check(&tx, &intent), Ok(()));
        epobc::Coin { outpoint: OutPoint { txid: self.mine(tx), vout: 0 }, colour, units: 100 }
    }
}

fn code(result: Result<(), Refusal>) -> Option<Code> {
    result.err().map(|refusal| refusal.code)
}

#[test]
fn coins_of_every_protocol_are_guarded_and_others_are_plain() {
    let mut world = World::new();
    let coloured = [world.open_assets().0.outpoint, world.colu().0.outpoint, world.epobc().outpoint];
    for coin in coloured {
        assert!(matches!(world.standing(coin), Standing::Guarded(_)), "{coin}");
        let tx = plain(&[coin], vec![output(script(1), 200)]);
        assert_eq!(code(world.check(&tx, &Intent::default())), Some(Code::HoldsAssets));
    }
    let change = OutPoint { vout: 2, ..coloured[0] };
    assert_eq!(world.standing(change), Standing::Plain);
    let tx = plain(&[change, world.coins[9]], vec![output(script(1), 200)]);
    assert_eq!(world.check(&tx, &Intent::default()), Ok(()));
}

#[test]
fn a_coin_of_unknown_past_is_not_plain() {
    let mut world = World::new();
    let (coin, _) = world.open_assets();
    let layout = open_assets::plan::transfer(&[coin], &[], Some((coin.asset, 10)), &script(22), vec![]).expect("good");
    let txid = world.mine(paid(&layout, world.coins[6]));
    world.chain.remove(&coin.outpoint.txid);
    let coin = OutPoint { txid, vout: 1 };
    let Standing::Unknown(Reason::Doubt(Doubt::MissingAncestor(_))) = world.standing(coin) else {
        panic!("{:?}", world.standing(coin))
    };
    let tx = plain(&[coin], vec![output(script(1), 200)]);
    assert_eq!(code(world.check(&tx, &Intent::default())), Some(Code::ColourUnknown));
    let tx = plain(&[OutPoint { txid: Txid::from_byte_array([9; 32]), vout: 0 }], vec![]);
    assert_eq!(code(world.check(&tx, &Intent::default())), Some(Code::ColourUnknown));
}

#[test]
fn a_transfer_must_do_exactly_what_was_asked() {
    let mut world = World::new();
    let (coin, asset) = world.open_assets();
    let delivery = open_assets::Delivery { asset: coin.asset, quantity: 30, script: script(30) };
    let layout = open_assets::plan::transfer(&[coin], &[delivery], Some((coin.asset, 5)), &script(31), vec![]).expect("good");
    let tx = paid(&layout, world.coins[6]);
    let held = |quantity| vec![Holding { asset, quantity }];
    let intent = Intent {
        protocol: Some(Protocol::OpenAssets),
        units: BTreeMap::from([(script(30), held(30)), (script(31), held(65))]),
        burned: BTreeMap::from([(asset, 5)]),
        ..Intent::default()
    };
    assert_eq!(world.check(&tx, &intent), Ok(()));

    let intents: &[fn(&mut Intent, Asset)] = &[
        |i, _| i.protocol = None,
        |i, _| i.protocol = Some(Protocol::Colu),
        |i, _| i.burned.clear(),
        |i, a| _ = i.burned.insert(a, 6),
        |i, a| _ = i.issued.insert(a, 1),
        |i, _| _ = i.units.remove(&script(30)),
        |i, a| _ = i.units.insert(script(30), vec![Holding { asset: a, quantity: 31 }]),
        |i, a| _ = i.units.insert(script(7), vec![Holding { asset: a, quantity: 1 }]),
        |i, _| {
            _ = i
                .units
                .insert(script(30), vec![Holding { asset: Asset::OpenAssets(open_assets::AssetId([0; 20])), quantity: 30 }])
        },
    ];
    for (index, spoil) in intents.iter().enumerate() {
        let mut other = intent.clone();
        spoil(&mut other, asset);
        assert!(world.check(&tx, &other).is_err(), "intent {index}");
    }
    type Spoil = fn(&mut Transaction);
    let transactions: &[(&str, Spoil)] = &[
        ("outputs turned", |tx| tx.output.rotate_left(1)),
        ("outputs swapped", |tx| tx.output.swap(1, 2)),
        ("marker dropped", |tx| drop(tx.output.remove(0))),
        ("marker twice", |tx| tx.output.push(tx.output[0].clone())),
        ("units to nobody", |tx| tx.output[1].script_pubkey = ScriptBuf::from_bytes(vec![0x6a])),
        ("another protocol too", |tx| tx.output.push(output(crate::payload::script(b"CC\x02\x15").expect("short"), 0))),
        ("tagged too", |tx| tx.input[0].sequence = epobc::Tag { genesis: false, code: 3 }.write()),
        ("coin dropped", |tx| drop(tx.input.remove(0))),
    ];
    for (name, spoil) in transactions {
        let mut other = tx.clone();
        spoil(&mut other);
        assert_eq!(code(world.check(&other, &intent)), Some(Code::WrongColouring), "{name}");
    }
    // Uncoloured inputs may stand anywhere in this protocol.
    let mut other = tx.clone();
    other.input.rotate_left(1);
    assert_eq!(world.check(&other, &intent), Ok(()));
}

#[test]
fn coins_of_two_protocols_never_meet() {
    let mut world = World::new();
    let (coin, asset) = world.open_assets();
    let stranger = world.epobc().outpoint;
    let layout = open_assets::plan::transfer(&[coin], &[], Some((coin.asset, 1)), &script(31), vec![]).expect("good");
    let mut tx = paid(&layout, world.coins[6]);
    let intent = Intent {
        protocol: Some(Protocol::OpenAssets),
        units: BTreeMap::from([(script(31), vec![Holding { asset, quantity: 99 }])]),
        burned: BTreeMap::from([(asset, 1)]),
        ..Intent::default()
    };
    assert_eq!(world.check(&tx, &intent), Ok(()));
    tx.input.push(input(stranger));
    assert_eq!(code(world.check(&tx, &intent)), Some(Code::HoldsAssets));
}

#[test]
fn colu_units_never_fall_to_somebody_elses_last_output() {
    let mut world = World::new();
    let (coin, asset) = world.colu();
    let delivery = colu::Delivery { asset, amount: 10, script: script(30) };
    let layout = colu::plan::transfer(&[coin], &[delivery], &[(asset, 7)], &script(31), colu::plan::Metadata::default());
    let mut tx = paid(&layout.expect("good"), world.coins[6]);
    let held = |quantity| vec![Holding { asset: Asset::Colu(asset), quantity }];
    let intent = Intent {
        protocol: Some(Protocol::Colu),
        units: BTreeMap::from([(script(30), held(10)), (script(31), held(43))]),
        burned: BTreeMap::from([(Asset::Colu(asset), 7)]),
        ..Intent::default()
    };
    assert_eq!(world.check(&tx, &intent), Ok(()));
    tx.output.push(output(script(66), 10_000));
    assert_eq!(code(world.check(&tx, &intent)), Some(Code::WrongColouring));
}

#[test]
fn an_epobc_transfer_keeps_its_units_and_locks_nothing() {
    let mut world = World::new();
    let coin = world.epobc();
    let layout = epobc::plan::transfer(&[coin], &[epobc::Delivery { units: 30, script: script(30) }], &script(31)).expect("good");
    let mut tx = paid(&layout, world.coins[6]);
    let held = |quantity| vec![Holding { asset: Asset::Epobc(coin.colour), quantity }];
    let intent = Intent {
        protocol: Some(Protocol::Epobc),
        units: BTreeMap::from([(script(30), held(30)), (script(31), held(70))]),
        ..Intent::default()
    };
    assert_eq!(world.check(&tx, &intent), Ok(()));
    tx.version = Version::TWO;
    assert_eq!(code(world.check(&tx, &intent)), Some(Code::WrongColouring));
    tx.version = Version::ONE;
    tx.input.swap(0, 1);
    assert!(world.check(&tx, &intent).is_err());
}

#[test]
fn coins_that_a_ledger_may_bind_units_to_stay_untouched() {
    let mut world = World::new();
    let coin = world.coins[0];
    let say = |message: Message| carrier::op_return(&carrier::key(coin.txid), &message.write().expect("good")).expect("short");
    let attach = |vout| say(Message::Attach { asset: "XCP".into(), quantity: 1, vout });
    for (vout, bound) in [(None, 1), (Some(2), 2)] {
        let tx = plain(&[coin], vec![output(attach(vout), 0), output(script(5), 600), output(script(6), 600)]);
        let txid = world.mine(tx);
        for at in 1..3u32 {
            let standing = world.standing(OutPoint { txid, vout: at });
            let wanted = if at == bound { Standing::Unknown(Reason::Attached) } else { Standing::Plain };
            assert_eq!(standing, wanted, "{vout:?} {at}");
        }
    }
    // What cannot be read might bind as well.
    let garbage = carrier::op_return(&carrier::key(coin.txid), &[100, 1, 2]).expect("short");
    let txid = world.mine(plain(&[coin], vec![output(garbage, 0), output(script(5), 600)]));
    assert_eq!(world.standing(OutPoint { txid, vout: 1 }), Standing::Unknown(Reason::Attached));

    let reported = Marks { reported: true, ..Marks::default() };
    let tx = plain(&[world.coins[1]], vec![output(script(5), 600), output(script(6), 600)]);
    assert_eq!(code(world.check_marked(&tx, &Intent::default(), reported)), Some(Code::ColourUnknown));
    let moves = |to| Intent { attached: Attached::To(to), ..Intent::default() };
    assert_eq!(world.check_marked(&tx, &moves(0), reported), Ok(()));
    assert_eq!(code(world.check_marked(&tx, &moves(1), reported)), Some(Code::WrongColouring));
    let detach = plain(&[coin], vec![output(say(Message::Detach { destination: None }), 0), output(script(5), 600)]);
    let intent = Intent { protocol: Some(Protocol::Counterparty), attached: Attached::Detached, ..Intent::default() };
    assert_eq!(world.check_marked(&detach, &intent, reported), Ok(()));
    let intent = Intent { attached: Attached::To(1), ..intent };
    assert_eq!(code(world.check_marked(&detach, &intent, reported)), Some(Code::WrongColouring));
}

#[test]
fn inscriptions_and_frozen_coins_stay_untouched() {
    let mut world = World::new();
    let mut tx = plain(&[world.coins[0]], vec![output(script(5), 600), output(script(6), 600)]);
    tx.input[0].witness.push([&[0x20][..], &[7; 32], b"\xac\x00\x63\x03ord\x51\x68"].concat());
    let txid = world.mine(tx);
    assert_eq!(world.standing(OutPoint { txid, vout: 0 }), Standing::Unknown(Reason::Inscription));
    assert_eq!(world.standing(OutPoint { txid, vout: 1 }), Standing::Plain);
    let tx = plain(&[world.coins[1]], vec![]);
    let frozen = Marks { frozen: true, ..Marks::default() };
    assert_eq!(code(world.check_marked(&tx, &Intent::default(), frozen)), Some(Code::ColourUnknown));
}

#[test]
fn readings_that_disagree_freeze_the_coin() {
    let mut world = World::new();
    let marker = |quantity| open_assets::Marker { quantities: vec![quantity], metadata: vec![] }.script().expect("good");
    let two = plain(&[world.coins[0]], vec![output(script(5), 600), output(marker(5), 0), output(marker(6), 0)]);
    let txid = world.mine(two);
    let Standing::Unknown(Reason::Doubt(Doubt::Ambiguous { why, .. })) = world.standing(OutPoint { txid, vout: 0 }) else {
        panic!()
    };
    assert_eq!(why, crate::ancestry::Ambiguity::SeveralMarkers);
    // An issuance that strict readers refuse and lax ones do not.
    let lax = crate::payload::script(&[b'C', b'C', 2, 5, 0x20, 0x16, 0x60, 0x50]).expect("short");
    let txid = world.mine(plain(&[world.coins[0]], vec![output(lax, 0), output(script(5), 600)]));
    assert!(matches!(world.standing(OutPoint { txid, vout: 1 }), Standing::Unknown(Reason::Doubt(Doubt::Ambiguous { .. }))));
}

#[test]
fn a_coin_of_endless_pieces_stays_frozen() {
    let mut world = World::new();
    // A thousand and one pieces on output 0, in a message longer than nodes used to relay.
    let mut payload = b"CC\x02\x05".to_vec();
    colu::sffc::write(1_003, &mut payload).expect("small");
    payload.extend([0, 1].repeat(1_001));
    payload.push(0x10 | 2 << 2);
    let script = crate::payload::script(&payload).expect("fits");
    let txid =
        world.mine(plain(&[world.coins[0]], vec![output(self::script(5), 600), output(script, 0), output(self::script(6), 600)]));
    let Standing::Unknown(Reason::Doubt(Doubt::Ambiguous { why, .. })) = world.standing(OutPoint { txid, vout: 0 }) else {
        panic!()
    };
    assert_eq!(why, crate::ancestry::Ambiguity::TooManyPieces);
}

#[test]
fn a_replacement_keeps_inputs_and_output_scripts_in_order() {
    let world = World::new();
    let old = plain(&world.coins[..2], vec![output(script(1), 600), output(script(2), 900)]);
    let mut new = old.clone();
    new.output[1].value = Amount::from_sat(800);
    new.input.push(input(world.coins[5]));
    assert!(keeps_order(&old, &new));
    let spoils: &[fn(&mut Transaction)] = &[
        |tx| tx.input.swap(0, 1),
        |tx| tx.output.swap(0, 1),
        |tx| tx.version = Version::ONE,
        |tx| {
            tx.input.remove(0);
        },
    ];
    for spoil in spoils {
        let mut spoilt = new.clone();
        spoil(&mut spoilt);
        assert!(!keeps_order(&old, &spoilt));
    }
}

#[test]
fn holders_are_summed_by_script() {
    let (a, b) = (open_assets::AssetId([1; 20]), open_assets::AssetId([2; 20]));
    let held = |id, quantity| [Holding { asset: Asset::OpenAssets(id), quantity }];
    let coins = [(script(1), held(a, 5)), (script(2), held(b, 7)), (script(1), held(a, 6)), (script(3), held(a, 1))];
    let holders = holders(coins.iter().map(|(script, held)| (script.as_script(), held.as_slice())), Asset::OpenAssets(a));
    let shown: Vec<_> = holders.iter().map(|holder| (holder.script.clone(), holder.quantity)).collect();
    assert_eq!(shown, [(script(1), 11), (script(3), 1)]);
}

#[test]
fn the_bounds_of_a_walk_are_kept_and_more_data_settles_doubt() {
    let mut world = World::new();
    let (mut coin, _) = world.open_assets();
    for step in 0..50u8 {
        let layout = open_assets::plan::transfer(&[coin], &[], Some((coin.asset, 1)), &script(step), vec![]).expect("good");
        coin.outpoint = OutPoint { txid: world.mine(paid(&layout, world.coins[6])), vout: 1 };
        coin.quantity -= 1;
    }
    let chain = std::cell::RefCell::new(world.chain.clone());
    let source = |txid: &Txid| chain.borrow().get(txid).cloned();
    let bounded = Ancestry::new(source).at_most(10).verdict(coin.outpoint);
    assert_eq!(bounded, Verdict::Unknown(Doubt::TooManyAncestors(10)));

    let mut ancestry = Ancestry::new(source);
    let parent = world.chain[&coin.outpoint.txid].input[0].previous_output.txid;
    let kept = chain.borrow_mut().remove(&parent).expect("the parent");
    assert_eq!(ancestry.verdict(coin.outpoint), Verdict::Unknown(Doubt::MissingAncestor(parent)));
    assert_eq!(ancestry.missing().iter().collect::<Vec<_>>(), [&parent]);
    chain.borrow_mut().insert(parent, world.chain[&world.coins[0].txid].clone());
    ancestry.retry();
    assert_eq!(ancestry.verdict(coin.outpoint), Verdict::Unknown(Doubt::ForgedAncestor(parent)));
    chain.borrow_mut().insert(parent, kept);
    ancestry.retry();
    let Verdict::Coloured(held) = ancestry.verdict(coin.outpoint) else { panic!("settled") };
    assert_eq!(held[0].quantity, 50);
    assert_eq!(
        ancestry.verdict(OutPoint { vout: 99, ..coin.outpoint }),
        Verdict::Unknown(Doubt::MissingAncestor(coin.outpoint.txid))
    );
}

proptest! {
    #[test]
    fn however_a_transfer_is_shuffled_it_passes_only_if_it_does_the_same(
        inputs in Just((0..2usize).collect::<Vec<_>>()).prop_shuffle(),
        outputs in Just((0..4usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut world = World::new();
        let (coin, asset) = world.open_assets();
        let delivery = open_assets::Delivery { asset: coin.asset, quantity: 30, script: script(30) };
        let layout = open_assets::plan::transfer(&[coin], &[delivery], None, &script(31), vec![]).expect("good");
        let tx = paid(&layout, world.coins[6]);
        let held = |quantity| vec![Holding { asset, quantity }];
        let wanted = BTreeMap::from([(script(30), held(30)), (script(31), held(70))]);
        let mut shuffled = tx.clone();
        shuffled.input = inputs.iter().map(|index| tx.input[*index].clone()).collect();
        shuffled.output = outputs.iter().map(|index| tx.output[*index].clone()).collect();
        let intent = Intent { protocol: Some(Protocol::OpenAssets), units: wanted, ..Intent::default() };
        // By the specification: the marker first, then 30 before 70, then change anywhere behind.
        let at = |wanted: &ScriptBuf| shuffled.output.iter().position(|output| output.script_pubkey == *wanted);
        let marker = at(&tx.output[0].script_pubkey);
        let same = marker == Some(0) && at(&script(30)) == Some(1) && at(&script(31)) == Some(2);
        prop_assert_eq!(world.check(&shuffled, &intent).is_ok(), same);
    }
}
