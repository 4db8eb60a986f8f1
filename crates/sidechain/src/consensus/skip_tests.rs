//! A year of a chain as large as Liquid, the real chain of the fixtures, and sources that lie.

use super::*;
use crate::consensus::fixtures::{self, LATE, bytes};
use crate::consensus::header::decode;
use crate::consensus::signature::Multisig;
use elements::hashes::sha256d;
use elements::{BlockHash, TxMerkleNode};
use secp256k1_zkp::{Message, PublicKey, SECP256K1, SecretKey};
use std::cell::{Cell, OnceCell};

const EPOCH: u32 = 20_160;
/// One-minute blocks of a year.
const YEAR: u32 = 525_600;
/// Height at which the year begins: a multiple of the epoch, as the pinned root of Liquid is.
const START: u32 = 147 * EPOCH;
const START_TIME: u32 = 1_700_000_000;

/// A federation: its keys, and the parameters that name it.
struct Members {
    keys: Vec<SecretKey>,
    script: Vec<u8>,
    k: usize,
    full: FullParams,
}

impl Members {
    fn new(k: u8, n: u8, seed: u8) -> Members {
        let keys: Vec<SecretKey> = (1..=n).map(|i| SecretKey::from_slice(&[seed.wrapping_add(i); 32]).expect("a key")).collect();
        let multisig = Multisig { k, keys: keys.iter().map(|key| PublicKey::from_secret_key(SECP256K1, key)).collect() };
        let script = multisig.to_script();
        let peg = bitcoin::ScriptBuf::from_bytes(script.to_bytes());
        let full = FullParams {
            signblockscript: script.to_v0_p2wsh(),
            signblock_witness_limit: 1_325,
            fedpeg_program: peg.to_p2wsh(),
            fedpegscript: peg.into_bytes(),
            extension_space: vec![vec![2; 66]; 50],
        };
        Members { keys, script: script.into_bytes(), k: k.into(), full }
    }

    fn sign(&self, header: &mut BlockHeader) {
        let message = Message::from_digest(header.block_hash().to_byte_array());
        let signature = |key| [&SECP256K1.sign_ecdsa(&message, key).serialize_der()[..], &[1]].concat();
        let witness = std::iter::once(vec![]).chain(self.keys.iter().take(self.k).map(signature)).chain([self.script.clone()]);
        let BlockExtData::Dynafed { signblock_witness, .. } = &mut header.ext else { panic!("dynafed") };
        *signblock_witness = witness.collect();
    }
}

/// A year of headers that come into being when they are asked for. Only within the epoch that votes do they build on each other.
struct Year {
    members: [Members; 2],
    /// The epoch, counted from the start, at whose beginning the second federation takes over.
    change: Option<u32>,
    votes: u32,
    voting: OnceCell<Vec<BlockHeader>>,
    downloads: Cell<u32>,
}

impl Year {
    fn new(members: [Members; 2], change: Option<u32>, votes: u32) -> Year {
        Year { members, change, votes, voting: OnceCell::new(), downloads: Cell::new(0) }
    }

    fn in_force(&self, height: Height) -> &Members {
        let epoch = (height - START) / EPOCH;
        // With too few votes nothing changes.
        &self.members[usize::from(self.votes >= EPOCH * 4 / 5 && self.change.is_some_and(|at| epoch >= at))]
    }

    /// The headers of the epoch that votes.
    fn voting(&self) -> &[BlockHeader] {
        self.voting.get_or_init(|| {
            let mut headers: Vec<BlockHeader> = Vec::new();
            let first = START + (self.change.expect("a change") - 1) * EPOCH;
            for height in first..first + EPOCH {
                let parent = headers.last().map_or_else(|| elsewhere(height), BlockHeader::block_hash);
                let vote = height - first < self.votes;
                headers.push(self.make(height, parent, vote));
            }
            headers
        })
    }

    fn make(&self, height: Height, parent: BlockHash, vote: bool) -> BlockHeader {
        let members = self.in_force(height);
        let full = Params::Full(members.full.clone());
        let current = if height.is_multiple_of(EPOCH) { full } else { members.full.clone().into_compact() };
        let proposed = if vote { Params::Full(self.members[1].full.clone()) } else { Params::Null };
        let mut header = BlockHeader {
            version: 0x2000_0000,
            prev_blockhash: parent,
            merkle_root: TxMerkleNode::from_byte_array([7; 32]),
            time: START_TIME + 60 * (height - START),
            height,
            ext: BlockExtData::Dynafed { current, proposed, signblock_witness: vec![] },
        };
        members.sign(&mut header);
        header
    }

    fn header(&self, height: Height) -> BlockHeader {
        self.downloads.set(self.downloads.get() + 1);
        match self.change {
            Some(change) if (height - START) / EPOCH == change - 1 => self.voting()[((height - START) % EPOCH) as usize].clone(),
            Some(change) if height == START + change * EPOCH => {
                self.make(height, self.voting().last().expect("an epoch").block_hash(), false)
            }
            _ => self.make(height, elsewhere(height), false),
        }
    }

    fn params() -> Arc<SidechainParams> {
        let params = fixtures::chain().params.as_ref().clone();
        Arc::new(SidechainParams { epoch_length: EPOCH, vote_threshold: EPOCH * 4 / 5, dynafed_active_from_height: 1, ..params })
    }

    /// Follows the whole year, and then verifies the tip and its parent.
    fn follow(&self) -> Skip {
        let params = Year::params();
        let root = EpochRoot::pinned(&params, self.header(START)).expect("a root");
        self.downloads.set(0);
        let tip = START + YEAR;
        let mut skip = Skip::new(params, root, tip);
        while let Some(wanted) = skip.wanted() {
            let headers: Vec<BlockHeader> = wanted.map(|height| self.header(height)).collect();
            skip.take(&headers, LATE).expect("accepted");
        }
        for height in [tip, tip - 1] {
            skip.verify(&self.header(height)).expect("verified");
        }
        skip
    }
}

/// The hash of a parent that nobody looks at.
fn elsewhere(height: Height) -> BlockHash {
    BlockHash::from_byte_array(sha256d::Hash::hash(&height.to_le_bytes()).to_byte_array())
}

#[test]
fn a_year_without_a_change_costs_fewer_than_a_hundred_headers() {
    let year = Year::new([Members::new(11, 15, 10), Members::new(2, 3, 100)], None, 0);
    let skip = year.follow();
    assert_eq!(year.downloads.get(), 28, "26 epochs and the two last blocks");
    assert_eq!(skip.changes().len(), 1);
    // Any header of the year can be verified, none outside of it.
    for height in [START + 1, START + 123_456, START + EPOCH * 5, START + YEAR] {
        assert_eq!(skip.verify(&year.header(height)).map(|signers| signers.members.len()), Ok(11));
    }
    let later = year.make(START + 27 * EPOCH, elsewhere(0), false);
    assert_eq!(skip.verify(&later), Err(SkipFault::Beyond(later.height)));
    let mut earlier = year.header(START);
    earlier.height -= 1;
    assert_eq!(skip.verify(&earlier), Err(SkipFault::BeforeRoot(START - 1)));
}

#[test]
fn a_year_with_one_change_costs_one_epoch_more() {
    let year = Year::new([Members::new(1, 1, 10), Members::new(2, 3, 100)], Some(7), EPOCH * 4 / 5);
    let skip = year.follow();
    assert_eq!(year.downloads.get(), 28 + EPOCH);
    assert_eq!(skip.changes().len(), 2);
    assert_eq!(skip.changes()[1].header().height, START + 7 * EPOCH);
    assert_eq!(skip.changes()[1].full_params(), &year.members[1].full);
    let before = year.header(START + 7 * EPOCH - 1);
    assert_eq!(skip.verify(&before).map(|signers| signers.multisig.n()), Ok(1));
    let after = year.header(START + 7 * EPOCH + 1);
    assert_eq!(skip.verify(&after).map(|signers| signers.multisig.n()), Ok(3));
    // The members before cannot sign for the time after.
    let mut old = after.clone();
    let compact = year.members[0].full.clone().into_compact();
    old.ext = BlockExtData::Dynafed { current: compact, proposed: Params::Null, signblock_witness: vec![] };
    year.members[0].sign(&mut old);
    assert_eq!(skip.verify(&old), Err(SkipFault::Header { height: old.height, fault: HeaderFault::WrongSigning }));
    let fedpegs = skip.state().fedpegs_for_next_block(&Year::params());
    assert_eq!(fedpegs.len(), 2, "of the epoch of the tip and the one before");
}

/// Follows the chain of the fixtures, whose epochs have ten blocks and whose parameters change four times.
fn real() -> (fixtures::Fixture, Vec<BlockHeader>, Skip) {
    let fixture = fixtures::chain();
    let file = fixtures::load("elements/chain.json");
    let headers: Vec<BlockHeader> =
        file["headers"].as_array().expect("headers").iter().map(|h| decode(&bytes(&h["header"])).expect("a header")).collect();
    let root = EpochRoot::genesis(&fixture.params).expect("a root");
    let skip = Skip::new(Arc::clone(&fixture.params), root, headers.last().expect("a tip").height);
    (fixture, headers, skip)
}

fn follow(skip: &mut Skip, headers: &[BlockHeader]) -> u32 {
    let mut downloads = 0;
    while let Some(wanted) = skip.wanted() {
        let part = &headers[*wanted.start() as usize..=*wanted.end() as usize];
        downloads += u32::try_from(part.len()).expect("few");
        skip.take(part, LATE).expect("accepted");
    }
    downloads
}

#[test]
fn a_real_chain_is_followed_to_the_same_parameters_as_by_walking() {
    let (fixture, headers, mut skip) = real();
    let downloads = follow(&mut skip, &headers);
    let changes: Vec<Height> = skip.changes().iter().map(|root| root.header().height).collect();
    assert_eq!(changes, [0, 30, 50, 70, 120]);
    assert_eq!(downloads, 13 + 4 * 10, "one per epoch, and each epoch that ended in a change");
    for header in &headers[1..] {
        skip.verify(header).expect("a header of the chain");
    }
    let walked = fixture.chain.state_at(130).expect("kept");
    let state = skip.state();
    assert_eq!((state.tip(), state.current_params()), (walked.tip(), walked.current_params()));
    assert_eq!(state.fedpegs_for_next_block(&fixture.params), walked.fedpegs_for_next_block(&fixture.params));
    let mut chain = crate::consensus::header::HeaderChain::resume(Arc::clone(&fixture.params), state);
    for header in &headers[131..] {
        chain.accept(header, LATE).expect("accepted");
    }
    assert_eq!(chain.tip(), fixture.chain.tip());
}

#[test]
fn what_elementsd_refuses_by_itself_does_not_verify_alone_either() {
    let (_, headers, mut skip) = real();
    follow(&mut skip, &headers);
    // What only a walk can see: the parent, and what comes before.
    let unseen = ["bad-height-plus-1", "bad-height-minus-1", "time-too-old", "time-too-new", "unknown-parent"];
    for case in fixtures::load("elements/bad_headers.json")["rejected"].as_array().expect("cases") {
        let name = case["name"].as_str().expect("a name");
        let header = decode(&bytes(&case["header"])).expect("readable");
        if !unseen.contains(&name) {
            assert!(skip.verify(&header).is_err(), "{name}");
        }
    }
}

#[test]
fn a_source_that_lies_about_a_change_costs_an_epoch_and_changes_nothing() {
    let (_, headers, mut skip) = real();
    let stranger = Members::new(2, 3, 60);
    // The first header of the second epoch, by a federation of its own making.
    let mut usurper = headers[10].clone();
    let current = Params::Full(stranger.full.clone());
    usurper.ext = BlockExtData::Dynafed { current, proposed: Params::Null, signblock_witness: vec![] };
    stranger.sign(&mut usurper);
    assert_eq!(skip.wanted(), Some(10..=10));
    skip.take(std::slice::from_ref(&usurper), LATE).expect("to be looked into");
    assert_eq!(skip.wanted(), Some(1..=10));
    let mut lie = headers[1..10].to_vec();
    lie.push(usurper);
    let fault = skip.take(&lie, LATE).expect_err("nobody voted for it");
    assert!(matches!(
        fault,
        SkipFault::Header { height: 10, fault: HeaderFault::UnknownParent { .. } | HeaderFault::WrongSigning }
    ));
    // No source has more: back to the first header of the epoch, from another one.
    let mut other = skip.clone();
    other.retreat();
    assert_eq!(other.wanted(), Some(10..=10));
    // Or another source has the headers between.
    skip.take(&headers[1..=10], LATE).expect("accepted");
    assert_eq!(skip.changes().len(), 1);
    follow(&mut skip, &headers);
    assert_eq!(skip.changes().len(), 5);
}

#[test]
fn only_what_was_asked_for_is_taken() {
    let (_, headers, mut skip) = real();
    for wrong in [&headers[9..=9], &headers[10..=11], &headers[..0], &headers[11..=11]] {
        assert_eq!(skip.take(wrong, LATE), Err(SkipFault::NotAsked));
    }
    let mut forged = headers[10].clone();
    forged.time += 1;
    assert!(matches!(skip.take(&[forged], LATE), Err(SkipFault::Header { height: 10, fault: HeaderFault::Signature(_) })));
    assert!(matches!(
        skip.take(&headers[10..=10], 0),
        Err(SkipFault::Header { height: 10, fault: HeaderFault::TimeTooNew { .. } })
    ));
    skip.take(&headers[10..=10], LATE).expect("accepted");
}

#[test]
fn the_pinned_root_of_a_real_network_verifies_and_its_successors_after_a_change_do_not_alone() {
    let file = fixtures::load("liquid-public/headers.json");
    let header = |name: &str| {
        let case = file.as_array().expect("cases").iter().find(|c| c["name"].as_str().is_some_and(|n| n.starts_with(name)));
        decode(&bytes(&case.expect("the case")["header"])).expect("a header")
    };
    let params = Year::params();
    let root = EpochRoot::pinned(&params, header("mainnet 2963520")).expect("a root");
    let skip = Skip::new(params, root.clone(), root.header().height);
    assert_eq!(skip.verify(root.header()).map(|signers| (signers.members.len(), signers.multisig.n())), Ok((11, 15)));
    let later = header("mainnet 4050336");
    assert_eq!(skip.verify(&later), Err(SkipFault::Beyond(4_050_336)));
}
