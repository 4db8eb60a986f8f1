use super::*;
use crate::fixtures::{bytes, load};
use proptest::prelude::*;
use serde_json::Value;

fn array(value: &Value) -> [u8; 32] {
    bytes(value).try_into().expect("32 bytes")
}

#[test]
fn commitments_are_those_of_the_vectors() {
    for case in load("pub_rand.json").as_array().expect("cases") {
        let key = EotsKey::from_bytes(&array(&case["secret"])).expect("a key");
        let (start, count) = (case["start_height"].as_u64().expect("a number"), case["num_pub_rand"].as_u64().expect("a number"));
        let values =
            public_randomness(&key, case["chain_id"].as_str().expect("text"), start, usize::try_from(count).expect("small"));
        let want: Vec<_> =
            case["public_randomness"].as_array().expect("values").iter().map(array).map(PublicRandomness).collect();
        assert_eq!(values, want);
        let tree = CommitmentTree::new(&values).expect("a tree");
        assert_eq!(tree.root(), array(&case["commitment"]));
        let commitment = Commitment { start_height: start, count, root: Hash32(tree.root()) };
        assert_eq!(commitment.signed_hash(), array(&case["commit_signed_hash"]));
        let signature = commitment.sign(&key, &array(&case["commit_aux_rand"]));
        assert_eq!(signature.serialize().to_vec(), bytes(&case["commit_sig"]));
        assert!(commitment.is_signed_by(&key.public(), &signature));
        let vote = &case["double_vote"];
        let proof: Proof = serde_json::from_value(vote["proof"].clone()).expect("a proof");
        let height = vote["block_height"].as_u64().expect("a number");
        assert!(commitment.holds(height, &PublicRandomness(array(&vote["pub_rand"])), &proof));
        assert_eq!(tree.proof(usize::try_from(height - start).expect("small")), Some(proof));
    }
}

#[test]
fn the_recorded_commitment_holds_the_recorded_votes() {
    let file = load("finality_votes.json");
    let commit = &file["commit"];
    let number = |name: &str| commit[name].as_u64().expect("a number");
    let root = Hash32(array(&commit["commitment"]));
    let commitment = Commitment { start_height: number("start_height"), count: number("num_pub_rand"), root };
    let key = XOnlyPublicKey::from_slice(&bytes(&commit["fp_btc_pk"])).expect("a key");
    assert!(commitment.is_signed_by(&key, &Signature::from_slice(&bytes(&commit["sig"])).expect("64 bytes")));
    for vote in file["votes"].as_array().expect("votes") {
        let proof: Proof = serde_json::from_value(vote["proof"].clone()).expect("a proof");
        let (height, value) = (vote["block_height"].as_u64().expect("a number"), PublicRandomness(array(&vote["pub_rand"])));
        assert!(commitment.holds(height, &value, &proof));
        assert!(!commitment.holds(height + 1, &value, &proof));
    }
}

/// RFC 6962's own words: split at the largest power of two below the number of leaves.
fn by_definition(values: &[PublicRandomness]) -> [u8; 32] {
    match values {
        [value] => leaf(&value.0),
        _ => {
            let (left, right) = values.split_at(values.len().next_power_of_two() / 2);
            inner(&by_definition(left), &by_definition(right))
        }
    }
}

proptest! {
    #![proptest_config(crate::testing::cases(64))]

    #[test]
    fn every_value_is_proved_at_its_place_and_nowhere_else(seed in any::<[u8; 31]>(), count in 1u8..70, other in any::<u64>()) {
        let value = |n: u8| { let mut bytes = [n; 32]; bytes[1..].copy_from_slice(&seed); PublicRandomness(bytes) };
        let values: Vec<_> = (0..count).map(value).collect();
        let tree = CommitmentTree::new(&values).expect("a tree");
        prop_assert_eq!(tree.root(), by_definition(&values));
        for (index, value) in values.iter().enumerate() {
            let proof = tree.proof(index).expect("a proof");
            prop_assert!(proof.verify(&tree.root(), value));
            let elsewhere = Proof { index: other % u64::from(count), ..proof.clone() };
            prop_assert_eq!(elsewhere.verify(&tree.root(), value), elsewhere.index == proof.index);
            let longer = Proof { aunts: [proof.aunts.clone(), vec![Hash32([0; 32])]].concat(), ..proof.clone() };
            prop_assert!(!longer.verify(&tree.root(), value));
        }
        prop_assert!(tree.proof(values.len()).is_none());
    }
}

#[test]
fn a_proof_with_absurd_figures_is_refused() {
    let value = PublicRandomness([1; 32]);
    let proof = Proof { total: u64::MAX, index: u64::MAX - 1, leaf_hash: Hash32(leaf(&value.0)), aunts: Vec::new() };
    assert!(!proof.verify(&[0; 32], &value));
    assert!(!Proof { total: 0, index: 0, ..proof }.verify(&leaf(&value.0), &value));
    assert!(CommitmentTree::new(&[]).is_none());
}
