//! The targets, by what their bytes are.
//!
//! A target may panic for two reasons only: a bug in a parser, or a law of that parser that does not hold (what was read can be written and
//! read again).

use bitcoin::hashes::Hash as _;
use causeway_app::proofs;
use causeway_bitcoin_wallet::{Descriptors, psbt};
use causeway_colored::{colu, open_assets};
use causeway_federation::{Envelope, Evidence};
use causeway_peers::bytes as wire;
use causeway_peers::source::{read_electrum_headers, read_electrum_merkle, read_esplora_proof};
use causeway_sidechain::consensus::contract::Contract;
use causeway_sidechain::consensus::federation::{Fedpeg, check_proposal, initial_params};
use causeway_sidechain::consensus::filter::Filter;
use causeway_sidechain::consensus::header::HeaderState;
use causeway_sidechain::consensus::pak::PakList;
use causeway_sidechain::consensus::pegin::{Peg, PeginWitness};
use causeway_sidechain::consensus::pegout::Pegout;
use causeway_sidechain::consensus::signature::{Multisig, verify_own_signatures};
use causeway_sidechain::consensus::{header, issuance, merkle, proofs as confidential, script};
use causeway_sidechain::wallet::{Confidentiality, CtDescriptor, pset};
use causeway_vocab::{BitcoinParams, Realm, SidechainParams};
use elements::encode::{deserialize, serialize};
use std::str::from_utf8;
use std::sync::LazyLock;

/// A parser under test.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is also the directory of its seeds.
    pub name: &'static str,
    /// Reads the bytes. Must not panic, whatever they are.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($(#[$doc:meta])* $name:literal => $run:expr;)*) => {
        /// Every target.
        pub const TARGETS: &[Target] = &[$(Target { name: $name, run: $run }),*];
    };
}

targets! {
    // -- what peers of the sidechain send
    "header" => sidechain_header;
    "headers-message" => |bytes| done(wire::headers(bytes));
    "block" => block;
    "transaction" => transaction;
    "filter" => filter;
    "p2p-message" => |bytes| if let Some((name, payload)) = bytes.split_first() {
        wire::message(wire::MESSAGES[usize::from(*name) % wire::MESSAGES.len()], payload);
    };
    "p2p-frame" => p2p_frame;
    "dynafed-proposal" => dynafed_proposal;
    "signing-script" => |bytes| if let Some(multisig) = Multisig::parse(bytes) {
        assert_eq!(multisig.to_script().as_bytes(), bytes);
    };
    "pegin-witness" => pegin_witness;
    "pegout-script" => pegout_script;
    "pak-list" => |bytes| {
        let entries: Vec<&[u8]> = bytes.chunks(66).collect();
        let list = PakList::from_extension_space(&entries);
        assert!(list.is_reject() || list.to_extension_space() == entries);
    };
    // -- what servers answer
    "electrum-headers" => |bytes| done(serde_json::from_slice(bytes).map(|answer| read_electrum_headers(&answer)));
    "electrum-merkle" => |bytes| done(serde_json::from_slice(bytes).map(|answer| read_electrum_merkle(&answer)));
    "esplora-proof" => |bytes| done(read_esplora_proof(bytes));
    // -- what functionaries and channel partners say
    "functionary-message" => |bytes| if let Ok(envelope) = Envelope::decode(bytes) {
        assert_eq!(Envelope::decode(&envelope.encode()).as_ref(), Ok(&envelope));
    };
    "functionary-evidence" => |bytes| done(Evidence::from_bytes(bytes));
    "streaming-message" => |bytes| done(causeway_channels::streaming::Message::decode(bytes));
    // -- files and text that people are given
    "pset" => |bytes| done(pset::read(bytes));
    "psbt" => |bytes| done(psbt::import(bytes));
    "bitcoin-uri" => |bytes| text(bytes, |text| done(causeway_bitcoin_wallet::PaymentUri::parse(text, realm())));
    "sidechain-uri" => |bytes| text(bytes, |text| {
        done(causeway_sidechain::wallet::PaymentUri::parse(text, &realm().sidechain, Confidentiality::Optional));
    });
    "bitcoin-address" => |bytes| text(bytes, |text| done(causeway_bitcoin_wallet::parse_address(text, realm())));
    "sidechain-address" => |bytes| text(bytes, |text| {
        let parsed = causeway_sidechain::wallet::parse_address(text, &realm().sidechain, Confidentiality::Optional);
        if let Ok(address) = parsed {
            let again = address.to_string();
            let read = causeway_sidechain::wallet::parse_address(&again, &realm().sidechain, Confidentiality::Optional);
            assert_eq!(read.as_ref(), Ok(&address));
        }
    });
    "ct-descriptor" => |bytes| text(bytes, |text| if let Ok(descriptor) = CtDescriptor::parse(text) {
        done(descriptor.account(&realm().sidechain));
    });
    "bitcoin-descriptor" => |bytes| text(bytes, |text| done(Descriptors::parse(text, bitcoin::Network::Regtest)));
    "realm-file" => |bytes| text(bytes, |text| if let Ok(realm) = Realm::from_toml(text) {
        assert_eq!(Realm::from_toml(&realm.to_toml()), Ok(realm));
    });
    "proof-file" => |bytes| text(bytes, |text| done(proofs::verify(text)));
    "fault-file" => |bytes| text(bytes, |text| done(proofs::verify(text)));
    "contract" => |bytes| text(bytes, |text| if let Ok(contract) = Contract::parse(text) {
        let again = Contract::parse(contract.canonical()).map(|again| again.hash());
        assert_eq!(again, Ok(contract.hash()));
        done(contract.validate());
    });
    "command" => command;
    // -- what stands in Bitcoin transactions
    "open-assets-marker" => |bytes| done(open_assets::Marker::read(bytes));
    "open-assets-pointer" => |bytes| done(open_assets::Pointer::read(bytes));
    "colu-message" => |bytes| done(colu::Message::read(bytes));
    "bitcoin-headers" => |bytes| done(bitcoin::consensus::deserialize::<bitcoin::block::Header>(bytes));
}

/// What a parser says is of no interest here.
fn done<T>(_: T) {}

fn text(bytes: &[u8], read: impl FnOnce(&str)) {
    if let Ok(text) = from_utf8(bytes) {
        read(text);
    }
}

/// The realm of a real elementsd's chain.
fn realm() -> &'static Realm {
    static REALM: LazyLock<Realm> = LazyLock::new(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/elements/chain.json");
        let chain: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).expect("the fixture")).expect("the fixture is JSON");
        let mut network = chain["network"].clone();
        let fields = network.as_object_mut().expect("an object");
        let known: Vec<String> = fields.keys().cloned().collect();
        let remarks =
            ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"];
        for remark in known.iter().filter(|name| remarks.contains(&name.as_str())) {
            fields.remove(remark);
        }
        let sidechain: SidechainParams = serde_json::from_value(network).expect("parameters");
        Realm {
            name: "fuzz".into(),
            valueless: true,
            bitcoin: BitcoinParams { network: bitcoin::Network::Regtest, peers: Vec::new(), required_peers: 1 },
            sidechain,
            testbed: None,
            staking: None,
        }
    });
    &REALM
}

fn sidechain_header(bytes: &[u8]) {
    let Ok(header) = header::decode(bytes) else { return };
    assert_eq!(serialize(&header), bytes);
    let params = &realm().sidechain;
    done(verify_own_signatures(&header, params));
    let state = HeaderState::genesis(params).expect("a genesis block");
    if let Err(fault) = state.next(params, &header, u64::MAX) {
        done(state.misrule(params, &header, &fault));
    }
}

fn block(bytes: &[u8]) {
    let Ok(block) = deserialize::<elements::Block>(bytes) else { return };
    done(merkle::check_block(&block));
    done(merkle::check_witness_commitment(&block));
    done(merkle::witness_commitment_script(&block));
    done(Filter::of_block(&block, |_| None));
    for position in 0..3 {
        if let (Some(branch), Some(tx)) = (merkle::branch(&block, position), block.txdata.get(position as usize)) {
            done(merkle::check_branch(&block.header, tx, position, &branch));
        }
    }
}

fn transaction(bytes: &[u8]) {
    let Ok(tx) = deserialize::<elements::Transaction>(bytes) else { return };
    let params = &realm().sidechain;
    for input in &tx.input {
        done(issuance::ids_of(input));
        if let Some(data) = input.pegin_data() {
            done(PeginWitness::of_library(data));
        }
    }
    for output in &tx.output {
        done(Pegout::of_output(output, &params.parent_genesis_hash, params.policy_asset));
    }
    // What it spends is not known; its own outputs are as good as any.
    let spent: Vec<elements::TxOut> = tx.output.iter().cycle().take(tx.input.len()).cloned().collect();
    done(confidential::verify(&tx, &spent, params.policy_asset));
    if spent.len() == tx.input.len() {
        done(script::verify(&tx, &spent, params.genesis_hash));
        script::sigop_cost(&tx, &spent);
    }
}

fn filter(bytes: &[u8]) {
    let hash = elements::BlockHash::from_byte_array([7; 32]);
    let scripts = [elements::Script::from(vec![0x51]), elements::Script::from(vec![0; 22])];
    done(Filter(bytes.to_vec()).matches_any(&hash, &scripts));
}

fn p2p_frame(bytes: &[u8]) {
    thread_local! {
        static CLOCK: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    }
    let honest = bytes.first().is_some_and(|first| first & 1 == 0);
    CLOCK.with(|clock| clock.block_on(wire::framed(bytes.to_vec(), [0x53, 0x19, 0xf2, 0x0e], honest)));
}

fn dynafed_proposal(bytes: &[u8]) {
    let Ok(params) = deserialize::<elements::dynafed::Params>(bytes) else { return };
    let full = initial_params(&realm().sidechain);
    done(check_proposal(&params, &full, true));
    done(check_proposal(&params, &full, false));
    params.calculate_root();
}

/// Items, each behind its length in four bytes.
fn pegin_witness(bytes: &[u8]) {
    let mut items = Vec::new();
    let mut rest = bytes;
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX).min(more.len());
        items.push(&more[..length]);
        rest = &more[length..];
        if items.len() > 8 {
            break;
        }
    }
    let Ok(witness) = PeginWitness::parse(&items) else { return };
    assert!(PeginWitness::parse(&witness.to_items()).is_ok(), "what was read cannot be written");
    let params = &realm().sidechain;
    let full = initial_params(params);
    let fedpegs = [Fedpeg { epoch_start: 0, program: full.fedpeg_program, script: full.fedpegscript.into() }];
    let deposit = bitcoin::OutPoint { txid: bitcoin::Txid::all_zeros(), vout: 0 };
    done(witness.verify(&Peg::from(params), &deposit, &fedpegs));
    let deposit = bitcoin::OutPoint { txid: witness.parent_tx.compute_txid(), vout: 0 };
    done(witness.verify(&Peg::from(params), &deposit, &fedpegs));
}

fn pegout_script(bytes: &[u8]) {
    let script = elements::Script::from(bytes.to_vec());
    let Some(pegout) = Pegout::parse(&script) else { return };
    assert_eq!(Pegout::parse(&pegout.to_script()).as_ref(), Some(&pegout), "what was read cannot be written");
    let list = PakList::from_extension_space(
        &realm().sidechain.first_extension_space.iter().map(|entry| hex(entry)).collect::<Vec<_>>(),
    );
    done(pegout.check_pak(&list));
}

fn hex(text: &str) -> Vec<u8> {
    bitcoin::hex::FromHex::from_hex(text).unwrap_or_default()
}

macro_rules! requests {
    ($($name:ident($req:ty) -> $ans:ty [$($window:ident),*] reads [$($read:ident),*] stales [$($stale:ident),*];)*) => {
        /// Reads a request as the command of this number would.
        fn request(number: usize, value: serde_json::Value) {
            use causeway_contract::*;
            const READERS: &[fn(serde_json::Value)] = &[$(|value| done(serde_json::from_value::<$req>(value))),*];
            READERS[number % READERS.len()](value);
        }
    };
}
causeway_contract::with_commands!(requests);

/// A command's number, then its request as JSON.
fn command(bytes: &[u8]) {
    let Some((number, json)) = bytes.split_first() else { return };
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(json) {
        request((*number).into(), value);
    }
}
