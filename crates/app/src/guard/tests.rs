//! The law of the guard: no plan by any part of the app spends a coin that holds or may hold assets.

use super::*;
use crate::coloured::plan as coloured;
use crate::drafts::{Purpose, bump_bitcoin, check, plan_bitcoin};
use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash as _;
use bitcoin::transaction::Version;
use bitcoin::{Amount, Block, BlockHash, Network, ScriptBuf, Sequence, TxIn, TxOut, Witness};
use causeway_bitcoin_wallet::{FeeRate, Intent, Recipient};
use causeway_colored::colu::{self, Issuance, Policy};
use causeway_colored::counterparty::{self, Message};
use causeway_colored::{Layout, Protocol, epobc, open_assets};
use causeway_contract::DraftKind;
use causeway_keys::secret::Seed;
use causeway_keys::{SigningKeys, account_descriptors};
use causeway_store::{Binding, NewWallet, Store};
use causeway_vocab::{Atoms, BitcoinBatch, Code, Draft, NetworkId, Realm, Tip};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// How a coin of the wallet came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    OpenAssets,
    Colu,
    Epobc,
    /// Units of a ledger are bound to it.
    Attached,
    /// It was paid by a transaction that spends such a coin, and says nothing itself.
    Inherits,
    /// Its ancestors are not at hand.
    Missing,
    /// Readers disagree about it.
    Ambiguous,
    /// An inscription was revealed onto it.
    Inscription,
}

const KINDS: [Kind; 9] = [
    Kind::Plain,
    Kind::OpenAssets,
    Kind::Colu,
    Kind::Epobc,
    Kind::Attached,
    Kind::Inherits,
    Kind::Missing,
    Kind::Ambiguous,
    Kind::Inscription,
];

fn realm() -> Arc<Realm> {
    let text = include_str!("../../../../tests/fixtures/elements/chain.json");
    let chain: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let mut params = chain["network"].clone();
    let fields = params.as_object_mut().expect("an object");
    for extra in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.remove(extra);
    }
    Arc::new(Realm {
        name: "lab".into(),
        valueless: true,
        bitcoin: causeway_vocab::BitcoinParams { network: Network::Regtest, peers: Vec::new(), required_peers: 1 },
        sidechain: serde_json::from_value(params).expect("the fields of chain.json"),
        testbed: None,
        staking: None,
    })
}

fn stranger(n: u8) -> ScriptBuf {
    ScriptBuf::from_bytes([&[0x00, 0x14][..], &[n; 20]].concat())
}

fn output(script_pubkey: ScriptBuf, sat: u64) -> TxOut {
    TxOut { value: Amount::from_sat(sat), script_pubkey }
}

fn transaction(inputs: &[OutPoint], output: Vec<TxOut>) -> Transaction {
    let input = |previous_output: &OutPoint| TxIn {
        previous_output: *previous_output,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::new(),
    };
    let input = inputs.iter().map(input).collect();
    Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input, output }
}

/// A wallet with one coin of each kind, all in one block, and the law's bookkeeping.
struct World {
    _dir: tempfile::TempDir,
    store: Store,
    core: Core,
    coins: Vec<(OutPoint, Kind)>,
}

impl World {
    fn new(kinds: &[(Kind, u64)]) -> World {
        let realm = realm();
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path(), &Binding::of(&realm)).expect("opens");
        let seed = Seed::from_bytes([7; 64]);
        let accounts = account_descriptors(&seed, &realm).expect("accounts");
        let new = NewWallet {
            name: "Harbour".into(),
            fingerprint: accounts.fingerprint.to_string(),
            bitcoin: accounts.segwit_descriptors().join("\n"),
            sidechain: accounts.sidechain_descriptor(),
            accounts: Some(serde_json::to_string(&accounts).expect("JSON")),
            birthday: None,
            backed_up: true,
            no_password: true,
        };
        let wallet = store.commit(|write| Wallet::add(write, &new, &realm, None, 20)).expect("a wallet").value;
        let mut core = Core::load(&store, &realm).expect("loads");
        core.selected = Some(wallet.row.id);
        core.keys.insert(wallet.row.id, Arc::new(SigningKeys::new(&seed, &realm).expect("keys")));
        let mut world = World { _dir: dir, store, core, coins: Vec::new() };
        world.fund(kinds);
        world
    }

    fn address(&mut self) -> ScriptBuf {
        self.core.selected_mut().expect("a wallet").bitcoin.next_address().0.script
    }

    /// An ancestor that is at hand.
    fn ancestor(&mut self, tx: &Transaction) -> OutPoint {
        let tx = tx.clone();
        let txid = tx.compute_txid();
        self.store.commit(|write| self.core.guard.learn(write, 1, tx)).expect("kept");
        OutPoint { txid, vout: 0 }
    }

    /// A coin of somebody else whose transaction is at hand.
    fn foreign(&mut self, salt: u32) -> OutPoint {
        let nowhere = OutPoint { txid: Txid::from_byte_array([3; 32]), vout: salt };
        self.ancestor(&transaction(&[nowhere], vec![output(stranger(3), 90_000)]))
    }

    fn fund(&mut self, kinds: &[(Kind, u64)]) {
        let mut txs = Vec::new();
        for (salt, (kind, sat)) in (0u32..).zip(kinds) {
            let (mine, first) = (self.address(), self.foreign(salt));
            let (tx, vout) = self.pay(*kind, *sat, salt, &mine, first);
            self.coins.push((OutPoint { txid: tx.compute_txid(), vout }, *kind));
            txs.push(tx);
        }
        let genesis = bitcoin::constants::genesis_block(Network::Regtest);
        let mut block = Block { header: genesis.header, txdata: txs };
        block.header.prev_blockhash = genesis.block_hash();
        block.header.merkle_root = block.compute_merkle_root().unwrap_or(genesis.header.merkle_root);
        let tip = Tip::<BlockHash> { height: 1, hash: block.block_hash(), time: block.header.time + 600 };
        let blocks = vec![(tip, block)];
        let batch = BitcoinBatch { rollback_to: None, blocks, unconfirmed: Vec::new(), tip, scanned_to: 1 };
        self.core.selected_mut().expect("a wallet").bitcoin.apply(&batch, 1).expect("a batch");
    }

    /// A transaction that pays `mine` a coin of that kind, and the place of the coin.
    fn pay(&mut self, kind: Kind, sat: u64, salt: u32, mine: &ScriptBuf, first: OutPoint) -> (Transaction, u32) {
        let laid = |layout: Layout| {
            let mut tx = layout.transaction(&[], Some(output(stranger(4), 20_000)));
            let vout = tx.output.iter().position(|output| output.script_pubkey == *mine).expect("paid");
            // Worth taking for a fee, if nobody looked.
            tx.output[vout].value += Amount::from_sat(if kind == Kind::Epobc { 0 } else { sat });
            (tx, u32::try_from(vout).expect("small"))
        };
        let attach = Message::Attach { asset: "XCP".into(), quantity: 5, vout: None };
        match kind {
            Kind::Plain => (transaction(&[first], vec![output(mine.clone(), sat)]), 0),
            Kind::OpenAssets => laid(open_assets::plan::issue(first, &[(mine.clone(), 100)], Vec::new()).expect("a layout")),
            Kind::Colu => {
                let issuance = Issuance { amount: 7, divisibility: 0, locked: true, policy: Some(Policy::Aggregatable) };
                let metadata = colu::plan::Metadata::default();
                laid(colu::plan::issue(first, issuance, &[(mine.clone(), 7)], &stranger(5), metadata).expect("a layout"))
            }
            Kind::Epobc => laid(epobc::plan::issue(first, sat, mine).expect("a layout")),
            Kind::Attached => {
                let pays = [(mine.clone(), Amount::from_sat(sat))];
                (counterparty::plan::layout(&attach, first, &pays, None).expect("a layout").transaction(&[], None), 0)
            }
            Kind::Inherits => {
                let pays = [(stranger(6), Amount::from_sat(sat + 1_000))];
                let bound = counterparty::plan::layout(&attach, first, &pays, None).expect("a layout").transaction(&[], None);
                let bound = self.ancestor(&bound);
                (transaction(&[bound], vec![output(mine.clone(), sat)]), 0)
            }
            Kind::Missing => {
                let nowhere = OutPoint { txid: Txid::from_byte_array([9; 32]), vout: salt };
                laid(open_assets::plan::issue(nowhere, &[(mine.clone(), 1)], Vec::new()).expect("a layout"))
            }
            Kind::Ambiguous => {
                let (mut tx, vout) = laid(open_assets::plan::issue(first, &[(mine.clone(), 1)], Vec::new()).expect("a layout"));
                let marker = tx.output.iter().find(|output| output.script_pubkey.is_op_return()).cloned();
                tx.output.extend(marker);
                (tx, vout)
            }
            Kind::Inscription => {
                let mut tx = transaction(&[first], vec![output(mine.clone(), sat)]);
                tx.input[0].witness.push(b"\x00\x63\x03ord\x51\x00\x01x\x68");
                (tx, 0)
            }
        }
    }

    fn guarded(&self) -> BTreeSet<OutPoint> {
        self.coins.iter().filter(|(_, kind)| *kind != Kind::Plain).map(|(coin, _)| *coin).collect()
    }

    /// Plans, looks at what the draft holds, and gives it up again.
    fn spent(
        &mut self,
        plan: impl FnOnce(&mut Core, &mut Write<'_>) -> Result<causeway_contract::DraftView, Refusal>,
    ) -> Result<BTreeSet<OutPoint>, Refusal> {
        let core = &mut self.core;
        let planned = self.store.commit(|write| {
            let view = plan(core, write)?;
            let held = write.reserved(NetworkId::Bitcoin)?;
            write.remove_draft(view.draft)?;
            Ok(held)
        })?;
        Ok(planned.value.iter().map(|text| text.parse().expect("an outpoint")).collect())
    }

    /// A transaction of our own that waits for a block.
    fn wait(&mut self, inputs: &[OutPoint], outputs: Vec<TxOut>) -> Transaction {
        let tx = transaction(inputs, outputs);
        self.core.selected_mut().expect("a wallet").bitcoin.insert_own(&tx, 9);
        tx
    }
}

fn intent(rate: u64) -> Intent {
    Intent { recipients: Vec::new(), drain_to: None, rate: FeeRate(rate), coins: Vec::new(), exclude: BTreeSet::new() }
}

fn coins() -> impl Strategy<Value = Vec<(Kind, u64)>> {
    prop::collection::vec((prop::sample::select(KINDS.to_vec()), 600u64..200_000), 1..9)
}

/// Each case makes a wallet on a disk: a few, unless `PROPTEST_CASES` asks for another number.
fn cases() -> ProptestConfig {
    match ProptestConfig::default() {
        asked if std::env::var_os("PROPTEST_CASES").is_some() => asked,
        usual => ProptestConfig { cases: 24, ..usual },
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_plan_by_any_part_of_the_app_spends_a_guarded_coin(
        kinds in coins(), paid in 400u64..300_000, rate in 1_000u64..40_000, peg in any::<bool>(), chosen in any::<u16>(),
    ) {
        let mut world = World::new(&kinds);
        let guarded = world.guarded();
        for (coin, kind) in world.coins.clone() {
            let standing = world.core.standing(&mut Ancestry::new(world.core.past()), coin);
            prop_assert_eq!(standing.is_spendable(), kind == Kind::Plain, "{:?}: {:?}", kind, standing);
        }
        // A peg-in is a payment to a script of the federation.
        let (kind, to) = match peg {
            true => (DraftKind::PegIn, ScriptBuf::from_bytes([&[0x00, 0x20][..], &[8; 32]].concat())),
            false => (DraftKind::Send, stranger(1)),
        };
        let pay = |amount| vec![Recipient { script: to.clone(), amount: Atoms(amount) }];
        for intent in [
            Intent { recipients: pay(paid), ..intent(rate) },
            Intent { drain_to: Some(to.clone()), ..intent(rate) },
            Intent { recipients: pay(paid), drain_to: Some(stranger(2)), ..intent(rate) },
        ] {
            let planned = world.spent(|core, write| plan_bitcoin(core, write, kind, intent, String::new(), vec![], |_| Purpose::Plain));
            match planned {
                Ok(spent) => prop_assert!(spent.is_disjoint(&guarded)),
                Err(refusal) => prop_assert!(matches!(refusal.code, Code::InsufficientFunds | Code::InsufficientFee), "{}", refusal),
            }
        }
        // Coins chosen by hand are refused with the reason.
        let chosen: Vec<OutPoint> = world.coins.iter().enumerate().filter(|(n, _)| chosen >> n & 1 == 1).map(|(_, coin)| coin.0).collect();
        if chosen.iter().any(|coin| guarded.contains(coin)) {
            let intent = Intent { drain_to: Some(to.clone()), coins: chosen.clone(), ..intent(rate) };
            let planned = world.spent(|core, write| plan_bitcoin(core, write, kind, intent, String::new(), vec![], |_| Purpose::Plain));
            let refusal = planned.expect_err("guarded");
            prop_assert!(matches!(refusal.code, Code::HoldsAssets | Code::ColourUnknown), "{}", refusal);
        }
        // What somebody else put together is refused as well, before it is shown and before it is signed.
        for coin in &guarded {
            let draft = Draft::Bitcoin(brought(&world.core, *coin, stranger(1)));
            let refusal = check(&world.core, world.core.selected.expect("one"), draft, &Meaning::default()).err().expect("guarded");
            prop_assert!(matches!(refusal.code, Code::HoldsAssets | Code::ColourUnknown), "{}", refusal);
        }
    }

    #[test]
    fn a_plan_for_units_of_one_asset_spends_no_other_guarded_coin(
        kinds in coins(), part in 1u64..100, rate in 1_000u64..20_000, burns in any::<bool>(), speaker in any::<prop::sample::Index>(),
    ) {
        let mut world = World::new(&[&[(Kind::Plain, 60_000)], &kinds[..]].concat());
        let guarded = world.guarded();
        let terms = |kind| coloured::Terms { kind, rate, label: String::new(), payees: Vec::new() };
        let held = world.core.held(world.core.selected().expect("a wallet"));
        for asset in held.iter().flat_map(|held| &held.holdings).map(|holding| holding.asset).collect::<BTreeSet<_>>() {
            let of_asset = |held: &&crate::coloured::Held| held.holdings.iter().any(|holding| holding.asset == asset);
            let its: BTreeSet<OutPoint> = held.iter().filter(of_asset).map(|held| held.coin.outpoint).collect();
            let all: u64 = held.iter().flat_map(|held| &held.holdings).filter(|holding| holding.asset == asset).map(|holding| holding.quantity).sum();
            let amount = (all * part / 100).max(1);
            let (to, burned) = match burns && asset.protocol() != Protocol::Epobc {
                true => (Vec::new(), amount),
                false => (vec![coloured::Delivery { script: stranger(1), quantity: amount }], 0),
            };
            let planned = world.spent(|core, write| coloured::transfer(core, write, asset, &to, burned, terms(DraftKind::Send)));
            match planned {
                Ok(spent) => {
                    prop_assert!(spent.intersection(&guarded).all(|coin| its.contains(coin)), "{:?}", asset);
                    prop_assert!(!spent.is_disjoint(&its));
                }
                Err(refusal) => prop_assert!(
                    matches!(refusal.code, Code::InsufficientFunds | Code::InsufficientFee | Code::FeeTooHigh), "{:?}: {}", asset, refusal
                ),
            }
        }
        // A message to the ledger, spoken by any coin: only a plain one may speak, and only plain ones pay for it.
        let (first, kind) = *speaker.get(&world.coins);
        let said = Message::Dispense;
        let layout = counterparty::plan::layout(&said, first, &[(stranger(1), Amount::from_sat(700))], None).expect("a layout");
        let meaning = Meaning { protocol: Some(Protocol::Counterparty), ..Meaning::default() };
        let keeps = coloured::Keeps { layout, change: None, meaning, about: coloured::About::Nothing };
        match world.spent(|core, write| coloured::keep_laid_out(core, write, keeps, terms(DraftKind::Send))) {
            Ok(spent) => {
                prop_assert_eq!(kind, Kind::Plain);
                prop_assert!(spent.is_disjoint(&guarded));
            }
            Err(refusal) => prop_assert!(kind != Kind::Plain || refusal.code == Code::InsufficientFunds, "{:?}: {}", kind, refusal),
        }
    }

    #[test]
    fn a_faster_payment_takes_no_guarded_coin_along(kinds in coins(), rate in 5_000u64..400_000, more in 1_000u64..60_000) {
        let mut world = World::new(&[&[(Kind::Plain, 30_000)], &kinds[..]].concat());
        let (guarded, change) = (world.guarded(), world.address());
        let first = world.coins[0].0;
        let slow = world.wait(&[first], vec![output(stranger(1), more / 3 + 400), output(change, 30_000 - more / 3 - 700)]);
        for child in [false, true] {
            let planned = world.spent(|core, write| bump_bitcoin(core, write, slow.compute_txid(), FeeRate(rate), child));
            match planned {
                Ok(spent) => prop_assert!(spent.is_disjoint(&guarded)),
                Err(refusal) => prop_assert!(
                    matches!(refusal.code, Code::InsufficientFunds | Code::InsufficientFee | Code::FeeTooLow),
                    "{}", refusal
                ),
            }
        }
    }
}

/// A PSBT from elsewhere that spends a coin of ours.
fn brought(core: &Core, coin: OutPoint, to: ScriptBuf) -> Psbt {
    let whole = core.past().transaction(&coin.txid).expect("the wallet knows its coins");
    let value = whole.output[coin.vout as usize].value.to_sat();
    let mut psbt = Psbt::from_unsigned_tx(transaction(&[coin], vec![output(to, value.saturating_sub(300))])).expect("unsigned");
    psbt.inputs[0].witness_utxo = Some(whole.output[coin.vout as usize].clone());
    psbt.inputs[0].non_witness_utxo = Some((*whole).clone());
    psbt
}

#[test]
fn a_faster_transfer_of_units_keeps_every_unit_and_every_place() {
    let mut world = World::new(&[(Kind::OpenAssets, 20_000), (Kind::Plain, 50_000), (Kind::Colu, 9_000)]);
    let (held, fee) = (world.coins[0].0, world.coins[1].0);
    let back = world.address();
    let Standing::Guarded(holdings) = world.core.standing(&mut Ancestry::new(world.core.past()), held) else { panic!("guarded") };
    let Asset::OpenAssets(asset) = holdings[0].asset else { panic!("of Open Assets") };
    let coin = open_assets::plan::Coin { outpoint: held, asset, quantity: 100 };
    let delivery = open_assets::plan::Delivery { asset, quantity: 60, script: stranger(1) };
    let layout = open_assets::plan::transfer(&[coin], &[delivery], None, &back, Vec::new()).expect("a layout");
    let change = output(world.address(), 68_000);
    let slow = layout.transaction(&[fee], Some(change));
    world.core.selected_mut().expect("a wallet").bitcoin.insert_own(&slow, 9);

    let txid = slow.compute_txid();
    let spent = world.spent(|core, write| bump_bitcoin(core, write, txid, FeeRate(20_000), false)).expect("a plan");
    assert_eq!(spent, BTreeSet::from([held, fee]));
    // The units that wait are guarded as well, and no child takes them along.
    let units = OutPoint { txid, vout: 2 };
    assert!(world.core.guarded(world.core.selected().expect("a wallet")).contains(&units));
    let spent = world.spent(|core, write| bump_bitcoin(core, write, txid, FeeRate(20_000), true)).expect("a child");
    assert_eq!(spent, BTreeSet::from([OutPoint { txid, vout: 3 }]));
}

#[test]
fn a_coin_becomes_certain_once_its_ancestor_is_at_hand_and_stays_so_after_a_restart() {
    let mut world = World::new(&[(Kind::Missing, 20_000)]);
    let coin = world.coins[0].0;
    let standing = |core: &Core| core.standing(&mut Ancestry::new(core.past()), coin);
    assert!(matches!(standing(&world.core), Standing::Unknown(guard::Reason::Doubt(doubt)) if doubt.is_temporary()));
    let wrong = transaction(&[OutPoint::null()], vec![output(stranger(2), 1)]);
    world.ancestor(&wrong);
    assert!(!standing(&world.core).is_spendable(), "another transaction changes nothing");

    // The same coin again, from an ancestor that is there.
    let ancestor = transaction(&[OutPoint::null()], vec![output(stranger(2), 90_000)]);
    let mut world = World::new(&[]);
    let mine = world.address();
    let first = OutPoint { txid: ancestor.compute_txid(), vout: 0 };
    let layout = open_assets::plan::issue(first, &[(mine, 5)], Vec::new()).expect("a layout");
    let tx = layout.transaction(&[], None);
    world.core.selected_mut().expect("a wallet").bitcoin.insert_own(&tx, 9);
    let coin = OutPoint { txid: tx.compute_txid(), vout: 0 };
    let standing = |core: &Core| core.standing(&mut Ancestry::new(core.past()), coin);
    assert!(matches!(standing(&world.core), Standing::Unknown(_)));
    world.ancestor(&ancestor);
    world.core.guard.refresh();
    assert!(matches!(standing(&world.core), Standing::Guarded(_)));
    let again = world.store.read(Guard::read).expect("reads");
    assert_eq!(again.ancestors.get(&first.txid).map(|tx| tx.compute_txid()), Some(first.txid));
}

#[test]
fn an_identifier_reads_back_on_every_protocol() {
    let network = bitcoin::NetworkKind::Test;
    let colu = colu::AssetId { locked: true, policy: Policy::Dispersed, hash: [7; 20], divisibility: 3 };
    for asset in [
        Asset::OpenAssets(open_assets::AssetId([9; 20])),
        Asset::Colu(colu),
        Asset::Epobc(epobc::ColourId(Txid::from_byte_array([5; 32]))),
    ] {
        assert_eq!(read_asset(&asset_text(asset, network), network), Ok(asset));
    }
    for text in ["", "epobc:", "btc", "epobc:zz:0", "A", "oMb2yzA542yQgwn8XtmGefTzBv5NJ2nDjx"] {
        assert_eq!(read_asset(text, network).map_err(|refusal| refusal.code), Err(Code::UnknownAsset), "{text}");
    }
}
