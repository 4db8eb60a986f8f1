use super::*;
use crate::testing::{Chain, gift, rng, stranger, wallet_of};
use crate::{FeeRate, Intent, Recipient};
use bitcoin::bip32::Xpriv;
use bitcoin::hashes::Hash as _;
use bitcoin::hex::DisplayHex as _;
use bitcoin::psbt::{PsbtSighashType, raw};
use bitcoin::secp256k1::All;
use bitcoin::{Amount, ScriptBuf};
use causeway_vocab::Atoms;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The master key behind the test wallet (tests/fixtures/elements/wallet.json, w1).
const MASTER: &str =
    "tprv8ZgxMBicQKsPeoEpm5HBbjHF7crmQfdP7oTanNmjqaGug2t83JMiQ91fF6FJviFAhuk2C2zZniaywjNxke5g5YQ7wSuNP9pNBxVT9Nm9XVF";

fn sent_from(descriptor: &str) -> Psbt {
    let mut wallet = wallet_of(descriptor);
    let mut chain = Chain::new();
    let gifts = [60_000, 50_000].map(|sat| gift(&wallet.next_address().0.script, sat, sat as u32)).to_vec();
    chain.mine(gifts, 0);
    wallet.apply(&chain.batch(1, None, vec![]), 1).expect("a batch");
    let intent = Intent {
        recipients: vec![Recipient { script: stranger(), amount: Atoms(80_000) }],
        drain_to: None,
        rate: FeeRate(1_000),
        coins: vec![],
        exclude: BTreeSet::new(),
    };
    wallet.plan(&intent, &mut rng(3)).expect("a plan").psbt
}

fn sent() -> Psbt {
    sent_from("wpkh(KEY/<0;1>/*)")
}

fn signed(psbt: &Psbt) -> Psbt {
    let master: Xpriv = MASTER.parse().expect("a key");
    let mut psbt = psbt.clone();
    let secp: Secp256k1<All> = Secp256k1::new();
    psbt.sign(&master, &secp).expect("its own keys");
    psbt
}

fn refused(sent: &Psbt, returned: &Psbt) -> String {
    let refusal = merge(sent, returned).expect_err("a refusal");
    assert_eq!(refusal.code, Code::DraftLies);
    refusal.args["why"].clone()
}

#[test]
fn what_a_signer_returns_is_merged_and_finished() {
    for descriptor in ["wpkh(KEY/<0;1>/*)", "tr(KEY/<0;1>/*)"] {
        let sent = sent_from(descriptor);
        let whole = signed(&sent);
        let tx = finish(merge(&sent, &whole).expect("honest")).expect("complete");
        assert_eq!(tx.compute_txid(), sent.unsigned_tx.compute_txid());
        // A signer that finalizes and strips everything else says the same.
        let mut bare = Psbt::from_unsigned_tx(sent.unsigned_tx.clone()).expect("unsigned");
        for (input, txin) in bare.inputs.iter_mut().zip(&tx.input) {
            input.final_script_witness = Some(txin.witness.clone());
        }
        assert_eq!(finish(merge(&sent, &bare).expect("honest")), Ok(tx));
        // Merging is idempotent, and the order of two halves does not matter.
        let merged = merge(&sent, &whole).expect("honest");
        assert_eq!(merge(&merged, &whole).expect("again"), merged);
        let half = |vin: usize| {
            let mut half = sent.clone();
            half.inputs[vin] = whole.inputs[vin].clone();
            half
        };
        let one = merge(&merge(&sent, &half(0)).expect("honest"), &half(1)).expect("honest");
        let other = merge(&merge(&sent, &half(1)).expect("honest"), &half(0)).expect("honest");
        assert_eq!((&one, &other), (&merged, &merged));
        assert_eq!(finish(half(0)).expect_err("half").code, Code::BadDraft);
    }
}

#[test]
fn a_returned_draft_that_changes_anything_is_refused_by_what_it_changes() {
    type Change = fn(&mut Psbt);
    let cases: [(&str, Change); 12] = [
        ("transaction", |psbt| psbt.unsigned_tx.output[0].value += Amount::ONE_SAT),
        ("transaction", |psbt| psbt.unsigned_tx.output[0].script_pubkey = ScriptBuf::new()),
        ("globals", |psbt| drop(psbt.unknown.insert(raw::Key { type_value: 9, key: vec![] }, vec![]))),
        ("input", |psbt| psbt.inputs[0].witness_utxo.as_mut().expect("there").value = Amount::ONE_SAT),
        ("input", |psbt| psbt.inputs[0].sighash_type = Some(PsbtSighashType::from_u32(0x81))),
        ("input", |psbt| psbt.inputs[0].non_witness_utxo = psbt.inputs[1].non_witness_utxo.clone()),
        ("input", |psbt| psbt.inputs[0].witness_script = Some(ScriptBuf::new())),
        ("input", |psbt| psbt.inputs[0].bip32_derivation = psbt.inputs[1].bip32_derivation.clone()),
        ("input", |psbt| drop(psbt.inputs[0].sha256_preimages.insert(bitcoin::hashes::sha256::Hash::hash(b"x"), b"x".to_vec()))),
        ("signature", |psbt| psbt.inputs[0].partial_sigs = psbt.inputs[1].partial_sigs.clone()),
        ("signature", |psbt| {
            psbt.inputs[0].partial_sigs.values_mut().for_each(|sig| sig.sighash_type = EcdsaSighashType::None);
        }),
        ("output", |psbt| psbt.outputs[0].witness_script = Some(ScriptBuf::new())),
    ];
    let sent = sent();
    for (why, change) in cases {
        let mut returned = signed(&sent);
        change(&mut returned);
        assert_eq!(refused(&sent, &returned), why);
    }
    let mut witness = signed(&sent);
    witness.inputs[0].final_script_witness = Some(Witness::from_slice(&[vec![1; 9], vec![2; 33]]));
    assert_eq!(refused(&sent, &witness), "final");
}

#[test]
fn a_wrong_signature_does_not_finish() {
    let sent = sent();
    let mut returned = signed(&sent);
    let other = returned.inputs[1].partial_sigs.values().next().copied().expect("a signature");
    returned.inputs[0].partial_sigs.values_mut().for_each(|signature| *signature = other);
    let merged = merge(&sent, &returned).expect("it has the right shape");
    assert_eq!(finish(merged).expect_err("it is not of this input").code, Code::BadDraft);
}

#[test]
fn a_draft_is_read_in_every_form_that_signers_write() {
    let sent = sent();
    let raw = sent.serialize();
    let hex = raw.to_lower_hex_string();
    for form in [raw.as_slice(), export(&sent).as_bytes(), hex.as_bytes(), format!(" {}\n", export(&sent)).as_bytes()] {
        assert_eq!(import(form).as_ref(), Ok(&sent));
    }
    for bad in [&b""[..], b"psbt\xff", b"hello", &raw[..raw.len() - 1], &[0xff; 9], &vec![b'A'; MAX_PSBT + 1]] {
        assert_eq!(import(bad).expect_err("not a PSBT").code, Code::BadDraft);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = import(&bytes);
        let _ = import(&[b"psbt\xff".as_slice(), &bytes].concat());
    }
}
