//! The control plane's blocks: headers that follow from what is kept of each, signed by all validators (CometBFT).

use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use ed25519_consensus::SigningKey;
use serde::{Deserialize, Serialize};
use tendermint::block::header::{Header, Version};
use tendermint::block::signed_header::SignedHeader;
use tendermint::block::{Commit, CommitSig, Id, parts};
use tendermint::validator::{Info, Set};
use tendermint::vote::{Type, Vote};
use tendermint::{AppHash, Hash, PublicKey, Signature, Time};

/// The chain's name.
pub(super) const CHAIN_ID: &str = "causeway-plane";
/// Power of each validator.
const POWER: u32 = 10;

/// What a header follows from, besides its height and the block below.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Row {
    /// Milliseconds since 1970: many blocks may be made in a second, and each is later than the one below.
    pub(super) time: u64,
    /// Covers the state after the block below; hex.
    pub(super) app_hash: String,
    /// Hash of the header, hex.
    pub(super) hash: String,
}

/// Seeds of the validators' keys.
pub(super) type Seeds = Vec<[u8; 32]>;

pub(super) fn validators(seeds: &Seeds) -> Set {
    let info = |seed: &[u8; 32]| {
        let key = SigningKey::from(*seed).verification_key().to_bytes();
        Info::new(PublicKey::from_raw_ed25519(&key).expect("BUG: a fresh key is a key"), POWER.into())
    };
    Set::without_proposer(seeds.iter().map(info).collect())
}

fn bytes(hex: &str) -> [u8; 32] {
    <[u8; 32]>::from_hex(hex).expect("BUG: we wrote it")
}

fn part_set() -> parts::Header {
    parts::Header::new(1, Hash::Sha256([1; 32])).expect("BUG: one part")
}

/// The header at a height. `below` is the row of the block below, `None` for the first.
pub(super) fn header(seeds: &Seeds, height: u64, below: Option<&Row>, time: u64, app_hash: &str) -> Header {
    let set = validators(seeds);
    let nothing = Hash::Sha256(sha256::Hash::hash(b"").to_byte_array());
    Header {
        version: Version { block: 11, app: 0 },
        chain_id: CHAIN_ID.parse().expect("BUG: a chain id"),
        height: u32::try_from(height).expect("BUG: a private chain stays small").into(),
        time: to_time(time).expect("BUG: our clock shows a time"),
        last_block_id: below.map(|row| Id { hash: Hash::Sha256(bytes(&row.hash)), part_set_header: part_set() }),
        last_commit_hash: Some(nothing),
        data_hash: Some(nothing),
        validators_hash: set.hash(),
        next_validators_hash: set.hash(),
        consensus_hash: nothing,
        app_hash: AppHash::try_from(bytes(app_hash).to_vec()).expect("BUG: 32 bytes"),
        last_results_hash: Some(nothing),
        evidence_hash: Some(nothing),
        proposer_address: set.validators()[0].address,
    }
}

fn to_time(millis: u64) -> Option<Time> {
    let nanos = u32::try_from(millis % 1_000).ok()?.checked_mul(1_000_000)?;
    Time::from_unix_timestamp(i64::try_from(millis / 1_000).ok()?, nanos).ok()
}

pub(super) fn hash_text(header: &Header) -> String {
    header.hash().as_bytes().to_lower_hex_string()
}

/// The header with everybody's signature.
pub(super) fn sign(seeds: &Seeds, header: Header) -> SignedHeader {
    let set = validators(seeds);
    let block_id = Id { hash: header.hash(), part_set_header: part_set() };
    let keys: Vec<SigningKey> = seeds.iter().map(|seed| SigningKey::from(*seed)).collect();
    let vote = |(index, info): (usize, &Info)| {
        let vote = Vote {
            vote_type: Type::Precommit,
            height: header.height,
            round: 0u8.into(),
            block_id: Some(block_id),
            timestamp: Some(header.time),
            validator_address: info.address,
            validator_index: u32::try_from(index).ok().and_then(|i| i.try_into().ok()).expect("BUG: a handful"),
            signature: None,
            extension: Vec::new(),
            extension_signature: None,
        };
        let own = |key: &&SigningKey| info.pub_key.to_bytes() == key.verification_key().to_bytes();
        let key = keys.iter().find(own).expect("BUG: the set is of these keys");
        let signature = key.sign(&vote.into_signable_vec(header.chain_id.clone())).to_bytes();
        CommitSig::BlockIdFlagCommit {
            validator_address: info.address,
            timestamp: header.time,
            signature: Signature::new(signature).expect("BUG: 64 bytes"),
        }
    };
    let signatures = set.validators().iter().enumerate().map(vote).collect();
    let commit = Commit { height: header.height, round: 0u8.into(), block_id, signatures };
    SignedHeader::new(header, commit).expect("BUG: the commit is of this header")
}
