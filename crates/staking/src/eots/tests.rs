use super::*;
use crate::fixtures::{bytes, load};
use proptest::prelude::*;
use serde_json::Value;

fn array(value: &Value) -> [u8; 32] {
    bytes(value).try_into().expect("32 bytes")
}

fn signature(value: &Value) -> EotsSignature {
    EotsSignature(array(value))
}

#[test]
fn signatures_and_extracted_keys_are_those_of_the_vectors() {
    for case in load("eots.json")["valid"].as_array().expect("cases") {
        let key = EotsKey::from_bytes(&array(&case["secret_key"])).expect("a key");
        let nonce = SecretNonce::from_bytes(&array(&case["secret_nonce"])).expect("a nonce");
        let randomness = PublicRandomness(array(&case["public_randomness"]));
        assert_eq!(key.public().serialize(), array(&case["public_key_xonly"]));
        assert_eq!(key.is_odd(), case["public_key_y_is_odd"]);
        assert_eq!(nonce.public(), randomness);
        let messages = [bytes(&case["message_1"]), bytes(&case["message_2"])];
        let signatures = [signature(&case["signature_1"]), signature(&case["signature_2"])];
        for (message, signature) in messages.iter().zip(&signatures) {
            assert_eq!(key.sign(&nonce, message), *signature);
            assert!(signature.verify(&key.public(), &randomness, message));
        }
        let found =
            extract(&key.public(), &randomness, (&messages[0], &signatures[0]), (&messages[1], &signatures[1])).expect("a key");
        assert_eq!(*found.to_even_bytes(), array(&case["extracted_even_y"]));
        let full = if key.is_odd() { found.given.negate() } else { found.given };
        assert_eq!(full.secret_bytes(), array(&case["extracted_for_full_public_key"]));
    }
}

#[test]
fn what_the_vectors_call_invalid_is_refused() {
    for case in load("eots.json")["invalid"].as_array().expect("cases") {
        let key = XOnlyPublicKey::from_slice(&bytes(&case["public_key_xonly"]));
        let randomness = PublicRandomness(array(&case["public_randomness"]));
        if case["kind"] == "verify" {
            let message = bytes(&case["message"]);
            assert!(
                key.is_err() || !signature(&case["signature"]).verify(&key.expect("a key"), &randomness, &message),
                "{}",
                case["why"]
            );
        } else {
            let of = |n: u8| (bytes(&case[format!("message_{n}")]), signature(&case[format!("signature_{n}")]));
            let ((m1, s1), (m2, s2)) = (of(1), of(2));
            let found = extract(&key.expect("a key"), &randomness, (&m1, &s1), (&m2, &s2));
            assert_eq!(found.err(), Some(NotExtracted::SameMessage), "{}", case["why"]);
        }
    }
}

#[test]
fn two_votes_at_one_height_give_the_key_away() {
    let file = load("finality_votes.json");
    let key = XOnlyPublicKey::from_slice(&bytes(&file["commit"]["fp_btc_pk"])).expect("a key");
    let votes = file["votes"].as_array().expect("votes");
    let randomness = PublicRandomness(array(&votes[0]["pub_rand"]));
    let of = |vote: &Value| (bytes(&vote["message"]), signature(&vote["finality_sig"]));
    let ((m1, s1), (m2, s2)) = (of(&votes[0]), of(&votes[1]));
    assert!(s1.verify(&key, &randomness, &m1) && s2.verify(&key, &randomness, &m2));
    let found = extract(&key, &randomness, (&m1, &s1), (&m2, &s2)).expect("a key");
    assert_eq!(*found.to_even_bytes(), array(&file["extracted_secret_even_y"]));
}

proptest! {
    #![proptest_config(crate::testing::cases(64))]

    #[test]
    fn two_messages_under_one_nonce_give_the_key(
        secret in any::<[u8; 32]>(), nonce in any::<[u8; 32]>(), first in any::<Vec<u8>>(), second in any::<Vec<u8>>(),
    ) {
        let (Ok(key), Ok(nonce)) = (EotsKey::from_bytes(&secret), SecretNonce::from_bytes(&nonce)) else { return Ok(()) };
        let signatures = [key.sign(&nonce, &first), key.sign(&nonce, &second)];
        let found = extract(&key.public(), &nonce.public(), (&first, &signatures[0]), (&second, &signatures[1]));
        if first == second {
            prop_assert_eq!(found.err(), Some(NotExtracted::SameMessage));
        } else {
            prop_assert_eq!(*found.expect("a key").to_even_bytes(), *key.to_even_bytes());
        }
    }

    #[test]
    fn signatures_that_are_none_give_no_key(
        secret in any::<[u8; 32]>(), nonce in any::<[u8; 32]>(), first in any::<[u8; 32]>(), second in any::<[u8; 32]>(),
    ) {
        let (Ok(key), Ok(nonce)) = (EotsKey::from_bytes(&secret), SecretNonce::from_bytes(&nonce)) else { return Ok(()) };
        let found = extract(&key.public(), &nonce.public(), (b"one", &EotsSignature(first)), (b"two", &EotsSignature(second)));
        prop_assert!(found.is_err());
    }
}
