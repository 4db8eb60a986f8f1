//! One test per field of a PSBT that can lie.

use crate::check::{Checked, Policy, check};
use crate::derive::Account;
use crate::sign::{sign, sign_partly};
use crate::testing::{accounts, path, realm, rng, signing_keys};
use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash as _;
use bitcoin::psbt::PsbtSighashType;
use bitcoin::{Amount, OutPoint, Psbt, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness, transaction};
use causeway_vocab::{AssetId, Atoms, Code, Draft, Refusal, Signed};

fn script(account: Account, chain: u32, index: u32) -> ScriptBuf {
    accounts().bitcoin_script_at(&path(account, chain, index), account).expect("ours")
}

fn stranger() -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::all_zeros())
}

fn transaction(inputs: Vec<OutPoint>, outputs: Vec<(ScriptBuf, u64)>) -> Transaction {
    let input = |previous_output| TxIn {
        previous_output,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::new(),
    };
    Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: inputs.into_iter().map(input).collect(),
        output: outputs.into_iter().map(|(script_pubkey, sat)| TxOut { value: Amount::from_sat(sat), script_pubkey }).collect(),
    }
}

fn claim(inputs: &mut bitcoin::psbt::Input, account: Account, chain: u32, index: u32) {
    let (fingerprint, path) = (accounts().fingerprint, path(account, chain, index));
    let key = accounts().key_at(&path, account).expect("ours");
    match account {
        Account::Taproot => {
            inputs.tap_internal_key = Some(key.into());
            inputs.tap_key_origins.insert(key.into(), (vec![], (fingerprint, path)));
        }
        _ => drop(inputs.bip32_derivation.insert(key, (fingerprint, path))),
    }
}

/// Spends 60,000 (segwit) and 40,000 (taproot), pays 70,000 to a stranger, gives 29,000 change: fee 1,000.
fn draft() -> Psbt {
    let nowhere = OutPoint { txid: Txid::from_byte_array([1; 32]), vout: 0 };
    let parent =
        transaction(vec![nowhere], vec![(script(Account::Segwit, 0, 3), 60_000), (script(Account::Taproot, 0, 4), 40_000)]);
    let spent = |vout| OutPoint { txid: parent.compute_txid(), vout };
    let tx = transaction(vec![spent(0), spent(1)], vec![(stranger(), 70_000), (script(Account::Segwit, 1, 5), 29_000)]);
    let mut psbt = Psbt::from_unsigned_tx(tx).expect("unsigned");
    for (vout, input) in psbt.inputs.iter_mut().enumerate() {
        input.non_witness_utxo = Some(parent.clone());
        input.witness_utxo = Some(parent.output[vout].clone());
    }
    claim(&mut psbt.inputs[0], Account::Segwit, 0, 3);
    claim(&mut psbt.inputs[1], Account::Taproot, 0, 4);
    let change = path(Account::Segwit, 1, 5);
    let key = accounts().key_at(&change, Account::Segwit).expect("ours");
    psbt.outputs[1].bip32_derivation.insert(key, (accounts().fingerprint, change));
    psbt
}

fn checked(psbt: Psbt) -> Result<Checked, Refusal> {
    check(Draft::Bitcoin(psbt), &accounts(), &realm(), &Policy::default())
}

fn refused(psbt: Psbt) -> (Code, String) {
    let refusal = checked(psbt).err().expect("a refusal");
    let why = refusal.args.get("why").cloned().unwrap_or_default();
    (refusal.code, why)
}

/// Changes the parent, and everything in the PSBT that follows from it.
fn with_parent(change: impl Fn(&mut Transaction)) -> Psbt {
    let mut psbt = draft();
    for input in &mut psbt.inputs {
        change(input.non_witness_utxo.as_mut().expect("there"));
    }
    psbt
}

#[test]
fn an_honest_draft_is_told_as_it_is_and_signed_so_that_every_signature_holds() {
    let found = checked(draft()).expect("honest");
    let summary = found.summary();
    assert_eq!((summary.fee, summary.all_inputs_ours), (Atoms(1_000), true));
    assert_eq!(summary.leaves.len(), 1);
    assert_eq!((summary.leaves[0].vout, summary.leaves[0].amount), (0, Some(Atoms(70_000))));
    assert_eq!((summary.comes_back[0].vout, summary.comes_back[0].amount), (1, Some(Atoms(29_000))));
    let sums = &summary.sums[&AssetId::Bitcoin];
    assert_eq!(
        (sums.spent, sums.leaves, sums.comes_back, sums.fee),
        (Atoms(100_000), Atoms(70_000), Atoms(29_000), Atoms(1_000))
    );
    assert_eq!(summary.fee_share.permille, Some(14));
    let (txid, told_vsize) = (summary.txid.clone(), summary.fee_share.vsize);
    let Ok(Signed::Bitcoin(tx)) = sign(found, &signing_keys(), &mut rng(1)) else { panic!("signed") };
    assert_eq!(tx.compute_txid().to_string(), txid);
    assert!(tx.vsize() as u64 <= told_vsize && told_vsize <= tx.vsize() as u64 + 1);
    // The library's own interpreter agrees.
    let mut finalized = draft();
    for (input, txin) in finalized.inputs.iter_mut().zip(&tx.input) {
        input.final_script_witness = Some(txin.witness.clone());
    }
    assert!(finalized.extract_tx().is_ok_and(|extracted| extracted == tx));
    let prevouts = crate::check::bitcoin_prevouts(&draft()).expect("honest");
    let mut cache = bitcoin::sighash::SighashCache::new(&tx);
    let secp = bitcoin::secp256k1::Secp256k1::verification_only();
    let all = bitcoin::sighash::Prevouts::All(&prevouts);
    let hash = cache.taproot_key_spend_signature_hash(1, &all, bitcoin::TapSighashType::Default).expect("a hash");
    let signature = bitcoin::taproot::Signature::from_slice(&tx.input[1].witness[0]).expect("a signature");
    let key = bitcoin::XOnlyPublicKey::from_slice(&prevouts[1].script_pubkey.as_bytes()[2..]).expect("a key");
    let message = bitcoin::secp256k1::Message::from_digest(hash.to_byte_array());
    assert_eq!(secp.verify_schnorr(&signature.signature, &message, &key), Ok(()));
}

#[test]
fn a_fee_lie_through_the_witness_utxo_is_caught() {
    let mut psbt = draft();
    psbt.inputs[0].witness_utxo.as_mut().expect("there").value = Amount::from_sat(50_000);
    assert_eq!(refused(psbt), (Code::DraftLies, "amount".into()));
}

#[test]
fn a_fee_lie_through_the_previous_transaction_is_caught() {
    let psbt = with_parent(|parent| parent.output[0].value = Amount::from_sat(50_000));
    assert_eq!(refused(psbt), (Code::DraftLies, "previous-transaction".into()));
}

#[test]
fn without_the_whole_previous_transaction_amounts_are_not_believed() {
    for vin in [0, 1] {
        let mut psbt = draft();
        psbt.inputs[vin].non_witness_utxo = None;
        assert_eq!(refused(psbt), (Code::DraftLies, "previous-transaction-missing".into()));
    }
}

#[test]
fn an_outpoint_beyond_its_transaction_is_caught() {
    let mut psbt = draft();
    psbt.unsigned_tx.input[0].previous_output.vout = 7;
    assert_eq!(refused(psbt), (Code::DraftLies, "previous-output".into()));
}

#[test]
fn change_that_only_claims_to_be_ours_is_shown_as_leaving() {
    let mut psbt = draft();
    psbt.unsigned_tx.output[1].script_pubkey = stranger();
    let found = checked(psbt).expect("it can be shown");
    assert!(found.summary().comes_back.is_empty());
    assert!(found.summary().leaves[1].claimed_ours && !found.summary().leaves[0].claimed_ours);
    assert_eq!(found.summary().sums[&AssetId::Bitcoin].leaves, Atoms(99_000));
}

#[test]
fn change_at_another_path_than_it_claims_is_shown_as_leaving() {
    for wrong in [path(Account::Segwit, 1, 6), path(Account::Segwit, 0, 5), path(Account::Taproot, 1, 5)] {
        let mut psbt = draft();
        psbt.outputs[1].bip32_derivation.values_mut().for_each(|source| source.1 = wrong.clone());
        let found = checked(psbt).expect("it can be shown");
        assert!(found.summary().comes_back.is_empty() && found.summary().leaves[1].claimed_ours, "{wrong}");
    }
}

#[test]
fn change_without_a_claim_is_shown_as_leaving() {
    let mut psbt = draft();
    psbt.outputs[1].bip32_derivation.clear();
    let found = checked(psbt).expect("it can be shown");
    assert!(found.summary().comes_back.is_empty() && !found.summary().leaves[1].claimed_ours);
}

#[test]
fn outputs_above_the_inputs_are_caught() {
    let mut psbt = draft();
    psbt.unsigned_tx.output[0].value = Amount::from_sat(71_001);
    assert_eq!(refused(psbt), (Code::DraftLies, "balance".into()));
    let mut psbt = draft();
    psbt.unsigned_tx.output[0].value = Amount::from_sat(u64::MAX);
    assert_eq!(refused(psbt), (Code::DraftLies, "amount".into()));
}

#[test]
fn an_input_that_is_not_at_its_claimed_path_is_caught() {
    let mut psbt = draft();
    psbt.inputs[0].bip32_derivation.values_mut().for_each(|source| source.1 = path(Account::Segwit, 0, 9));
    assert_eq!(refused(psbt), (Code::DraftLies, "derivation".into()));
}

#[test]
fn signatures_that_leave_anything_open_are_refused() {
    for (vin, kind) in [(0, 0x02), (0, 0x03), (0, 0x81), (0, 0x00), (1, 0x02), (1, 0x83), (0, 0x41)] {
        let mut psbt = draft();
        psbt.inputs[vin].sighash_type = Some(PsbtSighashType::from_u32(kind));
        assert_eq!(refused(psbt), (Code::DraftLies, "sighash".into()), "{vin} {kind:#x}");
    }
    for (vin, kind) in [(0, 0x01), (1, 0x01), (1, 0x00)] {
        let mut psbt = draft();
        psbt.inputs[vin].sighash_type = Some(PsbtSighashType::from_u32(kind));
        let found = checked(psbt).expect("commits to everything");
        let Ok(Signed::Bitcoin(tx)) = sign(found, &signing_keys(), &mut rng(1)) else { panic!("signed") };
        assert_eq!(tx.input[1].witness[0].len(), if (vin, kind) == (1, 0x01) { 65 } else { 64 });
    }
}

#[test]
fn a_hidden_script_path_is_refused() {
    let mut psbt = draft();
    psbt.inputs[1].tap_merkle_root = Some(bitcoin::TapNodeHash::all_zeros());
    assert_eq!(refused(psbt), (Code::DraftLies, "script".into()));
    let mut psbt = draft();
    psbt.inputs[0].witness_script = Some(stranger());
    assert_eq!(refused(psbt), (Code::DraftLies, "script".into()));
}

#[test]
fn a_fee_out_of_proportion_is_refused_until_accepted() {
    let mut psbt = draft();
    psbt.unsigned_tx.output[0].value = Amount::from_sat(40_000);
    let refusal = checked(psbt.clone()).err().expect("31,000 on 40,000");
    assert_eq!((refusal.code, refusal.args["percent"].as_str(), refusal.args["limit"].as_str()), (Code::FeeTooHigh, "77", "25"));
    let policy = Policy { accept_high_fee: true, ..Policy::default() };
    assert!(check(Draft::Bitcoin(psbt), &accounts(), &realm(), &policy).is_ok());
}

#[test]
fn a_draft_of_others_has_nothing_to_sign() {
    let mut psbt = draft();
    psbt.inputs.iter_mut().for_each(|input| {
        input.bip32_derivation.clear();
        input.tap_key_origins.clear();
    });
    assert_eq!(refused(psbt).0, Code::NothingToSign);
}

#[test]
fn a_misshapen_draft_is_refused() {
    let mut psbt = draft();
    psbt.inputs.pop();
    assert_eq!(refused(psbt).0, Code::BadDraft);
    let mut psbt = draft();
    psbt.unsigned_tx.input[0].witness.push([1]);
    assert_eq!(refused(psbt).0, Code::BadDraft);
}

#[test]
fn what_was_reviewed_is_what_is_signed() {
    let reviewed = checked(draft()).expect("honest").summary_hash();
    assert_eq!(checked(draft()).expect("honest").matches(&reviewed), Ok(()));
    let mut later = draft();
    later.unsigned_tx.lock_time = LockTime::from_consensus(1);
    let mut dearer = draft();
    dearer.unsigned_tx.output[1].value = Amount::from_sat(28_999);
    let mut moved = draft();
    moved.outputs[1].bip32_derivation.clear();
    for other in [later, dearer, moved] {
        let refusal = checked(other).expect("honest").matches(&reviewed).expect_err("another draft");
        assert_eq!(refusal.code, Code::ReviewMismatch);
    }
}

#[test]
fn a_shared_transaction_is_signed_in_part() {
    let shared = || {
        let mut psbt = draft();
        psbt.inputs[1].tap_key_origins.clear();
        psbt
    };
    let found = checked(shared()).expect("half is ours");
    assert!(!found.summary().all_inputs_ours);
    let sums = &found.summary().sums[&AssetId::Bitcoin];
    assert_eq!((sums.spent, sums.spent_by_others), (Atoms(60_000), Atoms(40_000)));
    let refusal = sign(found, &signing_keys(), &mut rng(1)).expect_err("the other half is missing");
    assert_eq!((refusal.code, refusal.args["input"].as_str()), (Code::NothingToSign, "1"));
    let found = checked(shared()).expect("half is ours");
    let Ok(Draft::Bitcoin(psbt)) = sign_partly(found, &signing_keys(), &mut rng(1)) else { panic!("a PSBT") };
    assert!(psbt.inputs[0].final_script_witness.is_some() && psbt.inputs[1].final_script_witness.is_none());
}

#[test]
fn the_keys_of_another_wallet_sign_nothing() {
    let other = crate::sign::SigningKeys::new(&crate::Seed::from_bytes([9; 64]), &realm()).expect("a seed");
    assert!(sign(checked(draft()).expect("honest"), &other, &mut rng(1)).is_err());
}
