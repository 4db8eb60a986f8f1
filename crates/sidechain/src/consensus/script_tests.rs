//! Spending conditions of every supported form, met and not met.

use super::*;
use elements::confidential::{Asset, Value};
use elements::sighash::{Prevouts, SighashCache};
use elements::{AssetId, EcdsaSighashType, LockTime, OutPoint, PubkeyHash, SchnorrSig, SchnorrSighashType, Witness};
use secp256k1_zkp::{Keypair, Message, PublicKey, SecretKey};

const AMOUNT: u64 = 1000;

fn genesis() -> BlockHash {
    BlockHash::from_byte_array([9; 32])
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_slice(&[n; 32]).expect("a key")
}

fn public(n: u8) -> PublicKey {
    key(n).public_key(SECP256K1)
}

fn p2pkh(n: u8) -> Script {
    use bitcoin::hashes::Hash as _;
    Script::new_p2pkh(&PubkeyHash::hash(&public(n).serialize()))
}

fn p2wpkh(n: u8) -> Script {
    Script::from([&[0, 20], &p2pkh(n).as_bytes()[3..23]].concat())
}

/// A transaction of version 2 with one input that spends `script`.
fn spend(script: &Script) -> (Transaction, TxOut) {
    let coin = TxOut {
        asset: Asset::Explicit(AssetId::LIQUID_BTC),
        value: Value::Explicit(AMOUNT),
        script_pubkey: script.clone(),
        ..TxOut::default()
    };
    let input = TxIn {
        previous_output: OutPoint::new(elements::Txid::from_byte_array([1; 32]), 0),
        sequence: Sequence::ENABLE_LOCKTIME_NO_RBF,
        ..TxIn::default()
    };
    let output = TxOut { script_pubkey: Script::new(), ..coin.clone() };
    (Transaction { version: 2, lock_time: LockTime::ZERO, input: vec![input], output: vec![output] }, coin)
}

fn check(tx: &Transaction, coin: &TxOut) -> Result<(), ScriptFault> {
    verify(tx, std::slice::from_ref(coin), genesis())
}

fn set_witness(tx: &mut Transaction, items: &[Vec<u8>]) {
    tx.input[0].witness.script_witness = Witness::from_slice(items);
}

/// A signature over the first input with SIGHASH_ALL, for a version 0 program with this script code.
fn sign(tx: &Transaction, code: &Script, n: u8) -> Vec<u8> {
    let digest = SighashCache::new(tx).segwitv0_sighash(0, code, Value::Explicit(AMOUNT), EcdsaSighashType::All);
    let mut signature = SECP256K1.sign_ecdsa(&Message::from_digest(digest.to_byte_array()), &key(n)).serialize_der().to_vec();
    signature.push(1);
    signature
}

#[test]
fn a_key_hash_is_spent_by_its_key_alone() {
    let nested = Script::from(p2wpkh(3).to_p2sh().to_bytes());
    for script in [p2wpkh(3), nested.clone()] {
        let (mut tx, coin) = spend(&script);
        if script == nested {
            tx.input[0].script_sig = elements::script::Builder::new().push_slice(p2wpkh(3).as_bytes()).into_script();
        }
        let signature = sign(&tx, &p2pkh(3), 3);
        set_witness(&mut tx, &[signature, public(3).serialize().to_vec()]);
        assert_eq!(check(&tx, &coin), Ok(()));
        assert_eq!(sigop_cost(&tx, std::slice::from_ref(&coin)), 1);

        let mut other = tx.clone();
        set_witness(&mut other, &[sign(&tx, &p2pkh(3), 4), public(3).serialize().to_vec()]);
        assert!(check(&other, &coin).is_err(), "signed by another key");
        set_witness(&mut other, &[sign(&tx, &p2pkh(4), 4), public(4).serialize().to_vec()]);
        assert!(check(&other, &coin).is_err(), "another key hash");
        let mut other = tx.clone();
        other.output[0].value = Value::Explicit(AMOUNT - 1);
        assert!(check(&other, &coin).is_err(), "changed after signing");
        let mut other = coin.clone();
        other.value = Value::Explicit(AMOUNT + 1);
        assert!(check(&tx, &other).is_err(), "another amount");
    }
}

#[test]
fn a_legacy_key_hash_is_spent_by_its_key() {
    let (mut tx, coin) = spend(&p2pkh(3));
    let digest = SighashCache::new(&tx).legacy_sighash(0, &p2pkh(3), EcdsaSighashType::All);
    let mut signature = SECP256K1.sign_ecdsa(&Message::from_digest(digest.to_byte_array()), &key(3)).serialize_der().to_vec();
    signature.push(1);
    tx.input[0].script_sig =
        elements::script::Builder::new().push_slice(&signature).push_slice(&public(3).serialize()).into_script();
    assert_eq!(check(&tx, &coin), Ok(()));
    tx.input[0].sequence = Sequence::MAX;
    assert!(check(&tx, &coin).is_err());
}

#[test]
fn a_taproot_key_is_spent_by_a_signature_for_this_chain() {
    let pair = Keypair::from_secret_key(SECP256K1, &key(5));
    let (internal, _) = pair.x_only_public_key();
    let script = Script::new_v1_p2tr_tweaked(elements::schnorr::TweakedPublicKey::new(internal));
    let (mut tx, coin) = spend(&script);
    let sign = |tx: &Transaction, genesis| {
        let prevouts = Prevouts::All(std::slice::from_ref(&coin));
        let digest = SighashCache::new(tx).taproot_key_spend_signature_hash(0, &prevouts, SchnorrSighashType::Default, genesis);
        let message = Message::from_digest(digest.expect("a digest").to_byte_array());
        let sig = SECP256K1.sign_schnorr_no_aux_rand(&message, &pair);
        SchnorrSig { sig, hash_ty: SchnorrSighashType::Default }.to_vec()
    };
    let (good, foreign) = (sign(&tx, genesis()), sign(&tx, BlockHash::from_byte_array([8; 32])));
    set_witness(&mut tx, &[good]);
    assert_eq!(check(&tx, &coin), Ok(()));
    set_witness(&mut tx, &[foreign]);
    assert!(check(&tx, &coin).is_err(), "signed for another chain");
}

fn multisig() -> Script {
    let keys = vec![public(1), public(2), public(3)];
    crate::consensus::signature::Multisig { k: 2, keys }.to_script()
}

#[test]
fn a_witness_script_is_spent_by_itself_alone() {
    let script = multisig();
    for nested in [false, true] {
        let program = script.to_v0_p2wsh();
        let (mut tx, coin) = spend(&if nested { program.to_p2sh() } else { program.clone() });
        if nested {
            tx.input[0].script_sig = elements::script::Builder::new().push_slice(program.as_bytes()).into_script();
        }
        let (a, b) = (sign(&tx, &script, 1), sign(&tx, &script, 3));
        set_witness(&mut tx, &[vec![], a.clone(), b.clone(), script.to_bytes()]);
        assert_eq!(check(&tx, &coin), Ok(()));
        assert_eq!(sigop_cost(&tx, std::slice::from_ref(&coin)), 3);
        for (why, items) in [
            ("one signature", vec![vec![], a.clone(), script.to_bytes()]),
            ("one signature twice", vec![vec![], a.clone(), a.clone(), script.to_bytes()]),
            ("wrong order", vec![vec![], b, a, script.to_bytes()]),
            ("another script", vec![vec![0x51]]),
            ("nothing", vec![]),
        ] {
            set_witness(&mut tx, &items);
            assert!(matches!(check(&tx, &coin), Err(ScriptFault::Unsatisfied { .. })), "{why}, nested {nested}");
        }
    }
}

#[test]
fn a_script_that_anyone_can_satisfy_is_satisfied() {
    let anyone = Script::from(vec![0x51]);
    let (tx, coin) = spend(&anyone);
    assert_eq!(check(&tx, &coin), Ok(()));
    let (mut tx, coin) = spend(&anyone.to_v0_p2wsh());
    set_witness(&mut tx, &[anyone.to_bytes()]);
    assert_eq!(check(&tx, &coin), Ok(()));
    let (tx, coin) = spend(&Script::from(vec![0x6a]));
    assert!(check(&tx, &coin).is_err(), "OP_RETURN");
}

#[test]
fn a_covenant_script_never_stands_in_for_another_program() {
    // The interpreter takes such a script for a covenant without looking at the program it is for.
    let covenant = Script::from(vec![0xc1, 0xab]);
    let (mut tx, coin) = spend(&multisig().to_v0_p2wsh());
    set_witness(&mut tx, &[covenant.to_bytes()]);
    assert!(matches!(check(&tx, &coin), Err(ScriptFault::Unsatisfied { .. })));
    let (mut tx, coin) = spend(&covenant.to_v0_p2wsh());
    set_witness(&mut tx, &[covenant.to_bytes()]);
    assert_eq!(check(&tx, &coin), Err(ScriptFault::Unsupported { index: 0 }));
}

/// `<key> CHECKSIGVERIFY <number> <lock>` as miniscript writes it.
fn locked(lock: elements::opcodes::All, number: i64) -> Script {
    elements::script::Builder::new()
        .push_slice(&public(1).serialize())
        .push_opcode(op::OP_CHECKSIGVERIFY)
        .push_int(number)
        .push_opcode(lock)
        .into_script()
}

fn spend_locked(script: &Script, change: impl FnOnce(&mut Transaction)) -> Result<(), ScriptFault> {
    let (mut tx, coin) = spend(&script.to_v0_p2wsh());
    change(&mut tx);
    let signature = sign(&tx, script, 1);
    set_witness(&mut tx, &[signature, script.to_bytes()]);
    check(&tx, &coin)
}

#[test]
fn a_lock_time_binds_unless_the_sequence_disables_it() {
    let script = locked(op::OP_CLTV, 500);
    let at = |height, sequence| {
        spend_locked(&script, |tx| {
            tx.lock_time = LockTime::from_consensus(height);
            tx.input[0].sequence = sequence;
        })
    };
    assert_eq!(at(500, Sequence::ENABLE_LOCKTIME_NO_RBF), Ok(()));
    assert!(at(499, Sequence::ENABLE_LOCKTIME_NO_RBF).is_err());
    assert!(at(600_000_000, Sequence::ENABLE_LOCKTIME_NO_RBF).is_err(), "a time is no height");
    assert!(at(500, Sequence::MAX).is_err(), "a final input has no lock time");
}

#[test]
fn a_relative_lock_binds_in_its_own_unit() {
    let blocks = locked(op::OP_CSV, 10);
    let with = |script: &Script, version, sequence| {
        spend_locked(script, |tx| {
            tx.version = version;
            tx.input[0].sequence = Sequence::from_consensus(sequence);
        })
    };
    assert_eq!(with(&blocks, 2, 10), Ok(()));
    assert_eq!(with(&blocks, 2, 11), Ok(()));
    assert!(with(&blocks, 2, 9).is_err());
    assert!(with(&blocks, 1, 10).is_err(), "version 1 has no relative locks");
    assert!(with(&blocks, 2, 0x8000_000a).is_err(), "disabled");
    assert!(with(&blocks, 2, 0x0040_000a).is_err(), "a time is no number of blocks");
    let seconds = locked(op::OP_CSV, 0x0040_000a);
    assert_eq!(with(&seconds, 2, 0x0040_000a), Ok(()));
    assert!(with(&seconds, 2, 10).is_err(), "a number of blocks is no time");
}
