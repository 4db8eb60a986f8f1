//! Finality providers: one-time signatures, commitments, votes, and the committee's adaptor signatures.

use super::hex::{bytes, cases, list, number, text};
use super::stakes::{key, said, small};
use super::{Case, Checks, Kind, Siblings, has_keys, is_list_of};
use bitcoin::hex::DisplayHex as _;
use causeway_staking::adaptor::{AdaptorSignature, is_signature};
use causeway_staking::eots::extract;
use causeway_staking::message::{AddFinalitySig, CommitPubRandList};
use causeway_staking::protection::Vote;
use causeway_staking::randomness::{Commitment, CommitmentTree, Hash32, Proof, public_randomness};
use causeway_staking::{EotsKey, EotsSignature, PublicRandomness, SecretNonce};
use prost::Message as _;
use secp256k1_zkp::schnorr::Signature;
use secp256k1_zkp::{Keypair, PublicKey, SECP256K1, SecretKey};
use serde_json::{Value, json};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "eots",
        stems: &["eots"],
        fits: |d| is_list_of(&d["valid"], &["secret_key", "secret_nonce", "signature_1"]) && d.get("invalid").is_some(),
        run: run_eots,
    },
    Kind {
        name: "public_randomness",
        stems: &["pub_rand"],
        fits: |d| is_list_of(d, &["secret", "fp_btc_pk", "public_randomness", "commitment"]),
        run: run_randomness,
    },
    Kind {
        name: "finality_votes",
        stems: &["finality_votes"],
        fits: |d| has_keys(d, &["commit", "votes"]) && is_list_of(&d["votes"], &["pub_rand", "finality_sig"]),
        run: run_votes,
    },
    Kind {
        name: "schnorr_adaptor",
        stems: &["schnorr_adaptor"],
        fits: |d| has_keys(d, &["verify", "adapt", "extract"]),
        run: run_adaptor,
    },
];

fn array<const N: usize>(object: &Value, field: &str) -> Result<[u8; N], String> {
    bytes(object, field)?.try_into().map_err(|_| format!("{field} is not {N} bytes long"))
}

fn eots_key(object: &Value, field: &str) -> Result<EotsKey, String> {
    EotsKey::from_bytes(&array(object, field)?).map_err(said)
}

fn hex(bytes: &[u8]) -> String {
    bytes.to_lower_hex_string()
}

fn run_eots(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(list(document, "valid")?, |id, case, checks| {
        let key = eots_key(case, "secret_key")?;
        let nonce = SecretNonce::from_bytes(&array(case, "secret_nonce")?).map_err(said)?;
        let messages = [bytes(case, "message_1")?, bytes(case, "message_2")?];
        let signatures = messages.each_ref().map(|message| key.sign(&nonce, message));
        let [first, second] = [0, 1].map(|n: usize| (&messages[n][..], &signatures[n]));
        let found = extract(&key.public(), &nonce.public(), first, second).map_err(said)?;
        let even = SecretKey::from_slice(&*found.to_even_bytes()).map_err(said)?;
        let full = if key.is_odd() { even.negate() } else { even };
        let got = json!({
            "secret_key": hex(&*key.to_bytes()),
            "public_key": hex(&full.public_key(SECP256K1).serialize()),
            "public_key_xonly": hex(&key.public().serialize()),
            "public_key_y_is_odd": key.is_odd(),
            "public_randomness": nonce.public().to_string(),
            "signature_1": signatures[0].to_string(),
            "signature_2": signatures[1].to_string(),
            "extracted_even_y": hex(&even.secret_bytes()),
            "extracted_for_full_public_key": hex(&full.secret_bytes()),
        });
        let told = ["id", "secret_nonce", "nonce_point_y_is_odd", "message_1", "message_2", "message_hash_1", "message_hash_2"];
        checks.equal(format!("valid {id}"), got, case, &[&told[..], &["challenge_1", "challenge_2"]].concat());
        for (n, (message, _)) in (1..).zip([first, second]) {
            let recorded = EotsSignature(array(case, &format!("signature_{n}"))?);
            let randomness = PublicRandomness(array(case, "public_randomness")?);
            let verified = recorded.verify(&self::key(&bytes(case, "public_key_xonly")?)?, &randomness, message);
            checks.equal(format!("valid {id} signature {n}"), json!(verified), &json!(true), &[]);
        }
        Ok(())
    });
    checks.each(list(document, "invalid")?, |id, case, checks| {
        let refused = || -> Result<(), String> {
            let key = key(&bytes(case, "public_key_xonly")?)?;
            let randomness = PublicRandomness(array(case, "public_randomness")?);
            let of = |n: &str| {
                Ok::<_, String>((bytes(case, &format!("message{n}"))?, EotsSignature(array(case, &format!("signature{n}"))?)))
            };
            match text(case, "kind")? {
                "verify" => {
                    let (message, signature) = of("")?;
                    signature.verify(&key, &randomness, &message).then_some(()).ok_or_else(|| "no signature".to_owned())
                }
                "extract" => {
                    let ((m1, s1), (m2, s2)) = (of("_1")?, of("_2")?);
                    extract(&key, &randomness, (&m1, &s1), (&m2, &s2)).map(|_| ()).map_err(said)
                }
                // A case that cannot be judged must not pass for refused.
                _ => Ok(()),
            }
        };
        checks.refused(format!("invalid {id}"), refused(), &case["why"]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_randomness(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(cases(document), |id, case, checks| {
        let key = eots_key(case, "secret")?;
        let (chain, start, count) = (text(case, "chain_id")?, number(case, "start_height")?, small(case, "num_pub_rand")?);
        let values = public_randomness(&key, chain, start, count);
        let tree = CommitmentTree::new(&values).ok_or("no heights")?;
        let commitment = Commitment { start_height: start, count: count as u64, root: Hash32(tree.root()) };
        let signature = commitment.sign(&key, &array(case, "commit_aux_rand")?);
        let got = json!({
            "fp_btc_pk": hex(&key.public().serialize()),
            "public_key_y_is_odd": key.is_odd(),
            "public_randomness": values.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "commitment": hex(&tree.root()),
            "commit_signed_hash": hex(&commitment.signed_hash()),
            "commit_sig": hex(&signature.serialize()),
        });
        let given = ["secret", "chain_id", "start_height", "num_pub_rand", "commit_aux_rand", "double_vote", "name", "origin"];
        checks.equal(id, got, case, &given);
        let Some(double) = case.get("double_vote") else { return Ok(()) };
        let height = number(double, "block_height")?;
        let index = usize::try_from(height.checked_sub(start).ok_or("a vote before the first height")?).map_err(said)?;
        let proof = tree.proof(index).ok_or("a vote after the last height")?;
        let nonce = key.nonce(chain, height);
        let mut votes = Vec::new();
        for hash in super::hex::bytes_list(double, "block_app_hash")? {
            let vote = Vote { height, app_hash: hash.try_into().map_err(|_| "an app hash that is not 32 bytes long")? };
            votes.push((vote.message(), key.sign(&nonce, &vote.message())));
        }
        let [first, second] = votes.as_slice() else { return Err("not two votes".to_owned()) };
        let found = extract(&key.public(), &nonce.public(), (&first.0, &first.1), (&second.0, &second.1)).map_err(said)?;
        let got = json!({
            "pub_rand": nonce.public().to_string(),
            "proof": proof,
            "message": votes.iter().map(|(message, _)| hex(message)).collect::<Vec<_>>(),
            "finality_sig": votes.iter().map(|(_, signature)| signature.to_string()).collect::<Vec<_>>(),
            "extracted_secret_even_y": hex(&*found.to_even_bytes()),
        });
        checks.equal(format!("{id} double vote"), got, double, &["block_height", "block_app_hash"]);
        Ok(())
    });
    Ok(checks.done())
}

fn run_votes(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    let commit = &document["commit"];
    let provider = key(&bytes(commit, "fp_btc_pk")?)?;
    let (start_height, count) = (number(commit, "start_height")?, number(commit, "num_pub_rand")?);
    let commitment = Commitment { start_height, count, root: Hash32(array(commit, "commitment")?) };
    let signature = Signature::from_slice(&bytes(commit, "sig")?).map_err(said)?;
    let message = CommitPubRandList {
        signer: text(commit, "signer")?.to_owned(),
        fp_btc_pk: provider.serialize().to_vec(),
        start_height,
        num_pub_rand: count,
        commitment: commitment.root.0.to_vec(),
        sig: signature.serialize().to_vec(),
    };
    let got = json!({ "signed_hash": hex(&commitment.signed_hash()), "protobuf": hex(&message.encode_to_vec()) });
    checks.equal("commit", got, commit, &["signer", "fp_btc_pk", "start_height", "num_pub_rand", "commitment", "sig"]);
    checks.equal("commit signature", json!(commitment.is_signed_by(&provider, &signature)), &json!(true), &[]);
    let mut votes = Vec::new();
    for (index, recorded) in list(document, "votes")?.iter().enumerate() {
        let vote = Vote { height: number(recorded, "block_height")?, app_hash: array(recorded, "block_app_hash")? };
        let randomness = PublicRandomness(array(recorded, "pub_rand")?);
        let signature = EotsSignature(array(recorded, "finality_sig")?);
        let proof: Proof = serde_json::from_value(recorded["proof"].clone()).map_err(said)?;
        // The recorded message names its sender; everything else of it is ours.
        let sender = AddFinalitySig::decode(&bytes(recorded, "protobuf")?[..]).map_err(said)?.signer;
        let account = causeway_staking::possession::Account::parse(&sender, "bbn").map_err(said)?;
        let message =
            AddFinalitySig::new(&account, &provider, &vote, &randomness, &proof, &signature).ok_or("a proof too large")?;
        let got = json!({ "message": hex(&vote.message()), "protobuf": hex(&message.encode_to_vec()) });
        checks.equal(
            format!("vote {index}"),
            got,
            recorded,
            &["block_height", "pub_rand", "proof", "block_app_hash", "finality_sig"],
        );
        let verified = json!({
            "signature": signature.verify(&provider, &randomness, &vote.message()),
            "proof": commitment.holds(vote.height, &randomness, &proof),
        });
        checks.equal(format!("vote {index} verifies"), verified, &json!({ "signature": true, "proof": true }), &[]);
        votes.push((vote.message(), randomness, signature));
    }
    if let [first, second] = votes.as_slice() {
        let found = extract(&provider, &first.1, (&first.0, &first.2), (&second.0, &second.2));
        let found = found.map(|key| json!(hex(&*key.to_even_bytes())));
        checks.accepted("extracted secret", found, &document["extracted_secret_even_y"], &[]);
    }
    if let Some(example) = document.get("eots_testdata") {
        let (key, nonce) = (eots_key(example, "sk")?, SecretNonce::from_bytes(&array(example, "sr")?).map_err(said)?);
        let sign = |field: &str| Ok::<_, String>(key.sign(&nonce, &bytes(example, field)?).to_string());
        let got = json!({
            "pk": hex(&key.public().serialize()),
            "pr": nonce.public().to_string(),
            "sig1": sign("msg1")?,
            "sig2": sign("msg2")?,
        });
        checks.equal("example", got, example, &["sk", "sr", "msg1", "msg2", "note"]);
    }
    Ok(checks.done())
}

fn run_adaptor(document: &Value, _: &Siblings) -> Result<Vec<Case>, String> {
    let mut checks = Checks::new();
    checks.each(list(document, "verify")?, |id, case, checks| {
        let digest: [u8; 32] = array(case, "message")?;
        let read = || {
            let encryption = PublicKey::from_slice(&bytes(case, "adaptor").ok()?).ok()?;
            let signature = AdaptorSignature::from_slice(&bytes(case, "pre_signature").ok()?).ok()?;
            Some((key(&bytes(case, "public_key").ok()?).ok()?, encryption, signature))
        };
        let verified = read().is_some_and(|(key, encryption, signature)| signature.verify(&key, &encryption, &digest));
        checks.equal(format!("verify {id}"), json!(verified), &case["result"], &[]);
        if verified && case["secret_key"].as_str().is_some_and(|text| !text.is_empty()) {
            let pair = Keypair::from_seckey_slice(SECP256K1, &bytes(case, "secret_key")?).map_err(said)?;
            let encryption = PublicKey::from_slice(&bytes(case, "adaptor")?).map_err(said)?;
            let signed = AdaptorSignature::sign(&pair, &encryption, &digest, &array(case, "aux_rand")?);
            checks.equal(format!("sign {id}"), json!(signed.to_string()), &case["pre_signature"], &[]);
        }
        Ok(())
    });
    checks.each(list(document, "adapt")?, |id, case, checks| {
        let signature = AdaptorSignature::from_slice(&bytes(case, "pre_signature")?).map_err(said)?;
        let completed = signature.decrypt(&SecretKey::from_slice(&bytes(case, "secadaptor")?).map_err(said)?).map_err(said)?;
        let valid = is_signature(&key(&bytes(case, "pubkey")?)?, &completed, &array(case, "message")?);
        let got = json!({ "bip340_signature": hex(&completed.serialize()), "result": valid });
        checks.equal(format!("adapt {id}"), got, case, &["index", "pubkey", "message", "secadaptor", "pre_signature", "comment"]);
        Ok(())
    });
    checks.each(list(document, "extract")?, |id, case, checks| {
        let signature = AdaptorSignature::from_slice(&bytes(case, "pre_signature")?).map_err(said)?;
        let completed = Signature::from_slice(&bytes(case, "bip340_signature")?).map_err(said)?;
        let found = signature
            .extract(&completed)
            .is_ok_and(|secret| Ok(hex(&secret.secret_bytes())) == text(case, "secadaptor").map(str::to_owned));
        checks.equal(format!("extract {id}"), json!(found), &case["result"], &[]);
        Ok(())
    });
    Ok(checks.done())
}
