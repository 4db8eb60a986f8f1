use super::*;
use ed25519_consensus::SigningKey;
use tendermint::account::Id as Account;
use tendermint::block::header::Version;
use tendermint::block::{Commit, CommitSig, Id, parts};
use tendermint::validator::Info;
use tendermint::vote::{Type, Vote};
use tendermint::{AppHash, PublicKey, Signature};

const DAY: u32 = 86_400;
/// Time of the first block.
const START: u32 = 1_700_000_000;

fn keys(from: u8, count: u8) -> Vec<SigningKey> {
    (from..from + count).map(|seed| SigningKey::from([seed + 1; 32])).collect()
}

fn set(keys: &[SigningKey]) -> Set {
    let info = |key: &SigningKey| {
        let public = PublicKey::from_raw_ed25519(&key.verification_key().to_bytes()).expect("a key");
        Info::new(public, 10u32.into())
    };
    Set::without_proposer(keys.iter().map(info).collect())
}

/// A block at a height, ten seconds after the one below, signed by `signers`.
fn block(
    chain: &str,
    height: u32,
    validators: &[SigningKey],
    next: &[SigningKey],
    signers: &[SigningKey],
    app_hash: u8,
) -> LightBlock {
    let (validators, next_validators) = (set(validators), set(next));
    let time = Time::from_unix_timestamp(i64::from(START + height * 10), 0).expect("a time");
    let header = Header {
        version: Version { block: 11, app: 0 },
        chain_id: chain.parse().expect("a chain"),
        height: height.into(),
        time,
        last_block_id: None,
        last_commit_hash: None,
        data_hash: None,
        validators_hash: validators.hash(),
        next_validators_hash: next_validators.hash(),
        consensus_hash: Hash::Sha256([1; 32]),
        app_hash: AppHash::try_from(vec![app_hash; 32]).expect("a hash"),
        last_results_hash: None,
        evidence_hash: None,
        proposer_address: validators.validators()[0].address,
    };
    let part_set_header = parts::Header::new(1, Hash::Sha256([2; 32])).expect("parts");
    let block_id = Id { hash: header.hash(), part_set_header };
    let sign = |(index, info): (usize, &Info)| {
        let address: Account = info.address;
        let Some(key) = signers.iter().find(|key| set(std::slice::from_ref(*key)).validators()[0].address == address) else {
            return CommitSig::BlockIdFlagAbsent;
        };
        let vote = Vote {
            vote_type: Type::Precommit,
            height: header.height,
            round: 0u8.into(),
            block_id: Some(block_id),
            timestamp: Some(time),
            validator_address: address,
            validator_index: u32::try_from(index).expect("small").try_into().expect("an index"),
            signature: None,
            extension: Vec::new(),
            extension_signature: None,
        };
        let signature = key.sign(&vote.into_signable_vec(header.chain_id.clone())).to_bytes();
        CommitSig::BlockIdFlagCommit {
            validator_address: address,
            timestamp: time,
            signature: Signature::new(signature).expect("64 bytes"),
        }
    };
    let signatures = validators.validators().iter().enumerate().map(sign).collect();
    let commit = Commit { height: header.height, round: 0u8.into(), block_id, signatures };
    let signed_header = SignedHeader::new(header, commit).expect("a header with its commit");
    LightBlock { signed_header, validators, next_validators }
}

fn client(keys: &[SigningKey]) -> LightClient {
    let anchor = block("bbn-1", 1, keys, keys, keys, 0);
    let pinned = anchor.hash();
    LightClient::new(anchor, pinned, Duration::from_secs(u64::from(DAY))).expect("an anchor")
}

#[test]
fn trust_follows_the_validators() {
    let all = keys(0, 8);
    let mut client = client(&all[..4]);
    assert_eq!(client.advance(block("bbn-1", 2, &all[..4], &all[1..5], &all[..3], 7), START + 100), Ok(()));
    assert_eq!(client.app_hash(), [7; 32]);
    // Two of the four are known: more than a third.
    assert_eq!(client.advance(block("bbn-1", 50, &all[3..7], &all[3..7], &all[3..7], 8), START + 600), Ok(()));
    // None is known.
    let far = block("bbn-1", 99, &keys(20, 4), &keys(20, 4), &keys(20, 4), 9);
    assert_eq!(client.advance(far, START + 1_000), Err(NotTrusted::TooFar));
    assert_eq!((client.trusted().height(), client.app_hash()), (50, &[8; 32][..]));
}

#[test]
fn blocks_that_are_not_good_are_refused_by_their_fault() {
    let all = keys(0, 4);
    let refused = |block: LightBlock, now| client(&all).advance(block, now).expect_err("refused");
    let good = || block("bbn-1", 9, &all, &all, &all, 1);
    assert_eq!(client(&all).advance(good(), START + 100), Ok(()));
    assert!(matches!(refused(block("bbn-1", 9, &all, &all, &all[..2], 1), START + 100), NotTrusted::Invalid(_)), "half signed");
    assert_eq!(refused(good(), START + 10 + DAY), NotTrusted::Expired);
    assert_eq!(refused(good(), START + 50), NotTrusted::Future);
    assert_eq!(refused(block("bbn-2", 9, &all, &all, &all, 1), START + 100), NotTrusted::OtherChain);
    assert_eq!(refused(block("bbn-1", 0, &all, &all, &all, 1), START + 100), NotTrusted::Height);
    let mut lying = good();
    lying.next_validators = set(&keys(9, 4));
    assert!(matches!(refused(lying, START + 100), NotTrusted::Invalid(_)), "other next validators");
    let mut lying = good();
    lying.validators = set(&keys(9, 4));
    assert!(matches!(refused(lying, START + 100), NotTrusted::Invalid(_)), "other validators");
    let mut changed = good().signed_header.header().clone();
    changed.app_hash = AppHash::try_from(vec![2; 32]).expect("a hash");
    let commit = good().signed_header.commit().clone();
    if let Ok(signed_header) = SignedHeader::new(changed, commit) {
        let lying = LightBlock { signed_header, ..good() };
        assert!(matches!(refused(lying, START + 100), NotTrusted::Invalid(_)), "another app hash under the same commit");
    }
}

#[test]
fn two_blocks_at_one_height_are_a_fork() {
    let all = keys(0, 4);
    let mut client = client(&all);
    let (one, other) = (block("bbn-1", 5, &all, &all, &all, 1), block("bbn-1", 5, &all, &all, &all, 2));
    client.advance(one.clone(), START + 100).expect("trusted");
    assert_eq!(client.witness(one.header()), Ok(()));
    assert_eq!(client.witness(other.header()), Err(NotTrusted::Forked(5)));
    assert_eq!(client.advance(one, START + 100), Ok(()), "the same block again changes nothing");
    assert_eq!(client.advance(other, START + 100), Err(NotTrusted::Forked(5)));
}

#[test]
fn an_anchor_must_be_the_pinned_block() {
    let all = keys(0, 4);
    let anchor = block("bbn-1", 1, &all, &all, &all, 0);
    let refused = LightClient::new(anchor.clone(), Hash::Sha256([0; 32]), Duration::from_secs(1));
    assert_eq!(refused, Err(NotTrusted::OtherAnchor));
    let (mut lying, pinned) = (anchor.clone(), anchor.hash());
    lying.next_validators = set(&keys(9, 4));
    assert_eq!(LightClient::new(lying, pinned, Duration::from_secs(1)), Err(NotTrusted::OtherAnchor));
}

#[test]
fn a_header_and_its_commit_are_read_as_nodes_write_them() {
    let block = block("bbn-1", 3, &keys(0, 4), &keys(0, 4), &keys(0, 4), 1);
    let text = serde_json::to_string(&block.signed_header).expect("JSON");
    assert_eq!(serde_json::from_str::<SignedHeader>(&text).expect("readable"), block.signed_header);
}
