//! The headers of a real elementsd, the ones it refused, and ones that are no headers.

use super::*;
use crate::consensus::fixtures::{self, LATE, bytes};
use proptest::prelude::*;
use serde_json::Value;
use std::sync::LazyLock;

fn cases(field: &str) -> &'static [Value] {
    static FILE: LazyLock<Value> = LazyLock::new(|| fixtures::load("elements/bad_headers.json"));
    FILE[field].as_array().expect("cases")
}

/// What is wrong with each refused header, by our own name for it.
fn expected(name: &str, fault: &HeaderFault) -> bool {
    use HeaderFault as F;
    use ProposalFault as P;
    use SignatureFault as S;
    match name {
        "missing-signature" => *fault == F::Signature(S::Missing),
        "script-only" => *fault == F::Signature(S::Missing),
        "k-minus-1-signatures" | "extra-witness-element" | "k-minus-1-new-set" => {
            matches!(fault, F::Signature(S::WrongItemCount { .. } | S::TooLarge { .. }))
        }
        "k-minus-1-with-empty" => matches!(fault, F::Signature(S::BadEncoding { .. })),
        "duplicate-signature"
        | "wrong-order"
        | "non-member-signature"
        | "signature-of-other-header"
        | "tampered-merkle-root"
        | "tampered-time"
        | "old-keys-with-new-script" => {
            matches!(fault, F::Signature(S::BadSignature { .. }))
        }
        "foreign-signer-script" | "old-set-signs-transition-block" | "old-set-after-transition" => {
            matches!(fault, F::Signature(S::ForeignScript | S::TooLarge { .. }))
        }
        "no-sighash-byte" | "sighash-byte-02" | "sighash-byte-81" | "high-s" | "non-strict-der" => {
            matches!(fault, F::Signature(S::BadEncoding { .. } | S::TooLarge { .. }))
        }
        "non-null-dummy" => matches!(fault, F::Signature(S::DummyNotNull | S::TooLarge { .. })),
        "tampered-elided-root" | "wrong-extension-at-epoch-start" | "wrong-fedpeg-at-epoch-start" => *fault == F::WrongElided,
        "bad-height-plus-1" | "bad-height-minus-1" => matches!(fault, F::Height { .. }),
        "time-too-old" => matches!(fault, F::TimeTooOld { .. }),
        "time-too-new" => matches!(fault, F::TimeTooNew { .. }),
        "unknown-parent" => matches!(fault, F::UnknownParent { .. }),
        "reserved-version-bit" => matches!(fault, F::ReservedVersionBits(_)),
        "old-version" => *fault == F::OldVersion(3),
        "full-inside-epoch" => *fault == F::FullInsideEpoch,
        "compact-at-epoch-start" => *fault == F::CompactAtEpochStart,
        "wrong-witness-limit"
        | "usurped-signblockscript"
        | "transition-with-7-of-10-votes"
        | "transition-ignored"
        | "old-params-after-transition" => *fault == F::WrongSigning,
        "null-current" => *fault == F::NullParams,
        "legacy-header" => *fault == F::NotDynafed,
        "proposed-signblock-not-segwit" => *fault == F::Proposal(P::SigningScript),
        "proposed-fedpeg-mismatch" => *fault == F::Proposal(P::PegScriptMismatch),
        "proposed-fedpeg-p2sh" => *fault == F::Proposal(P::PegProgram),
        "proposed-fedpeg-op-depth" => *fault == F::Proposal(P::OpDepth),
        "proposed-compact" => *fault == F::Proposal(P::NotFull),
        _ => panic!("{name} is new: {fault}"),
    }
}

#[test]
fn every_header_that_elementsd_refuses_is_refused_for_its_own_reason() {
    let fixture = fixtures::chain();
    for case in cases("rejected") {
        let name = case["name"].as_str().expect("a name");
        let header = decode(&bytes(&case["header"])).expect("readable");
        let height = case["height"].as_u64().expect("a height") as Height;
        let now = case["node_time"].as_u64().unwrap_or(LATE);
        let state = fixture.chain.state_at(height - 1).expect("a state");
        let fault = state.next(&fixture.params, &header, now).expect_err(name);
        assert!(expected(name, &fault), "{name}: {fault:?}");
    }
}

#[test]
fn oddities_that_elementsd_accepts_pass_except_a_wrong_elided_root() {
    let fixture = fixtures::chain();
    for case in cases("accepted_oddities") {
        let name = case["name"].as_str().expect("a name");
        let header = decode(&bytes(&case["header"])).expect("readable");
        let state = fixture.chain.state_at(header.height - 1).expect("a state");
        let verdict = state.next(&fixture.params, &header, LATE);
        match name {
            "elided-root-unchecked" => assert_eq!(verdict, Err(HeaderFault::WrongElided)),
            _ => assert_eq!(verdict.map(|next| next.tip().hash), Ok(header.block_hash()), "{name}"),
        }
    }
}

#[test]
fn a_chain_goes_on_from_any_persisted_state() {
    let fixture = fixtures::chain();
    let headers: Vec<_> = fixtures::load("elements/chain.json")["headers"].as_array().expect("headers").clone();
    for start in [0, 1, 9, 10, 29, 49, 120] {
        let text = serde_json::to_string(fixture.chain.state_at(start).expect("kept")).expect("written");
        let mut chain = HeaderChain::resume(Arc::clone(&fixture.params), serde_json::from_str(&text).expect("read"));
        for case in &headers[start as usize + 1..] {
            chain.accept(&decode(&bytes(&case["header"])).expect("a header"), LATE).expect("accepted");
        }
        assert_eq!(chain.state(), fixture.chain.state());
    }
}

#[test]
fn a_rolled_back_chain_accepts_the_same_headers_again() {
    let mut chain = fixtures::chain().chain;
    let (tip, before) = (chain.state().clone(), chain.state_at(95).expect("kept").clone());
    assert_eq!(chain.roll_back_to(95), Ok(before.tip()));
    assert_eq!(chain.state(), &before);
    assert_eq!(chain.roll_back_to(96), Err(CannotRollBack { wanted: 96, oldest: 0 }));
    for case in &fixtures::load("elements/chain.json")["headers"].as_array().expect("headers")[96..] {
        let header = decode(&bytes(&case["header"])).expect("a header");
        let signers = verify_own_signatures(&header, chain.params()).expect("signed");
        chain.accept_verified(&header, &signers, LATE).expect("accepted");
    }
    assert_eq!(chain.state(), &tip);
}

#[test]
fn peg_scripts_stay_valid_exactly_as_long_as_they_are_said_to() {
    let fixture = fixtures::chain();
    let (params, chain) = (&fixture.params, &fixture.chain);
    for height in 0..chain.tip().height {
        for fedpeg in chain.state_at(height).expect("kept").fedpegs_for_next_block(params) {
            let until = fedpeg.guaranteed_valid_until_height(params);
            assert!(until > height, "a script in force at {} is past its time", height + 1);
            let at = |h: Height| chain.state_at(h - 1).map(|state| state.fedpegs_for_next_block(params));
            if let Some(last) = at(until) {
                assert!(last.contains(&fedpeg), "missing at {until}");
            }
            if let Some(after) = at(until + 1) {
                assert!(!after.contains(&fedpeg), "still there at {}", until + 1);
            }
        }
    }
}

#[test]
fn a_producer_of_blocks_is_told_what_the_next_header_carries() {
    let fixture = fixtures::chain();
    for case in &fixtures::load("elements/chain.json")["headers"].as_array().expect("headers")[1..] {
        let header = decode(&bytes(&case["header"])).expect("a header");
        let state = fixture.chain.state_at(header.height - 1).expect("kept");
        assert_eq!(Some(&state.next_params(&fixture.params)), header.dynafed_current());
    }
}

#[test]
fn a_crowd_of_proposals_neither_wins_nor_fills_the_memory() {
    let fixture = fixtures::chain();
    let state = fixture.chain.state_at(9).expect("kept");
    let vote = |n: u8| {
        let mut full = state.current_params().clone();
        full.signblock_witness_limit = u32::from(n);
        Params::Full(full)
    };
    let mut state = state.next_unsigned(&fixture.params, &next_header(state, &fixture, vote(0)), LATE).expect("accepted");
    for n in 1..10 {
        let header = next_header(&state, &fixture, vote(n));
        state = state.next_unsigned(&fixture.params, &header, LATE).expect("accepted");
    }
    assert_eq!(state.votes().count(), 0);
    assert_eq!(state.next_full_params(&fixture.params).as_ref(), state.current_params());
}

#[test]
fn eight_votes_of_ten_win_wherever_they_fall_and_seven_do_not() {
    let fixture = fixtures::chain();
    for (dissent, wins) in [(vec![0, 1], true), (vec![8, 9], true), (vec![3, 6], true), (vec![0, 5, 9], false), (vec![], true)] {
        let mut state = fixture.chain.state_at(9).expect("kept").clone();
        let mut wanted = state.current_params().clone();
        wanted.signblock_witness_limit = 777;
        for n in 0..10 {
            let mut full = wanted.clone();
            if dissent.contains(&n) {
                full.signblock_witness_limit = 1000 + n;
            }
            let header = next_header(&state, &fixture, Params::Full(full));
            state = state.next_unsigned(&fixture.params, &header, LATE).expect("accepted");
        }
        let next = state.next_full_params(&fixture.params);
        assert_eq!(next.as_ref() == &wanted, wins, "dissent at {dissent:?}");
        assert_eq!(next.as_ref() == state.current_params(), !wins);
    }
}

/// An unsigned header on top of a state.
fn next_header(state: &HeaderState, fixture: &fixtures::Fixture, proposed: Params) -> BlockHeader {
    BlockHeader {
        version: 0x2000_0000,
        prev_blockhash: state.tip().hash,
        merkle_root: elements::TxMerkleNode::from_byte_array([0; 32]),
        time: state.tip().time + 60,
        height: state.tip().height + 1,
        ext: BlockExtData::Dynafed { current: state.next_params(&fixture.params), proposed, signblock_witness: Vec::new() },
    }
}

#[test]
fn a_header_with_one_byte_more_or_less_is_none() {
    for case in cases("accepted_oddities") {
        let mut header = bytes(&case["header"]);
        assert!(decode(&header).is_ok());
        header.push(0);
        assert_eq!(decode(&header), Err(DecodeFault::TrailingBytes));
        assert_eq!(decode_prefix(&header).map(|(_, used)| used), Ok(header.len() - 1));
        header.truncate(header.len() - 2);
        assert_eq!(decode(&header), Err(DecodeFault::Malformed));
    }
}

proptest! {
    #[test]
    fn reading_a_header_is_total_and_exact(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(header) = decode(&bytes) {
            prop_assert_eq!(elements::encode::serialize(&header), bytes);
        }
    }

    #[test]
    fn a_damaged_header_is_refused_or_another_one(at in 0usize..600, bit in 0u8..8) {
        let fixture = fixtures::chain();
        let case = &cases("accepted_oddities")[3];
        let mut damaged = bytes(&case["header"]);
        let at = at % damaged.len();
        damaged[at] ^= 1 << bit;
        if let Ok(header) = decode(&damaged) {
            prop_assert_eq!(&elements::encode::serialize(&header), &damaged);
            let state = fixture.chain.state_at(40).expect("kept");
            prop_assert!(state.next(&fixture.params, &header, LATE).is_err());
        }
    }
}
