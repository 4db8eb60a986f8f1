use super::*;
use crate::fixtures::{bytes, load, transaction};
use bitcoin::hex::FromHex as _;
use proptest::prelude::*;
use serde_json::{Value, json};

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("the length")
}

fn fields(value: &Value) -> Checkpoint {
    let epoch = value["epoch"].as_str().map_or_else(|| value["epoch"].as_u64(), |text| text.parse().ok());
    Checkpoint {
        epoch: epoch.expect("a number"),
        block_hash: array(&value["block_hash"]),
        bitmap: array(&value["bitmap"]),
        submitter: array(&value["submitter"]),
        signature: array(&value["bls_sig"]),
    }
}

#[test]
fn checkpoints_are_those_of_the_vectors() {
    for case in load("checkpoint_format.json").as_array().expect("cases") {
        let (first, second) = (bytes(&case["part0"]), bytes(&case["part1"]));
        let tag = array(&case["fields"]["tag"]);
        let joined = Checkpoint::join(&first, &second, tag);
        if case["valid"] == false {
            assert!(joined.is_err(), "{}", case["why"]);
            continue;
        }
        let checkpoint = joined.expect("a checkpoint");
        assert_eq!(checkpoint, fields(&case["fields"]));
        assert_eq!(checkpoint.parts(tag), (first, second));
        let scripts = checkpoint.scripts(tag);
        assert_eq!((scripts.0.to_bytes(), scripts.1.to_bytes()), (bytes(&case["script0"]), bytes(&case["script1"])));
        assert_eq!(json!(checkpoint.signers().collect::<Vec<_>>()), case["signers"]);
        assert_eq!(Checkpoint::join(&bytes(&case["part0"]), &bytes(&case["part1"]), *b"none"), Err(BadCheckpoint::Tag));
    }
}

#[test]
fn a_recorded_checkpoint_is_found_in_its_transactions() {
    let file = load("btc_timestamp.json");
    let tag = array(&file["decoded"]["tag"]);
    let [first, second] = [0, 1].map(|index| transaction(&file["records"][index]["tx"]));
    assert_eq!(Checkpoint::read(&first, &second, tag), Ok(fields(&file["decoded"])));
    assert_eq!(Checkpoint::read(&second, &first, tag), Err(BadCheckpoint::Part(0)));
    assert_eq!(Checkpoint::read(&first, &first, tag), Err(BadCheckpoint::Part(1)));
}

proptest! {
    #[test]
    fn a_checkpoint_reads_back_and_a_changed_byte_is_never_the_same(
        epoch in any::<u64>(), hash in any::<[u8; 32]>(), bitmap in any::<[u8; 13]>(), submitter in any::<[u8; 20]>(), at in 0usize..78 + 63,
    ) {
        let checkpoint = Checkpoint { epoch, block_hash: hash, bitmap, submitter, signature: [7; 48] };
        let (mut first, mut second) = checkpoint.parts(*b"bbn1");
        prop_assert_eq!(Checkpoint::join(&first, &second, *b"bbn1"), Ok(checkpoint));
        if at < 78 { first[at] ^= 1 } else { second[at - 78] ^= 1 }
        prop_assert_ne!(Checkpoint::join(&first, &second, *b"bbn1"), Ok(checkpoint));
    }

    #[test]
    fn any_bytes_are_read_without_harm(first in any::<Vec<u8>>(), second in any::<Vec<u8>>()) {
        let _ = Checkpoint::join(&first, &second, *b"bbn1");
    }
}

#[test]
fn a_data_output_with_two_pushes_is_none() {
    let script = ScriptBuf::from_bytes(Vec::from_hex("6a0101").expect("hex").into_iter().chain([0x01, 0x02]).collect());
    assert_eq!(payload(&script), None);
}
