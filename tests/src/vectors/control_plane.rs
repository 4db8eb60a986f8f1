//! The staking control plane: proofs of possession, messages, checkpoints.

use super::hex::{bitcoin_decoded, bytes, cases, list, number, parsed, text};
use super::stakes::{key, said, small};
use super::{Case, Checks, Kind, Siblings, has_keys, is_list_of};
use bitcoin::base64::Engine as _;
use bitcoin::base64::prelude::BASE64_STANDARD;
use bitcoin::bip32::{DerivationPath, Xpriv};
use bitcoin::hex::DisplayHex as _;
use bitcoin::{Transaction, Witness};
use causeway_staking::checkpoint::Checkpoint;
use causeway_staking::envelope::{Any, Fee, Signer, Unsigned};
use causeway_staking::epoch::{Epoch, SealedEpoch, ValidatorSet, ValidatorWithBlsKey};
use causeway_staking::inclusion::InclusionProof as Inclusion;
use causeway_staking::message::{
    AddBtcDelegationInclusionProof, Bip322Signature, BtcStakeExpand, BtcUndelegate, CreateBtcDelegation, InclusionProof,
    ProofOfPossession, RawCheckpoint, TransactionKey, WithdrawReward,
};
use causeway_staking::possession::{Account, Kind as ProofKind, bip322_hash, bip322_transactions, verify_bip322};
use causeway_staking::store_proof::ProofOps;
use prost::{Message, Name};
use secp256k1_zkp::SECP256K1;
use serde_json::{Value, json};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "proofs_of_possession",
        stems: &["pop"],
        fits: |d| is_list_of(&d["cases"], &["staker_addr", "btc_pk", "btc_sig"]) && d.get("bip322_hashing").is_some(),
        run: run_possession,
    },
    Kind {
        name: "control_plane_messages",
        stems: &["messages"],
        fits: |d| is_list_of(&d["messages"], &["type_url", "value_json", "protobuf"]),
        run: run_messages,
    },
    Kind {
        name: "checkpoint_format",
        stems: &["checkpoint_format"],
        fits: |d| is_list_of(d, &["fields", "part0", "part1", "valid"]),
        run: run_format,
    },
    Kind {
        name: "checkpoint",
        stems: &["btc_timestamp"],
        fits: |d| has_keys(d, &["btc_headers", "records", "decoded"]),
        run: run_checkpoint,
    },
];

fn hex(bytes: &[u8]) -> String {
    bytes.to_lower_hex_string()
}

fn array<const N: usize>(object: &Value, field: &str) -> Result<[u8; N], String> {
    bytes(object, field)?.try_into().map_err(|_| format!("{field} is not {N} bytes long"))
}

fn run_possession(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(list(document, "bip322_hashing")?, |id, case, checks| {
        let message = match case.get("message_hex") {
            Some(_) => bytes(case, "message_hex")?,
            None => text(case, "message")?.as_bytes().to_vec(),
        };
        let address: bitcoin::Address<bitcoin::address::NetworkUnchecked> = parsed(case, "address")?;
        let script = address.assume_checked().script_pubkey();
        let (to_spend, to_sign) = bip322_transactions(&script, &message);
        let got = json!({
            "message_hash": hex(&bip322_hash(&message)),
            "to_spend_txid": to_spend.compute_txid().to_string(),
            "to_sign_txid": to_sign.compute_txid().to_string(),
        });
        let id = format!("bip322 {id}");
        checks.equal(&id, got, case, &["message", "message_hex", "address", "signature_base64", "valid"]);
        if case.get("signature_base64").is_some() {
            let witness = BASE64_STANDARD.decode(text(case, "signature_base64")?).map_err(said)?;
            let witness: Witness = bitcoin::consensus::deserialize(&witness).map_err(said)?;
            let verified = verify_bip322(&script, &message, &witness).is_ok();
            checks.equal(format!("{id} signature"), json!(verified), &case["valid"], &[]);
        }
        Ok(())
    });
    checks.each(list(document, "cases")?, |id, case, checks| {
        let kind = kind(number(case, "btc_sig_type")?)?;
        let (key, proof) = (key(&bytes(case, "btc_pk")?)?, bytes(case, "btc_sig")?);
        let address = text(case, "staker_addr")?;
        let prefix = address.rsplit_once('1').map_or("", |(prefix, _)| prefix);
        let verified = Account::parse(address, prefix).and_then(|account| account.verify(&key, kind, &proof));
        let why = format!("{id}{}", verified.as_ref().err().map(|e| format!(" ({e})")).unwrap_or_default());
        checks.equal(why, json!(verified.is_ok()), &case["valid"], &[]);
        if let Some(want) = case.get("bip322") {
            let read = Bip322Signature::decode(&proof[..]).map_err(said)?;
            let witness: Witness = bitcoin::consensus::deserialize(&read.sig).map_err(said)?;
            let witness: Vec<String> = witness.iter().map(hex).collect();
            checks.equal(format!("{id} decoded"), json!({ "address": read.address, "witness": witness }), want, &[]);
        }
        Ok(())
    });
    Ok(checks.done())
}

fn kind(number: u64) -> Result<ProofKind, String> {
    match number {
        0 => Ok(ProofKind::Bip340),
        1 => Ok(ProofKind::Bip322),
        2 => Ok(ProofKind::Ecdsa),
        other => Err(format!("no kind {other} of proofs")),
    }
}

fn run_messages(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(list(document, "messages")?, |id, case, checks| {
        let url = text(case, "type_url")?;
        let packed = pack(url, &case["value_json"])?;
        let got = json!({ "type_url": packed.type_url, "protobuf": hex(&packed.value) });
        checks.equal(format!("{id} {url}"), got, case, &["value_json"]);
        Ok(())
    });
    let signed = document.get("sign_mode_direct").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    checks.each(signed, |id, case, checks| {
        let words: bip39::Mnemonic = parsed(case, "mnemonic")?;
        let path: DerivationPath = parsed(case, "path")?;
        let root = Xpriv::new_master(bitcoin::Network::Bitcoin, &words.to_seed("")).map_err(said)?;
        let secret = root.derive_priv(SECP256K1, &path).map_err(said)?.private_key;
        let public = secret.public_key(SECP256K1);
        let prefix = text(case, "address")?.rsplit_once('1').map_or("", |(prefix, _)| prefix);
        let signer = Signer { key: public, account_number: number(case, "account_number")?, sequence: number(case, "sequence")? };
        let fee = Fee { denom: "ubbn".to_owned(), amount: number(case, "fee")?, gas: number(case, "gas")? };
        let packed = list(case, "messages")?
            .iter()
            .map(|message| Ok(Any { type_url: text(message, "type_url")?.to_owned(), value: bytes(message, "value")? }));
        let unsigned =
            Unsigned::new(packed.collect::<Result<_, String>>()?, text(case, "memo")?, &signer, &fee, text(case, "chain_id")?);
        let signed = unsigned.clone().sign(&secret);
        let got = json!({
            "address": Account::of_key(&public, prefix).map_err(said)?.as_str(),
            "public_key": hex(&public.serialize()),
            "body_bytes": hex(&unsigned.body),
            "auth_info_bytes": hex(&unsigned.auth_info),
            "sign_doc": hex(&unsigned.sign_doc),
            "signature": hex(&signed.signature),
            "tx_raw": hex(&signed.raw),
            "tx_hash": signed.hash().to_upper_hex_string(),
        });
        let given = ["mnemonic", "path", "chain_id", "account_number", "sequence", "fee", "gas", "memo", "messages"];
        checks.equal(format!("signed {id}"), got, case, &given);
        Ok(())
    });
    Ok(checks.done())
}

/// A message from the JSON form of protobuf: base64 for bytes, text for 64-bit numbers; what is absent has its default.
fn pack(url: &str, value: &Value) -> Result<Any, String> {
    let pop = || {
        let Some(pop) = value.get("pop") else { return Ok(None) };
        let kind = match text(pop, "btcSigType")? {
            "BIP340" => ProofKind::Bip340,
            "BIP322" => ProofKind::Bip322,
            "ECDSA" => ProofKind::Ecdsa,
            other => return Err(format!("no kind {other} of proofs")),
        };
        Ok(Some(ProofOfPossession::new(kind, blob(pop, "btcSig")?)))
    };
    let string = |field: &str| value.get(field).map_or(Ok(String::new()), |_| text(value, field).map(str::to_owned));
    let any = if url == CreateBtcDelegation::type_url() {
        Any::of(&CreateBtcDelegation {
            staker_addr: string("stakerAddr")?,
            pop: pop()?,
            btc_pk: blob(value, "btcPk")?,
            fp_btc_pk_list: blobs(value, "fpBtcPkList")?,
            staking_time: small(value, "stakingTime")?,
            staking_value: small(value, "stakingValue")?,
            staking_tx: blob(value, "stakingTx")?,
            staking_tx_inclusion_proof: inclusion(value, "stakingTxInclusionProof")?,
            slashing_tx: blob(value, "slashingTx")?,
            delegator_slashing_sig: blob(value, "delegatorSlashingSig")?,
            unbonding_time: small(value, "unbondingTime")?,
            unbonding_tx: blob(value, "unbondingTx")?,
            unbonding_value: small(value, "unbondingValue")?,
            unbonding_slashing_tx: blob(value, "unbondingSlashingTx")?,
            delegator_unbonding_slashing_sig: blob(value, "delegatorUnbondingSlashingSig")?,
        })
    } else if url == BtcStakeExpand::type_url() {
        Any::of(&BtcStakeExpand {
            staker_addr: string("stakerAddr")?,
            pop: pop()?,
            btc_pk: blob(value, "btcPk")?,
            fp_btc_pk_list: blobs(value, "fpBtcPkList")?,
            staking_time: small(value, "stakingTime")?,
            staking_value: small(value, "stakingValue")?,
            staking_tx: blob(value, "stakingTx")?,
            slashing_tx: blob(value, "slashingTx")?,
            delegator_slashing_sig: blob(value, "delegatorSlashingSig")?,
            unbonding_time: small(value, "unbondingTime")?,
            unbonding_tx: blob(value, "unbondingTx")?,
            unbonding_value: small(value, "unbondingValue")?,
            unbonding_slashing_tx: blob(value, "unbondingSlashingTx")?,
            delegator_unbonding_slashing_sig: blob(value, "delegatorUnbondingSlashingSig")?,
            previous_staking_tx_hash: string("previousStakingTxHash")?,
            funding_tx: blob(value, "fundingTx")?,
        })
    } else if url == AddBtcDelegationInclusionProof::type_url() {
        Any::of(&AddBtcDelegationInclusionProof {
            signer: string("signer")?,
            staking_tx_hash: string("stakingTxHash")?,
            staking_tx_inclusion_proof: inclusion(value, "stakingTxInclusionProof")?,
        })
    } else if url == BtcUndelegate::type_url() {
        Any::of(&BtcUndelegate {
            signer: string("signer")?,
            staking_tx_hash: string("stakingTxHash")?,
            stake_spending_tx: blob(value, "stakeSpendingTx")?,
            stake_spending_tx_inclusion_proof: inclusion(value, "stakeSpendingTxInclusionProof")?,
            funding_transactions: blobs(value, "fundingTransactions")?,
        })
    } else if url == WithdrawReward::type_url() {
        Any::of(&WithdrawReward { r#type: string("type")?, address: string("address")? })
    } else {
        return Err(format!("no message of type {url}"));
    };
    Ok(any)
}

fn blob(object: &Value, field: &str) -> Result<Vec<u8>, String> {
    let Some(value) = object.get(field) else { return Ok(Vec::new()) };
    BASE64_STANDARD.decode(value.as_str().ok_or("no text")?).map_err(|e| format!("{field}: {e}"))
}

fn blobs(object: &Value, field: &str) -> Result<Vec<Vec<u8>>, String> {
    let items = object.get(field).and_then(Value::as_array).into_iter().flatten();
    items.map(|item| BASE64_STANDARD.decode(item.as_str().unwrap_or("?")).map_err(|e| format!("{field}: {e}"))).collect()
}

fn inclusion(object: &Value, field: &str) -> Result<Option<InclusionProof>, String> {
    let Some(proof) = object.get(field) else { return Ok(None) };
    let key = TransactionKey { index: small(&proof["key"], "index")?, hash: blob(&proof["key"], "hash")? };
    Ok(Some(InclusionProof { key: Some(key), proof: blob(proof, "proof")? }))
}

fn run_format(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let tag = array(&case["fields"], "tag")?;
        let joined = Checkpoint::join(&bytes(case, "part0")?, &bytes(case, "part1")?, tag);
        if case["valid"] == false {
            checks.refused(id, joined, &case["why"]);
            return Ok(());
        }
        let told = |checkpoint: Checkpoint| {
            let ((part0, part1), (script0, script1)) = (checkpoint.parts(tag), checkpoint.scripts(tag));
            json!({
                "fields": fields(&checkpoint, &tag),
                "part0": hex(&part0),
                "part1": hex(&part1),
                "script0": hex(script0.as_bytes()),
                "script1": hex(script1.as_bytes()),
                "signers": checkpoint.signers().collect::<Vec<_>>(),
            })
        };
        checks.accepted(id, joined.map(told), case, &["valid", "version"]);
        Ok(())
    });
    Ok(checks.done())
}

fn fields(checkpoint: &Checkpoint, tag: &[u8; 4]) -> Value {
    json!({
        "tag": hex(tag),
        "epoch": checkpoint.epoch,
        "block_hash": hex(&checkpoint.block_hash),
        "bitmap": hex(&checkpoint.bitmap),
        "submitter": hex(&checkpoint.submitter),
        "bls_sig": hex(&checkpoint.signature),
    })
}

/// A record of everything about one epoch, as a node made it.
#[derive(Clone, PartialEq, Message)]
struct Record {
    #[prost(message, optional, tag = "3")]
    epoch: Option<Epoch>,
    #[prost(message, optional, tag = "6")]
    proof: Option<Proofs>,
}

#[derive(Clone, PartialEq, Message)]
struct Proofs {
    #[prost(message, optional, tag = "2")]
    sealed: Option<Sealed>,
}

#[derive(Clone, PartialEq, Message)]
struct Sealed {
    #[prost(message, repeated, tag = "1")]
    validators: Vec<ValidatorWithBlsKey>,
    #[prost(message, optional, tag = "2")]
    epoch: Option<ProofOps>,
    #[prost(message, optional, tag = "3")]
    set: Option<ProofOps>,
}

fn run_checkpoint(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    let headers = list(document, "btc_headers")?;
    for (index, header) in headers.iter().enumerate() {
        let read: bitcoin::block::Header = bitcoin_decoded(header, "header")?;
        checks.equal(format!("header {index}"), json!({ "hash": read.block_hash().to_string() }), header, &["header"]);
    }
    let mut transactions: Vec<Transaction> = Vec::new();
    checks.each(list(document, "records")?, |id, record, checks| {
        let transaction: Transaction = bitcoin_decoded(record, "tx")?;
        let txid = transaction.compute_txid();
        let block = parsed(record, "block_hash")?;
        let proof = Inclusion::from_bytes(block, small(record, "index_in_block")?, &bytes(record, "merkle_siblings")?);
        let proof = proof.ok_or("no proof of inclusion")?;
        let mut proved = false;
        for header in headers {
            proved |= proof.verify(&bitcoin_decoded(header, "header")?, &txid);
        }
        checks.equal(
            format!("record {id}"),
            json!({ "txid": txid.to_string() }),
            record,
            &["tx", "record", "index_in_block", "block_hash", "merkle_siblings"],
        );
        checks.equal(format!("record {id} in block"), json!(proved), &json!(true), &[]);
        transactions.push(transaction);
        Ok(())
    });
    let [first, second] = transactions.as_slice() else { return Err("not two transactions".to_owned()) };
    let tag = array(&document["decoded"], "tag")?;
    let read = Checkpoint::read(first, second, tag);
    let notes = ["version", "first_part_hash"];
    checks.accepted("decoded", read.map(|checkpoint| fields(&checkpoint, &tag)), &document["decoded"], &notes);
    if let Ok(checkpoint) = read {
        let (part0, part1) = checkpoint.parts(tag);
        let records: Vec<String> = [&part0, &part1].map(|part| hex(part)).to_vec();
        let wanted: Vec<String> = list(document, "records")?
            .iter()
            .map(|record| Ok(text(record, "record")?.to_owned()))
            .collect::<Result<_, String>>()?;
        checks.equal("records", json!(records), &json!(wanted), &[]);
        checks.equal("first part's hash", json!(hex(&part1[part1.len() - 10..])), &document["decoded"]["first_part_hash"], &[]);
    }
    if document.get("protobuf").is_some() {
        let record = Record::decode(&bytes(document, "protobuf")?[..]).map_err(said)?;
        let sealed = record.proof.and_then(|proofs| proofs.sealed).ok_or("the record has no proof of a seal")?;
        let app_hash = record.epoch.as_ref().map(|epoch| epoch.sealer_app_hash.clone()).unwrap_or_default();
        let epoch = SealedEpoch {
            epoch: record.epoch.ok_or("the record has no epoch")?,
            validators: ValidatorSet { validators: sealed.validators },
            epoch_proof: sealed.epoch.ok_or("the record has no proof of its epoch")?,
            validators_proof: sealed.set.ok_or("the record has no proof of its validators")?,
        };
        let verified = read.map_err(said).and_then(|checkpoint| epoch.verify(&checkpoint, &app_hash).map_err(said));
        checks.accepted("sealed", verified.map(|()| json!("sealed")), &json!("sealed"), &[]);
    }
    if let Some(raw) = document.get("raw_checkpoint_protobuf") {
        let read = RawCheckpoint::decode(&bytes(raw, "hex")?[..]).map(|read| {
            json!({
                "hex": hex(&read.encode_to_vec()),
                "epoch_num": read.epoch_num,
                "block_hash": hex(&read.block_hash),
                "bitmap": hex(&read.bitmap),
                "bls_multi_sig": hex(&read.bls_multi_sig),
            })
        });
        checks.accepted("raw checkpoint", read, raw, &[]);
    }
    Ok(checks.done())
}
