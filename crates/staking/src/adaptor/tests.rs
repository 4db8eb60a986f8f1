use super::*;
use crate::fixtures::{bytes, load};
use crate::testing::pairs;
use proptest::prelude::*;
use serde_json::Value;

fn array(value: &Value) -> [u8; 32] {
    bytes(value).try_into().expect("32 bytes")
}

fn cases(kind: &str) -> Vec<Value> {
    load("schnorr_adaptor.json")[kind].as_array().expect("cases").clone()
}

#[test]
fn verification_is_that_of_the_vectors() {
    for case in cases("verify") {
        let verified = || {
            let key = XOnlyPublicKey::from_slice(&bytes(&case["public_key"])).ok()?;
            let encryption = PublicKey::from_slice(&bytes(&case["adaptor"])).ok()?;
            let signature = AdaptorSignature::from_slice(&bytes(&case["pre_signature"])).ok()?;
            signature.verify(&key, &encryption, &array(&case["message"])).then_some(())
        };
        assert_eq!(verified().is_some(), case["result"], "{}", case["comment"]);
    }
}

#[test]
fn signing_is_that_of_the_vectors() {
    let signed = cases("verify").into_iter().filter(|case| case["result"] == true && case["secret_key"] != "");
    for case in signed {
        let pair = Keypair::from_seckey_slice(SECP256K1, &bytes(&case["secret_key"])).expect("a key");
        let encryption = PublicKey::from_slice(&bytes(&case["adaptor"])).expect("a point");
        let signature = AdaptorSignature::sign(&pair, &encryption, &array(&case["message"]), &array(&case["aux_rand"]));
        assert_eq!(signature.serialize().to_vec(), bytes(&case["pre_signature"]), "{}", case["comment"]);
    }
}

#[test]
fn completing_and_extracting_are_those_of_the_vectors() {
    for case in cases("adapt") {
        let key = XOnlyPublicKey::from_slice(&bytes(&case["pubkey"])).expect("a key");
        let signature = AdaptorSignature::from_slice(&bytes(&case["pre_signature"])).expect("an adaptor signature");
        let secret = SecretKey::from_slice(&bytes(&case["secadaptor"])).expect("a secret");
        let completed = signature.decrypt(&secret).expect("a signature");
        assert_eq!(completed.serialize().to_vec(), bytes(&case["bip340_signature"]));
        assert_eq!(is_signature(&key, &completed, &array(&case["message"])), case["result"], "{}", case["comment"]);
    }
    for case in cases("extract") {
        let signature = AdaptorSignature::from_slice(&bytes(&case["pre_signature"])).expect("an adaptor signature");
        let completed = Signature::from_slice(&bytes(&case["bip340_signature"])).expect("64 bytes");
        let secret = signature.extract(&completed).expect("a secret");
        assert_eq!(secret.secret_bytes().to_vec() == bytes(&case["secadaptor"]), case["result"], "{}", case["comment"]);
    }
}

proptest! {
    #![proptest_config(crate::testing::cases(64))]

    #[test]
    fn an_adaptor_signature_completes_and_tells_the_secret(seed in any::<u64>(), digest in any::<[u8; 32]>(), aux in any::<[u8; 32]>()) {
        let [signer, provider]: [Keypair; 2] = pairs(seed, 2).try_into().expect("two");
        let provider = EotsKey::from_bytes(&provider.secret_bytes()).expect("a key");
        let (key, encryption) = (signer.x_only_public_key().0, encryption_key(&provider.public()));
        let signature = AdaptorSignature::sign(&signer, &encryption, &digest, &aux);
        prop_assert!(signature.verify(&key, &encryption, &digest));
        prop_assert!(!signature.verify(&provider.public(), &encryption, &digest));
        prop_assert!(!signature.verify(&key, &encryption_key(&key), &digest));
        let completed = signature.decrypt_with(&provider).expect("a signature");
        prop_assert!(is_signature(&key, &completed, &digest));
        prop_assert_eq!(signature.extract(&completed).expect("a secret").secret_bytes(), *provider.to_even_bytes());
        prop_assert_eq!(AdaptorSignature::try_from(signature.to_string()), Ok(signature));
    }

    #[test]
    fn any_flipped_bit_is_noticed(seed in any::<u64>(), digest in any::<[u8; 32]>(), bit in 0usize..65 * 8) {
        let [signer, provider]: [Keypair; 2] = pairs(seed, 2).try_into().expect("two");
        let (key, encryption) = (signer.x_only_public_key().0, encryption_key(&provider.x_only_public_key().0));
        let mut bytes = AdaptorSignature::sign(&signer, &encryption, &digest, &[0; 32]).serialize();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let accepted = AdaptorSignature::from_slice(&bytes).is_ok_and(|signature| signature.verify(&key, &encryption, &digest));
        prop_assert!(!accepted);
    }
}

#[test]
fn the_older_encoding_is_read() {
    let file = load("delegations.json");
    let case = file.as_array().expect("cases").iter().find(|case| case.get("adaptor_sigs_as_stored").is_some()).expect("a case");
    for stored in case["adaptor_sigs_as_stored"].as_array().expect("signatures") {
        let old = bytes(stored);
        let read = AdaptorSignature::from_slice(&old).expect("readable").serialize();
        assert_eq!(read[0], 2 + old[65]);
        assert_eq!(read[1..], old[1..65]);
    }
    for bad in [&[][..], &[2; 64], &[4; 65], &[3; 66], &[2; 66], &[2; 67]] {
        assert_eq!(AdaptorSignature::from_slice(bad), Err(BadAdaptor));
    }
}
